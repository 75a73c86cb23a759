//! How far the requests of a connection are, and when the connection has had its time.
//!
//! A calm listener is patient. One that is full is not: whoever has sent half a body or takes no
//! octet of an answer makes room for others within seconds. Each request is looked at by itself: a
//! connection of HTTP/2 cannot cover a stuck request by making new ones.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::limits::Limits;

/// How long an idle connection may stay when the listener is full or stops.
const IDLE_UNDER_PRESSURE: Duration = Duration::from_secs(1);

/// How long a body may take to arrive when the listener is full: requests are a packet or two.
const BODY_UNDER_PRESSURE: Duration = Duration::from_secs(2);

/// How long a client may take no octet of an answer when the listener is full.
const PAUSE_UNDER_PRESSURE: Duration = Duration::from_secs(5);

/// How long octets that a client takes after its last request ended still count as activity: the
/// last piece of an answer may be on its way then. Later ones are acknowledgements of control
/// frames (PING, SETTINGS), with which a client could otherwise hold its place for ever.
const LAST_PIECE: Duration = Duration::from_secs(5);

/// What the listener is short of, and so asks of its connections. Each cause has an end of its own: a
/// free place says nothing of the room for bodies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pressure {
    /// Every place is taken: who does nothing makes room.
    pub(crate) places: bool,
    /// All room for bodies is taken: bodies that stopped half-way make room.
    pub(crate) bodies: bool,
    /// The service stops: finish what is open, take nothing new.
    pub(crate) draining: bool,
}

impl Pressure {
    fn on_idle(self) -> bool {
        self.places || self.draining
    }

    fn on_bodies(self) -> bool {
        self.places || self.bodies
    }

    fn on_answers(self) -> bool {
        self.places
    }
}

/// Why a connection has had its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// No request came.
    Idle,
    /// A body did not come, or an answer was not taken.
    Stuck,
}

/// What a connection does.
#[derive(Debug)]
pub(crate) struct Activity {
    born: Instant,
    begun_requests: AtomicU64,
    /// Milliseconds from `born` to the last beginning or end of a request.
    last_change_millis: AtomicU64,
    /// Milliseconds from `born` to the last octet that the client's side took.
    written_millis: AtomicU64,
    /// At most as many as a connection may have streams.
    open: Mutex<Vec<Arc<RequestClock>>>,
}

/// How far a request is; an extension of every request, which the guard moves on.
#[derive(Debug)]
pub(crate) struct RequestClock {
    begun_millis: u64,
    stage: AtomicU8,
    answered_millis: AtomicU64,
}

const READING: u8 = 0;
const HANDLING: u8 = 1;
const ANSWERING: u8 = 2;

impl RequestClock {
    /// The body is there.
    pub(crate) fn body_has_come(&self) {
        self.stage.store(HANDLING, Ordering::Release);
    }

