//! A trust root.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = countersign_core::trust::TrustRoot::decode(data);
});
