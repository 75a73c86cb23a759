//! Who stands between a verifier and the revocation service shows the list from before the revocation, which has not
//! run out; or it is handed in beside the file. More about the page and Node is in
//! `web/tests/node/revocation.test.ts` and in the browsers' flows.

use std::fs;

use countersign_tests::scenario::built;
use serde_json::{Value, json};

use crate::{
    site::Site,
    web::{Reply, Web},
};

const VERIFY: &str =
    "countersign --format json verify app --trusted-root trusted_root.json --policy policy.json";

/// Verifies `app` with the lists from before, then by asking the service, then twice with the lists
/// from before; gives the four codes.
const SCRIPT: &str = "\
const { pathToFileURL } = await import('node:url');
const { openAsBlob } = await import('node:fs');
const { verify } = await import(pathToFileURL(process.env.COUNTERSIGN_VERIFY + '/index.js').href);
const at = (name) => pathToFileURL(name);
const [trust, policy, bundle] = ['trusted_root.json', 'policy.json', 'app.sigstore.json'].map(at);
const crls = ['root', 'signing', 'timestamping'].map((name) => at(`old/${name}.crl`));
const codes = [];
for (const revocation of [{ crls, network: 'none' }, {}, { crls, network: 'none' }, { crls }]) {
  const report = await verify(await openAsBlob('app'), { trust, policy, bundle, name: 'app', revocation });
  codes.push(report.code);
}
console.log(JSON.stringify(codes));
";

/// The codes of [`SCRIPT`].
fn codes_in_node(site: &Site) -> Value {
    fs::write(site.founded.shell.folder().join("verify.mjs"), SCRIPT).expect("written");
    let package = built("verify").unwrap_or_else(|error| panic!("{error}"));
    let line = format!(
        "COUNTERSIGN_VERIFY='{}' node --input-type=module -e \"$(cat verify.mjs)\"",
        package.display()
    );
    let ran = site.founded.shell.succeed(&line).expect("node runs");
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// A site with the file `app`, signed with a timestamp.
pub(crate) fn site_with_a_signed_file() -> Site {
    let site = Site::start();
    let timestamp = site.founded.start_timestamp().expect("it listens");
    site.succeed(&format!(
        "echo x > app && countersign sign app --key signer.key --certificate signer.pem \
         --trusted-root trusted_root.json --timestamp-url {}",
        timestamp.url("public")
    ));
    site
}

/// Revokes the signer's key; the lists from before are in the folder `old`.
pub(crate) fn revoke_and_keep_the_old_lists(site: &Site) {
    let base = site.founded.base_url();
    site.succeed(&format!(
        "mkdir old && cd old && for list in root signing timestamping; do \
         curl --silent --fail --output $list.crl {base}/crl/$list.crl || exit 1; done"
    ));
    // The new list is of a later second.
    site.succeed(
        "sleep 1.1; countersign revoke --certificate signer.pem --reason keyCompromise --yes --compromised-since \
         \"$(date -u -d '-4 minutes' +%Y-%m-%dT%H:%M:%SZ)\"",
    );
}

#[test]
fn what_this_computer_saw_revoked_stays_revoked() {
    let site = site_with_a_signed_file();
    site.succeed(VERIFY);
    revoke_and_keep_the_old_lists(&site);
    let base = site.founded.base_url();
    let revoked = site.run(VERIFY);
    assert_eq!(revoked.exit_code, 14, "{}", revoked.said());
    let revoked = "revocation.revoked";
    assert_eq!(codes_in_node(&site), json!([null, revoked, revoked, revoked]));
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
    // As of a time at which the new list was still to come, the old one is the newest; it is kept no more
    // for that. Five minutes are forgiven to a clock.
    let made = "$(openssl crl -in old/signing.crl -noout -lastupdate | cut -d= -f2)";
    let at = format!("$(date -u -d \"{made} - 300 seconds\" +%Y-%m-%dT%H:%M:%SZ)");
    shell.run(&format!("{VERIFY} --at {at}")).expect("a shell");
    let ran = shell.run(VERIFY).expect("a shell");
    assert_eq!(ran.exit_code, 14, "{}", ran.said());
    // The old lists alone would do: so much depends on what was kept.
    let ran = shell.run(&format!("{VERIFY} --no-cache")).expect("a shell");
    assert_eq!(ran.exit_code, 0, "{}", ran.said());
}
