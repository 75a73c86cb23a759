//! What people have in place of a bundle: which of several is used, what is read in its other
//! spellings, and what is named for what it is.

use countersign_core::{
    Artifact, EvidenceSet, Keep, Plan, Verification,
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    limits,
    policy::Policy,
    report::{Report, Verdict},
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TokenForm,
};
use countersign_tests::{
    corpus::{
        Case,
        presented::{
            github_answer, line, python_attestation, python_provenance, respelled, snake_case,
            spellings, utf16,
        },
        public_good::{CONDA, NPM, STAGING_ENVELOPE, changed},
    },
    world::{Given, NOW, World},
};
use serde_json::{Value, json};

const FILE: &[u8] = b"the published program";
const SIGNED: UnixSeconds = NOW.minus_seconds(3_600);

#[track_caller]
fn assert_verified(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
}

#[track_caller]
fn assert_code(report: &Report, code: FindingCode) {
    let decisive = report.decisive().map(|finding| finding.code);
    assert_eq!(decisive, Some(code), "{:#?}", report.findings());
    assert_ne!(report.verdict(), Verdict::Verified);
}

fn lines(bundles: &[&[u8]]) -> Vec<u8> {
    bundles.iter().map(|bundle| line(bundle)).collect::<String>().into_bytes()
}

/// Without the count of what was passed over.
fn told(report: &Report) -> Value {
    let mut report = serde_json::to_value(report).expect("JSON");
    let findings = report["findings"].as_array_mut().expect("a list");
    findings.retain(|finding| finding["code"] != "bundle.passed-over");
    report
}

#[test]
fn of_several_lines_the_one_about_the_file_is_used() {
    let world = World::new();
    let this = world.attest("app", FILE, Some(SIGNED));
    let others: Vec<Vec<u8>> = ["lib", "tool", "app-0.9"]
        .map(|name| world.attest(name, format!("{name}'s content").as_bytes(), Some(SIGNED)))
        .into();
    let alone = told(&world.verify(&this, &world.given(FILE)));
    let [a, b, c] = [0, 1, 2].map(|index| others[index].as_slice());
    for order in [
        vec![&this[..], a, b, c],
        vec![a, &this, b, c],
        vec![c, b, a, &this],
        vec![a, a, &this, c, &this, a],
    ] {
        let report = world.verify(&lines(&order), &world.given(FILE));
        assert_verified(&report);
        assert_eq!(told(&report), alone);
    }
    let none = world.verify(&lines(&[a, b]), &world.given(FILE));
    assert_code(&none, FindingCode::CONTENT_OTHER_FILE);
    assert_eq!(told(&none), told(&world.verify(&lines(&[b, a]), &world.given(FILE))));
}

#[test]
fn what_is_no_bundle_among_the_lines_is_counted() {
    let world = World::new();
    let this = line(&world.attest("app", FILE, Some(SIGNED)));
    let text = format!("\r\n  \n# made by hand\n{{}}\n{this}{{\"mediaType\":\"x\"}}\n{{\"cut");
    let report = world.verify(text.as_bytes(), &world.given(FILE));
    assert_verified(&report);
    let note = report.findings().iter().find(|each| each.code == FindingCode::BUNDLE_PASSED_OVER);
    assert_eq!(note.and_then(|note| note.found.as_deref()), Some("4 of 5 are something else"));
    // Without one the fault is that of the file.
    let broken = world.verify(b"{\"a\":1}\n{\"b\":2}\n", &world.given(FILE));
    assert_code(&broken, FindingCode::BUNDLE_MALFORMED);
}

#[test]
fn an_added_line_is_a_candidate_and_nothing_else() {
    let world = World::new();
    let stranger = World::new();
    let given = world.given(FILE);
    let genuine = world.attest("app", FILE, Some(SIGNED));
    let forged = stranger.attest("app", FILE, Some(SIGNED));
    // Their line does not make it verified …
    assert_code(&world.verify(&forged, &given), FindingCode::CERTIFICATE_UNKNOWN_ISSUER);
    let twice = world.verify(&lines(&[&forged, &forged]), &given);
    assert_code(&twice, FindingCode::CERTIFICATE_UNKNOWN_ISSUER);
    // … nor keep the publisher's from it, whichever comes first.
    for order in [[&forged, &genuine], [&genuine, &forged]] {
        assert_verified(&world.verify(&lines(&order.map(Vec::as_slice)), &given));
    }
    // Nor can one line's certificate be taken for another's signature.
    let mixed = changed(&forged, |bundle| {
        let genuine: Value = serde_json::from_slice(&genuine).expect("JSON");
        bundle["verificationMaterial"] = genuine["verificationMaterial"].clone();
    });
    let other = world.attest("lib", b"another", Some(SIGNED));
    let report = world.verify(&lines(&[&mixed, &other]), &given);
    assert_code(&report, FindingCode::SIGNATURE_MISMATCH);
    // A file that nobody signed stays so.
    let evil = Given { file: b"evil".to_vec(), ..world.given(FILE) };
    let report = world.verify(&lines(&[&genuine, &other, &mixed]), &evil);
    assert_eq!(report.verdict(), Verdict::Rejected);
}

