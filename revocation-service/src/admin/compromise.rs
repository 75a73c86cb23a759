//! An order for a key compromise that one person may not give as a whole, since it would move the date of
//! the certificate that it names later.
//!
//! The strict part of an order never waits for the part that would make something milder: whoever had that
//! certificate revoked from an early date on would keep its stolen key good in every other certificate. So
//! the order is taken apart. The key is revoked at once, with all its certificates; the one that was named
//! keeps its date and is revoked for the compromise. Only the moving of that date is proposed.

use std::sync::Arc;

use countersign_core::{digest::encode_hex, x509::certificate::serial_text};
use countersign_daemon::{admin::Answer, problem::Problem};
use http::StatusCode;
use serde_json::json;

use super::{Administration, proposals::refuse_no_comment, proposer::Proposer, revocations::Mode};
use crate::{
    publish::Issuer,
    register::{
        rules::{self, Change, RevocationOrder},
        storage::{Revocation, Status},
    },
    reply::of_storage,
};

/// The certificate that an order for a compromise names.
pub(super) struct Compromised<'a> {
    pub(super) issuer: &'a Arc<Issuer>,
    /// Content octets.
    pub(super) serial: Vec<u8>,
    /// The revocation whose date would move later.
    pub(super) was: Option<Revocation>,
    /// SHA-256 of its `SubjectPublicKeyInfo`.
    pub(super) key: [u8; 32],
}

impl Administration {
    /// Revokes the key at once, and proposes the rest: 202 says both.
    ///
    /// # Errors
    /// A problem. If the key is revoked by then, its detail says so, and the ledger has it as
    /// `revocation.partly_done`.
    pub(super) async fn take_apart(
        &self,
        about: Compromised<'_>,
        order: RevocationOrder,
        by: Proposer<'_>,
        mode: Mode,
    ) -> Result<Answer, Problem> {
        let Compromised { issuer, serial, was, key } = about;
        refuse_no_comment(was.as_ref(), &order, by.comment)?;
        let at_once = self.order_against_key(key, &order, Some((issuer, &serial)), mode).await?;
        let proposed = async {
            let was = match mode {
                Mode::Act => self.revocation_now(issuer, &serial).await?,
                Mode::DryRun => match rules::decide_for_key(None, was.as_ref(), &order) {
                    Change::Write(to) | Change::None(to) | Change::Release(to) => Some(to),
                },
            };
            let about = (serial.clone(), was);
            self.proposed(issuer, about, order.clone(), by, mode).await
        };
        match proposed.await {
            Ok(pending) => {
                let answer = json!({
                    "at_once": at_once, "pending": pending, "dry_run": mode == Mode::DryRun,
                });
                Ok(Answer::json(StatusCode::ACCEPTED, &answer))
            }
            Err(problem) if mode == Mode::DryRun => Err(problem),
            Err(problem) => {
                let record = json!({
                    "actor": order.actor, "at_once": at_once, "code": problem.code(),
                });
                self.record.append("revocation.partly_done", &record).await?;
                Err(partly_done(&problem, key, &serial))
            }
        }
    }

    /// How a certificate is revoked now.
    async fn revocation_now(
        &self,
        issuer: &Issuer,
        serial: &[u8],
    ) -> Result<Option<Revocation>, Problem> {
        match self.storage.status(issuer.id, serial).await {
            Ok(Status::Revoked(revocation)) => Ok(Some(revocation)),
            Ok(Status::Good | Status::NeverIssued) => Ok(None),
            Err(error) => Err(of_storage(&error)),
        }
    }
}

/// The problem with which the proposal failed, and what is done all the same.
fn partly_done(problem: &Problem, key: [u8; 32], serial: &[u8]) -> Problem {
    let detail = format!(
        "The key {} is revoked, with its certificates. That the date of {} moves later is not proposed: {} \
         Repeating the order is safe.",
        encode_hex(&key),
        serial_text(serial),
        problem.detail()
    );
    Problem::new(problem.status(), problem.code(), detail)
}
