//! The trust root: whose certificates, timestamps and logs are believed, and from when to when.
//!
//! Sigstore's `trusted_root.json` (mediaType `…trustedroot+json;version=0.1`), read strictly.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use crate::{
    digest::HashAlgorithm,
    finding::{Finding, FindingCode},
    json::{self, Base64Octets, Ignored, JsonFault, form},
    kind::FileKind,
    limits,
    time::UnixSeconds,
    tlog::{Log, LogKey},
    x509::Certificate,
};

/// The media type of the one version there is.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// The time in which an authority is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First second; without one, from ever.
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
    /// Its own end-entity certificate, DER, where one is pinned (timestamp authorities).
    leaf: Option<Vec<u8>>,
    /// CA certificates below the anchor, DER.
    intermediates: Vec<Vec<u8>>,
    /// The trust anchor, DER.
    anchor: Vec<u8>,
}

impl Authority {
    /// An authority from its chain as `trusted_root.json` lists it: leaf (timestamp authorities
    /// only), intermediates, root last.
    ///
    /// # Errors
    /// A finding when the chain is empty, too long, or holds something else than certificates.
    pub fn from_chain(uri: &str, chain: Vec<Vec<u8>>, window: Window) -> Result<Self, Finding> {
        let fault =
            |found: String| Finding::new(FindingCode::TrustRootMalformed).about(uri).found(found);
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
    /// `setup.trust-root.malformed` with the place, or `setup.trust-root.empty`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        let fault = |found: String| Finding::new(FindingCode::TrustRootMalformed).found(found);
        if bytes.len() > limits::TRUST_ROOT_BYTES {
            return Err(fault(String::from("over 4 MiB")));
        }
        let unread = |error: JsonFault| fault(format!("{error}"));
        let text = json::text(bytes).map_err(unread)?;
        if let Some(kind) = FileKind::of(&text).filter(|kind| *kind != FileKind::TrustRoot) {
            return Err(Finding::new(FindingCode::TrustRootOtherKind)
                .expected("a trust root")
                .found(kind.words()));
        }
        let form: TrustRootForm = json::decode(&text).map_err(unread)?;
        if form.media_type != MEDIA_TYPE {
            return Err(Finding::new(FindingCode::TrustRootMalformed)
                .about("mediaType")
                .expected(MEDIA_TYPE)
                .found(form.media_type));
        }
        let certificate_authorities = authorities(form.certificate_authorities)?;
        if certificate_authorities.is_empty() {
            return Err(FindingCode::TrustRootEmpty.into());
        }
        let timestamp_authorities = authorities(form.timestamp_authorities)?;
        let logs = logs(form.tlogs)?;
        let certificate_logs = self::logs(form.ctlogs)?;
        Ok(Self { certificate_authorities, timestamp_authorities, logs, certificate_logs })
    }
}

fn authorities(forms: Vec<AuthorityForm>) -> Result<Vec<Authority>, Finding> {
    if forms.len() > limits::AUTHORITIES {
        let found = format!("over {} authorities", limits::AUTHORITIES);
        return Err(Finding::new(FindingCode::TrustRootMalformed).found(found));
    }
    forms
        .into_iter()
        .map(|form| {
            let chain = form.cert_chain.certificates.into_iter().map(|each| each.raw_bytes.0);
            let window = form.valid_for.unwrap_or_default();
            Authority::from_chain(&form.uri, chain.collect(), window.decode(&form.uri)?)
        })
        .collect()
}

fn logs(forms: Vec<LogForm>) -> Result<Vec<Log>, Finding> {
    if forms.len() > limits::AUTHORITIES {
        let found = format!("over {} logs", limits::AUTHORITIES);
        return Err(Finding::new(FindingCode::TrustRootMalformed).found(found));
    }
    forms.into_iter().map(LogForm::decode).collect()
}

// The forms below are Sigstore's, field for field; what we do not use yet is read and left.

form! {
    protobuf struct TrustRootForm {
        media_type: String = "mediaType",
        tlogs: Vec<LogForm> = "tlogs" or Vec::new(),
        certificate_authorities: Vec<AuthorityForm> = "certificateAuthorities" or Vec::new(),
        ctlogs: Vec<LogForm> = "ctlogs" or Vec::new(),
        timestamp_authorities: Vec<AuthorityForm> = "timestampAuthorities" or Vec::new(),
    }

    protobuf struct LogForm {
        base_url: String = "baseUrl",
        hash_algorithm: String = "hashAlgorithm",
        public_key: LogKeyForm = "publicKey",
        log_id: LogIdForm = "logId",
        checkpoint_key_id: Option<LogIdForm> = "checkpointKeyId",
        _operator: Option<String> = "operator",
    }

    protobuf struct LogKeyForm {
        raw_bytes: Base64Octets = "rawBytes",
        key_details: String = "keyDetails",
        valid_for: Option<WindowForm> = "validFor",
    }

    protobuf struct LogIdForm {
        key_id: Base64Octets = "keyId",
    }
}

impl LogForm {
    fn decode(self) -> Result<Log, Finding> {
        let fault = |expected: &str, found: String| {
            Finding::new(FindingCode::TrustRootMalformed)
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
        let window = self.public_key.valid_for.as_ref().map(|form| form.decode(&self.base_url));
        let window = window.transpose()?.unwrap_or_default();
        Ok(Log { base_url: self.base_url, window, id, checkpoint_id, key })
    }
}

form! {
    protobuf struct AuthorityForm {
        _subject: Option<Ignored> = "subject",
        uri: String = "uri" or String::new(),
        cert_chain: ChainForm = "certChain",
        valid_for: Option<WindowForm> = "validFor",
        _operator: Option<String> = "operator",
    }

    protobuf struct ChainForm {
        certificates: Vec<CertificateForm> = "certificates",
    }

    protobuf struct CertificateForm {
        raw_bytes: Base64Octets = "rawBytes",
    }

    #[derive(Default)]
    protobuf struct WindowForm {
        start: Option<String> = "start",
        end: Option<String> = "end",
    }
}

impl WindowForm {
    fn decode(&self, uri: &str) -> Result<Window, Finding> {
        let time = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => UnixSeconds::parse_rfc3339(text).map(Some).ok_or_else(|| {
                Finding::new(FindingCode::TrustRootMalformed)
                    .about(uri)
                    .expected("an RFC 3339 time in validFor")
                    .found(text.clone())
            }),
        };
        Ok(Window { start: time(&self.start)?, end: time(&self.end)? })
    }
}
