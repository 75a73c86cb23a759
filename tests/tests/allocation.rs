//! No allocation grows with what an attacker declares rather than sends: every decoder is given
//! small inputs that declare enormous lengths and counts, and the memory it takes is measured.

use std::sync::{Mutex, MutexGuard};

use countersign_core::{
    bundle::{Bundle, Provenance, Statement},
    cms::SignedData,
    crl::CertificateList,
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    inspect::inspect,
    ocsp::{OcspRequest, OcspResponse},
    policy::Policy,
    tlog::{Checkpoint, EntryBody, merkle, sct::CertificateTimestamp},
    trust::TrustRoot,
    tsp::{TimestampRequest, TimestampResponse},
    x509::{Certificate, PublicKey},
};
use countersign_tests::corpus::{Case, cases};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One measurement at a time: the allocator is everybody's.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What a decoder may take: what its result needs, in proportion to what was sent. A JSON array of
/// small objects takes some hundred octets of memory for each of its ten of text.
const OCTETS_PER_OCTET: usize = 64;
const OCTETS_AT_ONCE: usize = 64 * 1024;

/// Runs `decode` and says how much memory it took at most.
fn taken(decode: impl FnOnce()) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    decode();
    MEMORY.peak_usage().saturating_sub(before)
}

#[track_caller]
fn assert_bounded(what: &str, octets: &[u8], decode: impl FnOnce(&[u8])) {
    let taken = taken(|| decode(octets));
    let allowed = OCTETS_AT_ONCE + OCTETS_PER_OCTET * octets.len();
    assert!(taken <= allowed, "{what}: {} octets took {taken}", octets.len());
}

/// A TLV's header: its length octets, and where the content begins and ends.
fn header(octets: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*octets.get(1)?);
    let (start, length) = match first {
        0..=0x7F => (2, first),
        0x81..=0x84 => {
            let count = first - 0x80;
            let digits = octets.get(2..2 + count)?;
            (2 + count, digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)))
        }
        _ => return None,
    };
    let end = start.checked_add(length)?;
    (end <= octets.len()).then_some((start, end))
}

fn with_length(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a short object");
    [&[tag, 0x84][..], &length.to_be_bytes(), content].concat()
}

/// Every object that differs in one length, at any depth, which declares almost 4 GiB or 2 GiB.
/// The lengths around it are right, so that a decoder gets there. (They are not minimal where they
/// had to grow; so each mutant is also made without mending them.)
fn declaring(octets: &[u8]) -> Vec<Vec<u8>> {
    let Some((start, end)) = header(octets) else { return Vec::new() };
    let (tag, content) = (octets[0], &octets[start..end]);
    let mut mutants = Vec::new();
    for length in [0xFFFF_FFFF_u32, 0x7FFF_FFFF, 0x00FF_FFFF] {
        mutants.push([&[tag, 0x84][..], &length.to_be_bytes(), content].concat());
    }
    mutants.push([&[tag, 0x88][..], &[0x7F; 8], content].concat());
    // Constructed, or an OCTET STRING or BIT STRING around more.
    let skip = usize::from(tag == 3);
    let holds_more = tag & 0x20 != 0 || matches!(tag, 3 | 4);
    let mut at = skip;
    while holds_more && at < content.len() {
        let Some((_, length)) = header(&content[at..]) else { break };
        let rest = at + length;
        if mutants.len() > 2_000 {
            break;
        }
        for mutant in declaring(&content[at..rest]) {
            let changed = [&content[..at], &mutant, &content[rest..]].concat();
            mutants.push(der(tag, &changed));
            mutants.push(with_length(tag, &changed));
        }
        at = rest;
    }
    mutants.truncate(4_000);
    mutants
}

/// Minimal lengths, as DER has them.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a short object").to_be_bytes();
    let digits: &[u8] = match length {
        [0, 0, 0, short] if short < 0x80 => return [&[tag, short][..], content].concat(),
        [0, 0, 0, ..] => &length[3..],
        [0, 0, ..] => &length[2..],
        [0, ..] => &length[1..],
        _ => &length,
    };
    let count = u8::try_from(digits.len()).expect("at most four");
    [&[tag, 0x80 | count][..], digits, content].concat()
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).expect("a case of that name")
}

/// Every decoder of DER, whatever the octets are.
fn decode_der(octets: &[u8]) {
    let _ = Certificate::decode(octets).map(|_| ());
    let _ = PublicKey::decode(octets).map(|_| ());
    let _ = CertificateList::decode(octets).map(|list| list.entries().count());
    let _ = SignedData::decode(octets).map(|_| ());
    let _ = TimestampResponse::decode(octets).map(|_| ());
    let _ = TimestampRequest::decode(octets).map(|_| ());
    let _ = OcspResponse::decode(octets).map(|_| ());
    let _ = OcspRequest::decode(octets, usize::MAX).map(|_| ());
    let _ = CertificateTimestamp::decode_list(octets).map(|_| ());
    let _ = countersign_signing::csr::verify(octets).map(|_| ());
    let _ = inspect(octets).map(|_| ());
}

