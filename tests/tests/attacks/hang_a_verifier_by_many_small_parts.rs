//! An input of the greatest size that is read, of the smallest parts there are, or of parts that are all wrong. Work
//! that grows with the square of their number holds a pipeline, a server or a visitor's page for hours; a service,
//! every other client. A budget that is counted only after the work was done stops nothing.
//!
//! Time is compared as a ratio and never by itself: twice as much may take twice as long, not four times.

use std::{hint::black_box, time::Duration};

use countersign_core::{
    EvidenceSet,
    bundle::{Provenance, Statement},
    crl::CertificateList,
    crypto::SignatureScheme,
    digest::HashAlgorithm,
    finding::FindingCode,
    inspect::inspect,
    limits,
    ocsp::{OcspRequest, OcspResponse},
    oid, pem,
    policy::Policy,
    revocation::RevocationEvidence,
    tlog::{Checkpoint, EntryBody},
    trust::TrustRoot,
    tsp::{LegacyTimestamp, TimestampRequest, TimestampResponse, TokenForm, TstInfo},
    x509::Certificate,
};
use countersign_signing::der;
use countersign_tests::forge::{CrlDraft, NOW, Proofs, Release, algorithm, name};
use rustix::time::{ClockId, clock_gettime};

/// Something that grows in steps as small as can be, to about that many bytes.
type Grown = fn(usize) -> Vec<u8>;

/// What is read, how large it may be, what it is made of, and what reads it.
type Reader = (&'static str, usize, Grown, fn(&[u8]));

/// What a listener of ours takes of a question.
const QUESTION_BYTES: usize = 64 * 1024;

fn filled(before: &str, part: &str, after: &str, bytes: usize) -> Vec<u8> {
    let room = bytes.saturating_sub(before.len() + after.len() + part.len() + 1);
    let mut text = String::from(before);
    text.push_str(&format!("{part},").repeat(room / (part.len() + 1)));
    text.push_str(part);
    text.push_str(after);
    text.into_bytes()
}

/// `Extension`s without an end, none of them twice.
fn extensions(bytes: usize) -> Vec<u8> {
    let mut list = Vec::with_capacity(bytes + 16);
    let mut number = 128_u32;
    while list.len() < bytes {
        let mut octets = vec![0x2B];
        for shift in [21, 14, 7] {
            if number >> shift != 0 {
                octets.push(0x80 | u8::try_from(number >> shift & 0x7F).expect("seven bits"));
            }
        }
        octets.push(u8::try_from(number & 0x7F).expect("seven bits"));
        let length = u8::try_from(octets.len()).expect("short");
        list.extend([0x30, length + 4, 0x06, length]);
        list.extend(octets);
        list.extend([0x04, 0x00]);
        number += 1;
    }
    list
}

fn many(part: &[u8], bytes: usize) -> Vec<u8> {
    part.repeat((bytes / part.len()).max(1))
}

/// A list that nobody signed.
fn crl(entries: &[u8], extensions: &[u8]) -> Vec<u8> {
    let algorithm = algorithm(SignatureScheme::EcdsaP384Sha384);
    let issuer = name("Somebody");
    let list = |tag: fn(&[u8]) -> Vec<u8>, content: &[u8]| {
        if content.is_empty() { Vec::new() } else { tag(content) }
    };
    let tbs = der::sequence(&[
        &der::integer(1),
        &algorithm,
        &issuer,
        &der::time(NOW.minus_seconds(60)),
        &der::time(NOW.plus_seconds(60)),
        &list(|content| der::sequence(&[content]), entries),
        &list(|content| der::context(0, &[&der::sequence(&[content])]), extensions),
    ]);
    der::sequence(&[&tbs, &algorithm, &der::bit_string(&[0])])
}

fn cert_id() -> Vec<u8> {
    let sha256 = der::sequence(&[&der::oid(&HashAlgorithm::Sha256.oid())]);
    let hash = der::octet_string(&[7; 32]);
    der::sequence(&[&sha256, &hash, &hash, &der::integer(5)])
}

fn ocsp_request(requests: &[u8], extensions: &[u8]) -> Vec<u8> {
    let tbs = der::sequence(&[
        &der::sequence(&[requests]),
        &der::context(2, &[&der::sequence(&[extensions])]),
    ]);
    der::sequence(&[&tbs])
}

fn ocsp_response(extensions: &[u8]) -> Vec<u8> {
    let time = der::generalized_time(NOW.minus_seconds(60));
    let extensions = der::context(1, &[&der::sequence(&[extensions])]);
    let status = der::implicit(0, &[]);
    let single = der::sequence(&[&cert_id(), &status, &time, &extensions]);
    let responder = der::context(2, &[&der::octet_string(&[7; 20])]);
    let data = der::sequence(&[&responder, &time, &der::sequence(&[&single]), &extensions]);
    let algorithm = algorithm(SignatureScheme::EcdsaP384Sha384);
    let basic = der::sequence(&[&data, &algorithm, &der::bit_string(&[0])]);
    let octets = der::octet_string(&basic);
    let bytes = der::sequence(&[&der::oid(&oid::OCSP_BASIC), &octets]);
    der::sequence(&[&der::enumerated(0), &der::context(0, &[&bytes])])
}

fn imprint() -> Vec<u8> {
    let sha256 = der::sequence(&[&der::oid(&HashAlgorithm::Sha256.oid())]);
    der::sequence(&[&sha256, &der::octet_string(&[7; 32])])
}

fn tst_info(extensions: &[u8]) -> Vec<u8> {
    der::sequence(&[
        &der::integer(1),
        &der::oid(&oid::OCSP_BASIC),
        &imprint(),
        &der::integer(5),
        &der::generalized_time(NOW),
        &der::context(1, &[extensions]),
    ])
}

fn token(info: &[u8], certificates: &[u8]) -> Vec<u8> {
    let algorithm = algorithm(SignatureScheme::EcdsaP384Sha384);
    let content = der::context(0, &[&der::octet_string(info)]);
    let signed_data = der::sequence(&[
        &der::integer(3),
        &der::set_of(&[&algorithm]),
        &der::sequence(&[&der::oid(&oid::ID_CT_TST_INFO), &content]),
        &der::context(0, &[certificates]),
        &der::set_of::<Vec<u8>>(&[]),
    ]);
    let token =
        der::sequence(&[&der::oid(&oid::ID_SIGNED_DATA), &der::context(0, &[&signed_data])]);
    der::sequence(&[&der::sequence(&[&der::integer(0)]), &token])
}

/// The signer's certificate with other extensions.
fn certificate(extensions: &[u8]) -> Vec<u8> {
    let genuine = Release::new().signing.sign().leaf;
    let decoded = Certificate::decode(&genuine).expect("a certificate");
    let algorithm = algorithm(SignatureScheme::EcdsaP384Sha384);
    let tbs = der::sequence(&[
        &der::context(0, &[&der::integer(2)]),
        &der::integer(5),
        &algorithm,
        decoded.issuer,
        &der::sequence(&[&der::time(decoded.not_before), &der::time(decoded.not_after)]),
        decoded.subject,
        decoded.public_key.raw,
        &der::context(3, &[&der::sequence(&[extensions])]),
    ]);
    der::sequence(&[&tbs, &algorithm, &der::bit_string(&[0])])
}

fn extension(id: const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(&id), &der::octet_string(value)])
}

