//! Timestamp authorities as they are: behind redirects, logins, TLS, and web pages.

use crate::{
    http::{Reply, Request, Server, timestamp_authority},
    world::{PASSPHRASE, Run, World},
};

fn request(world: &World, more: &[&str]) -> Run {
    let fixed = ["timestamp", "request", "app", "--output", "app.tsr", "--force", "--retries", "0"];
    world.json(&[&fixed[..], more].concat())
}

fn world() -> World {
    let world = World::new();
    world.write("app", "x");
    world
}

#[test]
fn a_redirect_that_keeps_the_request_is_followed_and_another_is_named() {
    let world = world();
    // One server with two addresses: of this machine, a redirect reaches no other.
    let moving = |status: &'static str| {
        let stamps = timestamp_authority(world.path(), PASSPHRASE);
        Server::start(move |request| match request.line.as_str() {
            "POST /stamp HTTP/1.1" => stamps(request),
            _ => Reply { status, ..Reply::redirect("/stamp") },
        })
    };
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = moving(status);
        request(&world, &["--timestamp-url", &server.url]).succeeds();
        assert_eq!(server.asked(), ["POST / HTTP/1.1", "POST /stamp HTTP/1.1"]);
    }
    for status in ["301 Moved Permanently", "302 Found", "303 See Other"] {
        let server = moving(status);
        let run = request(&world, &["--timestamp-url", &server.url]).exits_with(3);
        assert_eq!(run.finding(), "setup.service.redirect", "{status}");
        assert!(run.stdout.contains(&format!("{}/stamp", server.url)), "{run:#?}");
        assert_eq!(server.asked().len(), 1);
    }
    let moved = Server::start(|_| Reply::repeat("/again"));
    let run = request(&world, &["--timestamp-url", &moved.url]).exits_with(3);
    assert_eq!(run.finding(), "setup.service.redirect");
    assert_eq!(moved.asked().len(), 4);
}

#[test]
fn a_web_page_is_no_timestamp_and_is_told_as_such() {
    let world = world();
    let html = || "Content-Type: text/html; charset=utf-8\r\n".to_owned();
    let page = Server::start(move |_| Reply { headers: html(), ..Reply::ok("Please log in") });
    let run = request(&world, &["--timestamp-url", &page.url]).exits_with(3);
    assert_eq!(run.finding(), "setup.service.answer");
    assert!(run.stdout.contains("answered with a web page, not a timestamp"), "{run:#?}");
    for body in ["\n<!DOCTYPE html><p>Hello", "", "not found"] {
        let page = Server::start(move |_| Reply::ok(body));
        let run = request(&world, &["--timestamp-url", &page.url]).exits_with(3);
        assert_eq!(run.finding(), "setup.service.answer", "{body}");
    }
    // What says that it is a timestamp is judged as one.
    let reply = || "Content-Type: application/timestamp-reply\r\n".to_owned();
    let wrong = Server::start(move |_| Reply { headers: reply(), ..Reply::ok("0") });
    let run = request(&world, &["--timestamp-url", &wrong.url]).exits_with(13);
    assert_eq!(run.finding(), "timestamp.malformed");
}

#[test]
fn a_status_is_an_answer() {
    let world = world();
    for status in ["404 Not Found", "415 Unsupported Media Type", "503 Service Unavailable"] {
        let server = Server::start(move |_| Reply::status(status));
        let run = request(&world, &["--timestamp-url", &server.url]).exits_with(3);
        assert_eq!(run.finding(), "setup.service.answer", "{status}");
    }
}

/// `al@ice:p/w %`, as an address has to write it.
#[test]
fn a_login_in_the_address_is_decoded_sent_and_never_shown() {
    let world = world();
    let stamp = timestamp_authority(world.path(), PASSPHRASE);
    let server = Server::start(move |request: &Request| {
        let login = "authorization: Basic YWxAaWNlOnAvdyAl".to_owned();
        if request.headers.contains(&login) {
            stamp(request)
        } else {
            Reply::status("401 Unauthorized")
        }
    });
    let url = server.url.replace("http://", "http://al%40ice:p%2Fw%20%25@");
    let run = request(&world, &["--timestamp-url", &url]).succeeds();
    assert_eq!(run.json()["result"]["url"], server.url);
    let wrong = server.url.replace("http://", "http://alice:unguessed@");
    let run = request(&world, &["--timestamp-url", &wrong]).exits_with(3);
    assert_eq!(run.finding(), "setup.service.answer");
    assert!(!format!("{run:?}").contains("unguessed"), "{run:#?}");
}

#[test]
fn half_of_a_client_certificate_is_refused() {
    let world = world();
    let url = ["--timestamp-url", "https://127.0.0.1:1"];
    for half in [["--timestamp-certificate", "tsa.pem"], ["--timestamp-key", "tsa.key"]] {
        request(&world, &[&url[..], &half[..]].concat()).exits_with(2);
    }
    let run = request(&world, &[&url[..], &["--timestamp-ca", "missing.pem"]].concat());
    assert_eq!(run.exits_with(3).finding(), "setup.input.unreadable");
}
