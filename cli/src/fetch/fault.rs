//! Why there was no answer, in words for the person who waits for one.

use std::{error::Error, io, time::Duration};

use countersign_core::finding::Finding;
use url::Url;

use super::{CONNECT, elsewhere, reach::TooClose, reply::unusable, shown};
use crate::codes;
use crate::{failure::Failure, tls_fault::Handshake};

/// What kept an answer from coming.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It did not begin in this time.
    Silent(Duration),
    /// Nothing more of it came in this time.
    Stalled(Duration),
    /// It was not whole after this time.
    Slow(Duration),
    /// It has more octets than this.
    TooLarge(usize),
    /// A 407.
    ProxyWantsLogin,
    /// Anything else.
    Error(reqwest::Error),
}

impl From<reqwest::Error> for Unanswered {
    fn from(error: reqwest::Error) -> Self {
        Self::Error(error)
    }
}

impl Unanswered {
    pub(super) fn failure(self, url: &Url, proxy: Option<&Url>, handshake: &Handshake) -> Failure {
        let through = proxy.map(|proxy| format!(" (through the proxy {})", shown(proxy)));
        let through = through.unwrap_or_default();
        let unreachable =
            |words: String| Failure::unreachable(&shown(url), format!("{words}{through}"));
        match self {
            Self::Silent(time) => unreachable(format!("no answer within {} s", time.as_secs())),
            Self::Stalled(time) => {
                unreachable(format!("the answer stopped for {} s before its end", time.as_secs()))
            }
            Self::Slow(time) => unreachable(format!("no whole answer within {} s", time.as_secs())),
            Self::TooLarge(maximum) => {
                unusable(url, format!("an answer of over {maximum} bytes{through}"))
            }
            Self::ProxyWantsLogin => proxy_refused(
                url,
                format!("the proxy wants a user name and a password (HTTP 407){through}"),
            ),
            Self::Error(error) => {
                if let Some(refused) = cause::<TooClose>(&error) {
                    return elsewhere(url, refused.to_string());
                }
                if let Some(failure) = handshake.fault(url, &error) {
                    return failure;
                }
                // The address may hold a name that is a token; it is named by `shown`.
                let words = words(&error.without_url());
                if proxy.is_some() && words.contains("tunnel") {
                    let why = match words.split_once(": ") {
                        Some((_, why)) => format!("the proxy opened no tunnel: {why}{through}"),
                        None => format!("the proxy opened no tunnel{through}"),
                    };
                    return proxy_refused(url, why);
                }
                unreachable(words)
            }
        }
    }
}

fn proxy_refused(url: &Url, found: String) -> Failure {
    Finding::new(codes::PROXY_REFUSED).about(shown(url)).found(found).into()
}

/// The error of that type among those that an error came from. An I/O error hides the one that it
/// was made of: that is looked into, too.
pub(crate) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| cause(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() && error.is_connect() {
        return format!("no connection within {} s", CONNECT.as_secs());
    }
    let mut chain = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        chain.push(error.to_string());
        next = error.source();
    }
    if chain.iter().any(|text| text.starts_with("dns error")) {
        return "no computer of this name was found (DNS)".to_owned();
    }
    if let Some(io) = cause::<io::Error>(error) {
        let known = match io.kind() {
            io::ErrorKind::ConnectionRefused => "nothing listens there: connection refused",
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => {
                "the connection was closed before there was an answer"
            }
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                "no way leads there: network unreachable"
            }
            _ => "",
        };
        if !known.is_empty() {
            return known.to_owned();
        }
    }
    // The innermost says most.
    chain.pop().unwrap_or_else(|| error.to_string())
}