fn spent<T>(read: T) {
    let _ = black_box(read);
}

fn presented(text: &[u8]) {
    black_box(EvidenceSet::decode(text, TokenForm::Der));
}

fn list(octets: &[u8]) {
    if let Ok(list) = CertificateList::decode(octets) {
        let _ = black_box((list.find(&[9]), list.unknown_critical_entry_extension()));
    }
    let _ = black_box(RevocationEvidence::decode(&[octets], &[]));
}

fn timestamp(octets: &[u8]) {
    let _ = black_box((TimestampResponse::decode(octets), LegacyTimestamp::decode(octets)));
}

const READERS: [Reader; 28] = [
    ("an array of nothing", limits::BUNDLE_BYTES, |n| filled("[", "{}", "]", n), presented),
    ("an array of arrays", limits::BUNDLE_BYTES, |n| filled("[", "[]", "]", n), presented),
    (
        "GitHub's answer",
        limits::BUNDLE_BYTES,
        |n| filled("{\"attestations\":[", "{}", "]}", n),
        presented,
    ),
    (
        "an array of GitHub's answers",
        limits::BUNDLE_BYTES,
        |n| filled("[", "{\"attestations\":[{},{}]}", "]", n),
        presented,
    ),
    (
        "an array of answers without anything",
        limits::BUNDLE_BYTES,
        |n| filled("[", "{\"attestations\":[]}", "]", n),
        presented,
    ),
    (
        "Python's provenance",
        limits::BUNDLE_BYTES,
        |n| filled("{\"attestation_bundles\":[", "{\"attestations\":[{},{}]}", "]}", n),
        presented,
    ),
    (
        "lines of arrays",
        limits::BUNDLE_BYTES,
        |n| {
            let line = filled("{\"attestations\":[", "{}", "]}\n", 8 * 1024);
            many(&line, n)
        },
        presented,
    ),
    ("empty lines", limits::BUNDLE_BYTES, |n| many(b"{}\n", n), presented),
    (
        "as many as are read, behind a long text",
        limits::BUNDLE_BYTES,
        |n| {
            let text = format!("[\"{}\"", "x".repeat(n - 4 * limits::BUNDLES));
            let parts = ",{}".repeat(limits::BUNDLES - 1);
            format!("{text}{parts}]").into_bytes()
        },
        presented,
    ),
    (
        "subjects of a statement",
        limits::BUNDLE_BYTES,
        |n| {
            filled(
                "{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicateType\":\"x\",\"subject\":[",
                "{}",
                "]}",
                n,
            )
        },
        |text| spent(Statement::decode(text)),
    ),
    (
        "resources of a provenance",
        limits::BUNDLE_BYTES,
        |n| {
            let before = "{\"predicateType\":\"https://slsa.dev/provenance/v1\",\"predicate\":{\
                          \"buildDefinition\":{\"resolvedDependencies\":[";
            filled(before, "{}", "]}}}", n)
        },
        |text| spent(Provenance::decode(text)),
    ),
    (
        "signatures of a log entry",
        limits::BUNDLE_BYTES,
        |n| {
            let before = "{\"kind\":\"dsse\",\"apiVersion\":\"0.0.1\",\"spec\":{\"signatures\":[";
            filled(before, "{\"signature\":\"\",\"verifier\":\"\"}", "]}}", n)
        },
        |text| spent(EntryBody::decode(text)),
    ),
    (
        "authorities of a trust root",
        limits::TRUST_ROOT_BYTES,
        |n| {
            let before = "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\",\
                          \"certificateAuthorities\":[";
            filled(before, "{\"certChain\":{\"certificates\":[]}}", "]}", n)
        },
        |text| spent(TrustRoot::decode(text)),
    ),
    (
        "signers of a policy",
        limits::POLICY_BYTES,
        |n| {
            filled(
                "{\"version\":1,\"signers\":[",
                "{\"files\":[\"*\"],\"identities\":[\"a@b\"]}",
                "]}",
                n,
            )
        },
        |text| spent(Policy::decode(text)),
    ),
    (
        "lines of a checkpoint",
        limits::CHECKPOINT_BYTES,
        |n| vec![b'\n'; n],
        |text| spent(Checkpoint::decode(core::str::from_utf8(text).expect("text"))),
    ),
    (
        "beginnings of PEM",
        limits::CRL_BYTES,
        |n| many(b"-----BEGIN A-----\n", n),
        |text| spent(pem::blocks(text).count()),
    ),
    (
        "extensions of a certificate",
        limits::CERTIFICATE_BYTES,
        |n| certificate(&extensions(n - 1_024)),
        |octets| spent(Certificate::decode(octets)),
    ),
    (
        "addresses in a certificate",
        limits::CERTIFICATE_BYTES,
        |n| {
            let names = der::context(0, &[&der::context(0, &[&many(&[0x86, 0], n - 2_048)])]);
            let points = der::sequence(&[&der::sequence(&[&names])]);
            certificate(&extension(oid::CE_CRL_DISTRIBUTION_POINTS, &points))
        },
        |octets| spent(Certificate::decode(octets)),
    ),
    ("extensions of a CRL", limits::CRL_BYTES, |n| crl(&[], &extensions(n - 1_024)), list),
    (
        "addresses in a CRL",
        limits::CRL_BYTES,
        |n| {
            let names = der::context(0, &[&der::context(0, &[&many(&[0x86, 0], n - 1_024)])]);
            let id = oid::CE_ISSUING_DISTRIBUTION_POINT;
            crl(&[], &extension(id, &der::sequence(&[&names])))
        },
        list,
    ),
    (
        "entries of a CRL",
        limits::CRL_BYTES,
        |n| {
            let entry = der::sequence(&[&der::integer(5), &der::time(NOW)]);
            crl(&many(&entry, n - 1_024), &[])
        },
        list,
    ),
    (
        "extensions of a CRL's entry",
        limits::CRL_BYTES,
        |n| {
            // `critical TRUE` somewhere, so that the entries are opened.
            let critical = [&[0x30, 9, 6, 2, 0x2B, 1][..], &[1, 1, 0xFF, 4, 0][..]].concat();
            let list = [critical, extensions(n - 1_024)].concat();
            let list = der::sequence(&[&list]);
            crl(&der::sequence(&[&der::integer(5), &der::time(NOW), &list]), &[])
        },
        list,
    ),
    (
        "extensions of an OCSP request",
        QUESTION_BYTES,
        |n| ocsp_request(&der::sequence(&[&cert_id()]), &extensions(n - 512)),
        |octets| spent(OcspRequest::decode(octets, usize::MAX)),
    ),
    (
        "extensions of a request in an OCSP request",
        QUESTION_BYTES,
        |n| {
            let list = der::context(0, &[&der::sequence(&[&extensions(n - 512)])]);
            ocsp_request(&der::sequence(&[&cert_id(), &list]), &[])
        },
        |octets| spent(OcspRequest::decode(octets, usize::MAX)),
    ),
    (
        "extensions of an OCSP response",
        limits::OCSP_BYTES,
        |n| ocsp_response(&extensions(n / 2 - 512)),
        |octets| spent(OcspResponse::decode(octets)),
    ),
    (
        "extensions of a timestamp request",
        QUESTION_BYTES,
        |n| {
            let extensions = der::context(0, &[&extensions(n - 512)]);
            der::sequence(&[&der::integer(1), &imprint(), &extensions])
        },
        |octets| spent(TimestampRequest::decode(octets)),
    ),
    (
        "extensions of a token",
        limits::TIMESTAMP_BYTES,
        |n| tst_info(&extensions(n - 512)),
        |octets| {
            let _ = black_box(TstInfo::decode(octets));
            timestamp(&token(octets, &[]));
        },
    ),
    (
        "certificates of a token",
        limits::TIMESTAMP_BYTES,
        |n| token(&tst_info(&[]), &many(&[0x05, 0], n - 1_024)),
        timestamp,
    ),
];