    /// When the request has had its time, in milliseconds from the connection's birth.
    fn due_millis(&self, limits: &Limits, pressure: Pressure, written_millis: u64) -> u64 {
        let calm = self.begun_millis + millis(limits.request_timeout + limits.response_timeout);
        let pressed = match self.stage.load(Ordering::Acquire) {
            READING if pressure.on_bodies() => self.begun_millis + millis(BODY_UNDER_PRESSURE),
            ANSWERING if pressure.on_answers() => {
                let moved = self.answered_millis.load(Ordering::Acquire).max(written_millis);
                moved + millis(PAUSE_UNDER_PRESSURE)
            }
            _ => calm,
        };
        calm.min(pressed)
    }
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            born: Instant::now(),
            begun_requests: AtomicU64::new(0),
            last_change_millis: AtomicU64::new(0),
            written_millis: AtomicU64::new(0),
            open: Mutex::new(Vec::new()),
        }
    }

    fn now_millis(&self) -> u64 {
        millis(self.born.elapsed())
    }

    /// Says that something began or ended.
    pub(crate) fn mark(&self) {
        self.last_change_millis.store(self.now_millis(), Ordering::Release);
    }

    /// Nothing panics with the lock held.
    fn open(&self) -> MutexGuard<'_, Vec<Arc<RequestClock>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connection's time is over, as far as is known now, and what that means.
    fn due(&self, limits: &Limits, pressure: Pressure) -> (Instant, Lapse) {
        let written_millis = self.written_millis.load(Ordering::Acquire);
        let of_requests = self
            .open()
            .iter()
            .map(|request| request.due_millis(limits, pressure, written_millis))
            .min();
        if let Some(due_millis) = of_requests {
            return (self.born + Duration::from_millis(due_millis), Lapse::Stuck);
        }
        let has_asked = self.begun_requests.load(Ordering::Acquire) > 0;
        let calm = if has_asked { limits.idle_timeout } else { limits.header_timeout };
        let idle = if pressure.on_idle() { calm.min(IDLE_UNDER_PRESSURE) } else { calm };
        let changed = self.last_change_millis.load(Ordering::Acquire);
        let last_piece =
            if has_asked { written_millis.min(changed + millis(LAST_PIECE)) } else { 0 };
        let last = changed.max(last_piece);
        (self.born + Duration::from_millis(last) + idle, Lapse::Idle)
    }

    /// Ends when the connection has had its time. No request wakes this: it looks again at least
    /// once in the shortest allowance, and whenever the pressure changes.
    pub(crate) async fn lapse(
        &self,
        limits: &Limits,
        pressure: &mut watch::Receiver<Pressure>,
    ) -> Lapse {
        let of_requests = limits.request_timeout + limits.response_timeout;
        let step = limits.header_timeout.min(limits.idle_timeout).min(of_requests);
        loop {
            let now_pressure = *pressure.borrow_and_update();
            let (due, lapse) = self.due(limits, now_pressure);
            let now = Instant::now();
            if now >= due {
                return lapse;
            }
            let is_calm = now_pressure == Pressure::default();
            let step = if is_calm { step } else { step.min(IDLE_UNDER_PRESSURE) };
            tokio::select! {
                () = sleep_until(due.min(now + step)) => {}
                Ok(()) = pressure.changed() => {}
            }
        }
    }
}

/// A request that is open until this is dropped, with its answer's body.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    activity: Arc<Activity>,
    clock: Arc<RequestClock>,
}

impl OpenRequest {
    pub(crate) fn begin(activity: &Arc<Activity>) -> Self {
        let clock = Arc::new(RequestClock {
            begun_millis: activity.now_millis(),
            stage: AtomicU8::new(READING),
            answered_millis: AtomicU64::new(0),
        });
        activity.open().push(Arc::clone(&clock));
        activity.begun_requests.fetch_add(1, Ordering::AcqRel);
        activity.mark();
        Self { activity: Arc::clone(activity), clock }
    }

    pub(crate) fn clock(&self) -> Arc<RequestClock> {
        Arc::clone(&self.clock)
    }

    /// The answer is there, and now goes out.
    pub(crate) fn is_answered(&self) {
        self.clock.answered_millis.store(self.activity.now_millis(), Ordering::Release);
        self.clock.stage.store(ANSWERING, Ordering::Release);
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.activity.mark();
        self.activity.open().retain(|open| !Arc::ptr_eq(open, &self.clock));
    }
}

/// A stream that says when the other side took something.
#[derive(Debug)]
pub(crate) struct WatchedStream<I> {
    stream: I,
    activity: Arc<Activity>,
}

impl<I> WatchedStream<I> {
    pub(crate) fn new(stream: I, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        if matches!(outcome, Poll::Ready(Ok(length)) if *length > 0) {
            self.activity.written_millis.store(self.activity.now_millis(), Ordering::Release);
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for WatchedStream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WatchedStream<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}
