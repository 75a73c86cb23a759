//! The rows of "What a server must do", by bytes.

use countersign_core::cms::SignedData;
use countersign_core::tsp::{FailureInfo, TstInfo};

use crate::rig::{POLICY, Rig, SECOND_POLICY};

const SHA1: &str = "06052b0e03021a";
pub(crate) const SHA256: &str = "0609608648016503040201";
const SHA384: &str = "0609608648016503040202";
pub(crate) const SHA512: &str = "0609608648016503040203";
/// 1.3.6.1.4.1.99999.7.7, an algorithm nobody knows.
const UNKNOWN: &str = "060a2b06010401868d1f0707";
/// 1.3.6.1.4.1.99999.2 and .9, policies.
const SECOND_POLICY_DER: &str = "06092b06010401868d1f02";
const OTHER_POLICY_DER: &str = "06092b06010401868d1f09";

pub(crate) const NULL: &str = "0500";
pub(crate) const VERSION: &str = "020101";
pub(crate) const CERT_REQ: &str = "0101ff";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    countersign_core::digest::decode_hex(text).expect("hexadecimal")
}

/// A TLV with a definite length.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=127) => encoded.push(length),
        Ok(length) => encoded.extend([0x81, length]),
        Err(_) => {
            let length = u16::try_from(content.len()).expect("short");
            encoded.push(0x82);
            encoded.extend(length.to_be_bytes());
        }
    }
    encoded.extend_from_slice(content);
    encoded
}

pub(crate) fn imprint(oid: &str, parameters: &str, digest_octets: usize) -> Vec<u8> {
    let algorithm = tlv(0x30, &hex(&format!("{oid}{parameters}")));
    let digest: Vec<u8> =
        (0..digest_octets).map(|index| u8::try_from(index % 251).expect("small")).collect();
    tlv(0x30, &[algorithm, tlv(0x04, &digest)].concat())
}

/// A `TimeStampReq` of the parts in order.
pub(crate) fn query(version: &str, imprint: &[u8], rest: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &[hex(version), imprint.to_vec(), rest.concat()].concat())
}

pub(crate) fn plain_query() -> Vec<u8> {
    query(VERSION, &imprint(SHA256, NULL, 32), &[])
}

