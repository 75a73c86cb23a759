//! Why storage did not do what it was asked; what that means to an administrator is [`crate::reply`]'s.

use std::path::PathBuf;

use countersign_core::time::UnixSeconds;
use countersign_daemon::admin::proposal::PendingError;

use crate::register::rules::Refusal;

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
    /// A certificate that an order named has another key than it had when it was looked up.
    #[error(
        "the certificate {serial} was registered meanwhile and has another key than was on record; nothing was revoked. Repeat the order"
    )]
    KeyChanged {
        /// The serial number, hexadecimal.
        serial: String,
    },
    /// A proposal cannot be decided on, or not be made.
    #[error(transparent)]
    Pending(#[from] PendingError),
    /// A release is registered already, by another name.
    #[error(
        "that bundle, signed with the certificate {serial}, is registered as {name:?} since {at} by {by}; it has one name"
    )]
    ReleaseConflict {
        /// The name on record.
        name: String,
        /// The signer's serial number on record, hexadecimal.
        serial: String,
        /// Who registered it.
        by: String,
        /// When.
        at: UnixSeconds,
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
    /// A CRL would say less than the one before.
    #[error(
        "the CRL was built from revision {revision}, and the one published before from revision {stored}"
    )]
    CrlRevision {
        /// The revision refused.
        revision: i64,
        /// The revision on record.
        stored: i64,
    },
    /// A CRL made elsewhere was held against another list than is stored now.
    #[error("another replica stored a CRL meanwhile; try again")]
    CrlOvertaken,
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
    /// There is a file of that name already.
    #[error("{} exists", path.display())]
    BackupExists {
        /// The file.
        path: PathBuf,
    },
    /// PostgreSQL has its own means of backup.
    #[error("a PostgreSQL database is backed up by pg_dump, not by this service")]
    BackupElsewhere,
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}
