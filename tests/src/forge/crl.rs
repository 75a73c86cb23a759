//! `CertificateList` (RFC 5280 §5.1), field by field.

use countersign_core::{crl::RevocationReason, oid, time::UnixSeconds};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::Signer as _,
};

use super::{CRL_URL, DAY, ExtensionDraft, ForgeKey, NOW, algorithm};

/// One revoked certificate.
#[derive(Clone, Debug)]
pub struct EntryDraft {
    /// INTEGER content octets.
    pub serial: Vec<u8>,
    /// revocationDate.
    pub date: UnixSeconds,
    /// The entry's extensions; absent when empty.
    pub extensions: Vec<ExtensionDraft>,
}

impl EntryDraft {
    /// An entry with a reason.
    pub fn new(serial: &[u8], reason: RevocationReason, date: UnixSeconds) -> Self {
        let value = der::enumerated(reason.code());
        let reason = ExtensionDraft::new(oid::CE_CRL_REASONS, NonCritical, value);
        Self { serial: serial.to_vec(), date, extensions: vec![reason] }
    }
}

/// A list to be signed.
#[derive(Clone, Debug)]
pub struct CrlDraft {
    /// The version's INTEGER, or nothing for version 1.
    pub version: Vec<u8>,
    /// DER `Name`.
    pub issuer: Vec<u8>,
    /// When it was made.
    pub this_update: UnixSeconds,
    /// When the next is there at the latest.
    pub next_update: Option<UnixSeconds>,
    /// The revoked certificates.
    pub entries: Vec<EntryDraft>,
    /// The list's extensions; absent when empty.
    pub extensions: Vec<ExtensionDraft>,
}

impl CrlDraft {
    /// A list of that issuer: all certificates, all reasons, made an hour ago, good for a day, with
    /// the number 10.
    pub fn new(issuer: &[u8]) -> Self {
        Self {
            version: der::integer(1),
            issuer: issuer.to_vec(),
            this_update: NOW.minus_seconds(3_600),
            next_update: Some(NOW.plus_seconds(DAY)),
            entries: Vec::new(),
            extensions: vec![
                ExtensionDraft::new(oid::CE_CRL_NUMBER, NonCritical, der::integer(10)),
                Self::point(CRL_URL, &[]),
            ],
        }
    }

    /// A delta on a base with the number `base`; its own number is 11 and it is half an hour old.
    pub fn delta(issuer: &[u8], base: u64) -> Self {
        let mut delta = Self::new(issuer);
        delta.this_update = NOW.minus_seconds(1_800);
        delta
            .with(ExtensionDraft::new(oid::CE_CRL_NUMBER, NonCritical, der::integer(11)))
            .with(ExtensionDraft::new(oid::CE_DELTA_CRL_INDICATOR, Critical, der::integer(base)))
    }

    /// A critical issuingDistributionPoint with that URI, and further fields as they are.
    pub fn point(url: &str, fields: &[&[u8]]) -> ExtensionDraft {
        let full_name = der::context(0, &[&der::implicit(6, url.as_bytes())]);
        let mut parts = vec![der::context(0, &[&full_name])];
        parts.extend(fields.iter().map(|field| field.to_vec()));
        let id = oid::CE_ISSUING_DISTRIBUTION_POINT;
        ExtensionDraft::new(id, Critical, der::sequence_of(&parts))
    }

    /// With that extension, in the place of one of the same kind.
    #[must_use]
    pub fn with(mut self, extension: ExtensionDraft) -> Self {
        self.extensions.retain(|each| each.id != extension.id);
        self.extensions.push(extension);
        self
    }

    /// With that entry.
    #[must_use]
    pub fn revoking(mut self, entry: EntryDraft) -> Self {
        self.entries.push(entry);
        self
    }

    /// DER, signed.
    pub fn sign(&self, key: &ForgeKey) -> Vec<u8> {
        let algorithm = algorithm(key.scheme());
        let tbs = der::sequence(&[
            &self.version,
            &algorithm,
            &self.issuer,
            &der::time(self.this_update),
            &self.next_update.map(der::time).unwrap_or_default(),
            &list(&self.entries.iter().map(entry).collect::<Vec<_>>()),
            &match &self.extensions[..] {
                [] => Vec::new(),
                extensions => der::context(0, &[&extension_list(extensions)]),
            },
        ]);
        let signature = key.signature(&tbs);
        der::sequence(&[&tbs, &algorithm, &der::bit_string(&signature)])
    }
}

fn entry(entry: &EntryDraft) -> Vec<u8> {
    der::sequence(&[
        &der::integer_verbatim(&entry.serial),
        &der::time(entry.date),
        &extension_list(&entry.extensions),
    ])
}

fn extension_list(extensions: &[ExtensionDraft]) -> Vec<u8> {
    list(&extensions.iter().map(ExtensionDraft::encode).collect::<Vec<_>>())
}

/// A SEQUENCE OF that is absent when empty.
fn list(encoded: &[Vec<u8>]) -> Vec<u8> {
    if encoded.is_empty() { Vec::new() } else { der::sequence_of(encoded) }
}
