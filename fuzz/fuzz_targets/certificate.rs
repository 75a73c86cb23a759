//! A certificate, its lint for every role, and how it is shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::x509::{
        Certificate,
        profile::{Role, inspect},
    };
    if let Ok(certificate) = Certificate::decode(data) {
        for role in Role::ALL {
            let _ = inspect(&certificate, role);
        }
        let _ = certificate.summary();
    }
});
