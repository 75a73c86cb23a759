//! Timestamps that are wrong in one way, and those that must be accepted.

use countersign_core::{digest::HashAlgorithm, oid};
use countersign_signing::der::{
    self,
    Criticality::{Critical, NonCritical},
};

use super::{
    Case,
    private::{case, message, release, stamp},
};
use crate::forge::{
    Chain, DAY, Ess, ExtensionDraft, ForgeKey, NOW, TokenDraft, TstInfoDraft, basic_constraints,
    in_ber, name, other_revocation, usages,
};

type Change = fn(&mut TokenDraft, &[u8]);
const TOKENS: [(&str, Change); 43] = [
    ("no-ess", |draft, _| draft.ess = Ess::Absent),
    ("other-ess", |draft, _| draft.ess = Ess::Of(b"another certificate".to_vec())),
    ("ess-v1", |draft, _| draft.ess = Ess::V1),
    ("ess-sha512", |draft, _| draft.ess = Ess::V2With(HashAlgorithm::Sha512)),
    ("ess-v1-of-another", |draft, _| {
        draft.attributes.extend(Ess::V1.attribute(b"another certificate"));
    }),
    ("ess-further-issuer", |draft, _| {
        draft.ess = Ess::Further(vec![draft.certificates[1].clone()]);
    }),
    ("ess-further-stranger", |draft, _| {
        draft.ess = Ess::Further(vec![b"another certificate".to_vec()]);
    }),
    ("signed-data-version-1", |draft, _| draft.version = 1),
    ("signed-data-version-2", |draft, _| draft.version = 2),
    ("signed-data-version-5", |draft, _| {
        draft.version = 5;
        draft.revocation = vec![other_revocation()];
    }),
    ("signed-data-version-6", |draft, _| draft.version = 6),
    ("no-content-type", |draft, _| draft.content_type_attribute = None),
    ("other-content-type", |draft, _| draft.content_type_attribute = Some(oid::ID_DATA)),
    ("id-data", |draft, _| {
        draft.content_type = oid::ID_DATA;
        draft.content_type_attribute = Some(oid::ID_DATA);
    }),
    ("two-signers", |draft, _| draft.signer_infos = 2),
    ("no-signer", |draft, _| draft.signer_infos = 0),
    ("status-rejection", |draft, _| draft.status = 2),
    ("status-with-changes", |draft, _| draft.status = 1),
    ("other-tsa-name", |draft, _| {
        draft.info.tsa = der::context(0, &[&der::context(4, &[&name("somebody else")])]);
    }),
    ("tsa-name", |draft, _| {
        draft.info.tsa = der::context(0, &[&der::context(4, &[&name("timestamping leaf")])]);
    }),
    ("critical-extension", |draft, _| {
        draft.info.extensions = vec![ExtensionDraft::unknown_critical()];
    }),
    ("extension", |draft, _| {
        let extension =
            ExtensionDraft { criticality: NonCritical, ..ExtensionDraft::unknown_critical() };
        draft.info.extensions = vec![extension];
    }),
    ("trailing-after-content", |draft, _| draft.info.trailing_after = vec![5, 0]),
    ("trailing-in-content", |draft, _| draft.info.trailing_inside = der::octet_string(b"more")),
    ("trailing-after-response", |draft, _| draft.trailing = vec![0]),
    ("ordering-false", |draft, _| draft.info.ordering = vec![1, 1, 0]),
    ("ordering-true", |draft, _| draft.info.ordering = der::boolean_true()),
    ("future", |draft, _| draft.info.gen_time = "20261123121000Z".into()),
    ("other-imprint", |draft, _| {
        draft.info.message_imprint = TstInfoDraft::imprint(HashAlgorithm::Sha256, b"another");
    }),
    ("sha1-imprint", |draft, signature| {
        draft.info.message_imprint = TstInfoDraft::imprint(HashAlgorithm::Sha1, signature);
    }),
    ("sha512-imprint", |draft, signature| {
        draft.info.message_imprint = TstInfoDraft::imprint(HashAlgorithm::Sha512, signature);
    }),
    ("short-imprint", |draft, _| {
        let algorithm = der::sequence(&[&der::oid(&oid::SHA256)]);
        draft.info.message_imprint = der::sequence(&[&algorithm, &der::octet_string(&[7; 20])]);
    }),
    ("other-message-digest", |draft, _| draft.message_digest = Some(vec![7; 32])),
    ("repeated-attribute", |draft, _| {
        let value = der::set_of(&[der::oid(&oid::ID_CT_TST_INFO)]);
        draft.attributes = vec![der::sequence(&[&der::oid(&oid::AT_CONTENT_TYPE), &value])];
    }),
    ("unsorted-attributes", |draft, _| draft.attributes_reversed = true),
    ("sha1-attributes", |draft, _| draft.digest_algorithm = HashAlgorithm::Sha1),
    ("other-version", |draft, _| draft.info.version = der::integer(2)),
    ("no-seconds", |draft, _| draft.info.gen_time = "202611231100Z".into()),
    ("other-zone", |draft, _| draft.info.gen_time = "20261123110000+0000".into()),
    ("fraction", |draft, _| draft.info.gen_time = "20261123110000.123Z".into()),
    ("fraction-zero", |draft, _| draft.info.gen_time = "20261123110000.50Z".into()),
    ("accuracy-1000", |draft, _| {
        let millis = der::implicit(0, &der::integer_content(1_000));
        draft.info.accuracy = der::sequence(&[&millis]);
    }),
    ("nonce-and-negative-serial", |draft, _| {
        draft.info.nonce = der::integer_verbatim(&[0xFE; 40]);
        draft.info.serial = der::integer_verbatim(&[0x80]);
    }),
];

