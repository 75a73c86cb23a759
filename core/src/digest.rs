//! Digests: which algorithms there are, a digest as a value, and hashing of a stream.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use const_oid::ObjectIdentifier;

use crate::{asn1::AlgorithmIdentifier, crypto::CryptoProvider, oid};

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-1. Broken for collisions: identifies certificates in OCSP's `CertID` and nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// Those that may prove something.
    pub const STRONG: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The length of a digest in octets.
    pub const fn output_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The name that in-toto's `DigestSet`, `sha384sum` and our command line use: `sha384`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The name that Sigstore's protobuf JSON uses: `SHA2_384`.
    pub const fn sigstore_name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA2_256",
            Self::Sha384 => "SHA2_384",
            Self::Sha512 => "SHA2_512",
        }
    }

    /// The strong algorithm with that [`name`](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        Self::STRONG.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The strong algorithm with that [`sigstore_name`](Self::sigstore_name).
    pub fn parse_sigstore(name: &str) -> Option<Self> {
        Self::STRONG.into_iter().find(|algorithm| algorithm.sigstore_name() == name)
    }

    /// Its object identifier.
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    /// The algorithm that an `AlgorithmIdentifier` names, parameters absent or NULL.
    pub fn of(identifier: &AlgorithmIdentifier<'_>) -> Option<Self> {
        let known = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];
        known
            .into_iter()
            .find(|algorithm| algorithm.oid() == identifier.oid && identifier.has_no_parameters())
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// A digest; always as long as its algorithm says.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    algorithm: HashAlgorithm,
    octets: [u8; 64],
}

impl Digest {
    /// The digest `octets` made with `algorithm`, or `None` if the length is not its.
    pub fn new(algorithm: HashAlgorithm, octets: &[u8]) -> Option<Self> {
        (octets.len() == algorithm.output_length()).then(|| Self::of_output(algorithm, octets))
    }

    /// The digest `octets` made with SHA-256.
    pub fn of_sha256(octets: [u8; 32]) -> Self {
        Self::of_output(HashAlgorithm::Sha256, &octets)
    }

    /// The octets of a digest made with SHA-256; `None` if it was made with another algorithm.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.octets().try_into().ok()
    }

    /// What a [`Hasher`] put out: exactly as many octets as `algorithm` makes.
    pub(crate) fn of_output(algorithm: HashAlgorithm, output: &[u8]) -> Self {
        debug_assert_eq!(output.len(), algorithm.output_length());
        let mut octets = [0; 64];
        for (held, made) in octets.iter_mut().zip(output) {
            *held = *made;
        }
        Self { algorithm, octets }
    }

    /// Reads `sha384:HEX`, as the command line takes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, hex) = text.split_once(':')?;
        Self::new(HashAlgorithm::parse(name)?, &decode_hex(hex)?)
    }

    /// The algorithm that made it.
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.algorithm.output_length()).unwrap_or(&self.octets)
    }

    /// Its octets in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        encode_hex(self.octets())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// For tests that need no digest in particular.
#[cfg(test)]
pub(crate) static OF_NOTHING: Digest = Digest { algorithm: HashAlgorithm::Sha256, octets: [0; 64] };

/// Lower-case hexadecimal.
pub fn encode_hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'?'));
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// Octets from hexadecimal of either case; `None` if it is not hexadecimal.
pub fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}

/// One algorithm at work on a stream; made by a [`CryptoProvider`].
pub trait Hasher: Send {
    /// Takes the next octets.
    fn update(&mut self, octets: &[u8]);
    /// Ends, and gives the digest.
    fn finish(self: Box<Self>) -> Digest;
}

/// Several digests of one stream, and its length.
pub struct StreamingDigest {
    hashers: Vec<Box<dyn Hasher>>,
    length: u64,
}

impl StreamingDigest {
    /// Starts digests of each of `algorithms`.
    pub fn new(crypto: &dyn CryptoProvider, algorithms: &[HashAlgorithm]) -> Self {
        let hashers = algorithms.iter().map(|algorithm| crypto.hasher(*algorithm)).collect();
        Self { hashers, length: 0 }
    }

    /// Takes the next octets.
    pub fn update(&mut self, octets: &[u8]) {
        for hasher in &mut self.hashers {
            hasher.update(octets);
        }
        self.length = self.length.saturating_add(octets.len() as u64);
    }

    /// Ends: the digests, in the order asked for, and the number of octets taken.
    pub fn finish(self) -> (Vec<Digest>, u64) {
        (self.hashers.into_iter().map(Hasher::finish).collect(), self.length)
    }
}

impl fmt::Debug for StreamingDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingDigest").field("length", &self.length).finish_non_exhaustive()
    }
}

/// The digest of octets that are all there.
pub fn digest(crypto: &dyn CryptoProvider, algorithm: HashAlgorithm, octets: &[u8]) -> Digest {
    let mut hasher = crypto.hasher(algorithm);
    hasher.update(octets);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn reads_a_digest_with_its_algorithm() {
        let text = "sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest = Digest::parse(text).unwrap();
        assert_eq!(digest.octets().len(), 32);
        assert_eq!(alloc::format!("{digest}"), text.to_lowercase());
        for text in [
            "sha256:00",
            "md5:00",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "sha256",
            "sha256:é",
        ] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
