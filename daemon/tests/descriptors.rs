//! Running out of file descriptors. In a program of its own: the limit is the whole process's.

use std::time::Duration;

use countersign_daemon::limits::Limits;
use countersign_daemon::server::Server;
use countersign_daemon::shutdown::Shutdown;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use warp::Filter;

#[tokio::test]
async fn goes_on_after_running_out_of_file_descriptors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("address");
    let (_trigger, shutdown) = Shutdown::manual();
    let limits = Limits { header_timeout: Duration::from_mins(1), ..Limits::default() };
    let routes = warp::path!("hello").map(|| "hello");
    tokio::spawn(
        Server::new("test", "public").with_limits(limits).serve(listener, routes, shutdown),
    );

    let open_now =
        u64::try_from(std::fs::read_dir("/proc/self/fd").expect("listed").count()).expect("count");
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(open_now + 20), maximum: limit.maximum })
        .expect("set");
    // Each connection takes two descriptors here: after ten or so the server cannot accept, soon nor can we connect.
    let mut held = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        held.push(stream);
    }
    assert!(held.len() >= 10, "{}", held.len());
    drop(held.split_off(1));

    let asking = async {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(b"GET /hello HTTP/1.0\r\n\r\n").await.expect("written");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.expect("read");
        reply
    };
    let reply = tokio::time::timeout(Duration::from_secs(8), asking).await.expect("in time");
    assert!(reply.ends_with("hello"), "{reply}");
}
