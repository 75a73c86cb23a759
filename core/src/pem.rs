//! PEM (RFC 7468): every block of a file, read as leniently as §2 lets a parser be.
//!
//! Lines may have any length and end in any way, with blanks around them; a byte order mark may
//! begin the text, and there may be other text around the blocks. A block that cannot be used is
//! named by its number and never left out. This module does not look into what a block holds, and
//! it does not decrypt.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use base64ct::{Base64, Encoding};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The longest label that is one: longer lines of dashes are somebody's ornament.
const LABEL_OCTETS: usize = 64;

/// Base64 is decoded in pieces of this length, so that no second copy of a key's text is made.
const PIECE_OCTETS: usize = 1024;

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Certificates (RFC 7468 §5). Private keys beside them are not looked at.
    Certificate,
    /// CRLs (§6).
    Crl,
    /// Certification requests (§7). Private keys beside them are not looked at.
    Request,
    /// Public keys (§13).
    PublicKey,
    /// Whatever it is.
    Any,
}

/// How a label counts in a file that is read for one kind.
enum Use {
    Wanted,
    Beside,
    Refused,
}

impl Kind {
    fn use_of(self, label: &str) -> Use {
        let is_parameters = matches!(label, "EC PARAMETERS" | "DH PARAMETERS");
        let is_private_key = label.ends_with("PRIVATE KEY");
        let (wanted, beside) = match self {
            Self::Certificate => (
                // §5.1: what older programs write.
                matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "X.509 CERTIFICATE"),
                is_private_key || is_parameters,
            ),
            Self::Crl => (matches!(label, "X509 CRL" | "CRL"), false),
            Self::Request => (
                matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST"),
                is_private_key || is_parameters,
            ),
            Self::PublicKey => (label == "PUBLIC KEY", is_parameters),
            Self::Any => (true, false),
        };
        match (wanted, beside) {
            (true, _) => Use::Wanted,
            (_, true) => Use::Beside,
            _ => Use::Refused,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Crl => "CRL",
            Self::Request => "certification request",
            Self::PublicKey => "public key",
            Self::Any => "object",
        }
    }
}

/// Why a file cannot be used, and which of its blocks is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemFault {
    /// The block at fault, the first being 1; `None` if the fault is the whole file's.
    pub block: Option<usize>,
    /// What is wrong.
    pub reason: PemReason,
}

/// What is wrong with a PEM block, or with a file that should hold some.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemReason {
    /// It has no END line.
    NoEnd {
        /// The label of its BEGIN line.
        label: String,
    },
    /// Its END line has another label than its BEGIN line.
    OtherEnd {
        /// The label of its BEGIN line.
        label: String,
    },
    /// It holds header lines (RFC 1421): the encryption of before PKCS#8.
    Headers,
    /// The text between BEGIN and END is not Base64.
    NotBase64,
    /// It holds something else than what the file is read for.
    OtherKind {
        /// Its label.
        label: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// The file holds no block of the kind.
    NoBlock {
        /// What is wanted.
        wanted: &'static str,
    },
    /// The file holds several blocks if one is wanted.
    Several {
        /// What is wanted.
        wanted: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The file is Base64 without the lines around it.
    Unarmoured,
    /// The file is text in UTF-16.
    Utf16,
}

impl PemFault {
    fn of_file(reason: PemReason) -> Self {
        Self { block: None, reason }
    }

    /// Where the fault is: `file`, or a block of it.
    pub fn place(&self, file: &str) -> String {
        match self.block {
            Some(number) => format!("block {number} of {file}"),
            None => String::from(file),
        }
    }
}

impl fmt::Display for PemFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.block {
            Some(number) => write!(f, "block {number}: {}", self.reason),
            None => write!(f, "{}", self.reason),
        }
    }
}

impl core::error::Error for PemFault {}

