//! What can be read once: standard input, which `-` names, and pipes (`<(…)`).

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileTypeExt,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use countersign_core::finding::{Finding, FindingCode};

use crate::codes;
use crate::failure::{Failure, Outcome, path_text};

/// Whether something of this process has taken standard input.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether a path is `-`, which names standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Standard input, for the first who asks.
///
/// # Errors
/// `setup.usage.invalid` for every other: there is nothing left to read.
pub fn standard_input() -> Outcome<io::Stdin> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(Finding::new(codes::USAGE_INVALID)
            .about("-")
            .expected("- once; standard input can be read only once")
            .found("- a second time")
            .into());
    }
    Ok(io::stdin())
}

/// Refuses a pipe that has a name in the file system: opening it waits for whoever writes to it, and
/// there may be nobody. A pipe of `<(…)` has no name, and does not wait.
///
/// # Errors
/// `setup.input.unreadable`.
pub fn refuse_named_pipe(path: &Path) -> Outcome<()> {
    let is_pipe = fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
    // What /dev/fd/N points to is no path where the pipe has no name.
    if is_pipe && fs::canonicalize(path).is_ok() {
        let found = "a named pipe, to which perhaps nobody ever writes; use - or <(…)";
        return Err(Failure::unreadable(path, found));
    }
    Ok(())
}

/// What `-`, a pipe or a device gives, at most `maximum` bytes of it; `None` if the path is a file
/// or a folder, or is not there.
///
/// # Errors
/// `setup.usage.invalid`, `setup.input.too-large` or `setup.input.unreadable`.
pub fn read(path: &Path, maximum: usize) -> Option<Outcome<Vec<u8>>> {
    if is_standard_input(path) {
        return Some(standard_input().and_then(|stdin| bounded(path, stdin.lock(), maximum)));
    }
    let kind = fs::metadata(path).ok()?.file_type();
    if !(kind.is_fifo() || kind.is_char_device() || kind.is_socket()) {
        return None;
    }
    let unreadable = |error: io::Error| Failure::unreadable(path, error.to_string());
    let file = refuse_named_pipe(path).and_then(|()| File::open(path).map_err(unreadable));
    Some(file.and_then(|file| bounded(path, file, maximum)))
}

fn bounded(path: &Path, source: impl Read, maximum: usize) -> Outcome<Vec<u8>> {
    let mut content = Vec::new();
    let read = source.take(maximum as u64 + 1).read_to_end(&mut content);
    read.map_err(|error| Failure::unreadable(path, error.to_string()))?;
    if content.len() > maximum {
        return Err(Finding::new(FindingCode::INPUT_TOO_LARGE)
            .about(path_text(path))
            .expected(format!("at most {maximum} bytes"))
            .found("more")
            .into());
    }
    Ok(content)
}
