//! A signed and timestamped file with everything that a verifier is given besides it.

use base64ct::{Base64, Encoding};
use countersign_core::{
    Artifact, Evidence,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{Digest, HashAlgorithm, digest},
    policy::Policy,
    report::Report,
    time::UnixSeconds,
    trust::{Authority, TrustRoot, Window},
    verify,
};
use countersign_signing::bundle::{self, Bundle};

use serde_json::{Map, Value, json};

use super::{Chain, DAY, ForgeKey, IDENTITY, NOW, SignedChain, TokenDraft};

/// Two chains, and a file signed below one and stamped below the other.
#[derive(Debug)]
pub struct Release {
    /// The signer's.
    pub signing: Chain,
    /// The timestamp authority's.
    pub stamping: Chain,
    /// When the certificate authority is believed.
    pub window: Window,
}

/// What is verified beside the bundle.
#[derive(Clone, Debug)]
pub struct Proofs {
    /// CRLs, DER.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses, DER.
    pub ocsp: Vec<Vec<u8>>,
    /// Members of the policy besides version and signers, as JSON with a comma before each.
    pub rules: String,
    /// When.
    pub now: UnixSeconds,
}

impl Default for Proofs {
    fn default() -> Self {
        Self { crls: Vec::new(), ocsp: Vec::new(), rules: String::new(), now: NOW }
    }
}

impl Release {
    /// The file.
    pub const FILE: &[u8] = b"the published program";

    /// When it was certainly signed: genTime of the drafts and their accuracy of a second.
    pub const SIGNED: UnixSeconds = NOW.minus_seconds(3_599);

    /// Right in every way.
    pub fn new() -> Self {
        let (signing, stamping) = (Chain::code_signing(), Chain::timestamping());
        Self { signing, stamping, window: Window::default() }
    }

    /// Whom one trusts.
    ///
    /// # Panics
    /// When a chain is none.
    pub fn trust(&self) -> TrustRoot {
        let (signing, stamping) = (self.signing.sign(), self.stamping.sign());
        let of = |chain: Vec<Vec<u8>>, window| {
            Authority::from_chain("http://authority.example", chain, window).expect("an authority")
        };
        let SignedChain { root, authority, leaf } = stamping;
        TrustRoot {
            certificate_authorities: vec![of(vec![signing.authority, signing.root], self.window)],
            timestamp_authorities: vec![of(vec![leaf, authority, root], Window::default())],
            logs: Vec::new(),
            certificate_logs: Vec::new(),
        }
    }

    /// The same as `trusted_root.json`.
    ///
    /// # Panics
    /// Never.
    pub fn trusted_root(&self) -> Value {
        let (signing, stamping) = (self.signing.sign(), self.stamping.sign());
        let of = |chain: &[&[u8]], window: Window| {
            let certificates: Vec<Value> =
                chain.iter().map(|raw| json!({ "rawBytes": Base64::encode_string(raw) })).collect();
            let mut valid_for = Map::new();
            for (name, time) in [("start", window.start), ("end", window.end)] {
                valid_for.extend(time.map(|time| (name.to_owned(), json!(time.to_string()))));
            }
            json!({
                "subject": { "organization": "Example", "commonName": "Example" },
                "uri": "http://authority.example",
                "certChain": { "certificates": certificates },
                "validFor": valid_for,
            })
        };
        let believed = Window { start: Some(NOW.minus_seconds(30 * DAY)), end: None };
        let window = Window { start: self.window.start.or(believed.start), ..self.window };
        json!({
            "mediaType": countersign_core::trust::MEDIA_TYPE,
            "tlogs": [],
            "certificateAuthorities": [of(&[&signing.authority, &signing.root], window)],
            "ctlogs": [],
            "timestampAuthorities":
                [of(&[&stamping.leaf, &stamping.authority, &stamping.root], believed)],
        })
    }

    /// A token over `octets`, made an hour before [`NOW`].
    pub fn timestamp(&self, octets: &[u8]) -> Vec<u8> {
        let draft = TokenDraft::new(HashAlgorithm::Sha384, octets);
        draft.sign(&self.stamping.leaf_key, &self.stamping.sign().leaf)
    }

    /// The digest that is signed.
    pub fn digest() -> Digest {
        digest(&RustCrypto, HashAlgorithm::Sha384, Self::FILE)
    }

    /// All digests of the file that one may want.
    pub fn digests() -> Vec<Digest> {
        HashAlgorithm::STRONG
            .into_iter()
            .map(|algorithm| digest(&RustCrypto, algorithm, Self::FILE))
            .collect()
    }

    /// A bundle with a signature by `key` and these timestamps.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn bundle_with(&self, signature: &[u8], timestamps: &[Vec<u8>]) -> Vec<u8> {
        let certificate = self.signing.sign().leaf;
        let evidence = bundle::Evidence { certificate: &certificate, timestamps };
        let bundle = Bundle::message_signature(&Self::digest(), signature, evidence);
        bundle.to_json().expect("JSON").into()
    }

    /// The bundle: signed, and stamped once.
    pub fn bundle(&self) -> Vec<u8> {
        let signature = self.signature(&self.signing.leaf_key);
        self.bundle_with(&signature, &[self.timestamp(&signature)])
    }

    /// The file's signature by `key`.
    pub fn signature(&self, key: &ForgeKey) -> Vec<u8> {
        key.signature(Self::FILE)
    }

    /// Verifies by both fillers, which must agree.
    ///
    /// # Panics
    /// When they do not, or the policy is none.
    #[track_caller]
    pub fn verify(&self, bundle: &[u8], proofs: &Proofs) -> Report {
        let policy = format!(
            r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}]{}}}"#,
            proofs.rules
        );
        let policy = Policy::decode(policy.as_bytes()).expect("a policy");
        let digests = Self::digests();
        let crls: Vec<&[u8]> = proofs.crls.iter().map(Vec::as_slice).collect();
        let ocsp: Vec<&[u8]> = proofs.ocsp.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact {
                name: Some("app"),
                digests: &digests,
                content: Some(Self::FILE),
                ..Artifact::default()
            },
            bundle,
            crls: &crls,
            ocsp_responses: &ocsp,
            key: None,
            ..Evidence::default()
        };
        let trust = self.trust();
        let by =
            |crypto: &dyn CryptoProvider| verify(&evidence, &trust, &policy, crypto, proofs.now);
        let native = by(&AwsLc);
        assert_eq!(native, by(&RustCrypto), "rustcrypto differs");
        native
    }
}

impl Default for Release {
    fn default() -> Self {
        Self::new()
    }
}
