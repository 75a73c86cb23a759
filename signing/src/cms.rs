//! CMS `SignedData` (RFC 5652 §5) around a `TSTInfo`, by one signer.
//!
//! Everything that is the same in every token of a key is encoded once: algorithms, certificate
//! set, signer identifier, and the signed attributes that do not depend on the content. Nothing
//! here knows what a `TSTInfo` says, and nothing here reads CMS.

use std::{ops::Range, sync::Arc};

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;
use countersign_core::{crypto::SignatureScheme, digest::HashAlgorithm, oid, x509::Certificate};

use crate::{
    der::{self, Backwards},
    key::{SignError, Signer, sha256},
};

/// Whether the certificates go into the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateSet {
    /// All of the chain that was given.
    Include,
    /// None: the field is absent.
    Omit,
}

/// What is constant in the `SignedData` that one key makes.
#[derive(Debug)]
pub(crate) struct SignedDataTemplate {
    signer: Arc<dyn Signer>,
    hash: &'static digest::Algorithm,
    /// `contentType` of the `ContentInfo`: id-signedData.
    signed_data_type: Vec<u8>,
    /// `version` and `digestAlgorithms`.
    head: Vec<u8>,
    content_type: Vec<u8>,
    certificates: Vec<u8>,
    signer_info_head: Vec<u8>,
    signed_attributes: SignedAttributes,
    signature_algorithm: Vec<u8>,
}

/// Room for everything in a token but content and certificates.
const TOKEN_OCTETS: usize = 1024;

impl SignedDataTemplate {
    /// Prepares for `content_type` and a chain of DER certificates, the signer's first.
    ///
    /// # Errors
    /// When the chain is empty, a certificate does not decode, or the first is for another key.
    pub(crate) fn new(
        signer: Arc<dyn Signer>,
        chain: &[Vec<u8>],
        content_type: &ObjectIdentifier,
    ) -> Result<Self, SignError> {
        for (index, certificate) in chain.iter().enumerate() {
            decode(certificate, index + 1)?;
        }
        let leaf = decode(chain.first().ok_or(SignError::NoCertificate)?, 1)?;
        if leaf.public_key.raw != signer.spki() {
            return Err(SignError::KeyMismatch);
        }
        let (hash, hash_oid) = hash_of(signer.scheme());
        // RFC 5754 §2: parameters SHOULD be absent.
        let digest_algorithm = der::sequence(&[&der::oid(&hash_oid)]);
        let issuer_and_serial = der::sequence(&[leaf.issuer, &der::integer_verbatim(leaf.serial)]);
        let content_type = der::oid(content_type);
        let mut set: Vec<&Vec<u8>> = chain.iter().collect();
        set.sort_unstable();
        set.dedup();
        Ok(Self {
            hash,
            signed_data_type: der::oid(&oid::ID_SIGNED_DATA),
            // RFC 5652 §5.1: 3, since the content is not id-data.
            head: [der::integer(3), der::set_of(&[&digest_algorithm])].concat(),
            certificates: der::implicit_set_of(0, &set),
            // RFC 5652 §5.3: version 1, since the signer is named by issuer and serial.
            signer_info_head: [der::integer(1), issuer_and_serial, digest_algorithm].concat(),
            signed_attributes: SignedAttributes::new(hash, &content_type, leaf.raw),
            signature_algorithm: signature_algorithm(signer.scheme()),
            content_type,
            signer,
        })
    }

    /// Room for a token with `content` of so many octets.
    pub(crate) fn capacity(&self, content_octets: usize) -> usize {
        TOKEN_OCTETS + content_octets + self.certificates.len()
    }

