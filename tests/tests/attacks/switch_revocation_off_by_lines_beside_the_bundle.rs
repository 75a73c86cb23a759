//! Lines are added to a genuine bundle: statements of a stranger about a file of the same name. Before the file is
//! hashed they seem to fit better, and there are so many that nothing else would be looked at. Then nobody is asked about
//! the signer, who is revoked, and the list that was seen is not judged. `core` alone has its test in
//! `tests/tests/verification/bundle_forms.rs`, and Node without services in `web/tests/node/revocation.test.ts`.

use std::fs;

use countersign_tests::scenario::built;
use serde_json::{Value, json};

use crate::{forget_a_revocation_by_an_older_list::revoke_and_keep_the_old_lists, site::Site};

/// Verifies `app` with the lines, first with the lists from before the revocation, then by asking the service, then
/// with the lists from before again; gives the codes and how many lists were fetched.
const SCRIPT: &str = "\
const { pathToFileURL } = await import('node:url');
const { openAsBlob, readFileSync, writeFileSync } = await import('node:fs');
const { verify } = await import(pathToFileURL(process.env.COUNTERSIGN_VERIFY + '/index.js').href);
const at = (name) => pathToFileURL(name);
const genuine = readFileSync('app.sigstore.json', 'utf8').trim();
const decoy = JSON.parse(readFileSync('evil/app.sigstore.json', 'utf8'));
const lines = [genuine];
for (let number = 0; number < 32; number += 1) {
  const line = structuredClone(decoy);
  line.dsseEnvelope.signatures[0].sig = btoa(`decoy ${number}`);
  lines.push(JSON.stringify(line));
}
writeFileSync('lines.json', lines.join('\\n'));
const bundle = at('lines.json');
const crls = ['root', 'signing', 'timestamping'].map((name) => at(`old/${name}.crl`));
const given = { crls, network: 'none' };
let fetched = 0;
const onStep = ({ step, state }) => (fetched += step === 'revocation' && state === 'done' && counts ? 1 : 0);
let counts = false;
const codes = [];
for (const revocation of [given, {}, given]) {
  counts = revocation !== given;
  const [trust, policy] = ['trusted_root.json', process.argv[1]].map(at);
  const report = await verify(await openAsBlob('app'), { trust, policy, bundle, name: 'app', revocation, onStep });
  codes.push(report.code);
}
console.log(JSON.stringify({ codes, fetched: fetched > 0 }));
";

#[test]
fn the_signer_is_asked_about_and_what_was_seen_is_judged() {
    let site = Site::start();
    let timestamp = site.founded.start_timestamp().expect("it listens");
    site.succeed(&format!(
        "echo x > app && countersign sign app --key signer.key --certificate signer.pem \
         --trusted-root trusted_root.json --timestamp-url {}",
        timestamp.url("public")
    ));
    for line in [
        "mkdir evil && echo malware > evil/app",
        "countersign ca init evil/ca --organisation Example --base-url http://127.0.0.1:9",
        "countersign ca issue --dir evil/ca --profile code-signer --email release@example.org \
         --new-key evil/signer.key --output evil/signer.pem",
        "countersign trust init --dir evil/ca --output evil/trust.json",
        "countersign sign --statement evil/app --key evil/signer.key --certificate evil/signer.pem \
         --trusted-root evil/trust.json --no-timestamp --no-revocation-check",
        "countersign policy init --identity release@example.org --revocation when-available \
         --output optional.json",
    ] {
        site.succeed(line);
    }
    revoke_and_keep_the_old_lists(&site);
    fs::write(site.founded.shell.folder().join("verify.mjs"), SCRIPT).expect("written");
    let package = built("verify").unwrap_or_else(|error| panic!("{error}"));
    for policy in ["policy.json", "optional.json"] {
        let ran = site.succeed(&format!(
            "COUNTERSIGN_VERIFY='{}' node --input-type=module -e \"$(cat verify.mjs)\" {policy}",
            package.display()
        ));
        let said: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let revoked = "revocation.revoked";
        assert_eq!(said, json!({ "codes": [null, revoked, revoked], "fetched": true }), "{policy}");
        // The command line hashes before it asks.
        let ran = site.run(&format!(
            "countersign --format json verify app --bundle lines.json --trusted-root trusted_root.json \
             --policy {policy}"
        ));
        assert_eq!(ran.exit_code, 14, "{policy}: {}", ran.said());
    }
}
