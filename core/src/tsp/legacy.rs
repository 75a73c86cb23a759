//! Timestamps that are not in DER, as authorities sent them until 2019: read as what they mean, for
//! native programs whose callers ask for it ([`TokenForm`](super::TokenForm)).
//!
//! What is signed is left as it was received: the content's octets are hashed as they are in the
//! OCTET STRING, a default written out among them; only a copy without it is read. Signed attributes
//! are signed in DER, whatever they are sent in (RFC 5652 §5.4).

use alloc::vec::Vec;

use super::{
    TstInfo,
    ber::{normalised, write_tlv},
};
use crate::{
    asn1::{Cursor, Result, Tlv, context_constructed},
    cms::SignedData,
    finding::Finding,
};

const FALSE: [u8; 3] = [0x01, 0x01, 0x00];

/// A timestamp that is not in DER, and how it is read.
#[derive(Clone, Debug)]
pub struct LegacyTimestamp {
    pub(super) timestamp: Vec<u8>,
    pub(super) info: Vec<u8>,
}

impl LegacyTimestamp {
    /// The response or bare token as it is read; `None` if it is in DER throughout, or no
    /// timestamp in BER either, so that the strict decoders judge it.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let timestamp = normalised(bytes)?;
        let token = super::token(&timestamp).ok()?;
        let content = SignedData::decode(token).ok()?.content;
        let info = without_defaults(&normalised(content)?).ok()?;
        let is_legacy = timestamp != bytes || info != content;
        is_legacy.then_some(Self { timestamp, info })
    }

    /// What it says; its signature is not looked at.
    ///
    /// # Errors
    /// As [`TstInfo::decode`].
    pub fn info(&self) -> core::result::Result<TstInfo<'_>, Finding> {
        TstInfo::decode(&self.info)
    }
}

/// A `TSTInfo` in DER without the defaults that it writes out: ordering, and critical in an extension
/// (X.690 §11.5).
fn without_defaults(info: &[u8]) -> Result<Vec<u8>> {
    let mut content = Vec::with_capacity(info.len());
    let mut fields = Cursor::over_sequence(info, "TSTInfo")?;
    while !fields.is_empty() {
        let field = fields.any("TSTInfo")?;
        if field.tag == context_constructed(1) {
            write_tlv(0xA1, &extensions(field)?, &mut content);
        } else if field.raw != FALSE {
            content.extend_from_slice(field.raw);
        }
    }
    let mut written = Vec::with_capacity(info.len());
    write_tlv(0x30, &content, &mut written);
    Ok(written)
}

fn extensions(list: Tlv<'_>) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut extensions = list.content();
    while !extensions.is_empty() {
        let mut extension = extensions.sequence("extension")?;
        let mut kept = Vec::new();
        while !extension.is_empty() {
            let field = extension.any("extension")?;
            if field.raw != FALSE {
                kept.extend_from_slice(field.raw);
            }
        }
        write_tlv(0x30, &kept, &mut content);
    }
    Ok(content)
}
