//! Keys in PKCS#11 tokens, with `SoftHSM`: signatures that `openssl` and the core verify, and all
//! that happens to tokens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use countersign_core::{
    crypto::{CryptoProvider, SignatureScheme, aws_lc::AwsLc},
    digest::{Digest, HashAlgorithm, digest},
    x509::PublicKey,
};
use countersign_signing::{
    ca::SubjectKey,
    key::{
        FileKey, KeyError, KeyLocation, NewKey, Passphrase, SignError, Signer, Takes, TokenError,
        TokenKeyAlgorithm, generate_in_token, open, open_for_certificate, store_certificate,
    },
};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    types::AuthPin,
};

use crate::{
    authority::{TestAuthority, code_signer_request},
    openssl::Bench,
    softhsm::{MODULE, PIN, at, make, move_folder, pin, spy, uri, with_tokens},
};

/// How long a token may take to be found again: the longest pause and some slack.
const PATIENCE: Duration = Duration::from_secs(20);

fn verifies(key: &dyn Signer, message: &[u8], signature: &[u8]) {
    let public_key = PublicKey::decode(key.spki()).expect("an SPKI");
    let algorithm = AwsLc.verification_algorithm(key.scheme());
    algorithm.verify_signature(public_key.bits, message, signature).expect("it verifies");
}

fn token_error(error: KeyError) -> TokenError {
    match error {
        KeyError::Token(error) => error,
        other => panic!("{other}"),
    }
}

fn open_error(attributes: &str, pin: Option<&Passphrase>) -> TokenError {
    token_error(open(&at(&uri(attributes)), pin).expect_err("refused"))
}

#[test]
fn openssl_and_the_core_verify_what_a_token_signs() {
    with_tokens("tokens::openssl_and_the_core_verify_what_a_token_signs", &["T"], |_| {
        let kinds = [
            ("p384", TokenKeyAlgorithm::Usual(NewKey::P384), "-sha384"),
            ("p256", TokenKeyAlgorithm::Usual(NewKey::P256), "-sha256"),
            ("p521", TokenKeyAlgorithm::P521, "-sha512"),
            ("rsa2048", TokenKeyAlgorithm::Rsa2048, "-sha256"),
            ("rsa3072", TokenKeyAlgorithm::Usual(NewKey::Rsa3072), "-sha256"),
            ("rsa4096", TokenKeyAlgorithm::Rsa4096, "-sha256"),
            (
                "pss",
                TokenKeyAlgorithm::Rsa3072Pss,
                "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32",
            ),
        ];
        for (label, algorithm, hash) in kinds {
            let made = generate_in_token(
                &uri(&format!("token=T;object={label}")),
                algorithm,
                Some(&pin()),
            )
            .expect("made");
            let key = open(&at(&made.uri), Some(&pin())).expect("opens");
            assert_eq!(key.spki(), made.spki);

            let bench = Bench::new();
            let message = b"what is signed";
            bench.write("spki.der", key.spki());
            bench.write("message", message);
            let digest = digest(&AwsLc, key.scheme().hash_algorithm().expect("one"), message);
            for signature in [key.sign(message), key.sign_digest(&digest)] {
                let signature = signature.expect("signed");
                verifies(&*key, message, &signature);
                bench.write("signature", signature);
                bench
                    .run(&format!(
                        "dgst {hash} -keyform DER -verify spki.der -signature signature message"
                    ))
                    .succeeds();
            }
        }
    });
}

#[test]
fn an_ed25519_key_signs_messages_and_no_digests() {
    with_tokens("tokens::an_ed25519_key_signs_messages_and_no_digests", &["T"], |_| {
        let algorithm = TokenKeyAlgorithm::Ed25519;
        let made = generate_in_token(&uri("token=T;object=ed"), algorithm, Some(&pin()));
        let key = open(&at(&made.expect("made").uri), Some(&pin())).expect("opens");
        assert_eq!((key.scheme(), key.takes()), (SignatureScheme::Ed25519, Takes::Messages));
        let message = b"what is signed";
        let signature = key.sign(message).expect("signed");
        verifies(&*key, message, &signature);
        let bench = Bench::new();
        bench.write("spki.der", key.spki());
        bench.write("message", message);
        bench.write("signature", signature);
        bench
            .run(
                "pkeyutl -verify -pubin -keyform DER -inkey spki.der -rawin -in message \
                 -sigfile signature",
            )
            .succeeds();
        let digest = digest(&AwsLc, HashAlgorithm::Sha512, message);
        assert!(matches!(key.sign_digest(&digest), Err(SignError::NeedsMessage)));
    });
}

