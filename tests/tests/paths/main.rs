//! Certificate paths: every way to an anchor is tried, in whatever order the certificates come.

mod constraints;
mod families;
mod findings;
mod orders;
mod revoked;
mod times;
mod witness;

use countersign_core::{
    crypto::aws_lc::AwsLc,
    finding::Finding,
    oid,
    time::UnixSeconds,
    x509::{Certificate, Purpose, VerifiedPath, path},
};
use countersign_signing::der::{self, Criticality::NonCritical};
use countersign_tests::forge::{
    CertificateDraft, ExtensionDraft, ForgeKey, IDENTITY, NOW, basic_constraints, key_usage, name,
    usages,
};

/// A name and its key.
pub(crate) struct Owner {
    pub(crate) name: Vec<u8>,
    pub(crate) key: ForgeKey,
}

impl Owner {
    pub(crate) fn new(common_name: &str) -> Self {
        Self { name: name(common_name), key: ForgeKey::p256(common_name) }
    }

    /// The same name with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { name: self.name.clone(), key: ForgeKey::p256(key) }
    }

    /// A CA's certificate for this owner by `issuer`.
    pub(crate) fn authority(&self, issuer: &Self) -> CertificateDraft {
        CertificateDraft::new(&self.name, &self.key, &issuer.name, &issuer.key)
            .without(oid::CE_CRL_DISTRIBUTION_POINTS)
            .with(basic_constraints(None))
            .with(key_usage(&[5, 6]))
    }

    /// A signer's certificate for this owner by `issuer`.
    pub(crate) fn signer(&self, issuer: &Self) -> CertificateDraft {
        CertificateDraft::new(&self.name, &self.key, &issuer.name, &issuer.key)
            .without(oid::CE_CRL_DISTRIBUTION_POINTS)
            .with(key_usage(&[0]))
            .with(usages(NonCritical, &[oid::KP_CODE_SIGNING]))
            .with(alternative_names(&[&der::implicit(1, IDENTITY.as_bytes())]))
    }
}

/// subjectAltName of those encoded names.
pub(crate) fn alternative_names(names: &[&[u8]]) -> ExtensionDraft {
    ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, der::sequence(names))
}

/// A draft with another serial number, so that two certificates of one CA are two.
pub(crate) fn another(mut draft: CertificateDraft, serial: u8) -> CertificateDraft {
    draft.serial = vec![0x40, serial, 1, 1, 1, 1, 1, 1];
    draft
}

/// What a search is given.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) leaf: Vec<u8>,
    pub(crate) intermediates: Vec<Vec<u8>>,
    pub(crate) anchors: Vec<Vec<u8>>,
    pub(crate) at: UnixSeconds,
}

impl Given {
    pub(crate) fn new(leaf: Vec<u8>, intermediates: Vec<Vec<u8>>, anchors: Vec<Vec<u8>>) -> Self {
        Self { leaf, intermediates, anchors, at: NOW }
    }

    /// The first path, or why there is none, whatever the order of the certificates.
    #[track_caller]
    pub(crate) fn in_every_order(&self) -> Result<Vec<Vec<u8>>, Finding> {
        let mut answers: Vec<Result<Vec<Vec<u8>>, Finding>> = Vec::new();
        for intermediates in permutations(&self.intermediates) {
            for anchors in permutations(&self.anchors) {
                let given = Self { intermediates: intermediates.clone(), anchors, ..self.clone() };
                answers.push(given.in_this_order());
            }
        }
        let first = answers[0].clone();
        for answer in answers {
            assert_eq!(answer, first, "the order decides");
        }
        first
    }

    /// The certificates of the first path.
    pub(crate) fn in_this_order(&self) -> Result<Vec<Vec<u8>>, Finding> {
        let leaf = Certificate::decode(&self.leaf).map_err(|_| {
            Finding::new(countersign_core::finding::FindingCode::CERTIFICATE_MALFORMED)
        })?;
        let intermediates: Vec<&[u8]> = self.intermediates.iter().map(Vec::as_slice).collect();
        let anchors: Vec<&[u8]> = self.anchors.iter().map(Vec::as_slice).collect();
        let purpose = Purpose::CodeSigning;
        path::verify(&leaf, &intermediates, &anchors, self.at, purpose, &AwsLc)
            .map(|path| raws(&path))
    }
}

fn raws(path: &VerifiedPath<'_>) -> Vec<Vec<u8>> {
    path.certificates().map(|each| each.raw.to_vec()).collect()
}

fn permutations(all: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    if all.len() < 2 {
        return vec![all.to_vec()];
    }
    let mut found = Vec::new();
    for index in 0..all.len() {
        let mut rest = all.to_vec();
        let first = rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            found.push(tail);
        }
    }
    found
}
