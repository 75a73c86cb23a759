//! Reading files of bounded size, PEM or DER.

use std::path::{Path, PathBuf};

use countersign_core::{
    bundle::Bundle,
    finding::{Finding, FindingCode},
    limits,
    pem::{self, Kind},
    policy::Policy,
    trust::TrustRoot,
};
use countersign_signing::{files, pem::read_certificates};

use crate::{
    codes,
    failure::{Failure, Outcome, path_text},
    session::Session,
    stream,
};

/// Reads a whole file of at most `maximum` bytes, a pipe, or standard input for `-`.
///
/// # Errors
/// `setup.input.unreadable`; `setup.usage.invalid` if something else has taken standard input.
pub fn read(path: &Path, maximum: usize) -> Outcome<Vec<u8>> {
    if let Some(content) = stream::read(path, maximum) {
        return content;
    }
    Ok(files::read_bounded(path, maximum as u64)?)
}

/// Reads every object of a file that is PEM, or the one of a file that is DER; gives DER. What is
/// neither comes back as it is, for the decoder to complain about.
///
/// # Errors
/// `setup.input.unreadable`; `setup.input.malformed` with the block at fault.
pub fn objects(path: &Path, kind: Kind, maximum: usize) -> Outcome<Vec<Vec<u8>>> {
    // PEM is a third longer than what it holds.
    let content = read(path, maximum.saturating_mul(2))?;
    pem::objects(content, kind).map_err(|fault| Failure::of_pem_fault(path, &fault))
}

/// As [`objects`], of a file that should hold one.
///
/// # Errors
/// As [`objects`].
pub fn object(path: &Path, kind: Kind, maximum: usize) -> Outcome<Vec<u8>> {
    let content = read(path, maximum.saturating_mul(2))?;
    pem::object(content, kind).map_err(|fault| Failure::of_pem_fault(path, &fault))
}

/// Reads certificates, PEM or DER; at least one.
///
/// # Errors
/// `setup.input.unreadable` or `setup.input.malformed`.
pub fn certificates(path: &Path) -> Outcome<Vec<Vec<u8>>> {
    read_certificates(path).map_err(|error| Failure::of_pem(path, &error))
}

/// Reads the first certificate of a file.
///
/// # Errors
/// As [`certificates`].
pub fn certificate(path: &Path) -> Outcome<Vec<u8>> {
    certificates(path)?
        .into_iter()
        .next()
        .ok_or_else(|| Failure::internal("a certificate file with no certificate"))
}

/// Reads a public key, PEM or DER; the core says whether it is one.
///
/// # Errors
/// `setup.input.unreadable`, or `setup.public-key.malformed` with the block at fault.
pub fn public_key(path: &Path) -> Outcome<Vec<u8>> {
    let content = read(path, limits::CERTIFICATE_BYTES * 2)?;
    pem::object(content, Kind::PublicKey).map_err(|fault| {
        let finding = Finding::new(FindingCode::PUBLIC_KEY_MALFORMED);
        finding.about(fault.place(&path_text(path))).found(fault.reason.to_string()).into()
    })
}

/// Reads a bundle.
///
/// # Errors
/// `bundle.not-found`, `bundle.too-large` or `setup.input.unreadable`.
pub fn bundle(path: &Path) -> Outcome<Vec<u8>> {
    let about = |code| Finding::new(code).about(path_text(path));
    match path.metadata() {
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound && !stream::is_standard_input(path) =>
        {
            return Err(about(FindingCode::BUNDLE_NOT_FOUND).found("no such file").into());
        }
        Ok(metadata) if metadata.is_file() && metadata.len() > limits::BUNDLE_BYTES as u64 => {
            return Err(about(FindingCode::BUNDLE_TOO_LARGE)
                .expected(format!("at most {} bytes", limits::BUNDLE_BYTES))
                .found(format!("{} bytes", metadata.len()))
                .into());
        }
        _ => {}
    }
    read(path, limits::BUNDLE_BYTES)
}

/// The signer's certificate out of `bundle`, which was read from `path`.
///
/// # Errors
/// `bundle.no-certificate`: it was signed with a bare key.
pub fn signer_certificate<'a>(bundle: &'a Bundle, path: &Path) -> Outcome<&'a [u8]> {
    let missing = || Finding::new(FindingCode::BUNDLE_NO_CERTIFICATE).about(path_text(path));
    Ok(bundle.certificate().ok_or_else(missing)?)
}

/// Reads a trust root.
///
/// # Errors
/// `setup.input.unreadable`, `setup.trust-root.malformed` or `setup.trust-root.empty`.
pub fn trust_root(path: &Path) -> Outcome<(TrustRoot, Vec<u8>)> {
    let content = read(path, limits::TRUST_ROOT_BYTES)?;
    match TrustRoot::decode(&content) {
        Ok(root) => Ok((root, content)),
        Err(finding) => Err(of_file(path, finding)),
    }
}

/// Reads a policy.
///
/// # Errors
/// `setup.input.unreadable` or `setup.policy.malformed`.
pub fn policy(path: &Path) -> Outcome<Policy> {
    let content = read(path, limits::POLICY_BYTES)?;
    Policy::decode(&content).map_err(|finding| of_file(path, finding))
}

/// Names the file beside the place in it.
pub fn of_file(path: &Path, finding: Finding) -> Failure {
    let place = finding.subject.as_ref().map(|place| format!(": {place}")).unwrap_or_default();
    let about = format!("{}{place}", path_text(path));
    finding.about(about).into()
}

/// What was typed, else what is set; else a usage finding that says how to give it.
///
/// # Errors
/// `setup.usage.invalid`.
pub fn required<T: Clone>(typed: Option<&T>, set: Option<&T>, name: &str) -> Outcome<T> {
    typed.or(set).cloned().ok_or_else(|| {
        let variable = name.trim_start_matches('-').replace('-', "_");
        let expected = format!(
            "{name}, COUNTERSIGN_{}, or {variable} in the settings",
            variable.to_uppercase()
        );
        Finding::new(codes::USAGE_INVALID)
            .about(name)
            .expected(expected)
            .found("none of them")
            .into()
    })
}

impl Session {
    /// The trust root that was typed or set.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn trust_root(&self, typed: Option<&PathBuf>) -> Outcome<TrustRoot> {
        let path = required(typed, self.settings.trusted_root.as_ref(), "--trusted-root")?;
        Ok(trust_root(&path)?.0)
    }
}
