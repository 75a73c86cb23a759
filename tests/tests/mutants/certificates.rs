//! Certificates as they are read (RFC 5280 §4): every field and extension, with what stands at the
//! edges of the forms.

use const_oid::ObjectIdentifier;
use countersign_core::{
    asn1::{Asn1Error, Flag},
    crypto::aws_lc::AwsLc,
    limits, oid,
    x509::{Certificate, GeneralName},
};
use countersign_signing::{
    der::{
        self,
        Criticality::{self, Critical, NonCritical},
    },
    key::Signer as _,
};
use countersign_tests::forge::{
    CRL_URL, CertificateDraft, Chain, ExtensionDraft, ForgeKey, IDENTITY, algorithm, key_usage,
    name, usages,
};

fn decoded(bytes: &[u8]) -> Certificate<'_> {
    Certificate::decode(bytes).expect("a certificate of ours decodes")
}

/// A code signer with these extensions besides or in place of its own, handed to `look`.
#[track_caller]
fn with<T>(extensions: &[ExtensionDraft], look: impl FnOnce(Certificate<'_>) -> T) -> T {
    let chain = Chain::code_signing();
    let draft = extensions.iter().fold(chain.leaf, |draft, each| draft.with(each.clone()));
    look(decoded(&draft.sign(&chain.authority_key)))
}

fn extension(id: ObjectIdentifier, value: Vec<u8>) -> ExtensionDraft {
    ExtensionDraft::new(id, NonCritical, value)
}

fn unknown(criticality: Criticality) -> ExtensionDraft {
    ExtensionDraft { criticality, ..ExtensionDraft::unknown_critical() }
}

#[test]
fn reads_certificates_up_to_their_greatest_size() {
    let chain = Chain::code_signing();
    let filled = |length: usize| {
        let filler = ExtensionDraft { value: vec![0; length], ..unknown(NonCritical) };
        // Ed25519's signatures have one length.
        chain.leaf.clone().with(filler).sign(&ForgeKey::ed25519("a CA"))
    };
    let around =
        filled(limits::CERTIFICATE_BYTES - 2_000).len() - (limits::CERTIFICATE_BYTES - 2_000);
    let greatest = filled(limits::CERTIFICATE_BYTES - around);
    assert_eq!(greatest.len(), limits::CERTIFICATE_BYTES);
    assert!(Certificate::decode(&greatest).is_ok());
    let greater = filled(limits::CERTIFICATE_BYTES - around + 1);
    let fault = Certificate::decode(&greater).expect_err("too large");
    assert_eq!(fault, Asn1Error::Malformed { field: "certificate (over 64 KiB)" });
}

/// A certificate with that version field and these extensions.
fn of_version(version: &[u8], extensions: &[u8]) -> Vec<u8> {
    let (key, issuer) = (ForgeKey::p384("a CA"), name("a CA"));
    let draft = CertificateDraft::new(&issuer, &key, &issuer, &key);
    let algorithm = algorithm(key.scheme());
    let tbs = der::sequence(&[
        version,
        &der::integer(4_711),
        &algorithm,
        &issuer,
        &der::sequence(&[&der::time(draft.not_before), &der::time(draft.not_after)]),
        &issuer,
        &draft.spki,
        extensions,
    ]);
    der::sequence(&[&tbs, &algorithm, &der::bit_string(&key.signature(&tbs))])
}

#[test]
fn reads_three_versions_and_extensions_in_the_third_alone() {
    let field = |number: u64| der::context(0, &[&der::integer(number)]);
    let extensions = der::context(3, &[&der::sequence(&[&unknown(NonCritical).encode()])]);
    for (bytes, expected) in [
        (of_version(&[], &[]), Ok(1)),
        (of_version(&field(1), &[]), Ok(2)),
        (of_version(&field(2), &[]), Ok(3)),
        (of_version(&field(2), &extensions), Ok(3)),
        (of_version(&field(0), &[]), Err("version")),
        (of_version(&field(3), &[]), Err("version")),
        (of_version(&[], &extensions), Err("extensions (not in a version 3 certificate)")),
        (of_version(&field(1), &extensions), Err("extensions (not in a version 3 certificate)")),
    ] {
        let version = Certificate::decode(&bytes).map(|certificate| certificate.version);
        assert_eq!(version.map_err(|fault| fault.field()), expected);
    }
}

#[test]
fn shows_serial_numbers_without_their_sign() {
    let serial = |octets: &[u8]| {
        let chain = Chain::code_signing();
        let leaf = CertificateDraft { serial: octets.to_vec(), ..chain.leaf };
        decoded(&leaf.sign(&chain.authority_key)).serial_text()
    };
    assert_eq!(serial(&[0]), "00");
    assert_eq!(serial(&[0, 0x80]), "80");
    assert_eq!(serial(&[1, 2]), "0102");
    assert_eq!(serial(&[0x80, 3]), "8003");
}

#[test]
fn says_who_a_certificate_is_about_and_who_issued_it() {
    let chain = Chain::code_signing().sign();
    let (leaf, root) = (decoded(&chain.leaf), decoded(&chain.root));
    assert_eq!(leaf.subject_text(), "CN=signing leaf,O=Example");
    assert_eq!(leaf.identity(), Some(IDENTITY));
    assert_eq!(root.identity(), None);
    assert!(root.is_self_issued() && !leaf.is_self_issued());
    let summary = leaf.summary();
    assert_eq!(summary.issuer, "CN=signing CA,O=Example");
    assert_eq!((summary.subject, summary.serial), (leaf.subject_text(), leaf.serial_text()));
}

#[test]
fn takes_name_and_signature_for_an_issuer() {
    let chain = Chain::code_signing();
    let signed = chain.sign();
    let (leaf, issuer) = (decoded(&signed.leaf), decoded(&signed.authority));
    assert!(leaf.is_signed_by(&issuer, &AwsLc));
    assert!(!leaf.is_signed_by(&decoded(&signed.root), &AwsLc), "another name and key");
    let renamed = CertificateDraft { subject: name("another CA"), ..chain.authority.clone() };
    let renamed = renamed.sign(&chain.root_key);
    assert!(!leaf.is_signed_by(&decoded(&renamed), &AwsLc), "another name");
    let spki = ForgeKey::p384("another CA").spki().to_vec();
    let rekeyed = CertificateDraft { spki, ..chain.authority.clone() }.sign(&chain.root_key);
    assert!(!leaf.is_signed_by(&decoded(&rekeyed), &AwsLc), "another key");
}

#[test]
fn a_key_that_is_too_weak_verifies_nothing() {
    let verifies = |key: &ForgeKey| {
        let mut chain = Chain::code_signing();
        chain.set_leaf_key(ForgeKey::p384("signing leaf"));
        chain.leaf.spki = key.spki().to_vec();
        let bytes = chain.sign().leaf;
        let algorithm = algorithm(key.scheme());
        let mut cursor = countersign_core::asn1::Cursor::new(&algorithm);
        let algorithm = cursor.algorithm("algorithm").expect("an algorithm");
        let by = |message: &[u8]| {
            decoded(&bytes).public_key.verifies(&AwsLc, &algorithm, message, &key.signature(b"it"))
        };
        (by(b"it"), by(b"another"))
    };
    assert_eq!(verifies(&ForgeKey::rsa_2048()), (true, false));
    assert_eq!(verifies(&ForgeKey::rsa_1024()), (false, false));
}

#[test]
fn names_key_usages_and_purposes() {
    let bits = |bits: &[u8]| {
        with(&[key_usage(bits)], |read| {
            let (critical, usage) = read.extensions.key_usage.expect("keyUsage");
            assert_eq!(critical, Flag::Yes);
            usage.names().join(" ")
        })
    };
    assert_eq!(
        bits(&[0, 1, 2, 3, 4, 5, 6, 7, 8]),
        "digitalSignature contentCommitment keyEncipherment dataEncipherment keyAgreement \
         keyCertSign cRLSign encipherOnly decipherOnly"
    );
    assert_eq!(bits(&[1, 8]), "contentCommitment decipherOnly");
    let purposes = [
        oid::KP_ANY,
        oid::KP_SERVER_AUTH,
        oid::KP_CLIENT_AUTH,
        oid::KP_CODE_SIGNING,
        oid::KP_TIME_STAMPING,
        oid::KP_OCSP_SIGNING,
        oid::AD_OCSP,
    ];
    let text = with(&[usages(NonCritical, &purposes)], |read| {
        read.extensions.extended_key_usage.expect("extKeyUsage").1.text()
    });
    assert_eq!(
        text,
        "anyExtendedKeyUsage, serverAuth, clientAuth, codeSigning, timeStamping, OCSPSigning, \
         1.3.6.1.5.5.7.48.1"
    );
}

/// What is made of one name in the subjectAltName: who it identifies and its text, or a fault.
fn alternative(name: &[u8]) -> Result<(Option<String>, String), &'static str> {
    let chain = Chain::code_signing();
    let value = der::sequence(&[name]);
    let leaf = chain.leaf.with(extension(oid::CE_SUBJECT_ALT_NAME, value));
    let bytes = leaf.sign(&chain.authority_key);
    let read = Certificate::decode(&bytes).map_err(|fault| fault.field())?;
    let [name] = &read.extensions.subject_alt_names[..] else { panic!("one name") };
    Ok((name.identity().map(str::to_owned), name.text()))
}

