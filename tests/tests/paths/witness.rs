//! rustls-webpki judges the same chains; where it comes to another result,
//! `data/paths/webpki.txt` says why.

use std::time::Duration;

use countersign_core::{
    crypto::{CryptoProvider as _, SignatureScheme, aws_lc::AwsLc},
    oid,
};
use pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{
    Given,
    families::{all, exceptions, outcome},
};

fn webpki_accepts(given: &Given) -> bool {
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> = SignatureScheme::ALL
        .into_iter()
        .map(|scheme| AwsLc.verification_algorithm(scheme) as &dyn SignatureVerificationAlgorithm)
        .collect();
    let of = |list: &[Vec<u8>]| -> Vec<CertificateDer<'static>> {
        list.iter().map(|raw| CertificateDer::from(raw.clone())).collect()
    };
    let (anchors, intermediates) = (of(&given.anchors), of(&given.intermediates));
    let anchors: Vec<_> =
        anchors.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
    let leaf = CertificateDer::from(given.leaf.clone());
    let Ok(leaf) = EndEntityCert::try_from(&leaf) else { return false };
    let seconds = u64::try_from(given.at.seconds()).expect("after 1970");
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let usage = KeyUsage::required_if_present(oid::KP_CODE_SIGNING.as_bytes());
    leaf.verify_for_usage(&algorithms, &anchors, &intermediates, at, usage, None, None).is_ok()
}

#[test]
fn webpki_agrees_or_the_reason_is_listed() {
    let exceptions = exceptions("webpki.txt");
    let (mut faults, mut used) = (Vec::new(), 0);
    for case in all() {
        let ours = outcome(&case);
        let theirs = webpki_accepts(&case.given);
        let agrees = (ours == "accepted") == theirs;
        match exceptions.get(case.id) {
            None if agrees => {}
            Some(listed) if !agrees && listed == ours => used += 1,
            listed => {
                faults.push(format!("{}: {ours}, webpki {theirs}, listed {listed:?}", case.id));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(used, exceptions.len(), "a line for a case that is not there");
}
