//! Fixed keys of every kind that verifiers meet, strong ones and weak ones.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PSS_SHA256, RsaKeyPair},
};
use countersign_core::{
    crypto::{SignatureScheme, rustcrypto::RustCrypto},
    digest::{Digest, HashAlgorithm, digest},
    oid,
};
use countersign_signing::{
    der,
    key::{SignError, Signer},
};
use rsa::{Pkcs1v15Sign, PrivateKey, pkcs1::DecodeRsaPrivateKey};
use sha2::Sha256;

/// PKCS#1 private keys made once for these tests; they protect nothing.
const RSA_1024: &[u8] = include_bytes!("../../data/forge/rsa-1024.pkcs1.der");
const RSA_2048: &[u8] = include_bytes!("../../data/forge/rsa-2048.pkcs1.der");
const RSA_4096: &[u8] = include_bytes!("../../data/forge/rsa-4096.pkcs1.der");

/// A key made from its name: the same in every run.
pub struct ForgeKey {
    pair: Pair,
    scheme: SignatureScheme,
    spki: Vec<u8>,
    public_key: Vec<u8>,
}

enum Pair {
    P384(p384::ecdsa::SigningKey),
    P256(p256::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    RsaPkcs1(Box<PrivateKey>),
    RsaPss(Box<RsaKeyPair>),
}

impl ForgeKey {
    /// P-384 with SHA-384.
    ///
    /// # Panics
    /// When the name's hash is no scalar, which happens once in 2^190.
    pub fn p384(name: &str) -> Self {
        let scalar = digest(&RustCrypto, HashAlgorithm::Sha384, name.as_bytes());
        let pair = p384::ecdsa::SigningKey::from_slice(scalar.octets()).expect("a scalar");
        let point = pair.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let algorithm =
            der::sequence(&[&der::oid(&oid::EC_PUBLIC_KEY), &der::oid(&oid::SECP384R1)]);
        Self::of(Pair::P384(pair), SignatureScheme::EcdsaP384Sha384, &algorithm, point)
    }

    /// P-256 with SHA-256.
    ///
    /// # Panics
    /// When the name's hash is no scalar, which happens once in 2^32.
    pub fn p256(name: &str) -> Self {
        let scalar = digest(&RustCrypto, HashAlgorithm::Sha256, name.as_bytes());
        let pair = p256::ecdsa::SigningKey::from_slice(scalar.octets()).expect("a scalar");
        let point = pair.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let algorithm =
            der::sequence(&[&der::oid(&oid::EC_PUBLIC_KEY), &der::oid(&oid::SECP256R1)]);
        Self::of(Pair::P256(pair), SignatureScheme::EcdsaP256Sha256, &algorithm, point)
    }

    /// P-521 with SHA-512.
    ///
    /// # Panics
    /// Never: a SHA-512 is below the order of the group, and not zero.
    pub fn p521(name: &str) -> Self {
        let scalar = digest(&RustCrypto, HashAlgorithm::Sha512, name.as_bytes());
        let scalar = [&[0, 0], scalar.octets()].concat();
        let pair = p521::ecdsa::SigningKey::from_slice(&scalar).expect("a scalar");
        let point = pair.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let algorithm =
            der::sequence(&[&der::oid(&oid::EC_PUBLIC_KEY), &der::oid(&oid::SECP521R1)]);
        Self::of(Pair::P521(pair), SignatureScheme::EcdsaP521Sha512, &algorithm, point)
    }

    /// Ed25519.
    ///
    /// # Panics
    /// Never: a SHA-256 has 32 octets.
    pub fn ed25519(name: &str) -> Self {
        let seed = digest(&RustCrypto, HashAlgorithm::Sha256, name.as_bytes());
        let seed: [u8; 32] = seed.octets().try_into().expect("32 octets");
        let pair = ed25519_dalek::SigningKey::from_bytes(&seed);
        let public_key = pair.verifying_key().to_bytes().to_vec();
        let algorithm = der::sequence(&[&der::oid(&oid::ED25519)]);
        Self::of(Pair::Ed25519(pair), SignatureScheme::Ed25519, &algorithm, public_key)
    }

