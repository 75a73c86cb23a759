//! Who has a certificate and no rights fills the ledger: each request that is denied was a line and a sync.

use crate::site::Site;

const REQUESTS: usize = 200;

#[test]
fn what_is_denied_again_and_again_is_summed_up() {
    let site = Site::start();
    // The second person may approve and nothing else. A fragment is not sent.
    let line = format!(
        "curl --silent --output answer --write-out '%{{http_code}}\\n' --cacert ca/root/certificate.pem \
         --cert second.pem --key second.key --pass \"$(cat passphrase)\" -X POST \
         \"$COUNTERSIGN_ADMIN_URL/v1/backups#[1-{REQUESTS}]\""
    );
    let said = site.succeed(&line).stdout;
    let statuses: Vec<_> = said.lines().collect();
    assert_eq!(statuses.len(), REQUESTS);
    let denied = statuses.iter().filter(|status| **status == "403").count();
    let rated = statuses.iter().filter(|status| **status == "429").count();
    assert_eq!(denied + rated, REQUESTS, "{statuses:?}");
    let Site { founded, service } = site;
    service.stop().expect("it ends");
    let show = "countersign audit show revocation.db.audit --kind access.denied";
    let shown = founded.shell.succeed(show).expect("a ledger").stdout;
    let lines = shown.lines().filter(|line| line.contains("access.denied")).count();
    assert!((1..=5).contains(&lines), "{lines} lines:\n{shown}");
    assert!(shown.contains("second@example.org"), "{shown}");
}
