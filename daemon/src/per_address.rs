//! How many connections one address may have open: a share, since clients behind one address
//! translator come from one address, and yet one client must not take every place. Trusted proxies
//! are never limited.

use std::net::IpAddr;
use std::sync::Arc;

use crate::client::subscriber_of;
use crate::peer::TrustedProxies;
use crate::shares::{Share, Shares};

/// Counts open connections by address; clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct PerAddress {
    proxies: Arc<TrustedProxies>,
    open: Shares<IpAddr>,
}

impl PerAddress {
    pub(crate) fn new(most: usize, proxies: Arc<TrustedProxies>) -> Self {
        Self { proxies, open: Shares::new(most) }
    }

    /// A place for a connection from `address`, unless it has enough.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        if self.proxies.contains(address) {
            return Some(Place(None));
        }
        let mut share = self.open.of(subscriber_of(address));
        share.take(1).then(|| Place(Some(share)))
    }
}

/// A connection's place, given back when dropped. Trusted proxies need none.
#[derive(Debug)]
pub(crate) struct Place(
    #[expect(dead_code, reason = "held until the connection ends")] Option<Share<IpAddr>>,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_and_trusted_proxies_need_none() {
        let proxies = TrustedProxies::try_from(vec!["10.0.0.1".to_owned()]).expect("networks");
        let limit = PerAddress::new(2, Arc::new(proxies));
        let address = |text: &str| text.parse::<IpAddr>().expect("address");
        let held = [limit.take(address("192.0.2.1")), limit.take(address("::ffff:192.0.2.1"))];
        assert!(held.iter().all(Option::is_some) && limit.take(address("192.0.2.1")).is_none());
        assert!(limit.take(address("192.0.2.2")).is_some());
        let network = [limit.take(address("2001:db8::1")), limit.take(address("2001:db8::2"))];
        assert!(
            network.iter().all(Option::is_some) && limit.take(address("2001:db8::3")).is_none()
        );
        drop(network);
        let of_proxy: Vec<_> = (0..5).map(|_| limit.take(address("10.0.0.1"))).collect();
        assert!(of_proxy.iter().all(Option::is_some));
        drop(held);
        assert!(limit.take(address("192.0.2.1")).is_some());
        assert!(limit.open.is_empty());
    }
}