impl fmt::Display for PemReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEnd { label } => write!(f, "the line -----END {label}----- is missing"),
            Self::OtherEnd { label } => {
                write!(f, "its END line does not say {label}, as its BEGIN line does")
            }
            Self::Headers => f.write_str(
                "it is encrypted in the old way, with header lines; `openssl pkcs8 -topk8` converts it",
            ),
            Self::NotBase64 => f.write_str("what stands between BEGIN and END is not Base64"),
            Self::OtherKind { label, wanted } => {
                write!(f, "it is a {label}, and a {wanted} is wanted here")
            }
            Self::NoBlock { wanted } => write!(f, "it holds no {wanted}, neither as PEM nor as DER"),
            Self::Several { wanted, count } => {
                write!(f, "it holds {count} blocks, and one {wanted} is wanted here")
            }
            Self::Unarmoured => f.write_str(
                "it is Base64 without the lines -----BEGIN …----- and -----END …-----; add them, or decode it with `base64 -d`",
            ),
            Self::Utf16 => f.write_str(
                "it is text in UTF-16; convert it with `iconv -f UTF-16 -t UTF-8`",
            ),
        }
    }
}

/// A block of a PEM text.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// Which one, the first being 1.
    pub number: usize,
    /// What its BEGIN line calls it.
    pub label: &'a str,
    body: Result<&'a [u8], PemReason>,
}

impl Block<'_> {
    /// The octets that it holds.
    ///
    /// # Errors
    /// When it has no end, or is not Base64.
    pub fn decode(&self) -> Result<Vec<u8>, PemFault> {
        let decoded = self.body.clone().and_then(decode_body);
        decoded.map_err(|reason| PemFault { block: Some(self.number), reason })
    }
}

/// Every block of a text, in order. Linear in the text's length.
pub fn blocks(text: &[u8]) -> Blocks<'_> {
    Blocks { text, at: 0, number: 0 }
}

/// The blocks of a PEM text; made by [`blocks`].
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    text: &'a [u8],
    at: usize,
    number: usize,
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        loop {
            let start = find(self.text, BEGIN, self.at)?;
            self.at = start.saturating_add(BEGIN.len());
            if !begins_line(self.text.get(..start)?) {
                continue;
            }
            let Some(label) = label_at(self.text, self.at) else { continue };
            self.at = self.at.saturating_add(label.len()).saturating_add(DASHES.len());
            self.number = self.number.saturating_add(1);
            let body = self.body(label);
            return Some(Block { number: self.number, label, body });
        }
    }
}

impl<'a> Blocks<'a> {
    /// The text up to the END line, which is skipped.
    fn body(&mut self, label: &'a str) -> Result<&'a [u8], PemReason> {
        let no_end = || PemReason::NoEnd { label: String::from(label) };
        let end = find(self.text, DASHES, self.at).ok_or_else(no_end)?;
        let body = self.text.get(self.at..end).ok_or_else(no_end)?;
        self.at = end;
        if !self.text.get(end..).is_some_and(|rest| rest.starts_with(END)) {
            return Err(no_end());
        }
        self.at = end.saturating_add(END.len());
        if label_at(self.text, self.at) != Some(label) {
            return Err(PemReason::OtherEnd { label: String::from(label) });
        }
        self.at = self.at.saturating_add(label.len()).saturating_add(DASHES.len());
        Ok(body)
    }
}

/// The DER of every object that a file holds: that of a DER file, or of each PEM block.
///
/// Evidence that is neither comes back as it is: its decoder says what is wrong with it, and the
/// verdict what follows from that.
///
/// # Errors
/// When a block is damaged or of another kind, or the file is text that holds none.
pub fn objects(content: Vec<u8>, kind: Kind) -> Result<Vec<Vec<u8>>, PemFault> {
    if is_der(&content) {
        return Ok(vec![content]);
    }
    if content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]) {
        return Err(PemFault::of_file(PemReason::Utf16));
    }
    let mut found = Vec::new();
    let mut is_pem = false;
    for block in blocks(&content) {
        is_pem = true;
        match kind.use_of(block.label) {
            Use::Wanted => found.push(block.decode()?),
            Use::Beside => {}
            Use::Refused => {
                let label = String::from(block.label);
                let reason = PemReason::OtherKind { label, wanted: kind.name() };
                return Err(PemFault { block: Some(block.number), reason });
            }
        }
    }
    match (is_pem, found.is_empty()) {
        (true, false) => Ok(found),
        (false, _) if is_base64(&content) => Err(PemFault::of_file(PemReason::Unarmoured)),
        (false, _)
            if matches!(kind, Kind::Crl | Kind::PublicKey | Kind::Any)
                || content.first() == Some(&0x30) =>
        {
            Ok(vec![content])
        }
        _ => Err(PemFault::of_file(PemReason::NoBlock { wanted: kind.name() })),
    }
}

