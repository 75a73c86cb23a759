//! How many requests an address may make: the generic cell rate algorithm of `governor`, by client.
//!
//! A client is an IPv4 address or an IPv6 network, since a subscriber has a whole /64 of those. The
//! memory is bounded: when there are more clients than places, new ones share a fixed number of
//! places among them, chosen by a keyed hash. Off unless configured; replicas do not share what they count.

mod store;

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::{Quota, RateLimiter};
use serde::Deserialize;

use self::store::BoundedStore;

use crate::config::ConfigError;
use crate::peer::ClientAddress;

/// Places of clients that have been quiet long enough are given back this often.
const TIDY_INTERVAL: Duration = Duration::from_secs(10);

/// The `[rate]` table. Without it there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSettings {
    /// Requests a second that one client may make on average. 1–1 000 000.
    pub requests_per_second: u32,
    /// Requests it may make at once after a pause. Default: as many as a second's. 1–1 000 000.
    #[serde(default)]
    pub burst: Option<u32>,
    /// Leading bits of an IPv6 address that make one client. Default 64, 32–128.
    #[serde(default = "default_ipv6_prefix_length")]
    pub ipv6_prefix_length: u8,
    /// Clients that are counted one by one, at about 100 bytes each. Default 100 000, 1–10 000 000.
    #[serde(default = "default_max_clients")]
    pub max_clients: usize,
}

fn default_ipv6_prefix_length() -> u8 {
    64
}

fn default_max_clients() -> usize {
    100_000
}

impl RateSettings {
    /// So many requests a second, else as by default.
    pub fn per_second(requests_per_second: u32) -> Self {
        Self {
            requests_per_second,
            burst: None,
            ipv6_prefix_length: default_ipv6_prefix_length(),
            max_clients: default_max_clients(),
        }
    }

    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let burst = self.burst.unwrap_or(self.requests_per_second);
        let clients = u64::try_from(self.max_clients).unwrap_or(u64::MAX);
        let rows = [
            ("rate.requests_per_second", self.requests_per_second.into(), 1, 1_000_000),
            ("rate.burst", burst.into(), 1, 1_000_000),
            ("rate.ipv6_prefix_length", self.ipv6_prefix_length.into(), 32, 128),
            ("rate.max_clients", clients, 1, 10_000_000),
        ];
        rows.into_iter().try_for_each(|(key, value, least, most)| {
            ConfigError::check_range(key, value, least..=most)
        })
    }
}

/// Counts the requests of each client.
#[derive(Debug)]
pub(crate) struct RateLimits<C: Clock = MonotonicClock> {
    limiter: RateLimiter<IpAddr, BoundedStore, C, NoOpMiddleware<C::Instant>>,
    ipv6_prefix_length: u8,
    tidied: Mutex<Instant>,
}

impl RateLimits {
    /// Out of range values are brought into range: [`RateSettings::validate`] has said so before.
    pub(crate) fn new(settings: RateSettings) -> Self {
        Self::with_clock(settings, MonotonicClock)
    }
}

impl<C: Clock> RateLimits<C> {
    fn with_clock(settings: RateSettings, clock: C) -> Self {
        let rate = NonZeroU32::new(settings.requests_per_second).unwrap_or(NonZeroU32::MIN);
        let burst = settings.burst.and_then(NonZeroU32::new).unwrap_or(rate);
        let quota = Quota::per_second(rate).allow_burst(burst);
        Self {
            limiter: RateLimiter::new(quota, BoundedStore::new(settings.max_clients), clock),
            ipv6_prefix_length: settings.ipv6_prefix_length,
            tidied: Mutex::new(Instant::now()),
        }
    }

    /// Counts one request of `client`.
    ///
    /// # Errors
    /// It is one too many: how long to wait for the next.
    pub(crate) fn check(&self, client: ClientAddress) -> Result<(), Duration> {
        self.tidy();
        let key = subscriber(client.0, self.ipv6_prefix_length);
        let now = self.limiter.clock().now();
        self.limiter.check_key(&key).map_err(|not_until| not_until.wait_time_from(now))
    }

    fn tidy(&self) {
        // Another thread that is at it does it for all.
        let Ok(mut tidied) = self.tidied.try_lock() else { return };
        if tidied.elapsed() >= TIDY_INTERVAL {
            *tidied = Instant::now();
            self.limiter.retain_recent();
        }
    }
}

/// The address with the bits cleared that its subscriber may choose.
fn subscriber(address: IpAddr, ipv6_prefix_length: u8) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(ipv6_prefix_length.into()))
                .unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn limits(settings: RateSettings) -> (RateLimits<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (RateLimits::with_clock(settings, clock.clone()), clock)
    }

    fn client(text: &str) -> ClientAddress {
        ClientAddress(text.parse().expect("address"))
    }

    #[test]
    fn a_burst_then_the_rate_and_the_wait_is_told() {
        let settings = RateSettings { burst: Some(3), ..RateSettings::per_second(2) };
        let (limits, clock) = limits(settings);
        let one = client("192.0.2.1");
        for _ in 0..3 {
            limits.check(one).expect("within the burst");
        }
        let wait = limits.check(one).expect_err("too many");
        assert!(
            wait > Duration::from_millis(400) && wait <= Duration::from_millis(500),
            "{wait:?}"
        );
        limits.check(client("192.0.2.2")).expect("another client");
        clock.advance(wait);
        limits.check(one).expect("after the wait");
        limits.check(one).expect_err("and no more");
    }

    #[test]
    fn a_subscribers_ipv6_addresses_are_one_client() {
        let (limits, _) = limits(RateSettings::per_second(1));
        limits.check(client("2001:db8::1")).expect("the first");
        limits.check(client("2001:db8::ffff:1")).expect_err("the same /64");
        limits.check(client("2001:db8:0:1::1")).expect("another /64");
        assert_eq!(subscriber(client("::1").0, 128), client("::1").0);
    }

    #[test]
    fn memory_is_bounded_and_a_flood_of_addresses_is_limited_together() {
        let settings = RateSettings { max_clients: 1000, ..RateSettings::per_second(1) };
        let (limits, clock) = limits(settings);
        let address = |number: u32| ClientAddress(IpAddr::V4(number.into()));
        let let_through =
            (0..100_000).filter(|number| limits.check(address(*number)).is_ok()).count();
        assert!(limits.limiter.len() <= 1000, "{}", limits.limiter.len());
        assert!(let_through <= 1000 + store::SHARED_PLACES, "{let_through}");
        // Known clients are still counted one by one, and places come back.
        clock.advance(Duration::from_secs(3));
        limits.limiter.retain_recent();
        assert_eq!(limits.limiter.len(), 0);
        limits.check(address(99_999)).expect("a place again");
    }

    #[test]
    fn names_the_key_that_is_out_of_range() {
        RateSettings::per_second(5).validate().expect("valid");
        let settings = RateSettings { ipv6_prefix_length: 129, ..RateSettings::per_second(5) };
        let error = settings.validate().expect_err("refused").to_string();
        assert!(error.contains("rate.ipv6_prefix_length"), "{error}");
    }
}
