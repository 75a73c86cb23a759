//! The families of cases of C2SP's x509-limbo, made anew from its public description with our keys
//! and for signers of code in the place of TLS servers. Where our outcome is another than limbo's,
//! `data/paths/limbo.txt` has a line with the reason; a line that is not needed fails.

use std::{collections::BTreeMap, fs, path::Path};

use countersign_core::{finding::FindingCode, oid};
use countersign_signing::der::{
    self,
    Criticality::{Critical, NonCritical},
};
use countersign_tests::forge::{
    CertificateDraft, DAY, ExtensionDraft, NOW, basic_constraints, key_usage, name, usages,
};

use super::{Given, Owner, alternative_names};

/// One case.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    /// What limbo expects.
    pub(crate) accepted: bool,
    pub(crate) given: Given,
}

/// What a case changes of Signer, CA, Root.
struct Drafts {
    leaf: CertificateDraft,
    authority: CertificateDraft,
    root: CertificateDraft,
}

fn case(id: &'static str, accepted: bool, change: impl FnOnce(&mut Drafts)) -> Case {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let mut drafts = Drafts {
        leaf: Owner::new("Signer").signer(&ca),
        authority: ca.authority(&root),
        root: root.authority(&root),
    };
    change(&mut drafts);
    let given = Given::new(
        drafts.leaf.sign(&ca.key),
        vec![drafts.authority.sign(&root.key)],
        vec![drafts.root.sign(&root.key)],
    );
    Case { id, accepted, given }
}

fn set(draft: &mut CertificateDraft, extension: ExtensionDraft) {
    *draft = draft.clone().with(extension);
}

fn unset(draft: &mut CertificateDraft, id: const_oid::ObjectIdentifier) {
    *draft = draft.clone().without(id);
}

fn made_critical(draft: &mut CertificateDraft, id: const_oid::ObjectIdentifier) {
    for extension in draft.extensions.iter_mut().filter(|each| each.id == id) {
        extension.criticality = Critical;
    }
}

fn constraint(permitted: &[&[u8]], excluded: &[&[u8]]) -> ExtensionDraft {
    let list = |number, bases: &[&[u8]]| {
        let subtrees: Vec<Vec<u8>> = bases.iter().map(|base| der::sequence(&[base])).collect();
        if subtrees.is_empty() { Vec::new() } else { der::context(number, &[&subtrees.concat()]) }
    };
    let value = der::sequence(&[&list(0, permitted), &list(1, excluded)]);
    ExtensionDraft::new(oid::CE_NAME_CONSTRAINTS, Critical, value)
}

fn dns(text: &str) -> Vec<u8> {
    der::implicit(2, text.as_bytes())
}

fn email(text: &str) -> Vec<u8> {
    der::implicit(1, text.as_bytes())
}

fn directory(common_name: &str) -> Vec<u8> {
    der::context(4, &[&name(common_name)])
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = key_identifiers();
    cases.extend(authorities());
    cases.extend(name_constraints());
    cases.extend(further_name_constraints());
    cases.extend(path_lengths());
    cases.extend(fields());
    cases
}

fn key_identifiers() -> Vec<Case> {
    let (aki, ski) = (oid::CE_AUTHORITY_KEY_IDENTIFIER, oid::CE_SUBJECT_KEY_IDENTIFIER);
    vec![
        case("rfc5280::aki::critical-aki", false, |it| made_critical(&mut it.leaf, aki)),
        case("rfc5280::aki::leaf-missing-aki", false, |it| unset(&mut it.leaf, aki)),
        case("rfc5280::aki::intermediate-missing-aki", false, |it| unset(&mut it.authority, aki)),
        case("rfc5280::aki::root-missing-aki", true, |it| unset(&mut it.root, aki)),
        case("rfc5280::ski::critical-ski", false, |it| made_critical(&mut it.authority, ski)),
        case("rfc5280::ski::root-missing-ski", false, |it| unset(&mut it.root, ski)),
        case("rfc5280::ski::intermediate-missing-ski", false, |it| unset(&mut it.authority, ski)),
    ]
}

