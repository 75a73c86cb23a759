//! A small load generator: so many connections, kept alive, a thread for each.

use std::{
    thread,
    time::{Duration, Instant},
};

use countersign_tests::stamping::{Connection, post};

/// How requests follow each other.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection sends as soon as it was answered.
    AsFastAsAnswered,
    /// So many a second over all connections, at fixed times. A request that had to wait for the
    /// one before it took that long too: its time counts from when it was due.
    PerSecond(f64),
}

/// What is sent, where, and over how many connections.
pub(crate) struct Load {
    address: String,
    request: Vec<u8>,
    connections: usize,
}

/// What came of it.
pub(crate) struct Outcome {
    /// How long the run was.
    pub(crate) wall: Duration,
    /// In ascending order.
    latencies: Vec<Duration>,
}

impl Load {
    pub(crate) fn new(address: &str, body: &[u8], connections: usize) -> Self {
        Self { address: address.to_owned(), request: post(body), connections }
    }

    /// One request; the body of its answer.
    pub(crate) fn ask_once(&self) -> Vec<u8> {
        let mut connection = Connection::open(&self.address).expect("connected");
        connection.ask(&self.request).expect("answered").body.to_vec()
    }

    /// Loads the service for so long.
    ///
    /// # Panics
    /// When an answer is no token, or does not come.
    pub(crate) fn run(&self, pace: Pace, duration: Duration) -> Outcome {
        let start = Instant::now();
        let end = start + duration;
        let mut latencies: Vec<Duration> = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections)
                .map(|number| {
                    let times = Times::of(pace, start, number, self.connections);
                    scope.spawn(move || self.run_one(times, end))
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("answered")).collect()
        });
        latencies.sort_unstable();
        Outcome { wall: start.elapsed(), latencies }
    }

    fn run_one(&self, mut times: Times, end: Instant) -> Vec<Duration> {
        let mut connection = Connection::open(&self.address).expect("connected");
        let mut latencies = Vec::new();
        loop {
            let due = times.wait();
            if due >= end {
                return latencies;
            }
            let answer = connection.ask(&self.request).expect("an answer");
            assert!(answer.is_granted(), "no token");
            latencies.push(due.elapsed());
        }
    }
}

impl Outcome {
    /// How many answers came.
    pub(crate) fn answers_as_number(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).expect("not so many"))
    }

    /// The latency that so many of a hundred did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// When the requests of one connection are due.
struct Times {
    next: Instant,
    /// None: at once.
    step: Option<Duration>,
}

impl Times {
    fn of(pace: Pace, start: Instant, number: usize, connections: usize) -> Self {
        let Pace::PerSecond(rate) = pace else { return Self { next: start, step: None } };
        let small = |value: usize| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
        let between = Duration::from_secs_f64(1.0 / rate);
        let step = between.mul_f64(small(connections));
        Self { next: start + between.mul_f64(small(number)), step: Some(step) }
    }

    /// Waits until the next request is due; gives that time.
    fn wait(&mut self) -> Instant {
        let Some(step) = self.step else { return Instant::now() };
        let due = self.next;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        self.next += step;
        due
    }
}
