//! Log entries of a private log that are wrong in one way.

use serde_json::{Value, json};

use super::{
    Case,
    private::{case, release, signed},
    public_good::changed,
};
use crate::{
    forge::Release,
    log::{Kind, Log, with_entries},
};

/// Another value of the same base64 form: the first octet changed.
fn flip(value: &mut Value) {
    let text = value.as_str().expect("text");
    let first = if text.starts_with('A') { "B" } else { "A" };
    *value = json!(format!("{first}{}", &text[1..]));
}

type Change = fn(&mut Value);
const ENTRIES: [(&str, Change); 16] = [
    ("genuine", |_| ()),
    ("other-kind", |entry| entry["kindVersion"]["version"] = json!("0.0.1")),
    ("other-log-id", |entry| flip(&mut entry["logId"]["keyId"])),
    ("other-hash", |entry| flip(&mut entry["inclusionProof"]["hashes"][1])),
    ("other-root", |entry| flip(&mut entry["inclusionProof"]["rootHash"])),
    ("other-place", |entry| entry["inclusionProof"]["logIndex"] = json!("5")),
    ("outside-tree", |entry| entry["inclusionProof"]["logIndex"] = json!("13")),
    ("empty-tree", |entry| entry["inclusionProof"]["treeSize"] = json!("0")),
    ("huge-tree", |entry| {
        entry["inclusionProof"]["treeSize"] = json!("9223372036854775807");
    }),
    ("negative-tree", |entry| entry["inclusionProof"]["treeSize"] = json!("-1")),
    ("many-hashes", |entry| {
        let one = entry["inclusionProof"]["hashes"][0].clone();
        entry["inclusionProof"]["hashes"] = json!(vec![one; 65]);
    }),
    ("no-proof", |entry| {
        entry.as_object_mut().expect("an entry").remove("inclusionProof");
    }),
    ("no-checkpoint", |entry| {
        entry["inclusionProof"].as_object_mut().expect("a proof").remove("checkpoint");
    }),
    ("no-note", |entry| {
        entry["inclusionProof"]["checkpoint"]["envelope"] = json!("no note");
    }),
    ("other-body", |entry| flip(&mut entry["canonicalizedBody"])),
    ("other-index", |entry| entry["logIndex"] = json!("4007")),
];

/// A case whose trust root lists `log`.
fn listed(name: &str, release: &Release, log: &Log, bundle: Vec<u8>) -> Case {
    let mut case = case(name, release, bundle);
    case.trusted_root = changed(&case.trusted_root, |root| {
        root["tlogs"] = json!([log.trusted()]);
    });
    case
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let release = release();
    let bundle = signed(&release);
    let signed_at = Some(Release::SIGNED);
    let mut cases = Vec::new();
    for (which, log, promised) in
        [("v2", Log::ed25519("log.example"), None), ("v1", Log::p256("log.example"), signed_at)]
    {
        let kind = if which == "v2" { Kind::HashedRekordV2 } else { Kind::HashedRekordV1 };
        let entry = log.entry(&kind.body(&bundle), promised);
        for (name, change) in ENTRIES {
            let mut entry = entry.clone();
            change(&mut entry);
            let bundle = with_entries(&bundle, &[entry]);
            cases.push(listed(&format!("log-{which}-{name}"), &release, &log, bundle));
        }
        let stranger = Log::ed25519_with("log.example", "a stranger");
        let elsewhere = stranger.entry(&kind.body(&bundle), None);
        let bundle = with_entries(&bundle, &[elsewhere, entry.clone()]);
        cases.push(listed(&format!("log-{which}-beside-a-stranger"), &release, &log, bundle));
    }
    let log = Log::p256("log.example");
    let promised = |change: Change| {
        let mut entry = log.entry(&Kind::HashedRekordV1.body(&bundle), signed_at);
        change(&mut entry);
        with_entries(&bundle, &[entry])
    };
    let other = promised(|entry| flip(&mut entry["inclusionPromise"]["signedEntryTimestamp"]));
    cases.push(listed("log-promise-other", &release, &log, other));
    let time = promised(|entry| entry["integratedTime"] = json!("1795431602"));
    cases.push(listed("log-promise-other-time", &release, &log, time));
    cases.push(listed("log-absent", &release, &log, bundle));
    cases
}
