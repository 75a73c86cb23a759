//! The HTTP headers that let caches keep what was signed, and no longer than it is worth.

use std::time::{Duration, SystemTime};

use countersign_core::time::UnixSeconds;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED},
};
use warp::reply::Response;

/// The times and the name under which a cache keeps a signed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Hexadecimal SHA-256 of the object.
    pub sha256_hex: String,
    /// When the object was made.
    pub this_update: UnixSeconds,
    /// When a newer one will be there at the latest.
    pub next_update: UnixSeconds,
}

impl Validity {
    /// Sets `ETag`, `Last-Modified`, `Expires` and `Cache-Control` (RFC 9919 §6.2): `max-age` is
    /// `max_age_seconds`, or less so that it ends before nextUpdate.
    pub fn write(&self, headers: &mut HeaderMap, max_age_seconds: u32, now: UnixSeconds) {
        // One second less: a cache must have let go when nextUpdate comes.
        let remaining = self.next_update.seconds_since(now).saturating_sub(1).max(0);
        let max_age = i64::from(max_age_seconds).min(remaining);
        let cache_control = format!("max-age={max_age}, public, no-transform, must-revalidate");
        let values = [
            (ETAG, self.entity_tag()),
            (LAST_MODIFIED, http_date(self.this_update)),
            (EXPIRES, http_date(self.next_update)),
            (CACHE_CONTROL, cache_control),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }

    fn entity_tag(&self) -> String {
        entity_tag(&self.sha256_hex)
    }
}

/// The `ETag` of an object with that digest.
pub(crate) fn entity_tag(sha256_hex: &str) -> String {
    format!("\"{sha256_hex}\"")
}

/// Turns `response` into 304 when `request` names its very `ETag` (RFC 9110 §13.1.2).
pub(crate) fn answer_condition(request: &HeaderMap, response: Response) -> Response {
    let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()) else {
        return response;
    };
    let matches = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|each| each.trim().trim_start_matches("W/"))
        .any(|each| each == "*" || each == tag);
    if !matches {
        return response;
    }
    let mut unchanged = Response::new(Vec::new().into());
    *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
    for name in [ETAG, LAST_MODIFIED, EXPIRES, CACHE_CONTROL] {
        if let Some(value) = response.headers().get(&name) {
            unchanged.headers_mut().insert(name, value.clone());
        }
    }
    unchanged
}

/// Forbids keeping an answer at all.
pub(crate) fn forbid(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// An HTTP-date; always GMT, RFC 9110 §5.6.7.
fn http_date(time: UnixSeconds) -> String {
    let seconds = u64::try_from(time.seconds()).unwrap_or(0);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validity() -> Validity {
        Validity {
            sha256_hex: "00ff".to_owned(),
            this_update: UnixSeconds::new(1_777_802_400),
            next_update: UnixSeconds::new(1_777_806_000),
        }
    }

    fn headers(max_age_seconds: u32, now: i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        validity().write(&mut headers, max_age_seconds, UnixSeconds::new(now));
        headers
    }

    #[test]
    fn dates_are_in_gmt_and_the_tag_is_the_digest() {
        let headers = headers(300, 1_777_802_400);
        assert_eq!(headers["etag"], "\"00ff\"");
        assert_eq!(headers["last-modified"], "Sun, 03 May 2026 10:00:00 GMT");
        assert_eq!(headers["expires"], "Sun, 03 May 2026 11:00:00 GMT");
        assert!(headers["cache-control"].to_str().expect("text").starts_with("max-age=300,"));
    }

    #[test]
    fn max_age_ends_before_next_update() {
        for (now, want) in [
            (1_777_805_900, "max-age=99,"),
            (1_777_806_000, "max-age=0,"),
            (1_777_900_000, "max-age=0,"),
        ] {
            let value = headers(300, now)["cache-control"].to_str().expect("text").to_owned();
            assert!(value.starts_with(want), "{value}");
        }
    }

    #[test]
    fn answers_304_to_whoever_has_it() {
        for (condition, status) in
            [("\"00ff\"", 304), ("\"11\", W/\"00ff\"", 304), ("*", 304), ("\"11\"", 200)]
        {
            let mut request = HeaderMap::new();
            request.insert(IF_NONE_MATCH, HeaderValue::from_static(condition));
            let mut response = Response::new(Vec::from(*b"object").into());
            validity().write(response.headers_mut(), 300, UnixSeconds::new(1_777_802_400));
            assert_eq!(answer_condition(&request, response).status(), status, "{condition}");
        }
    }
}
