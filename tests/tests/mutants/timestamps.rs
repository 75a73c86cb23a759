//! Timestamp tokens, each wrong in one way and validly signed with P-384, through `tsp::verify`:
//! the rows of "what a verifier must refuse" with their codes, and those it must accept, by both
//! fillers alike.

use countersign_core::{
    Voucher,
    asn1::Flag,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{Digest, HashAlgorithm, digest},
    finding::FindingCode,
    limits, oid,
    time::UnixSeconds,
    trust::{Authority, Window},
    tsp::{self, Accuracy, Stamped},
    x509::GeneralName,
};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::Signer as _,
};
use countersign_tests::forge::{
    CertificateDraft, Chain, DAY, Ess, ExtensionDraft, ForgeKey, NOW, SignedChain, SignerName,
    TokenDraft, TstInfoDraft, basic_constraints, name, usages,
};

const MESSAGE: &[u8] = b"a signature";
/// genTime of the drafts, and their accuracy of a second.
const PROVEN: UnixSeconds = NOW.minus_seconds(3_599);

type Outcome = Result<UnixSeconds, FindingCode>;

fn authority(chain: &SignedChain, window: Window) -> Authority {
    let chain = vec![chain.leaf.clone(), chain.authority.clone(), chain.root.clone()];
    Authority::from_chain("http://tsa.example", chain, window).expect("an authority")
}

#[track_caller]
fn verified(response: &[u8], authorities: &[Authority]) -> Outcome {
    verified_at(response, authorities, NOW)
}

#[track_caller]
fn verified_at(response: &[u8], authorities: &[Authority], now: UnixSeconds) -> Outcome {
    let by = |crypto: &dyn CryptoProvider| {
        tsp::verify(response, Stamped::Message(MESSAGE), authorities, crypto, now)
            .map(|timestamp| timestamp.time().time())
            .map_err(|finding| finding.code)
    };
    let native = by(&AwsLc);
    assert_eq!(native, by(&RustCrypto), "rustcrypto differs");
    native
}

/// A token by the authority that the trust root pins, with one change.
#[track_caller]
fn token(change: impl FnOnce(&mut TokenDraft)) -> Outcome {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.certificates = vec![signed.leaf.clone(), signed.authority.clone()];
    change(&mut draft);
    let response = draft.sign(&chain.leaf_key, &signed.leaf);
    verified(&response, &[authority(&signed, Window::default())])
}

#[test]
fn a_proven_time_says_of_what_and_by_whom() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.certificates = vec![signed.leaf.clone(), signed.authority.clone()];
    let response = draft.sign(&chain.leaf_key, &signed.leaf);
    let authorities = [authority(&signed, Window::default())];
    let timestamp = tsp::verify(&response, Stamped::Message(MESSAGE), &authorities, &AwsLc, NOW)
        .expect("holds");
    let proven = timestamp.time();
    assert_eq!(proven.time(), PROVEN);
    assert_eq!(*proven.of(), digest(&AwsLc, HashAlgorithm::Sha256, MESSAGE));
    let Voucher::Authority([by]) = proven.by() else { panic!("{:?}", proven.by()) };
    assert!(by.is_same(&authorities[0]));
}

/// A right token under a chain with one change; the trust root pins all of it.
#[track_caller]
fn under(change: impl FnOnce(&mut Chain)) -> Outcome {
    let mut chain = Chain::timestamping();
    change(&mut chain);
    let signed = chain.sign();
    let draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    let response = draft.sign(&chain.leaf_key, &signed.leaf);
    // A leaf that is a CA is not pinned as a leaf; it stands in the token.
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.certificates = vec![signed.leaf.clone()];
    let embedded = draft.sign(&chain.leaf_key, &signed.leaf);
    let pinned = verified(&response, &[authority(&signed, Window::default())]);
    let anchored = Authority::from_anchor(signed.root, vec![signed.authority]);
    assert_eq!(pinned, verified(&embedded, &[anchored]), "embedded and pinned differ");
    pinned
}

/// `IssuerSerial` with one name of that kind.
fn issuer_serial(kind: u8, issuer: &[u8], serial: &[u8]) -> Vec<u8> {
    let names = der::sequence(&[&der::context(kind, &[issuer])]);
    der::sequence(&[&names, &der::integer_verbatim(serial)])
}

