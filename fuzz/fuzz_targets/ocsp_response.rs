//! An OCSP response.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = countersign_core::ocsp::OcspResponse::decode(data);
});
