//! Timestamps as `openssl ts` and `countersign_core::tsp` see them.

use std::{sync::Arc, time::SystemTime};

use const_oid::ObjectIdentifier;
use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    trust::Authority as TrustedAuthority,
    tsp::{
        CertificateRequest, FailureInfo, PkiStatus, Stamped, TimestampRequest, TimestampResponse,
        verify, verify_answer,
    },
};
use countersign_signing::{
    key::{FileKey, NewKey, SignError, random_serial},
    profile::Authority,
    tsp::{Accuracy, TimestampPolicy, TimestampRequestBuilder, TimestampSigner, refusal},
};

use crate::{
    authority::TestAuthority,
    openssl::{Bench, contains_all},
};

pub(crate) const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1.1");

pub(crate) fn policy(accuracy_millis: u64) -> TimestampPolicy {
    TimestampPolicy {
        policy: POLICY,
        accuracy: Accuracy::from_millis(accuracy_millis).expect("> 0"),
    }
}

pub(crate) fn respond(signer: &TimestampSigner, request: &[u8]) -> Vec<u8> {
    let request = TimestampRequest::decode(request).expect("a request");
    let serial = random_serial().expect("random");
    signer.respond(&request, SystemTime::now(), serial).expect("signed")
}

#[test]
fn openssl_verifies_tokens_over_its_own_queries() {
    for algorithm in NewKey::ALL {
        let pki = TestAuthority::new(NewKey::P384);
        let (key, chain) = pki.timestamp_authority(algorithm);
        let bench = Bench::new();
        bench.write_pem("root.pem", &[pki.ca.certificate(Authority::Root)]);
        bench.write_pem("between.pem", &[&chain[0], pki.ca.certificate(Authority::Timestamping)]);
        bench.write("data", "what is stamped");
        let signer = TimestampSigner::new(key, chain, policy(1000)).expect("a signer");
        for query in
            ["-sha256 -cert", "-sha384", "-sha512 -no_nonce", "-sha384 -tspolicy 1.2.3 -cert"]
        {
            bench.run(&format!("ts -query -data data {query} -out query")).succeeds();
            let response = respond(&signer, &bench.read("query"));
            bench.write("response", &response);
            bench.parses(&response);
            let chain = "-CAfile root.pem -untrusted between.pem";
            let text = bench.run(&format!("ts -verify -queryfile query -in response {chain}"));
            contains_all(&text.succeeds(), &["Verification: OK"]);
            bench.run(&format!("ts -verify -data data -in response {chain}")).succeeds();
            let policy = if query.contains("1.2.3") { "1.2.3" } else { "1.3.6.1.4.1.99999.1.1" };
            let text = bench.run("ts -reply -in response -text").succeeds();
            contains_all(
                &text,
                &[
                    "Status: Granted.",
                    "Version: 1\n",
                    &format!("Policy OID: {policy}\n"),
                    "Accuracy: 0x01 seconds, unspecified millis, unspecified micros\n",
                    "Ordering: no\n",
                    "TSA: unspecified\n",
                ],
            );
            bench.write("data2", "something else");
            bench.run(&format!("ts -verify -data data2 -in response {chain}")).fails();
        }
    }
}

