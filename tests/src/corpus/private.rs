//! What a private authority makes: certificates, signatures and forms that are wrong in one way.

use countersign_core::{
    crl::RevocationReason,
    digest::{HashAlgorithm, digest},
    oid,
    trust::Window,
};
use countersign_signing::{
    bundle::{self, Bundle},
    der::{self, Criticality::NonCritical},
    key::Signer as _,
};
use serde_json::json;

use super::{Case, public_good::changed};
use crate::forge::{
    Chain, CrlDraft, DAY, EntryDraft, ExtensionDraft, ForgeKey, IDENTITY, NOW, Proofs, Release,
    TokenDraft, basic_constraints, key_usage, usages,
};

/// The policy that lets the signer sign anything; `rules` are further members.
pub(super) fn policy(rules: &str) -> Vec<u8> {
    format!(r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}]{rules}}}"#)
        .into_bytes()
}

/// A release whose keys are P-256 below P-384 roots: what most verifiers can read.
pub(super) fn release() -> Release {
    let (authority, leaf) = (ForgeKey::p256("signing CA"), ForgeKey::p256("signing leaf"));
    let signing = Chain::code_signing_with(authority, leaf);
    let stamping = Chain::timestamping_with(ForgeKey::p256("timestamping leaf"));
    Release { signing, stamping, window: Window::default() }
}

/// The hash that the signer's key goes with.
pub(super) fn hash_of(release: &Release) -> HashAlgorithm {
    release.signing.leaf_key.scheme().hash_algorithm().unwrap_or(HashAlgorithm::Sha512)
}

/// A bundle around a message signature.
pub(super) fn message(release: &Release, signature: &[u8], timestamps: &[Vec<u8>]) -> Vec<u8> {
    let certificate = release.signing.sign().leaf;
    let evidence = bundle::Evidence { certificate: &certificate, timestamps };
    let digest =
        digest(&countersign_core::crypto::rustcrypto::RustCrypto, hash_of(release), Release::FILE);
    Bundle::message_signature(&digest, signature, evidence).to_json().expect("JSON").into()
}

/// A token over `octets` by the release's authority.
pub(super) fn stamp(release: &Release, octets: &[u8]) -> Vec<u8> {
    let hash = release.stamping.leaf_key.scheme().hash_algorithm().unwrap_or(HashAlgorithm::Sha512);
    TokenDraft::new(hash, octets).sign(&release.stamping.leaf_key, &release.stamping.sign().leaf)
}

/// The signed and stamped bundle.
pub(super) fn signed(release: &Release) -> Vec<u8> {
    let signature = release.signature(&release.signing.leaf_key);
    message(release, &signature, &[stamp(release, &signature)])
}

/// The list that revokes nobody.
pub(super) fn clean_list(release: &Release) -> Vec<u8> {
    CrlDraft::new(&release.signing.authority.subject).sign(&release.signing.authority_key)
}

/// A case of a release with that bundle and a list that revokes nobody.
pub(super) fn case(name: &str, release: &Release, bundle: Vec<u8>) -> Case {
    let proofs = Proofs { crls: vec![clean_list(release)], ..Proofs::default() };
    case_with(name, release, bundle, proofs)
}

/// A case of a release with that bundle and those proofs.
pub(super) fn case_with(name: &str, release: &Release, bundle: Vec<u8>, proofs: Proofs) -> Case {
    Case {
        name: name.to_owned(),
        bundle,
        trusted_root: release.trusted_root().to_string().into_bytes(),
        policy: policy(&proofs.rules),
        file_name: Some("app".to_owned()),
        size: Some(Release::FILE.len() as u64),
        digests: Release::digests(),
        content: None,
        crls: proofs.crls,
        ocsp: proofs.ocsp,
        key: None,
        now: proofs.now,
    }
}

fn named(release: &mut Release, tag: u8, text: &str) {
    let names = der::sequence(&[&der::implicit(tag, text.as_bytes())]);
    let names = ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, names);
    release.signing.leaf = release.signing.leaf.clone().with(names);
}

fn used_for(release: &mut Release, list: &[const_oid::ObjectIdentifier]) {
    release.signing.leaf = release.signing.leaf.clone().with(usages(NonCritical, list));
}

