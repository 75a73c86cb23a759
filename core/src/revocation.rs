//! Revocation: what the evidence says of a certificate, and what follows from it.
//!
//! [`decide`] is the decision table of `docs/revocation.md` and nothing else: revocation respects
//! proven time. [`RevocationEvidence`] holds CRLs and OCSP responses and finds what they say about one
//! certificate; each is believed only when its issuer, or a delegate directly issued by it,
//! signed it, and only for what it covers.

use alloc::{format, string::String, vec::Vec};

use crate::{
    crl::{CertificateList, Covers, RevocationReason, RevokedEntry},
    crypto::CryptoProvider,
    digest::{HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    limits,
    ocsp::{BasicResponse, CertificateStatus, OcspResponse, ResponderId, SingleResponse},
    oid,
    policy::{Compromise, Revocation, RevocationMode},
    time::{ProvenTime, UnixSeconds},
    x509::{Certificate, KeyUsage},
};

/// Whether evidence is recent enough for a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Before its nextUpdate, and not older than the policy allows.
    Fresh,
    /// Out of date.
    Stale,
}

/// What authentic evidence says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether, why and since when it is revoked.
    pub revoked: Option<(RevocationReason, UnixSeconds)>,
    /// thisUpdate of the evidence.
    pub as_of: UnixSeconds,
    /// Whether the evidence is recent.
    pub freshness: Freshness,
}

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The signer's.
    Signer,
    /// A CA's above the signer.
    Authority,
    /// A timestamp authority's, or a CA's above it.
    TimestampAuthority,
}

impl Subject {
    /// The policy's mode for it.
    pub fn mode(self, rules: &Revocation) -> RevocationMode {
        match self {
            Self::Signer => rules.signer,
            Self::Authority => rules.authorities,
            Self::TimestampAuthority => rules.timestamp_authorities,
        }
    }
}

/// The decision table: what follows from what is known, given the time by which the signature
/// certainly existed. Findings of class note or warning leave a pass; none at all is a clean one.
pub fn decide(
    known: &Known,
    subject: Subject,
    signed_by: Option<ProvenTime>,
    rules: &Revocation,
    now: UnixSeconds,
) -> Vec<Finding> {
    let Some((reason, date)) = known.revoked else {
        return decide_age(known, signed_by, rules, now).into_iter().collect();
    };
    let facts = |code: FindingCode| {
        let signed = signed_by.map(|time| format!(", signed by {}", time.time()));
        let signed = signed.unwrap_or_else(|| String::from(", no proven time of signing"));
        Finding::new(code).found(format!("{} since {date}{signed}", reason.name()))
    };
    let before = signed_by.is_some_and(|time| time.time() < date);
    if subject == Subject::TimestampAuthority {
        // Whoever holds the authority's key can date a token back, so no date saves it.
        let key_lost = is_compromise(reason);
        if key_lost || !before {
            return alloc::vec![facts(FindingCode::TimestampAuthorityRevoked)];
        }
        return decide_age(known, signed_by, rules, now).into_iter().collect();
    }
    if !before {
        return alloc::vec![facts(match (subject, reason) {
            (_, RevocationReason::CertificateHold) => FindingCode::RevokedOnHold,
            (Subject::Authority, _) => FindingCode::RevokedAuthority,
            _ => FindingCode::Revoked,
        })];
    }
    if is_compromise(reason) && rules.compromise == Compromise::Reject {
        return alloc::vec![facts(FindingCode::RevokedCompromiseStrict)];
    }
    // From here on it passes, so what is known must be recent.
    let aged = decide_age(known, signed_by, rules, now);
    let passing = facts(match (is_compromise(reason), subject) {
        (true, Subject::Authority) => FindingCode::AuthorityCompromisedAfterSigning,
        (true, _) => FindingCode::CompromisedAfterSigning,
        (false, _) => FindingCode::RevokedAfterSigning,
    });
    aged.into_iter().chain(core::iter::once(passing)).collect()
}

