//! Revoking: on disk, then in the CRL, then acknowledged.
//!
//! What one person may not do alone becomes a proposal; of a compromise, only that ([`super::compromise`]).
//! A compromised key takes all its certificates with it, and the answer names the releases that were
//! signed with it since.

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason::{self, RemoveFromCrl},
    digest::encode_hex,
    time::UnixSeconds,
    x509::certificate::serial_text,
};
use countersign_daemon::{
    admin::{Answer, proposal::refuse_long_comment},
    json_body,
    problem::Problem,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Administration, CompromiseScope,
    certificates::record,
    compromise::Compromised,
    proposer::Proposer,
    shown::ShownRevocation,
    target::{Named, Target},
};
use crate::{
    publish::{CrlSource, Issuer},
    register::{
        rules::{self, Change, People, RevocationOrder},
        storage::{
            CertificateRecord, Evidence, IssuerId, OfKey, Recorded, Revocation, Status,
            StorageError,
        },
    },
    releases::{ReleasesOf, ShownRelease},
    reply::of_storage,
};

/// The warning if an order against a key concerns nothing that is registered.
const NO_CERTIFICATE: &str = "No certificate with this key is registered, so none was revoked. \
     The key is on record: a certificate that is registered with it later is revoked at once.";

/// The same before it is carried out.
const NO_CERTIFICATE_YET: &str = "No certificate with this key is registered, so none would be \
     revoked. The key would be on record, and revoke what is registered with it later.";

/// The body of `POST /v1/revocations`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    certificate: Option<String>,
    issuer: Option<String>,
    serial: Option<String>,
    key: Option<String>,
    key_sha256: Option<String>,
    reason: String,
    compromised_since: Option<String>,
    #[serde(default)]
    comment: String,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Whether an order is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is.
    Act,
    /// What would be done is said.
    DryRun,
}

/// What was done, or would be.
#[derive(Serialize)]
pub(super) struct Acknowledgement {
    /// Missing for an order against a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    reason: &'static str,
    revocation_date: UnixSeconds,
    recorded_at: UnixSeconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_sha256: Option<String>,
    /// How many registered certificates have that key, if the order was against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_count: Option<usize>,
    /// What the person who gave the order must not miss.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
    /// Every certificate with that key, if the order was against it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<ShownOfKey>,
    /// What was signed with it since then, or at a time that is not known.
    affected_releases: Vec<ShownRelease>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

#[derive(Serialize)]
struct ShownOfKey {
    issuer: String,
    serial: String,
    /// `revoked`, `unchanged`, or `offline`: its issuer's key is elsewhere, and so is its CRL made.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<ShownRevocation>,
}

impl Administration {
    /// Revokes what the JSON `body` names. When it answers 200, the revocation is on disk and every
    /// CRL and OCSP answer from now on shows it; 202 is a proposal.
    ///
    /// # Errors
    /// A problem; after `crl.not_published` the revocation is on disk all the same, and in every
    /// OCSP answer.
    pub(super) async fn revoke(&self, actor: &Actor, body: &[u8]) -> Result<Answer, Problem> {
        let body: Body = json_body::decode(body).map_err(|error| {
            let detail = format!("The JSON is not an order to revoke: {error}.");
            Problem::bad_request("revocation.malformed", detail)
        })?;
        refuse_long_comment(&body.comment)?;
        let order = RevocationOrder {
            reason: reason(&body.reason)?,
            compromised_since: body.compromised_since.as_deref().map(time).transpose()?,
            now: self.now(),
            actor: actor.name().to_owned(),
            people: People::One,
        };
        let named = Named {
            certificate: body.certificate,
            issuer: body.issuer,
            serial: body.serial,
            key: body.key,
            key_sha256: body.key_sha256,
        };
        let target = named.find(&self.issuers, &self.storage).await?;
        let mode = if body.dry_run { Mode::DryRun } else { Mode::Act };
        match (target, mode) {
            (Target::Key(key), mode) => {
                Ok(Answer::ok(&self.order_against_key(key, &order, None, mode).await?))
            }
            (Target::Certificate(issuer, serial, der), mode) => {
                let sent = der
                    .map(|der| record(&self.issuers, (actor, self.now()), &der, 1))
                    .transpose()?;
                let about = (serial, sent);
                let by = Proposer { actor, comment: &body.comment };
                self.revoke_certificate(&issuer, about, order, by, mode).await
            }
        }
    }

