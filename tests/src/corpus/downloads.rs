//! What a page meets: a statement that gives the size, and a certificate that names OCSP alone.

use countersign_core::{digest::HashAlgorithm, oid};
use countersign_signing::{
    bundle,
    der::{self, Criticality::NonCritical},
    ocsp::cert_id,
};
use serde_json::json;

use super::{
    Case,
    private::{case, case_with, clean_list, release, signed},
    statements::envelope,
};
use crate::forge::{
    CRL_URL, CrlDraft, ExtensionDraft, ForgeKey, NOW, OcspDraft, Proofs, Release, SingleDraft,
};

/// Where the certificate says that its responder is.
const OCSP_URL: &str = "http://revocation.example/ocsp";

/// Where the same list is, besides.
const SECOND_CRL_URL: &str = "http://mirror.example/crl/signing.crl";

/// A statement with the size and two digests, of which a page takes the faster.
fn sized(name: &str, release: &Release, size: usize) -> Case {
    let digests: serde_json::Map<_, _> = Release::digests()
        .iter()
        .filter(|digest| digest.algorithm() != HashAlgorithm::Sha512)
        .map(|digest| (digest.algorithm().name().to_owned(), json!(digest.hex())))
        .collect();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://example.com/p",
        "predicate": {},
        "subject": [{ "name": "app", "digest": digests, "annotations": { "size": size } }],
    });
    let payload = statement.to_string();
    case(name, release, envelope(release, bundle::IN_TOTO_PAYLOAD_TYPE, payload.as_bytes()))
}

/// Where a certificate says that its responder is.
fn responder() -> ExtensionDraft {
    let location = der::implicit(6, OCSP_URL.as_bytes());
    let access = der::sequence(&[&der::oid(&oid::AD_OCSP), &location]);
    ExtensionDraft::new(oid::PE_AUTHORITY_INFO_ACCESS, NonCritical, der::sequence(&[&access]))
}

/// The signer's certificate names a responder and no list.
fn answered_alone() -> Case {
    let mut release = release();
    release.signing.leaf =
        release.signing.leaf.clone().without(oid::CE_CRL_DISTRIBUTION_POINTS).with(responder());
    let issuer = release.signing.sign().authority;
    let id = cert_id(HashAlgorithm::Sha1, &issuer, &release.signing.leaf.serial);
    let answer = OcspDraft::new(SingleDraft::good(&id.expect("a CertID")));
    let answer = answer.sign(&release.signing.authority_key);
    let proofs = Proofs { ocsp: vec![answer], ..Proofs::default() };
    case_with("download-ocsp-alone", &release, signed(&release), proofs)
}

/// The signer's certificate names a list and a responder, and both say that it is good.
fn named_both() -> Case {
    let mut release = release();
    release.signing.leaf = release.signing.leaf.clone().with(responder());
    let issuer = release.signing.sign().authority;
    let id = cert_id(HashAlgorithm::Sha1, &issuer, &release.signing.leaf.serial);
    let key = &release.signing.authority_key;
    let proofs = Proofs {
        ocsp: vec![OcspDraft::new(SingleDraft::good(&id.expect("a CertID"))).sign(key)],
        crls: vec![CrlDraft::new(&release.signing.authority.subject).sign(key)],
        ..Proofs::default()
    };
    case_with("download-list-and-ocsp", &release, signed(&release), proofs)
}

/// A list from before, which somebody on the way may bring again.
fn older_list() -> Case {
    let release = release();
    let mut list = CrlDraft::new(&release.signing.authority.subject).with(ExtensionDraft::new(
        oid::CE_CRL_NUMBER,
        NonCritical,
        der::integer(9),
    ));
    list.this_update = list.this_update.minus_seconds(3_600);
    let proofs =
        Proofs { crls: vec![list.sign(&release.signing.authority_key)], ..Proofs::default() };
    case_with("download-older-list", &release, signed(&release), proofs)
}

/// A list that a stranger made and that seems to be newer than any.
fn forged_list() -> Case {
    let release = release();
    let mut list = CrlDraft::new(&release.signing.authority.subject).with(ExtensionDraft::new(
        oid::CE_CRL_NUMBER,
        NonCritical,
        der::integer(99),
    ));
    list.this_update = NOW.minus_seconds(1);
    let proofs =
        Proofs { crls: vec![list.sign(&ForgeKey::p256("a stranger"))], ..Proofs::default() };
    case_with("download-forged-list", &release, signed(&release), proofs)
}

/// The signer's certificate names two addresses of one list. Beside that list there are two that say
/// nothing of the signer and are newer: the same issuer's of another point, and another issuer's.
fn two_addresses() -> Case {
    let mut release = release();
    let urls = [CRL_URL, SECOND_CRL_URL].map(|url| der::implicit(6, url.as_bytes()));
    let name = der::context(0, &[&der::context(0, &[&urls.concat()])]);
    let points = der::sequence(&[&der::sequence(&[&name])]);
    let points = ExtensionDraft::new(oid::CE_CRL_DISTRIBUTION_POINTS, NonCritical, points);
    release.signing.leaf = release.signing.leaf.clone().with(points);
    let newer = |issuer: &[u8]| {
        let number = ExtensionDraft::new(oid::CE_CRL_NUMBER, NonCritical, der::integer(99));
        let mut list = CrlDraft::new(issuer).with(number);
        list.this_update = NOW.minus_seconds(1);
        list
    };
    let (signing, stamping) = (&release.signing, &release.stamping);
    let other_point = newer(&signing.authority.subject)
        .with(CrlDraft::point("http://revocation.example/crl/another.crl", &[]))
        .sign(&signing.authority_key);
    let other_issuer = newer(&stamping.authority.subject).sign(&stamping.authority_key);
    let crls = vec![clean_list(&release), other_point, other_issuer];
    let proofs = Proofs { crls, ..Proofs::default() };
    case_with("download-two-addresses", &release, signed(&release), proofs)
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let release = release();
    let size = Release::FILE.len();
    vec![
        sized("download-sized", &release, size),
        sized("download-other-size", &release, size - 1),
        answered_alone(),
        named_both(),
        older_list(),
        forged_list(),
        two_addresses(),
    ]
}
