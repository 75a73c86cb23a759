//! The authority and its certificates, as `openssl` and a second opening see them.

use std::{fs, os::unix::fs::PermissionsExt};

use countersign_core::time::UnixSeconds;
use countersign_signing::{
    ca::{CaError, CertificateAuthority, IssueRequest, RenewalKey, SubjectKey},
    csr,
    key::{FileKey, NewKey, Passphrase, Signer},
    name::{DistinguishedName, SubjectName},
    profile::{Authority, Profile},
};

use crate::{
    authority::{BASE_URL, TestAuthority, code_signer_request, now, options, passphrase},
    openssl::{Bench, contains_all, files_below},
};

const DAY_SECONDS: i64 = 86_400;

#[test]
fn openssl_verifies_every_chain_strictly() {
    for algorithm in NewKey::ALL {
        let pki = TestAuthority::new(algorithm);
        let bench = Bench::new();
        bench.write_pem("root.pem", &[pki.ca.certificate(Authority::Root)]);
        let verify = |leaf: &[u8], authority, purpose: &str| {
            bench.write_pem("leaf.pem", &[leaf]);
            bench.write_pem("between.pem", &[pki.ca.certificate(authority)]);
            let command = format!(
                "verify -x509_strict {purpose}-CAfile root.pem -untrusted between.pem leaf.pem"
            );
            bench.run(&command).succeeds();
            bench.parses(leaf);
        };
        verify(&pki.code_signer().certificate, Authority::Signing, "");
        let (_, chain) = pki.timestamp_authority(NewKey::P256);
        verify(&chain[0], Authority::Timestamping, "-purpose timestampsign ");
        verify(
            &pki.ocsp_delegate(Authority::Signing, NewKey::P256).certificate,
            Authority::Signing,
            "",
        );
        let names = vec![
            SubjectName::parse_host("tsa.example.org").expect("a host"),
            SubjectName::parse_host("127.0.0.1").expect("a host"),
        ];
        let server = IssueRequest {
            names,
            ..IssueRequest::new(Profile::TlsServer, DistinguishedName::default())
        };
        let server = pki.issue(&server).certificate;
        verify(&server, Authority::Service, "-purpose sslserver -verify_hostname tsa.example.org ");
        verify(&server, Authority::Service, "-purpose sslserver -verify_ip 127.0.0.1 ");
        contains_all(
            &bench.certificate_text(&server),
            // RFC 5280 §4.2.1.6: no subject, hence critical.
            &["X509v3 Subject Alternative Name: critical\n"],
        );
        let names = vec![SubjectName::parse_identity("urn:countersign:admin:ann").expect("a URI")];
        let client = IssueRequest {
            names,
            ..IssueRequest::new(Profile::TlsClient, DistinguishedName::common_name("Ann"))
        };
        verify(&pki.issue(&client).certificate, Authority::Service, "-purpose sslclient ");
    }
}

#[test]
fn openssl_shows_what_the_profiles_say() {
    let pki = TestAuthority::new(NewKey::P384);
    let bench = Bench::new();
    let root = bench.certificate_text(pki.ca.certificate(Authority::Root));
    contains_all(
        &root,
        &[
            "Version: 3 (0x2)",
            "Signature Algorithm: ecdsa-with-SHA384",
            "Basic Constraints: critical\n                CA:TRUE, pathlen:1",
            "Key Usage: critical\n                Certificate Sign, CRL Sign\n",
            "Subject Key Identifier",
        ],
    );
    assert!(!root.contains("CRL Distribution"), "a root points nowhere");
    let signing = bench.certificate_text(pki.ca.certificate(Authority::Signing));
    contains_all(
        &signing,
        &[
            "CA:TRUE, pathlen:0",
            "Extended Key Usage: \n                Code Signing\n",
            "Authority Key Identifier",
            &format!("URI:{BASE_URL}/crl/root.crl"),
            &format!("OCSP - URI:{BASE_URL}/ocsp\n"),
            &format!("CA Issuers - URI:{BASE_URL}/ca/root.cer"),
        ],
    );
    let signer = bench.certificate_text(&pki.code_signer().certificate);
    contains_all(
        &signer,
        &[
            "Key Usage: critical\n                Digital Signature\n",
            "Extended Key Usage: \n                Code Signing\n",
            "email:release@example.org",
            &format!("URI:{BASE_URL}/crl/signing.crl"),
            &format!("CA Issuers - URI:{BASE_URL}/ca/signing.cer"),
            "1.3.6.1.4.1.57264.1.1: \n                https://login.example.org\n",
            "1.3.6.1.4.1.57264.1.8: \n                ..https://login.example.org\n",
        ],
    );
    let (_, chain) = pki.timestamp_authority(NewKey::P256);
    contains_all(
        &bench.certificate_text(&chain[0]),
        &["Extended Key Usage: critical\n                Time Stamping\n"],
    );
    let delegate =
        bench.certificate_text(&pki.ocsp_delegate(Authority::Root, NewKey::P256).certificate);
    contains_all(&delegate, &["OCSP Signing\n", "OCSP No Check: \n", "/crl/root.crl"]);
}