/// Reasons after which the key may be in other hands, or of which nothing better is known.
fn is_compromise(reason: RevocationReason) -> bool {
    match reason {
        RevocationReason::KeyCompromise
        | RevocationReason::CaCompromise
        | RevocationReason::AaCompromise
        | RevocationReason::Unspecified
        | RevocationReason::RemoveFromCrl
        | RevocationReason::PrivilegeWithdrawn => true,
        RevocationReason::Superseded
        | RevocationReason::CessationOfOperation
        | RevocationReason::AffiliationChanged
        | RevocationReason::CertificateHold => false,
    }
}

/// Stale evidence passes only where the policy allows offline use, within its maximum age, and
/// only if it was made long enough after the timestamp.
fn decide_age(
    known: &Known,
    signed_by: Option<ProvenTime>,
    rules: &Revocation,
    now: UnixSeconds,
) -> Option<Finding> {
    if known.freshness == Freshness::Fresh {
        return None;
    }
    let facts = |code: FindingCode| Finding::new(code).found(format!("as of {}", known.as_of));
    let allowed = rules.offline.zip(signed_by).is_some_and(|(offline, time)| {
        let made_after = time.time().plus_seconds(i64::from(offline.grace_seconds));
        known.as_of >= made_after
            && now.seconds_since(known.as_of) <= i64::from(offline.max_age_seconds)
    });
    Some(facts(if allowed { FindingCode::StaleAccepted } else { FindingCode::RevocationStale }))
}

/// CRLs and OCSP responses, decoded once.
pub struct RevocationEvidence<'a> {
    crls: Vec<CertificateList<'a>>,
    ocsp: Vec<BasicResponse<'a>>,
    faults: Vec<Finding>,
    /// Which CRL was already checked against which issuer's key, and how it went.
    checked: Vec<(usize, &'a [u8], Result<(), Finding>)>,
}

/// What evidence says of one certificate, and which pieces of it could not be used.
#[derive(Debug)]
pub struct Standing {
    /// What is known, if anything is.
    pub known: Option<Known>,
    /// Why other evidence that seemed to be about the certificate was not used.
    pub faults: Vec<Finding>,
}

impl<'a> RevocationEvidence<'a> {
    /// Decodes what was handed in; what cannot be decoded is remembered as a fault.
    ///
    /// # Errors
    /// `revocation.too-large` when there is more than is looked at.
    pub fn decode(crls: &[&'a [u8]], ocsp_responses: &[&'a [u8]]) -> Result<Self, Finding> {
        if crls.len() > limits::CRLS || ocsp_responses.len() > limits::OCSP_RESPONSES {
            return Err(Finding::new(FindingCode::EvidenceTooLarge).found(format!(
                "{} CRLs, {} OCSP responses",
                crls.len(),
                ocsp_responses.len()
            )));
        }
        let mut evidence =
            Self { crls: Vec::new(), ocsp: Vec::new(), faults: Vec::new(), checked: Vec::new() };
        for bytes in crls {
            match CertificateList::decode(bytes) {
                Ok(crl) => evidence.crls.push(crl),
                Err(error) => evidence
                    .faults
                    .push(Finding::new(FindingCode::CrlMalformed).found(format!("{error}"))),
            }
        }
        for bytes in ocsp_responses {
            match OcspResponse::decode(bytes) {
                Ok(OcspResponse { basic: Some(basic), .. }) => evidence.ocsp.push(basic),
                Ok(response) => evidence
                    .faults
                    .push(Finding::new(FindingCode::OcspRefused).found(response.status.name())),
                Err(error) => evidence
                    .faults
                    .push(Finding::new(FindingCode::OcspMalformed).found(format!("{error}"))),
            }
        }
        Ok(evidence)
    }

    /// What the evidence says of `certificate`, which `issuer` verifiedly issued.
    pub fn standing(
        &mut self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'a>,
        rules: &Revocation,
        crypto: &dyn CryptoProvider,
        now: UnixSeconds,
    ) -> Standing {
        let mut collected = Collected { known: Vec::new(), faults: self.faults.clone() };
        let context = Context { certificate, issuer, rules, crypto, now };
        self.collect_crls(&context, &mut collected);
        self.collect_ocsp(&context, &mut collected);
        Standing { known: most_telling(&collected.known), faults: collected.faults }
    }

