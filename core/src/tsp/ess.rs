//! Which certificates a token's signed attributes name: `SigningCertificate` and
//! `SigningCertificateV2` (RFC 5035 §3, §5; RFC 5816 §2.2.1).
//!
//! Both may be there, and then both must hold: an attribute that is signed and false is no detail.
//! The first certificate of each is the signer's. Further ones restrict the certificates that the
//! path may be made of; here each of them must be one of the path, as `openssl ts` has it.
//!
//! Off-spec: RFC 5035 §3 would also refuse a path with a certificate that such a list leaves out.
//! Authorities list their issuer alone and mean the whole way to the root; nobody refuses those.

use alloc::{format, string::String, vec::Vec};

use crate::{
    asn1::{Asn1Error, Cursor, Result, Tlv},
    cms::{AttributeFault, SignerInfo},
    crypto::CryptoProvider,
    digest::{HashAlgorithm, digest, encode_hex},
    finding::{Finding, FindingCode},
    limits, oid,
    x509::{Certificate, GeneralName, VerifiedPath, general_name, name},
};

const FIELD: &str = "signingCertificate";

/// The lists of the attributes that are there: at least one, none empty.
pub(super) struct SigningCertificates<'a> {
    lists: Vec<Vec<EssCertificate<'a>>>,
}

/// `ESSCertID` or `ESSCertIDv2`.
struct EssCertificate<'a> {
    algorithm: HashAlgorithm,
    hash: &'a [u8],
    issuer_and_serial: Option<(&'a [u8], &'a [u8])>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// RFC 5816 §2.1 keeps `ESSCertID` with SHA-1. It only selects a certificate, which is then
    /// verified by its path, so SHA-1 is no weakness here.
    V1,
    V2,
}

impl<'a> SigningCertificates<'a> {
    /// Reads both attributes.
    ///
    /// # Errors
    /// A finding when neither is there, or one is malformed, repeated or empty.
    pub(super) fn decode(signer: &SignerInfo<'a>) -> core::result::Result<Self, Finding> {
        let malformed = || {
            Finding::new(FindingCode::TIMESTAMP_ATTRIBUTES)
                .about(FIELD)
                .found("malformed or repeated")
        };
        let mut lists = Vec::new();
        let attributes = [
            (oid::AT_SIGNING_CERTIFICATE_V2, Version::V2),
            (oid::AT_SIGNING_CERTIFICATE, Version::V1),
        ];
        for (attribute, version) in attributes {
            match signer.attribute(attribute) {
                Ok(value) => lists.push(list(value, version).map_err(|_| malformed())?),
                Err(AttributeFault::Malformed) => return Err(malformed()),
                Err(AttributeFault::Absent) => {}
            }
        }
        if lists.is_empty() {
            return Err(FindingCode::TIMESTAMP_ESS_ABSENT.into());
        }
        Ok(Self { lists })
    }

    /// Holds the certificate that is to verify the signature against the first of each list: it
    /// "MUST be the certificate used to verify the signature" (RFC 5035 §3).
    ///
    /// # Errors
    /// A finding when one names another.
    pub(super) fn inspect_signer(
        &self,
        certificate: &Certificate<'_>,
        crypto: &dyn CryptoProvider,
    ) -> core::result::Result<(), Finding> {
        let firsts = self.lists.iter().filter_map(|list| list.first());
        for first in firsts {
            if first.identifies(certificate, crypto) {
                continue;
            }
            return Err(Finding::new(FindingCode::TIMESTAMP_ESS_MISMATCH)
                .about(certificate.subject_text())
                .expected(digest(crypto, first.algorithm, certificate.raw).hex())
                .found(first.text()));
        }
        Ok(())
    }

