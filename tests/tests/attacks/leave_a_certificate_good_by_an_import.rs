//! Who imports that a key is compromised has it listed as revoked, and nothing that is registered with it revoked.

use serde_json::json;

use crate::site::Site;

#[test]
fn an_imported_key_takes_its_certificates_with_it() {
    let site = Site::start();
    let at = site.succeed("date -u -d '-2 minutes' +%Y-%m-%dT%H:%M:%SZ").stdout;
    let digest = site
        .succeed(
            "openssl x509 -in signer.pem -noout -pubkey | openssl pkey -pubin -outform der \
             | sha256sum | cut -d' ' -f1",
        )
        .stdout;
    let import = |reason: &str| {
        let lines = [
            json!({ "kind": "export", "format": 1 }),
            json!({ "kind": "key", "key_sha256": digest.trim(), "revocation": {
                "reason": reason, "revocation_date": at.trim(), "recorded_at": at.trim(),
                "recorded_by": "second@example.org",
            } }),
        ];
        site.write("key.jsonl", &lines.map(|line| line.to_string()).join("\n"));
        "countersign revocation import key.jsonl"
    };
    // Nothing could lift a hold of a key.
    let found = site.refused(import("certificateHold"), 2, "setup.service.refused");
    assert!(found.contains("revocation.undo"), "{found}");
    assert_eq!(site.revoked(), []);
    site.succeed(import("keyCompromise"));
    assert_eq!(site.revoked(), [(site.serial("signer.pem"), "keyCompromise".to_owned())]);
    let said = site.run("countersign revocation status --certificate signer.pem").said();
    assert!(said.contains("keyCompromise"), "{said}");
}
