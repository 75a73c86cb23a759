//! Who sends one order many times at once, under one key, has it carried out and recorded as often; and what is kept
//! for each key fills the disk.

use crate::site::Site;

const AT_ONCE: usize = 12;

#[test]
fn of_orders_at_once_under_one_key_one_is_carried_out() {
    let site = Site::start();
    let serial = site.serial("signer.pem");
    let order =
        format!("{{\"issuer\":\"signing\",\"serial\":\"{serial}\",\"reason\":\"superseded\"}}");
    site.write("order.json", &order);
    let line = format!(
        "curl --silent --output answer --write-out '%{{http_code}}\\n' --cacert ca/root/certificate.pem \
         --cert admin.pem --key admin.key --pass \"$(cat passphrase)\" --parallel \
         --parallel-immediate -H 'Content-Type: application/json' -H 'Idempotency-Key: once' \
         --data-binary @order.json \"$COUNTERSIGN_ADMIN_URL/v1/revocations#[1-{AT_ONCE}]\""
    );
    let said = site.succeed(&line).stdout;
    let statuses: Vec<_> = said.lines().collect();
    assert_eq!(statuses.len(), AT_ONCE);
    // Done, done before, or being done.
    assert!(statuses.contains(&"200"), "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(*status, "200" | "409")), "{statuses:?}");
    let record = "countersign audit show revocation.db.audit --kind revocation.ordered";
    let shown = site.succeed(record).stdout;
    let orders = shown.lines().filter(|line| line.contains("revocation.ordered")).count();
    assert_eq!(orders, 1, "{shown}");
}
