//! Names as RFC 5280 §7.1 compares them, name constraints of every form, certificate policies.

use const_oid::ObjectIdentifier;
use countersign_core::{finding::FindingCode, oid, x509::name as names};
use countersign_signing::der::{
    self,
    Criticality::{Critical, NonCritical},
};
use countersign_tests::forge::{CertificateDraft, ExtensionDraft, basic_constraints};

use super::{Given, Owner, alternative_names};

type Outcome = Result<(), FindingCode>;

/// A `Name` of attributes: number below id-at, tag of the string, text.
fn named(attributes: &[(ObjectIdentifier, u8, &str)]) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(id, tag, text)| {
            let value =
                [&[*tag, u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
            let attribute = der::sequence(&[&der::oid(id), &value]);
            [&[0x31, u8::try_from(attribute.len()).expect("short")], &attribute[..]].concat()
        })
        .collect();
    der::sequence_of(&rdns)
}

const UTF8: u8 = 12;
const PRINTABLE: u8 = 19;
const IA5: u8 = 22;

/// Signer, CA, Root; the CA's and the signer's certificate changed.
fn outcome(
    authority: impl FnOnce(CertificateDraft) -> CertificateDraft,
    signer: impl FnOnce(CertificateDraft) -> CertificateDraft,
) -> Outcome {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let leaf = signer(Owner::new("Signer").signer(&ca)).sign(&ca.key);
    let authority = authority(ca.authority(&root)).sign(&root.key);
    let anchor = root.authority(&root).sign(&root.key);
    let given = Given::new(leaf, vec![authority], vec![anchor]);
    given.in_every_order().map(|_| ()).map_err(|finding| finding.code)
}

const BROKEN: Outcome = Err(FindingCode::CERTIFICATE_PATH_CONSTRAINT);

/// nameConstraints with those subtrees, each an encoded `GeneralName`.
fn constraints(permitted: &[&[u8]], excluded: &[&[u8]]) -> ExtensionDraft {
    let list = |number, bases: &[&[u8]]| {
        let subtrees: Vec<Vec<u8>> = bases.iter().map(|base| der::sequence(&[base])).collect();
        if subtrees.is_empty() { Vec::new() } else { der::context(number, &[&subtrees.concat()]) }
    };
    let value = der::sequence(&[&list(0, permitted), &list(1, excluded)]);
    ExtensionDraft::new(oid::CE_NAME_CONSTRAINTS, Critical, value)
}

#[test]
fn an_issuer_is_found_whatever_the_string_type_case_and_blanks_of_its_name() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let anchor = root.authority(&root).sign(&root.key);
    let authority = ca.authority(&root).sign(&root.key);
    let spellings = [
        [(oid::AT_ORGANIZATION, PRINTABLE, "Example"), (oid::AT_COMMON_NAME, PRINTABLE, "CA")],
        [(oid::AT_ORGANIZATION, UTF8, "EXAMPLE"), (oid::AT_COMMON_NAME, UTF8, " ca ")],
    ];
    for spelling in spellings {
        let issuer = named(&spelling);
        assert!(names::equal(&issuer, &ca.name));
        let mut leaf = Owner::new("Signer").signer(&ca);
        leaf.issuer = issuer;
        let given = Given::new(leaf.sign(&ca.key), vec![authority.clone()], vec![anchor.clone()]);
        assert!(given.in_every_order().is_ok());
    }
    let mut leaf = Owner::new("Signer").signer(&ca);
    leaf.issuer =
        named(&[(oid::AT_ORGANIZATION, UTF8, "Example"), (oid::AT_COMMON_NAME, UTF8, "C A")]);
    let given = Given::new(leaf.sign(&ca.key), vec![authority], vec![anchor]);
    let refused = given.in_every_order().expect_err("another name");
    assert_eq!(refused.code, FindingCode::CERTIFICATE_UNKNOWN_ISSUER);
}

