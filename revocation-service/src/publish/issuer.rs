//! The issuers that are served: each with its certificate and keys, its row in the register, and
//! where its CRLs come from.

use std::sync::Arc;

use countersign_core::{crypto::aws_lc::AwsLc, time::UnixSeconds, x509::Certificate};

use super::{
    CrlError, CrlTimes, CrlsElsewhere, PublishedCrl, Publisher, authority::Authority, refuse_loss,
};
use crate::register::{
    CrlList,
    storage::{IssuerId, Storage, StoredCrl},
};

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
    /// When the database fails or belongs to another issuer, or lacks what the issuer revoked elsewhere
    /// before its key came here.
    pub async fn open(
        authority: Authority,
        storage: &Arc<Storage>,
        times: CrlTimes,
        now: UnixSeconds,
    ) -> Result<Self, CrlError> {
        let authority = Arc::new(authority);
        let id = storage.bind_issuer(authority.name(), authority.spki_sha256()).await?;
        let (shared, storage) = (Arc::clone(&authority), Arc::clone(storage));
        let crls = if let Some(key) = authority.key() {
            let stored = storage.stored_crl(id, CrlList::WHOLE).await?;
            if let Some(stored) = stored.filter(StoredCrl::was_made_elsewhere) {
                refuse_loss(&stored, &storage.revocations(id).await?)?;
            }
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

    /// Renews the CRL if it is time.
    ///
    /// # Errors
    /// [`CrlError`]; the CRL before stays.
    pub async fn refresh_crl(&self, now: UnixSeconds) -> Result<(), CrlError> {
        match &self.crls {
            CrlSource::Publisher(publisher) => publisher.refresh(now).await,
            CrlSource::Elsewhere(crls) => crls.refresh(now).await,
        }
    }

    /// Whether a list is due that cannot be made.
    pub fn is_failing(&self) -> bool {
        matches!(&self.crls, CrlSource::Publisher(publisher) if publisher.is_failing())
    }
}

/// All of them.
#[derive(Debug)]
pub struct Issuers(Vec<Arc<Issuer>>);

impl Issuers {
    /// Those, in the order of the configuration.
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self(issuers.into_iter().map(Arc::new).collect())
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Issuer>> {
        self.0.iter()
    }

    /// The issuer with that name.
    pub fn named(&self, name: &str) -> Option<&Arc<Issuer>> {
        self.iter().find(|issuer| issuer.authority.name() == name)
    }

    /// The issuer with that row.
    pub fn with_id(&self, id: IssuerId) -> Option<&Arc<Issuer>> {
        self.iter().find(|issuer| issuer.id == id)
    }

    /// The configured name of an issuer; an issuer that is no longer configured has none.
    pub fn name_of(&self, id: IssuerId) -> &str {
        self.with_id(id).map_or("?", |issuer| issuer.authority.name())
    }

    /// The issuer that signed `certificate`.
    pub fn of(&self, certificate: &Certificate<'_>) -> Option<&Arc<Issuer>> {
        self.iter().find(|issuer| certificate.is_signed_by(&issuer.authority.certificate(), &AwsLc))
    }
}

impl<'a> IntoIterator for &'a Issuers {
    type Item = &'a Arc<Issuer>;
    type IntoIter = std::slice::Iter<'a, Arc<Issuer>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
