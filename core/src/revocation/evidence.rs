//! CRLs and OCSP responses, decoded once, and what they together say of one certificate.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{Freshness, Known, question::Question};
use crate::{
    asn1::Asn1Error,
    crl::{CertificateList, ReasonFlags, RevocationReason},
    crypto::CryptoProvider,
    finding::{Finding, FindingCode},
    limits,
    ocsp::{BasicResponse, OcspResponse, SingleResponse},
    policy::Revocation,
    time::UnixSeconds,
    x509::{LinkOctets, VerifiedLink, name},
};

/// CRLs and OCSP responses, decoded once.
#[derive(Clone)]
pub struct RevocationEvidence<'a> {
    crls: Vec<CertificateList<'a>>,
    ocsp: Vec<BasicResponse<'a>>,
    /// Why others could not be read, or hold no answer.
    faults: Vec<Finding>,
    /// Which CRLs are by an issuer, and which responses about a certificate, that was asked about.
    related: Related,
    /// Which CRL was already checked against which issuer's key, and how it went.
    checked: Vec<(usize, &'a [u8], Result<(), Finding>)>,
}

/// Places in the lists of [`RevocationEvidence`].
#[derive(Clone, Default)]
struct Related {
    crls: BTreeSet<usize>,
    ocsp: BTreeSet<usize>,
}

/// What evidence says of one certificate, and which pieces of it could not be used.
#[derive(Debug)]
pub struct Standing {
    /// What is known, if anything is.
    pub known: Option<Known>,
    /// Why other evidence that seemed to be about the certificate was not used.
    pub faults: Vec<Finding>,
    /// Why pieces could not be read, so that nobody knows what they are about: the same for every
    /// certificate.
    pub unreadable: Vec<Finding>,
}

impl<'a> RevocationEvidence<'a> {
    /// No evidence at all.
    pub fn none() -> Self {
        Self {
            crls: Vec::new(),
            ocsp: Vec::new(),
            faults: Vec::new(),
            related: Related::default(),
            checked: Vec::new(),
        }
    }

    /// Decodes what was handed in; what cannot be decoded is remembered as a fault.
    ///
    /// # Errors
    /// `revocation.too-large` when there is more than is looked at.
    pub fn decode(crls: &[&'a [u8]], ocsp_responses: &[&'a [u8]]) -> Result<Self, Finding> {
        if crls.len() > limits::CRLS || ocsp_responses.len() > limits::OCSP_RESPONSES {
            return Err(Finding::new(FindingCode::EVIDENCE_TOO_LARGE).found(format!(
                "{} CRLs, {} OCSP responses",
                crls.len(),
                ocsp_responses.len()
            )));
        }
        let mut evidence = Self::none();
        for (index, bytes) in crls.iter().enumerate() {
            match decode_crl(bytes) {
                Ok(crl) => evidence.crls.push(crl),
                Err(fault) => {
                    evidence.faults.push(fault.about(piece("CRL", index, crls.len())));
                }
            }
        }
        for (index, bytes) in ocsp_responses.iter().enumerate() {
            match decode_ocsp(bytes) {
                Ok(basic) => evidence.ocsp.push(basic),
                Err(fault) => {
                    let piece = piece("OCSP response", index, ocsp_responses.len());
                    evidence.faults.push(fault.about(piece));
                }
            }
        }
        Ok(evidence)
    }

