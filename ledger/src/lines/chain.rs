//! The chain of format 1: whether a line may follow the one before it.
//!
//! A broken link joins two lines of which one was changed; the line after them tells which. So a
//! break is held back for one line.

use super::line::Line;
use crate::fault::What;
use crate::hash::Hash;
use crate::record::Head;

/// A break whose blame is not yet clear.
#[derive(Debug)]
struct Suspect {
    /// What the later of the two lines names.
    named: Hash,
    /// The hash of the earlier line.
    actual: Hash,
    /// The hash of the later line.
    later: Hash,
}

/// Which of the lines looked at last a break is laid upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The line before the one that was given last before this.
    BeforeLast,
    /// The one that was given last before this.
    Last,
    /// The line just given.
    This,
}

/// Follows the lines of a ledger one by one.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The line that was last; `None` before the first.
    last: Option<Head>,
    /// What comes before the first line.
    start: Before,
    suspect: Option<Suspect>,
}

/// What comes before the first line.
#[derive(Debug, Clone, Copy, Default)]
enum Before {
    /// Anything.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// This line.
    Line(Head),
}

impl Chain {
    /// A chain whose first line may be any.
    pub(crate) fn anywhere() -> Self {
        Self::default()
    }

    /// A chain that begins with the first line of a ledger.
    pub(crate) fn whole() -> Self {
        Self { start: Before::Nothing, ..Self::default() }
    }

    /// A chain whose first line follows that one.
    pub(crate) fn after(line: Head) -> Self {
        Self { start: Before::Line(line), ..Self::default() }
    }

    /// The last line.
    pub(crate) fn head(&self) -> Option<Head> {
        self.last
    }

    /// Takes the next line (its line feed included) and what it was read as.
    pub(crate) fn follow(&mut self, line: &Line<'_>, octets: &[u8]) -> Result<(), (Blame, What)> {
        let hash = Hash::of_line(octets);
        if let Some(Suspect { named, actual, later }) = self.suspect.take() {
            // The later line is vouched for by this one: then the earlier was changed.
            return Err(if line.previous == later {
                (Blame::BeforeLast, What::Altered { expected: named, found: actual })
            } else {
                (Blame::Last, What::Altered { expected: line.previous, found: later })
            });
        }
        let (expected, before) = match (self.last, self.start) {
            (Some(head), _) | (None, Before::Line(head)) => {
                (head.sequence.checked_add(1), Some(head.hash))
            }
            (None, Before::Nothing) => (Some(0), Some(Hash::NONE)),
            (None, Before::Unknown) => (None, None),
        };
        if let Some(expected) = expected.filter(|expected| *expected != line.entry.sequence) {
            return Err((Blame::This, What::Sequence { expected, found: line.entry.sequence }));
        }
        if let Some(actual) = before.filter(|before| *before != line.previous) {
            if self.last.is_none() {
                let what = What::Altered { expected: actual, found: line.previous };
                return Err((Blame::This, what));
            }
            self.suspect = Some(Suspect { named: line.previous, actual, later: hash });
        }
        self.last = Some(Head { sequence: line.entry.sequence, hash });
        Ok(())
    }

    /// Says that no line comes any more.
    pub(crate) fn end(&mut self) -> Result<(), (Blame, What)> {
        match self.suspect.take() {
            None => Ok(()),
            // Nothing vouches for the last line, so one of the two; the earlier was vouched against.
            Some(Suspect { named, actual, .. }) => {
                Err((Blame::BeforeLast, What::Altered { expected: named, found: actual }))
            }
        }
    }
}
