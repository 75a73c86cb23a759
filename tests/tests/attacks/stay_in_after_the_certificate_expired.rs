//! Who has a connection keeps it when the certificate runs out: TLS looks at the validity in the handshake alone.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::{forged::client, site::Site};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn an_open_connection_ends_with_the_certificate_that_opened_it() {
    let site = Site::start();
    client(&site, "brief", "email:admin@example.org", "clientAuth", "+6 seconds");
    let programs = site.founded.shell.programs();
    let mut command = programs.command("openssl", site.founded.shell.folder());
    command.args(["s_client", "-connect", site.service.address("admin"), "-quiet"]);
    command.args(["-cert", "brief.pem", "-key", "brief.key", "-pass", "file:passphrase"]);
    command.args(["-CAfile", "ca/root/certificate.pem"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut connection = command.spawn().expect("openssl");
    let mut input = connection.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(connection.stdout.take().expect("a pipe")).lines();
    let mut ask = || {
        let request = b"GET /v1/issuers HTTP/1.1\r\nHost: admin\r\n\r\n";
        input.write_all(request).and_then(|()| input.flush()).expect("the connection stands");
        // The body is one line of JSON without an end: the next answer begins on it.
        let status = lines.find_map(|line| {
            let line = line.expect("the connection stands");
            line.split_once("HTTP/1.1 ").map(|(_, status)| status[..3].to_owned())
        });
        status.expect("an answer")
    };
    assert_eq!(ask(), "200");
    let began = Instant::now();
    let status = loop {
        let status = ask();
        if status != "200" {
            break status;
        }
        assert!(began.elapsed() < PATIENCE, "still in");
        thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(status, "403");
    drop(input);
    let _ = connection.kill();
    connection.wait().expect("ended");
    // Nor does a new one let anybody in.
    assert_eq!(crate::forged::status(&site, "brief", "/v1/issuers"), "000");
}
