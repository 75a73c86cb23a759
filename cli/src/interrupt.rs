//! Ctrl-C: exit code 130, and never in the middle of a write.
//!
//! A thread waits for SIGINT and SIGTERM. It ends the process only while nobody holds the lock
//! that [`without_interruption`] takes around writes.

use std::{
    process,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// What shells expect of a program that was interrupted: 128 + SIGINT.
pub(crate) const EXIT_INTERRUPTED: i32 = 130;

static WRITING: Mutex<()> = Mutex::new(());

fn lock() -> MutexGuard<'static, ()> {
    // The lock guards no data, so a panic while it was held spoils nothing.
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to listen. Without it (should the system refuse) signals end the process at once.
pub(crate) fn listen() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _until_the_write_is_done = lock();
            process::exit(EXIT_INTERRUPTED);
        }
    });
}

/// Runs `write`, which writes files; an interruption waits until it is done.
pub(crate) fn without_interruption<T>(write: impl FnOnce() -> T) -> T {
    let _guard = lock();
    write()
}