fn leaf_serial() -> Vec<u8> {
    Chain::timestamping().leaf.serial
}

/// Another certificate of the CA's issuer under the CA's number.
fn twin_of_the_ca() -> Vec<u8> {
    let mut chain = Chain::timestamping();
    chain.authority.spki = ForgeKey::p384("another CA").spki().to_vec();
    chain.sign().authority
}

macro_rules! rejects {
    ($($name:ident: $run:ident($draft:ident => $change:expr) is $code:ident;)*) => {
        $(#[test]
        fn $name() {
            let outcome = $run(|$draft| {
                $change;
            });
            assert_eq!(outcome, Err(FindingCode::$code));
        })*
    };
}

#[test]
fn accepts_the_token_that_the_mutants_are_made_from() {
    assert_eq!(token(|_| ()), Ok(PROVEN));
    assert_eq!(under(|_| ()), Ok(PROVEN));
}

rejects! {
    rejects_a_token_without_ess: token(draft => draft.ess = Ess::Absent) is TIMESTAMP_ESS_ABSENT;
    rejects_a_token_whose_ess_names_another_certificate: token(draft =>
        draft.ess = Ess::Of(b"another certificate".to_vec())) is TIMESTAMP_ESS_MISMATCH;
    rejects_a_token_without_content_type: token(draft =>
        draft.content_type_attribute = None) is TIMESTAMP_ATTRIBUTES;
    rejects_a_token_with_another_content_type: token(draft =>
        draft.content_type_attribute = Some(oid::ID_DATA)) is TIMESTAMP_CONTENT_TYPE;
    rejects_signed_data_that_is_no_timestamp: token(draft => {
        draft.content_type = oid::ID_DATA;
        draft.content_type_attribute = Some(oid::ID_DATA);
    }) is TIMESTAMP_CONTENT_TYPE;
    rejects_two_signer_infos: token(draft => draft.signer_infos = 2) is TIMESTAMP_SIGNER_COUNT;
    rejects_no_signer_info: token(draft => draft.signer_infos = 0) is TIMESTAMP_SIGNER_COUNT;
    rejects_a_token_with_status_rejection: token(draft =>
        draft.status = 2) is TIMESTAMP_STATUS_WITHOUT_TOKEN;
    rejects_another_tsa_name: token(draft => draft.info.tsa =
        der::context(0, &[&der::context(4, &[&name("somebody else")])])) is TIMESTAMP_TSA_NAME;
    rejects_a_critical_extension: token(draft => draft.info.extensions =
        vec![ExtensionDraft::unknown_critical()]) is TIMESTAMP_EXTENSION;
    rejects_bytes_after_the_content: token(draft =>
        draft.info.trailing_after = vec![5, 0]) is TIMESTAMP_TRAILING;
    rejects_bytes_in_the_content: token(draft =>
        draft.info.trailing_inside = der::octet_string(b"more")) is TIMESTAMP_TRAILING;
    rejects_bytes_after_the_response: token(draft => draft.trailing = vec![0]) is TIMESTAMP_TRAILING;
    rejects_an_encoded_ordering_false: token(draft =>
        draft.info.ordering = vec![1, 1, 0]) is TIMESTAMP_DEFAULT_ENCODED;
    rejects_a_time_in_the_future: token(draft =>
        draft.info.gen_time = "20261123121000Z".to_owned()) is TIMESTAMP_FUTURE;
    rejects_another_imprint: token(draft => draft.info.message_imprint =
        TstInfoDraft::imprint(HashAlgorithm::Sha256, b"another")) is TIMESTAMP_IMPRINT_MISMATCH;
    rejects_a_weak_imprint: token(draft => draft.info.message_imprint =
        TstInfoDraft::imprint(HashAlgorithm::Sha1, MESSAGE)) is TIMESTAMP_IMPRINT_WEAK;
    rejects_an_imprint_of_the_wrong_length: token(draft => draft.info.message_imprint =
        der::sequence(&[&der::sequence(&[&der::oid(&oid::SHA256)]), &der::octet_string(&[7; 20])]))
        is TIMESTAMP_IMPRINT_MISMATCH;
    rejects_another_message_digest: token(draft =>
        draft.message_digest = Some(vec![7; 48])) is TIMESTAMP_SIGNATURE;
    rejects_a_repeated_attribute: token(draft => draft.attributes = vec![der::sequence(&[
        &der::oid(&oid::AT_CONTENT_TYPE), &der::set_of(&[der::oid(&oid::ID_CT_TST_INFO)])])])
        is TIMESTAMP_ATTRIBUTES;
    rejects_attributes_hashed_with_sha_1: token(draft =>
        draft.digest_algorithm = HashAlgorithm::Sha1) is SIGNATURE_ALGORITHM_NOT_ALLOWED;
    rejects_another_version: token(draft =>
        draft.info.version = der::integer(2)) is TIMESTAMP_MALFORMED;
    rejects_a_time_without_seconds: token(draft =>
        draft.info.gen_time = "202611231100Z".to_owned()) is TIMESTAMP_MALFORMED;
    rejects_a_time_in_another_zone: token(draft =>
        draft.info.gen_time = "20261123110000+0000".to_owned()) is TIMESTAMP_MALFORMED;
    rejects_a_fraction_that_ends_in_zero: token(draft =>
        draft.info.gen_time = "20261123110000.50Z".to_owned()) is TIMESTAMP_MALFORMED;
    rejects_an_accuracy_of_1000_milliseconds: token(draft => draft.info.accuracy =
        der::sequence(&[&der::implicit(0, &der::integer_content(1_000))])) is TIMESTAMP_MALFORMED;

    rejects_ess_with_another_serial: token(draft => draft.ess =
        Ess::Naming(issuer_serial(4, &name("timestamping CA"), &[7]))) is TIMESTAMP_ESS_MISMATCH;
    rejects_ess_with_another_issuer: token(draft => draft.ess = Ess::Naming(
        issuer_serial(4, &name("somebody else"), &leaf_serial()))) is TIMESTAMP_ESS_MISMATCH;
    rejects_ess_whose_issuer_is_no_directory_name: token(draft => draft.ess = Ess::Naming(
        issuer_serial(5, &name("timestamping CA"), &leaf_serial()))) is TIMESTAMP_ATTRIBUTES;
    rejects_a_signer_named_by_another_key: token(draft => draft.signer =
        SignerName::KeyIdentifier(vec![7; 20])) is TIMESTAMP_AUTHORITY_NOT_TRUSTED;
    rejects_a_changed_copy_of_a_certificate_on_the_path: token(draft =>
        draft.certificates[1] = twin_of_the_ca()) is TIMESTAMP_MALFORMED;

    rejects_an_authority_whose_usage_is_not_critical: under(chain => chain.leaf =
        chain.leaf.clone().with(usages(NonCritical, &[oid::KP_TIME_STAMPING]))) is TIMESTAMP_EKU;
    rejects_an_authority_with_more_usages: under(chain => chain.leaf = chain.leaf.clone()
        .with(usages(Critical, &[oid::KP_TIME_STAMPING, oid::KP_CODE_SIGNING]))) is TIMESTAMP_EKU;
    rejects_an_authority_that_is_a_ca: under(chain =>
        chain.leaf = chain.leaf.clone().with(basic_constraints(None))) is TIMESTAMP_CERTIFICATE_IS_CA;
    rejects_an_authority_that_had_expired: under(chain =>
        chain.leaf.not_after = NOW.minus_seconds(2 * DAY)) is TIMESTAMP_OUTSIDE_VALIDITY;
    rejects_an_authority_that_was_not_valid_yet: under(chain =>
        chain.leaf.not_before = NOW.minus_seconds(60)) is TIMESTAMP_OUTSIDE_VALIDITY;
    rejects_an_authority_with_rsa_1024: under(chain =>
        chain.set_leaf_key(ForgeKey::rsa_1024())) is SIGNATURE_ALGORITHM_NOT_ALLOWED;
}

