//! A certificate, decoded in place (RFC 5280 §4.1).
//!
//! Decoding reads the shape only; nothing here says that a certificate is to be trusted.

use alloc::{string::String, vec::Vec};

use const_oid::ObjectIdentifier;
use der::Tag;

use super::{extensions::Extensions, name};
use crate::{
    asn1::{AlgorithmIdentifier, Asn1Error, Cursor, Result, Tlv, context_constructed},
    crypto::{CryptoProvider, KeyAlgorithm, SignatureScheme, encoding::has_usual_exponent},
    digest::encode_hex,
    limits,
    report::CertificateSummary,
    time::UnixSeconds,
};

/// A decoded certificate; every span borrows from the received bytes.
#[derive(Clone, Debug)]
pub struct Certificate<'a> {
    /// The whole certificate.
    pub raw: &'a [u8],
    /// The `tbsCertificate`, which is what was signed.
    pub tbs: &'a [u8],
    /// The version: 1, 2 or 3.
    pub version: u8,
    /// The serial number's INTEGER content octets, of either sign.
    pub serial: &'a [u8],
    /// The issuer's `Name`, DER.
    pub issuer: &'a [u8],
    /// First second of validity.
    pub not_before: UnixSeconds,
    /// Last second of validity.
    pub not_after: UnixSeconds,
    /// The subject's `Name`, DER.
    pub subject: &'a [u8],
    /// The subject's public key.
    pub public_key: PublicKey<'a>,
    /// The extensions we know, and the identifiers of the others.
    pub extensions: Extensions<'a>,
    /// How the issuer signed.
    pub signature_algorithm: AlgorithmIdentifier<'a>,
    /// The issuer's signature.
    pub signature: &'a [u8],
}

/// A `SubjectPublicKeyInfo`.
#[derive(Clone, Copy, Debug)]
pub struct PublicKey<'a> {
    /// The whole `SubjectPublicKeyInfo`, DER.
    pub raw: &'a [u8],
    /// The content of the `subjectPublicKey` BIT STRING.
    pub bits: &'a [u8],
    /// What kind of key it is.
    pub algorithm: KeyAlgorithm,
}

impl<'a> PublicKey<'a> {
    /// Decodes a `SubjectPublicKeyInfo`. A key of a kind that we know has one encoding: what is equal in
    /// [`raw`](Self::raw) is one key, and what is not is another. Compressed points, which RFC 5480 §2.2
    /// allows, are refused for that reason; so are curves that are not named, parameters of RSA other
    /// than NULL, and any of Ed25519.
    ///
    /// # Errors
    /// When `bytes` is not one, or its key is in another encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        Self::of(Tlv::decode(bytes, "subjectPublicKeyInfo")?)
    }

    fn of(tlv: Tlv<'a>) -> Result<Self> {
        const FIELD: &str = "subjectPublicKeyInfo";
        if tlv.tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: FIELD });
        }
        let mut inner = tlv.content();
        let algorithm = inner.algorithm(FIELD)?;
        let bits = inner.bit_string(FIELD)?;
        inner.finish(FIELD)?;
        Ok(Self { raw: tlv.raw, bits, algorithm: KeyAlgorithm::of(&algorithm, bits)? })
    }

    /// Whether it is an RSA key whose exponent is not 65537. Its factors sign for any exponent: a new key
    /// of that kind may be an old one that was stolen.
    pub fn has_unusual_exponent(&self) -> bool {
        matches!(self.algorithm, KeyAlgorithm::Rsa { .. }) && !has_usual_exponent(self.bits)
    }

    /// Whether `signature` over `message` was made with this key by `algorithm`.
    pub fn verifies(
        &self,
        crypto: &dyn CryptoProvider,
        algorithm: &AlgorithmIdentifier<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.algorithm.is_acceptable()
            && SignatureScheme::of(self.algorithm, algorithm)
                .is_some_and(|scheme| crypto.verify(scheme, self.bits, message, signature).is_ok())
    }
}

