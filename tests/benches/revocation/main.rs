//! What OCSP answers and CRLs cost with a million certificates registered and ten thousand revoked.
//!
//! The real service, as a process of its own, is loaded over loopback. Its processor time is what the
//! system counts for it, so that other programs on the machine, this one first, do not count; beside
//! it, in turns and in one run, a warp handler that does nothing, and raw signatures. `make bench`
//! prints the figures with their aims, with the database in SQLite and then in PostgreSQL.

mod load;
mod nothing;
mod postgres;
#[path = "../../../revocation-service/tests/service/postgres_programs.rs"]
mod postgres_programs;
#[path = "../timestamp/process.rs"]
mod process;
mod registry;

use std::{fs, path::Path, process::id, time::Duration};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair},
};
use base64ct::{Base64, Encoding};
use countersign_core::{
    digest::HashAlgorithm,
    ocsp::{CertificateStatus, OcspResponse},
    time::UnixSeconds,
};
use countersign_signing::{
    ca::{CertificateAuthority, InitOptions},
    key::Passphrase,
    ocsp,
    profile::Authority,
};
use countersign_tests::programs::{Programs, REVOCATION, Service};

use crate::{
    load::Load,
    postgres::Postgres,
    process::{ProcessorTime, peak_memory_bytes},
    registry::Registry,
};

/// In turns: what is measured, the handler that does nothing, raw signatures.
const ROUNDS: u32 = 3;
const ROUND: Duration = Duration::from_millis(1500);
const ROUND_OF_NOTHING: Duration = Duration::from_millis(700);
const ROUND_OF_SIGNATURES: Duration = Duration::from_millis(300);
/// Answers that are asked for again and again.
const HOT: usize = 1000;
/// Answers that are asked for twice, fewer than are kept; and more than are.
const TWICE: usize = 5000;
const KEPT: usize = 10_000;
const ISSUED: usize = 1_000_000;
const REVOKED: usize = 10_000;

/// One kind of request.
struct Case {
    name: &'static str,
    requests: Vec<Vec<u8>>,
    /// Processor time of one answer that is aimed at, in microseconds.
    aim: Option<f64>,
    status: ExpectedStatus,
}

#[derive(Clone, Copy, PartialEq)]
enum ExpectedStatus {
    Good,
    Any,
}

fn main() {
    if nothing::is_asked_for() {
        nothing::serve();
        return;
    }
    run_on(&|folder| folder.join("revocation.db").display().to_string(), "SQLite");
    let postgres = Postgres::start();
    run_on(&|_| postgres.url(), "PostgreSQL");
}

/// Everything, with the database at the place that `database` gives for a folder.
fn run_on(database: &dyn Fn(&Path) -> String, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let now = now();
    let ca = found(folder.path(), now);
    let database = database(folder.path());
    let registry = Registry::fill(&ca, &database, ISSUED, REVOKED, now);
    println!(
        "revocation service: {ISSUED} certificates, {REVOKED} revoked, in {name}; filled in {:.1?}",
        registry.filled_in
    );
    let nothing = nothing::Process::start();
    let cases = cases(&ca, &registry);
    // What an access log costs: the same without.
    configure(folder.path(), &database, "warn");
    serve(folder.path(), &nothing, &cases[..1], |_| {});
    configure(folder.path(), &database, "info");
    serve(folder.path(), &nothing, &cases, |service| fill_what_is_kept(service, &ca, &registry));
    registry.crl_times(&ca, now);
}

/// What having the answers about revoked certificates ready would save whoever asks first; then more
/// others than are kept, so that there is no room left.
fn fill_what_is_kept(service: &Service, ca: &CertificateAuthority, registry: &Registry) {
    let ask = |serial: &[u8]| load::post(&question(ca, serial, None));
    let revoked: Vec<_> = (0..TWICE).map(|index| ask(&Registry::revoked_serial(index))).collect();
    let load = Load::new(service.address("public"), &revoked);
    let micros = || {
        let before = ProcessorTime::of(service.id());
        load.run_each_once(TWICE);
        before.until_now().as_micros() / TWICE as u128
    };
    let (first, again) = (micros(), micros());
    println!(
        "    each of {TWICE} revoked certificates, asked about for the first time {first} µs, again {again} µs"
    );
    let others: Vec<_> = (0..KEPT).map(|index| ask(&registry.good_serial(HOT + index))).collect();
    Load::new(service.address("public"), &others).run_each_once(KEPT);
}

/// Starts the service as it is configured, and puts the cases to it, and what comes at last.
fn serve(
    folder: &Path,
    nothing: &nothing::Process,
    cases: &[Case],
    at_last: impl FnOnce(&Service),
) {
    let programs = Programs::with(&[REVOCATION]).expect("built: make bench builds it");
    let service = Service::start(&programs, REVOCATION, folder, "revocation.toml", &["public"])
        .expect("it listens");
    load::wait_until_ready(service.address("public"));
    let memory = || megabytes(peak_memory_bytes(service.id()));
    println!("    memory at the start {:.1} MB", memory());
    for case in cases {
        bench(case, &service, nothing);
    }
    at_last(&service);
    println!("    memory at most {:.1} MB (aim < 60)", memory());
    service.stop().expect("it ends");
}

