//! PEM: every block of a file; whatever is read is the text's own, in order.
#![no_main]

use countersign_core::pem::{self, Kind};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut last = 0;
    for block in pem::blocks(data) {
        assert_eq!(block.number, last + 1);
        last = block.number;
        assert!(block.decode().map_or(0, |der| der.len()) <= data.len());
    }
    for kind in [Kind::Certificate, Kind::Crl, Kind::Request, Kind::PublicKey, Kind::Any] {
        let _ = pem::objects(data.to_vec(), kind);
    }
});
