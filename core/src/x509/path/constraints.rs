//! Name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c), §6.1.4 (g)).
//!
//! Instead of intersecting permitted subtrees on the way down, each issuer's are held against every
//! certificate below it, which comes to the same. Compared are e-mail addresses, DNS names, URIs,
//! IP addresses and directory names; a constraint on another form refuses a certificate that has a
//! name of that form.

use alloc::{format, string::String, vec::Vec};

use der::Tag;

use super::validate::malformed_in;
use crate::{
    asn1::{Asn1Error, Cursor, context_constructed, context_primitive},
    finding::{Finding, FindingCode},
    limits, oid,
    x509::{
        Certificate, GeneralName, general_name,
        name::{self, ComparableName},
    },
};

/// One `GeneralSubtrees`.
type Subtrees<'a> = Vec<GeneralName<'a>>;

#[derive(Default)]
struct NameConstraints<'a> {
    permitted: Subtrees<'a>,
    excluded: Subtrees<'a>,
}

impl<'a> NameConstraints<'a> {
    fn decode(value: &'a [u8]) -> crate::asn1::Result<Self> {
        const FIELD: &str = "nameConstraints";
        let mut fields = Cursor::over_sequence(value, FIELD)?;
        let permitted = fields.optional(context_constructed(0), FIELD)?;
        let excluded = fields.optional(context_constructed(1), FIELD)?;
        fields.finish(FIELD)?;
        // "MUST NOT be an empty sequence".
        if permitted.is_none() && excluded.is_none() {
            return Err(Asn1Error::Malformed { field: FIELD });
        }
        let read = |list: Option<crate::asn1::Tlv<'a>>| match list {
            Some(list) => subtrees(list.content()),
            None => Ok(Vec::new()),
        };
        Ok(Self { permitted: read(permitted)?, excluded: read(excluded)? })
    }
}

fn subtrees(mut list: Cursor<'_>) -> crate::asn1::Result<Subtrees<'_>> {
    const FIELD: &str = "nameConstraints";
    let mut bases = Vec::new();
    while !list.is_empty() {
        let mut subtree = list.sequence(FIELD)?;
        let base = general_name(subtree.any(FIELD)?)?;
        // "minimum MUST be zero, and maximum MUST be absent"; an encoded default is let pass.
        if let Some(minimum) = subtree.optional(context_primitive(0), FIELD)?
            && minimum.value != [0]
        {
            return Err(Asn1Error::Malformed { field: "nameConstraints minimum" });
        }
        subtree.finish(FIELD)?;
        if !is_base(&base) {
            return Err(Asn1Error::Malformed { field: "nameConstraints base" });
        }
        bases.push(base);
    }
    if bases.is_empty() {
        return Err(Asn1Error::Malformed { field: FIELD });
    }
    Ok(bases)
}

/// Whether a base can be compared with: what cannot would exclude nothing.
fn is_base(base: &GeneralName<'_>) -> bool {
    match base {
        GeneralName::Email(text) | GeneralName::Dns(text) | GeneralName::Uri(text) => *text != ".",
        GeneralName::Directory(name) => ComparableName::new(name).is_readable(),
        GeneralName::Ip(range) => is_range(range),
        GeneralName::Other(_) => true,
    }
}

/// How a name is held against a base.
type Compare = fn(&GeneralName<'_>, &GeneralName<'_>) -> Option<bool>;

/// A name that a certificate has; addresses in the subject are no `GeneralName`.
enum Presented<'a> {
    General(GeneralName<'a>),
    SubjectEmail(String),
}

impl Presented<'_> {
    fn general(&self) -> GeneralName<'_> {
        match self {
            Self::General(name) => *name,
            Self::SubjectEmail(address) => GeneralName::Email(address),
        }
    }
}

