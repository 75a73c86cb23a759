//! Logs' keys, the names on their checkpoints, and their timestamps of certificates, as
//! `countersign_core::tlog` reads and checks them.

use base64ct::{Base64, Encoding};
use countersign_core::{
    crypto::{SignatureScheme, aws_lc::AwsLc},
    digest::{HashAlgorithm, digest},
    limits,
    time::UnixSeconds,
    tlog::{
        Checkpoint, EntryBody, Log, LogEntry, LogKey,
        checkpoint::CheckpointFault,
        entry::LoggedVerifier,
        promise,
        sct::{CertificateTimestamp, Precertificate},
    },
    trust::Window,
    x509::Certificate,
};
use countersign_signing::key::Signer as _;
use countersign_tests::{
    certificate_log::timestamp_list,
    forge::{Chain, ForgeKey},
};
use serde_json::json;

use SignatureScheme as S;

/// Octets that are not the key that they are said to be.
#[derive(Debug, PartialEq, Eq)]
struct Refused;

/// The scheme of a key that is taken, if it is one we know.
fn scheme(raw: &[u8], details: &str) -> Result<Option<SignatureScheme>, Refused> {
    let key = LogKey::decode(raw, details).ok_or(Refused)?;
    assert_eq!(key.raw(), raw);
    Ok(key.scheme())
}

#[test]
fn reads_keys_of_every_kind_and_under_their_own_kind_alone() {
    let keys = [
        (ForgeKey::p256("log"), &["PKIX_ECDSA_P256_SHA_256"][..], &[S::EcdsaP256Sha256][..]),
        (
            ForgeKey::p384("log"),
            &["PKIX_ECDSA_P384_SHA_256", "PKIX_ECDSA_P384_SHA_384"],
            &[S::EcdsaP384Sha256, S::EcdsaP384Sha384],
        ),
        (
            ForgeKey::p521("log"),
            &["PKIX_ECDSA_P521_SHA_256", "PKIX_ECDSA_P521_SHA_512"],
            &[S::EcdsaP521Sha256, S::EcdsaP521Sha512],
        ),
        (ForgeKey::ed25519("log"), &["PKIX_ED25519"], &[S::Ed25519]),
        (
            ForgeKey::rsa_2048(),
            &[
                "PKIX_RSA_PKCS1V5",
                "PKIX_RSA_PKCS1V15_2048_SHA256",
                "PKIX_RSA_PKCS1V15_3072_SHA256",
                "PKIX_RSA_PKCS1V15_4096_SHA256",
            ],
            &[S::RsaPkcs1Sha256; 4],
        ),
    ];
    for (key, own, schemes) in &keys {
        for (details, expected) in own.iter().zip(*schemes) {
            assert_eq!(scheme(key.spki(), details), Ok(Some(*expected)), "{details}");
        }
        for (_, others, _) in keys.iter().filter(|(_, others, _)| others != own) {
            for details in *others {
                assert_eq!(scheme(key.spki(), details), Err(Refused), "{details}");
            }
        }
        assert_eq!(scheme(key.spki(), "A_KIND_OF_TOMORROW"), Ok(None));
    }
    let rsa = ForgeKey::rsa_2048();
    let bare = scheme(rsa.public_key(), "PKCS1_RSA_PKCS1V5");
    assert_eq!(bare, Ok(Some(S::RsaPkcs1Sha256)));
    assert_eq!(scheme(ForgeKey::rsa_1024().spki(), "PKIX_RSA_PKCS1V5"), Err(Refused), "too weak");
    assert_eq!(scheme(b"no key", "PKIX_ED25519"), Err(Refused));
}

/// A log with that key, whose id is of the key alone.
fn log(key: &ForgeKey, details: &str) -> Log {
    Log {
        base_url: "https://log.example/2026".to_owned(),
        window: Window::default(),
        id: digest(&AwsLc, HashAlgorithm::Sha256, key.spki()).octets().to_vec(),
        checkpoint_id: None,
        key: LogKey::decode(key.spki(), details).expect("a key"),
    }
}

/// A checkpoint under that origin, signed with `key` under that name.
fn note(origin: &str, name: &str, log: &Log, key: &ForgeKey) -> String {
    let text = format!("{origin}\n7\n{}\n", Base64::encode_string(&[7; 32]));
    let hint = &log.checkpoint_id.as_ref().unwrap_or(&log.id)[..4];
    let signature = [hint, &key.signature(text.as_bytes())].concat();
    format!("{text}\n— {name} {}\n", Base64::encode_string(&signature))
}

