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
    key::{NewKey, Passphrase},
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
const STAMPED: &[u8] = b"what is stamped";

/// A configuration that is measured.
struct Case {
    name: &'static str,
    algorithm: NewKey,
    lines: &'static str,
    /// Tokens per processor second and the ratio to raw signatures that are aimed at.
    aims: Option<(f64, f64)>,
}

const CASES: [Case; 5] = [
    Case { name: "P-384", algorithm: NewKey::P384, lines: "", aims: Some((8500.0, 0.75)) },
    Case { name: "P-384, audit strict", algorithm: NewKey::P384, lines: AUDIT, aims: None },
    Case { name: "P-256", algorithm: NewKey::P256, lines: "", aims: None },
    Case { name: "P-256, audit strict", algorithm: NewKey::P256, lines: AUDIT, aims: None },
    Case {
        name: "P-256, quiet log",
        algorithm: NewKey::P256,
        lines: "[log]\nlevel = \"warn\"\n",
        aims: None,
    },
];

/// Each token on the disk before it is handed out.
const AUDIT: &str = "[audit]\nfolder = \"audit\"\n";

fn main() {
    println!(
        "timestamp service: certReq, kept-alive HTTP/1.1, {CONNECTIONS} connections, {} processors, load of the machine before: {}",
        thread::available_parallelism().map_or(1, usize::from),
        load_average(),
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

    let (mut served, mut raw, mut throughputs) = ((0.0, 0.0), (0.0, 0.0), Vec::new());
    let mut latencies = Vec::new();
    for _ in 0..ROUNDS {
        let before = ProcessorTime::of(service.id());
        let outcome = load.run(Pace::AsFastAsAnswered, ROUND);
        served.0 += outcome.answers_as_number();
        served.1 += before.until_now().as_secs_f64();
        let throughput = outcome.answers_as_number() / outcome.wall.as_secs_f64();
        throughputs.push(throughput);
        // At once, since what a busy machine leaves changes by the second.
        let outcome = load.run(Pace::PerSecond(0.8 * throughput), ROUND);
        latencies.push([50, 99, 100].map(|percent| outcome.percentile(percent)));
        let (signatures, seconds) = sign_raw(case.algorithm);
        raw.0 += signatures;
        raw.1 += seconds;
    }
    let (rate, raw_rate) = (served.0 / served.1, raw.0 / raw.1);
    let aims =
        case.aims.map_or(String::new(), |(rate, ratio)| format!(" (aims ≥ {rate:.0}, ≥ {ratio})"));
    println!(
        "  {:<19} {rate:>6.0} tokens/CPU-s   raw signatures {raw_rate:>6.0}/CPU-s   ratio {:.2}{aims}",
        case.name,
        rate / raw_rate,
    );
    throughputs.sort_by(f64::total_cmp);
    // The round in the middle by its 99th percentile.
    latencies.sort_unstable_by_key(|[_, p99, _]| *p99);
    let [median, p99, most] = latencies[latencies.len() / 2];
    println!(
        "  {:<19} {:>6.0} tokens/s; at 80 % of it: median {median:.2?}, p99 {p99:.2?} (aim < 10 ms), most {most:.2?}; memory {:.1} MB (aim < 30)",
        "",
        throughputs[throughputs.len() / 2],
        bytes_as_megabytes(peak_memory_bytes(service.id())),
    );
    service.stop().expect("it ends");
}

/// Makes an authority in the folder, with its configuration; gives the root certificate.
fn set_up(folder: &Path, case: &Case) -> Vec<u8> {
    let options = InitOptions::new("Example", "http://ca.example");
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
fn sign_raw(algorithm: NewKey) -> (f64, f64) {
    let signing = match algorithm {
        NewKey::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
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

/// What else the machine does: latencies are of use on an idle one only.
fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

#[allow(clippy::cast_precision_loss, reason = "to be printed with one digit")]
fn bytes_as_megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
