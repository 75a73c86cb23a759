//! Revocation: lists and answers that are wrong in one way, and what they say when right.

use countersign_core::{
    crl::RevocationReason as Reason, digest::HashAlgorithm, oid, time::UnixSeconds,
};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    ocsp::cert_id,
};

use super::{
    Case,
    private::{case_with, release, signed},
};
use crate::forge::{
    CRL_URL, CertificateDraft, CrlDraft, DAY, EntryDraft, ExtensionDraft, ForgeKey, NOW,
    NoExtensions, OcspDraft, Proofs, Release, SingleDraft, key_usage, name, usages,
};

fn flag(number: u8) -> Vec<u8> {
    der::implicit(number, &[0xFF])
}

type ListChange = fn(CrlDraft) -> CrlDraft;
const LISTS: [(&str, ListChange); 14] = [
    ("genuine", |list| list),
    ("critical-extension", |list| list.with(ExtensionDraft::unknown_critical())),
    ("other-point", |list| {
        list.with(CrlDraft::point("http://revocation.example/another.crl", &[]))
    }),
    ("authorities-only", |list| list.with(CrlDraft::point(CRL_URL, &[&flag(2)]))),
    ("end-entities-only", |list| list.with(CrlDraft::point(CRL_URL, &[&flag(1)]))),
    ("indirect", |list| list.with(CrlDraft::point(CRL_URL, &[&flag(4)]))),
    ("some-reasons", |list| {
        list.with(CrlDraft::point(CRL_URL, &[&der::implicit(3, &[5, 0b0110_0000])]))
    }),
    ("contradictory-scope", |list| list.with(CrlDraft::point(CRL_URL, &[&flag(1), &flag(2)]))),
    ("no-next-update", |mut list| {
        list.next_update = None;
        list
    }),
    ("past", |mut list| {
        list.next_update = Some(NOW.minus_seconds(1));
        list
    }),
    ("future", |mut list| {
        list.this_update = NOW.plus_seconds(3_600);
        list
    }),
    ("version-1", |mut list| {
        list.version.clear();
        list
    }),
    ("delta-alone", |list| {
        list.with(ExtensionDraft::new(oid::CE_DELTA_CRL_INDICATOR, Critical, der::integer(10)))
    }),
    ("other-issuer", |mut list| {
        list.issuer = name("somebody else");
        list
    }),
];

fn lists() -> Vec<Case> {
    let release = release();
    let bundle = signed(&release);
    let with = |name: String, crls: Vec<Vec<u8>>, rules: &str| {
        let proofs = Proofs { crls, rules: rules.to_owned(), ..Proofs::default() };
        case_with(&name, &release, bundle.clone(), proofs)
    };
    let list = || CrlDraft::new(&release.signing.authority.subject);
    let key = &release.signing.authority_key;
    let mut cases: Vec<Case> = LISTS
        .iter()
        .map(|(name, change)| with(format!("crl-{name}"), vec![change(list()).sign(key)], ""))
        .collect();
    for reason in Reason::ALL {
        for (when, date) in [
            ("before", Release::SIGNED.minus_seconds(60)),
            ("after", Release::SIGNED.plus_seconds(60)),
        ] {
            let entry = EntryDraft::new(&release.signing.leaf.serial, reason, date);
            let crl = list().revoking(entry).sign(key);
            let name = format!("crl-revoked-{when}-{}", reason.name().to_lowercase());
            cases.push(with(name, vec![crl], ""));
        }
    }
    let genuine = list().sign(key);
    cases.push(with("crl-none".to_owned(), Vec::new(), ""));
    cases.push(with(
        "crl-none-wanted".to_owned(),
        Vec::new(),
        r#","revocation":{"signer":"when-available"}"#,
    ));
    cases.push(with(
        "crl-by-stranger".to_owned(),
        vec![list().sign(&ForgeKey::p256("a stranger"))],
        "",
    ));
    cases.push(with("crl-truncated".to_owned(), vec![genuine[..genuine.len() - 5].to_vec()], ""));
    cases.push(with("crl-many".to_owned(), vec![genuine; 33], ""));
    let mut tsa = CrlDraft::new(&release.stamping.authority.subject);
    let date = Release::SIGNED.plus_seconds(60);
    tsa = tsa.revoking(EntryDraft::new(&release.stamping.leaf.serial, Reason::KeyCompromise, date));
    let tsa = tsa.sign(&release.stamping.authority_key);
    cases.push(with("crl-timestamp-authority".to_owned(), vec![list().sign(key), tsa], ""));
    let mut root = CrlDraft::new(&release.signing.root.subject);
    let serial = &release.signing.authority.serial;
    root = root.revoking(EntryDraft::new(serial, Reason::CaCompromise, NOW.minus_seconds(DAY)));
    let root = root.sign(&release.signing.root_key);
    cases.push(with("crl-authority".to_owned(), vec![list().sign(key), root], ""));
    cases
}

