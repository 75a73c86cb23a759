//! Verification of a timestamp (RFC 3161 §2.2, §2.4.2; RFC 5816; RFC 5652 §5.6).
//!
//! Everything that does not depend on whom one trusts comes first, so that a broken token is named
//! as what it is; then each authority of the trust root is tried by itself: its own certificates,
//! its own window. What verifies becomes a [`ProvenTime`]. Revocation of the authority's
//! certificate is looked at by the caller, who has the evidence.

use alloc::{format, vec::Vec};
use core::cell::Cell;

use const_oid::ObjectIdentifier;

use super::{
    TstInfo,
    attributes::{attribute_finding, inspect_content_type, inspect_message_digest},
    ess::SigningCertificates,
    info::malformed,
};
use crate::{
    cms::{AttributeFault, SignedData, SignerIdentifier, SignerInfo},
    crypto::{CryptoProvider, KeyAlgorithm, SignatureScheme, algorithm_text},
    digest::{Digest, HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    limits, oid,
    time::UnixSeconds,
    trust::Authority,
    verify::ProvenTime,
    x509::{
        Certificate, GeneralName, Purpose, VerifiedLink, VerifiedPath, name, path, path::Means,
    },
};

/// What the timestamp should be about.
#[derive(Clone, Copy, Debug)]
pub enum Stamped<'a> {
    /// The octets themselves; any accepted hash of them will do.
    Message(&'a [u8]),
    /// Digests of the octets; the imprint must be one of them.
    Digests(&'a [Digest]),
}

/// A timestamp that holds; only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedTimestamp<'a> {
    stamped: Digest,
    info: TstInfo<'a>,
    path: VerifiedPath<'a>,
    other_paths: Vec<VerifiedPath<'a>>,
    authorities: Vec<&'a Authority>,
}

impl<'a> VerifiedTimestamp<'a> {
    /// The time by which the stamped data existed.
    pub fn time(&self) -> ProvenTime<'_> {
        ProvenTime::of_timestamp(self)
    }

    /// The digest of what was stamped, by the algorithm of the imprint.
    pub fn stamped(&self) -> &Digest {
        &self.stamped
    }

    /// What the token says.
    pub fn info(&self) -> &TstInfo<'a> {
        &self.info
    }

    /// The authority's certificates, its own first.
    pub fn path(&self) -> &VerifiedPath<'a> {
        &self.path
    }

    /// Every path of the authority that holds, [`path`](Self::path) first.
    pub fn paths(&self) -> impl Iterator<Item = &VerifiedPath<'a>> {
        core::iter::once(&self.path).chain(&self.other_paths)
    }

    /// The trust root's authorities that it is by. Several, if one certificate is under each of them:
    /// then nobody can tell which one it was.
    pub fn authorities(&self) -> &[&'a Authority] {
        &self.authorities
    }

    /// The same timestamp over that path alone, which must be one of its own.
    pub(crate) fn resting_on(self, path: VerifiedPath<'a>) -> Self {
        Self { path, other_paths: Vec::new(), ..self }
    }
}

type Result<T, E = Finding> = core::result::Result<T, E>;

/// Verifies a whole `TimeStampResp`, or the bare token out of one, over `stamped` against
/// `authorities`.
///
/// # Errors
/// The most telling finding.
pub fn verify<'a>(
    timestamp: &'a [u8],
    stamped: Stamped<'_>,
    authorities: &'a [Authority],
    crypto: &dyn CryptoProvider,
    now: UnixSeconds,
) -> Result<VerifiedTimestamp<'a>> {
    let steps = Cell::new(limits::PATH_STEPS);
    verify_by(Means { crypto, steps: &steps }, timestamp, stamped, authorities, now)
}

/// Like [`verify`], as one of several that belong together.
pub(crate) fn verify_by<'a>(
    means: Means<'_>,
    timestamp: &'a [u8],
    stamped: Stamped<'_>,
    authorities: &'a [Authority],
    now: UnixSeconds,
) -> Result<VerifiedTimestamp<'a>> {
    let token = Token::decode(super::token(timestamp)?, None, means.crypto)?;
    token.verify(stamped, authorities, means, now)
}

