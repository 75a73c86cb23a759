//! `trusted_root.json` as `countersign_core::trust` reads it.

use countersign_core::trust::TrustRoot;
use countersign_signing::{
    key::NewKey,
    profile::Authority,
    trust::{TrustError, TrustedAuthority, build},
};
use serde_json::Value;

use crate::authority::TestAuthority;

fn authorities(pki: &TestAuthority) -> (TrustedAuthority, TrustedAuthority) {
    let (_, mut chain) = pki.timestamp_authority(NewKey::P256);
    chain.push(pki.ca.certificate(Authority::Root).to_vec());
    (
        TrustedAuthority::new("https://ca.example.org", pki.ca.chain(Authority::Signing)),
        TrustedAuthority::new("https://tsa.example.org", chain),
    )
}

#[test]
fn core_reads_what_is_written() {
    let pki = TestAuthority::new(NewKey::P384);
    let (signing, timestamping) = authorities(&pki);
    let json = build(std::slice::from_ref(&signing), std::slice::from_ref(&timestamping));
    let json = json.expect("a trust root");
    let root = TrustRoot::decode(json.as_bytes()).expect("core reads it");
    let certificates = |authority: &countersign_core::trust::Authority| -> Vec<Vec<u8>> {
        authority.certificates().map(<[u8]>::to_vec).collect()
    };
    assert_eq!(certificates(&root.certificate_authorities[0]), signing.chain);
    assert_eq!(certificates(&root.timestamp_authorities[0]), timestamping.chain);
    assert!(root.certificate_authorities[0].window.contains(pki.now));
    assert_eq!(root.certificate_authorities[0].window.end, None);
}

#[test]
fn has_the_fields_of_sigstore_and_no_others() {
    let pki = TestAuthority::new(NewKey::P256);
    let (signing, mut timestamping) = authorities(&pki);
    timestamping.trusted_until = Some(pki.now);
    let json: Value =
        serde_json::from_str(&build(&[signing], &[timestamping]).expect("JSON")).expect("JSON");
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(keys(&json), ["certificateAuthorities", "mediaType", "timestampAuthorities"]);
    let authority = &json["timestampAuthorities"][0];
    assert_eq!(keys(authority), ["certChain", "subject", "uri", "validFor"]);
    assert_eq!(keys(&authority["certChain"]["certificates"][0]), ["rawBytes"]);
    assert_eq!(authority["subject"]["organization"], "Example & Söhne");
    assert_eq!(authority["subject"]["commonName"], "Example & Söhne Root CA");
    assert_eq!(authority["validFor"]["end"], pki.now.to_string());
    assert_eq!(keys(&json["certificateAuthorities"][0]["validFor"]), ["start"]);
}

#[test]
fn refuses_what_is_no_chain() {
    let pki = TestAuthority::new(NewKey::P256);
    let (signing, timestamping) = authorities(&pki);
    assert!(matches!(build(&[], std::slice::from_ref(&timestamping)), Err(TrustError::Empty)));
    let with = |chain: Vec<Vec<u8>>| build(&[TrustedAuthority::new("x", chain)], &[]);
    let root = pki.ca.certificate(Authority::Root).to_vec();
    let ca = pki.ca.certificate(Authority::Signing).to_vec();
    with(vec![root.clone()]).expect("a root alone may issue");
    for chain in [vec![], vec![ca.clone()], vec![root, ca], timestamping.chain] {
        assert!(matches!(with(chain), Err(TrustError::Chain { .. })));
    }
    assert!(matches!(with(vec![vec![0x30, 0]]), Err(TrustError::Malformed { position: 1, .. })));
    let tsa = TrustedAuthority::new("x", signing.chain.clone());
    assert!(matches!(build(&[signing], &[tsa]), Err(TrustError::Chain { .. })));
}
