//! Managed keys: bundles that hint at a key and hold no certificate.

use base64ct::{Base64, Encoding};
use countersign_core::{
    crypto::rustcrypto::RustCrypto,
    digest::{HashAlgorithm, digest},
};
use countersign_signing::key::Signer as _;
use serde_json::{Value, json};

use super::{
    Case,
    private::{case, message, release, stamp},
    public_good::{Known, Published, changed},
};
use crate::{
    forge::{ForgeKey, Release},
    log::{Kind, Log, with_entries},
};

/// The policy for whoever gives the key: its fingerprint, no timestamp.
pub(super) fn policy(spki: &[u8]) -> Vec<u8> {
    let fingerprint = digest(&RustCrypto, HashAlgorithm::Sha256, spki).to_string();
    json!({
        "version": 1,
        "signers": [{ "files": ["**"], "keys": [fingerprint] }],
        "timestamps": { "required": 0 },
    })
    .to_string()
    .into_bytes()
}

/// What Sigstore's clients write: the key's SHA-256 in base64.
pub fn hint(spki: &[u8]) -> String {
    Base64::encode_string(digest(&RustCrypto, HashAlgorithm::Sha256, spki).octets())
}

/// `bundle` with a hint in place of its certificate.
///
/// # Panics
/// When it is no bundle.
pub fn hinted(bundle: &[u8], hint: &str) -> Vec<u8> {
    changed(bundle, |bundle| {
        let material = bundle["verificationMaterial"].as_object_mut().expect("material");
        material.remove("certificate");
        material.insert("publicKey".to_owned(), json!({ "hint": hint }));
    })
}

/// A blob signed by cosign with `--key`, and its key.
pub const MANAGED: Published = Published {
    bundle: "managed-key/bundle.sigstore.json",
    root: "trusted_root.json",
    identity: "",
    issuer: None,
    artifact: Known::File("managed-key/artifact.txt"),
};

/// The key of [`MANAGED`], DER.
///
/// # Panics
/// When the file is not PEM.
pub fn managed_key() -> Vec<u8> {
    let pem = super::public_good::read("managed-key/key.pub");
    let text: String = String::from_utf8(pem).expect("PEM");
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    Base64::decode_vec(&body).expect("base64")
}

/// The case of [`MANAGED`] under its own key.
pub fn managed_case() -> Case {
    let key = managed_key();
    Case { policy: policy(&key), key: Some(key), ..MANAGED.case("managed-key") }
}

/// A private bundle by a managed key, stamped, in a log.
pub fn private_case() -> Case {
    case_by("key-genuine", &release())
}

/// A bundle by the bare key of a release's signer.
fn case_by(name: &str, release: &Release) -> Case {
    let key = &release.signing.leaf_key;
    let signature = release.signature(key);
    let bundle = message(release, &signature, &[stamp(release, &signature)]);
    let bundle = hinted(&bundle, &hint(key.spki()));
    let log = Log::ed25519("log.example");
    let entry = log.entry(&Kind::HashedRekordV2.body_by_key(&bundle, key.spki()), None);
    let mut case = case(name, release, with_entries(&bundle, &[entry]));
    case.trusted_root = changed(&case.trusted_root, |root| root["tlogs"] = json!([log.trusted()]));
    case.policy = policy(key.spki());
    case.key = Some(key.spki().to_vec());
    case.crls = Vec::new();
    case
}

type Change = fn(&mut Case);

/// Changes to [`private_case`].
const CHANGES: [(&str, Change); 14] = [
    ("genuine", |_| ()),
    ("not-given", |case| case.key = None),
    ("other", |case| {
        let other = ForgeKey::p256("a stranger").spki().to_vec();
        case.policy = policy(&other);
        case.key = Some(other);
    }),
    ("other-kind", |case| {
        let other = ForgeKey::p384("a stranger").spki().to_vec();
        case.policy = policy(&other);
        case.key = Some(other);
    }),
    ("weak", |case| {
        let other = ForgeKey::rsa_1024().spki().to_vec();
        case.policy = policy(&other);
        case.key = Some(other);
    }),
    ("malformed", |case| case.key = Some(b"no key".to_vec())),
    ("trailing", |case| case.key.as_mut().expect("a key").push(0)),
    ("not-in-policy", |case| case.policy = policy(b"another key")),
    ("identity-demanded", |case| case.policy = super::private::policy("")),
    ("other-hint", |case| {
        case.bundle = changed(&case.bundle, |bundle| {
            bundle["verificationMaterial"]["publicKey"]["hint"] = json!("the release key");
        });
    }),
    ("no-hint", |case| {
        case.bundle = changed(&case.bundle, |bundle| {
            bundle["verificationMaterial"]["publicKey"] = json!({});
        });
    }),
    ("and-certificate", |case| {
        case.bundle = changed(&case.bundle, |bundle| {
            let certificate = release().signing.sign().leaf;
            bundle["verificationMaterial"]["certificate"] =
                json!({ "rawBytes": Base64::encode_string(&certificate) });
        });
    }),
    ("entry-by-certificate", |case| {
        let release = release();
        let signature = release.signature(&release.signing.leaf_key);
        let certified = message(&release, &signature, &[]);
        let log = Log::ed25519("log.example");
        let entry = log.entry(&Kind::HashedRekordV2.body(&certified), None);
        case.bundle = with_entries(&case.bundle, &[entry]);
    }),
    ("entry-by-other-key", |case| {
        let log = Log::ed25519("log.example");
        let other = ForgeKey::p256("a stranger");
        let entry = log.entry(&Kind::HashedRekordV2.body_by_key(&case.bundle, other.spki()), None);
        case.bundle = with_entries(&case.bundle, &[entry]);
    }),
];

/// All of them.
pub fn cases() -> Vec<Case> {
    let genuine = private_case();
    let mut cases = vec![managed_case()];
    for (name, change) in CHANGES {
        let mut case = Case { name: format!("key-{name}"), ..genuine.clone() };
        change(&mut case);
        cases.push(case);
    }
    let mut absent = Case { name: "key-no-entry".to_owned(), ..genuine.clone() };
    absent.bundle = changed(&absent.bundle, |bundle| {
        bundle["verificationMaterial"]["tlogEntries"] = Value::Array(Vec::new());
    });
    cases.push(absent);
    let mut release = release();
    release.signing.set_leaf_key(ForgeKey::p521("a release key"));
    cases.push(case_by("key-p521", &release));
    // A certificate where a key is expected.
    let release = self::release();
    let mut certified = case("key-for-certificate", &release, super::private::signed(&release));
    certified.key = genuine.key;
    cases.push(certified);
    cases
}
