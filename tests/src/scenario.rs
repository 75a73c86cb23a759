//! The demo, which is the end-to-end test: the whole story with the real programs on loopback.
//!
//! A step shows the commands that a person would type, which are the very commands that run, and
//! what came of them. Verdicts are expected beforehand and compared afterwards. How it looks is
//! the [`Observer`]'s: this module prints nothing.

pub mod downloads;
mod page;
mod page_server;
mod shell;
mod site;
mod stage;
mod story;

use std::{io, path::PathBuf};

pub use self::{
    page::{OpenPage, built},
    page_server::{Content, PageServer},
    shell::{Ran, Shell},
    site::{Limits, Site},
};
use crate::programs::ProgramError;

/// What a verification or another check ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The exit code.
    pub exit_code: i32,
    /// The code of the finding that decides, or the one that is noted.
    pub code: Option<String>,
}

impl Verdict {
    /// An exit code and the finding's code, empty for none.
    pub fn new(exit_code: i32, code: &str) -> Self {
        Self { exit_code, code: (!code.is_empty()).then(|| code.to_owned()) }
    }
}

/// A line of the table at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What happened, in a few words.
    pub title: String,
    /// What should come of it.
    pub expected: Verdict,
    /// What came of it.
    pub seen: Verdict,
}

impl Row {
    /// Whether it came as expected.
    pub fn agrees(&self) -> bool {
        self.expected == self.seen
    }
}

/// Who watches.
pub trait Observer {
    /// A step begins.
    fn step(&mut self, number: usize, title: &str);
    /// A command as it is typed; it runs next.
    fn command(&mut self, line: &str);
    /// What the last command printed.
    fn said(&mut self, text: &str);
    /// A remark between commands.
    fn remark(&mut self, text: &str);
    /// A verdict was compared.
    fn row(&mut self, row: &Row);
    /// Whether the story is to end now (Ctrl-C).
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// What becomes of the folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Folder {
    /// It goes with the story.
    #[default]
    Removed,
    /// It stays, to look into.
    Kept,
}

/// What came of the story.
#[derive(Debug)]
pub struct Outcome {
    /// Each verdict, in order.
    pub rows: Vec<Row>,
    /// Where everything lies, when it was kept.
    pub folder: Option<PathBuf>,
    /// The page with a download in each state, served as long as this is held, when the folder was
    /// kept.
    pub page: Option<OpenPage>,
}

impl Outcome {
    /// Whether everything came as expected. A story without verdicts proved nothing.
    pub fn agrees(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(Row::agrees)
    }
}

/// Why the story could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A program is missing, or does not start or end.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A command that prepares the next one failed.
    #[error("`{line}` ended with {exit_code}:\n{said}")]
    Command {
        /// The command.
        line: String,
        /// Its exit code.
        exit_code: i32,
        /// What it printed.
        said: String,
    },
    /// A command printed something else than it should.
    #[error("`{line}` printed {what}:\n{said}")]
    Unreadable {
        /// The command.
        line: String,
        /// What is wrong with it.
        what: String,
        /// What it printed.
        said: String,
    },
    /// A file of the story's own cannot be written or read.
    #[error("{what}: {source}")]
    File {
        /// Which file.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The page was not built.
    #[error("there is no {}; build it: make web", page.display())]
    NoPage {
        /// Where it should be.
        page: PathBuf,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Tells the whole story. Every process that it starts has ended when it returns, or ends with the
/// outcome's page.
///
/// # Errors
/// When it cannot be told to its end; a wrong verdict is none, but in the [`Outcome`].
pub fn run(folder: Folder, observer: &mut dyn Observer) -> Result<Outcome, ScenarioError> {
    story::tell(folder, observer)
}
