//! One question: what a CRL or an OCSP response says of this certificate, and whether it may say so.

use alloc::{format, string::String, vec::Vec};

use super::{Freshness, Known};
use crate::{
    crl::{CertificateList, Covers, ReasonFlags, RevocationReason, RevokedEntry},
    crypto::CryptoProvider,
    digest::{HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    limits,
    ocsp::{BasicResponse, CertificateStatus, ResponderId, SingleResponse},
    oid,
    policy::Revocation,
    time::UnixSeconds,
    x509::{Certificate, KeyUsage, VerifiedLink, name},
};

/// This certificate by this issuer, under these rules, now.
#[derive(Clone, Copy)]
pub(super) struct Question<'c, 'a> {
    pub(super) link: VerifiedLink<'c, 'a>,
    pub(super) rules: &'c Revocation,
    pub(super) crypto: &'c dyn CryptoProvider,
    pub(super) now: UnixSeconds,
}

/// What evidence without nextUpdate is worth, if the policy does not say how old it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unlimited {
    /// RFC 5280 §5.1.2.5 demands nextUpdate in CRLs.
    NeverFresh,
    /// Fresh for so many seconds from its thisUpdate.
    FreshFor(i64),
}

impl<'a> Question<'_, 'a> {
    fn about(&self, code: FindingCode) -> Finding {
        Finding::new(code).about(self.link.certificate().subject_text())
    }

    pub(super) fn verify_crl(&self, crl: &CertificateList<'_>) -> Result<(), Finding> {
        // RFC 5280 §6.3.3 (f): the issuer's keyUsage, if present, has cRLSign.
        let key_usage = self.link.issuer().extensions.key_usage;
        if key_usage.is_some_and(|(_, usage)| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(Finding::new(FindingCode::CRL_NOT_AUTHORISED)
                .about(self.link.issuer().subject_text())
                .expected("cRLSign"));
        }
        let signed = self.link.issuer().public_key.verifies(
            self.crypto,
            &crl.signature_algorithm,
            crl.tbs,
            crl.signature,
        );
        if signed {
            return Ok(());
        }
        Err(Finding::new(FindingCode::CRL_SIGNATURE).about(self.link.issuer().subject_text()))
    }

    /// What a verified CRL says, with a delta laid over it.
    pub(super) fn read_crl(
        &self,
        crl: &CertificateList<'_>,
        delta: Option<&CertificateList<'_>>,
    ) -> Result<Known, Finding> {
        self.inspect_crl(crl)?;
        let mut entry = self.entry(crl)?;
        let mut latest = crl;
        let mut covered = self.crl_covers(crl);
        if let Some(delta) = delta {
            self.inspect_crl(delta)?;
            if let Some(change) = self.entry(delta)? {
                // §5.3.1: removeFromCRL lifts a suspension. It also stands for certificates that
                // expired, whose revocation stays.
                let final_before =
                    entry.is_some_and(|before| before.reason != RevocationReason::CertificateHold);
                entry = match change.reason {
                    RevocationReason::RemoveFromCrl if final_before => entry,
                    RevocationReason::RemoveFromCrl => None,
                    _ => Some(change),
                };
            }
            latest = delta;
            covered = covered.and_then(|()| self.crl_covers(delta));
        }
        // Off the list says nothing once the issuer may drop it; on the list says it always.
        if entry.is_none() {
            covered?;
        }
        let freshness =
            self.freshness(latest.this_update, latest.next_update, Unlimited::NeverFresh)?;
        let revoked = entry.map(|entry| (entry.reason, entry.effective_date()));
        Ok(Known { revoked, as_of: latest.this_update, freshness })
    }

    fn crl_covers(&self, crl: &CertificateList<'_>) -> Result<(), Finding> {
        self.covers(crl.this_update, crl.extensions.expired_certificates_since, "expiredCertsOnCRL")
    }

    /// RFC 5280 §3.3, ETSI EN 319 102-1 §5.2.5: authorities may forget a certificate that has
    /// expired. What was said afterwards covers it only if `cutoff` says so.
    fn covers(
        &self,
        said_at: UnixSeconds,
        cutoff: Option<UnixSeconds>,
        extension: &str,
    ) -> Result<(), Finding> {
        let not_after = self.link.certificate().not_after;
        if said_at <= not_after || cutoff.is_some_and(|cutoff| cutoff <= not_after) {
            return Ok(());
        }
        let cutoff = match cutoff {
            Some(cutoff) => format!("{extension} {cutoff}"),
            None => format!("no {extension}"),
        };
        Err(self
            .about(FindingCode::REVOCATION_AFTER_EXPIRY)
            .expected(format!(
                "evidence from until {not_after}, or {extension} not later than that"
            ))
            .found(format!("of {said_at}, {cutoff}")))
    }

    /// RFC 5280 §6.3.3 (d): the reasons that a list covers, by its own word and by that of the
    /// certificate's distribution points: each is for its own reasons. A list that names no point
    /// may be that of any: of one for all reasons if there is one, else it covers what all share.
    pub(super) fn reasons(&self, crl: &CertificateList<'_>) -> ReasonFlags {
        let points = &self.link.certificate().extensions.crl_distribution_points;
        let named = crl.extensions.issuing_distribution_point.as_ref().map(|(_, point)| point);
        let of_points = match named.filter(|point| point.is_named) {
            Some(named) => points
                .iter()
                .filter(|point| {
                    named.urls.iter().any(|url| point.urls.contains(url))
                        || named
                            .directory_names
                            .iter()
                            .any(|name| point.directory_names.contains(name))
                })
                .fold(ReasonFlags::default(), |all, point| all.with(point.reasons)),
            None if points.iter().any(|point| point.reasons.is_complete()) => ReasonFlags::ALL,
            None => {
                points.iter().fold(ReasonFlags::ALL, |all, point| all.shared_with(point.reasons))
            }
        };
        crl.reasons().shared_with(of_points)
    }

    fn entry<'e>(&self, crl: &CertificateList<'e>) -> Result<Option<RevokedEntry<'e>>, Finding> {
        crl.find(self.link.certificate().serial)
            .map_err(|error| Finding::new(FindingCode::CRL_MALFORMED).found(format!("{error}")))
    }

    /// RFC 5280 §5.2, §6.3.3 (b): no rule in it that we do not know, and it covers the certificate.
    fn inspect_crl(&self, crl: &CertificateList<'_>) -> Result<(), Finding> {
        let unknown = match crl.extensions.unknown_critical {
            Some(id) => Ok(Some(id)),
            None => crl.unknown_critical_entry_extension(),
        };
        match unknown {
            Ok(None) => {}
            Ok(Some(id)) => {
                return Err(Finding::new(FindingCode::CRL_EXTENSION).found(format!("{id}")));
            }
            Err(error) => {
                return Err(Finding::new(FindingCode::CRL_MALFORMED).found(format!("{error}")));
            }
        }
        let Some((_, point)) = &crl.extensions.issuing_distribution_point else { return Ok(()) };
        let outside = |found: &str| {
            Err(self.about(FindingCode::CRL_SCOPE).expected("a CRL that covers it").found(found))
        };
        let is_ca = self.link.certificate().extensions.is_ca();
        if point.indirect {
            return outside("an indirect CRL, which is not supported");
        }
        match (point.covers, is_ca) {
            (Covers::All, _)
            | (Covers::UserCertificates, false)
            | (Covers::CaCertificates, true) => {}
            (Covers::AttributeCertificates, _) => {
                return outside("a CRL for attribute certificates");
            }
            (Covers::UserCertificates, true) => {
                return outside("a CRL for end-entity certificates");
            }
            (Covers::CaCertificates, false) => return outside("a CRL for CA certificates"),
        }
        let extensions = &self.link.certificate().extensions;
        let (urls, directory_names) = (&extensions.crl_urls, &extensions.crl_directory_names);
        let is_named = point.urls.iter().any(|url| urls.contains(url))
            || point.directory_names.iter().any(|name| directory_names.contains(name));
        if point.is_named && !is_named {
            let directories = point.directory_names.iter().map(|name| name::text(name));
            let names: Vec<String> =
                point.urls.iter().map(|url| String::from(*url)).chain(directories).collect();
            return outside(&names.join(", "));
        }
        Ok(())
    }

    fn freshness(
        &self,
        this_update: UnixSeconds,
        next_update: Option<UnixSeconds>,
        unlimited: Unlimited,
    ) -> Result<Freshness, Finding> {
        if this_update > self.now.plus_seconds(limits::CLOCK_SKEW_SECONDS) {
            return Err(self
                .about(FindingCode::REVOCATION_STALE)
                .expected("thisUpdate not in the future")
                .found(format!("{this_update}")));
        }
        let age = self.now.seconds_since(this_update);
        let limit = self.rules.max_age_seconds.map(i64::from);
        let is_young = |limit: i64| age <= limit;
        // Evidence without an end must not be believed for ever.
        let is_current = match (next_update, limit, unlimited) {
            (Some(next), limit, _) => self.now < next && limit.is_none_or(is_young),
            (None, Some(limit), _) => is_young(limit),
            (None, None, Unlimited::FreshFor(seconds)) => is_young(seconds),
            (None, None, Unlimited::NeverFresh) => false,
        };
        let not_after = self.link.certificate().not_after;
        Ok(if is_current {
            Freshness::Fresh
        } else if this_update <= not_after && not_after < self.now {
            Freshness::LastKnown
        } else if next_update.is_none() && limit.is_none() && unlimited == Unlimited::NeverFresh {
            Freshness::Endless
        } else {
            Freshness::Stale
        })
    }

    /// What a response says whose responder was verified; good answers of a delegate count as
    /// fresh until its certificate ends.
    pub(super) fn read_ocsp(
        &self,
        basic: &BasicResponse<'_>,
        single: &SingleResponse<'_>,
        delegate: Option<&Certificate<'_>>,
    ) -> Result<Known, Finding> {
        if let Some(id) = basic.unknown_critical {
            return Err(Finding::new(FindingCode::OCSP_EXTENSION).found(format!("{id}")));
        }
        // RFC 6960 §4.2.2.1: without nextUpdate, newer information is available all the time.
        let unlimited = Unlimited::FreshFor(limits::OCSP_WITHOUT_NEXT_UPDATE_SECONDS);
        let mut freshness = self.freshness(single.this_update, single.next_update, unlimited)?;
        // Whoever has the key of an expired delegate may date an answer back and let it run on.
        if delegate.is_some_and(|delegate| self.now > delegate.not_after) {
            freshness = Freshness::Stale;
        }
        let revoked = match single.status {
            CertificateStatus::Good => {
                let said_at = basic.produced_at.max(single.this_update);
                self.covers(said_at, single.archive_cutoff, "archiveCutoff")?;
                None
            }
            CertificateStatus::Revoked { revocation_time, reason } => {
                let date = single
                    .invalidity_date
                    .map_or(revocation_time, |date| date.min(revocation_time));
                // What was never issued is revoked for good: no later answer lifts it as it does a
                // suspension.
                let dated = CertificateStatus::Revoked { revocation_time: date, reason };
                let never_issued = dated == CertificateStatus::NEVER_ISSUED;
                Some((if never_issued { RevocationReason::Unspecified } else { reason }, date))
            }
            CertificateStatus::Unknown => return Err(self.about(FindingCode::REVOCATION_UNKNOWN)),
        };
        Ok(Known { revoked, as_of: single.this_update, freshness })
    }

    /// RFC 6960 §4.2.2.2: the issuer itself signed, or one that it directly issued a certificate
    /// for OCSP signing; that delegate is given back, its revocation not looked at.
    pub(super) fn verify_responder(
        &self,
        basic: &BasicResponse<'a>,
        single: &SingleResponse<'_>,
    ) -> Result<Option<Certificate<'a>>, Finding> {
        let verifies = |signer: &Certificate<'_>| {
            let key = signer.public_key;
            let holds =
                key.verifies(self.crypto, &basic.signature_algorithm, basic.tbs, basic.signature);
            holds.then_some(()).ok_or_else(|| self.about(FindingCode::OCSP_SIGNATURE))
        };
        if self.is_named(basic, self.link.issuer()) {
            return verifies(self.link.issuer()).map(|()| None);
        }
        let mut delegates =
            basic.certificates.iter().filter_map(|raw| Certificate::decode(raw).ok());
        let Some(delegate) = delegates.find(|each| self.is_named(basic, each)) else {
            return Err(self
                .about(FindingCode::OCSP_NOT_AUTHORISED)
                .expected("a signature by the issuer or its delegate"));
        };
        self.inspect_delegate(&delegate, &[basic.produced_at, single.this_update])?;
        verifies(&delegate).map(|()| Some(delegate))
    }

    fn is_named(&self, basic: &BasicResponse<'_>, certificate: &Certificate<'_>) -> bool {
        match basic.responder {
            ResponderId::ByName(name) => crate::x509::name::equal(name, certificate.subject),
            ResponderId::ByKey(hash) => {
                let key = certificate.public_key.bits;
                digest(self.crypto, HashAlgorithm::Sha1, key).octets() == hash
            }
        }
    }

    fn inspect_delegate(
        &self,
        delegate: &Certificate<'_>,
        times: &[UnixSeconds],
    ) -> Result<(), Finding> {
        let refused = |expected: &str, found: &str| {
            Err(Finding::new(FindingCode::OCSP_NOT_AUTHORISED)
                .about(delegate.subject_text())
                .expected(expected)
                .found(found))
        };
        let usages = delegate.extensions.extended_key_usage.as_ref();
        if !usages.is_some_and(|(_, usages)| usages.contains(oid::KP_OCSP_SIGNING)) {
            return refused("extKeyUsage OCSPSigning", "none");
        }
        let key_usage = delegate.extensions.key_usage;
        if key_usage.is_some_and(|(_, usage)| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
            return refused("keyUsage digitalSignature", "none");
        }
        // RFC 5280 §4.2: a critical extension that is not recognised rejects the certificate.
        if let Some(id) = delegate.extensions.unknown_critical() {
            return refused("no critical extension that is not known", &format!("{id}"));
        }
        if !delegate.is_signed_by(self.link.issuer(), self.crypto) {
            return refused("issued by the certificate's own issuer", "another issuer");
        }
        match times.iter().find(|time| !delegate.is_valid_at(**time)) {
            Some(time) => refused("valid when the response was made", &format!("{time}")),
            None => Ok(()),
        }
    }
}
