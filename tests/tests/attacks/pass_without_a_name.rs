//! A signer who may sign certain files signs another one. Where the verifier has a digest or a stream and no name, nothing
//! tells that the policy's `files` were compared with nothing.

use countersign_core::{
    Artifact, Evidence,
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    policy::Policy,
    report::Report,
    verify,
};
use countersign_signing::profile::Authority;
use countersign_tests::world::{IDENTITY, NOW, World};

const FILE: &[u8] = b"a program by the author of the manual";

fn report(world: &World, bundle: &[u8], name: Option<&str>, signers: &[&str]) -> Report {
    let signer = |files: &&str| format!(r#"{{"files":[{files}],"identities":["{IDENTITY}"]}}"#);
    let signers: Vec<String> = signers.iter().map(signer).collect();
    let text = format!(r#"{{"version":1,"signers":[{}]}}"#, signers.join(","));
    let policy = Policy::decode(text.as_bytes()).expect("a policy");
    let digests = HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, FILE));
    let list = world.crl(Authority::Signing, NOW.minus_seconds(60), &[]);
    let artifact =
        Artifact { name, digests: &digests, beginning: Some(FILE), ..Artifact::default() };
    let crls = [list.as_slice()];
    let evidence = Evidence { artifact, bundle, crls: &crls, ..Evidence::default() };
    verify(&evidence, &world.trust(), &policy, &AwsLc, NOW)
}

fn is_noted(report: &Report) -> bool {
    report.findings().iter().any(|finding| finding.code.code() == "policy.files.not-compared")
}

#[test]
fn what_was_not_compared_is_said() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(NOW.minus_seconds(3_600)));
    let of = |name, signers: &[&str]| report(&world, &bundle, name, signers);
    let certain = [r#""manual-*""#];
    assert_eq!(of(Some("app"), &certain).exit_code(), 2, "setup.policy.no-signer");
    let nameless = of(None, &certain);
    assert_eq!(nameless.exit_code(), 0, "docs/policy.md: every signer may have signed");
    assert!(is_noted(&nameless));
    let finding =
        nameless.findings().iter().find(|it| it.code.code() == "policy.files.not-compared");
    let expected = finding.and_then(|finding| finding.expected.as_deref());
    assert_eq!(expected, Some("a file named manual-*"));
    // Nothing is left open where this signer may sign every file, or the name was compared.
    for (name, signers) in [
        (None, &[r#""**""#][..]),
        (None, &[r#""manual-*""#, r#""**""#]),
        (None, &[r#""manual-*","**""#]),
        (Some("manual-1"), &certain),
    ] {
        let report = of(name, signers);
        assert_eq!(report.exit_code(), 0, "{name:?} {signers:?}");
        assert!(!is_noted(&report), "{name:?} {signers:?}");
    }
}
