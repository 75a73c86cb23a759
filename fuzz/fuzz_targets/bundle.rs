//! A bundle: never a panic, whatever the JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ =
        countersign_core::bundle::Bundle::decode(data).map(|bundle| bundle.artifact_algorithms());
});
