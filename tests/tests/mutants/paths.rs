//! Certificate chains, each wrong in one way, through `x509::path::verify`: one test a row of what
//! the path builder leaves to us, each with its code, by both fillers alike.

use countersign_core::{
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    oid,
    time::UnixSeconds,
    x509::{Certificate, Purpose, path},
};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::Signer as _,
};
use countersign_tests::forge::{
    Chain, DAY, ExtensionDraft, ForgeKey, NOW, SignedChain, basic_constraints, key_usage, name,
    usages,
};

type Outcome = Result<(), FindingCode>;

fn verified_by(
    chain: &SignedChain,
    purpose: Purpose,
    at: UnixSeconds,
    crypto: &dyn CryptoProvider,
) -> Outcome {
    let leaf = Certificate::decode(&chain.leaf).map_err(|_| FindingCode::CERTIFICATE_MALFORMED)?;
    path::verify(&leaf, &[&chain.authority], &[&chain.root], at, purpose, crypto)
        .map(|_| ())
        .map_err(|finding| finding.code)
}

#[track_caller]
fn outcome_at(chain: &SignedChain, purpose: Purpose, at: UnixSeconds) -> Outcome {
    let native = verified_by(chain, purpose, at, &AwsLc);
    assert_eq!(native, verified_by(chain, purpose, at, &RustCrypto), "rustcrypto differs");
    native
}

/// A code-signing chain with one change.
#[track_caller]
fn signing(change: impl FnOnce(&mut Chain)) -> Outcome {
    let mut chain = Chain::code_signing();
    change(&mut chain);
    outcome_at(&chain.sign(), Purpose::CodeSigning, NOW)
}

/// A timestamping chain with one change.
#[track_caller]
fn timestamping(change: impl FnOnce(&mut Chain)) -> Outcome {
    let mut chain = Chain::timestamping();
    change(&mut chain);
    outcome_at(&chain.sign(), Purpose::TimeStamping, NOW)
}

macro_rules! rejects {
    ($($name:ident: $run:ident($chain:ident => $change:expr) is $code:ident;)*) => {
        $(#[test]
        fn $name() {
            let outcome = $run(|$chain: &mut Chain| {
                $change;
            });
            assert_eq!(outcome, Err(FindingCode::$code));
        })*
    };
}

#[test]
fn accepts_the_chains_that_the_mutants_are_made_from() {
    assert_eq!(signing(|_| ()), Ok(()));
    assert_eq!(timestamping(|_| ()), Ok(()));
}

#[test]
fn the_forge_makes_the_same_bytes_in_every_run() {
    let SignedChain { root, authority, leaf } = Chain::code_signing().sign();
    let made = digest(&AwsLc, HashAlgorithm::Sha256, &[root, authority, leaf].concat());
    assert_eq!(made.hex(), "157c41daaef63077defad4f7a4bde725fb317bf81904c009a61d3d90ab163354");
}

#[test]
fn accepts_every_kind_of_key_that_is_strong_enough() {
    let keys: [fn() -> ForgeKey; 6] = [
        || ForgeKey::p256("strong"),
        || ForgeKey::p521("strong"),
        || ForgeKey::ed25519("strong"),
        ForgeKey::rsa_2048,
        ForgeKey::rsa_4096,
        ForgeKey::rsa_2048_pss,
    ];
    for key in keys {
        let chain = Chain::code_signing_with(key(), ForgeKey::p384("signing leaf"));
        let scheme = chain.authority_key.scheme();
        assert_eq!(outcome_at(&chain.sign(), Purpose::CodeSigning, NOW), Ok(()), "{scheme:?}");
        assert_eq!(signing(|chain| chain.set_leaf_key(key())), Ok(()), "{scheme:?}");
    }
}

