//! Signed answers that are kept in memory and given to everybody who asks the same.
//!
//! The database stays the authority. A kept answer is given only while storage says that nothing
//! changed since the status in it was read; when something did, the status is read again, and only
//! the same status keeps the answer. Nor is it given once it is old, its delegate was replaced, or
//! the CRL that it follows was. If it cannot be made anew, there is a refusal, never the old one.
//!
//! The key is the `CertID` as it was asked (strict DER: one certificate has few). The octets of
//! questions and answers together are bounded, and those asked for often outlive those asked for
//! once.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use countersign_core::{ocsp::CertId, time::UnixSeconds};
use countersign_signing::ocsp::CertificateStatus;
use quick_cache::{
    Weighter,
    sync::{Cache, EntryAction, EntryResult},
};
use tokio::sync::OnceCell;

use super::{
    Fault, Responder,
    signed::{self, SignedAnswer},
    status::{Reader, status},
};
use crate::publish::{CrlSource, Issuer, authority::Delegate};

/// How often an answer that went out of date while it was waited for is made again for one asker.
const ATTEMPTS: usize = 4;

/// How long an answer is kept if HTTP caches are to keep none, in seconds.
const LEAST_LIFE_SECONDS: i64 = 60;

/// What an answer is taken to weigh in octets until it is signed: with a delegate's certificate on
/// P-384 it has some 1,000, and beside it what must still be true for it to be given.
const ANSWER_OCTETS: u64 = 2048;

/// Octets of a question and of its answer.
#[derive(Clone)]
struct Octets;

impl Weighter<Vec<u8>, Arc<Slot>> for Octets {
    fn weight(&self, key: &Vec<u8>, slot: &Arc<Slot>) -> u64 {
        let octets = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let answer = match slot.get() {
            Some(Ok(kept)) => octets(kept.signed.der.len()),
            Some(Err(_)) | None => 0,
        };
        octets(key.len()).saturating_add(answer.max(ANSWER_OCTETS))
    }
}

/// Made by the first who asks; others who ask meanwhile wait for it, and share its failure.
type Slot = OnceCell<Result<Arc<KeptAnswer>, Fault>>;

/// The answers that are kept.
pub(crate) struct KeptAnswers {
    slots: Cache<Vec<u8>, Arc<Slot>, Octets>,
    life_seconds: i64,
    random: RandomState,
    counts: KeptCounts,
}

/// How the kept answers are doing, counted since the start.
#[derive(Debug, Default)]
pub(crate) struct KeptCounts {
    /// Given as it was kept.
    pub(crate) hits: AtomicU64,
    /// Given after its status was read again.
    pub(crate) confirmed: AtomicU64,
    /// Signed because there was none, or none of use.
    pub(crate) misses: AtomicU64,
    /// Signed before it was too old, behind an asker's back.
    pub(crate) refreshed: AtomicU64,
}

/// One kept answer, and what must stay true for it to be given.
struct KeptAnswer {
    signed: Arc<SignedAnswer>,
    issuer: Arc<Issuer>,
    delegate: Arc<Delegate>,
    status: CertificateStatus,
    /// The `CRLNumber` of the CRL made elsewhere that it follows.
    crl_number: Option<u64>,
    /// The storage's generation for which the status is known to be right.
    generation: AtomicU64,
    is_void: AtomicBool,
    is_being_refreshed: AtomicBool,
    this_update: UnixSeconds,
    refresh_at: UnixSeconds,
    expires_at: UnixSeconds,
}

/// What a kept answer is worth now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// It may be given.
    Current,
    /// It may be given if its status is still the same.
    Unsure,
    /// It is to be made anew.
    Nothing,
}

