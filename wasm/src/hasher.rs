//! Digests of a stream, several algorithms at once.

use alloc::{format, string::String, vec::Vec};

use countersign_core::{
    crypto::rustcrypto::RustCrypto,
    digest::{HashAlgorithm, StreamingDigest},
};
use wasm_bindgen::prelude::wasm_bindgen;

/// Hashes a stream in constant memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Hasher(StreamingDigest);

#[wasm_bindgen]
impl Hasher {
    /// Starts digests of each of `algorithms`: names such as `sha384`, with commas between. Names
    /// that are not known are left out.
    #[wasm_bindgen(constructor)]
    pub fn new(algorithms: &str) -> Self {
        let known: Vec<_> = algorithms.split(',').filter_map(HashAlgorithm::parse).collect();
        Self(StreamingDigest::new(&RustCrypto, &known))
    }

    /// Takes the next octets.
    pub fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    /// Ends: each digest as `sha384:HEX`, with commas between, in the order asked for.
    pub fn finish(self) -> String {
        let (digests, _) = self.0.finish();
        let texts: Vec<_> = digests.iter().map(|digest| format!("{digest}")).collect();
        texts.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_in_pieces_by_several_algorithms() {
        let mut hasher = Hasher::new("sha384,sha256,md5");
        hasher.update(b"ab");
        hasher.update(b"c");
        assert_eq!(
            hasher.finish(),
            "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7,\
             sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
