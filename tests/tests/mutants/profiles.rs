//! The lint of certificates (`x509::profile::inspect`): for each profile a certificate that follows its
//! profile, and certificates that break one rule of it, which the lint names.

use countersign_core::{
    finding::FindingCode,
    oid,
    x509::{
        Certificate,
        profile::{Profile, inspect},
    },
};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::Signer as _,
};
use countersign_tests::forge::{
    CertificateDraft, ExtensionDraft, ForgeKey, basic_constraints, key_usage, name, usages,
};

/// digitalSignature.
const SIGNING: &[u8] = &[0];
/// keyCertSign and cRLSign.
const ISSUING: &[u8] = &[5, 6];

const EMAIL: (u8, &[u8]) = (1, b"release@example.com");
const DNS: (u8, &[u8]) = (2, b"revocation.example");
const URI: (u8, &[u8]) = (6, b"https://example.com/release");
const IP: (u8, &[u8]) = (7, &[127, 0, 0, 1]);

const SUBJECT: &str = "RFC 5280 §4.1.2.6: a subject, or a critical subjectAltName on a leaf";
const POSITIVE: &str = "RFC 5280 §4.1.2.2: a positive serial number";
const LONG: &str = "CA/B CSBR §7.1: a serial with at least 64 random bits";
const IS_CA: &str = "RFC 5280 §4.2.1.9: basicConstraints with cA";
const CRITICAL_CA: &str = "RFC 5280 §4.2.1.9: critical basicConstraints";
const NO_FURTHER_CA: &str = "pathLenConstraint 0: issues no further CA";
const ONE_ISSUER: &str = "RFC 5280 §3.2: only the root is its own issuer";
const ONE_IDENTITY: &str = "RFC 5280 §4.2.1.6: exactly one e-mail address or URI";
const ONLY_CODE_SIGNING: &str = "RFC 5280 §4.2.1.12: extKeyUsage exactly [codeSigning]";

/// subjectAltName with these names.
fn alternative_names(names: &[(u8, &[u8])]) -> ExtensionDraft {
    let names: Vec<Vec<u8>> =
        names.iter().map(|(kind, value)| der::implicit(*kind, value)).collect();
    ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, der::sequence_of(&names))
}

/// authorityInfoAccess with an address for each method.
fn access(methods: &[const_oid::ObjectIdentifier]) -> ExtensionDraft {
    let descriptions: Vec<Vec<u8>> = methods
        .iter()
        .map(|method| der::sequence(&[&der::oid(method), &der::implicit(6, b"http://ca.example")]))
        .collect();
    let value = der::sequence_of(&descriptions);
    ExtensionDraft::new(oid::PE_AUTHORITY_INFO_ACCESS, NonCritical, value)
}

fn issuer_key() -> ForgeKey {
    ForgeKey::p384("issuer")
}

/// What a careful CA issues of that profile.
fn draft(profile: Profile) -> CertificateDraft {
    let (subject, issuer) = (name("subject"), name("issuer"));
    let key = ForgeKey::p384("subject");
    let below = CertificateDraft::new(&subject, &key, &issuer, &issuer_key())
        .with(access(&[oid::AD_OCSP, oid::AD_CA_ISSUERS]));
    let intermediate = || below.clone().with(basic_constraints(Some(0))).with(key_usage(ISSUING));
    let leaf = |usage| below.clone().with(key_usage(SIGNING)).with(usages(NonCritical, &[usage]));
    match profile {
        Profile::Root => CertificateDraft::new(&issuer, &issuer_key(), &issuer, &issuer_key())
            .without(oid::CE_AUTHORITY_KEY_IDENTIFIER)
            .without(oid::CE_CRL_DISTRIBUTION_POINTS)
            .with(basic_constraints(None))
            .with(key_usage(ISSUING)),
        Profile::SigningCa => intermediate().with(usages(NonCritical, &[oid::KP_CODE_SIGNING])),
        Profile::TimestampingCa => {
            intermediate().with(usages(NonCritical, &[oid::KP_TIME_STAMPING]))
        }
        Profile::ServiceCa => {
            intermediate().with(usages(NonCritical, &[oid::KP_SERVER_AUTH, oid::KP_CLIENT_AUTH]))
        }
        Profile::CodeSigner => leaf(oid::KP_CODE_SIGNING).with(alternative_names(&[EMAIL])),
        Profile::TimestampAuthority => {
            leaf(oid::KP_TIME_STAMPING).with(usages(Critical, &[oid::KP_TIME_STAMPING]))
        }
        Profile::OcspDelegate => leaf(oid::KP_OCSP_SIGNING).with(ExtensionDraft::new(
            oid::OCSP_NO_CHECK,
            NonCritical,
            der::NULL.to_vec(),
        )),
        Profile::TlsServer => leaf(oid::KP_SERVER_AUTH).with(alternative_names(&[DNS])),
        Profile::TlsClient => leaf(oid::KP_CLIENT_AUTH).with(alternative_names(&[URI])),
    }
}

