//! Bundles that are really out there, under the trust roots that they were made for, and changes
//! to them. Where they come from says `tests/data/public-good/README.md`.

use std::{fs, path::PathBuf};

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, digest},
};
use serde_json::{Value, json};

use super::Case;
use crate::world::NOW;

/// The login provider of GitHub Actions.
pub const ACTIONS: &str = "https://token.actions.githubusercontent.com";
/// The login provider of GitHub's users.
pub const GITHUB_LOGIN: &str = "https://github.com/login/oauth";

/// A file of `tests/data/public-good/`.
///
/// # Panics
/// When it is not there.
pub fn read(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/public-good").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One bundle with everything that it is verified against.
#[derive(Clone, Debug)]
pub struct Published {
    /// The bundle's file.
    pub bundle: &'static str,
    /// The trust root's file.
    pub root: &'static str,
    /// Who signed.
    pub identity: &'static str,
    /// Who vouched for that.
    pub issuer: Option<&'static str>,
    /// What was signed.
    pub artifact: Known,
}

/// A file, or where it is too large to be kept, its digest.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// A file of `tests/data/public-good/`.
    File(&'static str),
    /// `algorithm:hex`.
    Digest(&'static str),
}

/// A blob signed by a person with cosign 3.
pub const COSIGN: Published = Published {
    bundle: "cosign-v3-blob.sigstore.json",
    root: "trusted_root.json",
    identity: "w.vollprecht@gmail.com",
    issuer: Some(GITHUB_LOGIN),
    artifact: Known::File("cosign-v3-blob.txt"),
};

/// A conda package's attestation.
pub const CONDA: Published = Published {
    bundle: "conda-attestation.sigstore.json",
    root: "trusted_root.json",
    identity: "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main",
    issuer: Some(ACTIONS),
    artifact: Known::File("signed-package-2.1.0-hb0f4dca_0.conda"),
};

/// The provenance (SLSA v1) of an npm package.
pub const NPM: Published = Published {
    bundle: "sigstore.js@2.0.0-provenance.sigstore.json",
    root: "trusted_root.json",
    identity: "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
    issuer: Some(ACTIONS),
    artifact: Known::Digest(
        "sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c",
    ),
};

/// The provenance (SLSA v0.2) of an npm package, from before they were published.
pub const NPM_V02: Published = Published {
    bundle: "npm-provenance-v0.2.sigstore.json",
    root: "trusted_root.json",
    identity: "brian@dehamer.com",
    issuer: Some(GITHUB_LOGIN),
    artifact: Known::Digest(
        "sha512:bbfd372fc9beeb777fe35d05bb10c0c70a9733d366a75fed7dd18866c7391de3ee7e88ba74dd47abf3e15c845e547fcf0e5c3da80854c751554224d3a6d4e55f",
    ),
};

/// A Python package's signature.
pub const WHEEL: Published = Published {
    bundle: "rfc8785-wheel-v0.2.sigstore",
    root: "trusted_root.json",
    identity: "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/*",
    issuer: Some(ACTIONS),
    artifact: Known::Digest(
        "sha256:c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201",
    ),
};

/// A message in the staging instance's Rekor v2.
pub const STAGING_MESSAGE: Published = Published {
    bundle: "staging-rekor-v2.txt.sigstore.json",
    root: "staging_trusted_root.json",
    identity: "jku@goto.fi",
    issuer: Some(GITHUB_LOGIN),
    artifact: Known::File("staging-rekor-v2.txt"),
};

/// An envelope in the staging instance's Rekor v2.
pub const STAGING_ENVELOPE: Published = Published {
    bundle: "a.dsse.staging-rekor-v2.txt.sigstore.json",
    root: "staging_trusted_root.json",
    identity: "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main",
    issuer: Some(ACTIONS),
    artifact: Known::Digest(
        "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf",
    ),
};

/// A conda package's attestation in the staging instance's Rekor v2.
pub const STAGING_CONDA: Published = Published {
    bundle: "conda-attestation-rekor2.sigstore.json",
    root: "staging_trusted_root.json",
    identity: "jku@goto.fi",
    issuer: Some(GITHUB_LOGIN),
    artifact: Known::File("signed-package-2.1.0-hb0f4dca_0.conda"),
};

/// A message of the staging instance after its authorities were renewed in 2026.
pub const STAGING_2026: Published = Published {
    bundle: "staging-2026.sigstore.json",
    root: "staging-2026_trusted_root.json",
    identity: "https://github.com/sigstore/root-signing-staging/.github/workflows/custom-test.yml@refs/heads/main",
    issuer: Some(ACTIONS),
    artifact: Known::Digest(
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
};

/// A release of GitHub's own instance.
pub const GITHUB: Published = Published {
    bundle: "github-private-attestation.sigstore.json",
    root: "github_trusted_root.json",
    identity: "https://dotcom.releases.github.com",
    issuer: None,
    artifact: Known::Digest(
        "sha256:76f1fe8593bf227cca2c089e3c16dc95014a8d3e89c5dd220530469ca043c428",
    ),
};

/// A proof without a checkpoint: to be refused.
pub const NO_CHECKPOINT: Published = Published {
    bundle: "bundle_no_checkpoint.txt.sigstore",
    root: "staging_trusted_root.json",
    identity: "william@yossarian.net",
    issuer: Some(GITHUB_LOGIN),
    artifact: Known::Digest(
        "sha256:802dd60ff88333802f2585e73043bd21c341285e1992fe5b31755e1cadeae30e",
    ),
};

/// A trust root with another certificate log's key: to be refused.
pub const OTHER_CERTIFICATE_LOG: Published = Published {
    bundle: "invalid-ct-key/bundle.sigstore.json",
    root: "invalid-ct-key/trusted_root.json",
    ..STAGING_ENVELOPE
};

/// All that verify, with names.
pub const PUBLISHED: [(&str, Published); 10] = [
    ("cosign", COSIGN),
    ("conda", CONDA),
    ("npm", NPM),
    ("npm-v02", NPM_V02),
    ("wheel", WHEEL),
    ("staging-message", STAGING_MESSAGE),
    ("staging-envelope", STAGING_ENVELOPE),
    ("staging-conda", STAGING_CONDA),
    ("staging-2026", STAGING_2026),
    ("github", GITHUB),
];

impl Published {
    /// A policy that lets the signer sign anything. Revocation is not looked at: these
    /// authorities publish none, their certificates live for minutes.
    pub fn policy(&self) -> Value {
        json!({
            "version": 1,
            "signers": [{
                "files": ["**"],
                "identities": [self.identity],
                "oidc_issuers": self.issuer.iter().collect::<Vec<_>>(),
            }],
            "revocation": { "signer": "off", "authorities": "off", "timestamp_authorities": "off" },
        })
    }

    /// The artifact's digests.
    ///
    /// # Panics
    /// When the file is not there or the digest none.
    pub fn digests(&self) -> Vec<Digest> {
        match self.artifact {
            Known::File(name) => {
                let file = read(name);
                HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, &file)).to_vec()
            }
            Known::Digest(text) => vec![Digest::parse(text).expect("a digest")],
        }
    }

    /// The case as it was published.
    pub fn case(&self, name: &str) -> Case {
        Case {
            name: format!("public-{name}"),
            bundle: read(self.bundle),
            trusted_root: read(self.root),
            policy: self.policy().to_string().into_bytes(),
            file_name: None,
            size: None,
            digests: self.digests(),
            content: None,
            crls: Vec::new(),
            ocsp: Vec::new(),
            key: None,
            now: NOW,
        }
    }
}

/// JSON with one change.
///
/// # Panics
/// When it is not JSON.
pub fn changed(text: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(text).expect("JSON");
    change(&mut value);
    value.to_string().into_bytes()
}

/// The changes that every published bundle is put through; each leaves a bundle and a trust root
/// that can be read.
type Change = fn(&mut Case);
const CHANGES: [(&str, Change); 7] = [
    ("stranger", |case| {
        case.policy = changed(&case.policy, |policy| {
            policy["signers"][0]["identities"] = json!(["stranger@example.com"]);
        });
    }),
    ("other-provider", |case| {
        case.policy = changed(&case.policy, |policy| {
            policy["signers"][0]["oidc_issuers"] = json!(["https://login.example"]);
        });
    }),
    ("other-file", |case| {
        case.digests = HashAlgorithm::STRONG
            .map(|algorithm| digest(&AwsLc, algorithm, b"another file"))
            .to_vec();
    }),
    ("logs-closed", |case| {
        case.trusted_root = changed(&case.trusted_root, |root| {
            for log in root.get_mut("tlogs").and_then(Value::as_array_mut).into_iter().flatten() {
                log["publicKey"]["validFor"]["end"] = json!("2021-06-01T00:00:00Z");
            }
        });
    }),
    ("no-timestamp", |case| {
        case.bundle = changed(&case.bundle, |bundle| {
            let material = bundle["verificationMaterial"].as_object_mut().expect("material");
            material.remove("timestampVerificationData");
        });
    }),
    ("no-log-entry", |case| {
        case.bundle = changed(&case.bundle, |bundle| {
            let material = bundle["verificationMaterial"].as_object_mut().expect("material");
            material.insert("tlogEntries".to_owned(), json!([]));
        });
    }),
    ("other-signature", |case| {
        case.bundle = changed(&case.bundle, |bundle| {
            let place = if bundle.get("messageSignature").is_some() {
                &mut bundle["messageSignature"]["signature"]
            } else {
                &mut bundle["dsseEnvelope"]["signatures"][0]["sig"]
            };
            let text = place.as_str().expect("base64").to_owned();
            let (start, end) = text.split_at(20);
            let other = if end.starts_with('A') { "B" } else { "A" };
            *place = json!(format!("{start}{other}{}", &end[1..]));
        });
    }),
];

/// All of them, and their changes.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, published) in &PUBLISHED {
        let genuine = published.case(name);
        for (what, change) in CHANGES {
            let mut case = genuine.clone();
            case.name = format!("public-{name}-{what}");
            change(&mut case);
            if case != (Case { name: case.name.clone(), ..genuine.clone() }) {
                cases.push(case);
            }
        }
        cases.push(genuine);
    }
    cases.push(NO_CHECKPOINT.case("no-checkpoint"));
    cases.push(OTHER_CERTIFICATE_LOG.case("other-certificate-log"));
    cases
}