/// Verifies a timestamp that is not in DER, as [`verify`] does one that is.
///
/// # Errors
/// The most telling finding.
#[cfg(feature = "ber")]
pub fn verify_legacy<'a>(
    timestamp: &'a super::LegacyTimestamp,
    stamped: Stamped<'_>,
    authorities: &'a [Authority],
    crypto: &dyn CryptoProvider,
    now: UnixSeconds,
) -> Result<VerifiedTimestamp<'a>> {
    let steps = Cell::new(limits::PATH_STEPS);
    verify_legacy_by(Means { crypto, steps: &steps }, timestamp, stamped, authorities, now)
}

/// Like [`verify_legacy`], as one of several that belong together.
#[cfg(feature = "ber")]
pub(crate) fn verify_legacy_by<'a>(
    means: Means<'_>,
    timestamp: &'a super::LegacyTimestamp,
    stamped: Stamped<'_>,
    authorities: &'a [Authority],
    now: UnixSeconds,
) -> Result<VerifiedTimestamp<'a>> {
    let token = super::token(&timestamp.timestamp)?;
    let token = Token::decode(token, Some(&timestamp.info), means.crypto)?;
    token.verify(stamped, authorities, means, now)
}

/// Holds an answer against the request it was asked with: nonce and policy (§2.2).
///
/// # Errors
/// A finding when the nonce is missing or another, or the policy is another than asked for.
pub fn verify_answer(
    info: &TstInfo<'_>,
    nonce: Option<&[u8]>,
    policy: Option<ObjectIdentifier>,
) -> Result<()> {
    if nonce.is_some() && info.nonce != nonce {
        return Err(FindingCode::TIMESTAMP_NONCE_MISMATCH.into());
    }
    match policy {
        Some(policy) if policy != info.policy => {
            Err(Finding::new(FindingCode::TIMESTAMP_POLICY_MISMATCH)
                .expected(format!("{policy}"))
                .found(format!("{}", info.policy)))
        }
        _ => Ok(()),
    }
}

/// By whom a token is, and over which paths.
struct Vouching<'a> {
    path: VerifiedPath<'a>,
    other_paths: Vec<VerifiedPath<'a>>,
    authorities: Vec<&'a Authority>,
}

/// A token whose inner bonds hold: content, attributes and their digests agree.
struct Token<'a> {
    signed_data: SignedData<'a>,
    signer: SignerInfo<'a>,
    info: TstInfo<'a>,
    digest_algorithm: HashAlgorithm,
    /// What the signature may be over.
    signed_octets: Vec<Vec<u8>>,
    ess: SigningCertificates<'a>,
}