fn authorities() -> Vec<Case> {
    let basic = oid::CE_BASIC_CONSTRAINTS;
    let not_critical =
        || ExtensionDraft::new(basic, NonCritical, der::sequence(&[&der::boolean_true()]));
    let no_ca = || ExtensionDraft::new(basic, Critical, der::sequence(&[]));
    let unknown = ExtensionDraft::unknown_critical;
    vec![
        case("rfc5280::no-change", true, |_| ()),
        case("rfc5280::ca-empty-subject", false, |it| {
            it.authority.subject = der::sequence(&[]);
            it.leaf.issuer = der::sequence(&[]);
        }),
        case("rfc5280::root-missing-basic-constraints", false, |it| unset(&mut it.root, basic)),
        case("rfc5280::root-non-critical-basic-constraints", false, |it| {
            set(&mut it.root, not_critical());
        }),
        case("rfc5280::root-inconsistent-ca-extensions", false, |it| set(&mut it.root, no_ca())),
        case("rfc5280::intermediate-ca-without-ca-bit", false, |it| {
            set(&mut it.authority, no_ca());
        }),
        case("rfc5280::intermediate-ca-missing-basic-constraints", false, |it| {
            unset(&mut it.authority, basic);
        }),
        case("rfc5280::intermediate-ca-missing-key-cert-sign", false, |it| {
            set(&mut it.authority, key_usage(&[6]));
        }),
        case("rfc5280::leaf-ku-keycertsign", false, |it| set(&mut it.leaf, key_usage(&[0, 5]))),
        case("rfc5280::unknown-critical-extension-ee", false, |it| set(&mut it.leaf, unknown())),
        case("rfc5280::unknown-critical-extension-intermediate", false, |it| {
            set(&mut it.authority, unknown());
        }),
        case("rfc5280::unknown-critical-extension-root", false, |it| set(&mut it.root, unknown())),
        case("rfc5280::critical-authority-information-access", false, |it| {
            let access = der::sequence(&[&der::sequence(&[
                &der::oid(&oid::AD_OCSP),
                &der::implicit(6, b"http://ocsp.example"),
            ])]);
            let access = ExtensionDraft::new(oid::PE_AUTHORITY_INFO_ACCESS, Critical, access);
            set(&mut it.leaf, access);
        }),
        case("rfc5280::duplicate-extensions", false, |it| {
            let again = it.leaf.extensions[0].clone();
            it.leaf.extensions.push(again);
        }),
        case("rfc5280::eku::ee-wrong-eku", false, |it| {
            set(&mut it.leaf, usages(NonCritical, &[oid::KP_SERVER_AUTH]));
        }),
        case("rfc5280::eku::ee-anyeku", true, |it| {
            set(&mut it.leaf, usages(NonCritical, &[oid::KP_ANY]));
        }),
        case("rfc5280::eku::ee-without-eku", true, |it| unset(&mut it.leaf, oid::CE_EXT_KEY_USAGE)),
        case("rfc5280::eku::ca-wrong-eku", false, |it| {
            set(&mut it.authority, usages(NonCritical, &[oid::KP_SERVER_AUTH]));
        }),
        case("rfc5280::chain-untrusted-root", false, |it| {
            let stranger = Owner::new("Stranger");
            it.root = stranger.authority(&stranger);
        }),
        // Anchored at the intermediate; the root among the intermediates is passed over.
        case("rfc5280::root-and-intermediate-swapped", true, |it| {
            core::mem::swap(&mut it.root, &mut it.authority);
        }),
    ]
}

/// The case of a root with those constraints, above a leaf with those names.
fn under(
    id: &'static str,
    accepted: bool,
    permitted: &[&[u8]],
    excluded: &[&[u8]],
    names: &[&[u8]],
) -> Case {
    case(id, accepted, |it| {
        set(&mut it.root, constraint(permitted, excluded));
        set(&mut it.leaf, alternative_names(names));
    })
}

fn name_constraints() -> Vec<Case> {
    let (host, other) = (dns("example.com"), dns("not-allowed.test"));
    let range = der::implicit(7, &[192, 0, 2, 0, 255, 255, 255, 0]);
    let (address, far) = (der::implicit(7, &[192, 0, 2, 1]), der::implicit(7, &[10, 0, 0, 1]));
    vec![
        under("rfc5280::nc::permitted-dns-match", true, &[&host], &[], &[&host]),
        under("rfc5280::nc::permitted-dns-mismatch", false, &[&host], &[], &[&other]),
        under(
            "rfc5280::nc::permitted-dns-match-more",
            true,
            &[&host],
            &[],
            &[&dns("a.example.com")],
        ),
        under("rfc5280::nc::permitted-dns-second-mismatch", false, &[&host], &[], &[&host, &other]),
        under("rfc5280::nc::excluded-dns-match", false, &[], &[&host], &[&host]),
        under("rfc5280::nc::excluded-dns-match-second", false, &[], &[&other, &host], &[&host]),
        under(
            "rfc5280::nc::excluded-match-permitted-and-excluded",
            false,
            &[&host],
            &[&host],
            &[&host],
        ),
        under("rfc5280::nc::permitted-ip-match", true, &[&range], &[], &[&address]),
        under("rfc5280::nc::permitted-ip-mismatch", false, &[&range], &[], &[&far]),
        under("rfc5280::nc::excluded-ip-match", false, &[], &[&range], &[&address]),
        under("rfc5280::nc::permitted-different-constraint-type", true, &[&range], &[], &[&host]),
        under("rfc5280::nc::excluded-different-constraint-type", true, &[], &[&range], &[&host]),
        under(
            "rfc5280::nc::invalid-dnsname-leading-period",
            false,
            &[&host],
            &[],
            &[&dns(".example.com")],
        ),
        under(
            "rfc5280::nc::invalid-dnsname-wildcard",
            false,
            &[],
            &[&dns("a.example.com")],
            &[&dns("*.example.com")],
        ),
    ]
}

