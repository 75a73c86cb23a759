//! Timestamp requests in JSON, as Sigstore's clients send them to `/api/v1/timestamp`.
//!
//! A request becomes the `TimeStampReq` that it describes, and then goes the way of every other:
//! what is wrong with its content is refused in the protocol. Only what is no such JSON object at
//! all is refused by HTTP.

use base64ct::{Base64, Encoding};
use const_oid::ObjectIdentifier;
use countersign_core::digest::HashAlgorithm;
use countersign_core::tsp::FailureInfo;
use countersign_daemon::json_body;
use countersign_signing::der;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reply::Refusal;

/// Decimal digits of a nonce: RFC 3161 knows no limit, and turning digits into octets takes the
/// square of their number. A nonce of 40 octets has 97.
const MAX_NONCE_DIGITS: usize = 128;

/// The members of a request. The names are Sigstore's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members<'a> {
    /// The digest, in base64.
    artifact_hash: String,
    /// Its algorithm: `sha256`, `sha384`, `sha512`.
    hash_algorithm: String,
    /// Whether the certificates are to be in the token.
    #[serde(default)]
    certificates: bool,
    /// An integer of any size.
    #[serde(borrow, default)]
    nonce: Option<&'a RawValue>,
    /// The policy asked for.
    #[serde(default, rename = "tsaPolicyOID")]
    tsa_policy_oid: Option<String>,
}

/// Why a body becomes no request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not such a JSON object; HTTP says so.
    Malformed(String),
    /// A value that the protocol refuses.
    Refused(Refusal),
}

/// DER of the `TimeStampReq` that a JSON body describes.
///
/// # Errors
/// What is wrong, and who says so.
pub(crate) fn to_request(body: &[u8]) -> Result<Vec<u8>, JsonError> {
    let members: Members<'_> = json_body::decode(body).map_err(JsonError::Malformed)?;
    let bad_format =
        |text: String| JsonError::Refused(Refusal::new(FailureInfo::BadDataFormat, text));
    let digest = Base64::decode_vec(&members.artifact_hash)
        .map_err(|_| bad_format("Send artifactHash in base64, padded.".to_owned()))?;
    let algorithm = HashAlgorithm::parse(&members.hash_algorithm).ok_or_else(|| {
        let found = printable(&members.hash_algorithm);
        let known = HashAlgorithm::STRONG.map(HashAlgorithm::name).join(", ");
        let text = format!("The hashAlgorithm {found} is not known; use one of {known}.");
        JsonError::Refused(Refusal::new(FailureInfo::BadAlg, text))
    })?;
    let policy = match &members.tsa_policy_oid {
        None => Vec::new(),
        Some(text) => der::oid(&ObjectIdentifier::new(text).map_err(|_| {
            bad_format("Send tsaPolicyOID as an object identifier, such as 1.2.3.4.".to_owned())
        })?),
    };
    let nonce = match members.nonce.map(RawValue::get) {
        None | Some("null") => Vec::new(),
        Some(text) => nonce(text).ok_or_else(|| {
            bad_format(format!("Send nonce as an integer of at most {MAX_NONCE_DIGITS} digits."))
        })?,
    };
    let identifier = der::sequence(&[&der::oid(&algorithm.oid()), der::NULL]);
    let imprint = der::sequence(&[&identifier, &der::octet_string(&digest)]);
    let certificates = if members.certificates { der::boolean_true() } else { Vec::new() };
    Ok(der::sequence(&[&der::integer(1), &imprint, &policy, &nonce, &certificates]))
}

/// INTEGER of a JSON integer; nothing for other JSON and for more digits than a nonce may have.
fn nonce(text: &str) -> Option<Vec<u8>> {
    let (digits, negative) = match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    if digits.len() > MAX_NONCE_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Most significant octet first, with one more for the sign.
    let mut octets = [0_u8; MAX_NONCE_DIGITS / 2];
    for digit in digits.bytes() {
        let mut carry = u16::from(digit - b'0');
        for octet in octets.iter_mut().rev() {
            let value = u16::from(*octet) * 10 + carry;
            [_, *octet] = value.to_be_bytes();
            carry = value >> 8;
        }
    }
    if negative {
        negate(&mut octets);
    }
    let content = octets.as_slice();
    let redundant = content
        .windows(2)
        .take_while(|pair| matches!(pair, [0, 0..=0x7F] | [0xFF, 0x80..=0xFF]))
        .count();
    Some(der::integer_verbatim(&content[redundant..]))
}