/// The rules that a certificate of that profile with one change breaks.
#[track_caller]
fn broken(
    profile: Profile,
    change: impl FnOnce(CertificateDraft) -> CertificateDraft,
) -> Vec<String> {
    let bytes = change(draft(profile)).sign(&issuer_key());
    let certificate = Certificate::decode(&bytes).expect("a certificate of ours decodes");
    let named = inspect(&certificate, profile).into_iter().map(|finding| {
        assert_eq!(finding.code, FindingCode::CERTIFICATE_PROFILE);
        assert_eq!(finding.subject, Some(certificate.subject_text()));
        finding.expected.expect("a rule")
    });
    named.collect()
}

/// A code signer's rules, with one change to a field.
#[track_caller]
fn signer(change: impl FnOnce(&mut CertificateDraft)) -> Vec<String> {
    broken(Profile::CodeSigner, |mut draft| {
        change(&mut draft);
        draft
    })
}

const NONE: [&str; 0] = [];

#[test]
fn a_certificate_that_follows_its_profile_breaks_no_rule() {
    for profile in Profile::ALL {
        assert_eq!(broken(profile, |draft| draft), NONE, "{profile:?}");
    }
}

#[test]
fn names_what_is_wrong_with_a_serial_number() {
    let serial = |octets: &[u8]| signer(|draft| draft.serial = octets.to_vec());
    assert_eq!(serial(&[0]), [POSITIVE, LONG]);
    assert_eq!(serial(&[0x80; 16]), [POSITIVE]);
    assert_eq!(serial(&[0xC0; 16]), [POSITIVE]);
    assert_eq!(serial(&[0x7F; 16]), NONE);
    assert_eq!(serial(&[1; 7]), [LONG]);
    assert_eq!(serial(&[1; 8]), NONE);
    assert_eq!(serial(&[1; 20]), NONE);
    assert_eq!(serial(&[1; 21]), ["RFC 5280 §4.1.2.2: a serial of at most 20 octets"]);
}

#[test]
fn names_what_is_wrong_with_version_validity_and_key() {
    let first = signer(|draft| draft.extensions.clear());
    assert_eq!(first.first().map(String::as_str), Some("RFC 5280 §4.1.2.1: version 3"));
    let validity =
        |seconds: i64| signer(|draft| draft.not_after = draft.not_before.plus_seconds(seconds));
    assert_eq!(validity(0), NONE);
    assert_eq!(validity(-1), ["RFC 5280 §4.1.2.5: notBefore not after notAfter"]);
    let weak = signer(|draft| draft.spki = ForgeKey::rsa_1024().spki().to_vec());
    assert_eq!(weak, ["P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits"]);
}

#[test]
fn names_what_is_wrong_with_issuer_and_subject() {
    let own = signer(|draft| draft.issuer = draft.subject.clone());
    assert_eq!(own, [ONE_ISSUER]);
    let other = broken(Profile::Root, |root| CertificateDraft { issuer: name("another"), ..root });
    assert_eq!(other, [ONE_ISSUER]);
    let nameless = |draft: CertificateDraft| CertificateDraft { subject: vec![0x30, 0], ..draft };
    let critical = || ExtensionDraft { criticality: Critical, ..alternative_names(&[EMAIL]) };
    assert_eq!(broken(Profile::CodeSigner, nameless), [SUBJECT]);
    assert_eq!(broken(Profile::CodeSigner, |draft| nameless(draft).with(critical())), NONE);
    assert_eq!(broken(Profile::CodeSigner, |draft| draft.with(critical())), NONE);
    assert_eq!(broken(Profile::SigningCa, |draft| nameless(draft).with(critical())), [SUBJECT]);
}

#[test]
fn names_what_is_wrong_with_basic_constraints() {
    let a_ca = broken(Profile::CodeSigner, |draft| draft.with(basic_constraints(None)));
    assert_eq!(a_ca, ["RFC 5280 §4.2.1.9: not a CA"]);
    let without = |draft: CertificateDraft| draft.without(oid::CE_BASIC_CONSTRAINTS);
    assert_eq!(broken(Profile::SigningCa, without), [IS_CA, CRITICAL_CA, NO_FURTHER_CA]);
    assert_eq!(broken(Profile::Root, without), [IS_CA, CRITICAL_CA]);
    let uncritical = broken(Profile::SigningCa, |draft| {
        draft.with(ExtensionDraft { criticality: NonCritical, ..basic_constraints(Some(0)) })
    });
    assert_eq!(uncritical, [CRITICAL_CA]);
    for length in [None, Some(1)] {
        let longer = broken(Profile::SigningCa, |draft| draft.with(basic_constraints(length)));
        assert_eq!(longer, [NO_FURTHER_CA], "{length:?}");
    }
}