rejects! {
    // The CA: basicConstraints, keyUsage, extKeyUsage.
    rejects_an_issuer_without_basic_constraints: signing(chain =>
        chain.authority = chain.authority.clone().without(oid::CE_BASIC_CONSTRAINTS)) is CERTIFICATE_NOT_CA;
    rejects_an_issuer_with_ca_false: signing(chain => chain.authority = chain.authority.clone().with(
        ExtensionDraft::new(oid::CE_BASIC_CONSTRAINTS, Critical, der::sequence(&[])))) is CERTIFICATE_NOT_CA;
    rejects_an_issuer_without_key_cert_sign: signing(chain =>
        chain.authority = chain.authority.clone().with(key_usage(&[6]))) is CERTIFICATE_NOT_CA;
    rejects_an_issuer_without_key_usage: signing(chain =>
        chain.authority = chain.authority.clone().without(oid::CE_KEY_USAGE)) is CERTIFICATE_NOT_CA;
    rejects_an_issuer_for_another_use: signing(chain => chain.authority =
        chain.authority.clone().with(usages(NonCritical, &[oid::KP_SERVER_AUTH]))) is CERTIFICATE_WRONG_USE;
    rejects_an_intermediate_for_any_use: signing(chain => chain.authority =
        chain.authority.clone().with(usages(NonCritical, &[oid::KP_ANY]))) is CERTIFICATE_WRONG_USE;
    rejects_a_timestamping_issuer_for_another_use: timestamping(chain => chain.authority =
        chain.authority.clone().with(usages(NonCritical, &[oid::KP_CODE_SIGNING]))) is CERTIFICATE_WRONG_USE;
    rejects_an_intermediate_of_version_1: signing(chain =>
        chain.authority.extensions.clear()) is CERTIFICATE_NOT_CA;
    rejects_an_expired_intermediate: signing(chain =>
        chain.authority.not_after = NOW.minus_seconds(1)) is CERTIFICATE_EXPIRED_WHEN_SIGNED;
    rejects_an_intermediate_that_is_not_valid_yet: signing(chain =>
        chain.authority.not_before = NOW.plus_seconds(1)) is CERTIFICATE_NOT_YET_VALID;
    rejects_an_unknown_critical_extension_of_an_issuer: signing(chain => chain.authority =
        chain.authority.clone().with(ExtensionDraft::unknown_critical())) is CERTIFICATE_CONSTRAINT_NOT_SUPPORTED;

    // The anchor's own certificate.
    rejects_an_expired_anchor: signing(chain =>
        chain.root.not_after = NOW.minus_seconds(1)) is CERTIFICATE_EXPIRED_WHEN_SIGNED;
    rejects_an_anchor_that_is_not_valid_yet: signing(chain =>
        chain.root.not_before = NOW.plus_seconds(1)) is CERTIFICATE_NOT_YET_VALID;
    rejects_an_anchor_without_basic_constraints: signing(chain =>
        chain.root = chain.root.clone().without(oid::CE_BASIC_CONSTRAINTS)) is CERTIFICATE_NOT_CA;
    rejects_an_anchor_without_key_cert_sign: signing(chain =>
        chain.root = chain.root.clone().with(key_usage(&[6]))) is CERTIFICATE_NOT_CA;
    rejects_more_cas_than_the_anchor_allows: signing(chain =>
        chain.root = chain.root.clone().with(basic_constraints(Some(0)))) is CERTIFICATE_PATH_CONSTRAINT;
    rejects_an_anchor_for_another_use: signing(chain => chain.root =
        chain.root.clone().with(usages(NonCritical, &[oid::KP_SERVER_AUTH]))) is CERTIFICATE_WRONG_USE;
    rejects_an_anchor_with_another_key: signing(chain =>
        chain.root_key = ForgeKey::p384("another root")) is CERTIFICATE_UNKNOWN_ISSUER;

    // The signer's certificate.
    rejects_a_signer_without_extended_key_usage: signing(chain =>
        chain.leaf = chain.leaf.clone().without(oid::CE_EXT_KEY_USAGE)) is CERTIFICATE_WRONG_USE;
    rejects_a_signer_for_tls: signing(chain => chain.leaf =
        chain.leaf.clone().with(usages(NonCritical, &[oid::KP_SERVER_AUTH]))) is CERTIFICATE_WRONG_USE;
    rejects_a_signer_for_any_use: signing(chain => chain.leaf =
        chain.leaf.clone().with(usages(NonCritical, &[oid::KP_ANY]))) is CERTIFICATE_WRONG_USE;
    rejects_a_signer_for_code_signing_and_any_use: signing(chain => chain.leaf = chain.leaf.clone()
        .with(usages(NonCritical, &[oid::KP_CODE_SIGNING, oid::KP_ANY]))) is CERTIFICATE_WRONG_USE;
    rejects_a_signer_without_key_usage: signing(chain =>
        chain.leaf = chain.leaf.clone().without(oid::CE_KEY_USAGE)) is CERTIFICATE_WRONG_USE;
    rejects_a_signer_without_digital_signature: signing(chain =>
        chain.leaf = chain.leaf.clone().with(key_usage(&[2]))) is CERTIFICATE_WRONG_USE;
    rejects_a_ca_as_signer: signing(chain =>
        chain.leaf = chain.leaf.clone().with(basic_constraints(None))) is CERTIFICATE_WRONG_USE;
    rejects_an_expired_signer: signing(chain =>
        chain.leaf.not_after = NOW.minus_seconds(1)) is CERTIFICATE_EXPIRED_WHEN_SIGNED;
    rejects_a_signer_that_is_not_valid_yet: signing(chain =>
        chain.leaf.not_before = NOW.plus_seconds(1)) is CERTIFICATE_NOT_YET_VALID;
    rejects_an_unknown_critical_extension_of_a_signer: signing(chain => chain.leaf =
        chain.leaf.clone().with(ExtensionDraft::unknown_critical())) is CERTIFICATE_CONSTRAINT_NOT_SUPPORTED;
    rejects_a_signer_signed_by_a_stranger: signing(chain =>
        chain.authority_key = ForgeKey::p384("a stranger")) is CERTIFICATE_UNKNOWN_ISSUER;
    rejects_a_signer_of_another_issuer: signing(chain =>
        chain.leaf.issuer = name("somebody else")) is CERTIFICATE_UNKNOWN_ISSUER;

    // Weak keys and hashes.
    rejects_a_signer_with_rsa_1024: signing(chain =>
        chain.set_leaf_key(ForgeKey::rsa_1024())) is CERTIFICATE_KEY_TOO_WEAK;
    rejects_a_signer_with_another_curve: signing(chain => chain.leaf.spki = der::sequence(&[
        &der::sequence(&[&der::oid(&oid::EC_PUBLIC_KEY), &der::oid(&"1.3.132.0.10".parse().expect("secp256k1"))]),
        &der::bit_string(&[4; 65])])) is CERTIFICATE_KEY_TOO_WEAK;
    rejects_a_signature_with_sha_1: signing(chain => chain.leaf.algorithm =
        Some(der::sequence(&[&der::oid(&"1.2.840.10045.4.1".parse().expect("ecdsa-with-SHA1"))])))
        is CERTIFICATE_KEY_TOO_WEAK;

    // The timestamp authority's certificate (RFC 3161 §2.3).
    rejects_a_timestamp_authority_with_uncritical_usage: timestamping(chain => chain.leaf =
        chain.leaf.clone().with(usages(NonCritical, &[oid::KP_TIME_STAMPING]))) is TIMESTAMP_EKU;
    rejects_a_timestamp_authority_with_more_usages: timestamping(chain => chain.leaf = chain.leaf.clone()
        .with(usages(Critical, &[oid::KP_TIME_STAMPING, oid::KP_CODE_SIGNING]))) is TIMESTAMP_EKU;
    rejects_a_timestamp_authority_with_any_usage: timestamping(chain => chain.leaf = chain.leaf.clone()
        .with(usages(Critical, &[oid::KP_TIME_STAMPING, oid::KP_ANY]))) is TIMESTAMP_EKU;
    rejects_a_timestamp_authority_with_another_usage: timestamping(chain => chain.leaf =
        chain.leaf.clone().with(usages(Critical, &[oid::KP_CODE_SIGNING]))) is TIMESTAMP_EKU;
    rejects_a_timestamp_authority_without_usage: timestamping(chain =>
        chain.leaf = chain.leaf.clone().without(oid::CE_EXT_KEY_USAGE)) is TIMESTAMP_EKU;
    rejects_a_timestamp_authority_that_is_a_ca: timestamping(chain =>
        chain.leaf = chain.leaf.clone().with(basic_constraints(None))) is TIMESTAMP_CERTIFICATE_IS_CA;
    rejects_a_timestamp_authority_that_may_not_sign: timestamping(chain =>
        chain.leaf = chain.leaf.clone().with(key_usage(&[2]))) is CERTIFICATE_WRONG_USE;
    rejects_a_timestamp_authority_with_rsa_1024: timestamping(chain =>
        chain.set_leaf_key(ForgeKey::rsa_1024())) is CERTIFICATE_KEY_TOO_WEAK;
}

