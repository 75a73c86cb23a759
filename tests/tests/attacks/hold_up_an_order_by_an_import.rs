//! Who may import keeps an urgent revocation from being recorded, for as long as the import takes.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::site::Site;

/// On two slow cores they take some seconds; in one transaction, every other order waited for all of them.
const RELEASES: usize = 45_000;
/// For one order: it waits for one batch of a thousand.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn an_order_does_not_wait_for_an_import() {
    let site = Site::start();
    let at = site.succeed("date -u -d '-2 minutes' +%Y-%m-%dT%H:%M:%SZ").stdout;
    let mut text = json!({ "kind": "export", "format": 1 }).to_string();
    for bundle in 0..RELEASES {
        let line = json!({
            "kind": "release", "bundle_sha256": format!("{bundle:064x}"), "name": "app",
            "issuer": "signing", "serial": "02aa", "key_sha256": "ef".repeat(32),
            "registered_at": at.trim(), "registered_by": "x",
        });
        let _ = write!(text, "\n{line}");
    }
    site.write("import.jsonl", &text);
    for signer in ["first", "second-one", "third"] {
        site.add_signer(signer);
    }
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            site.succeed("countersign revocation import import.jsonl");
            is_done.store(true, Ordering::Release);
        });
        let ordered = "countersign audit show revocation.db.audit --kind import.ordered";
        let began = Instant::now();
        while !site.run(ordered).stdout.contains("import.ordered") {
            assert!(began.elapsed() < 6 * PATIENCE, "the import does not begin");
            thread::sleep(Duration::from_millis(50));
        }
        let mut beside = 0;
        for signer in ["first", "second-one", "third"] {
            let began = Instant::now();
            let order =
                format!("countersign revoke --certificate {signer}.pem --reason superseded");
            site.succeed(&format!("{order} --yes"));
            assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
            beside += usize::from(!is_done.load(Ordering::Acquire));
        }
        assert_ne!(beside, 0, "the import was done before: let it have more lines");
    });
    assert_eq!(site.revoked().len(), 3);
}
