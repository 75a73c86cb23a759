//! Names in certificates that we make: the subject (RFC 5280 §4.1.2.4) and its alternatives
//! (§4.2.1.6). Reading names is `countersign_core::x509`'s.

use std::{fmt, net::IpAddr};

use const_oid::ObjectIdentifier;
use countersign_core::{oid, x509::GeneralName};

use crate::der;

/// The upper bound of X.520 for each of these attributes, in characters (RFC 5280 A.1).
const MAXIMUM_CHARACTERS: usize = 64;

/// Why a certificate cannot hold a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no characters.
    #[error("the {attribute} is empty")]
    Empty {
        /// Which part.
        attribute: &'static str,
    },
    /// X.520 bounds it.
    #[error("the {attribute} has over {MAXIMUM_CHARACTERS} characters")]
    TooLong {
        /// Which part.
        attribute: &'static str,
    },
    /// It is not of the form that the attribute demands.
    #[error("{value:?} is not {expected}")]
    Malformed {
        /// What was given.
        value: String,
        /// What is wanted, with its article.
        expected: &'static str,
    },
}

/// A subject: any of these attributes, in this order, from the widest to the narrowest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistinguishedName {
    /// countryName: two capital letters of ISO 3166.
    pub country: Option<String>,
    /// organizationName.
    pub organisation: Option<String>,
    /// organizationalUnitName.
    pub organisational_unit: Option<String>,
    /// commonName.
    pub common_name: Option<String>,
}

impl DistinguishedName {
    /// A name with an organisation and a common name.
    pub fn new(organisation: impl Into<String>, common_name: impl Into<String>) -> Self {
        Self {
            organisation: Some(organisation.into()),
            common_name: Some(common_name.into()),
            ..Self::default()
        }
    }

    /// A name with a common name alone.
    pub fn common_name(common_name: impl Into<String>) -> Self {
        Self { common_name: Some(common_name.into()), ..Self::default() }
    }

    /// DER of the `Name`; an empty SEQUENCE when no attribute is set.
    ///
    /// # Errors
    /// When an attribute is empty, over 64 characters, has control characters, or the country is
    /// not two capital letters.
    pub fn encode(&self) -> Result<Vec<u8>, NameError> {
        let mut rdns = Vec::new();
        if let Some(country) = &self.country {
            if country.len() != 2 || !country.bytes().all(|octet| octet.is_ascii_uppercase()) {
                let expected = "a country code of two capital letters";
                return Err(NameError::Malformed { value: country.clone(), expected });
            }
            // X.520: countryName is a PrintableString.
            rdns.push(rdn(&oid::AT_COUNTRY, &der::printable_string(country)));
        }
        let texts = [
            ("organisation", oid::AT_ORGANIZATION, &self.organisation),
            ("organisational unit", oid::AT_ORGANIZATIONAL_UNIT, &self.organisational_unit),
            ("common name", oid::AT_COMMON_NAME, &self.common_name),
        ];
        for (attribute, identifier, value) in texts {
            if let Some(value) = value {
                check_text(attribute, value)?;
                rdns.push(rdn(&identifier, &der::utf8_string(value)));
            }
        }
        Ok(der::sequence_of(&rdns))
    }
}

fn rdn(identifier: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der::set_of(&[der::sequence(&[&der::oid(identifier), value])])
}

fn check_text(attribute: &'static str, value: &str) -> Result<(), NameError> {
    if value.trim().is_empty() {
        return Err(NameError::Empty { attribute });
    }
    if value.chars().count() > MAXIMUM_CHARACTERS {
        return Err(NameError::TooLong { attribute });
    }
    if value.chars().any(char::is_control) {
        let expected = "text without control characters";
        return Err(NameError::Malformed { value: value.to_owned(), expected });
    }
    Ok(())
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(text) | Self::Uri(text) | Self::Dns(text) => f.write_str(text),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

/// An alternative name of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectName {
    /// rfc822Name: an e-mail address in ASCII.
    Email(String),
    /// uniformResourceIdentifier: an absolute URI in ASCII.
    Uri(String),
    /// dNSName: a host name in ASCII (A-labels for international ones).
    Dns(String),
    /// iPAddress.
    Ip(IpAddr),
}