#[test]
fn reads_every_form_of_a_general_name() {
    let identity = |text: &str| Ok((Some(text.to_owned()), text.to_owned()));
    let other = |text: &str| Ok((None, text.to_owned()));
    assert_eq!(alternative(&der::implicit(1, b"a@example.com")), identity("a@example.com"));
    assert_eq!(alternative(&der::implicit(6, b"https://b.example")), identity("https://b.example"));
    assert_eq!(alternative(&der::implicit(2, b"c.example")), other("c.example"));
    let directory = der::context(4, &[&name("d")]);
    assert_eq!(alternative(&directory), other("CN=d,O=Example"));
    assert_eq!(alternative(&der::implicit(7, &[192, 0, 2, 1])), other("192.0.2.1"));
    let sixteen = [&[0x20, 1, 0xD, 0xB8][..], &[0; 11], &[7]].concat();
    assert_eq!(alternative(&der::implicit(7, &sixteen)), other("2001:db8::7"));
    assert_eq!(alternative(&der::implicit(7, &[1, 2, 3])), other("010203"));
    assert_eq!(alternative(&der::implicit(8, &[42, 3])), other("88022a03"));
    for kind in [1, 2, 6] {
        assert_eq!(alternative(&der::implicit(kind, "é".as_bytes())), Err("generalName"));
        assert_eq!(alternative(&der::implicit(kind, &[0xFF])), Err("generalName"));
    }
}