#[test]
fn takes_nothing_but_the_key_from_a_request_of_openssl() {
    let pki = TestAuthority::new(NewKey::P384);
    let bench = Bench::new();
    bench
        .run(
            "req -new -newkey rsa:3072 -nodes -keyout key.pem -out request.pem \
             -subj /CN=Mallory -addext subjectAltName=DNS:evil.example",
        )
        .succeeds();
    bench.run("req -in request.pem -noout -pubkey -out public.pem").succeeds();
    bench.run("pkey -pubin -in public.pem -outform DER -out spki.der").succeeds();
    let request = SubjectKey::Csr(bench.read("request.pem"));
    let issued = pki.ca.issue(&code_signer_request(), request, pki.now).expect("issued");
    assert!(issued.key.is_none());
    let text = bench.certificate_text(&issued.certificate);
    assert!(!text.contains("Mallory") && !text.contains("evil.example"), "{text}");
    let spki = bench.read("spki.der");
    assert!(issued.certificate.windows(spki.len()).any(|window| window == spki));
}

#[test]
fn openssl_verifies_our_requests() {
    let key = FileKey::generate(NewKey::P384).expect("a key");
    let request = csr::build(&DistinguishedName::common_name("me"), &key).expect("a request");
    let bench = Bench::new();
    bench.write("request.pem", csr::encode_pem(&request));
    let text = bench.run("req -in request.pem -noout -verify -subject").succeeds();
    contains_all(&text, &["verify OK", "CN = me"]);
}

#[test]
fn remembers_everything_it_issued() {
    let pki = TestAuthority::new(NewKey::P256);
    let issued = pki.code_signer();
    let place = pki.folder.path().join("ca");
    let again = CertificateAuthority::open(&place, &passphrase()).expect("opens");
    let list = again.list().expect("an index");
    let profiles: Vec<Profile> = list.iter().map(|entry| entry.profile).collect();
    assert_eq!(
        profiles,
        [
            Profile::Root,
            Profile::SigningCa,
            Profile::TimestampingCa,
            Profile::ServiceCa,
            Profile::CodeSigner
        ]
    );
    let entry = list.last().expect("five entries");
    assert_eq!(*entry, issued.entry);
    assert_eq!(entry.subject, "CN=Release signing,O=Example (release@example.org)");
    let (_, bytes) = again.issued(&entry.serial.to_uppercase()).expect("on disk");
    assert_eq!(bytes, issued.certificate);
    assert!(matches!(again.issued("00"), Err(CaError::NotIssued { .. })));
}

#[test]
fn renews_with_the_same_names_and_the_same_or_another_key() {
    let pki = TestAuthority::new(NewKey::P256);
    let old = pki.code_signer();
    let later = pki.now.plus_seconds(300 * DAY_SECONDS);
    let bench = Bench::new();
    let renew = |key| pki.ca.renew(&old.entry.serial, key, None, later).expect("renewed");
    let same = renew(RenewalKey::Same);
    assert_ne!(same.entry.serial, old.entry.serial);
    assert_eq!(same.entry.subject, old.entry.subject);
    let text = bench.certificate_text(&same.certificate);
    contains_all(&text, &["email:release@example.org", "https://login.example.org"]);
    let spki = old.key.expect("a key").spki().to_vec();
    assert!(same.certificate.windows(spki.len()).any(|window| window == spki));
    let other = renew(RenewalKey::Other(SubjectKey::New(NewKey::P384)));
    assert_eq!(other.key.expect("a key").algorithm(), NewKey::P384);
    let authority = &pki.ca.list().expect("an index")[1].serial;
    let refused = pki.ca.renew(authority, RenewalKey::Same, None, later);
    assert!(matches!(refused, Err(CaError::Request { .. })));
}

#[test]
fn no_certificate_outlives_its_issuer() {
    let pki = TestAuthority::new(NewKey::P256);
    let nearly_ten_years = pki.now.plus_seconds(10 * 365 * DAY_SECONDS - DAY_SECONDS);
    let key = SubjectKey::New(NewKey::P256);
    let issued =
        pki.ca.issue(&code_signer_request(), key.clone(), nearly_ten_years).expect("issued");
    let list = pki.ca.list().expect("an index");
    assert_eq!(issued.entry.not_after, list[1].not_after);
    for now in [nearly_ten_years.plus_seconds(2 * DAY_SECONDS), UnixSeconds::new(1_600_000_000)] {
        let refused = pki.ca.issue(&code_signer_request(), key.clone(), now);
        assert!(matches!(refused, Err(CaError::IssuerNotValid { .. })));
    }
}

