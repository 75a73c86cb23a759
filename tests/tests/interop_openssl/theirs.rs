//! What `openssl` makes, core verifies.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    report::{Report, Verdict},
    trust::TrustRoot,
    tsp::{self, Stamped},
};

use crate::authority::{Authority, FILE, IDENTITY, Keys, Stamp, USUAL, now, wait_until_after};

#[track_caller]
fn assert_verified(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert_eq!(report.signer.as_ref().map(|signer| signer.identity.as_str()), Some(IDENTITY));
    assert!(report.signed_by().is_some(), "a timestamp counts");
}

#[test]
fn a_file_signed_stamped_and_cleared_by_openssl_is_verified() {
    for keys in Keys::ALL {
        let theirs = Authority::new(keys);
        let signed = theirs.sign_as("signer", Some(USUAL));
        let sign = |message: &[u8]| theirs.signature("signer", message, "");
        let attested = theirs.attest_with("signer", Some(USUAL), sign);
        let crl = theirs.crl("signing");
        let ocsp = theirs.ocsp("signer", "ocsp", "");
        for bundle in [&signed, &attested] {
            assert_verified(&theirs.verify(bundle, std::slice::from_ref(&crl), &[]));
            assert_verified(&theirs.verify(bundle, &[], std::slice::from_ref(&ocsp)));
            assert_verified(&theirs.verify(bundle, &[crl.clone(), theirs.crl("root")], &[]));
            let silent = theirs.verify(bundle, &[], &[]);
            assert_eq!(silent.verdict(), Verdict::NotChecked, "{keys:?}: nothing cleared it");
        }
    }
}

#[test]
fn ocsp_responses_by_the_issuer_itself_and_with_sha256_ids_count() {
    let theirs = Authority::new(Keys::P384);
    let bundle = theirs.sign_as("signer", Some(USUAL));
    for (responder, options) in [("ocsp", "-sha256"), ("ocsp", "-sha384"), ("signing", "")] {
        let response = theirs.ocsp("signer", responder, options);
        assert_verified(&theirs.verify(&bundle, &[], &[response]));
    }
}

#[test]
fn tokens_of_every_shape_that_openssl_makes_verify() {
    for keys in Keys::ALL {
        let theirs = Authority::new(keys);
        let trust = theirs.trust();
        for query in [
            "-sha256 -cert",
            "-sha384",
            "-sha512 -no_nonce",
            "-sha256 -tspolicy 1.3.6.1.4.1.32473.8",
        ] {
            for section in ["tsa", "tsa_talkative"] {
                let response = theirs.stamp(FILE, Stamp { query, section });
                verify_token(&trust, &response, query);
            }
        }
    }
}

fn verify_token(trust: &TrustRoot, response: &[u8], query: &str) {
    let authorities = &trust.timestamp_authorities;
    let over =
        |message| tsp::verify(response, Stamped::Message(message), authorities, &AwsLc, now());
    let verified = over(FILE).unwrap_or_else(|finding| panic!("{query}: {finding:?}"));
    let policy = if query.contains("tspolicy") { "32473.8" } else { "32473.7" };
    assert!(verified.info().policy.to_string().ends_with(policy), "{query}");
    assert_eq!(
        over(b"another").expect_err("other data").code,
        FindingCode::TIMESTAMP_IMPRINT_MISMATCH
    );
    let imprint = verified.info().message_imprint.to_digest().expect("a known hash");
    let expected = [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512]
        .map(|algorithm| digest(&AwsLc, algorithm, FILE));
    assert!(expected.contains(&imprint), "{query}");
}

#[test]
fn signatures_of_other_kinds_verify() {
    let theirs = Authority::new(Keys::Rsa);
    let crl = [theirs.crl("signing")];
    let padded = theirs.signature(
        "signer",
        FILE,
        "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest",
    );
    assert_verified(&theirs.verify(&theirs.bundle_of("signer", &padded, Some(USUAL)), &crl, &[]));

    theirs.issue_for("signing", "edwards", "x_signer", "", "-algorithm ED25519");
    let attested = theirs.attest_with("edwards", Some(USUAL), |message| {
        theirs.bench.write("message", message);
        theirs.bench.openssl("pkeyutl -sign -rawin -inkey edwards.key -in message -out signature");
        theirs.bench.read("signature")
    });
    assert_verified(&theirs.verify(&attested, &crl, &[]));
}

#[test]
fn what_was_signed_before_its_certificate_was_superseded_stays_verified() {
    let theirs = Authority::new(Keys::P384);
    let bundle = theirs.sign_as("signer", Some(USUAL));
    let before = theirs.verify(&bundle, &[theirs.crl("signing")], &[]);
    assert_verified(&before);
    wait_until_after(before.signed_by().expect("a proven time"));
    theirs.revoke("signer", "-crl_reason superseded");
    let crl = theirs.crl("signing");
    let ocsp = theirs.ocsp("signer", "ocsp", "");
    for (crls, ocsp) in [(vec![crl], vec![]), (vec![], vec![ocsp])] {
        let report = theirs.verify(&bundle, &crls, &ocsp);
        assert_verified(&report);
        let noted = report
            .findings()
            .iter()
            .any(|finding| finding.code == FindingCode::REVOKED_AFTER_SIGNING);
        assert!(noted, "{:#?}", report.findings());
    }
}
