//! Where log lines go: each at once, but those of requests together when there are many.
//!
//! A system call for the line of each request is a tenth of what a small answer costs. So where the
//! line of another request was written just now, one waits for its like, a few milliseconds at most.
//! Every other line goes out at once and takes along those that wait: the order stays, and what an
//! operator is to see soon is seen soon. A process that is killed loses the lines that wait; nothing
//! here syncs, and nothing that must last is a log line. Passwords in addresses are left out of every line, whoever
//! wrote it.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use countersign_signing::concealed::concealed;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::observe;

/// How long the line of a request waits at most.
const PAUSE: Duration = Duration::from_millis(10);

/// So much goes out without waiting for more: what bounds the memory.
const FULL_OCTETS: usize = 64 * 1024;

/// The lines of a log, on their way to where it is written.
#[derive(Clone)]
pub(crate) struct LogLines {
    shared: Arc<Shared>,
    /// Of the lines of requests.
    patience: Patience,
}

struct Shared {
    state: Mutex<State>,
    /// Some line waits.
    waits: Condvar,
}

struct State {
    waiting: Vec<u8>,
    written_at: Option<Instant>,
    sink: Box<dyn Write + Send>,
}

/// Whether a line may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    None,
    Some,
}

impl fmt::Debug for LogLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLines").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl LogLines {
    /// Lines that are written to `sink`.
    pub(crate) fn to(sink: Box<dyn Write + Send>) -> Self {
        let state = State { waiting: Vec::new(), written_at: None, sink };
        let shared = Arc::new(Shared { state: Mutex::new(state), waits: Condvar::new() });
        let in_thread = Arc::clone(&shared);
        let write_late = move || in_thread.write_what_waits();
        // Without the thread nobody would write the last line: then none waits.
        let spawned = thread::Builder::new().name("log".to_owned()).spawn(write_late);
        let patience = spawned.map_or(Patience::None, |_| Patience::Some);
        Self { shared, patience }
    }

    /// Writes the lines that wait.
    pub(crate) fn flush(&self) {
        // There is nobody to tell that the log cannot be written.
        let _ = self.shared.lock().write_out();
    }
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { shared: &self.shared, patience: Patience::None }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        let is_of_request = metadata.target() == observe::TARGET;
        let patience = if is_of_request { self.patience } else { Patience::None };
        Line { shared: &self.shared, patience }
    }
}

/// One line.
pub(crate) struct Line<'a> {
    shared: &'a Shared,
    patience: Patience,
}

impl Write for Line<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut state = self.shared.lock();
        let is_first = state.waiting.is_empty();
        match str::from_utf8(octets) {
            Ok(text) => state.waiting.extend_from_slice(concealed(text).as_bytes()),
            Err(_) => state.waiting.extend_from_slice(octets),
        }
        let is_quiet = || state.written_at.is_none_or(|time| time.elapsed() >= PAUSE);
        let must_go = self.patience == Patience::None || state.waiting.len() >= FULL_OCTETS;
        if must_go || (is_first && is_quiet()) {
            state.write_out()?;
        } else if is_first {
            self.shared.waits.notify_one();
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.shared.lock().write_out()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes lines that have waited, for as long as the process runs.
    fn write_what_waits(&self) {
        loop {
            let state = self.lock();
            let some = self.waits.wait_while(state, |state| state.waiting.is_empty());
            drop(some);
            thread::sleep(PAUSE);
            // There is nobody to tell that the log cannot be written.
            let _ = self.lock().write_out();
        }
    }
}

impl State {
    fn write_out(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.sink.write_all(&self.waiting);
        // Also what could not be written, which would pile up.
        self.waiting.clear();
        self.written_at = Some(Instant::now());
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remembers each write.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl Write for Written {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8_lossy(octets).into_owned();
            self.0.lock().expect("not poisoned").push(text);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn all(&self) -> Vec<String> {
            self.0.lock().expect("not poisoned").clone()
        }
    }

    fn line(lines: &LogLines, patience: Patience, text: &str) {
        let mut line = Line { shared: &lines.shared, patience };
        line.write_all(text.as_bytes()).expect("taken");
    }

    #[test]
    fn a_line_after_a_pause_is_written_at_once_and_many_go_together_in_their_order() {
        let written = Written::default();
        let lines = LogLines::to(Box::new(written.clone()));
        line(&lines, Patience::Some, "first\n");
        assert_eq!(written.all(), ["first\n"]);
        let many: Vec<String> = (0..1000).map(|number| format!("{number}\n")).collect();
        for each in &many {
            line(&lines, Patience::Some, each);
        }
        let wanted = format!("first\n{}", many.concat());
        let deadline = Instant::now() + Duration::from_secs(30);
        while written.all().concat() != wanted {
            assert!(Instant::now() < deadline, "{:?}", written.all());
            thread::yield_now();
        }
        assert!(written.all().len() < 500, "{} writes", written.all().len());
    }

    #[test]
    fn another_line_goes_at_once_and_takes_along_those_that_wait() {
        let written = Written::default();
        let lines = LogLines::to(Box::new(written.clone()));
        for round in 0..100 {
            line(&lines, Patience::Some, &format!("request {round}\n"));
            line(&lines, Patience::None, &format!("trouble {round}\n"));
            let wanted = format!("request {round}\ntrouble {round}\n");
            assert!(written.all().concat().ends_with(&wanted), "{:?}", written.all());
        }
    }

    #[test]
    fn nothing_waits_after_a_flush() {
        let written = Written::default();
        let lines = LogLines::to(Box::new(written.clone()));
        for round in 0..100 {
            line(&lines, Patience::Some, &format!("{round}\n"));
        }
        lines.flush();
        assert!(written.all().concat().ends_with("\n99\n"), "{:?}", written.all());
    }

    #[test]
    fn what_waits_is_bounded() {
        let written = Written::default();
        let lines = LogLines::to(Box::new(written.clone()));
        let long = "x".repeat(FULL_OCTETS / 2);
        for _ in 0..20 {
            line(&lines, Patience::Some, &long);
        }
        assert!(lines.shared.lock().waiting.len() < FULL_OCTETS);
        assert!(written.all().iter().all(|each| each.len() <= FULL_OCTETS + long.len()));
    }
}
