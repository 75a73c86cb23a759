//! A list in which the signer is revoked was seen and kept. Who has others' lists fetched, by bundles of others beside the
//! file or by files of others, wants it to go for them, and then shows the list from before the revocation. What goes for
//! what is in the unit tests of `cli/src/kept_crls.rs`; the same in JavaScript in `web/tests/node/crl-cache.test.ts`.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign_core::{
    Artifact, EvidenceSet, Verification, crypto::aws_lc::AwsLc, finding::FindingCode,
    policy::Policy, tsp::TokenForm,
};
use countersign_signing::bundle::{self, Bundle};
use countersign_tests::forge::{Chain, IDENTITY, NOW, Release};
use serde_json::Value;

use crate::{
    forget_a_revocation_by_an_older_list::{
        revoke_and_keep_the_old_lists, site_with_a_signed_file,
    },
    web::{Reply, Web},
};

const VERIFY: &str =
    "countersign --format json verify app --trusted-root trusted_root.json --policy policy.json";

/// As if the lists had gone for others; what remains of them stays.
const PUSH_OUT: &str = "find \"${XDG_CACHE_HOME:-$HOME/.cache}/countersign/crls\" -name '*.crl' -print -delete | grep -c .";

#[test]
fn an_older_list_than_what_was_seen_is_not_used() {
    let site = site_with_a_signed_file();
    revoke_and_keep_the_old_lists(&site);
    let revoked = site.run(VERIFY);
    assert_eq!(revoked.exit_code, 14, "{}", revoked.said());
    let base = site.founded.base_url();
    site.succeed(&format!(
        "mkdir new && cd new && for list in root signing timestamping; do \
         curl --silent --fail --output $list.crl {base}/crl/$list.crl || exit 1; done"
    ));
    site.succeed(PUSH_OUT);
    let address = base.trim_start_matches("http://").to_owned();
    let folder = site.founded.shell.folder().to_owned();
    site.service.kill();
    let shell = &site.founded.shell;
    let is_honest = Arc::<AtomicBool>::default();
    let honesty = Arc::clone(&is_honest);
    let between = Web::start(&address, move |line| {
        let lists = folder.join(if honesty.load(Ordering::SeqCst) { "new" } else { "old" });
        let path = line.split(' ').nth(1).unwrap_or_default();
        match path.strip_prefix("/crl/").map(|name| fs::read(lists.join(name))) {
            Some(Ok(list)) => Reply::found(list),
            _ => Reply::missing(),
        }
    });
    let given = " --crl old/root.crl old/signing.crl old/timestamping.crl";
    for more in ["", given, &format!(" --offline{given}"), " --offline"] {
        let ran = shell.run(&format!("{VERIFY}{more}")).expect("a shell");
        let said: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let report = &said["results"][0];
        assert_eq!(report["verdict"], "not-checked", "{more}: {}", ran.said());
        assert_eq!(report["code"], "revocation.unavailable", "{more}: {}", ran.said());
    }
    assert!(between.asked().iter().any(|line| line.contains("/crl/signing.crl")));
    // As much depends on what is remembered.
    let ran = shell.run(&format!("{VERIFY} --no-cache")).expect("a shell");
    assert_eq!(ran.exit_code, 0, "{}", ran.said());
    is_honest.store(true, Ordering::SeqCst);
    let ran = shell.run(VERIFY).expect("a shell");
    assert_eq!(ran.exit_code, 14, "{}", ran.said());
    let ran = shell.run(&format!("{VERIFY} --offline{given}")).expect("a shell");
    assert_eq!(ran.exit_code, 14, "it is kept again: {}", ran.said());
}

/// Another signer of the same authority, with a certificate of their own.
fn other_signer(number: u8) -> Release {
    let mut signing = Chain::code_signing();
    signing.leaf.serial = vec![0x30 + number; 16];
    Release { signing, ..Release::new() }
}

/// A bundle of another signer about another file, without its digest, which nobody signed, or with the file's.
fn stripped(number: u8) -> Value {
    let other = other_signer(number);
    let (leaf, octets) = (other.signing.sign().leaf, [&b"another file "[..], &[number]].concat());
    let signature = other.signing.leaf_key.signature(&octets);
    let timestamps = [other.timestamp(&signature)];
    let evidence = bundle::Evidence { certificate: &leaf, timestamps: &timestamps };
    let made = Bundle::message_signature(&Release::digest(), &signature, evidence);
    let mut value: Value = serde_json::from_str(&made.to_json().expect("JSON")).expect("JSON");
    if number.is_multiple_of(2) {
        value["messageSignature"].as_object_mut().expect("an object").remove("messageDigest");
    }
    value
}

#[test]
fn nobody_is_asked_about_bundles_that_cannot_be_the_files() {
    let release = Release::new();
    let own: Value = serde_json::from_slice(&release.bundle()).expect("JSON");
    let strangers = (0..31).map(stripped);
    let lines: Vec<String> =
        std::iter::once(own).chain(strangers).map(|it| it.to_string()).collect();
    let lines = lines.join("\n");
    let trust = release.trust();
    let policy =
        format!(r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}]}}"#);
    let policy = Policy::decode(policy.as_bytes()).expect("a policy");
    let set = EvidenceSet::decode(lines.as_bytes(), TokenForm::Der);
    let verification = Verification::open(&set, &trust, &policy, &AwsLc, None, NOW);
    let digests = Release::digests();
    let artifact =
        Artifact { digests: &digests, beginning: Some(Release::FILE), ..Artifact::default() };
    let sources = verification.sources(&artifact, &[], &[]);
    let serials: Vec<Vec<u8>> = sources
        .iter()
        .filter_map(|source| {
            countersign_core::x509::Certificate::decode(source.link.certificate()).ok()
        })
        .map(|certificate| certificate.serial.to_vec())
        .collect();
    assert!(serials.contains(&release.signing.leaf.serial), "{serials:?}");
    for number in 0..31 {
        assert!(!serials.contains(&other_signer(number).signing.leaf.serial), "{number}");
    }
    // It is the file's own signer that is reported.
    let report = verification.report(&artifact, &[], &[]);
    assert_eq!(report.decisive().map(|it| it.code), Some(FindingCode::REVOCATION_UNAVAILABLE));
}