/// Constraints on e-mail addresses and directory names, and those that are malformed.
fn further_name_constraints() -> Vec<Case> {
    vec![
        under(
            "rfc5280::nc::permitted-email-exact",
            true,
            &[&email("a@example.com")],
            &[],
            &[&email("a@example.com")],
        ),
        under(
            "rfc5280::nc::permitted-email-domain",
            true,
            &[&email("example.com")],
            &[],
            &[&email("a@example.com")],
        ),
        under(
            "rfc5280::nc::permitted-email-mismatch",
            false,
            &[&email("example.com")],
            &[],
            &[&email("a@example.org")],
        ),
        under(
            "rfc5280::nc::excluded-email-match",
            false,
            &[],
            &[&email("example.com")],
            &[&email("a@example.com")],
        ),
        case("rfc5280::nc::permitted-dn-mismatch", false, |it| {
            set(&mut it.root, constraint(&[&directory("nobody")], &[]));
        }),
        case("rfc5280::nc::excluded-dn-match", false, |it| {
            set(&mut it.root, constraint(&[], &[&directory("Signer")]));
        }),
        case("rfc5280::nc::excluded-dn-mismatch", true, |it| {
            set(&mut it.root, constraint(&[], &[&directory("nobody")]));
        }),
        case("rfc5280::nc::invalid-ipv4-constraint", false, |it| {
            set(&mut it.root, constraint(&[&der::implicit(7, &[192, 0, 2, 0])], &[]));
        }),
        case("rfc5280::nc::invalid-ipv4-mask", false, |it| {
            let range = der::implicit(7, &[192, 0, 2, 0, 255, 0, 255, 0]);
            set(&mut it.root, constraint(&[&range], &[]));
        }),
        case("rfc5280::nc::empty", false, |it| set(&mut it.authority, constraint(&[], &[]))),
        case("rfc5280::nc::not-allowed-in-ee-critical", false, |it| {
            set(&mut it.leaf, constraint(&[], &[&dns("example.org")]));
        }),
        self_issued("rfc5280::nc::permitted-self-issued", true, None),
        nc_dos("pathological::nc-dos-1"),
    ]
}

/// Signer, CA with a new key by CA, CA, Root; the CA's pathLen.
fn self_issued(id: &'static str, accepted: bool, path_length: Option<u64>) -> Case {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let next = ca.with_key("next key");
    let mut anchor = root.authority(&root);
    if path_length.is_none() {
        let organisation = {
            let whole = name("x");
            let length = usize::from(whole[3]);
            der::sequence(&[&whole[2..4 + length]])
        };
        set(&mut anchor, constraint(&[&der::context(4, &[&organisation])], &[]));
    }
    let authority = ca.authority(&root).with(basic_constraints(path_length));
    let intermediates = vec![
        authority.sign(&root.key),
        next.authority(&ca).with(basic_constraints(path_length)).sign(&ca.key),
    ];
    let leaf = Owner::new("Signer").signer(&next).sign(&next.key);
    let given = Given::new(leaf, intermediates, vec![anchor.sign(&root.key)]);
    Case { id, accepted, given }
}

/// A thousand names below a thousand constraints.
fn nc_dos(id: &'static str) -> Case {
    let encoded = |what: &str| -> Vec<Vec<u8>> {
        (0..1024).map(|n| dns(&format!("x{n}.{what}.test"))).collect()
    };
    let (bases, names) = (encoded("a"), encoded("b"));
    let bases: Vec<&[u8]> = bases.iter().map(Vec::as_slice).collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    case(id, false, |it| {
        set(&mut it.authority, constraint(&[], &bases));
        set(&mut it.leaf, alternative_names(&names));
    })
}

