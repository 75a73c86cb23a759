//! RSA signatures, verified only (RFC 8017 §8.1.2, §8.2.2): everything here is public, so nothing
//! runs in constant time.
//!
//! The crate `rsa` would bring keys, decryption, and multiplication and division of large integers
//! in constant time along: a tenth of the WebAssembly module, for the one power of a public number
//! that verification needs.

mod modulus;

use alloc::{boxed::Box, vec, vec::Vec};

use self::modulus::Modulus;
use super::RustCrypto;
use crate::{
    asn1::Cursor,
    crypto::CryptoProvider,
    digest::{Digest, HashAlgorithm},
};

/// Bits of a modulus, as aws-lc-rs takes them, so that both fillers refuse the same.
const MODULUS_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;
/// Bits of the largest public exponent that aws-lc takes.
const EXPONENT_BITS: u32 = 33;

/// How a digest becomes the number that is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Padding {
    /// EMSA-PKCS1-v1_5 (§9.2).
    Pkcs1,
    /// EMSA-PSS with MGF1 by the same hash and a salt as long as the digest (§9.1).
    Pss,
}

/// Whether the holder of `public_key`, a DER `RSAPublicKey` (§A.1.1), signed `digest`.
pub(super) fn verify(
    public_key: &[u8],
    hash: HashAlgorithm,
    padding: Padding,
    digest: &[u8],
    signature: &[u8],
) -> Option<()> {
    let key = PublicKey::decode(public_key)?;
    let encoded = key.recover(signature)?;
    let is_right = match padding {
        Padding::Pkcs1 => *encoded == *pkcs1_encoding(hash, digest, encoded.len())?,
        Padding::Pss => is_pss_encoding(hash, digest, &encoded, key.bits()?)?,
    };
    is_right.then_some(())
}

struct PublicKey<'a> {
    /// Without leading zeros.
    modulus: &'a [u8],
    exponent: u64,
}

impl<'a> PublicKey<'a> {
    fn decode(der: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::over_sequence(der, "RSAPublicKey").ok()?;
        let modulus = cursor.integer("modulus").ok()?;
        let exponent = cursor.unsigned("publicExponent").ok()?;
        cursor.finish("RSAPublicKey").ok()?;
        // Two's complement: a leading zero says that what follows is not negative.
        let modulus = match modulus {
            [0, rest @ ..] => rest,
            [first, ..] if *first < 0x80 => modulus,
            _ => return None,
        };
        let key = Self { modulus, exponent };
        let is_odd = modulus.last()? & 1 == 1 && exponent & 1 == 1;
        let is_exponent = exponent >= 3 && exponent >> EXPONENT_BITS == 0;
        (is_odd && is_exponent && MODULUS_BITS.contains(&key.bits()?)).then_some(key)
    }

    fn bits(&self) -> Option<usize> {
        let unused = usize::try_from(self.modulus.first()?.leading_zeros()).ok()?;
        self.modulus.len().checked_mul(8)?.checked_sub(unused)
    }

    /// RSAVP1 (§5.2.2): what was signed, as long as the modulus.
    fn recover(&self, signature: &[u8]) -> Option<Box<[u8]>> {
        // Of the same length, so that the order of the octets is that of the numbers.
        if signature.len() != self.modulus.len() || signature >= self.modulus {
            return None;
        }
        let octets = Modulus::new(self.modulus)?.power(signature, self.exponent);
        let start = octets.len().checked_sub(self.modulus.len())?;
        octets.get(start..).map(Box::from)
    }
}

/// EM of `length` octets (§9.2). It is compared as a whole, so that no parser of it can be misled.
fn pkcs1_encoding(hash: HashAlgorithm, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    // The last arc of 2.16.840.1.101.3.4.2.
    let arc = match hash {
        HashAlgorithm::Sha256 => 1,
        HashAlgorithm::Sha384 => 2,
        HashAlgorithm::Sha512 => 3,
        HashAlgorithm::Sha1 => return None,
    };
    let size = u8::try_from(digest.len()).ok()?;
    let prefix = [
        [0x30, size.checked_add(17)?, 0x30, 13],
        [6, 9, 0x60, 0x86],
        [0x48, 1, 0x65, 3],
        [4, 2, arc, 5],
    ];
    let tail = [prefix.as_flattened(), &[0, 4, size], digest].concat();
    let filling = length.checked_sub(tail.len())?.checked_sub(3)?;
    // §9.2 step 4: at least eight octets of it.
    (filling >= 8).then(|| [&[0, 1], &*vec![0xFF; filling], &[0], &tail].concat())
}

/// EMSA-PSS-VERIFY (§9.1.2) of the last octets of `encoded`, with its steps' numbers.
fn is_pss_encoding(
    hash: HashAlgorithm,
    digest: &[u8],
    encoded: &[u8],
    modulus_bits: usize,
) -> Option<bool> {
    let encoded_bits = modulus_bits.checked_sub(1)?;
    let length = encoded_bits.div_ceil(8);
    // One octet shorter than the modulus where that is one bit longer than whole octets (§8.1.2).
    let (above, encoded) = encoded.split_at_checked(encoded.len().checked_sub(length)?)?;
    // 3, 5: the digest's length is the salt's too.
    let size = hash.output_length();
    let masked_length = length.checked_sub(size)?.checked_sub(1)?;
    let filling = masked_length.checked_sub(size)?.checked_sub(1)?;
    let (masked, rest) = encoded.split_at_checked(masked_length)?;
    let (seed, last) = rest.split_at_checked(size)?;
    // 4, 6
    let unused_bits = u32::try_from(length.checked_mul(8)?.checked_sub(encoded_bits)?).ok()?;
    let used = 0xFF_u8.checked_shr(unused_bits)?;
    let is_formed = above.iter().all(|octet| *octet == 0)
        && last == [0xBC]
        && masked.first().is_some_and(|octet| octet & !used == 0);
    // 7, 8, 9
    let mask = (0_u32..)
        .flat_map(|counter| hashed(hash, &[seed, &counter.to_be_bytes()]).octets().to_vec());
    let mut block: Vec<u8> = masked.iter().zip(mask).map(|(octet, mask)| octet ^ mask).collect();
    *block.first_mut()? &= used;
    // 10, 11
    let (zeros, rest) = block.split_at_checked(filling)?;
    let (separator, salt) = rest.split_first()?;
    let is_filled = zeros.iter().all(|octet| *octet == 0) && *separator == 1;
    // 12, 13, 14
    let again = hashed(hash, &[&[0; 8], digest, salt]);
    Some(is_formed && is_filled && again.octets() == seed)
}

fn hashed(hash: HashAlgorithm, parts: &[&[u8]]) -> Digest {
    let mut hasher = RustCrypto.hasher(hash);
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}
