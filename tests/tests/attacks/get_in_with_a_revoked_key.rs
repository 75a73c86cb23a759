//! An administrator who was locked out gets in again: by a certificate of an authority that the service does not
//! answer for, or by a new certificate for the old key.

use crate::site::{SECOND, Site};

#[test]
fn a_key_that_was_revoked_opens_nothing_whoever_certified_it() {
    let site = Site::start();
    site.succeed(
        "countersign ca issue --dir ca --profile tls-client --email second@example.org \
         --key second.key --output renewed.pem",
    );
    let renewed = SECOND.replace("second.pem", "renewed.pem");
    let looks = "countersign revocation pending";
    // No [[issuer]] of this service issued them, as it is with the packaged configuration.
    site.succeed(&format!("{SECOND} {looks}"));
    site.succeed(&format!("{renewed} {looks}"));
    site.succeed(
        "countersign revoke --key-of second.pem --reason keyCompromise --yes --compromised-since \
         \"$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)\"",
    );
    for who in [SECOND, &renewed] {
        let found = site.refused(&format!("{who} {looks}"), 2, "setup.service.refused");
        assert!(found.contains("actor.revoked"), "{found}");
    }
    site.succeed(looks);
}
