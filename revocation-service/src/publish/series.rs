//! The lists of one scope: the complete one, its deltas, and what the deltas are counted from.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use countersign_core::{crl::RevocationReason, limits, time::UnixSeconds};
use countersign_signing::crl::delta_url;

use super::{CrlError, PublishedCrl, authority::Authority};
use crate::register::{
    CrlForm, CrlList, CrlScope,
    storage::{IssuerId, Storage, StorageError, StoredCrl},
};

/// One scope's lists as they are served now.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) scope: CrlScope,
    /// The address of the complete list, and the scope of both.
    pub(super) url: String,
    complete: ArcSwapOption<PublishedCrl>,
    delta: ArcSwapOption<PublishedCrl>,
    base: Mutex<Option<Base>>,
    /// The storage revision up to which the complete list is known to lack nothing; past the one
    /// that it was built from where later changes were other scopes'.
    shown: AtomicI64,
}

/// The complete list that deltas are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// Its `CRLNumber`.
    pub(super) number: u64,
    /// The storage revision that it shows.
    pub(super) revision: i64,
}

/// The number of each stored list, by its name.
pub(super) type StoredNumbers = HashMap<String, u64>;

/// Whether deltas are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deltas {
    /// They are, each valid for so many seconds.
    For(i64),
    /// Complete lists only.
    None,
}

/// What of a series is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Both lists: entries changed, or there is none.
    Change,
    /// Both: half of the complete list's time is over. Deltas begin anew with it.
    Renewal,
    /// The delta alone: half of its time is over.
    Delta,
}

impl Series {
    pub(super) fn new(scope: CrlScope, whole_url: &str) -> Self {
        Self {
            scope,
            url: scope.url(whole_url),
            complete: ArcSwapOption::empty(),
            delta: ArcSwapOption::empty(),
            base: Mutex::new(None),
            shown: AtomicI64::new(0),
        }
    }

    pub(super) fn list(&self, form: CrlForm) -> CrlList {
        CrlList { scope: self.scope, form }
    }

    pub(super) fn delta_url(&self) -> String {
        delta_url(&self.url)
    }

    pub(super) fn complete(&self) -> Option<Arc<PublishedCrl>> {
        self.complete.load_full()
    }

    pub(super) fn delta(&self) -> Option<Arc<PublishedCrl>> {
        self.delta.load_full()
    }

    pub(super) fn base(&self) -> Option<Base> {
        *self.base.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_base(&self, base: Base) {
        *self.base.lock().unwrap_or_else(PoisonError::into_inner) = Some(base);
    }

    /// Takes up what was stored last, here or by another replica, if that is newer than what is
    /// served. What no longer passes (its URL was changed, for one) is left: the next list replaces
    /// it. `numbers` says what is stored; nothing else is read.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn adopt(
        &self,
        storage: &Storage,
        issuer: IssuerId,
        authority: &Authority,
        (deltas, numbers): (Deltas, &StoredNumbers),
    ) -> Result<(), StorageError> {
        let is_newer =
            |form, known: Option<u64>| numbers.get(&self.list(form).to_string()).copied() > known;
        let served = self.complete().map(|crl| crl.number);
        if is_newer(CrlForm::Complete, served)
            && let Some(crl) = self.stored(storage, issuer, authority, CrlForm::Complete).await?
        {
            // What it shows is what it was built from, and no more is known of it.
            self.shown.store(crl.revision, Ordering::Release);
            self.complete.store(Some(Arc::new(crl)));
        }
        if deltas == Deltas::None {
            return Ok(());
        }
        let served = self.delta().map(|crl| crl.number);
        if is_newer(CrlForm::Delta, served)
            && let Some(crl) = self.stored(storage, issuer, authority, CrlForm::Delta).await?
        {
            self.delta.store(Some(Arc::new(crl)));
        }
        if is_newer(CrlForm::DeltaBase, self.base().map(|base| base.number)) {
            let base = storage.stored_crl(issuer, self.list(CrlForm::DeltaBase)).await?;
            if let Some(StoredCrl { number, revision, .. }) = base {
                self.set_base(Base { number, revision });
            }
        }
        Ok(())
    }

    /// The list in storage, if it is of use.
    async fn stored(
        &self,
        storage: &Storage,
        issuer: IssuerId,
        authority: &Authority,
        form: CrlForm,
    ) -> Result<Option<PublishedCrl>, StorageError> {
        let list = self.list(form);
        let Some(stored) = storage.stored_crl(issuer, list).await? else { return Ok(None) };
        let fault = match PublishedCrl::inspect(&stored.der.into(), stored.revision, authority) {
            Ok(crl) if crl.is_at(&self.url, authority) && crl.form == form => return Ok(Some(crl)),
            Ok(crl) if crl.form != form => {
                "it is a delta where a complete list belongs, or the other way round".to_owned()
            }
            Ok(_) => "it has another URL".to_owned(),
            Err(fault) => fault.to_string(),
        };
        let issuer = authority.name();
        tracing::warn!(issuer, %list, fault, "a stored CRL is of no use; making a new one");
        Ok(None)
    }

