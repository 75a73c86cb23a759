//! The trust root: whose certificates, timestamps and logs are believed, and from when to when.
//!
//! Sigstore's `trusted_root.json` (`TrustedRoot` of protobuf-specs), versions 0.1 and 0.2, read
//! strictly. A root may hold only the part that a question needs: authorities of timestamps for a
//! timestamp, logs for a bare key. That a part is missing is found by who needs it.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    digest::HashAlgorithm,
    finding::{Finding, FindingCode},
    json::{self, Base64Octets, CertificateChainForm, JsonFault, strict},
    kind::FileKind,
    limits,
    time::UnixSeconds,
    tlog::{Log, LogKey},
    x509::Certificate,
};

/// The media type that is written: every client reads it.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// The media types that are read: the old form, which the public good instance still publishes,
/// and what protobuf-specs demands since (`sigstore_trustroot.proto`, `TrustedRoot.media_type`).
const MEDIA_TYPES: [&str; 3] = [
    MEDIA_TYPE,
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/// The time in which an authority is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First second; `None`, for ever before, only in a window that no trust root states.
    pub start: Option<UnixSeconds>,
    /// Last second; without one, for ever.
    pub end: Option<UnixSeconds>,
}

impl Window {
    /// Whether `time` lies within, both ends included.
    pub fn contains(&self, time: UnixSeconds) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.start, self.end) {
            (None, None) => f.write_str("any time"),
            (Some(start), None) => write!(f, "from {start}"),
            (None, Some(end)) => write!(f, "until {end}"),
            (Some(start), Some(end)) => write!(f, "{start} to {end}"),
        }
    }
}

/// A certificate authority or a timestamp authority.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its address, for people.
    pub uri: String,
    /// When it is believed.
    pub window: Window,
    /// Its own end-entity certificate, DER, if one is pinned (timestamp authorities).
    leaf: Option<Vec<u8>>,
    /// CA certificates below the anchor, DER.
    intermediates: Vec<Vec<u8>>,
    /// The trust anchor, DER.
    anchor: Vec<u8>,
}

impl Authority {
    /// Whether both entries of a trust root are one authority: the same entry, or one that was
    /// listed anew under its address when it got another key.
    pub fn is_same(&self, other: &Self) -> bool {
        core::ptr::eq(self, other) || (!self.uri.is_empty() && self.uri == other.uri)
    }

    /// An authority from its chain as `trusted_root.json` lists it: leaf (timestamp authorities
    /// only), intermediates, root last.
    ///
    /// # Errors
    /// A finding when the chain is empty, too long, or holds something else than certificates.
    pub fn from_chain(uri: &str, chain: Vec<Vec<u8>>, window: Window) -> Result<Self, Finding> {
        let fault =
            |found: String| Finding::new(FindingCode::TRUST_ROOT_MALFORMED).about(uri).found(found);
        if chain.len() > limits::CERTIFICATES {
            return Err(fault(format!("over {} certificates in a chain", limits::CERTIFICATES)));
        }
        let mut first_is_leaf = false;
        for (index, raw) in chain.iter().enumerate() {
            let certificate =
                Certificate::decode(raw).map_err(|error| fault(format!("{error}")))?;
            first_is_leaf |= index == 0 && chain.len() > 1 && !certificate.extensions.is_ca();
        }
        let mut intermediates = chain;
        let anchor = intermediates.pop().ok_or_else(|| fault(String::from("an empty chain")))?;
        let leaf = first_is_leaf.then(|| intermediates.remove(0));
        Ok(Self { uri: String::from(uri), window, leaf, intermediates, anchor })
    }

    /// An authority that pins nothing but `anchor`; `untrusted` certificates may help to reach it.
    pub fn from_anchor(anchor: Vec<u8>, untrusted: Vec<Vec<u8>>) -> Self {
        let window = Window::default();
        Self { uri: String::new(), window, leaf: None, intermediates: untrusted, anchor }
    }

    /// The pinned end-entity certificate.
    pub(crate) fn pinned_leaf(&self) -> Option<&[u8]> {
        self.leaf.as_deref()
    }

    /// The CA certificates between leaf and anchor.
    pub fn intermediates(&self) -> impl Iterator<Item = &[u8]> {
        self.intermediates.iter().map(Vec::as_slice)
    }

