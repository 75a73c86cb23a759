//! An anonymous client asks OCSP, with a new nonce each time, until no administrator and no CRL gets to the database.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use countersign_tests::stamping::Connection;

use crate::site::Site;

const CONNECTIONS: usize = 64;
/// For one order, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The POST of a question about the signer, whose nonce is the number.
fn question(site: &Site, number: usize) -> Vec<u8> {
    site.succeed(&format!(
        "openssl ocsp -issuer ca/signing/certificate.pem -cert signer.pem -reqout q{number} 2> /dev/null"
    ));
    let path = site.founded.shell.folder().join(format!("q{number}"));
    let query = std::fs::read(path).expect("a question");
    let head = format!(
        "POST /ocsp HTTP/1.1\r\nHost: pki\r\nContent-Type: application/ocsp-request\r\n\
         Content-Length: {}\r\n\r\n",
        query.len()
    );
    [head.as_bytes(), &query].concat()
}

#[test]
fn questions_keep_no_administrator_from_revoking() {
    let site = Site::start();
    let questions: Vec<_> = (0..4).map(|number| question(&site, number)).collect();
    let address = site.service.address("public").to_owned();
    let (stop, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    let ask = |query: &[u8]| {
        while !stop.load(Ordering::Relaxed) {
            let Ok(mut connection) = Connection::open(&address) else { continue };
            while !stop.load(Ordering::Relaxed) && connection.ask(query).is_ok() {
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let query = &questions[number % questions.len()];
            let ask = &ask;
            scope.spawn(move || ask(query));
        }
        let began = Instant::now();
        while answers.load(Ordering::Relaxed) == 0 {
            assert!(began.elapsed() < PATIENCE, "nobody is answered");
            thread::sleep(Duration::from_millis(10));
        }
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
        for (ran, took) in outcomes {
            assert_eq!(ran.exit_code, 0, "{}", ran.said());
            assert!(took < PATIENCE, "{took:?}");
        }
        assert_eq!(ready.exit_code, 0, "{}", ready.said());
    });
    assert_eq!(site.revoked().len(), 1);
}