#[test]
fn a_key_that_wants_its_pin_for_each_signature_gets_it() {
    with_tokens("tokens::a_key_that_wants_its_pin_for_each_signature_gets_it", &["T"], |tokens| {
        tokens.pkcs11_tool(
            "--keypairgen --key-type rsa:2048 --label each --id 01 --usage-sign --always-auth",
        );
        let mut uri = uri("token=T;object=each");
        uri.module_path = Some(spy());
        let key = open(&at(&uri), Some(&pin())).expect("opens");
        assert_eq!(key.takes(), Takes::Messages);
        let logins = tokens.spied_calls("C_Login");
        for number in 0..3_u8 {
            let message = [number; 40];
            verifies(&*key, &message, &key.sign(&message).expect("signed"));
        }
        assert_eq!(tokens.spied_calls("C_Login"), logins + 3);

        // A digest is taken by mechanisms in one call alone, into which no PIN fits here.
        let digest = digest(&AwsLc, HashAlgorithm::Sha256, b"what is signed");
        match key.sign_digest(&digest) {
            Err(SignError::Token(error @ TokenError::Unsuitable { .. })) => {
                assert!(!error.is_transient());
            }
            other => panic!("{other:?}"),
        }
        verifies(&*key, b"after it", &key.sign(b"after it").expect("signed"));
    });
}