#[test]
fn rejects_a_token_signed_with_another_key() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    let response = draft.sign(&ForgeKey::p384("a stranger"), &signed.leaf);
    let outcome = verified(&response, &[authority(&signed, Window::default())]);
    assert_eq!(outcome, Err(FindingCode::TIMESTAMP_SIGNATURE));
}

#[test]
fn rejects_a_token_under_another_authoritys_chain() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.certificates = vec![signed.leaf.clone(), signed.authority.clone(), signed.root.clone()];
    let response = draft.sign(&chain.leaf_key, &signed.leaf);
    // The same names, other keys.
    let mut other = Chain::timestamping_with(ForgeKey::p384("another authority"));
    other.authority_key = ForgeKey::p384("another CA");
    other.authority.spki = other.authority_key.spki().to_vec();
    other.root_key = ForgeKey::p384("another root");
    other.root.spki = other.root_key.spki().to_vec();
    let other = other.sign();
    let outcome = verified(&response, &[authority(&other, Window::default())]);
    assert_eq!(outcome, Err(FindingCode::TIMESTAMP_AUTHORITY_NOT_TRUSTED));
    let anchored = Authority::from_anchor(other.root, vec![other.authority]);
    let outcome = verified(&response, &[anchored]);
    assert_eq!(outcome, Err(FindingCode::TIMESTAMP_AUTHORITY_NOT_TRUSTED));
}

