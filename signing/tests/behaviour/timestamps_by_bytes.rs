//! The rows of "what a server must do" that concern bytes (RFC 3161 §2.4.2, RFC 5652 §5, RFC 5816).

use std::time::{Duration, SystemTime};

use const_oid::ObjectIdentifier;
use countersign_core::{
    asn1::{Cursor, Tlv},
    oid,
    tsp::{TimestampRequest, TimestampResponse},
};
use countersign_signing::{
    der,
    key::NewKey,
    tsp::{Accuracy, TimestampSigner},
};
use x509_cert::der::Tag;

use crate::{
    authority::TestAuthority,
    timestamps::{POLICY, policy, respond},
};

/// The parts of a token, as spans of the response.
struct Token<'a> {
    signed_data: Cursor<'a>,
    digest_algorithms: &'a [u8],
    certificates: Option<Tlv<'a>>,
    signer_infos: &'a [u8],
    content: &'a [u8],
}

fn open(response: &[u8]) -> Token<'_> {
    let token = TimestampResponse::decode(response).expect("a response").token.expect("a token");
    let mut info = Cursor::new(token).sequence("contentInfo").expect("a ContentInfo");
    assert_eq!(info.oid("contentType").expect("a type"), oid::ID_SIGNED_DATA);
    let mut signed_data =
        info.any("content").expect("[0]").content().sequence("signedData").expect("SignedData");
    let whole = signed_data;
    assert_eq!(signed_data.unsigned("version").expect("a version"), 3);
    let digest_algorithms = signed_data.expect(Tag::Set, "digestAlgorithms").expect("a SET").value;
    let mut encapsulated = signed_data.sequence("encapContentInfo").expect("content");
    assert_eq!(encapsulated.oid("eContentType").expect("a type"), oid::ID_CT_TST_INFO);
    let content = encapsulated
        .any("eContent")
        .expect("[0]")
        .content()
        .octet_string("eContent")
        .expect("octets");
    let certificates = signed_data
        .optional(countersign_core::asn1::context_constructed(0), "certificates")
        .expect("DER");
    let signer_infos = signed_data.expect(Tag::Set, "signerInfos").expect("a SET").value;
    signed_data.finish("signedData").expect("the end");
    Token { signed_data: whole, digest_algorithms, certificates, signer_infos, content }
}

fn elements(content: &[u8]) -> Vec<&[u8]> {
    let mut cursor = Cursor::new(content);
    let mut elements = Vec::new();
    while !cursor.is_empty() {
        elements.push(cursor.any("element").expect("DER").raw);
    }
    elements
}

/// The fields of the `TSTInfo`, each whole.
fn fields(token: &Token<'_>) -> Vec<Vec<u8>> {
    let info = Tlv::decode(token.content, "TSTInfo").expect("a TSTInfo");
    elements(info.value).into_iter().map(<[u8]>::to_vec).collect()
}

fn imprint(hash: &ObjectIdentifier, parameters: &[u8], length: usize) -> Vec<u8> {
    let algorithm = der::sequence(&[&der::oid(hash), parameters]);
    der::sequence(&[&algorithm, &der::octet_string(&vec![0xA5; length])])
}

fn request(imprint: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    der::sequence(&[&der::integer(1), imprint, &rest.concat()])
}

fn signer(pki: &TestAuthority, accuracy_millis: u64) -> TimestampSigner {
    let (key, chain) = pki.timestamp_authority(NewKey::P256);
    TimestampSigner::new(key, chain, policy(accuracy_millis)).expect("a signer")
}

#[test]
fn the_imprint_comes_back_byte_for_byte() {
    let pki = TestAuthority::new(NewKey::P256);
    let signer = signer(&pki, 1000);
    for (hash, length) in [(oid::SHA256, 32), (oid::SHA384, 48), (oid::SHA512, 64)] {
        for parameters in [&[][..], der::NULL] {
            let imprint = imprint(&hash, parameters, length);
            let response = respond(&signer, &request(&imprint, &[]));
            assert_eq!(fields(&open(&response))[2], imprint);
        }
    }
}

#[test]
fn nonces_are_echoed_exactly() {
    let pki = TestAuthority::new(NewKey::P256);
    let signer = signer(&pki, 1000);
    let imprint = imprint(&oid::SHA256, &[], 32);
    let long = [&[0x7F][..], &[0xEE; 39]].concat();
    for nonce in [&[0x00][..], &[0x80], &[0xFF, 0x01], &[0x00, 0x80], &long] {
        let nonce = der::integer_verbatim(nonce);
        let response = respond(&signer, &request(&imprint, &[&nonce]));
        assert_eq!(fields(&open(&response)).last(), Some(&nonce));
    }
    let response = respond(&signer, &request(&imprint, &[]));
    // version, policy, imprint, serial, genTime, accuracy, and nothing else.
    assert_eq!(fields(&open(&response)).len(), 6);
}

#[test]
fn the_policy_asked_for_is_the_policy_named() {
    let pki = TestAuthority::new(NewKey::P256);
    let signer = signer(&pki, 1000);
    let imprint = imprint(&oid::SHA256, &[], 32);
    let other = der::oid(&ObjectIdentifier::new_unwrap("2.16.756.1"));
    let response = respond(&signer, &request(&imprint, &[&other]));
    assert_eq!(fields(&open(&response))[1], other);
    let response = respond(&signer, &request(&imprint, &[]));
    assert_eq!(fields(&open(&response))[1], der::oid(&POLICY));
}

