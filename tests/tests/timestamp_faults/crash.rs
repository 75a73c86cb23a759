//! `kill -9` under load: what was handed out is on record, and no serial number comes twice.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use countersign_tests::{programs::Service, stamping::Connection};

use crate::bench::{recorded_serials, request, serial, site, start};

const CLIENTS: usize = 8;
const ROUNDS: usize = 3;
/// Tokens that must have been handed out before the axe falls.
const ENOUGH: usize = 200;

/// Asks over many connections until the service is killed; the serial numbers of what came.
fn ask_until_killed(service: Service) -> Vec<String> {
    let handed_out = AtomicUsize::new(0);
    let (address, request) = (service.address("public").to_owned(), request());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let mut serials = Vec::new();
                    let mut connection = Connection::open(&address).expect("connected");
                    while let Ok(answer) = connection.ask(&request) {
                        assert!(answer.is_granted(), "HTTP {}", answer.status);
                        serials.push(serial(answer.body));
                        handed_out.fetch_add(1, Ordering::SeqCst);
                    }
                    serials
                })
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(30);
        while handed_out.load(Ordering::SeqCst) < ENOUGH {
            assert!(Instant::now() < deadline, "tokens are too slow");
            thread::sleep(Duration::from_millis(1));
        }
        service.kill();
        clients.into_iter().flat_map(|client| client.join().expect("no refusal")).collect()
    })
}

#[test]
fn after_kill_9_every_token_that_anybody_has_is_on_record_and_no_serial_number_comes_twice() {
    let site = site("[audit]\nmode = \"strict\"\nfolder = \"audit\"\n");
    let mut had = HashSet::new();
    for round in 0..ROUNDS {
        for serial in ask_until_killed(start(&site, "timestamp.toml")) {
            assert!(had.insert(serial), "a serial number of an earlier token");
        }
        let recorded = recorded_serials(&site, "audit");
        let missing: Vec<_> = had.difference(&recorded).collect();
        assert!(missing.is_empty(), "round {round}: handed out and not on record: {missing:?}");
        // What was recorded and not handed out was on its way when the axe fell.
        assert!(recorded.len() <= had.len() + (round + 1) * CLIENTS);
    }
    assert!(had.len() >= ROUNDS * ENOUGH);
    // The ledger goes on after three deaths.
    let service = start(&site, "timestamp.toml");
    assert_eq!(service.stop().expect("it ends").code(), Some(0));
    site.shell.succeed("countersign audit verify audit").expect("it is whole");
}
