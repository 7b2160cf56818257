use std::time::Duration;

use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::waiting::unless_over;
use super::*;
use crate::hub::SocketWriter;
use crate::wire::ReplyFormat;

/// The size of what a function returns.
fn size_of_returned<A, B, R>(_: impl Fn(A, B) -> R) -> usize {
    size_of::<R>()
}

#[test]
fn the_task_of_an_idle_connection_is_small() {
    let size = size_of_returned(run);
    assert!(size <= 512, "{size} bytes");
}

struct Discard;

impl SocketWriter for Discard {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

/// A connection and its peer.
async fn connected() -> (ClientStream, SendQueue, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let stream = ClientStream::new(listener.accept().await.unwrap().0, None).unwrap();
    (stream, SendQueue::new(Arc::new(Discard), ReplyFormat::Json), peer)
}

#[tokio::test]
async fn a_connection_that_is_to_end_waits_for_no_turn() {
    let (stream, send_queue, _peer) = connected().await;
    let waiting = unless_over(&stream, &send_queue, std::future::pending::<()>());
    let closing = async { send_queue.close(ConnectionEnd::Finished) };
    assert_eq!(tokio::join!(waiting, closing).0, None);
}

#[tokio::test]
async fn a_connection_whose_peer_reset_it_waits_for_no_turn() {
    let (stream, send_queue, peer) = connected().await;
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    let waiting = unless_over(&stream, &send_queue, std::future::pending::<()>());
    let resetting = async { drop(peer) };
    assert_eq!(tokio::join!(waiting, resetting).0, None);
    assert_eq!(send_queue.ending(), Some(ConnectionEnd::Gone));
}

#[tokio::test]
async fn a_peer_that_closed_its_side_is_waited_for() {
    let (stream, send_queue, mut peer) = connected().await;
    peer.shutdown().await.unwrap();
    let done = async { tokio::task::yield_now().await };
    assert_eq!(unless_over(&stream, &send_queue, done).await, Some(()));
    assert_eq!(send_queue.ending(), None);
}