/// Holds every certificate below a constraining issuer against its constraints.
pub(super) fn inspect(
    leaf: &Certificate<'_>,
    issuers: &[&Certificate<'_>],
    comparisons: &mut usize,
) -> Result<(), Finding> {
    for (index, issuer) in issuers.iter().enumerate().rev() {
        let Some(value) = issuer.extensions.name_constraints else { continue };
        let constraints =
            NameConstraints::decode(value).map_err(|error| malformed_in(issuer, &error))?;
        let intermediates = issuers.get(..index).unwrap_or_default().iter().copied();
        // §6.1.3: self-issued certificates are excepted, but for the last of the path.
        let constrained = intermediates.filter(|certificate| !certificate.is_self_issued());
        for certificate in constrained.chain(core::iter::once(leaf)) {
            Constrained { issuer, certificate }.inspect(&constraints, comparisons)?;
        }
    }
    Ok(())
}

/// A certificate below an issuer with constraints.
#[derive(Clone, Copy)]
struct Constrained<'p, 'a> {
    issuer: &'p Certificate<'a>,
    certificate: &'p Certificate<'a>,
}

impl<'a> Constrained<'_, 'a> {
    fn inspect(
        &self,
        constraints: &NameConstraints<'_>,
        comparisons: &mut usize,
    ) -> Result<(), Finding> {
        for presented in self.names()? {
            let presented = presented.general();
            let mut lies_in = |bases: &Subtrees<'_>, compare: Compare| -> Result<_, Finding> {
                let mut found: Option<bool> = None;
                for base in bases.iter().filter(|base| is_same_form(base, &presented)) {
                    *comparisons = comparisons.checked_sub(1).ok_or_else(|| self.exhausted())?;
                    let lies =
                        compare(base, &presented).ok_or_else(|| self.unfit(base, &presented))?;
                    found = Some(found.unwrap_or(false) || lies);
                }
                Ok(found)
            };
            if lies_in(&constraints.excluded, touches)? == Some(true) {
                return Err(self.violated("no name that it excludes", &presented));
            }
            if lies_in(&constraints.permitted, is_within)? == Some(false) {
                return Err(self.violated("only names that it permits", &presented));
            }
        }
        Ok(())
    }

    /// Its subject, the e-mail addresses in the subject, and its subjectAltNames.
    fn names(&self) -> Result<Vec<Presented<'a>>, Finding> {
        let certificate = self.certificate;
        let addresses = name::attributes(certificate.subject, oid::AT_EMAIL_ADDRESS)
            .map_err(|error| malformed_in(certificate, &error))?;
        let mut names: Vec<Presented<'a>> = Vec::new();
        if certificate.subject != [0x30, 0x00] {
            names.push(Presented::General(GeneralName::Directory(certificate.subject)));
        }
        names.extend(addresses.into_iter().map(Presented::SubjectEmail));
        let others = &certificate.extensions.subject_alt_names;
        names.extend(others.iter().copied().map(Presented::General));
        Ok(names)
    }

    fn violated(&self, expected: &str, presented: &GeneralName<'_>) -> Finding {
        Finding::new(FindingCode::CERTIFICATE_PATH_CONSTRAINT)
            .about(self.certificate.display_name())
            .expected(format!("{expected}: nameConstraints of {}", self.issuer.display_name()))
            .found(format!("{} {}", form_text(presented), presented.text()))
    }

    /// The name cannot be compared: it is malformed, or its form is not known here.
    fn unfit(&self, base: &GeneralName<'_>, presented: &GeneralName<'_>) -> Finding {
        if !matches!(base, GeneralName::Other(_)) {
            return self.violated("a name that can be compared", presented);
        }
        Finding::new(FindingCode::CERTIFICATE_CONSTRAINT_NOT_SUPPORTED)
            .about(self.issuer.display_name())
            .expected("nameConstraints on e-mail, DNS, URI, IP or directory names")
            .found(format!("nameConstraints on {}", form_text(base)))
    }

    fn exhausted(&self) -> Finding {
        Finding::new(FindingCode::CERTIFICATE_CHAIN_TOO_LONG)
            .about(self.certificate.display_name())
            .expected(format!("at most {} comparisons of names", limits::NAME_COMPARISONS))
            .found("more")
    }
}

fn form_text(name: &GeneralName<'_>) -> String {
    String::from(match name {
        GeneralName::Email(_) => "e-mail address",
        GeneralName::Dns(_) => "DNS name",
        GeneralName::Directory(_) => "directory name",
        GeneralName::Uri(_) => "URI",
        GeneralName::Ip(_) => "IP address",
        GeneralName::Other(tlv) => match tlv.tag {
            Tag::ContextSpecific { number, .. } => return format!("names of form {}", number.0),
            _ => "names of an unknown form",
        },
    })
}