#[test]
fn names_what_is_wrong_with_key_usage() {
    let with = |usage: ExtensionDraft| broken(Profile::CodeSigner, |draft| draft.with(usage));
    let without = signer(|draft| *draft = draft.clone().without(oid::CE_KEY_USAGE));
    assert_eq!(without, ["RFC 5280 §4.2.1.3: keyUsage"]);
    let uncritical = ExtensionDraft { criticality: NonCritical, ..key_usage(SIGNING) };
    assert_eq!(with(uncritical), ["RFC 5280 §4.2.1.3: critical keyUsage"]);
    assert_eq!(with(key_usage(&[0, 1])), ["RFC 5280 §4.2.1.3: keyUsage digitalSignature"]);
    let authority = broken(Profile::Root, |draft| draft.with(key_usage(&[5])));
    assert_eq!(authority, ["RFC 5280 §4.2.1.3: keyUsage keyCertSign, cRLSign"]);
}

#[test]
fn names_what_is_wrong_with_extended_key_usage() {
    let with = |usages: ExtensionDraft| broken(Profile::CodeSigner, |draft| draft.with(usages));
    let without = signer(|draft| *draft = draft.clone().without(oid::CE_EXT_KEY_USAGE));
    assert_eq!(without, ["RFC 5280 §4.2.1.12: extKeyUsage"]);
    let more = usages(NonCritical, &[oid::KP_CODE_SIGNING, oid::KP_SERVER_AUTH]);
    assert_eq!(with(more), [ONLY_CODE_SIGNING]);
    assert_eq!(with(usages(NonCritical, &[oid::KP_SERVER_AUTH])), [ONLY_CODE_SIGNING]);
    assert_eq!(with(usages(Critical, &[oid::KP_CODE_SIGNING])), NONE);
    let root = broken(Profile::Root, |draft| draft.with(usages(NonCritical, &[oid::KP_ANY])));
    assert_eq!(root, ["RFC 5280 §4.2.1.12: extKeyUsage exactly []"]);
    let uncritical = broken(Profile::TimestampAuthority, |draft| {
        draft.with(usages(NonCritical, &[oid::KP_TIME_STAMPING]))
    });
    assert_eq!(uncritical, ["RFC 3161 §2.3: critical extKeyUsage"]);
}

#[test]
fn names_what_is_wrong_with_alternative_names() {
    let with = |profile: Profile, names: &[(u8, &[u8])]| {
        broken(profile, |draft| draft.with(alternative_names(names)))
    };
    assert_eq!(with(Profile::CodeSigner, &[URI]), NONE);
    assert_eq!(with(Profile::CodeSigner, &[EMAIL, URI]), [ONE_IDENTITY]);
    assert_eq!(with(Profile::CodeSigner, &[EMAIL, DNS]), [ONE_IDENTITY]);
    assert_eq!(with(Profile::CodeSigner, &[DNS]), [ONE_IDENTITY]);
    let nobody = signer(|draft| *draft = draft.clone().without(oid::CE_SUBJECT_ALT_NAME));
    assert_eq!(nobody, [ONE_IDENTITY]);
    let host = "RFC 5280 §4.2.1.6: a DNS name or IP address";
    assert_eq!(with(Profile::TlsServer, &[IP]), NONE);
    assert_eq!(with(Profile::TlsServer, &[DNS, IP]), NONE);
    assert_eq!(with(Profile::TlsServer, &[EMAIL]), [host]);
}

#[test]
fn names_the_pointers_that_are_missing() {
    let without = |id| signer(|draft| *draft = draft.clone().without(id));
    let subject = "RFC 5280 §4.2.1.2: subjectKeyIdentifier";
    let ocsp = "RFC 5280 §4.2.2.1: authorityInfoAccess with OCSP";
    let issuers = "RFC 5280 §4.2.2.1: authorityInfoAccess with caIssuers";
    assert_eq!(without(oid::CE_SUBJECT_KEY_IDENTIFIER), [subject]);
    let root = |draft: CertificateDraft| draft.without(oid::CE_SUBJECT_KEY_IDENTIFIER);
    assert_eq!(broken(Profile::Root, root), [subject]);
    let authority = without(oid::CE_AUTHORITY_KEY_IDENTIFIER);
    assert_eq!(authority, ["RFC 5280 §4.2.1.1: authorityKeyIdentifier"]);
    let lists = without(oid::CE_CRL_DISTRIBUTION_POINTS);
    assert_eq!(lists, ["RFC 5280 §4.2.1.13: cRLDistributionPoints with a URI"]);
    let only = |method| broken(Profile::CodeSigner, |draft| draft.with(access(&[method])));
    assert_eq!(only(oid::AD_CA_ISSUERS), [ocsp]);
    assert_eq!(only(oid::AD_OCSP), [issuers]);
    let unchecked = broken(Profile::OcspDelegate, |draft| draft.without(oid::OCSP_NO_CHECK));
    assert_eq!(unchecked, ["RFC 6960 §4.2.2.2.1: id-pkix-ocsp-nocheck"]);
}