    /// The trust anchor.
    pub fn anchors(&self) -> impl Iterator<Item = &[u8]> {
        core::iter::once(self.anchor.as_slice())
    }

    /// Every certificate: leaf, intermediates, anchor.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.pinned_leaf().into_iter().chain(self.intermediates()).chain(self.anchors())
    }
}

/// Whom one trusts; by default nobody.
#[derive(Clone, Debug, Default)]
pub struct TrustRoot {
    /// Who may issue signers' certificates.
    pub certificate_authorities: Vec<Authority>,
    /// Whose timestamps are believed.
    pub timestamp_authorities: Vec<Authority>,
    /// Transparency logs, in one of which signatures should be. None: they need not be logged.
    pub logs: Vec<Log>,
    /// Certificate logs, one of which should have seen the signer's certificate.
    pub certificate_logs: Vec<Log>,
}

impl TrustRoot {
    /// Reads `trusted_root.json` of at most [`limits::TRUST_ROOT_BYTES`].
    ///
    /// # Errors
    /// `setup.trust-root.malformed` with the place, or `setup.trust-root.empty` if it names
    /// nobody at all.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        let fault = |found: String| Finding::new(FindingCode::TRUST_ROOT_MALFORMED).found(found);
        if bytes.len() > limits::TRUST_ROOT_BYTES {
            return Err(fault(String::from("over 4 MiB")));
        }
        let unread = |error: JsonFault| fault(format!("{error}"));
        let text = json::text(bytes).map_err(unread)?;
        if let Some(kind) = FileKind::of(&text).filter(|kind| *kind != FileKind::TrustRoot) {
            return Err(Finding::new(FindingCode::TRUST_ROOT_OTHER_KIND)
                .expected("a trust root")
                .found(kind.words()));
        }
        let form: TrustRootForm = json::decode(&text).map_err(unread)?;
        if !MEDIA_TYPES.contains(&form.media_type.as_str()) {
            return Err(Finding::new(FindingCode::TRUST_ROOT_MALFORMED)
                .about("mediaType")
                .expected(MEDIA_TYPES.join(", "))
                .found(form.media_type));
        }
        let root = Self {
            certificate_authorities: authorities(
                "certificateAuthorities",
                form.certificate_authorities,
            )?,
            timestamp_authorities: authorities("timestampAuthorities", form.timestamp_authorities)?,
            logs: logs("tlogs", form.tlogs)?,
            certificate_logs: logs("ctlogs", form.ctlogs)?,
        };
        if root.is_empty() {
            return Err(lacks("an authority or a log"));
        }
        Ok(root)
    }

    fn is_empty(&self) -> bool {
        self.certificate_authorities.is_empty()
            && self.timestamp_authorities.is_empty()
            && self.logs.is_empty()
            && self.certificate_logs.is_empty()
    }
}

/// A trust root that has not the part that a check needs.
pub fn lacks(part: &str) -> Finding {
    Finding::new(FindingCode::TRUST_ROOT_EMPTY).expected(part).found("none")
}

fn authorities(part: &str, forms: Vec<AuthorityForm>) -> Result<Vec<Authority>, Finding> {
    if forms.len() > limits::AUTHORITIES {
        let found = format!("over {} authorities", limits::AUTHORITIES);
        return Err(Finding::new(FindingCode::TRUST_ROOT_MALFORMED).found(found));
    }
    forms
        .into_iter()
        .enumerate()
        .map(|(index, form)| {
            let chain = form.cert_chain.into_octets();
            let window = window_of(form.valid_for.as_ref(), || {
                format!("{part}[{index}].validFor of {}", form.uri)
            })?;
            Authority::from_chain(&form.uri, chain, window)
        })
        .collect()
}

fn logs(part: &str, forms: Vec<LogForm>) -> Result<Vec<Log>, Finding> {
    if forms.len() > limits::AUTHORITIES {
        let found = format!("over {} logs", limits::AUTHORITIES);
        return Err(Finding::new(FindingCode::TRUST_ROOT_MALFORMED).found(found));
    }
    let place = |index: usize| format!("{part}[{index}]");
    forms.into_iter().enumerate().map(|(index, form)| form.decode(&place(index))).collect()
}