fn extension(criticality: &str) -> Vec<u8> {
    let extension =
        tlv(0x30, &[hex("06032a0304"), hex(criticality), tlv(0x04, &hex("0500"))].concat());
    tlv(0xa0, &extension)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn refuses_every_wrong_request_in_the_protocol_and_says_what_to_change() {
    let rig = Rig::start().await;
    let good = imprint(SHA256, NULL, 32);
    let trailing = [plain_query(), vec![0]].concat();
    let truncated = plain_query()[..20].to_vec();
    let indefinite = [hex("3080"), plain_query()[2..].to_vec(), hex("0000")].concat();
    let rows: Vec<(&str, Vec<u8>, FailureInfo, &str)> = vec![
        (
            "unknown hash",
            query(VERSION, &imprint(UNKNOWN, NULL, 32), &[]),
            FailureInfo::BadAlg,
            "sha256, sha384, sha512",
        ),
        (
            "weak hash",
            query(VERSION, &imprint(SHA1, NULL, 20), &[]),
            FailureInfo::BadAlg,
            "sha1 is not accepted",
        ),
        (
            "short digest",
            query(VERSION, &imprint(SHA256, NULL, 31), &[]),
            FailureInfo::BadDataFormat,
            "32",
        ),
        (
            "long digest",
            query(VERSION, &imprint(SHA384, NULL, 64), &[]),
            FailureInfo::BadDataFormat,
            "48",
        ),
        (
            "no digest",
            query(VERSION, &imprint(SHA512, NULL, 0), &[]),
            FailureInfo::BadDataFormat,
            "64",
        ),
        ("junk", b"what is the time?".to_vec(), FailureInfo::BadDataFormat, "TimeStampReq"),
        ("trailing bytes", trailing, FailureInfo::BadDataFormat, "TimeStampReq"),
        ("truncated", truncated, FailureInfo::BadDataFormat, "TimeStampReq"),
        ("BER", indefinite, FailureInfo::BadDataFormat, "TimeStampReq"),
        ("empty body", Vec::new(), FailureInfo::BadDataFormat, "TimeStampReq"),
        ("version 2", query("020102", &good, &[]), FailureInfo::BadRequest, "version"),
        ("version 0", query("020100", &good, &[]), FailureInfo::BadRequest, "version"),
        (
            "policy",
            query(VERSION, &good, &[hex(OTHER_POLICY_DER)]),
            FailureInfo::UnacceptedPolicy,
            SECOND_POLICY,
        ),
        (
            "critical extension",
            query(VERSION, &good, &[extension("0101ff")]),
            FailureInfo::UnacceptedExtension,
            "1.2.3.4",
        ),
        (
            "other extension",
            query(VERSION, &good, &[extension("")]),
            FailureInfo::UnacceptedExtension,
            "1.2.3.4",
        ),
    ];
    for (name, query, expected, words) in rows {
        let (failure, text) = rig.refusal(&query).await;
        assert_eq!(failure, expected, "{name}: {text}");
        assert!(text.contains(words), "{name}: {text}");
    }
    // failInfo is a bit number and not a mask.
    let reply = rig.query(b"").await;
    // badDataFormat(5): BIT STRING of one octet, two unused bits, the sixth bit set.
    assert!(reply.body.ends_with(&hex("03020204")), "{:02x?}", reply.body);
    // And goes on.
    rig.token(&plain_query()).await;
}

#[tokio::test]
async fn certificates_are_in_the_token_when_asked_for_and_absent_otherwise() {
    let rig = Rig::start().await;
    let good = imprint(SHA256, NULL, 32);
    let with = rig.token(&query(VERSION, &good, &[hex(CERT_REQ)])).await;
    let decoded = SignedData::decode(&with).expect("SignedData");
    assert!(
        rig.chain.iter().all(|certificate| decoded.certificates.contains(&certificate.as_slice()))
    );
    for request in [query(VERSION, &good, &[]), query(VERSION, &good, &[hex("010100")])] {
        let without = rig.token(&request).await;
        assert!(SignedData::decode(&without).expect("SignedData").certificates.is_empty());
    }
}

#[tokio::test]
async fn imprint_and_nonce_come_back_byte_for_byte_and_the_policy_as_asked_for() {
    let rig = Rig::start().await;
    let nonces = [
        hex("020100"),
        hex("0201ff"),
        hex("0209ff00000000000000ee"),
        tlv(0x02, &[0x7f; 40]),
        tlv(0x02, &[&[0x80][..], &[0x11; 39]].concat()),
    ];
    let imprints = [
        imprint(SHA256, NULL, 32),
        imprint(SHA256, "", 32),
        imprint(SHA384, NULL, 48),
        imprint(SHA512, "", 64),
        imprint(SHA512, NULL, 64),
    ];
    for (imprint, nonce) in imprints.iter().zip(&nonces) {
        let token = rig.token(&query(VERSION, imprint, std::slice::from_ref(nonce))).await;
        let content = SignedData::decode(&token).expect("SignedData").content;
        assert!(contains(content, imprint), "imprint");
        assert!(content.ends_with(nonce), "nonce {nonce:02x?} in {content:02x?}");
    }
    for (rest, expected) in [(vec![], POLICY), (vec![hex(SECOND_POLICY_DER)], SECOND_POLICY)] {
        let token = rig.token(&query(VERSION, &imprints[0], &rest)).await;
        let content = SignedData::decode(&token).expect("SignedData").content;
        assert_eq!(TstInfo::decode(content).expect("TSTInfo").policy.to_string(), expected);
    }
}

#[tokio::test]
async fn two_hundred_requests_at_once_get_two_hundred_serials() {
    let rig = std::sync::Arc::new(Rig::start().await);
    let asking: Vec<_> = (0..200)
        .map(|_| {
            let rig = std::sync::Arc::clone(&rig);
            tokio::spawn(async move { rig.token(&plain_query()).await })
        })
        .collect();
    let mut serials = std::collections::HashSet::new();
    for asked in asking {
        let token = asked.await.expect("granted");
        let content = SignedData::decode(&token).expect("SignedData").content;
        let serial = TstInfo::decode(content).expect("TSTInfo").serial.to_vec();
        assert!(serial.len() <= 16 && serial[0] < 0x80, "{serial:02x?}");
        assert!(serials.insert(serial), "a serial came twice");
    }
}
