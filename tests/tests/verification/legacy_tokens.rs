//! Timestamps in BER and with defaults written out, as authorities sent them until 2019: read by
//! callers that ask for it, refused by all others.

use core::ops::Range;

use countersign_core::{
    Artifact, Evidence,
    asn1::Cursor,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::HashAlgorithm,
    finding::{Finding, FindingCode},
    policy::Policy,
    report::{Report, Verdict},
    trust::{Authority, Window},
    tsp::{self, BerForm, LegacyTimestamp, Stamped, TokenForm},
    verify,
};
use countersign_signing::{
    bundle::{self, Bundle},
    der,
};
use countersign_tests::forge::{Chain, CrlDraft, ExtensionDraft, NOW, Release, TokenDraft, in_ber};

const MESSAGE: &[u8] = b"a signature";

fn drafted(change: impl FnOnce(&mut TokenDraft)) -> (Vec<u8>, [Authority; 1]) {
    let chain = Chain::timestamping();
    let signed = chain.sign();
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, MESSAGE);
    draft.certificates = vec![signed.leaf.clone(), signed.authority.clone()];
    change(&mut draft);
    let response = draft.sign(&chain.leaf_key, &signed.leaf);
    let chain = vec![signed.leaf, signed.authority, signed.root];
    let authority = Authority::from_chain("http://tsa.example", chain, Window::default());
    (response, [authority.expect("an authority")])
}

/// What strict reading finds, and what lenient reading finds; `Ok` is the time's seconds.
type Outcome = Result<i64, FindingCode>;

#[track_caller]
fn read(timestamp: &[u8], authorities: &[Authority]) -> (Outcome, Outcome) {
    let stamped = Stamped::Message(MESSAGE);
    let legacy = LegacyTimestamp::decode(timestamp);
    let by = |crypto: &dyn CryptoProvider| {
        let told = |outcome: Result<tsp::VerifiedTimestamp<'_>, Finding>| {
            outcome.map(|it| it.time().time().seconds()).map_err(|finding| finding.code)
        };
        let strict = told(tsp::verify(timestamp, stamped, authorities, crypto, NOW));
        let lenient = match &legacy {
            Some(legacy) => told(tsp::verify_legacy(legacy, stamped, authorities, crypto, NOW)),
            None => strict,
        };
        (strict, lenient)
    };
    let native = by(&AwsLc);
    assert_eq!(native, by(&RustCrypto), "rustcrypto differs");
    native
}

#[test]
fn a_token_in_ber_proves_the_same_time_to_those_who_read_it() {
    let (response, authorities) = drafted(|_| ());
    let (Ok(time), _) = read(&response, &authorities) else { panic!("the DER token verifies") };
    let token = tsp::token(&response).expect("a token");
    let outer = |der: &[u8]| {
        let header = if der[1] == 0x82 { 4 } else { 2 };
        [&[0x30, 0x80], &der[header..], &[0, 0]].concat()
    };
    for ber in [in_ber(&response), in_ber(token), outer(&response), outer(token)] {
        assert_eq!(read(&ber, &authorities), (Err(FindingCode::TIMESTAMP_BER), Ok(time)));
        assert_eq!(tsp::first_ber(&ber), Some((0, BerForm::IndefiniteLength)));
    }
    assert_eq!(tsp::normalised(&in_ber(&response)).as_deref(), Some(&response[..]));
    assert!(LegacyTimestamp::decode(&response).is_none());
}

#[test]
fn a_default_that_is_written_out_is_read_over_and_hashed() {
    let not_critical = || {
        let mut extension = ExtensionDraft::unknown_critical();
        extension.criticality = der::Criticality::NonCritical;
        extension
    };
    let (usual, authorities) = drafted(|draft| draft.info.extensions = vec![not_critical()]);
    let Ok(time) = read(&usual, &authorities).0 else { panic!("an extension is no matter") };
    let (ordering, authorities) = drafted(|draft| draft.info.ordering = vec![1, 1, 0]);
    let outcome = read(&ordering, &authorities);
    assert_eq!(outcome, (Err(FindingCode::TIMESTAMP_DEFAULT_ENCODED), Ok(time)));
    assert_eq!(read(&in_ber(&ordering), &authorities), (Err(FindingCode::TIMESTAMP_BER), Ok(time)));
}

#[test]
fn nothing_else_is_forgiven() {
    type Change = fn(&mut TokenDraft);
    let changes: [(FindingCode, Change); 4] = [
        (FindingCode::TIMESTAMP_TRAILING, |draft| draft.info.trailing_after = vec![5, 0]),
        (FindingCode::TIMESTAMP_EXTENSION, |draft| {
            draft.info.extensions = vec![ExtensionDraft::unknown_critical()];
        }),
        (FindingCode::TIMESTAMP_MALFORMED, |draft| draft.info.version = der::integer(2)),
        (FindingCode::TIMESTAMP_SIGNATURE, |draft| draft.message_digest = Some(vec![7; 48])),
    ];
    for (code, change) in changes {
        let (response, authorities) = drafted(change);
        let (strict, _) = read(&response, &authorities);
        assert_eq!(strict, Err(code));
        let lenient = read(&in_ber(&response), &authorities).1;
        assert!(lenient == Err(code) || lenient == Err(FindingCode::TIMESTAMP_BER), "{lenient:?}");
    }
}

