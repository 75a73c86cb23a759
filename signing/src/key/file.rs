//! A key that lives in an encrypted file and signs by aws-lc-rs.

use std::{fmt, path::Path};

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256,
    },
};
use countersign_core::{
    crypto::SignatureScheme,
    digest::{Digest, HashAlgorithm},
};
use zeroize::Zeroizing;

use super::{KeyError, NewKey, Passphrase, SignError, Signer, UnencryptedKeys, pkcs8_file};

/// A private key in memory, from an encrypted file or freshly made.
pub struct FileKey {
    algorithm: NewKey,
    pair: Pair,
    spki: Vec<u8>,
}

enum Pair {
    Ecdsa(Box<EcdsaKeyPair>),
    Rsa(Box<rsa::KeyPair>),
}

const RSA_3072_MODULUS_OCTETS: usize = 384;

impl FileKey {
    /// Makes a key. It exists in memory alone until [`save_new`](Self::save_new).
    ///
    /// # Errors
    /// [`KeyError::Generate`] when the library fails.
    pub fn generate(algorithm: NewKey) -> Result<Self, KeyError> {
        let pair = match algorithm {
            NewKey::P384 => generate_ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING)?,
            NewKey::P256 => generate_ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
            NewKey::Rsa3072 => Pair::Rsa(Box::new(
                rsa::KeyPair::generate(rsa::KeySize::Rsa3072).map_err(|_| KeyError::Generate)?,
            )),
        };
        Self::of(algorithm, pair).ok_or(KeyError::Generate)
    }

    /// Opens an encrypted key file.
    ///
    /// # Errors
    /// [`KeyError`]: among others when its mode lets anyone but the owner in, when it is not
    /// encrypted, and when the passphrase is wrong.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<Self, KeyError> {
        let pkcs8 = pkcs8_file::open(path, Some(passphrase), UnencryptedKeys::Refuse)?;
        Self::from_pkcs8(path, &pkcs8)
    }

    /// Opens a key file that may be unencrypted, if `unencrypted` says so; without a passphrase,
    /// only such a one.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        path: &Path,
        passphrase: Option<&Passphrase>,
        unencrypted: UnencryptedKeys,
    ) -> Result<Self, KeyError> {
        let pkcs8 = pkcs8_file::open(path, passphrase, unencrypted)?;
        Self::from_pkcs8(path, &pkcs8)
    }

    /// Decrypts a key file for a TLS library that takes no handle: unencrypted PKCS#8 as PEM, wiped
    /// when dropped. For keys of TLS clients and servers and for nothing else; what signs artifacts,
    /// certificates or answers stays behind [`Signer`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for_tls(
        path: &Path,
        passphrase: &Passphrase,
    ) -> Result<Zeroizing<String>, KeyError> {
        let pkcs8 = pkcs8_file::open(path, Some(passphrase), UnencryptedKeys::Refuse)?;
        Ok(Zeroizing::new(crate::pem::encode("PRIVATE KEY", &pkcs8)))
    }

    /// Writes the key to a new file of mode 0600: PEM `ENCRYPTED PRIVATE KEY`, PBES2 with scrypt
    /// and AES-256-CBC.
    ///
    /// # Errors
    /// When a file of that name exists, or the file cannot be written; then there is none.
    pub fn save_new(&self, path: &Path, passphrase: &Passphrase) -> Result<(), KeyError> {
        pkcs8_file::save_new(path, &self.to_pkcs8().ok_or(KeyError::Encrypt)?, passphrase)
    }

    /// The kind of key.
    pub fn algorithm(&self) -> NewKey {
        self.algorithm
    }

    fn from_pkcs8(path: &Path, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let ecdsa = |algorithm, signing| {
            let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8).ok()?;
            Some((algorithm, Pair::Ecdsa(Box::new(pair))))
        };
        let rsa = || {
            let pair = rsa::KeyPair::from_pkcs8(pkcs8).ok()?;
            let fits = pair.public_modulus_len() == RSA_3072_MODULUS_OCTETS;
            fits.then(|| (NewKey::Rsa3072, Pair::Rsa(Box::new(pair))))
        };
        ecdsa(NewKey::P384, &ECDSA_P384_SHA384_ASN1_SIGNING)
            .or_else(|| ecdsa(NewKey::P256, &ECDSA_P256_SHA256_ASN1_SIGNING))
            .or_else(rsa)
            .and_then(|(algorithm, pair)| Self::of(algorithm, pair))
            .ok_or_else(|| KeyError::UnsupportedKey { path: path.to_owned() })
    }

    fn of(algorithm: NewKey, pair: Pair) -> Option<Self> {
        let spki = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der().ok()?.as_ref().to_vec(),
            Pair::Rsa(pair) => pair.public_key().as_der().ok()?.as_ref().to_vec(),
        };
        Some(Self { algorithm, pair, spki })
    }

    fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        match &self.pair {
            Pair::Ecdsa(pair) => Some(Zeroizing::new(pair.to_pkcs8v1().ok()?.as_ref().to_vec())),
            Pair::Rsa(pair) => {
                let document: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().ok()?;
                Some(Zeroizing::new(document.as_ref().to_vec()))
            }
        }
    }

    fn sign_rsa(
        pair: &rsa::KeyPair,
        sign: impl FnOnce(&mut [u8]) -> Result<(), aws_lc_rs::error::Unspecified>,
    ) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; pair.public_modulus_len()];
        sign(&mut signature).map_err(|_| SignError::Refused)?;
        Ok(signature)
    }
}

