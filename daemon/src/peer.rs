//! Who is on the other end of a connection, as request extensions.
//!
//! `warp::addr::remote()` is always `None` behind our accept loop. Routes read these instead:
//! `warp::ext::get::<PeerAddress>()`, `warp::ext::get::<ClientAddress>()`,
//! `warp::ext::optional::<ClientCertificate>()`.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::HeaderMap;
use ipnet::IpNet;
use serde::Deserialize;

/// The header in which proxies say for whom they ask; the one that is nearest to us writes last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Most proxies that are believed in one request: a header may be long.
const MAX_PROXIES: usize = 16;

/// The address the connection came from; present in every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// The address of the client: that of the connection, or what a trusted proxy says; present in
/// every request. An IPv4 address that came as an IPv6 one is IPv4 here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The DER of the client certificate that the TLS handshake verified against the listener's client
/// CA; present only on a listener with mutual TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate(pub Bytes);

/// Proxies whose `X-Forwarded-For` is believed: addresses and networks (`"10.0.0.0/8"`). None by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct TrustedProxies(Vec<IpNet>);

impl TryFrom<Vec<String>> for TrustedProxies {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let parse = |text: String| {
            let network = text.parse::<IpNet>().ok();
            network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).ok_or_else(|| {
                format!("{text:?} is neither an address nor a network like 10.0.0.0/8")
            })
        };
        texts.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    /// Whether `address` is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks: the peer, unless it is trusted; then what it says, and so on backwards through the
    /// header. Whatever comes before the first address that is not trusted could be a client's invention.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut client = peer.to_canonical();
        let values = headers.get_all(FORWARDED_FOR).iter();
        let mut told = values
            .rev()
            .map(|value| value.to_str().unwrap_or_default())
            .flat_map(|value| value.rsplit(','))
            .take(MAX_PROXIES);
        while self.contains(client) {
            let Some(next) = told.next().and_then(address_of) else { break };
            client = next;
        }
        ClientAddress(client)
    }
}

/// An address, with or without a port.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn client(proxies: &[&str], peer: &str, told: &[&'static str]) -> String {
        let proxies: Vec<String> = proxies.iter().map(|text| (*text).to_owned()).collect();
        let proxies = TrustedProxies::try_from(proxies).expect("networks");
        let mut headers = HeaderMap::new();
        for value in told {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        proxies.client(peer.parse().expect("address"), &headers).0.to_string()
    }

    #[test]
    fn a_header_is_believed_from_trusted_proxies_only_and_from_the_nearest_backwards() {
        const PROXIES: &[&str] = &["10.0.0.0/8", "2001:db8::1"];
        for (peer, told, want) in [
            ("192.0.2.1", &["1.1.1.1"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", &["1.1.1.1, 192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", &["1.1.1.1, 192.0.2.7 , 10.2.3.4"], "192.0.2.7"),
            ("10.0.0.1", &["1.1.1.1", "192.0.2.7", "10.2.3.4:81"], "192.0.2.7"),
            ("10.0.0.1", &["[2001:db8::7]:99"], "2001:db8::7"),
            ("2001:db8::1", &["::ffff:192.0.2.9"], "192.0.2.9"),
            ("::ffff:10.0.0.1", &["192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, 192.0.2.300"], "10.0.0.1"),
        ] {
            assert_eq!(client(PROXIES, peer, told), want, "{peer} {told:?}");
        }
        assert_eq!(client(&[], "10.0.0.1", &["1.1.1.1"]), "10.0.0.1");
    }

    #[test]
    fn refuses_what_is_no_network() {
        let error = TrustedProxies::try_from(vec!["10.0.0.0/33".to_owned()]).expect_err("refused");
        assert!(error.contains("10.0.0.0/33"), "{error}");
    }
}