#[test]
fn a_wrong_pin_for_a_signature_is_tried_once() {
    with_tokens("tokens::a_wrong_pin_for_a_signature_is_tried_once", &["T"], |tokens| {
        tokens.pkcs11_tool(
            "--keypairgen --key-type rsa:2048 --label each --id 01 --usage-sign --always-auth",
        );
        let mut uri = uri("token=T;object=each");
        uri.module_path = Some(spy());
        let key = open(&at(&uri), Some(&pin())).expect("opens");
        // Somebody changes the token's PIN while the key is open.
        let library = Pkcs11::new(MODULE).expect("the library that the spy has started");
        let slot = library.get_slots_with_token().expect("slots")[0];
        let session = library.open_rw_session(slot).expect("a session");
        let [old, new] = [PIN, "9999-other"].map(|pin| AuthPin::new(pin.into()));
        session.set_pin(&old, &new).expect("changed");
        let before = tokens.spied_calls("C_Login");
        for _ in 0..4 {
            match key.sign(b"a message") {
                Err(SignError::Token(TokenError::PinRefused { .. })) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(tokens.spied_calls("C_Login"), before + 1);
    });
}

#[test]
fn a_key_made_in_a_token_stays_there_and_is_for_signing_alone() {
    with_tokens(
        "tokens::a_key_made_in_a_token_stays_there_and_is_for_signing_alone",
        &["T"],
        |tokens| {
            make("token=T;object=tsa;id=%01%02", NewKey::P384);
            let text = tokens.pkcs11_tool("--list-objects --type privkey");
            for fact in
                ["tsa", "0102", "sensitive", "always sensitive", "never extractable", "local"]
            {
                assert!(text.contains(fact), "{fact}:\n{text}");
            }
            let usage = text.lines().find(|line| line.contains("Usage")).expect("a line");
            assert_eq!(usage.split(':').next_back().map(str::trim), Some("sign"), "{text}");

            // A second one of that label or id would make the URI ambiguous.
            for attributes in ["token=T;object=tsa", "token=T;object=other;id=%01%02"] {
                let algorithm = TokenKeyAlgorithm::Usual(NewKey::P384);
                let error = generate_in_token(&uri(attributes), algorithm, Some(&pin()));
                let error = token_error(error.expect_err("refused"));
                assert!(matches!(error, TokenError::KeyExists { .. }), "{error}");
            }
        },
    );
}

#[test]
fn a_wrong_pin_is_tried_once_however_often_the_key_is_opened() {
    with_tokens(
        "tokens::a_wrong_pin_is_tried_once_however_often_the_key_is_opened",
        &["T"],
        |tokens| {
            make("token=T;object=tsa", NewKey::P256);
            // From here on through a library that writes down every call.
            let spied = |attributes: &str| {
                KeyLocation::parse(&format!("pkcs11:{attributes}?module-path={}", spy().display()))
                    .expect("a URI")
            };
            let open = |pin| open(&spied("token=T;object=tsa"), pin);
            let open_error = |pin| token_error(open(pin).expect_err("refused"));
            let wrong = Passphrase::new("wrong").expect("a PIN");
            let first = open_error(Some(&wrong)).to_string();
            assert!(first.contains("the PIN is wrong"), "{first}");
            for _ in 0..20 {
                let error = open_error(Some(&wrong));
                assert!(!error.is_transient());
                assert!(error.to_string().contains("refused this PIN before"), "{error}");
            }
            let without = open_error(None);
            assert!(matches!(without, TokenError::PinNeeded { .. }), "{without}");
            assert_eq!(tokens.spied_calls("C_Login"), 1);
            // The right one works, and then no other is taken unlooked-at.
            let right = pin();
            let key = open(Some(&right)).expect("opens");
            let other = Passphrase::new("other").expect("a PIN");
            let error = open_error(Some(&other));
            assert!(error.to_string().contains("not the PIN that this process"), "{error}");
            verifies(&*key, b"m", &key.sign(b"m").expect("signed"));
        },
    );
}

#[test]
fn what_is_not_there_or_not_one_is_said() {
    with_tokens("tokens::what_is_not_there_or_not_one_is_said", &["T", "Twin", "Twin"], |_| {
        let missing = open_error("token=Elsewhere;object=tsa", Some(&pin()));
        assert!(missing.is_transient());
        assert!(missing.to_string().contains("token=T (serial="), "{missing}");

        let twins = open_error("token=Twin;object=tsa", Some(&pin()));
        let TokenError::AmbiguousToken { found, .. } = &twins else { panic!("{twins}") };
        assert_eq!(found.len(), 2);
        let serial = found[0].split("serial=").nth(1).and_then(|rest| rest.strip_suffix(')'));
        let one = format!("token=Twin;serial={}", serial.expect("a serial number"));
        make(&format!("{one};object=tsa"), NewKey::P256);
        open(&at(&uri(&format!("{one};object=tsa"))), Some(&pin())).expect("one of them");

        let nothing = open_error("token=T;object=tsa", Some(&pin()));
        assert!(matches!(nothing, TokenError::NoKey { .. }), "{nothing}");
        make("token=T;object=first", NewKey::P256);
        open(&at(&uri("token=T")), Some(&pin())).expect("the only key");
        make("token=T;object=second", NewKey::P256);
        let several = open_error("token=T", Some(&pin()));
        let TokenError::AmbiguousKey { found, .. } = &several else { panic!("{several}") };
        assert!(found.len() == 2 && found.iter().any(|key| key.contains("object=second")));

        let mut elsewhere = uri("token=T");
        elsewhere.module_path = Some("/usr/lib/no-such-library.so".into());
        let no_library = token_error(open(&at(&elsewhere), Some(&pin())).expect_err("refused"));
        assert!(matches!(no_library, TokenError::Module { .. }), "{no_library}");
        elsewhere.module_path = None;
        let unnamed = token_error(open(&at(&elsewhere), Some(&pin())).expect_err("refused"));
        assert!(matches!(unnamed, TokenError::NoModule), "{unnamed}");
    });
}

#[test]
fn a_digest_of_another_algorithm_is_refused() {
    with_tokens("tokens::a_digest_of_another_algorithm_is_refused", &["T"], |_| {
        let key = open(&at(&make("token=T;object=tsa", NewKey::P384)), Some(&pin()));
        let digest: Digest = digest(&AwsLc, HashAlgorithm::Sha256, b"message");
        let error = key.expect("opens").sign_digest(&digest).expect_err("refused");
        let (expected, found) = ("sha384", "sha256");
        assert!(
            matches!(error, SignError::DigestMismatch { expected: e, found: f } if e == expected && f == found)
        );
    });
}

#[test]
fn a_thousand_signatures_at_once_all_verify() {
    with_tokens("tokens::a_thousand_signatures_at_once_all_verify", &["T"], |_| {
        let uri = make("token=T;object=tsa", NewKey::P384);
        let key = open(&at(&uri), Some(&pin())).expect("opens");
        let start = Instant::now();
        thread::scope(|scope| {
            for thread in 0..50 {
                let key = Arc::clone(&key);
                scope.spawn(move || {
                    for number in 0..20 {
                        let message = format!("{thread} {number}");
                        let signature = key.sign(message.as_bytes()).expect("signed");
                        verifies(&*key, message.as_bytes(), &signature);
                    }
                });
            }
        });
        println!("1000 P-384 signatures and verifications in {:?}", start.elapsed());
    });
}

/// Signs until it works.
fn signs_within_patience(key: &dyn Signer) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match key.sign(b"back again") {
            Ok(signature) => return verifies(key, b"back again", &signature),
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                assert!(Instant::now() < deadline, "still: {error}");
                thread::yield_now();
            }
        }
    }
}

