//! Signatures over the file itself and not over its digest: Ed25519.

use countersign_core::{
    bundle::Bundle,
    crypto::rustcrypto::RustCrypto,
    digest::{HashAlgorithm, digest},
    trust::Window,
};
use countersign_signing::key::Signer as _;

use super::{
    Case,
    keys::hinted,
    private::{case, message, signed, stamp},
    public_good::changed,
};
use crate::forge::{Chain, ForgeKey, Release};

/// A release whose signer has an Ed25519 key.
pub fn release() -> Release {
    let (authority, leaf) = (ForgeKey::p256("signing CA"), ForgeKey::ed25519("signing leaf"));
    let signing = Chain::code_signing_with(authority, leaf);
    let stamping = Chain::timestamping_with(ForgeKey::p256("timestamping leaf"));
    Release { signing, stamping, window: Window::default() }
}

/// The case of a file that is there, with the digests that its bundle asks for.
fn with(name: &str, release: &Release, bundle: Vec<u8>, file: &[u8]) -> Case {
    let mut case = case(&format!("whole-file-{name}"), release, bundle);
    let algorithms = Bundle::decode(&case.bundle).expect("a bundle").artifact_algorithms();
    let of = |algorithm: HashAlgorithm| digest(&RustCrypto, algorithm, file);
    case.digests = algorithms.into_iter().map(of).collect();
    case.size = Some(file.len() as u64);
    case.content = Some(file.to_vec());
    case
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let release = release();
    let bundle = signed(&release);
    let genuine = with("genuine", &release, bundle.clone(), Release::FILE);
    let digest_alone =
        Case { name: "whole-file-digest-alone".to_owned(), content: None, ..genuine.clone() };
    let without_digest = changed(&bundle, |bundle| {
        let signature = bundle["messageSignature"].as_object_mut().expect("a signature");
        signature.remove("messageDigest");
    });
    let stranger = release.signature(&ForgeKey::ed25519("a stranger"));
    let by_stranger = message(&release, &stranger, &[stamp(&release, &stranger)]);
    let key = release.signing.leaf_key.spki().to_vec();
    let mut managed = with("managed-key", &release, hinted(&bundle, ""), Release::FILE);
    managed.policy = super::keys::policy(&key);
    managed.key = Some(key);
    managed.crls = Vec::new();
    vec![
        genuine,
        digest_alone,
        with("other", &release, bundle, b"another published program"),
        with("no-digest-in-the-bundle", &release, without_digest, Release::FILE),
        with("stranger", &release, by_stranger, Release::FILE),
        managed,
    ]
}