#[test]
fn too_many_lines_are_a_finding_of_their_own() {
    let world = World::new();
    let this = world.sign(FILE, Some(SIGNED));
    let many = "{}\n".repeat(limits::BUNDLES - 1);
    let most = format!("{many}{}", line(&this));
    assert_verified(&world.verify(most.as_bytes(), &world.given(FILE)));
    let over = format!("{}{{}}\n", format_args!("{}{many}", line(&this)));
    assert_code(
        &world.verify(over.as_bytes(), &world.given(FILE)),
        FindingCode::BUNDLE_TOO_MANY_PARTS,
    );
}

#[test]
fn copies_of_a_bundle_cost_a_bounded_number_of_verifications() {
    let world = World::new();
    let this = world.attest("app", FILE, Some(SIGNED));
    let copies = |count: usize| -> Vec<u8> {
        let copy = |index: usize| {
            let copy = changed(&this, |bundle| {
                let stamps = &mut bundle["verificationMaterial"]["timestampVerificationData"];
                stamps["rfc3161Timestamps"][0]["signedTimestamp"] = json!(format!("{index:04}"));
            });
            line(&copy)
        };
        (0..count).map(copy).collect::<String>().into_bytes()
    };
    let most = world.verify(&copies(limits::BUNDLES_OF_ONE_FILE), &world.given(FILE));
    assert_code(&most, FindingCode::TIMESTAMP_MALFORMED);
    let over = world.verify(&copies(limits::BUNDLES_OF_ONE_FILE + 1), &world.given(FILE));
    assert_code(&over, FindingCode::BUNDLE_TOO_MANY_PARTS);
}

/// The genuine bundle among so many statements of a stranger about a file of that name, whose digest is another,
/// that no more can be verified. Without the file's digests they seem to fit better.
#[test]
fn a_bundle_whose_revocation_was_not_looked_up_is_not_verified() {
    let (world, stranger) = (World::new(), World::new());
    let genuine = world.sign(FILE, Some(SIGNED));
    let decoy = stranger.attest("app", b"something else", Some(SIGNED));
    let decoys = |count: usize| -> Vec<u8> {
        let copy = |index: usize| {
            line(&changed(&decoy, |bundle| {
                bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(format!("{index:04}"));
            }))
        };
        let text = line(&genuine) + &(0..count).map(copy).collect::<String>();
        text.into_bytes()
    };
    let trust = world.trust();
    let digests = HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, FILE));
    let known = Artifact { name: Some("app"), digests: &digests, ..Artifact::default() };
    let unknown = Artifact { digests: &[], ..known };
    let given = world.given(FILE);
    let crls: Vec<&[u8]> = given.crls.iter().map(Vec::as_slice).collect();
    let optional = r#"{"version":1,"signers":[{"files":["**"],"identities":["release@example.com"]}],
        "revocation":{"signer":"when-available"}}"#;
    let off = r#"{"version":1,"signers":[{"files":["**"],"identities":["release@example.com"]}],
        "revocation":{"signer":"off","authorities":"off","timestamp_authorities":"off"}}"#;
    for (policy, bundles, is_named) in [
        (world.policy(), limits::BUNDLES_OF_ONE_FILE - 1, true),
        (world.policy(), limits::BUNDLES_OF_ONE_FILE, false),
        (Policy::decode(optional.as_bytes()).expect("a policy"), limits::BUNDLES - 1, false),
    ] {
        let set = EvidenceSet::decode(&decoys(bundles), TokenForm::Der);
        let open = || Verification::open(&set, &trust, &policy, &AwsLc, None, NOW);
        // Who does not ask knows what there is.
        assert_verified(&open().report(&known, &crls, &[]));
        let verification = open();
        assert_eq!(!verification.sources(&unknown, &crls, &[]).is_empty(), is_named);
        let report = verification.report(&known, &crls, &[]);
        if is_named {
            assert_verified(&report);
        } else {
            assert_code(&report, FindingCode::REVOCATION_UNAVAILABLE);
        }
        // What is wrong besides leads.
        let other = HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, b"evil"));
        let evil = Artifact { digests: &other, ..known };
        assert_eq!(verification.report(&evil, &crls, &[]).verdict(), Verdict::Rejected);
        // Asked again with the digests it is named, once and for all.
        assert!(!verification.sources(&known, &crls, &[]).is_empty());
        assert_verified(&verification.report(&known, &crls, &[]));
        let _ = verification.sources(&unknown, &crls, &[]);
        assert_verified(&verification.report(&known, &crls, &[]));
    }
    let policy = Policy::decode(off.as_bytes()).expect("a policy");
    let set = EvidenceSet::decode(&decoys(limits::BUNDLES_OF_ONE_FILE), TokenForm::Der);
    let verification = Verification::open(&set, &trust, &policy, &AwsLc, None, NOW);
    assert!(verification.sources(&unknown, &[], &[]).is_empty());
    assert_verified(&verification.report(&known, &[], &[]));
}

