//! The room for requests' bodies: what a listener holds of them together until they are answered. The head of a
//! request whose body is still to come takes room too, and the answers that a client with a certificate gets.
//!
//! Connections times HTTP/2 streams times the limit of one body would be gigabytes, so all bodies share
//! one room. Two rules keep a client from taking it from the others: nobody gets more than a share, and
//! each connection has a little room of its own, in which requests of the usual size always fit.

use std::sync::Arc;

use http::{Extensions, HeaderMap};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::client::Client;
use crate::peer::TrustedProxies;
use crate::shares::{Share, Shares};

/// What all bodies of a listener may take together, in octets.
const ROOM: usize = 64 * 1024 * 1024;

/// The part of the room that one client may have: one in four.
const CLIENTS: usize = 4;

/// What each connection may take beside the shared room, in octets: a timestamp or OCSP request has some
/// hundreds.
const OF_CONNECTION: usize = 8 * 1024;

/// What the largest body may take of a share beside its own octets: its head.
const BESIDE_BODY: usize = 256 * 1024;

/// What a request takes in memory that waits for its body, and what each of its header's fields takes beside
/// its octets: HTTP/2 lets a client name a long field by one octet.
const OF_REQUEST: usize = 1024;
const OF_FIELD: usize = 96;

/// The room of one listener; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct BodyRoom {
    /// A permit for each octet.
    free: Arc<Semaphore>,
    total: usize,
    shares: Shares<Client>,
    proxies: Arc<TrustedProxies>,
}

/// The room that a connection has to itself; an extension of each of its requests.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionRoom(Arc<Semaphore>);

impl Default for ConnectionRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(OF_CONNECTION)))
    }
}

impl BodyRoom {
    /// Room for bodies of which the largest has `max_body_bytes`: one of them always fits.
    pub(crate) fn new(max_body_bytes: usize, proxies: Arc<TrustedProxies>) -> Self {
        let largest = max_body_bytes.saturating_add(BESIDE_BODY);
        let total = ROOM.max(largest);
        let shares = Shares::new((total / CLIENTS).max(largest));
        Self { free: Arc::new(Semaphore::new(total)), total, shares, proxies }
    }

    /// Room for the body of a request with these extensions; it holds nothing yet.
    pub(crate) fn lease(&self, request: &Extensions) -> Lease {
        let connection = request.get::<ConnectionRoom>().cloned();
        let client = Client::of(request, &self.proxies);
        let share = client.map(|client| self.shares.of(client));
        Lease { connection, room: self.clone(), share, held: Vec::new() }
    }

    /// Whether there is more room than for a body or two.
    pub(crate) fn has_room(&self) -> bool {
        self.free.available_permits() >= self.total / 16
    }
}

/// The room of one body, given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Option<ConnectionRoom>,
    room: BodyRoom,
    share: Option<Share<Client>>,
    /// One permit of each semaphore at most.
    held: Vec<OwnedSemaphorePermit>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// This client has its share.
    ForClient,
    /// All clients together have everything.
    ForAnybody,
}

impl Lease {
    /// Takes room for so many octets more.
    pub(crate) fn take(&mut self, octets: usize) -> Result<(), NoRoom> {
        let permits = u32::try_from(octets).map_err(|_| NoRoom::ForClient)?;
        let of_connection = self
            .connection
            .as_ref()
            .and_then(|ConnectionRoom(free)| Arc::clone(free).try_acquire_many_owned(permits).ok());
        let permit = match of_connection {
            Some(permit) => permit,
            None => self.take_shared(permits)?,
        };
        let same =
            self.held.iter_mut().find(|held| Arc::ptr_eq(held.semaphore(), permit.semaphore()));
        match same {
            Some(held) => held.merge(permit),
            None => self.held.push(permit),
        }
        Ok(())
    }

    /// Takes room for a head that waits for its body.
    pub(crate) fn take_head(&mut self, fields: &HeaderMap) -> Result<(), NoRoom> {
        let octets =
            fields.iter().map(|(name, value)| name.as_str().len() + value.len() + OF_FIELD);
        self.take(OF_REQUEST + octets.sum::<usize>())
    }

