//! A bad certificate beside a good one, in every order and place.

use countersign_core::{finding::FindingCode, oid};
use countersign_signing::der::{
    self,
    Criticality::{Critical, NonCritical},
};
use countersign_tests::forge::{
    CertificateDraft, DAY, ExtensionDraft, NOW, basic_constraints, key_usage, usages,
};

use super::{Given, Owner, another};

/// What spoils a CA's certificate, and how it is told if there is no other.
type Spoilt = (&'static str, fn(CertificateDraft) -> CertificateDraft, FindingCode);

fn spoilt() -> Vec<Spoilt> {
    use FindingCode as F;
    vec![
        ("without keyCertSign", |ca| ca.with(key_usage(&[6])), F::CERTIFICATE_NOT_CA),
        ("without keyUsage", |ca| ca.without(oid::CE_KEY_USAGE), F::CERTIFICATE_NOT_CA),
        ("not a CA", |ca| ca.without(oid::CE_BASIC_CONSTRAINTS), F::CERTIFICATE_NOT_CA),
        ("expired", |ca| until(ca, -DAY), F::CERTIFICATE_EXPIRED_WHEN_SIGNED),
        ("not yet valid", |ca| from(ca, DAY), F::CERTIFICATE_NOT_YET_VALID),
        (
            "for TLS",
            |ca| ca.with(usages(NonCritical, &[oid::KP_SERVER_AUTH])),
            F::CERTIFICATE_WRONG_USE,
        ),
        (
            "for any use",
            |ca| ca.with(usages(NonCritical, &[oid::KP_ANY])),
            F::CERTIFICATE_WRONG_USE,
        ),
        (
            "unknown critical extension",
            |ca| ca.with(ExtensionDraft::unknown_critical()),
            F::CERTIFICATE_CONSTRAINT_NOT_SUPPORTED,
        ),
        ("demands a policy", demanding_a_policy, F::CERTIFICATE_PATH_CONSTRAINT),
        ("excludes the signer", excluding_the_signer, F::CERTIFICATE_PATH_CONSTRAINT),
    ]
}

fn until(mut draft: CertificateDraft, seconds: i64) -> CertificateDraft {
    draft.not_after = NOW.plus_seconds(seconds);
    draft
}

fn from(mut draft: CertificateDraft, seconds: i64) -> CertificateDraft {
    draft.not_before = NOW.plus_seconds(seconds);
    draft
}

fn demanding_a_policy(draft: CertificateDraft) -> CertificateDraft {
    let value = der::sequence(&[&der::implicit(0, &[0])]);
    draft.with(ExtensionDraft::new(oid::CE_POLICY_CONSTRAINTS, NonCritical, value))
}

fn excluding_the_signer(draft: CertificateDraft) -> CertificateDraft {
    let subtree = der::sequence(&[&der::implicit(1, b"example.com")]);
    let value = der::sequence(&[&der::context(1, &[&subtree])]);
    draft.with(ExtensionDraft::new(oid::CE_NAME_CONSTRAINTS, Critical, value))
}

#[test]
fn a_bad_certificate_of_a_ca_beside_a_good_one_changes_nothing() {
    let (root, ca, signer) = (Owner::new("Root"), Owner::new("CA"), Owner::new("Signer"));
    let leaf = signer.signer(&ca).sign(&ca.key);
    let anchor = root.authority(&root).sign(&root.key);
    let good = ca.authority(&root).sign(&root.key);
    for (what, spoil, alone) in spoilt() {
        let bad = another(spoil(ca.authority(&root)), 2).sign(&root.key);
        let both = Given::new(leaf.clone(), vec![bad.clone(), good.clone()], vec![anchor.clone()]);
        let path = both.in_every_order().unwrap_or_else(|finding| panic!("{what}: {finding:?}"));
        assert_eq!(path, [leaf.clone(), good.clone(), anchor.clone()], "{what}");
        let only = Given::new(leaf.clone(), vec![bad], vec![anchor.clone()]);
        let refused = only.in_every_order().expect_err(what);
        assert_eq!(refused.code, alone, "{what}");
        let about = refused.subject.unwrap_or_default();
        let expected = if what == "demands a policy" || what == "excludes the signer" {
            "CN=Signer,O=Example"
        } else {
            "CN=CA,O=Example"
        };
        assert_eq!(about, expected, "{what}: names the certificate at fault");
    }
}

#[test]
fn a_bad_certificate_two_steps_up_changes_nothing() {
    let (root, upper, ca) = (Owner::new("Root"), Owner::new("Upper"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let anchor = root.authority(&root).sign(&root.key);
    let below = ca.authority(&upper).sign(&upper.key);
    let good = upper.authority(&root).sign(&root.key);
    for (what, spoil, _) in spoilt() {
        let bad = another(spoil(upper.authority(&root)), 2).sign(&root.key);
        let intermediates = vec![bad, below.clone(), good.clone()];
        let given = Given::new(leaf.clone(), intermediates, vec![anchor.clone()]);
        assert!(given.in_every_order().is_ok(), "{what}");
    }
}

#[test]
fn a_bad_anchor_beside_a_good_one_of_the_same_key_changes_nothing() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let below = ca.authority(&root).sign(&root.key);
    let good = root.authority(&root).sign(&root.key);
    for (what, spoil) in [
        ("expired", (|ca| until(ca, -DAY)) as fn(CertificateDraft) -> CertificateDraft),
        ("not yet valid", |ca| from(ca, DAY)),
        ("not a CA", |ca| ca.without(oid::CE_BASIC_CONSTRAINTS)),
        ("pathLen 0", |ca| ca.with(basic_constraints(Some(0)))),
        ("for TLS", |ca| ca.with(usages(NonCritical, &[oid::KP_SERVER_AUTH]))),
        ("excludes the signer", excluding_the_signer),
    ] {
        let bad = another(spoil(root.authority(&root)), 2).sign(&root.key);
        let given = Given::new(leaf.clone(), vec![below.clone()], vec![bad.clone(), good.clone()]);
        assert!(given.in_every_order().is_ok(), "{what}");
        let alone = Given::new(leaf.clone(), vec![below.clone()], vec![bad]);
        assert!(alone.in_every_order().is_err(), "{what}");
    }
}

#[test]
fn a_cross_signed_root_leads_the_short_way() {
    // The long way (Signer, CA, New Root by Old Root, Old Root) breaks the old root's pathLen 1.
    let (old, new) = (Owner::new("Old Root"), Owner::new("New Root"));
    let ca = Owner::new("CA");
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let below_new = ca.authority(&new).sign(&new.key);
    let cross = new.authority(&old).sign(&old.key);
    let anchors = vec![
        old.authority(&old).with(basic_constraints(Some(1))).sign(&old.key),
        new.authority(&new).sign(&new.key),
    ];
    let given = Given::new(leaf.clone(), vec![below_new.clone(), cross.clone()], anchors.clone());
    let path = given.in_every_order().expect("the short way holds");
    assert_eq!(path, [leaf.clone(), below_new.clone(), anchors[1].clone()]);
    // With the old root alone there is the long way only.
    let given = Given::new(leaf, vec![below_new, cross], vec![anchors[0].clone()]);
    let refused = given.in_every_order().expect_err("pathLen");
    assert_eq!(refused.code, FindingCode::CERTIFICATE_PATH_CONSTRAINT);
    assert_eq!(refused.subject.as_deref(), Some("CN=Old Root,O=Example"));
}

#[test]
fn a_bad_cross_certificate_beside_a_good_one_changes_nothing() {
    let (old, new, ca) = (Owner::new("Old Root"), Owner::new("New Root"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let below = ca.authority(&new).sign(&new.key);
    let good = new.authority(&old).sign(&old.key);
    let anchor = old.authority(&old).sign(&old.key);
    for (what, spoil, _) in spoilt() {
        let bad = another(spoil(new.authority(&old)), 3).sign(&old.key);
        let given =
            Given::new(leaf.clone(), vec![bad, below.clone(), good.clone()], vec![anchor.clone()]);
        assert!(given.in_every_order().is_ok(), "{what}");
    }
}

#[test]
fn two_cas_of_one_name_and_two_keys_are_told_apart_by_their_signatures() {
    let root = Owner::new("Root");
    let (first, second) = (Owner::new("CA"), Owner::new("CA").with_key("another key"));
    let leaf = Owner::new("Signer").signer(&first).sign(&first.key);
    let (one, two) =
        (first.authority(&root).sign(&root.key), second.authority(&root).sign(&root.key));
    let anchor = root.authority(&root).sign(&root.key);
    let given = Given::new(leaf.clone(), vec![two.clone(), one.clone()], vec![anchor.clone()]);
    assert_eq!(given.in_every_order().expect("a path")[1], one);
    let refused = Given::new(leaf, vec![two], vec![anchor]).in_every_order().expect_err("none");
    assert_eq!(refused.code, FindingCode::CERTIFICATE_UNKNOWN_ISSUER);
    assert_eq!(refused.found.as_deref(), Some("another signature"));
}

#[test]
fn a_wrong_key_identifier_hides_nobody() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let identifier = der::sequence(&[&der::implicit(0, &[7; 20])]);
    let wrong = ExtensionDraft::new(oid::CE_AUTHORITY_KEY_IDENTIFIER, NonCritical, identifier);
    let leaf = Owner::new("Signer").signer(&ca).with(wrong).sign(&ca.key);
    let anchor = root.authority(&root).sign(&root.key);
    let given = Given::new(leaf, vec![ca.authority(&root).sign(&root.key)], vec![anchor]);
    assert!(given.in_every_order().is_ok());
}

#[test]
fn a_root_rolls_over_to_a_new_key() {
    // RFC 4210 §4.4: old with new, new with old; both are self-issued.
    let old = Owner::new("Root");
    let new = old.with_key("new key of the root");
    let ca = Owner::new("CA");
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let new_with_old = old_key_certifies(&new, &old);
    let old_with_new = old_key_certifies(&old, &new);
    let by_new = ca.authority(&new).sign(&new.key);
    let old_root = old.authority(&old).with(basic_constraints(Some(1))).sign(&old.key);
    let given = Given::new(
        leaf.clone(),
        vec![old_with_new, new_with_old.clone(), by_new.clone()],
        vec![old_root.clone()],
    );
    // The self-issued certificate does not count for the old root's pathLen 1 (§4.2.1.9).
    let path = given.in_every_order().expect("a path over the roll-over");
    assert_eq!(path, [leaf, by_new, new_with_old, old_root]);
}

fn old_key_certifies(subject: &Owner, issuer: &Owner) -> Vec<u8> {
    another(subject.authority(issuer), 9).sign(&issuer.key)
}

#[test]
fn a_ca_with_path_length_0_may_certify_its_own_next_key() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let next = ca.with_key("next key of the CA");
    let leaf = Owner::new("Signer").signer(&next).sign(&next.key);
    let anchor = root.authority(&root).with(basic_constraints(Some(1))).sign(&root.key);
    let authority = ca.authority(&root).with(basic_constraints(Some(0))).sign(&root.key);
    let own = next.authority(&ca).with(basic_constraints(Some(0))).sign(&ca.key);
    let given = Given::new(leaf, vec![authority.clone(), own], vec![anchor.clone()]);
    assert!(given.in_every_order().is_ok());
    // Another CA below it is one too many.
    let other = Owner::new("Other CA");
    let leaf = Owner::new("Signer").signer(&other).sign(&other.key);
    let below = other.authority(&ca).sign(&ca.key);
    let refused = Given::new(leaf, vec![authority, below], vec![anchor]).in_every_order();
    assert_eq!(refused.expect_err("pathLen").code, FindingCode::CERTIFICATE_PATH_CONSTRAINT);
}

#[test]
fn an_anchor_among_the_intermediates_and_repeated_certificates_do_no_harm() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let anchor = root.authority(&root).sign(&root.key);
    let authority = ca.authority(&root).sign(&root.key);
    let intermediates = vec![anchor.clone(), authority.clone(), authority.clone(), leaf.clone()];
    let given = Given::new(leaf.clone(), intermediates, vec![anchor.clone()]);
    assert_eq!(given.in_every_order().expect("a path"), [leaf, authority, anchor]);
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let anchor = root.authority(&root).sign(&root.key);
    let authority = ca.authority(&root).sign(&root.key);
    let junk = vec![0x30, 0x01, 0x00];
    let given = Given::new(leaf.clone(), vec![junk.clone(), authority], vec![anchor.clone()]);
    assert!(given.in_every_order().is_ok());
    // If nobody else is there, it may have been the issuer.
    let refused = Given::new(leaf, vec![junk], vec![anchor]).in_every_order().expect_err("none");
    assert_eq!(refused.code, FindingCode::CERTIFICATE_MALFORMED);
}

/// Layers of CAs, each layer of several certificates with one name and one key.
fn layers(depth: usize, width: u8) -> Given {
    let owners: Vec<Owner> =
        (0..=depth).map(|layer| Owner::new(&format!("Layer {layer}"))).collect();
    let mut intermediates = Vec::new();
    for pair in owners.windows(2) {
        for serial in 0..width {
            intermediates.push(another(pair[0].authority(&pair[1]), serial).sign(&pair[1].key));
        }
    }
    let root = &owners[depth];
    let anchor = until(root.authority(root), -DAY).sign(&root.key);
    Given::new(
        Owner::new("Signer").signer(&owners[0]).sign(&owners[0].key),
        intermediates,
        vec![anchor],
    )
}

#[test]
fn layers_of_equal_cas_end_by_the_budget_and_not_by_patience() {
    // 5^6 paths to an expired anchor, and 10^5 that lead nowhere.
    let refused = layers(6, 5).in_this_order().expect_err("an expired anchor");
    assert_eq!(refused.code, FindingCode::CERTIFICATE_CHAIN_TOO_LONG);
    let mut nowhere = layers(5, 10);
    nowhere.anchors.clear();
    let refused = nowhere.in_this_order().expect_err("no anchor");
    assert_eq!(refused.code, FindingCode::CERTIFICATE_CHAIN_TOO_LONG);
}

#[test]
fn as_many_issuers_as_the_budget_allows_are_followed() {
    let straight = |depth| {
        let mut given = layers(depth, 1);
        let root = Owner::new(&format!("Layer {depth}"));
        given.anchors = vec![root.authority(&root).sign(&root.key)];
        given.in_this_order().map(|path| path.len())
    };
    assert_eq!(straight(7), Ok(9));
    assert_eq!(straight(8).expect_err("too long").code, FindingCode::CERTIFICATE_CHAIN_TOO_LONG);
}