/// Signs until it does not.
fn fails_within_patience(key: &dyn Signer) -> SignError {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match key.sign(b"gone") {
            Err(error) => return error,
            Ok(signature) => verifies(key, b"gone", &signature),
        }
        assert!(Instant::now() < deadline, "it signs without its token");
    }
}

#[test]
fn a_token_that_went_away_and_came_back_signs_again() {
    with_tokens("tokens::a_token_that_went_away_and_came_back_signs_again", &["T"], |tokens| {
        let uri = make("token=T;object=tsa", NewKey::P384);
        let key = open(&at(&uri), Some(&pin())).expect("opens");
        let away = tokens.folder.join("away");
        for _ in 0..3 {
            verifies(&*key, b"before", &key.sign(b"before").expect("signed"));
            move_folder(&tokens.store(), &away);
            // SoftHSM keeps what it read until it is asked anew, as another program's end asks.
            restart_library();
            let error = fails_within_patience(&*key);
            assert!(error.is_transient(), "{error}");
            let start = Instant::now();
            for _ in 0..200 {
                key.sign(b"gone").expect_err("no token");
            }
            assert!(start.elapsed() < Duration::from_secs(5), "failing must be quick");
            move_folder(&away, &tokens.store());
            signs_within_patience(&*key);
        }
    });
}

#[test]
fn a_library_started_anew_under_its_keys_does_no_harm() {
    with_tokens("tokens::a_library_started_anew_under_its_keys_does_no_harm", &["T", "U"], |_| {
        let first = open(&at(&make("token=T;object=a", NewKey::P384)), Some(&pin()));
        let second = open(&at(&make("token=U;object=b", NewKey::P256)), Some(&pin()));
        let (first, second) = (first.expect("opens"), second.expect("opens"));
        for _ in 0..5 {
            restart_library();
            signs_within_patience(&*first);
            signs_within_patience(&*second);
        }
    });
}

/// Ends and starts the library behind the back of its user: handles mean nothing after that.
/// `SoftHSM` does not start without its folder.
fn restart_library() {
    let library = Pkcs11::new(MODULE).expect("the library");
    let _ = library.clone().finalize();
    let _ = library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
}

#[test]
fn keys_of_one_token_do_not_disturb_each_other_when_one_is_closed() {
    with_tokens(
        "tokens::keys_of_one_token_do_not_disturb_each_other_when_one_is_closed",
        &["T"],
        |_| {
            let uri = make("token=T;object=a", NewKey::P384);
            let other = make("token=T;object=b", NewKey::P256);
            let stays = open(&at(&uri), Some(&pin())).expect("opens");
            for _ in 0..50 {
                let goes = open(&at(&other), Some(&pin())).expect("opens");
                verifies(&*goes, b"m", &goes.sign(b"m").expect("signed"));
                drop(goes);
                verifies(&*stays, b"m", &stays.sign(b"m").expect("signed"));
            }
        },
    );
}

