//! Certificate revocation lists (RFC 5280 §5), decoded in place.
//!
//! Entries stay encoded: a list of 500,000 costs no memory beyond its bytes. Whether a list may
//! speak for a certificate is [`crate::revocation`]'s to decide.

mod complete;
mod lint;
mod reason;
mod succession;

pub use complete::CompleteList;
pub use lint::inspect;
pub use reason::{ReasonFlags, RevocationReason};
pub use succession::{Revival, Revoked, revives};

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::Tag;

use crate::{
    asn1::{
        AlgorithmIdentifier, Asn1Error, Cursor, Flag, Result, Tlv, context_constructed,
        context_primitive,
    },
    crypto::CryptoProvider,
    limits, oid,
    time::UnixSeconds,
    x509::{Certificate, certificate::extensions, name},
};

/// A decoded CRL.
#[derive(Clone, Debug)]
pub struct CertificateList<'a> {
    /// The whole list.
    pub raw: &'a [u8],
    /// The `tbsCertList`, which is what was signed.
    pub tbs: &'a [u8],
    /// The version: 1 or 2.
    pub version: u8,
    /// How it was signed.
    pub signature_algorithm: AlgorithmIdentifier<'a>,
    /// The signature.
    pub signature: &'a [u8],
    /// The issuer's `Name`, DER.
    pub issuer: &'a [u8],
    /// When it was made.
    pub this_update: UnixSeconds,
    /// When the next will be there at the latest.
    pub next_update: Option<UnixSeconds>,
    /// The content of revokedCertificates; `None` if absent.
    pub(crate) entries: Option<&'a [u8]>,
    /// The list's extensions.
    pub extensions: CrlExtensions<'a>,
}

/// The extensions of a CRL (RFC 5280 §5.2).
#[derive(Clone, Debug, Default)]
pub struct CrlExtensions<'a> {
    /// The key identifier of authorityKeyIdentifier, and that the extension is there.
    pub authority_key_identifier: Option<&'a [u8]>,
    /// cRLNumber, INTEGER content octets.
    pub number: Option<&'a [u8]>,
    /// deltaCRLIndicator: the base's number.
    pub delta_base: Option<&'a [u8]>,
    /// Whether deltaCRLIndicator is critical.
    pub delta_indicator_critical: Option<Flag>,
    /// Whether freshestCRL is there.
    pub names_deltas: bool,
    /// issuingDistributionPoint, with whether it is critical.
    pub issuing_distribution_point: Option<(Flag, IssuingDistributionPoint<'a>)>,
    /// expiredCertsOnCRL (X.509 §9.5.2.8): the list covers certificates that expired then or later.
    pub expired_certificates_since: Option<UnixSeconds>,
    /// A critical extension that we do not know.
    pub unknown_critical: Option<ObjectIdentifier>,
}

/// issuingDistributionPoint (RFC 5280 §5.2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuingDistributionPoint<'a> {
    /// Its URIs; a certificate is covered if it names one of them.
    pub urls: Vec<&'a str>,
    /// Its directory names, each a DER `Name`, which do as well. They are compared as DER.
    pub directory_names: Vec<&'a [u8]>,
    /// Whether a distribution point name is there at all.
    pub is_named: bool,
    /// Which certificates it is about.
    pub covers: Covers,
    /// onlySomeReasons: the reasons that it covers; all of them if absent.
    pub only_some_reasons: Option<ReasonFlags>,
    /// Entries may be of other issuers.
    pub indirect: bool,
}

/// Which certificates a CRL is about; the specification allows at most one restriction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Covers {
    /// All of its issuer's.
    #[default]
    All,
    /// onlyContainsUserCerts.
    UserCertificates,
    /// onlyContainsCACerts.
    CaCertificates,
    /// onlyContainsAttributeCerts.
    AttributeCertificates,
}

/// One revoked certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedEntry<'a> {
    /// The serial number, INTEGER content octets.
    pub serial: &'a [u8],
    /// When it was revoked.
    pub revocation_date: UnixSeconds,
    /// Why.
    pub reason: RevocationReason,
    /// The number of a reason that RFC 5280 does not define; `reason` is then unspecified.
    pub undefined_reason: Option<u8>,
    /// Since when it is not to be trusted.
    pub invalidity_date: Option<UnixSeconds>,
    /// A critical extension that we do not know.
    pub unknown_critical: Option<ObjectIdentifier>,
}

