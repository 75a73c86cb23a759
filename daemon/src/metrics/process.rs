//! The process's own figures, read from `/proc` when they are asked for.

use std::fs;
use std::time::SystemTime;

use metrics::{describe_gauge, gauge};
use rustix::process::{Resource, getrlimit};

/// What the figures mean, and the one that does not change.
pub(super) fn describe() {
    describe_gauge!("process_resident_memory_bytes", "Resident memory in bytes.");
    describe_gauge!("process_cpu_seconds_total", "User and system CPU time in seconds.");
    describe_gauge!("process_open_fds", "Open file descriptors.");
    describe_gauge!("process_max_fds", "Most file descriptors that may be open.");
    describe_gauge!("process_threads", "Threads.");
    describe_gauge!("process_start_time_seconds", "When the process started, as Unix time.");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Figures are installed first thing; that is near enough to the start.
    gauge!("process_start_time_seconds").set(now.as_secs_f64());
}

/// Reads the figures; what cannot be read keeps its last value.
pub(super) fn collect() {
    if let Some(octets) = resident_octets() {
        gauge!("process_resident_memory_bytes").set(octets);
    }
    if let Some((cpu_seconds, threads)) = cpu_seconds_and_threads() {
        gauge!("process_cpu_seconds_total").set(cpu_seconds);
        gauge!("process_threads").set(threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(float(open.count() as u64));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        gauge!("process_max_fds").set(float(most));
    }
}

fn resident_octets() -> Option<f64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages = statm.split(' ').nth(1)?.parse::<u64>().ok()?;
    Some(float(pages.checked_mul(rustix::param::page_size() as u64)?))
}

fn cpu_seconds_and_threads() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name, in parentheses, may have anything in it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // proc_pid_stat(5): utime is field 14, stime 15, num_threads 20; `fields` begins with field 3.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = field(14)?.checked_add(field(15)?)?;
    Some((float(ticks) / float(rustix::param::clock_ticks_per_second()), float(field(20)?)))
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn float(number: u64) -> f64 {
    number as f64
}