impl<'a> Token<'a> {
    /// `legacy_info` says in DER what the content says that is not; it is read in its place. What is
    /// hashed is always what was received.
    fn decode(
        token: &'a [u8],
        legacy_info: Option<&'a [u8]>,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self> {
        let mut signed_data = SignedData::decode(token).map_err(|error| malformed(&error))?;
        // §2.4.2: the eContentType is id-ct-TSTInfo.
        if signed_data.content_type != oid::ID_CT_TST_INFO {
            return Err(Finding::new(FindingCode::TIMESTAMP_CONTENT_TYPE)
                .expected("id-ct-TSTInfo")
                .found(format!("{}", signed_data.content_type)));
        }
        // §2.4.2: "MUST NOT contain any signatures other than the signature of the TSA".
        let count = signed_data.signer_infos.len();
        let (1, Some(signer)) = (count, signed_data.signer_infos.pop()) else {
            return Err(Finding::new(FindingCode::TIMESTAMP_SIGNER_COUNT)
                .expected("1")
                .found(format!("{count}")));
        };
        let info = TstInfo::decode(legacy_info.unwrap_or(signed_data.content))?;
        let digest_algorithm = HashAlgorithm::of(&signer.digest_algorithm)
            .filter(|algorithm| *algorithm != HashAlgorithm::Sha1)
            .ok_or_else(|| {
                Finding::new(FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED)
                    .about("the timestamp's digestAlgorithm")
                    .expected("SHA-256, SHA-384 or SHA-512")
                    .found(algorithm_text(&signer.digest_algorithm))
            })?;
        inspect_content_type(&signer)?;
        inspect_message_digest(&signer, signed_data.content, digest_algorithm, crypto)?;
        let ess = SigningCertificates::decode(&signer)?;
        let signed_octets = signer
            .signed_octets()
            .ok_or_else(|| attribute_finding("signed attributes", AttributeFault::Absent))?;
        let mut signed_octets = vec![signed_octets];
        if legacy_info.is_some() {
            // RFC 5652 §5.4: signed in DER, which has an order, whatever they are sent in.
            signed_octets.extend(signer.sorted_octets());
        }
        Ok(Self { signed_data, signer, info, digest_algorithm, signed_octets, ess })
    }

