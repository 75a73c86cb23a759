//! What the system says of a running process.

use std::{fs, time::Duration};

use rustix::param::clock_ticks_per_second;

/// The processor time that a process had taken at a moment.
pub(crate) struct ProcessorTime {
    process: u32,
    ticks: u64,
}

impl ProcessorTime {
    /// Until now.
    pub(crate) fn of(process: u32) -> Self {
        Self { process, ticks: ticks(process) }
    }

    /// What it took since.
    pub(crate) fn until_now(&self) -> Duration {
        let ticks = ticks(self.process) - self.ticks;
        Duration::from_millis(ticks * 1000 / clock_ticks_per_second())
    }
}

/// User and system time (proc_pid_stat(5), fields 14 and 15), of all threads.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // The name, in parentheses, may hold spaces; the state after it is field 3.
    let (_, rest) = stat.rsplit_once(") ").expect("a name");
    let field = |number: usize| -> u64 {
        rest.split(' ').nth(number - 3).and_then(|text| text.parse().ok()).expect("a number")
    };
    field(14) + field(15)
}

/// The most memory that it ever had resident.
pub(crate) fn peak_memory_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1024
}