#[test]
fn rejects_a_token_outside_its_own_authoritys_window() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let response =
        TokenDraft::new(HashAlgorithm::Sha384, MESSAGE).sign(&chain.leaf_key, &signed.leaf);
    let closed = Window { start: None, end: Some(NOW.minus_seconds(DAY)) };
    let later = Window { start: Some(NOW), end: None };
    for window in [closed, later] {
        // Another authority whose window is open does not help.
        let other = Chain::timestamping_with(ForgeKey::p384("another authority")).sign();
        let authorities = [authority(&signed, window), authority(&other, Window::default())];
        assert_eq!(verified(&response, &authorities), Err(FindingCode::TIMESTAMP_WINDOW));
    }
}

#[test]
fn rejects_every_prefix_and_an_indefinite_length() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let response =
        TokenDraft::new(HashAlgorithm::Sha384, MESSAGE).sign(&chain.leaf_key, &signed.leaf);
    let authorities = [authority(&signed, Window::default())];
    for length in 0..response.len() {
        assert!(verified(&response[..length], &authorities).is_err(), "{length}");
    }
    // The outer SEQUENCE with indefinite length and end-of-contents: BER.
    let header = if response[1] == 0x82 { 4 } else { 2 };
    let ber = [&[0x30, 0x80], &response[header..], &[0, 0]].concat();
    assert_eq!(verified(&ber, &authorities), Err(FindingCode::TIMESTAMP_BER));
}

#[test]
fn accepts_an_authority_that_expired_since() {
    let mut chain = Chain::timestamping();
    chain.leaf.not_after = NOW.minus_seconds(1_800);
    let signed = chain.sign();
    let response =
        TokenDraft::new(HashAlgorithm::Sha384, MESSAGE).sign(&chain.leaf_key, &signed.leaf);
    let authorities = [authority(&signed, Window::default())];
    assert_eq!(verified(&response, &authorities), Ok(PROVEN));
    assert_eq!(verified_at(&response, &authorities, NOW.plus_seconds(9_999 * DAY)), Ok(PROVEN));
}

type Change = fn(&mut TokenDraft);