#[test]
fn der_takes_what_is_sent_and_not_what_is_declared() {
    let _turn = turn();
    let genuine = case("ocsp-by-delegate");
    let listed = case("crl-revoked-before-superseded");
    let bundle = Bundle::decode(&genuine.bundle).expect("a bundle");
    let objects = [
        ("certificate", bundle.certificate().expect("a certificate").to_vec()),
        ("token", bundle.timestamps.first().expect("a token").clone()),
        ("list", listed.crls.first().expect("a list").clone()),
        ("answer", genuine.ocsp.first().expect("an answer").clone()),
    ];
    let mut count = 0;
    for (what, object) in &objects {
        for mutant in declaring(object) {
            assert_bounded(what, &mutant, decode_der);
            count += 1;
        }
    }
    assert!(count > 1_000, "{count}");
    // TLS's form in the certificate's timestamps: lengths of two octets.
    for length in [[0xFF, 0xFF], [0x7F, 0xFF], [0, 0xFF]] {
        let list = [&[4, 6][..], &length, &[0, 1, 0, 0]].concat();
        assert_bounded("certificate timestamps", &list, decode_der);
    }
}

/// Every decoder of JSON and text.
fn decode_text(octets: &[u8]) {
    let _ = Bundle::decode(octets).map(|bundle| bundle.artifact_algorithms());
    let _ = TrustRoot::decode(octets).map(|_| ());
    let _ = Policy::decode(octets).map(|_| ());
    let _ = Statement::decode(octets).map(|_| ());
    let _ = Provenance::decode(octets).map(|_| ());
    let _ = EntryBody::decode(octets).map(|_| ());
    let _ = inspect(octets).map(|_| ());
    if let Ok(text) = str::from_utf8(octets) {
        let _ = Checkpoint::decode(text).map(|_| ());
    }
}

#[test]
fn text_takes_what_is_sent_and_not_what_is_declared() {
    let _turn = turn();
    let huge = ["9223372036854775807", "18446744073709551615", "99999999999999999999999"];
    let logged = String::from_utf8(case("log-v1-genuine").bundle).expect("JSON");
    for number in huge {
        for field in ["logIndex", "treeSize", "integratedTime"] {
            let at = logged.find(&format!("\"{field}\":\"")).expect("the field") + field.len() + 4;
            let end = at + logged[at..].find('"').expect("its end");
            let mutant = format!("{}{number}{}", &logged[..at], &logged[end..]);
            assert_bounded(field, mutant.as_bytes(), decode_text);
        }
        let note =
            format!("log.example\n{number}\n{}=\n\n— log.example AAAAAAEC\n", "A".repeat(43));
        assert_bounded("checkpoint", note.as_bytes(), decode_text);
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{number}}},"subject":[{{"annotations":{{"size":{number}}}}}]}}"#
        );
        assert_bounded("statement", statement.as_bytes(), decode_text);
        let policy = format!(
            r#"{{"version":1,"signers":[{{"files":["{}"],"identities":["a@b"]}}],"timestamps":{{"required":{number}}}}}"#,
            "*?".repeat(500)
        );
        assert_bounded("policy", policy.as_bytes(), decode_text);
    }
    for text in ["[".repeat(100_000), "{\"a\":".repeat(50_000), "\"".repeat(100_000)] {
        assert_bounded("nesting", text.as_bytes(), decode_text);
    }
    // Many small things: in proportion to the text.
    let many = format!(r#"{{"mediaType":"x","signers":[{}{{}}]}}"#, "{},".repeat(100_000));
    assert_bounded("many objects", many.as_bytes(), decode_text);
}

#[test]
fn a_whole_verification_takes_what_is_sent() {
    let _turn = turn();
    for case in cases() {
        let lists = case.crls.iter().chain(&case.ocsp).chain(case.key.as_ref());
        let sent = case.bundle.len()
            + case.trusted_root.len()
            + case.policy.len()
            + lists.map(Vec::len).sum::<usize>();
        let taken = taken(|| {
            let _ = case.verify(&RustCrypto);
        });
        // RSA's arithmetic and the paths take a constant more.
        let allowed = 1024 * 1024 + OCTETS_PER_OCTET * sent;
        assert!(taken <= allowed, "{}: {sent} octets took {taken}", case.name);
    }
}

#[test]
fn a_proof_of_an_enormous_tree_takes_nothing() {
    let _turn = turn();
    let leaf = merkle::leaf_hash(&AwsLc, b"leaf");
    let taken = taken(|| {
        for size in [u64::MAX, u64::MAX / 2, 1 << 62] {
            let path = [[0_u8; 32]; 2];
            let path = path.iter().map(<[u8; 32]>::as_slice);
            assert!(merkle::root_of(&AwsLc, leaf.clone(), size - 1, size, path).is_none());
        }
    });
    assert!(taken <= OCTETS_AT_ONCE, "{taken}");
}
