//! Signatures that were checked, so that none is checked twice.
//!
//! Whether a key made a signature over some octets never changes, whoever asks and whatever for. So the answer is
//! kept under a digest of the question. What the signature means is not kept, and is decided anew each time.

use alloc::{boxed::Box, collections::BTreeMap, rc::Rc};
use core::{cell::RefCell, fmt};

use pki_types::SignatureVerificationAlgorithm;

use super::{CryptoProvider, SignatureFault, SignatureScheme};
use crate::{
    digest::{Digest, HashAlgorithm, Hasher},
    limits,
};

/// One question: whether that key made that signature over that message by that scheme.
///
/// It is a SHA-256 digest over all four, each with its length, so no two questions are the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignatureCheck([u8; 32]);

impl SignatureCheck {
    /// `message` is a digest of the message; the scheme says by which algorithm.
    fn new<P: CryptoProvider + ?Sized>(
        crypto: &P,
        scheme: SignatureScheme,
        public_key: &[u8],
        message: &Digest,
        signature: &[u8],
    ) -> Option<Self> {
        let mut hasher = crypto.hasher(HashAlgorithm::Sha256);
        for part in [scheme.name().as_bytes(), public_key, message.octets(), signature] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finish().sha256().map(Self)
    }
}

/// Where the answers are kept.
pub trait SignatureMemory {
    /// The answer to `check`: the one that is known, else the one that `verify` finds out.
    fn holds(&self, check: SignatureCheck, verify: &mut dyn FnMut() -> bool) -> bool;
}

/// Answers. There are at most [`limits::REMEMBERED_SIGNATURES`]; when it is full, it begins anew.
#[derive(Clone, Debug, Default)]
pub struct CheckedSignatures {
    known: BTreeMap<SignatureCheck, bool>,
}

impl CheckedSignatures {
    /// The answer to `check`: the one that is known, else the one that `verify` finds out.
    pub fn holds(&mut self, check: SignatureCheck, verify: &mut dyn FnMut() -> bool) -> bool {
        if let Some(holds) = self.known.get(&check) {
            return *holds;
        }
        let holds = verify();
        if self.known.len() >= limits::REMEMBERED_SIGNATURES {
            self.known.clear();
        }
        self.known.insert(check, holds);
        holds
    }
}

impl SignatureMemory for RefCell<CheckedSignatures> {
    fn holds(&self, check: SignatureCheck, verify: &mut dyn FnMut() -> bool) -> bool {
        match self.try_borrow_mut() {
            Ok(mut checked) => checked.holds(check, verify),
            // Nothing asks a question while it answers one. If anything did, it would not be remembered.
            Err(_) => verify(),
        }
    }
}

impl<M: SignatureMemory> SignatureMemory for Rc<M> {
    fn holds(&self, check: SignatureCheck, verify: &mut dyn FnMut() -> bool) -> bool {
        M::holds(self, check, verify)
    }
}

/// Another provider, which is asked only what `M` does not know.
///
/// What it gives out as [`verification_algorithm`](CryptoProvider::verification_algorithm) remembers nothing.
pub struct Remembering<'c, M, P: ?Sized = dyn CryptoProvider + 'c> {
    crypto: &'c P,
    memory: M,
}

impl<M, P: CryptoProvider + ?Sized> fmt::Debug for Remembering<'_, M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembering").field("crypto", &self.crypto.name()).finish_non_exhaustive()
    }
}

impl<'c, M: SignatureMemory, P: CryptoProvider + ?Sized> Remembering<'c, M, P> {
    /// Has `crypto` asked, and the answers kept in `memory`.
    pub fn new(crypto: &'c P, memory: M) -> Self {
        Self { crypto, memory }
    }

    /// Where the answers are kept.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    fn ask(
        &self,
        (scheme, public_key, message, signature): (SignatureScheme, &[u8], &Digest, &[u8]),
        verify: &mut dyn FnMut() -> bool,
    ) -> Result<(), SignatureFault> {
        let check = SignatureCheck::new(self.crypto, scheme, public_key, message, signature);
        let holds = check.is_some_and(|check| self.memory.holds(check, verify));
        if holds { Ok(()) } else { Err(SignatureFault::Invalid) }
    }
}

impl<M: SignatureMemory, P: CryptoProvider + ?Sized> CryptoProvider for Remembering<'_, M, P> {
    fn name(&self) -> &'static str {
        self.crypto.name()
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        self.crypto.hasher(algorithm)
    }

    fn verification_algorithm(
        &self,
        scheme: SignatureScheme,
    ) -> &'static dyn SignatureVerificationAlgorithm {
        self.crypto.verification_algorithm(scheme)
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
        self.ask((scheme, public_key, digest, signature), &mut || {
            self.crypto.verify_digest(scheme, public_key, digest, signature).is_ok()
        })
    }

    fn verify(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        // A message is hashed once, for the question and for the signature: a CRL may have 32 MiB.
        if let Some(algorithm) = scheme.hash_algorithm() {
            let digest = hashed(self.crypto, algorithm, message);
            return self.verify_digest(scheme, public_key, &digest, signature);
        }
        // Ed25519 signs messages and not digests; its own hash stands for the message in the question.
        let digest = hashed(self.crypto, HashAlgorithm::Sha512, message);
        self.ask((scheme, public_key, &digest, signature), &mut || {
            self.crypto.verify(scheme, public_key, message, signature).is_ok()
        })
    }
}

fn hashed<P: CryptoProvider + ?Sized>(
    crypto: &P,
    algorithm: HashAlgorithm,
    octets: &[u8],
) -> Digest {
    let mut hasher = crypto.hasher(algorithm);
    hasher.update(octets);
    hasher.finish()
}
