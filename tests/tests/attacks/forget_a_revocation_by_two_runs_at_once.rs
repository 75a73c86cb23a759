//! Two verifications run at the same time. One was given the list from before the revocation and is held up, the other
//! sees the revocation and keeps its list; then the first one keeps the old list in its place. The same in JavaScript, of
//! which `web/tests/node/crl-cache.test.ts` tests what several pages share.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use countersign_tests::scenario::built;
use serde_json::{Value, json};

use crate::{
    site::Site,
    web::{Reply, Web},
};

const VERIFY: &str =
    "countersign --format json verify app --trusted-root trusted_root.json --policy policy.json";

/// Verifies `app` twice at a time, with the lists from before and with those of the revocation, in either order, then
/// with those from before. Gives the code of the lists from before alone, then those of each round's end.
const SCRIPT: &str = "\
const { pathToFileURL } = await import('node:url');
const { openAsBlob } = await import('node:fs');
const { forgetCrls, verify } = await import(pathToFileURL(process.env.COUNTERSIGN_VERIFY + '/index.js').href);
const at = (name) => pathToFileURL(name);
const [trust, policy, bundle] = ['trusted_root.json', 'policy.json', 'app.sigstore.json'].map(at);
const code = async (folder) => {
  const crls = ['root', 'signing', 'timestamping'].map((name) => at(`${folder}/${name}.crl`));
  const options = { trust, policy, bundle, name: 'app', revocation: { crls, network: 'none' } };
  return (await verify(await openAsBlob('app'), options)).code;
};
const codes = [await code('old')];
for (const folders of [['new', 'old'], ['old', 'new']]) {
  for (let round = 0; round < 5; round += 1) {
    await forgetCrls();
    await Promise.all(folders.map(code));
    codes.push(await code('old'));
  }
}
console.log(JSON.stringify(codes));
";

/// The codes of [`SCRIPT`].
fn codes_in_node(site: &Site) -> Value {
    fs::write(site.founded.shell.folder().join("verify.mjs"), SCRIPT).expect("written");
    let package = built("verify").unwrap_or_else(|error| panic!("{error}"));
    let ran = site.succeed(&format!(
        "COUNTERSIGN_VERIFY='{}' node --input-type=module -e \"$(cat verify.mjs)\"",
        package.display()
    ));
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// Waits until `holds`, at most the time that a verification waits for a list.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(8);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Fetches the three lists into a folder.
fn save(site: &Site, folder: &str) {
    let base = site.founded.base_url();
    site.succeed(&format!(
        "mkdir {folder} && cd {folder} && for list in root signing timestamping; do \
         curl --silent --fail --output $list.crl {base}/crl/$list.crl || exit 1; done"
    ));
}

fn list(folder: &Path, of: &str, line: &str) -> Reply {
    let path = line.split(' ').nth(1).unwrap_or_default();
    match path.strip_prefix("/crl/").map(|name| fs::read(folder.join(of).join(name))) {
        Some(Ok(list)) => Reply::found(list),
        _ => Reply::missing(),
    }
}

#[test]
fn the_newer_list_stays_and_decides() {
    let site = Site::start();
    let timestamp = site.founded.start_timestamp().expect("it listens");
    site.succeed(&format!(
        "echo x > app && countersign sign app --key signer.key --certificate signer.pem \
         --trusted-root trusted_root.json --no-revocation-check --timestamp-url {}",
        timestamp.url("public")
    ));
    save(&site, "old");
    site.succeed(
        "countersign revoke --certificate signer.pem --reason keyCompromise --yes --compromised-since \
         \"$(date -u -d '-4 minutes' +%Y-%m-%dT%H:%M:%SZ)\"",
    );
    save(&site, "new");
    let revoked = json!("revocation.revoked");
    let codes = [vec![Value::Null], vec![revoked; 10]].concat();
    assert_eq!(codes_in_node(&site), Value::Array(codes));
    let address = site.founded.base_url().trim_start_matches("http://").to_owned();
    site.service.kill();
    let folder = site.founded.shell.folder().to_owned();
    let (asked, released) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (count, gate) = (Arc::clone(&asked), Arc::clone(&released));
    // Who asks first for the signing CA's list gets the old one, late.
    let _between = Web::start(&address, move |line| {
        if line.contains("/crl/signing.crl") && count.fetch_add(1, Ordering::SeqCst) == 0 {
            wait_until("it is let go", || gate.load(Ordering::SeqCst));
            return list(&folder, "old", line);
        }
        list(&folder, "new", line)
    });
    let shell = &site.founded.shell;
    thread::scope(|scope| {
        let held_up = scope.spawn(|| shell.run(VERIFY).expect("a shell"));
        wait_until("the first one asks", || asked.load(Ordering::SeqCst) > 0);
        let second = shell.run(VERIFY).expect("a shell");
        released.store(true, Ordering::SeqCst);
        assert_eq!(second.exit_code, 14, "{}", second.said());
        let first = held_up.join().expect("it ends");
        assert_eq!(first.exit_code, 14, "judged by what is kept by now: {}", first.said());
    });
    let later = shell.run(&format!("{VERIFY} --offline")).expect("a shell");
    assert_eq!(later.exit_code, 14, "{}", later.said());
    assert!(later.stdout.contains("revocation.revoked"), "{}", later.stdout);
}