#[test]
fn knows_which_critical_extensions_it_reads() {
    let constrained = |criticality| {
        let (id, value) = (oid::CE_NAME_CONSTRAINTS, der::sequence(&[]));
        with(&[ExtensionDraft::new(id, criticality, value)], |read| {
            read.extensions.unknown_critical()
        })
    };
    assert_eq!(constrained(Critical), Some(oid::CE_NAME_CONSTRAINTS));
    assert_eq!(constrained(NonCritical), None);
    let unknown =
        |criticality| with(&[unknown(criticality)], |read| read.extensions.unknown_critical());
    assert_eq!(unknown(Critical), Some(ExtensionDraft::unknown_critical().id));
    assert_eq!(unknown(NonCritical), None);
    let names = der::sequence(&[&der::implicit(1, IDENTITY.as_bytes())]);
    let known = ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, Critical, names);
    assert_eq!(with(&[known], |read| read.extensions.unknown_critical()), None);
}

#[test]
fn reads_key_identifiers_and_flags() {
    let key = extension(oid::CE_SUBJECT_KEY_IDENTIFIER, der::octet_string(&[7; 20]));
    let issuer = der::sequence(&[&der::implicit(0, &[8; 20])]);
    let issuer = extension(oid::CE_AUTHORITY_KEY_IDENTIFIER, issuer);
    let unchecked = extension(oid::OCSP_NO_CHECK, der::NULL.to_vec());
    let timestamps = extension(oid::EMBEDDED_SCTS, vec![4, 1, 9]);
    with(&[key, issuer, unchecked, timestamps], |read| {
        let read = read.extensions;
        assert_eq!(read.subject_key_identifier, Some(&[7; 20][..]));
        assert_eq!(read.authority_key_identifier, Some(&[8; 20][..]));
        assert!(read.ocsp_no_check && read.has(oid::OCSP_NO_CHECK));
        assert_eq!(read.embedded_scts, Some(&[4, 1, 9][..]));
        assert_eq!(read.subject_alt_name_critical, Some(Flag::No));
    });
    with(&[], |read| {
        let read = read.extensions;
        assert!(!read.ocsp_no_check && !read.has(oid::OCSP_NO_CHECK));
        assert_eq!((read.embedded_scts, read.name_constraints), (None, None));
    });
    let nameless = extension(oid::CE_AUTHORITY_KEY_IDENTIFIER, der::sequence(&[]));
    with(&[nameless], |read| assert_eq!(read.extensions.authority_key_identifier, None));
}