fn path_lengths() -> Vec<Case> {
    let chain = |id, accepted, root_length, upper_length, lower_length| {
        let (root, upper, lower) = (Owner::new("Root"), Owner::new("Upper"), Owner::new("Lower"));
        let given = Given::new(
            Owner::new("Signer").signer(&lower).sign(&lower.key),
            vec![
                upper.authority(&root).with(basic_constraints(upper_length)).sign(&root.key),
                lower.authority(&upper).with(basic_constraints(lower_length)).sign(&upper.key),
            ],
            vec![root.authority(&root).with(basic_constraints(root_length)).sign(&root.key)],
        );
        Case { id, accepted, given }
    };
    vec![
        chain("rfc5280::pathlen::no-limits", true, None, None, None),
        chain("rfc5280::pathlen::intermediate-violates-pathlen-0", false, None, Some(0), None),
        chain(
            "rfc5280::pathlen::intermediate-pathlen-may-increase",
            true,
            Some(2),
            Some(1),
            Some(9),
        ),
        chain("rfc5280::pathlen::root-pathlen-too-short", false, Some(1), None, None),
        chain("rfc5280::pathlen::root-pathlen-just-enough", true, Some(2), None, None),
        case("rfc5280::pathlen::ee-with-intermediate-pathlen-0", true, |it| {
            set(&mut it.authority, basic_constraints(Some(0)));
        }),
        case("rfc5280::pathlen::validation-ignores-pathlen-in-leaf", true, |it| {
            let value = der::sequence(&[&der::integer(0)]);
            set(&mut it.leaf, ExtensionDraft::new(oid::CE_BASIC_CONSTRAINTS, Critical, value));
        }),
        self_issued("rfc5280::pathlen::self-issued-certs-pathlen", true, Some(0)),
    ]
}

fn fields() -> Vec<Case> {
    vec![
        case("rfc5280::serial::too-long", false, |it| it.leaf.serial = vec![0x40; 22]),
        case("rfc5280::serial::zero", false, |it| it.leaf.serial = vec![0]),
        case("rfc5280::san::malformed", false, |it| {
            let value = der::sequence(&[&der::implicit(1, &[0xFF, 0xFE])]);
            set(&mut it.leaf, ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, value));
        }),
        case("rfc5280::san::noncritical-with-empty-subject", false, |it| {
            it.leaf.subject = der::sequence(&[]);
        }),
        case("rfc5280::validity::expired-root", false, |it| {
            it.root.not_after = NOW.minus_seconds(DAY);
        }),
        case("rfc5280::validity::expired-intermediate", false, |it| {
            it.authority.not_after = NOW.minus_seconds(DAY);
        }),
        case("rfc5280::validity::expired-leaf", false, |it| {
            it.leaf.not_after = NOW.minus_seconds(DAY);
        }),
        case("rfc5280::validity::not-yet-valid-leaf", false, |it| {
            it.leaf.not_before = NOW.plus_seconds(DAY);
        }),
        case("rfc5280::validity::empty", false, |it| {
            it.leaf.not_before = NOW.plus_seconds(DAY);
            it.leaf.not_after = NOW.minus_seconds(DAY);
        }),
        cross_signed("cve::cve-2024-0567"),
    ]
}

/// A cycle of cross-signed CAs beside the way to the root: no search may go round in it.
fn cross_signed(id: &'static str) -> Case {
    let (a, b, c) = (Owner::new("A"), Owner::new("B"), Owner::new("C"));
    let root = Owner::new("Root");
    let by = |subject: &Owner, issuer: &Owner| subject.authority(issuer).sign(&issuer.key);
    let intermediates = vec![by(&a, &b), by(&b, &c), by(&c, &a), by(&a, &c)];
    let intermediates = [intermediates, vec![by(&c, &root)]].concat();
    let leaf = Owner::new("Signer").signer(&a).sign(&a.key);
    let given = Given::new(leaf, intermediates, vec![by(&root, &root)]);
    Case { id, accepted: true, given }
}

/// Lines `id outcome reason` of a file of exceptions.
pub(crate) fn exceptions(file: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/paths").join(file);
    let text = fs::read_to_string(path).expect("the exceptions");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ' ');
            let (id, outcome) = (parts.next().expect("an id"), parts.next().expect("an outcome"));
            let reason = parts.next().unwrap_or_default();
            assert!(!reason.is_empty(), "{id}: no reason");
            (id.to_owned(), outcome.to_owned())
        })
        .collect()
}

/// What became of a case: `accepted` or the code.
pub(crate) fn outcome(case: &Case) -> &'static str {
    case.given
        .in_every_order()
        .map_or_else(|finding| FindingCode::code(finding.code), |_| "accepted")
}

#[test]
fn every_case_goes_as_limbo_says_or_is_excepted() {
    let exceptions = exceptions("limbo.txt");
    let (mut faults, mut used) = (Vec::new(), 0);
    let cases = all();
    for case in &cases {
        let outcome = outcome(case);
        let agrees = (outcome == "accepted") == case.accepted;
        match exceptions.get(case.id) {
            None if agrees => {}
            Some(listed) if !agrees && listed == outcome => used += 1,
            listed => faults.push(format!("{}: {outcome}, listed {listed:?}", case.id)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(used, exceptions.len(), "a line for a case that is not there");
    let mut ids: Vec<&str> = cases.iter().map(|case| case.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), cases.len(), "an id twice");
}
