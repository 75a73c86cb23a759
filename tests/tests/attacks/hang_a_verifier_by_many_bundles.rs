//! Bundles beside the publisher's, each made so that the search for its certificates' paths costs as much as can be.
//! Who can add lines beside a bundle holds a page or a pipeline for minutes by them, or has the genuine bundle
//! refused because too little was left for it.
//!
//! What it costs is counted in signature checks.

use base64ct::{Base64, Encoding};
use countersign_core::{
    Artifact, EvidenceSet, Verification,
    digest::HashAlgorithm,
    finding::FindingCode,
    limits, oid,
    policy::Policy,
    report::{Report, Verdict},
    trust::{Authority, TrustRoot, Window},
    tsp::TokenForm,
};
use countersign_signing::{
    bundle::{Bundle, Evidence},
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
};
use countersign_tests::{
    corpus::{presented::line, public_good::changed},
    counting::{Counting, counted},
    forge::{
        CertificateDraft, ExtensionDraft, ForgeKey, IDENTITY, NOW, Release, TokenDraft,
        basic_constraints, key_usage, name, usages,
    },
};
use serde_json::json;

const POLICY: &str = r#"{"version":1,"signers":[{"files":["**"],"identities":["release@example.com"]}],
    "timestamps":{"required":1},
    "revocation":{"signer":"off","authorities":"off","timestamp_authorities":"off"}}"#;

/// Timestamps of each bundle.
const TIMESTAMPS: usize = 3;

/// Above a leaf there is a way through this many CAs, each of which may be by any of all of them.
const WAY: usize = limits::PATH_ISSUERS - 1;

/// What makes hostile bundles: CAs of one name and many keys, whom nobody trusts.
struct Forge {
    keys: Vec<ForgeKey>,
    /// CAs that signed nothing on any way, which only the keys tell.
    idle: Vec<Vec<u8>>,
}

impl Forge {
    fn new() -> Self {
        let keys: Vec<ForgeKey> =
            (0..limits::CERTIFICATES).map(|index| ForgeKey::p256(&format!("{index}"))).collect();
        let idle = (WAY + 1..keys.len()).map(|index| authority(&keys[index], &keys[index], 0));
        Self { idle: idle.collect(), keys }
    }

    /// A leaf, then the CAs, none of which is in any other list.
    fn chain(&self, serial: u64, extensions: Vec<ExtensionDraft>) -> Vec<Vec<u8>> {
        let leaf = CertificateDraft::new(&name("Signer"), &self.keys[0], &layer(), &self.keys[1]);
        let leaf = leaf.with(key_usage(&[0]));
        let mut leaf = extensions.into_iter().fold(leaf, CertificateDraft::with);
        leaf.serial = [&[0x40][..], &serial.to_be_bytes()].concat();
        let way = (1..=WAY).map(|index| {
            authority(&self.keys[index], &self.keys[(index + 1) % self.keys.len()], serial)
        });
        let leaf = leaf.sign(&self.keys[1]);
        std::iter::once(leaf).chain(way).chain(self.idle.iter().cloned()).collect()
    }

    /// It has everything that the publisher's has, by nobody whom anybody trusts.
    fn bundle(&self, number: usize) -> Vec<u8> {
        let names = der::sequence(&[&der::implicit(1, IDENTITY.as_bytes())]);
        let usage = usages(NonCritical, &[oid::KP_CODE_SIGNING]);
        let names = ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, names);
        let serial = |index: usize| u64::try_from(number * 16 + index).expect("small");
        let chain = self.chain(serial(0), vec![usage, names]);
        let signature = self.keys[0].signature(Release::FILE);
        let timestamp = |index: usize| {
            let usage = usages(Critical, &[oid::KP_TIME_STAMPING]);
            let mut draft = TokenDraft::new(HashAlgorithm::Sha256, &signature);
            draft.certificates = self.chain(serial(index), vec![usage]);
            draft.sign(&self.keys[0], &draft.certificates[0])
        };
        let timestamps: Vec<Vec<u8>> = (1..=TIMESTAMPS).map(timestamp).collect();
        let evidence = Evidence { certificate: &chain[0], timestamps: &timestamps };
        let bundle = Bundle::message_signature(&Release::digest(), &signature, evidence);
        let chain: Vec<_> =
            chain.iter().map(|raw| json!({ "rawBytes": Base64::encode_string(raw) })).collect();
        changed(bundle.to_json().expect("JSON").as_ref(), |bundle| {
            let material = &mut bundle["verificationMaterial"];
            material.as_object_mut().expect("an object").remove("certificate");
            material["x509CertificateChain"] = json!({ "certificates": chain });
            bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2");
        })
    }
}

fn layer() -> Vec<u8> {
    name("Layer")
}

fn authority(key: &ForgeKey, issuer: &ForgeKey, serial: u64) -> Vec<u8> {
    let mut draft = CertificateDraft::new(&layer(), key, &layer(), issuer)
        .with(basic_constraints(None))
        .with(key_usage(&[5, 6]));
    draft.serial = [&[0x40][..], &serial.to_be_bytes(), &key.key_hash()[..4]].concat();
    draft.sign(issuer)
}