#[test]
fn e_mail_addresses_are_held_against_constraints() {
    // The signer is release@example.com.
    let email = |text: &str| der::implicit(1, text.as_bytes());
    let permitting = |text| outcome(|ca| ca.with(constraints(&[&email(text)], &[])), |leaf| leaf);
    let excluding = |text| outcome(|ca| ca.with(constraints(&[], &[&email(text)])), |leaf| leaf);
    for (base, within) in [
        ("example.com", true),
        ("EXAMPLE.com", true),
        ("release@example.com", true),
        (".example.com", false),
        (".com", true),
        ("example.org", false),
        ("other@example.com", false),
    ] {
        assert_eq!(permitting(base).is_ok(), within, "permitted {base}");
        assert_eq!(excluding(base).is_ok(), !within, "excluded {base}");
    }
    assert_eq!(permitting("example.org"), BROKEN);
    // One of several permitted bases is enough; one excluded is too much.
    let both = constraints(&[&email("example.org"), &email("example.com")], &[]);
    assert_eq!(outcome(|ca| ca.with(both), |leaf| leaf), Ok(()));
    let carved = constraints(&[&email("example.com")], &[&email("release@example.com")]);
    assert_eq!(outcome(|ca| ca.with(carved), |leaf| leaf), BROKEN);
}

#[test]
fn an_address_in_the_subject_is_held_against_constraints_too() {
    let permitted = constraints(&[&der::implicit(1, b"example.com")], &[]);
    let with_address = |address: &'static str| {
        let permitted = permitted.clone();
        outcome(
            |ca| ca.with(permitted),
            move |mut leaf| {
                leaf.subject = named(&[
                    (oid::AT_COMMON_NAME, UTF8, "Signer"),
                    (oid::AT_EMAIL_ADDRESS, IA5, address),
                ]);
                leaf
            },
        )
    };
    assert_eq!(with_address("a@example.com"), Ok(()));
    assert_eq!(with_address("a@example.org"), BROKEN);
    assert_eq!(with_address("nobody"), BROKEN);
}

#[test]
fn uris_are_held_against_constraints_by_their_host() {
    let uri = |text: &str| der::implicit(6, text.as_bytes());
    let signer = |address: &'static str| {
        move |leaf: CertificateDraft| leaf.with(alternative_names(&[&uri(address)]))
    };
    let permitted = |base| constraints(&[&uri(base)], &[]);
    let excluded = |base| constraints(&[], &[&uri(base)]);
    let address = "https://build.example.com:8443/job?x=1";
    let run = |constraint, address| outcome(|ca| ca.with(constraint), signer(address));
    assert_eq!(run(permitted("build.example.com"), address), Ok(()));
    assert_eq!(run(permitted(".example.com"), address), Ok(()));
    assert_eq!(run(permitted("example.com"), address), BROKEN);
    assert_eq!(run(excluded(".example.com"), address), BROKEN);
    assert_eq!(run(excluded("example.com"), address), Ok(()));
    // §4.2.1.10: what has no domain name is refused under a constraint on URIs.
    for without in ["urn:uuid:f81d4fae", "https://192.0.2.1/"] {
        assert_eq!(run(permitted(".example.com"), without), BROKEN, "{without}");
        assert_eq!(run(excluded(".example.com"), without), BROKEN, "{without}");
    }
}

#[test]
fn directory_names_are_held_against_constraints() {
    let directory = |name: &[u8]| der::context(4, &[name]);
    let organisation = |text| named(&[(oid::AT_ORGANIZATION, PRINTABLE, text)]);
    let run = |permitted: &[&[u8]], excluded: &[&[u8]]| {
        let constraint = constraints(permitted, excluded);
        outcome(|ca| ca.with(constraint), |leaf| leaf)
    };
    // The signer's subject is O=Example, CN=Signer as UTF8String.
    assert_eq!(run(&[&directory(&organisation("EXAMPLE"))], &[]), Ok(()));
    assert_eq!(run(&[&directory(&organisation("Else"))], &[]), BROKEN);
    assert_eq!(run(&[], &[&directory(&organisation("example"))]), BROKEN);
    assert_eq!(run(&[], &[&directory(&organisation("Else"))]), Ok(()));
    // Directory names among the alternative names count as well.
    let other = directory(&organisation("Else"));
    let constraint = constraints(&[], &[&other]);
    let address = der::implicit(1, b"a@example.com");
    let with_name = |leaf: CertificateDraft| leaf.with(alternative_names(&[&address, &other]));
    assert_eq!(outcome(|ca| ca.with(constraint), with_name), BROKEN);
}