impl SubjectName {
    /// An e-mail address or a URI, told apart by their form.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse_identity(text: &str) -> Result<Self, NameError> {
        [Self::Uri(text.to_owned()), Self::Email(text.to_owned())]
            .into_iter()
            .find(|name| name.check().is_ok())
            .ok_or_else(|| malformed(text, "an e-mail address or an absolute URI"))
    }

    /// A host name or an IP address.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse_host(text: &str) -> Result<Self, NameError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let name = Self::Dns(text.to_owned());
        name.check().map_err(|_| malformed(text, "a host name or an IP address"))?;
        Ok(name)
    }

    /// The name that a certificate has, if it is of a form that we put into certificates.
    pub(crate) fn of(name: &GeneralName<'_>) -> Option<Self> {
        match name {
            GeneralName::Email(text) => Some(Self::Email((*text).to_owned())),
            GeneralName::Uri(text) => Some(Self::Uri((*text).to_owned())),
            GeneralName::Dns(text) => Some(Self::Dns((*text).to_owned())),
            GeneralName::Ip(octets) => match *octets {
                [a, b, c, d] => Some(Self::Ip([*a, *b, *c, *d].into())),
                octets => Some(Self::Ip(<[u8; 16]>::try_from(octets).ok()?.into())),
            },
            _ => None,
        }
    }

    /// DER of the `GeneralName`.
    ///
    /// # Errors
    /// When the text is not of the form that its kind demands.
    pub fn encode(&self) -> Result<Vec<u8>, NameError> {
        self.check()?;
        Ok(match self {
            Self::Email(text) => der::implicit(1, text.as_bytes()),
            Self::Dns(text) => der::implicit(2, text.as_bytes()),
            Self::Uri(text) => der::implicit(6, text.as_bytes()),
            Self::Ip(IpAddr::V4(address)) => der::implicit(7, &address.octets()),
            Self::Ip(IpAddr::V6(address)) => der::implicit(7, &address.octets()),
        })
    }

    fn check(&self) -> Result<(), NameError> {
        let (holds, value, expected) = match self {
            Self::Email(text) => (is_email(text), text, "an e-mail address in ASCII"),
            Self::Uri(text) => (is_uri(text), text, "an absolute URI in ASCII"),
            Self::Dns(text) => (is_host(text), text, "a host name in ASCII"),
            Self::Ip(_) => return Ok(()),
        };
        if holds { Ok(()) } else { Err(malformed(value, expected)) }
    }
}

fn malformed(value: &str, expected: &'static str) -> NameError {
    NameError::Malformed { value: value.to_owned(), expected }
}

fn is_graphic(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic())
}

fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    is_graphic(local) && !local.contains(['<', '>', ':', '/', '"', ',', '*']) && is_host(host)
}

/// RFC 3986 §3.1: scheme, colon, and something after it.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(allowed)
        && is_graphic(rest)
        // A star would read as a pattern where identities are expected.
        && !rest.contains(['<', '>', '"', '*'])
}

/// Labels of letters, digits and hyphens; a wildcard only as the whole first label.
fn is_host(text: &str) -> bool {
    let labels = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && labels.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use countersign_core::x509::name;

    use super::*;

    #[test]
    fn encodes_a_subject() {
        let subject = DistinguishedName {
            country: Some("CH".to_owned()),
            ..DistinguishedName::new("Büro, Inc.", "Signer")
        };
        let encoded = subject.encode().expect("a name");
        assert_eq!(name::text(&encoded), "CN=Signer,O=Büro\\, Inc.,C=CH");
        assert_eq!(DistinguishedName::default().encode().expect("empty"), [0x30, 0]);
    }

    #[test]
    fn rejects_subjects_out_of_bounds() {
        for (name, error) in [
            (DistinguishedName::common_name(" "), "empty"),
            (DistinguishedName::common_name("x".repeat(65)), "over 64"),
            (DistinguishedName::common_name("a\nb"), "control"),
            (DistinguishedName { country: Some("ch".into()), ..Default::default() }, "capital"),
        ] {
            let message = name.encode().expect_err("refused").to_string();
            assert!(message.contains(error), "{message}");
        }
    }

    #[test]
    fn tells_identities_and_hosts_apart() {
        let identity = SubjectName::parse_identity;
        assert!(matches!(identity("release@example.org"), Ok(SubjectName::Email(_))));
        assert!(matches!(identity("https://example.org/ci?x@y"), Ok(SubjectName::Uri(_))));
        for text in ["", "example.org", "a b@example.org", "@example.org", "é@example.org", "x:"] {
            assert!(identity(text).is_err(), "{text}");
        }
        let host = SubjectName::parse_host;
        assert!(matches!(host("127.0.0.1"), Ok(SubjectName::Ip(_))));
        assert!(matches!(host("::1"), Ok(SubjectName::Ip(_))));
        assert!(matches!(host("*.example.org"), Ok(SubjectName::Dns(_))));
        for text in ["", "a..b", "-a.org", "a_b.org", "a.*.org", "https://a.org"] {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
