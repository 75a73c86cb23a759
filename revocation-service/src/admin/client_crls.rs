//! CRLs of the authorities whose clients may administer (`admin_tls.client_crl`): how an administrator is
//! locked out whose certificate no `[[issuer]]` of this service issued.
//!
//! Each file is checked and read again when it changes; a bad one changes nothing, and an older list never
//! takes the place of a newer one. A list that ran out still proves what it lists. It does not keep
//! out whom it does not list: somebody must get in to mend it, and the log says that it ran out.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use countersign_core::{
    crl::{self, CertificateList},
    crypto::aws_lc::AwsLc,
    limits,
    pem::{self, Kind},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_daemon::sha256::sha256;
use countersign_signing::{
    files,
    pem::{PemError, read_certificates},
};

use crate::publish::{CrlError, authority, file_state::FileState, revoked_in};

/// The CRLs for the admin listener's clients.
#[derive(Debug)]
pub(crate) struct ClientCrls {
    client_ca: PathBuf,
    files: Vec<PathBuf>,
    /// In the order of `files`.
    current: ArcSwap<Vec<Vec<ClientCrl>>>,
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

/// What one CRL says.
#[derive(Clone, Debug)]
struct ClientCrl {
    /// The certificate of its issuer, which signed it, DER.
    issuer: Vec<u8>,
    /// SHA-256 of that one's `SubjectPublicKeyInfo`.
    issuer_key: [u8; 32],
    this_update: UnixSeconds,
    next_update: Option<UnixSeconds>,
    /// Content octets.
    serials: HashSet<Vec<u8>>,
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
    #[error("client_crl {}: its thisUpdate {found} is before {known}, which was read before", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: UnixSeconds,
        /// What the one before says.
        known: UnixSeconds,
    },
    /// Its time is over; what it lists counts all the same.
    #[error("client_crl {}: it ran out at {next_update}; whom it does not list is let in", path.display())]
    RanOut {
        /// The file.
        path: PathBuf,
        /// When.
        next_update: UnixSeconds,
    },
}

impl ClientCrls {
    /// Reads every file.
    ///
    /// # Errors
    /// The first that is not good: a service that starts without it would let in who is locked out.
    pub(crate) fn open(client_ca: &Path, files: &[PathBuf]) -> Result<Self, ClientCrlError> {
        let crls = Self {
            client_ca: client_ca.to_owned(),
            files: files.to_vec(),
            current: ArcSwap::from_pointee(vec![Vec::new(); files.len()]),
            watched: Mutex::new(vec![Watched::default(); files.len()]),
        };
        match crls.refresh().into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(crls),
        }
    }

    /// Reads again what changed. What is wrong changes nothing; it is said once.
    pub(crate) fn refresh(&self) -> Vec<ClientCrlError> {
        let mut faults = Vec::new();
        for (index, path) in self.files.iter().enumerate() {
            let state = FileState::of(path);
            let version = state.as_ref().ok().copied().unwrap_or_default();
            // Noted before it is read: a file that changes meanwhile is read again.
            let before = self.watched().get_mut(index).and_then(|file| file.seen.replace(version));
            if before == Some(version) {
                continue;
            }
            let taken = state
                .map_err(|fault| ClientCrlError::File {
                    path: path.clone(),
                    fault: Box::new(fault.into()),
                })
                .and_then(|_| self.read(path))
                .and_then(|read| self.succeed(index, path, read));
            if let Some(file) = self.watched().get_mut(index) {
                file.fault = taken.as_ref().err().map(ToString::to_string);
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

    /// The lists whose time is over at `now`.
    pub(crate) fn run_out(&self, now: UnixSeconds) -> Option<ClientCrlError> {
        let current = self.current.load();
        self.files.iter().zip(current.iter()).find_map(|(path, lists)| {
            let over = lists.iter().filter_map(|list| list.next_update).find(|next| *next < now);
            over.map(|next_update| ClientCrlError::RanOut { path: path.clone(), next_update })
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
            .iter()
            .flatten()
            .any(|list| list.serials.contains(certificate.serial) && is_issuer_of(&list.issuer))
    }

    /// Whether there is a list of the authority with that key.
    pub(crate) fn is_of(&self, spki_sha256: &[u8; 32]) -> bool {
        self.current.load().iter().flatten().any(|list| list.issuer_key == *spki_sha256)
    }

    fn read(&self, path: &Path) -> Result<Vec<ClientCrl>, ClientCrlError> {
        let failed = |fault: CrlError| ClientCrlError::File {
            path: path.to_owned(),
            fault: Box::new(fault),
        };
        let authorities = read_certificates(&self.client_ca)?;
        let content = files::read_bounded(path, limits::CRL_BYTES as u64)
            .map_err(|error| failed(error.into()))?;
        let mut lists = Vec::new();
        for der in lists_in(content).map_err(failed)? {
            let list = CertificateList::decode(&der)
                .map_err(|error| failed(CrlError::Malformed(error.to_string())))?;
            let findings = crl::inspect(&list);
            if !findings.is_empty() || list.extensions.delta_base.is_some() {
                let rules = authority::rules(&findings);
                let rules = if findings.is_empty() { "it is a delta".to_owned() } else { rules };
                return Err(failed(CrlError::Rules(rules)));
            }
            let (issuer, issuer_key) = authorities
                .iter()
                .find_map(|der| Some((der.clone(), key_that_signed(&list, der)?)))
                .ok_or_else(|| ClientCrlError::Stranger { path: path.to_owned() })?;
            let serials = revoked_in(&list).map_err(failed)?.into_keys().collect();
            let (this_update, next_update) = (list.this_update, list.next_update);
            lists.push(ClientCrl { issuer, issuer_key, this_update, next_update, serials });
        }
        Ok(lists)
    }

    fn succeed(
        &self,
        index: usize,
        path: &Path,
        read: Vec<ClientCrl>,
    ) -> Result<(), ClientCrlError> {
        let mut all = Vec::clone(&self.current.load());
        let Some(known) = all.get_mut(index) else { return Ok(()) };
        for list in &read {
            let newer = known
                .iter()
                .find(|before| {
                    before.issuer_key == list.issuer_key && before.this_update > list.this_update
                })
                .map(|before| before.this_update);
            if let Some(known) = newer {
                let (path, found) = (path.to_owned(), list.this_update);
                return Err(ClientCrlError::Older { path, found, known });
            }
        }
        *known = read;
        self.current.store(all.into());
        Ok(())
    }

    /// Nothing panics with the lock held.
    fn watched(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SHA-256 of the authority's `SubjectPublicKeyInfo`, if it signed the list.
fn key_that_signed(list: &CertificateList<'_>, authority: &[u8]) -> Option<[u8; 32]> {
    let authority = Certificate::decode(authority).ok()?;
    let (key, algorithm) = (&authority.public_key, &list.signature_algorithm);
    let is_signed = list.issuer == authority.subject
        && key.verifies(&AwsLc, algorithm, list.tbs, list.signature);
    is_signed.then(|| sha256(key.raw))
}

/// The CRLs in a file: one in DER, or every one in PEM.
fn lists_in(content: Vec<u8>) -> Result<Vec<Vec<u8>>, CrlError> {
    pem::objects(content, Kind::Crl).map_err(|fault| CrlError::Malformed(fault.to_string()))
}
