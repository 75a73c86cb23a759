//! `make demo`: the scenario, told on the terminal.
//!
//! Asks nothing. Exit code 0 when every verdict is as expected, 1 when one differs, 2 when the
//! story could not be told to its end, 130 after Ctrl-C before its end. `KEEP=1` leaves the folder
//! behind and serves the page until Ctrl-C.

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use countersign_tests::scenario::{self, Folder, Observer, Outcome, Row, ScenarioError, Verdict};
use signal_hook::consts::{SIGINT, SIGTERM};

fn main() -> ExitCode {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Where it cannot be registered, Ctrl-C ends this program the usual way.
        let _ = signal_hook::flag::register(signal, Arc::clone(&interrupted));
    }
    let folder = match env::var_os("KEEP") {
        Some(value) if !value.is_empty() && value != "0" => Folder::Kept,
        _ => Folder::Removed,
    };
    let mut teller = Teller { ink: Ink::of_terminal(), interrupted };
    let start = Instant::now();
    match scenario::run(folder, &mut teller) {
        Ok(outcome) => {
            teller.table(&outcome);
            let seconds = start.elapsed().as_secs_f32();
            print(&format!("\nIt took {seconds:.1} s."));
            if let Some(folder) = &outcome.folder {
                print(&format!("Everything is kept in {}", folder.display()));
            }
            if let Some(page) = &outcome.page {
                print(&format!("\nThe page is at {}  (Ctrl-C ends it)", page.url()));
                teller.wait_for_interruption();
            }
            ExitCode::from(u8::from(!outcome.agrees()))
        }
        Err(ScenarioError::Interrupted) => {
            eprintln!("\ncountersign-demo: interrupted; everything it started has ended");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\ncountersign-demo: {error}");
            ExitCode::from(2)
        }
    }
}

/// Tells the story on standard output.
struct Teller {
    ink: Ink,
    interrupted: Arc<AtomicBool>,
}

/// Whether there are colours.
#[derive(Clone, Copy)]
enum Ink {
    Plain,
    Coloured,
}

impl Ink {
    fn of_terminal() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|value| value == "dumb");
        if io::stdout().is_terminal() && !unwanted && !dumb { Self::Coloured } else { Self::Plain }
    }

    /// `text` between the codes of a style.
    fn paint(self, style: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{style}m{text}\x1b[0m"),
        }
    }
}

const BOLD: &str = "1";
const FAINT: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
const CYAN: &str = "36";

/// Prints a line. A reader that went away (`| head`) ends nothing: the story is told to its end.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{}", line.trim_end());
}

impl Teller {
    /// Polls until Ctrl-C.
    fn wait_for_interruption(&self) {
        while !self.is_interrupted() {
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The table of expected and seen verdicts.
    fn table(&self, outcome: &Outcome) {
        let rows: Vec<[String; 3]> = outcome
            .rows
            .iter()
            .map(|row| [row.title.clone(), words(&row.expected), words(&row.seen)])
            .collect();
        let width = |column: usize, heading: &str| {
            let widest = rows.iter().map(|row| row[column].chars().count()).max();
            widest.unwrap_or(0).max(heading.len())
        };
        let (first, second) = (width(0, "What"), width(1, "Expected"));
        print("");
        let heading = format!("  {:first$}   {:second$}   Seen", "What", "Expected");
        print(&self.ink.paint(BOLD, &heading));
        for (row, [title, expected, seen]) in outcome.rows.iter().zip(&rows) {
            let mark = self.mark(row);
            print(&format!("{mark} {title:first$}   {expected:second$}   {seen}"));
        }
        let wrong = outcome.rows.iter().filter(|row| !row.agrees()).count();
        let total = outcome.rows.len();
        print("");
        print(&if wrong == 0 {
            self.ink.paint(GREEN, &format!("All {total} verdicts are as expected."))
        } else {
            self.ink.paint(RED, &format!("{wrong} of {total} verdicts differ."))
        });
    }

    fn mark(&self, row: &Row) -> String {
        if row.agrees() { self.ink.paint(GREEN, "✔") } else { self.ink.paint(RED, "✘") }
    }
}

fn words(verdict: &Verdict) -> String {
    match &verdict.code {
        Some(code) => format!("{} {code}", verdict.exit_code),
        None => verdict.exit_code.to_string(),
    }
}

impl Observer for Teller {
    fn step(&mut self, number: usize, title: &str) {
        print("");
        print(&self.ink.paint(BOLD, &format!("{number}. {title}")));
    }

    fn command(&mut self, line: &str) {
        print(&format!("   {}", self.ink.paint(CYAN, &format!("$ {line}"))));
    }

    fn said(&mut self, text: &str) {
        for line in text.lines() {
            print(&format!("     {line}"));
        }
    }

    fn remark(&mut self, text: &str) {
        print(&format!("     {}", self.ink.paint(FAINT, text)));
    }

    fn row(&mut self, row: &Row) {
        let (expected, seen) = (words(&row.expected), words(&row.seen));
        let told = if row.agrees() {
            format!("→ {seen}, as expected")
        } else {
            format!("→ {seen}, but {expected} was expected")
        };
        print(&format!("   {} {told}", self.mark(row)));
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
