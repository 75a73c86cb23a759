//! The one way to a private key, wherever it is.

use std::sync::Arc;

use countersign_core::x509::Certificate;

use super::{FileKey, KeyError, KeyLocation, Passphrase, SignError, Signer, TokenUri};

/// The environment variable with the PIN of a token.
pub const PIN_VARIABLE: &str = "COUNTERSIGN_PKCS11_PIN";

/// Opens a key: an encrypted file with its passphrase, or a key in a PKCS#11 token with its PIN.
///
/// A token's PIN is the first line of the file that the URI names as `pin-source`, else
/// `passphrase`, else what `COUNTERSIGN_PKCS11_PIN` says. A PIN that the token refused is not
/// tried again by this process, however often this is called.
///
/// # Errors
/// [`KeyError`]; [`KeyError::is_transient`] tells what may pass by itself.
pub fn open(
    location: &KeyLocation,
    passphrase: Option<&Passphrase>,
) -> Result<Arc<dyn Signer>, KeyError> {
    open_location(location, passphrase, None)
}

/// As [`open`], for a certificate (DER) that the key must belong to. A token that shows no public
/// key of its own can be used this way: the key proves by a signature that it is the
/// certificate's.
///
/// # Errors
/// As [`open`], and when the certificate does not decode or is another key's.
pub fn open_for_certificate(
    location: &KeyLocation,
    passphrase: Option<&Passphrase>,
    certificate: &[u8],
) -> Result<Arc<dyn Signer>, KeyError> {
    let decoded = Certificate::decode(certificate).map_err(|error| {
        KeyError::Certificate(SignError::Certificate { position: 1, detail: error.to_string() })
    })?;
    let spki = decoded.public_key.raw;
    let key = open_location(location, passphrase, Some(spki))?;
    if key.spki() != spki {
        return Err(KeyError::Certificate(SignError::KeyMismatch));
    }
    Ok(key)
}

fn open_location(
    location: &KeyLocation,
    passphrase: Option<&Passphrase>,
    spki: Option<&[u8]>,
) -> Result<Arc<dyn Signer>, KeyError> {
    match location {
        KeyLocation::File(path) => {
            let passphrase =
                passphrase.ok_or_else(|| KeyError::PassphraseNeeded { path: path.clone() })?;
            Ok(Arc::new(FileKey::open(path, passphrase)?))
        }
        KeyLocation::Token(uri) => open_token(uri, pin(uri, passphrase)?, spki),
    }
}

/// The PIN of a token, if there is one.
///
/// # Errors
/// When the file that the URI names, or the variable, cannot be used.
pub(super) fn pin(
    uri: &TokenUri,
    passphrase: Option<&Passphrase>,
) -> Result<Option<Passphrase>, KeyError> {
    if let Some(path) = &uri.pin_source {
        return Passphrase::from_file(path).map(Some).map_err(KeyError::Passphrase);
    }
    if let Some(passphrase) = passphrase {
        return Ok(Some(passphrase.clone()));
    }
    match Passphrase::from_environment(PIN_VARIABLE) {
        Ok(pin) => Ok(Some(pin)),
        Err(super::PassphraseError::NotSet { .. }) => Ok(None),
        Err(error) => Err(KeyError::Passphrase(error)),
    }
}

#[cfg(feature = "pkcs11")]
fn open_token(
    uri: &TokenUri,
    pin: Option<Passphrase>,
    spki: Option<&[u8]>,
) -> Result<Arc<dyn Signer>, KeyError> {
    Ok(Arc::new(super::pkcs11::TokenKey::open(uri, pin, spki)?))
}

#[cfg(not(feature = "pkcs11"))]
fn open_token(
    uri: &TokenUri,
    _pin: Option<Passphrase>,
    _spki: Option<&[u8]>,
) -> Result<Arc<dyn Signer>, KeyError> {
    let detail = "this program was built without PKCS#11 (the cargo feature pkcs11)".to_owned();
    Err(super::TokenError::Unsuitable { uri: uri.to_string(), detail }.into())
}
