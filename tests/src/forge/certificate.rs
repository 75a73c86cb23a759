//! `Certificate` (RFC 5280 §4.1), field by field.

use const_oid::ObjectIdentifier;
use countersign_core::{oid, time::UnixSeconds};
use countersign_signing::{
    der::{
        self, Criticality,
        Criticality::{Critical, NonCritical},
    },
    key::Signer,
};

use super::{CRL_URL, DAY, ForgeKey, NOW, algorithm};

/// One extension.
#[derive(Clone, Debug)]
pub struct ExtensionDraft {
    /// Which.
    pub id: ObjectIdentifier,
    /// Whether a reader that does not know it must refuse.
    pub criticality: Criticality,
    /// DER of the value.
    pub value: Vec<u8>,
}

impl ExtensionDraft {
    /// An extension.
    pub fn new(id: ObjectIdentifier, criticality: Criticality, value: Vec<u8>) -> Self {
        Self { id, criticality, value }
    }

    /// A critical extension that nobody knows.
    ///
    /// # Panics
    /// Never.
    pub fn unknown_critical() -> Self {
        let id = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.99");
        Self::new(id, Critical, der::NULL.to_vec())
    }

    /// DER of the whole `Extension`.
    pub fn encode(&self) -> Vec<u8> {
        der::extension(&self.id, self.criticality, &self.value)
    }
}

/// A certificate to be signed.
#[derive(Clone, Debug)]
pub struct CertificateDraft {
    /// INTEGER content octets.
    pub serial: Vec<u8>,
    /// DER `Name`.
    pub issuer: Vec<u8>,
    /// DER `Name`.
    pub subject: Vec<u8>,
    /// First second of validity.
    pub not_before: UnixSeconds,
    /// Last second of validity.
    pub not_after: UnixSeconds,
    /// DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// The extensions in their order; without any, the certificate is of version 1.
    pub extensions: Vec<ExtensionDraft>,
    /// Another `AlgorithmIdentifier` than the signing key's.
    pub algorithm: Option<Vec<u8>>,
}

impl CertificateDraft {
    /// A certificate for `key`, valid from 30 days ago for a year, with identifiers of both keys.
    pub fn new(subject: &[u8], key: &ForgeKey, issuer: &[u8], issuer_key: &ForgeKey) -> Self {
        let serial = [&[0x40], &key.key_hash()[..15]].concat();
        let identifier = der::octet_string(&key.key_hash());
        let authority = der::sequence(&[&der::implicit(0, &issuer_key.key_hash())]);
        Self {
            serial,
            issuer: issuer.to_vec(),
            subject: subject.to_vec(),
            not_before: NOW.minus_seconds(30 * DAY),
            not_after: NOW.plus_seconds(335 * DAY),
            spki: key.spki().to_vec(),
            extensions: vec![
                ExtensionDraft::new(oid::CE_SUBJECT_KEY_IDENTIFIER, NonCritical, identifier),
                ExtensionDraft::new(oid::CE_AUTHORITY_KEY_IDENTIFIER, NonCritical, authority),
                distribution_point(CRL_URL),
            ],
            algorithm: None,
        }
    }

    /// With that extension, in the place of one of the same kind.
    #[must_use]
    pub fn with(mut self, extension: ExtensionDraft) -> Self {
        self = self.without(extension.id);
        self.extensions.push(extension);
        self
    }

    /// Without that extension.
    #[must_use]
    pub fn without(mut self, id: ObjectIdentifier) -> Self {
        self.extensions.retain(|each| each.id != id);
        self
    }

    /// DER, signed.
    pub fn sign(&self, key: &ForgeKey) -> Vec<u8> {
        let algorithm = self.algorithm.clone().unwrap_or_else(|| algorithm(key.scheme()));
        let encoded: Vec<Vec<u8>> = self.extensions.iter().map(ExtensionDraft::encode).collect();
        let (version, extensions) = if encoded.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            let list = der::context(3, &[&der::sequence_of(&encoded)]);
            (der::context(0, &[&der::integer(2)]), list)
        };
        let tbs = der::sequence(&[
            &version,
            &der::integer_verbatim(&self.serial),
            &algorithm,
            &self.issuer,
            &der::sequence(&[&der::time(self.not_before), &der::time(self.not_after)]),
            &self.subject,
            &self.spki,
            &extensions,
        ]);
        let signature = key.signature(&tbs);
        der::sequence(&[&tbs, &algorithm, &der::bit_string(&signature)])
    }
}

/// Critical basicConstraints with cA and that pathLenConstraint.
pub fn basic_constraints(path_length: Option<u64>) -> ExtensionDraft {
    let length = path_length.map(der::integer).unwrap_or_default();
    let value = der::sequence(&[&der::boolean_true(), &length]);
    ExtensionDraft::new(oid::CE_BASIC_CONSTRAINTS, Critical, value)
}

/// Critical keyUsage with those bits.
pub fn key_usage(bits: &[u8]) -> ExtensionDraft {
    ExtensionDraft::new(oid::CE_KEY_USAGE, Critical, der::named_bits(bits))
}

/// extKeyUsage with those purposes.
pub fn usages(criticality: Criticality, usages: &[ObjectIdentifier]) -> ExtensionDraft {
    let usages: Vec<Vec<u8>> = usages.iter().map(der::oid).collect();
    ExtensionDraft::new(oid::CE_EXT_KEY_USAGE, criticality, der::sequence_of(&usages))
}

fn distribution_point(url: &str) -> ExtensionDraft {
    let full_name = der::context(0, &[&der::implicit(6, url.as_bytes())]);
    let point = der::sequence(&[&der::context(0, &[&full_name])]);
    ExtensionDraft::new(oid::CE_CRL_DISTRIBUTION_POINTS, NonCritical, der::sequence(&[&point]))
}
