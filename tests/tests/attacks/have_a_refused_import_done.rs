//! Who imports has something revoked that the record says was refused.

use serde_json::{Value, json};

use crate::site::Site;

fn release(bundle: usize, name: &str, at: &str) -> Value {
    json!({
        "kind": "release", "bundle_sha256": format!("{bundle:064x}"), "name": name,
        "issuer": "signing", "serial": "02aa", "key_sha256": "ef".repeat(32),
        "registered_at": at, "registered_by": "x",
    })
}

#[test]
fn an_import_that_is_refused_changes_nothing() {
    let site = Site::start();
    let at = site.succeed("date -u -d '-2 minutes' +%Y-%m-%dT%H:%M:%SZ").stdout;
    let at = at.trim();
    let import = |lines: &[Value]| {
        let head = json!({ "kind": "export", "format": 1 }).to_string();
        let lines = lines.iter().map(Value::to_string);
        let text: Vec<_> = std::iter::once(head).chain(lines).collect();
        site.write("import.jsonl", &text.join("\n"));
        "countersign revocation import import.jsonl"
    };
    site.succeed(import(&[release(1, "app-1.0", at)]));
    let mut lines = vec![json!({
        "kind": "certificate", "issuer": "signing", "serial": "02aa", "not_before": at,
        "not_after": "2049-01-01T00:00:00Z", "registered_at": at, "registered_by": "x",
        "status": "revoked", "revocation": {
            "reason": "keyCompromise", "revocation_date": at, "recorded_at": at,
            "recorded_by": "second@example.org",
        },
    })];
    // So few that they are one transaction, and more.
    for more in [0, 2_500] {
        lines.extend((2..2 + more).map(|bundle| release(bundle, "app", at)));
        lines.push(release(1, "app-2.0", at));
        let found = site.refused(import(&lines), 2, "setup.service.refused");
        assert!(found.contains("release.conflict"), "{found}");
        assert_eq!(site.revoked(), []);
        lines.pop();
    }
    let shown = site.succeed("countersign audit show revocation.db.audit").stdout;
    assert_eq!(shown.matches("import.refused").count(), 2, "{shown}");
    assert_eq!(shown.matches("import.partly_done").count(), 0, "{shown}");
    site.succeed(import(&lines));
    assert_eq!(site.revoked(), [("02aa".to_owned(), "keyCompromise".to_owned())]);
}