fn with(published: &Case, bundle: Vec<u8>) -> Report {
    let case = Case { bundle, ..published.clone() };
    let report = case.verify(&AwsLc);
    assert_eq!(report, case.verify(&RustCrypto));
    report
}

#[test]
fn real_bundles_verify_in_what_registries_put_around_them() {
    for source in [CONDA, NPM, STAGING_ENVELOPE] {
        let case = source.case("");
        let alone = told(&case.verify(&AwsLc));
        let github = github_answer(&[&case.bundle]).to_string();
        let array = format!("[{}]", line(&case.bundle).trim_end());
        let wrapped = format!(r#"[{{"attestation":{{"bundle":{}}}}}]"#, line(&case.bundle));
        let marked = [b"\xEF\xBB\xBF", &case.bundle[..]].concat();
        let wide = utf16(&case.bundle);
        let several = lines(&[&case.bundle, &CONDA.case("").bundle, &NPM.case("").bundle]);
        for form in
            [github.into_bytes(), array.into_bytes(), wrapped.into_bytes(), marked, wide, several]
        {
            let report = with(&case, form);
            assert_verified(&report);
            assert_eq!(told(&report), alone);
        }
    }
}

#[test]
fn attestations_of_the_python_index_verify() {
    {
        let case = CONDA.case("");
        let attestation = python_attestation(&case.bundle);
        let alone = told(&case.verify(&AwsLc));
        for form in [
            python_provenance(std::slice::from_ref(&attestation)),
            attestation.clone(),
            snake_case(&attestation),
        ] {
            let report = with(&case, form.to_string().into_bytes());
            assert_verified(&report);
            assert_eq!(told(&report), alone);
        }
        let mut changed = attestation.clone();
        changed["envelope"]["statement"] = json!("e30=");
        let report = with(&case, python_provenance(&[changed]).to_string().into_bytes());
        assert_eq!(report.verdict(), Verdict::Rejected, "{:#?}", report.findings());
        let mut newer = attestation;
        newer["version"] = json!(2);
        let report = with(&case, python_provenance(&[newer]).to_string().into_bytes());
        assert_code(&report, FindingCode::BUNDLE_TOO_NEW);
    }
    let none = with(&CONDA.case(""), python_provenance(&[]).to_string().into_bytes());
    assert_code(&none, FindingCode::BUNDLE_MALFORMED);
}

#[test]
fn every_spelling_of_protobufs_json_is_read() {
    for source in [CONDA, NPM] {
        let case = source.case("");
        let alone = told(&case.verify(&AwsLc));
        let root: Value = serde_json::from_slice(&case.trusted_root).expect("JSON");
        for (name, spell) in spellings() {
            let bundle = changed(&case.bundle, |bundle| respelled(bundle, &spell));
            assert_ne!(bundle, changed(&case.bundle, |_| ()), "{name} changes nothing");
            assert_eq!(told(&with(&case, bundle)), alone, "{name}");
            let mut root = root.clone();
            respelled(&mut root, &spell);
            let case = Case { trusted_root: root.to_string().into_bytes(), ..case.clone() };
            assert_eq!(told(&case.verify(&AwsLc)), alone, "{name}");
        }
        let bundle: Value = serde_json::from_slice(&case.bundle).expect("JSON");
        let trusted_root = snake_case(&root).to_string().into_bytes();
        let snake = Case { trusted_root, ..case.clone() };
        assert_eq!(told(&with(&snake, snake_case(&bundle).to_string().into_bytes())), alone);
    }
    let case = CONDA.case("");
    let both = changed(&case.bundle, |bundle| {
        bundle["verification_material"] = bundle["verificationMaterial"].clone();
    });
    assert_code(&with(&case, both), FindingCode::BUNDLE_MALFORMED);
}

#[test]
fn a_byte_order_mark_and_utf_16_are_read_in_trust_roots_and_policies() {
    let case = CONDA.case("");
    let mark = |text: &[u8]| [b"\xEF\xBB\xBF", text].concat();
    for spell in [&mark as &dyn Fn(&[u8]) -> Vec<u8>, &|text| utf16(text)] {
        assert!(TrustRoot::decode(&spell(&case.trusted_root)).is_ok());
        assert!(Policy::decode(&spell(&case.policy)).is_ok());
    }
    let cut = &utf16(&case.bundle)[..1_001];
    assert_code(&with(&case, cut.to_vec()), FindingCode::BUNDLE_TRUNCATED);
}

#[test]
fn other_kinds_of_files_are_named() {
    let case = CONDA.case("");
    let envelope = json!({ "payloadType": "x", "payload": "", "signatures": [] }).to_string();
    let old = json!({ "base64Signature": "", "cert": "", "rekorBundle": {} }).to_string();
    let statement = json!({ "_type": "x", "subject": [] }).to_string();
    for (content, code) in [
        ("-----BEGIN PGP SIGNATURE-----\n\nx", FindingCode::BUNDLE_IS_PGP),
        ("untrusted comment: x\nRUQ", FindingCode::BUNDLE_IS_MINISIGN),
        (&envelope, FindingCode::BUNDLE_IS_ENVELOPE),
        (&format!("{envelope}\n{envelope}\n"), FindingCode::BUNDLE_IS_ENVELOPE),
        (&old, FindingCode::BUNDLE_IS_COSIGN),
        (&"MEUC".repeat(24), FindingCode::BUNDLE_IS_SIGNATURE),
        (&statement, FindingCode::BUNDLE_OTHER_KIND),
        ("-----BEGIN CERTIFICATE-----\nMIIB", FindingCode::BUNDLE_OTHER_KIND),
        (core::str::from_utf8(&case.trusted_root).expect("UTF-8"), FindingCode::BUNDLE_OTHER_KIND),
        (core::str::from_utf8(&case.policy).expect("UTF-8"), FindingCode::BUNDLE_OTHER_KIND),
        ("not JSON", FindingCode::BUNDLE_NOT_JSON),
    ] {
        assert_code(&with(&case, content.as_bytes().to_vec()), code);
    }
    let swapped = Policy::decode(&case.trusted_root).expect_err("no policy");
    assert_eq!(swapped.code, FindingCode::POLICY_OTHER_KIND);
    assert_eq!(swapped.found.as_deref(), Some("a trust root"));
    let bundle = Policy::decode(&case.bundle).expect_err("no policy");
    assert_eq!(bundle.found.as_deref(), Some("a bundle"));
    let swapped = TrustRoot::decode(&case.policy).expect_err("no trust root");
    assert_eq!(swapped.code, FindingCode::TRUST_ROOT_OTHER_KIND);
    assert_eq!(swapped.found.as_deref(), Some("a policy"));
}

/// What to do with a file; trust root and policy have no say in it.
fn plan(bundle: &[u8], artifact: &Artifact<'_>, preferred: &[HashAlgorithm]) -> Plan {
    let set = EvidenceSet::decode(bundle, TokenForm::Der);
    let (trust, policy) = (TrustRoot::default(), Policy::for_given_key());
    Verification::open(&set, &trust, &policy, &AwsLc, None, NOW).plan(artifact, preferred)
}

#[test]
fn the_plan_counts_every_line_that_can_be_about_the_file() {
    let world = World::new();
    let long = world.attest("app", b"a long content", Some(SIGNED));
    let short = world.attest("app", b"short", Some(SIGNED));
    let other = world.attest("lib", b"x", Some(SIGNED));
    let of = |bundles: &[&[u8]], size: u64| {
        let artifact = Artifact { name: Some("app"), size: Some(size), ..Artifact::default() };
        plan(&lines(bundles), &artifact, &[HashAlgorithm::Sha384, HashAlgorithm::Sha256])
    };
    let read = |published_size| Plan::Read {
        algorithms: vec![HashAlgorithm::Sha384],
        published_size,
        keep: Keep::Digests,
    };
    let is_cut_short = |plan: Plan| matches!(plan, Plan::Decided(finding) if finding.code == FindingCode::CONTENT_INCOMPLETE);
    assert!(is_cut_short(of(&[&long], 6)));
    assert!(is_cut_short(of(&[&long, &short], 4)));
    assert_eq!(of(&[&long, &short], 6), read(Some(5)));
    assert_eq!(of(&[&long, &other], 6), read(None), "a renamed file can be any of them");
    assert_eq!(of(&[&long], 14), read(Some(14)));
    assert!(matches!(
        plan(b"", &Artifact::default(), &HashAlgorithm::STRONG),
        Plan::Decided(finding) if finding.code == FindingCode::BUNDLE_EMPTY
    ));
}
