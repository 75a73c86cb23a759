//! What people have in place of a bundle: lines, wrappers, other spellings and other kinds of file.

use countersign_signing::bundle::IN_TOTO_PAYLOAD_TYPE;
use serde_json::{Value, json};

use super::{
    Case,
    private::{case, release, signed},
    public_good::{CONDA, Published, STAGING_ENVELOPE, changed},
    statements::{envelope, right, statement},
};
use crate::forge::Release;

/// A bundle as the Python package index keeps it (PEP 740).
///
/// # Panics
/// If it is not a bundle v0.3 with an envelope.
pub fn python_attestation(bundle: &[u8]) -> Value {
    let bundle: Value = serde_json::from_slice(bundle).expect("JSON");
    let (material, envelope) = (&bundle["verificationMaterial"], &bundle["dsseEnvelope"]);
    json!({
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"],
            "transparency_entries": material["tlogEntries"],
        },
        "envelope": {
            "statement": envelope["payload"],
            "signature": envelope["signatures"][0]["sig"],
        },
    })
}

/// The index's answer for a file (Integrity API).
pub fn python_provenance(attestations: &[Value]) -> Value {
    json!({
        "version": 1,
        "attestation_bundles": [{
            "publisher": { "kind": "GitHub", "repository": "org/app", "workflow": "release.yml" },
            "attestations": attestations,
        }],
    })
}

/// GitHub's answer for a digest.
///
/// # Panics
/// If one is not JSON.
pub fn github_answer(bundles: &[&[u8]]) -> Value {
    let entry = |bundle: &&[u8]| {
        let bundle: Value = serde_json::from_slice(bundle).expect("JSON");
        json!({ "bundle": bundle, "repository_id": 1, "bundle_url": "https://github.example/x" })
    };
    json!({ "attestations": bundles.iter().map(entry).collect::<Vec<_>>() })
}

/// A line of JSON Lines.
///
/// # Panics
/// If it is not JSON.
pub fn line(bundle: &[u8]) -> String {
    let value: Value = serde_json::from_slice(bundle).expect("JSON");
    format!("{value}\n")
}

/// The same text as PowerShell 5 writes it.
pub fn utf16(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let units = core::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Every key by its name in the protobuf definition; DSSE's names are one already.
pub fn snake_case(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let is_dsse = key == "payloadType";
                let key = if is_dsse { key.clone() } else { original(key) };
                (key, snake_case(value))
            })
            .collect(),
        Value::Array(list) => list.iter().map(snake_case).collect(),
        other => other.clone(),
    }
}

fn original(key: &str) -> String {
    key.chars().fold(String::new(), |mut name, character| {
        if character.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
        name
    })
}

/// Base64 under these keys in another spelling.
pub fn respelled(value: &mut Value, spell: &dyn Fn(&str) -> String) {
    const OCTETS: [&str; 8] = [
        "rawBytes",
        "signature",
        "sig",
        "payload",
        "digest",
        "signedTimestamp",
        "keyId",
        "canonicalizedBody",
    ];
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if OCTETS.contains(&key.as_str()) => *text = spell(text),
                    other => respelled(other, spell),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| respelled(value, spell)),
        _ => {}
    }
}

/// A way to spell base64.
type Spelling = fn(&str) -> String;

