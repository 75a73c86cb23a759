//! What is asked of the person at the terminal: passphrases and confirmations.
//!
//! A passphrase comes from a file, the environment, or a prompt; never from a flag, which every
//! process of the machine could read.

use std::{
    io::{self, Write},
    path::Path,
};

use countersign_core::finding::Finding;
use countersign_signing::key::{Passphrase, PassphraseError};

use zeroize::Zeroizing;

use crate::{
    arguments::KeyPassphrase,
    codes,
    failure::{Failure, Outcome},
    session::{Interaction, Session},
};

/// The environment variable with a key's passphrase.
pub const KEY_VARIABLE: &str = "COUNTERSIGN_KEY_PASSPHRASE";
/// The environment variable with the passphrase of a certificate authority's keys.
pub const CA_VARIABLE: &str = "COUNTERSIGN_CA_PASSPHRASE";

/// What the passphrase is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To open a key: asked once.
    Open,
    /// To protect a new key: asked twice.
    Protect,
}

impl Session {
    /// The passphrase of `key`.
    ///
    /// # Errors
    /// When there is none, or its file cannot be used.
    pub fn key_passphrase(
        &self,
        source: &KeyPassphrase,
        key: &Path,
        purpose: Purpose,
    ) -> Outcome<Passphrase> {
        match self.silent_key_passphrase(source)? {
            Some(passphrase) => Ok(passphrase),
            None => self.ask_passphrase(
                &format!("the key {}", key.display()),
                "--key-passphrase-file FILE, COUNTERSIGN_KEY_PASSPHRASE, or a terminal",
                purpose,
            ),
        }
    }

    /// A key's passphrase, if nobody needs to be asked for it.
    fn silent_key_passphrase(&self, source: &KeyPassphrase) -> Outcome<Option<Passphrase>> {
        let settings = self.settings.key_passphrase_file.as_deref();
        silent(source.file.as_deref(), KEY_VARIABLE, settings)
    }

    /// The passphrase of a certificate authority's keys. If it has none of its own, that of other
    /// keys (`key`) is taken: a small authority has one for both.
    ///
    /// # Errors
    /// When there is none, or its file cannot be used.
    pub fn ca_passphrase(
        &self,
        file: Option<&Path>,
        key: &KeyPassphrase,
        folder: &Path,
        purpose: Purpose,
    ) -> Outcome<Passphrase> {
        let settings = self.settings.ca_passphrase_file.as_deref();
        if let Some(passphrase) = silent(file, CA_VARIABLE, settings)? {
            return Ok(passphrase);
        }
        if let Some(passphrase) = self.silent_key_passphrase(key)? {
            return Ok(passphrase);
        }
        self.ask_passphrase(
            &format!("the certificate authority {}", folder.display()),
            "--ca-passphrase-file FILE, COUNTERSIGN_CA_PASSPHRASE, or a terminal",
            purpose,
        )
    }

    /// Asks for a token's PIN.
    pub(crate) fn ask_pin(token: &str) -> Outcome<Passphrase> {
        Ok(Passphrase::new(ask_hidden(&format!("PIN of {token}: "))?.as_bytes())?)
    }

    fn ask_passphrase(&self, whose: &str, expected: &str, purpose: Purpose) -> Outcome<Passphrase> {
        if self.interaction == Interaction::Nobody {
            let finding =
                Finding::new(codes::PASSPHRASE_MISSING).about(format!("passphrase of {whose}"));
            return Err(finding.expected(expected).into());
        }
        let first = ask_hidden(&format!("Passphrase of {whose}: "))?;
        if purpose == Purpose::Protect && ask_hidden("The same again: ")? != first {
            return Err(Finding::new(codes::PASSPHRASES_DIFFER).about(whose).into());
        }
        Ok(Passphrase::new(first.as_bytes())?)
    }

    /// Asks whether to go on; `yes` is the flag that answers beforehand.
    ///
    /// # Errors
    /// When the answer is no, or nobody can answer.
    pub fn confirm(&self, question: &str, yes: Confirmation) -> Outcome<()> {
        if yes == Confirmation::Given {
            return Ok(());
        }
        if self.interaction == Interaction::Nobody {
            let finding = Finding::new(codes::CONFIRMATION_MISSING).about(question);
            return Err(finding.expected("--yes, or a terminal").into());
        }
        let mut stderr = io::stderr();
        let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        let mut answer = String::new();
        let read = asked.and_then(|()| io::stdin().read_line(&mut answer));
        read.map_err(|error| Failure::usage(format!("no answer: {error}")))?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(codes::DECLINED.into()),
        }
    }
}

/// Whether a person said yes beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// By the flag `--yes`.
    Given,
    /// Not yet.
    Needed,
}

fn ask_hidden(question: &str) -> Outcome<Zeroizing<String>> {
    rpassword::prompt_password(question)
        .map(Zeroizing::new)
        .map_err(|error| Failure::usage(format!("no passphrase could be read: {error}")))
}

/// Flag, then environment, then settings.
fn silent(
    flag: Option<&Path>,
    variable: &str,
    settings: Option<&Path>,
) -> Outcome<Option<Passphrase>> {
    if let Some(file) = flag {
        return Ok(Some(Passphrase::from_file(file)?));
    }
    match Passphrase::from_environment(variable) {
        Ok(passphrase) => return Ok(Some(passphrase)),
        Err(PassphraseError::NotSet { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(settings.map(Passphrase::from_file).transpose()?)
}
