//! A small load generator: so many connections, kept alive, a thread for each.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// How long an answer may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(10);

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
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: tsa\r\nContent-Type: application/timestamp-query\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        Self { address: address.to_owned(), request, connections }
    }

    /// One request; the body of its answer.
    pub(crate) fn ask_once(&self) -> Vec<u8> {
        let mut connection = Connection::open(&self.address).expect("connected");
        connection.ask(&self.request).expect("answered").to_vec()
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
            // TimeStampResp, PKIStatusInfo, granted(0).
            assert_eq!(answer.get(4..9), Some(&[0x30, 3, 2, 1, 0][..]), "no token");
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

/// A connection that reads answers with a Content-Length.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024] })
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if let Some((start, length)) = body(&self.buffer[..filled])
                && filled >= start + length
            {
                return Ok(&self.buffer[start..start + length]);
            }
        }
    }
}

/// Where the body begins, and how long it is, once the header is there.
fn body(octets: &[u8]) -> Option<(usize, usize)> {
    let end = octets.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&octets[..end]).ok()?;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })?;
    Some((end + 4, length))
}
