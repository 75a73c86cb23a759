//! What `openssl` makes and nobody should trust, core refuses with the code that says why.

use countersign_core::{
    finding::FindingCode,
    report::{Report, Verdict},
};

use crate::authority::{Authority, Keys, USUAL, now};

const DAY: i64 = 86_400;

#[track_caller]
fn assert_code(report: &Report, code: FindingCode) {
    let decisive = report.decisive().map(|finding| finding.code);
    assert_eq!(decisive, Some(code), "{:#?}", report.findings());
    assert_eq!(report.exit_code(), code.exit_code());
}

#[test]
fn revoked_signers_are_rejected_by_crl_and_by_ocsp() {
    let cases = [
        ("-crl_compromise 20260101000000Z", FindingCode::REVOKED),
        ("-crl_reason keyCompromise", FindingCode::REVOKED),
        ("-crl_reason superseded", FindingCode::REVOKED),
        ("", FindingCode::REVOKED),
        ("-crl_hold holdInstructionCallIssuer", FindingCode::REVOKED_ON_HOLD),
    ];
    for (why, code) in cases {
        rejects_revoked(&Authority::new(Keys::P384), why, code);
    }
    for keys in [Keys::P256, Keys::Rsa] {
        rejects_revoked(&Authority::new(keys), "", FindingCode::REVOKED);
    }
}

#[track_caller]
fn rejects_revoked(theirs: &Authority, why: &str, code: FindingCode) {
    // Revoked first: what is signed then cannot be older.
    theirs.revoke("signer", why);
    let bundle = theirs.sign_as("signer", Some(USUAL));
    assert_code(&theirs.verify(&bundle, &[theirs.crl("signing")], &[]), code);
    let response = theirs.ocsp("signer", "ocsp", "");
    assert_code(&theirs.verify(&bundle, &[], &[response]), code);
}

#[test]
fn a_compromise_dated_before_the_timestamp_rejects_what_was_signed_before_it_was_known() {
    let theirs = Authority::new(Keys::P384);
    let bundle = theirs.sign_as("signer", Some(USUAL));
    theirs.revoke("signer", "-crl_compromise 20260101000000Z");
    assert_code(&theirs.verify(&bundle, &[theirs.crl("signing")], &[]), FindingCode::REVOKED);
}

#[test]
fn evidence_by_others_for_others_or_out_of_date_clears_nobody() {
    let theirs = Authority::new(Keys::P384);
    let bundle = theirs.sign_as("signer", Some(USUAL));
    // The same names, other keys.
    let strangers = Authority::new(Keys::P384);
    let forged = strangers.crl("signing");
    assert_code(&theirs.verify(&bundle, &[forged], &[]), FindingCode::CRL_SIGNATURE);
    let of_another_ca = theirs.crl("timestamping");
    let report = theirs.verify(&bundle, &[of_another_ca], &[]);
    assert_eq!(report.verdict(), Verdict::NotChecked, "{:#?}", report.findings());

    let unfit = theirs.ocsp("signer", "signer", "");
    assert_code(&theirs.verify(&bundle, &[], &[unfit]), FindingCode::OCSP_NOT_AUTHORISED);
    let unknown = {
        // A certificate that the index does not know.
        let index = theirs.bench.read("signing.index");
        theirs.bench.write("signing.index", "");
        let response = theirs.ocsp("signer", "ocsp", "");
        theirs.bench.write("signing.index", index);
        response
    };
    assert_code(&theirs.verify(&bundle, &[], &[unknown]), FindingCode::REVOCATION_UNKNOWN);

    let crl = theirs.crl("signing");
    let ocsp = theirs.ocsp("signer", "ocsp", "");
    let later = now().plus_seconds(8 * DAY);
    assert_code(&theirs.verify_at(&bundle, &[crl], &[], later), FindingCode::REVOCATION_STALE);
    assert_code(&theirs.verify_at(&bundle, &[], &[ocsp], later), FindingCode::REVOCATION_STALE);
}

#[test]
fn certificates_of_the_wrong_kind_are_refused_with_the_reason() {
    let theirs = Authority::new(Keys::P256);
    theirs.issue("signing", "server", "x_server", "");
    theirs.issue("signing", "someone", "x_other_signer", "");
    let past = "-startdate 20250101000000Z -enddate 20250201000000Z";
    theirs.issue("signing", "past", "x_signer", past);
    theirs.issue("root", "direct", "x_signer", "");
    theirs.issue_for(
        "signing",
        "weak",
        "x_signer",
        "",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
    );
    for (name, code) in [
        ("server", FindingCode::CERTIFICATE_WRONG_USE),
        ("someone", FindingCode::CERTIFICATE_UNEXPECTED_IDENTITY),
        ("past", FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED),
        ("signing", FindingCode::CERTIFICATE_WRONG_USE),
        ("weak", FindingCode::CERTIFICATE_KEY_TOO_WEAK),
    ] {
        let bundle = theirs.sign_as(name, Some(USUAL));
        let report = theirs.verify(&bundle, &[theirs.crl("signing")], &[]);
        let found = report.findings().iter().any(|finding| finding.code == code);
        assert!(found, "{name}: {:#?}", report.findings());
        assert_eq!(report.verdict(), Verdict::Rejected, "{name}");
    }
    // The root may issue signers itself: then its own CRL says whether they are revoked.
    let bundle = theirs.sign_as("direct", Some(USUAL));
    let verdict = |ca: &str| theirs.verify(&bundle, &[theirs.crl(ca)], &[]).verdict();
    assert_eq!(verdict("root"), Verdict::Verified);
    assert_eq!(verdict("signing"), Verdict::NotChecked);
}

#[test]
fn a_signature_by_another_key_and_a_timestamp_of_another_signature_are_refused() {
    let theirs = Authority::new(Keys::P384);
    let crl = [theirs.crl("signing")];
    let by_another = theirs.signature("ocsp", crate::authority::FILE, "");
    let bundle = theirs.bundle_of("signer", &by_another, Some(USUAL));
    assert_code(&theirs.verify(&bundle, &crl, &[]), FindingCode::SIGNATURE_MISMATCH);

    let stranger = Authority::new(Keys::P384);
    let report = theirs.verify(&stranger.sign_as("signer", Some(USUAL)), &crl, &[]);
    let codes: Vec<_> = report.findings().iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&FindingCode::CERTIFICATE_UNKNOWN_ISSUER), "{codes:?}");
    assert!(codes.contains(&FindingCode::TIMESTAMP_AUTHORITY_NOT_TRUSTED), "{codes:?}");
}
