//! SLSA provenance (v0.2 and v1): by what and from what an artifact was built.
//!
//! Only what a policy can have expectations of is read: builder, build type, source repository and
//! ref. Everything else in a predicate is ignored, as in-toto demands. Where the source is
//! depends on the build type, which defines what the parameters mean:
//!
//! | Build type | Source and ref |
//! |---|---|
//! | GitHub Actions workflow v1 (either spelling) | `externalParameters.workflow.repository`, `.ref` |
//! | Google Cloud Build, triggered build v1 | `externalParameters.sourceToBuild.repository`, `.ref` |
//! | container-based build v0.1 | `externalParameters.source.uri` |
//! | any other v1 | the one `resolvedDependencies[].uri` that begins with `git+` |
//! | any v0.2 | `invocation.configSource.uri`, else the one `materials[].uri` with `git+` |
//!
//! A URI `git+https://host/repository@ref` (SPDX 2.3 §7.7) says both. Nothing here says whether
//! the provenance is to be believed: its signature and the policy do.

use alloc::{format, string::String};
use core::fmt;

use crate::{
    finding::{Finding, FindingCode},
    json::{Document, JsonFault, Value},
    pattern::scheme_and_rest,
};

/// The predicate types that are read, the newest first.
pub const PROVENANCE_TYPES: [&str; 2] =
    ["https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"];

/// Where the source is in predicates of the well-known build types.
const SOURCE_PLACES: [(&str, Place); 5] = [
    ("https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1", WORKFLOW),
    ("https://actions.github.io/buildtypes/workflow/v1", WORKFLOW),
    (
        "https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1",
        Place::Parts {
            repository: &["sourceToBuild", "repository"],
            reference: &["sourceToBuild", "ref"],
        },
    ),
    ("https://slsa.dev/container-based-build/v0.1", Place::Uri(&["source", "uri"])),
    ("https://slsa.dev/container-based-build/v0.1?draft", Place::Uri(&["source", "uri"])),
];

const WORKFLOW: Place =
    Place::Parts { repository: &["workflow", "repository"], reference: &["workflow", "ref"] };

/// A place below `buildDefinition.externalParameters`.
#[derive(Clone, Copy)]
enum Place {
    Parts { repository: &'static [&'static str], reference: &'static [&'static str] },
    Uri(&'static [&'static str]),
}

/// What provenance says of one thing; nothing that can be compared otherwise.
pub type Field = Result<String, FieldFault>;

/// Why a field cannot be compared; with its place in the predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// It is not there.
    Missing(String),
    /// It is of another form than its specification says.
    Malformed(String),
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(place) => write!(f, "{place} is missing"),
            Self::Malformed(place) => write!(f, "{place} is malformed"),
        }
    }
}

/// Decoded provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Who built: `runDetails.builder.id` or `builder.id`.
    pub builder: Field,
    /// How: `buildDefinition.buildType` or `buildType`.
    pub build_type: Field,
    /// From which repository; without `git+` and without the ref.
    pub source: Field,
    /// From which branch or tag, as the source has it: `refs/tags/v1.0`.
    pub reference: Field,
}

impl Provenance {
    /// Reads the provenance in a statement's payload that [`Statement::decode`] has read; nothing
    /// when its predicate is of another type.
    ///
    /// # Errors
    /// `provenance.field.malformed` when there is no predicate that is an object.
    ///
    /// [`Statement::decode`]: super::Statement::decode
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, Finding> {
        let malformed = |found: String| {
            Finding::new(FindingCode::PROVENANCE_FIELD_MALFORMED).about("predicate").found(found)
        };
        let document =
            Document::decode(payload).map_err(|fault: JsonFault| malformed(format!("{fault}")))?;
        let statement = document.root();
        let predicate_type = statement.member("predicateType").and_then(Value::string);
        let predicate_type = predicate_type.as_deref().unwrap_or_default();
        if !PROVENANCE_TYPES.contains(&predicate_type) {
            return Ok(None);
        }
        let predicate = statement.member("predicate");
        let Some(predicate) = predicate.filter(|each| each.is_object()) else {
            return Err(malformed(String::from("no object")));
        };
        Ok(Some(if predicate_type == PROVENANCE_TYPES[0] {
            Self::of_v1(predicate)
        } else {
            Self::of_v02(predicate)
        }))
    }

    fn of_v1(predicate: Value<'_>) -> Self {
        let build_type = text(predicate, &["buildDefinition", "buildType"]);
        let known = SOURCE_PLACES.iter().find(|(name, _)| build_type.as_deref() == Ok(*name));
        let parameter = |place: &[&str]| {
            let path = [&["buildDefinition", "externalParameters"], place].concat();
            text(predicate, &path)
        };
        let (source, reference) = match known {
            Some((_, Place::Parts { repository, reference })) => {
                (parameter(repository).map(without_tool), parameter(reference))
            }
            Some((_, Place::Uri(place))) => divided(parameter(place)),
            None => {
                let list = &["buildDefinition", "resolvedDependencies"];
                divided(the_one_repository(predicate, list))
            }
        };
        let builder = text(predicate, &["runDetails", "builder", "id"]);
        Self { builder, build_type, source, reference }
    }