fn answers() -> Vec<Case> {
    let release = release();
    let bundle = signed(&release);
    let issuer = release.signing.sign().authority;
    let id = cert_id(HashAlgorithm::Sha256, &issuer, &release.signing.leaf.serial);
    let id = id.expect("a CertID");
    let other = cert_id(HashAlgorithm::Sha256, &issuer, &[9]).expect("a CertID");
    let key = &release.signing.authority_key;
    let good = || OcspDraft::new(SingleDraft::good(&id));
    let with = |name: &str, response: Vec<u8>| {
        let proofs = Proofs { ocsp: vec![response], ..Proofs::default() };
        case_with(&format!("ocsp-{name}"), &release, bundle.clone(), proofs)
    };
    let changed = |change: fn(&mut OcspDraft)| {
        let mut draft = good();
        change(&mut draft);
        draft.sign(key)
    };
    let delegate_key = ForgeKey::p256("delegate");
    let delegate = |usage| {
        let authority = &release.signing.authority.subject;
        let no_check = ExtensionDraft::new(oid::OCSP_NO_CHECK, NonCritical, der::NULL.to_vec());
        let certificate = CertificateDraft::new(&name("OCSP"), &delegate_key, authority, key)
            .with(key_usage(&[0]))
            .with(usages(NonCritical, &[usage]))
            .with(no_check)
            .sign(key);
        good().with_certificate(&certificate).sign(&delegate_key)
    };
    let revoked = SingleDraft::good(&id).revoked(Reason::KeyCompromise, NOW.minus_seconds(DAY));
    let later =
        SingleDraft::good(&id).revoked(Reason::Superseded, Release::SIGNED.plus_seconds(60));
    vec![
        with("good", good().sign(key)),
        with("revoked", OcspDraft::new(revoked).sign(key)),
        with("revoked-after", OcspDraft::new(later).sign(key)),
        with("other-certificate", OcspDraft::new(SingleDraft::good(&other)).sign(key)),
        with("try-later", changed(|draft| draft.status = 3)),
        with("unknown", changed(|draft| draft.responses[0].status = der::implicit(2, &[]))),
        with("past", changed(|draft| draft.responses[0].next_update = Some(NOW.minus_seconds(1)))),
        with("future", changed(|draft| draft.responses[0].this_update = NOW.plus_seconds(3_600))),
        with(
            "critical-extension",
            changed(|draft| draft.extensions = vec![ExtensionDraft::unknown_critical()]),
        ),
        with("by-stranger", good().sign(&ForgeKey::p256("a stranger"))),
        with("no-next-update", changed(|draft| draft.responses[0].next_update = None)),
        with(
            "no-next-update-old",
            changed(|draft| {
                draft.responses[0].next_update = None;
                draft.responses[0].this_update = NOW.minus_seconds(2 * DAY);
            }),
        ),
        with(
            "old-nonce",
            changed(|draft| {
                let nonce = ExtensionDraft::new(oid::OCSP_NONCE, NonCritical, vec![7; 16]);
                draft.extensions = vec![nonce];
            }),
        ),
        with("empty-extensions", changed(|draft| draft.no_extensions = NoExtensions::EmptyList)),
        with("fractions", changed(|draft| draft.fraction = ".123")),
        with("by-delegate", delegate(oid::KP_OCSP_SIGNING)),
        with("by-server", delegate(oid::KP_SERVER_AUTH)),
        with("malformed", vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
    ]
}

/// After every certificate of a release has expired.
fn expired() -> Vec<Case> {
    let release = release();
    let bundle = signed(&release);
    let now = NOW.plus_seconds(400 * DAY);
    let not_after = release.signing.leaf.not_after;
    let key = &release.signing.authority_key;
    let with = |name: &str, crl: CrlDraft, rules: &str| {
        let crls = vec![crl.sign(key)];
        let proofs = Proofs { crls, rules: rules.to_owned(), now, ..Proofs::default() };
        case_with(&format!("expired-{name}"), &release, bundle.clone(), proofs)
    };
    let list = |made: UnixSeconds| {
        let mut list = CrlDraft::new(&release.signing.authority.subject);
        (list.this_update, list.next_update) = (made, Some(made.plus_seconds(DAY)));
        list
    };
    let after = || list(now.minus_seconds(3_600));
    let keeping = |since: UnixSeconds| {
        let since = der::generalized_time(since);
        after().with(ExtensionDraft::new(oid::CE_EXPIRED_CERTS_ON_CRL, NonCritical, since))
    };
    let entry =
        EntryDraft::new(&release.signing.leaf.serial, Reason::KeyCompromise, Release::SIGNED);
    let known = || list(not_after.minus_seconds(DAY));
    let last_known = r#","revocation":{"after_expiry":"last-known"}"#;
    let issuer = release.signing.sign().authority;
    let id = cert_id(HashAlgorithm::Sha256, &issuer, &release.signing.leaf.serial);
    let id = id.expect("a CertID");
    let answer = |name: &str, cutoff: Option<_>| {
        let mut single = SingleDraft::good(&id);
        single.this_update = now.minus_seconds(3_600);
        single.next_update = Some(now.plus_seconds(DAY));
        single.extensions.extend(cutoff.map(|since| {
            let since = der::generalized_time(since);
            ExtensionDraft::new(oid::OCSP_ARCHIVE_CUTOFF, NonCritical, since)
        }));
        let mut draft = OcspDraft::new(single);
        draft.produced_at = now.minus_seconds(3_600);
        let proofs = Proofs { ocsp: vec![draft.sign(key)], now, ..Proofs::default() };
        case_with(&format!("expired-answer-{name}"), &release, bundle.clone(), proofs)
    };
    vec![
        with("dropped", after(), ""),
        with("kept", keeping(not_after), ""),
        with("kept-later-ones", keeping(not_after.plus_seconds(1)), ""),
        with("listed", after().revoking(entry), ""),
        with("last", known(), ""),
        with("last-known", known(), last_known),
        with("last-known-dropped", after(), last_known),
        answer("silent", None),
        answer("kept", Some(not_after)),
        answer("kept-later-ones", Some(not_after.plus_seconds(1))),
    ]
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [lists(), answers(), expired()].concat()
}
