//! What comes from a web page is refused.
//!
//! A browser shows its user's client certificate on behalf of every page that asks, and nothing like
//! `SameSite` keeps it from that. So no order comes in a form that a page of another origin can send without
//! asking first (that is each route's media types), and what says that it comes from a page is refused,
//! whatever it asks for.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::problem::Problem;

/// Refuses what a browser sends on behalf of a page: every request with a method that changes something
/// has `Origin` there, and every request at all `Sec-Fetch-Site`, which says `none` only for what the
/// user typed.
///
/// # Errors
/// 403.
pub fn refuse_pages(headers: &HeaderMap) -> Result<(), Problem> {
    let from_page = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"none");
    if !headers.contains_key(ORIGIN) && !headers.get_all("sec-fetch-site").iter().any(from_page) {
        return Ok(());
    }
    let detail = "This comes from a web page (Origin or Sec-Fetch-Site says so), and no page administers \
                  this service. Keep an administrator's certificate out of browsers.";
    Err(Problem::new(StatusCode::FORBIDDEN, "request.cross_origin", detail))
}