#[test]
fn holds_a_log_to_its_name_unless_its_id_is_of_its_key_alone() {
    let verified = |log: &Log, key: &ForgeKey, origin: &str, name: &str| {
        let note = note(origin, name, log, key);
        Checkpoint::decode(&note).expect("a checkpoint").verify(log, &AwsLc)
    };
    let wrong = Err(CheckpointFault::Origin);
    let key = ForgeKey::p256("log");
    let by_key = log(&key, "PKIX_ECDSA_P256_SHA_256");
    assert_eq!(verified(&by_key, &key, "log.example", "log.example"), Ok(()));
    assert_eq!(verified(&by_key, &key, "another - 7", "another"), Ok(()));
    let by_name = Log { id: vec![7; 32], ..by_key };
    assert_eq!(verified(&by_name, &key, "log.example", "log.example"), Ok(()));
    assert_eq!(verified(&by_name, &key, "another - 7", "log.example"), wrong);
    assert_eq!(verified(&by_name, &key, "log.example", "another"), wrong);
    // Ed25519: such keys are always bound to a name.
    let key = ForgeKey::ed25519("log");
    let named = log(&key, "PKIX_ED25519");
    assert_eq!(verified(&named, &key, "log.example", "log.example"), Ok(()));
    assert_eq!(verified(&named, &key, "another", "another"), wrong);
    let apart = Log { checkpoint_id: Some(vec![9; 32]), ..named };
    assert_eq!(verified(&apart, &key, "log.example", "log.example"), Ok(()));
}

#[test]
fn tells_the_faults_of_checkpoints_apart() {
    let key = ForgeKey::p256("log");
    let log = Log { id: vec![7; 32], ..log(&key, "PKIX_ECDSA_P256_SHA_256") };
    let fault = |note: &str| {
        Checkpoint::decode(note).expect("a checkpoint").verify(&log, &AwsLc).expect_err("a fault")
    };
    let stranger = note("log.example", "log.example", &log, &ForgeKey::p256("a stranger"));
    assert_eq!(fault(&stranger), CheckpointFault::Signature);
    let other = Log { id: vec![9; 32], ..log.clone() };
    let unsigned = note("log.example", "log.example", &other, &key);
    assert_eq!(fault(&unsigned), CheckpointFault::Unsigned);
    // A right signature under a wrong name tells more than a wrong one after it.
    let renamed = note("log.example", "another", &log, &key);
    let line = stranger.lines().last().expect("a signature");
    assert_eq!(fault(&format!("{renamed}{line}\n")), CheckpointFault::Origin);
}

#[test]
fn reads_checkpoints_up_to_their_greatest_size() {
    let of_size = |length: usize| {
        let root = Base64::encode_string(&[7; 32]);
        let (head, tail) = (format!("log.example\n7\n{root}\n"), "\n\n— log.example BwcHBwE=\n");
        let note = format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len()));
        assert_eq!(note.len(), length);
        Checkpoint::decode(&note).map(|checkpoint| checkpoint.tree_size)
    };
    assert_eq!(of_size(limits::CHECKPOINT_BYTES), Ok(7));
    assert_eq!(of_size(limits::CHECKPOINT_BYTES + 1), Err("more bytes than are looked at"));
}

#[test]
fn a_promise_vouches_for_the_time_that_it_signs() {
    let key = ForgeKey::p256("log");
    let log = log(&key, "PKIX_ECDSA_P256_SHA_256");
    let time = UnixSeconds::new(1_795_000_000);
    let mut entry = LogEntry {
        log_index: 7,
        log_id: log.id.clone(),
        kind: "hashedrekord".to_owned(),
        version: "0.0.1".to_owned(),
        integrated_time: Some(time),
        promise: None,
        proof: None,
        body: b"{}".to_vec(),
    };
    assert_eq!(promise::verify(&entry, &log, &AwsLc), None);
    entry.promise = Some(key.signature(promise::signed_octets(&entry, time).as_bytes()));
    assert_eq!(promise::verify(&entry, &log, &AwsLc), Some(time));
    let later = LogEntry { integrated_time: Some(time.plus_seconds(1)), ..entry.clone() };
    assert_eq!(promise::verify(&later, &log, &AwsLc), None);
    let timeless = LogEntry { integrated_time: None, ..entry };
    assert_eq!(promise::verify(&timeless, &log, &AwsLc), None);
}

