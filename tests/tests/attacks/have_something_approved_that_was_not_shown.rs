//! Who proposes lays in orders, or changes what they change after somebody looked: the second person approves
//! one thing and does another.

use serde_json::Value;

use crate::site::{SECOND, Site};

/// The line with which the second person approves what was shown.
fn approve(proposal: &Value) -> String {
    let digest = proposal["proposal_sha256"].as_str().expect("a digest");
    format!("{SECOND} countersign revocation approve {} --sha256 {digest}", proposal["id"])
}

/// A moment so many minutes ago, for a shell.
fn ago(minutes: u32) -> String {
    format!("\"$(date -u -d '-{minutes} minutes' +%Y-%m-%dT%H:%M:%SZ)\"")
}

/// The revocation of the signer, as the service shows it.
fn revocation(site: &Site) -> Value {
    let listed = site.json("revocation list --issuer signing");
    listed["certificates"][0]["revocation"].clone()
}

#[test]
fn what_was_proposed_for_one_state_changes_no_other() {
    let site = Site::start();
    a_hold_of_another_incident_stays(&site);
    site.add_signer("other");
    a_stricter_date_stays(&site);
    site.add_signer("third");
    of_two_decisions_at_once_one_counts(&site);
}

fn a_hold_of_another_incident_stays(site: &Site) {
    let hold = "countersign revoke --certificate signer.pem --reason certificateHold --yes";
    let lift = "revoke --certificate signer.pem --reason removeFromCRL --yes --comment";
    site.succeed(hold);
    let first = site.waiting(&format!("{lift} found"))["pending"].clone();
    // No stock of them: the same certificate has one proposal, and who saw it without the new words approves nothing.
    let second = site.waiting(&format!("{lift} 'found again'"))["pending"].clone();
    assert_eq!(first["id"], second["id"]);
    let found = site.refused(&approve(&first), 2, "setup.service.refused");
    assert!(found.contains("pending.not_as_shown"), "{found}");
    site.succeed(&approve(&second));
    assert_eq!(site.revoked(), []);

    // Another incident. What was approved once is used up: it is shown as it was, and nothing is done.
    site.succeed(hold);
    site.succeed(&approve(&second));
    let on_hold = [(site.serial("signer.pem"), "certificateHold".to_owned())];
    assert_eq!(site.revoked(), on_hold);
    // One that waits is void when the hold becomes another one.
    let third = site.waiting(&format!("{lift} found"))["pending"].clone();
    site.succeed(&format!("{hold} --compromised-since {}", ago(2)));
    let found = site.refused(&approve(&third), 2, "setup.service.refused");
    assert!(found.contains("pending.outdated"), "{found}");
    assert_eq!(site.revoked(), on_hold);
    let superseded = hold.replace("certificateHold", "superseded");
    site.succeed(&superseded);
}

fn a_stricter_date_stays(site: &Site) {
    let order = |minutes: u32| {
        let whom = "--certificate signer.pem --reason keyCompromise --yes --comment stolen";
        format!("revoke {whom} --compromised-since {}", ago(minutes))
    };
    site.succeed(&format!("countersign {}", order(3)));
    let later = site.waiting(&order(1))["pending"].clone();
    assert_ne!(later["was"], Value::Null, "what it changes is shown: {later}");
    site.succeed(&format!("countersign {}", order(4)));
    let before = revocation(site);
    let found = site.refused(&approve(&later), 2, "setup.service.refused");
    assert!(found.contains("pending.outdated"), "{found}");
    assert_eq!(revocation(site), before);
}

fn of_two_decisions_at_once_one_counts(site: &Site) {
    site.succeed("countersign revoke --certificate third.pem --reason certificateHold --yes");
    let lift = "revoke --certificate third.pem --reason removeFromCRL --yes --comment found";
    let proposal = site.waiting(lift)["pending"].clone();
    let approve = approve(&proposal);
    let reject = approve.replace(" approve ", " reject ");
    let both = site.succeed(&format!(
        "{approve} > approved 2>&1 & {reject} > rejected 2>&1; echo $?; wait $!; echo $?"
    ));
    let mut codes: Vec<_> = both.stdout.lines().collect();
    codes.sort_unstable();
    assert_eq!(codes, ["0", "2"], "{} {}", site.read("approved"), site.read("rejected"));
    let refused = ["approved", "rejected"].map(|name| site.read(name)).concat();
    assert!(refused.contains("pending.decided"), "{refused}");
}
