//! Each token is in the ledger before anybody has it.

use std::path::Path;

use countersign_core::cms::SignedData;
use countersign_core::digest::encode_hex;
use countersign_core::tsp::{FailureInfo, TstInfo};
use countersign_signing::profile::Profile;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::http_side::ask;
use crate::rig::{Rig, authorities, exchange, new_name};
use crate::rows::plain_query;

async fn start(folder: &Path, mode: &str) -> Rig {
    let name = new_name();
    let chain = authorities().issue(&name, Profile::TimestampAuthority);
    let table = format!("[audit]\nmode = \"{mode}\"\nfolder = \"{}\"\n", folder.display());
    let text = authorities().configuration_with(&name, &table, crate::rig::POLICIES);
    Rig::start_configured(&text, chain).await
}

/// The records of tokens, in their order.
fn records(folder: &Path) -> Vec<Value> {
    let texts = countersign_ledger::texts(folder).expect("whole");
    let lines = texts.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line["kind"] == "token").map(|mut line| line["record"].take()).collect()
}

#[tokio::test]
async fn a_token_is_on_record_when_it_is_there_and_nobodys_address_is() {
    for mode in ["strict", "relaxed"] {
        let folder = tempfile::tempdir().expect("a folder");
        let rig = start(folder.path(), mode).await;
        for count in 1..=3 {
            let token = rig.token(&plain_query()).await;
            let content = SignedData::decode(&token).expect("SignedData").content.to_vec();
            let info = TstInfo::decode(&content).expect("a TSTInfo");
            let records = records(folder.path());
            assert_eq!(records.len(), count, "{mode}");
            let record = &records[count - 1];
            assert_eq!(record["serial"], encode_hex(info.serial));
            assert_eq!(record["imprint"], encode_hex(info.message_imprint.digest));
            assert_eq!(record["hash_algorithm"], "sha256");
            assert_eq!(record["policy"], info.policy.to_string());
            assert_eq!(record["requester"], "loopback");
            assert_eq!(record["key_id"].as_str().expect("text").len(), 64);
            let gen_time = record["gen_time"].as_str().expect("text");
            assert!(gen_time.starts_with(info.gen_time.to_string().trim_end_matches('Z')));
        }
        // What gets no token is no record.
        rig.refusal(b"").await;
        assert_eq!(records(folder.path()).len(), 3);
        let text = countersign_ledger::texts(folder.path()).expect("whole").concat();
        assert!(!text.contains("127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_record_has_the_clients_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = new_name();
    let chain = authorities().issue(&name, Profile::TimestampAuthority);
    let lines = format!(
        "trusted_proxies = [\"127.0.0.1\"]\n[audit]\nfolder = \"{}\"\n",
        folder.path().display()
    );
    let text = authorities().configuration_with(&name, &lines, crate::rig::POLICIES);
    let rig = Rig::start_configured(&text, chain).await;
    let query = plain_query();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.77\r\n\
         Content-Type: application/timestamp-query\r\nContent-Length: {}\r\n\r\n",
        query.len()
    );
    exchange(rig.address, &[head.as_bytes(), &query].concat()).await.is_in_protocol();
    assert_eq!(records(folder.path())[0]["requester"], "192.0.0.0/16");
}

#[tokio::test]
async fn no_ledger_no_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let rig = start(folder.path(), "strict").await;
    rig.token(&plain_query()).await;
    // The disk is as good as full for files that may not grow; the signal that says so would end
    // the process.
    let _ignored = signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).expect("a handler");
    let before = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(0), ..before }).expect("a limit");
    let (failure, text) = rig.refusal(&plain_query()).await;
    let unready = ask(&rig, "GET", "/readyz", None, b"").await;
    setrlimit(Resource::Fsize, before).expect("the old limit");
    assert_eq!(failure, FailureInfo::SystemFailure, "{text}");
    assert_eq!(unready.status(), 503);
    assert!(String::from_utf8_lossy(&unready.body).contains("\"audit\",\"ready\":false"));
    // And when there is room again, it goes on by itself.
    let start = std::time::Instant::now();
    while rig.query(&plain_query()).await.body[4..9] != [0x30, 3, 2, 1, 0] {
        assert!(start.elapsed() < crate::rig::PATIENCE, "it does not recover");
    }
    assert!(records(folder.path()).len() >= 2);
}