fn generate_ecdsa(signing: &'static EcdsaSigningAlgorithm) -> Result<Pair, KeyError> {
    let pair = EcdsaKeyPair::generate(signing).map_err(|_| KeyError::Generate)?;
    Ok(Pair::Ecdsa(Box::new(pair)))
}

impl Signer for FileKey {
    fn scheme(&self) -> SignatureScheme {
        self.algorithm.scheme()
    }

    fn spki(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| SignError::Refused)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => Self::sign_rsa(pair, |signature| {
                pair.sign(&RSA_PKCS1_SHA256, &random, message, signature)
            }),
        }
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SignError> {
        let expected = match self.algorithm {
            NewKey::P384 => HashAlgorithm::Sha384,
            NewKey::P256 | NewKey::Rsa3072 => HashAlgorithm::Sha256,
        };
        let found = digest.algorithm();
        if found != expected {
            let (expected, found) = (expected.name(), found.name());
            return Err(SignError::DigestMismatch { expected, found });
        }
        let algorithm = match expected {
            HashAlgorithm::Sha384 => &digest::SHA384,
            _ => &digest::SHA256,
        };
        let digest = digest::Digest::import_less_safe(digest.octets(), algorithm)
            .map_err(|_| SignError::Refused)?;
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign_digest(&digest).map_err(|_| SignError::Refused)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => Self::sign_rsa(pair, |signature| {
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest, signature)
            }),
        }
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::{
        crypto::{CryptoProvider, aws_lc::AwsLc},
        x509::PublicKey,
    };

    use super::*;

    #[test]
    fn signs_messages_and_digests_alike() {
        for algorithm in NewKey::ALL {
            let key = FileKey::generate(algorithm).expect("a key");
            let scheme = key.scheme();
            let hash = scheme.hash_algorithm().expect("no Ed25519 among them");
            let digest = countersign_core::digest::digest(&AwsLc, hash, b"message");
            let public_key = PublicKey::decode(key.spki()).expect("an SPKI");
            assert_eq!(public_key.algorithm, algorithm.algorithm());
            for signature in [key.sign(b"message"), key.sign_digest(&digest)] {
                let signature = signature.expect("a signature");
                let holds = AwsLc.verify_digest(scheme, public_key.bits, &digest, &signature);
                holds.expect("it verifies");
            }
        }
    }

    #[test]
    fn rejects_a_digest_of_another_algorithm() {
        let key = FileKey::generate(NewKey::P384).expect("a key");
        let digest = countersign_core::digest::digest(&AwsLc, HashAlgorithm::Sha256, b"message");
        assert!(matches!(
            key.sign_digest(&digest),
            Err(SignError::DigestMismatch { expected: "sha384", found: "sha256" })
        ));
    }

    #[test]
    fn shows_nothing_of_the_key() {
        let key = FileKey::generate(NewKey::P256).expect("a key");
        assert_eq!(format!("{key:?}"), "FileKey { algorithm: P256, .. }");
    }
}
