//! The program itself: arguments, exit codes, signals.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_signing::profile::Profile;

use crate::rig::{PATIENCE, authorities, exchange};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-timestamp"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status()
        .expect("kill");
    assert!(status.success());
}

fn exit_code(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("waited") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("killed");
    panic!("the program did not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn says_where_it_listens_reads_its_files_again_at_sighup_and_ends_at_sigterm() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let text = format!("{}[log]\nformat = \"json\"\n", authorities.configuration("tsa"));
    let mut child = program()
        .arg("--config")
        .arg(authorities.configuration_file(&text))
        .spawn()
        .expect("started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    let address = line
        .trim()
        .strip_prefix("countersign-timestamp: public listening on http://")
        .expect("an address");
    let address = address.parse().expect("an address");
    let mut log = BufReader::new(child.stderr.take().expect("stderr"));

    signal(&child, "HUP");
    let mut seen = String::new();
    while !seen.contains("signing key replaced") {
        assert!(log.read_line(&mut seen).expect("a line") > 0, "the log ended: {seen}");
    }
    let alive = exchange(address, b"GET /livez HTTP/1.0\r\n\r\n").await;
    assert_eq!(alive.status(), 200);

    signal(&child, "TERM");
    assert_eq!(exit_code(&mut child), Some(0));
    log.read_to_string(&mut seen).expect("the rest");
    let id = alive.header("x-request-id").expect("an identifier").to_owned();
    let access = seen.lines().find(|line| line.contains(&id)).expect("an access line");
    let access: serde_json::Value = serde_json::from_str(access).expect("JSON");
    assert_eq!(
        (&access["path"], &access["status"], &access["method"]),
        (&"/livez".into(), &200.into(), &"GET".into())
    );
}

#[test]
fn check_answers_0_for_what_is_usable_and_2_with_the_reason_for_what_is_not() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let good = authorities.configuration("tsa");
    let unknown_key = format!("polices = 3\n{good}");
    let no_chain = good.replace("tsa.pem", "absent.pem");
    for (text, code, words) in
        [(&good, 0, ""), (&unknown_key, 2, "polices"), (&no_chain, 2, "absent.pem")]
    {
        let output = program()
            .arg("--check")
            .arg("--config")
            .arg(authorities.configuration_file(text))
            .output()
            .expect("ran");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(words), "{error}");
        assert!(error.matches("No such file").count() <= 1, "said twice: {error}");
    }
    let output = program().arg("--version").output().expect("ran");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("countersign-timestamp "));
}

#[test]
fn an_address_that_is_taken_is_3_and_an_environment_variable_wins() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("address").to_string();
    let output = program()
        .arg("--config")
        .arg(authorities.configuration_file(&authorities.configuration("tsa")))
        .env("COUNTERSIGN_TIMESTAMP_LISTEN", &address)
        .output()
        .expect("ran");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address));
}
