//! What verifying costs beside the cryptography it cannot do without.
//!
//! Both are measured in turns in one run, so that a noisy machine disturbs them alike; what counts
//! is the ratio. `make bench` prints it with its aim.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use countersign_core::{
    Artifact, Evidence,
    bundle::{Bundle, Content},
    crypto::{
        CryptoProvider, KeyAlgorithm as KeyKind, SignatureScheme, aws_lc::AwsLc,
        rustcrypto::RustCrypto,
    },
    digest::{HashAlgorithm, digest},
    report::Verdict,
    verify,
};
use countersign_signing::{key::Signer, profile::Authority};
use countersign_tests::world::{NOW, World};

const FILE: &[u8] = b"the published program";
const ROUNDS: usize = 15;
const CALLS: u32 = 40;

/// Signatures that the verification of a private bundle must check: the artifact's, the signer's
/// certificate and its CA's; the token's, the authority's certificate and its CA's; the CRL's.
const SIGNATURES: u32 = 7;

fn main() {
    let world = World::new();
    println!("bundle with leaf, one intermediate, one timestamp, one CRL (P-384)");
    bench_filler(&world, &AwsLc, 1.3);
    bench_filler(&world, &RustCrypto, 1.3);
    bench_decoding(&world);
}

fn bench_filler(world: &World, crypto: &dyn CryptoProvider, aim: f64) {
    let bundle = world.sign(FILE, Some(NOW.minus_seconds(60)));
    let crl = world.crl(Authority::Signing, NOW.minus_seconds(30), &[]);
    let (trust, policy) = (world.trust(), world.policy());
    let digests = [digest(crypto, HashAlgorithm::Sha384, FILE)];
    let evidence = Evidence {
        artifact: Artifact { name: Some("app"), size: None, digests: &digests },
        bundle: &bundle,
        crls: &[&crl],
        ocsp_responses: &[],
        key: None,
    };
    let whole = || {
        let report = verify(&evidence, &trust, &policy, crypto, NOW);
        assert_eq!(report.verdict(), Verdict::Verified);
    };
    let signature = world.signer.key.sign(FILE).expect("a signature");
    let decoded = countersign_tests::world::decoded(&world.signer.certificate);
    assert_eq!(decoded.public_key.algorithm, KeyKind::P384);
    let algorithm = crypto.verification_algorithm(SignatureScheme::EcdsaP384Sha384);
    let raw = || {
        for _ in 0..SIGNATURES {
            let held = algorithm.verify_signature(decoded.public_key.bits, FILE, &signature);
            held.expect("the signature holds");
        }
    };
    let (whole, raw) = in_turns(whole, raw);
    let ratio = whole.as_secs_f64() / raw.as_secs_f64();
    println!(
        "  {:<11} verify {:>8.1?}   {SIGNATURES} raw signatures {:>8.1?}   ratio {ratio:.2} (aim ≤ {aim})",
        crypto.name(),
        whole,
        raw,
    );
}

fn bench_decoding(world: &World) {
    let bundle = world.attest("app", FILE, Some(NOW.minus_seconds(60)));
    let decode = || {
        let decoded = Bundle::decode(black_box(&bundle)).expect("it decodes");
        assert!(matches!(decoded.content, Content::Envelope(_)));
    };
    let (one, _) = in_turns(decode, || {});
    println!("  decoding a bundle of {} bytes: {one:.1?} (aim < 100 µs for 10 KB)", bundle.len());
}

/// The median time of one call of each, measured in turns.
fn in_turns(first: impl Fn(), second: impl Fn()) -> (Duration, Duration) {
    let timed = |call: &dyn Fn()| {
        let start = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        start.elapsed() / CALLS
    };
    first();
    second();
    let mut rounds: Vec<(Duration, Duration)> =
        (0..ROUNDS).map(|_| (timed(&first), timed(&second))).collect();
    let median = |mut values: Vec<Duration>| {
        values.sort_unstable();
        values[values.len() / 2]
    };
    let seconds = rounds.iter().map(|(_, second)| *second).collect();
    (median(rounds.drain(..).map(|(first, _)| first).collect()), median(seconds))
}