type Change = fn(&mut Release);
const CHAINS: [(&str, Change); 20] = [
    ("genuine", |_| ()),
    ("p384", |release| *release = Release::new()),
    ("p384-leaf", |release| release.signing.set_leaf_key(ForgeKey::p384("signing leaf"))),
    ("p521-leaf", |release| release.signing.set_leaf_key(ForgeKey::p521("signing leaf"))),
    ("rsa-2048", |release| release.signing.set_leaf_key(ForgeKey::rsa_2048())),
    ("rsa-1024", |release| release.signing.set_leaf_key(ForgeKey::rsa_1024())),
    ("server-use", |release| used_for(release, &[oid::KP_SERVER_AUTH])),
    ("any-use", |release| used_for(release, &[oid::KP_ANY])),
    ("timestamping-use", |release| used_for(release, &[oid::KP_TIME_STAMPING])),
    ("authority-for-servers", |release| {
        let authority = release.signing.authority.clone();
        release.signing.authority = authority.with(usages(NonCritical, &[oid::KP_SERVER_AUTH]));
    }),
    ("authority-not-ca", |release| {
        let authority = release.signing.authority.clone();
        release.signing.authority = authority.without(oid::CE_BASIC_CONSTRAINTS);
    }),
    ("authority-signs-no-certificates", |release| {
        release.signing.authority = release.signing.authority.clone().with(key_usage(&[6]));
    }),
    ("root-too-short", |release| {
        release.signing.root = release.signing.root.clone().with(basic_constraints(Some(0)));
    }),
    ("leaf-signs-nothing", |release| {
        release.signing.leaf = release.signing.leaf.clone().with(key_usage(&[2]));
    }),
    ("unknown-critical-extension", |release| {
        let leaf = release.signing.leaf.clone();
        release.signing.leaf = leaf.with(ExtensionDraft::unknown_critical());
    }),
    ("not-valid-yet", |release| release.signing.leaf.not_before = NOW.minus_seconds(60)),
    ("expired-before", |release| release.signing.leaf.not_after = NOW.minus_seconds(DAY)),
    ("expired-since", |release| release.signing.leaf.not_after = NOW.minus_seconds(60)),
    ("window-closed", |release| {
        release.window = Window { start: None, end: Some(Release::SIGNED.minus_seconds(1)) };
    }),
    ("no-identity", |release| {
        release.signing.leaf = release.signing.leaf.clone().without(oid::CE_SUBJECT_ALT_NAME);
    }),
];

const IDENTITIES: [(&str, &str); 5] = [
    ("suffix", "release@example.com.attacker.example"),
    ("prefix", "prerelease@example.com"),
    ("case", "Release@example.com"),
    ("space", "release@example.com "),
    ("nul", "release@example.com\u{0}"),
];

fn chains() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, change) in CHAINS {
        let mut release = release();
        change(&mut release);
        let bundle = signed(&release);
        cases.push(case(&format!("private-{name}"), &release, bundle));
    }
    for (name, identity) in IDENTITIES {
        let mut release = release();
        named(&mut release, 1, identity);
        let bundle = signed(&release);
        cases.push(case(&format!("private-identity-{name}"), &release, bundle));
    }
    cases
}

fn signatures() -> Vec<Case> {
    let release = release();
    let genuine = release.signature(&release.signing.leaf_key);
    let all: [(&str, Vec<u8>); 7] = [
        ("stranger", release.signature(&ForgeKey::p256("a stranger"))),
        ("other-file", release.signing.leaf_key.signature(b"another file")),
        ("longer", [genuine.as_slice(), &[0]].concat()),
        ("shorter", genuine[..genuine.len() - 1].to_vec()),
        ("other-curve", release.signature(&ForgeKey::p384("another curve"))),
        ("empty", Vec::new()),
        ("huge-length", [&[0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF], &genuine[2..]].concat()),
    ];
    let with = |(name, signature): &(&str, Vec<u8>)| {
        let bundle = message(&release, signature, &[stamp(&release, signature)]);
        case(&format!("private-signature-{name}"), &release, bundle)
    };
    all.iter().map(with).collect()
}

