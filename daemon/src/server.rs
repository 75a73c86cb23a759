//! The accept loop: the one place where a service meets a socket.
//!
//! `warp::service(routes)` → the guard (`guard.rs`) → the observer (`observe.rs`) → hyper's HTTP/1 and HTTP/2 →
//! TLS if the listener has it. A listener that is full stops accepting (the system's queue holds
//! the rest) and has its idle connections closed; an accept error never ends the loop.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tower::ServiceBuilder;
use warp::{Filter, Rejection, Reply};

use crate::activity::Pressure;
use crate::admission::Admission;
use crate::connection::{self, Shared};
use crate::descriptors;
use crate::guard::GuardLayer;
use crate::limits::Limits;
use crate::metrics::{ConnectionFigures, HttpFigures};
pub use crate::observe::PathClasses;
use crate::observe::{ObserveLayer, default_path_classes};
use crate::peer::TrustedProxies;
use crate::per_address::PerAddress;
use crate::rate::{RateLimits, RateSettings};
use crate::reception::Reception;
use crate::shutdown::Shutdown;
use crate::tls::Tls;

/// The first and the longest pause after an accept error of the machine (no file descriptors, no
/// memory): the loop must neither spin nor end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
const MAX_ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// One listener of a service, not yet listening.
#[derive(Debug, Clone)]
pub struct Server {
    service: &'static str,
    listener: &'static str,
    limits: Limits,
    tls: Option<Tls>,
    path_classes: PathClasses,
    proxies: Arc<TrustedProxies>,
    rate: Option<RateSettings>,
    reception: Option<Reception>,
}

/// How a listener ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open when the drain's time was over, and were cut.
    pub cut_connections: usize,
}

impl Server {
    /// A server for the listener called `listener` ("public", "admin") of the program `service`.
    pub fn new(service: &'static str, listener: &'static str) -> Self {
        Self {
            service,
            listener,
            limits: Limits::default(),
            tls: None,
            path_classes: default_path_classes,
            proxies: Arc::default(),
            rate: None,
            reception: None,
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: impl Into<Limits>) -> Self {
        self.limits = limits.into();
        self
    }

    /// Speaks TLS on this listener.
    #[must_use]
    pub fn with_tls(mut self, tls: impl Into<Option<Tls>>) -> Self {
        self.tls = tls.into();
        self
    }

    /// Names the class of each path in the access log.
    #[must_use]
    pub fn with_path_classes(mut self, path_classes: PathClasses) -> Self {
        self.path_classes = path_classes;
        self
    }

    /// Believes these proxies when they say for whom they ask.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = Arc::new(proxies);
        self
    }

    /// Limits how often one client may ask; the refusal is 429 with the code `request.rate.exceeded`.
    #[must_use]
    pub fn with_rate(mut self, rate: impl Into<Option<RateSettings>>) -> Self {
        self.rate = rate.into();
        self
    }

    /// Decides about each request before its body is read; without one, every body of the limits' size is.
    #[must_use]
    pub fn with_reception(mut self, reception: Reception) -> Self {
        self.reception = Some(reception);
        self
    }

