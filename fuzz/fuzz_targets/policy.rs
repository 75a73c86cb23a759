//! A policy, and its patterns against its own text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(policy) = countersign_core::policy::Policy::decode(data) {
        for signer in &policy.signers {
            for pattern in signer.identities.iter().chain(&signer.files) {
                let _ = pattern.matches(pattern.text());
            }
        }
    }
});
