//! How many connections one address may have open: a share, since clients behind one address
//! translator come from one address, and yet one client must not take every place. Trusted proxies
//! are never limited.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::peer::TrustedProxies;
use crate::rate::subscriber;

/// A subscriber has a whole network of IPv6 addresses.
const IPV6_PREFIX_LENGTH: u8 = 64;

/// Counts open connections by address; clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct PerAddress {
    most: usize,
    proxies: Arc<TrustedProxies>,
    open: Counts,
}

/// Open connections of each address that has any: bounded by the listener's connections.
type Counts = Arc<Mutex<HashMap<IpAddr, usize>>>;

impl PerAddress {
    pub(crate) fn new(most: usize, proxies: Arc<TrustedProxies>) -> Self {
        Self { most, proxies, open: Arc::default() }
    }

    /// A place for a connection from `address`, unless it has enough.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        if self.proxies.contains(address.to_canonical()) {
            return Some(Place(None));
        }
        let address = subscriber(address.to_canonical(), IPV6_PREFIX_LENGTH);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place(Some((address, Arc::clone(&self.open)))))
    }
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Option<(IpAddr, Counts)>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some((address, open)) = self.0.take() else { return };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&address);
            }
        }
    }
}

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
        assert!(limit.open.lock().expect("unpoisoned").is_empty());
    }
}
