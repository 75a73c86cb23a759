//! Tokens as they are found in the field: bare ones, other versions of `SignedData`, attributes that
//! name several certificates, weak signers; by both fillers alike.

use countersign_core::{
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    oid,
    time::UnixSeconds,
    trust::{Authority, Window},
    tsp::{self, Stamped},
};
use countersign_signing::{der, key::Signer as _};
use countersign_tests::forge::{
    Chain, Ess, ForgeKey, NOW, SignedChain, TokenDraft, name, other_revocation,
};

const MESSAGE: &[u8] = b"a signature";
/// genTime of the drafts, and their accuracy of a second.
const PROVEN: UnixSeconds = NOW.minus_seconds(3_599);

type Outcome = Result<UnixSeconds, Finding>;

fn pinned(chain: &SignedChain) -> Authority {
    let chain = vec![chain.leaf.clone(), chain.authority.clone(), chain.root.clone()];
    Authority::from_chain("http://tsa.example", chain, Window::default()).expect("an authority")
}

#[track_caller]
fn verified(timestamp: &[u8], authorities: &[Authority]) -> Outcome {
    let by = |crypto: &dyn CryptoProvider| {
        tsp::verify(timestamp, Stamped::Message(MESSAGE), authorities, crypto, NOW)
            .map(|timestamp| timestamp.time().time())
    };
    let native = by(&AwsLc);
    assert_eq!(native, by(&RustCrypto), "rustcrypto differs");
    native
}

/// The response around a token with one change, and the authority that the trust root pins.
fn drafted(change: impl FnOnce(&mut TokenDraft)) -> (Vec<u8>, Authority) {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.certificates = vec![signed.leaf.clone(), signed.authority.clone()];
    change(&mut draft);
    (draft.sign(&chain.leaf_key, &signed.leaf), pinned(&signed))
}

#[track_caller]
fn token(change: impl FnOnce(&mut TokenDraft)) -> Outcome {
    let (response, authority) = drafted(change);
    let in_response = verified(&response, core::slice::from_ref(&authority));
    let bare = tsp::token(&response).expect("a token");
    assert_eq!(in_response, verified(bare, &[authority]), "bare and in a response differ");
    in_response
}

#[track_caller]
fn refused(outcome: Outcome) -> (FindingCode, Option<String>) {
    let finding = outcome.expect_err("it must not verify");
    (finding.code, finding.found)
}

#[test]
fn accepts_every_version_of_signed_data_that_the_specification_has() {
    assert_eq!(token(|_| ()), Ok(PROVEN));
    for version in [1, 3, 4, 5] {
        assert_eq!(token(|draft| draft.version = version), Ok(PROVEN), "{version}");
    }
    let with_revocation = token(|draft| {
        draft.version = 5;
        draft.revocation = vec![other_revocation()];
    });
    assert_eq!(with_revocation, Ok(PROVEN));
}

#[test]
fn names_a_version_that_no_specification_has() {
    for version in [0, 2, 6] {
        let found = "signedData version has a value that its specification does not allow";
        let refused = refused(token(|draft| draft.version = version));
        assert_eq!(
            refused,
            (FindingCode::TIMESTAMP_MALFORMED, Some(found.to_owned())),
            "{version}"
        );
    }
    let info = refused(token(|draft| draft.info.version = der::integer(2)));
    let found = "TSTInfo version has a value that its specification does not allow";
    assert_eq!(info, (FindingCode::TIMESTAMP_MALFORMED, Some(found.to_owned())));
}

#[test]
fn a_damaged_bare_token_is_judged_as_a_token() {
    let (response, authority) = drafted(|_| ());
    let bare = tsp::token(&response).expect("a token").to_vec();
    let authorities = [authority];
    for length in 0..bare.len() {
        let finding = verified(&bare[..length], &authorities).expect_err("a part of a token");
        let found = finding.found.unwrap_or_default();
        assert!(!found.contains("status"), "{length}: {found}");
    }
    let header = if bare[1] == 0x82 { 4 } else { 2 };
    let ber = [&[0x30, 0x80], &bare[header..], &[0, 0]].concat();
    let finding = verified(&ber, &authorities).expect_err("BER");
    assert_eq!(finding.code, FindingCode::TIMESTAMP_BER);
    assert!(finding.found.is_some_and(|found| found.contains("contentInfo")));
}

#[test]
fn refuses_an_older_attribute_that_contradicts_the_newer_one() {
    let v1 = |of: &'static [u8]| {
        move |draft: &mut TokenDraft| draft.attributes.extend(Ess::V1.attribute(of))
    };
    let (code, _) = refused(token(v1(b"another certificate")));
    assert_eq!(code, FindingCode::TIMESTAMP_ESS_MISMATCH);
    let leaf = Chain::timestamping().sign().leaf;
    assert_eq!(token(|draft| draft.attributes.extend(Ess::V1.attribute(&leaf))), Ok(PROVEN));
    // The other way round: the newer one is the false one.
    let newer = token(|draft| {
        draft.ess = Ess::V1;
        draft.attributes.extend(Ess::V2.attribute(b"another certificate"));
    });
    assert_eq!(refused(newer).0, FindingCode::TIMESTAMP_ESS_MISMATCH);
}

