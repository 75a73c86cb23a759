//! `TBSCertificate` and its extensions (RFC 5280 §4), from a profile to bytes.
//!
//! What is built here is unsigned: only [`crate::ca`] signs, and only what the lint passed.

use const_oid::ObjectIdentifier;
use countersign_core::{crypto::SignatureScheme, oid, time::UnixSeconds};

use crate::{
    cms::signature_algorithm,
    crl::distribution_points,
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::{SignError, Signer, sha1, sha256},
    name::{NameError, SubjectName},
    profile::{Kind, Profile},
};

/// Where a certificate's issuer says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointers {
    /// cRLDistributionPoints: the issuer's list.
    pub crl_url: String,
    /// freshestCRL: the deltas of that list, if there are some.
    pub delta_url: Option<String>,
    /// authorityInfoAccess: the OCSP responder.
    pub ocsp_url: String,
    /// authorityInfoAccess: the issuer's certificate.
    pub issuer_url: String,
}

/// What a certificate takes from its issuer.
#[derive(Clone, Debug)]
pub(crate) struct IssuerFields {
    /// The issuer's `Name`, DER.
    pub(crate) name: Vec<u8>,
    /// The issuer's subject key identifier.
    pub(crate) key_identifier: Vec<u8>,
    /// Nothing for a root, which is its own issuer.
    pub(crate) pointers: Option<Pointers>,
}

/// What a certificate contains beside what its profile says.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) profile: Profile,
    pub(crate) serial: [u8; 16],
    pub(crate) issuer: &'a IssuerFields,
    pub(crate) not_before: UnixSeconds,
    pub(crate) not_after: UnixSeconds,
    /// The subject's `Name`, DER.
    pub(crate) subject: &'a [u8],
    pub(crate) names: &'a [SubjectName],
    pub(crate) oidc_issuer: Option<&'a str>,
    /// DER of the `SubjectPublicKeyInfo`, and the content of its BIT STRING.
    pub(crate) spki: &'a [u8],
    pub(crate) public_key: &'a [u8],
}

/// A certificate that nobody has signed yet.
#[derive(Clone, Debug)]
pub struct UnsignedCertificate {
    tbs: Vec<u8>,
    scheme: SignatureScheme,
    profile: Profile,
}

impl UnsignedCertificate {
    /// Lays out `fields` for an issuer that signs with `scheme`.
    pub(crate) fn build(fields: &Fields<'_>, scheme: SignatureScheme) -> Result<Self, NameError> {
        let validity =
            der::sequence(&[&der::time(fields.not_before), &der::time(fields.not_after)]);
        let tbs = der::sequence(&[
            // v3 is written as 2.
            &der::context(0, &[&der::integer(2)]),
            &der::unsigned_integer(&fields.serial),
            &signature_algorithm(scheme),
            &fields.issuer.name,
            &validity,
            fields.subject,
            fields.spki,
            &der::context(3, &[&extensions(fields)?]),
        ]);
        Ok(Self { tbs, scheme, profile: fields.profile })
    }

    /// DER of the `TBSCertificate`.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The profile that it follows.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// DER of the certificate, signed.
    pub(crate) fn sign(&self, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
        if signer.scheme() != self.scheme {
            return Err(SignError::KeyMismatch);
        }
        let signature = signer.sign(&self.tbs)?;
        let algorithm = signature_algorithm(self.scheme);
        Ok(der::sequence(&[&self.tbs, &algorithm, &der::bit_string(&signature)]))
    }
}

/// A subject key identifier: the leftmost 160 bits of the public key's SHA-256 (RFC 7093 §2,
/// method 1). It only tells keys apart, but SHA-1 raises questions in every audit.
pub(crate) fn key_identifier(public_key: &[u8]) -> Vec<u8> {
    sha256(public_key).as_ref()[..20].to_vec()
}

/// OCSP's `KeyHash` (RFC 6960 §4.2.1): SHA-1 of the public key, whatever the key identifier is.
pub(crate) fn ocsp_key_hash(public_key: &[u8]) -> Vec<u8> {
    sha1(public_key).as_ref().to_vec()
}

fn extensions(fields: &Fields<'_>) -> Result<Vec<u8>, NameError> {
    let rules = fields.profile.rules();
    let mut list = Vec::new();
    if let Kind::Authority { path_length } = rules.kind {
        let value = der::sequence(&[&der::boolean_true(), &der::integer(path_length.into())]);
        list.push(der::extension(&oid::CE_BASIC_CONSTRAINTS, Critical, &value));
    }
    let bits: Vec<u8> = rules.key_usage.bits().collect();
    list.push(der::extension(&oid::CE_KEY_USAGE, Critical, &der::named_bits(&bits)));
    if !rules.extended_key_usage.is_empty() {
        let usages: Vec<Vec<u8>> = rules.extended_key_usage.iter().map(der::oid).collect();
        let criticality = rules.extended_key_usage_criticality;
        list.push(der::extension(&oid::CE_EXT_KEY_USAGE, criticality, &der::sequence_of(&usages)));
    }
    let identifier = der::octet_string(&key_identifier(fields.public_key));
    list.push(der::extension(&oid::CE_SUBJECT_KEY_IDENTIFIER, NonCritical, &identifier));
    if let Some(pointers) = &fields.issuer.pointers {
        let authority = der::sequence(&[&der::implicit(0, &fields.issuer.key_identifier)]);
        list.push(der::extension(&oid::CE_AUTHORITY_KEY_IDENTIFIER, NonCritical, &authority));
        list.extend(pointer_extensions(pointers));
    }
    if !fields.names.is_empty() {
        list.push(subject_alt_name(fields)?);
    }
    if let Some(issuer) = fields.oidc_issuer {
        list.push(der::extension(&oid::OIDC_ISSUER_RAW, NonCritical, issuer.as_bytes()));
        list.push(der::extension(&oid::OIDC_ISSUER, NonCritical, &der::utf8_string(issuer)));
    }
    if rules.ocsp_no_check.is_set() {
        list.push(der::extension(&oid::OCSP_NO_CHECK, NonCritical, der::NULL));
    }
    Ok(der::sequence_of(&list))
}

fn pointer_extensions(pointers: &Pointers) -> Vec<Vec<u8>> {
    let uri = |text: &str| der::implicit(6, text.as_bytes());
    let points = |id: &ObjectIdentifier, url: &str| {
        der::extension(id, NonCritical, &distribution_points(url))
    };
    let description = |method: &ObjectIdentifier, location: &str| {
        der::sequence(&[&der::oid(method), &uri(location)])
    };
    let access = der::sequence(&[
        &description(&oid::AD_OCSP, &pointers.ocsp_url),
        &description(&oid::AD_CA_ISSUERS, &pointers.issuer_url),
    ]);
    let mut list = vec![points(&oid::CE_CRL_DISTRIBUTION_POINTS, &pointers.crl_url)];
    list.extend(pointers.delta_url.as_ref().map(|url| points(&oid::CE_FRESHEST_CRL, url)));
    list.push(der::extension(&oid::PE_AUTHORITY_INFO_ACCESS, NonCritical, &access));
    list
}

fn subject_alt_name(fields: &Fields<'_>) -> Result<Vec<u8>, NameError> {
    let names =
        fields.names.iter().map(SubjectName::encode).collect::<Result<Vec<_>, NameError>>()?;
    // RFC 5280 §4.2.1.6: critical when the subject is empty.
    let criticality = if fields.subject == [0x30, 0x00] { Critical } else { NonCritical };
    Ok(der::extension(&oid::CE_SUBJECT_ALT_NAME, criticality, &der::sequence_of(&names)))
}
