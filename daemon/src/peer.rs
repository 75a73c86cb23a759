//! Who is on the other end of a connection, as request extensions.
//!
//! `warp::addr::remote()` is always `None` behind our accept loop. Routes read these instead:
//! `warp::ext::get::<PeerAddress>()`, `warp::ext::optional::<ClientCertificate>()`.

use std::net::SocketAddr;

use bytes::Bytes;

/// The address the connection came from; present in every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// The DER of the client certificate that the TLS handshake verified against the listener's client
/// CA; present only on a listener with mutual TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate(pub Bytes);
