//! in-toto Statements (v1): which artifacts a signed statement is about.
//!
//! The predicate is walked for repeated keys and depth but not read; unknown fields in it are the
//! predicate's business. The subject's `annotations`, the `ResourceDescriptor`'s own place for
//! additions, may hold the size in bytes.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    digest::{Digest, HashAlgorithm, decode_hex},
    finding::{Finding, FindingCode},
    json::{self, JsonFault},
    limits,
};

/// The type of the statements we read.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The type before; the same but for its name.
const STATEMENT_TYPE_V01: &str = "https://in-toto.io/Statement/v0.1";

/// A decoded statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The artifacts it is about.
    pub subjects: Vec<Subject>,
    /// What it says of them.
    pub predicate_type: String,
}

/// One artifact.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its file name.
    pub name: Option<String>,
    /// Its strong digests.
    pub digests: Vec<Digest>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatementForm {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<SubjectForm>,
    predicate_type: String,
    #[serde(default, rename = "predicate")]
    _predicate: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct SubjectForm {
    name: Option<String>,
    #[serde(default)]
    digest: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Deserialize, Default)]
struct Annotations {
    size: Option<serde_json::Value>,
}

impl Statement {
    /// Reads a statement from an envelope's payload.
    ///
    /// # Errors
    /// A finding: malformed, a repeated key, another type, too many subjects, a strong digest of
    /// the wrong length.
    pub fn decode(payload: &[u8]) -> Result<Self, Finding> {
        let malformed = |found: String| Finding::new(FindingCode::StatementMalformed).found(found);
        let form: StatementForm = json::decode(payload).map_err(|fault| match fault {
            JsonFault::DuplicateKey(_) | JsonFault::TooDeep => super::json_finding(&fault),
            other => malformed(alloc::format!("{other}")),
        })?;
        if form.statement_type != STATEMENT_TYPE && form.statement_type != STATEMENT_TYPE_V01 {
            return Err(Finding::new(FindingCode::StatementType)
                .about("_type")
                .expected(STATEMENT_TYPE)
                .found(form.statement_type));
        }
        if form.subject.is_empty() {
            return Err(malformed(String::from("no subject")));
        }
        if form.subject.len() > limits::SUBJECTS {
            return Err(Finding::new(FindingCode::BundleTooManyParts)
                .about("subjects")
                .expected(alloc::format!("at most {}", limits::SUBJECTS))
                .found(alloc::format!("{}", form.subject.len())));
        }
        let subjects = form.subject.into_iter().map(SubjectForm::decode).collect::<Option<_>>();
        let subjects = subjects.ok_or_else(|| {
            malformed(String::from("a digest of another length than its algorithm's"))
        })?;
        Ok(Self { subjects, predicate_type: form.predicate_type })
    }

    /// The strongest algorithm that every subject has, or all that occur: what to compute for an
    /// artifact before one knows which subject it is.
    pub fn algorithms(&self) -> Vec<HashAlgorithm> {
        let has = |subject: &Subject, algorithm| {
            subject.digests.iter().any(|digest| digest.algorithm() == algorithm)
        };
        // SHA-256 first: with the processor's help it is the fastest natively, and everyone has it.
        let shared = HashAlgorithm::STRONG
            .into_iter()
            .find(|algorithm| self.subjects.iter().all(|subject| has(subject, *algorithm)));
        match shared {
            Some(algorithm) => alloc::vec![algorithm],
            None => HashAlgorithm::STRONG
                .into_iter()
                .filter(|algorithm| self.subjects.iter().any(|subject| has(subject, *algorithm)))
                .collect(),
        }
    }
}

impl SubjectForm {
    fn decode(self) -> Option<Subject> {
        let mut digests = Vec::new();
        for (name, hex) in &self.digest {
            // Other algorithms, and weak ones, are there for others.
            if let Some(algorithm) = HashAlgorithm::parse(name) {
                digests.push(Digest::new(algorithm, &decode_hex(hex)?)?);
            }
        }
        let size = self.annotations.size.as_ref().and_then(serde_json::Value::as_u64);
        Some(Subject { name: self.name, digests, size })
    }
}
