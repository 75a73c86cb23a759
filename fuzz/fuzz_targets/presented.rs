//! What stands in place of a bundle: lines, lists, other spellings. Never a panic, never more than
//! the budget, and nothing for what is a bundle already.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        Artifact, EvidenceSet, Verification,
        bundle::{Bundle, Presented},
        crypto::rustcrypto::RustCrypto,
        digest::HashAlgorithm,
        limits,
        policy::Policy,
        time::UnixSeconds,
        trust::TrustRoot,
        tsp::TokenForm,
    };
    let presented = Presented::decode(data);
    if let Ok(presented) = &presented {
        assert!(!presented.bundles.is_empty());
        assert!(presented.bundles.len() <= limits::BUNDLES);
    }
    if Bundle::decode(data).is_ok() {
        assert!(presented.is_ok_and(|presented| presented.bundles.len() == 1));
    }
    let artifact = Artifact { name: Some("app"), size: Some(21), ..Artifact::default() };
    let (trust, policy) = (TrustRoot::default(), Policy::for_given_key());
    let set = EvidenceSet::decode(data, TokenForm::Der);
    let now = UnixSeconds::new(1_795_435_200);
    let verification = Verification::open(&set, &trust, &policy, &RustCrypto, None, now);
    let _ = verification.plan(&artifact, &HashAlgorithm::STRONG);
});