type ChainChange = fn(&mut Chain);
const AUTHORITIES: [(&str, ChainChange); 10] = [
    ("usage-not-critical", |chain| {
        chain.leaf = chain.leaf.clone().with(usages(NonCritical, &[oid::KP_TIME_STAMPING]));
    }),
    ("more-usages", |chain| {
        let list = [oid::KP_TIME_STAMPING, oid::KP_CODE_SIGNING];
        chain.leaf = chain.leaf.clone().with(usages(Critical, &list));
    }),
    ("is-ca", |chain| chain.leaf = chain.leaf.clone().with(basic_constraints(None))),
    ("expired-before", |chain| chain.leaf.not_after = NOW.minus_seconds(2 * DAY)),
    ("expired-since", |chain| chain.leaf.not_after = NOW.minus_seconds(1_800)),
    ("not-valid-yet", |chain| chain.leaf.not_before = NOW.minus_seconds(60)),
    ("rsa-1024", |chain| chain.set_leaf_key(ForgeKey::rsa_1024())),
    ("rsa-4096", |chain| chain.set_leaf_key(ForgeKey::rsa_4096())),
    ("ed25519", |chain| chain.set_leaf_key(ForgeKey::ed25519("tsa"))),
    ("p521", |chain| chain.set_leaf_key(ForgeKey::p521("tsa"))),
];

/// The token out of a response.
fn bare(response: &[u8]) -> Vec<u8> {
    countersign_core::tsp::token(response).expect("a token").to_vec()
}

/// All of them. Half of the authorities' certificates stand in the token, all in the trust root.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let release = release();
    let signature = release.signature(&release.signing.leaf_key);
    let chain = release.stamping.sign();
    for (name, change) in TOKENS {
        let mut draft = TokenDraft::new(HashAlgorithm::Sha256, &signature);
        draft.certificates = vec![chain.leaf.clone(), chain.authority.clone()];
        change(&mut draft, &signature);
        let token = draft.sign(&release.stamping.leaf_key, &chain.leaf);
        let bundle = message(&release, &signature, &[token]);
        cases.push(case(&format!("token-{name}"), &release, bundle));
    }
    for (name, change) in AUTHORITIES {
        let mut release = self::release();
        change(&mut release.stamping);
        let bundle = message(&release, &signature, &[stamp(&release, &signature)]);
        cases.push(case(&format!("token-authority-{name}"), &release, bundle));
    }
    let genuine = stamp(&release, &signature);
    let stranger = TokenDraft::new(HashAlgorithm::Sha256, &signature)
        .sign(&ForgeKey::p256("a stranger"), &chain.leaf);
    let header = if genuine.get(1) == Some(&0x82) { 4 } else { 2 };
    let ber = [&[0x30, 0x80], &genuine[header..], &[0, 0]].concat();
    let others = [
        ("other-key", vec![stranger]),
        ("truncated", vec![genuine[..genuine.len() - 9].to_vec()]),
        ("ber", vec![ber]),
        ("ber-throughout", vec![in_ber(&genuine)]),
        ("empty", vec![Vec::new()]),
        ("one-of-two", vec![stamp(&release, b"another signature"), genuine.clone()]),
        ("twice", vec![genuine.clone(), genuine.clone()]),
        ("bare", vec![bare(&genuine)]),
        ("bare-truncated", vec![bare(&genuine)[..100].to_vec()]),
        ("over-the-file", vec![stamp(&release, crate::forge::Release::FILE)]),
    ];
    for (name, tokens) in others {
        let bundle = message(&release, &signature, &tokens);
        cases.push(case(&format!("token-{name}"), &release, bundle));
    }
    cases
}
