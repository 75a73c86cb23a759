//! What the one door answers: one change to a genuine set of evidence, one code.

use countersign_core::{
    bundle::Bundle,
    crl::RevocationReason,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    policy::Policy,
    report::{Question, Report, Verdict},
    time::UnixSeconds,
};
use countersign_signing::{
    key::{NewKey, Signer},
    ocsp::CertificateStatus,
    profile::Authority,
};
use countersign_tests::world::{Given, IDENTITY, NOW, World};

const FILE: &[u8] = b"the published program";
const DAY: i64 = 86_400;
/// When the files were signed.
const SIGNED: UnixSeconds = NOW.minus_seconds(3_600);

#[track_caller]
fn assert_verified(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert_eq!(report.exit_code(), 0);
}

#[track_caller]
fn assert_code(report: &Report, code: FindingCode) {
    let decisive = report.decisive().map(|finding| finding.code);
    assert_eq!(decisive, Some(code), "{:#?}", report.findings());
    assert_eq!(report.exit_code(), code.exit_code());
    assert_ne!(report.verdict(), Verdict::Verified);
}

fn has(report: &Report, code: FindingCode) -> bool {
    report.findings().iter().any(|finding| finding.code == code)
}

fn policy(text: &str) -> Policy {
    Policy::decode(text.as_bytes()).unwrap_or_else(|finding| panic!("{finding:?}"))
}

/// A policy with the usual signer and other rules.
fn rules(rules: &str) -> Policy {
    policy(&format!(
        r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}],{rules}}}"#
    ))
}

#[test]
fn verifies_genuine_files_with_both_kinds_of_bundle() {
    let world = World::new();
    for bundle in [world.sign(FILE, Some(SIGNED)), world.attest("app", FILE, Some(SIGNED))] {
        let report = world.verify(&bundle, &world.given(FILE));
        assert_verified(&report);
        assert_eq!(report.signed_by(), Some(SIGNED.plus_seconds(1)), "genTime and one second");
        let signer = report.signer.as_ref().expect("a proven signer");
        assert_eq!(signer.identity, IDENTITY);
        assert_eq!(signer.chain.len(), 3);
        let answered: Vec<Question> = report.checks.iter().map(|check| check.question).collect();
        assert_eq!(answered, Question::ALL);
    }
}

#[test]
fn verifies_with_every_key_algorithm() {
    for algorithm in [NewKey::P256, NewKey::Rsa3072] {
        let world = World::with_algorithm(algorithm);
        assert_verified(&world.verify(&world.sign(FILE, Some(SIGNED)), &world.given(FILE)));
        assert_verified(
            &world.verify(&world.attest("app", FILE, Some(SIGNED)), &world.given(FILE)),
        );
    }
}

#[test]
fn tells_kinds_of_wrong_files_apart() {
    let world = World::new();
    let attested = world.attest("app", FILE, Some(SIGNED));
    let given =
        |name: &str, file: &[u8]| Given { name: Some(name.to_owned()), ..world.given(file) };

    let flipped = world.verify(&attested, &given("app", b"the published progrAm"));
    assert_code(&flipped, FindingCode::CONTENT_MISMATCH);
    assert_eq!(flipped.verdict(), Verdict::Rejected);
    assert_code(
        &world.verify(&attested, &given("app", b"the published pro")),
        FindingCode::CONTENT_INCOMPLETE,
    );
    assert_code(
        &world.verify(&attested, &given("other", b"another program of the same length")),
        FindingCode::CONTENT_OTHER_FILE,
    );
    let renamed = world.verify(&attested, &given("app (1)", FILE));
    assert_verified(&renamed);
    assert!(has(&renamed, FindingCode::NAME_DIFFERS));

    let signed = world.sign(FILE, Some(SIGNED));
    assert_code(&world.verify(&signed, &given("app", b"other")), FindingCode::CONTENT_MISMATCH);
}