#[test]
fn lists_what_a_checkpoint_says_besides() {
    let root = Base64::encode_string(&[7; 32]);
    let text = format!("log.example\n7\n{root}\nfirst\nsecond\n\n— log.example BwcHBwE=\n");
    let checkpoint = Checkpoint::decode(&text).expect("a checkpoint");
    assert_eq!(checkpoint.further_lines().collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(checkpoint.signatures().collect::<Vec<_>>(), [("log.example", [7; 4])]);
}

#[test]
fn reads_by_what_a_log_verified() {
    let verifier = |verifier: serde_json::Value| {
        let body = json!({ "kind": "hashedrekord", "apiVersion": "0.0.2", "spec": {
            "hashedRekordV002": {
                "data": { "algorithm": "SHA2_256", "digest": Base64::encode_string(&[7; 32]) },
                "signature": { "content": "AQID", "verifier": verifier },
            }
        }});
        let read = EntryBody::decode(body.to_string().as_bytes()).expect("an entry");
        read.signatures.into_iter().map(|each| each.verifier).collect::<Vec<_>>()
    };
    let raw = json!({ "rawBytes": "CQ==" });
    let key = LoggedVerifier::PublicKey(vec![9]);
    assert_eq!(verifier(json!({ "publicKey": raw })), [Some(key)]);
    let certificate = LoggedVerifier::Certificate(vec![9]);
    assert_eq!(verifier(json!({ "x509Certificate": raw })), [Some(certificate)]);
    assert_eq!(verifier(json!({ "publicKey": raw, "x509Certificate": raw })), [None]);
    assert_eq!(verifier(json!({})), [None]);
}

/// A timestamp (RFC 6962 §3.2) of the forge's code signer by `key`, under that name of how it was
/// signed.
fn timestamp(key: &ForgeKey, algorithm: [u8; 2], log: &Log) -> bool {
    const SEEN_MILLIS: u64 = 1_795_000_000_000;
    let chain = Chain::code_signing().sign();
    let leaf = Certificate::decode(&chain.leaf).expect("a certificate");
    let issuer = Certificate::decode(&chain.authority).expect("a certificate");
    let issuer_key = digest(&AwsLc, HashAlgorithm::Sha256, issuer.public_key.raw);
    let length = u32::try_from(leaf.tbs.len()).expect("a short certificate").to_be_bytes();
    let signed = [
        &[0, 0][..],
        &SEEN_MILLIS.to_be_bytes(),
        &[0, 1],
        issuer_key.octets(),
        &length[1..],
        leaf.tbs,
        &[0, 0],
    ];
    let signature = key.signature(&signed.concat());
    let length = u16::try_from(signature.len()).expect("a short signature").to_be_bytes();
    let head = [&[0][..], &log.id, &SEEN_MILLIS.to_be_bytes(), &[0, 0], &algorithm, &length];
    let value = timestamp_list(&[[&head.concat()[..], &signature].concat()]);
    let list = CertificateTimestamp::decode_list(&value).expect("a list");
    assert_eq!(list[0].time(), UnixSeconds::new(1_795_000_000));
    let precertificate = Precertificate::of(&leaf, &issuer, &AwsLc).expect("a certificate");
    list[0].is_by(log, &precertificate, &AwsLc)
}

#[test]
fn believes_timestamps_under_the_name_of_their_algorithm_alone() {
    const ECDSA: [u8; 2] = [4, 3];
    const RSA: [u8; 2] = [4, 1];
    let ecdsa = ForgeKey::p256("log");
    let log_of_ecdsa = log(&ecdsa, "PKIX_ECDSA_P256_SHA_256");
    assert!(timestamp(&ecdsa, ECDSA, &log_of_ecdsa));
    assert!(!timestamp(&ecdsa, RSA, &log_of_ecdsa));
    assert!(!timestamp(&ForgeKey::p256("another"), ECDSA, &log_of_ecdsa), "another log's");
    let rsa = ForgeKey::rsa_2048();
    let log_of_rsa = log(&rsa, "PKIX_RSA_PKCS1V5");
    assert!(timestamp(&rsa, RSA, &log_of_rsa));
    assert!(!timestamp(&rsa, ECDSA, &log_of_rsa));
    assert!(!timestamp(&rsa, [5, 1], &log_of_rsa), "another hash");
}
