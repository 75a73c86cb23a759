//! An OCSP request, as the service reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ =
        countersign_core::ocsp::OcspRequest::decode(data, 16).map(|request| request.nonce_kind());
});