#[test]
fn rejects_an_intermediate_with_rsa_1024() {
    let chain = Chain::code_signing_with(ForgeKey::rsa_1024(), ForgeKey::p384("signing leaf"));
    let outcome = outcome_at(&chain.sign(), Purpose::CodeSigning, NOW);
    assert_eq!(outcome, Err(FindingCode::CERTIFICATE_KEY_TOO_WEAK));
}

#[test]
fn rejects_an_anchor_with_rsa_1024() {
    let mut chain = Chain::code_signing();
    chain.root_key = ForgeKey::rsa_1024();
    chain.root.spki = chain.root_key.spki().to_vec();
    let outcome = outcome_at(&chain.sign(), Purpose::CodeSigning, NOW);
    assert_eq!(outcome, Err(FindingCode::CERTIFICATE_KEY_TOO_WEAK));
}

#[test]
fn processes_constraints_on_policies_whatever_their_criticality() {
    // The signer has no policy: a demand for one refuses it, an inhibition of anyPolicy does not.
    let require_explicit_policy = der::sequence(&[&der::implicit(0, &[0])]);
    let broken = Err(FindingCode::CERTIFICATE_PATH_CONSTRAINT);
    for (id, value, expected) in [
        (oid::CE_POLICY_CONSTRAINTS, require_explicit_policy, broken),
        (oid::CE_INHIBIT_ANY_POLICY, der::integer(0), Ok(())),
    ] {
        for criticality in [Critical, NonCritical] {
            let constraint = ExtensionDraft::new(id, criticality, value.clone());
            let outcome =
                signing(|chain| chain.authority = chain.authority.clone().with(constraint));
            assert_eq!(outcome, expected, "{id}, {criticality:?}");
        }
    }
}

