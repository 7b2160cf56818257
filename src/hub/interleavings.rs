//! All interleavings of a connection that holds and flushes replies with a committer that settles and releases them.
//!
//! `loom` runs each test in every order of the steps that the memory model allows, with at most so many preemptions.
//! Run it with `cargo test --lib --features loom interleavings`.

use std::io;
use std::sync::Arc;
use std::task::Wake;

use loom::model::Builder;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use crate::hub::commit_waiters::CommitWaiters;
use crate::hub::push_slot::PushSlot;
use crate::hub::send_queue::SendQueue;
use crate::hub::socket_writer::{ConnectionEnd, SocketWriter};
use crate::hub::tickets::Ticket;
use crate::wire::ReplyFormat;

const SLOT: PushSlot = PushSlot { round: 0, place: 0 };

/// Records what was written.
#[derive(Default)]
struct RecordingWriter(std::sync::Mutex<Vec<u8>>);

impl SocketWriter for RecordingWriter {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
}

/// A waker that sets a flag.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn connection() -> (Arc<RecordingWriter>, Arc<SendQueue>, Arc<CommitWaiters>) {
    let writer = Arc::new(RecordingWriter::default());
    let send_queue = Arc::new(SendQueue::new(writer.clone(), ReplyFormat::Json));
    (writer, send_queue, Arc::default())
}

fn written(writer: &RecordingWriter) -> String {
    String::from_utf8(writer.0.lock().unwrap().clone()).unwrap()
}

fn commits(waiters: &Arc<CommitWaiters>, upto: u64) -> thread::JoinHandle<()> {
    let waiters = waiters.clone();
    thread::spawn(move || {
        for ticket in (1..=upto).map(Ticket) {
            waiters.tickets.settle(ticket);
            waiters.release(ticket);
        }
    })
}

#[test]
fn replies_leave_in_order_and_none_is_lost_while_their_batches_are_settled() {
    check(|| {
        let (writer, send_queue, waiters) = connection();
        let committer = commits(&waiters, 2);
        send_queue.reply(Ticket(1), None, |out| out.push(b'1'));
        waiters.send_replies(&send_queue);
        send_queue.reply(Ticket(2), None, |out| out.push(b'2'));
        send_queue.reply(Ticket::NONE, None, |out| out.push(b'3'));
        waiters.send_replies(&send_queue);
        committer.join().unwrap();
        assert_eq!(written(&writer), "123");
    });
}

#[test]
fn a_push_leaves_before_the_replies_of_its_batch_and_none_is_lost() {
    check(|| {
        let (writer, send_queue, waiters) = connection();
        let (pushed, settled) = (send_queue.clone(), waiters.clone());
        let committer = thread::spawn(move || {
            pushed.hold_for_push(SLOT);
            settled.tickets.settle(Ticket(1));
            settled.release(Ticket(1));
            pushed.push_round(&mut Vec::new(), &settled.tickets, (SLOT, Ticket(1)), |guard| guard.push_bytes(b"push "));
        });
        send_queue.reply(Ticket(1), None, |out| out.extend_from_slice(b"reply "));
        waiters.send_replies(&send_queue);
        committer.join().unwrap();
        waiters.send_replies(&send_queue);
        assert_eq!(written(&writer), "push reply ");
    });
}

#[test]
fn the_replies_of_a_batch_wait_for_its_pushes_while_those_of_an_earlier_one_are_written() {
    const NEXT: PushSlot = PushSlot { round: 2, place: 0 };
    check(|| {
        let (writer, send_queue, waiters) = connection();
        send_queue.hold_for_push(SLOT);
        waiters.tickets.settle(Ticket(1));
        send_queue.reply(Ticket(2), None, |out| out.extend_from_slice(b"reply "));
        let (pushed, settled) = (send_queue.clone(), waiters.clone());
        let deliverer = thread::spawn(move || {
            pushed.push_round(&mut Vec::new(), &settled.tickets, (SLOT, Ticket(1)), |guard| guard.push_bytes(b"1 "));
        });
        send_queue.hold_for_push(NEXT);
        waiters.tickets.settle(Ticket(2));
        waiters.send_replies(&send_queue);
        deliverer.join().unwrap();
        send_queue.push_round(&mut Vec::new(), &waiters.tickets, (NEXT, Ticket(2)), |guard| guard.push_bytes(b"2 "));
        assert_eq!(written(&writer), "1 2 reply ");
    });
}

#[test]
fn a_task_that_was_woken_sees_why() {
    check(|| {
        let (_, send_queue, _) = connection();
        let is_woken = Arc::new(Flag(AtomicBool::new(false)));
        send_queue.set_task(&is_woken.clone().into());
        let closed = send_queue.clone();
        let closing = thread::spawn(move || closed.close(ConnectionEnd::Finished));
        if is_woken.0.load(Ordering::Acquire) {
            assert!(send_queue.status().is_closing);
        }
        closing.join().unwrap();
        assert!(is_woken.0.load(Ordering::Acquire));
    });
}

#[test]
fn two_threads_that_flush_one_connection_lose_no_reply() {
    check(|| {
        let (writer, send_queue, waiters) = connection();
        send_queue.reply(Ticket(1), None, |out| out.push(b'1'));
        let committer = commits(&waiters, 1);
        let (other_queue, other_waiters) = (send_queue.clone(), waiters.clone());
        let link = thread::spawn(move || other_waiters.send_replies(&other_queue));
        waiters.send_replies(&send_queue);
        committer.join().unwrap();
        link.join().unwrap();
        assert_eq!(written(&writer), "1");
    });
}
