//! A signature verification and nothing around it, for benchmarks.

use alloc::string::String;

use countersign_core::crypto::{CryptoProvider, SignatureScheme, rustcrypto::RustCrypto};
use wasm_bindgen::prelude::wasm_bindgen;

/// Verifies `count` times one signature, DER, over `message`; whether all held. `scheme` is a name
/// as [`SignatureScheme::name`] gives it, `public_key` the content of the BIT STRING.
#[wasm_bindgen(js_name = verifyRaw)]
pub fn verify_raw(
    scheme: String,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
    count: u32,
) -> bool {
    let Some(scheme) = SignatureScheme::ALL.into_iter().find(|each| each.name() == scheme) else {
        return false;
    };
    let algorithm = RustCrypto.verification_algorithm(scheme);
    (0..count).all(|_| algorithm.verify_signature(public_key, message, signature).is_ok())
}
