//! What came back.

use std::time::Duration;

use countersign_core::finding::{Finding, FindingCode, quoted};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use url::Url;

use super::{elsewhere, reach::Reach, shown};
use crate::failure::{Failure, Outcome};

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
    /// How long the server asks to be left alone, if it says so in seconds.
    pub retry_after: Option<Duration>,
    /// What it says that the body is.
    media_type: Option<String>,
    /// Where a redirect leads.
    location: Option<String>,
    /// From where the service can be reached.
    pub(super) reach: Reach,
}

impl Reply {
    /// The reply but for its body.
    pub(super) fn of_head(response: &Response, reach: Reach) -> Self {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER).and_then(|text| text.parse().ok());
        let media_type = header(CONTENT_TYPE).and_then(|text| text.split(';').next());
        Self {
            status: response.status(),
            body: Vec::new(),
            retry_after: retry_after.map(Duration::from_secs),
            media_type: media_type.map(|text| text.trim().to_ascii_lowercase()),
            location: header(LOCATION).map(str::to_owned),
            reach,
        }
    }

    #[cfg(test)]
    pub(super) fn with_status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a status"),
            body: Vec::new(),
            retry_after: None,
            media_type: None,
            location: None,
            reach: Reach::Public,
        }
    }

    /// Where it redirects to, if it does.
    pub(super) fn redirect_from(&self, url: &Url) -> Outcome<Option<Url>> {
        let follows = [301, 302, 303, 307, 308].contains(&self.status.as_u16());
        let Some(location) = self.location.as_ref().filter(|_| follows) else { return Ok(None) };
        let next = url.join(location).map_err(|error| {
            let found = format!("to {}: {error}", quoted(location.clone()));
            elsewhere(url, found)
        })?;
        Ok(Some(next))
    }

    /// The body of a 200.
    ///
    /// # Errors
    /// `setup.service.answer` with the status.
    pub fn success(self, url: &Url, wanted: &str) -> Outcome<Vec<u8>> {
        match self.status {
            StatusCode::OK if self.body.is_empty() => {
                Err(unusable(url, format!("an empty answer, not {wanted}")))
            }
            StatusCode::OK if self.is_web_page() => Err(self.not(url, wanted)),
            StatusCode::OK => Ok(self.body),
            _ => Err(self.refused(url)),
        }
    }

    /// The failure of an answer that is no success.
    pub fn refused(&self, url: &Url) -> Failure {
        unusable(url, self.status_text())
    }

    /// The status in words.
    pub fn status_text(&self) -> String {
        format!("HTTP {}", self.status)
    }

    /// Whether the answer is meant for a person.
    pub fn is_web_page(&self) -> bool {
        let says_so = self
            .media_type
            .as_deref()
            .is_some_and(|media_type| ["text/html", "application/xhtml+xml"].contains(&media_type));
        // DER never begins so.
        says_so || self.body.trim_ascii_start().starts_with(b"<")
    }

    /// The failure of a 200 with something else than what was asked for.
    pub fn not(&self, url: &Url, wanted: &str) -> Failure {
        let found = match &self.media_type {
            _ if self.is_web_page() => format!("answered with a web page, not {wanted}"),
            _ if self.body.is_empty() => format!("an empty answer, not {wanted}"),
            Some(media_type) => {
                format!("answered with {}, not {wanted}", quoted(media_type.clone()))
            }
            None => format!("answered with something else, not {wanted}"),
        };
        unusable(url, found)
    }

    /// Whether it says that it is this.
    pub fn is(&self, media_type: &str) -> bool {
        self.media_type.as_deref() == Some(media_type)
    }
}

/// An answer that cannot be used.
pub(crate) fn unusable(url: &Url, found: impl Into<String>) -> Failure {
    Finding::new(FindingCode::SERVICE_ANSWER).about(shown(url)).found(found).into()
}