/// Another file of the same release under this name is a mix-up, however genuine it is.
#[test]
fn a_name_in_the_statement_binds_to_its_own_digest() {
    let world = World::new();
    let hex = |octets: &[u8]| digest(&AwsLc, HashAlgorithm::Sha256, octets).hex();
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "app-0.9", "digest": {"sha256": hex(b"old")}},
            {"name": "app-1.2", "digest": {"sha256": hex(b"new")}},
        ],
        "predicateType": "https://in-toto.io/attestation/release/v0.1",
    });
    let bundle = world.seal(statement.to_string().as_bytes(), Some(SIGNED));
    let given =
        |name: &str, file: &[u8]| Given { name: Some(name.to_owned()), ..world.given(file) };
    assert_verified(&world.verify(&bundle, &given("app-1.2", b"new")));
    assert_code(&world.verify(&bundle, &given("app-1.2", b"old")), FindingCode::CONTENT_MISMATCH);
    assert!(has(&world.verify(&bundle, &given("app", b"old")), FindingCode::NAME_DIFFERS));
}

/// Whoever staples a certificate to a signature of somebody else is not named as its owner.
#[test]
fn names_no_signer_without_a_signature() {
    let world = World::new();
    let text = String::from_utf8(world.sign(FILE, Some(SIGNED))).expect("JSON");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let other = world.timestamp_authority.key.sign(FILE).expect("a signature");
    json["messageSignature"]["signature"] =
        <base64ct::Base64 as base64ct::Encoding>::encode_string(&other).into();
    let report = world.verify(json.to_string().as_bytes(), &world.given(FILE));
    assert_code(&report, FindingCode::SIGNATURE_MISMATCH);
    assert_eq!(report.signer, None);
    let same_file = report.checks.first().expect("a check");
    assert_eq!(same_file.outcome, countersign_core::report::Outcome::NotChecked);
}

#[test]
fn says_which_digest_is_missing() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED));
    let decoded = Bundle::decode(&bundle).expect("our bundle decodes");
    let wanted = decoded.artifact_algorithms();
    assert_eq!(wanted, [HashAlgorithm::Sha384]);
    let trust = world.trust();
    let crl = world.given(FILE).crls.remove(0);
    let evidence = countersign_core::Evidence {
        artifact: countersign_core::Artifact::default(),
        bundle: &bundle,
        crls: &[&crl],
        ocsp_responses: &[],
        key: None,
        ..countersign_core::Evidence::default()
    };
    let report = countersign_core::verify(&evidence, &trust, &world.policy(), &AwsLc, NOW);
    assert_code(&report, FindingCode::CONTENT_DIGEST_NOT_SUPPLIED);
    assert_eq!(report.verdict(), Verdict::NotChecked);
}

#[test]
fn accepts_only_the_expected_signer() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED));
    let given = world.given(FILE);
    let under = |policy: &Policy| world.verify_under(policy, &bundle, &given, &AwsLc);

    let stranger = Policy::for_identity("other@example.com", None).expect("a policy");
    assert_code(&under(&stranger), FindingCode::CERTIFICATE_UNEXPECTED_IDENTITY);
    let provider = Policy::for_identity(IDENTITY, Some("https://login.example")).expect("a policy");
    assert_code(&under(&provider), FindingCode::CERTIFICATE_UNEXPECTED_OIDC_ISSUER);
    let pattern = Policy::for_identity("*@example.com", None).expect("a policy");
    assert_verified(&under(&pattern));
    let elsewhere = policy(
        r#"{"version":1,"signers":[{"files":["lib-*"],"identities":["release@example.com"]}]}"#,
    );
    assert_code(&under(&elsewhere), FindingCode::POLICY_NO_SIGNER);
    let by_file = policy(
        r#"{"version":1,"signers":[
            {"files":["lib-*"],"identities":["release@example.com"]},
            {"files":["app"],"identities":["app@example.com"]}]}"#,
    );
    assert_code(&under(&by_file), FindingCode::CERTIFICATE_UNEXPECTED_IDENTITY);
}

#[test]
fn demands_the_predicate_that_the_policy_names() {
    let world = World::new();
    let bundle = world.attest("app", FILE, Some(SIGNED));
    let other = policy(
        r#"{"version":1,"signers":[{"files":["**"],"identities":["release@example.com"],
            "predicate_types":["https://slsa.dev/provenance/v1"]}]}"#,
    );
    let report = world.verify_under(&other, &bundle, &world.given(FILE), &AwsLc);
    assert_code(&report, FindingCode::STATEMENT_PREDICATE);
}

