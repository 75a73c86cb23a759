//! The key file: PEM around encrypted PKCS#8 (RFC 5958), PBES2 with scrypt and AES-256-CBC.
//!
//! It reads what `openssl pkcs8 -topk8` writes (scrypt or PBKDF2) and writes what `openssl pkey`
//! reads. It does not know what kind of key is inside.

use std::path::Path;

use countersign_core::pem::blocks;
use pkcs8::{
    EncryptedPrivateKeyInfoRef,
    der::{Encode, asn1::OctetStringRef},
    pkcs5::{
        EncryptionScheme,
        pbes2::{self, Kdf, ScryptParams},
    },
};
use zeroize::Zeroizing;

use super::{KeyError, Passphrase, random};
use crate::{
    files::{self, FileMode},
    pem, secret_file,
};

const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
const UNENCRYPTED_LABEL: &str = "PRIVATE KEY";

/// scrypt's N, r and p: 16 MiB, twice over. OpenSSL 3.0 refuses to spend more than 32 MiB, which
/// N = 2^15 with r = 8 exceeds by a few kilobytes; p = 2 makes up for the halved N in time.
const SCRYPT_N: u64 = 1 << 14;
const SCRYPT_R: u16 = 8;
const SCRYPT_P: u16 = 2;

/// Memory that a key file may make us spend: 128·N·r octets. Stops a file that names N = 2^40.
const MAXIMUM_SCRYPT_MEMORY_OCTETS: u64 = 256 << 20;
/// Time that a key file may make us spend: N·r·p, about ten seconds.
const MAXIMUM_SCRYPT_WORK: u64 = 1 << 25;
/// The same for PBKDF2; OWASP asks for 600,000.
const MAXIMUM_PBKDF2_ITERATIONS: u32 = 10_000_000;

/// What to do with a key file that is not encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnencryptedKeys {
    /// Refuse it.
    #[default]
    Refuse,
    /// Take it: whoever reads the disk or a backup of it has the key.
    DangerouslyAllow,
}

/// Reads a key file; gives unencrypted PKCS#8.
pub(super) fn open(
    path: &Path,
    passphrase: Option<&Passphrase>,
    unencrypted: UnencryptedKeys,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let content = secret_file::read(path)?;
    let malformed = |detail: String| KeyError::Malformed { path: path.to_owned(), detail };
    let (label, der) = only_key(&content).map_err(malformed)?;
    match (label, unencrypted, passphrase) {
        (ENCRYPTED_LABEL, _, Some(passphrase)) => decrypt(path, &der, passphrase),
        (ENCRYPTED_LABEL, _, None) => Err(KeyError::PassphraseNeeded { path: path.to_owned() }),
        (UNENCRYPTED_LABEL, UnencryptedKeys::DangerouslyAllow, _) => Ok(der),
        (UNENCRYPTED_LABEL | "EC PRIVATE KEY" | "RSA PRIVATE KEY", _, _) => {
            Err(KeyError::Unencrypted { path: path.to_owned() })
        }
        (label, _, _) => Err(malformed(format!("it is a {label}"))),
    }
}

/// The one private key of a PEM text, with its label. What openssl writes beside keys,
/// certificates and parameters, is left to others.
fn only_key(content: &[u8]) -> Result<(&str, Zeroizing<Vec<u8>>), String> {
    let mut found = None;
    for block in blocks(content) {
        let number = block.number;
        if block.label.ends_with("PRIVATE KEY") {
            if found.is_some() {
                return Err(format!("block {number}: it is a second private key"));
            }
            let der = block.decode().map_err(|fault| fault.to_string())?;
            found = Some((block.label, Zeroizing::new(der)));
        } else if !matches!(block.label, "CERTIFICATE" | "PUBLIC KEY" | "EC PARAMETERS") {
            return Err(format!("block {number}: it is a {}", block.label));
        }
    }
    found.ok_or_else(|| "it holds no line -----BEGIN ENCRYPTED PRIVATE KEY-----".to_owned())
}

fn decrypt(
    path: &Path,
    der: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unsupported =
        |detail: String| KeyError::UnsupportedEncryption { path: path.to_owned(), detail };
    let info = EncryptedPrivateKeyInfoRef::try_from(der)
        .map_err(|error| unsupported(error.to_string()))?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(unsupported("PBES1".to_owned()));
    };
    if !is_affordable(&parameters.kdf) {
        return Err(KeyError::AbsurdCost { path: path.to_owned() });
    }
    match info.decrypt(passphrase.octets()) {
        Ok(document) => Ok(Zeroizing::new(document.as_bytes().to_vec())),
        Err(_) => Err(KeyError::WrongPassphrase { path: path.to_owned() }),
    }
}

fn is_affordable(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Scrypt(parameters) => {
            let block = parameters.cost_parameter.saturating_mul(u64::from(parameters.block_size));
            block.saturating_mul(128) <= MAXIMUM_SCRYPT_MEMORY_OCTETS
                && block.saturating_mul(u64::from(parameters.parallelization))
                    <= MAXIMUM_SCRYPT_WORK
                && parameters.cost_parameter.is_power_of_two()
        }
        Kdf::Pbkdf2(parameters) => parameters.iteration_count <= MAXIMUM_PBKDF2_ITERATIONS,
        _ => false,
    }
}

/// Writes PKCS#8 to a new encrypted key file.
pub(super) fn save_new(path: &Path, pkcs8: &[u8], passphrase: &Passphrase) -> Result<(), KeyError> {
    let parameters = scrypt_with_aes_256_cbc()?;
    let encrypted =
        parameters.encrypt(passphrase.octets(), pkcs8).map_err(|_| KeyError::Encrypt)?;
    let encrypted_data = OctetStringRef::new(&encrypted).map_err(|_| KeyError::Encrypt)?;
    let info = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: EncryptionScheme::from(parameters),
        encrypted_data,
    };
    let der = info.to_der().map_err(|_| KeyError::Encrypt)?;
    files::write_new(path, pem::encode(ENCRYPTED_LABEL, &der).as_bytes(), FileMode::Private)?;
    Ok(())
}

fn scrypt_with_aes_256_cbc() -> Result<pbes2::Parameters, KeyError> {
    let salt: [u8; 16] = random().map_err(KeyError::Random)?;
    let kdf = ScryptParams {
        salt: salt.as_slice().try_into().map_err(|_| KeyError::Encrypt)?,
        cost_parameter: SCRYPT_N,
        block_size: SCRYPT_R,
        parallelization: SCRYPT_P,
        key_length: None,
    };
    Ok(pbes2::Parameters {
        kdf: Kdf::Scrypt(kdf),
        encryption: pbes2::EncryptionScheme::Aes256Cbc { iv: random().map_err(KeyError::Random)? },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_absurd_costs_before_paying_them() {
        let Kdf::Scrypt(ours) = scrypt_with_aes_256_cbc().expect("parameters").kdf else {
            panic!("scrypt")
        };
        assert!(is_affordable(&Kdf::Scrypt(ours)));
        for (cost_parameter, block_size, parallelization) in
            [(1 << 40, 8, 1), (1 << 14, 8, u16::MAX), (1 << 20, u16::MAX, 1), (u64::MAX, 1, 1)]
        {
            let absurd = ScryptParams { cost_parameter, block_size, parallelization, ..ours };
            assert!(!is_affordable(&Kdf::Scrypt(absurd)), "{absurd:?}");
        }
    }
}