/// The spellings of base64 that readers of protobuf's JSON take.
pub fn spellings() -> [(&'static str, Spelling); 3] {
    [
        ("url-safe", |text| text.replace('+', "-").replace('/', "_")),
        ("unpadded", |text| text.trim_end_matches('=').to_owned()),
        ("broken-lines", |text| {
            let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
            lines.collect::<Vec<_>>().join("\r\n")
        }),
    ]
}

/// A bundle about another file, by the same signer.
fn other(release: &Release) -> Vec<u8> {
    let payload = statement("lib", &"00".repeat(32), "https://example.com/p", "{}");
    envelope(release, IN_TOTO_PAYLOAD_TYPE, payload.as_bytes())
}

fn this(release: &Release) -> Vec<u8> {
    let payload = statement("app", &right(), "https://example.com/p", "{}");
    envelope(release, IN_TOTO_PAYLOAD_TYPE, payload.as_bytes())
}

/// Two subjects of one name, of which the file is one.
fn twins(release: &Release) -> [Case; 2] {
    let large = json!({
        "name": "app", "digest": { "sha256": "00".repeat(32) }, "annotations": { "size": 9_999 },
    });
    let small = json!({
        "name": "app", "digest": { "sha256": right() },
        "annotations": { "size": Release::FILE.len() },
    });
    let orders = [("large-first", [&large, &small]), ("small-first", [&small, &large])];
    orders.map(|(name, subjects)| {
        let payload = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": "https://example.com/p",
            "predicate": {},
            "subject": subjects,
        });
        let bundle = envelope(release, IN_TOTO_PAYLOAD_TYPE, payload.to_string().as_bytes());
        case(&format!("presented-two-of-one-name-{name}"), release, bundle)
    })
}

fn published(name: &str, published: &Published, bundle: &[u8]) -> Case {
    Case { name: format!("presented-{name}"), bundle: bundle.to_vec(), ..published.case("") }
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let release = release();
    let (this, other, message) = (this(&release), other(&release), signed(&release));
    let flipped = changed(&this, |bundle| {
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = serde_json::from_slice::<Value>(&other)
            .expect("JSON")["dsseEnvelope"]["signatures"][0]["sig"]
            .clone();
    });
    let lines = |bundles: &[&[u8]]| -> Vec<u8> {
        bundles.iter().map(|bundle| line(bundle)).collect::<String>().into_bytes()
    };
    let bom = [b"\xEF\xBB\xBF", &this[..]].concat();
    let noise = [b"# attestations\r\n\r\n{}\n".to_vec(), lines(&[&other, &this]), b"{\"a".to_vec()];
    let snake = snake_case(&serde_json::from_slice(&message).expect("JSON"));
    let pgp = b"-----BEGIN PGP SIGNATURE-----\n\niQIz\n-----END PGP SIGNATURE-----\n";
    let bare = json!({ "payloadType": "x", "payload": "", "signatures": [] }).to_string();
    let forms: [(&str, Vec<u8>); 17] = [
        ("lines", lines(&[&other, &this])),
        ("lines-turned", lines(&[&this, &other])),
        ("lines-repeated", lines(&[&other, &this, &this, &other])),
        ("lines-of-others", lines(&[&other, &other])),
        ("lines-with-noise", noise.concat()),
        ("lines-with-a-forgery", lines(&[&flipped, &this])),
        ("lines-of-forgeries", lines(&[&flipped, &other])),
        ("lines-of-both-kinds", lines(&[&message, &this])),
        ("byte-order-mark", bom),
        ("utf-16", utf16(&this)),
        ("github-answer", github_answer(&[&other, &this]).to_string().into_bytes()),
        ("github-nothing", br#"{"attestations":[]}"#.to_vec()),
        ("snake-case", snake.to_string().into_bytes()),
        ("pgp", pgp.to_vec()),
        ("envelope-lines", format!("{bare}\n{bare}\n").into_bytes()),
        ("cosign-old", br#"{"base64Signature":"","cert":"","rekorBundle":{}}"#.to_vec()),
        ("policy", br#"{"version":1,"signers":[]}"#.to_vec()),
    ];
    let mut cases: Vec<Case> = forms
        .into_iter()
        .map(|(name, bundle)| case(&format!("presented-{name}"), &release, bundle))
        .collect();
    for (name, spell) in spellings() {
        let bundle = changed(&message, |bundle| respelled(bundle, &spell));
        cases.push(case(&format!("presented-base64-{name}"), &release, bundle));
    }
    cases.extend(twins(&release));
    for (name, source) in [("conda", CONDA), ("staging", STAGING_ENVELOPE)] {
        let bundle = source.case("").bundle;
        let python = python_provenance(&[python_attestation(&bundle)]).to_string();
        cases.push(published(&format!("python-{name}"), &source, python.as_bytes()));
        let github = github_answer(&[&bundle]).to_string();
        cases.push(published(&format!("github-{name}"), &source, github.as_bytes()));
    }
    cases
}
