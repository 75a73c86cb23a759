//! Who may import keeps an accomplice's certificate from being revoked for the day on which its key was stolen: they
//! import false facts about its serial number before anybody registers it.

use serde_json::json;

use crate::site::Site;

/// A moment so many minutes ago.
fn ago(site: &Site, minutes: u32) -> String {
    let line = format!("date -u -d '-{minutes} minutes' +%Y-%m-%dT%H:%M:%SZ");
    site.succeed(&line).stdout.trim().to_owned()
}

#[test]
fn facts_from_an_import_stand_in_nobodys_way() {
    let site = Site::start();
    site.succeed(
        "countersign ca issue --dir ca --profile code-signer --email accomplice@example.org \
         --new-key accomplice.key --output accomplice.pem",
    );
    let serial = site.serial("accomplice.pem");
    let poison = |not_before: &str| {
        let lines = [
            json!({ "kind": "export", "format": 1 }),
            json!({
                "kind": "certificate", "issuer": "signing", "serial": serial, "subject_der": "MAA=",
                "sha256": "a1".repeat(32), "key_sha256": "b2".repeat(32), "not_before": not_before,
                "not_after": "2201-01-01T00:00:00Z", "registered_at": ago(&site, 1),
                "registered_by": "second@example.org", "status": "good",
            }),
        ];
        site.write("facts.jsonl", &lines.map(|line| line.to_string()).join("\n"));
        "countersign revocation import facts.jsonl"
    };
    let found = site.refused(poison("2200-01-01T00:00:00Z"), 2, "setup.service.refused");
    assert!(found.contains("import.future"), "{found}");
    site.succeed(poison(&ago(&site, 1)));

    // By its key nothing is found yet, and that is said in so many words.
    let order = format!("--reason keyCompromise --compromised-since {} --yes", ago(&site, 3));
    let by_key = format!("revoke --key-of accomplice.pem {order}");
    let said = site.succeed(&format!("countersign {by_key}")).stdout;
    assert!(said.starts_with("No certificate with this key is registered"), "{said}");
    assert_eq!(site.json(&by_key)["certificate_count"], 0);
    assert_eq!(site.revoked(), []);
    // The certificate itself replaces what was imported, and its key was revoked.
    let said = site.succeed("countersign revocation register accomplice.pem").stdout;
    assert!(said.contains("registered_revoked"), "{said}");
    let done = site.json(&format!("revoke --certificate accomplice.pem {order}"));
    assert_eq!(done["serial"], serial.as_str());
    assert_eq!(site.revoked(), [(serial, "keyCompromise".to_owned())]);
    let status = "countersign revocation status --certificate accomplice.pem";
    let said = site.run(status).said();
    assert!(said.contains(&done["revocation_date"].as_str().expect("a date")[..16]), "{said}");
}