// The forms below are Sigstore's, field for field; what we do not use yet is read and left.

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct TrustRootForm {
    #[serde(alias = "media_type")]
    media_type: String,
    #[serde(default)]
    tlogs: Vec<LogForm>,
    #[serde(alias = "certificate_authorities", default)]
    certificate_authorities: Vec<AuthorityForm>,
    #[serde(default)]
    ctlogs: Vec<LogForm>,
    #[serde(alias = "timestamp_authorities", default)]
    timestamp_authorities: Vec<AuthorityForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct LogForm {
    #[serde(alias = "base_url")]
    base_url: String,
    #[serde(alias = "hash_algorithm")]
    hash_algorithm: String,
    #[serde(alias = "public_key")]
    public_key: LogKeyForm,
    #[serde(alias = "log_id")]
    log_id: LogIdForm,
    #[serde(alias = "checkpoint_key_id")]
    checkpoint_key_id: Option<LogIdForm>,
    #[serde(rename = "operator")]
    _operator: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct LogKeyForm {
    #[serde(alias = "raw_bytes")]
    raw_bytes: Base64Octets,
    #[serde(alias = "key_details")]
    key_details: String,
    #[serde(alias = "valid_for")]
    valid_for: Option<WindowForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct LogIdForm {
    #[serde(alias = "key_id")]
    key_id: Base64Octets,
}

impl LogForm {
    fn decode(self, place: &str) -> Result<Log, Finding> {
        let fault = |expected: &str, found: String| {
            Finding::new(FindingCode::TRUST_ROOT_MALFORMED)
                .about(self.base_url.clone())
                .expected(expected)
                .found(found)
        };
        // Every log there is hashes with SHA-256; its id is such a hash.
        if self.hash_algorithm != HashAlgorithm::Sha256.sigstore_name() {
            return Err(fault("hashAlgorithm SHA2_256", self.hash_algorithm.clone()));
        }
        let id = self.log_id.key_id.0.clone();
        if id.len() != HashAlgorithm::Sha256.output_length() {
            return Err(fault("a logId of 32 bytes", format!("{} bytes", id.len())));
        }
        let checkpoint_id = self.checkpoint_key_id.as_ref().map(|id| id.key_id.0.clone());
        if let Some(short) = checkpoint_id.as_ref().filter(|id| id.len() < 4) {
            return Err(fault("a checkpointKeyId of 4 bytes", format!("{} bytes", short.len())));
        }
        let key = LogKey::decode(&self.public_key.raw_bytes.0, &self.public_key.key_details)
            .ok_or_else(|| fault(&self.public_key.key_details, String::from("another key")))?;
        let window = window_of(self.public_key.valid_for.as_ref(), || {
            format!("{place}.publicKey.validFor of {}", self.base_url)
        })?;
        Ok(Log { base_url: self.base_url, window, id, checkpoint_id, key })
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct AuthorityForm {
    #[serde(rename = "subject")]
    _subject: Option<IgnoredAny>,
    #[serde(default)]
    uri: String,
    #[serde(alias = "cert_chain")]
    cert_chain: CertificateChainForm,
    #[serde(alias = "valid_for")]
    valid_for: Option<WindowForm>,
    #[serde(rename = "operator")]
    _operator: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct WindowForm {
    start: Option<String>,
    end: Option<String>,
}

strict! {
    object TrustRootForm;
    object LogForm;
    object LogKeyForm;
    object LogIdForm;
    object AuthorityForm;
    object WindowForm;
}

/// The time in which an authority or a log is believed.
///
/// Its start is required: without one, whoever gets hold of a key that was retired could sign for
/// any time before (`TimeRange.start`; Sigstore's other clients refuse such a root, too).
fn window_of(form: Option<&WindowForm>, place: impl Fn() -> String) -> Result<Window, Finding> {
    let fault = |expected: &str, found: String| {
        let finding = Finding::new(FindingCode::TRUST_ROOT_MALFORMED).about(place());
        finding.expected(expected).found(found)
    };
    let time = |text: &String| {
        UnixSeconds::parse_rfc3339(text)
            .ok_or_else(|| fault("an RFC 3339 time in validFor", text.clone()))
    };
    let Some(start) = form.and_then(|form| form.start.as_ref()) else {
        return Err(fault("a start", String::from("none")));
    };
    let end = form.and_then(|form| form.end.as_ref());
    Ok(Window { start: Some(time(start)?), end: end.map(time).transpose()? })
}