    fn of_v02(predicate: Value<'_>) -> Self {
        let configured = text(predicate, &["invocation", "configSource", "uri"]);
        let uri = match configured {
            Err(FieldFault::Missing(place)) => {
                // Without either, the first place is what is named.
                the_one_repository(predicate, &["materials"]).map_err(|fault| match fault {
                    FieldFault::Missing(_) => FieldFault::Missing(place),
                    malformed @ FieldFault::Malformed(_) => malformed,
                })
            }
            other => other,
        };
        let (source, reference) = divided(uri);
        Self {
            builder: text(predicate, &["builder", "id"]),
            build_type: text(predicate, &["buildType"]),
            source,
            reference,
        }
    }
}

/// The value at a place; everything on the way must be an object.
fn value<'v>(mut value: Value<'v>, place: &[&str]) -> Result<Value<'v>, FieldFault> {
    for (depth, key) in place.iter().enumerate() {
        if !value.is_object() {
            let parent = place.get(..depth).unwrap_or(place);
            return Err(FieldFault::Malformed(parent.join(".")));
        }
        value = match value.member(key).filter(|inner| !inner.is_null()) {
            None => return Err(FieldFault::Missing(place.join("."))),
            Some(inner) => inner,
        };
    }
    Ok(value)
}

fn text(predicate: Value<'_>, place: &[&str]) -> Field {
    match value(predicate, place)?.string() {
        Some(text) if text.is_empty() => Err(FieldFault::Missing(place.join("."))),
        Some(text) => Ok(text.into_owned()),
        None => Err(FieldFault::Malformed(place.join("."))),
    }
}

/// The only one of a list's resources that is a repository. Of several, nobody says which was
/// built and which merely used.
fn the_one_repository(predicate: Value<'_>, place: &[&str]) -> Field {
    let list = place.join(".");
    let Some(resources) = value(predicate, place)?.elements() else {
        return Err(FieldFault::Malformed(list));
    };
    let mut found = None;
    for resource in resources {
        let uri = match text(resource, &["uri"]) {
            Ok(uri) => uri,
            // A resource may have a name or a digest alone.
            Err(FieldFault::Missing(_)) => continue,
            Err(FieldFault::Malformed(_)) => {
                return Err(FieldFault::Malformed(format!("{list}[].uri")));
            }
        };
        if uri.starts_with(TOOL) && found.replace(uri).is_some() {
            return Err(FieldFault::Missing(format!("{list}: one repository alone")));
        }
    }
    found.ok_or_else(|| FieldFault::Missing(format!("{list}[].uri with {TOOL}")))
}

/// The prefix by which SPDX says that an address is a git repository's.
const TOOL: &str = "git+";

fn without_tool(uri: String) -> String {
    uri.strip_prefix(TOOL).map(String::from).unwrap_or(uri)
}

