//! Key files: ours read by `openssl`, `openssl`'s read by us, and those that are refused.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use countersign_core::digest::{Digest, HashAlgorithm};
use countersign_signing::{
    key::{FileKey, KeyError, NewKey, Passphrase, Signer, UnencryptedKeys},
    secret_file::SecretFileError,
};

use crate::{authority::passphrase, openssl::Bench};

fn restrict(bench: &Bench, name: &str, mode: u32) {
    fs::set_permissions(bench.path(name), Permissions::from_mode(mode)).expect("permitted");
}

#[test]
fn openssl_opens_our_key_files_and_verifies_our_signatures() {
    for algorithm in NewKey::ALL {
        let bench = Bench::new();
        let key = FileKey::generate(algorithm).expect("a key");
        key.save_new(&bench.path("key.pem"), &passphrase()).expect("saved");
        let pass = "-passin file:passphrase";
        bench.write("passphrase", "correct horse\n");
        bench.run(&format!("pkey -in key.pem {pass} -noout -check")).succeeds();
        bench
            .run(&format!("pkey -in key.pem {pass} -pubout -outform DER -out spki.der"))
            .succeeds();
        assert_eq!(bench.read("spki.der"), key.spki());

        bench.write("message", "hello");
        bench.write("signature", key.sign(b"hello").expect("signed"));
        let digest = if algorithm == NewKey::P384 { "sha384" } else { "sha256" };
        bench
            .run(&format!(
                "dgst -{digest} -keyform DER -verify spki.der -signature signature message"
            ))
            .succeeds();
    }
}

#[test]
fn opens_the_key_files_of_openssl() {
    let bench = Bench::new();
    for (generate, algorithm) in [
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", NewKey::P384),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", NewKey::P256),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:3072", NewKey::Rsa3072),
    ] {
        bench.run(&format!("genpkey {generate} -out plain.pem")).succeeds();
        bench.run("pkey -in plain.pem -pubout -outform DER -out spki.der").succeeds();
        for how in ["-v2 aes-256-cbc -scrypt", "-v2 aes-256-cbc", "-v2 aes-128-cbc -iter 1000"] {
            bench
                .run(&format!("pkcs8 -topk8 {how} -in plain.pem -passout pass:x -out key.pem"))
                .succeeds();
            restrict(&bench, "key.pem", 0o600);
            let pass = Passphrase::new("x").expect("a passphrase");
            let key = FileKey::open(&bench.path("key.pem"), &pass).expect("opens");
            assert_eq!(key.algorithm(), algorithm);
            assert_eq!(key.spki(), bench.read("spki.der"));
        }
    }
}

#[test]
fn a_saved_key_is_the_same_key() {
    let bench = Bench::new();
    let key = FileKey::generate(NewKey::P384).expect("a key");
    key.save_new(&bench.path("key.pem"), &passphrase()).expect("saved");
    let opened = FileKey::open(&bench.path("key.pem"), &passphrase()).expect("opens");
    assert_eq!(opened.spki(), key.spki());
    let text = String::from_utf8(bench.read("key.pem")).expect("text");
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
}

#[test]
fn refuses_a_key_file_that_others_can_open_and_says_what_to_do() {
    let bench = Bench::new();
    let key = FileKey::generate(NewKey::P256).expect("a key");
    let path = bench.path("key.pem");
    key.save_new(&path, &passphrase()).expect("saved");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620, 0o601, 0o644, 0o660] {
        restrict(&bench, "key.pem", mode);
        let error = FileKey::open(&path, &passphrase()).expect_err("refused");
        assert!(
            matches!(error, KeyError::Secret(SecretFileError::Permissions { mode: found, .. }) if found == mode)
        );
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    for mode in [0o600, 0o400] {
        restrict(&bench, "key.pem", mode);
        FileKey::open(&path, &passphrase()).expect("the owner alone may open it");
    }
}

#[test]
fn refuses_an_unencrypted_key_unless_told_otherwise() {
    let bench = Bench::new();
    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem").succeeds();
    bench.run("ecparam -name secp384r1 -genkey -noout -out old.pem").succeeds();
    restrict(&bench, "key.pem", 0o600);
    restrict(&bench, "old.pem", 0o600);
    for name in ["key.pem", "old.pem"] {
        let error = FileKey::open(&bench.path(name), &passphrase()).expect_err("refused");
        assert!(matches!(error, KeyError::Unencrypted { .. }), "{error}");
    }
    let path = bench.path("key.pem");
    let open = |unencrypted| FileKey::open_with(&path, None, unencrypted);
    assert!(matches!(open(UnencryptedKeys::Refuse), Err(KeyError::Unencrypted { .. })));
    open(UnencryptedKeys::DangerouslyAllow).expect("opens");
}

#[test]
fn refuses_wrong_passphrases_damage_and_other_kinds_of_key() {
    let bench = Bench::new();
    let key = FileKey::generate(NewKey::P256).expect("a key");
    let path = bench.path("key.pem");
    key.save_new(&path, &passphrase()).expect("saved");
    let without = FileKey::open_with(&path, None, UnencryptedKeys::Refuse);
    assert!(matches!(without, Err(KeyError::PassphraseNeeded { .. })));
    let wrong = Passphrase::new("wrong").expect("a passphrase");
    assert!(matches!(FileKey::open(&path, &wrong), Err(KeyError::WrongPassphrase { .. })));

    let text = String::from_utf8(bench.read("key.pem")).expect("text");
    fs::write(&path, &text[..text.len() / 2]).expect("written");
    assert!(matches!(FileKey::open(&path, &passphrase()), Err(KeyError::Malformed { .. })));
    fs::write(&path, "").expect("written");
    assert!(matches!(FileKey::open(&path, &passphrase()), Err(KeyError::Malformed { .. })));
    fs::write(&path, vec![b'x'; 100_000]).expect("written");
    assert!(matches!(FileKey::open(&path, &passphrase()), Err(KeyError::File(_))));
    let folder = bench.path("");
    assert!(matches!(FileKey::open(&folder, &passphrase()), Err(KeyError::File(_))));

    bench.run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out plain.pem").succeeds();
    bench.run("pkcs8 -topk8 -scrypt -in plain.pem -passout pass:x -out small.pem").succeeds();
    restrict(&bench, "small.pem", 0o600);
    let pass = Passphrase::new("x").expect("a passphrase");
    let error = FileKey::open(&bench.path("small.pem"), &pass).expect_err("refused");
    assert!(matches!(error, KeyError::UnsupportedKey { .. }), "{error}");
}

#[test]
fn never_overwrites_a_key() {
    let bench = Bench::new();
    let path = bench.path("key.pem");
    let first = FileKey::generate(NewKey::P256).expect("a key");
    first.save_new(&path, &passphrase()).expect("saved");
    let second = FileKey::generate(NewKey::P256).expect("a key");
    second.save_new(&path, &passphrase()).expect_err("refused");
    let opened = FileKey::open(&path, &passphrase()).expect("opens");
    assert_eq!(opened.spki(), first.spki());
    assert_eq!(fs::read_dir(bench.path("")).expect("readable").count(), 1, "nothing left behind");
}

#[test]
fn ecdsa_signatures_are_der_and_digests_must_fit() {
    let key = FileKey::generate(NewKey::P384).expect("a key");
    let signature = key.sign(b"x").expect("signed");
    assert_eq!(signature[0], 0x30);
    Bench::new().parses(&signature);
    let digest = Digest::new(HashAlgorithm::Sha512, &[0; 64]).expect("64 octets");
    key.sign_digest(&digest).expect_err("a P-384 key signs SHA-384");
}
