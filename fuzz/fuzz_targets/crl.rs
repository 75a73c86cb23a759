//! A CRL: its lint, every entry, and a look-up.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::crl::{CertificateList, inspect};
    if let Ok(crl) = CertificateList::decode(data) {
        let _ = inspect(&crl);
        let _ = crl.find(&[1]);
        let _ = crl.unknown_critical_entry_extension();
    }
});
