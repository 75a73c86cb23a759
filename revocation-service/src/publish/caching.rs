//! The HTTP headers that let caches keep what was signed, and no longer than it is worth.

use std::time::{Duration, SystemTime};

use countersign_core::{digest::encode_hex, time::UnixSeconds};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED},
};
use warp::reply::Response;

/// The times and the name under which a cache keeps a signed object, with their headers: made once,
/// sent often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// When the object was made.
    pub this_update: UnixSeconds,
    /// When a newer one will be there at the latest.
    pub next_update: UnixSeconds,
    entity_tag: HeaderValue,
    last_modified: HeaderValue,
    expires: HeaderValue,
}

impl Validity {
    /// The validity of the object with that SHA-256.
    pub fn new(sha256: &[u8; 32], this_update: UnixSeconds, next_update: UnixSeconds) -> Self {
        // An HTTP-date is ASCII.
        let date =
            |time| HeaderValue::from_str(&http_date(time)).unwrap_or(HeaderValue::from_static("0"));
        Self {
            this_update,
            next_update,
            entity_tag: entity_tag(sha256),
            last_modified: date(this_update),
            expires: date(next_update),
        }
    }

    /// Sets `ETag`, `Last-Modified`, `Expires` and `Cache-Control` (RFC 9919 §6.2): `max-age` is
    /// as configured, or less so that it ends before nextUpdate.
    pub(crate) fn write(&self, headers: &mut HeaderMap, max_age: &MaxAge, now: UnixSeconds) {
        // One second less: a cache must have let go when nextUpdate comes.
        let remaining = self.next_update.seconds_since(now).saturating_sub(1).max(0);
        headers.insert(ETAG, self.entity_tag.clone());
        headers.insert(LAST_MODIFIED, self.last_modified.clone());
        headers.insert(EXPIRES, self.expires.clone());
        headers.insert(CACHE_CONTROL, max_age.at_most(remaining));
    }

    /// Whether its time is over at `now`.
    pub fn is_over(&self, now: UnixSeconds) -> bool {
        now >= self.next_update
    }
}

/// A configured `max-age`, and the header that says it.
#[derive(Clone, Debug)]
pub(crate) struct MaxAge {
    seconds: i64,
    header: HeaderValue,
}

impl MaxAge {
    /// That many seconds.
    pub(crate) fn new(seconds: u32) -> Self {
        Self { seconds: seconds.into(), header: cache_control(seconds.into()) }
    }

    /// The header, for at most `seconds`.
    pub(crate) fn at_most(&self, seconds: i64) -> HeaderValue {
        if seconds >= self.seconds { self.header.clone() } else { cache_control(seconds) }
    }
}

fn cache_control(seconds: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("max-age={seconds}, public, no-transform, must-revalidate"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}

/// The `ETag` of an object with that SHA-256: in hexadecimal.
pub(crate) fn entity_tag(sha256: &[u8; 32]) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{}\"", encode_hex(sha256)))
        .unwrap_or(HeaderValue::from_static("\"\""))
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

    const TAG: &str = "\"0707070707070707070707070707070707070707070707070707070707070707\"";

    fn validity() -> Validity {
        let [this_update, next_update] = [1_777_802_400, 1_777_806_000].map(UnixSeconds::new);
        Validity::new(&[7; 32], this_update, next_update)
    }

    fn headers(max_age_seconds: u32, now: i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        validity().write(&mut headers, &MaxAge::new(max_age_seconds), UnixSeconds::new(now));
        headers
    }

    #[test]
    fn dates_are_in_gmt_and_the_tag_is_the_digest() {
        let headers = headers(300, 1_777_802_400);
        assert_eq!(headers["etag"], TAG);
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
        let among_others = format!("\"11\", W/{TAG}");
        for (condition, status) in [(TAG, 304), (&among_others, 304), ("*", 304), ("\"11\"", 200)] {
            let mut request = HeaderMap::new();
            request.insert(IF_NONE_MATCH, HeaderValue::from_str(condition).expect("a header"));
            let mut response = Response::new(Vec::from(*b"object").into());
            let now = UnixSeconds::new(1_777_802_400);
            validity().write(response.headers_mut(), &MaxAge::new(300), now);
            assert_eq!(answer_condition(&request, response).status(), status, "{condition}");
        }
    }
}
