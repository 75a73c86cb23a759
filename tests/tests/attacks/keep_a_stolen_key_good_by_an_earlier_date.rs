//! Who stole a key goes on with its other certificates: one of them was revoked from an early date on, and the order
//! for the compromise, with the true date, waits for a second person, and never comes to the key.

use crate::site::{SECOND, Site};

/// A moment so many minutes ago.
fn ago(site: &Site, minutes: u32) -> String {
    let line = format!("date -u -d '-{minutes} minutes' +%Y-%m-%dT%H:%M:%SZ");
    site.succeed(&line).stdout.trim().to_owned()
}

/// Another certificate with the key of `signer.pem`.
fn renew(site: &Site, name: &str) {
    site.succeed(&format!(
        "countersign ca issue --dir ca --profile code-signer --email {name}@example.org \
         --key signer.key --output {name}.pem"
    ));
    site.succeed(&format!("countersign revocation register {name}.pem"));
}

/// What is revoked for the compromise.
fn compromised(site: &Site) -> usize {
    site.revoked().iter().filter(|(_, reason)| reason == "keyCompromise").count()
}

#[test]
fn the_key_is_revoked_while_the_date_waits_and_after_it_moved() {
    let site = Site::start();
    renew(&site, "renewed");
    let order = "revoke --certificate signer.pem --yes";
    let early = ago(&site, 4);
    site.succeed(&format!("countersign {order} --reason superseded --compromised-since {early}"));
    let stolen = format!(
        "{order} --reason keyCompromise --compromised-since {} --comment stolen",
        ago(&site, 2)
    );
    let waiting = site.waiting(&stolen);
    assert_eq!(compromised(&site), 2);
    renew(&site, "later");
    assert_eq!(compromised(&site), 3);
    let text = site.run(&format!("countersign {stolen}")).stdout;
    assert!(text.starts_with("Revoked: "), "{text}");

    let digest = waiting["pending"]["proposal_sha256"].as_str().expect("a digest");
    site.succeed(&format!("{SECOND} countersign revocation approve 1 --sha256 {digest}"));
    renew(&site, "last");
    assert_eq!(compromised(&site), 4);
    let keys = site.json("revocation list --issuer signing");
    let dates: Vec<_> = keys["certificates"].as_array().expect("a list").iter().collect();
    assert!(dates.iter().all(|each| each["revocation"]["revocation_date"] != early), "{keys}");
}
