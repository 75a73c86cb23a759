//! What stands in place of a bundle: lines, lists, other spellings. Never a panic, never more than
//! the budget, and nothing for what is a bundle already.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        Artifact,
        bundle::{Bundle, Presented},
        digest::HashAlgorithm,
        limits, plan,
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
    let _ = plan(data, &artifact, None, &HashAlgorithm::STRONG);
});
