//! What a single request gets.

use std::collections::HashSet;

use countersign_daemon::limits::Limits;
use tokio::io::AsyncWriteExt;

use crate::rig::{PATIENCE, Rig, body, header, read_until, short_limits};

fn problem(reply: &str) -> serde_json::Value {
    assert_eq!(header(reply, "content-type"), Some("application/problem+json"), "{reply}");
    serde_json::from_str(body(reply)).expect("a JSON object")
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_service_goes_on() {
    let rig = Rig::start(short_limits()).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"GET /panic HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    let reply = read_until(&mut stream, "}").await;
    assert!(reply.starts_with("HTTP/1.1 500"), "{reply}");
    assert_eq!(problem(&reply)["code"], "service.internal");
    assert!(!reply.contains("as asked"), "inner detail must stay in the log: {reply}");
    // The same connection still works.
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    read_until(&mut stream, "hello").await;
}

#[tokio::test]
async fn a_target_without_a_path_is_a_400_and_no_panic() {
    let rig = Rig::start(short_limits()).await;
    for method in ["CONNECT", "GET"] {
        let reply = rig
            .exchange(&format!("{method} tsa:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            .await;
        assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
    }
}

#[tokio::test]
async fn bodies_up_to_the_limit_pass_and_larger_ones_get_413() {
    let rig = Rig::start(short_limits()).await;
    let post = |length: usize| {
        let content = "x".repeat(length);
        format!(
            "POST /echo HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{content}"
        )
    };
    assert_eq!(body(&rig.exchange(&post(100)).await).len(), 100);
    for length in [101, 50_000] {
        let reply = rig.exchange(&post(length)).await;
        assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
        assert_eq!(problem(&reply)["code"], "request.too_large");
    }
    let huge = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 999999999999\r\n\r\n";
    assert!(rig.exchange(huge).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_gets_413() {
    let rig = Rig::start(short_limits()).await;
    let chunk = "x".repeat(0x40);
    let reply = rig
        .exchange(&format!(
            "POST /echo HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
             40\r\n{chunk}\r\n40\r\n{chunk}\r\n0\r\n\r\n"
        ))
        .await;
    assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
}

#[tokio::test]
async fn every_answer_has_its_own_request_id_also_in_its_problem() {
    let rig = Rig::start(short_limits()).await;
    let mut ids = HashSet::new();
    for path in ["/hello", "/hello", "/nothing", "/panic"] {
        let reply = rig.get(path).await;
        let id = header(&reply, "x-request-id").expect("an identifier").to_owned();
        assert_eq!(id.len(), 16);
        if path != "/hello" {
            assert_eq!(problem(&reply)["request_id"], id.as_str());
        }
        ids.insert(id);
    }
    assert_eq!(ids.len(), 4);
    let forged = rig
        .exchange(
            "GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\nX-Request-Id: mine\r\n\r\n",
        )
        .await;
    assert_ne!(header(&forged, "x-request-id"), Some("mine"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let rig = Rig::start(short_limits()).await;
    let reply = rig.get("/nothing").await;
    assert!(reply.starts_with("HTTP/1.1 404"), "{reply}");
    assert_eq!(problem(&reply)["code"], "request.path.unknown");
    let reply = rig.get("/echo").await;
    assert!(reply.starts_with("HTTP/1.1 405"), "{reply}");
}

#[tokio::test]
async fn a_handler_that_hangs_is_a_503() {
    let rig = Rig::start(short_limits()).await;
    let reply = rig.get("/gate").await;
    assert!(reply.starts_with("HTTP/1.1 503"), "{reply}");
    assert_eq!(problem(&reply)["code"], "service.timeout");
}

#[tokio::test]
async fn too_many_requests_in_flight_get_503_with_retry_after_but_probes_do_not() {
    let limits = Limits { max_in_flight: 1, request_timeout: PATIENCE, ..short_limits() };
    let rig = Rig::start(limits).await;
    let mut waiting = rig.connect().await;
    waiting
        .write_all(b"GET /gate HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        .await
        .expect("written");
    // Until the gated request has its place, others are let in.
    let start = std::time::Instant::now();
    let reply = loop {
        let reply = rig.get("/hello").await;
        if !reply.starts_with("HTTP/1.1 200") {
            break reply;
        }
        assert!(start.elapsed() < PATIENCE);
    };
    assert!(reply.starts_with("HTTP/1.1 503"), "{reply}");
    assert_eq!(header(&reply, "retry-after"), Some("1"));
    assert_eq!(problem(&reply)["code"], "service.overloaded");
    assert!(rig.get("/livez").await.starts_with("HTTP/1.1 200"));
    rig.gate.notify_one();
    read_until(&mut waiting, "through").await;
    assert!(rig.get("/hello").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn readiness_names_each_check_and_its_reason() {
    let rig = Rig::start(short_limits()).await;
    assert!(rig.get("/livez").await.starts_with("HTTP/1.1 200"));
    let reply = rig.get("/readyz").await;
    assert!(reply.starts_with("HTTP/1.1 503"), "{reply}");
    let report: serde_json::Value = serde_json::from_str(body(&reply)).expect("JSON");
    assert_eq!(report["ready"], false);
    assert_eq!(report["checks"][0], serde_json::json!({"name": "good", "ready": true}));
    assert_eq!(report["checks"][1]["reason"], "the moon is full");
    let reply =
        rig.exchange("DELETE /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 405"), "{reply}");
    assert_eq!(header(&reply, "allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn routes_see_the_peers_address() {
    let rig = Rig::start(short_limits()).await;
    let mut stream = rig.connect().await;
    let address = stream.local_addr().expect("address").to_string();
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    read_until(&mut stream, &format!("{address} 0")).await;
}

#[tokio::test]
async fn a_refused_request_is_answered_before_its_body_is_asked_for() {
    let rig = Rig::start(short_limits()).await;
    let reply = rig
        .exchange(
            "POST /closed HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        )
        .await;
    assert!(reply.starts_with("HTTP/1.1 403"), "{reply}");
    assert_eq!(problem(&reply)["code"], "test.closed");
    // One that did not ask is read, so that the client sees the answer, and not kept.
    let body = "x".repeat(200);
    let reply = rig
        .exchange(&format!(
            "POST /closed HTTP/1.1\r\nHost: test\r\nContent-Length: 200\r\n\r\n{body}"
        ))
        .await;
    assert_eq!(problem(&reply)["code"], "test.closed");
}

#[tokio::test]
async fn the_reception_says_how_long_a_body_may_be() {
    let rig = Rig::start(short_limits()).await;
    for (length, status) in [(5, "404"), (6, "413")] {
        let body = "x".repeat(length);
        let reply = rig
            .exchange(&format!(
                "POST /short HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            ))
            .await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{reply}");
    }
}
