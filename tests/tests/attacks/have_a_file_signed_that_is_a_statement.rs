//! A contributor's text file, signed with all the others of a release, becomes a statement about malware; or a
//! statement that was signed becomes a file. DSSE signs octets that a file may hold too.

use countersign_core::{
    Artifact, Evidence,
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    policy::Policy,
    report::Report,
    verify,
};
use countersign_signing::{
    bundle::{IN_TOTO_PAYLOAD_TYPE, pre_authentication_encoding},
    profile::Authority,
};
use countersign_tests::{
    log::{Kind, Log, with_entries},
    world::{IDENTITY, NOW, World},
};
use serde_json::{Value, json};

use crate::site::Site;

const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","predicate":{},"subject":[{"name":"malware.bin","digest":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}]}"#;

fn signed_octets() -> Vec<u8> {
    pre_authentication_encoding(IN_TOTO_PAYLOAD_TYPE, STATEMENT.as_bytes())
}

/// The report on a file of which that much is known.
fn report(
    world: &World,
    bundle: &[u8],
    file: &[u8],
    beginning: Option<&[u8]>,
    rules: &str,
) -> Report {
    let digests = HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, file));
    let text = format!(
        r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]{rules}}}]}}"#
    );
    let policy = Policy::decode(text.as_bytes()).expect("a policy");
    let list = world.crl(Authority::Signing, NOW.minus_seconds(60), &[]);
    let artifact = Artifact { digests: &digests, beginning, ..Artifact::default() };
    let crls = [list.as_slice()];
    let evidence = Evidence { artifact, bundle, crls: &crls, ..Evidence::default() };
    let report = verify(&evidence, &world.trust(), &policy, &AwsLc, NOW);
    assert_eq!(report, verify(&evidence, &world.trust(), &policy, &RustCrypto, NOW));
    report
}

fn code(report: &Report) -> Option<FindingCode> {
    report.decisive().map(|finding| finding.code)
}

#[test]
fn a_file_that_reads_as_a_statement_is_not_signed() {
    let site = Site::start();
    let text = String::from_utf8(signed_octets()).expect("text");
    let sign = "countersign sign translations.txt --key signer.key --certificate signer.pem \
                --no-timestamp --trusted-root trusted_root.json";
    for text in [text.as_str(), "DSSEv1 ", "DSSEv1 1 x 1 y"] {
        site.write("translations.txt", text);
        let ran = site.run(&sign.replace("countersign ", "countersign --format json "));
        let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
        let error = &value["results"][0]["error"];
        assert_eq!(
            (ran.exit_code, &error["code"]),
            (2, &json!("setup.artifact.reads-as-statement"))
        );
        assert!(error["remedy"].as_str().is_some_and(|remedy| remedy.contains("--statement")));
        assert_ne!(site.run("test -e translations.txt.sigstore.json").exit_code, 0);
    }
    // A statement about it covers its digest and not its octets.
    site.succeed(&format!("{sign} --statement"));
    site.write("translations.txt", "DSSEv2 is another word");
    site.succeed(&format!("{sign} --force"));
    site.write("translations.txt", "DSSEv1");
    site.succeed(&format!("{sign} --force"));
}

#[test]
fn a_signed_statement_is_no_file() {
    let world = World::new();
    let signed = NOW.minus_seconds(3_600);
    let file = signed_octets();
    let bundle = world.sign(&file, Some(signed));
    let with_file = report(&world, &bundle, &file, Some(&file), "");
    assert_eq!(code(&with_file), Some(FindingCode::SIGNATURE_OF_STATEMENT));
    assert_eq!(with_file.exit_code(), 11);
    // Seven octets tell it.
    let beginning = report(&world, &bundle, &file, Some(&file[..7]), "");
    assert_eq!(code(&beginning), Some(FindingCode::SIGNATURE_OF_STATEMENT));
    // By the digest alone nobody can tell, and the report says so; a policy can demand a statement.
    let by_digest = report(&world, &bundle, &file, None, "");
    assert_eq!(code(&by_digest), None);
    let is_note = |code| code == FindingCode::SIGNATURE_KIND_UNKNOWN;
    assert!(by_digest.findings().iter().any(|finding| is_note(finding.code)));
    let types = r#","predicate_types":["https://in-toto.io/attestation/release/v0.2"]"#;
    assert!(code(&report(&world, &bundle, &file, None, types)).is_some());
    // A file that is at hand is no doubtful case.
    let plain = world.sign(b"a file", Some(signed));
    let plain = report(&world, &plain, b"a file", Some(b"a file"), "");
    assert_eq!(code(&plain), None);
    assert!(!plain.findings().iter().any(|finding| is_note(finding.code)));
}

/// The signature of a file in an envelope around the statement that the file reads as.
#[test]
fn a_log_entry_for_a_file_is_none_for_a_statement() {
    let mut world = World::new();
    let log = Log::p256("log.example");
    let mut root: Value = serde_json::from_str(&world.trusted_root).expect("JSON");
    root["tlogs"] = json!([log.trusted()]);
    world.trusted_root = root.to_string();
    let signed = NOW.minus_seconds(3_600);
    let envelope = world.seal(STATEMENT.as_bytes(), Some(signed));
    let file = b"";
    let told = |kind: Kind| {
        let entry = log.entry(&kind.body(&envelope), Some(signed));
        code(&report(&world, &with_entries(&envelope, &[entry]), file, Some(file), ""))
    };
    assert_eq!(told(Kind::HashedRekordV1), Some(FindingCode::LOG_ENTRY_MISMATCH));
    for kind in Kind::OF_ENVELOPES {
        assert_eq!(told(kind), None, "{kind:?}");
    }
}
