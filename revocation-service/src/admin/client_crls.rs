//! CRLs of the authorities whose clients may administer (`admin_tls.client_crl`): how an administrator is
//! locked out whose certificate no `[[issuer]]` of this service issued.
//!
//! One list an authority, which must be [complete](CompleteList). Each file is checked and read again when it changes; a bad
//! one changes nothing. A newer list takes the place of the one before only if it takes nothing back but a hold: by
//! the same rule as that of an issuer whose key is elsewhere. The last list is kept in the database, so that a restart
//! forgets nobody, and replicas learn of each other's. A list that ran out still proves what it lists. It does not keep
//! out whom it does not list: somebody must get in to mend it, and the log says that it ran out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use countersign_core::{
    crl::{self, CertificateList, CompleteList},
    crypto::aws_lc::AwsLc,
    limits,
    pem::{self, Kind},
    time::UnixSeconds,
    x509::{Certificate, certificate::serial_text},
};
use countersign_daemon::sha256::sha256;
use countersign_signing::{
    files,
    pem::{PemError, read_certificates},
};

use crate::{
    publish::{
        Before, CrlError, RevokedSerials,
        authority::{self, Authority},
        file_state::FileState,
        refuse_revival, revoked_in, url_of,
    },
    register::storage::{AuthorityKey, IssuerId, Storage, StorageError},
};

/// What is known of an authority that is an `[[issuer]]` too.
#[derive(Clone, Debug)]
pub(crate) struct KnownIssuer {
    /// SHA-256 of its `SubjectPublicKeyInfo`.
    pub(crate) key: AuthorityKey,
    /// Its row, if the database is open.
    pub(crate) id: Option<IssuerId>,
    /// Where its CRL is.
    pub(crate) crl_url: Option<String>,
}

impl KnownIssuer {
    /// What is known of `authority`.
    pub(crate) fn of(authority: &Authority, id: Option<IssuerId>) -> Self {
        let crl_url = authority.crl_url().map(str::to_owned);
        Self { key: authority.spki_sha256(), id, crl_url }
    }
}

/// The CRLs for the admin listener's clients.
#[derive(Debug)]
pub(crate) struct ClientCrls {
    reader: Arc<ListReader>,
    files: Vec<PathBuf>,
    storage: Arc<Storage>,
    current: ArcSwap<BTreeMap<AuthorityKey, Arc<ClientCrl>>>,
    watched: Mutex<Vec<Watched>>,
}

/// What is known of a file.
#[derive(Clone, Debug, Default)]
struct Watched {
    /// Nothing before the first look.
    seen: Option<FileState>,
    /// Why its last version was not taken.
    fault: Option<String>,
}

/// What lists are checked with.
#[derive(Debug)]
struct ListReader {
    client_ca: PathBuf,
    issuers: Vec<KnownIssuer>,
}

/// One CRL.
#[derive(Clone, Debug)]
struct ClientCrl {
    der: Vec<u8>,
    /// The certificate of its issuer, which signed it, DER.
    issuer: Vec<u8>,
    /// SHA-256 of that one's `SubjectPublicKeyInfo`.
    issuer_key: AuthorityKey,
    /// `CRLNumber`, content octets.
    number: Vec<u8>,
    this_update: UnixSeconds,
    next_update: Option<UnixSeconds>,
    expired_certificates_since: Option<UnixSeconds>,
    /// Where it says that it is.
    url: Option<String>,
    revoked: RevokedSerials,
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ClientCrlError {
    /// The authorities cannot be read.
    #[error("client_ca: {0}")]
    Authorities(#[from] PemError),
    /// The file cannot be read, or what is in it is not good.
    #[error("client_crl {}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        fault: Box<CrlError>,
    },
    /// None of the authorities signed it.
    #[error("client_crl {}: no certificate of client_ca signed it", path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
    },
    /// A newer one was read before.
    #[error("client_crl {}: its thisUpdate {found} is before {known}, or its number is less than that of the list which was read before", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: UnixSeconds,
        /// What the one before says.
        known: UnixSeconds,
    },
    /// Its time is over; what it lists counts all the same.
    #[error(
        "client_crl: the list of {authority} ran out at {next_update}; whom it does not list is let in"
    )]
    RanOut {
        /// The authority's name.
        authority: String,
        /// When.
        next_update: UnixSeconds,
    },
    /// The database failed, or what it has is no such list.
    #[error("client_crl: {0}")]
    Storage(#[from] StorageError),
}