    fn collect_crls(&mut self, context: &Context<'_, 'a>, collected: &mut Collected) {
        for index in 0..self.crls.len() {
            let Some(crl) = self.crls.get(index).cloned() else { continue };
            if crl.issuer != context.certificate.issuer || crl.extensions.delta_base.is_some() {
                continue;
            }
            let outcome = self.usable(index, &crl, context).and_then(|()| {
                let delta = self.delta_for(&crl, context);
                context.read_crl(&crl, delta.as_ref())
            });
            collected.take(outcome);
        }
    }

    /// The newest usable delta for that base (RFC 5280 §5.2.4).
    fn delta_for(
        &mut self,
        base: &CertificateList<'a>,
        context: &Context<'_, 'a>,
    ) -> Option<CertificateList<'a>> {
        let mut newest: Option<CertificateList<'a>> = None;
        for index in 0..self.crls.len() {
            let Some(delta) = self.crls.get(index).cloned() else { continue };
            let fits = delta.issuer == base.issuer
                && is_delta_for(&delta, base)
                && newest.as_ref().is_none_or(|other| other.this_update < delta.this_update);
            if fits && self.usable(index, &delta, context).is_ok() {
                newest = Some(delta);
            }
        }
        newest
    }

    /// Whether the CRL was signed by the issuer, who may sign CRLs; remembered.
    fn usable(
        &mut self,
        index: usize,
        crl: &CertificateList<'a>,
        context: &Context<'_, 'a>,
    ) -> Result<(), Finding> {
        let key = context.issuer.public_key.raw;
        let earlier = self.checked.iter().find(|(at, with, _)| *at == index && *with == key);
        if let Some((_, _, outcome)) = earlier {
            return outcome.clone();
        }
        let outcome = context.verify_crl(crl);
        self.checked.push((index, key, outcome.clone()));
        outcome
    }

    fn collect_ocsp(&self, context: &Context<'_, 'a>, collected: &mut Collected) {
        for basic in &self.ocsp {
            for single in &basic.responses {
                let id = &single.certificate;
                if id.serial == context.certificate.serial
                    && id.is_issued_by(context.issuer, context.crypto)
                {
                    collected.take(context.read_ocsp(basic, single, &self.crls));
                }
            }
        }
    }
}

/// Known facts and faults as they come in.
struct Collected {
    known: Vec<Known>,
    faults: Vec<Finding>,
}

impl Collected {
    fn take(&mut self, outcome: Result<Known, Finding>) {
        match outcome {
            Ok(known) => self.known.push(known),
            Err(finding) => self.faults.push(finding),
        }
    }
}

/// The newest that says "revoked" for good, else the newest of all: a revocation is not undone
/// by older or contradicting evidence, only a suspension is lifted by newer.
fn most_telling(known: &[Known]) -> Option<Known> {
    let is_final = |each: &&Known| {
        each.revoked.is_some_and(|(reason, _)| reason != RevocationReason::CertificateHold)
    };
    let order = |each: &&Known| (each.as_of, each.revoked.is_some());
    known
        .iter()
        .filter(is_final)
        .max_by_key(order)
        .or_else(|| known.iter().max_by_key(order))
        .copied()
}

/// RFC 5280 §5.2.4: same scope, `BaseCRLNumber` ≤ base < delta.
fn is_delta_for(delta: &CertificateList<'_>, base: &CertificateList<'_>) -> bool {
    let scope = |crl: &CertificateList<'_>| {
        crl.extensions.issuing_distribution_point.as_ref().map(|(_, point)| format!("{point:?}"))
    };
    let numbers = (delta.extensions.delta_base, base.extensions.number, delta.extensions.number);
    let (Some(from), Some(base_number), Some(number)) = numbers else { return false };
    let not_above = |low: &[u8], high: &[u8]| (low.len(), low) <= (high.len(), high);
    scope(delta) == scope(base)
        && not_above(from, base_number)
        && not_above(base_number, number)
        && base_number != number
}