#[test]
fn accepts_a_chain_that_keeps_a_constraint_on_directory_names() {
    // permittedSubtrees [0] { directoryName O=Example }.
    let kept = name("x");
    let organisation = &kept[2..2 + 2 + usize::from(kept[3])];
    let subtree = der::sequence(&[&der::context(4, &[&der::sequence(&[organisation])])]);
    let constraints = der::sequence(&[&der::context(0, &[&subtree])]);
    let constraint = ExtensionDraft::new(oid::CE_NAME_CONSTRAINTS, Critical, constraints);
    let outcome = signing(|chain| chain.authority = chain.authority.clone().with(constraint));
    assert_eq!(outcome, Ok(()));
}

#[test]
fn accepts_roots_older_than_key_usage() {
    let without = |chain: &mut Chain| {
        chain.root = chain.root.clone().without(oid::CE_KEY_USAGE);
    };
    assert_eq!(signing(without), Ok(()), "an anchor without keyUsage was trusted by hand");
}

#[test]
fn accepts_an_intermediate_without_extended_key_usage() {
    let without = |chain: &mut Chain| {
        chain.authority = chain.authority.clone().without(oid::CE_EXT_KEY_USAGE);
    };
    assert_eq!(signing(without), Ok(()));
    assert_eq!(timestamping(without), Ok(()));
}

#[test]
fn accepts_both_ends_of_a_validity() {
    let chain = Chain::code_signing();
    let signed = chain.sign();
    let at = |time| outcome_at(&signed, Purpose::CodeSigning, time);
    assert_eq!(at(chain.leaf.not_before), Ok(()));
    assert_eq!(at(chain.leaf.not_after), Ok(()));
    let early = at(chain.leaf.not_before.minus_seconds(1));
    assert_eq!(early, Err(FindingCode::CERTIFICATE_NOT_YET_VALID));
    let late = at(chain.leaf.not_after.plus_seconds(1));
    assert_eq!(late, Err(FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED));
}

