//! A client that does what it is told, byte by byte: no library that would tidy a path or follow
//! HTTP's rules for us.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A reply, taken apart.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The code of a problem.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

/// Sends one request in plain HTTP/1.1.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    try_send(address, method, path, headers, body).expect("a reply")
}

/// As [`send`], to a service that may be gone.
///
/// # Errors
/// When it is gone, or the reply is cut short.
pub(crate) fn try_send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    exchange(connect(address)?, &head("1.1", method, path, headers, body), body)
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, "GET", path, &[], b"")
}

/// Sends one request in HTTP/1.0, as `openssl`, NSS and `ocsptool` do.
pub(crate) fn send_http10(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let stream = connect(address).expect("connected");
    exchange(stream, &head("1.0", method, path, headers, body), body).expect("a reply")
}

/// Sends one request over TLS.
///
/// # Errors
/// When the handshake fails or the connection breaks.
pub(crate) fn send_tls(
    address: SocketAddr,
    client: &Arc<ClientConfig>,
    method: &str,
    path: &str,
    body: &[u8],
) -> io::Result<Reply> {
    send_tls_with(address, client, (method, path), &[], body)
}

/// Sends one request over TLS, with headers. An order without a Content-Type gets the one that its path
/// takes, as every client of the service sends it.
///
/// # Errors
/// As [`send_tls`].
pub(crate) fn send_tls_with(
    address: SocketAddr,
    client: &Arc<ClientConfig>,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    let mut headers = headers.to_vec();
    if method == "POST" && !headers.iter().any(|(name, _)| *name == "Content-Type") {
        headers.push(("Content-Type", usual_media_type(path)));
    }
    send_tls_exactly(address, client, (method, path), &headers, body)
}

/// What the administration takes at a path.
fn usual_media_type(path: &str) -> &'static str {
    let path = path.split('?').next().unwrap_or_default();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["", "v1", "certificates"] => "application/pkix-cert",
        ["", "v1", "issuers", _, "crl"] => "application/pkix-crl",
        ["", "v1", "import"] => "application/x-ndjson",
        ["", "v1", "import", _] => "application/octet-stream",
        _ => "application/json",
    }
}

/// Sends one request over TLS with those headers and no others.
///
/// # Errors
/// As [`send_tls`].
pub(crate) fn send_tls_exactly(
    address: SocketAddr,
    client: &Arc<ClientConfig>,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    let name = ServerName::from(address.ip());
    let connection = ClientConnection::new(Arc::clone(client), name).map_err(io::Error::other)?;
    let stream = StreamOwned::new(connection, connect(address)?);
    exchange(stream, &head("1.1", method, path, headers, body), body)
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn head(version: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
    let mut lines = vec![
        format!("{method} {path} HTTP/{version}"),
        "Host: test".to_owned(),
        "Connection: close".to_owned(),
        format!("Content-Length: {}", body.len()),
    ];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    format!("{}\r\n\r\n", lines.join("\r\n"))
}

fn exchange(mut stream: impl Read + Write, head: &str, body: &[u8]) -> io::Result<Reply> {
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()?;
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        // A peer that closes without TLS's own goodbye has still said what it said: lengths are checked below.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !received.is_empty() => {}
        other => {
            other?;
        }
    }
    parse(&received)
}

fn parse(received: &[u8]) -> io::Result<Reply> {
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the reply is cut short");
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(cut)?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = received[end + 4..].to_vec();
    let reply = Reply { status: status.parse().map_err(io::Error::other)?, headers, body };
    let length = reply.header("content-length").and_then(|value| value.parse::<usize>().ok());
    match length {
        Some(length)
            if length > reply.body.len() && reply.status != 304 && !reply.body.is_empty() =>
        {
            Err(cut())
        }
        _ => Ok(reply),
    }
}
