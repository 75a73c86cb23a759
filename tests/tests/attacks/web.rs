//! A web server of the smallest kind: an attacker's, or a proxy.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// An answer.
pub(crate) struct Reply {
    /// The status line's end and further header lines.
    head: String,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn found(body: impl Into<Vec<u8>>) -> Self {
        Self { head: "200 OK\r\n".to_owned(), body: body.into() }
    }

    pub(crate) fn missing() -> Self {
        Self { head: "404 Not Found\r\n".to_owned(), body: Vec::new() }
    }

    /// To be repeated elsewhere, with that status.
    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self { head: format!("{status} Elsewhere\r\nLocation: {to}\r\n"), body: Vec::new() }
    }
}

/// The server; its threads end with the test's process.
pub(crate) struct Web {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// Answers what is asked at that address by a request's first line.
    pub(crate) fn start(
        address: &str,
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                // A client that hangs up early is its own affair.
                thread::spawn(move || serve(&stream, &log, &*answer));
            }
        });
        Self { url, asked }
    }

    /// The first lines of what it was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

fn serve(
    mut stream: &TcpStream,
    log: &Mutex<Vec<String>>,
    answer: &dyn Fn(&str) -> Reply,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = String::new();
    let mut length = 0;
    while reader.read_line(&mut header)? > 2 {
        let (name, value) = header.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or_default();
        }
        header.clear();
    }
    // What is left unread when the connection is closed would take the answer with it.
    io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    line.truncate(line.trim_end().len());
    let reply = answer(&line);
    log.lock().expect("unpoisoned").push(line);
    let (head, body) = (reply.head, reply.body);
    let head =
        format!("HTTP/1.1 {head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.into_bytes(), body].concat())
}
