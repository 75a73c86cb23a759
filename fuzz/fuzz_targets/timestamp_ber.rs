//! A timestamp in BER: its DER says the same, is bounded, and is its own.
#![no_main]

/// All octets of primitive values, in order, of what is known to be BER.
fn primitive_octets(mut bytes: &[u8], into: &mut Vec<u8>) -> Vec<u8> {
    while let [identifier, first, after @ ..] = bytes {
        if bytes.starts_with(&[0, 0]) {
            return after.to_vec();
        }
        let further = if *first > 0x80 { usize::from(first & 0x7F) } else { 0 };
        let length =
            after[..further].iter().fold(0, |length, octet| length * 256 + usize::from(*octet));
        let after = &after[further..];
        if *first == 0x80 {
            let rest = primitive_octets(after, into).len();
            bytes = &bytes[bytes.len() - rest..];
            continue;
        }
        let length = if *first < 0x80 { usize::from(*first) } else { length };
        let (content, rest) = after.split_at(length);
        if identifier & 0x20 == 0 {
            into.extend_from_slice(content);
        } else {
            primitive_octets(content, into);
        }
        bytes = rest;
    }
    Vec::new()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::{crypto::rustcrypto::RustCrypto, limits, time::UnixSeconds, tsp};
    let first = tsp::first_ber(data);
    if let Some(der) = tsp::normalised(data) {
        assert!(der.len() <= limits::TIMESTAMP_BYTES);
        assert_eq!(tsp::first_ber(&der), None);
        assert_eq!(tsp::normalised(&der).as_deref(), Some(&der[..]));
        assert_eq!(first.is_none(), der == data);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        primitive_octets(data, &mut before);
        primitive_octets(&der, &mut after);
        assert_eq!(before, after);
    }
    if let Some(legacy) = tsp::LegacyTimestamp::decode(data) {
        let _ = legacy.info();
        let stamped = tsp::Stamped::Message(b"the published program");
        let now = UnixSeconds::new(1_795_435_200);
        assert!(tsp::verify_legacy(&legacy, stamped, &[], &RustCrypto, now).is_err());
    }
});
