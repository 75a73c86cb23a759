//! What comes from transparency logs: checkpoints, entry bodies, certificate timestamps, bundles of entries, and
//! proofs of any shape.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{
        crypto::rustcrypto::RustCrypto,
        tlog::{
            Checkpoint, EntryBody,
            merkle::{self, TreeHead},
            sct::CertificateTimestamp,
            tile::{Entries, push_entry},
        },
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
        let _ = merkle::root_of(&RustCrypto, leaf.clone(), number(index), number(size), path.clone());
        let old = TreeHead { size: number(index), root: leaf.clone() };
        let new = TreeHead { size: number(size), root: leaf };
        // Two trees of one root are consistent only if they are one, or the old one is empty.
        let is_consistent = merkle::is_consistent(&RustCrypto, &old, &new, path);
        assert!(!is_consistent || old.size == 0 || old == new);
    }
    let entries: Vec<&[u8]> = Entries::of(data).map_while(Result::ok).collect();
    let mut again = Vec::new();
    assert!(entries.iter().all(|entry| push_entry(&mut again, entry)));
    assert!(data.starts_with(&again));
});
