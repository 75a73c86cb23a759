//! A certificate, its lint for every profile, and how it is shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::x509::{
        Certificate,
        profile::{Profile, inspect},
    };
    if let Ok(certificate) = Certificate::decode(data) {
        for profile in Profile::ALL {
            let _ = inspect(&certificate, profile);
        }
        let _ = certificate.summary();
    }
});
