//! What people have in place of one bundle: several, of which one is for the file.
//!
//! A bundle a line (`gh attestation download`, `FILE.sigstore.jsonl`), GitHub's API answer, an
//! array of bundles, and the provenance object of the Python package index (PEP 740), whose
//! attestations are bundles in another spelling. What is something else is named for what it is.
//!
//! Everything found here is only a candidate: each is verified like any bundle.

use alloc::{format, string::String, vec::Vec};

use super::{Bundle, form, json_finding, python};
use crate::{
    finding::{Finding, FindingCode},
    json::{self, Document, JsonFault, Value},
    kind::FileKind,
    limits,
};

/// What was given as the bundle.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The bundles that could be read; at least one.
    pub bundles: Vec<Bundle>,
    /// How many lines or entries are something else, blank lines aside.
    pub passed_over: usize,
}

impl Presented {
    /// Reads a file of at most [`limits::BUNDLE_BYTES`], with a byte order mark or in UTF-16 too.
    ///
    /// # Errors
    /// As [`Bundle::decode`] if there is but one; of several that cannot be read, the gravest. What
    /// is something else: `bundle.pgp`, `bundle.minisign`, `bundle.cosign-old`,
    /// `bundle.envelope-only`, `bundle.bare-signature`, `bundle.other-kind`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        super::bounded_size(bytes)?;
        let text = json::text(bytes).map_err(|fault| json_finding(&fault))?;
        let fault = match Document::decode(&text) {
            Ok(document) => return of_parts(parts(document.root())),
            Err(fault) => fault,
        };
        // Several documents are not one: lines are looked for only after the whole was.
        if let Some(outcome) = of_lines(&text) {
            return outcome;
        }
        let kind = match fault {
            JsonFault::NotJson => FileKind::of_octets(&text),
            _ => None,
        };
        Err(kind.map_or_else(|| json_finding(&fault), foreign))
    }
}

type Part = Result<Bundle, Finding>;

/// The bundles of a document; at least one more than are looked at if there are too many, since
/// what is refused need not be read to its end.
fn parts(root: Value<'_>) -> Vec<Part> {
    let Some(objects) = root.elements() else { return parts_of_object(root) };
    let mut found = Vec::new();
    for object in objects {
        found.extend(parts_of_object(object));
        if found.len() > limits::BUNDLES {
            break;
        }
    }
    found
}

fn parts_of_object(root: Value<'_>) -> Vec<Part> {
    let list = |key| root.member(key).and_then(Value::elements);
    // GitHub: GET /repos/{owner}/{repo}/attestations/{digest}.
    if let Some(list) = list("attestations").filter(|_| root.member("mediaType").is_none()) {
        return bounded(list).into_iter().map(within).collect();
    }
    // PyPI: GET /integrity/{project}/{version}/{filename}/provenance.
    if let Some(list) = list("attestation_bundles") {
        let lists = list.into_iter().filter_map(|each| each.member("attestations")?.elements());
        return bounded(lists.flatten()).into_iter().map(python::decode).collect();
    }
    alloc::vec![within(root)]
}

/// As many as need be read to see that they are too many.
fn bounded<'a>(list: impl IntoIterator<Item = Value<'a>>) -> Vec<Value<'a>> {
    list.into_iter().take(limits::BUNDLES.saturating_add(1)).collect()
}

/// The one bundle that an object is or has in it.
fn within(root: Value<'_>) -> Part {
    if let Some(kind) = FileKind::of_json(root).filter(|kind| *kind != FileKind::Bundle) {
        return Err(foreign(kind));
    }
    if python::is_attestation(root) {
        return python::decode(root);
    }
    // `gh attestation verify --format json` puts the API's answer into another object.
    let answer = root.member("attestation").unwrap_or(root);
    form::decode(answer.member("bundle").unwrap_or(root))
}

/// A bundle a line; `None` if the text is nothing of the kind.
fn of_lines(text: &[u8]) -> Option<Result<Presented, Finding>> {
    let lines = || text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    let other = lines().filter(|line| !line.is_empty() && !line.starts_with(b"{")).count();
    let mut found = Vec::new();
    let mut count = 0_usize;
    for line in lines().filter(|line| line.starts_with(b"{")) {
        count = count.saturating_add(1);
        if count > limits::BUNDLES || found.len() > limits::BUNDLES {
            break;
        }
        match Document::decode(line) {
            Ok(document) => found.extend(parts(document.root())),
            Err(fault) => found.push(Err(json_finding(&fault))),
        }
    }
    // A line of a bundle that is written over several lines may be JSON too, but is none of these.
    let is_known = |part: &Part| match part {
        Ok(_) => true,
        Err(finding) => KINDS.iter().any(|(_, code)| *code == finding.code),
    };
    if !found.iter().any(is_known) {
        return None;
    }
    if count > limits::BUNDLES {
        return Some(Err(too_many("lines")));
    }
    Some(of_parts(found).map(|mut presented| {
        presented.passed_over = presented.passed_over.saturating_add(other);
        presented
    }))
}

fn of_parts(parts: Vec<Part>) -> Result<Presented, Finding> {
    if parts.len() > limits::BUNDLES {
        return Err(too_many("bundles"));
    }
    let mut bundles = Vec::new();
    let mut passed_over = 0_usize;
    let mut gravest: Option<Finding> = None;
    for part in parts {
        match part {
            Ok(bundle) => bundles.push(bundle),
            Err(finding) => {
                passed_over = passed_over.saturating_add(1);
                let rank = |finding: &Finding| (finding.code.rank(), finding.found.clone());
                let graver = gravest.as_ref().is_none_or(|known| rank(&finding) < rank(known));
                gravest = if graver { Some(finding) } else { gravest };
            }
        }
    }
    match gravest {
        Some(finding) if bundles.is_empty() => Err(finding),
        None if bundles.is_empty() => {
            Err(Finding::new(FindingCode::BUNDLE_MALFORMED).found("a list without attestations"))
        }
        _ => Ok(Presented { bundles, passed_over }),
    }
}

/// How what is no bundle is called.
const KINDS: [(FileKind, FindingCode); 5] = [
    (FileKind::Pgp, FindingCode::BUNDLE_IS_PGP),
    (FileKind::Minisign, FindingCode::BUNDLE_IS_MINISIGN),
    (FileKind::Envelope, FindingCode::BUNDLE_IS_ENVELOPE),
    (FileKind::CosignBundle, FindingCode::BUNDLE_IS_COSIGN),
    (FileKind::Signature, FindingCode::BUNDLE_IS_SIGNATURE),
];

fn foreign(kind: FileKind) -> Finding {
    let known = KINDS.iter().find(|(each, _)| *each == kind);
    let code = known.map_or(FindingCode::BUNDLE_OTHER_KIND, |(_, code)| *code);
    Finding::new(code).expected("a Sigstore bundle").found(kind.words())
}

fn too_many(what: &str) -> Finding {
    Finding::new(FindingCode::BUNDLE_TOO_MANY_PARTS)
        .about(what)
        .expected(format!("at most {}", limits::BUNDLES))
        .found(String::from("more"))
}
