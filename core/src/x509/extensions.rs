//! The certificate extensions we read (RFC 5280 §4.2), and what is kept of the others.

use alloc::{string::String, vec::Vec};

use const_oid::ObjectIdentifier;
use der::Tag;

use super::{certificate::extensions, name};
use crate::{
    asn1::{
        Asn1Error, Cursor, Flag, Result, Tlv, context_constructed, context_primitive, named_bits,
        unsigned,
    },
    crl::ReasonFlags,
    limits, oid,
};

/// The extensions of a certificate.
#[derive(Clone, Debug, Default)]
pub struct Extensions<'a> {
    /// basicConstraints, with whether it is critical.
    pub basic_constraints: Option<(Flag, BasicConstraints)>,
    /// keyUsage.
    pub key_usage: Option<(Flag, KeyUsage)>,
    /// extKeyUsage.
    pub extended_key_usage: Option<(Flag, Usages)>,
    /// subjectAltName; empty when absent.
    pub subject_alt_names: Vec<GeneralName<'a>>,
    /// Whether subjectAltName is critical.
    pub subject_alt_name_critical: Option<Flag>,
    /// subjectKeyIdentifier.
    pub subject_key_identifier: Option<&'a [u8]>,
    /// The key identifier of authorityKeyIdentifier.
    pub authority_key_identifier: Option<&'a [u8]>,
    /// URIs of the cRLDistributionPoints, in order.
    pub crl_urls: Vec<&'a str>,
    /// Directory names of the cRLDistributionPoints, each a DER `Name`.
    pub crl_directory_names: Vec<&'a [u8]>,
    /// Which reasons each of the cRLDistributionPoints is for, with its names.
    pub crl_distribution_points: Vec<CrlDistributionPoint<'a>>,
    /// nameConstraints, DER.
    pub name_constraints: Option<&'a [u8]>,
    /// certificatePolicies, DER, with whether it is critical.
    pub certificate_policies: Option<(Flag, &'a [u8])>,
    /// policyMappings, DER.
    pub policy_mappings: Option<&'a [u8]>,
    /// policyConstraints, DER.
    pub policy_constraints: Option<&'a [u8]>,
    /// inhibitAnyPolicy, DER.
    pub inhibit_any_policy: Option<&'a [u8]>,
    /// OCSP responders of authorityInfoAccess.
    pub ocsp_urls: Vec<&'a str>,
    /// Issuer certificates' addresses of authorityInfoAccess.
    pub issuer_urls: Vec<&'a str>,
    /// Whether id-pkix-ocsp-nocheck is there.
    pub ocsp_no_check: bool,
    /// The login provider that vouched for the identity (Sigstore's extension).
    pub oidc_issuer: Option<&'a str>,
    /// The certificate logs' timestamps (RFC 6962 §3.3): the extension's value.
    pub embedded_scts: Option<&'a [u8]>,
    /// Identifier and criticality of every extension, in order.
    pub present: Vec<(ObjectIdentifier, Flag)>,
}

/// basicConstraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether this is a CA.
    pub ca: Flag,
    /// How many further CAs may follow below it.
    pub path_length: Option<u64>,
}

/// keyUsage (RFC 5280 §4.2.1.3), bit n being bit n of the named-bit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(pub u16);

impl KeyUsage {
    /// digitalSignature(0).
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// nonRepudiation, alias contentCommitment(1).
    pub const CONTENT_COMMITMENT: Self = Self(1 << 1);
    /// keyCertSign(5).
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// cRLSign(6).
    pub const CRL_SIGN: Self = Self(1 << 6);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the set bits.
    pub fn names(self) -> Vec<&'static str> {
        const NAMES: [&str; 9] = [
            "digitalSignature",
            "contentCommitment",
            "keyEncipherment",
            "dataEncipherment",
            "keyAgreement",
            "keyCertSign",
            "cRLSign",
            "encipherOnly",
            "decipherOnly",
        ];
        self.bits().filter_map(|bit| NAMES.get(usize::from(bit)).copied()).collect()
    }

    /// The positions of the set bits in the named-bit list.
    pub fn bits(self) -> impl Iterator<Item = u8> {
        (0_u8..16).filter(move |bit| self.0.checked_shr((*bit).into()).unwrap_or(0) & 1 == 1)
    }
}

/// extKeyUsage (RFC 5280 §4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usages(pub Vec<ObjectIdentifier>);

