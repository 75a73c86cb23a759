//! What others build, as core reads it: a chain, a list and a request by the `x509-cert` that `cms`
//! brings along, and a token by `cms`.

use std::time::Duration;

use cms::{
    cert::{
        CertificateChoices, IssuerAndSerialNumber,
        x509::{
            Certificate as Witness, TbsCertificate, Version,
            attr::Attribute,
            crl::{CertificateList as WitnessList, RevokedCert, TbsCertList},
            der::{
                Any, DateTime, Decode, Encode, Tag,
                asn1::{
                    BitString, GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec, Uint,
                    UtcTime,
                },
                oid::AssociatedOid,
            },
            ext::{
                Extension,
                pkix::{
                    BasicConstraints, CrlNumber, CrlReason, ExtendedKeyUsage, KeyUsage, KeyUsages,
                },
            },
            name::Name,
            request::{CertReq, CertReqInfo, Version as RequestVersion},
            serial_number::SerialNumber,
            spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
            time::{Time, Validity},
        },
    },
    content_info::{CmsVersion, ContentInfo},
    signed_data::{
        CertificateSet, EncapsulatedContentInfo, SignedData as WitnessData, SignerIdentifier,
        SignerInfo, SignerInfos,
    },
};
use countersign_core::{
    asn1::Flag,
    cms::SignedData,
    crl::{CertificateList, RevocationReason},
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    oid,
    time::UnixSeconds,
    trust::{Authority, Window},
    tsp::{self, Stamped},
    x509::{Certificate, KeyUsage as OurKeyUsage, Purpose, path},
};
use countersign_signing::{csr, key::Signer as _};
use countersign_tests::forge::{Ess, ForgeKey, NOW, TstInfoDraft, algorithm};

const MESSAGE: &[u8] = b"a signature";

fn encoded(value: &impl Encode) -> Vec<u8> {
    value.to_der().expect("the witness writes it")
}

fn named(text: &str) -> Name {
    format!("CN={text},O=Witness").parse().expect("a name")
}

fn after(time: UnixSeconds) -> Duration {
    Duration::from_secs(time.seconds().try_into().expect("after 1970"))
}

fn utc(time: UnixSeconds) -> Time {
    Time::UtcTime(UtcTime::from_unix_duration(after(time)).expect("before 2050"))
}

fn algorithm_of(key: &ForgeKey) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned::from_der(&algorithm(key.scheme())).expect("an algorithm")
}

fn spki_of(key: &ForgeKey) -> SubjectPublicKeyInfoOwned {
    SubjectPublicKeyInfoOwned::from_der(key.spki()).expect("a key")
}

fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> Extension {
    let extn_value = OctetString::new(encoded(value)).expect("octets");
    Extension { extn_id: T::OID, critical, extn_value }
}

fn signed(key: &ForgeKey, tbs: &impl Encode) -> BitString {
    BitString::from_bytes(&key.signature(&encoded(tbs))).expect("bits")
}

/// A CA that is its own issuer, and a timestamp authority below it.
struct Chain {
    root_key: ForgeKey,
    leaf_key: ForgeKey,
    root: Witness,
    leaf: Witness,
}

fn certificate(
    (subject, key): (&Name, &ForgeKey),
    (issuer, issuer_key): (&Name, &ForgeKey),
    serial: &[u8],
    extensions: Vec<Extension>,
) -> Witness {
    let day = 86_400;
    // RFC 5280 §4.1.2.5: GeneralizedTime from 2050 on.
    let end = DateTime::new(2050, 1, 1, 0, 0, 0).expect("a date");
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(serial).expect("a number"),
        signature: algorithm_of(issuer_key),
        issuer: issuer.clone(),
        validity: Validity {
            not_before: utc(NOW.minus_seconds(day)),
            not_after: Time::GeneralTime(GeneralizedTime::from_date_time(end)),
        },
        subject: subject.clone(),
        subject_public_key_info: spki_of(key),
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions),
    };
    let signature = signed(issuer_key, &tbs_certificate);
    Witness { tbs_certificate, signature_algorithm: algorithm_of(issuer_key), signature }
}

