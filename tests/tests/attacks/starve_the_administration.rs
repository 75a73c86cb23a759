//! An anonymous client asks OCSP, about another certificate each time, until no administrator and no CRL gets to the database.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use countersign_tests::stamping::Connection;

use crate::site::Site;

/// Fewer than one address may have.
const CONNECTIONS: usize = 900;
/// A long queue before the database.
const LIMITS: &str = "ocsp_max_in_flight = 1000\nlimits.max_in_flight = 1000";
/// For one order. On two slow cores it takes a third of a second; when all shared the database's connections, seven.
const PATIENCE: Duration = Duration::from_secs(5);

/// A serial number that nobody issued, and that is easy to find in a question.
const SERIAL: [u8; 8] = [0x11; 8];

/// The POST of a question, and where its serial number is.
fn question(site: &Site) -> (Vec<u8>, usize) {
    site.succeed(
        "openssl ocsp -issuer ca/signing/certificate.pem -serial 0x1111111111111111 \
         -reqout question 2> /dev/null",
    );
    let path = site.founded.shell.folder().join("question");
    let query = std::fs::read(path).expect("a question");
    let head = format!(
        "POST /ocsp HTTP/1.1\r\nHost: pki\r\nContent-Type: application/ocsp-request\r\n\
         Content-Length: {}\r\n\r\n",
        query.len()
    );
    let whole = [head.as_bytes(), &query].concat();
    let place = whole.windows(8).position(|window| window == SERIAL).expect("a serial number");
    (whole, place)
}

#[test]
fn questions_keep_no_administrator_from_revoking() {
    let site = Site::start_with(LIMITS);
    let (question, place) = question(&site);
    let address = site.service.address("public").to_owned();
    let (stop, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    // Each about another certificate, so that nothing that is kept in memory helps.
    let ask = |mut query: Vec<u8>| {
        while !stop.load(Ordering::Relaxed) {
            let Ok(mut connection) = Connection::open(&address) else { continue };
            while !stop.load(Ordering::Relaxed) {
                let number = answers.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                query[place + 1..place + 8].copy_from_slice(&number[1..]);
                if connection.ask(&query).is_err() {
                    break;
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let (ask, query) = (&ask, question.clone());
            scope.spawn(move || ask(query));
        }
        let began = Instant::now();
        let asked = || answers.load(Ordering::Relaxed);
        while asked() < 1000 && began.elapsed() < 6 * PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        let at_first = asked();
        let outcomes: Vec<_> = ["certificateHold", "superseded"]
            .map(|reason| {
                let began = Instant::now();
                let line =
                    format!("countersign revoke --certificate signer.pem --reason {reason} --yes");
                (site.run(&line), began.elapsed())
            })
            .into();
        let ready =
            site.run(&format!("curl --silent --fail {}/readyz", site.service.url("public")));
        stop.store(true, Ordering::Relaxed);
        assert!(at_first >= 1000, "there was no flood: {at_first}");
        for (ran, took) in outcomes {
            assert_eq!(ran.exit_code, 0, "{}", ran.said());
            assert!(took < PATIENCE, "{took:?}");
        }
        assert_eq!(ready.exit_code, 0, "{}", ready.said());
    });
    assert_eq!(site.revoked().len(), 1);
}