fn bench(case: &Case, service: &Service, nothing: &nothing::Process) {
    let load = Load::new(service.address("public"), &case.requests);
    believe(&load.ask_once(), case.status);
    // Warm: each once.
    load.run_each_once(HOT);
    let idle = Load::new(nothing.address(), &case.requests);
    let (mut ours, mut theirs, mut raw) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0));
    for _ in 0..ROUNDS {
        for (load, process, round, sum) in [
            (&load, service.id(), ROUND, &mut ours),
            (&idle, nothing.id(), ROUND_OF_NOTHING, &mut theirs),
        ] {
            let before = ProcessorTime::of(process);
            sum.0 += load.run(round);
            sum.1 += before.until_now().as_secs_f64();
        }
        let signed = sign_raw();
        raw.0 += signed.0;
        raw.1 += signed.1;
    }
    let micros = |(answers, seconds): (f64, f64)| 1e6 * seconds / answers;
    let aim = case.aim.map(|aim| format!(" (aim ≤ {aim:.0})")).unwrap_or_default();
    println!(
        "    {:<34} {:>6.1} µs{aim}, {:>6.0} answers/CPU-s; a warp handler that does nothing {:>5.1} µs ({:.2}); a raw signature {:>5.1} µs ({:.2})",
        case.name,
        micros(ours),
        1e6 / micros(ours),
        micros(theirs),
        micros(ours) / micros(theirs),
        micros(raw),
        micros(ours) / micros(raw),
    );
}

fn cases(ca: &CertificateAuthority, registry: &Registry) -> Vec<Case> {
    let good = |index, nonce| question(ca, &registry.good_serial(index), nonce);
    let hot: Vec<_> = (0..HOT).map(|index| good(index, None)).collect();
    let with_nonce = |index| load::post(&good(index, Some(&[0xA5; 32])));
    let spread = |index: usize| index * (ISSUED / 50_000);
    vec![
        Case {
            name: "kept answer, POST",
            requests: hot.iter().map(|body| load::post(body)).collect(),
            aim: Some(16.0),
            status: ExpectedStatus::Good,
        },
        Case {
            name: "kept answer, GET",
            requests: hot.iter().map(|body| load::get(&Base64::encode_string(body))).collect(),
            aim: Some(16.0),
            status: ExpectedStatus::Good,
        },
        Case {
            name: "signed with a nonce, hot",
            requests: (0..HOT).map(with_nonce).collect(),
            aim: Some(1e6 / 7000.0),
            status: ExpectedStatus::Good,
        },
        Case {
            name: "signed with a nonce, one of 50,000",
            requests: (0..50_000).map(|index| with_nonce(spread(index))).collect(),
            aim: Some(1e6 / 7000.0),
            status: ExpectedStatus::Any,
        },
    ]
}

/// A request about one certificate.
fn question(ca: &CertificateAuthority, serial: &[u8], nonce: Option<&[u8]>) -> Vec<u8> {
    let issuer = ca.certificate(Authority::Signing);
    let id = ocsp::cert_id(HashAlgorithm::Sha1, issuer, serial).expect("a CertID");
    ocsp::request(&[id], nonce)
}

/// What is measured must be a real answer.
fn believe(answer: &[u8], status: ExpectedStatus) {
    let response = OcspResponse::decode(answer).expect("an OCSP response");
    let found = response.basic.expect("an answer").responses[0].status;
    assert!(found == CertificateStatus::Good || status == ExpectedStatus::Any, "{found:?}");
}

/// Signatures, and the processor seconds that this process took for them.
fn sign_raw() -> (f64, f64) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).expect("a key");
    let random = SystemRandom::new();
    // As long as the data of an answer.
    let message = [0x5A; 250];
    let before = ProcessorTime::of(id());
    let start = std::time::Instant::now();
    let mut signatures = 0_u32;
    while start.elapsed() < ROUND_OF_SIGNATURES {
        for _ in 0..100 {
            pair.sign(&random, &message).expect("a signature");
        }
        signatures += 100;
    }
    (f64::from(signatures), before.until_now().as_secs_f64())
}

fn found(folder: &Path, now: UnixSeconds) -> CertificateAuthority {
    let options = InitOptions::new("Example", "http://ca.example");
    let passphrase = Passphrase::new("correct horse").expect("not empty");
    private(&folder.join("passphrase"), "correct horse\n");
    CertificateAuthority::init(&folder.join("ca"), &options, &passphrase, now).expect("a CA")
}

fn configure(folder: &Path, database: &str, log_level: &str) {
    println!("  log level {log_level}");
    let text = format!(
        "listen = '127.0.0.1:0'\ndatabase = '{database}'\npublic_url = 'http://ca.example'\n\
         [[issuer]]\nname = 'signing'\ncertificate = 'ca/signing/certificate.pem'\n\
         key = 'ca/signing/key.pem'\nkey_passphrase_file = 'passphrase'\n\
         ocsp_delegate = 'automatic'\n[log]\nlevel = '{log_level}'\n"
    );
    fs::write(folder.join("revocation.toml"), text).expect("written");
}

fn private(path: &Path, text: &str) {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.as_mut().expect("created").write_all(text.as_bytes()).expect("written");
}

fn now() -> UnixSeconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixSeconds::new(i64::try_from(since.expect("after 1970").as_secs()).expect("fits"))
}

#[allow(clippy::cast_precision_loss, reason = "to be printed with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
