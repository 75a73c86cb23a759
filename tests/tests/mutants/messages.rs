//! Timestamp requests and responses, as a server and a verifier read them (RFC 3161 §2.4), field by
//! field: what is read, and the fault of what is not.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    limits,
    tsp::{
        CertificateRequest, FailureInfo, PkiStatus, RequestError, TimestampRequest,
        TimestampResponse,
    },
};
use countersign_signing::der;
use countersign_tests::forge::{ExtensionDraft, TstInfoDraft};

const POLICY: &str = "1.3.6.1.4.1.32473.7";

fn oid(text: &str) -> Vec<u8> {
    der::oid(&text.parse().expect("an object identifier"))
}

fn imprint() -> Vec<u8> {
    TstInfoDraft::imprint(HashAlgorithm::Sha256, b"a signature")
}

fn request(version: u64, imprint: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    der::sequence(&[&der::integer(version), imprint, &rest.concat()])
}

#[test]
fn reads_every_field_of_a_request() {
    let extension = der::context(0, &[&ExtensionDraft::unknown_critical().encode()]);
    let nonce = der::integer_verbatim(&[0xFE, 1]);
    let rest: [&[u8]; 4] = [&oid(POLICY), &nonce, &der::boolean_true(), &extension];
    let bytes = request(1, &imprint(), &rest);
    let read = TimestampRequest::decode(&bytes).expect("a request");
    let expected = digest(&AwsLc, HashAlgorithm::Sha256, b"a signature");
    assert_eq!(read.message_imprint.to_digest(), Some(expected));
    assert_eq!(read.policy.map(|policy| policy.to_string()).as_deref(), Some(POLICY));
    assert_eq!(read.nonce, Some(&[0xFE, 1][..]));
    assert_eq!(read.certificates_requested, CertificateRequest::Include);
    assert_eq!(read.extension, Some(ExtensionDraft::unknown_critical().id));
}

#[test]
fn reads_a_request_of_the_fewest_fields() {
    let bytes = request(1, &imprint(), &[]);
    let read = TimestampRequest::decode(&bytes).expect("a request");
    assert_eq!((read.policy, read.nonce, read.extension), (None, None, None));
    assert_eq!(read.certificates_requested, CertificateRequest::Omit);
    let bytes = request(1, &imprint(), &[&[1, 1, 0]]);
    let read = TimestampRequest::decode(&bytes).expect("an encoded FALSE is borne with");
    assert_eq!(read.certificates_requested, CertificateRequest::Omit);
}

#[test]
fn tells_the_faults_of_requests_apart() {
    let sha_256 = der::sequence(&[&oid("2.16.840.1.101.3.4.2.1")]);
    let short = der::sequence(&[&sha_256, &der::octet_string(&[7; 20])]);
    for (bytes, failure, words) in [
        (request(2, &imprint(), &[]), FailureInfo::BadRequest, "the request's version must be 1"),
        (
            request(1, &short, &[]),
            FailureInfo::BadDataFormat,
            "the digest must have 32 octets, not 20",
        ),
        (
            request(1, &imprint(), &[&[1, 1, 7]]),
            FailureInfo::BadDataFormat,
            "the request is not a DER TimeStampReq: certReq is not valid DER",
        ),
        (
            request(1, &imprint(), &[der::NULL]),
            FailureInfo::BadDataFormat,
            "the request is not a DER TimeStampReq: bytes follow after timeStampReq",
        ),
    ] {
        let fault: RequestError = TimestampRequest::decode(&bytes).expect_err(words);
        assert_eq!(fault.failure(), failure, "{words}");
        assert_eq!(fault.to_string(), words);
    }
}

fn response(status: &[&[u8]], token: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::sequence(status), token])
}

fn decoded(bytes: &[u8]) -> Result<TimestampResponse<'_>, FindingCode> {
    TimestampResponse::decode(bytes).map_err(|finding| finding.code)
}

#[test]
fn knows_every_status_and_whether_it_comes_with_a_token() {
    let token = der::sequence(&[]);
    for (number, status, promises) in [
        (0, PkiStatus::Granted, true),
        (1, PkiStatus::GrantedWithMods, true),
        (2, PkiStatus::Rejection, false),
        (3, PkiStatus::Waiting, false),
        (4, PkiStatus::RevocationWarning, false),
        (5, PkiStatus::RevocationNotification, false),
    ] {
        assert_eq!(status.promises_token(), promises, "{status:?}");
        let (with, without) =
            (response(&[&der::integer(number)], &token), response(&[&der::integer(number)], &[]));
        let (right, wrong) = if promises { (with, without) } else { (without, with) };
        assert_eq!(decoded(&right).map(|response| response.status), Ok(status));
        assert_eq!(decoded(&wrong).err(), Some(FindingCode::TIMESTAMP_STATUS_WITHOUT_TOKEN));
    }
    let unknown = response(&[&der::integer(6)], &[]);
    assert_eq!(decoded(&unknown).err(), Some(FindingCode::TIMESTAMP_MALFORMED));
}

#[test]
fn reads_the_words_and_the_reason_of_a_refusal() {
    let words = der::sequence(&[&der::utf8_string("not today,"), &der::utf8_string("ask later")]);
    for reason in FailureInfo::ALL {
        let bits = der::named_bits(&[reason.bit()]);
        let bytes = response(&[&der::integer(2), &words, &bits], &[]);
        let read = decoded(&bytes).expect("a refusal");
        assert_eq!(read.failure, Some(reason));
        assert_eq!(read.status_text, ["not today,", "ask later"]);
        assert_eq!(read.refusal_text(), format!("{}: not today, ask later", reason.name()));
    }
    // RFC 3161 §2.4.2: the reason that it names for each bit.
    let bits: Vec<u8> = FailureInfo::ALL.iter().map(|reason| reason.bit()).collect();
    assert_eq!(bits, [0, 2, 5, 14, 15, 16, 17, 25]);
    let names: Vec<&str> = FailureInfo::ALL.iter().map(|reason| reason.name()).collect();
    let expected = "badAlg badRequest badDataFormat timeNotAvailable unacceptedPolicy \
                    unacceptedExtension addInfoNotAvailable systemFailure";
    assert_eq!(names.join(" "), expected);
}

#[test]
fn reads_a_refusal_that_says_nothing_or_something_unknown() {
    let silent = response(&[&der::integer(2)], &[]);
    let read = decoded(&silent).expect("a refusal");
    assert_eq!((read.failure, read.refusal_text().as_str()), (None, "no failInfo: "));
    let unknown = response(&[&der::integer(2), &der::named_bits(&[1])], &[]);
    assert_eq!(decoded(&unknown).expect("a refusal").failure, None);
}

#[test]
fn looks_at_responses_up_to_their_greatest_size() {
    let with_words = |length: usize| {
        let words = der::sequence(&[&der::utf8_string(&"x".repeat(length))]);
        response(&[&der::integer(2), &words], &[])
    };
    let around = with_words(limits::TIMESTAMP_BYTES).len() - limits::TIMESTAMP_BYTES;
    let greatest = with_words(limits::TIMESTAMP_BYTES - around);
    assert_eq!(greatest.len(), limits::TIMESTAMP_BYTES);
    assert_eq!(decoded(&greatest).map(|response| response.status), Ok(PkiStatus::Rejection));
    let greater = with_words(limits::TIMESTAMP_BYTES - around + 1);
    assert_eq!(decoded(&greater).err(), Some(FindingCode::TIMESTAMP_MALFORMED));
}
