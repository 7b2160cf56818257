//! Connections whose socket takes less than is written to it.

use super::*;

#[test]
fn what_a_slow_reader_has_taken_is_no_longer_kept() {
    let test = TestHub::new();
    test.writer.takes(900);
    test.send_queue.reply(Ticket::NONE, None, |out| out.extend([b'a'; 1_000]));
    test.hub.send_replies(&test.send_queue);
    assert_eq!(test.send_queue.lock().ready.capacity(), 100);
    test.writer.takes(usize::MAX);
    test.send_queue.unblock();
    assert_eq!(take(&test.writer), "a".repeat(1_000));
}

#[test]
fn a_socket_that_is_full_gets_the_rest_later_and_the_lent_room_comes_back() {
    let (writer, tickets) = (Arc::new(RecordingWriter::default()), Tickets::default());
    let send_queue = SendQueue::new(writer.clone(), ReplyFormat::Json);
    send_queue.reply(Ticket::NONE, None, |out| out.extend_from_slice(b"one two"));
    writer.takes(4);
    let mut room = Vec::with_capacity(1_000);
    send_queue.push_round(&mut room, &tickets, (SLOT, Ticket::NONE), |_| {});
    assert_eq!((take(&writer).as_str(), room.len(), room.capacity()), ("one ", 0, 1_000));
    assert!(send_queue.status().is_blocked);
    writer.takes(1_000);
    send_queue.unblock();
    assert_eq!(take(&writer), "two");
}
