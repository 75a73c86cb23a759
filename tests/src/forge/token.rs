//! `TimeStampResp` with `SignedData` and `TSTInfo` (RFC 3161 §2.4.2; RFC 5652 §5), field by field.

use const_oid::ObjectIdentifier;
use countersign_core::{
    crypto::rustcrypto::RustCrypto,
    digest::{HashAlgorithm, digest},
    oid,
    x509::Certificate,
};
use countersign_signing::{der, key::Signer as _};

use super::{ExtensionDraft, ForgeKey, algorithm};

/// The content: each field is DER as it will stand there, empty when absent.
#[derive(Clone, Debug)]
pub struct TstInfoDraft {
    /// version.
    pub version: Vec<u8>,
    /// policy.
    pub policy: Vec<u8>,
    /// messageImprint.
    pub message_imprint: Vec<u8>,
    /// serialNumber.
    pub serial: Vec<u8>,
    /// The text of genTime.
    pub gen_time: String,
    /// accuracy.
    pub accuracy: Vec<u8>,
    /// ordering.
    pub ordering: Vec<u8>,
    /// nonce.
    pub nonce: Vec<u8>,
    /// tsa.
    pub tsa: Vec<u8>,
    /// extensions; absent when empty.
    pub extensions: Vec<ExtensionDraft>,
    /// Octets after the last field, inside the SEQUENCE.
    pub trailing_inside: Vec<u8>,
    /// Octets after the SEQUENCE, inside the eContent.
    pub trailing_after: Vec<u8>,
}

