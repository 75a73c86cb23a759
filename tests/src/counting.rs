//! [`AwsLc`], with its signature checks counted: what a verification costs, on every machine alike.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::{
    crypto::{CryptoProvider, SignatureFault, SignatureScheme, aws_lc::AwsLc},
    digest::{Digest, HashAlgorithm, Hasher},
};
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

/// Signature checks of this process; nextest gives each test one.
static CHECKS: AtomicUsize = AtomicUsize::new(0);

/// [`AwsLc`], counted.
#[derive(Debug)]
pub struct Counting;

/// Runs `work`; gives its outcome and how many signatures were checked meanwhile.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = CHECKS.load(Ordering::Relaxed);
    let outcome = work();
    (outcome, CHECKS.load(Ordering::Relaxed) - before)
}

#[derive(Debug)]
struct Counted(SignatureScheme);

impl CryptoProvider for Counting {
    fn name(&self) -> &'static str {
        AwsLc.name()
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        AwsLc.hasher(algorithm)
    }

    fn verification_algorithm(
        &self,
        scheme: SignatureScheme,
    ) -> &'static dyn SignatureVerificationAlgorithm {
        static ALL: [Counted; SignatureScheme::ALL.len()] = {
            let mut all = [const { Counted(SignatureScheme::Ed25519) }; SignatureScheme::ALL.len()];
            let mut index = 0;
            while index < all.len() {
                all[index] = Counted(SignatureScheme::ALL[index]);
                index += 1;
            }
            all
        };
        ALL.iter().find(|each| each.0 == scheme).expect("every scheme is listed")
    }

    fn verify_digest(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        digest: &Digest,
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        CHECKS.fetch_add(1, Ordering::Relaxed);
        AwsLc.verify_digest(scheme, public_key, digest, signature)
    }
}

impl SignatureVerificationAlgorithm for Counted {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        CHECKS.fetch_add(1, Ordering::Relaxed);
        AwsLc.verification_algorithm(self.0).verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        AwsLc.verification_algorithm(self.0).public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AwsLc.verification_algorithm(self.0).signature_alg_id()
    }
}