impl Usages {
    /// Whether `usage` is listed by itself; anyExtendedKeyUsage does not count.
    pub fn contains(&self, usage: ObjectIdentifier) -> bool {
        self.0.contains(&usage)
    }

    /// The usages by name, or as dotted numbers.
    pub fn text(&self) -> String {
        let names: Vec<String> = self.0.iter().map(usage_text).collect();
        names.join(", ")
    }
}

fn usage_text(usage: &ObjectIdentifier) -> String {
    let name = match *usage {
        oid::KP_ANY => "anyExtendedKeyUsage",
        oid::KP_SERVER_AUTH => "serverAuth",
        oid::KP_CLIENT_AUTH => "clientAuth",
        oid::KP_CODE_SIGNING => "codeSigning",
        oid::KP_TIME_STAMPING => "timeStamping",
        oid::KP_OCSP_SIGNING => "OCSPSigning",
        other => return alloc::format!("{other}"),
    };
    String::from(name)
}

/// A `GeneralName` (RFC 5280 §4.2.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneralName<'a> {
    /// rfc822Name.
    Email(&'a str),
    /// dNSName.
    Dns(&'a str),
    /// directoryName: a `Name`, DER.
    Directory(&'a [u8]),
    /// uniformResourceIdentifier.
    Uri(&'a str),
    /// iPAddress: 4 or 16 octets.
    Ip(&'a [u8]),
    /// Any other form.
    Other(Tlv<'a>),
}

impl<'a> GeneralName<'a> {
    /// The name if it can identify a signer: an e-mail address or a URI.
    pub fn identity(&self) -> Option<&'a str> {
        match self {
            Self::Email(text) | Self::Uri(text) => Some(text),
            _ => None,
        }
    }

    /// The name for people.
    pub fn text(&self) -> String {
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) => String::from(*text),
            Self::Directory(name) => name::text(name),
            Self::Ip(octets) => ip_text(octets),
            Self::Other(tlv) => crate::digest::encode_hex(tlv.raw),
        }
    }
}

fn ip_text(octets: &[u8]) -> String {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return alloc::format!("{}", core::net::Ipv4Addr::from(four));
    }
    match <[u8; 16]>::try_from(octets) {
        Ok(sixteen) => alloc::format!("{}", core::net::Ipv6Addr::from(sixteen)),
        Err(_) => crate::digest::encode_hex(octets),
    }
}

/// Decodes one `GeneralName`.
///
/// # Errors
/// When a string in it is not IA5 (ASCII).
pub fn general_name(tlv: Tlv<'_>) -> Result<GeneralName<'_>> {
    const FIELD: &str = "generalName";
    if tlv.tag == context_primitive(1) {
        return Ok(GeneralName::Email(ia5(tlv.value, FIELD)?));
    }
    if tlv.tag == context_primitive(2) {
        return Ok(GeneralName::Dns(ia5(tlv.value, FIELD)?));
    }
    if tlv.tag == context_constructed(4) {
        return Ok(GeneralName::Directory(tlv.value));
    }
    if tlv.tag == context_primitive(6) {
        return Ok(GeneralName::Uri(ia5(tlv.value, FIELD)?));
    }
    if tlv.tag == context_primitive(7) {
        return Ok(GeneralName::Ip(tlv.value));
    }
    Ok(GeneralName::Other(tlv))
}

fn ia5<'a>(octets: &'a [u8], field: &'static str) -> Result<&'a str> {
    match core::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(Asn1Error::Malformed { field }),
    }
}

impl<'a> Extensions<'a> {
    pub(super) fn decode(list: Cursor<'a>) -> Result<Self> {
        let mut decoded = Self::default();
        for (id, critical, value) in extensions(list, "extensions")? {
            decoded.present.push((id, critical));
            decoded.take(id, critical, value)?;
        }
        Ok(decoded)
    }

    /// A critical extension that is none of those we read.
    pub fn unknown_critical(&self) -> Option<ObjectIdentifier> {
        let unknown = self.present.iter().find(|(id, critical)| {
            critical.is_set()
                && !matches!(
                    *id,
                    oid::CE_BASIC_CONSTRAINTS
                        | oid::CE_KEY_USAGE
                        | oid::CE_EXT_KEY_USAGE
                        | oid::CE_SUBJECT_ALT_NAME
                        | oid::CE_SUBJECT_KEY_IDENTIFIER
                        | oid::CE_AUTHORITY_KEY_IDENTIFIER
                        | oid::CE_CRL_DISTRIBUTION_POINTS
                        | oid::PE_AUTHORITY_INFO_ACCESS
                        | oid::OCSP_NO_CHECK
                )
        });
        unknown.map(|(id, _)| *id)
    }

    /// Whether an extension with that identifier is there.
    pub fn has(&self, id: ObjectIdentifier) -> bool {
        self.present.iter().any(|(present, _)| *present == id)
    }

    fn take(&mut self, id: ObjectIdentifier, critical: Flag, value: &'a [u8]) -> Result<()> {
        match id {
            oid::CE_BASIC_CONSTRAINTS => {
                self.basic_constraints = Some((critical, basic_constraints(value)?));
            }
            oid::CE_KEY_USAGE => {
                const FIELD: &str = "keyUsage";
                let tlv = Tlv::decode(value, FIELD)?;
                if tlv.tag != Tag::BitString {
                    return Err(Asn1Error::UnexpectedType { field: FIELD });
                }
                self.key_usage = Some((critical, KeyUsage(named_bits(tlv.value, FIELD)?)));
            }
            oid::CE_EXT_KEY_USAGE => {
                self.extended_key_usage = Some((critical, extended_key_usage(value)?));
            }
            oid::CE_SUBJECT_ALT_NAME => {
                self.subject_alt_name_critical = Some(critical);
                self.subject_alt_names = general_names(value)?;
            }
            oid::CE_SUBJECT_KEY_IDENTIFIER => {
                let mut cursor = Cursor::new(value);
                self.subject_key_identifier = Some(cursor.octet_string("subjectKeyIdentifier")?);
                cursor.finish("subjectKeyIdentifier")?;
            }
            oid::CE_AUTHORITY_KEY_IDENTIFIER => {
                self.authority_key_identifier = authority_key_identifier(value)?;
            }
            oid::CE_CRL_DISTRIBUTION_POINTS => self.take_distribution_points(value)?,
            oid::PE_AUTHORITY_INFO_ACCESS => self.take_access(value)?,
            oid::OCSP_NO_CHECK => self.ocsp_no_check = true,
            oid::CE_NAME_CONSTRAINTS => self.name_constraints = Some(value),
            oid::CE_CERTIFICATE_POLICIES => self.certificate_policies = Some((critical, value)),
            oid::CE_POLICY_MAPPINGS => self.policy_mappings = Some(value),
            oid::CE_POLICY_CONSTRAINTS => self.policy_constraints = Some(value),
            oid::CE_INHIBIT_ANY_POLICY => self.inhibit_any_policy = Some(value),
            oid::EMBEDDED_SCTS => self.embedded_scts = Some(value),
            oid::OIDC_ISSUER => {
                let tlv = Tlv::decode(value, "oidcIssuer")?;
                let text = core::str::from_utf8(tlv.value).ok();
                self.oidc_issuer = text.filter(|_| tlv.tag == Tag::Utf8String);
            }
            // The deprecated form: the octets themselves; the newer one wins.
            oid::OIDC_ISSUER_RAW if self.oidc_issuer.is_none() => {
                self.oidc_issuer = core::str::from_utf8(value).ok();
            }
            _ => {}
        }
        Ok(())
    }

    fn take_distribution_points(&mut self, value: &'a [u8]) -> Result<()> {
        const FIELD: &str = "cRLDistributionPoints";
        let mut points = Cursor::over_sequence(value, FIELD)?;
        while !points.is_empty() {
            let mut point = points.sequence(FIELD)?;
            let names = match point.optional(context_constructed(0), FIELD)? {
                Some(name) => DistributionPointName::decode(name, FIELD)?,
                None => DistributionPointName::default(),
            };
            let reasons = match point.optional(context_primitive(1), FIELD)? {
                Some(tlv) => ReasonFlags::decode(tlv.value, FIELD)?,
                None => ReasonFlags::ALL,
            };
            let DistributionPointName { urls, directory_names } = names;
            self.crl_urls.extend(&urls);
            self.crl_directory_names.extend(&directory_names);
            let point = CrlDistributionPoint { urls, directory_names, reasons };
            self.crl_distribution_points.push(point);
        }
        Ok(())
    }

    fn take_access(&mut self, value: &'a [u8]) -> Result<()> {
        const FIELD: &str = "authorityInfoAccess";
        let mut descriptions = Cursor::over_sequence(value, FIELD)?;
        while !descriptions.is_empty() {
            let mut description = descriptions.sequence(FIELD)?;
            let method = description.oid(FIELD)?;
            let GeneralName::Uri(url) = general_name(description.any(FIELD)?)? else { continue };
            match method {
                oid::AD_OCSP => self.ocsp_urls.push(url),
                oid::AD_CA_ISSUERS => self.issuer_urls.push(url),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a certificate authority may, by its extensions, be one: basicConstraints with cA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|(_, constraints)| constraints.ca.is_set())
    }
}

/// One of the cRLDistributionPoints (RFC 5280 §4.2.1.13). cRLIssuer is not read: indirect lists are
/// not used.
#[derive(Clone, Debug)]
pub struct CrlDistributionPoint<'a> {
    /// Its URIs.
    pub urls: Vec<&'a str>,
    /// Its directory names, each a DER `Name`.
    pub directory_names: Vec<&'a [u8]>,
    /// The reasons that its CRL covers.
    pub reasons: ReasonFlags,
}

/// The names of a `DistributionPointName` (RFC 5280 §4.2.1.13) that are read: URIs and directory
/// names of fullName. nameRelativeToCRLIssuer is not.
#[derive(Default)]
pub(crate) struct DistributionPointName<'a> {
    pub(crate) urls: Vec<&'a str>,
    pub(crate) directory_names: Vec<&'a [u8]>,
}

