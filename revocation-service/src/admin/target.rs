//! What an order is about: a certificate, an issuer with a serial number, or a key.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use countersign_core::{
    digest::decode_hex,
    x509::{Certificate, PublicKey},
};
use countersign_daemon::{problem::Problem, sha256::sha256};
use http::StatusCode;
use serde::Deserialize;

use crate::{
    publish::{Issuer, Issuers},
    register::{
        serial_number,
        storage::{CertificateRecord, Digests, Evidence, Storage, StorageError},
    },
    reply::{of_storage, unknown_issuer},
};

/// The members of an order that say whom it is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    /// The certificate, DER in base64.
    pub(super) certificate: Option<String>,
    /// The issuer's name.
    pub(super) issuer: Option<String>,
    /// The serial number, hexadecimal.
    pub(super) serial: Option<String>,
    /// The `SubjectPublicKeyInfo`, DER in base64.
    pub(super) key: Option<String>,
    /// Its SHA-256, hexadecimal.
    pub(super) key_sha256: Option<String>,
}

/// Whom an order is about.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// Its issuer, its serial number (content octets), and its DER if the order has it.
    Certificate(Arc<Issuer>, Vec<u8>, Option<Vec<u8>>),
    Key([u8; 32]),
}

impl Named {
    /// Finds it.
    ///
    /// # Errors
    /// 400: unreadable, or not exactly one of them; 404, 409, 422.
    pub(super) async fn find(
        &self,
        issuers: &Issuers,
        storage: &Storage,
    ) -> Result<Target, Problem> {
        let key_malformed = || {
            let detail = "Send key as the DER of a SubjectPublicKeyInfo in base64, or key_sha256 as 64 hexadecimal digits.";
            Problem::bad_request("key.malformed", detail)
        };
        match (&self.certificate, &self.issuer, &self.serial, &self.key, &self.key_sha256) {
            (Some(encoded), None, None, None, None) => {
                of_certificate(issuers, storage, encoded).await
            }
            (None, Some(issuer), Some(serial), None, None) => {
                let (issuer, serial) = named(issuers, issuer, serial)?;
                Ok(Target::Certificate(Arc::clone(issuer), serial, None))
            }
            (None, None, None, Some(key), None) => {
                let spki = Base64::decode_vec(key).map_err(|_| key_malformed())?;
                // In another encoding it would have another digest, and nothing would be revoked.
                PublicKey::decode(&spki).map_err(|error| {
                    let detail = format!("The key cannot be read: {error}.");
                    Problem::bad_request("key.malformed", detail)
                })?;
                Ok(Target::Key(sha256(&spki)))
            }
            (None, None, None, None, Some(digest)) => {
                let digest = decode_hex(digest).and_then(|octets| octets.try_into().ok());
                Ok(Target::Key(digest.ok_or_else(key_malformed)?))
            }
            _ => Err(Problem::bad_request(
                "revocation.target",
                "Name either certificate, or issuer and serial, or key, or key_sha256.",
            )),
        }
    }
}

async fn of_certificate(
    issuers: &Issuers,
    storage: &Storage,
    encoded: &str,
) -> Result<Target, Problem> {
    let malformed = |detail: String| Problem::bad_request("certificate.malformed", detail);
    let der = Base64::decode_vec(encoded)
        .map_err(|_| malformed("Send the certificate's DER in base64.".to_owned()))?;
    let certificate = Certificate::decode(&der)
        .map_err(|error| malformed(format!("The certificate cannot be read: {error}.")))?;
    let issuer = Arc::clone(issuer_of(issuers, &certificate)?);
    refuse_other_certificate(storage, &issuer, &certificate).await?;
    let serial = certificate.serial.to_vec();
    Ok(Target::Certificate(issuer, serial, Some(der)))
}

/// An order by certificate means that very certificate, not another one with its serial number.
async fn refuse_other_certificate(
    storage: &Storage,
    issuer: &Issuer,
    certificate: &Certificate<'_>,
) -> Result<(), Problem> {
    let known = storage.certificate(issuer.id, certificate.serial).await;
    match known.map_err(|error| of_storage(&error))? {
        Some(known)
            if known.evidence == Evidence::Certificate
                && !known.may_be(&CertificateRecord {
                    digests: Some(Digests::of(certificate)),
                    not_before: certificate.not_before,
                    not_after: certificate.not_after,
                    ..known.clone()
                }) =>
        {
            let serial = certificate.serial_text();
            Err(of_storage(&StorageError::CertificateConflict { serial }))
        }
        // One that is missing altogether is refused when something is to be done with it.
        _ => Ok(()),
    }
}

/// The issuer of a certificate that an administrator sent.
///
/// # Errors
/// 422: none of this service's issuers signed it.
pub(super) fn issuer_of<'a>(
    issuers: &'a Issuers,
    certificate: &Certificate<'_>,
) -> Result<&'a Arc<Issuer>, Problem> {
    issuers.of(certificate).ok_or_else(|| unknown_issuer(certificate))
}

/// The issuer that an administrator named.
///
/// # Errors
/// 404.
pub(super) fn issuer_named<'a>(
    issuers: &'a Issuers,
    issuer: &str,
) -> Result<&'a Arc<Issuer>, Problem> {
    issuers.named(issuer).ok_or_else(|| {
        let names: Vec<_> = issuers.iter().map(|issuer| issuer.authority.name()).collect();
        let detail = format!("There is no issuer of that name; there are: {}.", names.join(", "));
        Problem::new(StatusCode::NOT_FOUND, "issuer.unknown", detail)
    })
}

/// The issuer and the serial number (content octets) that an administrator named.
///
/// # Errors
/// 404 or 400.
pub(super) fn named<'a>(
    issuers: &'a Issuers,
    issuer: &str,
    serial: &str,
) -> Result<(&'a Arc<Issuer>, Vec<u8>), Problem> {
    let known = issuer_named(issuers, issuer)?;
    let serial = serial_number::parse(serial).ok_or_else(|| {
        Problem::bad_request(
            "certificate.serial.malformed",
            "Write the serial number in hexadecimal, at most 20 octets.",
        )
    })?;
    Ok((known, serial))
}
