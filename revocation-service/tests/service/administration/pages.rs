//! A web page that an administrator looks at, with their certificate in the browser, administers nothing.

use std::sync::Arc;

use countersign_revocation::admin::{ROUTES, Role};
use rustls::ClientConfig;
use serde_json::json;

use super::{decision, ledger, order};
use crate::{
    http::{Reply, send_tls_exactly},
    world::{Running, World, serial},
};

/// What a page may send anywhere without asking: the CORS-safelisted media types.
const FROM_PAGES: [&str; 4] = [
    "text/plain;charset=UTF-8",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
];

/// What Firefox 153 sends for `fetch(url, {method: "POST", mode: "no-cors", credentials: "include"})`.
const FIREFOX: [(&str, &str); 7] = [
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"),
    ("Accept", "*/*"),
    ("Origin", "https://evil.example"),
    ("Referer", "https://evil.example/"),
    ("Sec-Fetch-Dest", "empty"),
    ("Sec-Fetch-Mode", "no-cors"),
    ("Sec-Fetch-Site", "cross-site"),
];

/// What Chromium 156 sends with a form that a page submits by itself.
const CHROMIUM_FORM: [(&str, &str); 7] = [
    ("Origin", "null"),
    ("Upgrade-Insecure-Requests", "1"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-Fetch-Dest", "document"),
];

struct Case {
    world: World,
    running: Running,
    admin: Arc<ClientConfig>,
    bob: Arc<ClientConfig>,
    signer: Vec<u8>,
}

impl Case {
    async fn start() -> Self {
        let world = World::new();
        let mut config = world.config();
        let admin = world.with_admin(&mut config);
        let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
        let running = world.start(config).await;
        let signer = world.signer();
        running.register(&admin, &[&signer]);
        Self { world, running, admin, bob, signer }
    }

    fn send(
        &self,
        who: &Arc<ClientConfig>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let address = self.running.admin.expect("an admin listener");
        send_tls_exactly(address, who, (method, path), headers, body).expect("a reply")
    }

    fn status(&self) -> String {
        let path = format!("/v1/certificates/signing/{}", serial(&self.signer));
        let shown = self.running.admin(&self.admin, "GET", &path, b"").json();
        shown["status"].as_str().expect("a status").to_owned()
    }
}

/// F1: with the second person's certificate in a browser, looking at a page was approving.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_approves_nothing_in_the_name_of_who_looks_at_it() {
    let case = Case::start().await;
    let hold = order(&case.signer, "certificateHold", &json!({}));
    assert_eq!(case.running.revoke(&case.admin, &hold).status, 200);
    let release = order(&case.signer, "removeFromCRL", &json!({ "comment": "found" }));
    let proposed = case.running.revoke(&case.admin, &release).json()["pending"].clone();
    let path = format!("/v1/pending/{}/approve", proposed["id"]);
    let body = decision(&proposed, "").to_string();
    for browser in [&FIREFOX[..], &CHROMIUM_FORM[..]] {
        for media_type in FROM_PAGES.iter().copied().chain(["application/json"]) {
            let headers = [browser, &[("Content-Type", media_type)]].concat();
            for body in [&b""[..], body.as_bytes()] {
                let reply = case.send(&case.bob, "POST", &path, &headers, body);
                assert_eq!(
                    (reply.status, reply.code().as_str()),
                    (403, "request.cross_origin"),
                    "{headers:?}"
                );
            }
        }
        let reply = case.send(&case.bob, "POST", &path, browser, b"");
        assert_eq!(reply.status, 403);
    }
    assert_eq!(case.status(), "revoked", "still on hold");
    // The same by whoever was asked to and has no browser.
    let headers = [("Content-Type", "application/json")];
    let reply = case.send(&case.bob, "POST", &path, &headers, body.as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}");
    case.running.stop().await;
    let denied = ledger(&case.world);
    let denied = denied.iter().find(|(kind, _)| kind == "access.denied").expect("on record");
    assert_eq!(denied.1["code"], "request.cross_origin");
    assert_eq!(denied.1["actor"], "bob@example.test");
}

/// Each header alone is enough: a browser may leave out one, and a proxy may strip another.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_says_that_it_comes_from_a_page_is_refused() {
    let case = Case::start().await;
    let listing = "/v1/certificates/signing";
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", "https://revocation.example.test"),
        ("Origin", ""),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "same-origin"),
        ("sec-fetch-site", "CROSS-SITE"),
    ] {
        for method in ["GET", "POST"] {
            let path = if method == "GET" { listing } else { "/v1/revocations" };
            let headers = [(name, value), ("Content-Type", "application/json")];
            let reply = case.send(&case.admin, method, path, &headers, b"{}");
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "request.cross_origin"),
                "{method} {name}: {value}"
            );
        }
    }
    let typed = [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(case.send(&case.admin, "GET", listing, &typed, b"").status, 200);
    let two = [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(case.send(&case.admin, "GET", listing, &two, b"").status, 403);
    case.running.stop().await;
}

/// A browser without these headers, or behind something that strips them, can still send no order.
#[tokio::test(flavor = "multi_thread")]
async fn no_order_has_a_form_that_a_page_can_send_without_asking() {
    let case = Case::start().await;
    let order = order(&case.signer, "superseded", &json!({})).to_string();
    for route in ROUTES.iter().filter(|route| route.methods[0] == "POST") {
        let path = route.path.replace("{issuer}", "signing").replace("{id}", "1");
        for taken in route.takes {
            assert!(!FROM_PAGES.iter().any(|sent| sent.starts_with(taken)), "{path} takes {taken}");
        }
        for body in [&b""[..], order.as_bytes()] {
            for media_type in FROM_PAGES {
                let headers = [("Content-Type", media_type)];
                let reply = case.send(&case.admin, "POST", &path, &headers, body);
                assert_eq!(
                    (reply.status, reply.code().as_str()),
                    (415, "request.media_type.unsupported"),
                    "{path} {media_type}"
                );
            }
            for headers in [
                &[][..],
                &[("Content-Type", "")],
                &[("Content-Type", "application/json"), ("Content-Type", "text/plain")],
            ] {
                let reply = case.send(&case.admin, "POST", &path, headers, body);
                assert_eq!(reply.status, 415, "{path} {headers:?}");
            }
        }
    }
    assert_eq!(case.status(), "good");
    case.running.stop().await;
}