    async fn revoke_certificate(
        &self,
        issuer: &Arc<Issuer>,
        (serial, sent): (Vec<u8>, Option<CertificateRecord>),
        order: RevocationOrder,
        by: Proposer<'_>,
        mode: Mode,
    ) -> Result<Answer, Problem> {
        if !matches!(issuer.crls, CrlSource::Publisher(_)) {
            return Err(offline(issuer));
        }
        refuse_wrong_clock(issuer, order.now)?;
        let storage = &self.storage;
        let certificate = self.known(issuer, &serial, sent, mode).await?;
        let stored = match storage.status(issuer.id, &serial).await {
            Ok(Status::Revoked(stored)) => Some(stored),
            Ok(_) => None,
            Err(error) => return Err(of_storage(&error)),
        };
        let key = self.compromised_key(&order, certificate.digests.as_ref());
        // Storage decides again, in its transaction; here it is which way the order goes.
        match (rules::decide(certificate.proven_not_before(), stored.as_ref(), &order), key) {
            (Err(refusal), Some(key)) if refusal.takes_two_people() => {
                let about = Compromised { issuer, serial, was: stored, key };
                return self.take_apart(about, order, by, mode).await;
            }
            (Err(refusal), None) if refusal.takes_two_people() => {
                return self.propose(issuer, (serial, stored), order, by, mode).await;
            }
            (Err(refusal), _) => return Err(of_storage(&refusal.into())),
            (Ok(_), Some(key)) => {
                let named = Some((issuer, &*serial));
                return Ok(Answer::ok(&self.order_against_key(key, &order, named, mode).await?));
            }
            (Ok(change), None) if mode == Mode::DryRun => {
                let (Change::Write(to) | Change::None(to) | Change::Release(to)) = change;
                return self.acknowledge(issuer, &serial, &to, Mode::DryRun).await;
            }
            (Ok(_), None) => {}
        }
        let Recorded { revocation, revision, others } =
            storage.revoke(issuer.id, &serial, &order).await.map_err(|error| of_storage(&error))?;
        tracing::info!(
            actor = order.actor,
            issuer = issuer.authority.name(),
            serial = serial_text(&serial),
            reason = revocation.reason.name(),
            revocation_date = %revocation.revocation_date,
            "revoked"
        );
        self.publish(issuer, revision).await?;
        self.publish_others(&others).await?;
        self.acknowledge(issuer, &serial, &revocation, Mode::Act).await
    }

    /// What is known of the certificate that an order is about. Where that is only an import's word, the
    /// certificate that the order came with, `sent`, takes its place.
    async fn known(
        &self,
        issuer: &Issuer,
        serial: &[u8],
        sent: Option<CertificateRecord>,
        mode: Mode,
    ) -> Result<CertificateRecord, Problem> {
        let storage = &self.storage;
        let missing = || StorageError::NotRegistered { serial: serial_text(serial) };
        let known = storage.certificate(issuer.id, serial).await;
        let known = known.and_then(|known| known.ok_or_else(missing));
        let known = known.map_err(|error| of_storage(&error))?;
        match sent {
            Some(sent) if known.evidence == Evidence::Import => {
                if mode == Mode::Act {
                    let registered = storage.register(vec![sent.clone()]).await;
                    let outcomes = registered.map_err(|error| of_storage(&error))?;
                    self.publish_all(&outcomes).await?;
                }
                Ok(sent)
            }
            _ => Ok(known),
        }
    }

    /// The key that goes with a certificate, by the policy for compromises.
    fn compromised_key(
        &self,
        order: &RevocationOrder,
        digests: Option<&crate::register::storage::Digests>,
    ) -> Option<[u8; 32]> {
        let whole_key = self.settings.compromise_scope == CompromiseScope::Key
            && order.reason == RevocationReason::KeyCompromise;
        digests.filter(|_| whole_key).map(|digests| digests.spki_sha256)
    }

