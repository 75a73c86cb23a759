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
    bundle::Bundle,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::Digest,
    policy::Policy,
    report::Verdict,
    time::UnixSeconds,
    trust::TrustRoot,
    verify,
};
use countersign_signing::{key::Signer as _, profile::Authority};
use countersign_tests::{
    corpus::public_good::{COSIGN, NPM, Published, read},
    forge::ForgeKey,
    world::{NOW, World},
};

const FILE: &[u8] = b"the published program";
const ROUNDS: usize = 15;
const CALLS: u32 = 40;

/// What verification may cost beside its signatures.
const AIM_RATIO: f64 = 1.3;

/// How many signatures of each kind a verification must check.
#[derive(Clone, Copy)]
struct Signatures {
    p256: usize,
    p384: usize,
}

/// The artifact's, the signer's certificate and its CA's; the token's, the authority's certificate
/// and its CA's; the CRL's.
const PRIVATE: Signatures = Signatures { p256: 0, p384: 7 };

/// P-256: the artifact's, the certificate's timestamp, the log's promise and its checkpoint. P-384:
/// the signer's certificate and its CA's, the token's and the timestamp authority's certificate.
const PUBLIC: Signatures = Signatures { p256: 4, p384: 4 };

fn main() {
    let world = World::new();
    let crl = world.crl(Authority::Signing, NOW.minus_seconds(30), &[]);
    let private = Subject {
        trust: world.trust(),
        policy: world.policy(),
        bundle: world.sign(FILE, Some(NOW.minus_seconds(60))),
        crls: vec![crl],
        digests: digests_of(FILE),
        signatures: PRIVATE,
        now: NOW,
    };
    let public = Subject::published(&COSIGN, PUBLIC);
    println!("private: leaf, one intermediate, one timestamp, one CRL (P-384)");
    private.bench(&AwsLc);
    private.bench(&RustCrypto);
    println!("public good: one intermediate, log entry with promise and proof, timestamp, SCT");
    public.bench(&AwsLc);
    public.bench(&RustCrypto);
    bench_decoding(&read(NPM.bundle));
}

fn digests_of(file: &[u8]) -> Vec<Digest> {
    use countersign_core::digest::{HashAlgorithm, digest};
    HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, file)).to_vec()
}

/// A bundle with all that is verified beside it.
struct Subject {
    trust: TrustRoot,
    policy: Policy,
    bundle: Vec<u8>,
    crls: Vec<Vec<u8>>,
    digests: Vec<Digest>,
    signatures: Signatures,
    now: UnixSeconds,
}

impl Subject {
    fn published(published: &Published, signatures: Signatures) -> Self {
        let case = published.case("bench");
        Self {
            trust: TrustRoot::decode(&case.trusted_root).expect("a trust root"),
            policy: Policy::decode(&case.policy).expect("a policy"),
            bundle: case.bundle,
            crls: Vec::new(),
            digests: case.digests,
            signatures,
            now: case.now,
        }
    }

    fn bench(&self, crypto: &dyn CryptoProvider) {
        let crls: Vec<&[u8]> = self.crls.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact { digests: &self.digests, ..Artifact::default() },
            bundle: &self.bundle,
            crls: &crls,
            ocsp_responses: &[],
            key: None,
            ..Evidence::default()
        };
        let whole = || {
            let report = verify(&evidence, &self.trust, &self.policy, crypto, self.now);
            assert_eq!(report.verdict(), Verdict::Verified);
        };
        let keys = [
            (ForgeKey::p256("bench"), self.signatures.p256),
            (ForgeKey::p384("bench"), self.signatures.p384),
        ];
        let signed = keys.map(|(key, count)| (key.signature(FILE), key, count));
        let raw = || {
            for (signature, key, count) in &signed {
                let algorithm = crypto.verification_algorithm(key.scheme());
                for _ in 0..*count {
                    let held = algorithm.verify_signature(key.public_key(), FILE, signature);
                    held.expect("the signature holds");
                }
            }
        };
        let (whole, raw) = in_turns(whole, raw);
        let ratio = whole.as_secs_f64() / raw.as_secs_f64();
        let count = self.signatures.p256 + self.signatures.p384;
        println!(
            "  {:<11} verify {whole:>8.1?}   {count} raw signatures {raw:>8.1?}   ratio {ratio:.2} (aim ≤ {AIM_RATIO})",
            crypto.name(),
        );
    }
}

fn bench_decoding(bundle: &[u8]) {
    let decode = || {
        let decoded = Bundle::decode(black_box(bundle)).expect("it decodes");
        assert_eq!(decoded.log_entries.len(), 1);
    };
    let (one, _) = in_turns(decode, || {});
    println!("decoding a public bundle of {} bytes: {one:.1?} (aim < 100 µs)", bundle.len());
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
