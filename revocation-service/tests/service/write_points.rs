//! The process dies at every place where it writes, one after the other: before each write, after it,
//! before and after its commit. Whatever was acknowledged is there when it starts again, no CRL
//! number is given to two lists, the ledger is whole, and the same order goes through.

use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use countersign_core::{crl::CertificateList, x509::certificate::serial_text};
use countersign_daemon::ledger::{Expectation, verify};
use countersign_revocation::{config::Config, register::storage::DatabaseLocation};
use rustix::process::Signal;
use rustls::ClientConfig;
use serde_json::json;

use crate::{
    crash::Seen,
    http::{Reply, get, send_tls, send_tls_with, try_send},
    postgres::Postgres,
    program::Program,
    s3::{S3, SECRET},
    world::{World, serial, text},
};

/// A place, and how often it is passed before the process dies there.
type Point = (&'static str, u32);

/// What is written for a revocation to the database and the lists in it, in this order.
const IN_THE_DATABASE: [Point; 15] = [
    ("key.commit", 1),
    ("key.committed", 1),
    ("storage.commit", 1),
    ("storage.committed", 1),
    ("crl_number.commit", 1),
    ("crl_number.committed", 1),
    ("crl.built", 1),
    // The complete list, then the delta.
    ("crl.commit", 1),
    ("crl.committed", 1),
    ("crl.published", 1),
    ("crl.commit", 2),
    ("crl.committed", 2),
    ("crl.published", 2),
    ("answer.commit", 1),
    ("answer.committed", 1),
];

/// And elsewhere: the ledger, for the order and for what came of it; the places of a CDN.
const BESIDE_IT: [Point; 11] = [
    ("ledger.write", 1),
    ("ledger.written", 1),
    ("ledger.flushed", 1),
    ("ledger.write", 2),
    ("ledger.written", 2),
    ("ledger.flushed", 2),
    ("order.answer", 1),
    ("folder.write", 1),
    ("folder.written", 1),
    ("bucket.write", 1),
    ("bucket.written", 1),
];

/// A service that dies again and again, and what it had acknowledged.
struct Victim {
    world: World,
    client: Arc<ClientConfig>,
    store: S3,
    environment: Vec<(&'static str, String)>,
    ledger: PathBuf,
    seen: Seen,
    acknowledged: HashSet<String>,
}

impl Victim {
    fn new(database: Option<DatabaseLocation>) -> Self {
        let world = World::new();
        let mut config: Config = world.config();
        let client = world.with_admin(&mut config);
        if let Some(database) = database {
            config.database = database;
        }
        Program::configure(&world, &config);
        let store = S3::start(&world, &world.tls_server("store"), 0);
        let ledger = world.path("ledger");
        let publication = store.publication(&world, SECRET);
        let of = |path: &Option<PathBuf>| text(path.as_deref().expect("a path")).to_owned();
        let environment = vec![
            ("COUNTERSIGN_REVOCATION_AUDIT__FOLDER", text(&ledger).to_owned()),
            ("COUNTERSIGN_REVOCATION_DELTA_CRL_VALIDITY_SECONDS", "86400".to_owned()),
            ("COUNTERSIGN_REVOCATION_CRL_FOLDER", text(&world.path("published")).to_owned()),
            ("COUNTERSIGN_REVOCATION_CRL_PUBLICATION__URL", publication.url.expect("a URL")),
            ("COUNTERSIGN_REVOCATION_CRL_PUBLICATION__ENDPOINT", publication.endpoint.expect("it")),
            (
                "COUNTERSIGN_REVOCATION_CRL_PUBLICATION__ACCESS_KEY_ID",
                publication.access_key_id.expect("an identifier"),
            ),
            (
                "COUNTERSIGN_REVOCATION_CRL_PUBLICATION__SECRET_ACCESS_KEY_FILE",
                of(&publication.secret_access_key_file),
            ),
            (
                "COUNTERSIGN_REVOCATION_CRL_PUBLICATION__CA_CERTIFICATE",
                of(&publication.ca_certificate),
            ),
        ];
        let (seen, acknowledged) = (Seen::default(), HashSet::new());
        Self { world, client, store, environment, ledger, seen, acknowledged }
    }

    /// Starts it, to die at `point` once the file is there.
    fn start(&self, point: Option<Point>) -> Program {
        let mut environment: Vec<_> =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let armed = point.map(|(name, count)| format!("{name}:{count}:{}", text(&self.armed())));
        environment.extend(armed.as_deref().map(|armed| ("COUNTERSIGN_CRASH_POINT", armed)));
        Program::start_with(&self.world, &environment)
    }

    fn armed(&self) -> PathBuf {
        self.world.path("armed")
    }

    fn revoke(&self, program: &Program, serial: &str) -> std::io::Result<Reply> {
        let order = json!({"issuer": "signing", "serial": serial, "reason": "superseded"});
        let headers = [("Idempotency-Key", serial)];
        let path = ("POST", "/v1/revocations");
        send_tls_with(program.admin, &self.client, path, &headers, order.to_string().as_bytes())
    }

    /// Notes every list that anybody could see.
    fn look(&self, program: &Program) {
        self.seen.look(program.public);
        let published = fs::read(self.world.path("published/signing.crl"));
        published.ok().and_then(|der| self.seen.note(&der));
        self.seen.note(&self.store.get("signing.crl").body);
    }

    /// Has it die at `point` while it revokes `serial`.
    fn die(&mut self, program: Program, point: Point, serial: &str) {
        self.look(&program);
        fs::write(self.armed(), b"").expect("armed");
        let outcome = self.revoke(&program, serial);
        if let Ok(reply) = outcome {
            assert_eq!(reply.status, 200, "{point:?}: {reply:?}");
            self.acknowledged.insert(serial.to_owned());
        }
        let signal = program.ended();
        assert_eq!(signal, Some(Signal::ABORT.as_raw()), "{point:?} was not passed");
        fs::remove_file(self.armed()).expect("disarmed");
    }

    /// Checks what it says after it died at `point`, and that the order then goes through.
    fn judge(&mut self, program: &Program, point: Point, serial: &str) {
        let highest = self.seen.highest();
        self.look(program);
        let reply = get(program.public, "/crl/signing.crl");
        let number = self.seen.note(&reply.body).expect("a CRL");
        assert!(number >= highest, "{point:?}: {number} after {highest}");
        let missing: Vec<_> = self.acknowledged.difference(&listed(&reply.body)).cloned().collect();
        assert!(missing.is_empty(), "{point:?}: acknowledged and lost: {missing:?}");
        verify(&self.ledger, &Expectation::default())
            .unwrap_or_else(|fault| panic!("{point:?}: {fault}"));
        let again = self.revoke(program, serial).expect("a reply");
        assert_eq!(again.status, 200, "{point:?}: {again:?}");
        self.acknowledged.insert(serial.to_owned());
        let reply = get(program.public, "/crl/signing.crl");
        assert!(listed(&reply.body).contains(serial), "{point:?}");
    }

    /// It dies at each of those places.
    fn suffer(mut self, points: &[Point]) {
        let certificates: Vec<_> = points.iter().map(|_| self.world.signer()).collect();
        let program = self.start(None);
        let body = certificates.concat();
        let reply = send_tls(program.admin, &self.client, "POST", "/v1/certificates", &body);
        assert_eq!(reply.expect("a reply").status, 201);
        wait("a delta", || {
            try_send(program.public, "GET", "/crl/signing.delta.crl", &[], b"")
                .is_ok_and(|reply| reply.status == 200)
        });
        program.kill();
        for (point, certificate) in points.iter().zip(&certificates) {
            let serial = serial(certificate);
            let program = self.start(Some(*point));
            self.die(program, *point, &serial);
            let program = self.start(None);
            self.judge(&program, *point, &serial);
            program.kill();
        }
        assert_eq!(self.acknowledged.len(), points.len());
    }
}

fn listed(der: &[u8]) -> HashSet<String> {
    let list = CertificateList::decode(der).expect("a CRL");
    list.entries().map(|entry| serial_text(entry.expect("good").serial)).collect()
}

fn wait(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn wherever_it_dies_in_the_database_nothing_acknowledged_is_lost() {
    Victim::new(None).suffer(&IN_THE_DATABASE);
}

#[test]
fn wherever_it_dies_beside_the_database_nothing_acknowledged_is_lost() {
    Victim::new(None).suffer(&BESIDE_IT);
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_it_dies_on_postgresql_nothing_acknowledged_is_lost() {
    let server = Postgres::start().await;
    let victim = Victim::new(Some(server.database().await));
    tokio::task::spawn_blocking(move || victim.suffer(&IN_THE_DATABASE)).await.expect("no panic");
}