#[test]
fn accepts_what_real_tokens_carry() {
    let changes: [(&str, Change); 13] = [
        ("no certificates", |draft| draft.certificates.clear()),
        ("an unsorted certificate set", |draft| draft.certificates.reverse()),
        ("unsorted signed attributes", |draft| draft.attributes_reversed = true),
        ("a negative serial number", |draft| draft.info.serial = der::integer_verbatim(&[0x80])),
        ("a nonce", |draft| draft.info.nonce = der::integer_verbatim(&[0xFE; 40])),
        ("ordering", |draft| draft.info.ordering = der::boolean_true()),
        ("an extension", |draft| {
            let mut extension = ExtensionDraft::unknown_critical();
            extension.criticality = NonCritical;
            draft.info.extensions = vec![extension];
        }),
        ("the authority's name", |draft| {
            let subject = der::context(4, &[&name("timestamping leaf")]);
            draft.info.tsa = der::context(0, &[&subject]);
        }),
        ("a signer named by its key", |draft| {
            draft.signer =
                SignerName::KeyIdentifier(ForgeKey::p384("timestamping leaf").key_hash());
        }),
        ("ESS with issuer and serial", |draft| {
            draft.ess = Ess::Naming(issuer_serial(4, &name("timestamping CA"), &leaf_serial()));
        }),
        ("another certificate of the same CA", |draft| {
            let mut chain = Chain::timestamping();
            chain.leaf.serial = vec![7];
            draft.certificates.push(chain.sign().leaf);
        }),
        ("ESS with SHA-1", |draft| draft.ess = Ess::V1),
        ("ESS with SHA-512", |draft| draft.ess = Ess::V2With(HashAlgorithm::Sha512)),
    ];
    for (what, change) in changes {
        assert_eq!(token(change), Ok(PROVEN), "{what}");
    }
}

#[test]
fn accepts_strong_imprints_and_no_others() {
    for hash in HashAlgorithm::STRONG {
        let imprint = TstInfoDraft::imprint(hash, MESSAGE);
        assert_eq!(token(|draft| draft.info.message_imprint = imprint), Ok(PROVEN), "{hash}");
    }
}

#[test]
fn compares_the_imprint_with_the_digest_of_its_own_algorithm() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let response =
        TokenDraft::new(HashAlgorithm::Sha384, MESSAGE).sign(&chain.leaf_key, &signed.leaf);
    let authorities = [authority(&signed, Window::default())];
    let by = |digests: &[Digest]| {
        tsp::verify(&response, Stamped::Digests(digests), &authorities, &AwsLc, NOW)
            .map(|timestamp| timestamp.time().time())
            .map_err(|finding| finding.code)
    };
    let [sha_256, sha_384] =
        [HashAlgorithm::Sha256, HashAlgorithm::Sha384].map(|hash| digest(&AwsLc, hash, MESSAGE));
    assert_eq!(by(&[sha_384.clone(), sha_256]), Ok(PROVEN));
    assert_eq!(by(&[sha_384]), Err(FindingCode::CONTENT_DIGEST_NOT_SUPPLIED));
    let another = digest(&AwsLc, HashAlgorithm::Sha256, b"another");
    assert_eq!(by(&[another]), Err(FindingCode::TIMESTAMP_IMPRINT_MISMATCH));
}

#[test]
fn bears_with_a_clock_that_runs_ahead_a_little() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let response =
        TokenDraft::new(HashAlgorithm::Sha384, MESSAGE).sign(&chain.leaf_key, &signed.leaf);
    let authorities = [authority(&signed, Window::default())];
    let made = NOW.minus_seconds(3_600);
    let behind = made.minus_seconds(limits::CLOCK_SKEW_SECONDS);
    assert_eq!(verified_at(&response, &authorities, behind), Ok(PROVEN));
    let farther = behind.minus_seconds(1);
    assert_eq!(verified_at(&response, &authorities, farther), Err(FindingCode::TIMESTAMP_FUTURE));
}

#[test]
fn counts_fractions_and_accuracy_in() {
    let at = |text: &str, accuracy: Vec<u8>| {
        token(|draft| {
            draft.info.gen_time = text.to_owned();
            draft.info.accuracy = accuracy;
        })
    };
    assert_eq!(at("20261123110000Z", Vec::new()), Ok(NOW.minus_seconds(3_600)));
    assert_eq!(at("20261123110000.001Z", Vec::new()), Ok(NOW.minus_seconds(3_599)));
    let millis = der::sequence(&[&der::implicit(0, &der::integer_content(999))]);
    assert_eq!(at("20261123110000.002Z", millis), Ok(NOW.minus_seconds(3_598)));
}