    /// Remembers which pieces are about a link's certificate, without judging it.
    pub fn relate(&mut self, link: VerifiedLink<'_, '_>, crypto: &dyn CryptoProvider) {
        let (certificate, issuer) = (link.certificate(), link.issuer());
        let crls = self.crls.iter().enumerate();
        let crls = crls.filter(|(_, crl)| name::equal(crl.issuer, certificate.issuer));
        let crls = crls.map(|(index, _)| index);
        self.related.crls.extend(crls);
        let is_about = |basic: &BasicResponse<'_>| {
            basic.responses.iter().any(|single| {
                let id = &single.certificate;
                id.serial == certificate.serial && id.is_issued_by(issuer, crypto)
            })
        };
        let ocsp = self.ocsp.iter().enumerate();
        let ocsp = ocsp.filter(|(_, basic)| is_about(basic)).map(|(index, _)| index);
        self.related.ocsp.extend(ocsp);
    }

    /// A finding for each piece that nobody can use: what could not be read, and what is about none
    /// of the certificates that were asked about.
    pub fn unused(&self) -> Vec<Finding> {
        let mut unused = self.faults.clone();
        for (index, crl) in self.crls.iter().enumerate() {
            if !self.related.crls.contains(&index) {
                let issuer = format!("a CRL of {}", name::text(crl.issuer));
                unused.push(Finding::new(FindingCode::CRL_SCOPE).about(issuer).found(UNRELATED));
            }
        }
        for (index, basic) in self.ocsp.iter().enumerate() {
            if !self.related.ocsp.contains(&index) {
                let made = format!("an OCSP response of {}", basic.produced_at);
                unused.push(
                    Finding::new(FindingCode::REVOCATION_UNKNOWN).about(made).found(UNRELATED),
                );
            }
        }
        unused
    }

    /// What the evidence says of a link's certificate.
    pub fn standing(
        &mut self,
        link: VerifiedLink<'_, 'a>,
        rules: &Revocation,
        crypto: &dyn CryptoProvider,
        now: UnixSeconds,
    ) -> Standing {
        let question = Question { link, rules, crypto, now };
        self.relate(link, crypto);
        let mut collected = self.collect_crls(&question);
        self.collect_ocsp(&question, &mut collected);
        let known = most_telling(&collected.known);
        Standing { known, faults: collected.faults, unreadable: self.faults.clone() }
    }

    fn collect_crls(&mut self, question: &Question<'_, 'a>) -> Collected {
        let mut collected = Collected::default();
        let mut partial = Vec::new();
        let mut bases = Vec::new();
        for index in 0..self.crls.len() {
            let Some(crl) = self.crls.get(index).cloned() else { continue };
            // RFC 5280 §6.3.3 (f): the issuer's name, compared as §7.1 says.
            let is_issuers = name::equal(crl.issuer, question.link.certificate().issuer);
            if !is_issuers || crl.extensions.delta_base.is_some() {
                continue;
            }
            let outcome =
                self.usable(index, &crl, question).and_then(|()| self.read_crl(&crl, question));
            let reasons = question.reasons(&crl);
            match outcome {
                Ok(known) if known.revoked.is_none() && !reasons.is_complete() => {
                    partial.push((reasons, known));
                }
                outcome => collected.take(outcome),
            }
            bases.push(crl);
        }
        collected.take_partial(&partial, question);
        collected.faults.extend(self.unused_deltas(&bases, question));
        collected
    }

    /// What the list says, with its newest delta laid over it.
    fn read_crl(
        &mut self,
        crl: &CertificateList<'a>,
        question: &Question<'_, 'a>,
    ) -> Result<Known, Finding> {
        let Some(delta) = self.delta_for(crl, question) else {
            return question.read_crl(crl, None);
        };
        match question.read_crl(crl, Some(&delta)) {
            // The delta was made when nothing need be said of the certificate any more; the list
            // before it may be older than that.
            Err(fault) if fault.code == FindingCode::REVOCATION_AFTER_EXPIRY => {
                question.read_crl(crl, None)
            }
            outcome => outcome,
        }
    }

    /// Why deltas of that issuer could not be laid over any of its lists.
    fn unused_deltas(
        &mut self,
        bases: &[CertificateList<'a>],
        question: &Question<'_, 'a>,
    ) -> Vec<Finding> {
        let mut faults = Vec::new();
        for index in 0..self.crls.len() {
            let Some(delta) = self.crls.get(index).cloned() else { continue };
            let is_issuers = name::equal(delta.issuer, question.link.certificate().issuer);
            if !is_issuers || delta.extensions.delta_base.is_none() {
                continue;
            }
            if let Err(fault) = self.usable(index, &delta, question) {
                faults.push(fault);
            } else if !bases.iter().any(|base| is_delta_for(&delta, base)) {
                faults.push(
                    Finding::new(FindingCode::CRL_SCOPE)
                        .about(question.link.certificate().subject_text())
                        .expected("a delta CRL beside the complete CRL that it changes")
                        .found("a delta CRL alone"),
                );
            }
        }
        faults
    }

    /// The newest usable delta for that base (RFC 5280 §5.2.4).
    fn delta_for(
        &mut self,
        base: &CertificateList<'a>,
        question: &Question<'_, 'a>,
    ) -> Option<CertificateList<'a>> {
        let mut newest: Option<CertificateList<'a>> = None;
        for index in 0..self.crls.len() {
            let Some(delta) = self.crls.get(index).cloned() else { continue };
            let fits = name::equal(delta.issuer, base.issuer)
                && is_delta_for(&delta, base)
                && newest.as_ref().is_none_or(|other| other.this_update < delta.this_update);
            if fits && self.usable(index, &delta, question).is_ok() {
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
        question: &Question<'_, 'a>,
    ) -> Result<(), Finding> {
        let key = question.link.issuer().public_key.raw;
        let earlier = self.checked.iter().find(|(at, with, _)| *at == index && *with == key);
        if let Some((_, _, outcome)) = earlier {
            return outcome.clone();
        }
        let outcome = question.verify_crl(crl);
        self.checked.push((index, key, outcome.clone()));
        outcome
    }

    fn collect_ocsp(&mut self, question: &Question<'_, 'a>, collected: &mut Collected) {
        for index in 0..self.ocsp.len() {
            let Some(basic) = self.ocsp.get(index).cloned() else { continue };
            for single in &basic.responses {
                let id = &single.certificate;
                if id.serial == question.link.certificate().serial
                    && id.is_issued_by(question.link.issuer(), question.crypto)
                {
                    collected.take(self.read_ocsp(&basic, single, question));
                }
            }
        }
    }

    fn read_ocsp(
        &mut self,
        basic: &BasicResponse<'a>,
        single: &SingleResponse<'a>,
        question: &Question<'_, 'a>,
    ) -> Result<Known, Finding> {
        let Some(delegate) = question.verify_responder(basic, single)? else {
            return question.read_ocsp(basic, single, None);
        };
        // RFC 6960 §4.2.2.2.1: without nocheck the delegate's own revocation is looked up, here
        // in the CRLs, as that of any other certificate.
        if !delegate.extensions.ocsp_no_check {
            let (issuer, crypto) = (question.link.issuer(), question.crypto);
            let link = VerifiedLink::verify(&delegate, issuer, crypto)?;
            let about_delegate = Question { link, ..*question };
            let standing = most_telling(&self.collect_crls(&about_delegate).known);
            let is_clear = standing.is_some_and(|known| {
                known.revoked.is_none() && known.freshness == Freshness::Fresh
            });
            if !is_clear {
                return Err(Finding::new(FindingCode::OCSP_NOT_AUTHORISED)
                    .about(delegate.subject_text())
                    .expected("id-pkix-ocsp-nocheck, or a CRL that clears the delegate")
                    .found("neither"));
            }
        }
        question.read_ocsp(basic, single, Some(&delegate))
    }
}

/// What CRLs and OCSP responses (each DER) say of a link's certificate, so that a caller knows
/// whether to fetch, keep or replace one. `None` if they say nothing authentic of it. The verdict
/// is not made from this.
pub fn known(
    link: &LinkOctets,
    (crls, ocsp_responses): (&[&[u8]], &[&[u8]]),
    rules: &Revocation,
    crypto: &dyn CryptoProvider,
    now: UnixSeconds,
) -> Option<Known> {
    link.ask(|link| {
        let mut evidence = RevocationEvidence::decode(crls, ocsp_responses).ok()?;
        evidence.standing(link, rules, crypto, now).known
    })?
}

const UNRELATED: &str = "about none of the certificates that were checked";

fn piece(kind: &str, index: usize, of: usize) -> String {
    match of {
        1 => format!("the {kind}"),
        _ => format!("{kind} {}", index.saturating_add(1)),
    }
}

fn decode_crl(bytes: &[u8]) -> Result<CertificateList<'_>, Finding> {
    if bytes.len() > limits::CRL_BYTES {
        return Err(Finding::new(FindingCode::EVIDENCE_TOO_LARGE)
            .expected(format!("a CRL of at most {} bytes", limits::CRL_BYTES))
            .found(format!("{} bytes", bytes.len())));
    }
    CertificateList::decode(bytes)
        .map_err(|error| malformed(FindingCode::CRL_MALFORMED, &error, bytes))
}