/// Authorities whose timestamps bring their certificates.
fn trust(release: &Release) -> TrustRoot {
    let stamping = release.stamping.sign();
    let chain = vec![stamping.authority, stamping.root];
    let authority = Authority::from_chain("http://stamps.example", chain, Window::default());
    TrustRoot { timestamp_authorities: vec![authority.expect("an authority")], ..release.trust() }
}

fn genuine(release: &Release) -> Vec<u8> {
    let signature = release.signature(&release.signing.leaf_key);
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, &signature);
    let leaf = release.stamping.sign().leaf;
    draft.certificates = vec![leaf.clone()];
    release.bundle_with(&signature, &[draft.sign(&release.stamping.leaf_key, &leaf)])
}

fn lines<'b>(bundles: impl IntoIterator<Item = &'b Vec<u8>>) -> Vec<u8> {
    bundles.into_iter().map(|bundle| line(bundle)).collect::<String>().into_bytes()
}

fn verify(release: &Release, bundles: &[u8]) -> (Report, usize) {
    let (trust, policy) = (trust(release), Policy::decode(POLICY.as_bytes()).expect("a policy"));
    let digests = Release::digests();
    let artifact = Artifact {
        name: Some("app"),
        digests: &digests,
        beginning: Some(&Release::FILE[..16]),
        ..Artifact::default()
    };
    let set = EvidenceSet::decode(bundles, TokenForm::Der);
    counted(|| {
        let verification = Verification::open(&set, &trust, &policy, &Counting, None, NOW);
        let _ = verification.sources(&artifact, &[], &[]);
        verification.report(&artifact, &[], &[])
    })
}

#[test]
fn all_bundles_of_a_file_have_one_budget() {
    let release = Release::new();
    let forge = Forge::new();
    let hostile: Vec<Vec<u8>> =
        (0..limits::BUNDLES_OF_ONE_FILE).map(|number| forge.bundle(number)).collect();
    let (report, one) = verify(&release, &hostile[0]);
    assert_ne!(report.verdict(), Verdict::Verified);
    let (report, all) = verify(&release, &lines(&hostile));
    assert_eq!(
        report.decisive().map(|finding| finding.code),
        Some(FindingCode::BUNDLE_TOO_MANY_PARTS)
    );
    assert!(one > 250, "{one} signatures: this is no attack");
    // Without a budget for all it would be 32 times as many.
    assert!(all <= limits::BUNDLE_SIGNATURES, "{all} signatures, {one} for one");
}

#[test]
fn the_genuine_bundle_among_them_verifies_wherever_it_is() {
    let release = Release::new();
    let genuine = genuine(&release);
    let (alone, _) = verify(&release, &genuine);
    assert_eq!(alone.verdict(), Verdict::Verified, "{:#?}", alone.findings());
    let forge = Forge::new();
    let hostile: Vec<Vec<u8>> =
        (1..limits::BUNDLES_OF_ONE_FILE).map(|number| forge.bundle(number)).collect();
    for place in [0, hostile.len() / 2, hostile.len()] {
        let mut bundles: Vec<&Vec<u8>> = hostile.iter().collect();
        bundles.insert(place, &genuine);
        let (report, checks) = verify(&release, &lines(bundles));
        assert_eq!(report, alone);
        assert!(checks <= limits::BUNDLE_SIGNATURES, "{checks} signatures");
    }
}

#[test]
fn what_several_bundles_have_in_common_is_checked_once() {
    let release = Release::new();
    let genuine = genuine(&release);
    let (_, one) = verify(&release, &genuine);
    let copy = |index: usize| {
        changed(&genuine, |bundle| {
            bundle["verificationMaterial"]["tlogEntries"] = json!([{
                "logIndex": format!("{index}"),
                "logId": { "keyId": "AAAA" },
                "kindVersion": { "kind": "hashedrekord", "version": "0.0.1" },
                "integratedTime": "1",
                "inclusionPromise": { "signedEntryTimestamp": "AAAA" },
                "canonicalizedBody": "e30=",
            }]);
        })
    };
    let copies: Vec<Vec<u8>> = (0..limits::BUNDLES_OF_ONE_FILE).map(copy).collect();
    let (report, all) = verify(&release, &lines(&copies));
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert_eq!(all, one);
}

#[test]
fn others_bundles_about_the_file_cost_one_check_each_if_one_verifies_it() {
    let release = Release::new();
    let genuine = genuine(&release);
    let (_, one) = verify(&release, &genuine);
    // Another signature than the file's.
    let forge = Forge::new();
    let broken = |octet: u8| {
        changed(&forge.bundle(octet.into()), |bundle| {
            bundle["messageSignature"]["signature"] = json!(Base64::encode_string(&[octet; 70]));
        })
    };
    let mut bundles: Vec<Vec<u8>> = (0..8).map(broken).collect();
    bundles.push(genuine);
    let (report, all) = verify(&release, &lines(&bundles));
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert_eq!(all, one + 8);
}