    /// What must be made so that everything up to `revision` is shown and nothing runs out.
    pub(super) fn due(&self, revision: i64, deltas: Deltas, now: UnixSeconds) -> Option<Due> {
        let Some(complete) = self.complete() else { return Some(Due::Change) };
        if self.shown.load(Ordering::Acquire) < revision {
            return Some(Due::Change);
        }
        if is_old(&complete, now) {
            return Some(Due::Renewal);
        }
        match (deltas, self.base(), self.delta()) {
            (Deltas::None, ..) => None,
            // The first list that says where its deltas are.
            (Deltas::For(_), None, _) => Some(Due::Renewal),
            (Deltas::For(_), _, Some(delta)) if !is_old(&delta, now) => None,
            (Deltas::For(_), ..) => Some(Due::Delta),
        }
    }

    /// Whether the complete list shows everything up to `revision` and may be served.
    pub(super) fn shows(&self, revision: i64, now: UnixSeconds) -> bool {
        self.complete().is_some_and(|crl| !crl.is_overdue(now))
            && self.shown.load(Ordering::Acquire) >= revision
    }

    /// The storage revision that its complete list is known to show; nothing without one.
    pub(super) fn shown(&self) -> Option<i64> {
        self.complete().map(|_| self.shown.load(Ordering::Acquire))
    }

    /// Notes that nothing of this scope changed up to `revision`.
    pub(super) fn note_unchanged(&self, revision: i64) {
        self.shown.fetch_max(revision, Ordering::AcqRel);
    }

    /// Whether the served complete list has just these entries (serial, reason, date).
    pub(super) fn lists<'a>(
        &self,
        entries: impl Iterator<Item = (&'a [u8], RevocationReason, UnixSeconds)>,
    ) -> bool {
        let Some(complete) = self.complete() else { return false };
        let Ok(list) = countersign_core::crl::CertificateList::decode(&complete.der) else {
            return false;
        };
        let mut served = list.entries();
        for (serial, reason, date) in entries {
            let is_same = served.next().is_some_and(|served| {
                served.is_ok_and(|served| {
                    (served.serial, served.reason, served.revocation_date) == (serial, reason, date)
                })
            });
            if !is_same {
                return false;
            }
        }
        served.next().is_none()
    }

    /// Puts a list where the one before was: in storage first, then before the world.
    ///
    /// # Errors
    /// It does not succeed the one before; storage failed, or another replica was faster
    /// ([`StorageError::CrlNumber`], [`StorageError::CrlRevision`]).
    pub(super) async fn put(
        &self,
        storage: &Storage,
        issuer: IssuerId,
        form: CrlForm,
        crl: PublishedCrl,
    ) -> Result<(), CrlError> {
        let place = if form == CrlForm::Delta { &self.delta } else { &self.complete };
        if let Some(published) = place.load().as_deref() {
            crl.succeed(published)?;
        }
        let (number, revision) = (crl.number, crl.revision);
        let stored = StoredCrl { number, revision, der: crl.der.to_vec() };
        // Storage has the last word on numbers and revisions: if another replica was faster, it refuses
        // here, and the older list is never served. What is served also survives a restart.
        storage.store_crl(issuer, self.list(form), &stored).await?;
        place.store(Some(Arc::new(crl)));
        countersign_daemon::crash_point::reach("crl.published");
        if form == CrlForm::Complete {
            // After the list: a revocation is acknowledged by this number, and must be in what is served.
            self.shown.store(revision, Ordering::Release);
        }
        Ok(())
    }

    /// Has deltas counted from `base` from now on.
    ///
    /// # Errors
    /// Storage failed.
    pub(super) async fn put_base(
        &self,
        storage: &Storage,
        issuer: IssuerId,
        base: Base,
    ) -> Result<(), StorageError> {
        let stored = StoredCrl { number: base.number, revision: base.revision, der: Vec::new() };
        storage.store_crl(issuer, self.list(CrlForm::DeltaBase), &stored).await?;
        self.set_base(base);
        Ok(())
    }
}

/// Whether half of its time is over (late enough to be quiet, early enough to survive a failing disk
/// or key for a while), or it is dated so far ahead that clients would not take it yet.
fn is_old(crl: &PublishedCrl, now: UnixSeconds) -> bool {
    let validity = &crl.validity;
    let life_seconds = validity.next_update.seconds_since(validity.this_update);
    now >= validity.this_update.plus_seconds(life_seconds / 2)
        || validity.this_update > now.plus_seconds(limits::CLOCK_SKEW_SECONDS)
}
