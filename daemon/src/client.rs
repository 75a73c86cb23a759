//! On whose account something is taken: the certificate that was shown, or the address.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::Extensions;

use crate::peer::{ClientAddress, ClientCertificate, TrustedProxies};
use crate::rate::subscriber;

/// A subscriber has a whole network of IPv6 addresses.
const IPV6_PREFIX_LENGTH: u8 = 64;

/// One client, whatever connections it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    Certificate(Bytes),
    Address(IpAddr),
}

impl Client {
    /// Who sent a request with these extensions; `None` for a proxy that does not say for whom it asks.
    pub(crate) fn of(request: &Extensions, proxies: &TrustedProxies) -> Option<Self> {
        if let Some(ClientCertificate(der)) = request.get() {
            return Some(Self::Certificate(der.clone()));
        }
        let address = request
            .get()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ClientAddress(address)| *address);
        let is_proxy = proxies.contains(address);
        (!is_proxy).then(|| Self::Address(subscriber_of(address)))
    }
}

/// The address by which a client counts.
pub(crate) fn subscriber_of(address: IpAddr) -> IpAddr {
    subscriber(address, IPV6_PREFIX_LENGTH)
}
