//! A public key as the command line takes it, by which a bundle is then verified.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        Artifact, Evidence, crypto::rustcrypto::RustCrypto, policy::Policy, report::Verdict,
        time::UnixSeconds, trust::TrustRoot, tsp::TokenForm, verify, x509::PublicKey,
    };
    let _ = PublicKey::decode(data).map(|key| key.algorithm.is_acceptable());
    let bundle = include_bytes!("../seeds/bundle/managed");
    let evidence = Evidence {
        artifact: Artifact::default(),
        bundle,
        crls: &[],
        ocsp_responses: &[],
        tokens: TokenForm::Der,
        key: Some(data),
    };
    let now = UnixSeconds::new(1_795_435_200);
    let policy = Policy::for_given_key();
    let report = verify(&evidence, &TrustRoot::default(), &policy, &RustCrypto, now);
    // Without a digest of the file nothing can be verified.
    assert_ne!(report.verdict(), Verdict::Verified);
});
