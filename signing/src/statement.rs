//! in-toto statements, version 1: which artifacts a claim is about, and the claim.
//!
//! The claim (the predicate) is the caller's and goes through unread.

use std::collections::BTreeMap;

use countersign_core::digest::Digest;
use serde::Serialize;
use serde_json::{Map, Value};

/// The type of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The predicate of a release, when the caller names no other.
pub const RELEASE_PREDICATE_TYPE: &str = "https://in-toto.io/attestation/release/v0.1";

/// A statement about artifacts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    type_uri: &'static str,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Map<String, Value>,
}

/// One artifact: a `ResourceDescriptor` with name, digests and length.
#[derive(Clone, Debug, Serialize)]
pub struct Subject {
    name: String,
    digest: BTreeMap<&'static str, String>,
    annotations: Annotations,
}

/// `annotations` is where the specification has producers put what it has no field for.
#[derive(Clone, Debug, Serialize)]
struct Annotations {
    size: u64,
}

impl Subject {
    /// An artifact of `size_octets` with these digests; Sigstore verifiers look for SHA-256.
    pub fn new(name: impl Into<String>, digests: &[Digest], size_octets: u64) -> Self {
        let digest =
            digests.iter().map(|digest| (digest.algorithm().name(), digest.hex())).collect();
        Self { name: name.into(), digest, annotations: Annotations { size: size_octets } }
    }
}

impl Statement {
    /// A statement that says `predicate`, of the type `predicate_type`, about `subjects`.
    pub fn new(
        subjects: Vec<Subject>,
        predicate_type: impl Into<String>,
        predicate: Map<String, Value>,
    ) -> Self {
        Self {
            type_uri: STATEMENT_TYPE,
            subject: subjects,
            predicate_type: predicate_type.into(),
            predicate,
        }
    }

    /// The statement as JSON without white space: the payload of a DSSE envelope.
    ///
    /// # Errors
    /// [`serde_json::Error`], which these types do not give rise to.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::digest::HashAlgorithm;
    use serde_json::json;

    use super::*;

    #[test]
    fn lays_out_a_statement() {
        let digests = [
            Digest::new(HashAlgorithm::Sha384, &[0xAB; 48]).expect("48 octets"),
            Digest::new(HashAlgorithm::Sha256, &[1; 32]).expect("32 octets"),
        ];
        let subject = Subject::new("app-2.1.tar.gz", &digests, 42);
        let statement = Statement::new(vec![subject], RELEASE_PREDICATE_TYPE, Map::new());
        let json: Value =
            serde_json::from_slice(&statement.to_json().expect("JSON")).expect("JSON");
        let expected = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{
                "name": "app-2.1.tar.gz",
                "digest": {"sha256": "01".repeat(32), "sha384": "ab".repeat(48)},
                "annotations": {"size": 42},
            }],
            "predicateType": "https://in-toto.io/attestation/release/v0.1",
            "predicate": {},
        });
        assert_eq!(json, expected);
    }
}
