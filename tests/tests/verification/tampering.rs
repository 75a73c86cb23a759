//! One bit changed, anywhere: refused with a sensible code, or, where nobody vouches for the
//! octet, no difference in what is reported.

use std::ops::Range;

use countersign_core::{
    asn1::{Cursor, Tlv},
    bundle::Bundle,
    cms::SignedData,
    crypto::aws_lc::AwsLc,
    finding::{Class, Finding},
    report::{Report, Verdict},
    tsp::{Stamped, TimestampResponse, verify as verify_timestamp},
};
use countersign_signing::{ocsp::CertificateStatus, profile::Authority};
use countersign_tests::world::{Given, NOW, World};

const FILE: &[u8] = b"the published program";

/// Each octet with one of its bits changed, then each shorter beginning, then one octet more.
fn mutants(genuine: &[u8]) -> impl Iterator<Item = (String, Option<usize>, Vec<u8>)> {
    let flipped = (0..genuine.len()).map(|position| {
        let mut octets = genuine.to_vec();
        octets[position] ^= 1 << (position % 8);
        (format!("bit {} of octet {position}", position % 8), Some(position), octets)
    });
    let cut = (0..genuine.len())
        .step_by(7)
        .map(|length| (format!("cut to {length}"), None, genuine[..length].to_vec()));
    let longer = core::iter::once(("one more".to_owned(), None, [genuine, &[0]].concat()));
    flipped.chain(cut).chain(longer)
}

#[track_caller]
fn assert_refused(what: &str, finding: Option<&Finding>, prefixes: &[&str]) {
    let finding = finding.unwrap_or_else(|| panic!("{what}: verified"));
    let code = finding.code.code();
    assert!(
        matches!(finding.code.class(), Class::Danger | Class::NotChecked),
        "{what}: {code} is no refusal"
    );
    assert!(prefixes.iter().any(|prefix| code.starts_with(prefix)), "{what}: {finding:?}");
}

/// Where `part` lies in `whole`, as text.
fn place(whole: &str, key: &str) -> Range<usize> {
    let start = whole.find(key).expect("the key is there") + key.len();
    let length = whole[start..].find('"').expect("the value ends");
    start..start + length
}

#[test]
fn no_bit_of_a_bundle_can_change() {
    let world = World::new();
    let given = world.given(FILE);
    // Without the line's end: what follows on a line of its own is a line more, not a change.
    let genuine = world.sign(FILE, Some(NOW.minus_seconds(60))).trim_ascii().to_vec();
    let text = String::from_utf8(genuine.clone()).expect("JSON");
    let report = world.verify(&genuine, &given);
    assert_eq!(report.verdict(), Verdict::Verified);
    let signature = place(&text, "\"signature\":\"");
    let digest = place(&text, "\"digest\":\"");
    let certificate = place(&text, "\"rawBytes\":\"");
    let timestamp = place(&text, "\"signedTimestamp\":\"");
    let mut indifferent = 0;
    for (what, position, mutant) in mutants(&genuine) {
        let seen = world.verify(&mutant, &given);
        let within = |range: &Range<usize>| position.is_some_and(|at| range.contains(&at));
        if seen == report && (within(&timestamp) || mutant.trim_ascii() == genuine.trim_ascii()) {
            // The parts of a token that nobody signs; the test below says which.
            indifferent += 1;
            continue;
        }
        let prefixes: &[&str] = if within(&signature) {
            &["signature.mismatch", "bundle.malformed"]
        } else if within(&digest) {
            &["content.mismatch", "bundle.malformed"]
        } else if within(&certificate) {
            &["certificate.", "signature.", "bundle.malformed"]
        } else if within(&timestamp) {
            &["timestamp.", "signature.algorithm", "bundle.malformed", "certificate."]
        } else {
            &["bundle.", "content.digest.weak", "signature.absent", "timestamp.absent"]
        };
        assert_refused(&what, seen.decisive(), prefixes);
    }
    assert!(indifferent < timestamp.len(), "{indifferent} changes went unnoticed");
}

#[test]
fn no_bit_of_a_statement_can_change() {
    let world = World::new();
    let given = world.given(FILE);
    let genuine = world.attest("app", FILE, Some(NOW.minus_seconds(60)));
    let text = String::from_utf8(genuine.clone()).expect("JSON");
    let payload = place(&text, "\"payload\":\"");
    for at in payload {
        let mut mutant = genuine.clone();
        mutant[at] ^= 1;
        let seen = world.verify(&mutant, &given);
        let prefixes = &["signature.mismatch", "content.", "provenance.", "bundle."];
        assert_refused(&format!("octet {at}"), seen.decisive(), prefixes);
    }
}

