//! Somebody who can have *some* certificate from the administrators' CA, or one like it, passes as an administrator
//! (F20, and what held): a host name or an address that reads like an e-mail address, another purpose, another CA
//! of the same name, a second certificate of one person.

use crate::{
    forged::{client, status},
    site::Site,
};

const TOMORROW: &str = "+1 day";

#[test]
fn a_name_of_another_kind_or_another_purpose_opens_nothing() {
    let site = Site::start();
    let code = || {
        let answer: serde_json::Value = serde_json::from_str(&site.read("answer")).expect("JSON");
        answer["code"].as_str().unwrap_or_default().to_owned()
    };
    // What the others differ from.
    client(&site, "email", "email:admin@example.org", "clientAuth", TOMORROW);
    assert_eq!(status(&site, "email", "/v1/issuers"), "200");
    for (name, alternative) in [
        ("dns", "DNS:admin@example.org"),
        ("uri", "URI:admin@example.org"),
        ("mailto", "URI:mailto:admin@example.org"),
    ] {
        client(&site, name, alternative, "clientAuth", TOMORROW);
        assert_eq!(status(&site, name, "/v1/issuers"), "403", "{name}");
        assert_eq!(code(), "actor.unknown", "{name}");
    }
    for usage in ["serverAuth", "codeSigning"] {
        client(&site, usage, "email:admin@example.org", usage, TOMORROW);
        assert_eq!(status(&site, usage, "/v1/issuers"), "000", "{usage}");
    }
    // The signer's own, and one by another CA of the same name.
    assert_eq!(status(&site, "signer", "/v1/issuers"), "000");
    site.succeed(
        "countersign ca init other --organisation 'Example Software' --base-url http://127.0.0.1:9 && \
         countersign ca issue --dir other --profile tls-client --email admin@example.org \
         --new-key stranger.key --output stranger.pem",
    );
    assert_eq!(status(&site, "stranger", "/v1/issuers"), "000");
}

#[test]
fn a_second_certificate_is_no_second_person() {
    let site = Site::start();
    client(&site, "twice", "email:admin@example.org", "clientAuth", TOMORROW);
    site.succeed("countersign revoke --certificate signer.pem --reason certificateHold --yes");
    let lift = "revoke --certificate signer.pem --reason removeFromCRL --yes --comment found";
    let proposal = site.waiting(lift)["pending"].clone();
    let digest = proposal["proposal_sha256"].as_str().expect("a digest");
    let approve = format!(
        "COUNTERSIGN_ADMIN_CERTIFICATE=twice.pem COUNTERSIGN_ADMIN_KEY=twice.key \
         countersign revocation approve {} --sha256 {digest}",
        proposal["id"]
    );
    let found = site.refused(&approve, 2, "setup.service.refused");
    assert!(found.contains("pending.same_person"), "{found}");
    assert_eq!(site.revoked().len(), 1);
}
