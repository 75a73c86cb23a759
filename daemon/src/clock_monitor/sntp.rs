//! An NTP server, asked by SNTP (RFC 4330, RFC 5905 §14).
//!
//! One datagram a question, from a new socket that takes answers from that server only. Nothing
//! authenticates them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use sntpc::{Error, NtpContext, NtpResult, NtpUdpSocket, StdTimestampGen};
use tokio::net::{UdpSocket, lookup_host};

use super::source::{Measurement, Measuring, SourceError, TimeSource};

/// The port of NTP.
const PORT: u16 = 123;

/// An NTP server.
#[derive(Debug)]
pub(super) struct Sntp {
    name: String,
    /// Host and port, looked up again at each question.
    server: String,
}

impl Sntp {
    /// `server` is a host name or address, with or without a port.
    pub(super) fn new(name: &str, server: &str) -> Self {
        let bare_ipv6 = server.parse::<Ipv6Addr>().is_ok();
        let has_port = !bare_ipv6
            && server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let server = match (bare_ipv6, has_port) {
            (true, _) => format!("[{server}]:{PORT}"),
            (false, true) => server.to_owned(),
            (false, false) => format!("{server}:{PORT}"),
        };
        Self { name: name.to_owned(), server }
    }

    async fn ask(&self) -> Result<Measurement, SourceError> {
        let failed = |error: std::io::Error| SourceError::Failed(error.to_string());
        let address = lookup_host(&self.server).await.map_err(failed)?.next();
        let address = address.ok_or_else(|| SourceError::Failed("no address".to_owned()))?;
        let any = match address.ip() {
            IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any).await.map_err(failed)?;
        socket.connect(address).await.map_err(failed)?;
        let context = NtpContext::new(StdTimestampGen::default());
        match sntpc::get_time(address, &Connected(socket), context).await {
            Ok(answer) => Ok(measurement(&answer)),
            Err(Error::KissOfDeath(code)) => Err(SourceError::AskLess(format!("{code:?}"))),
            Err(error) => Err(SourceError::Failed(format!("{error:?}"))),
        }
    }
}

impl TimeSource for Sntp {
    fn name(&self) -> &str {
        &self.name
    }

    fn measure(&self) -> Measuring<'_> {
        Box::pin(self.ask())
    }
}

/// The root distance of RFC 5905 §11.2.3, from the server's part of it and our way to the server.
fn measurement(answer: &NtpResult) -> Measurement {
    let half_way = Duration::from_micros(answer.roundtrip / 2);
    let error_bound = half_way + short(answer.root_delay) / 2 + short(answer.root_dispersion);
    Measurement { offset_nanos: answer.offset.saturating_mul(-1000), error_bound }
}

/// NTP's short format: 16 bits of seconds, 16 of their fraction.
fn short(value: u32) -> Duration {
    Duration::from_nanos((u64::from(value) * 1_000_000_000) >> 16)
}

struct Connected(UdpSocket);

impl NtpUdpSocket for Connected {
    async fn send_to(&self, bytes: &[u8], _: SocketAddr) -> sntpc::Result<usize> {
        self.0.send(bytes).await.map_err(|_| Error::Network)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> sntpc::Result<(usize, SocketAddr)> {
        self.0.recv_from(buffer).await.map_err(|_| Error::Network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_the_port_of_ntp_unless_another_is_named() {
        for (server, want) in [
            ("time.example", "time.example:123"),
            ("time.example:1123", "time.example:1123"),
            ("192.0.2.1", "192.0.2.1:123"),
            ("2001:db8::1", "[2001:db8::1]:123"),
            ("[2001:db8::1]", "[2001:db8::1]:123"),
            ("[2001:db8::1]:99", "[2001:db8::1]:99"),
        ] {
            assert_eq!(Sntp::new("x", server).server, want);
        }
    }

    #[test]
    fn the_short_format_is_seconds_and_a_fraction() {
        assert_eq!(short(0x0001_8000), Duration::from_millis(1500));
        assert_eq!(short(u32::MAX).as_secs(), 65_535);
    }
}
