//! Which signatures were checked in this run: for all of its files, and for all threads that look up revocation.
//!
//! A CA's certificate and a CRL are much the same for every file of a release. What they are worth is decided for
//! each file anew; only whether the signature on them holds is not found out twice.

use std::sync::{Mutex, PoisonError};

use countersign_core::crypto::{
    CheckedSignatures, Remembering, SignatureCheck, SignatureMemory, aws_lc::AwsLc,
};

/// Cryptography that remembers which signatures hold.
pub type Crypto = Remembering<'static, OfRun, AwsLc>;

/// The answers of a run.
#[derive(Debug, Default)]
pub struct OfRun(Mutex<CheckedSignatures>);

impl SignatureMemory for OfRun {
    /// The lock is held while a signature is checked, so that two threads that want to know the same find it out
    /// once. Nothing waits for a network meanwhile.
    fn holds(&self, check: SignatureCheck, verify: &mut dyn FnMut() -> bool) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).holds(check, verify)
    }
}

/// For a run that begins.
pub fn crypto() -> Crypto {
    Remembering::new(&AwsLc, OfRun::default())
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use countersign_core::{
        crypto::{CryptoProvider as _, SignatureFault, SignatureScheme},
        digest::{HashAlgorithm, digest},
    };

    use super::*;

    /// Its own answers, counted.
    #[derive(Debug, Default)]
    struct Counting(OfRun, Mutex<usize>);

    impl SignatureMemory for Counting {
        fn holds(&self, check: SignatureCheck, verify: &mut dyn FnMut() -> bool) -> bool {
            self.0.holds(check, &mut || {
                *self.1.lock().expect("no panic") += 1;
                verify()
            })
        }
    }

    #[test]
    fn threads_that_ask_the_same_at_once_have_it_checked_once() {
        let crypto: Remembering<'_, Counting, AwsLc> =
            Remembering::new(&AwsLc, Counting::default());
        let message = digest(&AwsLc, HashAlgorithm::Sha384, b"a list");
        let together = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    let scheme = SignatureScheme::EcdsaP384Sha384;
                    let outcome = crypto.verify_digest(scheme, &[4; 97], &message, &[7; 70]);
                    assert_eq!(outcome, Err(SignatureFault::Invalid));
                });
            }
        });
        assert_eq!(*crypto.memory().1.lock().expect("no panic"), 1);
    }
}
