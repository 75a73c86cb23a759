//! What takes two people: `revocation pending`, `approve`, `reject`.

use crate::site::{SECOND, Site};

#[test]
fn a_hold_is_lifted_by_two_people_and_by_no_one_alone() {
    let site = Site::start();
    let serial = site.serial("signer.pem");
    site.succeed("countersign revoke --certificate signer.pem --reason certificateHold --yes");
    let lift = "revoke --certificate signer.pem --reason removeFromCRL --yes --comment 'key found'";
    let shown = site.succeed(&format!("countersign {lift} --dry-run")).stdout;
    assert!(shown.starts_with("Would wait for a second person"), "{shown}");
    assert_eq!(site.succeed("countersign revocation pending").stdout, "Nothing waits.\n");
    let proposed = site.json(lift);
    let id = proposed["pending"]["id"].as_u64().expect("a number");
    assert_eq!(site.revoked(), [(serial.clone(), "certificateHold".to_owned())]);

    let pending = site.succeed(&format!("{SECOND} countersign revocation pending")).stdout;
    assert!(
        pending.contains(&format!("{id}: waiting: lift the hold on signing {serial}")),
        "{pending}"
    );
    assert!(pending.contains("by admin@example.org: key found"), "{pending}");
    let approve = format!("countersign revocation approve {id} --comment checked");
    let found = site.refused(&approve, 2, "setup.service.refused");
    assert!(found.contains("pending.same_person"), "{found}");
    let second = format!("{SECOND} {approve}");
    let done = site.succeed(&second).stdout;
    assert!(done.contains(&format!("{id}: approved")), "{done}");
    assert_eq!(site.revoked(), []);
    let good = site.succeed("countersign revocation status --certificate signer.pem").stdout;
    assert!(good.contains("Good."), "{good}");
    let found = site.refused("countersign revocation approve 99", 2, "setup.service.refused");
    assert!(found.contains("pending.unknown"), "{found}");
}

#[test]
fn what_was_rejected_stays_as_it_was() {
    let site = Site::start();
    let earlier = "$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ)";
    let later = "$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)";
    let whom = "--certificate signer.pem --reason keyCompromise --yes --comment x";
    // Valid since five minutes before it was issued, so a date within that is an earlier one.
    let validity = "$(date -u -d '-4 minutes' +%Y-%m-%dT%H:%M:%SZ)";
    let found = site.refused(
        &format!("countersign revoke {whom} --compromised-since \"{earlier}\""),
        2,
        "setup.service.refused",
    );
    assert!(found.contains("valid"), "{found}");
    site.succeed(&format!("countersign revoke {whom} --compromised-since \"{validity}\""));
    let before = site.json("revocation list --issuer signing");
    let text =
        site.succeed(&format!("countersign revoke {whom} --compromised-since \"{later}\"")).stdout;
    assert!(text.starts_with("Waits for a second person"), "{text}");
    let text = site.succeed(&format!("{SECOND} countersign revocation reject 1")).stdout;
    assert!(text.contains("1: rejected: move to "), "{text}");
    assert_eq!(site.json("revocation list --issuer signing"), before);
    // A lighter reason is nobody's to give.
    let lighter = "countersign revoke --certificate signer.pem --reason superseded --yes";
    let found = site.refused(lighter, 2, "setup.service.refused");
    assert!(found.contains("keyCompromise"), "{found}");
    // The second person may approve and reject, and not revoke.
    let found = site.refused(
        &format!("{SECOND} countersign revoke {whom} --compromised-since \"{validity}\""),
        2,
        "setup.service.refused",
    );
    assert!(found.contains("actor."), "{found}");
}
