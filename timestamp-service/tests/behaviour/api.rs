//! The JSON endpoints that Sigstore's clients use, and the document that describes them.

use serde_json::{Value, json};

use countersign_core::cms::SignedData;
use countersign_core::digest::HashAlgorithm;
use countersign_core::tsp::{FailureInfo, TimestampResponse, TstInfo};
use countersign_signing::pem;

use crate::http_side::{ask, is_problem};
use crate::rig::{Reply, Rig};
use crate::rows::plain_query;

const STAMP: &str = "/api/v1/timestamp";
const CHAIN: &str = "/api/v1/timestamp/certchain";
const DESCRIPTION: &str = "/api/v1/openapi.json";

/// SHA-256 of 32 octets 0xAA, as sigstore-js sends it.
fn body() -> Value {
    json!({"artifactHash": "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=", "hashAlgorithm": "sha256"})
}

async fn post(rig: &Rig, body: &Value) -> Reply {
    let body = serde_json::to_vec(body).expect("JSON");
    ask(rig, "POST", STAMP, Some("application/json"), &body).await
}

async fn token(rig: &Rig, body: &Value) -> Vec<u8> {
    let reply = post(rig, body).await;
    reply.is_in_protocol();
    let response = TimestampResponse::decode(&reply.body).expect("a TimeStampResp");
    response.token.unwrap_or_else(|| panic!("{}", response.refusal_text())).to_vec()
}

#[tokio::test]
async fn a_json_request_gets_the_token_that_it_asks_for() {
    let rig = Rig::start().await;
    let plain = token(&rig, &body()).await;
    let signed = SignedData::decode(&plain).expect("SignedData");
    assert!(signed.certificates.is_empty());
    let info = TstInfo::decode(signed.content).expect("a TSTInfo");
    assert_eq!(info.message_imprint.digest, [0xAA; 32]);
    assert_eq!(info.nonce, None);

    let mut full = body();
    full["certificates"] = true.into();
    full["nonce"] = 1_234_567_890_123_456_789_u64.into();
    full["tsaPolicyOID"] = crate::rig::SECOND_POLICY.into();
    let full = token(&rig, &full).await;
    let signed = SignedData::decode(&full).expect("SignedData");
    assert_eq!(signed.certificates.len(), rig.chain.len());
    let info = TstInfo::decode(signed.content).expect("a TSTInfo");
    assert_eq!(info.nonce, Some(&1_234_567_890_123_456_789_u64.to_be_bytes()[..]));
    assert_eq!(info.policy.to_string(), crate::rig::SECOND_POLICY);
}

#[tokio::test]
async fn der_is_taken_at_the_same_path_and_json_is_not_at_the_root() {
    let rig = Rig::start().await;
    let query = Some("application/timestamp-query");
    let reply = ask(&rig, "POST", STAMP, query, &plain_query()).await;
    reply.is_in_protocol();
    assert!(TimestampResponse::decode(&reply.body).expect("a response").token.is_some());
    let json = serde_json::to_vec(&body()).expect("JSON");
    let reply = ask(&rig, "POST", "/", Some("application/json"), &json).await;
    is_problem(&reply, 415, "request.media_type.unsupported");
}

#[tokio::test]
async fn wrong_values_are_refused_in_the_protocol_and_wrong_json_by_http() {
    let rig = Rig::start().await;
    let mut unknown = body();
    unknown["hashAlgorithm"] = "sha3-256".into();
    let mut weak = body();
    weak["hashAlgorithm"] = "sha1".into();
    weak["artifactHash"] = "qqqqqqqqqqqqqqqqqqqqqqqqqqo=".into();
    let mut short = body();
    short["artifactHash"] = "qqqq".into();
    let mut policy = body();
    policy["tsaPolicyOID"] = "1.2.3.4.5".into();
    for (body, failure) in [
        (unknown, FailureInfo::BadAlg),
        (weak, FailureInfo::BadAlg),
        (short, FailureInfo::BadDataFormat),
        (policy, FailureInfo::UnacceptedPolicy),
    ] {
        let reply = post(&rig, &body).await;
        reply.is_in_protocol();
        let response = TimestampResponse::decode(&reply.body).expect("a TimeStampResp");
        assert_eq!(response.failure, Some(failure), "{}", response.refusal_text());
        let id = reply.header("x-request-id").expect("an identifier");
        assert!(response.refusal_text().contains(id), "{}", response.refusal_text());
    }
    for wrong in [json!({}), json!([]), json!({"artifactHash": 1, "hashAlgorithm": "sha256"})] {
        is_problem(&post(&rig, &wrong).await, 400, "request.body.malformed");
    }
}

#[tokio::test]
async fn the_chain_is_pem_the_authoritys_certificate_first() {
    let rig = Rig::start().await;
    let reply = ask(&rig, "GET", CHAIN, None, b"").await;
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.header("content-type"), Some("application/pem-certificate-chain"));
    assert_eq!(reply.body, pem::encode_certificates(&rig.chain).into_bytes());
    let head = ask(&rig, "HEAD", CHAIN, None, b"").await;
    assert_eq!((head.status(), head.body.len()), (200, 0));
}

/// Every path, method, media type and status of the document is what the service does.
#[tokio::test]
async fn the_description_is_served_and_true() {
    let rig = Rig::start().await;
    let reply = ask(&rig, "GET", DESCRIPTION, None, b"").await;
    assert_eq!((reply.status(), reply.header("content-type")), (200, Some("application/json")));
    let document: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let properties = &document["components"]["schemas"]["JsonRequest"]["properties"];
    let hashes = HashAlgorithm::STRONG.map(HashAlgorithm::name);
    assert_eq!(properties["hashAlgorithm"]["enum"], json!(hashes));
    let paths = document["paths"].as_object().expect("paths");
    let mut seen = 0;
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            let method = method.to_uppercase();
            let bodies = operation["requestBody"]["content"].as_object();
            let media_types: Vec<Option<&str>> = match bodies {
                Some(bodies) => bodies.keys().map(|name| Some(name.as_str())).collect(),
                None => vec![None],
            };
            for media_type in &media_types {
                let body = match *media_type {
                    Some("application/json") => serde_json::to_vec(&body()).expect("JSON"),
                    Some(_) => plain_query(),
                    None => Vec::new(),
                };
                let reply = ask(&rig, &method, path, *media_type, &body).await;
                says(&document, operation, path, &reply, 200);
            }
            let wrong_method = if method == "POST" { "GET" } else { "POST" };
            let reply = ask(&rig, wrong_method, path, media_types[0], b"").await;
            says(&document, operation, path, &reply, 405);
            if bodies.is_some() {
                let reply = ask(&rig, &method, path, Some("text/plain"), b"x").await;
                says(&document, operation, path, &reply, 415);
                let huge = vec![b' '; 65_537];
                let reply = ask(&rig, &method, path, media_types[0], &huge).await;
                says(&document, operation, path, &reply, 413);
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 6, "an operation was added: try it here");
}

/// The reply has that status, and the media type that the document gives it.
fn says(document: &Value, operation: &Value, path: &str, reply: &Reply, status: u16) {
    assert_eq!(reply.status(), status, "{path}: {reply:?}");
    let mut said = &operation["responses"][status.to_string()];
    if let Some(reference) = said["$ref"].as_str() {
        said = document.pointer(reference.trim_start_matches('#')).expect("what it refers to");
    }
    let content = said["content"].as_object().unwrap_or_else(|| panic!("{path}: {status}"));
    let media_type = reply.header("content-type").expect("a media type");
    assert!(content.contains_key(media_type), "{path}: {media_type}");
}
