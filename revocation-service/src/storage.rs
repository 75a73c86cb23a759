//! What the service must not forget: issuers, certificates, revocations, CRL numbers.
//!
//! [`Storage`] is the whole contract; nothing of one database shows through it. The rules of what
//! may be changed are [`crate::rules`], which every implementation calls inside its transaction.
//!
//! One process owns a database, and an implementation refuses a second: the service keeps the
//! current CRL in memory and would not see what another process wrote.

use std::{fmt, path::PathBuf};

use async_trait::async_trait;
use countersign_core::{crl::RevocationReason, time::UnixSeconds};

use crate::{
    crl::CrlList,
    rules::{Refusal, RevocationOrder},
};

pub mod sqlite;

/// An issuer's row; only [`Storage::bind_issuer`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub(crate) i64);

/// A certificate to be registered, or one that was.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Who issued it.
    pub issuer: IssuerId,
    /// Content octets of the serial number's INTEGER.
    pub serial: Vec<u8>,
    /// SHA-256 of the whole certificate.
    pub sha256: [u8; 32],
    /// Subject, a DER `Name`.
    pub subject: Vec<u8>,
    /// SHA-256 of the DER `SubjectPublicKeyInfo`.
    pub spki_sha256: [u8; 32],
    /// First second of its validity.
    pub not_before: UnixSeconds,
    /// Last second of its validity.
    pub not_after: UnixSeconds,
    /// When it was registered here.
    pub registered_at: UnixSeconds,
    /// Who registered it.
    pub actor: String,
    /// The certificate, DER.
    pub der: Vec<u8>,
}

impl fmt::Debug for CertificateRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRecord")
            .field("issuer", &self.issuer)
            .field("serial", &countersign_core::x509::certificate::serial_text(&self.serial))
            .finish_non_exhaustive()
    }
}

/// A revocation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Why.
    pub reason: RevocationReason,
    /// From when on signatures are worth nothing: the D of the decision table.
    pub revocation_date: UnixSeconds,
    /// When this state was written here.
    pub recorded_at: UnixSeconds,
    /// Who asked for it: a name of their client certificate.
    pub actor: String,
}

/// What is known of a serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was never registered.
    NeverIssued,
    /// Registered, not revoked.
    Good,
    /// Registered and revoked.
    Revoked(Revocation),
}

/// What became of one certificate handed in for registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// It is new, and on disk now.
    Registered,
    /// The same certificate was there already.
    Known,
}

/// All revocations of one issuer at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// Grows with every change; two lists of one revision are equal.
    pub revision: i64,
    /// Serial number (content octets) and revocation, in the order of the octets.
    pub entries: Vec<(Vec<u8>, Revocation)>,
}

/// The outcome of a revocation that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The state now on disk.
    pub revocation: Revocation,
    /// The issuer's revision that contains it; a CRL built from this or a later one shows it.
    pub revision: i64,
}

/// A CRL as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCrl {
    /// Its `CRLNumber`.
    pub number: u64,
    /// The revision it was built from; 0 for a CRL made elsewhere.
    pub revision: i64,
    /// The CRL, DER.
    pub der: Vec<u8>,
}

/// Where the service keeps what it knows.
///
/// **Durability.** Every method that changes something returns `Ok` only once the change is
/// committed *and synced to stable storage*: it survives `kill -9` of the process and, as far as
/// the disk tells the truth, loss of power. A method that fails has changed nothing.
/// **Order.** A read that starts after a change returned sees that change.
#[async_trait]
pub trait Storage: Send + Sync + fmt::Debug {
    /// Finds the issuer called `name`, or makes it. Durable.
    ///
    /// # Errors
    /// [`StorageError::IssuerChanged`] when that name belongs to another key, or that key to
    /// another name.
    async fn bind_issuer(
        &self,
        name: &str,
        spki_sha256: [u8; 32],
    ) -> Result<IssuerId, StorageError>;

