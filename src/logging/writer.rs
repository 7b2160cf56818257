//! Writes the log on a thread of its own: a slow reader, or one that stopped, holds up nobody. Lines wait in a bounded
//! queue; those that have no room are counted.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use tracing_subscriber::fmt::MakeWriter;

use crate::limits::{LOG_FLUSH, LOG_LINES};
use crate::logging::escape::{self, LineForm};

/// Makes a writer for each line.
pub(super) struct Lines {
    queue: Arc<Queue>,
    form: LineForm,
}

/// Writes the lines that wait when it is dropped, if somebody takes them soon.
pub(super) struct WriterGuard {
    queue: Arc<Queue>,
    has_ended: Receiver<()>,
}

/// The queue of this process's log: a process has one log.
static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// Lines that wait for the reader of the log, and the number of lines dropped since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStatus {
    pub waiting: usize,
    pub left_out: u64,
}

/// How the log of this process is doing.
#[must_use]
pub fn status() -> LogStatus {
    QUEUE.get().map(|queue| queue.status()).unwrap_or_default()
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    has_lines: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    /// Lines that had no room since the last one that had.
    left_out: u64,
    /// Lines that had no room since the start.
    left_out_in_all: u64,
    is_closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> LogStatus {
        let waiting = self.lock();
        LogStatus { waiting: waiting.lines.len(), left_out: waiting.left_out_in_all }
    }

    fn push(&self, line: Vec<u8>) {
        let mut waiting = self.lock();
        if waiting.lines.len() >= LOG_LINES {
            waiting.left_out += 1;
            waiting.left_out_in_all += 1;
            return;
        }
        waiting.lines.push_back(line);
        drop(waiting);
        self.has_lines.notify_one();
    }

    /// The next line, and how many were left out by now; `None` at the end.
    fn pop(&self) -> Option<(Vec<u8>, u64)> {
        let mut waiting = self.lock();
        loop {
            if let Some(line) = waiting.lines.pop_front() {
                return Some((line, std::mem::take(&mut waiting.left_out)));
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self.has_lines.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Lines {
    /// Makes this the log of the process: [`status`] is about it.
    pub(super) fn announce(&self) {
        let _is_first = QUEUE.set(self.queue.clone());
    }

    /// Starts the thread that writes to `out`.
    pub(super) fn start(mut out: impl Write + Send + 'static, form: LineForm) -> io::Result<(Self, WriterGuard)> {
        let queue = Arc::new(Queue::default());
        let (tell, has_ended) = sync_channel(1);
        let lines = queue.clone();
        let write = move || {
            while let Some((mut line, left_out)) = lines.pop() {
                if left_out > 0 {
                    line = [form.left_out(left_out).into_bytes(), line].concat();
                }
                // Where nobody can read there is nobody to tell.
                let _written = out.write_all(&line);
            }
            let _nobody_waits = tell.send(());
        };
        thread::Builder::new().name("log".into()).spawn(write)?;
        Ok((Self { queue: queue.clone(), form }, WriterGuard { queue, has_ended }))
    }
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.has_lines.notify_one();
        let _in_time = self.has_ended.recv_timeout(LOG_FLUSH);
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Takes the line of one event, which comes in one piece.
pub(super) struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.queue.push(escape::line(bytes, self.0.form));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A reader that takes nothing as long as the lock is held.
    #[derive(Clone, Default)]
    struct Paused(Arc<Mutex<Vec<u8>>>);

    impl Write for Paused {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_pauses_holds_up_nobody_and_learns_what_was_left_out() {
        let reader = Paused::default();
        let (lines, guard) = Lines::start(reader.clone(), LineForm::Plain).unwrap();
        let paused = reader.0.lock().unwrap();
        for number in 0..3 * LOG_LINES {
            lines.make_writer().write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        drop(paused);
        drop(guard);
        let text = String::from_utf8(reader.0.lock().unwrap().clone()).unwrap();
        let written = text.lines().filter(|line| line.parse::<usize>().is_ok()).count();
        let told = text.lines().filter(|line| line.contains("left out"));
        let left_out: usize = told.filter_map(|line| line.split(' ').nth(1)?.parse::<usize>().ok()).sum();
        assert_eq!(left_out, 3 * LOG_LINES - written);
        assert_eq!(lines.queue.status(), LogStatus { waiting: 0, left_out: left_out as u64 });
    }

    #[test]
    fn what_waits_is_written_at_the_end() {
        let reader = Paused::default();
        let (lines, guard) = Lines::start(reader.clone(), LineForm::Plain).unwrap();
        (0..100).for_each(|number| lines.make_writer().write_all(format!("{number}\n").as_bytes()).unwrap());
        drop(guard);
        assert_eq!(reader.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count(), 100);
    }
}