#[test]
fn rejects_a_chain_that_stands_under_a_name_constraint() {
    // permittedSubtrees [0] { rfc822Name example.org }
    let subtree = der::sequence(&[&der::implicit(1, b"example.org")]);
    let constraints = der::sequence(&[&der::context(0, &[&subtree])]);
    let constraint = ExtensionDraft::new(oid::CE_NAME_CONSTRAINTS, Critical, constraints);
    let intermediate =
        signing(|chain| chain.authority = chain.authority.clone().with(constraint.clone()));
    let anchor = signing(|chain| chain.root = chain.root.clone().with(constraint.clone()));
    for outcome in [intermediate, anchor] {
        assert_eq!(outcome, Err(FindingCode::CERTIFICATE_PATH_CONSTRAINT));
    }
}

#[test]
fn rejects_names_outside_the_permitted_ones() {
    // permittedSubtrees [0] { dNSName example.org }, a kind that the path builder compares.
    let subtree = der::sequence(&[&der::implicit(2, b"example.org")]);
    let constraints = der::sequence(&[&der::context(0, &[&subtree])]);
    let constraint = ExtensionDraft::new(oid::CE_NAME_CONSTRAINTS, Critical, constraints);
    let named = |host: &[u8]| {
        let names = der::sequence(&[&der::implicit(2, host)]);
        let names = ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, names);
        signing(|chain| {
            chain.authority = chain.authority.clone().with(constraint.clone());
            chain.leaf = chain.leaf.clone().with(names);
        })
    };
    assert_eq!(named(b"releases.example.org"), Ok(()));
    assert_eq!(named(b"example.com"), Err(FindingCode::CERTIFICATE_PATH_CONSTRAINT));
}

#[test]
fn an_empty_validity_has_expired() {
    let outcome = signing(|chain| {
        chain.root.not_before = NOW;
        chain.root.not_after = NOW.minus_seconds(1);
    });
    assert_eq!(outcome, Err(FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED));
}

#[test]
fn gives_the_certificates_of_the_path_from_the_leaf_to_the_anchor() {
    let signed = Chain::code_signing().sign();
    let leaf = Certificate::decode(&signed.leaf).expect("a certificate");
    let (intermediates, anchors) = ([&signed.authority[..]], [&signed.root[..]]);
    let path = path::verify(&leaf, &intermediates, &anchors, NOW, Purpose::CodeSigning, &AwsLc);
    let path = path.expect("a right chain");
    let whole: Vec<&[u8]> = path.certificates().map(|each| each.raw).collect();
    assert_eq!(whole, [&signed.leaf, &signed.authority, &signed.root]);
    let issuers: Vec<&[u8]> = path.issuers().iter().map(|each| each.raw).collect();
    assert_eq!(issuers, [&signed.authority, &signed.root]);
    let links: Vec<_> =
        path.links().map(|link| (link.certificate().raw, link.issuer().raw)).collect();
    let expected = [(&signed.leaf, &signed.authority), (&signed.authority, &signed.root)];
    assert_eq!(links, expected.map(|(below, above)| (&below[..], &above[..])));
    assert_eq!(path.leaf().raw, signed.leaf);
}

#[test]
fn rejects_an_extension_that_stands_twice() {
    let outcome = signing(|chain| {
        let again = chain.leaf.extensions[0].clone();
        chain.leaf.extensions.push(again);
    });
    assert_eq!(outcome, Err(FindingCode::CERTIFICATE_MALFORMED));
}

#[test]
fn judges_at_the_time_that_is_asked_for() {
    let mut chain = Chain::code_signing();
    chain.leaf.not_after = NOW.minus_seconds(DAY);
    let signed = chain.sign();
    let before = outcome_at(&signed, Purpose::CodeSigning, NOW.minus_seconds(2 * DAY));
    assert_eq!(before, Ok(()));
}
