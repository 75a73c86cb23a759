//! A small load generator: some connections, kept alive, a thread for each, that ask each question in
//! turn.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// As many as the reference figures were made with.
const CONNECTIONS: usize = 16;
/// How long an answer may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request by POST, to the last octet.
pub(crate) fn post(body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /ocsp HTTP/1.1\r\nHost: ocsp\r\nContent-Type: application/ocsp-request\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// A request by GET.
pub(crate) fn get(base64: &str) -> Vec<u8> {
    format!("GET /ocsp/{base64} HTTP/1.1\r\nHost: ocsp\r\n\r\n").into_bytes()
}

/// Waits until the service says that it is ready.
pub(crate) fn wait_until_ready(address: &str) {
    let deadline = Instant::now() + PATIENCE;
    let request = b"GET /readyz HTTP/1.1\r\nHost: ocsp\r\n\r\n";
    while Connection::open(address).and_then(|mut it| it.ask(request).map(drop)).is_err() {
        assert!(Instant::now() < deadline, "it does not become ready");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What is sent, and where.
pub(crate) struct Load<'a> {
    address: &'a str,
    requests: &'a [Vec<u8>],
}

impl<'a> Load<'a> {
    pub(crate) fn new(address: &'a str, requests: &'a [Vec<u8>]) -> Self {
        Self { address, requests }
    }

    /// One request; the body of its answer.
    pub(crate) fn ask_once(&self) -> Vec<u8> {
        let mut connection = Connection::open(self.address).expect("connected");
        connection.ask(&self.requests[0]).expect("answered").to_vec()
    }

    /// Each of the first so many once, each connection its share of them.
    pub(crate) fn run_each_once(&self, requests: usize) {
        let requests = &self.requests[..requests.min(self.requests.len())];
        thread::scope(|scope| {
            for share in requests.chunks(requests.len().div_ceil(CONNECTIONS)) {
                scope.spawn(move || {
                    let mut connection = Connection::open(self.address).expect("connected");
                    for request in share {
                        connection.ask(request).expect("answered");
                    }
                });
            }
        });
    }

    /// Loads the service for so long; how many answers came.
    pub(crate) fn run(&self, duration: Duration) -> f64 {
        let end = Instant::now() + duration;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..CONNECTIONS)
                .map(|number| scope.spawn(move || self.run_one(number, end)))
                .collect();
            threads.into_iter().map(|thread| f64::from(thread.join().expect("answered"))).sum()
        })
    }

    fn run_one(&self, number: usize, end: Instant) -> u32 {
        let mut connection = Connection::open(self.address).expect("connected");
        let from = number * self.requests.len() / CONNECTIONS;
        let mut answers = 0;
        for request in self.requests.iter().cycle().skip(from) {
            if Instant::now() >= end {
                break;
            }
            connection.ask(request).expect("an answer");
            answers += 1;
        }
        answers
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
            if let Some((start, length)) = body(&self.buffer[..filled])?
                && filled >= start + length
            {
                return Ok(&self.buffer[start..start + length]);
            }
        }
    }
}

/// Where the body begins, and how long it is, once the header is there.
fn body(octets: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some(end) = octets.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&octets[..end]).map_err(io::Error::other)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(head.to_owned()));
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Ok(length.map(|length| (end + 4, length)))
}
