//! Whoever has a key that was stolen or locked out has it certified once more, in another encoding: its digest is
//! another one, and nothing that was revoked concerns it.

use crate::{
    forged::{certify, status},
    site::Site,
};

const TOMORROW: &str = "+1 day";

/// One key on P-256 in two requests: `plain.csr`, and `compressed.csr` with a compressed point.
fn requests(site: &Site) {
    site.succeed(
        "openssl ecparam -name prime256v1 -genkey -noout -out plain.pem.key && \
         openssl ec -in plain.pem.key -conv_form compressed -out compressed.pem.key 2>/dev/null && \
         for name in plain compressed; do \
         openssl req -new -key $name.pem.key -subj /CN=forged -out $name.csr; done",
    );
}

#[test]
fn one_key_is_certified_in_one_encoding() {
    let site = Site::start();
    requests(&site);
    // The factors of an RSA key sign for every exponent.
    site.succeed(
        "openssl req -new -newkey rsa:2048 -pkeyopt rsa_keygen_pubexp:3 -nodes -keyout three.pem.key \
         -subj /CN=forged -out three.csr 2>/dev/null",
    );
    let issue = |name: &str| {
        format!(
            "countersign ca issue --dir ca --profile code-signer --email s2@example.org \
             --csr {name}.csr --output {name}-issued.pem"
        )
    };
    site.succeed(&issue("plain"));
    for (name, said) in [("compressed", "not uncompressed"), ("three", "another exponent")] {
        let found = site.refused(&issue(name), 2, "setup.request.invalid");
        assert!(found.contains(said), "{name}: {found}");
    }
}

#[test]
fn a_key_in_another_encoding_opens_nothing_and_is_not_registered() {
    let site = Site::start();
    requests(&site);
    let code = || {
        let answer: serde_json::Value = serde_json::from_str(&site.read("answer")).expect("JSON");
        answer["code"].as_str().unwrap_or_default().to_owned()
    };
    for name in ["plain", "compressed"] {
        certify(&site, name, "email:admin@example.org", "clientAuth", TOMORROW);
    }
    assert_eq!(status(&site, "plain", "/v1/issuers"), "200");
    assert_eq!(status(&site, "compressed", "/v1/issuers"), "403");
    assert_eq!(code(), "actor.unidentified");
    let post = |path: &str, data: &str| {
        let line = format!(
            "curl --silent --output answer --write-out '%{{http_code}}' --cacert ca/root/certificate.pem \
             --cert admin.pem --key admin.key --pass \"$(cat passphrase)\" \
             --data-binary {data} \"$COUNTERSIGN_ADMIN_URL{path}\""
        );
        (site.run(&line).stdout, code())
    };
    let malformed = |code: &str| ("400".to_owned(), code.to_owned());
    site.succeed("openssl x509 -in compressed.leaf -outform DER -out compressed.der");
    let certificate = "@compressed.der -H 'Content-Type: application/pkix-cert'";
    assert_eq!(post("/v1/certificates", certificate), malformed("certificate.malformed"));
    // An order against it would revoke nothing.
    let key = site.succeed(
        "openssl ec -in compressed.pem.key -conv_form compressed -pubout -outform DER 2>/dev/null | base64 -w0",
    );
    let order = serde_json::json!({
        "key": key.stdout, "reason": "keyCompromise", "compromised_since": "2026-01-01T00:00:00Z",
    });
    site.write("order.json", &order.to_string());
    let order = "@order.json -H 'Content-Type: application/json'";
    assert_eq!(post("/v1/revocations", order), malformed("key.malformed"));
}