    fn take_shared(&mut self, octets: u32) -> Result<OwnedSemaphorePermit, NoRoom> {
        let may_have = self.share.as_mut().is_none_or(|share| share.take(octets as usize));
        if !may_have {
            return Err(NoRoom::ForClient);
        }
        let free = Arc::clone(&self.room.free);
        free.try_acquire_many_owned(octets).map_err(|_| NoRoom::ForAnybody)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::peer::{ClientAddress, ClientCertificate};

    fn room() -> BodyRoom {
        let proxies = TrustedProxies::try_from(vec!["10.0.0.1".to_owned()]).expect("networks");
        BodyRoom::new(64 * 1024, Arc::new(proxies))
    }

    fn from(address: &str) -> Extensions {
        let mut request = Extensions::new();
        request.insert(ClientAddress(address.parse().expect("address")));
        request
    }

    /// Takes pieces of 64 KiB until there are none left; returns the leases and why it ended.
    fn fill(room: &BodyRoom, request: &Extensions) -> (Vec<Lease>, NoRoom) {
        let mut leases = Vec::new();
        loop {
            let mut lease = room.lease(request);
            match lease.take(64 * 1024) {
                Ok(()) => leases.push(lease),
                Err(end) => return (leases, end),
            }
        }
    }

    #[test]
    fn one_client_gets_a_quarter_and_gives_it_back() {
        let room = room();
        let (held, end) = fill(&room, &from("192.0.2.1"));
        assert_eq!((held.len() * 64 * 1024, end), (ROOM / CLIENTS, NoRoom::ForClient));
        assert!(room.has_room());
        room.lease(&from("192.0.2.2")).take(64 * 1024).expect("room for another");
        drop(held);
        assert!(room.shares.is_empty());
        assert_eq!(room.free.available_permits(), ROOM);
    }

    #[test]
    fn a_connection_has_a_little_room_of_its_own_when_all_is_taken() {
        let room = room();
        let proxy = from("10.0.0.1");
        let (_held, end) = fill(&room, &proxy);
        assert_eq!(end, NoRoom::ForAnybody);
        assert!(!room.has_room());
        let mut request = from("192.0.2.2");
        assert_eq!(room.lease(&request).take(100), Err(NoRoom::ForAnybody));
        request.insert(ConnectionRoom::default());
        let mut first = room.lease(&request);
        first.take(100).expect("its own room");
        first.take(OF_CONNECTION - 100).expect("all of it");
        assert_eq!(room.lease(&request).take(1), Err(NoRoom::ForAnybody));
        drop(first);
        room.lease(&request).take(OF_CONNECTION).expect("room again");
    }

    #[test]
    fn a_head_counts_by_its_fields_and_not_by_what_it_took_to_send() {
        let room = room();
        let mut fields = HeaderMap::new();
        for _ in 0..1000 {
            fields.append("x", "y".parse().expect("a value"));
        }
        let mut heads = Vec::new();
        loop {
            let mut lease = room.lease(&from("192.0.2.1"));
            if lease.take_head(&fields).is_err() {
                break;
            }
            heads.push(lease);
        }
        assert!(heads.len() < ROOM / CLIENTS / (1000 * OF_FIELD), "{}", heads.len());
    }

    #[test]
    fn a_certificate_counts_and_not_the_address_that_it_comes_from() {
        let room = room();
        let with = |certificate: &'static [u8], address| {
            let mut request = from(address);
            request.insert(ClientCertificate(Bytes::from_static(certificate)));
            request
        };
        let (_held, _) = fill(&room, &with(b"one", "192.0.2.1"));
        let mut again = room.lease(&with(b"one", "192.0.2.2"));
        assert_eq!(again.take(64 * 1024), Err(NoRoom::ForClient));
        room.lease(&with(b"two", "192.0.2.1")).take(64 * 1024).expect("another's share");
    }
}
