//! A machine whose clock is set, and time sources that find it wrong.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use countersign_core::cms::SignedData;
use countersign_core::tsp::{FailureInfo, GenTime, TimestampResponse, TstInfo};
use countersign_daemon::clock::Clock;
use countersign_daemon::clock_monitor::{
    ClockMonitor, ClockSettings, Measurement, Measuring, Reading, Readings, SystemReadings,
    TimeSource,
};
use countersign_daemon::shutdown::Shutdown;
use countersign_signing::der;
use countersign_signing::profile::Profile;
use tokio::time::sleep;

use crate::http_side::ask;
use crate::rig::{PATIENCE, Rig, authorities, new_name};
use crate::rows::{NULL, SHA256, VERSION, imprint, plain_query, query};

/// One policy that leaves the clock a second, and one that leaves it 50 ms.
const POLICIES: &str = "\
[[policy]]
oid = \"1.2.3.1\"
[[policy]]
oid = \"1.2.3.2\"
accuracy_millis = 50
";

const MILLI: i64 = 1_000_000;

/// A machine: its clock and its oscillator.
#[derive(Debug, Clone)]
struct Machine(Arc<Mutex<Reading>>);

impl Machine {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(SystemReadings.read())))
    }

    fn set_clock(&self, step_millis: i64) {
        self.0.lock().expect("unpoisoned").realtime_nanos += step_millis * MILLI;
    }

    fn pass(&self, seconds: i64) {
        let mut now = self.0.lock().expect("unpoisoned");
        now.realtime_nanos += seconds * 1000 * MILLI;
        now.oscillator_nanos += seconds * 1000 * MILLI;
    }
}

impl Readings for Machine {
    fn read(&self) -> Reading {
        *self.0.lock().expect("unpoisoned")
    }
}

impl Clock for Machine {
    fn now(&self) -> SystemTime {
        let nanos = u64::try_from(self.read().realtime_nanos).expect("after 1970");
        SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
    }
}

/// A source that says how far the clock is off from what it was at first.
#[derive(Debug)]
struct Source {
    machine: Machine,
    first: Reading,
}

impl TimeSource for Source {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn measure(&self) -> Measuring<'_> {
        let now = self.machine.read();
        let elapsed = now.oscillator_nanos - self.first.oscillator_nanos;
        let offset_nanos = now.realtime_nanos - self.first.realtime_nanos - elapsed;
        let error_bound = Duration::from_millis(1);
        Box::pin(std::future::ready(Ok(Measurement { offset_nanos, error_bound })))
    }
}

async fn start(
    machine: &Machine,
    sources: Vec<Box<dyn TimeSource>>,
    settings: &ClockSettings,
) -> Rig {
    let name = new_name();
    let chain = authorities().issue(&name, Profile::TimestampAuthority);
    let text = authorities().configuration_with(&name, "", POLICIES);
    let (trigger, shutdown) = Shutdown::manual();
    let readings = Box::new(machine.clone());
    let monitor = ClockMonitor::start_with(settings, sources, readings, shutdown.clone());
    let clock = Arc::new(machine.clone());
    Rig::start_watched(&text, chain, clock, monitor, (trigger, shutdown)).await
}

/// What a query under a policy gets: its time, or the reason why there is none.
async fn stamped(rig: &Rig, policy: &str) -> Result<GenTime, FailureInfo> {
    let policy = der::oid(&policy.parse().expect("an object identifier"));
    let reply = rig.query(&query(VERSION, &imprint(SHA256, NULL, 32), &[policy])).await;
    reply.is_in_protocol();
    let response = TimestampResponse::decode(&reply.body).expect("a TimeStampResp");
    let Some(token) = response.token else { return Err(response.failure.expect("a reason")) };
    let content = SignedData::decode(token).expect("SignedData").content;
    Ok(TstInfo::decode(content).expect("a TSTInfo").gen_time)
}

/// Waits until a query under the policy is answered so.
async fn until(rig: &Rig, policy: &str, wanted: Result<(), FailureInfo>) {
    let start = Instant::now();
    while stamped(rig, policy).await.map(drop) != wanted {
        assert!(start.elapsed() < PATIENCE, "not {wanted:?} in time");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn ready(rig: &Rig) -> u16 {
    ask(rig, "GET", "/readyz", None, b"").await.status()
}

#[tokio::test]
async fn a_step_of_the_clock_stops_issuing_at_the_very_next_request_until_the_clock_has_settled() {
    let machine = Machine::new();
    let settings = ClockSettings { settle_seconds: 300, ..ClockSettings::default() };
    let rig = start(&machine, Vec::new(), &settings).await;
    let first = stamped(&rig, "1.2.3.1").await.expect("a token");
    assert_eq!(ready(&rig).await, 200);

    machine.set_clock(10_000);
    let (failure, text) = rig.refusal(&plain_query()).await;
    assert_eq!(failure, FailureInfo::TimeNotAvailable);
    assert!(text.contains("clock") && !text.contains("set forwards"), "{text}");
    assert_eq!(ready(&rig).await, 503);

    // It is set right again: nothing was stamped meanwhile, so time does not go backwards.
    machine.set_clock(-10_000);
    machine.pass(301);
    until(&rig, "1.2.3.1", Ok(())).await;
    assert_eq!(ready(&rig).await, 200);
    let last = stamped(&rig, "1.2.3.1").await.expect("a token");
    assert!((301..=302).contains(&last.seconds.seconds_since(first.seconds)));
}

#[tokio::test]
async fn a_policy_is_served_while_the_clock_keeps_the_accuracy_that_it_states() {
    let machine = Machine::new();
    let sources = || -> Vec<Box<dyn TimeSource>> {
        vec![Box::new(Source { machine: machine.clone(), first: machine.read() })]
    };
    let settings = ClockSettings {
        max_error_millis: 1500,
        max_step_millis: 5,
        poll_seconds: 16,
        ..ClockSettings::default()
    };
    let rig = start(&machine, sources(), &settings).await;
    for policy in ["1.2.3.1", "1.2.3.2"] {
        until(&rig, policy, Ok(())).await;
    }
    // The sources say how far off it is now: too far for the one, not for the other.
    machine.set_clock(200);
    until(&rig, "1.2.3.2", Err(FailureInfo::TimeNotAvailable)).await;
    until(&rig, "1.2.3.1", Ok(())).await;
    assert_eq!(ready(&rig).await, 200, "by the default policy");
    machine.set_clock(1000);
    until(&rig, "1.2.3.1", Err(FailureInfo::TimeNotAvailable)).await;
    assert_eq!(ready(&rig).await, 503);
    machine.set_clock(-1200);
    // It waits until the last token's time is not later than the clock by more than is left.
    for policy in ["1.2.3.1", "1.2.3.2"] {
        machine.pass(1);
        until(&rig, policy, Ok(())).await;
    }
    assert_eq!(ready(&rig).await, 200);
}