/// One question: this certificate, this issuer, under these rules, now.
struct Context<'c, 'a> {
    certificate: &'c Certificate<'c>,
    issuer: &'c Certificate<'a>,
    rules: &'c Revocation,
    crypto: &'c dyn CryptoProvider,
    now: UnixSeconds,
}

impl Context<'_, '_> {
    fn about(&self, code: FindingCode) -> Finding {
        Finding::new(code).about(self.certificate.subject_text())
    }

    fn verify_crl(&self, crl: &CertificateList<'_>) -> Result<(), Finding> {
        // RFC 5280 §6.3.3 (f): the issuer's keyUsage, if present, has cRLSign.
        let key_usage = self.issuer.extensions.key_usage;
        if key_usage.is_some_and(|(_, usage)| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(Finding::new(FindingCode::CrlNotAuthorised)
                .about(self.issuer.subject_text())
                .expected("cRLSign"));
        }
        let signed = self.issuer.public_key.verifies(
            self.crypto,
            &crl.signature_algorithm,
            crl.tbs,
            crl.signature,
        );
        if signed {
            return Ok(());
        }
        Err(Finding::new(FindingCode::CrlSignature).about(self.issuer.subject_text()))
    }

    /// What a verified CRL says, with a delta laid over it.
    fn read_crl(
        &self,
        crl: &CertificateList<'_>,
        delta: Option<&CertificateList<'_>>,
    ) -> Result<Known, Finding> {
        self.inspect_crl(crl)?;
        let mut entry = self.entry(crl)?;
        let mut latest = crl;
        if let Some(delta) = delta {
            self.inspect_crl(delta)?;
            if let Some(change) = self.entry(delta)? {
                let lifted = change.reason == RevocationReason::RemoveFromCrl;
                entry = (!lifted).then_some(change);
            }
            latest = delta;
        }
        let freshness = self.freshness(latest.this_update, latest.next_update)?;
        let revoked = entry.map(|entry| (entry.reason, entry.effective_date()));
        Ok(Known { revoked, as_of: latest.this_update, freshness })
    }

