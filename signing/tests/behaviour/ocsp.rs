//! OCSP responses as `openssl ocsp` and `countersign_core::ocsp` see them.

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason,
    digest::HashAlgorithm,
    ocsp::{OcspRequest, OcspResponse, ResponderId},
    oid,
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_signing::{
    der,
    key::{FileKey, NewKey, SignError},
    ocsp::{
        Answer, CertificateStatus, OcspResponseStatus, OcspSigner, ResponseTerms, cert_id,
        error_response, request,
    },
    profile::Authority,
};

use crate::{
    authority::TestAuthority,
    openssl::{Bench, contains_all},
};

fn signer(pki: &TestAuthority, algorithm: NewKey) -> OcspSigner {
    let delegate = pki.ocsp_delegate(Authority::Signing, algorithm);
    let key = Arc::new(delegate.key.expect("a key"));
    let issuer = pki.ca.certificate(Authority::Signing);
    OcspSigner::new(key, &delegate.certificate, issuer).expect("a signer")
}

fn terms(now: UnixSeconds) -> ResponseTerms<'static> {
    ResponseTerms {
        produced_at: now,
        this_update: now,
        next_update: now.plus_seconds(3600),
        archive_cutoff: None,
        nonce: None,
    }
}

fn id(pki: &TestAuthority, hash: HashAlgorithm, certificate: &[u8]) -> Vec<u8> {
    let serial = Certificate::decode(certificate).expect("a certificate").serial;
    cert_id(hash, pki.ca.certificate(Authority::Signing), serial).expect("an issuer")
}

#[test]
fn openssl_verifies_responses_to_its_own_requests() {
    for algorithm in [NewKey::P384, NewKey::Rsa3072] {
        let pki = TestAuthority::new(NewKey::P384);
        let signer = signer(&pki, algorithm);
        let bench = Bench::new();
        let signing = pki.ca.certificate(Authority::Signing);
        bench.write_pem("root.pem", &[pki.ca.certificate(Authority::Root)]);
        bench.write_pem("issuer.pem", &[signing]);
        bench.write_pem("leaf.pem", &[&pki.code_signer().certificate]);
        let revoked = CertificateStatus::Revoked {
            reason: RevocationReason::KeyCompromise,
            revocation_time: pki.now.minus_seconds(60),
        };
        for (status, text) in [
            (CertificateStatus::Good, "leaf.pem: good"),
            (revoked, "leaf.pem: revoked"),
            (CertificateStatus::Unknown, "leaf.pem: unknown"),
        ] {
            let query = "ocsp -issuer issuer.pem -cert leaf.pem -reqout query -nonce";
            bench.run(query).succeeds();
            let query = bench.read("query");
            let asked = OcspRequest::decode(&query, 16).expect("a request");
            let response = Answer { cert_id: asked.certificates[0].raw, status };
            let nonce = asked.nonce.map(|nonce| nonce.value);
            let terms = ResponseTerms { nonce, ..terms(pki.now) };
            let response = signer.respond(&[response], &terms).expect("signed");
            bench.parses(&response);
            bench.write("response", &response);
            let said = bench
                .run(
                    "ocsp -no_nonce -issuer issuer.pem -cert leaf.pem -reqin query -respin response \
                     -CAfile root.pem -verify_other issuer.pem -resp_text",
                )
                .succeeds();
            contains_all(&said, &["Response verify OK", text, "OCSP Nonce"]);
            assert!(!said.contains("WARNING: no nonce"), "{said}");
            if text.ends_with("revoked") {
                contains_all(&said, &["Reason: keyCompromise"]);
            }
        }
    }
}

#[test]
fn answers_come_in_order_with_ids_as_they_were_asked() {
    let pki = TestAuthority::new(NewKey::P256);
    let signer = signer(&pki, NewKey::P256);
    let first = pki.code_signer().certificate;
    let second = pki.code_signer().certificate;
    let ids = [
        id(&pki, HashAlgorithm::Sha256, &second),
        id(&pki, HashAlgorithm::Sha1, &first),
        id(&pki, HashAlgorithm::Sha384, &first),
    ];
    let nonce = [9; 32];
    let query = request(&ids, Some(&nonce));
    let asked = OcspRequest::decode(&query, 16).expect("a request");
    let date = pki.now.minus_seconds(5);
    let statuses = [
        CertificateStatus::Good,
        CertificateStatus::Revoked { reason: RevocationReason::Unspecified, revocation_time: date },
        CertificateStatus::NEVER_ISSUED,
    ];
    let responses: Vec<Answer<'_>> = asked
        .certificates
        .iter()
        .zip(statuses)
        .map(|(asked, status)| Answer { cert_id: asked.raw, status })
        .collect();
    let cutoff = pki.now.minus_seconds(1_000_000);
    let echoed = asked.nonce.map(|nonce| nonce.value);
    let terms = ResponseTerms { nonce: echoed, archive_cutoff: Some(cutoff), ..terms(pki.now) };
    let bytes = signer.respond(&responses, &terms).expect("signed");
    let basic = OcspResponse::decode(&bytes).expect("a response").basic.expect("an answer");
    assert_eq!(basic.nonce, Some(&nonce[..]));
    assert_eq!(basic.produced_at, pki.now);
    assert_eq!(basic.certificates.len(), 1);
    assert!(matches!(basic.responder, ResponderId::ByKey(hash) if hash.len() == 20));
    let raw: Vec<&[u8]> = basic.responses.iter().map(|each| each.certificate.raw).collect();
    assert_eq!(raw, ids.iter().map(Vec::as_slice).collect::<Vec<_>>());
    for (answer, expected) in basic.responses.iter().zip(statuses) {
        assert_eq!(answer.status, expected);
        assert_eq!(answer.this_update, pki.now);
        assert_eq!(answer.next_update, Some(pki.now.plus_seconds(3600)));
    }
    let extended_revoke =
        der::extension(&oid::OCSP_EXTENDED_REVOKE, der::Criticality::NonCritical, der::NULL);
    assert!(bytes.windows(extended_revoke.len()).any(|window| window == extended_revoke));
    let bench = Bench::new();
    bench.write("response", &bytes);
    let said = bench.run("ocsp -respin response -noverify -resp_text").succeeds();
    contains_all(&said, &["Archive Cutoff", "Reason: certificateHold"]);
    // An unspecified reason is left out.
    assert!(!said.contains("unspecified"), "{said}");
}

