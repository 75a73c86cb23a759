//! How old a CRL is, and whether its issuer signed it: what decides whether it is kept.

use alloc::{string::String, vec::Vec};

use base64ct::{Base64, Encoding};
use countersign_core::{
    crl::CertificateList,
    crypto::rustcrypto::RustCrypto,
    pem::{self, Kind},
    x509::Certificate,
};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::verification::text_of;

/// What JavaScript has to know of a CRL.
#[derive(Serialize)]
struct Facts {
    /// Whether the issuer's key signed it. What anybody can make must not push out what the issuer
    /// made.
    authentic: bool,
    /// In seconds since 1970.
    this_update: i64,
    /// When the next one is due, in seconds since 1970: zero when it does not say.
    next_update: i64,
    /// The octets of cRLNumber in Base64; empty when there is none.
    number: String,
}

/// How old a CRL (DER or PEM) is and whether `issuer`, a certificate (DER), signed it, as JSON text:
/// `{"authentic": true, "this_update": 1, "next_update": 2, "number": "Cg=="}`. Nothing when `file` is
/// no CRL.
#[wasm_bindgen(js_name = crlFacts)]
pub fn crl_facts(file: Vec<u8>, issuer: &[u8]) -> Option<String> {
    let der = pem::object(file, Kind::Crl).ok()?;
    let crl = CertificateList::decode(&der).ok()?;
    let signed = Certificate::decode(issuer).is_ok_and(|issuer| {
        let (algorithm, signature) = (&crl.signature_algorithm, crl.signature);
        issuer.public_key.verifies(&RustCrypto, algorithm, crl.tbs, signature)
    });
    Some(text_of(&Facts {
        authentic: signed,
        this_update: crl.this_update.seconds(),
        next_update: crl.next_update.map_or(0, countersign_core::time::UnixSeconds::seconds),
        number: crl.extensions.number.map(Base64::encode_string).unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_crl_has_no_age() {
        assert_eq!(crl_facts(b"no CRL".to_vec(), b"no certificate"), None);
    }
}