#[test]
fn no_signed_bit_of_a_timestamp_can_change() {
    let world = World::new();
    let trust = world.trust();
    let genuine = world.timestamp(FILE, NOW.minus_seconds(60));
    let verify = |octets: &[u8]| {
        let authorities = &trust.timestamp_authorities;
        verify_timestamp(octets, Stamped::Message(FILE), authorities, &AwsLc, NOW)
            .map(|timestamp| (timestamp.time().time(), timestamp.info().serial.to_vec()))
    };
    let expected = verify(&genuine).expect("the genuine token verifies");
    let vouched = vouched_for(&genuine);
    for (what, position, mutant) in mutants(&genuine) {
        match (verify(&mutant), position) {
            (Ok(seen), Some(at)) => {
                assert!(!vouched.iter().any(|range| range.contains(&at)), "{what}: unnoticed");
                assert_eq!(seen, expected, "{what}");
            }
            (Ok(_), None) => panic!("{what}: verified"),
            (Err(finding), _) => assert_refused(
                &what,
                Some(&finding),
                &["timestamp.", "signature.algorithm", "certificate."],
            ),
        }
    }
}

/// Content, signed attributes and signature of a token: what its signature vouches for.
fn vouched_for(response: &[u8]) -> Vec<Range<usize>> {
    let decoded = TimestampResponse::decode(response).expect("the genuine token decodes");
    let signed_data = SignedData::decode(decoded.token.expect("a token")).expect("SignedData");
    let start = response.as_ptr() as usize;
    let range = |part: &[u8]| {
        let from = part.as_ptr() as usize - start;
        from..from + part.len()
    };
    let signer = signed_data.signer_infos.first().expect("a signer");
    let attributes = signer.signed_octets().expect("signed attributes");
    // The attributes as they stand in the token, but for the outer tag.
    let tail = &attributes[1..];
    let at =
        response.windows(tail.len()).position(|window| window == tail).expect("they are there");
    vec![range(signed_data.content), at..at + tail.len(), range(signer.signature)]
}

#[test]
fn no_bit_of_a_crl_can_change() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(NOW.minus_seconds(60)));
    let genuine = world.crl(Authority::Signing, NOW.minus_seconds(30), &[]);
    let verify =
        |crl: Vec<u8>| world.verify(&bundle, &Given { crls: vec![crl], ..world.given(FILE) });
    assert_eq!(verify(genuine.clone()).verdict(), Verdict::Verified);
    for (what, _, mutant) in mutants(&genuine) {
        assert_refused(&what, verify(mutant).decisive(), &["revocation."]);
    }
}

#[test]
fn no_bit_of_an_ocsp_response_can_change() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(NOW.minus_seconds(60)));
    let genuine = world.ocsp(CertificateStatus::Good, NOW.minus_seconds(30));
    let verify = |response: Vec<u8>| {
        let given = Given { crls: vec![], ocsp: vec![response], ..world.given(FILE) };
        world.verify(&bundle, &given)
    };
    assert_eq!(verify(genuine.clone()).verdict(), Verdict::Verified);
    for (what, _, mutant) in mutants(&genuine) {
        assert_refused(&what, verify(mutant).decisive(), &["revocation."]);
    }
}

#[test]
fn no_signed_bit_of_the_signers_certificate_can_change() {
    let world = World::new();
    let bundle = world.sign(FILE, Some(NOW.minus_seconds(60)));
    let given = world.given(FILE);
    let genuine = world.verify(&bundle, &given);
    let decoded = Bundle::decode(&bundle).expect("a bundle");
    let mut certificate = decoded.certificate().expect("a certificate").to_vec();
    let tbs = tbs_range(&certificate);
    // Every octet that the CA signed, in the leaf itself.
    let text = String::from_utf8(bundle).expect("JSON");
    let encoded = place(&text, "\"rawBytes\":\"");
    for at in tbs {
        certificate[at] ^= 0x10;
        let base64 = <base64ct::Base64 as base64ct::Encoding>::encode_string(&certificate);
        let mutant = [&text[..encoded.start], &base64, &text[encoded.end..]].concat();
        certificate[at] ^= 0x10;
        let seen: Report = world.verify(mutant.as_bytes(), &given);
        assert_ne!(seen, genuine);
        assert_refused(&format!("octet {at}"), seen.decisive(), &["certificate.", "signature."]);
    }
}

fn tbs_range(certificate: &[u8]) -> Range<usize> {
    let outer = Tlv::decode(certificate, "certificate").expect("DER");
    let tbs = Cursor::new(outer.value).any("tbsCertificate").expect("DER");
    let start = tbs.raw.as_ptr() as usize - certificate.as_ptr() as usize;
    start..start + tbs.raw.len()
}