#[test]
fn reads_where_lists_answers_and_issuers_are() {
    let directory = name("lists");
    let full_name: [&[u8]; 3] = [
        &der::implicit(6, CRL_URL.as_bytes()),
        &der::context(4, &[&directory]),
        &der::implicit(2, b"passed.over.example"),
    ];
    let named = der::sequence(&[&der::context(0, &[&der::context(0, &full_name)])]);
    let relative = der::sequence(&[&der::context(0, &[&der::context(1, &[])])]);
    let second = der::context(0, &[&der::implicit(6, b"http://b.example/2.crl")]);
    let second = der::sequence(&[&der::context(0, &[&second])]);
    let points = der::sequence(&[&named, &relative, &second]);
    let at = |method: &ObjectIdentifier, kind: u8, url: &[u8]| {
        der::sequence(&[&der::oid(method), &der::implicit(kind, url)])
    };
    let access = der::sequence(&[
        &at(&oid::AD_OCSP, 6, b"http://ocsp.example"),
        &at(&oid::AD_OCSP, 2, b"passed.over.example"),
        &at(&oid::AD_CA_ISSUERS, 6, b"http://ca.example"),
        &at(&oid::KP_ANY, 6, b"http://passed.over.example"),
    ]);
    let pointers = [
        extension(oid::CE_CRL_DISTRIBUTION_POINTS, points),
        extension(oid::PE_AUTHORITY_INFO_ACCESS, access),
    ];
    with(&pointers, |read| {
        let read = read.extensions;
        assert_eq!(read.crl_urls, [CRL_URL, "http://b.example/2.crl"]);
        assert_eq!(read.crl_directory_names, [&directory[..]]);
        assert_eq!(read.ocsp_urls, ["http://ocsp.example"]);
        assert_eq!(read.issuer_urls, ["http://ca.example"]);
    });
}

#[test]
fn of_both_forms_of_the_login_provider_the_newer_counts() {
    let newer = || extension(oid::OIDC_ISSUER, der::utf8_string("https://new.example"));
    let older = || extension(oid::OIDC_ISSUER_RAW, b"https://old.example".to_vec());
    let issuer = |extensions: &[ExtensionDraft]| {
        with(extensions, |read| read.extensions.oidc_issuer.map(str::to_owned))
    };
    assert_eq!(issuer(&[]), None);
    assert_eq!(issuer(&[newer()]).as_deref(), Some("https://new.example"));
    assert_eq!(issuer(&[older()]).as_deref(), Some("https://old.example"));
    assert_eq!(issuer(&[newer(), older()]).as_deref(), Some("https://new.example"));
    assert_eq!(issuer(&[older(), newer()]).as_deref(), Some("https://new.example"));
    let octets = extension(oid::OIDC_ISSUER, der::octet_string(b"https://new.example"));
    assert_eq!(issuer(&[octets]), None);
}

#[test]
fn every_identity_is_listed_in_its_order() {
    let names: [&[u8]; 3] = [
        &der::implicit(6, b"https://a.example"),
        &der::implicit(2, b"b.example"),
        &der::implicit(1, b"c@example.com"),
    ];
    let names = extension(oid::CE_SUBJECT_ALT_NAME, der::sequence(&names));
    with(&[names], |read| {
        assert_eq!(read.identities().collect::<Vec<_>>(), ["https://a.example", "c@example.com"]);
        assert_eq!(read.extensions.subject_alt_names[1], GeneralName::Dns("b.example"));
    });
}
