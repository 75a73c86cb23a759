//! The portable filler: RustCrypto, in pure Rust without std.

mod rsa;

use alloc::boxed::Box;

use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::Digest as _;

use self::rsa::Padding;
use super::{CryptoProvider, SignatureFault, SignatureScheme, SignatureScheme as S};
use crate::digest::{Digest, HashAlgorithm, Hasher};

/// Cryptography by the RustCrypto crates.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

struct RustHasher<D> {
    algorithm: HashAlgorithm,
    state: D,
}

impl<D: sha2::Digest + Send> Hasher for RustHasher<D> {
    fn update(&mut self, octets: &[u8]) {
        self.state.update(octets);
    }

    fn finish(self: Box<Self>) -> Digest {
        Digest::of_output(self.algorithm, self.state.finalize().as_ref())
    }
}

impl CryptoProvider for RustCrypto {
    fn name(&self) -> &'static str {
        "rustcrypto"
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        match algorithm {
            HashAlgorithm::Sha1 => Box::new(RustHasher { algorithm, state: sha1::Sha1::new() }),
            HashAlgorithm::Sha256 => Box::new(RustHasher { algorithm, state: sha2::Sha256::new() }),
            HashAlgorithm::Sha384 => Box::new(RustHasher { algorithm, state: sha2::Sha384::new() }),
            HashAlgorithm::Sha512 => Box::new(RustHasher { algorithm, state: sha2::Sha512::new() }),
        }
    }

    fn verification_algorithm(
        &self,
        scheme: SignatureScheme,
    ) -> &'static dyn SignatureVerificationAlgorithm {
        static ALGORITHMS: [Algorithm; S::ALL.len()] = {
            let mut algorithms = [Algorithm(S::Ed25519); S::ALL.len()];
            let mut index = 0;
            // A constant expression: an index out of bounds would not compile.
            #[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
            while index < S::ALL.len() {
                algorithms[index] = Algorithm(S::ALL[index]);
                index += 1;
            }
            algorithms
        };
        static FALLBACK: Algorithm = Algorithm(S::Ed25519);
        ALGORITHMS.iter().find(|algorithm| algorithm.0 == scheme).unwrap_or(&FALLBACK)
    }

    fn verify_digest(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        digest: &Digest,
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        if scheme.hash_algorithm() != Some(digest.algorithm()) {
            return Err(SignatureFault::Unsupported);
        }
        verify_prehash(scheme, public_key, digest.octets(), signature)
            .ok_or(SignatureFault::Invalid)
    }
}

#[derive(Clone, Copy, Debug)]
struct Algorithm(SignatureScheme);

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let outcome = match self.0.hash_algorithm() {
            Some(hash) => {
                let digest = crate::digest::digest(&RustCrypto, hash, message);
                verify_prehash(self.0, public_key, digest.octets(), signature)
            }
            None => verify_ed25519(public_key, message, signature),
        };
        outcome.ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.0 {
            S::EcdsaP256Sha256 | S::EcdsaP256Sha384 | S::EcdsaP256Sha512 => alg_id::ECDSA_P256,
            S::EcdsaP384Sha256 | S::EcdsaP384Sha384 | S::EcdsaP384Sha512 => alg_id::ECDSA_P384,
            S::EcdsaP521Sha256 | S::EcdsaP521Sha384 | S::EcdsaP521Sha512 => alg_id::ECDSA_P521,
            S::Ed25519 => alg_id::ED25519,
            _ => alg_id::RSA_ENCRYPTION,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(self.0.algorithm_identifier_content())
    }
}

fn verify_ed25519(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(public_key.try_into().ok()?).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    ed25519_dalek::Verifier::verify(&key, message, &signature).ok()
}

fn verify_prehash(
    scheme: SignatureScheme,
    public_key: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> Option<()> {
    use ecdsa::signature::hazmat::PrehashVerifier;
    match scheme {
        S::EcdsaP256Sha256 | S::EcdsaP256Sha384 | S::EcdsaP256Sha512 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point(public_key)?).ok()?;
            let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
            key.verify_prehash(digest, &signature).ok()
        }
        S::EcdsaP384Sha256 | S::EcdsaP384Sha384 | S::EcdsaP384Sha512 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point(public_key)?).ok()?;
            let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
            key.verify_prehash(digest, &signature).ok()
        }
        S::EcdsaP521Sha256 | S::EcdsaP521Sha384 | S::EcdsaP521Sha512 => {
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point(public_key)?).ok()?;
            let signature = p521::ecdsa::Signature::from_der(signature).ok()?;
            // The crate wants half of the field's octets at least, which SHA-256 has not; leading
            // zeros leave the number that is signed as it is (SEC 1 §4.1.4 step 3).
            let mut number = [0; 64];
            number.get_mut(64_usize.checked_sub(digest.len())?..)?.copy_from_slice(digest);
            key.verify_prehash(&number, &signature).ok()
        }
        S::Ed25519 => None,
        S::RsaPkcs1Sha256 | S::RsaPkcs1Sha384 | S::RsaPkcs1Sha512 => {
            rsa::verify(public_key, scheme.hash_algorithm()?, Padding::Pkcs1, digest, signature)
        }
        S::RsaPssSha256 | S::RsaPssSha384 | S::RsaPssSha512 => {
            rsa::verify(public_key, scheme.hash_algorithm()?, Padding::Pss, digest, signature)
        }
    }
}

/// RFC 5480 §2.2: compressed (02, 03) or uncompressed (04), as aws-lc-rs takes them; SEC 1's compact form is
/// not used. Keys that come from outside are uncompressed (`encoding`).
fn point(public_key: &[u8]) -> Option<&[u8]> {
    matches!(public_key.first(), Some(2..=4)).then_some(public_key)
}
