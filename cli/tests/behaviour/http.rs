//! A web server of the smallest kind, and a timestamp authority behind it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::SystemTime,
};

use countersign_core::tsp::TimestampRequest;
use countersign_signing::{
    key::{FileKey, Passphrase, random_serial},
    pem,
    tsp::{Accuracy, TimestampPolicy, TimestampSigner},
};

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// Its header lines, in small letters but for their values.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

/// What it answers: the status line's end (`200 OK`), further header lines, the body.
pub(crate) struct Reply {
    pub(crate) status: &'static str,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: "200 OK", headers: String::new(), body: body.into() }
    }

    pub(crate) fn status(status: &'static str) -> Self {
        Self { status, headers: String::new(), body: Vec::new() }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self { headers: format!("Location: {to}\r\n"), ..Self::status("302 Found") }
    }

    /// A redirect after which a POST is repeated.
    pub(crate) fn repeat(to: &str) -> Self {
        Self { status: "307 Temporary Redirect", ..Self::redirect(to) }
    }
}

/// How it answers.
pub(crate) type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server; its thread ends with the test's process.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    answer: Arc<Mutex<Arc<Answer>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Mutex<Arc<Answer>>> = Arc::new(Mutex::new(Arc::new(answer)));
        let (log, current) = (Arc::clone(&requests), Arc::clone(&answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) =
                    (Arc::clone(&current.lock().expect("unpoisoned")), Arc::clone(&log));
                // One that hangs keeps nobody else waiting, and a client that hangs up early is
                // its own affair.
                thread::spawn(move || serve(stream, &log, &*answer));
            }
        });
        Self { url, requests, answer }
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        *self.answer.lock().expect("unpoisoned") = Arc::new(answer);
    }

    /// The first lines of what it was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("unpoisoned")
            .iter()
            .map(|request| request.line.clone())
            .collect()
    }

    /// What it was asked.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("unpoisoned").clone()
    }
}

/// Answers nothing, ever.
pub(crate) fn hang(_: &Request) -> Reply {
    loop {
        thread::park();
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Request>>, answer: &Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut length, mut headers) = (0, Vec::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        let name = name.to_ascii_lowercase();
        if name == "content-length" {
            length = value.trim().parse().expect("a length");
        }
        headers.push(format!("{name}: {}", value.trim()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = Request { line: line.trim().to_owned(), headers, body };
    log.lock().expect("unpoisoned").push(request.clone());
    let reply = answer(&request);
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
        reply.status,
        reply.body.len(),
        reply.headers
    )?;
    stream.write_all(&reply.body)
}

/// Answers timestamp requests with the key `tsa.key` and the certificate `tsa.pem` in `folder`.
pub(crate) fn timestamp_authority(
    folder: &Path,
    passphrase: &str,
) -> impl Fn(&Request) -> Reply + Send + Sync + use<> {
    let passphrase = Passphrase::new(passphrase).expect("a passphrase");
    let key = FileKey::open(&folder.join("tsa.key"), &passphrase).expect("a key");
    let chain = pem::read_certificates(&folder.join("tsa.pem")).expect("certificates");
    let policy = TimestampPolicy {
        policy: const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1"),
        accuracy: Accuracy::from_millis(1000).expect("not zero"),
    };
    let signer = TimestampSigner::new(Arc::new(key), chain, policy).expect("a signer");
    move |request| {
        let decoded = TimestampRequest::decode(&request.body).expect("a request");
        let serial = random_serial().expect("random numbers");
        Reply::ok(signer.respond(&decoded, SystemTime::now(), serial).expect("a token"))
    }
}
