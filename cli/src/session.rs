//! What a command needs beside its arguments: settings, clock, how to print, whether one may ask.

use std::{
    io::{self, IsTerminal},
    time::{SystemTime, UNIX_EPOCH},
};

use countersign_core::time::UnixSeconds;

use crate::{
    arguments::GlobalArguments,
    checked_signatures::{self, Crypto},
    failure::Outcome,
    output::{Output, Talk},
    settings::{self, Settings},
};

/// One run of the program.
#[derive(Debug)]
pub struct Session {
    /// How to print.
    pub output: Output,
    /// Values that were not typed.
    pub settings: Settings,
    /// Whether somebody is there to answer.
    pub interaction: Interaction,
    /// Cryptography for whatever is verified in this run.
    pub crypto: Crypto,
}

/// Whether somebody is there to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// A person at a terminal.
    Person,
    /// Nobody, or nobody who wants to be asked.
    Nobody,
}

impl Session {
    /// Prepares a run.
    ///
    /// # Errors
    /// When the settings file cannot be used.
    pub fn start(global: &GlobalArguments, output: Output) -> Outcome<Self> {
        let person = !global.no_input && io::stdin().is_terminal();
        Ok(Self {
            output,
            settings: settings::load(global.config.as_deref())?,
            interaction: if person { Interaction::Person } else { Interaction::Nobody },
            crypto: checked_signatures::crypto(),
        })
    }

    /// The system's time. Before 1970 is 1970: the core then says that the clock is wrong.
    pub fn now(&self) -> UnixSeconds {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixSeconds::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// Whether progress may be drawn: on a terminal, when not quiet.
    pub fn shows_progress(&self) -> bool {
        self.output.talk == Talk::Normal && io::stderr().is_terminal()
    }
}
