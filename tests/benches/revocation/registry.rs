//! A database with a million certificates in it, and the CRLs made from it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use countersign_revocation::{
    admin::ImportBatch,
    config::{DelegateSource, IssuerConfig},
    publish::{CrlTimes, Publisher, authority::Authority as Issuer},
    register::{
        rules::{People, RevocationOrder},
        storage::{
            CertificateRecord, DatabaseLocation, Digests, Evidence, IssuerId, Listed, Revocation,
            Storage,
        },
    },
};
use countersign_signing::{ca::CertificateAuthority, profile::Authority};
use tokio::runtime::Runtime;

/// So many in a transaction.
const BATCH: usize = 20_000;
/// CRLs made for the median.
const CRLS: usize = 9;

/// What was registered.
pub(crate) struct Registry {
    database: String,
    revoked: usize,
    /// How long it took.
    pub(crate) filled_in: Duration,
}

impl Registry {
    /// Fills an empty database.
    pub(crate) fn fill(
        ca: &CertificateAuthority,
        database: &str,
        issued: usize,
        revoked: usize,
        now: UnixSeconds,
    ) -> Self {
        let start = Instant::now();
        runtime().block_on(async {
            let storage = open(database).await;
            let id = storage.bind_issuer("signing", issuer(ca).spki_sha256()).await.expect("bound");
            for first in (0..issued).step_by(BATCH) {
                let batch = (first..(first + BATCH).min(issued))
                    .map(|index| listed(id, index, index < revoked, now))
                    .collect();
                let batch = ImportBatch { certificates: batch, ..ImportBatch::default() };
                storage.import(batch, &[], now).await.expect("imported");
            }
            storage.close().await;
        });
        Self { database: database.to_owned(), revoked, filled_in: start.elapsed() }
    }

    /// The serial number of a certificate that is not revoked (as long as there are some left).
    pub(crate) fn good_serial(&self, index: usize) -> Vec<u8> {
        serial(index + self.revoked)
    }

    /// The serial number of one that is.
    pub(crate) fn revoked_serial(index: usize) -> Vec<u8> {
        serial(index)
    }

    /// Says how long a CRL takes from an order to revoke to publication.
    pub(crate) fn crl_times(&self, ca: &CertificateAuthority, now: UnixSeconds) {
        let mut times = runtime().block_on(async {
            let storage = open(&self.database).await;
            let issuer = Arc::new(issuer(ca));
            let id = storage.bind_issuer("signing", issuer.spki_sha256()).await.expect("bound");
            let key = Arc::clone(issuer.key().expect("its key"));
            let terms = CrlTimes { validity_seconds: 86_400, delta_validity_seconds: 0 };
            let publisher = Publisher::resume(issuer, key, id, Arc::clone(&storage), terms);
            let publisher = publisher.await.expect("resumed");
            let mut times = Vec::new();
            for index in 0..CRLS {
                let order = RevocationOrder {
                    reason: RevocationReason::Superseded,
                    compromised_since: None,
                    now,
                    actor: "bench".to_owned(),
                    people: People::One,
                };
                let serial = self.good_serial(index);
                let recorded = storage.revoke(id, &serial, &order).await.expect("revoked");
                let start = Instant::now();
                publisher.publish_revision(recorded.revision, now).await.expect("published");
                times.push(start.elapsed());
            }
            let octets = publisher.current().expect("a CRL").der.len();
            println!("    CRL of {} entries: {octets} octets", self.revoked + CRLS);
            storage.close().await;
            times
        });
        times.sort_unstable();
        println!(
            "    CRL, from the recorded revocation to publication: median {:.1?}, most {:.1?} (aim < 200 ms)",
            times[times.len() / 2],
            times[times.len() - 1]
        );
    }
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

async fn open(database: &str) -> Arc<Storage> {
    Arc::new(Storage::open(&DatabaseLocation::from(database.to_owned())).await.expect("opened"))
}

fn issuer(ca: &CertificateAuthority) -> Issuer {
    let certificate = ca.certificate_path(Authority::Signing);
    let folder = certificate.ancestors().nth(3).expect("the folder of all").to_owned();
    let config = IssuerConfig {
        name: "signing".to_owned(),
        certificate,
        key: Some(ca.key_path(Authority::Signing).into()),
        key_passphrase_file: Some(folder.join("passphrase")),
        ocsp_delegate: DelegateSource::Files,
        ocsp_certificate: None,
        ocsp_key: None,
        ocsp_key_passphrase_file: None,
        crl_file: None,
        crl_upload: false,
        crl_shards: Vec::new(),
        crl_url: None,
    };
    Issuer::load(&config, Some("http://ca.example")).expect("loaded")
}

fn listed(issuer: IssuerId, index: usize, is_revoked: bool, now: UnixSeconds) -> Listed {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&index.to_be_bytes());
    Listed {
        certificate: CertificateRecord {
            issuer,
            serial: serial(index),
            digests: Some(Digests {
                sha256: digest,
                tbs_sha256: None,
                spki_sha256: digest,
                subject: b"\x30\x00".to_vec(),
            }),
            not_before: now,
            not_after: now.plus_seconds(365 * 86_400),
            evidence: Evidence::Import,
            registered_at: now,
            actor: "bench".to_owned(),
        },
        revocation: is_revoked.then(|| Revocation {
            reason: RevocationReason::Superseded,
            revocation_date: now,
            recorded_at: now,
            actor: "bench".to_owned(),
        }),
    }
}

/// As long as those that our CA gives, and as spread.
fn serial(index: usize) -> Vec<u8> {
    let spread = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut serial = vec![0x11];
    serial.extend_from_slice(&spread.to_be_bytes());
    serial.extend_from_slice(&(index as u64).to_be_bytes()[1..]);
    serial
}
