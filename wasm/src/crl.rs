//! How long a CRL may be kept.

use countersign_core::crl::CertificateList;
use wasm_bindgen::prelude::wasm_bindgen;

/// When the next CRL of this kind is due, in seconds since 1970: how long this one may be kept.
/// Nothing when `bytes` are no CRL (DER); zero when it does not say.
#[wasm_bindgen(js_name = crlNextUpdate)]
#[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
pub fn crl_next_update(bytes: &[u8]) -> Option<f64> {
    let crl = CertificateList::decode(bytes).ok()?;
    Some(crl.next_update.map_or(0.0, |time| time.seconds() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_crl_has_no_age() {
        assert_eq!(crl_next_update(b"no CRL"), None);
    }
}
