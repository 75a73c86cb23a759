//! `openssl`, `GnuTLS`' `ocsptool`, NSS' `ocspclnt`, and curl with a stapled answer.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use countersign_tests::programs::free_port;

use crate::site::Site;

#[test]
fn openssl_is_served() {
    let site = Site::start();
    let url = site.responder();
    for hash in ["-sha1", "-sha256", "-sha384"] {
        for nonce in ["-nonce", "-no_nonce"] {
            let text = site
                .run(
                    "openssl",
                    &format!(
                        "ocsp {nonce} {hash} -issuer issuer.pem -cert good.pem -cert revoked.pem \
                         -url {url} -CAfile root.pem -verify_other issuer.pem"
                    ),
                )
                .succeeds();
            for part in ["Response verify OK", "good.pem: good", "revoked.pem: revoked"] {
                assert!(text.contains(part), "{hash} {nonce}: {text}");
            }
            assert!(!text.contains("WARNING"), "{text}");
        }
    }
    // Every certificate of the chain by CRL: the root's list too.
    for issuer in ["root", "signing"] {
        site.fetch(&format!("/crl/{issuer}.crl"), &format!("{issuer}.der"));
        site.run("openssl", &format!("crl -inform DER -in {issuer}.der -out {issuer}.crl.pem"))
            .succeeds();
    }
    let verify = |leaf: &str| {
        let lists = "-CRLfile root.crl.pem -CRLfile signing.crl.pem";
        let trust = "-CAfile root.pem -untrusted issuer.pem";
        site.run("openssl", &format!("verify -crl_check_all -x509_strict {trust} {lists} {leaf}"))
    };
    verify("good.pem").succeeds();
    assert!(verify("revoked.pem").fails().contains("certificate revoked"));
}

#[test]
fn gnutls_is_served() {
    let site = Site::start();
    for (leaf, status) in [("good.pem", "good"), ("revoked.pem", "revoked")] {
        for nonce in ["--nonce", "--no-nonce"] {
            let arguments = format!(
                "--ask={} {nonce} --load-issuer issuer.pem --load-cert {leaf} --load-trust issuer.pem",
                site.responder()
            );
            let text = site.run("ocsptool", &arguments).succeeds();
            assert!(text.contains(&format!("Certificate Status: {status}")), "{text}");
            assert!(text.contains("Verifying OCSP Response: Success."), "{text}");
        }
    }
}

#[test]
fn nss_is_served() {
    let site = Site::start();
    site.run("mkdir", "nss").succeeds();
    site.run("certutil", "-N -d sql:nss --empty-password").succeeds();
    for (name, trust, file) in [
        ("root", "C,C,C", "root.pem"),
        ("issuer", ",,", "issuer.pem"),
        ("good", ",,", "good.pem"),
        ("revoked", ",,", "revoked.pem"),
    ] {
        site.run("certutil", &format!("-A -d sql:nss -n {name} -t {trust} -i {file}")).succeeds();
    }
    // It exits with 0 whatever it found.
    let text = site.run("ocspclnt", "-d sql:nss -S good").succeeds();
    assert!(text.contains("Check of certificate \"good\" succeeded."), "{text}");
    let text = site.run("ocspclnt", "-d sql:nss -S revoked").succeeds();
    assert!(text.contains("Peer's Certificate has been revoked."), "{text}");
}

/// A TLS server of openssl's; killed when dropped.
struct TlsServer(Child);

impl TlsServer {
    fn start(site: &Site, port: u16) -> Self {
        let arguments = format!(
            "s_server -quiet -www -accept 127.0.0.1:{port} -cert server-leaf.pem -key server.key \
             -pass file:passphrase -cert_chain server.pem -status_file status.der"
        );
        let child = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(site.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let server = Self(child);
        let deadline = Instant::now() + Duration::from_secs(15);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "openssl s_server does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn curl_takes_a_stapled_answer() {
    let site = Site::start();
    let staple = || {
        let arguments = format!(
            "ocsp -no_nonce -sha1 -issuer ca/service/certificate.pem -cert server-leaf.pem -url {} \
             -CAfile root.pem -verify_other ca/service/certificate.pem -respout status.der",
            site.responder()
        );
        site.run("openssl", &arguments).succeeds();
    };
    let port = free_port().expect("a port");
    let curl = || {
        let arguments = format!(
            "--silent --show-error --noproxy * --cert-status --cacert root.pem https://127.0.0.1:{port}/"
        );
        site.run("curl", &arguments)
    };
    staple();
    let server = TlsServer::start(&site, port);
    curl().succeeds();
    drop(server);
    site.run_line("countersign revoke --certificate server-leaf.pem --reason superseded --yes");
    staple();
    let _server = TlsServer::start(&site, port);
    let text = curl().fails();
    assert!(text.contains("revocation reason: superseded"), "{text}");
}
