//! A timestamp request, as the service reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = countersign_core::tsp::TimestampRequest::decode(data);
});
