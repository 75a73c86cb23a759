//! What a request's body is said to be.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Whether the one `Content-Type` is `wanted`; parameters and case do not matter (RFC 9110 §8.3.1).
pub fn is(headers: &HeaderMap, wanted: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn parameters_and_case_do_not_matter() {
        const WANTED: &str = "application/ocsp-request";
        for (value, expected) in [
            ("application/ocsp-request", true),
            ("Application/OCSP-Request; charset=x", true),
            ("application/ocsp-response", false),
            ("application/ocsp-request2", false),
            ("text/plain", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(is(&headers, WANTED), expected, "{value}");
        }
    }

    #[test]
    fn none_and_two_are_not_one() {
        let mut headers = HeaderMap::new();
        assert!(!is(&headers, "a/b"));
        headers.append(CONTENT_TYPE, HeaderValue::from_static("a/b"));
        assert!(is(&headers, "a/b"));
        headers.append(CONTENT_TYPE, HeaderValue::from_static("a/b"));
        assert!(!is(&headers, "a/b"));
    }
}