    fn verify(
        self,
        stamped: Stamped<'_>,
        authorities: &'a [Authority],
        means: Means<'_>,
        now: UnixSeconds,
    ) -> Result<VerifiedTimestamp<'a>> {
        let crypto = means.crypto;
        let stamped = self.inspect_imprint(stamped, crypto)?;
        // genTime may not lie in the future, but for clocks that differ a little.
        if self.info.gen_time.seconds > now.plus_seconds(limits::CLOCK_SKEW_SECONDS) {
            return Err(Finding::new(FindingCode::TIMESTAMP_FUTURE)
                .expected(format!("not after {now}"))
                .found(format!("{}", self.info.gen_time)));
        }
        let Vouching { path, other_paths, authorities } = self.verify_by_any(authorities, means)?;
        for path in core::iter::once(&path).chain(&other_paths) {
            self.inspect_copies(path, crypto)?;
            self.inspect_tsa_name(path.leaf())?;
        }
        Ok(VerifiedTimestamp { stamped, info: self.info, path, other_paths, authorities })
    }

    /// The imprint, if it is the digest of what should have been stamped.
    fn inspect_imprint(&self, stamped: Stamped<'_>, crypto: &dyn CryptoProvider) -> Result<Digest> {
        let imprint = &self.info.message_imprint;
        let strong = imprint.algorithm.filter(|algorithm| *algorithm != HashAlgorithm::Sha1);
        let Some(algorithm) = strong else {
            return Err(Finding::new(FindingCode::TIMESTAMP_IMPRINT_WEAK)
                .expected("SHA-256, SHA-384 or SHA-512")
                .found(format!("{}", imprint.identifier.oid)));
        };
        let expected = match stamped {
            Stamped::Message(message) => Some(digest(crypto, algorithm, message)),
            Stamped::Digests(digests) => {
                digests.iter().find(|each| each.algorithm() == algorithm).cloned()
            }
        };
        let Some(expected) = expected else {
            return Err(Finding::new(FindingCode::CONTENT_DIGEST_NOT_SUPPLIED)
                .expected(format!("a {algorithm} digest"))
                .found("digests of other algorithms"));
        };
        if imprint.digest == expected.octets() {
            return Ok(expected);
        }
        Err(Finding::new(FindingCode::TIMESTAMP_IMPRINT_MISMATCH)
            .expected(expected.hex())
            .found(crate::digest::encode_hex(imprint.digest)))
    }

    /// A path under one of the authorities, and every other, so that revocation can choose.
    fn verify_by_any(
        &self,
        authorities: &'a [Authority],
        means: Means<'_>,
    ) -> Result<Vouching<'a>> {
        let mut paths = Vec::new();
        let mut vouching = Vec::new();
        let mut best: Option<Finding> = None;
        for authority in authorities {
            match self.verify_by(authority, means) {
                Ok(found) => {
                    paths.extend(found);
                    vouching.push(authority);
                }
                // What every other authority says.
                Err(finding) if finding.code == FindingCode::TIMESTAMP_AUTHORITY_NOT_TRUSTED => {}
                Err(finding) => best = Some(finding),
            }
        }
        let mut paths = paths.into_iter();
        match paths.next() {
            Some(path) => {
                Ok(Vouching { path, other_paths: paths.collect(), authorities: vouching })
            }
            None => Err(best.unwrap_or_else(|| self.not_trusted())),
        }
    }

    fn not_trusted(&self) -> Finding {
        let found = match self.signer.identifier {
            SignerIdentifier::IssuerAndSerial { issuer, serial } => format!(
                "a certificate issued by {}, serial {}",
                crate::x509::name::text(issuer),
                crate::x509::certificate::serial_text(serial)
            ),
            SignerIdentifier::SubjectKeyIdentifier(key) => {
                format!("a certificate with key identifier {}", crate::digest::encode_hex(key))
            }
        };
        Finding::new(FindingCode::TIMESTAMP_AUTHORITY_NOT_TRUSTED)
            .expected("a timestamp authority of the trust root")
            .found(found)
    }

    /// One authority, with its own certificates and its own window.
    fn verify_by(
        &self,
        authority: &'a Authority,
        means: Means<'_>,
    ) -> Result<Vec<VerifiedPath<'a>>> {
        let crypto = means.crypto;
        let certificate = self.certificate(authority, crypto)?;
        self.ess.inspect_signer(&certificate, crypto)?;
        self.verify_signature(&certificate, crypto)?;
        let at = self.info.gen_time.seconds;
        if !authority.window.contains(at) {
            return Err(Finding::new(FindingCode::TIMESTAMP_WINDOW)
                .about(certificate.subject_text())
                .expected(format!("{}", authority.window))
                .found(format!("{}", self.info.gen_time)));
        }
        let intermediates: Vec<&[u8]> = authority
            .intermediates()
            .chain(self.signed_data.certificates.iter().copied())
            .collect();
        let anchors: Vec<&[u8]> = authority.anchors().collect();
        let purpose = Purpose::TimeStamping;
        let paths = path::verify_all_by(means, &certificate, &intermediates, &anchors, at, purpose)
            .map_err(|finding| self.path_finding(finding))?;
        // RFC 5035 §5.4: further certificates in the attribute limit the paths that may be used.
        let mut refused = None;
        let fitting: Vec<_> = paths
            .into_iter()
            .filter(|path| match self.ess.inspect_path(path, crypto) {
                Ok(()) => true,
                Err(finding) => {
                    refused.get_or_insert(finding);
                    false
                }
            })
            .collect();
        match refused {
            Some(finding) if fitting.is_empty() => Err(finding),
            _ => Ok(fitting),
        }
    }

    /// The certificates in a token are not signed with it. A copy of one on the path that is not
    /// the same proves nothing against the time, but that somebody changed the token; unless its
    /// issuer gave one number to two certificates, of which the signed attributes name the other.
    fn inspect_copies(&self, path: &VerifiedPath<'_>, crypto: &dyn CryptoProvider) -> Result<()> {
        let issuer = path.links().next().map(VerifiedLink::issuer);
        for raw in &self.signed_data.certificates {
            let copy = Certificate::decode(raw).map_err(|error| malformed(&error))?;
            let original = path.certificates().find(|original| {
                name::equal(original.issuer, copy.issuer) && original.serial == copy.serial
            });
            let twin = |original: &Certificate<'_>| {
                original.raw == path.leaf().raw
                    && issuer.is_some_and(|issuer| copy.is_signed_by(issuer, crypto))
            };
            if original.is_some_and(|original| original.raw != copy.raw && !twin(original)) {
                return Err(Finding::new(FindingCode::TIMESTAMP_MALFORMED)
                    .about(copy.subject_text())
                    .expected("the certificate of that number")
                    .found("another one with the same number"));
            }
        }
        Ok(())
    }

    fn path_finding(&self, finding: Finding) -> Finding {
        match finding.code {
            FindingCode::CERTIFICATE_UNKNOWN_ISSUER => self.not_trusted(),
            FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED
            | FindingCode::CERTIFICATE_NOT_YET_VALID => {
                Finding { code: FindingCode::TIMESTAMP_OUTSIDE_VALIDITY, ..finding }
            }
            _ => finding,
        }
    }

    /// The signer's certificate: the authority's own leaf if the trust root pins one, else the
    /// one in the token or among the authority's. Where several have the issuer and serial number
    /// that the signer is named by, it is the one that the signed attributes name.
    fn certificate(
        &self,
        authority: &'a Authority,
        crypto: &dyn CryptoProvider,
    ) -> Result<Certificate<'a>> {
        let embedded = self.signed_data.certificates.iter().copied();
        let pinned = authority.pinned_leaf();
        let candidates: Vec<&'a [u8]> = match pinned {
            Some(leaf) => vec![leaf],
            None => embedded.chain(authority.certificates()).collect(),
        };
        let mut first = None;
        for certificate in candidates.into_iter().filter_map(|raw| Certificate::decode(raw).ok()) {
            if !self.is_named(&certificate) {
                continue;
            }
            if self.ess.inspect_signer(&certificate, crypto).is_ok() {
                return Ok(certificate);
            }
            first = first.or(Some(certificate));
        }
        first.ok_or_else(|| self.not_trusted())
    }

    fn is_named(&self, certificate: &Certificate<'_>) -> bool {
        match self.signer.identifier {
            SignerIdentifier::IssuerAndSerial { issuer, serial } => {
                name::equal(certificate.issuer, issuer) && certificate.serial == serial
            }
            SignerIdentifier::SubjectKeyIdentifier(key) => {
                certificate.extensions.subject_key_identifier == Some(key)
            }
        }
    }

    fn verify_signature(
        &self,
        certificate: &Certificate<'_>,
        crypto: &dyn CryptoProvider,
    ) -> Result<()> {
        let key = certificate.public_key;
        let scheme = SignatureScheme::of_signer_info(
            key.algorithm,
            &self.signer.signature_algorithm,
            self.digest_algorithm,
        );
        if !key.algorithm.is_acceptable() {
            return Err(Finding::new(FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED)
                .about(certificate.subject_text())
                .expected(KeyAlgorithm::ACCEPTABLE)
                .found(key.algorithm.text()));
        }
        let scheme = scheme.ok_or_else(|| {
            Finding::new(FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED)
                .about("the timestamp's signatureAlgorithm")
                .expected(format!("{} with {}", key.algorithm.text(), self.digest_algorithm))
                .found(algorithm_text(&self.signer.signature_algorithm))
        })?;
        let holds = |octets: &Vec<u8>| {
            crypto.verify(scheme, key.bits, octets, self.signer.signature).is_ok()
        };
        if self.signed_octets.iter().any(holds) {
            return Ok(());
        }
        Err(Finding::new(FindingCode::TIMESTAMP_SIGNATURE).about(certificate.subject_text()))
    }

    /// §2.4.2: tsa, where present, "MUST correspond to one of the subject names included in the
    /// certificate".
    fn inspect_tsa_name(&self, certificate: &Certificate<'_>) -> Result<()> {
        let Some(tsa) = self.info.tsa else { return Ok(()) };
        let is_subject =
            matches!(tsa, GeneralName::Directory(tsa) if name::equal(tsa, certificate.subject));
        if is_subject || certificate.extensions.subject_alt_names.contains(&tsa) {
            return Ok(());
        }
        Err(Finding::new(FindingCode::TIMESTAMP_TSA_NAME)
            .expected(certificate.subject_text())
            .found(tsa.text()))
    }
}