impl ClientCrlError {
    /// Whether the list before stays in force, and a service may start with that.
    fn leaves_the_one_before(&self) -> bool {
        match self {
            Self::Older { .. } => true,
            Self::File { fault, .. } => {
                matches!(**fault, CrlError::Revives { .. } | CrlError::UrlChanged { .. })
            }
            _ => false,
        }
    }
}

impl ClientCrls {
    /// Reads every file, without what was taken before.
    ///
    /// # Errors
    /// The first that is not good.
    pub(crate) fn check(
        client_ca: &Path,
        files: &[PathBuf],
        issuers: Vec<KnownIssuer>,
    ) -> Result<(), ClientCrlError> {
        let reader = ListReader { client_ca: client_ca.to_owned(), issuers };
        files.iter().try_for_each(|path| reader.read(path).map(drop))
    }

    /// Takes up the lists that were taken last, then reads every file. One that takes something back is not
    /// taken: [`fault`](Self::fault) says so.
    ///
    /// # Errors
    /// The first that is not good otherwise: a service that starts without it would let in who is locked out.
    pub(crate) async fn open(
        (client_ca, files): (&Path, &[PathBuf]),
        issuers: Vec<KnownIssuer>,
        storage: Arc<Storage>,
    ) -> Result<Self, ClientCrlError> {
        let crls = Self {
            reader: Arc::new(ListReader { client_ca: client_ca.to_owned(), issuers }),
            files: files.to_vec(),
            storage,
            current: ArcSwap::default(),
            watched: Mutex::new(vec![Watched::default(); files.len()]),
        };
        for fault in crls.refresh().await {
            if !fault.leaves_the_one_before() {
                return Err(fault);
            }
            tracing::error!(%fault, "a CRL of administrators was not taken; the one before stays");
        }
        Ok(crls)
    }

    /// Takes up what other replicas took, and reads again what changed. What is wrong changes nothing; it is
    /// said once.
    pub(crate) async fn refresh(&self) -> Vec<ClientCrlError> {
        let mut faults: Vec<ClientCrlError> = self.adopt().await.err().into_iter().collect();
        for (index, path) in self.files.iter().enumerate() {
            let state = FileState::of(path);
            let version = state.as_ref().ok().copied().unwrap_or_default();
            // Noted before it is read: a file that changes meanwhile is read again.
            let before = self.watched().get_mut(index).and_then(|file| file.seen.replace(version));
            if before == Some(version) {
                continue;
            }
            let taken = match state {
                Ok(_) => self.take_file(path).await,
                Err(fault) => Err(file_fault(path, fault.into())),
            };
            if let Some(file) = self.watched().get_mut(index) {
                file.fault = taken.as_ref().err().map(ToString::to_string);
                if matches!(taken, Err(ClientCrlError::Storage(_))) {
                    // Not the file's fault: look at it again next time.
                    file.seen = None;
                }
            }
            faults.extend(taken.err());
        }
        faults
    }

    /// Why files were not taken as they are now.
    pub(crate) fn fault(&self) -> Option<String> {
        let faults: Vec<String> =
            self.watched().iter().filter_map(|file| file.fault.clone()).collect();
        (!faults.is_empty()).then(|| faults.join("; "))
    }

    /// A list whose time is over at `now`.
    pub(crate) fn run_out(&self, now: UnixSeconds) -> Option<ClientCrlError> {
        self.current.load().values().find_map(|list| {
            let next_update = list.next_update.filter(|next| *next < now)?;
            let authority = Certificate::decode(&list.issuer).ok()?.subject_text();
            Some(ClientCrlError::RanOut { authority, next_update })
        })
    }