/// Repository and ref of `git+https://host/repository@ref`.
fn divided(uri: Field) -> (Field, Field) {
    let uri = match uri {
        Ok(uri) => without_tool(uri),
        Err(fault) => return (Err(fault.clone()), Err(fault)),
    };
    // An @ may stand before the host (a user), and in a ref; not in a repository's path.
    let path_start =
        scheme_and_rest(&uri).map_or(0, |(_, rest)| uri.len().saturating_sub(rest.len()));
    let path = uri.get(path_start..).and_then(|rest| rest.find('/'));
    let path_start = path.map_or(uri.len(), |at| path_start.saturating_add(at));
    let at = uri.get(path_start..).and_then(|path| path.find('@'));
    let parts = at.and_then(|at| uri.split_at_checked(path_start.saturating_add(at)));
    if let Some((repository, reference)) = parts {
        let reference = reference.strip_prefix('@').unwrap_or(reference);
        return (Ok(String::from(repository)), Ok(String::from(reference)));
    }
    let missing = format!("the ref in {}", crate::finding::quoted(uri.clone()));
    (Ok(uri), Err(FieldFault::Missing(missing)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    fn decode(version: &str, predicate: &str) -> Provenance {
        let payload = format!(
            r#"{{"predicateType":"https://slsa.dev/provenance/{version}","predicate":{predicate}}}"#
        );
        Provenance::decode(payload.as_bytes()).unwrap().unwrap()
    }

    fn uri(text: &str) -> (Option<String>, Option<String>) {
        let (source, reference) = divided(Ok(String::from(text)));
        (source.ok(), reference.ok())
    }

    #[test]
    fn divides_uris_at_the_ref() {
        let of = |source: &str, reference: &str| (Some(source.into()), Some(reference.into()));
        let repository = "https://git.example/org/app";
        assert_eq!(
            uri("git+https://git.example/org/app@refs/tags/v1"),
            of(repository, "refs/tags/v1")
        );
        assert_eq!(uri("https://git.example/org/app@app@1.0"), of(repository, "app@1.0"));
        assert_eq!(
            uri("git+https://me@git.example/a"),
            (Some("https://me@git.example/a".into()), None)
        );
        assert_eq!(uri("git+ssh://me@git.example"), (Some("ssh://me@git.example".into()), None));
        assert_eq!(uri("git+"), (Some(String::new()), None));
    }

    #[test]
    fn reads_sources_where_the_build_type_has_them() {
        let of = |build_type: &str, parameters: &str| {
            decode(
                "v1",
                &format!(
                    r#"{{"buildDefinition":{{"buildType":"{build_type}","externalParameters":{parameters},
                    "resolvedDependencies":[{{"uri":"git+https://git.example/a/b@refs/heads/x"}},{{"uri":"https://x"}},{{"name":"n"}}]}}}}"#
                ),
            )
        };
        let workflow =
            r#"{"workflow":{"repository":"https://git.example/org/app","ref":"refs/heads/main"}}"#;
        let github = of("https://actions.github.io/buildtypes/workflow/v1", workflow);
        assert_eq!(github.source.unwrap(), "https://git.example/org/app");
        assert_eq!(github.reference.unwrap(), "refs/heads/main");
        // The same parameters mean nothing in a build type that nobody knows.
        let unknown = of("https://builds.example/v1", workflow);
        assert_eq!(unknown.source.unwrap(), "https://git.example/a/b");
        let container = of(
            "https://slsa.dev/container-based-build/v0.1?draft",
            r#"{"source":{"uri":"git+https://git.example/c@refs/tags/v2"}}"#,
        );
        assert_eq!(container.source.unwrap(), "https://git.example/c");
        let cloud = of(
            "https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1",
            r#"{"sourceToBuild":{"repository":"git+https://git.example/d","ref":"refs/tags/v3"}}"#,
        );
        assert_eq!(
            (cloud.source.unwrap(), cloud.reference.unwrap()),
            ("https://git.example/d".into(), "refs/tags/v3".into())
        );
        assert_eq!(cloud.builder, Err(FieldFault::Missing("runDetails.builder.id".into())));
    }

    #[test]
    fn takes_one_repository_only_where_nobody_says_which_was_built() {
        let of = |list: &str| {
            decode(
                "v1",
                &format!(
                    r#"{{"buildDefinition":{{"buildType":"x","resolvedDependencies":{list}}}}}"#
                ),
            )
            .source
        };
        assert!(of(r#"[{"uri":"git+https://a/b"}]"#).is_ok());
        assert!(matches!(
            of(r#"[{"uri":"git+https://a/b"},{"uri":"git+https://a/c"}]"#),
            Err(FieldFault::Missing(_))
        ));
        assert!(matches!(of("[]"), Err(FieldFault::Missing(_))));
        assert!(matches!(of(r#"[{"uri":7}]"#), Err(FieldFault::Malformed(_))));
        assert!(matches!(of(r#"["x"]"#), Err(FieldFault::Malformed(_))));
        assert!(matches!(of("7"), Err(FieldFault::Malformed(_))));
    }

    #[test]
    fn reads_version_0_2() {
        let both = decode(
            "v0.2",
            r#"{"builder":{"id":"b"},"buildType":"t","invocation":{"configSource":{"uri":"git+https://a/b@refs/heads/m"}},"materials":[{"uri":"git+https://x/y"}]}"#,
        );
        assert_eq!(
            both,
            Provenance {
                builder: Ok("b".into()),
                build_type: Ok("t".into()),
                source: Ok("https://a/b".into()),
                reference: Ok("refs/heads/m".into())
            }
        );
        let materials = decode("v0.2", r#"{"materials":[{"uri":"git+https://x/y@refs/tags/z"}]}"#);
        assert_eq!(materials.source, Ok("https://x/y".into()));
        let neither = decode("v0.2", "{}");
        assert_eq!(neither.source, Err(FieldFault::Missing("invocation.configSource.uri".into())));
        let malformed =
            decode("v0.2", r#"{"builder":"b","buildType":7,"invocation":{"configSource":[]}}"#);
        assert_eq!(malformed.builder, Err(FieldFault::Malformed("builder".into())));
        assert_eq!(malformed.build_type, Err(FieldFault::Malformed("buildType".into())));
        assert_eq!(malformed.source, Err(FieldFault::Malformed("invocation.configSource".into())));
    }

    #[test]
    fn other_predicates_are_none() {
        let payload = br#"{"predicateType":"https://example.com/p","predicate":7}"#;
        assert_eq!(Provenance::decode(payload), Ok(None));
        for predicate in ["7", "null", "[]"] {
            let payload = format!(
                r#"{{"predicateType":"https://slsa.dev/provenance/v1","predicate":{predicate}}}"#
            );
            let code = Provenance::decode(payload.as_bytes()).unwrap_err().code;
            assert_eq!(code, FindingCode::PROVENANCE_FIELD_MALFORMED);
        }
    }
}
