//! The native filler: aws-lc-rs.

use alloc::boxed::Box;

use aws_lc_rs::{digest as aws_digest, signature as aws};
use pki_types::SignatureVerificationAlgorithm;

use super::{CryptoProvider, SignatureFault, SignatureScheme};
use crate::digest::{Digest, HashAlgorithm, Hasher};

/// Cryptography by aws-lc-rs.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

struct AwsHasher {
    algorithm: HashAlgorithm,
    context: aws_digest::Context,
}

impl Hasher for AwsHasher {
    fn update(&mut self, octets: &[u8]) {
        self.context.update(octets);
    }

    fn finish(self: Box<Self>) -> Digest {
        Digest::of_output(self.algorithm, self.context.finish().as_ref())
    }
}

fn digest_algorithm(algorithm: HashAlgorithm) -> &'static aws_digest::Algorithm {
    match algorithm {
        HashAlgorithm::Sha1 => &aws_digest::SHA1_FOR_LEGACY_USE_ONLY,
        HashAlgorithm::Sha256 => &aws_digest::SHA256,
        HashAlgorithm::Sha384 => &aws_digest::SHA384,
        HashAlgorithm::Sha512 => &aws_digest::SHA512,
    }
}

fn signature_algorithm(scheme: SignatureScheme) -> &'static dyn aws::VerificationAlgorithm {
    use SignatureScheme as S;
    match scheme {
        S::EcdsaP256Sha256 => &aws::ECDSA_P256_SHA256_ASN1,
        S::EcdsaP256Sha384 => &aws::ECDSA_P256_SHA384_ASN1,
        S::EcdsaP256Sha512 => &aws::ECDSA_P256_SHA512_ASN1,
        S::EcdsaP384Sha256 => &aws::ECDSA_P384_SHA256_ASN1,
        S::EcdsaP384Sha384 => &aws::ECDSA_P384_SHA384_ASN1,
        S::EcdsaP384Sha512 => &aws::ECDSA_P384_SHA512_ASN1,
        S::EcdsaP521Sha256 => &aws::ECDSA_P521_SHA256_ASN1,
        S::EcdsaP521Sha384 => &aws::ECDSA_P521_SHA384_ASN1,
        S::EcdsaP521Sha512 => &aws::ECDSA_P521_SHA512_ASN1,
        S::Ed25519 => &aws::ED25519,
        S::RsaPkcs1Sha256 => &aws::RSA_PKCS1_2048_8192_SHA256,
        S::RsaPkcs1Sha384 => &aws::RSA_PKCS1_2048_8192_SHA384,
        S::RsaPkcs1Sha512 => &aws::RSA_PKCS1_2048_8192_SHA512,
        S::RsaPssSha256 => &aws::RSA_PSS_2048_8192_SHA256,
        S::RsaPssSha384 => &aws::RSA_PSS_2048_8192_SHA384,
        S::RsaPssSha512 => &aws::RSA_PSS_2048_8192_SHA512,
    }
}

impl CryptoProvider for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc-rs"
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        let context = aws_digest::Context::new(digest_algorithm(algorithm));
        Box::new(AwsHasher { algorithm, context })
    }

    fn verification_algorithm(
        &self,
        scheme: SignatureScheme,
    ) -> &'static dyn SignatureVerificationAlgorithm {
        use SignatureScheme as S;
        use webpki::aws_lc_rs as filler;
        match scheme {
            S::EcdsaP256Sha256 => filler::ECDSA_P256_SHA256,
            S::EcdsaP256Sha384 => filler::ECDSA_P256_SHA384,
            S::EcdsaP256Sha512 => filler::ECDSA_P256_SHA512,
            S::EcdsaP384Sha256 => filler::ECDSA_P384_SHA256,
            S::EcdsaP384Sha384 => filler::ECDSA_P384_SHA384,
            S::EcdsaP384Sha512 => filler::ECDSA_P384_SHA512,
            S::EcdsaP521Sha256 => filler::ECDSA_P521_SHA256,
            S::EcdsaP521Sha384 => filler::ECDSA_P521_SHA384,
            S::EcdsaP521Sha512 => filler::ECDSA_P521_SHA512,
            S::Ed25519 => filler::ED25519,
            S::RsaPkcs1Sha256 => filler::RSA_PKCS1_2048_8192_SHA256,
            S::RsaPkcs1Sha384 => filler::RSA_PKCS1_2048_8192_SHA384,
            S::RsaPkcs1Sha512 => filler::RSA_PKCS1_2048_8192_SHA512,
            S::RsaPssSha256 => filler::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            S::RsaPssSha384 => filler::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
            S::RsaPssSha512 => filler::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        }
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
        if scheme.is_ecdsa() && !matches!(public_key.first(), Some(2..=4)) {
            // aws-lc-rs reads more forms of a key than RFC 5480 §2.2 has.
            return Err(SignatureFault::Invalid);
        }
        let algorithm = digest_algorithm(digest.algorithm());
        let digest = aws_digest::Digest::import_less_safe(digest.octets(), algorithm)
            .map_err(|_| SignatureFault::Invalid)?;
        aws::UnparsedPublicKey::new(signature_algorithm(scheme), public_key)
            .verify_digest(&digest, signature)
            .map_err(|_| SignatureFault::Invalid)
    }
}
