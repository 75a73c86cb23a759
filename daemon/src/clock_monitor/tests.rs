//! The monitor with clocks and sources that do as they are told, and against a server on loopback.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use super::*;
use crate::shutdown::Trigger;

mod chronyd;

const MILLI: i64 = 1_000_000;
const SECOND: i64 = 1000 * MILLI;

/// Clocks that a test moves.
#[derive(Debug, Clone)]
struct FakeClocks(Arc<Mutex<Reading>>);

impl FakeClocks {
    fn new() -> Self {
        let now = SystemReadings.read();
        Self(Arc::new(Mutex::new(Reading { suspended_nanos: 0, ..now })))
    }

    /// Time passes.
    fn pass(&self, duration: Duration) {
        let mut now = self.0.lock().expect("clocks");
        now.realtime_nanos += nanos(duration);
        now.oscillator_nanos += nanos(duration);
    }

    /// The clock is set forwards or backwards.
    fn step(&self, step_nanos: i64) {
        self.0.lock().expect("clocks").realtime_nanos += step_nanos;
    }

    /// The machine sleeps, and its clock is right afterwards.
    fn suspend(&self, duration: Duration) {
        let mut now = self.0.lock().expect("clocks");
        now.realtime_nanos += nanos(duration);
        now.suspended_nanos += nanos(duration);
    }
}

impl Readings for FakeClocks {
    fn read(&self) -> Reading {
        *self.0.lock().expect("clocks")
    }
}

/// A source that knows the true time: where the clocks stood at first.
#[derive(Debug, Clone)]
struct FakeSource {
    clocks: FakeClocks,
    origin: Reading,
    /// What it adds to the truth; nothing: it does not answer.
    lie: Arc<Mutex<Option<i64>>>,
    asked: Arc<AtomicU32>,
}

impl FakeSource {
    fn new(clocks: &FakeClocks) -> Self {
        let lie = Arc::new(Mutex::new(Some(0)));
        Self { clocks: clocks.clone(), origin: clocks.read(), lie, asked: Arc::default() }
    }

    fn lies(&self, lie: Option<i64>) {
        *self.lie.lock().expect("lie") = lie;
    }
}

impl TimeSource for FakeSource {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn measure(&self) -> Measuring<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let lie = *self.lie.lock().expect("lie");
        Box::pin(async move {
            let lie = lie.ok_or_else(|| SourceError::Failed("as planned".to_owned()))?;
            let offset_nanos = self.origin.drift_to(self.clocks.read()) + lie;
            Ok(Measurement { offset_nanos, error_bound: Duration::from_millis(10) })
        })
    }
}

struct Rig {
    clocks: FakeClocks,
    sources: Vec<FakeSource>,
    monitor: ClockMonitor,
    _trigger: Trigger,
}

impl Rig {
    async fn start(sources: usize) -> Self {
        let clocks = FakeClocks::new();
        let sources: Vec<FakeSource> = (0..sources).map(|_| FakeSource::new(&clocks)).collect();
        Self::start_with(clocks, sources).await
    }

    async fn start_with(clocks: FakeClocks, sources: Vec<FakeSource>) -> Self {
        let (trigger, shutdown) = Shutdown::manual();
        let boxed = sources.iter().map(|it| Box::new(it.clone()) as Box<dyn TimeSource>).collect();
        let settings = ClockSettings::default();
        let readings = Box::new(clocks.clone());
        let monitor = ClockMonitor::start_with(&settings, boxed, readings, shutdown);
        let rig = Self { clocks, sources, monitor, _trigger: trigger };
        rig.live(Duration::from_secs(2)).await;
        rig
    }

    /// Time passes for clocks and tasks together.
    async fn live(&self, duration: Duration) {
        let step = Duration::from_millis(500);
        for _ in 0..duration.as_millis() / step.as_millis() {
            self.clocks.pass(step);
            sleep(step).await;
        }
    }

    fn asked(&self) -> u32 {
        self.sources.iter().map(|source| source.asked.load(Ordering::SeqCst)).sum()
    }
}