#[test]
fn hosts_and_addresses_are_held_against_constraints() {
    let dns = |text: &str| der::implicit(2, text.as_bytes());
    let run = |constraint: ExtensionDraft, name: Vec<u8>| {
        outcome(|ca| ca.with(constraint), |leaf| leaf.with(alternative_names(&[&name])))
    };
    assert_eq!(run(constraints(&[&dns("example.org")], &[]), dns("a.example.org")), Ok(()));
    assert_eq!(run(constraints(&[&dns("example.org")], &[]), dns("example.com")), BROKEN);
    assert_eq!(run(constraints(&[], &[&dns("www.example.org")]), dns("*.example.org")), BROKEN);
    let range = der::implicit(7, &[192, 0, 2, 0, 255, 255, 255, 0]);
    let address = |last| der::implicit(7, &[192, 0, last, 1]);
    assert_eq!(run(constraints(&[&range], &[]), address(2)), Ok(()));
    assert_eq!(run(constraints(&[&range], &[]), address(3)), BROKEN);
    assert_eq!(run(constraints(&[], &[&range]), address(2)), BROKEN);
    // IPv6 is not in a range of IPv4, and only such a range is permitted.
    assert_eq!(run(constraints(&[&range], &[]), der::implicit(7, &[0; 16])), BROKEN);
    // A name of another form is not constrained.
    assert_eq!(run(constraints(&[&range], &[]), dns("example.com")), Ok(()));
}

#[test]
fn constraints_of_every_issuer_hold_and_of_the_anchor() {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let leaf = Owner::new("Signer").signer(&ca).sign(&ca.key);
    let authority = ca.authority(&root).sign(&root.key);
    for (base, holds) in [("example.com", true), ("example.org", false)] {
        let constraint = constraints(&[&der::implicit(1, base.as_bytes())], &[]);
        let anchor = root.authority(&root).with(constraint).sign(&root.key);
        let given = Given::new(leaf.clone(), vec![authority.clone()], vec![anchor]);
        assert_eq!(given.in_every_order().is_ok(), holds, "{base}");
    }
}

#[test]
fn self_issued_cas_are_excepted_from_constraints_and_the_signer_is_not() {
    // RFC 5280 §6.1.3 (b), (c): the CA's own next certificate lies outside what the root permits.
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let next = ca.with_key("next key");
    let base = der::context(4, &[&named(&[(oid::AT_ORGANIZATION, UTF8, "Example")])]);
    let anchor = root.authority(&root).with(constraints(&[&base], &[])).sign(&root.key);
    // A CA outside, not self-issued: refused.
    let mut authority = ca.authority(&root);
    authority.subject = named(&[(oid::AT_COMMON_NAME, UTF8, "Outside")]);
    let mut leaf = Owner::new("Signer").signer(&ca);
    leaf.issuer.clone_from(&authority.subject);
    let given =
        Given::new(leaf.sign(&ca.key), vec![authority.sign(&root.key)], vec![anchor.clone()]);
    let refused = given.in_every_order().expect_err("outside");
    assert_eq!(refused.code, FindingCode::CERTIFICATE_PATH_CONSTRAINT);
    // Below a CA inside, its self-issued successor is excepted whatever its address.
    let authority = ca.authority(&root).with(basic_constraints(Some(0)));
    let email = constraints(&[&der::implicit(1, b"example.com")], &[]);
    let successor = next
        .authority(&ca)
        .with(alternative_names(&[&der::implicit(1, b"ca@example.org")]))
        .sign(&ca.key);
    let leaf = Owner::new("Signer").signer(&next).sign(&next.key);
    let intermediates = vec![authority.with(email).sign(&root.key), successor];
    assert!(Given::new(leaf, intermediates, vec![anchor]).in_every_order().is_ok());
}