fn is_same_form(base: &GeneralName<'_>, presented: &GeneralName<'_>) -> bool {
    match (base, presented) {
        (GeneralName::Email(_), GeneralName::Email(_))
        | (GeneralName::Dns(_), GeneralName::Dns(_))
        | (GeneralName::Directory(_), GeneralName::Directory(_))
        | (GeneralName::Uri(_), GeneralName::Uri(_))
        | (GeneralName::Ip(_), GeneralName::Ip(_)) => true,
        (GeneralName::Other(base), GeneralName::Other(presented)) => base.tag == presented.tag,
        _ => false,
    }
}

/// Whether the name lies within the subtree; `None` if that cannot be said.
fn is_within(base: &GeneralName<'_>, presented: &GeneralName<'_>) -> Option<bool> {
    match (base, presented) {
        (GeneralName::Email(base), GeneralName::Email(address)) => is_mailbox_within(base, address),
        (GeneralName::Dns(base), GeneralName::Dns(name)) => is_domain_within(base, name),
        (GeneralName::Directory(base), GeneralName::Directory(name)) => {
            let name = ComparableName::new(name);
            name.is_readable().then(|| name.is_within(&ComparableName::new(base)))
        }
        (GeneralName::Uri(base), GeneralName::Uri(address)) => {
            Some(is_host_within(base, host(address)?))
        }
        (GeneralName::Ip(range), GeneralName::Ip(address)) => is_address_within(range, address),
        _ => None,
    }
}

/// Whether any name that is meant lies within the subtree: a wildcard means every host one label
/// below, the excluded one among them.
fn touches(base: &GeneralName<'_>, presented: &GeneralName<'_>) -> Option<bool> {
    let within = is_within(base, presented)?;
    let (GeneralName::Dns(base), GeneralName::Dns(name)) = (base, presented) else {
        return Some(within);
    };
    let parent = base.trim_start_matches('.').split_once('.').map(|(_, parent)| parent);
    let meant = name.strip_prefix("*.").zip(parent);
    Some(within || meant.is_some_and(|(host, parent)| host.eq_ignore_ascii_case(parent)))
}

/// §4.2.1.10: "a particular mailbox", "all addresses at a particular host", or "all mailboxes in a
/// domain".
fn is_mailbox_within(base: &str, address: &str) -> Option<bool> {
    let (local, host) = address.rsplit_once('@')?;
    if local.is_empty() || host.is_empty() {
        return None;
    }
    Some(match base.rsplit_once('@') {
        // RFC 5280 §7.5: the host in any case, the local part to the letter.
        Some((base_local, base_host)) => {
            base_local == local && base_host.eq_ignore_ascii_case(host)
        }
        None => is_host_within(base, host),
    })
}

/// A host exactly, or those below a domain that begins with a period. RFC 5280 does not say what an
/// empty base means; here as for DNS names every host.
fn is_host_within(base: &str, host: &str) -> bool {
    if base.is_empty() {
        return true;
    }
    if base.starts_with('.') { ends_with(host, base) } else { base.eq_ignore_ascii_case(host) }
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand
/// side". A wildcard lies within what every name that it means lies within.
fn is_domain_within(base: &str, name: &str) -> Option<bool> {
    let host = name.strip_prefix("*.").unwrap_or(name);
    if host.is_empty() || host.starts_with('.') || host.ends_with('.') || host.contains('*') {
        return None;
    }
    if base.is_empty() {
        return Some(true);
    }
    if base.starts_with('.') {
        return Some(ends_with(host, base));
    }
    Some(host.eq_ignore_ascii_case(base) || ends_with(host, &format!(".{base}")))
}

/// ASCII, any case; both are `IA5String`.
fn ends_with(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.split_at_checked(at))
        .is_some_and(|(start, rest)| !start.is_empty() && rest.eq_ignore_ascii_case(end))
}

/// The host of a URI (RFC 3986 §3.2). §4.2.1.10 demands one that is a domain name: none for `urn:`
/// and addresses in numbers.
fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    let in_numbers = host.starts_with('[') || host.parse::<core::net::Ipv4Addr>().is_ok();
    (!host.is_empty() && !in_numbers).then_some(host)
}