    /// Whether a list of the authority that signed `certificate` has its serial number.
    pub(crate) fn lists(&self, certificate: &Certificate<'_>) -> bool {
        let is_issuer_of = |der: &[u8]| {
            Certificate::decode(der)
                .is_ok_and(|authority| certificate.is_signed_by(&authority, &AwsLc))
        };
        self.current
            .load()
            .values()
            .any(|list| list.revoked.contains_key(certificate.serial) && is_issuer_of(&list.issuer))
    }

    /// Whether there is a list of the authority with that key.
    pub(crate) fn is_of(&self, spki_sha256: &AuthorityKey) -> bool {
        self.current.load().contains_key(spki_sha256)
    }

    /// Takes up lists in the database that are newer than those known.
    async fn adopt(&self) -> Result<(), ClientCrlError> {
        for (authority, this_update) in self.storage.client_crl_dates().await? {
            let known = self.known(&authority).map(|known| known.this_update);
            if known >= Some(this_update) {
                continue;
            }
            let Some(der) = self.storage.client_crl(&authority).await? else { continue };
            let reader = Arc::clone(&self.reader);
            let read = tokio::task::spawn_blocking(move || reader.read_back(der)).await;
            // Of an authority that is no longer in client_ca, nobody can come.
            if let Some(list) = read.map_err(|_| abandoned())?? {
                self.serve(list);
            }
        }
        Ok(())
    }

    async fn take_file(&self, path: &Path) -> Result<(), ClientCrlError> {
        let (reader, file) = (Arc::clone(&self.reader), path.to_owned());
        // Off the threads that serve connections: one may be 32 MiB.
        let read = tokio::task::spawn_blocking(move || reader.read(&file)).await;
        for list in read.map_err(|_| abandoned())?? {
            self.take(path, list).await?;
        }
        Ok(())
    }

    async fn take(&self, path: &Path, list: ClientCrl) -> Result<(), ClientCrlError> {
        let known = self.known(&list.issuer_key);
        if let Some(known) = &known {
            if known.der == list.der {
                return Ok(());
            }
            self.refuse_worse(path, known, &list).await?;
        }
        let after = known.as_ref().map(|known| known.der.as_slice());
        let kept = (list.this_update, list.der.as_slice());
        self.storage.store_client_crl(&list.issuer_key, kept, after).await?;
        self.serve(list);
        Ok(())
    }

    async fn refuse_worse(
        &self,
        path: &Path,
        known: &ClientCrl,
        list: &ClientCrl,
    ) -> Result<(), ClientCrlError> {
        let number = |list: &ClientCrl| (list.number.len(), list.number.clone());
        if list.this_update < known.this_update || number(list) < number(known) {
            let (found, known) = (list.this_update, known.this_update);
            return Err(ClientCrlError::Older { path: path.to_owned(), found, known });
        }
        if list.url != known.url {
            let (published, found) = (known.url.clone(), list.url.clone());
            return Err(file_fault(path, CrlError::UrlChanged { published, found }));
        }
        let before = Before {
            number: serial_text(&known.number),
            this_update: known.this_update,
            expired_certificates_since: known.expired_certificates_since,
            revoked: &known.revoked,
        };
        let issuer = self.reader.issuer(&list.issuer_key).and_then(|issuer| issuer.id);
        match refuse_revival((&self.storage, issuer), &before, &list.revoked).await {
            Err(CrlError::Storage(error)) => Err(error.into()),
            outcome => outcome.map_err(|fault| file_fault(path, fault)),
        }
    }

    fn known(&self, authority: &AuthorityKey) -> Option<Arc<ClientCrl>> {
        self.current.load().get(authority).cloned()
    }

