//! Bundles, statements and policies as they are read: the edges of their limits, the spellings of
//! numbers, and what is said of what is not read.

use base64ct::{Base64, Encoding};
use countersign_core::{
    bundle::{Bundle, FieldFault, Statement},
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode},
    limits,
    policy::{Compromise, Policy},
    trust::TrustRoot,
};
use countersign_tests::{
    corpus::public_good::{self, changed},
    forge::{IDENTITY, Release},
    log::{Kind, Log, with_entries},
};
use serde_json::{Value, json};

#[track_caller]
fn fault(bundle: &[u8]) -> Finding {
    Bundle::decode(bundle).expect_err("a fault")
}

/// `octets` and as many spaces as make that length.
fn padded(octets: &[u8], length: usize) -> Vec<u8> {
    let mut padded = octets.to_vec();
    padded.resize(length, b' ');
    padded
}

#[test]
fn reads_bundles_up_to_their_greatest_size() {
    let genuine = Release::new().bundle();
    assert!(Bundle::decode(&padded(&genuine, limits::BUNDLE_BYTES)).is_ok());
    let larger = fault(&padded(&genuine, limits::BUNDLE_BYTES + 1));
    assert_eq!(larger.code, FindingCode::BUNDLE_TOO_LARGE);
}

#[test]
fn reads_as_many_timestamps_and_entries_as_are_looked_at() {
    let genuine = Release::new().bundle();
    let stamped = |count: usize| {
        changed(&genuine, |bundle| {
            let data = &mut bundle["verificationMaterial"]["timestampVerificationData"];
            let one = data["rfc3161Timestamps"][0].clone();
            data["rfc3161Timestamps"] = json!(vec![one; count]);
        })
    };
    let most = Bundle::decode(&stamped(limits::TIMESTAMPS)).expect("a bundle");
    assert_eq!(most.timestamps.len(), limits::TIMESTAMPS);
    let more = fault(&stamped(limits::TIMESTAMPS + 1));
    assert_eq!(more.code, FindingCode::TIMESTAMP_TOO_MANY);

    let entry = Log::ed25519("log.example").entry(&Kind::HashedRekordV2.body(&genuine), None);
    let logged = |count: usize| with_entries(&genuine, &vec![entry.clone(); count]);
    let most = Bundle::decode(&logged(limits::LOG_ENTRIES)).expect("a bundle");
    assert_eq!(most.log_entries.len(), limits::LOG_ENTRIES);
    let more = fault(&logged(limits::LOG_ENTRIES + 1));
    assert_eq!(more.code, FindingCode::BUNDLE_TOO_MANY_PARTS);
    assert_eq!(more.subject.as_deref(), Some("log entries"));
}

/// The genuine bundle with a chain in place of the certificate.
fn chained(chain: &[Vec<u8>]) -> Vec<u8> {
    changed(&Release::new().bundle(), |bundle| {
        let material = bundle["verificationMaterial"].as_object_mut().expect("material");
        material.remove("certificate");
        let certificates: Vec<Value> =
            chain.iter().map(|each| json!({ "rawBytes": Base64::encode_string(each) })).collect();
        let chain = json!({ "certificates": certificates });
        material.insert("x509CertificateChain".to_owned(), chain);
    })
}

#[test]
fn keeps_a_chain_in_its_order_the_signers_first() {
    let [leaf, second, third] = [b"leaf", b"2nd.", b"3rd."].map(|each| each.to_vec());
    let bundle = Bundle::decode(&chained(&[leaf.clone(), second.clone(), third.clone()]));
    let bundle = bundle.expect("a bundle");
    assert_eq!(bundle.certificate(), Some(leaf.as_slice()));
    assert_eq!(bundle.further_certificates(), [second, third]);
    let alone = Bundle::decode(&chained(&[leaf])).expect("a bundle");
    assert!(alone.further_certificates().is_empty());
    assert_eq!(fault(&chained(&[])).code, FindingCode::BUNDLE_NO_CERTIFICATE);
    let most = chained(&vec![vec![0]; limits::CERTIFICATES]);
    assert!(Bundle::decode(&most).is_ok());
    let more = fault(&chained(&vec![vec![0]; limits::CERTIFICATES + 1]));
    assert_eq!(more.code, FindingCode::BUNDLE_TOO_MANY_PARTS);
}

/// The genuine bundle with a log entry that has one change.
fn entry(change: impl FnOnce(&mut Value)) -> Result<Bundle, Finding> {
    let genuine = Release::new().bundle();
    let mut entry = Log::ed25519("log.example").entry(&Kind::HashedRekordV2.body(&genuine), None);
    change(&mut entry);
    Bundle::decode(&with_entries(&genuine, &[entry]))
}

