//! Places where a test has the process die: after a write, before the next.
//!
//! A build for release has none of it. In others, `COUNTERSIGN_CRASH_POINT=NAME:COUNT:FILE` has the
//! process abort, as `kill -9` would end it, when it comes to the place NAME for the `COUNT`th time
//! while FILE exists. Without the variable nothing happens.

/// This is the place `name`.
#[cfg(not(debug_assertions))]
#[inline]
pub fn reach(_name: &'static str) {}

/// This is the place `name`.
#[cfg(debug_assertions)]
pub fn reach(name: &'static str) {
    armed::reach(name);
}

#[cfg(debug_assertions)]
mod armed {
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    const VARIABLE: &str = "COUNTERSIGN_CRASH_POINT";

    struct Armed {
        name: String,
        left: AtomicU32,
        file: PathBuf,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    pub(super) fn reach(name: &str) {
        let Some(armed) = ARMED.get_or_init(read) else { return };
        if armed.name == name
            && armed.file.exists()
            && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            eprintln!("crash point {name}");
            std::process::abort();
        }
    }

    fn read() -> Option<Armed> {
        let value = std::env::var(VARIABLE).ok()?;
        let mut parts = value.splitn(3, ':');
        let name = parts.next()?.to_owned();
        let left = AtomicU32::new(parts.next()?.parse().ok()?);
        Some(Armed { name, left, file: PathBuf::from(parts.next()?) })
    }
}