fn forms() -> Vec<Case> {
    let release = release();
    let genuine = signed(&release);
    let text = String::from_utf8(genuine.clone()).expect("JSON");
    let with =
        |name: &str, bundle: Vec<u8>| case(&format!("private-form-{name}"), &release, bundle);
    vec![
        with("empty", Vec::new()),
        with("not-json", b"PK\x03\x04".to_vec()),
        with("truncated", genuine[..genuine.len() / 2].to_vec()),
        with("too-deep", "[".repeat(100_000).into_bytes()),
        with("repeated-key", text.replacen('{', r#"{"mediaType":"x","#, 1).into_bytes()),
        with("unknown-field", changed(&genuine, |bundle| bundle["surprise"] = json!(1))),
        with(
            "too-new",
            changed(&genuine, |bundle| {
                bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.9+json");
            }),
        ),
        with(
            "no-certificate",
            changed(&genuine, |bundle| {
                let material = &mut bundle["verificationMaterial"];
                material.as_object_mut().expect("material").remove("certificate");
            }),
        ),
        with(
            "not-a-certificate",
            changed(&genuine, |bundle| {
                bundle["verificationMaterial"]["certificate"]["rawBytes"] = json!("MAA=");
            }),
        ),
        with(
            "no-content",
            changed(&genuine, |bundle| {
                bundle.as_object_mut().expect("a bundle").remove("messageSignature");
            }),
        ),
        with(
            "weak-digest",
            changed(&genuine, |bundle| {
                bundle["messageSignature"]["messageDigest"]["algorithm"] = json!("SHA1");
            }),
        ),
        with(
            "many-timestamps",
            changed(&genuine, |bundle| {
                let data = &mut bundle["verificationMaterial"]["timestampVerificationData"];
                let one = data["rfc3161Timestamps"][0].clone();
                data["rfc3161Timestamps"] = json!(vec![one; 9]);
            }),
        ),
    ]
}

fn rules() -> Vec<Case> {
    let release = release();
    let genuine = signed(&release);
    let bare = message(&release, &release.signature(&release.signing.leaf_key), &[]);
    let with = |name: &str, bundle: &[u8], rules: &str| {
        let proofs = Proofs {
            crls: vec![clean_list(&release)],
            rules: rules.to_owned(),
            ..Proofs::default()
        };
        case_with(&format!("private-rules-{name}"), &release, bundle.to_vec(), proofs)
    };
    let mut cases = vec![
        with("no-timestamp", &bare, ""),
        with("no-timestamp-wanted", &bare, r#","timestamps":{"required":0}"#),
        with("timestamp-not-asked-for", &genuine, r#","timestamps":{"required":0}"#),
        with("two-timestamps-wanted", &genuine, r#","timestamps":{"required":2}"#),
        with("log-wanted", &genuine, r#","transparency":"required""#),
        with("certificate-log-wanted", &genuine, r#","certificate_transparency":"required""#),
    ];
    let revoked_later = EntryDraft::new(
        &release.signing.leaf.serial,
        RevocationReason::KeyCompromise,
        Release::SIGNED.plus_seconds(60),
    );
    let list = CrlDraft::new(&release.signing.authority.subject).revoking(revoked_later);
    let proofs = Proofs {
        crls: vec![list.sign(&release.signing.authority_key)],
        rules: r#","timestamps":{"required":0}"#.to_owned(),
        ..Proofs::default()
    };
    let name = "private-rules-timestamp-not-asked-for-revoked-after";
    cases.push(case_with(name, &release, genuine.clone(), proofs));
    let mut clock = with("clock-wrong", &genuine, "");
    clock.now = countersign_core::time::UnixSeconds::new(1_000_000_000);
    cases.push(clock);
    let mut no_digest = with("no-digest", &genuine, "");
    no_digest.digests.clear();
    cases.push(no_digest);
    let mut other_file = with("other-file", &genuine, "");
    let other =
        |algorithm| digest(&countersign_core::crypto::aws_lc::AwsLc, algorithm, b"another file");
    other_file.digests = HashAlgorithm::STRONG.map(other).to_vec();
    cases.push(other_file);
    cases
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [chains(), signatures(), forms(), rules()].concat()
}
