//! Figures of this process, from the kernel.

use std::fs;

/// Read from `/proc/self`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) open_files: u64,
    pub(super) threads: u64,
}

impl Process {
    /// `None` if there is no `/proc`.
    pub(super) fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let open_files = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        let (ticks, page) = (rustix::param::clock_ticks_per_second(), rustix::param::page_size() as u64);
        Some(Self { open_files, ..Self::parse(&stat, ticks as f64, page)? })
    }

    /// Parses `/proc/self/stat` (proc_pid_stat(5)). The second field may contain blanks and brackets.
    fn parse(stat: &str, ticks: f64, page_bytes: u64) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // The first field here is the third of the file.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_seconds: (number(14)? + number(15)?) as f64 / ticks,
            threads: number(20)?,
            resident_bytes: number(24)? * page_bytes,
            open_files: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_the_manual() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 9 0 1000 900000 25 18446744073709551615";
        let expected = Process { cpu_seconds: 4.0, resident_bytes: 25 * 4096, open_files: 0, threads: 9 };
        assert_eq!(Process::parse(stat, 100.0, 4_096), Some(expected));
    }

    #[test]
    fn this_process_has_memory_threads_and_files() {
        let process = Process::read().unwrap();
        assert!(process.resident_bytes > 1_000_000 && process.threads >= 1 && process.open_files >= 3, "{process:?}");
    }
}