#[test]
fn accepts_every_strong_key() {
    let keys = [
        (ForgeKey::p256("tsa"), HashAlgorithm::Sha256),
        (ForgeKey::p521("tsa"), HashAlgorithm::Sha512),
        (ForgeKey::ed25519("tsa"), HashAlgorithm::Sha512),
        (ForgeKey::rsa_2048(), HashAlgorithm::Sha256),
        (ForgeKey::rsa_4096(), HashAlgorithm::Sha256),
        (ForgeKey::rsa_2048_pss(), HashAlgorithm::Sha256),
    ];
    for (key, hash) in keys {
        let scheme = key.scheme();
        let chain = Chain::timestamping_with(key);
        let signed = chain.sign();
        let response = TokenDraft::new(hash, MESSAGE).sign(&chain.leaf_key, &signed.leaf);
        let outcome = verified(&response, &[authority(&signed, Window::default())]);
        assert_eq!(outcome, Ok(PROVEN), "{scheme:?}");
    }
}

#[test]
fn accepts_negative_serials_of_the_authority() {
    assert_eq!(under(|chain| chain.leaf.serial = vec![0x80, 1]), Ok(PROVEN));
}

#[test]
fn tells_two_certificates_of_one_name_and_serial_apart_by_ess() {
    // An attacker's CA cannot lend its certificate the name and serial of another's.
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let twin_key = ForgeKey::p384("twin");
    let mut twin: CertificateDraft = chain.leaf.clone();
    twin.spki = twin_key.spki().to_vec();
    let twin = twin.sign(&chain.authority_key);
    let response = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE).sign(&twin_key, &twin);
    let outcome = verified(&response, &[authority(&signed, Window::default())]);
    assert_eq!(outcome, Err(FindingCode::TIMESTAMP_ESS_MISMATCH));
}

#[test]
fn gives_what_the_token_says() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.info.accuracy = der::sequence(&[
        &der::integer(1),
        &der::implicit(0, &der::integer_content(2)),
        &der::implicit(1, &der::integer_content(3)),
    ]);
    draft.info.ordering = der::boolean_true();
    draft.info.nonce = der::integer(5);
    let subject = name("timestamping leaf");
    draft.info.tsa = der::context(0, &[&der::context(4, &[&subject])]);
    let response = draft.sign(&chain.leaf_key, &signed.leaf);
    let authorities = [authority(&signed, Window::default())];
    let timestamp = tsp::verify(&response, Stamped::Message(MESSAGE), &authorities, &AwsLc, NOW);
    let timestamp = timestamp.expect("a right token");
    let info = timestamp.info();
    let expected = digest(&AwsLc, HashAlgorithm::Sha256, MESSAGE);
    assert_eq!(info.message_imprint.to_digest(), Some(expected));
    assert_eq!(info.policy.to_string(), "1.3.6.1.4.1.32473.1");
    assert_eq!((info.serial, info.nonce), (&[0x12, 0x67][..], Some(&[5][..])));
    assert_eq!(info.gen_time.seconds, NOW.minus_seconds(3_600));
    assert_eq!(info.accuracy, Accuracy { seconds: 1, millis: 2, micros: 3 });
    assert_eq!(info.ordering, Flag::Yes);
    assert_eq!(info.tsa, Some(GeneralName::Directory(&subject)));
    assert_eq!(timestamp.path().leaf().raw, signed.leaf);
}

#[test]
fn holds_an_answer_against_its_request() {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.info.nonce = der::integer_verbatim(&[1, 2, 3]);
    let response = draft.sign(&chain.leaf_key, &signed.leaf);
    let authorities = [authority(&signed, Window::default())];
    let timestamp = tsp::verify(&response, Stamped::Message(MESSAGE), &authorities, &AwsLc, NOW);
    let timestamp = timestamp.expect("a right token");
    let answer = |nonce: Option<&[u8]>, policy: Option<&str>| {
        let policy = policy.map(|text| text.parse().expect("an object identifier"));
        tsp::verify_answer(timestamp.info(), nonce, policy).map_err(|finding| finding.code)
    };
    assert_eq!(answer(None, None), Ok(()));
    assert_eq!(answer(Some(&[1, 2, 3]), Some("1.3.6.1.4.1.32473.1")), Ok(()));
    assert_eq!(answer(Some(&[1, 2, 4]), None), Err(FindingCode::TIMESTAMP_NONCE_MISMATCH));
    let other = answer(Some(&[1, 2, 3]), Some("1.3.6.1.4.1.32473.2"));
    assert_eq!(other, Err(FindingCode::TIMESTAMP_POLICY_MISMATCH));
}
