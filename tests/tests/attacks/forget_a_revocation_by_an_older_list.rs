//! Who stands between a verifier and the revocation service shows the list from before the revocation, which has not
//! run out. The page and Node have their tests in `web/tests/node/revocation.test.ts` and in the browsers' flows.

use std::fs;

use crate::{
    site::Site,
    web::{Reply, Web},
};

const VERIFY: &str =
    "countersign --format json verify app --trusted-root trusted_root.json --policy policy.json";

#[test]
fn what_this_computer_saw_revoked_stays_revoked() {
    let site = Site::start();
    let timestamp = site.founded.start_timestamp().expect("it listens");
    site.succeed(&format!(
        "echo x > app && countersign sign app --key signer.key --certificate signer.pem \
         --trusted-root trusted_root.json --timestamp-url {}",
        timestamp.url("public")
    ));
    site.succeed(VERIFY);
    let base = site.founded.base_url();
    site.succeed(&format!(
        "mkdir old && cd old && for list in root signing timestamping; do \
         curl --silent --fail --output $list.crl {base}/crl/$list.crl || exit 1; done"
    ));
    site.succeed(
        "countersign revoke --certificate signer.pem --reason keyCompromise --yes --compromised-since \
         \"$(date -u -d '-4 minutes' +%Y-%m-%dT%H:%M:%SZ)\"",
    );
    let revoked = site.run(VERIFY);
    assert_eq!(revoked.exit_code, 14, "{}", revoked.said());
    let address = base.trim_start_matches("http://").to_owned();
    let folder = site.founded.shell.folder().join("old");
    site.service.kill();
    let between = Web::start(&address, move |line| {
        let path = line.split(' ').nth(1).unwrap_or_default();
        match path.strip_prefix("/crl/").map(|name| fs::read(folder.join(name))) {
            Some(Ok(list)) => Reply::found(list),
            _ => Reply::missing(),
        }
    });
    let shell = &site.founded.shell;
    for more in ["", " --offline", " --crl old/root.crl old/signing.crl old/timestamping.crl"] {
        let ran = shell.run(&format!("{VERIFY}{more}")).expect("a shell");
        assert_eq!(ran.exit_code, 14, "{more}: {}", ran.said());
        assert!(ran.stdout.contains("revocation.revoked"), "{more}: {}", ran.stdout);
    }
    assert!(between.asked().iter().any(|line| line.contains("/crl/signing.crl")));
    // The old lists alone would do: so much depends on what was kept.
    let ran = shell.run(&format!("{VERIFY} --no-cache")).expect("a shell");
    assert_eq!(ran.exit_code, 0, "{}", ran.said());
}
