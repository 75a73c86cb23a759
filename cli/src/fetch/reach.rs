//! From where an address can be reached: this machine alone, a private network, the internet.
//!
//! A certificate's address, or a redirect, is a stranger's word. It must not make the program ask
//! a service that only this machine or this network can reach. Names are judged by what they
//! resolve to, when they are connected to.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// How far away an address is; what is closer is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// This machine itself.
    Machine,
    /// A network that is not the internet.
    Private,
    /// The internet.
    Public,
}

/// What IANA's registry of special-purpose addresses does not call globally reachable.
const PRIVATE_V4: [Ipv4Net; 12] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 0, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and what is reserved.
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4),
    Ipv4Net::new_assert(Ipv4Addr::new(240, 0, 0, 0), 4),
];
const PRIVATE_V6: [Ipv6Net; 7] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    Ipv6Net::new_assert(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
    Ipv6Net::new_assert(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];
/// `0.0.0.0` connects to this machine.
const UNSPECIFIED_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 8);
/// NAT64 and 6to4 carry an IPv4 address.
const NAT64: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const SIX_TO_FOUR: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

impl Reach {
    pub(super) fn of_address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if address.is_loopback() || UNSPECIFIED_V4.contains(&address) {
            Self::Machine
        } else if PRIVATE_V4.iter().any(|network| network.contains(&address)) {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let [_, first, second, .., sixth, seventh] = address.segments();
        let embedded = |high: u16, low: u16| {
            Self::of_v4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
        };
        if address.is_loopback() || address.is_unspecified() {
            Self::Machine
        } else if NAT64.contains(&address) {
            embedded(sixth, seventh)
        } else if SIX_TO_FOUR.contains(&address) {
            embedded(first, second)
        } else if PRIVATE_V6.iter().any(|network| network.contains(&address)) {
            Self::Private
        } else {
            Self::Public
        }
    }

    /// By the host as it is written; `None` for a name that must be resolved first.
    pub(super) fn of_host(url: &Url) -> Option<Self> {
        match url.host()? {
            Host::Ipv4(address) => Some(Self::of_address(address.into())),
            Host::Ipv6(address) => Some(Self::of_address(address.into())),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                // RFC 6761 §6.3.
                let is_here = name == "localhost" || name.ends_with(".localhost");
                is_here.then_some(Self::Machine)
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Machine => "this machine",
            Self::Private => "a private network",
            Self::Public => "the internet",
        }
    }
}

/// A name or address that leads closer than it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TooClose {
    host: String,
    reach: Reach,
}

impl TooClose {
    /// A host that is an address, or means this machine.
    pub(super) fn check(url: &Url, least: Reach) -> Result<(), Self> {
        match Reach::of_host(url) {
            Some(reach) if reach < least => {
                Err(Self { host: url.host_str().unwrap_or_default().to_owned(), reach })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for TooClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, reach } = self;
        write!(f, "a redirect leads to {host}, which is {}", reach.name())
    }
}

impl Error for TooClose {}

/// Resolves names, and gives only the addresses that are far enough away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    pub(super) least: Reach,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let least = self.least;
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            let permitted = permitted(host, found, least)?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

fn permitted(
    host: &str,
    mut found: Vec<SocketAddr>,
    least: Reach,
) -> Result<Vec<SocketAddr>, TooClose> {
    let closest = found.iter().map(|address| Reach::of_address(address.ip())).min();
    found.retain(|address| Reach::of_address(address.ip()) >= least);
    match closest {
        Some(reach) if found.is_empty() => Err(TooClose { host: host.to_owned(), reach }),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<Reach> {
        Reach::of_host(&Url::parse(&format!("http://{text}/")).expect("an address"))
    }

    #[test]
    fn this_machine_is_told_by_addresses_and_not_by_how_a_name_begins() {
        for here in [
            "127.0.0.1",
            "127.9.9.9",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "[::1]",
            "0.0.0.0",
            "[::]",
            "[::ffff:127.0.0.1]",
            "0x7f.1",
            "2130706433",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ] {
            assert_eq!(host(here), Some(Reach::Machine), "{here}");
        }
        for elsewhere in [
            "localhost.evil.example",
            "127.evil.example",
            "localhostevil.example",
            "127-0-0-1.example",
        ] {
            assert_eq!(host(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn private_networks_are_not_the_internet() {
        for private in [
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "255.255.255.255",
        ] {
            assert_eq!(host(private), Some(Reach::Private), "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "[2606:4700::1]", "11.0.0.1"] {
            assert_eq!(host(public), Some(Reach::Public), "{public}");
        }
    }

    #[test]
    fn a_name_is_judged_by_what_it_resolves_to() {
        let address = |text: &str| SocketAddr::new(text.parse().expect("an address"), 0);
        let (here, private, public) =
            (address("127.0.0.1"), address("10.0.0.1"), address("8.8.8.8"));
        assert_eq!(permitted("evil.example", vec![here, public], Reach::Public), Ok(vec![public]));
        let refused = permitted("evil.example", vec![private, here], Reach::Public);
        assert_eq!(
            refused.expect_err("both are close").to_string(),
            "a redirect leads to evil.example, which is this machine"
        );
        assert_eq!(permitted("x", vec![private, here], Reach::Private), Ok(vec![private]));
        assert_eq!(permitted("x", vec![here], Reach::Machine), Ok(vec![here]));
    }
}
