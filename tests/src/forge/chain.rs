//! Root, intermediate and leaf, each a draft with its key.

use const_oid::ObjectIdentifier;
use countersign_core::oid;
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::Signer as _,
};

use super::{
    CertificateDraft, ExtensionDraft, ForgeKey, IDENTITY, basic_constraints, key_usage, name,
    usages,
};

/// keyCertSign and cRLSign.
const ISSUING: &[u8] = &[5, 6];
/// digitalSignature.
const SIGNING: &[u8] = &[0];

/// A chain of three.
#[derive(Debug)]
pub struct Chain {
    /// The trust anchor's key.
    pub root_key: ForgeKey,
    /// The intermediate's key.
    pub authority_key: ForgeKey,
    /// The leaf's key.
    pub leaf_key: ForgeKey,
    /// The trust anchor.
    pub root: CertificateDraft,
    /// The CA between.
    pub authority: CertificateDraft,
    /// The end entity.
    pub leaf: CertificateDraft,
}

/// The certificates of a chain, DER.
#[derive(Clone, Debug)]
pub struct SignedChain {
    /// The trust anchor.
    pub root: Vec<u8>,
    /// The CA between.
    pub authority: Vec<u8>,
    /// The end entity.
    pub leaf: Vec<u8>,
}

impl Chain {
    /// A signer of artifacts, with P-384 keys.
    pub fn code_signing() -> Self {
        let key = ForgeKey::p384("signing leaf");
        Self::code_signing_with(ForgeKey::p384("signing CA"), key)
    }

    /// A signer of artifacts, with those keys below a P-384 root.
    pub fn code_signing_with(authority_key: ForgeKey, leaf_key: ForgeKey) -> Self {
        let mut chain = Self::of("signing", authority_key, leaf_key, oid::KP_CODE_SIGNING);
        let names = der::sequence(&[&der::implicit(1, IDENTITY.as_bytes())]);
        let names = ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, names);
        chain.leaf = chain.leaf.with(usages(NonCritical, &[oid::KP_CODE_SIGNING])).with(names);
        chain
    }

    /// A timestamp authority, with P-384 keys.
    pub fn timestamping() -> Self {
        Self::timestamping_with(ForgeKey::p384("timestamping leaf"))
    }

    /// A timestamp authority with that key.
    pub fn timestamping_with(leaf_key: ForgeKey) -> Self {
        Self::timestamping_named("timestamping", leaf_key)
    }

    /// A timestamp authority that shares nothing with others: names and P-384 keys made from `name`.
    pub fn timestamping_of(name: &str) -> Self {
        Self::timestamping_named(name, ForgeKey::p384(&format!("{name} leaf")))
    }

    fn timestamping_named(name: &str, leaf_key: ForgeKey) -> Self {
        let authority_key = ForgeKey::p384(&format!("{name} CA"));
        let mut chain = Self::of(name, authority_key, leaf_key, oid::KP_TIME_STAMPING);
        chain.leaf = chain.leaf.with(usages(Critical, &[oid::KP_TIME_STAMPING]));
        chain
    }

    fn of(
        what: &str,
        authority_key: ForgeKey,
        leaf_key: ForgeKey,
        usage: ObjectIdentifier,
    ) -> Self {
        let root_key = ForgeKey::p384(&format!("{what} root"));
        let names = ["root", "CA", "leaf"].map(|kind| name(&format!("{what} {kind}")));
        let root = CertificateDraft::new(&names[0], &root_key, &names[0], &root_key)
            .without(oid::CE_CRL_DISTRIBUTION_POINTS)
            .with(basic_constraints(Some(1)))
            .with(key_usage(ISSUING));
        let authority = CertificateDraft::new(&names[1], &authority_key, &names[0], &root_key)
            .with(basic_constraints(Some(0)))
            .with(key_usage(ISSUING))
            .with(usages(NonCritical, &[usage]));
        let leaf = CertificateDraft::new(&names[2], &leaf_key, &names[1], &authority_key)
            .with(key_usage(SIGNING));
        Self { root_key, authority_key, leaf_key, root, authority, leaf }
    }

    /// Gives the leaf another key.
    pub fn set_leaf_key(&mut self, key: ForgeKey) {
        self.leaf.spki = key.spki().to_vec();
        self.leaf_key = key;
    }

    /// Signs all three.
    pub fn sign(&self) -> SignedChain {
        SignedChain {
            root: self.root.sign(&self.root_key),
            authority: self.authority.sign(&self.root_key),
            leaf: self.leaf.sign(&self.authority_key),
        }
    }
}
