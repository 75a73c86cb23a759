//! Slow, half-open, huge and malformed, all at once: the others are served.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use countersign_tests::{
    scenario::Limits,
    stamping::{self, Connection},
};

use crate::bench::{request, serial, start};

const SLOW: usize = 100;
const HUGE: usize = 60;
const MALFORMED: usize = 10_000;
const MALFORMED_CONNECTIONS: usize = 4;
/// Measured with a debug build on a machine that builds other things meanwhile; it takes
/// milliseconds on an idle one. A service that is held up takes the header timeout, ten seconds.
const BOUND: Duration = Duration::from_secs(3);

/// Bytes that look less and less like a request.
fn malformed(number: usize) -> Vec<u8> {
    let mut query = request();
    let start = query.len() - 40;
    let octet = start + number % 40;
    query[octet] ^= u8::try_from(number % 255).unwrap_or(0) + 1;
    match number % 4 {
        0 => stamping::post(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
        1 => stamping::post(&vec![0x30; number % 500]),
        2 => stamping::post(b""),
        _ => query,
    }
}

/// A megabyte, which is refused; whether the refusal is read or the connection reset, it ends.
fn send_huge(address: &str) {
    let body = vec![0x30; 1024 * 1024];
    let mut connection = Connection::open(address).expect("connected");
    if let Ok(answer) = connection.ask(&stamping::post(&body)) {
        assert_eq!(answer.status, 413);
    }
}

#[test]
fn slow_half_open_huge_and_malformed_requests_do_not_hold_up_the_others() {
    let site = countersign_tests::scenario::Site::found(&Limits::Usual).expect("a site");
    let service = start(&site, "timestamp.toml");
    let address = service.address("public");
    // Half-open: connected, and nothing; and a head that never ends.
    let mut slow: Vec<Connection> =
        (0..2 * SLOW).map(|_| Connection::open(address).expect("connected")).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (slow, done) = (&mut slow, &done);
        scope.spawn(move || {
            let head = b"POST / HTTP/1.1\r\nHost: tsa\r\nX-Slow: ";
            for octet in head.iter().chain(std::iter::repeat(&b'a')) {
                for connection in slow.iter_mut().take(SLOW) {
                    // It is cut at some time, as it should.
                    let _ = connection.send(&[*octet]);
                }
                if done.load(Ordering::SeqCst) {
                    return;
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        let mut attackers = Vec::new();
        for first in 0..MALFORMED_CONNECTIONS {
            attackers.push(scope.spawn(move || {
                let mut connection = Connection::open(address).expect("connected");
                for number in (first..MALFORMED).step_by(MALFORMED_CONNECTIONS) {
                    let answer = connection.ask(&malformed(number)).expect("answered");
                    assert_eq!(answer.status, 200, "a refusal in the protocol");
                }
            }));
        }
        for _ in 0..4 {
            attackers.push(scope.spawn(|| {
                for _ in 0..HUGE / 4 {
                    send_huge(address);
                }
            }));
        }
        let request = request();
        let mut slowest = Duration::ZERO;
        while attackers.iter().any(|attacker| !attacker.is_finished()) {
            let start = Instant::now();
            let mut connection = Connection::open(address).expect("connected");
            let answer = connection.ask(&request).expect("answered");
            assert!(answer.is_granted(), "HTTP {}", answer.status);
            serial(answer.body);
            slowest = slowest.max(start.elapsed());
        }
        assert!(slowest < BOUND, "{slowest:?}");
        done.store(true, Ordering::SeqCst);
        for attacker in attackers {
            attacker.join().expect("answered as it should be");
        }
    });
    drop(slow);
    assert_eq!(service.stop().expect("it ends").code(), Some(0));
}
