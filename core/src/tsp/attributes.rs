//! A token's signed attributes, held against what they are signed with (RFC 5652 §11).

use alloc::format;

use crate::{
    asn1::Cursor,
    cms::{AttributeFault, SignerInfo},
    crypto::CryptoProvider,
    digest::{HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    oid,
};

type Result<T, E = Finding> = core::result::Result<T, E>;

/// The finding for a signed attribute that is not as it should be.
pub(super) fn attribute_finding(attribute: &str, fault: AttributeFault) -> Finding {
    let found = match fault {
        AttributeFault::Absent => "absent",
        AttributeFault::Malformed => "malformed or repeated",
    };
    Finding::new(FindingCode::TIMESTAMP_ATTRIBUTES).about(attribute).found(found)
}

/// RFC 5652 §11.1: content-type MUST equal the eContentType.
pub(super) fn inspect_content_type(signer: &SignerInfo<'_>) -> Result<()> {
    let fault = |fault| attribute_finding("contentType", fault);
    let value = signer.attribute(oid::AT_CONTENT_TYPE).map_err(fault)?;
    let id =
        Cursor::new(value.raw).oid("contentType").map_err(|_| fault(AttributeFault::Malformed))?;
    if id == oid::ID_CT_TST_INFO {
        return Ok(());
    }
    Err(Finding::new(FindingCode::TIMESTAMP_CONTENT_TYPE)
        .about("contentType attribute")
        .expected("id-ct-TSTInfo")
        .found(format!("{id}")))
}

/// RFC 5652 §11.2: message-digest is the digest of the content.
pub(super) fn inspect_message_digest(
    signer: &SignerInfo<'_>,
    content: &[u8],
    algorithm: HashAlgorithm,
    crypto: &dyn CryptoProvider,
) -> Result<()> {
    let fault = |fault| attribute_finding("messageDigest", fault);
    let value = signer.attribute(oid::AT_MESSAGE_DIGEST).map_err(fault)?;
    let claimed = Cursor::new(value.raw)
        .octet_string("messageDigest")
        .map_err(|_| fault(AttributeFault::Malformed))?;
    let actual = digest(crypto, algorithm, content);
    if claimed == actual.octets() {
        return Ok(());
    }
    Err(Finding::new(FindingCode::TIMESTAMP_SIGNATURE)
        .about("messageDigest attribute")
        .expected(actual.hex())
        .found(crate::digest::encode_hex(claimed)))
}