    /// One is taken at a time: by the start, then by maintenance.
    fn serve(&self, list: ClientCrl) {
        let mut all = BTreeMap::clone(&self.current.load());
        all.insert(list.issuer_key, Arc::new(list));
        self.current.store(all.into());
    }

    /// Nothing panics with the lock held.
    fn watched(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListReader {
    fn issuer(&self, key: &AuthorityKey) -> Option<&KnownIssuer> {
        self.issuers.iter().find(|issuer| issuer.key == *key)
    }

    /// The lists in a file.
    fn read(&self, path: &Path) -> Result<Vec<ClientCrl>, ClientCrlError> {
        let authorities = read_certificates(&self.client_ca)?;
        let content = files::read_bounded(path, limits::CRL_BYTES as u64)
            .map_err(|error| file_fault(path, error.into()))?;
        let lists = lists_in(content).map_err(|fault| file_fault(path, fault))?;
        lists
            .into_iter()
            .map(|der| {
                let list = self.list(der, &authorities).map_err(|fault| file_fault(path, fault))?;
                list.ok_or_else(|| ClientCrlError::Stranger { path: path.to_owned() })
            })
            .collect()
    }

    /// A list that was kept; `None` if its authority is no longer in `client_ca`.
    fn read_back(&self, der: Vec<u8>) -> Result<Option<ClientCrl>, ClientCrlError> {
        let authorities = read_certificates(&self.client_ca)?;
        let what = "a CRL of administrators";
        self.list(der, &authorities).map_err(|_| StorageError::Corrupt { what }.into())
    }

    /// A list that one of the authorities signed, and that may lock out; `None` if none of them did.
    fn list(&self, der: Vec<u8>, authorities: &[Vec<u8>]) -> Result<Option<ClientCrl>, CrlError> {
        let list = CertificateList::decode(&der)
            .map_err(|error| CrlError::Malformed(error.to_string()))?;
        let signer = authorities
            .iter()
            .find_map(|authority| Some((authority.clone(), key_that_signed(&list, authority)?)));
        let Some((issuer, issuer_key)) = signer else { return Ok(None) };
        // The address of an authority that is no [[issuer]] is known from its first list.
        let names = list.extensions.issuing_distribution_point.as_ref();
        let names = names.map(|(_, point)| point.urls.clone()).unwrap_or_default();
        let url = self.issuer(&issuer_key).and_then(|issuer| issuer.crl_url.as_deref());
        let points = url.map_or(names, |url| vec![url]);
        let list = CompleteList::of(list, &points).map_err(CrlError::Incomplete)?;
        let list = list.list();
        let findings = crl::inspect(list);
        if !findings.is_empty() {
            return Err(CrlError::Rules(authority::rules(&findings)));
        }
        let revoked = revoked_in(list)?;
        Ok(Some(ClientCrl {
            issuer,
            issuer_key,
            number: list.extensions.number.unwrap_or_default().to_vec(),
            this_update: list.this_update,
            next_update: list.next_update,
            expired_certificates_since: list.extensions.expired_certificates_since,
            url: url_of(list),
            revoked,
            der,
        }))
    }
}

fn file_fault(path: &Path, fault: CrlError) -> ClientCrlError {
    ClientCrlError::File { path: path.to_owned(), fault: Box::new(fault) }
}

fn abandoned() -> ClientCrlError {
    StorageError::Database("the work was abandoned".into()).into()
}

/// SHA-256 of the authority's `SubjectPublicKeyInfo`, if it signed the list.
fn key_that_signed(list: &CertificateList<'_>, authority: &[u8]) -> Option<AuthorityKey> {
    let authority = Certificate::decode(authority).ok()?;
    list.is_by(&authority, &AwsLc).then(|| sha256(authority.public_key.raw))
}

/// The CRLs in a file: one in DER, or every one in PEM.
fn lists_in(content: Vec<u8>) -> Result<Vec<Vec<u8>>, CrlError> {
    pem::objects(content, Kind::Crl).map_err(|fault| CrlError::Malformed(fault.to_string()))
}
