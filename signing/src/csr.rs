//! PKCS #10 certification requests (RFC 2986).
//!
//! A request proves that whoever sends it has the private key; nothing else in it is believed.
//! The key must be in the one encoding that core reads, so that it is certified as no other key.
//! The subject and its alternative names are the CA's to decide, so the request's are not even
//! handed out.

use countersign_core::{
    asn1::{Asn1Error, Cursor, context_constructed},
    crypto::{KeyAlgorithm, aws_lc::AwsLc},
    pem::{self as read, PemFault},
    x509::PublicKey,
};

use crate::{
    cms::signature_algorithm,
    der,
    key::{SignError, Signer},
    name::{DistinguishedName, NameError},
    pem,
};

const LABEL: &str = "CERTIFICATE REQUEST";

/// Why a certification request is refused, or cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CsrError {
    /// It is neither PEM `CERTIFICATE REQUEST` nor DER.
    #[error("not a certification request: {0}")]
    Pem(#[from] PemFault),
    /// Its key is none that we certify.
    #[error("the key in the certification request is not accepted: {found}")]
    KeyNotAccepted {
        /// Its algorithm and size.
        found: String,
    },
    /// Its DER is not that of a certification request.
    #[error("malformed certification request: {0}")]
    Malformed(#[from] Asn1Error),
    /// Its signature was not made with the key it asks for.
    #[error(
        "the certification request is not signed by its own key (P-384, P-256, P-521, Ed25519 or RSA)"
    )]
    BadSignature,
    /// The subject of a request to be made is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The key refused.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The public key of a request whose own signature was verified; nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenPublicKey {
    spki: Vec<u8>,
}

impl ProvenPublicKey {
    /// DER of the `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }
}

/// Decodes a request, PEM or DER, and verifies its signature by its own key.
///
/// # Errors
/// When it is no request, or the signature is not its own key's.
pub fn verify(request: &[u8]) -> Result<ProvenPublicKey, CsrError> {
    verify_der(&read::object(request.to_vec(), read::Kind::Request)?)
}

fn verify_der(request: &[u8]) -> Result<ProvenPublicKey, CsrError> {
    const FIELD: &str = "certificationRequest";
    let mut outer = Cursor::new(request);
    let mut fields = outer.sequence(FIELD)?;
    outer.finish(FIELD)?;
    let info = fields.expect(::der::Tag::Sequence, "certificationRequestInfo")?;
    let algorithm = fields.algorithm("signatureAlgorithm")?;
    let signature = fields.bit_string("signature")?;
    fields.finish(FIELD)?;

    let mut inner = info.content();
    // RFC 2986 §4.1: version 1 is written as 0, and there is no other.
    if inner.unsigned("version")? != 0 {
        return Err(Asn1Error::Malformed { field: "version" }.into());
    }
    inner.sequence("subject")?;
    let spki = inner.expect(::der::Tag::Sequence, "subjectPKInfo")?.raw;
    // Off-spec: the attributes are not optional, and some tools leave them out.
    inner.optional(context_constructed(0), "attributes")?;
    inner.finish("certificationRequestInfo")?;

    let key = PublicKey::decode(spki)?;
    if !key.algorithm.is_acceptable() {
        let found = match key.algorithm {
            KeyAlgorithm::Rsa { bits } => format!("RSA of {bits} bits"),
            other => other.name().to_owned(),
        };
        return Err(CsrError::KeyNotAccepted { found });
    }
    // A stolen modulus under another exponent would be a new key.
    if key.has_unusual_exponent() {
        let found = "RSA with another exponent than 65537".to_owned();
        return Err(CsrError::KeyNotAccepted { found });
    }
    if key.verifies(&AwsLc, &algorithm, info.raw, signature) {
        Ok(ProvenPublicKey { spki: spki.to_vec() })
    } else {
        Err(CsrError::BadSignature)
    }
}

/// DER of a request for `signer`'s public key, without attributes.
///
/// # Errors
/// When the subject is not a name, or the key refuses.
pub fn build(subject: &DistinguishedName, signer: &dyn Signer) -> Result<Vec<u8>, CsrError> {
    let info = der::sequence(&[
        &der::integer(0),
        &subject.encode()?,
        signer.spki(),
        &der::context(0, &[]),
    ]);
    let signature = signer.sign(&info)?;
    let algorithm = signature_algorithm(signer.scheme());
    Ok(der::sequence(&[&info, &algorithm, &der::bit_string(&signature)]))
}

/// PEM of a request.
pub fn encode_pem(request: &[u8]) -> String {
    pem::encode(LABEL, request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{FileKey, NewKey};

    #[test]
    fn verifies_what_it_builds() {
        for algorithm in NewKey::ALL {
            let key = FileKey::generate(algorithm).expect("a key");
            let request = build(&DistinguishedName::common_name("me"), &key).expect("a request");
            assert_eq!(verify(&request).expect("verifies").spki(), key.spki());
            let text = format!("a preamble\n{}", encode_pem(&request));
            assert_eq!(verify(text.as_bytes()).expect("verifies").spki(), key.spki());
        }
    }

    #[test]
    fn rejects_every_flipped_octet() {
        let key = FileKey::generate(NewKey::P256).expect("a key");
        let request = build(&DistinguishedName::common_name("me"), &key).expect("a request");
        for index in 0..request.len() {
            let mut changed = request.clone();
            changed[index] ^= 1;
            verify(&changed).expect_err("a changed request is refused");
        }
        verify(b"").expect_err("empty");
        verify(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
            .expect_err("another label");
    }
}
