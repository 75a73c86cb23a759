//! A policy, bundle or trust root with a key `__proto__` or `constructor` gives every object of the page a property,
//! with which a check passes that should not.

use std::fs;

use countersign_tests::scenario::{Folder, Site, built};
use serde_json::{Value, json};

/// Verifies `app` by three files, and says what came of it and whether objects have a new property.
const SCRIPT: &str = "\
const { pathToFileURL } = await import('node:url');
const { openAsBlob } = await import('node:fs');
const { verify } = await import(pathToFileURL(process.env.COUNTERSIGN_VERIFY + '/index.js').href);
const [trust, policy, bundle] = process.argv.slice(1).map((name) => pathToFileURL(name));
let outcome;
try {
  const options = { trust, policy, bundle, network: 'none' };
  outcome = (await verify(await openAsBlob('app'), options)).verdict;
} catch (error) {
  outcome = 'refused';
}
const polluted = Object.keys(Object.prototype).length > 0 || ({}).polluted !== undefined;
console.log(JSON.stringify({ outcome, polluted }));
";

/// A document with a key more, which JSON may have and no format of ours has.
fn with(text: &str, key: &str, value: &Value) -> String {
    let rest = text.trim_start().strip_prefix('{').expect("an object");
    format!("{{\"{key}\":{value},{rest}")
}

#[test]
fn keys_that_mean_something_to_javascript_are_refused_and_change_nothing() {
    let mut site = Site::new(Folder::Removed).expect("a folder");
    site.make_passphrase().expect("a passphrase");
    for line in [
        "countersign ca init ca --organisation Example --base-url http://127.0.0.1:9",
        "countersign ca issue --dir ca --profile code-signer --email release@example.org \
         --new-key signer.key --output signer.pem",
        "countersign trust init --dir ca --output trust.json",
        "countersign policy init --identity release@example.org --timestamps 0 --revocation off \
         --output policy.json",
        "echo x > app",
        "countersign sign app --key signer.key --certificate signer.pem --trusted-root trust.json \
         --no-timestamp --no-revocation-check --output bundle.json",
    ] {
        site.shell.succeed(line).expect("made");
    }
    let folder = site.shell.folder();
    fs::write(folder.join("verify.mjs"), SCRIPT).expect("written");
    let package = built("verify").unwrap_or_else(|error| panic!("{error}"));
    let verify = |files: &[&str]| {
        let line = format!(
            "COUNTERSIGN_VERIFY='{}' node --input-type=module -e \"$(cat verify.mjs)\" -- {}",
            package.display(),
            files.join(" ")
        );
        let said = site.shell.succeed(&line).expect("node runs").stdout;
        serde_json::from_str::<Value>(&said).expect("JSON")
    };
    let files = ["trust.json", "policy.json", "bundle.json"];
    assert_eq!(verify(&files), json!({ "outcome": "verified", "polluted": false }));
    for (place, name) in files.iter().enumerate() {
        let good = fs::read_to_string(folder.join(name)).expect("readable");
        for (key, value) in [
            ("__proto__", json!({ "polluted": true })),
            ("constructor", json!({ "prototype": { "polluted": true } })),
        ] {
            fs::write(folder.join("bad.json"), with(&good, key, &value)).expect("written");
            let mut changed = files;
            changed[place] = "bad.json";
            let seen = verify(&changed);
            assert_eq!(seen["polluted"], false, "{key} in {name}");
            assert_ne!(seen["outcome"], "verified", "{key} in {name}");
        }
    }
}
