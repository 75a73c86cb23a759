//! Who may import has others revoke and register: their names stand in what is imported.

use serde_json::json;

use crate::site::Site;

#[test]
fn an_import_names_who_imported() {
    let site = Site::start();
    let at = site.succeed("date -u -d '-2 minutes' +%Y-%m-%dT%H:%M:%SZ").stdout;
    let at = at.trim();
    let lines = [
        json!({ "kind": "export", "format": 1 }),
        json!({
            "kind": "certificate", "issuer": "signing", "serial": "a7", "not_before": at,
            "not_after": "2049-01-01T00:00:00Z", "registered_at": at,
            "registered_by": "second@example.org", "status": "revoked", "revocation": {
                "reason": "keyCompromise", "revocation_date": at, "recorded_at": at,
                "recorded_by": "second@example.org",
            },
        }),
    ];
    site.write("others.jsonl", &lines.map(|line| line.to_string()).join("\n"));
    site.succeed("countersign revocation import others.jsonl");
    let listed = site.json("revocation list --issuer signing");
    let entry = listed["certificates"].as_array().expect("a list").iter();
    let entry = entry.clone().find(|entry| entry["serial"] == "a7").expect("imported");
    let by = "imported by admin@example.org: second@example.org";
    assert_eq!(entry["revocation"]["recorded_by"], by, "{entry}");
    assert_eq!(entry["registered_by"], by, "{entry}");
    // The record, which nobody can change afterwards, has who did it and whose names were used.
    let record = "countersign audit show revocation.db.audit --kind import.done";
    let shown = site.succeed(record).stdout;
    assert!(shown.contains("admin@example.org"), "{shown}");
    assert!(shown.contains("second@example.org"), "{shown}");
}