/// Two's complement.
fn negate(octets: &mut [u8]) {
    let mut carry = true;
    for octet in octets.iter_mut().rev() {
        (*octet, carry) = (!*octet).overflowing_add(u8::from(carry));
    }
}

/// A client's word, made safe for a sentence.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(32).collect()
}

#[cfg(test)]
mod tests {
    use countersign_core::tsp::{CertificateRequest, TimestampRequest};

    use super::*;

    const HASH: &str =
        r#""artifactHash":"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=","hashAlgorithm":"sha256""#;

    fn request(more: &str) -> Vec<u8> {
        to_request(format!("{{{HASH}{more}}}").as_bytes()).expect("a request")
    }

    #[test]
    fn what_is_asked_for_is_in_the_request() {
        let plain = request("");
        let decoded = TimestampRequest::decode(&plain).expect("DER");
        assert_eq!(decoded.message_imprint.digest, [0xAA; 32]);
        assert_eq!(decoded.certificates_requested, CertificateRequest::Omit);
        assert!(decoded.nonce.is_none() && decoded.policy.is_none());
        let full = request(r#","certificates":true,"nonce":255,"tsaPolicyOID":"1.2.3""#);
        let decoded = TimestampRequest::decode(&full).expect("DER");
        assert_eq!(decoded.certificates_requested, CertificateRequest::Include);
        assert_eq!(decoded.nonce, Some(&[0, 255][..]));
        assert_eq!(decoded.policy.map(|policy| policy.to_string()).as_deref(), Some("1.2.3"));
        let with_null = request(r#","nonce":null"#);
        assert!(TimestampRequest::decode(&with_null).expect("DER").nonce.is_none());
    }

    #[test]
    fn nonces_are_integers_of_any_size_and_sign() {
        let cases: [(&str, &[u8]); 10] = [
            ("0", &[0]),
            ("-0", &[0]),
            ("127", &[0x7F]),
            ("128", &[0, 0x80]),
            ("-1", &[0xFF]),
            ("-128", &[0x80]),
            ("-129", &[0xFF, 0x7F]),
            ("65535", &[0, 0xFF, 0xFF]),
            ("18446744073709551616", &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("-9223372036854775808", &[0x80, 0, 0, 0, 0, 0, 0, 0]),
        ];
        for (text, content) in cases {
            assert_eq!(nonce(text), Some(der::integer_verbatim(content)), "{text}");
        }
        let most = "9".repeat(MAX_NONCE_DIGITS);
        assert!(nonce(&most).is_some_and(|der| der.len() == 2 + 54 && der[2] < 0x80));
        for text in ["1.5", "1e3", "\"1\"", "[1]", "true", &format!("{most}9")] {
            assert_eq!(nonce(text), None, "{text}");
        }
    }

    #[test]
    fn wrong_values_are_the_protocols_to_refuse_and_wrong_json_is_not() {
        let refused = |body: &str| match to_request(body.as_bytes()) {
            Err(JsonError::Refused(refusal)) => refusal.failure,
            other => panic!("{body}: {other:?}"),
        };
        let unknown = HASH.replace("sha256", "sha3-256");
        assert_eq!(refused(&format!("{{{unknown}}}")), FailureInfo::BadAlg);
        let url_safe = HASH.replace("qqo=", "q-_=");
        for wrong in [
            format!("{{{url_safe}}}"),
            format!("{{{HASH},\"nonce\":1.5}}"),
            format!("{{{HASH},\"tsaPolicyOID\":\"one\"}}"),
        ] {
            assert_eq!(refused(&wrong), FailureInfo::BadDataFormat, "{wrong}");
        }
        for malformed in [
            String::new(),
            "[]".to_owned(),
            "{}".to_owned(),
            format!("{{{HASH},\"certificates\":1}}"),
            format!("{{{HASH},\"more\":1}}"),
            format!("{{{HASH}}}x"),
            format!("{{{HASH},{HASH}}}"),
            format!(
                "[{}]",
                HASH.replace(r#""artifactHash":"#, "").replace(r#""hashAlgorithm":"#, "")
            ),
        ] {
            let fault = to_request(malformed.as_bytes()).expect_err("refused");
            assert!(matches!(fault, JsonError::Malformed(_)), "{malformed}: {fault:?}");
        }
    }
}
