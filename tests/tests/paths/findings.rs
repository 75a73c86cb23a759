//! A refusal names the certificate at fault, the extension, the algorithm, the size.

use countersign_core::{finding::Finding, oid};
use countersign_signing::der::{self, Criticality::Critical};
use countersign_tests::forge::{CertificateDraft, DAY, ExtensionDraft, ForgeKey, NOW, name};

use super::{Given, Owner, another};

/// Signer, CA, Root, with the CA's and the signer's certificate changed.
fn refused(
    authority: impl FnOnce(CertificateDraft) -> CertificateDraft,
    signer: impl FnOnce(CertificateDraft) -> CertificateDraft,
) -> Finding {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let leaf = signer(Owner::new("Signer").signer(&ca)).sign(&ca.key);
    let authority = authority(ca.authority(&root)).sign(&root.key);
    let anchor = root.authority(&root).sign(&root.key);
    Given::new(leaf, vec![authority], vec![anchor]).in_every_order().expect_err("refused")
}

/// Code, about whom, what was found.
fn shown(finding: &Finding) -> [String; 3] {
    let code = finding.code.code().to_owned();
    [code, finding.subject.clone().unwrap_or_default(), finding.found.clone().unwrap_or_default()]
}

#[test]
fn the_expired_issuer_is_named_and_not_the_signer() {
    let finding = refused(
        |mut ca| {
            ca.not_after = NOW.minus_seconds(DAY);
            ca
        },
        |signer| signer,
    );
    assert_eq!(shown(&finding)[0], "certificate.expired");
    assert_eq!(shown(&finding)[1], "CN=CA,O=Example");
    let expected = format!("not after {}", NOW.minus_seconds(DAY));
    assert_eq!(finding.expected.as_deref(), Some(&*expected));
}

#[test]
fn the_issuer_that_is_no_ca_is_named() {
    let finding = refused(|ca| ca.without(oid::CE_BASIC_CONSTRAINTS), |signer| signer);
    let expected = ["certificate.not-ca", "CN=CA,O=Example", "an end-entity certificate"];
    assert_eq!(shown(&finding), expected);
}

#[test]
fn the_critical_extension_is_named_and_whose_it_is() {
    let unknown = || ExtensionDraft::unknown_critical();
    let found = "critical extension 1.3.6.1.4.1.32473.99";
    let finding = refused(|ca| ca.with(unknown()), |signer| signer);
    let code = "certificate.constraint-not-supported";
    assert_eq!(shown(&finding), [code, "CN=CA,O=Example", found]);
    let finding = refused(|ca| ca, |signer| signer.with(unknown()));
    assert_eq!(shown(&finding), [code, "CN=Signer,O=Example", found]);
    let identifier = der::octet_string(&[1; 20]);
    let identifier = ExtensionDraft::new(oid::CE_SUBJECT_KEY_IDENTIFIER, Critical, identifier);
    let finding = refused(|ca| ca.with(identifier), |signer| signer);
    let found = "critical extension subjectKeyIdentifier (2.5.29.14)";
    assert_eq!(shown(&finding), [code, "CN=CA,O=Example", found]);
}

#[test]
fn the_signature_algorithm_is_named_and_whose_certificate_bears_it() {
    let sha_1 = || Some(der::sequence(&[&der::oid(&"1.2.840.10045.4.1".parse().expect("an OID"))]));
    let finding = refused(
        |mut ca| {
            ca.algorithm = sha_1();
            ca
        },
        |signer| signer,
    );
    assert_eq!(shown(&finding)[0], "certificate.key.weak");
    assert_eq!(shown(&finding)[1], "CN=CA,O=Example");
    assert!(shown(&finding)[2].starts_with("ecdsa-with-SHA1 (1.2.840.10045.4.1)"), "{finding:?}");
}

#[test]
fn the_weak_key_is_named_with_its_size() {
    let (root, signer) = (Owner::new("Root"), Owner::new("Signer"));
    let ca = Owner { name: name("CA"), key: ForgeKey::rsa_1024() };
    let leaf = signer.signer(&ca).sign(&ca.key);
    let authority = ca.authority(&root).sign(&root.key);
    let anchor = root.authority(&root).sign(&root.key);
    let finding = Given::new(leaf, vec![authority], vec![anchor]).in_every_order();
    let finding = finding.expect_err("a weak key");
    assert_eq!(shown(&finding), ["certificate.key.weak", "CN=CA,O=Example", "RSA of 1024 bits"]);
}

#[test]
fn the_missing_issuer_is_named() {
    let (root, upper, ca) = (Owner::new("Root"), Owner::new("Upper"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let below = ca.authority(&upper).sign(&upper.key);
    let anchor = root.authority(&root).sign(&root.key);
    let finding = Given::new(leaf, vec![below], vec![anchor]).in_every_order().expect_err("none");
    let expected = ["certificate.unknown-issuer", "CN=CA,O=Example", "CN=Upper,O=Example"];
    assert_eq!(shown(&finding), expected);
}

#[test]
fn what_is_certainly_wrong_goes_before_what_could_not_be_checked() {
    let finding = refused(
        |ca| ca.with(ExtensionDraft::unknown_critical()),
        |mut signer| {
            signer.not_after = NOW.minus_seconds(1);
            signer
        },
    );
    assert_eq!(shown(&finding)[0], "certificate.expired");
}

#[test]
fn of_several_paths_the_one_that_could_not_be_checked_is_told() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let anchor = root.authority(&root).sign(&root.key);
    let unknown = ca.authority(&root).with(ExtensionDraft::unknown_critical()).sign(&root.key);
    let wrong = another(ca.authority(&root), 2).without(oid::CE_BASIC_CONSTRAINTS).sign(&root.key);
    let given = Given::new(leaf, vec![unknown, wrong], vec![anchor]);
    let finding = given.in_every_order().expect_err("neither holds");
    assert_eq!(shown(&finding)[0], "certificate.constraint-not-supported");
}
