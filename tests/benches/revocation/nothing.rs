//! A warp handler that does nothing, in a process of its own: this program, started again.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use warp::Filter;

/// Says to the program that it is to be the handler.
const VARIABLE: &str = "COUNTERSIGN_BENCH_NOTHING";

/// As long as an OCSP answer.
static BODY: [u8; 1200] = [0x30; 1200];

/// Whether this process is to be the handler.
pub(crate) fn is_asked_for() -> bool {
    env::var_os(VARIABLE).is_some()
}

/// Answers everything with the same octets, until it is killed.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listening");
        println!("{}", listener.local_addr().expect("an address"));
        let answer = warp::any().and(warp::body::bytes()).map(|_| {
            warp::reply::with_header(&BODY[..], "content-type", "application/ocsp-response")
        });
        warp::serve(answer).incoming(listener).run().await;
    });
}

/// The process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    address: String,
}

impl Process {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .env(VARIABLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut address = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut address).expect("its address");
        Self { child, address: address.trim().to_owned() }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
