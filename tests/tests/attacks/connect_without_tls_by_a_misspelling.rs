//! Who listens on the way to the database is glad of `sslmod=verify-full`: a parameter that nobody knows demanded
//! nothing.

use std::{fs, io::ErrorKind, net::TcpListener};

use countersign_tests::{
    programs::REVOCATION,
    scenario::{Limits, Site},
};

#[test]
fn an_address_with_an_unknown_parameter_is_connected_to_by_nobody() {
    let site = Site::found(&Limits::Usual).expect("founded");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("set");
    let place = listener.local_addr().expect("an address");
    let path = site.shell.folder().join("revocation.toml");
    let good = fs::read_to_string(&path).expect("a configuration");
    for parameter in ["sslmod=verify-full", "SSLMODE=verify-full", "sslmode=require&sslrootcrt=x"] {
        let address = format!("postgres://u:s3cret@{place}/r?{parameter}");
        let text = good.replace("\"revocation.db\"", &format!("\"{address}\""));
        assert_ne!(text, good);
        fs::write(&path, text).expect("written");
        for more in ["--check", ""] {
            let line = format!("timeout 20 {REVOCATION} --config revocation.toml {more}");
            let ran = site.shell.run(&line).expect("a shell");
            assert_eq!(ran.exit_code, 2, "{parameter}: {}", ran.said());
            assert!(ran.said().contains("unknown parameter"), "{}", ran.said());
            assert!(!ran.said().contains("s3cret"), "{}", ran.said());
        }
    }
    let connected = listener.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(connected, Err(ErrorKind::WouldBlock));
}
