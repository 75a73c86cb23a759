//! Who asks, and whether they ask too often.
//!
//! Decided before a body is read: a refused request costs a header. The probes are let through.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode};

use crate::health;
use crate::peer::{ClientAddress, PeerAddress, TrustedProxies};
use crate::problem::Problem;
use crate::rate::RateLimits;

/// What a listener knows of its clients.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admission {
    pub(crate) proxies: Arc<TrustedProxies>,
    pub(crate) rates: Option<Arc<RateLimits>>,
}

impl Admission {
    /// Adds the [`ClientAddress`] to a request and counts it.
    ///
    /// # Errors
    /// The client asks too often.
    pub(crate) fn admit<B>(&self, request: &mut Request<B>) -> Result<ClientAddress, Problem> {
        let peer = request.extensions().get::<PeerAddress>();
        // Every connection has a peer; without one, all would be one client.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let client = self.proxies.client(peer, request.headers());
        request.extensions_mut().insert(client);
        let is_probe = matches!(request.uri().path(), health::LIVE_PATH | health::READY_PATH);
        match self.rates.as_ref().filter(|_| !is_probe).map(|rates| rates.check(client)) {
            None | Some(Ok(())) => Ok(client),
            Some(Err(wait)) => Err(too_often(wait)),
        }
    }
}

/// 429 (RFC 6585 §4) with `Retry-After`, in whole seconds.
fn too_often(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = format!("Too many requests from your address; try again in {seconds} s.");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "request.rate.exceeded", detail)
        .with_header(RETRY_AFTER, HeaderValue::from(seconds))
}
