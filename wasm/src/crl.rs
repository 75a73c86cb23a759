//! What a CRL says of one certificate, and how old it is: what decides whether it is kept.

use alloc::{string::String, vec::Vec};

use base64ct::{Base64, Encoding};
use countersign_core::{
    crl::CertificateList,
    pem::{self, Kind},
    policy::Revocation,
    revocation,
    time::UnixSeconds,
    x509::LinkOctets,
};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::verification::{Crypto, text_of};

/// What JavaScript has to know of a CRL.
#[derive(Serialize)]
struct Facts {
    /// Whether this CRL alone tells the core something authentic of the certificate. A CRL that
    /// does not must not push out one that does.
    answers: bool,
    /// Whether what it tells is recent.
    fresh: bool,
    /// In seconds since 1970.
    this_update: i64,
    /// The octets of cRLNumber in Base64; empty when there is none.
    number: String,
    /// Whether it says that the certificate is revoked.
    revokes: bool,
    /// nextUpdate in seconds since 1970; `None` if there is none.
    next_update: Option<i64>,
}

/// A certificate with its issuer's, and how it is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) link: &'a LinkOctets,
    pub(crate) rules: &'a Revocation,
    pub(crate) now: UnixSeconds,
    pub(crate) crypto: &'a Crypto,
}

impl Question<'_> {
    /// The facts of one CRL, DER or PEM, as JSON text.
    pub(crate) fn facts_of(self, file: Vec<u8>) -> Option<String> {
        let der = pem::object(file, Kind::Crl).ok()?;
        let crl = CertificateList::decode(&der).ok()?;
        let known = revocation::known(self.link, (&[&der], &[]), self.rules, self.crypto, self.now);
        Some(text_of(&Facts {
            answers: known.is_some(),
            fresh: known.is_some_and(|known| known.is_fresh()),
            this_update: crl.this_update.seconds(),
            number: crl.extensions.number.map(Base64::encode_string).unwrap_or_default(),
            revokes: known.is_some_and(|known| known.revoked.is_some()),
            next_update: crl.next_update.map(UnixSeconds::seconds),
        }))
    }
}

/// Whether `file` is a CRL (DER or PEM), whoever made it.
#[wasm_bindgen(js_name = isCrl)]
pub fn is_crl(file: Vec<u8>) -> bool {
    pem::object(file, Kind::Crl).is_ok_and(|der| CertificateList::decode(&der).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_crl_is_told_from_one() {
        assert!(!is_crl(b"no CRL".to_vec()));
    }
}