impl TstInfoDraft {
    /// One hour before [`NOW`](super::NOW), to the second.
    pub fn new(hash: HashAlgorithm, message: &[u8]) -> Self {
        Self {
            version: der::integer(1),
            policy: der::oid(&ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1")),
            message_imprint: Self::imprint(hash, message),
            serial: der::integer(4_711),
            gen_time: "20261123110000Z".to_owned(),
            accuracy: der::sequence(&[&der::integer(1)]),
            ordering: Vec::new(),
            nonce: Vec::new(),
            tsa: Vec::new(),
            extensions: Vec::new(),
            trailing_inside: Vec::new(),
            trailing_after: Vec::new(),
        }
    }

    /// DER `MessageImprint`.
    pub fn imprint(hash: HashAlgorithm, message: &[u8]) -> Vec<u8> {
        let digest = digest(&RustCrypto, hash, message);
        der::sequence(&[
            &der::sequence(&[&der::oid(&hash.oid())]),
            &der::octet_string(digest.octets()),
        ])
    }

    /// DER of the `TSTInfo`.
    pub fn encode(&self) -> Vec<u8> {
        // GeneralizedTime, whose text may be wrong on purpose.
        let length = u8::try_from(self.gen_time.len()).unwrap_or(0x7F);
        let gen_time = [&[0x18, length], self.gen_time.as_bytes()].concat();
        let extensions = match &self.extensions[..] {
            [] => Vec::new(),
            list => {
                let encoded: Vec<Vec<u8>> = list.iter().map(ExtensionDraft::encode).collect();
                let parts: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
                der::context(1, &parts)
            }
        };
        let info = der::sequence(&[
            &self.version,
            &self.policy,
            &self.message_imprint,
            &self.serial,
            &gen_time,
            &self.accuracy,
            &self.ordering,
            &self.nonce,
            &self.tsa,
            &extensions,
            &self.trailing_inside,
        ]);
        [info, self.trailing_after.clone()].concat()
    }
}

/// Which certificate the signed attributes name, and how.
#[derive(Clone, Debug)]
pub enum Ess {
    /// `SigningCertificateV2` of the signer's certificate, with SHA-256.
    V2,
    /// The same, with that hash, named.
    V2With(HashAlgorithm),
    /// The older `SigningCertificate`, with SHA-1.
    V1,
    /// `SigningCertificateV2` of another certificate.
    Of(Vec<u8>),
    /// `SigningCertificateV2` of the signer's certificate, with that `IssuerSerial`, DER.
    Naming(Vec<u8>),
    /// `SigningCertificateV2` of the signer's certificate and of these, DER.
    Further(Vec<Vec<u8>>),
    /// None.
    Absent,
}

/// How the signerInfo names the signer's certificate (RFC 5652 §5.3).
#[derive(Clone, Debug)]
pub enum SignerName {
    /// By issuer and serial number.
    IssuerAndSerial,
    /// By that key identifier.
    KeyIdentifier(Vec<u8>),
}

/// A token to be signed, in its response.
#[derive(Clone, Debug)]
pub struct TokenDraft {
    /// `PKIStatus`.
    pub status: u64,
    /// The content.
    pub info: TstInfoDraft,
    /// eContentType.
    pub content_type: ObjectIdentifier,
    /// The contentType attribute; nothing leaves it out.
    pub content_type_attribute: Option<ObjectIdentifier>,
    /// The value of the messageDigest attribute, where it is not the content's digest.
    pub message_digest: Option<Vec<u8>>,
    /// The ESS attribute.
    pub ess: Ess,
    /// Further attributes, DER.
    pub attributes: Vec<Vec<u8>>,
    /// The digest of content and attributes.
    pub digest_algorithm: HashAlgorithm,
    /// Whether the attributes stand in reverse order.
    pub attributes_reversed: bool,
    /// How the signer is named.
    pub signer: SignerName,
    /// The certificates, DER, in the order they will stand.
    pub certificates: Vec<Vec<u8>>,
    /// The version of `SignedData`.
    pub version: u64,
    /// `RevocationInfoChoice`s, DER.
    pub revocation: Vec<Vec<u8>>,
    /// How often the signerInfo stands there.
    pub signer_infos: usize,
    /// Octets after the response.
    pub trailing: Vec<u8>,
}

impl TokenDraft {
    /// A token over `message`.
    pub fn new(hash: HashAlgorithm, message: &[u8]) -> Self {
        Self {
            status: 0,
            info: TstInfoDraft::new(HashAlgorithm::Sha256, message),
            content_type: oid::ID_CT_TST_INFO,
            content_type_attribute: Some(oid::ID_CT_TST_INFO),
            message_digest: None,
            ess: Ess::V2,
            attributes: Vec::new(),
            digest_algorithm: hash,
            attributes_reversed: false,
            signer: SignerName::IssuerAndSerial,
            certificates: Vec::new(),
            version: 3,
            revocation: Vec::new(),
            signer_infos: 1,
            trailing: Vec::new(),
        }
    }

    /// DER of the whole response, signed by the owner of `certificate`.
    ///
    /// # Panics
    /// When `certificate` does not decode.
    pub fn sign(&self, key: &ForgeKey, certificate: &[u8]) -> Vec<u8> {
        let content = self.info.encode();
        let token = self.signed_data(&content, key, certificate);
        let status = der::sequence(&[&der::integer(self.status)]);
        [der::sequence(&[&status, &token]), self.trailing.clone()].concat()
    }

    fn signed_data(&self, content: &[u8], key: &ForgeKey, certificate: &[u8]) -> Vec<u8> {
        let leaf = Certificate::decode(certificate).expect("a certificate of ours decodes");
        let hash = der::sequence(&[&der::oid(&self.digest_algorithm.oid())]);
        let attributes = self.signed_attributes(content, certificate);
        let signature = key.signature(&[&[0x31], &attributes[1..]].concat());
        let (version, signer) = match &self.signer {
            SignerName::IssuerAndSerial => {
                (1, der::sequence(&[leaf.issuer, &der::integer_verbatim(leaf.serial)]))
            }
            SignerName::KeyIdentifier(key) => (3, der::implicit(0, key)),
        };
        let signer_info = der::sequence(&[
            &der::integer(version),
            &signer,
            &hash,
            &attributes,
            &algorithm(key.scheme()),
            &der::octet_string(&signature),
        ]);
        let certificates: Vec<&[u8]> = self.certificates.iter().map(Vec::as_slice).collect();
        let certificates = match &certificates[..] {
            [] => Vec::new(),
            certificates => der::context(0, certificates),
        };
        let revocation: Vec<&[u8]> = self.revocation.iter().map(Vec::as_slice).collect();
        let revocation = match &revocation[..] {
            [] => Vec::new(),
            revocation => der::context(1, revocation),
        };
        let octets = der::octet_string(content);
        let signed_data = der::sequence(&[
            &der::integer(self.version),
            &der::set_of(&[&hash]),
            &der::sequence(&[&der::oid(&self.content_type), &der::context(0, &[&octets])]),
            &certificates,
            &revocation,
            &der::set_of(&vec![signer_info; self.signer_infos]),
        ]);
        der::sequence(&[&der::oid(&oid::ID_SIGNED_DATA), &der::context(0, &[&signed_data])])
    }

