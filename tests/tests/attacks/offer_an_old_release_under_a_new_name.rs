//! A mirror offers an old release, with its own good bundle, under the name of the new one.

use countersign_core::{
    Artifact, Evidence,
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    policy::Policy,
    report::Report,
    verify,
};
use countersign_signing::profile::Authority;
use countersign_tests::world::{IDENTITY, NOW, World};

const OLD: &[u8] = b"the release with the hole";

fn policy(names: &str) -> Policy {
    let text = format!(
        r#"{{"version":1,"names":"{names}",
            "signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}]}}"#
    );
    Policy::decode(text.as_bytes()).expect("a policy")
}

fn report(world: &World, bundle: &[u8], name: Option<&str>, names: &str) -> Report {
    let digests = HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, OLD));
    let list = world.crl(Authority::Signing, NOW.minus_seconds(60), &[]);
    let artifact =
        Artifact { name, digests: &digests, beginning: Some(OLD), ..Artifact::default() };
    let crls = [list.as_slice()];
    let evidence = Evidence { artifact, bundle, crls: &crls, ..Evidence::default() };
    verify(&evidence, &world.trust(), &policy(names), &AwsLc, NOW)
}

fn has(report: &Report, code: FindingCode) -> bool {
    report.findings().iter().any(|finding| finding.code == code)
}

#[test]
fn a_policy_for_exact_names_rejects_it() {
    let world = World::new();
    let bundle = world.attest("app-1.0", OLD, Some(NOW.minus_seconds(3_600)));
    let of = |name, names| report(&world, &bundle, name, names);
    let noted = of(Some("app-2.0"), "noted");
    assert_eq!(noted.exit_code(), 0);
    assert!(has(&noted, FindingCode::NAME_DIFFERS));
    let exact = of(Some("app-2.0"), "exact");
    assert_eq!(exact.decisive().map(|it| it.code), Some(FindingCode::CONTENT_NAME_OTHER));
    assert_eq!(exact.exit_code(), 10);
    assert_eq!(of(Some("app-1.0"), "exact").exit_code(), 0);
    // Browsers number a second download of one name.
    assert_eq!(of(Some("app-1.0 (1)"), "exact").exit_code(), 0);
    // Nobody can compare a name that was not given.
    let nameless = of(None, "exact");
    assert_eq!(nameless.decisive().map(|it| it.code), Some(FindingCode::CONTENT_NAME_NOT_SUPPLIED));
}

#[test]
fn a_signature_without_a_name_says_that_it_cannot_tell() {
    let world = World::new();
    let bundle = world.sign(OLD, Some(NOW.minus_seconds(3_600)));
    let exact = report(&world, &bundle, Some("app-2.0"), "exact");
    assert_eq!(exact.exit_code(), 0);
    assert!(has(&exact, FindingCode::NAME_NOT_SIGNED));
    let noted = report(&world, &bundle, Some("app-2.0"), "noted");
    assert!(!has(&noted, FindingCode::NAME_NOT_SIGNED));
}
