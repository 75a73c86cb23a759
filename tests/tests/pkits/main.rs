//! NIST's Public Key Interoperability Test Suite, every case of its sections 4.1 to 4.16, and its
//! 405 certificates and 173 CRLs through every reader.
//!
//! The suite comes from the Python package `cryptography_vectors`, which `scripts/setup test`
//! installs. Its end entities are for e-mail, which our purposes refuse before anything else, so a
//! case is *transplanted*: see [`transplant`]. Expected outcomes are in `data/pkits/cases.txt`,
//! what we refuse knowingly in `data/pkits/exceptions.txt`.

mod cases;
mod files;
mod transplant;

use std::collections::BTreeMap;

use countersign_core::{
    crl::{self, CertificateList},
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    finding::FindingCode,
    inspect::inspect,
    policy::{Policy, Revocation},
    revocation::{Known, RevocationEvidence, Subject, decide},
    time::UnixSeconds,
    x509::{
        Certificate, Purpose, VerifiedLink, path,
        profile::{self, Profile},
    },
};

use self::{
    cases::{Case, Expected},
    files::Suite,
    transplant::Transplant,
};

/// 2020-01-01T00:00:00Z, in the validity of everything that is to be valid.
const AT: UnixSeconds = UnixSeconds::new(1_577_836_800);

/// Why a case is refused; nothing when it passes.
type Outcome = Result<(), FindingCode>;

fn rules() -> Revocation {
    let policy = Policy::for_identity("release@example.com", None).expect("a policy");
    policy.revocation
}

/// Path validation and revocation of every certificate below the anchor.
fn outcome(case: &Transplant, crypto: &dyn CryptoProvider) -> Outcome {
    let leaf = Certificate::decode(&case.leaf).map_err(|_| FindingCode::CERTIFICATE_MALFORMED)?;
    let intermediates: Vec<&[u8]> = case.intermediates.iter().map(Vec::as_slice).collect();
    let code = |finding: countersign_core::finding::Finding| finding.code;
    let path =
        path::verify(&leaf, &intermediates, &[&case.anchor], AT, Purpose::CodeSigning, crypto)
            .map_err(code)?;
    let crls: Vec<&[u8]> = case.crls.iter().map(Vec::as_slice).collect();
    let mut evidence = RevocationEvidence::decode(&crls, &[]).map_err(code)?;
    for (index, link) in path.links().enumerate() {
        let subject = if index == 0 { Subject::Signer } else { Subject::Authority };
        let standing = evidence.standing(link, &rules(), crypto, AT);
        let Some(known) = standing.known else {
            let fault = standing.faults.first().map(|fault| fault.code);
            return Err(fault.unwrap_or(FindingCode::REVOCATION_UNAVAILABLE));
        };
        let decided = decide(&known, subject, None, &rules(), AT);
        if let Some(finding) = decided.iter().find(|finding| finding.code.exit_code() != 0) {
            return Err(finding.code);
        }
    }
    Ok(())
}