#[test]
fn certificates_are_there_sorted_when_asked_for_and_absent_otherwise() {
    let pki = TestAuthority::new(NewKey::P256);
    let (key, chain) = pki.timestamp_authority(NewKey::P256);
    let signer = TimestampSigner::new(key, chain.clone(), policy(1000)).expect("a signer");
    let imprint = imprint(&oid::SHA256, &[], 32);
    let response = respond(&signer, &request(&imprint, &[&der::boolean_true()]));
    let token = open(&response);
    let present = elements(token.certificates.expect("certificates").value);
    let mut sorted: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    sorted.sort_unstable();
    assert_eq!(present, sorted);
    let absent: [&[u8]; 2] = [&[], &[0x01, 0x01, 0x00]];
    for certificates_requested in absent {
        let response = respond(&signer, &request(&imprint, &[certificates_requested]));
        assert!(open(&response).certificates.is_none());
    }
}

#[test]
fn signed_data_has_one_signer_and_three_sorted_attributes() {
    for (algorithm, hash) in
        [(NewKey::P384, oid::SHA384), (NewKey::P256, oid::SHA256), (NewKey::Rsa3072, oid::SHA256)]
    {
        let pki = TestAuthority::new(NewKey::P384);
        let (key, chain) = pki.timestamp_authority(algorithm);
        let signer = TimestampSigner::new(key, chain, policy(1000)).expect("a signer");
        let response = respond(&signer, &request(&imprint(&oid::SHA256, &[], 32), &[]));
        let token = open(&response);
        assert!(!token.signed_data.is_empty());
        let digest_algorithm = der::sequence(&[&der::oid(&hash)]);
        assert_eq!(token.digest_algorithms, digest_algorithm);
        let infos = elements(token.signer_infos);
        assert_eq!(infos.len(), 1);
        let parts = elements(Tlv::decode(infos[0], "signerInfo").expect("DER").value);
        // version 1, sid, digestAlgorithm, [0] signedAttrs, signatureAlgorithm, signature.
        assert_eq!(parts.len(), 6);
        assert_eq!(parts[0], der::integer(1));
        assert_eq!(parts[2], digest_algorithm);
        assert_eq!(parts[3][0], 0xA0);
        let attributes = elements(Tlv::decode(parts[3], "signedAttrs").expect("DER").value);
        assert!(attributes.is_sorted());
        let types: Vec<ObjectIdentifier> = attributes
            .iter()
            .map(|each| {
                Cursor::new(each).sequence("attribute").expect("DER").oid("type").expect("OID")
            })
            .collect();
        assert_eq!(types.len(), 3);
        for wanted in [oid::AT_CONTENT_TYPE, oid::AT_MESSAGE_DIGEST, oid::AT_SIGNING_CERTIFICATE_V2]
        {
            assert!(types.contains(&wanted), "{wanted}");
        }
    }
}

#[test]
fn times_have_seconds_and_no_trailing_zeros() {
    let pki = TestAuthority::new(NewKey::P256);
    let request = request(&imprint(&oid::SHA256, &[], 32), &[]);
    let decoded = TimestampRequest::decode(&request).expect("a request");
    let gen_time = |signer: &TimestampSigner, milliseconds: u64| {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_777_802_400_000 + milliseconds);
        let response = signer.respond(&decoded, at, [1; 16]).expect("signed");
        String::from_utf8(fields(&open(&response))[4][2..].to_vec()).expect("text")
    };
    let coarse = signer(&pki, 1000);
    let fine = signer(&pki, 999);
    for (milliseconds, coarse_text, fine_text) in [
        (0, "20260503100000Z", "20260503100000Z"),
        (100, "20260503100000Z", "20260503100000.1Z"),
        (120, "20260503100000Z", "20260503100000.12Z"),
        (999, "20260503100000Z", "20260503100000.999Z"),
        (1005, "20260503100001Z", "20260503100001.005Z"),
    ] {
        assert_eq!(gen_time(&coarse, milliseconds), coarse_text);
        assert_eq!(gen_time(&fine, milliseconds), fine_text);
    }
}

#[test]
fn accuracy_leaves_zeros_out() {
    let pki = TestAuthority::new(NewKey::P256);
    let (key, chain) = pki.timestamp_authority(NewKey::P256);
    let request = request(&imprint(&oid::SHA256, &[], 32), &[]);
    for (accuracy, expected) in [
        (Duration::from_secs(1), &[0x30, 3, 2, 1, 1][..]),
        (Duration::from_millis(500), &[0x30, 4, 0x80, 2, 1, 0xF4]),
        (Duration::from_micros(7), &[0x30, 3, 0x81, 1, 7]),
        (Duration::from_micros(2_001_300), &[0x30, 10, 2, 1, 2, 0x80, 1, 1, 0x81, 2, 1, 0x2C]),
        (Duration::from_nanos(1), &[0x30, 3, 0x81, 1, 1]),
    ] {
        let accuracy = Accuracy::from_duration(accuracy).expect("> 0");
        let policy = countersign_signing::tsp::TimestampPolicy { policy: POLICY, accuracy };
        let signer = TimestampSigner::new(key.clone(), chain.clone(), policy).expect("a signer");
        let response = respond(&signer, &request);
        assert_eq!(fields(&open(&response))[5], expected);
    }
    assert!(Accuracy::from_millis(0).is_none());
}

#[test]
fn serials_are_the_callers() {
    let pki = TestAuthority::new(NewKey::P256);
    let signer = signer(&pki, 1000);
    let request = request(&imprint(&oid::SHA256, &[], 32), &[]);
    let decoded = TimestampRequest::decode(&request).expect("a request");
    let response = signer.respond(&decoded, SystemTime::now(), [0x7F; 16]).expect("signed");
    assert_eq!(fields(&open(&response))[3], [&[2, 16][..], &[0x7F; 16]].concat());
}
