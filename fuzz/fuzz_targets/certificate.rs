//! A certificate, its lint for every role, and how it is shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::x509::{
        Certificate,
        profile::{Role, inspect},
    };
    if let Ok(certificate) = Certificate::decode(data) {
        for role in [
            Role::Root,
            Role::SigningCa,
            Role::TimestampingCa,
            Role::ServiceCa,
            Role::CodeSigner,
            Role::TimestampAuthority,
            Role::OcspDelegate,
            Role::TlsServer,
            Role::TlsClient,
        ] {
            let _ = inspect(&certificate, role);
        }
        let _ = certificate.summary();
    }
});