impl std::fmt::Debug for KeptAnswers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptAnswers")
            .field("answers", &self.slots.len())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl KeptAnswers {
    /// Room for some `answers` (8,192 of them: 18 MB), each given for at most `max_age_seconds` and
    /// signed anew before they are over.
    pub(crate) fn new(answers: usize, max_age_seconds: u32, validity_seconds: u32) -> Self {
        let wanted = match i64::from(max_age_seconds) {
            0 => LEAST_LIFE_SECONDS,
            seconds => seconds,
        };
        Self {
            slots: Cache::with_weighter(answers, octets_of(answers), Octets),
            // Half, so that everybody who gets a kept answer has at least half of its validity left.
            life_seconds: wanted.min(i64::from(validity_seconds) / 2),
            random: RandomState::new(),
            counts: KeptCounts::default(),
        }
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> &KeptCounts {
        &self.counts
    }

    /// How many answers are kept.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many octets they and their questions have.
    pub(crate) fn octets(&self) -> u64 {
        self.slots.weight()
    }

    /// The answer to a question for one certificate.
    ///
    /// # Errors
    /// [`Fault`]: why there is none.
    pub(super) async fn answer(
        &self,
        responder: &Arc<Responder>,
        id: &CertId<'_>,
    ) -> Result<Arc<SignedAnswer>, Fault> {
        for _ in 0..ATTEMPTS {
            let slot = self.slot(responder, id.raw);
            let was_there = slot.initialized();
            let made = slot.get_or_init(|| self.make(responder, id));
            let kept = made.await.as_ref().map_err(Fault::clone)?;
            if !was_there && u64::try_from(kept.signed.der.len()).is_ok_and(|n| n > ANSWER_OCTETS) {
                // Put there again, to be weighed as what it is.
                self.slots.insert(id.raw.to_vec(), Arc::clone(&slot));
            }
            match kept.worth(responder, responder.now()) {
                Worth::Current => {
                    self.counts.hits.fetch_add(1, Ordering::Relaxed);
                    refresh_if_due(responder, id, kept);
                    return Ok(Arc::clone(&kept.signed));
                }
                Worth::Unsure if kept.confirm(responder, id).await? => {
                    self.counts.confirmed.fetch_add(1, Ordering::Relaxed);
                    return Ok(Arc::clone(&kept.signed));
                }
                Worth::Unsure | Worth::Nothing => {}
            }
        }
        // Revoked again and again while it is signed: a later request finds it quiet.
        Err(Fault::Busy)
    }

    /// The slot of that key, a new one in the place of one that is of no use any more.
    fn slot(&self, responder: &Responder, key: &[u8]) -> Arc<Slot> {
        let now = responder.now();
        let is_of_use = |slot: &Slot| match slot.get() {
            None => true,
            // A failure is for those who waited for this answer: the next asker tries again.
            Some(Err(_)) => false,
            Some(Ok(kept)) => kept.worth(responder, now) != Worth::Nothing,
        };
        if let Some(slot) = self.slots.get(key)
            && is_of_use(&slot)
        {
            return slot;
        }
        // Again, under the lock: of many who find it gone, one puts the new slot there.
        let entry = self.slots.entry(key, None, |_, slot| {
            if !is_of_use(slot) {
                *slot = Arc::default();
            }
            EntryAction::Retain(Arc::clone(slot))
        });
        match entry {
            EntryResult::Retained(slot) => slot,
            EntryResult::Vacant(guard) => {
                let slot = Arc::<Slot>::default();
                // An error: it was removed meanwhile, and this slot serves those who have it.
                let _ = guard.insert(Arc::clone(&slot));
                slot
            }
            // Nothing asks for these.
            EntryResult::Replaced(..) | EntryResult::Removed(..) | EntryResult::Timeout => {
                Arc::default()
            }
        }
    }

    async fn make(
        &self,
        responder: &Arc<Responder>,
        id: &CertId<'_>,
    ) -> Result<Arc<KeptAnswer>, Fault> {
        self.counts.misses.fetch_add(1, Ordering::Relaxed);
        self.sign(responder, id).await.map(Arc::new)
    }

    async fn sign(&self, responder: &Arc<Responder>, id: &CertId<'_>) -> Result<KeptAnswer, Fault> {
        // Before the status is read: if something changes in between, the answer is of an earlier
        // generation, and its status is read again before it is given. Read after it, the generation
        // would vouch for a status that it had never seen. Without a generation, the answer is for those
        // who wait for it now.
        let generation = responder.storage.generation().unwrap_or(u64::MAX);
        let unsigned =
            signed::prepare(responder, std::slice::from_ref(id), responder.now()).await?;
        let status = unsigned.first_status().unwrap_or(CertificateStatus::Unknown);
        let (issuer, delegate) = (Arc::clone(&unsigned.issuer), Arc::clone(&unsigned.delegate));
        let (this_update, next_update) = (unsigned.this_update, unsigned.next_update);
        let crl_number = crl_number(&issuer);
        let signed = Arc::new(signed::sign(responder, unsigned).await?);
        let expires_at = this_update.plus_seconds(self.life_seconds).min(next_update);
        Ok(KeptAnswer {
            signed,
            issuer,
            delegate,
            status,
            crl_number,
            generation: AtomicU64::new(generation),
            is_void: AtomicBool::new(false),
            is_being_refreshed: AtomicBool::new(false),
            this_update,
            refresh_at: this_update.plus_seconds(self.jittered(id.raw, this_update)),
            expires_at,
        })
    }

    /// After 70 to 90 per cent of its life, at random: answers that were signed together are not all
    /// signed again together.
    fn jittered(&self, key: &[u8], this_update: UnixSeconds) -> i64 {
        let percent = 70 + self.random.hash_one((key, this_update.seconds())) % 21;
        self.life_seconds.saturating_mul(i64::try_from(percent).unwrap_or(90)) / 100
    }

    /// Signs the answer for the `CertID` (DER) anew, and keeps it in the place of the one before.
    ///
    /// # Errors
    /// [`Fault`]; the one before stays for as long as it may.
    pub(crate) async fn renew(&self, responder: &Arc<Responder>, key: &[u8]) -> Result<(), Fault> {
        let id = CertId::decode_der(key).map_err(|_| Fault::Malformed)?;
        let kept = self.sign(responder, &id).await?;
        self.counts.refreshed.fetch_add(1, Ordering::Relaxed);
        self.slots.insert(key.to_vec(), Arc::new(Slot::new_with(Some(Ok(Arc::new(kept))))));
        Ok(())
    }
}

impl KeptAnswer {
    fn worth(&self, responder: &Responder, now: UnixSeconds) -> Worth {
        // A clock that was set back makes it an answer from the future, which no client takes. A delegate
        // that was replaced may have been replaced because its key is lost.
        let is_current = (self.this_update..self.expires_at).contains(&now)
            && !self.is_void.load(Ordering::Acquire)
            && self.issuer.authority.is_delegate(&self.delegate)
            && self.crl_number == crl_number(&self.issuer);
        if !is_current {
            return Worth::Nothing;
        }
        let of = self.generation.load(Ordering::Acquire);
        if responder.storage.generation() == Some(of) { Worth::Current } else { Worth::Unsure }
    }

    /// Reads the status again; whether it is the same.
    async fn confirm(&self, responder: &Responder, id: &CertId<'_>) -> Result<bool, Fault> {
        // Before the status is read, as in `sign`.
        let generation = responder.storage.generation();
        let found =
            status(responder, &self.issuer, id.serial, (Reader::Responder, responder.now()))
                .await?;
        if found != self.status {
            // For ever: a status that comes back (a lifted hold) gets a new answer with new dates.
            self.is_void.store(true, Ordering::Release);
            return Ok(false);
        }
        if let Some(generation) = generation {
            self.generation.store(generation, Ordering::Release);
        }
        Ok(true)
    }
}

/// Has a hot answer signed anew before it is too old, without making anybody wait.
fn refresh_if_due(responder: &Arc<Responder>, id: &CertId<'_>, kept: &Arc<KeptAnswer>) {
    if responder.now() < kept.refresh_at || kept.is_being_refreshed.swap(true, Ordering::AcqRel) {
        return;
    }
    let (responder, kept, key) = (Arc::clone(responder), Arc::clone(kept), id.raw.to_vec());
    tokio::spawn(async move {
        if responder.kept_answers.renew(&responder, &key).await.is_err() {
            // Tried again by the next asker.
            kept.is_being_refreshed.store(false, Ordering::Release);
        }
    });
}

/// The octets that so many answers may have.
fn octets_of(answers: usize) -> u64 {
    const WITH_QUESTION: u64 = ANSWER_OCTETS + 128;
    u64::try_from(answers).unwrap_or(u64::MAX).saturating_mul(WITH_QUESTION)
}

/// The number of the CRL made elsewhere that decides for `issuer`.
fn crl_number(issuer: &Issuer) -> Option<u64> {
    match &issuer.crls {
        CrlSource::Elsewhere(crls) => crls.current().map(|crl| crl.number),
        CrlSource::Publisher(_) => None,
    }
}
