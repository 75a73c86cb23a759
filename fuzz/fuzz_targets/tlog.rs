//! What comes from transparency logs: checkpoints, entry bodies, certificate timestamps, and a proof
//! of any shape.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        crypto::rustcrypto::RustCrypto,
        tlog::{Checkpoint, EntryBody, merkle, sct::CertificateTimestamp},
    };
    if let Ok(note) = core::str::from_utf8(data) {
        if let Ok(checkpoint) = Checkpoint::decode(note) {
            let _ = (checkpoint.further_lines().count(), checkpoint.signatures().count());
        }
    }
    let _ = EntryBody::decode(data);
    if let Ok(list) = CertificateTimestamp::decode_list(data) {
        assert!(!list.is_empty());
        for timestamp in list {
            let _ = timestamp.time();
        }
    }
    if let Some((numbers, rest)) = data.split_first_chunk::<16>() {
        let (index, size) = numbers.split_at(8);
        let number = |octets: &[u8]| octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        let leaf = merkle::leaf_hash(&RustCrypto, rest);
        let path = rest.chunks_exact(32).take(65);
        let _ = merkle::root_of(&RustCrypto, leaf, number(index), number(size), path);
    }
});
