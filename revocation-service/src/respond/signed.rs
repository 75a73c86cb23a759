//! Making an answer: who may answer, for which certificates, until when; then the signature.

use std::sync::Arc;

use bytes::Bytes;
use countersign_core::{digest::HashAlgorithm, ocsp::CertId, time::UnixSeconds};
use countersign_daemon::sha256::sha256;
use countersign_signing::ocsp::{Answer, CertificateStatus, ResponseTerms};

use super::{Fault, Outcome, Reader, Responder, signing_queue::Place, status};
use crate::publish::{CrlSource, Issuer, authority::Delegate, caching::Validity};

/// A signed answer that may be given to everybody who asks the same.
#[derive(Debug)]
pub(crate) struct SignedAnswer {
    /// The whole `OCSPResponse`, DER.
    pub(crate) der: Bytes,
    /// What is said to HTTP caches.
    pub(crate) validity: Validity,
    /// What it came to.
    pub(crate) outcome: Outcome,
}

/// Everything that an answer says, before it is signed.
#[derive(Debug)]
pub(super) struct Unsigned {
    pub(super) issuer: Arc<Issuer>,
    pub(super) delegate: Arc<Delegate>,
    pub(super) this_update: UnixSeconds,
    pub(super) next_update: UnixSeconds,
    /// Since when the status of expired certificates is known too.
    archive_cutoff: Option<UnixSeconds>,
    /// `CertID` (DER, as asked) and status of every certificate, in order.
    answers: Vec<(Vec<u8>, CertificateStatus)>,
    /// Among the answers being made; given back with the signature.
    place: Place,
    /// See [`twin`].
    twin: Option<(Vec<u8>, CertificateStatus)>,
}

impl Unsigned {
    /// What it says of the first certificate.
    pub(super) fn first_status(&self) -> Option<CertificateStatus> {
        self.answers.first().map(|(_, status)| *status)
    }

    /// What it comes to.
    pub(super) fn outcome(&self) -> Outcome {
        match &self.answers[..] {
            [(_, CertificateStatus::Good)] => Outcome::Good,
            [(_, CertificateStatus::Revoked { .. })] => Outcome::Revoked,
            [(_, CertificateStatus::Unknown)] => Outcome::Unknown,
            _ => Outcome::Several,
        }
    }
}

