//! What a timestamp costs beside the signature that it cannot do without.
//!
//! The real service, as a process of its own, is loaded over loopback. Its processor time is what the
//! system counts for it, so that other programs on the machine, this one first, do not count; the
//! raw signatures are made in turns with it in one run. `make bench` prints the figures with their
//! aims.

mod load;
mod process;

use std::{fs, path::Path, thread, time::Duration};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair},
};
use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    time::UnixSeconds,
    trust::Authority as TrustedAuthority,
    tsp::{self, Stamped},
};
use countersign_signing::{
    ca::{CertificateAuthority, InitOptions, IssueRequest, SubjectKey},
    key::{KeyAlgorithm, Passphrase},
    name::DistinguishedName,
    pem,
    profile::{Authority, Profile},
    tsp::TimestampRequestBuilder,
};
use countersign_tests::programs::{Programs, Service, TIMESTAMP};

use crate::load::{Load, Pace};
use crate::process::{ProcessorTime, peak_memory_bytes};

/// As many as the reference figures were made with.
const CONNECTIONS: usize = 16;
const ROUNDS: u32 = 5;
const ROUND: Duration = Duration::from_secs(2);
/// Enough requests for a 99th percentile of hundreds above it.
const LATENCY_ROUND: Duration = Duration::from_secs(6);
const STAMPED: &[u8] = b"what is stamped";

/// A configuration that is measured.
struct Case {
    name: &'static str,
    algorithm: KeyAlgorithm,
    lines: &'static str,
    /// Tokens per processor second and the ratio to raw signatures that are aimed at.
    aims: Option<(f64, f64)>,
}

const CASES: [Case; 2] = [
    Case { name: "P-384", algorithm: KeyAlgorithm::P384, lines: "", aims: Some((8500.0, 0.75)) },
    Case { name: "P-256", algorithm: KeyAlgorithm::P256, lines: "", aims: None },
];

fn main() {
    println!(
        "timestamp service: certReq, kept-alive HTTP/1.1, {CONNECTIONS} connections, {} processors",
        thread::available_parallelism().map_or(1, usize::from)
    );
    for case in &CASES {
        bench(case);
    }
}

fn bench(case: &Case) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = set_up(folder.path(), case);
    let programs = Programs::with(&[TIMESTAMP]).expect("built: make bench builds it");
    let service =
        Service::start(&programs, TIMESTAMP, folder.path(), "timestamp.toml", &["public"])
            .expect("it listens");
    let request = request();
    let load = Load::new(service.address("public"), &request, CONNECTIONS);
    believe(&load.ask_once(), root);

    let (mut served, mut raw, mut wall) = ((0.0, 0.0), (0.0, 0.0), Duration::ZERO);
    for _ in 0..ROUNDS {
        let before = ProcessorTime::of(service.id());
        let outcome = load.run(Pace::AsFastAsAnswered, ROUND);
        served.0 += outcome.answers_as_number();
        served.1 += before.until_now().as_secs_f64();
        wall += outcome.wall;
        let (signatures, seconds) = sign_raw(case.algorithm);
        raw.0 += signatures;
        raw.1 += seconds;
    }
    let (rate, raw_rate) = (served.0 / served.1, raw.0 / raw.1);
    let throughput = served.0 / wall.as_secs_f64();
    let aims =
        case.aims.map_or(String::new(), |(rate, ratio)| format!(" (aims ≥ {rate:.0}, ≥ {ratio})"));
    println!(
        "  {:<18} {rate:>7.0} tokens/CPU-s   raw signatures {raw_rate:>7.0}/CPU-s   ratio {:.2}{aims}",
        case.name,
        rate / raw_rate,
    );

    let outcome = load.run(Pace::PerSecond(0.8 * throughput), LATENCY_ROUND);
    let memory = peak_memory_bytes(service.id());
    println!(
        "  {:<18} {throughput:>7.0} tokens/s at most; at 80 %: median {:.2?}, p99 {:.2?} (aim < 10 ms), most {:.2?}; memory {:.1} MB (aim < 30)",
        "",
        outcome.percentile(50),
        outcome.percentile(99),
        outcome.percentile(100),
        bytes_as_megabytes(memory),
    );
    service.stop().expect("it ends");
}

/// Makes an authority in the folder, with its configuration; gives the root certificate.
fn set_up(folder: &Path, case: &Case) -> Vec<u8> {
    let options = InitOptions {
        organisation: "Example".to_owned(),
        base_url: "http://ca.example".to_owned(),
        algorithm: KeyAlgorithm::P384,
    };
    let passphrase = Passphrase::new("correct horse").expect("not empty");
    let now = now();
    let ca = CertificateAuthority::init(&folder.join("ca"), &options, &passphrase, now)
        .expect("an authority");
    let request =
        IssueRequest::new(Profile::TimestampAuthority, DistinguishedName::new("Example", "TSA"));
    let issued = ca.issue(&request, SubjectKey::New(case.algorithm), now).expect("issued");
    let key = issued.key.expect("a new one");
    key.save_new(&folder.join("tsa.key"), &passphrase).expect("saved");
    pem::write_certificates(&folder.join("tsa.pem"), &issued.chain).expect("written");
    private(&folder.join("passphrase"), "correct horse\n");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nkey = \"tsa.key\"\nkey_passphrase_file = \"passphrase\"\n\
         certificate_chain = \"tsa.pem\"\n{}\n[[policy]]\noid = \"1.3.6.1.4.1.32473.1\"\n",
        case.lines
    );
    fs::write(folder.join("timestamp.toml"), text).expect("written");
    ca.certificate(Authority::Root).to_vec()
}

fn private(path: &Path, text: &str) {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.as_mut().expect("created").write_all(text.as_bytes()).expect("written");
}

fn request() -> Vec<u8> {
    let imprint = digest(&AwsLc, HashAlgorithm::Sha256, STAMPED);
    TimestampRequestBuilder::new(imprint).random_nonce().expect("random").build()
}

/// What is measured must be a real token.
fn believe(response: &[u8], root: Vec<u8>) {
    let authorities = [TrustedAuthority::from_anchor(root, Vec::new())];
    let now = now().plus_seconds(10);
    tsp::verify(response, Stamped::Message(STAMPED), &authorities, &AwsLc, now)
        .expect("a token that verifies");
}

/// Signatures, and the processor seconds that this process took for them.
fn sign_raw(algorithm: KeyAlgorithm) -> (f64, f64) {
    let signing = match algorithm {
        KeyAlgorithm::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        _ => &ECDSA_P384_SHA384_ASN1_SIGNING,
    };
    let pair = EcdsaKeyPair::generate(signing).expect("a key");
    let random = SystemRandom::new();
    // As long as the signed attributes of a token.
    let message = [0x5A; 150];
    let before = ProcessorTime::of(std::process::id());
    let start = std::time::Instant::now();
    let mut signatures = 0_u32;
    while start.elapsed() < ROUND / 2 {
        for _ in 0..100 {
            pair.sign(&random, &message).expect("a signature");
        }
        signatures += 100;
    }
    (f64::from(signatures), before.until_now().as_secs_f64())
}

fn now() -> UnixSeconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixSeconds::new(i64::try_from(since.expect("after 1970").as_secs()).expect("fits"))
}

#[allow(clippy::cast_precision_loss, reason = "to be printed with one digit")]
fn bytes_as_megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