#[test]
fn a_token_without_a_public_key_is_used_with_its_certificate() {
    with_tokens(
        "tokens::a_token_without_a_public_key_is_used_with_its_certificate",
        &["T"],
        |tokens| {
            let uri = make("token=T;object=signer;id=%07", NewKey::P384);
            let authority = TestAuthority::new(NewKey::P384);
            let of = |spki: &[u8]| {
                let key = SubjectKey::PublicKey(spki.to_vec());
                let issued = authority.ca.issue(&code_signer_request(), key, authority.now);
                issued.expect("issued").certificate
            };
            let key = open(&at(&uri), Some(&pin())).expect("opens");
            let (own, other) = (of(key.spki()), FileKey::generate(NewKey::P384));
            let other = of(other.expect("a key").spki());
            drop(key);

            let with = |certificate: &[u8]| {
                open_for_certificate(&at(&uri), Some(&pin()), certificate).map(|key| {
                    verifies(&*key, b"m", &key.sign(b"m").expect("signed"));
                })
            };
            let mismatch = |outcome: Result<(), KeyError>| {
                let error = token_error(outcome.expect_err("refused"));
                assert!(matches!(error, TokenError::KeyMismatch { .. }), "{error}");
            };
            with(&own).expect("its certificate");
            mismatch(with(&other));
            tokens.pkcs11_tool("--delete-object --type pubkey --id 07");
            let alone = token_error(open(&at(&uri), Some(&pin())).expect_err("no public key"));
            assert!(matches!(alone, TokenError::NoPublicKey { .. }), "{alone}");
            with(&own).expect("its certificate");
            mismatch(with(&other));
            mismatch(store_certificate(&uri, &other, Some(&pin())));
            for _ in 0..2 {
                store_certificate(&uri, &own, Some(&pin())).expect("stored");
            }
            let listed = tokens.pkcs11_tool("--list-objects --type cert");
            assert_eq!(listed.matches("Certificate Object").count(), 1, "{listed}");
            open(&at(&uri), Some(&pin())).expect("the certificate shows the public key");
        },
    );
}

/// Lets threads end however this one does.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn many_threads_at_two_keys_survive_a_token_that_comes_and_goes() {
    with_tokens(
        "tokens::many_threads_at_two_keys_survive_a_token_that_comes_and_goes",
        &["T", "U"],
        |tokens| {
            let opened = [
                open(&at(&make("token=T;object=a", NewKey::P384)), Some(&pin())),
                open(&at(&make("token=U;object=b", NewKey::P256)), Some(&pin())),
            ];
            let keys = opened.map(|key| key.expect("opens"));
            let (stop, away) = (AtomicBool::new(false), tokens.folder.join("away"));
            let stop = StopWhenDropped(&stop);
            let (signed, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|scope| {
                for number in 0..20 {
                    let (key, stop) = (&keys[number % 2], stop.0);
                    let (signed, failed) = (&signed, &failed);
                    scope.spawn(move || {
                        while !stop.load(Ordering::Relaxed) {
                            match key.sign(b"m") {
                                Ok(signature) => {
                                    verifies(&**key, b"m", &signature);
                                    signed.fetch_add(1, Ordering::Relaxed);
                                }
                                Err(error) => {
                                    assert!(error.is_transient(), "{error}");
                                    failed.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        }
                    });
                }
                // More of that is seen before the next thing happens.
                let more_of = |count: &AtomicUsize, what: &str| {
                    let (before, deadline) = (count.load(Ordering::Relaxed), Instant::now());
                    while count.load(Ordering::Relaxed) < before + 100 {
                        assert!(deadline.elapsed() < PATIENCE, "no more {what}");
                        thread::yield_now();
                    }
                };
                for _ in 0..3 {
                    more_of(&signed, "signatures");
                    move_folder(&tokens.store(), &away);
                    more_of(&failed, "failures");
                    move_folder(&away, &tokens.store());
                }
                more_of(&signed, "signatures");
                drop(stop);
            });
            for key in &keys {
                signs_within_patience(&**key);
            }
        },
    );
}
