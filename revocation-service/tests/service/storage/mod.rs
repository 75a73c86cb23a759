//! What every storage promises: one suite, run on both databases; and what each has of its own.

mod administration;
mod answers;
mod compromises;
mod imports;
mod ledgers;
mod postgres;
mod promises;
mod sqlite;

use std::sync::Arc;

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use countersign_revocation::register::{
    rules::{People, RevocationOrder},
    storage::{CertificateRecord, DatabaseLocation, Digests, Evidence, IssuerId, Storage},
};

/// A database with one issuer.
pub(crate) struct Fixture {
    pub(crate) location: DatabaseLocation,
    pub(crate) storage: Arc<Storage>,
    pub(crate) issuer: IssuerId,
}

impl Fixture {
    pub(crate) async fn open(location: DatabaseLocation) -> Self {
        let storage = open(&location).await;
        let issuer = storage.bind_issuer("signing", [1; 32]).await.expect("bound");
        Self { location, storage, issuer }
    }
}

pub(crate) async fn open(location: &DatabaseLocation) -> Arc<Storage> {
    Arc::new(Storage::open(location).await.expect("opened"))
}

pub(crate) fn certificate(issuer: IssuerId, serial: u8) -> CertificateRecord {
    CertificateRecord {
        issuer,
        serial: vec![serial],
        digests: Some(Digests {
            sha256: [serial; 32],
            tbs_sha256: Some([serial; 32]),
            spki_sha256: [9; 32],
            subject: vec![0x30, 0],
        }),
        not_before: UnixSeconds::new(1_000),
        not_after: UnixSeconds::new(90_000),
        evidence: Evidence::Certificate,
        registered_at: UnixSeconds::new(2_000),
        actor: "admin@example.test".to_owned(),
    }
}

pub(crate) fn order(reason: RevocationReason, since: Option<i64>) -> RevocationOrder {
    RevocationOrder {
        reason,
        compromised_since: since.map(UnixSeconds::new),
        now: UnixSeconds::new(5_000),
        actor: "admin@example.test".to_owned(),
        people: People::One,
    }
}

/// Runs each function on `SQLite` as a test of its own, and all of them on one PostgreSQL server,
/// each in a database of its own: starting a server takes longer than all of them.
macro_rules! on_both_databases {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().expect("a folder");
                let location = folder.path().join("revocation.db").into();
                super::$name(super::Fixture::open(location).await).await;
            })*
        }

        #[tokio::test]
        async fn on_postgresql() {
            let server = crate::postgres::Postgres::start().await;
            $({
                println!("{}", stringify!($name));
                let fixture = Fixture::open(server.database().await).await;
                let storage = Arc::clone(&fixture.storage);
                $name(fixture).await;
                storage.close().await;
            })*
        }
    };
}
pub(crate) use on_both_databases;