    /// The `[0]` TLV.
    fn signed_attributes(&self, content: &[u8], certificate: &[u8]) -> Vec<u8> {
        let message_digest = self.message_digest.clone().unwrap_or_else(|| {
            digest(&RustCrypto, self.digest_algorithm, content).octets().to_vec()
        });
        let digest = attribute(&oid::AT_MESSAGE_DIGEST, &der::octet_string(&message_digest));
        let mut attributes = vec![digest];
        if let Some(id) = &self.content_type_attribute {
            attributes.push(attribute(&oid::AT_CONTENT_TYPE, &der::oid(id)));
        }
        attributes.extend(self.ess.attribute(certificate));
        attributes.extend(self.attributes.iter().cloned());
        attributes.sort_unstable();
        if self.attributes_reversed {
            attributes.reverse();
        }
        let parts: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
        der::context(0, &parts)
    }
}

impl Ess {
    /// The attribute for a signer with that certificate, DER.
    pub fn attribute(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        let hash = |algorithm, certificate: &[u8]| {
            der::octet_string(digest(&RustCrypto, algorithm, certificate).octets())
        };
        let value = |fields: &[&[u8]]| der::sequence(&[&der::sequence(&[&der::sequence(fields)])]);
        let v2 = oid::AT_SIGNING_CERTIFICATE_V2;
        Some(match self {
            Self::Absent => return None,
            Self::V1 => {
                let value = value(&[&hash(HashAlgorithm::Sha1, certificate)]);
                attribute(&oid::AT_SIGNING_CERTIFICATE, &value)
            }
            Self::V2 => attribute(&v2, &value(&[&hash(HashAlgorithm::Sha256, certificate)])),
            Self::V2With(algorithm) => {
                let identifier = der::sequence(&[&der::oid(&algorithm.oid())]);
                attribute(&v2, &value(&[&identifier, &hash(*algorithm, certificate)]))
            }
            Self::Naming(issuer_and_serial) => {
                let hash = hash(HashAlgorithm::Sha256, certificate);
                attribute(&v2, &value(&[&hash, issuer_and_serial]))
            }
            Self::Further(others) => {
                let own = der::sequence(&[&hash(HashAlgorithm::Sha256, certificate)]);
                let others = others
                    .iter()
                    .map(|other| der::sequence(&[&hash(HashAlgorithm::Sha256, other)]));
                let all: Vec<Vec<u8>> = core::iter::once(own).chain(others).collect();
                let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
                attribute(&v2, &der::sequence(&[&der::sequence(&all)]))
            }
            Self::Of(other) => attribute(&v2, &value(&[&hash(HashAlgorithm::Sha256, other)])),
        })
    }
}

/// An `Attribute` with one value.
fn attribute(id: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(id), &der::set_of(&[value])])
}

/// `OtherRevocationInfoFormat` (RFC 5652 §10.2.1): an OCSP response, of which nothing is read.
pub fn other_revocation() -> Vec<u8> {
    let ocsp = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.16.2");
    der::context(1, &[&der::oid(&ocsp), &der::sequence(&[&der::integer(0)])])
}
