//! The page and a release folder over HTTP on loopback, with the headers that a site should send.
//!
//! Static files, GET and HEAD, one request a connection: enough for a demo and for browser tests,
//! and no server for anything else.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long a browser may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);
/// No browser sends more; stops a request without an end.
const REQUEST_BYTES: u64 = 32 * 1024;

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct PageServer {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// What is served.
#[derive(Clone, Debug)]
pub struct Content {
    /// Folders, looked through in this order.
    pub folders: Vec<PathBuf>,
    /// Origins besides its own that the page may ask: those of the CRLs.
    pub reachable: Vec<String>,
}

impl PageServer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(content: Content) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopping);
        let content = Arc::new(content);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if flag.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let content = Arc::clone(&content);
                // A browser that goes away in the middle is no fault of ours.
                thread::spawn(move || drop(answer(&stream, &content)));
            }
        });
        Ok(Self { address, stopping, accepting: Some(accepting) })
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // One more connection wakes the loop.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn answer(stream: &TcpStream, content: &Content) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(REQUEST_BYTES)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The headers are read to their end, else closing would reset the connection.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let found = if matches!(method, "GET" | "HEAD") { find(target, content) } else { None };
    let mut stream = stream;
    if let Some(path) = found {
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        write!(stream, "{}", head("200 OK", media_type(&path), length, content))?;
        if method == "GET" {
            io::copy(&mut file.take(length), &mut stream)?;
        }
    } else {
        let text = "There is nothing here.\n";
        let length = text.len() as u64;
        let head = head("404 Not Found", "text/plain; charset=utf-8", length, content);
        write!(stream, "{head}{text}")?;
    }
    stream.flush()?;
    stream.shutdown(Shutdown::Write)
}

/// The file that a request's target names in one of the folders.
fn find(target: &str, content: &Content) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?;
    let decoded = percent_decoded(path.strip_prefix('/')?)?;
    let relative = Path::new(&decoded);
    // No way out of the folder.
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    content.folders.iter().find_map(|folder| {
        let path = folder.join(relative);
        let path = if path.is_dir() { path.join("index.html") } else { path };
        fs::metadata(&path).is_ok_and(|data| data.is_file()).then_some(path)
    })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            octets.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            octets.push(octet);
        }
    }
    String::from_utf8(octets).ok()
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        "crl" => "application/pkix-crl",
        _ => "application/octet-stream",
    }
}

/// The head of an answer, with the headers of docs/embedding.md.
fn head(status: &str, media_type: &str, length: u64, content: &Content) -> String {
    let mut connect = "'self'".to_owned();
    for origin in &content.reachable {
        connect.push(' ');
        connect.push_str(origin);
    }
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         connect-src {connect}; worker-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types countersign"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\
         Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\n\
         Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n\
         Cache-Control: no-cache\r\nConnection: close\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &PageServer, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address).expect("it listens");
        write!(stream, "{request} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn serves_its_folders_and_nothing_above() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).expect("a folder in it");
        fs::write(folder.path().join("secret"), "no").expect("written");
        fs::write(inner.join("a b.txt"), "yes").expect("written");
        let content = Content { folders: vec![inner], reachable: Vec::new() };
        let server = PageServer::start(content).expect("it starts");
        let found = ask(&server, "GET /a%20b.txt?x=1");
        assert!(found.starts_with("HTTP/1.1 200") && found.ends_with("\r\n\r\nyes"), "{found}");
        assert!(found.contains("default-src 'none'"), "{found}");
        assert!(ask(&server, "HEAD /a%20b.txt").ends_with("\r\n\r\n"));
        for target in ["/../secret", "/%2e%2e/secret", "//etc/passwd", "/%", "/none", "secret"] {
            let refused = ask(&server, &format!("GET {target}"));
            assert!(refused.starts_with("HTTP/1.1 404"), "{target}: {refused}");
        }
        assert!(ask(&server, "POST /a%20b.txt").starts_with("HTTP/1.1 404"));
    }
}
