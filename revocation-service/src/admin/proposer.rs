//! Whether the first person of a proposal may still speak.
//!
//! A proposal waits for days, and what is approved is the order of two people. A person who has been locked
//! out since is not one of them: their certificate may have been a thief's when they proposed.

use std::collections::BTreeMap;

use countersign_core::{
    crl::RevocationReason::{self, CaCompromise, KeyCompromise, Superseded},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_daemon::{
    admin::proposal::{PendingError, PendingState},
    problem::Problem,
    sha256::sha256,
};
use countersign_signing::ocsp::CertificateStatus;

use super::{Actor, Administration, Needs, Role};
use crate::{
    register::storage::Pending,
    reply::of_storage,
    respond::{self, CrlWord, Fault, Reader},
};

/// Who proposes, and what they say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposer<'a> {
    pub(super) actor: &'a Actor,
    pub(super) comment: &'a str,
}

/// What was revoked that concerns a certificate (DER): reason and date.
pub(super) type Known<'a> = BTreeMap<&'a [u8], Vec<(RevocationReason, UnixSeconds)>>;

impl Administration {
    /// Refuses to carry out what somebody proposed who has been locked out since. If that happens in the very
    /// moment of the approval, the approval came first.
    ///
    /// # Errors
    /// 409 `pending.proposer_locked_out`; 404; storage failed.
    pub(super) async fn refuse_proposer(&self, id: i64) -> Result<(), Problem> {
        let pending = self.storage.proposal(id, self.now()).await;
        let pending = pending.map_err(|error| of_storage(&error))?;
        if self.proposer_is_locked_out(&pending, &mut Known::new()).await? {
            return Err(PendingError::ProposerLockedOut.problem());
        }
        Ok(())
    }

    /// Whether the person who proposed what waits has been locked out since. `known` is kept for one listing: for
    /// a thousand proposals of one person, their certificate is looked up once.
    ///
    /// # Errors
    /// Storage failed.
    pub(super) async fn proposer_is_locked_out<'a>(
        &self,
        pending: &'a Pending,
        known: &mut Known<'a>,
    ) -> Result<bool, Problem> {
        let Some(der) = &pending.proposal.proposer else { return Ok(false) };
        if pending.state != PendingState::Waiting {
            return Ok(false);
        }
        let proposed_at = pending.proposal.order.now;
        let Ok(certificate) = Certificate::decode(der) else { return Ok(true) };
        // The certificate may have run out since: it had not when they proposed.
        let may = Actor::of(&self.settings.administrators, &certificate, proposed_at)
            .is_ok_and(|actor| actor.require(Needs::All(&[Role::Revoker])).is_ok());
        let is_listed = self.client_crls.as_ref().is_some_and(|crls| crls.lists(&certificate));
        if !may || is_listed {
            return Ok(true);
        }
        if !known.contains_key(&der[..]) {
            known.insert(der, self.revocations_of(&certificate).await?);
        }
        let revocations = known.get(&der[..]).into_iter().flatten();
        Ok(revocations.into_iter().any(|revocation| silences(*revocation, proposed_at)))
    }

    /// Reason and date of what was revoked that concerns a client's certificate: itself, and its key.
    async fn revocations_of(
        &self,
        certificate: &Certificate<'_>,
    ) -> Result<Vec<(RevocationReason, UnixSeconds)>, Problem> {
        let mut found = self.revocations_of_key(sha256(certificate.public_key.raw)).await?;
        let Some(issuer) = self.issuers.of(certificate) else { return Ok(found) };
        let for_administration = (Reader::Administration, self.now());
        match respond::status(&self.responder, issuer, certificate.serial, for_administration).await
        {
            Ok(CertificateStatus::Revoked { reason, revocation_time }) => {
                found.push((reason, revocation_time));
            }
            Err(Fault::Storage(error)) => return Err(of_storage(&error)),
            // A list that ran out says nothing else of it.
            Ok(_) | Err(_) => {}
        }
        if let CrlWord::OnHoldUnlessLifted(since) =
            respond::by_crl(issuer, certificate.serial, self.now())
        {
            found.push((RevocationReason::CertificateHold, since));
        }
        Ok(found)
    }
}

/// Whether a revocation of the certificate, or of its key, takes back what was proposed with it at a time.
fn silences((reason, date): (RevocationReason, UnixSeconds), proposed_at: UnixSeconds) -> bool {
    match reason {
        KeyCompromise | CaCompromise => date <= proposed_at,
        // The same person has another one now.
        Superseded => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::crl::RevocationReason::{AffiliationChanged, CertificateHold};

    use super::*;

    #[test]
    fn a_stolen_key_proposed_nothing_from_the_theft_on() {
        let proposed_at = UnixSeconds::new(100);
        let silences = |reason, date| silences((reason, UnixSeconds::new(date)), proposed_at);
        for (reason, date, expected) in [
            (KeyCompromise, 99, true),
            (KeyCompromise, 100, true),
            (KeyCompromise, 101, false),
            (AffiliationChanged, 101, true),
            (CertificateHold, 101, true),
            (Superseded, 99, false),
        ] {
            assert_eq!(silences(reason, date), expected, "{reason:?} {date}");
        }
    }
}