    /// Writes a `ContentInfo` with `content` signed; one signature.
    ///
    /// # Errors
    /// When the key refuses; then nothing was written.
    pub(crate) fn sign(
        &self,
        writer: &mut Backwards,
        content: &[u8],
        certificates: CertificateSet,
    ) -> Result<(), SignError> {
        let digest = digest::digest(self.hash, content);
        let mut signed_attributes = self.signed_attributes.with(digest.as_ref());
        let signature = self.signer.sign(&signed_attributes)?;
        // RFC 5652 §5.4: signed as a SET OF, sent with the implicit tag [0]; the content octets
        // are the same.
        signed_attributes[0] = der::CONTEXT_0;

        let token = writer.mark();
        writer.put(&signature);
        writer.wrap(der::OCTET_STRING, token);
        writer.put(&self.signature_algorithm);
        writer.put(&signed_attributes);
        writer.put(&self.signer_info_head);
        writer.sequence(token);
        writer.wrap(der::SET, token);
        if certificates == CertificateSet::Include {
            writer.put(&self.certificates);
        }
        let encapsulated = writer.mark();
        writer.put(content);
        writer.wrap(der::OCTET_STRING, encapsulated);
        writer.wrap(der::CONTEXT_0, encapsulated);
        writer.put(&self.content_type);
        writer.sequence(encapsulated);
        writer.put(&self.head);
        writer.sequence(token);
        writer.wrap(der::CONTEXT_0, token);
        writer.put(&self.signed_data_type);
        writer.sequence(token);
        Ok(())
    }
}

/// The signed attributes as a SET OF, sorted, with a hole for the content's digest. The digest
/// comes after the attribute's type and length, which are all that the order depends on.
#[derive(Debug)]
struct SignedAttributes {
    encoded: Vec<u8>,
    digest_at: Range<usize>,
}

impl SignedAttributes {
    fn new(hash: &'static digest::Algorithm, content_type: &[u8], certificate: &[u8]) -> Self {
        let digest = vec![0; hash.output_len()];
        let message_digest = attribute(&oid::AT_MESSAGE_DIGEST, &der::octet_string(&digest));
        let mut attributes = [
            attribute(&oid::AT_CONTENT_TYPE, content_type),
            attribute(&oid::AT_SIGNING_CERTIFICATE_V2, &signing_certificate_v2(certificate)),
            message_digest.clone(),
        ];
        attributes.sort_unstable();
        let encoded = der::set_of(&attributes);
        let after: usize = attributes
            .iter()
            .rev()
            .take_while(|attribute| **attribute != message_digest)
            .map(Vec::len)
            .sum();
        let end = encoded.len() - after;
        Self { digest_at: end - digest.len()..end, encoded }
    }

    fn with(&self, digest: &[u8]) -> Vec<u8> {
        let mut encoded = self.encoded.clone();
        encoded[self.digest_at.clone()].copy_from_slice(digest);
        encoded
    }
}

/// DER of the whole `AlgorithmIdentifier` of a scheme.
pub(crate) fn signature_algorithm(scheme: SignatureScheme) -> Vec<u8> {
    der::sequence(&[scheme.algorithm_identifier_content()])
}

fn decode(certificate: &[u8], position: usize) -> Result<Certificate<'_>, SignError> {
    Certificate::decode(certificate)
        .map_err(|error| SignError::Certificate { position, detail: error.to_string() })
}

fn attribute(identifier: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(identifier), &der::set_of(&[value])])
}

/// RFC 5035 §3: one `ESSCertIDv2`. The hash is SHA-256, which is the default and therefore not
/// named; the issuer's name and the serial are in the signer identifier and not repeated.
fn signing_certificate_v2(certificate: &[u8]) -> Vec<u8> {
    let hash = der::octet_string(sha256(certificate).as_ref());
    let ess_cert_id = der::sequence(&[&hash]);
    der::sequence(&[&der::sequence(&[&ess_cert_id])])
}

fn hash_of(scheme: SignatureScheme) -> (&'static digest::Algorithm, ObjectIdentifier) {
    match scheme.hash_algorithm() {
        Some(HashAlgorithm::Sha384) => (&digest::SHA384, oid::SHA384),
        Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha1) => (&digest::SHA256, oid::SHA256),
        // RFC 8419 §2.3: Ed25519 goes with SHA-512.
        Some(HashAlgorithm::Sha512) | None => (&digest::SHA512, oid::SHA512),
    }
}