    pub(super) async fn acknowledge(
        &self,
        issuer: &Issuer,
        serial: &[u8],
        revocation: &Revocation,
        mode: Mode,
    ) -> Result<Answer, Problem> {
        let of = ReleasesOf::Certificate(issuer.id, serial.to_vec());
        let affected_releases = match revocation.reason {
            RemoveFromCrl => Vec::new(),
            _ => self.releases.affected(&of, revocation.revocation_date).await?,
        };
        Ok(Answer::ok(&Acknowledgement {
            issuer: Some(issuer.authority.name().to_owned()),
            serial: Some(serial_text(serial)),
            reason: revocation.reason.name(),
            revocation_date: revocation.revocation_date,
            recorded_at: revocation.recorded_at,
            key_sha256: None,
            certificate_count: None,
            warning: None,
            certificates: Vec::new(),
            affected_releases,
            dry_run: mode == Mode::DryRun,
        }))
    }

    /// Revokes every certificate with a key, or says what that would do; `named` is the one that the
    /// order named, if it did.
    pub(super) async fn order_against_key(
        &self,
        key: [u8; 32],
        order: &RevocationOrder,
        named: Option<(&Arc<Issuer>, &[u8])>,
        mode: Mode,
    ) -> Result<Acknowledgement, Problem> {
        match mode {
            Mode::Act => self.revoke_key(key, order, named).await,
            Mode::DryRun => self.preview_key(key, order, named).await,
        }
    }

    async fn revoke_key(
        &self,
        key: [u8; 32],
        order: &RevocationOrder,
        named: Option<(&Arc<Issuer>, &[u8])>,
    ) -> Result<Acknowledgement, Problem> {
        let online = self.online();
        for issuer in &*self.issuers {
            refuse_wrong_clock(issuer, order.now)?;
        }
        let storage = &self.storage;
        let of_named = named.map(|(issuer, serial)| (issuer.id, serial));
        let recorded = storage.revoke_key(key, order, &online, of_named).await;
        let recorded = recorded.map_err(|error| of_storage(&error))?;
        tracing::info!(
            actor = order.actor,
            key_sha256 = encode_hex(&key),
            certificates = recorded.certificates.len(),
            "key revoked"
        );
        self.publish_others(&recorded.revisions).await?;
        self.acknowledge_key(key, order, named, &recorded.certificates, Mode::Act).await
    }

    async fn preview_key(
        &self,
        key: [u8; 32],
        order: &RevocationOrder,
        named: Option<(&Arc<Issuer>, &[u8])>,
    ) -> Result<Acknowledgement, Problem> {
        rules::refuse_key_order(order).map_err(|refusal| of_storage(&refusal.into()))?;
        let found = self.storage.certificates_of_key(key).await;
        let mut found = found.map_err(|error| of_storage(&error))?;
        for certificate in &mut found {
            let known = certificate.revocation.as_ref();
            let change = rules::decide_for_key(None, known, order);
            certificate.changed = matches!(change, Change::Write(_));
        }
        self.acknowledge_key(key, order, named, &found, Mode::DryRun).await
    }