impl<'a> Certificate<'a> {
    /// Decodes one DER certificate of at most [`limits::CERTIFICATE_BYTES`].
    ///
    /// # Errors
    /// When `bytes` is not exactly one certificate, or an extension that we read is malformed or
    /// is repeated (RFC 5280 §4.2).
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        const FIELD: &str = "certificate";
        if bytes.len() > limits::CERTIFICATE_BYTES {
            return Err(Asn1Error::Malformed { field: "certificate (over 64 KiB)" });
        }
        let outer = Tlv::decode(bytes, FIELD)?;
        if outer.tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: FIELD });
        }
        let mut fields = outer.content();
        let tbs = fields.expect(Tag::Sequence, "tbsCertificate")?;
        let signature_algorithm = fields.algorithm("signatureAlgorithm")?;
        let signature = fields.bit_string("signatureValue")?;
        fields.finish(FIELD)?;

        let mut inner = tbs.content();
        let version = version(&mut inner)?;
        let serial = inner.integer("serialNumber")?;
        let inner_algorithm = inner.algorithm("signature")?;
        // RFC 5280 §4.1.1.2: both MUST contain the same identifier.
        if inner_algorithm.raw != signature_algorithm.raw {
            return Err(Asn1Error::Malformed {
                field: "signature (differs from signatureAlgorithm)",
            });
        }
        let issuer = inner.expect(Tag::Sequence, "issuer")?.raw;
        let mut validity = inner.sequence("validity")?;
        let not_before = validity.time("notBefore")?;
        let not_after = validity.time("notAfter")?;
        validity.finish("validity")?;
        let subject = inner.expect(Tag::Sequence, "subject")?.raw;
        let public_key = PublicKey::of(inner.expect(Tag::Sequence, "subjectPublicKeyInfo")?)?;
        let extensions = certificate_extensions(&mut inner, version)?;
        inner.finish("tbsCertificate")?;
        Ok(Self {
            raw: bytes,
            tbs: tbs.raw,
            version,
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            public_key,
            extensions,
            signature_algorithm,
            signature,
        })
    }

    /// Whether `time` lies within the validity, both ends included (RFC 5280 §4.1.2.5).
    pub fn is_valid_at(&self, time: UnixSeconds) -> bool {
        self.not_before <= time && time <= self.not_after
    }

    /// Whether subject and issuer are the same name (RFC 5280 §7.1).
    pub fn is_self_issued(&self) -> bool {
        name::equal(self.subject, self.issuer)
    }

    /// Whether this certificate names `issuer` as its issuer and carries its signature. Says
    /// nothing about whether `issuer` may issue.
    pub fn is_signed_by(&self, issuer: &Certificate<'_>, crypto: &dyn CryptoProvider) -> bool {
        name::equal(self.issuer, issuer.subject)
            && issuer.public_key.verifies(
                crypto,
                &self.signature_algorithm,
                self.tbs,
                self.signature,
            )
    }

    /// The subject for people, RFC 4514.
    pub fn subject_text(&self) -> String {
        name::text(self.subject)
    }

    /// What findings call it: its subject, or its identity if the subject is empty, as public
    /// authorities leave it.
    pub fn display_name(&self) -> String {
        let subject = self.subject_text();
        match self.identity() {
            Some(identity) if subject.is_empty() => String::from(identity),
            _ => subject,
        }
    }

    /// The serial number in hexadecimal, sign octet left out.
    pub fn serial_text(&self) -> String {
        serial_text(self.serial)
    }

    /// The e-mail address or URI that names the subject: the first in the subjectAltName.
    pub fn identity(&self) -> Option<&'a str> {
        self.identities().next()
    }

    /// Every e-mail address and URI of the subjectAltName, in order.
    pub fn identities(&self) -> impl Iterator<Item = &'a str> {
        self.extensions.subject_alt_names.iter().filter_map(super::GeneralName::identity)
    }

    /// This certificate as reports show it.
    pub fn summary(&self) -> CertificateSummary {
        CertificateSummary {
            subject: crate::finding::quoted(self.subject_text()),
            issuer: crate::finding::quoted(name::text(self.issuer)),
            serial: self.serial_text(),
            not_before: self.not_before,
            not_after: self.not_after,
        }
    }
}

