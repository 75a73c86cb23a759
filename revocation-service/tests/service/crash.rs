//! `kill -9` in the middle of a stream of revocations: nothing acknowledged is lost, no CRL number is
//! given twice.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use countersign_core::{asn1, crl::CertificateList, x509::certificate::serial_text};
use rustls::ClientConfig;
use serde_json::json;

use crate::{
    http::{get, send_tls, try_send},
    program::Program,
    world::{World, serial},
};

const ROUNDS: usize = 2;
const CLIENTS: usize = 4;
/// Revocations to be acknowledged in a round before the process is killed.
const ACKNOWLEDGED_IN_A_ROUND: usize = 25;

/// What a client of the public side has seen: the CRL of each number, by its octets.
#[derive(Default)]
pub(crate) struct Seen(Mutex<BTreeMap<u64, Vec<u8>>>);

impl Seen {
    pub(crate) fn look(&self, public: SocketAddr) -> Option<u64> {
        let reply = try_send(public, "GET", "/crl/signing.crl", &[], b"").ok()?;
        self.note(&reply.body)
    }

    /// Notes a CRL that was found somewhere; nothing of what is none.
    pub(crate) fn note(&self, der: &[u8]) -> Option<u64> {
        let list = CertificateList::decode(der).ok()?;
        let number = asn1::unsigned(list.extensions.number?, "number").ok()?;
        let mut seen = self.0.lock().expect("no panic");
        let known = seen.entry(number).or_insert_with(|| der.to_vec());
        assert_eq!(*known, der, "two CRLs with the number {number}");
        Some(number)
    }

    pub(crate) fn highest(&self) -> u64 {
        self.0.lock().expect("no panic").last_key_value().map_or(0, |(number, _)| *number)
    }
}

/// Revokes `serials` one after the other until the service is gone; gives those acknowledged.
pub(crate) fn stream(
    admin: SocketAddr,
    client: &Arc<ClientConfig>,
    serials: &[String],
    count: &AtomicUsize,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for serial in serials {
        let order =
            json!({"issuer": "signing", "serial": serial, "reason": "superseded"}).to_string();
        match send_tls(admin, client, "POST", "/v1/revocations", order.as_bytes()) {
            Ok(reply) if reply.status == 200 => {
                acknowledged.push(serial.clone());
                count.fetch_add(1, Ordering::SeqCst);
            }
            Ok(reply) => panic!("{reply:?}"),
            Err(_) => break,
        }
    }
    acknowledged
}

#[test]
fn kill_9_loses_no_acknowledged_revocation_and_repeats_no_crl_number() {
    let world = World::new();
    let mut config = world.config();
    let client = world.with_admin(&mut config);
    Program::configure(&world, &config);
    let certificates: Vec<_> =
        (0..ROUNDS * CLIENTS * ACKNOWLEDGED_IN_A_ROUND).map(|_| world.signer()).collect();
    let serials: Vec<_> = certificates.iter().map(|der| serial(der)).collect();
    let seen = Seen::default();
    let mut acknowledged = HashSet::new();

    let mut program = Program::start(&world);
    for batch in certificates.chunks(40) {
        let reply = send_tls(program.admin, &client, "POST", "/v1/certificates", &batch.concat())
            .expect("a reply");
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    for round in serials.chunks(CLIENTS * ACKNOWLEDGED_IN_A_ROUND) {
        let count = AtomicUsize::new(0);
        let (public, admin) = (program.public, program.admin);
        thread::scope(|scope| {
            let clients: Vec<_> = round
                .chunks(ACKNOWLEDGED_IN_A_ROUND)
                .map(|serials| scope.spawn(|| stream(admin, &client, serials, &count)))
                .collect();
            let deadline = Instant::now() + Duration::from_secs(15);
            while count.load(Ordering::SeqCst) < ACKNOWLEDGED_IN_A_ROUND {
                assert!(Instant::now() < deadline, "revocations are too slow");
                seen.look(public);
            }
            program.kill();
            for client in clients {
                acknowledged.extend(client.join().expect("no panic"));
            }
        });
        assert!(acknowledged.len() < serials.len(), "it was killed in the middle");

        let highest = seen.highest();
        program = Program::start(&world);
        let number = seen.look(program.public).expect("a CRL");
        assert!(number >= highest, "{number} after {highest}");
        let reply = get(program.public, "/crl/signing.crl");
        let list = CertificateList::decode(&reply.body).expect("a CRL");
        let listed: HashSet<_> =
            list.entries().map(|entry| serial_text(entry.expect("good").serial)).collect();
        let missing: Vec<_> = acknowledged.difference(&listed).collect();
        assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    }
    assert!(acknowledged.len() >= ROUNDS * ACKNOWLEDGED_IN_A_ROUND);
    program.kill();
}
