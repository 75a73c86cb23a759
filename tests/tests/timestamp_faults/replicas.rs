//! Two replicas behind one address: nothing is shared but the key.

use std::{
    collections::HashSet,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use countersign_tests::stamping::Connection;

use crate::bench::{configure, recorded_serials, request, serial, site, start};

const TOKENS: usize = 60;

/// Hands each connection to the next backend in turn, or to another when that is gone.
fn forward(client: &TcpStream, backends: &[String], turn: &AtomicUsize) {
    let first = turn.fetch_add(1, Ordering::SeqCst);
    let backend = (0..backends.len())
        .find_map(|step| TcpStream::connect(&backends[(first + step) % backends.len()]).ok());
    let Some(backend) = backend else { return };
    thread::scope(|scope| {
        scope.spawn(|| copy(client, &backend));
        copy(&backend, client);
    });
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn two_replicas_need_no_coordination_and_one_goes_on_alone() {
    let site = site("");
    let mut replicas: Vec<_> = ["one", "two"]
        .into_iter()
        .map(|name| {
            let configuration = format!("{name}.toml");
            configure(&site, &configuration, &format!("[audit]\nfolder = \"{name}\"\n"));
            start(&site, &configuration)
        })
        .collect();
    let backends: Vec<String> =
        replicas.iter().map(|replica| replica.address("public").to_owned()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address").to_string();
    let turn = AtomicUsize::new(0);
    let serials = Mutex::new(HashSet::new());
    let ask = |count: usize| {
        for _ in 0..count {
            let mut connection = Connection::open(&address).expect("connected");
            let request = request();
            let answer = connection.ask(&request).expect("answered");
            assert!(answer.is_granted());
            let news = serials.lock().expect("unpoisoned").insert(serial(answer.body));
            assert!(news, "both gave the same serial number");
        }
    };
    thread::scope(|scope| {
        let (turn, backends) = (&turn, &backends);
        scope.spawn(move || {
            // Ends with the connection that brings nothing.
            while let Ok((client, _)) = listener.accept() {
                let mut first = [0; 1];
                if client.peek(&mut first).unwrap_or(0) == 0 {
                    return;
                }
                scope.spawn(move || forward(&client, backends, turn));
            }
        });
        ask(TOKENS);
        replicas.remove(0).kill();
        ask(TOKENS);
        drop(TcpStream::connect(&address).expect("connected"));
    });
    let recorded = ["one", "two"].map(|ledger| recorded_serials(&site, ledger));
    assert!(recorded.iter().all(|serials| serials.len() >= TOKENS / 2), "both were asked");
    let handed_out = serials.into_inner().expect("unpoisoned");
    assert_eq!(handed_out.len(), 2 * TOKENS);
    let all: HashSet<String> = recorded.iter().flatten().cloned().collect();
    assert_eq!(all, handed_out, "each token is in one ledger");
}
