//! The whole door: bundle, trust root, CRL and OCSP response in one input.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        Artifact, EvidenceSet, Verification, crypto::rustcrypto::RustCrypto,
        digest::HashAlgorithm, policy::Policy, report::Verdict, time::UnixSeconds,
        trust::TrustRoot, tsp::TokenForm,
    };
    let now = UnixSeconds::new(1_795_435_200);
    // The parts are separated by a line of its own, which no JSON or DER of ours contains.
    let text = b"\n--part--\n";
    let mut parts: [&[u8]; 4] = [&[]; 4];
    let mut rest = data;
    for part in &mut parts {
        let at = rest.windows(text.len()).position(|window| window == text);
        *part = at.map_or(rest, |at| &rest[..at]);
        rest = at.map_or(&[][..], |at| &rest[at + text.len()..]);
    }
    let [bundle, trust, crl, ocsp] = parts;
    let Ok(trust) = TrustRoot::decode(trust) else { return };
    let Ok(policy) = Policy::for_identity("release@example.com", None) else { return };
    let artifact = Artifact {
        name: Some("app"),
        size: Some(21),
        content: Some(b"the published program"),
        ..Artifact::default()
    };
    let set = EvidenceSet::decode(bundle, TokenForm::BerToo);
    let verification = Verification::open(&set, &trust, &policy, &RustCrypto, None, now);
    let _ = verification.plan(&artifact, &HashAlgorithm::STRONG);
    let _ = verification.sources(&artifact, &[crl], &[ocsp]);
    let report = verification.report(&artifact, &[crl], &[ocsp]);
    // Without a digest of the file nothing can be verified.
    assert_ne!(report.verdict(), Verdict::Verified);
    let _ = serde_json::to_string(&report);
});
