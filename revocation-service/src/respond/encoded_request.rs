//! An OCSP request in the path of a GET (RFC 6960 appendix A.1, RFC 9919 §5).
//!
//! The appendix asks for base64, then URL-encoding; clients differ. Taken here: percent-encoded,
//! raw (`+`, `/` and `=` as they are), with one slash too many in front (a responder URL that ends
//! in `/`), `//` inside (it is base64), and without padding. What the octets mean is not looked at.

use base64ct::{Base64Unpadded, Encoding};
use percent_encoding::percent_decode_str;

/// The octets that `rest`, the raw path after the responder's own, stands for; `None` if it is
/// not base64.
pub(crate) fn decode(rest: &str) -> Option<Vec<u8>> {
    let text = percent_decode_str(rest).decode_utf8().ok()?;
    // A request is a SEQUENCE, so its base64 starts with `M`: slashes in front are the URL's.
    let text = text.trim_start_matches('/');
    let unpadded = text.trim_end_matches('=');
    if unpadded.is_empty() || text.len() - unpadded.len() > 2 {
        return None;
    }
    Base64Unpadded::decode_vec(unpadded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_form_clients_send() {
        // Chosen so that the base64 has `+`, `//` and padding.
        let octets = [0x30, 0xfb, 0xef, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Base64Unpadded::encode_string(&octets), "MPvv////AQ");
        let octets_with_plus = [0x30, 0x0f, 0xbe];
        for (rest, want) in [
            ("MPvv////AQ==", &octets[..]),
            ("MPvv////AQ", &octets[..]),
            ("/MPvv////AQ==", &octets[..]),
            ("MPvv%2F%2F%2f%2FAQ%3D%3D", &octets[..]),
            ("MA++", &octets_with_plus[..]),
            ("MA%2B%2b", &octets_with_plus[..]),
        ] {
            assert_eq!(decode(rest).as_deref(), Some(want), "{rest}");
        }
    }

    #[test]
    fn refuses_what_is_not_base64() {
        for rest in ["", "/", "==", "favicon.ico", "MPvv%ff", "MPvv AQ", "MA++===", "M"] {
            assert_eq!(decode(rest), None, "{rest}");
        }
    }
}
