//! The bundle beside a file, and what publishers put there in its place.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use countersign_core::{
    bundle::Presented,
    finding::{Finding, FindingCode},
};

use crate::{
    codes,
    failure::{Failure, Outcome, path_text},
    input,
};

/// How the names of bundles end: what we write, several a line each, and Sigstore's older clients.
const BUNDLES: [&str; 3] = [".sigstore.json", ".sigstore.jsonl", ".sigstore"];

/// How the names of signatures end that are no bundles, so that they can be named for what they
/// are.
const SIGNATURES: [&str; 5] = [".intoto.jsonl", ".minisig", ".asc", ".sig", ".bundle"];

/// The bundle beside a file, if there is one.
pub(crate) fn find(file: &Path) -> Option<PathBuf> {
    BUNDLES.iter().map(|ending| with_ending(file, ending)).find(|path| path.is_file())
}

/// Reads the bundle beside a file.
///
/// # Errors
/// As [`input::bundle`]; `bundle.not-found` if there is none, and `setup.artifact.is-bundle` if the
/// file is one itself.
pub(crate) fn read(file: &Path) -> Outcome<Vec<u8>> {
    if let Some(path) = find(file) {
        return input::bundle(&path);
    }
    if let Some(signature) = SIGNATURES.iter().find_map(|ending| foreign(file, ending)) {
        return Ok(signature);
    }
    // A folder of that name, or one that may not be read, is told as such.
    let missing = input::bundle(&with_ending(file, BUNDLES[0]));
    missing.map_err(|failure| bundle_itself(file).map_or(failure, Failure::from))
}

/// A signature beside a file, if the core can say what it is.
fn foreign(file: &Path, ending: &str) -> Option<Vec<u8>> {
    let path = Some(with_ending(file, ending)).filter(|path| path.is_file())?;
    let content = input::bundle(&path).ok()?;
    let is_known = match Presented::decode(&content) {
        Ok(_) => true,
        Err(finding) => matches!(
            finding.code,
            FindingCode::BUNDLE_IS_PGP
                | FindingCode::BUNDLE_IS_MINISIGN
                | FindingCode::BUNDLE_IS_COSIGN
                | FindingCode::BUNDLE_IS_ENVELOPE
                | FindingCode::BUNDLE_IS_SIGNATURE
        ),
    };
    is_known.then_some(content)
}

/// That the file which was named is a bundle by its name and by what it contains.
fn bundle_itself(file: &Path) -> Option<Finding> {
    let name = file.file_name()?.as_bytes();
    let of = BUNDLES.iter().find_map(|ending| name.strip_suffix(ending.as_bytes()))?;
    let content = input::bundle(file).ok()?;
    Presented::decode(&content).ok()?;
    let meant = file.with_file_name(OsStr::from_bytes(of));
    Some(
        Finding::new(codes::ARTIFACT_IS_BUNDLE)
            .about(path_text(file))
            .expected(path_text(&meant))
            .found("a bundle"),
    )
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().as_bytes().to_vec();
    name.extend_from_slice(ending.as_bytes());
    PathBuf::from(OsString::from_vec(name))
}