impl RevokedEntry<'_> {
    /// D of the decision table: the earlier of revocationDate and invalidityDate.
    pub fn effective_date(&self) -> UnixSeconds {
        self.invalidity_date.map_or(self.revocation_date, |date| date.min(self.revocation_date))
    }

    /// One entry for two of the same certificate: the reason that takes away most, the earliest dates.
    fn united(&self, other: &Self) -> Self {
        let is_graver = other.reason.weight() > self.reason.weight();
        let reason = if is_graver { other.reason } else { self.reason };
        let dates = [self.invalidity_date, other.invalidity_date];
        Self {
            reason,
            revocation_date: self.revocation_date.min(other.revocation_date),
            invalidity_date: dates.into_iter().flatten().min(),
            unknown_critical: self.unknown_critical.or(other.unknown_critical),
            ..*self
        }
    }
}

impl CertificateList<'_> {
    /// Whether it bears this issuer's name and signature; not whether it is recent, nor whether the issuer may
    /// sign CRLs.
    pub fn is_by(&self, issuer: &Certificate<'_>, crypto: &dyn CryptoProvider) -> bool {
        name::equal(self.issuer, issuer.subject)
            && issuer.public_key.verifies(
                crypto,
                &self.signature_algorithm,
                self.tbs,
                self.signature,
            )
    }
}