#[test]
fn a_response_without_need_has_no_extensions() {
    let pki = TestAuthority::new(NewKey::P256);
    let id = id(&pki, HashAlgorithm::Sha1, &pki.code_signer().certificate);
    let good = Answer { cert_id: &id, status: CertificateStatus::Good };
    let bytes = signer(&pki, NewKey::P256).respond(&[good], &terms(pki.now)).expect("signed");
    let bench = Bench::new();
    bench.write("response", &bytes);
    let said = bench.run("ocsp -respin response -noverify -resp_text").succeeds();
    assert!(!said.contains("Response Extensions") && !said.contains("Nonce"), "{said}");
}

#[test]
fn openssl_reads_our_requests_and_error_responses() {
    let pki = TestAuthority::new(NewKey::P256);
    let leaf = pki.code_signer().certificate;
    let bench = Bench::new();
    let ids = [id(&pki, HashAlgorithm::Sha1, &leaf), id(&pki, HashAlgorithm::Sha256, &leaf)];
    bench.write("query", request(&ids, Some(&[7; 32])));
    let said = bench.run("ocsp -reqin query -req_text").succeeds();
    contains_all(&said, &["Hash Algorithm: sha1", "Hash Algorithm: sha256", "OCSP Nonce"]);
    for (status, text) in [
        (OcspResponseStatus::MalformedRequest, "malformedrequest (1)"),
        (OcspResponseStatus::InternalError, "internalerror (2)"),
        (OcspResponseStatus::TryLater, "trylater (3)"),
        (OcspResponseStatus::SigRequired, "sigrequired (5)"),
        (OcspResponseStatus::Unauthorized, "unauthorized (6)"),
    ] {
        let response = error_response(status);
        assert_eq!(response.len(), 5);
        bench.write("response", &response);
        contains_all(&bench.run("ocsp -respin response").fails(), &[text]);
        assert!(OcspResponse::decode(&response).expect("a response").basic.is_none());
    }
}

#[test]
fn openssl_makes_the_same_cert_ids() {
    let pki = TestAuthority::new(NewKey::P384);
    let leaf = pki.code_signer().certificate;
    let bench = Bench::new();
    bench.write_pem("issuer.pem", &[pki.ca.certificate(Authority::Signing)]);
    bench.write_pem("leaf.pem", &[&leaf]);
    for (flag, hash) in [("-sha1", HashAlgorithm::Sha1), ("-sha384", HashAlgorithm::Sha384)] {
        let command =
            format!("ocsp {flag} -issuer issuer.pem -cert leaf.pem -reqout query -no_nonce");
        bench.run(&command).succeeds();
        assert_eq!(bench.read("query"), request(&[id(&pki, hash, &leaf)], None));
    }
}

#[test]
fn refuses_a_delegate_of_another_issuer_or_key() {
    let pki = TestAuthority::new(NewKey::P256);
    let delegate = pki.ocsp_delegate(Authority::Signing, NewKey::P256);
    let key = Arc::new(delegate.key.expect("a key"));
    let signing = pki.ca.certificate(Authority::Signing);
    let other = pki.ca.certificate(Authority::Service);
    let new =
        |key: &Arc<FileKey>, issuer| OcspSigner::new(key.clone(), &delegate.certificate, issuer);
    assert!(matches!(new(&key, other), Err(SignError::WrongIssuer)));
    let stranger = Arc::new(FileKey::generate(NewKey::P256).expect("a key"));
    assert!(matches!(new(&stranger, signing), Err(SignError::KeyMismatch)));
    assert!(matches!(new(&key, b""), Err(SignError::Certificate { position: 2, .. })));
    // An issuer may answer for itself; its certificate is then not sent.
    let own = pki.ca.signer(Authority::Signing).expect("a key");
    let signer = OcspSigner::new(own, signing, signing).expect("a signer");
    let id = id(&pki, HashAlgorithm::Sha1, &pki.code_signer().certificate);
    let good = Answer { cert_id: &id, status: CertificateStatus::Good };
    let bytes = signer.respond(&[good], &terms(pki.now)).expect("signed");
    let basic = OcspResponse::decode(&bytes).expect("a response").basic.expect("an answer");
    assert!(basic.certificates.is_empty());
}