/// A policy that demands a predicate is not met by a signature that states nothing.
#[test]
fn a_bare_signature_meets_no_demand_for_a_predicate() {
    let world = World::new();
    let rule = |predicates: &str| {
        format!(
            r#"{{"files":["**"],"identities":["{IDENTITY}"],"predicate_types":[{predicates}]}}"#
        )
    };
    let demanding = policy(&format!(
        r#"{{"version":1,"signers":[{}]}}"#,
        rule(r#""https://slsa.dev/provenance/v1""#)
    ));
    let (signed, attested) =
        (world.sign(FILE, Some(SIGNED)), world.attest("app", FILE, Some(SIGNED)));
    let given = world.given(FILE);
    let report = world.verify_under(&demanding, &signed, &given, &AwsLc);
    assert_code(&report, FindingCode::STATEMENT_PREDICATE);
    // Any rule for the signer will do, not only the first.
    let either = policy(&format!(
        r#"{{"version":1,"signers":[{},{}]}}"#,
        rule(r#""https://slsa.dev/provenance/v1""#),
        rule(r#""https://in-toto.io/attestation/release/v0.1""#)
    ));
    assert_verified(&world.verify_under(&either, &attested, &given, &AwsLc));
    let report = world.verify_under(&either, &signed, &given, &AwsLc);
    assert_code(&report, FindingCode::STATEMENT_PREDICATE);
}

/// A statement that contradicts itself about the file proves nothing of it.
#[test]
fn refuses_a_size_that_lies() {
    let world = World::new();
    let statement = |size: usize| {
        let statement = serde_json::json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{
                "name": "app",
                "digest": {"sha256": digest(&AwsLc, HashAlgorithm::Sha256, FILE).hex()},
                "annotations": {"size": size},
            }],
            "predicateType": "https://in-toto.io/attestation/release/v0.1",
        });
        world.seal(statement.to_string().as_bytes(), Some(SIGNED))
    };
    let given = |name: &str| Given { name: Some(name.to_owned()), ..world.given(FILE) };
    for name in ["app", "renamed"] {
        assert_verified(&world.verify(&statement(FILE.len()), &given(name)));
        let longer = world.verify(&statement(FILE.len() + 1), &given(name));
        assert_code(&longer, FindingCode::CONTENT_INCOMPLETE);
        let shorter = world.verify(&statement(FILE.len() - 1), &given(name));
        assert_code(&shorter, FindingCode::CONTENT_MISMATCH);
    }
}

#[test]
fn a_stranger_with_the_same_names_is_not_trusted() {
    let world = World::new();
    let stranger = World::new();
    let report = world.verify(&stranger.sign(FILE, Some(SIGNED)), &world.given(FILE));
    assert!(has(&report, FindingCode::CERTIFICATE_UNKNOWN_ISSUER), "{:#?}", report.findings());
    assert!(has(&report, FindingCode::TIMESTAMP_AUTHORITY_NOT_TRUSTED), "{:#?}", report.findings());
    assert_eq!(report.verdict(), Verdict::Rejected);
    assert!(report.signer.is_none(), "a stranger is not named as the signer");
}

