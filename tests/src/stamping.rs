//! The smallest client of a timestamp service: one connection, kept alive, one request after the
//! other. For loads and for faults; what real clients do is tested with real clients.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(20);

/// The head and body of a POST of a `TimeStampReq`.
pub fn post(query: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: tsa\r\nContent-Type: application/timestamp-query\r\n\
         Content-Length: {}\r\n\r\n",
        query.len()
    );
    [head.as_bytes(), query].concat()
}

/// A connection that reads answers with a Content-Length.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// Whether it is a `TimeStampResp` with status granted(0).
    pub fn is_granted(&self) -> bool {
        // SEQUENCE with a length of two octets, PKIStatusInfo, INTEGER 0.
        self.status == 200 && self.body.get(4..9) == Some(&[0x30, 3, 2, 1, 0])
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody is there.
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024] })
    }

    /// Sends octets without waiting for an answer.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When the connection ends, or the answer does not come or is longer than 16 KiB.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.send(request)?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if let Some((status, start, length)) = head(&self.buffer[..filled])
                && filled >= start + length
            {
                return Ok(Answer { status, body: &self.buffer[start..start + length] });
            }
        }
    }
}

/// The status, where the body begins, and how long it is, once the head is there.
fn head(octets: &[u8]) -> Option<(u16, usize, usize)> {
    let end = octets.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&octets[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })?;
    Some((status, end + 4, length))
}
