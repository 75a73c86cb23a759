//! Where a CA's CRL is made offline, the next list brings a revoked certificate back to life by an option that
//! somebody forgets, or leaves out on purpose.

use countersign_tests::scenario::{Folder, Shell, Site};

/// A CA with a signer; its passphrase is exported.
fn founded() -> Site {
    let mut site = Site::new(Folder::Removed).expect("a folder");
    site.make_passphrase().expect("a passphrase");
    for line in site.founding_commands() {
        site.shell.succeed(&line).expect("founded");
    }
    site
}

fn serial(shell: &Shell) -> String {
    let line = "openssl x509 -in signer.pem -noout -serial";
    let text = shell.succeed(line).expect("a serial number").stdout;
    text.trim().trim_start_matches("serial=").to_ascii_lowercase()
}

/// Reason and date of the entries in a list, by openssl.
fn entries(shell: &Shell, list: &str) -> String {
    let line = format!("openssl crl -inform der -in {list} -noout -text");
    let text = shell.succeed(&line).expect("a list").stdout;
    text.split_once("No Revoked Certificates.").map_or_else(|| text.clone(), |_| String::new())
}

const MAKE: &str = "countersign ca crl --dir ca --ca signing --output";

#[test]
fn an_option_that_is_forgotten_brings_nothing_back() {
    let site = founded();
    let shell = &site.shell;
    let serial = serial(shell);
    let revoke = format!("--revoke {serial}:keyCompromise:2026-05-03T10:00:00Z");
    shell.succeed(&format!("{MAKE} first.crl {revoke}")).expect("made");
    // Into the same file, into another one, and by whoever took the first one away.
    for (line, list) in [
        (format!("{MAKE} first.crl"), "first.crl"),
        (format!("{MAKE} other.crl"), "other.crl"),
        (format!("rm first.crl other.crl && {MAKE} first.crl"), "first.crl"),
    ] {
        shell.succeed(&line).expect("made");
        let entries = entries(shell, list);
        assert!(entries.contains("Key Compromise"), "{line}: {entries}");
        assert!(entries.contains("May  3 10:00:00 2026"), "{line}: {entries}");
    }
    // A list from before the CA's folder kept any is read where it lies.
    let line = format!("rm -r ca/crls && {MAKE} first.crl");
    shell.succeed(&line).expect("made");
    assert!(entries(shell, "first.crl").contains("Key Compromise"));
}

#[test]
fn an_entry_becomes_stricter_and_never_milder() {
    let site = founded();
    let shell = &site.shell;
    let serial = serial(shell);
    let revoke = |reason: &str, date: &str| {
        shell.run(&format!("{MAKE} a.crl --revoke {serial}:{reason}:{date}")).expect("a shell")
    };
    assert_eq!(revoke("superseded", "2026-05-03T10:00:00Z").exit_code, 0);
    for (reason, date) in [
        ("superseded", "2026-05-03T10:00:01Z"),
        ("keyCompromise", "2026-05-03T10:00:01Z"),
        ("certificateHold", "2026-05-03T10:00:00Z"),
    ] {
        let ran = revoke(reason, date);
        assert_eq!(ran.exit_code, 2, "{reason} {date}: {}", ran.said());
        assert!(ran.said().contains("is listed already"), "{}", ran.said());
    }
    let ran = shell.run(&format!("{MAKE} a.crl --release {serial}")).expect("a shell");
    assert_eq!(ran.exit_code, 2, "{}", ran.said());
    assert!(ran.said().contains("only a hold can be lifted"), "{}", ran.said());
    assert_eq!(revoke("keyCompromise", "2026-05-03T09:00:00Z").exit_code, 0);
    let listed = entries(shell, "a.crl");
    assert!(listed.contains("Key Compromise") && listed.contains("09:00:00"), "{listed}");
}

#[test]
fn a_hold_is_lifted_on_purpose_alone() {
    let site = founded();
    let shell = &site.shell;
    let serial = serial(shell);
    let hold = format!("--revoke {serial}:certificateHold:2026-05-03T10:00:00Z");
    shell.succeed(&format!("{MAKE} a.crl {hold}")).expect("made");
    shell.succeed(&format!("{MAKE} a.crl")).expect("made");
    assert!(entries(shell, "a.crl").contains("Certificate Hold"));
    shell.succeed(&format!("{MAKE} a.crl --release {serial}")).expect("made");
    assert_eq!(entries(shell, "a.crl"), "");
    let again = shell.run(&format!("{MAKE} a.crl --release {serial}")).expect("a shell");
    assert_eq!(again.exit_code, 2, "{}", again.said());
}

#[test]
fn what_the_folder_keeps_is_believed_only_if_the_ca_signed_it() {
    let site = founded();
    let shell = &site.shell;
    let revoke = format!("--revoke {}:keyCompromise:2026-05-03T10:00:00Z", serial(shell));
    shell.succeed(&format!("{MAKE} a.crl {revoke}")).expect("made");
    let other = "countersign ca crl --dir ca --ca root --output other.crl";
    shell.succeed(other).expect("made");
    for change in [
        "cp other.crl ca/crls/signing.crl",
        "printf garbage > ca/crls/signing.crl",
        // One octet of the signature.
        "cp a.crl ca/crls/signing.crl && printf '\\0' | dd of=ca/crls/signing.crl bs=1 conv=notrunc \
         seek=$(($(stat -c %s a.crl) - 5)) 2>/dev/null",
    ] {
        let ran = shell.run(&format!("{change} && {MAKE} b.crl")).expect("a shell");
        assert_eq!(ran.exit_code, 3, "{change}: {}", ran.said());
        assert!(ran.said().contains("give every --revoke again"), "{}", ran.said());
    }
}
