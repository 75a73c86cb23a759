//! What every request handler shares: issuers, storage, clock, the queue before the keys.

use std::{sync::Arc, time::SystemTime};

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::{time::UnixSeconds, x509::Certificate};
use countersign_daemon::clock::Clock;

use crate::{
    authority::{Authority, AuthorityError, Delegate, IssuedDelegate},
    caching::MaxAge,
    config::{Config, NeverIssued},
    crl::{CrlFault, CrlTimes, CrlsElsewhere, PublishedCrl, Publisher},
    figures::Figures,
    ocsp::{KeptAnswers, StatusMemory},
    register::{
        CrlList,
        storage::{CertificateRecord, Digests, Evidence, IssuerId, Storage, StorageError},
    },
    signing_queue::{QueueFault, SigningQueue},
};

/// OCSP answers that are kept: one takes about 2.5 kB.
const KEPT_ANSWERS: usize = 1 << 13;

/// The running service.
#[derive(Debug)]
pub struct Service {
    issuers: Vec<Arc<Issuer>>,
    storage: Arc<Storage>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    signing: SigningQueue,
    kept_answers: KeptAnswers,
    status_memory: StatusMemory,
    ocsp_max_age: MaxAge,
    crl_max_age: MaxAge,
    figures: Figures,
}

/// The numbers of the configuration that handlers need.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Validity of OCSP delegates that are issued here.
    pub ocsp_delegate_validity_seconds: u32,
    /// Answers that may be made at once.
    pub ocsp_max_in_flight: usize,
    /// What OCSP says of serial numbers never registered.
    pub never_issued: NeverIssued,
    /// Validity of an OCSP answer.
    pub ocsp_validity_seconds: u32,
    /// `CertIDs` in a request.
    pub ocsp_max_certificates: usize,
}

/// One issuer that is served.
#[derive(Debug)]
pub struct Issuer {
    /// Its certificate and keys.
    pub authority: Arc<Authority>,
    /// Its row in storage.
    pub id: IssuerId,
    /// Where its CRLs come from.
    pub crls: CrlSource,
}

/// Where an issuer's CRLs come from.
#[derive(Debug)]
pub enum CrlSource {
    /// They are signed here.
    Publisher(Box<Publisher>),
    /// They are made elsewhere.
    Elsewhere(Box<CrlsElsewhere>),
}

impl Issuer {
    /// Binds an issuer to its row and takes up its CRL.
    ///
    /// # Errors
    /// When the database fails or belongs to another issuer.
    pub async fn open(
        authority: Authority,
        storage: &Arc<Storage>,
        times: CrlTimes,
        now: UnixSeconds,
    ) -> Result<Self, CrlFault> {
        let authority = Arc::new(authority);
        let id = storage.bind_issuer(authority.name(), authority.spki_sha256()).await?;
        let (shared, storage) = (Arc::clone(&authority), Arc::clone(storage));
        let crls = if let Some(key) = authority.key() {
            let key = Arc::clone(key);
            let publisher = Publisher::resume(shared, key, id, storage, times).await?;
            CrlSource::Publisher(Box::new(publisher))
        } else {
            let path = authority.crl_file().map(ToOwned::to_owned);
            CrlSource::Elsewhere(Box::new(
                CrlsElsewhere::open(shared, id, storage, path, now).await?,
            ))
        };
        Ok(Self { authority, id, crls })
    }

    /// The whole CRL, if there is one.
    pub fn crl(&self) -> Option<Arc<PublishedCrl>> {
        match &self.crls {
            CrlSource::Publisher(publisher) => publisher.current(),
            CrlSource::Elsewhere(crls) => crls.current(),
        }
    }

    /// Every list that is to be served, and the CRL there, if there is one.
    pub fn crl_lists(&self) -> Vec<(CrlList, Option<Arc<PublishedCrl>>)> {
        match &self.crls {
            CrlSource::Publisher(publisher) => publisher.lists().collect(),
            CrlSource::Elsewhere(crls) => vec![(CrlList::WHOLE, crls.current())],
        }
    }

    /// Issues the next OCSP delegate, where that is done here and it is time; it is registered
    /// before it is used.
    ///
    /// # Errors
    /// [`DelegateFault`]; the one in use stays.
    pub async fn refresh_delegate(
        &self,
        storage: &Arc<Storage>,
        validity_seconds: u32,
        now: UnixSeconds,
    ) -> Result<(), DelegateFault> {
        let authority = Arc::clone(&self.authority);
        let is_due = |delegate: &Delegate| now >= delegate.renew_at || now < delegate.not_before;
        if !authority.issues_delegates()
            || authority.delegate().is_some_and(|delegate| !is_due(&delegate))
        {
            return Ok(());
        }
        let issuing = tokio::task::spawn_blocking(move || {
            authority.issue_delegate(i64::from(validity_seconds), now)
        });
        let IssuedDelegate { delegate, certificate } =
            issuing.await.map_err(|_| QueueFault::Abandoned)??;
        let record = delegate_record(self.id, &certificate, now);
        storage.register(record.into_iter().collect()).await?;
        let (issuer, not_after) = (self.authority.name(), delegate.not_after);
        self.authority.use_delegate(delegate);
        tracing::info!(issuer, %not_after, "OCSP delegate issued");
        Ok(())
    }

