//! Certificates against `countersign_core`'s decoder and a second library's strict reader.

use countersign_core::{
    asn1::Flag,
    oid,
    x509::{Certificate, profile::inspect},
};
use countersign_signing::{
    key::NewKey,
    profile::{Authority, Kind, Profile, terms},
};
use x509_cert::der::{Decode, Encode};

use crate::authority::TestAuthority;

#[test]
fn every_profile_passes_the_lint_of_its_role_and_of_no_other() {
    let pki = TestAuthority::new(NewKey::P384);
    let mut certificates: Vec<(Profile, Vec<u8>)> = Authority::ALL
        .map(|authority| (authority.profile(), pki.ca.certificate(authority).to_vec()))
        .to_vec();
    certificates.push((Profile::CodeSigner, pki.code_signer().certificate));
    certificates
        .push((Profile::TimestampAuthority, pki.timestamp_authority(NewKey::P256).1.remove(0)));
    certificates.push((
        Profile::OcspDelegate,
        pki.ocsp_delegate(Authority::Service, NewKey::P256).certificate,
    ));
    for (profile, bytes) in &certificates {
        let certificate = Certificate::decode(bytes).expect("a certificate");
        for other in Profile::ALL {
            let findings = inspect(&certificate, other);
            assert_eq!(findings.is_empty(), other == *profile, "{profile:?} as {other:?}");
        }
    }
}

#[test]
fn a_second_library_reads_and_writes_them_alike() {
    let pki = TestAuthority::new(NewKey::P384);
    for bytes in [
        pki.ca.certificate(Authority::Root).to_vec(),
        pki.code_signer().certificate,
        pki.ocsp_delegate(Authority::Signing, NewKey::P256).certificate,
    ] {
        let certificate = x509_cert::Certificate::from_der(&bytes).expect("a certificate");
        assert_eq!(certificate.to_der().expect("DER"), bytes);
    }
}

#[test]
fn serials_have_128_random_bits_and_are_positive() {
    let pki = TestAuthority::new(NewKey::P256);
    let mut serials = Vec::new();
    for _ in 0..8 {
        let bytes = pki.code_signer().certificate;
        let certificate = Certificate::decode(&bytes).expect("a certificate");
        assert!(certificate.serial.len() <= 16 && certificate.serial[0] < 0x80);
        serials.push(certificate.serial.to_vec());
    }
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 8);
}

#[test]
fn validity_key_identifiers_and_pointers_are_as_the_profile_says() {
    let pki = TestAuthority::new(NewKey::P384);
    let bytes = pki.code_signer().certificate;
    let signer = Certificate::decode(&bytes).expect("a certificate");
    let issuer =
        Certificate::decode(pki.ca.certificate(Authority::Signing)).expect("a certificate");
    assert_eq!(signer.not_before, pki.now.minus_seconds(300));
    let validity = terms(Profile::CodeSigner).validity_seconds;
    assert_eq!(signer.not_after, pki.now.plus_seconds(validity));
    assert_eq!(
        signer.extensions.authority_key_identifier,
        issuer.extensions.subject_key_identifier
    );
    let pointers = pki.ca.pointers(Authority::Signing);
    assert_eq!(signer.extensions.crl_urls, [pointers.crl_url]);
    assert_eq!(signer.extensions.ocsp_urls, [pointers.ocsp_url]);
    assert_eq!(signer.extensions.issuer_urls, [pointers.issuer_url]);
    assert_eq!(signer.extensions.oidc_issuer, Some("https://login.example.org"));
    assert_eq!(signer.identity(), Some("release@example.org"));
    let raw = (oid::OIDC_ISSUER_RAW, Flag::No);
    assert!(signer.extensions.present.contains(&raw));
}

#[test]
fn only_authorities_are_authorities() {
    for profile in Profile::ALL {
        let is_authority = matches!(profile.rules().kind, Kind::Authority { .. });
        let named = Authority::ALL.iter().any(|authority| authority.profile() == profile);
        assert_eq!(is_authority, named, "{profile:?}");
    }
}