/// Gathers the answer about `ids`.
///
/// # Errors
/// They are of foreign issuers, or nobody can answer for theirs now, or storage failed;
/// [`Fault::Busy`] where too many answers are being made.
pub(super) async fn prepare(
    responder: &Responder,
    ids: &[CertId<'_>],
    now: UnixSeconds,
) -> Result<Unsigned, Fault> {
    let (issuer, delegate) = who_answers(responder, ids, now)?;
    let place = responder.signing.enter()?;
    let mut answers = Vec::with_capacity(ids.len() + 1);
    for id in ids {
        let status = if issuer.authority.is_named_by(id) {
            status::status(responder, issuer, id.serial, (Reader::Responder, now)).await?
        } else {
            CertificateStatus::Unknown
        };
        answers.push((id.raw.to_vec(), status));
    }
    let validity = i64::from(responder.settings.ocsp_validity_seconds);
    let next_update = now.plus_seconds(validity).min(delegate.not_after).min(horizon(issuer, now));
    let twin = twin(issuer, ids, &answers);
    let issuer = Arc::clone(issuer);
    let archive_cutoff = archive_cutoff(&issuer);
    Ok(Unsigned {
        issuer,
        delegate,
        this_update: now,
        next_update,
        archive_cutoff,
        answers,
        place,
        twin,
    })
}

/// Since when expired certificates are still answered for (RFC 6960 §4.4.4). Nothing is ever
/// dropped from the database, so that is as long as the issuer is there; a CRL made elsewhere may
/// have dropped them, and answers that follow it say what it says.
fn archive_cutoff(issuer: &Issuer) -> Option<UnixSeconds> {
    match &issuer.crls {
        CrlSource::Elsewhere(crls) => crls.current()?.expired_certificates_since,
        CrlSource::Publisher(_) => Some(issuer.authority.not_before()),
    }
}

/// The issuer that answers: that of the first `CertID` that names one of ours. `CertIDs` of others in
/// the same request are answered `unknown`, since one signature can only speak for one issuer.
fn who_answers<'a>(
    responder: &'a Responder,
    ids: &[CertId<'_>],
    now: UnixSeconds,
) -> Result<(&'a Arc<Issuer>, Arc<Delegate>), Fault> {
    let issuer = ids
        .iter()
        .find_map(|id| responder.issuers.iter().find(|issuer| issuer.authority.is_named_by(id)))
        .ok_or(Fault::Unauthorized)?;
    let delegate = issuer.authority.delegate().ok_or(Fault::Unauthorized)?;
    if !delegate.is_valid_at(now) {
        tracing::error!(
            issuer = issuer.authority.name(),
            not_before = %delegate.not_before,
            not_after = %delegate.not_after,
            "the OCSP delegate's certificate is not valid now"
        );
        return Err(Fault::NoDelegate);
    }
    Ok((issuer, delegate))
}

/// Until when answers about `issuer` may be believed: those that follow a CRL made elsewhere, no
/// longer than it.
fn horizon(issuer: &Issuer, now: UnixSeconds) -> UnixSeconds {
    match &issuer.crls {
        CrlSource::Elsewhere(crls) => crls
            .current()
            .filter(|crl| !crl.is_overdue(now))
            .map_or(UnixSeconds::new(i64::MAX), |crl| crl.validity.next_update),
        CrlSource::Publisher(_) => UnixSeconds::new(i64::MAX),
    }
}

/// Signs an answer for everybody.
///
/// # Errors
/// [`Fault::Busy`], [`Fault::KeyAway`], [`Fault::Signing`].
pub(super) async fn sign(
    responder: &Responder,
    mut unsigned: Unsigned,
) -> Result<SignedAnswer, Fault> {
    let (this_update, next_update) = (unsigned.this_update, unsigned.next_update);
    let outcome = unsigned.outcome();
    unsigned.answers.extend(unsigned.twin.take());
    let der = run(responder, unsigned, None).await?;
    let validity = Validity::new(&sha256(&der), this_update, next_update);
    Ok(SignedAnswer { der, validity, outcome })
}

/// Signs an answer for the one who sent `nonce`.
///
/// # Errors
/// As [`sign`].
pub(super) async fn sign_for(
    responder: &Responder,
    unsigned: Unsigned,
    nonce: &[u8],
) -> Result<Bytes, Fault> {
    run(responder, unsigned, Some(nonce.to_vec())).await
}

async fn run(
    responder: &Responder,
    unsigned: Unsigned,
    nonce: Option<Vec<u8>>,
) -> Result<Bytes, Fault> {
    let Unsigned { delegate, this_update, next_update, archive_cutoff, answers, place, .. } =
        unsigned;
    let pace = delegate.pace;
    let in_use = Arc::clone(&delegate);
    let sign = move || {
        let responses: Vec<_> =
            answers.iter().map(|(cert_id, status)| Answer { cert_id, status: *status }).collect();
        let terms = ResponseTerms {
            produced_at: this_update,
            this_update,
            next_update,
            archive_cutoff,
            nonce: nonce.as_deref(),
        };
        delegate.signer.respond(&responses, &terms)
    };
    let signed = responder.signing.run(place, pace, sign).await?;
    in_use.note(signed.as_ref().err());
    signed
        .map(Bytes::from)
        .map_err(|error| if error.is_transient() { Fault::KeyAway } else { Fault::Signing })
}

/// The same answer under the other `CertID` that clients use, SHA-1 or SHA-256, so that one kept
/// response serves both kinds. Only where one certificate was asked for, and after its answer:
/// some clients read the first alone.
fn twin(
    issuer: &Issuer,
    ids: &[CertId<'_>],
    answers: &[(Vec<u8>, CertificateStatus)],
) -> Option<(Vec<u8>, CertificateStatus)> {
    let ([asked], [(_, status)]) = (ids, answers) else { return None };
    let other = match asked.hash? {
        HashAlgorithm::Sha1 => HashAlgorithm::Sha256,
        _ => HashAlgorithm::Sha1,
    };
    Some((issuer.authority.cert_id(other, asked.serial)?, *status))
}