#[test]
fn demands_a_timestamp_and_judges_the_certificate_by_it() {
    let world = World::new();
    let given = world.given(FILE);
    let unstamped = world.sign(FILE, None);
    assert_code(&world.verify(&unstamped, &given), FindingCode::TIMESTAMP_ABSENT);
    let without = rules(r#""timestamps":{"required":0}"#);
    assert_verified(&world.verify_under(&without, &unstamped, &given, &AwsLc));

    // The signer's certificate is valid for a year: later, only the timestamp carries it.
    let later = NOW.plus_seconds(2 * 365 * DAY);
    let fresh = vec![world.crl(Authority::Signing, later.minus_seconds(60), &[])];
    let then = Given { now: later, crls: fresh, ..given.clone() };
    assert_verified(&world.verify(&world.sign(FILE, Some(SIGNED)), &then));
    assert_code(
        &world.verify_under(&without, &unstamped, &then, &AwsLc),
        FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED,
    );
    assert_code(&world.verify(&unstamped, &then), FindingCode::TIMESTAMP_ABSENT);

    let stamped_late = world.sign(FILE, Some(later.minus_seconds(DAY)));
    assert_code(&world.verify(&stamped_late, &then), FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED);
    let two = rules(r#""timestamps":{"required":2}"#);
    let report = world.verify_under(&two, &world.sign(FILE, Some(SIGNED)), &given, &AwsLc);
    assert_code(&report, FindingCode::TIMESTAMP_ABSENT);
}

#[test]
fn refuses_timestamps_over_other_signatures_and_from_the_future() {
    let world = World::new();
    let given = world.given(FILE);
    // The timestamp of another release in this bundle.
    let other = Bundle::decode(&world.sign(b"another release", Some(SIGNED))).expect("a bundle");
    let text = String::from_utf8(world.sign(FILE, Some(SIGNED))).expect("JSON");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    json["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"] =
        <base64ct::Base64 as base64ct::Encoding>::encode_string(&other.timestamps[0]).into();
    let report = world.verify(json.to_string().as_bytes(), &given);
    assert_code(&report, FindingCode::TIMESTAMP_IMPRINT_MISMATCH);

    let future = world.sign(FILE, Some(NOW.plus_seconds(3_600)));
    assert_code(&world.verify(&future, &given), FindingCode::TIMESTAMP_FUTURE);
}

#[test]
fn revocation_respects_proven_time() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED));
    let serial = world.signer.serial();
    let with = |reason, date| {
        let crl =
            world.crl(Authority::Signing, NOW.minus_seconds(30), &[(serial.clone(), reason, date)]);
        world.verify(&bundle, &Given { crls: vec![crl], ..world.given(FILE) })
    };
    let (before, after) = (SIGNED.minus_seconds(60), SIGNED.plus_seconds(60));

    let noted = with(RevocationReason::Superseded, after);
    assert_verified(&noted);
    assert!(has(&noted, FindingCode::REVOKED_AFTER_SIGNING));
    let warned = with(RevocationReason::KeyCompromise, after);
    assert_verified(&warned);
    assert!(has(&warned, FindingCode::COMPROMISED_AFTER_SIGNING));
    assert_code(&with(RevocationReason::KeyCompromise, before), FindingCode::REVOKED);
    assert_code(&with(RevocationReason::Superseded, before), FindingCode::REVOKED);
    assert_code(&with(RevocationReason::CertificateHold, before), FindingCode::REVOKED_ON_HOLD);

    let strict = rules(r#""revocation":{"compromise":"reject"}"#);
    let crl = world.crl(
        Authority::Signing,
        NOW.minus_seconds(30),
        &[(serial, RevocationReason::KeyCompromise, after)],
    );
    let given = Given { crls: vec![crl], ..world.given(FILE) };
    let report = world.verify_under(&strict, &bundle, &given, &AwsLc);
    assert_code(&report, FindingCode::REVOKED_COMPROMISE_STRICT);
}

#[test]
fn a_revoked_intermediate_rejects_what_it_issued() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED));
    let intermediate =
        countersign_tests::world::decoded(world.authority.certificate(Authority::Signing));
    let root_crl = world.crl(
        Authority::Root,
        NOW.minus_seconds(30),
        &[(
            intermediate.serial.to_vec(),
            RevocationReason::CaCompromise,
            SIGNED.minus_seconds(DAY),
        )],
    );
    let mut given = world.given(FILE);
    given.crls.push(root_crl);
    assert_code(&world.verify(&bundle, &given), FindingCode::REVOKED_AUTHORITY);
}

#[test]
fn a_compromised_timestamp_authority_voids_its_timestamps() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED));
    let with = |reason| {
        let entry = (world.timestamp_authority.serial(), reason, SIGNED.plus_seconds(DAY));
        let mut given = world.given(FILE);
        given.crls.push(world.crl(Authority::Timestamping, NOW.minus_seconds(30), &[entry]));
        // The entry's date must not lie after thisUpdate in a real list; here only T < D matters.
        world.verify(&bundle, &given)
    };
    assert_code(&with(RevocationReason::KeyCompromise), FindingCode::TIMESTAMP_AUTHORITY_REVOKED);
    assert_verified(&with(RevocationReason::Superseded));
}

