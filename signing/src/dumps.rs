//! Memory that holds keys stays out of dumps.
//!
//! A crash would otherwise write keys and passphrases to the disk in clear, and a process of the
//! same user could read them out of the memory.

/// Tells the system not to dump this process's memory and not to let other processes of the same
/// user read it. Every program that opens a key calls it before anything else; a system that does
/// not know how is left as it is.
pub fn refuse() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{
            DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit,
        };
        // Neither can fail for a process that asks for less than it has.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn a_process_that_refuses_dumps_is_not_dumped() {
        super::refuse();
        let behavior = dumpable_behavior().expect("the system tells");
        assert_eq!(behavior, DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