impl Chain {
    fn new() -> Self {
        let (root_key, leaf_key) = (ForgeKey::p384("root"), ForgeKey::p256("leaf"));
        let (root_name, leaf_name) = (named("Root"), named("Timestamps"));
        let (root, leaf) = ((&root_name, &root_key), (&leaf_name, &leaf_key));
        let ca = BasicConstraints { ca: true, path_len_constraint: Some(1) };
        let issuing = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
        let stamping = ObjectIdentifier::from_bytes(oid::KP_TIME_STAMPING.as_bytes());
        let root =
            certificate(root, root, &[1], vec![extension(&ca, true), extension(&issuing, true)]);
        let leaf = certificate(
            leaf,
            (&root_name, &root_key),
            &[0x80, 2, 3],
            vec![
                extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true),
                extension(&ExtendedKeyUsage(vec![stamping.expect("an identifier")]), true),
            ],
        );
        Self { root_key, leaf_key, root, leaf }
    }
}

#[test]
fn core_finds_in_a_witness_certificate_what_was_put_there() {
    let chain = Chain::new();
    let (root, leaf) = (encoded(&chain.root), encoded(&chain.leaf));
    let ours = Certificate::decode(&leaf).expect("core reads it");
    assert_eq!((ours.version, ours.serial), (3, &[0, 0x80, 2, 3][..]));
    assert_eq!(ours.tbs, encoded(&chain.leaf.tbs_certificate));
    assert_eq!(ours.subject, encoded(&named("Timestamps")));
    assert_eq!(ours.issuer, encoded(&named("Root")));
    assert_eq!(ours.subject_text(), "CN=Timestamps,O=Witness");
    assert_eq!(ours.not_before, NOW.minus_seconds(86_400));
    assert_eq!(ours.not_after.to_string(), "2050-01-01T00:00:00Z");
    assert_eq!(ours.public_key.raw, chain.leaf_key.spki());
    let usage = ours.extensions.key_usage;
    assert_eq!(usage, Some((Flag::Yes, OurKeyUsage::DIGITAL_SIGNATURE)));
    let (critical, usages) = ours.extensions.extended_key_usage.clone().expect("usages");
    assert_eq!((critical, usages.0), (Flag::Yes, vec![oid::KP_TIME_STAMPING]));
    let issuer = Certificate::decode(&root).expect("core reads it");
    let (critical, constraints) = issuer.extensions.basic_constraints.expect("constraints");
    assert_eq!(
        (critical, constraints.ca, constraints.path_length),
        (Flag::Yes, Flag::Yes, Some(1))
    );
    assert!(ours.is_signed_by(&issuer, &AwsLc) && ours.is_signed_by(&issuer, &RustCrypto));
    let path = path::verify(&ours, &[], &[&root], NOW, Purpose::TimeStamping, &AwsLc);
    assert_eq!(path.expect("a path").certificates().count(), 2);
}

#[test]
fn core_finds_in_a_witness_list_what_was_put_there() {
    let Chain { root_key, root, .. } = Chain::new();
    let revoked = |serial: &[u8], reason: Option<CrlReason>| RevokedCert {
        serial_number: SerialNumber::new(serial).expect("a number"),
        revocation_date: utc(NOW.minus_seconds(60)),
        crl_entry_extensions: reason.map(|reason| vec![extension(&reason, false)]),
    };
    let tbs_cert_list = TbsCertList {
        version: Version::V2,
        signature: algorithm_of(&root_key),
        issuer: named("Root"),
        this_update: utc(NOW),
        next_update: Some(utc(NOW.plus_seconds(3_600))),
        revoked_certificates: Some(vec![
            revoked(&[5], Some(CrlReason::KeyCompromise)),
            revoked(&[0x80, 6], None),
        ]),
        crl_extensions: Some(vec![extension(
            &CrlNumber(Uint::new(&[1, 44]).expect("a number")),
            false,
        )]),
    };
    let signature = signed(&root_key, &tbs_cert_list);
    let list =
        WitnessList { tbs_cert_list, signature_algorithm: algorithm_of(&root_key), signature };
    let list = encoded(&list);
    let ours = CertificateList::decode(&list).expect("core reads it");
    assert_eq!((ours.this_update, ours.next_update), (NOW, Some(NOW.plus_seconds(3_600))));
    assert_eq!(ours.extensions.number, Some(&[1, 44][..]));
    let entries: Vec<_> = ours.entries().map(|entry| entry.expect("an entry")).collect();
    let facts: Vec<_> = entries.iter().map(|entry| (entry.serial, entry.reason)).collect();
    let expected = [
        (&[5][..], RevocationReason::KeyCompromise),
        (&[0, 0x80, 6], RevocationReason::Unspecified),
    ];
    assert_eq!(facts, expected);
    let root = encoded(&root);
    let issuer = Certificate::decode(&root).expect("core reads it");
    assert!(ours.is_by(&issuer, &AwsLc));
}

