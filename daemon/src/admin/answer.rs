//! An answer whose octets are known, so that it can be kept and given again.

use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use warp::reply::Response;

/// JSON Lines.
pub const JSON_LINES: &str = "application/x-ndjson";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body's media type.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// JSON.
    ///
    /// # Panics
    /// Never for a structure with string keys and values that JSON has.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        // Unwrap safety: our own structures have string keys and no value that JSON lacks.
        let body = serde_json::to_vec(value).expect("JSON");
        Self { status, media_type: "application/json".to_owned(), body }
    }

    /// 200 with JSON.
    pub fn ok(value: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// The reply, which no cache keeps.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status;
        if let Ok(media_type) = HeaderValue::from_str(&self.media_type) {
            response.headers_mut().insert(CONTENT_TYPE, media_type);
        }
        response
            .headers_mut()
            .insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