    /// RSA of 1024 bits, PKCS#1 v1.5 with SHA-256: too weak.
    pub fn rsa_1024() -> Self {
        Self::rsa_pkcs1(RSA_1024)
    }

    /// RSA of 2048 bits, PKCS#1 v1.5 with SHA-256.
    pub fn rsa_2048() -> Self {
        Self::rsa_pkcs1(RSA_2048)
    }

    /// RSA of 4096 bits, PKCS#1 v1.5 with SHA-256.
    pub fn rsa_4096() -> Self {
        Self::rsa_pkcs1(RSA_4096)
    }

    /// RSA of 2048 bits, PSS with SHA-256.
    ///
    /// # Panics
    /// When the file in the repository is damaged.
    pub fn rsa_2048_pss() -> Self {
        let pair = RsaKeyPair::from_der(RSA_2048).expect("an RSA key");
        let Self { public_key, spki, .. } = Self::rsa_2048();
        let scheme = SignatureScheme::RsaPssSha256;
        Self { pair: Pair::RsaPss(Box::new(pair)), scheme, spki, public_key }
    }

    fn rsa_pkcs1(pkcs1: &[u8]) -> Self {
        let pair = PrivateKey::from_pkcs1_der(pkcs1).expect("an RSA key");
        let mut cursor = countersign_core::asn1::Cursor::new(pkcs1);
        let mut fields = cursor.sequence("RSAPrivateKey").expect("PKCS#1");
        let mut number = || fields.integer("RSAPrivateKey").expect("PKCS#1").to_vec();
        let (_version, modulus, exponent) = (number(), number(), number());
        let public_key =
            der::sequence(&[&der::integer_verbatim(&modulus), &der::integer_verbatim(&exponent)]);
        let algorithm = der::sequence(&[&der::oid(&oid::RSA_ENCRYPTION), der::NULL]);
        let scheme = SignatureScheme::RsaPkcs1Sha256;
        Self::of(Pair::RsaPkcs1(Box::new(pair)), scheme, &algorithm, public_key)
    }

    fn of(pair: Pair, scheme: SignatureScheme, algorithm: &[u8], public_key: Vec<u8>) -> Self {
        let spki = der::sequence(&[algorithm, &der::bit_string(&public_key)]);
        Self { pair, scheme, spki, public_key }
    }

    /// The content of the `subjectPublicKey` BIT STRING.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// SHA-1 of the public key: OCSP's `KeyHash`, and here the key identifier too.
    pub fn key_hash(&self) -> Vec<u8> {
        digest(&RustCrypto, HashAlgorithm::Sha1, &self.public_key).octets().to_vec()
    }

    /// Signs.
    ///
    /// # Panics
    /// When the library refuses.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        use p384::ecdsa::signature::Signer as _;
        match &self.pair {
            Pair::P384(pair) => {
                let signature: p384::ecdsa::Signature = pair.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Pair::P256(pair) => {
                let signature: p256::ecdsa::Signature = pair.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Pair::P521(pair) => {
                let signature: p521::ecdsa::Signature = pair.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Pair::Ed25519(pair) => ed25519_dalek::Signer::sign(pair, message).to_bytes().to_vec(),
            Pair::RsaPkcs1(pair) => {
                let hash = digest(&RustCrypto, HashAlgorithm::Sha256, message);
                pair.sign(Pkcs1v15Sign::new::<Sha256>(), hash.octets()).expect("a signature")
            }
            Pair::RsaPss(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("a signature");
                signature
            }
        }
    }
}

impl std::fmt::Debug for ForgeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForgeKey").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Signer for ForgeKey {
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    fn spki(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.signature(message))
    }

    fn sign_digest(&self, _digest: &Digest) -> Result<Vec<u8>, SignError> {
        // Everything that is forged is there as a whole.
        Err(SignError::Refused)
    }
}