/// An address and a mask of the same length, whose ones come first.
fn is_range(range: &[u8]) -> bool {
    if !matches!(range.len(), 8 | 32) {
        return false;
    }
    let (_, mask) = range.split_at(range.len() / 2);
    let mut rest = mask.iter().copied().skip_while(|octet| *octet == 0xFF);
    let edge = rest.next().unwrap_or(0);
    edge.leading_ones().saturating_add(edge.trailing_zeros()) == 8 && rest.all(|octet| octet == 0)
}

fn is_address_within(range: &[u8], address: &[u8]) -> Option<bool> {
    if !matches!(address.len(), 4 | 16) {
        return None;
    }
    let (network, mask) = range.split_at_checked(range.len() / 2)?;
    let masked = address.iter().zip(network).zip(mask);
    Some(
        network.len() == address.len()
            && masked.into_iter().all(|((octet, network), mask)| octet & mask == network & mask),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_compared_with_a_mailbox_a_host_or_a_domain() {
        let within = |base, address| is_mailbox_within(base, address);
        assert_eq!(within("a@example.org", "a@EXAMPLE.org"), Some(true));
        assert_eq!(within("a@example.org", "A@example.org"), Some(false));
        assert_eq!(within("example.org", "a@Example.Org"), Some(true));
        assert_eq!(within("example.org", "a@mail.example.org"), Some(false));
        assert_eq!(within(".example.org", "a@mail.example.org"), Some(true));
        assert_eq!(within(".example.org", "a@example.org"), Some(false));
        assert_eq!(within(".example.org", "a@badexample.org"), Some(false));
        assert_eq!(within("example.org", "nobody"), None);
        assert_eq!(within("example.org", "@example.org"), None);
    }

    #[test]
    fn a_domain_holds_itself_and_what_is_below() {
        let within = |base, name| is_domain_within(base, name);
        assert_eq!(within("example.org", "example.org"), Some(true));
        assert_eq!(within("example.org", "a.b.EXAMPLE.org"), Some(true));
        assert_eq!(within("example.org", "badexample.org"), Some(false));
        assert_eq!(within("example.org", "org"), Some(false));
        assert_eq!(within("", "anything.test"), Some(true));
        assert_eq!(within(".example.org", "example.org"), Some(false));
        assert_eq!(within(".example.org", "a.example.org"), Some(true));
        assert_eq!(within("example.org", "*.example.org"), Some(true));
        for malformed in ["", ".example.org", "example.org.", "a.*.example.org"] {
            assert_eq!(within("example.org", malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_wildcard_touches_what_it_can_mean() {
        let touches = |base, name| touches(&GeneralName::Dns(base), &GeneralName::Dns(name));
        assert_eq!(touches("www.example.org", "*.example.org"), Some(true));
        assert_eq!(touches("a.www.example.org", "*.example.org"), Some(false));
        assert_eq!(touches("example.org", "*.example.org"), Some(true));
        assert_eq!(touches("www.example.org", "example.org"), Some(false));
    }

    #[test]
    fn a_uri_is_compared_by_its_host() {
        assert_eq!(host("https://user:pw@Host.example:8080/path?x#y"), Some("Host.example"));
        assert_eq!(host("spiffe://example.org/signer"), Some("example.org"));
        for without in ["urn:uuid:1", "https://", "http://192.0.2.1/", "http://[2001:db8::1]/", "x"]
        {
            assert_eq!(host(without), None, "{without}");
        }
    }

    #[test]
    fn an_address_lies_in_a_range_of_its_family() {
        let range = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(is_address_within(&range, &[192, 0, 2, 9]), Some(true));
        assert_eq!(is_address_within(&range, &[192, 0, 3, 9]), Some(false));
        assert_eq!(is_address_within(&range, &[0; 16]), Some(false));
        assert_eq!(is_address_within(&range, &[192, 0, 2]), None);
        assert!(is_range(&range));
        assert!(is_range(&[0; 8]));
        assert!(is_range(&[255; 32]));
        assert!(!is_range(&[10, 0, 0, 0, 255, 0, 255, 0]));
        assert!(!is_range(&[10, 0, 0, 0]));
    }
}