    /// Renews the CRL if it is time.
    ///
    /// # Errors
    /// [`CrlFault`]; the CRL before stays.
    pub async fn refresh_crl(&self, now: UnixSeconds) -> Result<(), CrlFault> {
        match &self.crls {
            CrlSource::Publisher(publisher) => publisher.refresh(now).await,
            CrlSource::Elsewhere(crls) => crls.refresh(now).await,
        }
    }
}

/// Why there is no new OCSP delegate.
#[derive(Debug, thiserror::Error)]
pub enum DelegateFault {
    /// It could not be issued.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// It could not be registered.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The work was abandoned.
    #[error(transparent)]
    Abandoned(#[from] QueueFault),
}

fn delegate_record(issuer: IssuerId, der: &[u8], now: UnixSeconds) -> Option<CertificateRecord> {
    let certificate = Certificate::decode(der).ok()?;
    Some(CertificateRecord {
        issuer,
        serial: certificate.serial.to_vec(),
        digests: Some(Digests::of(&certificate)),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        evidence: Evidence::Certificate,
        registered_at: now,
        actor: crate::PROGRAM.to_owned(),
    })
}

impl Service {
    /// A service for `issuers`.
    pub fn new(
        issuers: Vec<Issuer>,
        storage: Arc<Storage>,
        clock: Arc<dyn Clock>,
        config: &Config,
    ) -> Self {
        let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        Self {
            issuers: issuers.into_iter().map(Arc::new).collect(),
            storage,
            clock,
            settings: Settings {
                ocsp_delegate_validity_seconds: config.ocsp_delegate_validity_seconds,
                ocsp_max_in_flight: count(config.ocsp_max_in_flight),
                never_issued: config.never_issued,
                ocsp_validity_seconds: config.ocsp_validity_seconds,
                ocsp_max_certificates: count(config.ocsp_max_certificates),
            },
            signing: SigningQueue::new(count(config.ocsp_max_in_flight)),
            kept_answers: KeptAnswers::new(
                KEPT_ANSWERS,
                config.ocsp_max_age_seconds,
                config.ocsp_validity_seconds,
            ),
            status_memory: StatusMemory::default(),
            ocsp_max_age: MaxAge::new(config.ocsp_max_age_seconds),
            crl_max_age: MaxAge::new(config.crl_max_age_seconds),
            figures: Figures::new(),
        }
    }

    /// The issuers served.
    pub fn issuers(&self) -> &[Arc<Issuer>] {
        &self.issuers
    }

    /// The issuer with that name.
    pub fn issuer_named(&self, name: &str) -> Option<&Arc<Issuer>> {
        self.issuers.iter().find(|issuer| issuer.authority.name() == name)
    }

    /// The issuer that signed `certificate`.
    pub fn issuer_of(&self, certificate: &Certificate<'_>) -> Option<&Arc<Issuer>> {
        self.issuers
            .iter()
            .find(|issuer| certificate.is_signed_by(&issuer.authority.certificate(), &AwsLc))
    }

    /// Where things are kept.
    pub fn storage(&self) -> &Arc<Storage> {
        &self.storage
    }

    /// The numbers of the configuration.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The queue before the OCSP keys.
    pub fn signing(&self) -> &SigningQueue {
        &self.signing
    }

    /// The OCSP answers that are kept.
    pub(crate) fn kept_answers(&self) -> &KeptAnswers {
        &self.kept_answers
    }

    /// The database's latest words on serial numbers.
    pub(crate) fn status_memory(&self) -> &StatusMemory {
        &self.status_memory
    }

    /// `max-age` of OCSP answers.
    pub(crate) fn ocsp_max_age(&self) -> &MaxAge {
        &self.ocsp_max_age
    }

    /// `max-age` of CRLs.
    pub(crate) fn crl_max_age(&self) -> &MaxAge {
        &self.crl_max_age
    }

    /// What is counted.
    pub(crate) fn figures(&self) -> &Figures {
        &self.figures
    }

    /// How many answers are being read up or signed.
    pub(crate) fn answers_being_made(&self) -> usize {
        self.signing.taken(self.settings.ocsp_max_in_flight)
    }

    /// The time, whole seconds.
    pub fn now(&self) -> UnixSeconds {
        let since = self.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        UnixSeconds::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}
