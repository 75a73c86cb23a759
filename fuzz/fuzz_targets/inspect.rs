//! Anything at all, shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(view) = countersign_core::inspect::inspect(data) {
        let _ = serde_json::to_string(&view);
    }
});
