//! What the timestamp service refuses to start with, and what it only tells: each rule of a timestamp
//! authority's certificate, broken alone.

use std::{sync::Arc, time::Duration};

use const_oid::ObjectIdentifier;
use countersign_core::{crypto::SignatureScheme, digest::HashAlgorithm, oid};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::Signer,
};
use countersign_tests::forge::{
    CertificateDraft, Chain, DAY, ExtensionDraft, ForgeKey, NOW, basic_constraints, key_usage,
    name, usages,
};
use countersign_timestamp::{
    issuer::{Issuer, IssuerError, Pace, When},
    policy::OfferedPolicy,
};

/// What is changed in a leaf.
type Change = Box<dyn FnOnce(CertificateDraft) -> CertificateDraft>;

/// A chain that follows every rule.
fn chain() -> Chain {
    let mut chain = Chain::timestamping();
    let access = |method: ObjectIdentifier, url: &str| {
        der::sequence(&[&der::oid(&method), &der::implicit(6, url.as_bytes())])
    };
    let pointers = der::sequence(&[
        &access(oid::AD_OCSP, "http://revocation.example/ocsp"),
        &access(oid::AD_CA_ISSUERS, "http://revocation.example/ca.crt"),
    ]);
    chain.leaf =
        chain.leaf.with(ExtensionDraft::new(oid::PE_AUTHORITY_INFO_ACCESS, NonCritical, pointers));
    chain
}

/// What a start with this leaf says.
fn start(chain: &Chain, key: ForgeKey, when: When) -> Result<Issuer, IssuerError> {
    let signed = chain.sign();
    let policy = OfferedPolicy {
        oid: ObjectIdentifier::new_unwrap("1.2.3"),
        hashes: vec![HashAlgorithm::Sha256],
        accuracy: Duration::from_secs(2),
    };
    let certificates = vec![signed.leaf, signed.authority, signed.root];
    let key: Arc<dyn Signer> = Arc::new(key);
    Issuer::new(&key, Pace::Prompt, certificates, &[policy], when)
}

/// A start with a changed leaf.
fn start_with(change: Change) -> Result<Issuer, IssuerError> {
    let mut chain = chain();
    chain.leaf = change(chain.leaf);
    start(&chain, ForgeKey::p384("timestamping leaf"), When::Now(NOW))
}

fn with(extension: ExtensionDraft) -> Change {
    Box::new(move |leaf| leaf.with(extension))
}

fn without(id: ObjectIdentifier) -> Change {
    Box::new(move |leaf| leaf.without(id))
}

#[test]
fn a_certificate_that_follows_every_rule_starts() {
    let issuer = start_with(Box::new(|leaf| leaf)).expect("it starts");
    assert_eq!(issuer.departures(), [] as [&str; 0]);
}

#[test]
fn each_rule_by_which_verifiers_refuse_is_named_when_it_is_broken() {
    let time_stamping = oid::KP_TIME_STAMPING;
    let rows: Vec<(Change, &str)> = vec![
        (without(oid::CE_EXT_KEY_USAGE), "timeStamping alone, critical, found none"),
        (with(usages(NonCritical, &[time_stamping])), "timeStamping alone, critical, found"),
        (with(usages(Critical, &[time_stamping, oid::KP_CODE_SIGNING])), "codeSigning"),
        (with(usages(Critical, &[oid::KP_OCSP_SIGNING])), "timeStamping alone, critical, found"),
        (with(key_usage(&[5])), "digitalSignature, found keyCertSign"),
        (with(basic_constraints(None)), "an end-entity certificate, found a CA"),
    ];
    for (change, expected) in rows {
        match start_with(change) {
            Err(IssuerError::Profile { rule, .. }) => {
                assert!(rule.contains(expected) && rule.contains("RFC "), "{expected}: {rule}");
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn what_verifiers_accept_starts_and_each_departure_is_named() {
    let loose_key_usage = ExtensionDraft { criticality: NonCritical, ..key_usage(&[0]) };
    let rows: Vec<(Change, &str)> = vec![
        (without(oid::CE_KEY_USAGE), "§4.2.1.3: keyUsage, found absent"),
        (with(loose_key_usage), "§4.2.1.3: critical keyUsage"),
        (with(key_usage(&[1])), "§4.2.1.3: keyUsage digitalSignature, found contentCommitment"),
        (without(oid::CE_SUBJECT_KEY_IDENTIFIER), "§4.2.1.2: subjectKeyIdentifier"),
        (without(oid::CE_AUTHORITY_KEY_IDENTIFIER), "§4.2.1.1: authorityKeyIdentifier"),
        (without(oid::CE_CRL_DISTRIBUTION_POINTS), "§4.2.1.13: cRLDistributionPoints"),
        (
            Box::new(|leaf| CertificateDraft { serial: vec![0x40], ..leaf }),
            "a serial with at least 64 random bits",
        ),
        (
            Box::new(|leaf| CertificateDraft { serial: [&[0x40][..], &[1; 20]].concat(), ..leaf }),
            "§4.1.2.2: a serial of at most 20 octets",
        ),
        (
            Box::new(|leaf| CertificateDraft { serial: vec![0x80; 16], ..leaf }),
            "§4.1.2.2: a positive serial number",
        ),
        (
            Box::new(|leaf| CertificateDraft { subject: vec![0x30, 0x00], ..leaf }),
            "§4.1.2.6: a subject",
        ),
        (
            Box::new(|leaf| CertificateDraft { subject: leaf.issuer.clone(), ..leaf }),
            "§3.2: only the root is its own issuer",
        ),
    ];
    for (change, expected) in rows {
        let issuer = start_with(change).expect(expected);
        match issuer.departures() {
            [rule] => assert!(rule.contains(expected), "{expected}: {rule}"),
            several => panic!("{expected}: {several:?}"),
        }
    }
}

#[test]
fn time_key_and_order_are_looked_at_too() {
    let key = || ForgeKey::p384("timestamping leaf");
    for day in [-31, 336] {
        let error = start(&chain(), key(), When::Now(NOW.plus_seconds(day * DAY)));
        assert!(matches!(error, Err(IssuerError::Validity { .. })), "{error:?}");
    }
    let other = ForgeKey::p384("another key");
    assert_ne!(other.spki(), key().spki());
    let error = start(&chain(), other, When::Now(NOW)).expect_err("refused").to_string();
    assert!(error.contains("public key is not this key's"), "{error}");

    let mut misissued = chain();
    misissued.authority_key = ForgeKey::p384("somebody");
    let error = start(&misissued, key(), When::Now(NOW)).expect_err("refused").to_string();
    assert!(
        error.contains("certificate 1 of the chain was not issued by certificate 2"),
        "{error}"
    );

    let mut renamed = chain();
    renamed.leaf.issuer = name("somebody");
    let error = start(&renamed, key(), When::Now(NOW)).expect_err("refused").to_string();
    assert!(
        error.contains("certificate 1 of the chain was not issued by certificate 2"),
        "{error}"
    );
}

#[test]
fn keys_that_sign_at_once_and_those_that_do_not_are_told_apart() {
    let path = || "tsa.key".parse().expect("a location");
    let token = || "pkcs11:token=TSA;object=tsa".parse().expect("a location");
    let curve = SignatureScheme::EcdsaP384Sha384;
    assert_eq!(Pace::of(&path(), curve), Pace::Prompt);
    assert_eq!(Pace::of(&path(), SignatureScheme::RsaPkcs1Sha256), Pace::Slow);
    assert_eq!(Pace::of(&token(), curve), Pace::Slow);
}