#[test]
fn further_certificates_that_are_named_must_be_of_the_chain() {
    let chain = Chain::timestamping().sign();
    let further = |others: &[&[u8]]| {
        let others = others.iter().map(|other| other.to_vec()).collect();
        token(|draft| draft.ess = Ess::Further(others))
    };
    assert_eq!(further(&[&chain.authority]), Ok(PROVEN));
    assert_eq!(further(&[&chain.authority, &chain.root]), Ok(PROVEN));
    for others in [&[&b"another certificate"[..]][..], &[&chain.authority, b"another"]] {
        let (code, found) = refused(further(others));
        assert_eq!(code, FindingCode::TIMESTAMP_ESS_MISMATCH);
        let stranger = others.last().expect("one");
        assert_eq!(found, Some(digest(&AwsLc, HashAlgorithm::Sha256, stranger).hex()));
    }
}

#[test]
fn an_empty_list_of_certificates_names_nobody() {
    let empty = der::sequence(&[&der::sequence(&[])]);
    let attribute =
        der::sequence(&[&der::oid(&oid::AT_SIGNING_CERTIFICATE_V2), &der::set_of(&[empty])]);
    let outcome = token(|draft| {
        draft.ess = Ess::Absent;
        draft.attributes = vec![attribute];
    });
    assert_eq!(refused(outcome).0, FindingCode::TIMESTAMP_ATTRIBUTES);
}

#[test]
fn the_serial_that_an_attribute_names_must_be_the_certificates() {
    let naming = |serial: &[u8]| {
        let names = der::sequence(&[&der::context(4, &[&name("timestamping CA")])]);
        let serial = der::sequence(&[&names, &der::integer_verbatim(serial)]);
        token(|draft| draft.ess = Ess::Naming(serial))
    };
    assert_eq!(naming(&Chain::timestamping().leaf.serial), Ok(PROVEN));
    let (code, found) = refused(naming(&[7]));
    assert_eq!(code, FindingCode::TIMESTAMP_ESS_MISMATCH);
    assert!(found.is_some_and(|found| found.contains("serial")), "the serial is what differs");
}

#[test]
fn of_two_certificates_with_one_serial_it_takes_the_one_that_the_attributes_name() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    // The authority's issuer gave one number to two certificates; the token embeds the other one.
    let mut other = chain.leaf.clone();
    other.spki = ForgeKey::p384("the other").spki().to_vec();
    let other = other.sign(&chain.authority_key);
    let with = |embedded: &[&[u8]], untrusted: &[&[u8]]| {
        let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
        draft.certificates = embedded.iter().map(|each| each.to_vec()).collect();
        let response = draft.sign(&chain.leaf_key, &signed.leaf);
        let further = untrusted.iter().map(|each| each.to_vec()).collect();
        verified(&response, &[Authority::from_anchor(signed.root.clone(), further)])
    };
    let (leaf, ca) = (&signed.leaf[..], &signed.authority[..]);
    assert_eq!(with(&[&other], &[leaf, ca]), Ok(PROVEN));
    assert_eq!(with(&[&other, leaf], &[ca]), Ok(PROVEN));
    assert_eq!(with(&[leaf, &other], &[ca]), Ok(PROVEN));
    assert_eq!(refused(with(&[&other], &[ca])).0, FindingCode::TIMESTAMP_ESS_MISMATCH);
    // One that the issuer did not make is a token that somebody changed.
    let mut forged = signed.leaf.clone();
    *forged.last_mut().expect("a signature") ^= 1;
    assert_eq!(refused(with(&[&forged, leaf], &[ca])).0, FindingCode::TIMESTAMP_MALFORMED);
}

#[test]
fn a_weak_signer_is_named_with_its_size() {
    let mut chain = Chain::timestamping();
    chain.set_leaf_key(ForgeKey::rsa_1024());
    let signed = chain.sign();
    let response =
        TokenDraft::new(HashAlgorithm::Sha256, MESSAGE).sign(&chain.leaf_key, &signed.leaf);
    let (code, found) = refused(verified(&response, &[pinned(&signed)]));
    assert_eq!(code, FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED);
    assert_eq!(found.as_deref(), Some("RSA of 1024 bits"));
}

#[test]
fn a_weak_hash_is_named() {
    let (code, found) = refused(token(|draft| draft.digest_algorithm = HashAlgorithm::Sha1));
    assert_eq!(code, FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED);
    assert_eq!(found.as_deref(), Some("SHA-1 (1.3.14.3.2.26)"));
}
