//! Parts of a body (RFC 9110 §14): one range of octets, for clients that go on where they broke off.
//!
//! Several ranges at once are answered with the whole, as the RFC allows.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, IF_RANGE, RANGE},
};
use warp::reply::Response;

/// What a `Range` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Everything: no range, several, or one that cannot be read.
    Whole,
    /// From the first octet to the one after the last.
    Part(usize, usize),
    /// Nothing that is there.
    Nothing,
}

/// Cuts `response`, whose body is `body` and whose `ETag` is set, down to what `request` asks for.
pub(crate) fn answer(request: &HeaderMap, body: &Bytes, mut response: Response) -> Response {
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if response.status() != StatusCode::OK || !is_of_this_version(request, response.headers()) {
        return response;
    }
    let length = body.len();
    let (status, part, content_range) = match asked(request, length) {
        Asked::Whole => return response,
        Asked::Part(start, end) => (
            StatusCode::PARTIAL_CONTENT,
            body.slice(start..end),
            format!("bytes {start}-{}/{length}", end - 1),
        ),
        Asked::Nothing => {
            (StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new(), format!("bytes */{length}"))
        }
    };
    *response.status_mut() = status;
    *response.body_mut() = part.into();
    if let Ok(value) = HeaderValue::from_str(&content_range) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    response
}

/// RFC 9110 §13.1.5: a range of another version would be glued to what the client has.
fn is_of_this_version(request: &HeaderMap, response: &HeaderMap) -> bool {
    request.get(IF_RANGE).is_none_or(|condition| response.get(ETAG) == Some(condition))
}

fn asked(request: &HeaderMap, length: usize) -> Asked {
    let mut values = request.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Asked::Whole };
    let spec = value.to_str().ok().and_then(|text| text.trim().strip_prefix("bytes="));
    let Some((first, last)) = spec.and_then(|spec| spec.trim().split_once('-')) else {
        return Asked::Whole;
    };
    // A number too large for us is larger than any CRL.
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(usize::MAX))
    };
    match (first, number(first), number(last)) {
        // The last so many octets.
        ("", _, Some(0)) => Asked::Nothing,
        ("", _, Some(_)) if length == 0 => Asked::Nothing,
        ("", _, Some(count)) => Asked::Part(length.saturating_sub(count), length),
        (_, Some(start), _) if start >= length => Asked::Nothing,
        (_, Some(start), None) if last.is_empty() => Asked::Part(start, length),
        (_, Some(start), Some(end)) if end >= start => {
            Asked::Part(start, end.saturating_add(1).min(length))
        }
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ranges_as_the_rfc_does() {
        for (text, want) in [
            ("bytes=0-4", Asked::Part(0, 5)),
            ("bytes=5-", Asked::Part(5, 10)),
            ("bytes=-3", Asked::Part(7, 10)),
            ("bytes=-30", Asked::Part(0, 10)),
            ("bytes=9-99999999999999999999999", Asked::Part(9, 10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=4-3", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=a-4", Asked::Whole),
            ("octets=0-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
        ] {
            let mut request = HeaderMap::new();
            request.insert(RANGE, HeaderValue::from_static(text));
            assert_eq!(asked(&request, 10), want, "{text}");
        }
        assert_eq!(asked(&HeaderMap::new(), 10), Asked::Whole);
    }

    #[test]
    fn a_part_is_of_the_version_that_the_client_has() {
        let body = Bytes::from_static(b"0123456789");
        for (if_range, status) in [(None, 206), (Some("\"a\""), 206), (Some("\"b\""), 200)] {
            let mut request = HeaderMap::new();
            request.insert(RANGE, HeaderValue::from_static("bytes=2-3"));
            if let Some(tag) = if_range {
                request.insert(IF_RANGE, HeaderValue::from_static(tag));
            }
            let mut response = Response::new(body.clone().into());
            response.headers_mut().insert(ETAG, HeaderValue::from_static("\"a\""));
            let response = answer(&request, &body, response);
            assert_eq!(response.status(), status, "{if_range:?}");
            let range = response.headers().get(CONTENT_RANGE);
            assert_eq!(range.is_some(), status == 206);
        }
    }
}