#[test]
fn no_bit_of_what_is_signed_can_change() {
    let (response, authorities) = drafted(|_| ());
    let ber = in_ber(&response);
    let genuine = read(&ber, &authorities).1;
    let token = tsp::token(&response).expect("a token");
    let content = countersign_core::cms::SignedData::decode(token).expect("SignedData").content;
    let half = &content[..content.len() / 2];
    let start = ber.windows(half.len()).position(|part| part == half).expect("there");
    for at in start..start + half.len() {
        let mut mutant = ber.clone();
        mutant[at] ^= 1;
        assert!(read(&mutant, &authorities).1.is_err(), "octet {at}");
    }
    for length in 0..ber.len() {
        assert!(read(&ber[..length], &authorities).1.is_err(), "cut to {length}");
    }
    assert!(genuine.is_ok());
}

/// Where a response's signedAttrs stand: the one `[0]` of short SEQUENCEs that begin with an OID.
/// Signatures are not all of one length, nor are the lengths before them.
fn signed_attributes(response: &[u8]) -> Range<usize> {
    let ends_at = |start: &usize| {
        let rest = &response[*start..];
        let tlv = Cursor::new(rest).any("signedAttrs").ok().filter(|_| rest[0] == 0xA0)?;
        matches!(tlv.value, [0x30, 0..0x80, 6, ..]).then(|| *start + tlv.raw.len())
    };
    (0..response.len())
        .find_map(|start| ends_at(&start).map(|end| start..end))
        .expect("signed attributes")
}

#[test]
fn signed_attributes_are_signed_in_der_whatever_they_are_sent_in() {
    let (sorted, authorities) = drafted(|_| ());
    let (reversed, _) = drafted(|draft| draft.attributes_reversed = true);
    let Ok(time) = read(&sorted, &authorities).0 else { panic!("it verifies") };
    // The reversed attributes with the signature over the sorted ones.
    let (from, to) = (signed_attributes(&reversed), signed_attributes(&sorted));
    assert_ne!(reversed[from.clone()], sorted[to.clone()]);
    let mut sent = sorted.clone();
    sent[to].copy_from_slice(&reversed[from]);
    assert_eq!(read(&sent, &authorities).0, Err(FindingCode::TIMESTAMP_SIGNATURE));
    assert_eq!(read(&in_ber(&sent), &authorities).1, Ok(time));
}

fn report(form: TokenForm, token: &[u8]) -> Report {
    let release = Release::new();
    let signature = release.signature(&release.signing.leaf_key);
    let certificate = release.signing.sign().leaf;
    let timestamps = [token.to_vec()];
    let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
    let bundle = Bundle::message_signature(&Release::digest(), &signature, evidence).to_json();
    let bundle = bundle.expect("JSON").into_bytes();
    let list = CrlDraft::new(&release.signing.authority.subject);
    let list = list.sign(&release.signing.authority_key);
    let digests = Release::digests();
    let artifact = Artifact { digests: &digests, ..Artifact::default() };
    let evidence =
        Evidence { artifact, bundle: &bundle, crls: &[&list], tokens: form, ..Evidence::default() };
    let policy = format!(
        r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{}"]}}]}}"#,
        countersign_tests::forge::IDENTITY
    );
    let policy = Policy::decode(policy.as_bytes()).expect("a policy");
    verify(&evidence, &release.trust(), &policy, &AwsLc, NOW)
}

#[test]
fn a_bundle_with_such_a_timestamp_verifies_where_it_is_asked_for_and_says_so() {
    let release = Release::new();
    let signature = release.signature(&release.signing.leaf_key);
    let genuine = release.timestamp(&signature);
    let ber = in_ber(&genuine);

    let strict = report(TokenForm::Der, &ber);
    assert_eq!(strict.decisive().map(|it| it.code), Some(FindingCode::TIMESTAMP_BER));
    let lenient = report(TokenForm::BerToo, &ber);
    assert_eq!(lenient.verdict(), Verdict::Verified, "{:?}", lenient.decisive());
    let notes: Vec<FindingCode> = lenient.findings().iter().map(|it| it.code).collect();
    assert!(notes.contains(&FindingCode::TIMESTAMP_LEGACY_ENCODING), "{notes:?}");

    // Whoever asks gets the same for everything else.
    assert_eq!(report(TokenForm::BerToo, &genuine), report(TokenForm::Der, &genuine));
}
