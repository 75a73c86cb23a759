//! What takes two people: `revocation pending`, `approve`, `reject`, `withdraw`.

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
    let proposed = site.waiting(lift);
    let id = proposed["pending"]["id"].as_u64().expect("a number");
    let digest = proposed["pending"]["proposal_sha256"].as_str().expect("a digest");
    assert_eq!(site.revoked(), [(serial.clone(), "certificateHold".to_owned())]);

    let pending = site.succeed(&format!("{SECOND} countersign revocation pending")).stdout;
    assert!(
        pending.contains(&format!("{id}: waiting: lift the hold on signing {serial}")),
        "{pending}"
    );
    assert!(pending.contains("by admin@example.org: key found"), "{pending}");
    assert!(pending.contains(&format!("  sha256:   {digest}\n")), "{pending}");
    let was = "  was:      certificateHold from ";
    assert!(pending.contains(was) && pending.contains("  becomes:  good\n"), "{pending}");
    let blindly = format!("{SECOND} countersign revocation approve {id}");
    let found = site.refused(&blindly, 2, "setup.usage.invalid");
    assert!(found.contains("--sha256"), "{found}");
    let another = format!("{blindly} --sha256 {}", "0".repeat(64));
    let found = site.refused(&another, 2, "setup.service.refused");
    assert!(found.contains("pending.not_as_shown"), "{found}");
    let approve =
        format!("countersign revocation approve {id} --sha256 {digest} --comment checked");
    let found = site.refused(&approve, 2, "setup.service.refused");
    assert!(found.contains("pending.same_person"), "{found}");
    let second = format!("{SECOND} {approve}");
    let done = site.succeed(&second).stdout;
    assert!(done.contains(&format!("{id}: approved")), "{done}");
    assert_eq!(site.revoked(), []);
    let good = site.succeed("countersign revocation status --certificate signer.pem").stdout;
    assert!(good.contains("Good."), "{good}");
    let unknown = format!("countersign revocation approve 99 --sha256 {digest}");
    let found = site.refused(&unknown, 2, "setup.service.refused");
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
    let ran = site.run(&format!("countersign revoke {whom} --compromised-since \"{later}\""));
    assert_eq!(ran.exit_code, 4, "{}", ran.said());
    let (text, since) = (ran.stdout, &before["certificates"][0]["revocation"]["revocation_date"]);
    // The key was revoked before; the order says so again, and what waits.
    assert!(text.starts_with("Revoked: ") && text.contains("(unchanged)"), "{text}");
    assert!(text.contains("Waits for a second person: that the revocation date of "), "{text}");
    let since = format!("already revoked since {} ", since.as_str().expect("a date"));
    assert!(text.contains(&since) && text.contains("takes effect at once"), "{text}");
    let digest = site.json("revocation pending")["pending"][0]["proposal_sha256"].clone();
    let digest = digest.as_str().expect("a digest");
    assert!(text.contains(&format!("approve 1 --sha256 {digest}\n")), "{text}");
    let reject = format!("{SECOND} countersign revocation reject 1 --sha256 {digest}");
    let text = site.succeed(&reject).stdout;
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

/// The incident of docs/key-compromise.md that began harmlessly: what was replaced turns out to be stolen.
#[test]
fn an_order_that_waits_is_no_success_and_can_be_taken_back() {
    let site = Site::start();
    let replaced = "$(date -u -d '-4 minutes' +%Y-%m-%dT%H:%M:%SZ)";
    let stolen = "$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)";
    let order = "revoke --certificate signer.pem --yes";
    site.succeed(&format!(
        "countersign {order} --reason superseded --compromised-since \"{replaced}\""
    ));
    let stolen = format!("{order} --reason keyCompromise --compromised-since \"{stolen}\"");
    let found = site.refused(&format!("countersign {stolen}"), 2, "setup.service.refused");
    assert!(found.contains("revoked already, from "), "{found}");
    assert!(found.contains("takes effect at once"), "{found}");
    let waiting = site.waiting(&format!("{stolen} --comment 'ticket 17'"));
    assert_eq!(waiting["code"], "revocation.pending");
    assert!(waiting["explanation"].as_str().expect("words").contains("already revoked since"));
    assert_eq!(waiting["at_once"]["certificates"][0]["outcome"], "revoked");
    assert_eq!(site.revoked(), [(site.serial("signer.pem"), "keyCompromise".to_owned())]);
    // The time passes between two runs: the very same date.
    let since = waiting["pending"]["compromised_since"].as_str().expect("a time").to_owned();
    let again = format!("{order} --reason keyCompromise --compromised-since {since}");
    let added = site.waiting(&format!("{again} --comment 'and ticket 18'"));
    assert_eq!(added["pending"]["comment"], "ticket 17; and ticket 18");
    let text =
        site.succeed("countersign revocation withdraw 1 --comment 'the earlier date'").stdout;
    assert!(text.contains("1: withdrawn: "), "{text}");
    let was = waiting["pending"]["was"]["revocation_date"].as_str().expect("a time");
    site.succeed(&format!("countersign {order} --reason keyCompromise --compromised-since {was}"));
    assert_eq!(site.revoked(), [(site.serial("signer.pem"), "keyCompromise".to_owned())]);
}
