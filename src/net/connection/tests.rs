use super::*;
use crate::hub::SocketWriter;

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

#[tokio::test]
async fn a_connection_that_is_to_end_waits_for_no_turn() {
    let send_queue = SendQueue::new(Arc::new(Discard), ReplyFormat::Json);
    let waiting = unless_closing(&send_queue, std::future::pending::<()>());
    let closing = async { send_queue.close(ConnectionEnd::Finished) };
    assert_eq!(tokio::join!(waiting, closing).0, None);
}