    async fn acknowledge_key(
        &self,
        key: [u8; 32],
        order: &RevocationOrder,
        named: Option<(&Arc<Issuer>, &[u8])>,
        certificates: &[OfKey],
        mode: Mode,
    ) -> Result<Acknowledgement, Problem> {
        let online = self.online();
        let date = order.compromised_since.unwrap_or(order.now);
        let shown = certificates
            .iter()
            .map(|certificate| ShownOfKey {
                issuer: self.issuers.name_of(certificate.issuer).to_owned(),
                serial: serial_text(&certificate.serial),
                outcome: match (online.contains(&certificate.issuer), certificate.changed) {
                    (false, _) => "offline",
                    (true, true) => "revoked",
                    (true, false) => "unchanged",
                },
                revocation: certificate.revocation.as_ref().map(ShownRevocation::of),
            })
            .collect();
        let of_named = named.and_then(|(issuer, serial)| {
            let is_named = |each: &&OfKey| each.issuer == issuer.id && each.serial == serial;
            certificates.iter().find(is_named)?.revocation.clone()
        });
        let affected_releases = self.releases.affected(&ReleasesOf::Key(key), date).await?;
        Ok(Acknowledgement {
            issuer: named.map(|(issuer, _)| issuer.authority.name().to_owned()),
            serial: named.map(|(_, serial)| serial_text(serial)),
            reason: order.reason.name(),
            revocation_date: of_named.as_ref().map_or(date, |known| known.revocation_date),
            recorded_at: of_named.as_ref().map_or(order.now, |known| known.recorded_at),
            key_sha256: Some(encode_hex(&key)),
            certificate_count: Some(certificates.len()),
            warning: certificates.is_empty().then_some(match mode {
                Mode::Act => NO_CERTIFICATE,
                Mode::DryRun => NO_CERTIFICATE_YET,
            }),
            certificates: shown,
            affected_releases,
            dry_run: mode == Mode::DryRun,
        })
    }

    /// The issuers whose CRLs are made here.
    pub(super) fn online(&self) -> Vec<IssuerId> {
        let issuers = self.issuers.iter();
        issuers
            .filter(|issuer| matches!(issuer.crls, CrlSource::Publisher(_)))
            .map(|issuer| issuer.id)
            .collect()
    }

    /// Waits for the CRLs that show what was revoked with a key.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub(super) async fn publish_others(
        &self,
        revisions: &[(IssuerId, i64)],
    ) -> Result<(), Problem> {
        for (id, revision) in revisions {
            if let Some(issuer) = self.issuers.with_id(*id) {
                self.publish(issuer, *revision).await?;
            }
        }
        Ok(())
    }

    /// Waits for a CRL that shows `revision`.
    ///
    /// # Errors
    /// 503: it is on disk, and no CRL shows it yet.
    pub(super) async fn publish(&self, issuer: &Issuer, revision: i64) -> Result<(), Problem> {
        let CrlSource::Publisher(publisher) = &issuer.crls else { return Ok(()) };
        publisher.publish_revision(revision, self.now()).await.map_err(|error| {
            let name = issuer.authority.name();
            tracing::error!(issuer = name, %error, "revoked, but no CRL shows it yet");
            let detail = "The change is recorded and OCSP shows it, but no new CRL could be published; \
                          the log has the reason. Repeat the request: that is safe.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "crl.not_published", detail)
        })
    }
}

/// What is recorded cannot be moved later by one person: a date from a clock that lost its time would
/// void every signature.
fn refuse_wrong_clock(issuer: &Issuer, now: UnixSeconds) -> Result<(), Problem> {
    let not_before = issuer.authority.certificate().not_before;
    if now >= not_before {
        return Ok(());
    }
    let detail = format!(
        "The service's clock says {now}, before its issuer began at {not_before}; nothing was recorded. \
         Set the clock, and repeat the request."
    );
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "service.clock", detail))
}

/// The issuer's key is elsewhere: no CRL made here could show the revocation.
fn offline(issuer: &Issuer) -> Problem {
    let detail = format!(
        "The key of {} is not here. Make a new CRL where it is, and put it in this issuer's crl_file.",
        issuer.authority.name()
    );
    Problem::new(StatusCode::CONFLICT, "issuer.offline", detail)
}

fn reason(name: &str) -> Result<RevocationReason, Problem> {
    RevocationReason::parse(name).ok_or_else(|| {
        let names: Vec<_> = RevocationReason::ALL.into_iter().map(RevocationReason::name).collect();
        Problem::bad_request(
            "revocation.reason.unknown",
            format!("The reason must be one of: {}.", names.join(", ")),
        )
    })
}

fn time(text: &str) -> Result<UnixSeconds, Problem> {
    UnixSeconds::parse_rfc3339(text).ok_or_else(|| {
        Problem::bad_request(
            "revocation.compromised_since.malformed",
            "Write the time as 2026-05-03T10:00:00Z.",
        )
    })
}