fn decode_ocsp(bytes: &[u8]) -> Result<BasicResponse<'_>, Finding> {
    match OcspResponse::decode(bytes) {
        Ok(OcspResponse { basic: Some(basic), .. }) => Ok(basic),
        Ok(response) => Err(Finding::new(FindingCode::OCSP_REFUSED).found(response.status.name())),
        Err(error) => Err(malformed(FindingCode::OCSP_MALFORMED, &error, bytes)),
    }
}

/// What the decoder says; of bytes that are no DER at all, what they look like.
fn malformed(code: FindingCode, error: &Asn1Error, bytes: &[u8]) -> Finding {
    let is_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    let seems = match bytes {
        // So begins a SEQUENCE.
        [0x30, ..] => None,
        [] => Some("an empty file"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16 text"),
        [b'<', ..] => Some("a web page"),
        _ if bytes.starts_with(b"-----BEGIN ") => Some("PEM text"),
        [b'M', ..] if bytes.iter().all(is_text) => Some("Base64 text"),
        _ if bytes.iter().take(256).all(is_text) => Some("text"),
        _ => None,
    };
    match seems {
        Some(form) => Finding::new(code).expected("DER").found(form),
        None => Finding::new(code).found(format!("{error}")),
    }
}

/// Known facts and faults as they come in.
#[derive(Default)]
struct Collected {
    known: Vec<Known>,
    faults: Vec<Finding>,
}

impl Collected {
    fn take(&mut self, outcome: Result<Known, Finding>) {
        match outcome {
            Ok(known) => self.known.push(known),
            // One response may answer twice, under CertIDs by two hashes.
            Err(finding) if self.faults.contains(&finding) => {}
            Err(finding) => self.faults.push(finding),
        }
    }

    /// RFC 5280 §6.3.3 (e), (l): lists for some reasons clear a certificate only if together they
    /// cover every reason; as of the oldest, and as fresh as the stalest of them.
    fn take_partial(&mut self, partial: &[(ReasonFlags, Known)], question: &Question<'_, '_>) {
        let Some((_, first)) = partial.first() else { return };
        let mut united = *first;
        let mut reasons = ReasonFlags::default();
        for (flags, known) in partial {
            reasons = reasons.with(*flags);
            united.as_of = united.as_of.min(known.as_of);
            united.freshness = united.freshness.max(known.freshness);
        }
        self.take(if reasons.is_complete() {
            Ok(united)
        } else {
            Err(Finding::new(FindingCode::CRL_SCOPE)
                .about(question.link.certificate().subject_text())
                .expected("CRLs that together cover every reason")
                .found("CRLs for some reasons"))
        });
    }
}

/// The newest that says "revoked" for good, else the newest of all: a revocation is not undone
/// by older or contradicting evidence, only a suspension is lifted by newer.
pub(super) fn most_telling(known: &[Known]) -> Option<Known> {
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
fn is_delta_for<'a>(delta: &CertificateList<'a>, base: &CertificateList<'a>) -> bool {
    let scope = |crl: &CertificateList<'a>| {
        crl.extensions.issuing_distribution_point.clone().map(|(_, point)| point)
    };
    let numbers = (delta.extensions.delta_base, base.extensions.number, delta.extensions.number);
    let (Some(from), Some(base_number), Some(number)) = numbers else { return false };
    let not_above = |low: &[u8], high: &[u8]| (low.len(), low) <= (high.len(), high);
    scope(delta) == scope(base)
        && not_above(from, base_number)
        && not_above(base_number, number)
        && base_number != number
}
