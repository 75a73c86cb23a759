//! A case with our keys in the place of NIST's.
//!
//! PKITS end entities carry no extKeyUsage, and `path::verify` serves two purposes that both
//! demand one. So each certificate and CRL of a case keeps every field (names, dates, constraints,
//! policies, entries) but its keys and signature: an RSA key is exchanged for the P-256 key that
//! belongs to it, everything is signed again by the key that belongs to the one that had signed
//! it, and the end certificate gets extKeyUsage codeSigning. What had no right signature gets
//! none; what is not RSA (DSA) or cannot be read stays as it is.

use countersign_core::{
    asn1::{Cursor, Tlv},
    crl::CertificateList,
    crypto::{KeyAlgorithm, aws_lc::AwsLc},
    digest::encode_hex,
    oid,
    x509::{Certificate, PublicKey},
};
use countersign_signing::{
    der::{self, Criticality::NonCritical},
    key::Signer as _,
};
use countersign_tests::forge::{ForgeKey, algorithm, usages};

use super::{
    cases::Case,
    files::{ANCHOR, Suite},
};

const FIELD: &str = "PKITS";

/// A transplanted case, DER.
pub(crate) struct Transplant {
    pub(crate) anchor: Vec<u8>,
    pub(crate) leaf: Vec<u8>,
    pub(crate) intermediates: Vec<Vec<u8>>,
    pub(crate) crls: Vec<Vec<u8>>,
}

impl Transplant {
    pub(crate) fn of(case: &Case, suite: &Suite) -> Self {
        let anchor = suite.certificate(ANCHOR);
        let intermediates: Vec<Vec<u8>> =
            case.intermediates.iter().map(|name| readable(&suite.certificate(name))).collect();
        let owners: Vec<Certificate<'_>> = intermediates
            .iter()
            .chain([&anchor])
            .filter_map(|raw| Certificate::decode(raw).ok())
            .collect();
        let keys = Keys { owners: owners.iter().map(|owner| owner.public_key).collect() };
        let crl = |name: &String| keys.crl(&readable(&suite.crl(name)));
        Self {
            anchor: keys.certificate(&anchor, Place::Authority),
            leaf: keys.certificate(&readable(&suite.certificate(&case.leaf)), Place::EndEntity),
            intermediates: intermediates
                .iter()
                .map(|raw| keys.certificate(raw, Place::Authority))
                .collect(),
            crls: case.crls.iter().map(crl).collect(),
        }
    }
}

/// NIST spoiled some signatures by their count of unused bits, which no reader gets past. They get
/// another wrong signature, so that it is the signature that is judged.
pub(crate) fn readable(raw: &[u8]) -> Vec<u8> {
    if Certificate::decode(raw).is_ok() || CertificateList::decode(raw).is_ok() {
        return raw.to_vec();
    }
    let outer = fields(raw);
    let repaired = der::sequence(&[outer[0].raw, outer[1].raw, &der::bit_string(&[0; 256])]);
    let is_readable =
        Certificate::decode(&repaired).is_ok() || CertificateList::decode(&repaired).is_ok();
    if is_readable { repaired } else { raw.to_vec() }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Authority,
    EndEntity,
}

/// The keys that can have signed something in a case.
struct Keys<'k> {
    owners: Vec<PublicKey<'k>>,
}

impl Keys<'_> {
    fn certificate(&self, raw: &[u8], place: Place) -> Vec<u8> {
        let Ok(certificate) = Certificate::decode(raw) else { return raw.to_vec() };
        if certificate.signature_algorithm.oid != oid::SHA256_WITH_RSA {
            return raw.to_vec();
        }
        let signer = self.signer(|key| {
            let algorithm = &certificate.signature_algorithm;
            key.verifies(&AwsLc, algorithm, certificate.tbs, certificate.signature)
        });
        let fields = fields(certificate.tbs);
        // The first TLV with the octets of the key is the key.
        let mut parts = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let is_last = index + 1 == fields.len();
            parts.push(if field.raw == certificate.public_key.raw {
                exchanged(&certificate.public_key)
            } else if index == 2 {
                // version, serialNumber, signature
                algorithm(signer.scheme())
            } else if is_last && place == Place::EndEntity {
                for_code_signing(field)
            } else {
                field.raw.to_vec()
            });
        }
        signed(&parts, &signer)
    }

    fn crl(&self, raw: &[u8]) -> Vec<u8> {
        let list = CertificateList::decode(raw).expect("a CRL of the suite decodes");
        if list.signature_algorithm.oid != oid::SHA256_WITH_RSA {
            return raw.to_vec();
        }
        let signer = self.signer(|key| {
            key.verifies(&AwsLc, &list.signature_algorithm, list.tbs, list.signature)
        });
        // The suite's lists are all of version 2: version, signature, …
        let parts: Vec<Vec<u8>> = fields(list.tbs)
            .iter()
            .enumerate()
            .map(|(index, field)| match index {
                1 => algorithm(signer.scheme()),
                _ => field.raw.to_vec(),
            })
            .collect();
        signed(&parts, &signer)
    }

    /// The key that belongs to the one that signed, or one that belongs to nobody.
    fn signer(&self, has_signed: impl Fn(&PublicKey<'_>) -> bool) -> ForgeKey {
        match self.owners.iter().find(|owner| has_signed(owner)) {
            Some(owner) => ours(owner),
            None => ForgeKey::p256("nobody"),
        }
    }
}

fn ours(theirs: &PublicKey<'_>) -> ForgeKey {
    ForgeKey::p256(&encode_hex(theirs.raw))
}

fn exchanged(theirs: &PublicKey<'_>) -> Vec<u8> {
    match theirs.algorithm {
        KeyAlgorithm::Rsa { .. } => ours(theirs).spki().to_vec(),
        _ => theirs.raw.to_vec(),
    }
}

fn fields(tbs: &[u8]) -> Vec<Tlv<'_>> {
    let mut cursor = Cursor::new(tbs).sequence(FIELD).expect("a SEQUENCE");
    let mut fields = Vec::new();
    while !cursor.is_empty() {
        fields.push(cursor.any(FIELD).expect("a TLV"));
    }
    fields
}

/// `[3] Extensions` with extKeyUsage codeSigning at the end.
fn for_code_signing(extensions: &Tlv<'_>) -> Vec<u8> {
    let list = Tlv::decode(extensions.value, FIELD).expect("extensions");
    let usage = usages(NonCritical, &[oid::KP_CODE_SIGNING]).encode();
    der::context(3, &[&der::sequence(&[list.value, &usage])])
}

fn signed(tbs: &[Vec<u8>], signer: &ForgeKey) -> Vec<u8> {
    let tbs = der::sequence_of(tbs);
    let signature = signer.signature(&tbs);
    der::sequence(&[&tbs, &algorithm(signer.scheme()), &der::bit_string(&signature)])
}