#[tokio::test(start_paused = true)]
async fn is_trusted_once_more_than_half_have_answered() {
    let clocks = FakeClocks::new();
    let sources: Vec<FakeSource> = (0..3).map(|_| FakeSource::new(&clocks)).collect();
    sources[0].lies(None);
    sources[1].lies(None);
    let rig = Rig::start_with(clocks, sources).await;
    let mut watch = rig.monitor.watch();
    let too_few = Untrusted::NoMajority { answered: 1, sources: 3 };
    assert_eq!(rig.monitor.check(), Err(too_few));
    assert_eq!(*watch.borrow_and_update(), ClockState::Untrusted(too_few));
    assert!(rig.monitor.ready().expect_err("not ready").contains("1 of 3"));
    rig.sources[0].lies(Some(3 * MILLI));
    rig.live(Duration::from_secs(20)).await;
    let accuracy = rig.monitor.check().expect("trusted");
    assert!(accuracy.offset_nanos.is_some_and(|offset| (0..=3 * MILLI).contains(&offset)));
    assert!(accuracy.error_bound.expect("bound") >= Duration::from_millis(10));
    assert!(matches!(*watch.borrow_and_update(), ClockState::Trusted(_)));
}

#[tokio::test(start_paused = true)]
async fn a_step_is_seen_at_once_and_forgiven_when_it_is_undone() {
    let rig = Rig::start(3).await;
    rig.monitor.check().expect("trusted");
    for step in [2 * SECOND, -2 * SECOND, 3600 * SECOND] {
        rig.clocks.step(step);
        // No time has passed: nobody but the caller has looked.
        let found = rig.monitor.check();
        assert!(matches!(found, Err(Untrusted::Inaccurate { .. })), "{step}: {found:?}");
        rig.live(Duration::from_secs(100)).await;
        assert!(rig.monitor.check().is_err(), "the sources say the same");
        rig.clocks.step(-step);
        rig.monitor.check().expect("the clock is right again");
        rig.live(Duration::from_secs(100)).await;
        rig.monitor.check().expect("the sources say the same");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_right_is_trusted_as_soon_as_it_is() {
    let clocks = FakeClocks::new();
    let sources: Vec<FakeSource> = (0..3).map(|_| FakeSource::new(&clocks)).collect();
    clocks.step(-5 * SECOND);
    let rig = Rig::start_with(clocks, sources).await;
    let found = rig.monitor.check().expect_err("five seconds late");
    assert_eq!(found, Untrusted::Inaccurate { error_millis: 5011, max_error_millis: 500 });
    rig.clocks.step(5 * SECOND);
    rig.live(Duration::from_secs(1)).await;
    rig.monitor.check().expect("right");
}

#[tokio::test(start_paused = true)]
async fn one_liar_of_three_changes_nothing_and_two_that_differ_end_trust() {
    let rig = Rig::start(3).await;
    rig.sources[2].lies(Some(3600 * SECOND));
    rig.live(Duration::from_secs(100)).await;
    rig.monitor.check().expect("two of three agree");
    rig.sources[1].lies(Some(-3600 * SECOND));
    rig.live(Duration::from_secs(100)).await;
    assert_eq!(rig.monitor.check(), Err(Untrusted::Disagreement));
    rig.sources[1].lies(Some(0));
    rig.live(Duration::from_secs(100)).await;
    rig.monitor.check().expect("recovered by itself");
}

#[tokio::test(start_paused = true)]
async fn silence_is_borne_for_a_while_with_growing_doubt() {
    let rig = Rig::start(3).await;
    let at_first = rig.monitor.check().expect("trusted").error_bound.expect("bound");
    rig.sources.iter().for_each(|source| source.lies(None));
    rig.live(Duration::from_mins(30)).await;
    let later = rig.monitor.check().expect("held over").error_bound.expect("bound");
    // 100 ppm of half an hour.
    assert!(later > at_first + Duration::from_millis(170), "{later:?}");
    rig.live(Duration::from_mins(31)).await;
    let found = rig.monitor.check();
    assert_eq!(found, Err(Untrusted::NoMajority { answered: 0, sources: 3 }));
    rig.sources.iter().for_each(|source| source.lies(Some(0)));
    rig.live(Duration::from_secs(100)).await;
    rig.monitor.check().expect("recovered by itself");
}

#[tokio::test(start_paused = true)]
async fn after_a_suspension_the_sources_are_asked_at_once_but_not_too_often() {
    let rig = Rig::start(3).await;
    rig.live(Duration::from_secs(10)).await;
    let before = rig.asked();
    for _ in 0..10 {
        rig.clocks.suspend(Duration::from_mins(10));
        assert_eq!(rig.monitor.check(), Err(Untrusted::Suspended));
        rig.live(Duration::from_secs(1)).await;
    }
    rig.live(Duration::from_secs(8)).await;
    rig.monitor.check().expect("measured again");
    let asked = rig.asked() - before;
    assert!((3..=12).contains(&asked), "{asked} questions");
}

#[tokio::test(start_paused = true)]
async fn without_sources_a_step_is_doubted_until_the_clock_has_run_evenly() {
    let rig = Rig::start(0).await;
    let nothing_known = Accuracy { offset_nanos: None, error_bound: None };
    assert_eq!(rig.monitor.check(), Ok(nothing_known));
    rig.clocks.step(-SECOND);
    assert_eq!(rig.monitor.check(), Err(Untrusted::Stepped));
    rig.live(Duration::from_secs(290)).await;
    assert_eq!(rig.monitor.check(), Err(Untrusted::Stepped));
    rig.live(Duration::from_secs(20)).await;
    assert_eq!(rig.monitor.check(), Ok(nothing_known));
    // Slewing as an NTP daemon does is no step.
    for _ in 0..60 {
        rig.clocks.step(MILLI / 2);
        rig.live(Duration::from_secs(1)).await;
        assert_eq!(rig.monitor.check(), Ok(nothing_known));
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_before_2020_and_a_monitor_that_hangs_are_not_trusted() {
    let rig = Rig::start(0).await;
    rig.clocks.pass(STALLED_AFTER + Duration::from_secs(1));
    assert_eq!(rig.monitor.check(), Err(Untrusted::Stalled));
    let now = rig.clocks.read().realtime_nanos;
    rig.clocks.step(-now);
    assert_eq!(rig.monitor.check(), Err(Untrusted::Implausible));
}

/// An NTP server that is off by `offset_seconds`, answering `answers` times.
async fn ntp_server(offset_seconds: i64, stratum: u8) -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
    let address = socket.local_addr().expect("address");
    tokio::spawn(async move {
        let mut request = [0; 48];
        while let Ok((_, client)) = socket.recv_from(&mut request).await {
            let now = SystemReadings.read().realtime_nanos;
            // Seconds from 1900 to 1970 (RFC 868), and the fraction in 2^-32 s.
            let seconds = now / SECOND + 2_208_988_800 + offset_seconds;
            let fraction = ((now % SECOND) << 32) / SECOND;
            let time = (seconds << 32 | fraction).to_be_bytes();
            let mut reply = [0; 48];
            // No leap second, version 4, mode server; root delay and dispersion of 1/64 s each.
            reply[0] = 0b00_100_100;
            reply[1] = stratum;
            reply[4..8].copy_from_slice(&0x400_u32.to_be_bytes());
            reply[8..12].copy_from_slice(&0x400_u32.to_be_bytes());
            reply[12..16].copy_from_slice(if stratum == 0 { b"RATE" } else { b"TEST" });
            reply[16..24].copy_from_slice(&time);
            reply[24..32].copy_from_slice(&request[40..48]);
            reply[32..40].copy_from_slice(&time);
            reply[40..48].copy_from_slice(&time);
            let _ = socket.send_to(&reply, client).await;
        }
    });
    address
}

async fn ask_server(offset_seconds: i64, stratum: u8) -> Result<Measurement, SourceError> {
    let server = ntp_server(offset_seconds, stratum).await;
    let source = sntp::Sntp::new("test", &server.to_string());
    timeout(Duration::from_secs(8), source.measure()).await.expect("in time")
}

#[tokio::test]
async fn measures_against_a_real_server_on_loopback() {
    for offset_seconds in [0, -7, 3600] {
        let measured = ask_server(offset_seconds, 2).await.expect("measured");
        let error = measured.offset_nanos + offset_seconds * SECOND;
        assert!(error.abs() < 500 * MILLI, "{offset_seconds}: {measured:?}");
        let own = Duration::from_micros(15_625 / 2 + 15_625);
        assert!(measured.error_bound >= own, "{measured:?}");
    }
}

#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_is() {
    let refused = ask_server(0, 0).await;
    assert!(matches!(refused, Err(SourceError::AskLess(_))), "{refused:?}");
}

#[tokio::test]
async fn a_running_monitor_trusts_the_real_clock_by_real_servers() {
    let mut sources = Vec::new();
    for offset_seconds in [0, 0, 3600] {
        sources.push(format!("ntp:{}", ntp_server(offset_seconds, 2).await));
    }
    let (_trigger, shutdown) = Shutdown::manual();
    let settings = ClockSettings { sources, max_error_millis: 2000, ..ClockSettings::default() };
    let monitor = ClockMonitor::start(&settings, shutdown).expect("starts");
    let mut watch = monitor.watch();
    let trusted = watch.wait_for(|state| matches!(state, ClockState::Trusted(_)));
    timeout(Duration::from_secs(8), trusted).await.expect("in time").expect("watched");
    monitor.check().expect("trusted");
}
