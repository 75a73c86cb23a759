//! `ca issue` and `ca renew`.

use std::path::Path;

use countersign_core::x509::Certificate;
use countersign_signing::{
    ca::{CertificateAuthority, IssueRequest, IssuedCertificate, RenewalKey, SubjectKey},
    csr,
    files::FileMode,
    key::Passphrase,
    name::{DistinguishedName, SubjectName},
    pem,
    profile::{Authority, Profile},
};
use serde_json::json;

use super::ca;
use crate::{
    arguments::{CaIssueArguments, CaRenewArguments, CertificateOutput, KeyPassphrase, KeySource},
    failure::{Failure, Outcome, path_text},
    input,
    interrupt::without_interruption,
    output::{Answer, Words},
    prompt::Purpose,
    session::Session,
    writing::{Existing, prepare, write},
};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// RFC 5280's upper bound of a common name.
const MAXIMUM_COMMON_NAME: usize = 64;

/// A certification request is one or two kilobytes.
const MAXIMUM_CSR_OCTETS: usize = 64 << 10;

/// Issues a certificate.
pub(super) fn issue(arguments: &CaIssueArguments, session: &Session) -> Outcome<Answer> {
    prepare(&arguments.output.output, Existing::of(arguments.output.force))?;
    let ca = ca::open_without_keys(&arguments.ca.folder)?;
    let request = request(arguments, &ca)?;
    let issuer = request.issuing_authority()?;
    let ca = ca::open(ca, issuer, &arguments.ca, &arguments.key.passphrase, session)?;
    let key = SourcedKey::open(&arguments.key, session)?.ok_or_else(|| {
        Failure::usage("say whose key it is: --key FILE, --new-key FILE or --csr FILE")
    })?;
    let (subject_key, new_key) = key.split(ca.settings().algorithm);
    let sign = || ca.issue(&request, subject_key, session.now());
    finish(sign, new_key, &arguments.output)
}

/// Issues a certificate again.
pub(super) fn renew(arguments: &CaRenewArguments, session: &Session) -> Outcome<Answer> {
    prepare(&arguments.output.output, Existing::of(arguments.output.force))?;
    let validity = arguments.days.map(|days| i64::from(days) * DAY_SECONDS);
    if let Some(authority) = arguments.authority {
        let ca = ca::open_without_keys(&arguments.ca.folder)?;
        let nobody = KeyPassphrase::default();
        let mut ca = ca::open(ca, Authority::Root, &arguments.ca, &nobody, session)?;
        let place = path_text(&ca.certificate_path(authority));
        let mut is_renewed = false;
        let sign = || {
            let renewed = ca.renew_authority(authority, validity, session.now());
            is_renewed = renewed.is_ok();
            renewed
        };
        let answer = finish(sign, None, &arguments.output);
        // What is not there is the copy.
        let done = format!("the CA was renewed, and its certificate is {place}: copy that");
        return answer
            .map_err(|failure| if is_renewed { failure.although(&done) } else { failure });
    }
    let serial = match (&arguments.serial, &arguments.certificate) {
        (Some(serial), _) => serial.replace(':', "").to_ascii_lowercase(),
        (None, Some(path)) => serial_of(path)?,
        (None, None) => {
            return Err(Failure::usage("say which: --serial HEX, --certificate FILE or --ca CA"));
        }
    };
    let ca = ca::open_without_keys(&arguments.ca.folder)?;
    let issuer = ca.issued(&serial)?.0.ca;
    let ca = ca::open(ca, issuer, &arguments.ca, &arguments.key.passphrase, session)?;
    let (key, new_key) = match SourcedKey::open(&arguments.key, session)? {
        None => (RenewalKey::Same, None),
        Some(key) => {
            let (subject_key, new_key) = key.split(ca.settings().algorithm);
            (RenewalKey::Other(subject_key), new_key)
        }
    };
    let sign = || ca.renew(&serial, key, validity, session.now());
    finish(sign, new_key, &arguments.output)
}

fn serial_of(path: &Path) -> Outcome<String> {
    let certificate = input::certificate(path)?;
    match Certificate::decode(&certificate) {
        Ok(decoded) => Ok(decoded.serial_text()),
        Err(error) => Err(malformed(path, &error.to_string())),
    }
}

/// `certificate.malformed` of a file.
pub(super) fn malformed(path: &Path, found: &str) -> Failure {
    use countersign_core::finding::{Finding, FindingCode};
    Finding::new(FindingCode::CERTIFICATE_MALFORMED).about(path_text(path)).found(found).into()
}

