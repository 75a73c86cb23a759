//! A certification request, as the CA reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = countersign_signing::csr::verify(data);
});
