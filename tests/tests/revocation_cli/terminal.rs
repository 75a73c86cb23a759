//! What a person at a terminal is shown and asked before something is revoked; the terminal is
//! `script`'s, of util-linux.

use crate::site::{SECOND, Site};

/// Runs a command at a terminal where somebody types `typed`; gives its exit code and what the
/// terminal showed.
fn at_terminal(site: &Site, command: &str, typed: &str) -> (i32, String) {
    let ran = site.run(&format!(
        "printf '{typed}' | script --quiet --return --flush --command \"{command}\" /dev/null"
    ));
    (ran.exit_code, ran.said().replace('\r', ""))
}

#[test]
fn revoking_shows_what_it_does_and_asks() {
    let site = Site::start();
    let serial = site.serial("signer.pem");
    let revoke = "countersign revoke --certificate signer.pem --reason superseded";
    let question = format!(
        "Revoke release@example.org (serial {serial}) for superseded? It cannot be undone. [y/N]"
    );
    for no in ["n\\n", "\\n", "yep\\n"] {
        let (code, shown) = at_terminal(&site, revoke, no);
        assert_eq!(code, 2, "{shown}");
        assert!(shown.contains("Would be revoked: release@example.org"), "{shown}");
        assert!(shown.contains(&question), "{shown}");
        assert!(shown.contains("so nothing was done"), "{shown}");
        assert_eq!(site.revoked(), []);
    }
    // Whoever does not want to be asked is not, terminal or not.
    let (code, shown) = at_terminal(&site, &format!("{revoke} --no-input"), "y\\n");
    assert_eq!(code, 2, "{shown}");
    assert!(!shown.contains("[y/N]") || shown.contains("setup.confirmation.missing"), "{shown}");
    let (code, shown) = at_terminal(&site, revoke, "y\\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains(&question) && shown.contains("Revoked: release@example.org"), "{shown}");
    assert_eq!(site.revoked(), [(serial, "superseded".to_owned())]);
}

#[test]
fn yes_and_dry_run_do_not_ask() {
    let site = Site::start();
    let revoke = "countersign revoke --certificate signer.pem --reason superseded";
    let (code, shown) = at_terminal(&site, &format!("{revoke} --dry-run"), "");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Would be revoked") && !shown.contains("[y/N]"), "{shown}");
    assert_eq!(site.revoked(), []);
    let (code, shown) = at_terminal(&site, &format!("{revoke} --yes"), "");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Revoked: ") && !shown.contains("[y/N]"), "{shown}");
    assert_eq!(site.revoked().len(), 1);
}

#[test]
fn approving_shows_what_is_approved_and_asks() {
    let site = Site::start();
    site.succeed("countersign revoke --certificate signer.pem --reason certificateHold --yes");
    site.waiting("revoke --certificate signer.pem --reason removeFromCRL --yes --comment found");
    let approve = format!("{SECOND} countersign revocation approve 1");
    let (code, shown) = at_terminal(&site, &approve, "n\\n");
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("1: waiting: lift the hold on signing "), "{shown}");
    assert!(shown.contains("by admin@example.org: found"), "{shown}");
    assert!(shown.contains("Approve this? [y/N]"), "{shown}");
    assert_eq!(site.revoked().len(), 1);
    let (code, shown) = at_terminal(&site, &approve, "y\\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("1: approved: "), "{shown}");
    assert_eq!(site.revoked(), []);
}

#[test]
fn a_passphrase_is_asked_for_and_not_shown() {
    let site = Site::start();
    let passphrase = site.read("passphrase");
    let passphrase = passphrase.trim_end();
    let list = "env -u COUNTERSIGN_KEY_PASSPHRASE countersign revocation list --issuer signing";
    let (code, shown) = at_terminal(&site, list, &format!("{passphrase}\\n"));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Passphrase of the key admin.key: "), "{shown}");
    let (code, shown) = at_terminal(&site, list, "wrong\\n");
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("a wrong passphrase"), "{shown}");
}