fn request(arguments: &CaIssueArguments, ca: &CertificateAuthority) -> Outcome<IssueRequest> {
    let mut names = Vec::new();
    names.extend(arguments.email.iter().cloned().map(SubjectName::Email));
    names.extend(arguments.uri.iter().cloned().map(SubjectName::Uri));
    names.extend(arguments.dns.iter().cloned().map(SubjectName::Dns));
    for text in &arguments.ip {
        let address =
            text.parse().map_err(|_| Failure::usage(format!("--ip: {text} is no IP address")))?;
        names.push(SubjectName::Ip(address));
    }
    let profile = Profile::from(arguments.profile);
    let organisation = arguments.organisation.as_ref().unwrap_or(&ca.settings().organisation);
    let common_name =
        arguments.common_name.clone().or_else(|| default_name(arguments, organisation));
    let subject = DistinguishedName {
        organisation: Some(organisation.clone()),
        common_name,
        ..DistinguishedName::default()
    };
    let mut request = IssueRequest::new(profile, subject);
    request.issuer = arguments.issuer;
    request.names = names;
    request.oidc_issuer.clone_from(&arguments.oidc_issuer);
    request.validity_seconds = arguments.days.map(|days| i64::from(days) * DAY_SECONDS);
    Ok(request)
}

/// What people call such a subject, if it fits.
fn default_name(arguments: &CaIssueArguments, organisation: &str) -> Option<String> {
    let name = match Profile::from(arguments.profile) {
        Profile::TimestampAuthority => format!("{organisation} Timestamp Authority"),
        Profile::OcspDelegate => {
            let issuer = arguments.issuer.map_or("", |issuer| issuer.name());
            format!("{organisation} OCSP Responder ({issuer})")
        }
        _ => {
            let mut names = arguments.email.iter().chain(&arguments.uri).chain(&arguments.dns);
            names.next().or(arguments.ip.first())?.clone()
        }
    };
    let short = match Profile::from(arguments.profile) {
        Profile::TimestampAuthority => Some("Timestamp Authority"),
        Profile::OcspDelegate => Some("OCSP Responder"),
        _ => None,
    };
    if name.chars().count() <= MAXIMUM_COMMON_NAME { Some(name) } else { short.map(str::to_owned) }
}

/// A key for a certificate, as the flags name it.
enum SourcedKey<'a> {
    Ready(SubjectKey),
    New {
        path: &'a Path,
        passphrase: Passphrase,
        algorithm: Option<countersign_signing::key::NewKey>,
    },
}

/// A key that is to be made and saved.
struct NewKey<'a> {
    path: &'a Path,
    passphrase: Passphrase,
}

impl<'a> SourcedKey<'a> {
    fn open(source: &'a KeySource, session: &Session) -> Outcome<Option<Self>> {
        if let Some(path) = &source.csr {
            let request = input::read(path, MAXIMUM_CSR_OCTETS)?;
            csr::verify(&request).map_err(|error| Failure::from(error).about(path_text(path)))?;
            return Ok(Some(Self::Ready(SubjectKey::Csr(request))));
        }
        if let Some(location) = &source.key {
            let key = session.open_key(location, &source.passphrase)?;
            return Ok(Some(Self::Ready(SubjectKey::PublicKey(key.spki().to_vec()))));
        }
        let Some(path) = &source.new_key else { return Ok(None) };
        if path.symlink_metadata().is_ok() {
            return Err(Failure::unwritable(path, "it exists already; a key is never replaced"));
        }
        prepare(path, Existing::Keep)?;
        let passphrase = session.key_passphrase(&source.passphrase, path, Purpose::Protect)?;
        Ok(Some(Self::New { path, passphrase, algorithm: source.algorithm.map(Into::into) }))
    }

    fn split(self, default: countersign_signing::key::NewKey) -> (SubjectKey, Option<NewKey<'a>>) {
        match self {
            Self::Ready(key) => (key, None),
            Self::New { path, passphrase, algorithm } => {
                (SubjectKey::New(algorithm.unwrap_or(default)), Some(NewKey { path, passphrase }))
            }
        }
    }
}

/// Issues, then writes key and certificate; an interruption waits until all of it is done.
fn finish(
    issue: impl FnOnce() -> Result<IssuedCertificate, countersign_signing::ca::CaError>,
    new_key: Option<NewKey<'_>>,
    output: &CertificateOutput,
) -> Outcome<Answer> {
    let issued = without_interruption(|| -> Outcome<IssuedCertificate> {
        let issued = issue()?;
        if let (Some(new), Some(key)) = (&new_key, &issued.key) {
            key.save_new(new.path, &new.passphrase)?;
        }
        Ok(issued)
    })?;
    let chain = pem::encode_certificates(&issued.chain);
    write(&output.output, chain.as_bytes(), FileMode::Public, Existing::of(output.force))?;
    let entry = &issued.entry;
    let file = path_text(&output.output);
    let mut text = format!(
        "{file}: {} for {}\n  serial {}, until {}\n",
        entry.profile.name(),
        countersign_core::finding::quoted(entry.subject.clone()),
        entry.serial,
        entry.not_after,
    );
    let key = new_key.map(|new| path_text(new.path));
    if let Some(key) = &key {
        text.add(format_args!("  {key}: its new key, encrypted\n"));
    }
    Answer::new(text, &json!({ "certificate": file, "key": key, "issued": entry }))
}
