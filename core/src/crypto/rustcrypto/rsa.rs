//! RSA signatures, verified only (RFC 8017 §8.1.2, §8.2.2), by the crate `rsa`.
//!
//! What is ours: the key's DER, and which keys are taken.

use rsa::{BoxedUint, PublicKey, pkcs1v15, pss, signature::hazmat::PrehashVerifier as _};
use sha2::{
    Sha256, Sha384, Sha512,
    digest::{Digest, FixedOutputReset, const_oid::AssociatedOid},
};

use crate::{asn1::Cursor, digest::HashAlgorithm};

/// Bits of a modulus, as aws-lc-rs takes them, so that both fillers refuse the same.
const MODULUS_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;
/// The smallest public exponent that aws-lc takes; the largest, of 33 bits, is the crate's too.
const SMALLEST_EXPONENT: u64 = 3;

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
    let key = decode(public_key)?;
    match hash {
        HashAlgorithm::Sha256 => verify_by::<Sha256>(key, padding, digest, signature),
        HashAlgorithm::Sha384 => verify_by::<Sha384>(key, padding, digest, signature),
        HashAlgorithm::Sha512 => verify_by::<Sha512>(key, padding, digest, signature),
        HashAlgorithm::Sha1 => None,
    }
}

fn verify_by<D: Digest + FixedOutputReset + AssociatedOid>(
    key: PublicKey,
    padding: Padding,
    digest: &[u8],
    signature: &[u8],
) -> Option<()> {
    match padding {
        Padding::Pkcs1 => {
            let signature = pkcs1v15::Signature::try_from(signature).ok()?;
            pkcs1v15::VerifyingKey::<D>::new(key).verify_prehash(digest, &signature).ok()
        }
        Padding::Pss => {
            let signature = pss::Signature::try_from(signature).ok()?;
            pss::VerifyingKey::<D>::new(key).verify_prehash(digest, &signature).ok()
        }
    }
}

fn decode(der: &[u8]) -> Option<PublicKey> {
    let mut cursor = Cursor::over_sequence(der, "RSAPublicKey").ok()?;
    let modulus = cursor.integer("modulus").ok()?;
    let exponent = cursor.unsigned("publicExponent").ok()?;
    cursor.finish("RSAPublicKey").ok()?;
    // Two's complement: without a zero before it, a first octet of 0x80 or more is negative.
    if modulus.first()? >= &0x80 || exponent < SMALLEST_EXPONENT {
        return None;
    }
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    PublicKey::new_with_size_limits(modulus, BoxedUint::from(exponent), MODULUS_BITS).ok()
}