#[test]
fn a_witness_request_proves_its_key() {
    let key = ForgeKey::p384("requested");
    let info = CertReqInfo {
        version: RequestVersion::V1,
        subject: named("Requested"),
        public_key: spki_of(&key),
        attributes: SetOfVec::new(),
    };
    let signature = signed(&key, &info);
    let request = CertReq { info, algorithm: algorithm_of(&key), signature };
    assert_eq!(csr::verify(&encoded(&request)).expect("a request").spki(), key.spki());
    let other = ForgeKey::p384("another");
    let signature = signed(&other, &request.info);
    assert!(csr::verify(&encoded(&CertReq { signature, ..request })).is_err());
}

/// DER as a value of any type.
fn any(der: &[u8]) -> Any {
    Any::from_der(der).expect("a value")
}

fn attribute(id: &[u8], value: Any) -> Attribute {
    let values = SetOfVec::from_iter([value]).expect("a set");
    Attribute { oid: ObjectIdentifier::from_bytes(id).expect("an identifier"), values }
}

/// A timestamp token by `cms`; the `TSTInfo`, which it has no type for, is of the forge.
fn token(chain: &Chain) -> Vec<u8> {
    let info = TstInfoDraft::new(HashAlgorithm::Sha256, MESSAGE).encode();
    let leaf = encoded(&chain.leaf);
    let hash = AlgorithmIdentifierOwned {
        oid: ObjectIdentifier::from_bytes(oid::SHA256.as_bytes()).expect("an identifier"),
        parameters: None,
    };
    let digest = digest(&RustCrypto, HashAlgorithm::Sha256, &info);
    let octets = |octets: &[u8]| Any::new(Tag::OctetString, octets).expect("octets");
    let content_type = ObjectIdentifier::from_bytes(oid::ID_CT_TST_INFO.as_bytes());
    let content_type = content_type.expect("an identifier");
    let ess = Ess::V2.attribute(&leaf).expect("an attribute");
    let signed_attrs = SetOfVec::from_iter([
        attribute(oid::AT_CONTENT_TYPE.as_bytes(), any(&encoded(&content_type))),
        attribute(oid::AT_MESSAGE_DIGEST.as_bytes(), octets(digest.octets())),
        Attribute::from_der(&ess).expect("an attribute"),
    ]);
    let signed_attrs = signed_attrs.expect("a set");
    let signature = chain.leaf_key.signature(&encoded(&signed_attrs));
    let tbs = &chain.leaf.tbs_certificate;
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: tbs.issuer.clone(),
            serial_number: tbs.serial_number.clone(),
        }),
        digest_alg: hash.clone(),
        signed_attrs: Some(signed_attrs),
        signature_algorithm: algorithm_of(&chain.leaf_key),
        signature: OctetString::new(signature).expect("octets"),
        unsigned_attrs: None,
    };
    let certificates =
        [&chain.leaf, &chain.root].map(|it| CertificateChoices::Certificate(it.clone()));
    let data = WitnessData {
        version: CmsVersion::V3,
        digest_algorithms: SetOfVec::from_iter([hash]).expect("a set"),
        encap_content_info: EncapsulatedContentInfo {
            econtent_type: content_type,
            econtent: Some(octets(&info)),
        },
        certificates: Some(CertificateSet(SetOfVec::from_iter(certificates).expect("a set"))),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::from_iter([signer]).expect("a set")),
    };
    let content_type = ObjectIdentifier::from_bytes(oid::ID_SIGNED_DATA.as_bytes());
    encoded(&ContentInfo {
        content_type: content_type.expect("an identifier"),
        content: any(&encoded(&data)),
    })
}

#[test]
fn core_verifies_a_token_that_a_witness_made() {
    let chain = Chain::new();
    let token = token(&chain);
    let ours = SignedData::decode(&token).expect("core reads it");
    assert_eq!(ours.content_type, oid::ID_CT_TST_INFO);
    assert_eq!(ours.certificates.len(), 2);
    let listed = vec![encoded(&chain.leaf), encoded(&chain.root)];
    let authority = Authority::from_chain("http://tsa.example", listed, Window::default());
    let authorities = [authority.expect("an authority")];
    for stamped in [Stamped::Message(MESSAGE), Stamped::Message(b"another")] {
        let genuine = matches!(stamped, Stamped::Message(MESSAGE));
        let outcome = tsp::verify(&token, stamped, &authorities, &AwsLc, NOW);
        assert_eq!(outcome.is_ok(), genuine, "{outcome:?}");
    }
}