#[test]
fn a_form_that_is_not_known_refuses_only_who_has_such_a_name() {
    let registered = der::implicit(8, &[42, 3]);
    let constraint = || constraints(&[], &[&registered]);
    assert_eq!(outcome(|ca| ca.with(constraint()), |leaf| leaf), Ok(()));
    let with_name = |leaf: CertificateDraft| leaf.with(alternative_names(&[&registered]));
    let refused = outcome(|ca| ca.with(constraint()), with_name);
    assert_eq!(refused, Err(FindingCode::CERTIFICATE_CONSTRAINT_NOT_SUPPORTED));
}

#[test]
fn malformed_constraints_are_refused() {
    let values = [
        der::sequence(&[]),
        der::sequence(&[&der::context(0, &[])]),
        der::NULL.to_vec(),
        der::sequence(&[&der::context(0, &[&der::sequence(&[&der::implicit(7, &[10, 0, 0, 0])])])]),
        der::sequence(&[&der::context(
            0,
            &[&der::sequence(&[&der::implicit(7, &[10, 0, 0, 0, 255, 0, 255, 0])])],
        )]),
        // minimum 1
        der::sequence(&[&der::context(
            0,
            &[&der::sequence(&[&der::implicit(1, b"example.com"), &der::implicit(0, &[1])])],
        )]),
    ];
    for value in values {
        let constraint = ExtensionDraft::new(oid::CE_NAME_CONSTRAINTS, Critical, value.clone());
        let refused = outcome(|ca| ca.with(constraint), |leaf| leaf);
        assert_eq!(refused, Err(FindingCode::CERTIFICATE_MALFORMED), "{value:02x?}");
    }
}

#[test]
fn a_thousand_names_below_a_thousand_constraints_end_by_the_budget() {
    let bases: Vec<Vec<u8>> =
        (0..400).map(|n| der::implicit(2, format!("h{n}.example.net").as_bytes())).collect();
    let bases: Vec<&[u8]> = bases.iter().map(Vec::as_slice).collect();
    let names: Vec<Vec<u8>> =
        (0..400).map(|n| der::implicit(2, format!("h{n}.example.org").as_bytes())).collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let constraint = constraints(&[], &bases);
    let refused = outcome(|ca| ca.with(constraint), |leaf| leaf.with(alternative_names(&names)));
    assert_eq!(refused, Err(FindingCode::CERTIFICATE_CHAIN_TOO_LONG));
}

fn policies(ids: &[&str]) -> ExtensionDraft {
    let list: Vec<Vec<u8>> =
        ids.iter().map(|id| der::sequence(&[&der::oid(&id.parse().expect("an OID"))])).collect();
    ExtensionDraft::new(oid::CE_CERTIFICATE_POLICIES, Critical, der::sequence_of(&list))
}

fn explicit(skip: u8) -> ExtensionDraft {
    let value = der::sequence(&[&der::implicit(0, &[skip])]);
    ExtensionDraft::new(oid::CE_POLICY_CONSTRAINTS, Critical, value)
}

const GOLD: &str = "1.3.6.1.4.1.32473.5.1";
const SILVER: &str = "1.3.6.1.4.1.32473.5.2";
const ANY: &str = "2.5.29.32.0";

#[test]
fn critical_policies_are_no_obstacle_where_any_will_do() {
    let run = |ca_policies: &[&str], leaf_policies: &[&str]| {
        outcome(|ca| ca.with(policies(ca_policies)), |leaf| leaf.with(policies(leaf_policies)))
    };
    assert_eq!(run(&[ANY], &[GOLD]), Ok(()));
    assert_eq!(run(&[GOLD], &[GOLD]), Ok(()));
    // Nobody demands one.
    assert_eq!(run(&[GOLD], &[SILVER]), Ok(()));
    assert_eq!(outcome(|ca| ca.with(policies(&[GOLD])), |leaf| leaf), Ok(()));
}