#[test]
fn core_verifies_tokens_over_our_own_requests() {
    for algorithm in NewKey::ALL {
        let pki = TestAuthority::new(NewKey::P384);
        let (key, chain) = pki.timestamp_authority(algorithm);
        let trusted = TrustedAuthority::from_chain(
            "https://tsa.example.org",
            [chain.clone(), vec![pki.ca.certificate(Authority::Root).to_vec()]].concat(),
            countersign_core::trust::Window::default(),
        )
        .expect("a chain");
        let signer = TimestampSigner::new(key, chain, policy(250)).expect("a signer");
        let imprint = digest(&AwsLc, HashAlgorithm::Sha384, b"data");
        let builder = TimestampRequestBuilder::new(imprint).policy(POLICY).random_nonce();
        let builder = builder.expect("random");
        for wanted in [CertificateRequest::Include, CertificateRequest::Omit] {
            let request = builder.clone().certificates(wanted).build();
            let response = respond(&signer, &request);
            let authorities = [trusted.clone()];
            let now = pki.now.plus_seconds(60);
            let verified = verify(&response, Stamped::Message(b"data"), &authorities, &AwsLc, now);
            let verified = verified.expect("verifies");
            let asked = TimestampRequest::decode(&request).expect("a request");
            verify_answer(verified.info(), asked.nonce, asked.policy).expect("the answer");
            let other = verify(&response, Stamped::Message(b"date"), &authorities, &AwsLc, now);
            other.expect_err("other data");
        }
    }
}

#[test]
fn openssl_reads_our_requests() {
    let bench = Bench::new();
    let imprint = digest(&AwsLc, HashAlgorithm::Sha256, b"data");
    let plain = TimestampRequestBuilder::new(imprint).nonce(&[0x80, 1]).policy(POLICY);
    bench.write("query", plain.build());
    let text = bench.run("ts -query -in query -text").succeeds();
    contains_all(
        &text,
        &[
            "Version: 1\n",
            "Hash Algorithm: sha256\n",
            "Policy OID: 1.3.6.1.4.1.99999.1.1\n",
            "Nonce: 0x8001\n",
            "Certificate required: yes\n",
        ],
    );
    bench.write("query", plain.certificates(CertificateRequest::Omit).build());
    let text = bench.run("ts -query -in query -text").succeeds();
    contains_all(&text, &["Certificate required: no\n"]);
}

#[test]
fn openssl_and_core_read_every_refusal() {
    let bench = Bench::new();
    for failure in FailureInfo::ALL {
        let response = refusal(failure, "Use SHA-256. Request ü-1");
        bench.parses(&response);
        let decoded = TimestampResponse::decode(&response).expect("a response");
        assert_eq!(decoded.status, PkiStatus::Rejection);
        assert_eq!(decoded.failure, Some(failure));
        assert_eq!(decoded.status_text, ["Use SHA-256. Request ü-1"]);
        assert!(decoded.token.is_none());
        bench.write("response", &response);
        let text = bench.run("ts -reply -in response -text").succeeds();
        contains_all(&text, &["Status: Rejected.", "Use SHA-256", "TST info:\nNot included."]);
    }
    // status rejection, badAlg(0): the first bit of the first octet, seven unused.
    assert_eq!(refusal(FailureInfo::BadAlg, ""), [0x30, 9, 0x30, 7, 2, 1, 2, 3, 2, 7, 0x80]);
    // systemFailure(25)
    assert_eq!(
        refusal(FailureInfo::SystemFailure, ""),
        [0x30, 12, 0x30, 10, 2, 1, 2, 3, 5, 6, 0, 0, 0, 0x40]
    );
}

#[test]
fn refuses_a_chain_that_is_not_the_keys() {
    let pki = TestAuthority::new(NewKey::P256);
    let (key, chain) = pki.timestamp_authority(NewKey::P256);
    let new = |key: &Arc<FileKey>, chain| TimestampSigner::new(key.clone(), chain, policy(1000));
    let other = Arc::new(FileKey::generate(NewKey::P256).expect("a key"));
    assert!(matches!(new(&other, chain.clone()), Err(SignError::KeyMismatch)));
    assert!(matches!(new(&key, vec![]), Err(SignError::NoCertificate)));
    let damaged = vec![chain[0].clone(), vec![0x30, 0]];
    assert!(matches!(new(&key, damaged), Err(SignError::Certificate { position: 2, .. })));
    let reversed = chain.iter().rev().cloned().collect();
    assert!(matches!(new(&key, reversed), Err(SignError::KeyMismatch)));
}