    /// Holds the further certificates against the path.
    ///
    /// # Errors
    /// A finding when one is none of the path's.
    pub(super) fn inspect_path(
        &self,
        path: &VerifiedPath<'_>,
        crypto: &dyn CryptoProvider,
    ) -> core::result::Result<(), Finding> {
        let further = self.lists.iter().flat_map(|list| list.iter().skip(1));
        for each in further {
            if path.certificates().any(|certificate| each.identifies(certificate, crypto)) {
                continue;
            }
            return Err(Finding::new(FindingCode::TIMESTAMP_ESS_MISMATCH)
                .about("a further certificate of signingCertificate")
                .expected("a certificate of the authority's chain")
                .found(each.text()));
        }
        Ok(())
    }
}

impl EssCertificate<'_> {
    fn identifies(&self, certificate: &Certificate<'_>, crypto: &dyn CryptoProvider) -> bool {
        let names_it = self.issuer_and_serial.is_none_or(|(issuer, serial)| {
            name::equal(certificate.issuer, issuer) && certificate.serial == serial
        });
        names_it && digest(crypto, self.algorithm, certificate.raw).octets() == self.hash
    }

    fn text(&self) -> String {
        let hash = encode_hex(self.hash);
        match self.issuer_and_serial {
            Some((_, serial)) => {
                format!("{hash}, serial {}", crate::x509::certificate::serial_text(serial))
            }
            None => hash,
        }
    }
}

/// `SigningCertificate` and `SigningCertificateV2` alike: the certificates, then policies, which
/// nobody uses.
fn list(value: Tlv<'_>, version: Version) -> Result<Vec<EssCertificate<'_>>> {
    let mut attribute = Cursor::over_sequence(value.raw, FIELD)?;
    let mut certificates = attribute.sequence(FIELD)?;
    let mut list = Vec::new();
    while !certificates.is_empty() {
        if list.len() >= limits::CERTIFICATES {
            return Err(Asn1Error::TooMany { field: "signingCertificate" });
        }
        list.push(EssCertificate::decode(certificates.sequence(FIELD)?, version)?);
    }
    if list.is_empty() { Err(Asn1Error::UnexpectedValue { field: FIELD }) } else { Ok(list) }
}

impl<'a> EssCertificate<'a> {
    fn decode(mut fields: Cursor<'a>, version: Version) -> Result<Self> {
        let unexpected = Asn1Error::UnexpectedValue { field: FIELD };
        let algorithm = match (version, fields.optional(der::Tag::Sequence, FIELD)?) {
            (Version::V1, None) => HashAlgorithm::Sha1,
            // RFC 5035 §4: DEFAULT SHA-256.
            (Version::V2, None) => HashAlgorithm::Sha256,
            (Version::V2, Some(tlv)) => {
                let identifier = Cursor::new(tlv.raw).algorithm(FIELD)?;
                HashAlgorithm::of(&identifier)
                    .filter(|hash| *hash != HashAlgorithm::Sha1)
                    .ok_or(unexpected)?
            }
            (Version::V1, Some(_)) => return Err(Asn1Error::UnexpectedType { field: FIELD }),
        };
        let hash = fields.octet_string(FIELD)?;
        let issuer_and_serial =
            fields.optional(der::Tag::Sequence, FIELD)?.map(issuer_serial).transpose()?;
        fields.finish(FIELD)?;
        Ok(Self { algorithm, hash, issuer_and_serial })
    }
}

/// `IssuerSerial`: `GeneralNames` with one directoryName, and the serial number.
fn issuer_serial(tlv: Tlv<'_>) -> Result<(&[u8], &[u8])> {
    const FIELD: &str = "issuerSerial";
    let mut fields = tlv.content();
    let mut names = fields.sequence(FIELD)?;
    let name = general_name(names.any(FIELD)?)?;
    let serial = fields.integer(FIELD)?;
    fields.finish(FIELD)?;
    match name {
        GeneralName::Directory(issuer) => Ok((issuer, serial)),
        _ => Err(Asn1Error::UnexpectedType { field: FIELD }),
    }
}