#[test]
fn every_hash_of_a_proof_has_its_length() {
    let short = json!(Base64::encode_string(&[7; 31]));
    let proof = |place: &str| {
        entry(|entry| *entry.pointer_mut(place).expect("a place") = short.clone())
            .map(|_| ())
            .map_err(|finding| finding.code)
    };
    let malformed = Err(FindingCode::BUNDLE_MALFORMED);
    assert_eq!(proof("/inclusionProof/rootHash"), malformed);
    assert_eq!(proof("/inclusionProof/hashes/0"), malformed);
    assert_eq!(proof("/inclusionProof/hashes/2"), malformed);
    let hashes = |count: usize| {
        entry(|entry| {
            let one = entry["inclusionProof"]["hashes"][0].clone();
            entry["inclusionProof"]["hashes"] = json!(vec![one; count]);
        })
    };
    assert!(hashes(limits::LOG_PROOF_HASHES).is_ok());
    let more = hashes(limits::LOG_PROOF_HASHES + 1).expect_err("a fault");
    assert_eq!(more.code, FindingCode::BUNDLE_TOO_MANY_PARTS);
}

#[test]
fn a_number_has_one_spelling_as_text_and_may_be_a_number() {
    let index = |value: Value| {
        let bundle = entry(|entry| entry["logIndex"] = value);
        bundle.map(|bundle| bundle.log_entries[0].log_index).map_err(|finding| {
            assert_eq!(finding.code, FindingCode::BUNDLE_MALFORMED);
            finding.found.expect("a reason")
        })
    };
    assert_eq!(index(json!("6")), Ok(6));
    assert_eq!(index(json!(6)), Ok(6));
    assert_eq!(index(json!("0")), Ok(0));
    assert_eq!(index(json!(i64::MAX.to_string())), Ok(i64::MAX.unsigned_abs()));
    for text in ["+6", "06", "-0", "00", "6 ", "", "-", "0x6", "9223372036854775808"] {
        let reason = index(json!(text)).expect_err(text);
        assert!(reason.contains("not a decimal 64-bit integer"), "{text}: {reason}");
    }
    let negative = index(json!("-6")).expect_err("a negative number");
    assert!(negative.contains("logIndex is negative"), "{negative}");
    let over = index(json!(9_223_372_036_854_775_808_u64)).expect_err("too large");
    assert!(over.contains("over 64 bits"), "{over}");
    let fraction = index(json!(6.5)).expect_err("a fraction");
    assert!(fraction.contains("a 64-bit integer, as a string"), "{fraction}");
}

/// A statement about files with these digests.
fn statement(digests: &[Value]) -> Vec<u8> {
    let subjects: Vec<Value> = digests.iter().map(|digest| json!({ "digest": digest })).collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://example.com/p",
        "subject": subjects,
    })
    .to_string()
    .into_bytes()
}

/// A digest of zeros under that name.
fn zeros(name: &str) -> Value {
    let octets = match name {
        "sha256" => 32,
        "sha384" => 48,
        _ => 64,
    };
    json!({ name: "00".repeat(octets) })
}

#[test]
fn reads_as_many_subjects_as_are_looked_at() {
    let of = |count: usize| Statement::decode(&statement(&vec![zeros("sha256"); count]));
    assert_eq!(of(limits::SUBJECTS).expect("a statement").subjects.len(), limits::SUBJECTS);
    let more = of(limits::SUBJECTS + 1).expect_err("a fault");
    assert_eq!(more.code, FindingCode::BUNDLE_TOO_MANY_PARTS);
    assert_eq!(of(0).expect_err("a fault").code, FindingCode::STATEMENT_MALFORMED);
}

