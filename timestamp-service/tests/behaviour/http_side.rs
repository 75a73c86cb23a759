//! What HTTP itself answers.

use std::fmt::Write;

use countersign_signing::profile::Profile;

use crate::rig::{Reply, Rig, authorities, exchange, new_name};
use crate::rows::plain_query;

pub(crate) async fn ask(
    rig: &Rig,
    method: &str,
    path: &str,
    media_type: Option<&str>,
    body: &[u8],
) -> Reply {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    if let Some(media_type) = media_type {
        write!(head, "Content-Type: {media_type}\r\n").expect("written");
    }
    exchange(rig.address, &[head.as_bytes(), b"\r\n", body].concat()).await
}

pub(crate) fn is_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status(), status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], status);
    assert_eq!(problem["request_id"].as_str(), reply.header("x-request-id"));
}

#[tokio::test]
async fn a_wrong_path_method_media_type_or_size_is_a_problem() {
    let rig = Rig::start().await;
    let query = Some("application/timestamp-query");
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let reply = ask(&rig, method, "/", query, b"").await;
        is_problem(&reply, 405, "request.method.not_allowed");
        assert_eq!(reply.header("allow"), Some("POST"));
    }
    is_problem(
        &ask(&rig, "POST", "/nowhere", query, &plain_query()).await,
        404,
        "request.path.unknown",
    );
    for media_type in [None, Some("application/timestamp-reply"), Some("text/plain")] {
        is_problem(
            &ask(&rig, "POST", "/", media_type, &plain_query()).await,
            415,
            "request.media_type.unsupported",
        );
    }
    is_problem(&ask(&rig, "POST", "/", query, &vec![0x30; 65_537]).await, 413, "request.too_large");
    // At the limit it is the protocol's to refuse.
    ask(&rig, "POST", "/", query, &vec![0x30; 65_536]).await.is_in_protocol();
}

#[tokio::test]
async fn old_chunking_and_oddly_spelling_clients_are_served() {
    let rig = Rig::start().await;
    let query = plain_query();
    let media_type = Some("Application/Timestamp-Query; charset=binary");
    ask(&rig, "POST", "/", media_type, &query).await.is_in_protocol();

    // HTTP/1.0 as osslsigncode sends it: no Host, no User-Agent. The answer is not chunked.
    let head = format!(
        "POST / HTTP/1.0\r\nContent-Type: application/timestamp-query\r\nContent-Length: {}\r\n\r\n",
        query.len()
    );
    let reply = exchange(rig.address, &[head.as_bytes(), &query].concat()).await;
    assert!(reply.status_line.starts_with("HTTP/1.0 200"), "{reply:?}");
    reply.is_in_protocol();

    let head = format!(
        "POST / HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\n\
         Content-Type: application/timestamp-query\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        query.len()
    );
    let chunked = [head.as_bytes(), &query, b"\r\n0\r\n\r\n"].concat();
    exchange(rig.address, &chunked).await.is_in_protocol();
}

/// All at once on one thread: each takes its place before the first is signed.
#[tokio::test]
async fn requests_that_are_too_many_are_refused_at_once_and_the_others_served() {
    const PLACES: usize = 4;
    let name = new_name();
    let chain = authorities().issue(&name, Profile::TimestampAuthority);
    let table = format!("[limits]\nmax_in_flight = {PLACES}\n");
    let text = authorities().configuration_with(&name, &table, crate::rig::POLICIES);
    let rig = std::sync::Arc::new(Rig::start_configured(&text, chain).await);
    let (mut served, mut refused) = (0, 0);
    let deadline = std::time::Instant::now() + crate::rig::PATIENCE;
    while refused == 0 {
        assert!(std::time::Instant::now() < deadline, "all of {served} were served");
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let rig = std::sync::Arc::clone(&rig);
                tokio::spawn(async move { rig.query(&plain_query()).await })
            })
            .collect();
        for asked in asking {
            let reply = asked.await.expect("answered");
            if reply.status() == 503 {
                is_problem(&reply, 503, "service.overloaded");
                assert!(reply.header("retry-after").is_some());
                refused += 1;
            } else {
                reply.is_in_protocol();
                served += 1;
            }
        }
    }
    assert!(served >= PLACES, "{served} served, {refused} refused");
    rig.token(&plain_query()).await;
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_again() {
    let name = new_name();
    let chain = authorities().issue(&name, Profile::TimestampAuthority);
    let table = "[rate]\nrequests_per_second = 1\nburst = 2\n";
    let text = authorities().configuration_with(&name, table, crate::rig::POLICIES);
    let rig = Rig::start_configured(&text, chain).await;
    let deadline = std::time::Instant::now() + crate::rig::PATIENCE;
    let refused = loop {
        assert!(std::time::Instant::now() < deadline, "it is never too often");
        let reply = rig.query(&plain_query()).await;
        if reply.status() != 200 {
            break reply;
        }
    };
    is_problem(&refused, 429, "request.rate.exceeded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Health is asked for by those who look after the service.
    assert_eq!(ask(&rig, "GET", "/livez", None, b"").await.status(), 200);
}
