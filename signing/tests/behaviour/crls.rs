//! CRLs as `openssl crl`, `openssl verify -crl_check` and `countersign_core::crl` see them.

use countersign_core::{
    crl::{CertificateList, RevocationReason, inspect},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_signing::{
    crl::{CrlBuilder, RevokedCertificate},
    key::{NewKey, SignError},
    profile::Authority,
};

use crate::{
    authority::TestAuthority,
    openssl::{Bench, contains_all},
};

fn crl(pki: &TestAuthority, authority: Authority, revoked: &[RevokedCertificate<'_>]) -> Vec<u8> {
    let next = pki.now.plus_seconds(86_400);
    let mut builder = pki.ca.crl(authority, 0x80, pki.now, next).expect("a builder");
    for each in revoked {
        builder.revoke(each);
    }
    builder.build(&*pki.ca.signer(authority).expect("a key")).expect("signed")
}

#[test]
fn openssl_verifies_lists_and_refuses_the_revoked() {
    for algorithm in [NewKey::P384, NewKey::Rsa3072] {
        let pki = TestAuthority::new(algorithm);
        let bench = Bench::new();
        let leaf = pki.code_signer().certificate;
        let serial = Certificate::decode(&leaf).expect("a certificate").serial;
        bench.write_pem("root.pem", &[pki.ca.certificate(Authority::Root)]);
        bench.write_pem("issuer.pem", &[pki.ca.certificate(Authority::Signing)]);
        bench.write_pem("leaf.pem", &[&leaf]);
        bench.write("root.crl", crl(&pki, Authority::Root, &[]));
        let check = |list: &[u8]| {
            bench.parses(list);
            assert_eq!(inspect(&CertificateList::decode(list).expect("a list")), []);
            bench.write("signing.crl", list);
            let read = "crl -inform DER -in signing.crl -CAfile issuer.pem -noout -text";
            let text = bench.run(read).succeeds();
            contains_all(&text, &["verify OK", "Version 2 (0x1)"]);
            for name in ["root", "signing"] {
                let convert = format!("crl -inform DER -in {name}.crl -out {name}.pem.crl");
                bench.run(&convert).succeeds();
            }
            let verify = bench.run(
                "verify -x509_strict -crl_check_all -CRLfile root.pem.crl -CRLfile signing.pem.crl \
                 -CAfile root.pem -untrusted issuer.pem leaf.pem",
            );
            (text, verify)
        };
        let (text, verified) = check(&crl(&pki, Authority::Signing, &[]));
        verified.succeeds();
        contains_all(
            &text,
            &[
                "No Revoked Certificates.",
                "X509v3 CRL Number: \n                128\n",
                "X509v3 Issuing Distribution Point: critical\n",
                "URI:http://pki.example.org/v1/crl/signing.crl",
                "X509v3 Authority Key Identifier",
                "2.5.29.60",
            ],
        );
        let revocation_date = pki.now.minus_seconds(10);
        let reason = RevocationReason::KeyCompromise;
        let revoked = RevokedCertificate { serial, revocation_date, reason };
        let (text, verified) = check(&crl(&pki, Authority::Signing, &[revoked]));
        contains_all(&verified.fails(), &["certificate revoked"]);
        contains_all(&text, &["Key Compromise", "Invalidity Date"]);
    }
}

#[test]
fn entries_say_what_was_said_and_nothing_for_unspecified() {
    let pki = TestAuthority::new(NewKey::P256);
    let date = |text| UnixSeconds::parse_rfc3339(text).expect("a time");
    let revoked = [
        RevokedCertificate {
            serial: &[0x01],
            revocation_date: date("2026-05-03T10:00:00Z"),
            reason: RevocationReason::Unspecified,
        },
        RevokedCertificate {
            serial: &[0x00, 0xFF],
            revocation_date: date("2049-12-31T23:59:59Z"),
            reason: RevocationReason::Superseded,
        },
        RevokedCertificate {
            serial: &[0x7F; 16],
            revocation_date: date("2050-01-01T00:00:00Z"),
            reason: RevocationReason::CessationOfOperation,
        },
    ];
    let bytes = crl(&pki, Authority::Service, &revoked);
    let list = CertificateList::decode(&bytes).expect("a list");
    let entries: Vec<_> = list.entries().map(|entry| entry.expect("an entry")).collect();
    assert_eq!(entries.len(), 3);
    for (entry, revoked) in entries.iter().zip(&revoked) {
        assert_eq!(entry.serial, revoked.serial);
        assert_eq!(entry.reason, revoked.reason);
        assert_eq!(entry.revocation_date, revoked.revocation_date);
        assert_eq!(entry.invalidity_date, Some(revoked.revocation_date));
    }
    let bench = Bench::new();
    bench.write("list", &bytes);
    let text = bench.run("crl -inform DER -in list -noout -text").succeeds();
    assert_eq!(text.matches("CRL Reason Code").count(), 2, "{text}");
    // UTCTime through 2049.
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    assert!(has(b"\x17\x0d491231235959Z") && has(b"\x18\x0f20500101000000Z"));
}

#[test]
fn twenty_thousand_entries_are_no_trouble() {
    let pki = TestAuthority::new(NewKey::P256);
    let next = pki.now.plus_seconds(86_400);
    let mut builder = pki.ca.crl(Authority::Signing, 1, pki.now, next).expect("a builder");
    for number in 0..20_000_u32 {
        let serial = [&[0x40][..], &number.to_be_bytes()].concat();
        builder.revoke(&RevokedCertificate {
            serial: &serial,
            revocation_date: pki.now,
            reason: RevocationReason::Superseded,
        });
    }
    let bytes = builder.build(&*pki.ca.signer(Authority::Signing).expect("a key")).expect("signed");
    let list = CertificateList::decode(&bytes).expect("a list");
    assert_eq!(list.entries().flatten().count(), 20_000);
}

#[test]
fn refuses_to_sign_with_another_key() {
    let pki = TestAuthority::new(NewKey::P256);
    let builder =
        pki.ca.crl(Authority::Signing, 1, pki.now, pki.now.plus_seconds(1)).expect("a builder");
    let other = pki.ca.signer(Authority::Root).expect("a key");
    assert!(matches!(builder.build(&*other), Err(SignError::KeyMismatch)));
}

#[test]
fn a_delta_says_what_it_is_counted_from_and_what_was_lifted() {
    let pki = TestAuthority::new(NewKey::P384);
    let issuer = pki.ca.certificate(Authority::Signing);
    let terms = |number| countersign_signing::crl::CrlTerms {
        number,
        this_update: pki.now,
        next_update: pki.now.plus_seconds(60),
        distribution_point: "http://a/crl/signing.crl".to_owned(),
        expired_certificates_since: None,
    };
    let build = |builder: CrlBuilder| {
        builder.build(&*pki.ca.signer(Authority::Signing).expect("a key")).expect("signed")
    };
    let complete = CrlBuilder::new(issuer, terms(7)).expect("a builder");
    let complete = build(complete.with_deltas_at("http://a/crl/signing.delta.crl"));
    let mut delta = CrlBuilder::new(issuer, terms(9)).expect("a builder").as_delta_since(7);
    delta.lift(&[0x21]);
    let delta = build(delta);
    let bench = Bench::new();
    let number = |name: &str, number: u64| format!("X509v3 {name}\n{:16}{number}\n", "");
    let [indicator, delta_number] =
        [number("Delta CRL Indicator: critical", 7), number("CRL Number: ", 9)];
    for (der, parts) in [
        (&complete, &["X509v3 Freshest CRL", "URI:http://a/crl/signing.delta.crl"][..]),
        (&delta, &[&indicator, &delta_number, "Remove From CRL"]),
    ] {
        bench.parses(der);
        assert_eq!(inspect(&CertificateList::decode(der).expect("a list")), []);
        bench.write("list.crl", der);
        let text = bench.run("crl -inform DER -in list.crl -noout -text").succeeds();
        contains_all(&text, parts);
    }
    // What the lint is there for: a delta of itself, and one that names deltas.
    for wrong in [
        CrlBuilder::new(issuer, terms(7)).expect("a builder").as_delta_since(7),
        CrlBuilder::new(issuer, terms(9))
            .expect("a builder")
            .as_delta_since(7)
            .with_deltas_at("http://a/crl/signing.delta.crl"),
    ] {
        assert_eq!(inspect(&CertificateList::decode(&build(wrong)).expect("a list")).len(), 1);
    }
}