/// The processor's time of this thread: whatever else the machine does has its own.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a time that goes on")
}

/// The shortest of several times.
fn shortest(read: fn(&[u8]), input: &[u8]) -> Duration {
    let timed = || {
        let start = processor_time();
        read(input);
        processor_time().saturating_sub(start)
    };
    let first = timed();
    let more = (Duration::from_millis(30).as_nanos() / first.as_nanos().max(1)).clamp(2, 50);
    (0..more).map(|_| timed()).min().unwrap_or(first).min(first)
}

#[test]
fn twice_as_much_takes_no_more_than_twice_as_long() {
    for (what, most, grown, read) in READERS {
        let (half, whole) = (grown(most / 2), grown(most));
        let is_greatest = whole.len() <= most && whole.len() > most - most / 8;
        assert!(is_greatest, "{what}: {} octets", whole.len());
        // Below a millisecond there is nothing to gain, and nothing to measure.
        let is_linear =
            |(half, whole): &(Duration, Duration)| *whole < 3 * *half + Duration::from_millis(1);
        let mut measured =
            (0..4).map(|_| (shortest(read, &half), shortest(read, &whole))).peekable();
        let last = *measured.peek().expect("four");
        assert!(measured.any(|each| is_linear(&each)), "{what}: {last:?}");
    }
}