impl<'a> CertificateList<'a> {
    /// Decodes one DER CRL of at most [`limits::CRL_BYTES`]. Entries are decoded when asked for.
    ///
    /// # Errors
    /// When `bytes` is not exactly one CRL, or an extension is repeated or malformed.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        const FIELD: &str = "certificateList";
        if bytes.len() > limits::CRL_BYTES {
            return Err(Asn1Error::Malformed { field: "certificateList (over 32 MiB)" });
        }
        let outer = Tlv::decode(bytes, FIELD)?;
        if outer.tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: FIELD });
        }
        let mut fields = outer.content();
        let tbs = fields.expect(Tag::Sequence, "tbsCertList")?;
        let signature_algorithm = fields.algorithm("signatureAlgorithm")?;
        let signature = fields.bit_string("signatureValue")?;
        fields.finish(FIELD)?;

        let mut inner = tbs.content();
        let version = match inner.optional(Tag::Integer, "version")? {
            None => 1,
            Some(Tlv { value: [1], .. }) => 2,
            Some(_) => return Err(Asn1Error::Malformed { field: "version" }),
        };
        let inner_algorithm = inner.algorithm("signature")?;
        // RFC 5280 §5.1.1.2: both MUST contain the same identifier.
        if inner_algorithm.raw != signature_algorithm.raw {
            return Err(Asn1Error::Malformed {
                field: "signature (differs from signatureAlgorithm)",
            });
        }
        let issuer = inner.expect(Tag::Sequence, "issuer")?.raw;
        let this_update = inner.time("thisUpdate")?;
        let next_update = next_update(&mut inner)?;
        let entries = inner.optional(Tag::Sequence, "revokedCertificates")?.map(|tlv| tlv.value);
        let extensions = match inner.optional(context_constructed(0), "crlExtensions")? {
            // RFC 5280 §5.1.2.1: where there are extensions, the version MUST be 2.
            Some(_) if version == 1 => {
                return Err(Asn1Error::Malformed { field: "crlExtensions (in version 1)" });
            }
            Some(tagged) => CrlExtensions::decode(tagged)?,
            None => CrlExtensions::default(),
        };
        inner.finish("tbsCertList")?;
        Ok(Self {
            raw: bytes,
            tbs: tbs.raw,
            version,
            signature_algorithm,
            signature,
            issuer,
            this_update,
            next_update,
            entries,
            extensions,
        })
    }

    /// The reasons that it covers.
    pub fn reasons(&self) -> ReasonFlags {
        let point = self.extensions.issuing_distribution_point.as_ref();
        point.and_then(|(_, point)| point.only_some_reasons).unwrap_or(ReasonFlags::ALL)
    }

    /// The entries, in their order; each is decoded as it is reached.
    pub fn entries(&self) -> impl Iterator<Item = Result<RevokedEntry<'a>>> {
        let mut cursor = Cursor::new(self.entries.unwrap_or(&[]));
        let version = self.version;
        core::iter::from_fn(move || {
            if cursor.is_empty() {
                return None;
            }
            let entry = entry(&mut cursor, version);
            if entry.is_err() {
                // Nothing after a broken entry can be found.
                cursor = Cursor::new(&[]);
            }
            Some(entry)
        })
    }

    /// The entry for `serial` (INTEGER content octets). Walks the whole list; of several entries
    /// the gravest reason and the earliest dates count.
    ///
    /// # Errors
    /// When an entry is malformed, so that the list cannot be relied on.
    pub fn find(&self, serial: &[u8]) -> Result<Option<RevokedEntry<'a>>> {
        const FIELD: &str = "revokedCertificates";
        let mut cursor = Cursor::new(self.entries.unwrap_or(&[]));
        let mut found = None;
        while !cursor.is_empty() {
            let mut rest = cursor;
            let tlv = cursor.expect(Tag::Sequence, FIELD)?;
            // The serial number comes first; the other fields matter only where it matches.
            if tlv.content().integer(FIELD)? == serial {
                let entry = entry(&mut rest, self.version)?;
                found = Some(found.map_or(entry, |other: RevokedEntry<'a>| other.united(&entry)));
            }
        }
        Ok(found)
    }

    /// A critical entry extension that we do not know, in any entry: RFC 5280 §5.3 forbids to use
    /// such a list for any certificate.
    ///
    /// # Errors
    /// When an entry is malformed.
    pub fn unknown_critical_entry_extension(&self) -> Result<Option<ObjectIdentifier>> {
        // `critical TRUE` is encoded as 01 01 FF; where these octets do not occur, nothing is
        // critical, and hundreds of thousands of entries need not be opened.
        let octets = self.entries.unwrap_or(&[]);
        if !octets.windows(3).any(|window| window == [0x01, 0x01, 0xFF]) {
            return Ok(None);
        }
        for entry in self.entries() {
            if let Some(id) = entry?.unknown_critical {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

fn next_update(inner: &mut Cursor<'_>) -> Result<Option<UnixSeconds>> {
    for tag in [Tag::UtcTime, Tag::GeneralizedTime] {
        if let Some(tlv) = inner.optional(tag, "nextUpdate")? {
            return tlv.time("nextUpdate").map(Some);
        }
    }
    Ok(None)
}

fn entry<'a>(cursor: &mut Cursor<'a>, version: u8) -> Result<RevokedEntry<'a>> {
    const FIELD: &str = "revokedCertificates";
    let mut fields = cursor.sequence(FIELD)?;
    let serial = fields.integer(FIELD)?;
    let revocation_date = fields.time("revocationDate")?;
    let mut entry = RevokedEntry {
        serial,
        revocation_date,
        reason: RevocationReason::Unspecified,
        undefined_reason: None,
        invalidity_date: None,
        unknown_critical: None,
    };
    if let Some(list) = fields.optional(Tag::Sequence, "crlEntryExtensions")? {
        if version == 1 {
            return Err(Asn1Error::Malformed { field: "crlEntryExtensions (in version 1)" });
        }
        entry_extensions(list.content(), &mut entry)?;
    }
    fields.finish(FIELD)?;
    Ok(entry)
}

fn entry_extensions(list: Cursor<'_>, entry: &mut RevokedEntry<'_>) -> Result<()> {
    for (id, critical, value) in extensions(list, "crlEntryExtensions")? {
        let mut value = Cursor::new(value);
        match id {
            oid::CE_CRL_REASONS => {
                let code = value.enumerated("reasonCode")?;
                value.finish("reasonCode")?;
                // Off-spec: 7 and numbers above 10 are not defined; what is listed is revoked all
                // the same, and for no better reason than an unspecified one.
                entry.reason = RevocationReason::of(code).unwrap_or_default();
                entry.undefined_reason = entry.reason.code().ne(&code).then_some(code);
            }
            oid::CE_INVALIDITY_DATE => {
                entry.invalidity_date = Some(value.generalized_time("invalidityDate")?);
                value.finish("invalidityDate")?;
            }
            // certificateIssuer makes the list indirect, which is not supported.
            id if critical.is_set() => entry.unknown_critical = Some(id),
            _ => {}
        }
    }
    Ok(())
}

impl<'a> CrlExtensions<'a> {
    fn decode(tagged: Tlv<'a>) -> Result<Self> {
        const FIELD: &str = "crlExtensions";
        let list = Cursor::over_sequence(tagged.value, FIELD)?;
        let mut decoded = Self::default();
        for (id, critical, value) in extensions(list, FIELD)? {
            decoded.take(id, critical, value)?;
        }
        Ok(decoded)
    }

    fn take(&mut self, id: ObjectIdentifier, critical: Flag, value: &'a [u8]) -> Result<()> {
        let mut cursor = Cursor::new(value);
        match id {
            oid::CE_AUTHORITY_KEY_IDENTIFIER => {
                let mut fields = cursor.sequence("authorityKeyIdentifier")?;
                let key = fields.optional(context_primitive(0), "authorityKeyIdentifier")?;
                self.authority_key_identifier = Some(key.map_or(&[], |tlv| tlv.value));
            }
            oid::CE_CRL_NUMBER => self.number = Some(cursor.integer("cRLNumber")?),
            oid::CE_DELTA_CRL_INDICATOR => {
                self.delta_base = Some(cursor.integer("deltaCRLIndicator")?);
                self.delta_indicator_critical = Some(critical);
            }
            oid::CE_FRESHEST_CRL if !critical.is_set() => {
                self.names_deltas = true;
                return Ok(());
            }
            oid::CE_ISSUING_DISTRIBUTION_POINT => {
                let fields = cursor.sequence("issuingDistributionPoint")?;
                let point = IssuingDistributionPoint::decode(fields)?;
                self.issuing_distribution_point = Some((critical, point));
            }
            oid::CE_EXPIRED_CERTS_ON_CRL => {
                let since = cursor.generalized_time_with_fraction("expiredCertsOnCRL")?;
                self.expired_certificates_since = Some(since);
            }
            id => {
                if critical.is_set() {
                    self.unknown_critical = Some(id);
                }
                return Ok(());
            }
        }
        cursor.finish("crlExtensions")
    }
}

impl<'a> IssuingDistributionPoint<'a> {
    fn decode(mut fields: Cursor<'a>) -> Result<Self> {
        const FIELD: &str = "issuingDistributionPoint";
        let mut point = Self::default();
        if let Some(name) = fields.optional(context_constructed(0), FIELD)? {
            point.is_named = true;
            let names = crate::x509::DistributionPointName::decode(name, FIELD)?;
            point.urls = names.urls;
            point.directory_names = names.directory_names;
        }
        let user = set_flag(&mut fields, 1)?;
        let ca = set_flag(&mut fields, 2)?;
        point.only_some_reasons = match fields.optional(context_primitive(3), FIELD)? {
            Some(tlv) => Some(ReasonFlags::decode(tlv.value, FIELD)?),
            None => None,
        };
        point.indirect = set_flag(&mut fields, 4)?;
        let attribute = set_flag(&mut fields, 5)?;
        point.covers = match (user, ca, attribute) {
            (false, false, false) => Covers::All,
            (true, false, false) => Covers::UserCertificates,
            (false, true, false) => Covers::CaCertificates,
            (false, false, true) => Covers::AttributeCertificates,
            _ => return Err(Asn1Error::Malformed { field: FIELD }),
        };
        fields.finish(FIELD)?;
        Ok(point)
    }
}

/// A BOOLEAN DEFAULT FALSE under an implicit tag.
fn set_flag(fields: &mut Cursor<'_>, number: u32) -> Result<bool> {
    const FIELD: &str = "issuingDistributionPoint";
    match fields.optional(context_primitive(number), FIELD)? {
        None => Ok(false),
        Some(Tlv { value: [0xFF], .. }) => Ok(true),
        Some(_) => Err(Asn1Error::Malformed { field: FIELD }),
    }
}
