//! Compromises that no order brought: those in CRLs made elsewhere, and those on record from before.
//!
//! Nobody asks for it, so it goes on by itself: once from the start on, through what is on record, and for each
//! new CRL of an issuer whose key is elsewhere. It goes by batches, between which urgent orders get their turn.
//! Each is in the audit ledger before it is carried out, and what came of it afterwards. What was done before
//! changes nothing, and is not on record again. What a compromise takes with it is decided in storage.

use std::{collections::HashMap, sync::Arc, time::Duration};

use countersign_core::{digest::encode_hex, time::UnixSeconds, x509::certificate::serial_text};
use countersign_daemon::{
    clock::Clock,
    ledger::{AppendError, Ledger},
    shutdown::Shutdown,
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{
    publish::{CrlSource, Issuer, Issuers},
    register::storage::{Compromise, CompromiseSource, IssuerId, KeysTaken, Storage, StorageError},
};

/// Certificates in one transaction, and in one line of the ledger, which has at most 65536 octets.
const BATCH: usize = 100;

/// How often it is looked whether there is a new CRL, and how long after a failure it is tried again.
const INTERVAL: Duration = Duration::from_secs(1);

/// Who is on record for what was not said by a CRL.
const SERVICE: &str = "this service";

/// Why a compromise was not followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompromiseError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not on record, and was not carried out.
    #[error("the audit record was not written: {0}")]
    Audit(#[from] AppendError),
    /// The clock lost its time: no revocation dates from after now, so every signature would be void, and nobody
    /// could undo that.
    #[error("the clock says {now}, before the issuer {issuer} began; set the clock")]
    Clock {
        /// What it says.
        now: UnixSeconds,
        /// An issuer that began later.
        issuer: String,
    },
}

/// What follows them.
#[derive(Debug)]
pub(crate) struct Compromises {
    issuers: Arc<Issuers>,
    storage: Arc<Storage>,
    clock: Arc<dyn Clock>,
    ledger: Option<Ledger>,
    /// The number of the CRL of each issuer that was followed last. One is followed at a time.
    followed: Mutex<HashMap<IssuerId, u64>>,
}

impl Compromises {
    pub(crate) fn new(
        (issuers, storage): (Arc<Issuers>, Arc<Storage>),
        clock: Arc<dyn Clock>,
        ledger: Option<Ledger>,
    ) -> Self {
        Self { issuers, storage, clock, ledger, followed: Mutex::default() }
    }

    /// Follows them until the stop is asked for. What fails is tried again.
    pub(crate) async fn run(self: Arc<Self>, shutdown: Shutdown) {
        let mut said: Option<String> = None;
        let mut is_swept = false;
        loop {
            let work = async {
                if !is_swept {
                    self.sweep().await?;
                }
                is_swept = true;
                for issuer in &*self.issuers {
                    self.follow_crl(issuer).await?;
                }
                Ok::<_, CompromiseError>(())
            };
            let outcome = tokio::select! {
                () = shutdown.requested() => return,
                outcome = work => outcome,
            };
            let fault = outcome.err().map(|fault| fault.to_string());
            if let Some(fault) = fault.as_ref().filter(|fault| said.as_ref() != Some(fault)) {
                tracing::error!(fault, "compromised keys were not revoked; trying again");
            }
            said = fault;
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Has every compromise on record take its key that did not.
    async fn sweep(&self) -> Result<(), CompromiseError> {
        for source in [CompromiseSource::Here, CompromiseSource::Elsewhere] {
            let mut after: Option<Compromise> = None;
            loop {
                let limit = u32::try_from(BATCH).unwrap_or(u32::MAX);
                let storage = &self.storage;
                let found = storage.compromises_to_follow(source, after.as_ref(), limit).await?;
                if found.is_empty() {
                    break;
                }
                let now = self.now()?;
                let order = self.order(SERVICE, &found).await?;
                let taken = storage.follow_compromises(&found, now).await?;
                self.outcome(SERVICE, order, &taken).await?;
                after = found.last().cloned();
            }
        }
        Ok(())
    }

    /// Has what the CRL of an issuer says whose key is elsewhere take its keys; gives the revisions of the issuers
    /// that changed. Nothing for a CRL that was followed before.
    ///
    /// # Errors
    /// [`CompromiseError`]; it is tried again within a second.
    pub(crate) async fn follow_crl(
        &self,
        issuer: &Issuer,
    ) -> Result<Vec<(IssuerId, i64)>, CompromiseError> {
        let CrlSource::Elsewhere(crls) = &issuer.crls else { return Ok(Vec::new()) };
        let mut followed = self.followed.lock().await;
        let known = followed.get(&issuer.id).copied();
        let Some((number, compromises)) = crls.compromises_since(known) else {
            return Ok(Vec::new());
        };
        let crl = format!("CRL {number} of {}", issuer.authority.name());
        let mut revisions = Vec::new();
        for batch in compromises.chunks(BATCH) {
            let new = self.storage.compromises_to_note(issuer.id, batch).await?;
            if new.is_empty() {
                continue;
            }
            let now = self.now()?;
            let order = self.order(&crl, &new).await?;
            let taken = self.storage.note_compromises(issuer.id, &new, &crl, now).await?;
            self.outcome(&crl, order, &taken).await?;
            revisions.extend(taken.revisions);
        }
        followed.insert(issuer.id, number);
        Ok(revisions)
    }

    fn now(&self) -> Result<UnixSeconds, CompromiseError> {
        let now = self.clock.unix_now();
        let begins_later = |issuer: &&Arc<Issuer>| now < issuer.authority.certificate().not_before;
        match self.issuers.iter().find(begins_later) {
            None => Ok(now),
            Some(issuer) => {
                let issuer = issuer.authority.name().to_owned();
                Err(CompromiseError::Clock { now, issuer })
            }
        }
    }

    async fn order(
        &self,
        actor: &str,
        compromises: &[Compromise],
    ) -> Result<Option<u64>, CompromiseError> {
        let certificates: Vec<_> = compromises
            .iter()
            .map(|compromise| {
                json!({
                    "issuer": self.issuers.name_of(compromise.issuer),
                    "serial": serial_text(&compromise.serial),
                    "compromised_since": compromise.since,
                })
            })
            .collect();
        let record = json!({ "actor": actor, "certificates": certificates });
        self.append("compromise.ordered", &record).await
    }

    async fn outcome(
        &self,
        actor: &str,
        order: Option<u64>,
        taken: &KeysTaken,
    ) -> Result<(), CompromiseError> {
        let KeysTaken { keys, certificate_count, .. } = taken;
        tracing::info!(actor, keys = keys.len(), certificate_count, "compromises followed");
        let keys: Vec<_> = keys.iter().map(|key| encode_hex(key)).collect();
        let record = json!({
            "actor": actor, "order": order, "keys": keys, "certificate_count": certificate_count,
        });
        self.append("compromise.done", &record).await?;
        Ok(self.storage.note_ledger_head().await?)
    }

    async fn append(&self, kind: &str, record: &Value) -> Result<Option<u64>, CompromiseError> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        Ok(Some(ledger.append(kind, record).await?.sequence))
    }
}