/// As [`objects`], of a file that should hold one object.
///
/// # Errors
/// As [`objects`]; when there are several.
pub fn object(content: Vec<u8>, kind: Kind) -> Result<Vec<u8>, PemFault> {
    let mut found = objects(content, kind)?;
    match (found.len(), found.pop()) {
        (1, Some(only)) => Ok(only),
        (count, _) => Err(PemFault::of_file(PemReason::Several { wanted: kind.name(), count })),
    }
}

/// Whether a file is meant as DER: a SEQUENCE, and not a text that begins with the digit 0.
pub fn is_der(content: &[u8]) -> bool {
    match content {
        [0x30, length, ..] => {
            // A short form says the whole length; in the long form no text could have this octet.
            *length >= 0x80 || usize::from(*length).saturating_add(2) == content.len()
        }
        _ => false,
    }
}

fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let at = rest.windows(wanted.len()).position(|window| window == wanted)?;
    Some(from.saturating_add(at))
}

/// Whether there are only blanks and a byte order mark between a line's start and here.
fn begins_line(before: &[u8]) -> bool {
    let blank = |octet: &u8| matches!(octet, b' ' | b'\t' | 0x0b | 0x0c | 0xef | 0xbb | 0xbf);
    let line = before.iter().rposition(|octet| !blank(octet));
    let Some(last) = line else {
        return marks_only(before);
    };
    matches!(before.get(last), Some(b'\n' | b'\r'))
        && before.get(last.saturating_add(1)..).is_some_and(marks_only)
}

/// Whether this is blanks and whole byte order marks.
fn marks_only(mut text: &[u8]) -> bool {
    loop {
        text = text.trim_ascii_start();
        match text {
            [] => return true,
            [0x0b, rest @ ..] => text = rest,
            _ => match text.strip_prefix(BYTE_ORDER_MARK) {
                Some(rest) => text = rest,
                None => return false,
            },
        }
    }
}

/// The label that begins there and ends before five dashes.
fn label_at(text: &[u8], at: usize) -> Option<&str> {
    let rest = text.get(at..)?;
    let near = rest.get(..rest.len().min(LABEL_OCTETS.saturating_add(DASHES.len())))?;
    let label = near.get(..find(near, DASHES, 0)?)?;
    let printable = |octet: &u8| matches!(octet, 0x20..=0x7e);
    if label.is_empty() || !label.iter().all(printable) {
        return None;
    }
    core::str::from_utf8(label).ok()
}

/// §2's W: blanks that may be anywhere in the Base64.
fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

fn decode_body(body: &[u8]) -> Result<Vec<u8>, PemReason> {
    if body.contains(&b':') {
        return Err(PemReason::Headers);
    }
    // Room for all of it at once: a vector that grows leaves copies behind.
    let mut decoded = Vec::with_capacity(body.len());
    let mut piece = [0_u8; PIECE_OCTETS];
    let mut filled = 0_usize;
    let mut is_padded = false;
    for octet in body.iter().copied().filter(|octet| !is_blank(*octet)) {
        if is_padded {
            return Err(PemReason::NotBase64);
        }
        let slot = piece.get_mut(filled).ok_or(PemReason::NotBase64)?;
        *slot = octet;
        filled = filled.saturating_add(1);
        if filled == PIECE_OCTETS {
            is_padded = octet == b'=';
            decode_piece(&piece, &mut decoded)?;
            filled = 0;
        }
    }
    decode_piece(piece.get(..filled).unwrap_or_default(), &mut decoded)?;
    Ok(decoded)
}

fn decode_piece(piece: &[u8], decoded: &mut Vec<u8>) -> Result<(), PemReason> {
    let mut octets = [0_u8; PIECE_OCTETS];
    let part = Base64::decode(piece, &mut octets).map_err(|_| PemReason::NotBase64)?;
    decoded.extend_from_slice(part);
    Ok(())
}

/// Whether this is a text of nothing but Base64, of a length that is no accident.
fn is_base64(content: &[u8]) -> bool {
    const SHORTEST: usize = 64;
    let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    text.len() >= SHORTEST
        && text.iter().all(|octet| {
            is_blank(*octet) || octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=')
        })
}

#[cfg(test)]
mod tests;
