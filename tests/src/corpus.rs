//! One corpus for every verifier: what is really out there, what a private authority makes, and
//! mutants of both, each with everything that is verified beside it.
//!
//! The same bytes in every run (keys are made from names, ECDSA nonces follow RFC 6979), so that
//! verdicts can be compared across fillers, platforms and peers. Nothing here says what a verdict
//! should be: the mutants' own tests do.
//!
//! `countersign-corpus` writes it as files. Each case is a folder `NNN-name`:
//!
//! | File | What it is |
//! |---|---|
//! | `bundle.json` | the bundle; not always JSON |
//! | `trusted_root.json` | the trust root; always readable |
//! | `policy.json` | the policy; always readable |
//! | `crl-0.der`, `crl-1.der`, … | CRLs, in the order they are given |
//! | `ocsp-0.der`, … | OCSP responses, in their order |
//! | `content.bin` | the file itself, only where its signature is over the whole of it |
//! | `key.der` | the expected public key (`SubjectPublicKeyInfo`), only for managed keys |
//! | `case.json` | the rest, see below |
//! | `expected-report.json` | the report as `serde_json` writes it without spaces, no line feed |
//!
//! `case.json`: `{"name": "…", "artifact": {"name": string or null, "size": number or null,
//! "digests": ["sha256:HEX", …], "content": "content.bin" or null}, "now": seconds since 1970, "crls": ["crl-0.der", …],
//! "ocsp": ["ocsp-0.der", …], "key": "key.der" or null}`.

mod downloads;
pub mod keys;
mod lists;
mod logged;
pub mod presented;
mod private;
pub mod public_good;
pub mod statements;
mod tokens;
pub mod whole_files;

use countersign_core::{
    Artifact, Evidence, crypto::CryptoProvider, digest::Digest, policy::Policy, report::Report,
    time::UnixSeconds, trust::TrustRoot, verify,
};
use serde_json::json;

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name: lower-case words with hyphens, unique.
    pub name: String,
    /// The bundle.
    pub bundle: Vec<u8>,
    /// `trusted_root.json`.
    pub trusted_root: Vec<u8>,
    /// The policy.
    pub policy: Vec<u8>,
    /// The file's name.
    pub file_name: Option<String>,
    /// The file's size in bytes.
    pub size: Option<u64>,
    /// The file's digests.
    pub digests: Vec<Digest>,
    /// The file, where its signature is over the whole of it.
    pub content: Option<Vec<u8>>,
    /// CRLs, DER.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses, DER.
    pub ocsp: Vec<Vec<u8>>,
    /// The expected public key, DER `SubjectPublicKeyInfo`.
    pub key: Option<Vec<u8>>,
    /// When it is verified.
    pub now: UnixSeconds,
}

impl Case {
    /// The report by that filler.
    ///
    /// # Panics
    /// When trust root or policy cannot be read.
    pub fn verify(&self, crypto: &dyn CryptoProvider) -> Report {
        let trust = TrustRoot::decode(&self.trusted_root).expect("a trust root");
        let policy = Policy::decode(&self.policy).expect("a policy");
        let crls: Vec<&[u8]> = self.crls.iter().map(Vec::as_slice).collect();
        let ocsp: Vec<&[u8]> = self.ocsp.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact {
                name: self.file_name.as_deref(),
                size: self.size,
                digests: &self.digests,
                content: self.content.as_deref(),
                beginning: None,
                ..Artifact::default()
            },
            bundle: &self.bundle,
            crls: &crls,
            ocsp_responses: &ocsp,
            key: self.key.as_deref(),
            ..Evidence::default()
        };
        verify(&evidence, &trust, &policy, crypto, self.now)
    }

    /// The case as files, the expected report excepted.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let numbered = |kind: &str, list: &[Vec<u8>]| -> Vec<(String, Vec<u8>)> {
            let named = list.iter().enumerate();
            named.map(|(index, octets)| (format!("{kind}-{index}.der"), octets.clone())).collect()
        };
        let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
            files.iter().map(|(name, _)| name.clone()).collect()
        };
        let (crls, ocsp) = (numbered("crl", &self.crls), numbered("ocsp", &self.ocsp));
        let digests: Vec<String> = self.digests.iter().map(ToString::to_string).collect();
        let rest = json!({
            "name": self.name,
            "artifact": {
                "name": self.file_name,
                "size": self.size,
                "digests": digests,
                "content": self.content.as_ref().map(|_| "content.bin"),
            },
            "now": self.now.seconds(),
            "crls": names(&crls),
            "ocsp": names(&ocsp),
            "key": self.key.as_ref().map(|_| "key.der"),
        });
        let mut files = vec![
            ("bundle.json".to_owned(), self.bundle.clone()),
            ("trusted_root.json".to_owned(), self.trusted_root.clone()),
            ("policy.json".to_owned(), self.policy.clone()),
            ("case.json".to_owned(), format!("{rest}\n").into_bytes()),
        ];
        files.extend(crls);
        files.extend(ocsp);
        let content =
            self.content.iter().map(|content| ("content.bin".to_owned(), content.clone()));
        files.extend(content);
        files.extend(self.key.iter().map(|key| ("key.der".to_owned(), key.clone())));
        files
    }
}

/// All cases, in a fixed order.
pub fn cases() -> Vec<Case> {
    [
        public_good::cases(),
        private::cases(),
        statements::cases(),
        tokens::cases(),
        lists::cases(),
        logged::cases(),
        keys::cases(),
        downloads::cases(),
        whole_files::cases(),
        presented::cases(),
    ]
    .concat()
}
