//! Opening the key that a flag or setting names: a file with its passphrase, a token with its PIN.

use std::{path::Path, sync::Arc};

use countersign_signing::key::{self, KeyLocation, PIN_VARIABLE, Passphrase, Signer, TokenUri};

use crate::{
    arguments::KeyPassphrase,
    failure::Outcome,
    prompt::Purpose,
    session::{Interaction, Session},
};

impl Session {
    /// Opens a key.
    ///
    /// # Errors
    /// When it cannot be used, or its passphrase or PIN cannot be had.
    pub fn open_key(
        &self,
        location: &KeyLocation,
        source: &KeyPassphrase,
    ) -> Outcome<Arc<dyn Signer>> {
        let secret = self.key_secret(location, source)?;
        Ok(key::open(location, secret.as_ref())?)
    }

    /// Opens the key of a certificate (DER).
    ///
    /// # Errors
    /// As [`open_key`](Self::open_key), and when it is another key's certificate.
    pub fn open_key_of(
        &self,
        certificate: &[u8],
        location: &KeyLocation,
        source: &KeyPassphrase,
    ) -> Outcome<Arc<dyn Signer>> {
        let secret = self.key_secret(location, source)?;
        Ok(key::open_for_certificate(location, secret.as_ref(), certificate)?)
    }

    fn key_secret(
        &self,
        location: &KeyLocation,
        source: &KeyPassphrase,
    ) -> Outcome<Option<Passphrase>> {
        match location {
            KeyLocation::File(path) => self.key_passphrase(source, path, Purpose::Open).map(Some),
            KeyLocation::Token(uri) => self.token_pin(uri, source),
        }
    }

    /// The PIN of a token with a CA's key: of the file that a flag names, else where signing looks
    /// itself, else asked for. The passphrase of the CA's key *files*, in the environment or the
    /// settings, is not taken: a wrong PIN has consequences.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn ca_pin(&self, uri: &TokenUri, file: Option<&Path>) -> Outcome<Option<Passphrase>> {
        if uri.pin_source.is_some() {
            return Ok(None);
        }
        if let Some(file) = file {
            return Ok(Some(Passphrase::from_file(file)?));
        }
        match (std::env::var_os(PIN_VARIABLE), self.interaction) {
            (None, Interaction::Person) => Self::ask_pin(&uri.to_string()).map(Some),
            _ => Ok(None),
        }
    }

    /// A token's PIN: of the file that a flag names, else where signing looks itself (the URI, the
    /// environment), else of the file in the settings, else asked for. The variable with a key
    /// *file's* passphrase is not taken: a wrong PIN has consequences.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn token_pin(&self, uri: &TokenUri, source: &KeyPassphrase) -> Outcome<Option<Passphrase>> {
        if let Some(file) = &source.file {
            return Ok(Some(Passphrase::from_file(file)?));
        }
        if uri.pin_source.is_some() || std::env::var_os(PIN_VARIABLE).is_some() {
            return Ok(None);
        }
        if let Some(file) = &self.settings.key_passphrase_file {
            return Ok(Some(Passphrase::from_file(file)?));
        }
        match self.interaction {
            Interaction::Person => Self::ask_pin(&uri.to_string()).map(Some),
            // A token that wants no PIN is content; one that does says what to set.
            Interaction::Nobody => Ok(None),
        }
    }
}
