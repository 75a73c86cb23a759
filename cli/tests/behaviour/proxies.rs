//! Proxies: what they are asked, and when they are not.

use std::fs;

use crate::{
    http::{Reply, Request, Server, timestamp_authority},
    world::{IDENTITY, PASSPHRASE, Run, World, command},
};

/// A proxy as Squid is installed: CONNECT to port 443 alone. Behind it are the CRLs of the world,
/// whose certificates name `http://crl.example.test`, and a timestamp authority.
struct Site {
    proxy: Server,
    world: World,
}

fn site() -> Site {
    let world = World::with_base_url("http://pki.crl.example.test");
    for ca in ["root", "signing", "timestamping"] {
        let text = format!("ca crl --dir ca --ca {ca} --output {ca}.crl");
        world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
    }
    let folder = world.path().to_owned();
    let stamp = timestamp_authority(&folder, PASSPHRASE);
    let proxy = Server::start(move |request: &Request| {
        let target = request.line.split(' ').nth(1).unwrap_or_default();
        let crl = target.strip_prefix("http://pki.crl.example.test/crl/");
        match (crl, target) {
            (Some(name), _) => Reply::ok(fs::read(folder.join(name)).expect("a CRL")),
            (None, "http://tsa.example.test/stamp") => stamp(request),
            _ => Reply::status("403 Forbidden"),
        }
    });
    world.write("app", "x");
    Site { proxy, world }
}

impl Site {
    fn run(&self, variables: &[(&str, &str)], text: &str) -> Run {
        let mut command = command(self.world.path());
        command.env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE).envs(variables.iter().copied());
        command.args(["--format", "json"]).args(text.split(' '));
        Run::of(command.output().expect("the program starts"))
    }
}

const SIGN: &str = "sign app --force --key signer.key --certificate signer.pem \
                    --trusted-root trusted_root.json";

#[test]
fn http_goes_through_a_proxy_in_absolute_form_and_never_through_a_tunnel() {
    let site = site();
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let set = [(variable, site.proxy.url.as_str())];
        site.run(&set, &format!("{SIGN} --timestamp-url http://tsa.example.test/stamp")).succeeds();
        let verify = format!(
            "verify app --trusted-root trusted_root.json --certificate-identity {IDENTITY}"
        );
        site.run(&set, &verify).succeeds();
    }
    let asked = site.proxy.asked();
    let posted = "POST http://tsa.example.test/stamp HTTP/1.1".to_owned();
    let fetched = "GET http://pki.crl.example.test/crl/signing.crl HTTP/1.1".to_owned();
    assert!(asked.contains(&posted) && asked.contains(&fetched), "{asked:?}");
    assert!(!asked.iter().any(|line| line.starts_with("CONNECT")), "{asked:?}");
}

#[test]
fn https_goes_through_a_tunnel_and_the_proxy_is_named_when_it_opens_none() {
    let site = site();
    let login = site.proxy.url.replace("http://", "http://al%40ice:se%2Fcret@");
    let set = [("HTTPS_PROXY", login.as_str())];
    let request = "timestamp request app --output a.tsr --retries 0 --timestamp-url";
    let run = site.run(&set, &format!("{request} https://tsa.example.test/"));
    assert_eq!(run.exits_with(3).finding(), "setup.proxy.refused");
    let asked = site.proxy.requests();
    assert_eq!(asked[0].line, "CONNECT tsa.example.test:443 HTTP/1.1");
    // al@ice:se/cret
    let login = "proxy-authorization: Basic YWxAaWNlOnNlL2NyZXQ=".to_owned();
    assert!(asked[0].headers.contains(&login), "{asked:?}");
    let run = site.run(&set, &format!("{request} https://tsa.example.test/"));
    assert!(run.stdout.contains(&site.proxy.url), "{run:#?}");
    assert!(!format!("{run:?}").contains("cret"), "{run:#?}");
}

#[test]
fn a_proxy_that_wants_a_login_gets_it_or_is_told_from_the_service() {
    let site = site();
    let set = [("HTTP_PROXY", site.proxy.url.as_str())];
    let request = "timestamp request app --force --output a.tsr --retries 0 --timestamp-url \
                   http://tsa.example.test/stamp";
    let stamp = timestamp_authority(site.world.path(), PASSPHRASE);
    site.proxy.answer(move |request| {
        let login = "proxy-authorization: Basic YWxpY2U6c2VjcmV0".to_owned();
        if request.headers.contains(&login) {
            stamp(request)
        } else {
            Reply::status("407 Proxy Authentication Required")
        }
    });
    assert_eq!(site.run(&set, request).exits_with(3).finding(), "setup.proxy.refused");
    let login = site.proxy.url.replace("http://", "http://alice:secret@");
    site.run(&[("HTTP_PROXY", login.as_str())], request).succeeds();
}

#[test]
fn this_machine_and_what_no_proxy_names_are_asked_directly() {
    let site = site();
    let direct = Server::start(timestamp_authority(site.world.path(), PASSPHRASE));
    let set =
        [("HTTP_PROXY", site.proxy.url.as_str()), ("NO_PROXY", "a.test, tsa.example.test:80")];
    let request = "timestamp request app --force --output a.tsr --retries 0 --timestamp-url";
    site.run(&set, &format!("{request} {}", direct.url)).succeeds();
    // A name of example.test is nobody's: asked directly, it is not found.
    let run = site.run(&set, &format!("{request} http://tsa.example.test/stamp"));
    assert_eq!(run.exits_with(3).finding(), "setup.service.unreachable");
    assert_eq!(site.proxy.asked().len(), 0);
    // A name that begins like this machine's is not this machine.
    for name in ["localhost.evil.example", "127.evil.example", "localhostevil.example"] {
        site.run(&set, &format!("{request} http://{name}/")).exits_with(3);
        let asked = site.proxy.asked();
        assert_eq!(asked.last(), Some(&format!("POST http://{name}/ HTTP/1.1")));
    }
}

#[test]
fn what_is_no_proxy_is_not_passed_over() {
    let site = site();
    let request = "timestamp request app --output a.tsr --timestamp-url http://127.0.0.1:1";
    let run = site.run(&[("ALL_PROXY", "gopher://u:secret@p")], request).exits_with(2);
    assert_eq!(run.finding(), "setup.usage.invalid");
    assert!(!format!("{run:?}").contains("secret"), "{run:#?}");
}

/// A stranger's redirect must not reach what only this machine or its network can.
#[test]
fn a_redirect_from_elsewhere_leads_neither_to_this_machine_nor_to_its_network() {
    let site = site();
    let inner = Server::start(|_| Reply::status("404 Not Found"));
    let set = [("HTTP_PROXY", site.proxy.url.as_str()), ("NO_PROXY", "10.0.0.0/8,169.254.0.0/16")];
    let request = "timestamp request app --force --output a.tsr --retries 0 --timestamp-url";
    let targets = [
        inner.url.clone(),
        inner.url.replace("127.0.0.1", "localhost"),
        inner.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://[fd00::1]/".to_owned(),
    ];
    for target in targets {
        let to = target.clone();
        site.proxy.answer(move |_| Reply::repeat(&to));
        let run = site.run(&set, &format!("{request} http://tsa.example.test/"));
        assert_eq!(run.exits_with(3).finding(), "setup.service.redirect", "{target}");
    }
    assert_eq!(inner.asked().len(), 0);
}