#[test]
fn what_is_too_much_is_called_that() {
    let release = Release::new();
    let code = |report: countersign_core::report::Report| report.decisive().map(|it| it.code);
    let proofs = Proofs::default();
    for text in [
        filled("[", "{}", "]", 64 * 1024),
        filled("{\"attestations\":[", "{}", "]}", 64 * 1024),
        filled("{\"attestation_bundles\":[", "{\"attestations\":[{}]}", "]}", 64 * 1024),
        filled("[", "{\"attestations\":[{},{}]}", "]", 64 * 1024),
    ] {
        let report = release.verify(&text, &proofs);
        assert_eq!(code(report), Some(FindingCode::BUNDLE_TOO_MANY_PARTS));
    }
    // A genuine bundle behind much that holds none is still found.
    let genuine = String::from_utf8(release.bundle()).expect("text");
    let nothing = "{\"attestations\":[]},".repeat(3 * limits::BUNDLES);
    let report = release.verify(format!("[{nothing}{genuine}]").as_bytes(), &Proofs {
        rules: r#","revocation":{"signer":"off","authorities":"off","timestamp_authorities":"off"}"#.into(),
        ..Proofs::default()
    });
    assert_eq!(code(report), None);
    let list = CrlDraft::new(&release.signing.authority.subject);
    let genuine = list.sign(&release.signing.authority_key);
    for (crls, ocsp, expected) in [
        (vec![genuine.clone()], vec![], None),
        (vec![crl(&[], &extensions(64 * 1024))], vec![], Some(FindingCode::CRL_MALFORMED)),
        (vec![], vec![ocsp_response(&extensions(64 * 1024))], Some(FindingCode::OCSP_MALFORMED)),
    ] {
        let report = release.verify(&release.bundle(), &Proofs { crls, ocsp, ..Proofs::default() });
        assert_eq!(code(report), expected);
    }
    let shown = inspect(&crl(&[], &extensions(64 * 1024))).expect_err("broken");
    assert_eq!(shown.finding.code, FindingCode::INPUT_MALFORMED);
}