#[test]
fn every_valid_case_is_accepted_or_excepted() {
    let suite = Suite::load();
    let exceptions = cases::exceptions();
    let mut faults = Vec::new();
    let (mut accepted, mut invalid) = (0, 0);
    let cases = cases::all();
    for case in &cases {
        let transplant = Transplant::of(case, &suite);
        let native = outcome(&transplant, &AwsLc);
        assert_eq!(
            native,
            outcome(&transplant, &RustCrypto),
            "{}: rustcrypto differs",
            case.number
        );
        let exception = exceptions.get(&case.number).map(String::as_str);
        match (case.expected, native, exception) {
            (Expected::Valid, Ok(()), None) => accepted += 1,
            (Expected::Invalid, _, None) => invalid += 1,
            (Expected::Valid, Err(code), Some(listed)) if code.code() == listed => {}
            (expected, found, listed) => {
                let found = found.map_or_else(FindingCode::code, |()| "accepted");
                let Case { number, leaf, .. } = case;
                faults.push(format!("{number} {leaf}: {expected:?}, {found}, listed {listed:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(accepted + invalid + exceptions.len(), cases.len());
}

#[test]
fn no_case_that_must_be_refused_is_accepted() {
    assert_eq!(wrongly_accepted(), Vec::<String>::new());
}

fn wrongly_accepted() -> Vec<String> {
    let suite = Suite::load();
    let mut accepted = Vec::new();
    for case in cases::all() {
        let passes =
            |crypto: &dyn CryptoProvider| outcome(&Transplant::of(&case, &suite), crypto).is_ok();
        if case.expected == Expected::Invalid && (passes(&AwsLc) || passes(&RustCrypto)) {
            accepted.push(case.number);
        }
    }
    accepted
}

#[test]
fn the_table_is_whole() {
    let cases = cases::all();
    let mut sections = BTreeMap::new();
    for case in &cases {
        let section = case.number.rsplit_once('.').expect("a number with dots").0.to_owned();
        *sections.entry(section).or_insert(0) += 1;
    }
    let expected = [
        ("4.1", 6),
        ("4.10", 14),
        ("4.11", 11),
        ("4.12", 10),
        ("4.13", 38),
        ("4.14", 35),
        ("4.15", 10),
        ("4.16", 2),
        ("4.2", 8),
        ("4.3", 11),
        ("4.4", 21),
        ("4.5", 8),
        ("4.6", 17),
        ("4.7", 5),
        ("4.8", 20),
        ("4.9", 8),
    ];
    let expected = expected.map(|(section, count)| (section.to_owned(), count));
    assert_eq!(sections, BTreeMap::from(expected));
    for number in cases::exceptions().keys() {
        let case = cases.iter().find(|case| case.number == *number).expect("a case of that number");
        assert_eq!(
            case.expected,
            Expected::Valid,
            "{number}: what must be refused is never excused"
        );
    }
}

/// What is known of the end certificate, from what its issuer signed.
fn known(
    leaf: &[u8],
    issuers: &[Vec<u8>],
    crls: &[Vec<u8>],
) -> Option<(Option<Known>, Vec<FindingCode>)> {
    let leaf = Certificate::decode(leaf).ok()?;
    let issuers = issuers.iter().filter_map(|raw| Certificate::decode(raw).ok());
    let issuers: Vec<Certificate<'_>> = issuers.collect();
    let mut links = issuers.iter().flat_map(|issuer| VerifiedLink::verify(&leaf, issuer, &AwsLc));
    let link = links.next()?;
    let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
    let mut evidence = RevocationEvidence::decode(&crls, &[]).expect("within the budget");
    let standing = evidence.standing(link, &rules(), &AwsLc, AT);
    Some((standing.known, standing.faults.iter().map(|fault| fault.code).collect()))
}

#[test]
fn transplanting_changes_nothing_about_revocation() {
    let suite = Suite::load();
    let mut compared = 0;
    for case in cases::all() {
        let transplant = Transplant::of(&case, &suite);
        let original = |names: &[String], kind: fn(&Suite, &str) -> Vec<u8>| -> Vec<Vec<u8>> {
            names.iter().map(|name| transplant::readable(&kind(&suite, name))).collect()
        };
        let mut issuers = original(&case.intermediates, Suite::certificate);
        issuers.push(suite.certificate(files::ANCHOR));
        let lists = original(&case.crls, Suite::crl);
        let Some(theirs) = known(&suite.certificate(&case.leaf), &issuers, &lists) else {
            continue;
        };
        let mut issuers = transplant.intermediates.clone();
        issuers.push(transplant.anchor.clone());
        let ours = known(&transplant.leaf, &issuers, &transplant.crls);
        assert_eq!(Some(theirs), ours, "{}", case.number);
        compared += 1;
    }
    // All but the DSA ones, those with a wrong signature and those whose names do not chain, even
    // when they are compared as RFC 5280 §7.1 says.
    assert_eq!(compared, 217);
}

#[test]
fn every_certificate_and_every_list_can_be_read() {
    let suite = Suite::load();
    let mut unreadable = Vec::new();
    for (name, raw) in suite.certificates() {
        match Certificate::decode(raw) {
            Ok(certificate) => {
                assert_eq!(certificate.raw, raw);
                for each in Profile::ALL {
                    // An e-mail end entity or a PKITS CA fits no profile of ours.
                    assert!(!profile::inspect(&certificate, each).is_empty(), "{name} as {each:?}");
                }
            }
            Err(error) => unreadable.push(format!("{name}: {error}")),
        }
        assert!(inspect(raw).is_ok() == Certificate::decode(raw).is_ok(), "{name}");
    }
    for (name, raw) in suite.crls() {
        match CertificateList::decode(raw) {
            Ok(list) => {
                assert!(list.entries().all(|entry| entry.is_ok()), "{name}");
                // The lint may find anything; it may not fail.
                let _ = crl::inspect(&list);
            }
            Err(error) => unreadable.push(format!("{name}: {error}")),
        }
    }
    let expected = [
        // Signatures spoiled by their count of unused bits (X.690 §11.2.1).
        "BadSignedCACert: signatureValue is not valid DER",
        "InvalidDSASignatureTest6EE: signatureValue is not valid DER",
        // notBefore in 1950: times before 1970 are not represented.
        "Validpre2000UTCnotBeforeDateTest3EE: notBefore is not valid DER",
        "BadCRLSignatureCACRL: signatureValue is not valid DER",
    ];
    assert_eq!(unreadable, expected);
    assert_eq!((suite.certificates().count(), suite.crls().count()), (405, 173));
}
