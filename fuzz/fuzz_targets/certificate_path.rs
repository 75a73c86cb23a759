//! The search for a path among certificates of somebody's choice: each of the input's certificates
//! stands behind its length in two octets; the first is the leaf, the second the anchor.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        crypto::rustcrypto::RustCrypto,
        time::UnixSeconds,
        x509::{Certificate, Purpose, path},
    };
    let mut certificates: Vec<&[u8]> = Vec::new();
    let mut rest = data;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (certificate, after) = after.split_at(length);
        certificates.push(certificate);
        rest = after;
    }
    let [leaf, anchor, intermediates @ ..] = certificates.as_slice() else { return };
    let Ok(leaf) = Certificate::decode(leaf) else { return };
    let at = UnixSeconds::new(1_795_435_200);
    for purpose in [Purpose::CodeSigning, Purpose::TimeStamping] {
        let _ = path::verify_all(&leaf, intermediates, &[anchor], at, purpose, &RustCrypto);
    }
});