    /// Registers certificates: all of them or none. Durable. Answers in the order handed in.
    ///
    /// # Errors
    /// [`StorageError::CertificateConflict`] when another certificate has that issuer and serial.
    async fn register(
        &self,
        certificates: Vec<CertificateRecord>,
    ) -> Result<Vec<Registration>, StorageError>;

    /// The certificate with that serial number.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn certificate(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Option<CertificateRecord>, StorageError>;

    /// The status of one serial number: the read that every OCSP answer makes. Reads two indices,
    /// no certificate.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn status(&self, issuer: IssuerId, serial: &[u8]) -> Result<Status, StorageError>;

    /// Revokes, or changes a revocation as [`crate::rules::decide`] allows. Durable. An order that
    /// changes nothing writes nothing.
    ///
    /// # Errors
    /// [`StorageError::NotRegistered`], [`StorageError::Refused`].
    async fn revoke(
        &self,
        issuer: IssuerId,
        serial: &[u8],
        order: &RevocationOrder,
    ) -> Result<Recorded, StorageError>;

    /// Everything that is revoked under one issuer, read at one moment.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revocations(&self, issuer: IssuerId) -> Result<RevocationList, StorageError>;

    /// The issuer's revision: that of the latest change to its revocations.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revision(&self, issuer: IssuerId) -> Result<i64, StorageError>;

    /// Takes the next `CRLNumber`: one more than the last, and not below `least`. Durable *before*
    /// it returns, so that no number is ever given twice, whatever becomes of the CRL.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn reserve_crl_number(&self, issuer: IssuerId, least: u64) -> Result<u64, StorageError>;

    /// Keeps a CRL in the place of the one before in that `list`. Durable.
    ///
    /// # Errors
    /// [`StorageError::CrlNumber`] when the number does not grow (the same CRL again is accepted).
    async fn store_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
        crl: &StoredCrl,
    ) -> Result<(), StorageError>;

    /// The CRL last stored in that `list`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn stored_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
    ) -> Result<Option<StoredCrl>, StorageError>;

    /// A number that tells whether anything that [`status`](Self::status) reads may have changed:
    /// in memory, without waiting, since every OCSP answer asks. It has grown *before* a change
    /// made through this value is acknowledged, and within a second of a change that another
    /// process made. Nothing while that cannot be known (the connection that tells of others'
    /// changes is lost): then nothing kept in memory may be served.
    fn generation(&self) -> Option<u64>;

    /// Succeeds when the database can be written.
    ///
    /// # Errors
    /// [`StorageError::Database`], [`StorageError::Replaced`].
    async fn ping(&self) -> Result<(), StorageError>;

    /// Waits for what is being written and lets the database go.
    async fn close(&self);
}

/// Why storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A configured issuer is not the one the database knows.
    #[error(
        "issuer {name:?} is bound to another key in this database, or its key to another name; use the name and certificate this database was made with, or a new database"
    )]
    IssuerChanged {
        /// The configured name.
        name: String,
    },
    /// Two different certificates with one issuer and serial number.
    #[error("another certificate with serial number {serial} is registered for this issuer")]
    CertificateConflict {
        /// The serial number, hexadecimal.
        serial: String,
    },
    /// The serial number is not known.
    #[error("no certificate with serial number {serial} is registered for this issuer")]
    NotRegistered {
        /// The serial number, hexadecimal.
        serial: String,
    },
    /// The rules forbid that change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A `CRLNumber` did not grow.
    #[error("CRLNumber {number} is not greater than {stored}, which was published before")]
    CrlNumber {
        /// The number refused.
        number: u64,
        /// The number on record.
        stored: u64,
    },
    /// What is stored cannot be read back: the database was changed by something else.
    #[error("the database holds something this service did not write: {what}")]
    Corrupt {
        /// Which value.
        what: &'static str,
    },
    /// Another process has the database, and would not see what this one writes.
    #[error("another process uses this database ({} is locked)", lock.display())]
    InUse {
        /// The file whose lock it holds.
        lock: PathBuf,
    },
    /// What is open is no longer the file of that name: it would be gone after a restart.
    #[error("the database file was deleted or replaced under the running service; restart it")]
    Replaced,
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}