    /// Serves `routes` on `listener` until `shutdown`, then drains: open requests get the drain
    /// time of the limits, after which every connection is cut.
    ///
    /// Prints and logs where it listens. Rejections need no `recover`: they become problems.
    pub async fn serve<F>(self, listener: TcpListener, routes: F, shutdown: Shutdown) -> Drained
    where
        F: Filter<Error = Rejection> + Clone + Send + Sync + 'static,
        F::Extract: Reply,
    {
        let (pressure, watched) = watch::channel(Pressure::default());
        let service = ServiceBuilder::new()
            .layer(self.observe_layer())
            .layer(GuardLayer::new(
                self.limits,
                self.reception.clone(),
                Arc::clone(&self.proxies),
                pressure.clone(),
            ))
            .service(warp::service(routes));
        let figures = ConnectionFigures::new(self.listener);
        let shared = Shared {
            limits: self.limits,
            tls: self.tls.clone(),
            pressure: watched,
            figures: figures.clone(),
        };
        if let Some(tls) = &self.tls {
            tls.report_expiry(self.listener);
        }
        let per_address =
            PerAddress::new(self.limits.max_connections_per_address, Arc::clone(&self.proxies));
        let total = descriptors::affordable(self.limits.max_connections);
        if total < self.limits.max_connections {
            tracing::warn!(
                listener = self.listener,
                max_connections = total,
                wanted = self.limits.max_connections,
                "the limit of open files allows fewer connections"
            );
        }
        self.announce(&listener);
        let free = Arc::new(Semaphore::new(total));
        let places = Places { free, total, pressure, figures: figures.clone() };
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.requested() => break,
                accepted = places.accept(&listener) => accepted,
                // Reaps finished connections while it waits.
                Some(_) = connections.join_next() => continue,
            };
            // All that have ended: one for each new one would let them pile up.
            while connections.try_join_next().is_some() {}
            let (stream, peer, place) = accepted;
            let Some(of_address) = per_address.take(peer.ip()) else {
                figures.per_address.increment(1);
                tracing::debug!(%peer, "too many connections from one address");
                continue;
            };
            let open = figures.open();
            let serving = connection::serve(stream, peer, service.clone(), shared.clone());
            connections.spawn(async move {
                serving.await;
                drop((place, of_address, open));
            });
        }
        drop(listener);
        places.tell(|pressure| &mut pressure.draining, true);
        self.drain(connections).await
    }

    fn observe_layer(&self) -> ObserveLayer {
        ObserveLayer {
            listener: self.listener,
            path_classes: self.path_classes,
            admission: Admission {
                proxies: Arc::clone(&self.proxies),
                rates: self.rate.map(|rate| Arc::new(RateLimits::new(rate))),
            },
            figures: Arc::new(HttpFigures::new(self.listener)),
        }
    }

    async fn drain(&self, mut connections: JoinSet<()>) -> Drained {
        let deadline = Instant::now() + self.limits.drain_timeout;
        let all_ended =
            timeout_at(deadline, async { while connections.join_next().await.is_some() {} });
        let cut_connections = if all_ended.await.is_ok() { 0 } else { connections.len() };
        connections.shutdown().await;
        tracing::info!(listener = self.listener, cut_connections, "listener closed");
        Drained { cut_connections }
    }

    fn announce(&self, listener: &TcpListener) {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match listener.local_addr() {
            Ok(address) => {
                let (service, name) = (self.service, self.listener);
                // A closed standard output is no reason not to serve.
                let line = format!("{service}: {name} listening on {scheme}://{address}\n");
                let _ = io::stdout().write_all(line.as_bytes());
                let _ = io::stdout().flush();
                tracing::info!(listener = name, %address, scheme, "listening");
            }
            Err(error) => {
                tracing::warn!(listener = self.listener, %error, "the listener has no address");
            }
        }
    }
}

/// The cause of pressure that places are.
const FULL: fn(&mut Pressure) -> &mut bool = |pressure| &mut pressure.places;

/// The places of a listener, and what it tells its connections of them.
struct Places {
    free: Arc<Semaphore>,
    total: usize,
    pressure: watch::Sender<Pressure>,
    figures: ConnectionFigures,
}

impl Places {
    /// The next connection, once there is a place for it.
    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let place = self.take().await;
        let mut pause = ACCEPT_PAUSE;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, place),
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections; trying again");
                    self.tell(FULL, true);
                    sleep(pause).await;
                    pause = (pause * 2).min(MAX_ACCEPT_PAUSE);
                }
            }
        }
    }

    async fn take(&self) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            // Some room, not just one place: else every end of a connection would wake them all.
            if self.free.available_permits() >= self.total / 16 {
                self.tell(FULL, false);
            }
            return place;
        }
        if self.tell(FULL, true) {
            self.figures.full.increment(1);
            tracing::warn!(
                connections = self.total,
                "every connection is taken; idle ones are closed early"
            );
        }
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(place) => place,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Tells every connection; the answer is whether that was news.
    fn tell(&self, cause: fn(&mut Pressure) -> &mut bool, is_so: bool) -> bool {
        self.pressure.send_if_modified(|now| std::mem::replace(cause(now), is_so) != is_so)
    }
}

/// Whether an accept error concerns one connection, which is gone, and not the machine.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