#[test]
fn refuses_requests_that_do_not_fit_their_profile() {
    let pki = TestAuthority::new(NewKey::P256);
    let email = || SubjectName::Email("a@example.org".to_owned());
    let base = code_signer_request();
    let tsa = IssueRequest::new(Profile::TimestampAuthority, DistinguishedName::common_name("T"));
    let requests = [
        IssueRequest { names: vec![], ..base.clone() },
        IssueRequest { names: vec![email(), email()], ..base.clone() },
        IssueRequest { names: vec![SubjectName::Dns("a.org".to_owned())], ..base.clone() },
        IssueRequest { names: vec![SubjectName::Email("a b".to_owned())], ..base.clone() },
        IssueRequest { issuer: Some(Authority::Timestamping), ..base.clone() },
        IssueRequest { validity_seconds: Some(0), ..base.clone() },
        IssueRequest { oidc_issuer: Some(String::new()), ..base.clone() },
        IssueRequest { profile: Profile::SigningCa, names: vec![], oidc_issuer: None, ..base },
        IssueRequest { oidc_issuer: Some("https://x".to_owned()), ..tsa.clone() },
        IssueRequest { names: vec![email()], ..tsa.clone() },
        IssueRequest { subject: DistinguishedName::default(), ..tsa },
        IssueRequest::new(Profile::OcspDelegate, DistinguishedName::common_name("no issuer")),
        IssueRequest::new(Profile::TlsServer, DistinguishedName::common_name("no host")),
    ];
    let before = pki.ca.list().expect("an index").len();
    for request in requests {
        let refused = pki.ca.issue(&request, SubjectKey::New(NewKey::P256), pki.now);
        assert!(refused.is_err(), "{request:?}");
    }
    assert_eq!(pki.ca.list().expect("an index").len(), before, "nothing was indexed");
    assert_eq!(files_below(&pki.folder.path().join("ca/issued")).len(), 0);
}

#[test]
fn the_lint_stops_a_weak_key_before_it_is_signed() {
    let pki = TestAuthority::new(NewKey::P256);
    let bench = Bench::new();
    bench.run("genrsa -out key.pem 1024").succeeds();
    bench.run("pkey -in key.pem -pubout -outform DER -out spki.der").succeeds();
    let key = SubjectKey::PublicKey(bench.read("spki.der"));
    let refused = pki.ca.issue(&code_signer_request(), key, pki.now).expect_err("refused");
    assert!(matches!(refused, CaError::Lint { .. }), "{refused}");
    assert!(refused.to_string().contains("RSA of 2048"), "{refused}");
}

#[test]
fn appears_complete_or_not_at_all_and_keeps_others_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("ca");
    let p256 = options(NewKey::P256);
    let init = |options| CertificateAuthority::init(&place, options, &passphrase(), now());
    let bad =
        countersign_signing::ca::InitOptions { base_url: "nowhere".to_owned(), ..p256.clone() };
    assert!(matches!(init(&bad), Err(CaError::BaseUrl { .. })));
    let long =
        countersign_signing::ca::InitOptions { organisation: "x".repeat(65), ..p256.clone() };
    assert!(matches!(init(&long), Err(CaError::Name(_))));
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0, "nothing left behind");

    init(&p256).expect("made");
    assert!(matches!(init(&p256), Err(CaError::FolderExists { .. })));
    for path in files_below(&place) {
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        let is_key = path.ends_with("key.pem");
        assert!(!is_key || mode == 0o600, "{} has mode {mode:o}", path.display());
    }
    let mode = fs::metadata(&place).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
}

#[test]
fn a_wrong_passphrase_shows_when_a_key_is_needed() {
    let pki = TestAuthority::new(NewKey::P256);
    let wrong = Passphrase::new("wrong").expect("a passphrase");
    let place = pki.folder.path().join("ca");
    let ca = CertificateAuthority::open(&place, &wrong).expect("opens");
    let key = SubjectKey::New(NewKey::P256);
    let refused = ca.issue(&code_signer_request(), key, pki.now).expect_err("refused");
    assert!(refused.to_string().contains("wrong passphrase"), "{refused}");
    assert_eq!(ca.list().expect("an index").len(), 4);
    assert!(matches!(
        CertificateAuthority::open(pki.folder.path(), &wrong),
        Err(CaError::NoAuthority { .. })
    ));
}
