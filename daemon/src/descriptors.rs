//! File descriptors: connections get what is left of them after a reserve, so that a flood of
//! connections leaves enough to work with databases, keys and CRL files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a service works with itself: 25 counted in the revocation service at rest, files that are
/// read now and then, an audit ledger, and the connections of the listener for figures.
const RESERVE: u64 = 72;

/// A service has up to two large listeners, public and admin.
const LISTENERS: u64 = 2;

/// How many of the `wanted` connections a listener can hold, after raising the process's limit of
/// open files as far as its hard limit lets it.
pub(crate) fn affordable(wanted: usize) -> usize {
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let limit = getrlimit(Resource::Nofile);
    let raised = raised(wanted, limit.current, limit.maximum);
    let mut current = limit.current;
    if raised != current {
        match setrlimit(Resource::Nofile, Rlimit { current: raised, maximum: limit.maximum }) {
            Ok(()) => current = raised,
            Err(error) => tracing::warn!(%error, "the limit of open files stays as it was"),
        }
    }
    usize::try_from(share(wanted, current)).unwrap_or(usize::MAX)
}

/// The limit of open files to ask for; none is infinite.
fn raised(wanted: u64, current: Option<u64>, maximum: Option<u64>) -> Option<u64> {
    let needed = wanted.saturating_mul(LISTENERS).saturating_add(RESERVE);
    current.map(|current| current.max(maximum.map_or(needed, |maximum| maximum.min(needed))))
}

fn share(wanted: u64, current: Option<u64>) -> u64 {
    current.map_or(wanted, |current| wanted.min(current.saturating_sub(RESERVE) / LISTENERS).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raises_the_soft_limit_as_far_as_needed_and_allowed() {
        assert_eq!(raised(4096, Some(1024), Some(524_288)), Some(8264));
        assert_eq!(raised(4096, Some(1024), None), Some(8264));
        assert_eq!(raised(4096, Some(1024), Some(4096)), Some(4096));
        assert_eq!(raised(4096, Some(20_000), Some(524_288)), Some(20_000));
        assert_eq!(raised(4096, None, None), None);
    }

    #[test]
    fn two_listeners_leave_the_reserve() {
        assert_eq!(share(4096, Some(8264)), 4096);
        assert_eq!(share(4096, Some(88)), 8);
        assert_eq!(share(100, Some(1024)), 100);
        assert_eq!(share(4096, None), 4096);
        assert_eq!(share(4096, Some(3)), 1);
    }
}