#[test]
fn a_ca_that_demands_a_policy_gets_one_or_the_path_is_refused() {
    let run = |ca_policies: &[&str], leaf: Option<&[&str]>| {
        outcome(
            |ca| ca.with(policies(ca_policies)).with(explicit(0)),
            |draft| match leaf {
                Some(ids) => draft.with(policies(ids)),
                None => draft,
            },
        )
    };
    assert_eq!(run(&[GOLD], Some(&[GOLD])), Ok(()));
    assert_eq!(run(&[GOLD, SILVER], Some(&[SILVER])), Ok(()));
    assert_eq!(run(&[ANY], Some(&[SILVER])), Ok(()));
    assert_eq!(run(&[GOLD], Some(&[ANY])), Ok(()));
    assert_eq!(run(&[GOLD], Some(&[SILVER])), BROKEN);
    assert_eq!(run(&[GOLD], None), BROKEN);
    // With one certificate to skip, the signer's is free.
    let skipping = outcome(|ca| ca.with(explicit(2)), |leaf| leaf);
    assert_eq!(skipping, Ok(()));
}

#[test]
fn any_policy_may_be_inhibited() {
    let inhibit =
        |skip: u64| ExtensionDraft::new(oid::CE_INHIBIT_ANY_POLICY, Critical, der::integer(skip));
    let run = |skip| {
        outcome(
            |ca| ca.with(policies(&[GOLD])).with(explicit(0)).with(inhibit(skip)),
            |leaf| leaf.with(policies(&[ANY])),
        )
    };
    assert_eq!(run(0), BROKEN);
    assert_eq!(run(1), Ok(()));
}

#[test]
fn policies_are_mapped_unless_that_is_inhibited() {
    let mapping = |from: &str, to: &str| {
        let pair = der::sequence(&[
            &der::oid(&from.parse().expect("an OID")),
            &der::oid(&to.parse().expect("an OID")),
        ]);
        ExtensionDraft::new(oid::CE_POLICY_MAPPINGS, Critical, der::sequence(&[&pair]))
    };
    let run = |leaf: &str| {
        outcome(
            |ca| ca.with(policies(&[GOLD])).with(explicit(0)).with(mapping(GOLD, SILVER)),
            |draft| draft.with(policies(&[leaf])),
        )
    };
    assert_eq!(run(SILVER), Ok(()));
    assert_eq!(run(GOLD), BROKEN);
    let of_any = outcome(|ca| ca.with(mapping(ANY, GOLD)), |leaf| leaf);
    assert_eq!(of_any, Err(FindingCode::CERTIFICATE_MALFORMED));
    let to_any = outcome(|ca| ca.with(mapping(GOLD, ANY)), |leaf| leaf);
    assert_eq!(to_any, Err(FindingCode::CERTIFICATE_MALFORMED));
}

#[test]
fn a_critical_policy_with_an_unknown_qualifier_is_not_supported() {
    let qualified = |qualifier: &str, criticality| {
        let id = |text: &str| der::oid(&text.parse().expect("an OID"));
        let qualifier = der::sequence(&[&id(qualifier), der::NULL]);
        let policy = der::sequence(&[&id(GOLD), &der::sequence(&[&qualifier])]);
        let value = der::sequence(&[&policy]);
        let extension = ExtensionDraft::new(oid::CE_CERTIFICATE_POLICIES, criticality, value);
        outcome(|ca| ca.with(extension), |leaf| leaf)
    };
    let unknown = "1.3.6.1.4.1.32473.6";
    let refused = Err(FindingCode::CERTIFICATE_CONSTRAINT_NOT_SUPPORTED);
    assert_eq!(qualified(unknown, Critical), refused);
    assert_eq!(qualified(unknown, NonCritical), Ok(()));
    assert_eq!(qualified("1.3.6.1.5.5.7.2.1", Critical), Ok(()));
}

#[test]
fn empty_policy_constraints_are_malformed() {
    let empty = ExtensionDraft::new(oid::CE_POLICY_CONSTRAINTS, Critical, der::sequence(&[]));
    let refused = outcome(|ca| ca.with(empty), |leaf| leaf);
    assert_eq!(refused, Err(FindingCode::CERTIFICATE_MALFORMED));
}
