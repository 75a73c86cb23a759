//! Keys that want their PIN for each signature (`CKA_ALWAYS_AUTHENTICATE`): a `YubiKey`'s slot 9c,
//! cards for qualified signatures.
//!
//! The PIN is given between the beginning of a signature and its data (PKCS#11 §4.9): hence in
//! several calls. Mechanisms that hash are made for that; those that take a digest are not, and some
//! tokens refuse them. So the message goes to the token where it is there.

use cryptoki::{
    error::{Error, RvError},
    mechanism::Mechanism,
    object::ObjectHandle,
    session::Session,
};

use super::{
    algorithm::{SigningAlgorithm, ToSign},
    fault::Fault,
    module::Entered,
};
use crate::key::{Passphrase, TokenError};

/// When a key wants the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    /// Once a session.
    Once,
    /// For each signature.
    EachSignature,
}

/// A session whose key is to sign, and what it takes.
pub(super) struct Signing<'a> {
    pub(super) entered: &'a Entered<'a>,
    pub(super) session: &'a Session,
    pub(super) key: ObjectHandle,
    pub(super) pin: Option<&'a Passphrase>,
    pub(super) uri: &'a str,
}

impl Signing<'_> {
    /// Signs with the PIN given again.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        to_sign: ToSign<'_>,
    ) -> Result<Vec<u8>, Fault> {
        if let (ToSign::Message(message), Some(hashing)) = (to_sign, algorithm.hashing_mechanism())
        {
            match self.begin(&hashing) {
                Ok(()) => return algorithm.finished(self.complete(message)?, self.uri),
                Err(Error::Pkcs11(RvError::MechanismInvalid, _)) => {}
                Err(error) => return Err(Fault::of(self.uri, "signing", &error)),
            }
        }
        let data = algorithm.data(to_sign, self.uri)?;
        self.begin(&algorithm.mechanism())
            .map_err(|error| Fault::of(self.uri, "signing", &error))?;
        algorithm.finished(self.complete(&data)?, self.uri)
    }

    fn begin(&self, mechanism: &Mechanism<'_>) -> Result<(), Error> {
        self.session.sign_init(mechanism, self.key)
    }

    fn complete(&self, data: &[u8]) -> Result<Vec<u8>, Fault> {
        let slot = self.session.get_session_info().map(|info| info.slot_id());
        let token = slot.and_then(|slot| self.entered.context().get_token_info(slot));
        let token = token.map_err(|error| Fault::of(self.uri, "asking for the PIN", &error))?;
        let logins = self.entered.logins();
        logins.log_in_for_signature(self.session, &token, self.pin, self.uri)?;
        let signed = self.session.sign_update(data).and_then(|()| self.session.sign_final());
        signed.map_err(|error| match error {
            Error::Pkcs11(RvError::OperationNotInitialized | RvError::FunctionNotSupported, _) => {
                let detail = "the key wants its PIN for each signature, and the token signs with \
                              this kind of key in one call alone, into which no PIN fits; use an \
                              RSA key, or one without CKA_ALWAYS_AUTHENTICATE"
                    .to_owned();
                TokenError::Unsuitable { uri: self.uri.to_owned(), detail }.into()
            }
            error => Fault::of(self.uri, "signing", &error),
        })
    }
}