/// A serial number's content octets in hexadecimal, without the octet that only carries the sign.
pub fn serial_text(serial: &[u8]) -> String {
    match serial {
        [0, rest @ ..] if !rest.is_empty() => encode_hex(rest),
        _ => encode_hex(serial),
    }
}

fn version(inner: &mut Cursor<'_>) -> Result<u8> {
    const FIELD: &str = "version";
    let Some(tagged) = inner.optional(context_constructed(0), FIELD)? else { return Ok(1) };
    let mut content = tagged.content();
    let number = content.unsigned(FIELD)?;
    content.finish(FIELD)?;
    match number {
        1 => Ok(2),
        2 => Ok(3),
        // v1 is the default, which DER does not encode.
        _ => Err(Asn1Error::Malformed { field: FIELD }),
    }
}

fn certificate_extensions<'a>(inner: &mut Cursor<'a>, version: u8) -> Result<Extensions<'a>> {
    // The unique identifiers are obsolete; they are stepped over.
    for number in [1, 2] {
        inner.optional(crate::asn1::context_primitive(number), "uniqueIdentifier")?;
    }
    let Some(tagged) = inner.optional(context_constructed(3), "extensions")? else {
        return Ok(Extensions::default());
    };
    // RFC 5280 §4.1.2.1: extensions are a matter of version 3.
    if version != 3 {
        return Err(Asn1Error::Malformed { field: "extensions (not in a version 3 certificate)" });
    }
    let list = Cursor::over_sequence(tagged.value, "extensions")?;
    Extensions::decode(list)
}

/// Identifier, whether critical, and the value's octets.
pub(crate) type Extension<'a> = (ObjectIdentifier, crate::asn1::Flag, &'a [u8]);

/// The content of an `Extensions`: of certificates, CRLs, their entries, OCSP messages, timestamps,
/// which share the form.
///
/// # Errors
/// When one is malformed or is repeated (RFC 5280 §4.2), there is none (SIZE 1..MAX), or there are more
/// than [`limits::EXTENSIONS`].
pub(crate) fn extensions<'a>(
    mut list: Cursor<'a>,
    field: &'static str,
) -> Result<Vec<Extension<'a>>> {
    let mut found: Vec<Extension<'a>> = Vec::new();
    while !list.is_empty() {
        if found.len() >= limits::EXTENSIONS {
            return Err(Asn1Error::TooMany { field });
        }
        let next = extension(&mut list)?;
        if found.iter().any(|(seen, _, _)| *seen == next.0) {
            return Err(Asn1Error::Malformed { field });
        }
        found.push(next);
    }
    if found.is_empty() {
        return Err(Asn1Error::Malformed { field });
    }
    Ok(found)
}

/// The next `Extension` of a list.
pub(crate) fn extension<'a>(list: &mut Cursor<'a>) -> Result<Extension<'a>> {
    const FIELD: &str = "extension";
    let mut fields = list.sequence(FIELD)?;
    let id = fields.oid(FIELD)?;
    // Off-spec: an encoded FALSE occurs in real certificates; it is read as what it means.
    let critical = match fields.optional(Tag::Boolean, FIELD)? {
        Some(Tlv { value: [0], .. }) | None => crate::asn1::Flag::No,
        Some(Tlv { value: [0xFF], .. }) => crate::asn1::Flag::Yes,
        Some(_) => return Err(Asn1Error::Malformed { field: FIELD }),
    };
    let value = fields.octet_string(FIELD)?;
    fields.finish(FIELD)?;
    Ok((id, critical, value))
}