#[test]
fn digests_come_in_the_order_of_their_names() {
    // As text, so that the order is the one that is written.
    let digests: Vec<String> = ["sha512", "sha256", "sha384"]
        .map(|name| format!(r#""{name}":{}"#, zeros(name)[name]))
        .into();
    let text = String::from_utf8(statement(&[json!("DIGESTS")])).expect("JSON");
    let text = text.replace(r#""DIGESTS""#, &format!("{{{}}}", digests.join(",")));
    let statement = Statement::decode(text.as_bytes()).expect("a statement");
    let algorithms: Vec<HashAlgorithm> =
        statement.subjects[0].digests.iter().map(Digest::algorithm).collect();
    assert_eq!(algorithms, HashAlgorithm::STRONG);
}

#[test]
fn asks_for_the_digest_that_all_subjects_have_or_for_all_that_occur() {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    let of = |digests: &[Value]| Statement::decode(&statement(digests)).expect("a statement");
    let both = json!({ "sha384": "00".repeat(48), "sha512": "00".repeat(64) });
    assert_eq!(of(&[zeros("sha512"), both.clone()]).algorithms(), [Sha512]);
    assert_eq!(of(&[both.clone(), both]).algorithms(), [Sha384]);
    assert_eq!(of(&[zeros("sha256"), zeros("sha512")]).algorithms(), [Sha256, Sha512]);
    assert_eq!(of(&[json!({ "sha1": "00" })]).algorithms(), []);
}

#[test]
fn a_bundle_says_which_digests_it_wants() {
    let genuine = Release::new().bundle();
    let wanted = |bundle: &[u8]| Bundle::decode(bundle).expect("a bundle").artifact_algorithms();
    assert_eq!(wanted(&genuine), [HashAlgorithm::Sha384]);
    let without = changed(&genuine, |bundle| {
        let signature = bundle["messageSignature"].as_object_mut().expect("a signature");
        signature.remove("messageDigest");
    });
    assert_eq!(wanted(&without), HashAlgorithm::STRONG);
    let enveloped = |payload: &[u8]| {
        changed(&genuine, |bundle| {
            let bundle = bundle.as_object_mut().expect("a bundle");
            bundle.remove("messageSignature");
            let envelope = json!({
                "payload": Base64::encode_string(payload),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{ "sig": "AAAA" }],
            });
            bundle.insert("dsseEnvelope".to_owned(), envelope);
        })
    };
    assert_eq!(wanted(&enveloped(&statement(&[zeros("sha512")]))), [HashAlgorithm::Sha512]);
    assert_eq!(wanted(&enveloped(b"no statement")), [HashAlgorithm::Sha256]);
}

#[test]
fn says_what_is_wrong_with_a_field_of_provenance() {
    let place = || "builder.id".to_owned();
    assert_eq!(FieldFault::Missing(place()).to_string(), "builder.id is missing");
    assert_eq!(FieldFault::Malformed(place()).to_string(), "builder.id is malformed");
}

/// A policy with further members.
fn policy(signer: &Value, rules: &Value) -> Result<Policy, FindingCode> {
    let mut policy = json!({ "version": 1, "signers": [signer] });
    policy
        .as_object_mut()
        .expect("a policy")
        .extend(rules.as_object().cloned().into_iter().flatten());
    Policy::decode(policy.to_string().as_bytes()).map_err(|finding| finding.code)
}

#[test]
fn reads_what_a_policy_says_of_compromised_keys() {
    let signer = json!({ "files": ["**"], "identities": [IDENTITY] });
    let says = |word: &str| {
        let rules = json!({ "revocation": { "compromise": word } });
        policy(&signer, &rules).map(|policy| policy.revocation.compromise)
    };
    assert_eq!(says("warn"), Ok(Compromise::Warn));
    assert_eq!(says("reject"), Ok(Compromise::Reject));
    assert_eq!(says("ignore"), Err(FindingCode::POLICY_MALFORMED));
}

#[test]
fn a_key_is_named_by_its_sha256_alone() {
    let named = |key: String| {
        let signer = json!({ "files": ["**"], "keys": [key] });
        policy(&signer, &json!({})).map(|policy| policy.signers[0].keys.len())
    };
    assert_eq!(named(format!("sha256:{}", "00".repeat(32))), Ok(1));
    assert_eq!(named(format!("sha384:{}", "00".repeat(48))), Err(FindingCode::POLICY_MALFORMED));
}

#[test]
fn reads_policies_up_to_their_greatest_size() {
    let signers = json!([{ "files": ["**"], "identities": [IDENTITY] }]);
    let text = json!({ "version": 1, "signers": signers }).to_string();
    assert!(Policy::decode(&padded(text.as_bytes(), limits::POLICY_BYTES)).is_ok());
    let larger = Policy::decode(&padded(text.as_bytes(), limits::POLICY_BYTES + 1));
    assert_eq!(larger.expect_err("a fault").code, FindingCode::POLICY_MALFORMED);
}

/// The JSON pointers of the objects in a document.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (format!("{at}/{key}"), value)).collect()
        }
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect()
        }
        _ => Vec::new(),
    };
    let this = value.is_object().then(|| at.to_owned());
    this.into_iter().chain(inner.iter().flat_map(|(at, value)| objects(value, at))).collect()
}

/// Whether a document can be decoded.
type Reads = fn(&[u8]) -> bool;

#[test]
fn no_array_is_taken_for_an_object() {
    let revocation = json!({ "offline": { "max_age_seconds": 1 } });
    let signer =
        json!({ "files": ["**"], "identities": [IDENTITY], "provenance": { "refs": ["main"] } });
    let policy = json!({ "version": 1, "signers": [signer], "timestamps": { "required": 1 },
        "revocation": revocation });
    let logged = public_good::read("sigstore.js@2.0.0-provenance.sigstore.json");
    let documents: [(Vec<u8>, Reads); 4] = [
        (Release::new().bundle(), |bytes| Bundle::decode(bytes).is_ok()),
        (logged, |bytes| Bundle::decode(bytes).is_ok()),
        (public_good::read("staging_trusted_root.json"), |bytes| TrustRoot::decode(bytes).is_ok()),
        (policy.to_string().into_bytes(), |bytes| Policy::decode(bytes).is_ok()),
    ];
    for (document, reads) in documents {
        assert!(reads(&document));
        let genuine: Value = serde_json::from_slice(&document).expect("JSON");
        // Whom an authority calls itself is for people, and not read.
        let read = |at: &String| !at.ends_with("/subject");
        for at in objects(&genuine, "").into_iter().filter(read) {
            let changed = changed(&document, |root| {
                let object = root.pointer_mut(&at).expect("an object");
                let values = object.as_object().expect("an object").values().cloned().collect();
                *object = Value::Array(values);
            });
            assert!(!reads(&changed), "{at}");
        }
    }
}