impl<'a> DistributionPointName<'a> {
    /// Reads it from its `[0]` wrapper.
    pub(crate) fn decode(wrapper: Tlv<'a>, field: &'static str) -> Result<Self> {
        let mut read = Self::default();
        let mut content = wrapper.content();
        let Some(full_name) = content.optional(context_constructed(0), field)? else {
            return Ok(read);
        };
        let mut names = full_name.content();
        while !names.is_empty() {
            if read.urls.len().saturating_add(read.directory_names.len())
                >= limits::DISTRIBUTION_POINT_NAMES
            {
                return Err(Asn1Error::TooMany { field });
            }
            match general_name(names.any(field)?)? {
                GeneralName::Uri(url) => read.urls.push(url),
                GeneralName::Directory(name) => read.directory_names.push(name),
                _ => {}
            }
        }
        Ok(read)
    }
}

fn basic_constraints(value: &[u8]) -> Result<BasicConstraints> {
    const FIELD: &str = "basicConstraints";
    let mut fields = Cursor::over_sequence(value, FIELD)?;
    // Off-spec: an encoded cA FALSE occurs in real certificates; it is read as what it means.
    let ca = match fields.optional(Tag::Boolean, FIELD)? {
        Some(Tlv { value: [0xFF], .. }) => Flag::Yes,
        Some(Tlv { value: [0], .. }) | None => Flag::No,
        Some(_) => return Err(Asn1Error::Malformed { field: FIELD }),
    };
    let path_length = match fields.optional(Tag::Integer, FIELD)? {
        Some(tlv) => Some(unsigned(tlv.value, FIELD)?),
        None => None,
    };
    fields.finish(FIELD)?;
    Ok(BasicConstraints { ca, path_length })
}

fn extended_key_usage(value: &[u8]) -> Result<Usages> {
    const FIELD: &str = "extKeyUsage";
    let mut list = Cursor::over_sequence(value, FIELD)?;
    let mut usages = Vec::new();
    while !list.is_empty() {
        usages.push(list.oid(FIELD)?);
    }
    if usages.is_empty() {
        return Err(Asn1Error::Malformed { field: FIELD });
    }
    Ok(Usages(usages))
}

fn general_names(value: &[u8]) -> Result<Vec<GeneralName<'_>>> {
    const FIELD: &str = "subjectAltName";
    let mut list = Cursor::over_sequence(value, FIELD)?;
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(general_name(list.any(FIELD)?)?);
    }
    Ok(names)
}

fn authority_key_identifier(value: &[u8]) -> Result<Option<&[u8]>> {
    const FIELD: &str = "authorityKeyIdentifier";
    let mut fields = Cursor::over_sequence(value, FIELD)?;
    Ok(fields.optional(context_primitive(0), FIELD)?.map(|tlv| tlv.value))
}