#[test]
fn missing_or_unusable_evidence_is_never_a_pass() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED));
    let with = |crls: Vec<Vec<u8>>, ocsp: Vec<Vec<u8>>| {
        world.verify(&bundle, &Given { crls, ocsp, ..world.given(FILE) })
    };
    let stranger = World::new();

    assert_code(&with(vec![], vec![]), FindingCode::REVOCATION_UNAVAILABLE);
    let foreign = stranger.crl(Authority::Signing, NOW.minus_seconds(60), &[]);
    assert_code(&with(vec![foreign], vec![]), FindingCode::CRL_SIGNATURE);
    let stale = world.crl(Authority::Signing, NOW.minus_seconds(2 * DAY), &[]);
    assert_code(&with(vec![stale], vec![]), FindingCode::REVOCATION_STALE);
    let early = world.crl(Authority::Signing, NOW.plus_seconds(2 * DAY), &[]);
    assert_code(&with(vec![early], vec![]), FindingCode::REVOCATION_STALE);
    assert_code(&with(vec![b"junk".to_vec()], vec![]), FindingCode::CRL_MALFORMED);
    assert_code(&with(vec![], vec![b"junk".to_vec()]), FindingCode::OCSP_MALFORMED);
    let unknown = world.ocsp(CertificateStatus::Unknown, NOW.minus_seconds(60));
    assert_code(&with(vec![], vec![unknown]), FindingCode::REVOCATION_UNKNOWN);
    let try_later = vec![0x30, 0x03, 0x0A, 0x01, 0x03];
    assert_code(&with(vec![], vec![try_later]), FindingCode::OCSP_REFUSED);
    let many = vec![world.crl(Authority::Signing, NOW, &[]); 40];
    assert_code(&with(many, vec![]), FindingCode::EVIDENCE_TOO_LARGE);
    assert_code(&with(vec![vec![0x30; 33 << 20]], vec![]), FindingCode::EVIDENCE_TOO_LARGE);
}

/// A bundle may leave the digest out; then the file's own is what was signed, if it is there.
#[test]
fn a_signature_without_a_digest_wants_the_right_one() {
    let world = World::new();
    let text = String::from_utf8(world.sign(FILE, Some(SIGNED))).expect("JSON");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    json["messageSignature"].as_object_mut().expect("an object").remove("messageDigest");
    let bundle = json.to_string();
    assert_verified(&world.verify(bundle.as_bytes(), &world.given(FILE)));
    let digests = [digest(&AwsLc, HashAlgorithm::Sha256, FILE)];
    let crl = world.given(FILE).crls.remove(0);
    let evidence = countersign_core::Evidence {
        artifact: countersign_core::Artifact { digests: &digests, ..Default::default() },
        bundle: bundle.as_bytes(),
        crls: &[&crl],
        ocsp_responses: &[],
        key: None,
        ..countersign_core::Evidence::default()
    };
    let report = countersign_core::verify(&evidence, &world.trust(), &world.policy(), &AwsLc, NOW);
    assert_code(&report, FindingCode::CONTENT_DIGEST_NOT_SUPPLIED);
}

#[test]
fn believes_ocsp_by_the_delegate() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED));
    let with = |status, made| {
        let ocsp = vec![world.ocsp(status, made)];
        world.verify(&bundle, &Given { crls: vec![], ocsp, ..world.given(FILE) })
    };
    assert_verified(&with(CertificateStatus::Good, NOW.minus_seconds(60)));
    let revoked = CertificateStatus::Revoked {
        reason: RevocationReason::KeyCompromise,
        revocation_time: SIGNED.minus_seconds(60),
    };
    assert_code(&with(revoked, NOW.minus_seconds(60)), FindingCode::REVOKED);
    assert_code(
        &with(CertificateStatus::Good, NOW.minus_seconds(10 * DAY)),
        FindingCode::OCSP_NOT_AUTHORISED,
    );
    assert_code(
        &with(CertificateStatus::NEVER_ISSUED, NOW.minus_seconds(60)),
        FindingCode::REVOKED,
    );
}

#[test]
fn offline_use_needs_the_policys_leave() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(SIGNED.minus_seconds(10 * 3_600)));
    let now = NOW.plus_seconds(5 * DAY);
    let given = Given { now, ..world.given(FILE) };
    assert_code(&world.verify(&bundle, &given), FindingCode::REVOCATION_STALE);
    let offline =
        rules(r#""revocation":{"offline":{"max_age_seconds":864000,"grace_seconds":3600}}"#);
    let report = world.verify_under(&offline, &bundle, &given, &AwsLc);
    assert_verified(&report);
    assert!(has(&report, FindingCode::STALE_ACCEPTED));
}

