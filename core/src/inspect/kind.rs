//! What an object is meant to be, told by its outer structure alone, so that one that breaks a
//! rule inside can still be named. It reads leniently (BER's lengths too) and decides nothing: what
//! is read for verification never comes from here.

use alloc::vec::Vec;

/// Children that are looked at: no structure needs more to be told apart.
const CHILDREN: usize = 8;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]` and `[4]`, constructed.
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_4: u8 = 0xa4;

/// id-signedData (RFC 5652 §5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// What an object is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Certificate,
    Crl,
    SignedData,
    TimestampResponse,
    TimestampRequest,
    OcspResponse,
    OcspRequest,
    PublicKey,
    CertificationRequest,
    /// Known by name and not decoded here.
    Other(&'static str),
}

impl Kind {
    /// The name in the field `kind`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Crl => "crl",
            Self::SignedData => "signed-data",
            Self::TimestampResponse => "timestamp-response",
            Self::TimestampRequest => "timestamp-request",
            Self::OcspResponse => "ocsp-response",
            Self::OcspRequest => "ocsp-request",
            Self::PublicKey => "public-key",
            Self::CertificationRequest => "certification-request",
            Self::Other(name) => name,
        }
    }

    /// Where its form is written down.
    pub(super) fn clause(self) -> &'static str {
        match self {
            Self::Certificate => "RFC 5280 §4.1",
            Self::Crl => "RFC 5280 §5.1",
            Self::SignedData => "RFC 5652 §5",
            Self::TimestampResponse => "RFC 3161 §2.4.2",
            Self::TimestampRequest => "RFC 3161 §2.4.1",
            Self::OcspResponse => "RFC 6960 §4.2",
            Self::OcspRequest => "RFC 6960 §4.1",
            Self::PublicKey => "RFC 5280 §4.1.2.7",
            Self::CertificationRequest => "RFC 2986 §4",
            Self::Other(_) => "its own specification",
        }
    }

    /// Tells the kind of a DER or BER object; `None` if it is like none that is known.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (SEQUENCE, content, _) = header(bytes)? else { return None };
        let children = children(content);
        let tags: Vec<u8> = children.iter().map(|(tag, _)| *tag).collect();
        let first = children.first().map(|(_, value)| *value).unwrap_or_default();
        match tags.as_slice() {
            [OID, CONTEXT_0, ..] if first == SIGNED_DATA => Some(Self::SignedData),
            [OID, CONTEXT_0, ..] => Some(Self::Other("cms")),
            [SEQUENCE, SEQUENCE, BIT_STRING, ..] => signed(first),
            [ENUMERATED] | [ENUMERATED, CONTEXT_0, ..] => Some(Self::OcspResponse),
            [SEQUENCE, BIT_STRING] if begins(first, OID) => Some(Self::PublicKey),
            [SEQUENCE, OCTET_STRING] if begins(first, OID) => {
                Some(Self::Other("encrypted-private-key"))
            }
            [SEQUENCE, ..] => message(first, &children),
            [INTEGER, ..] => numbered(first, &children),
            _ => None,
        }
    }
}

/// One of SIGNED { … }: certificate, CRL or certification request, by what is signed.
fn signed(content: &[u8]) -> Option<Kind> {
    let inner = children(content);
    let tags: Vec<u8> = inner.iter().map(|(tag, _)| *tag).collect();
    match tags.as_slice() {
        [CONTEXT_0, INTEGER, ..] | [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, ..] => {
            Some(Kind::Certificate)
        }
        [INTEGER, SEQUENCE, SEQUENCE, UTC_TIME | GENERALIZED_TIME, ..]
        | [SEQUENCE, SEQUENCE, UTC_TIME | GENERALIZED_TIME, ..] => Some(Kind::Crl),
        [INTEGER, SEQUENCE, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE, CONTEXT_0, ..] => {
            Some(Kind::CertificationRequest)
        }
        _ => None,
    }
}

/// A message that begins with a SEQUENCE.
fn message(first: &[u8], children: &[(u8, &[u8])]) -> Option<Kind> {
    let inner: Vec<u8> = self::children(first).iter().map(|(tag, _)| *tag).collect();
    let token_follows =
        children.get(1).is_none_or(|(tag, value)| *tag == SEQUENCE && begins(value, OID));
    match inner.as_slice() {
        [INTEGER, CONTEXT_4, CONTEXT_4, ..] => Some(Kind::Other("cmp-message")),
        [INTEGER, rest @ ..]
            if token_follows
                && rest.len() <= 2
                && rest.iter().all(|tag| matches!(*tag, SEQUENCE | BIT_STRING)) =>
        {
            Some(Kind::TimestampResponse)
        }
        [.., SEQUENCE] | [.., SEQUENCE, 0xa2] if is_ocsp_request(first) => Some(Kind::OcspRequest),
        _ => None,
    }
}

/// `tbsRequest` holds requests, each of which begins with a `CertID`: an algorithm, two hashes.
fn is_ocsp_request(tbs: &[u8]) -> bool {
    let list = children(tbs).into_iter().find(|(tag, _)| *tag == SEQUENCE);
    let first = |value: &'_ [u8]| children(value).first().map(|(_, value)| value.to_vec());
    let id = list.and_then(|(_, list)| first(list)).and_then(|request| first(&request));
    id.is_some_and(|id| {
        let tags: Vec<u8> = children(&id).iter().map(|(tag, _)| *tag).collect();
        tags == [SEQUENCE, OCTET_STRING, OCTET_STRING, INTEGER]
    })
}

/// What begins with a number, mostly a version.
fn numbered(first: &[u8], children: &[(u8, &[u8])]) -> Option<Kind> {
    let tags: Vec<u8> = children.iter().map(|(tag, _)| *tag).collect();
    let second = children.get(1).map(|(_, value)| *value).unwrap_or_default();
    match tags.as_slice() {
        [INTEGER, SEQUENCE, OCTET_STRING, ..] if begins(second, OID) => {
            Some(Kind::Other("private-key"))
        }
        [INTEGER, SEQUENCE, ..] if first == [3] && begins(second, OID) => {
            Some(Kind::Other("pkcs12"))
        }
        [INTEGER, SEQUENCE, ..] if begins(second, SEQUENCE) => Some(Kind::TimestampRequest),
        [INTEGER, OCTET_STRING, ..] if first == [1] => Some(Kind::Other("ec-private-key")),
        [INTEGER, INTEGER] => Some(Kind::Other("rsa-public-key")),
        [INTEGER, INTEGER, INTEGER, ..] => Some(Kind::Other("rsa-private-key")),
        _ => None,
    }
}

fn begins(content: &[u8], tag: u8) -> bool {
    content.first() == Some(&tag)
}

fn children(mut content: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while found.len() < CHILDREN
        && let Some((tag, value, rest)) = header(content)
    {
        found.push((tag, value));
        content = rest;
    }
    found
}

/// Tag, value and what follows. A value that is cut short, or of indefinite length, has the rest.
fn header(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, length, rest) = match bytes {
        [tag, length, rest @ ..] if *length < 0x80 => (*tag, usize::from(*length), rest),
        [tag, 0x80, rest @ ..] => (*tag, rest.len(), rest),
        [tag, form, rest @ ..] => {
            let (octets, rest) = rest.split_at_checked(usize::from(*form & 0x7f))?;
            let length = octets.iter().try_fold(0_usize, |length, octet| {
                Some(length.checked_mul(256)?.saturating_add(usize::from(*octet)))
            });
            (*tag, length?, rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((tag, value, rest))
}

/// What files of other formats begin with.
const FORMATS: &[(&[u8], &str)] = &[
    (b"untrusted comment:", "a minisign or signify file"),
    (b"-----BEGIN PGP", "an OpenPGP file"),
    (b"-----BEGIN SSH SIGNATURE", "an SSH signature"),
    (b"ssh-", "an SSH public key"),
    (b"ecdsa-sha2-", "an SSH public key"),
    (b"openssh-key-v1\0", "an OpenSSH private key"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"BZh", "a bzip2 file"),
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"%PDF", "a PDF file"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML file"),
];

/// The format of a file that is no object of ours, if it is a known one.
pub(super) fn format_of(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.trim_ascii_start();
    let found =
        FORMATS.iter().find(|(start, _)| bytes.starts_with(start) || text.starts_with(start));
    found.map(|(_, name)| *name)
}
