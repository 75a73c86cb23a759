//! in-toto Statements (v1): which artifacts a signed statement is about.
//!
//! The guard of JSON passes over the predicate, which is not read; unknown fields in it are the
//! predicate's business. The subject's `annotations`, the `ResourceDescriptor`'s own place for
//! additions, may hold the size in bytes.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::{
    digest::{Digest, HashAlgorithm, decode_hex},
    finding::{Finding, FindingCode},
    json::{self, JsonFault, Text, Value, strict},
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
#[serde(remote = "Self", rename_all = "camelCase")]
struct StatementForm {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<SubjectForm>,
    predicate_type: String,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct SubjectForm {
    name: Option<String>,
    #[serde(default)]
    digest: DigestSet,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Default, Deserialize)]
#[serde(remote = "Self")]
struct Annotations {
    #[serde(default, deserialize_with = "whole_number")]
    size: Option<u64>,
}

strict! {
    object StatementForm;
    object SubjectForm;
    object Annotations;
}

/// An in-toto `DigestSet`: the strong digests in the order of their keys; `None` if one is of
/// another length than its algorithm's. Other algorithms, and weak ones, are there for others.
struct DigestSet(Option<Vec<(String, Digest)>>);

impl Default for DigestSet {
    fn default() -> Self {
        Self(Some(Vec::new()))
    }
}

impl<'de> Deserialize<'de> for DigestSet {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(Digests)
    }
}

struct Digests;

impl<'de> Visitor<'de> for Digests {
    type Value = DigestSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<DigestSet, A::Error> {
        let mut digests = DigestSet::default();
        while let Some((Text(name), Text(hex))) = members.next_entry()? {
            let Some(algorithm) = HashAlgorithm::parse(&name) else { continue };
            let octets = decode_hex(&hex);
            let digest = octets.and_then(|octets| Digest::new(algorithm, &octets));
            digests.0 = digests.0.zip(digest).map(|(mut list, digest)| {
                // Few: a name has no more spellings than its letters have cases.
                let place = list.iter().position(|(other, _)| **other > *name);
                list.insert(place.unwrap_or(list.len()), (name.into_owned(), digest));
                list
            });
        }
        Ok(digests)
    }
}

/// A number; `None` if it is anything else, or not whole.
fn whole_number<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<u64>, D::Error> {
    Value::deserialize(reader).map(|value| value.read().ok())
}

impl Statement {
    /// Reads a statement from an envelope's payload.
    ///
    /// # Errors
    /// A finding: malformed, a repeated key, another type, too many subjects, a strong digest of
    /// the wrong length.
    pub fn decode(payload: &[u8]) -> Result<Self, Finding> {
        let malformed = |found: String| Finding::new(FindingCode::STATEMENT_MALFORMED).found(found);
        let form: StatementForm = json::decode(payload).map_err(|fault| match fault {
            JsonFault::DuplicateKey(_) | JsonFault::TooDeep => super::json_finding(&fault),
            other => malformed(alloc::format!("{other}")),
        })?;
        if form.statement_type != STATEMENT_TYPE && form.statement_type != STATEMENT_TYPE_V01 {
            return Err(Finding::new(FindingCode::STATEMENT_TYPE)
                .about("_type")
                .expected(STATEMENT_TYPE)
                .found(form.statement_type));
        }
        if form.subject.is_empty() {
            return Err(malformed(String::from("no subject")));
        }
        if form.subject.len() > limits::SUBJECTS {
            return Err(Finding::new(FindingCode::BUNDLE_TOO_MANY_PARTS)
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
        let digests = self.digest.0?.into_iter().map(|(_, digest)| digest).collect();
        let size = self.annotations.size;
        // Protobuf's JSON knows no absent text: an empty name is none.
        let name = self.name.filter(|name| !name.is_empty());
        Some(Subject { name, digests, size })
    }
}