#[test]
fn each_bad_bundle_has_a_code_of_its_own() {
    let world = World::new();
    let given = world.given(FILE);
    let good = String::from_utf8(world.sign(FILE, Some(SIGNED))).expect("JSON");
    let check = |bundle: &[u8], code| assert_code(&world.verify(bundle, &given), code);

    check(b"", FindingCode::BUNDLE_EMPTY);
    check(b" \n", FindingCode::BUNDLE_EMPTY);
    check(&good.as_bytes()[..good.len() / 2], FindingCode::BUNDLE_TRUNCATED);
    check(b"\x30\x82\x01\x00", FindingCode::BUNDLE_NOT_JSON);
    check(b"[]", FindingCode::BUNDLE_MALFORMED);
    let both = good.replace(r#""certificate":"#, r#""publicKey":{"hint":"x"},"certificate":"#);
    check(both.as_bytes(), FindingCode::BUNDLE_MALFORMED);
    check(&vec![b' '; 10 * 1024 * 1024], FindingCode::BUNDLE_TOO_LARGE);
    check("[".repeat(1_000_000).as_bytes(), FindingCode::BUNDLE_TOO_DEEP);
    check(
        good.replacen('{', r#"{"mediaType":"x","#, 1).as_bytes(),
        FindingCode::BUNDLE_DUPLICATE_KEY,
    );
    check(good.replacen('{', r#"{"extra":1,"#, 1).as_bytes(), FindingCode::BUNDLE_MALFORMED);
    check(good.replace("bundle.v0.3", "bundle.v9.0").as_bytes(), FindingCode::BUNDLE_TOO_NEW);
    check(good.replace("SHA2_384", "SHA1").as_bytes(), FindingCode::CONTENT_DIGEST_WEAK);
    check(
        good.replace(r#""certificate":"#, r#""publicKey":"#).as_bytes(),
        FindingCode::BUNDLE_MALFORMED,
    );
    check(
        good.replace("\"signature\":\"", "\"signature\":\"!").as_bytes(),
        FindingCode::BUNDLE_MALFORMED,
    );
    let sealed = |payload: &str| world.seal(payload.as_bytes(), Some(SIGNED));
    check(&sealed("{"), FindingCode::STATEMENT_MALFORMED);
    check(
        &sealed(r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"y"}"#),
        FindingCode::STATEMENT_MALFORMED,
    );
    check(
        &sealed(r#"{"_type":"x","subject":[],"predicateType":"y"}"#),
        FindingCode::STATEMENT_TYPE,
    );
    check(
        &sealed(
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"md5":"00"}}],"predicateType":"y"}"#,
        ),
        FindingCode::CONTENT_DIGEST_WEAK,
    );
}

#[test]
fn a_clock_before_2020_checks_nothing() {
    let world = World::new();
    let given = Given { now: UnixSeconds::new(1_500_000_000), ..world.given(FILE) };
    assert_code(&world.verify(&world.sign(FILE, Some(SIGNED)), &given), FindingCode::CLOCK_WRONG);
}

#[test]
fn both_fillers_give_the_same_report_on_the_same_corpus() {
    for algorithm in [NewKey::P384, NewKey::P256, NewKey::Rsa3072] {
        let world = World::with_algorithm(algorithm);
        let stranger = World::with_algorithm(NewKey::P256);
        let good = world.sign(FILE, Some(SIGNED));
        let mut corpus = vec![
            good.clone(),
            world.attest("app", FILE, Some(SIGNED)),
            world.sign(b"another", Some(SIGNED)),
            world.sign(FILE, None),
            stranger.sign(FILE, Some(SIGNED)),
        ];
        // And the good one with a byte changed here and there.
        for position in (0..good.len()).step_by(97) {
            let mut mutant = good.clone();
            mutant[position] ^= 1;
            corpus.push(mutant);
        }
        let mut given = world.given(FILE);
        given.ocsp.push(world.ocsp(CertificateStatus::Good, NOW.minus_seconds(60)));
        let report = |bundle: &[u8], crypto: &dyn CryptoProvider| {
            world.verify_under(&world.policy(), bundle, &given, crypto)
        };
        for bundle in &corpus {
            let (native, portable) = (report(bundle, &AwsLc), report(bundle, &RustCrypto));
            assert_eq!(native, portable);
        }
    }
}
