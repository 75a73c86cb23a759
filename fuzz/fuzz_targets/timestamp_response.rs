//! A timestamp response, verified against an authority that trusts itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        cms::SignedData, crypto::rustcrypto::RustCrypto, time::UnixSeconds, trust::Authority, tsp,
    };
    let now = UnixSeconds::new(1_795_435_200);
    let mut authorities = Vec::new();
    if let Ok(response) = tsp::TimestampResponse::decode(data)
        && let Some(Ok(signed)) = response.token.map(SignedData::decode)
    {
        for certificate in signed.certificates {
            authorities.push(Authority::from_anchor(certificate.to_vec(), Vec::new()));
        }
    }
    let stamped = tsp::Stamped::Message(b"the published program");
    let _ = tsp::verify(data, stamped, &authorities, &RustCrypto, now);
});