    fn entry<'e>(&self, crl: &CertificateList<'e>) -> Result<Option<RevokedEntry<'e>>, Finding> {
        crl.find(self.certificate.serial)
            .map_err(|error| Finding::new(FindingCode::CrlMalformed).found(format!("{error}")))
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
                return Err(Finding::new(FindingCode::CrlExtension).found(format!("{id}")));
            }
            Err(error) => {
                return Err(Finding::new(FindingCode::CrlMalformed).found(format!("{error}")));
            }
        }
        let Some((_, point)) = &crl.extensions.issuing_distribution_point else { return Ok(()) };
        let outside = |found: &str| {
            Err(self.about(FindingCode::CrlScope).expected("a CRL that covers it").found(found))
        };
        let is_ca = self.certificate.extensions.is_ca();
        if point.indirect {
            return outside("an indirect CRL, which is not supported");
        }
        if point.only_some_reasons {
            return outside("a CRL for some reasons only, which is not supported");
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
        let urls = &self.certificate.extensions.crl_urls;
        if point.is_named && !point.urls.iter().any(|url| urls.contains(url)) {
            return outside(&point.urls.join(", "));
        }
        Ok(())
    }

    fn freshness(
        &self,
        this_update: UnixSeconds,
        next_update: Option<UnixSeconds>,
    ) -> Result<Freshness, Finding> {
        let unusable = |expected: &str, found: String| {
            Err(self.about(FindingCode::RevocationStale).expected(expected).found(found))
        };
        // Evidence without an end would be believed for ever.
        let Some(next_update) = next_update else {
            return unusable("nextUpdate", String::from("none"));
        };
        if this_update > self.now.plus_seconds(limits::CLOCK_SKEW_SECONDS) {
            return unusable("thisUpdate not in the future", format!("{this_update}"));
        }
        let age = self.now.seconds_since(this_update);
        let too_old = self.rules.max_age_seconds.is_some_and(|limit| age > i64::from(limit));
        let current = self.now < next_update && !too_old;
        Ok(if current { Freshness::Fresh } else { Freshness::Stale })
    }

    fn read_ocsp(
        &self,
        basic: &BasicResponse<'_>,
        single: &SingleResponse<'_>,
        crls: &[CertificateList<'_>],
    ) -> Result<Known, Finding> {
        self.verify_ocsp(basic, crls)?;
        if let Some(id) = basic.unknown_critical {
            return Err(Finding::new(FindingCode::OcspExtension).found(format!("{id}")));
        }
        let freshness = self.freshness(single.this_update, single.next_update)?;
        let revoked = match single.status {
            CertificateStatus::Good => None,
            CertificateStatus::Revoked { revocation_time, reason } => {
                let date = single
                    .invalidity_date
                    .map_or(revocation_time, |date| date.min(revocation_time));
                // RFC 6960 §2.2: "on hold since 1970" says that it was never issued, which no later
                // answer lifts.
                let never_issued =
                    reason == RevocationReason::CertificateHold && date.seconds() == 0;
                Some((if never_issued { RevocationReason::Unspecified } else { reason }, date))
            }
            CertificateStatus::Unknown => return Err(self.about(FindingCode::RevocationUnknown)),
        };
        Ok(Known { revoked, as_of: single.this_update, freshness })
    }

    /// RFC 6960 §4.2.2.2: the issuer itself signed, or one that it directly issued a certificate
    /// for OCSP signing.
    fn verify_ocsp(
        &self,
        basic: &BasicResponse<'_>,
        crls: &[CertificateList<'_>],
    ) -> Result<(), Finding> {
        let verifies = |signer: &Certificate<'_>| {
            signer.public_key.verifies(
                self.crypto,
                &basic.signature_algorithm,
                basic.tbs,
                basic.signature,
            )
        };
        let bad_signature = || self.about(FindingCode::OcspSignature);
        if self.is_named(basic, self.issuer) {
            return verifies(self.issuer).then_some(()).ok_or_else(bad_signature);
        }
        let delegates = basic.certificates.iter().filter_map(|raw| Certificate::decode(raw).ok());
        let Some(delegate) = delegates.into_iter().find(|each| self.is_named(basic, each)) else {
            return Err(self
                .about(FindingCode::OcspNotAuthorised)
                .expected("a signature by the issuer or its delegate"));
        };
        self.inspect_delegate(&delegate, basic.produced_at, crls)?;
        verifies(&delegate).then_some(()).ok_or_else(bad_signature)
    }

    fn is_named(&self, basic: &BasicResponse<'_>, certificate: &Certificate<'_>) -> bool {
        match basic.responder {
            ResponderId::ByName(name) => name == certificate.subject,
            ResponderId::ByKey(hash) => {
                digest(self.crypto, HashAlgorithm::Sha1, certificate.public_key.bits).octets()
                    == hash
            }
        }
    }

    fn inspect_delegate(
        &self,
        delegate: &Certificate<'_>,
        at: UnixSeconds,
        crls: &[CertificateList<'_>],
    ) -> Result<(), Finding> {
        let refused = |expected: &str, found: &str| {
            Err(Finding::new(FindingCode::OcspNotAuthorised)
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
        if !delegate.is_signed_by(self.issuer, self.crypto) {
            return refused("issued by the certificate's own issuer", "another issuer");
        }
        if !delegate.is_valid_at(at) {
            return refused("valid when the response was made", &format!("{at}"));
        }
        if delegate.extensions.ocsp_no_check {
            return Ok(());
        }
        // §4.2.2.2.1: without nocheck the delegate's own revocation is looked up, here in the CRLs.
        let about_delegate = Context { certificate: delegate, ..*self };
        let clear = crls.iter().filter(|crl| crl.issuer == delegate.issuer).any(|crl| {
            crl.extensions.delta_base.is_none()
                && about_delegate.verify_crl(crl).is_ok()
                && about_delegate.read_crl(crl, None).is_ok_and(|known| {
                    known.revoked.is_none() && known.freshness == Freshness::Fresh
                })
        });
        if clear {
            return Ok(());
        }
        refused("id-pkix-ocsp-nocheck, or a CRL that clears the delegate", "neither")
    }
}

#[cfg(test)]
#[path = "revocation_tests.rs"]
mod tests;
