//! Certificates and requests of ours, as `x509-cert` reads them.

use countersign_core::{
    asn1::Flag,
    oid,
    x509::{Certificate, GeneralName},
};
use countersign_signing::{
    ca::{IssueRequest, SubjectKey},
    csr,
    key::{FileKey, NewKey, Signer as _},
    name::{DistinguishedName, SubjectName},
    profile::{Authority, Profile},
};
use countersign_tests::world::{IDENTITY, NOW, World};
use x509_cert::{
    Certificate as Witness,
    der::{Decode, Encode, oid::ObjectIdentifier},
    ext::pkix::{
        AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints,
        ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
        name::{DistributionPointName, GeneralName as WitnessName},
    },
    request::CertReq,
};

/// What a certificate says.
#[derive(Debug, PartialEq)]
struct Facts {
    tbs: Vec<u8>,
    serial: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    validity: (i64, i64),
    public_key: Vec<u8>,
    signature_algorithm: ObjectIdentifier,
    signature: Vec<u8>,
    /// Each with whether it is critical.
    extensions: Vec<(ObjectIdentifier, bool)>,
    /// Whether it is a CA's, and its pathLenConstraint.
    constraints: Option<(bool, Option<u64>)>,
    key_usage: Option<u16>,
    usages: Vec<ObjectIdentifier>,
    subject_key: Option<Vec<u8>>,
    authority_key: Option<Vec<u8>>,
    names: Vec<String>,
    crl_urls: Vec<String>,
    ocsp_urls: Vec<String>,
    issuer_urls: Vec<String>,
}

impl Facts {
    fn ours(der: &[u8]) -> Self {
        let certificate = Certificate::decode(der).expect("core reads it");
        let extensions = &certificate.extensions;
        let owned = |urls: &[&str]| urls.iter().map(|url| (*url).to_owned()).collect();
        Self {
            tbs: certificate.tbs.to_vec(),
            serial: certificate.serial.to_vec(),
            issuer: certificate.issuer.to_vec(),
            subject: certificate.subject.to_vec(),
            validity: (certificate.not_before.seconds(), certificate.not_after.seconds()),
            public_key: certificate.public_key.raw.to_vec(),
            signature_algorithm: certificate.signature_algorithm.oid,
            signature: certificate.signature.to_vec(),
            extensions: extensions.present.iter().map(|(id, flag)| (*id, flag.is_set())).collect(),
            constraints: extensions
                .basic_constraints
                .map(|(_, each)| (each.ca == Flag::Yes, each.path_length)),
            key_usage: extensions.key_usage.map(|(_, usage)| usage.0),
            usages: extensions.extended_key_usage.clone().map_or(Vec::new(), |(_, list)| list.0),
            subject_key: extensions.subject_key_identifier.map(<[u8]>::to_vec),
            authority_key: extensions.authority_key_identifier.map(<[u8]>::to_vec),
            names: extensions.subject_alt_names.iter().map(our_name).collect(),
            crl_urls: owned(&extensions.crl_urls),
            ocsp_urls: owned(&extensions.ocsp_urls),
            issuer_urls: owned(&extensions.issuer_urls),
        }
    }

    fn of_witness(der: &[u8]) -> Self {
        let certificate = Witness::from_der(der).expect("the witness reads it");
        assert_eq!(encoded(&certificate), der, "the witness writes it alike");
        let tbs = certificate.tbs_certificate();
        let access = extension::<AuthorityInfoAccessSyntax>(&certificate).map_or(vec![], |it| it.0);
        let located = |method: ObjectIdentifier| {
            let of = access.iter().filter(|each| each.access_method == method);
            of.map(|each| witness_name(&each.access_location)).collect()
        };
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).expect("a time of ours")
        };
        let constraints = extension::<BasicConstraints>(&certificate);
        let authority = extension::<AuthorityKeyIdentifier>(&certificate);
        Self {
            tbs: encoded(tbs),
            serial: tbs.serial_number().as_bytes().to_vec(),
            issuer: encoded(tbs.issuer()),
            subject: encoded(tbs.subject()),
            validity: (seconds(tbs.validity().not_before), seconds(tbs.validity().not_after)),
            public_key: encoded(tbs.subject_public_key_info()),
            signature_algorithm: certificate.signature_algorithm().oid,
            signature: certificate.signature().raw_bytes().to_vec(),
            extensions: tbs
                .extensions()
                .into_iter()
                .flatten()
                .map(|each| (each.extn_id, each.critical))
                .collect(),
            constraints: constraints.map(|it| (it.ca, it.path_len_constraint.map(u64::from))),
            key_usage: extension::<KeyUsage>(&certificate).map(|usage| usage.0.bits()),
            usages: extension::<ExtendedKeyUsage>(&certificate).map_or(vec![], |list| list.0),
            subject_key: extension::<SubjectKeyIdentifier>(&certificate)
                .map(|id| id.0.as_bytes().to_vec()),
            authority_key: authority.and_then(|id| Some(id.key_identifier?.as_bytes().to_vec())),
            names: extension::<SubjectAltName>(&certificate)
                .map_or(vec![], |names| names.0.iter().map(witness_name).collect()),
            crl_urls: extension::<CrlDistributionPoints>(&certificate)
                .map_or(vec![], |points| points.0.iter().flat_map(of_point).collect()),
            ocsp_urls: located(oid::AD_OCSP),
            issuer_urls: located(oid::AD_CA_ISSUERS),
        }
    }
}

fn encoded(value: &impl Encode) -> Vec<u8> {
    value.to_der().expect("the witness writes what it read")
}

fn extension<T: for<'a> Decode<'a> + x509_cert::der::oid::AssociatedOid>(
    certificate: &Witness,
) -> Option<T>
where
    for<'a> <T as Decode<'a>>::Error: core::fmt::Debug + Into<x509_cert::der::Error>,
{
    let extensions = certificate.tbs_certificate().extensions()?;
    let found = extensions.iter().find(|each| each.extn_id == T::OID)?;
    Some(T::from_der(found.extn_value.as_bytes()).expect("the witness reads the extension"))
}

fn of_point(
    point: &x509_cert::ext::pkix::crl::dp::DistributionPoint,
) -> impl Iterator<Item = String> {
    let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
        panic!("no full name: {point:?}");
    };
    names.iter().map(witness_name).collect::<Vec<_>>().into_iter()
}

fn our_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::Email(text) | GeneralName::Dns(text) | GeneralName::Uri(text) => {
            (*text).to_owned()
        }
        GeneralName::Ip(octets) => format!("{octets:?}"),
        GeneralName::Directory(_) | GeneralName::Other(_) => panic!("of ours? {name:?}"),
    }
}

fn witness_name(name: &WitnessName) -> String {
    match name {
        WitnessName::Rfc822Name(text)
        | WitnessName::DnsName(text)
        | WitnessName::UniformResourceIdentifier(text) => text.to_string(),
        WitnessName::IpAddress(octets) => format!("{:?}", octets.as_bytes()),
        other => panic!("of ours? {other:?}"),
    }
}

/// A certificate for each profile.
pub(super) fn of_each_profile(world: &World) -> Vec<(Profile, Vec<u8>)> {
    let issued = |profile, names| {
        let mut request = IssueRequest::new(profile, DistinguishedName::new("Example", "TLS"));
        request.names = names;
        let key = SubjectKey::New(NewKey::P256);
        world.authority.issue(&request, key, NOW).expect("issued").certificate
    };
    let host = SubjectName::Dns("service.example".into());
    let address = SubjectName::Ip([192, 0, 2, 1].into());
    let client = SubjectName::parse_identity("https://example.com/client").expect("a URI");
    Authority::ALL
        .map(|authority| (authority.profile(), world.authority.certificate(authority).to_vec()))
        .into_iter()
        .chain([
            (Profile::CodeSigner, world.signer.certificate.clone()),
            (Profile::TimestampAuthority, world.timestamp_authority.certificate.clone()),
            (Profile::OcspDelegate, world.delegate.certificate.clone()),
            (Profile::TlsServer, issued(Profile::TlsServer, vec![host, address])),
            (Profile::TlsClient, issued(Profile::TlsClient, vec![client])),
        ])
        .collect()
}

#[test]
fn a_witness_finds_in_each_certificate_what_core_finds() {
    for algorithm in NewKey::ALL {
        let world = World::with_algorithm(algorithm);
        let certificates = of_each_profile(&world);
        assert_eq!(certificates.len(), Profile::ALL.len());
        for (profile, der) in certificates {
            assert_eq!(Facts::ours(&der), Facts::of_witness(&der), "{profile:?}");
        }
    }
}

/// The rules of each profile, written down apart from the table that both issuing and the lint
/// read: pathLenConstraint of a CA, keyUsage, extKeyUsage, whether that is critical.
#[test]
fn a_witness_finds_in_each_certificate_what_its_profile_promises() {
    const SIGNATURE: u16 = 1;
    const ISSUING: u16 = 1 << 5 | 1 << 6;
    let world = World::new();
    for (profile, der) in of_each_profile(&world) {
        let facts = Facts::of_witness(&der);
        let (path_length, key_usage, usages, critical): (_, _, &[ObjectIdentifier], _) =
            match profile {
                Profile::Root => (Some(1), ISSUING, &[], false),
                Profile::SigningCa => (Some(0), ISSUING, &[oid::KP_CODE_SIGNING], false),
                Profile::TimestampingCa => (Some(0), ISSUING, &[oid::KP_TIME_STAMPING], false),
                Profile::ServiceCa => {
                    (Some(0), ISSUING, &[oid::KP_SERVER_AUTH, oid::KP_CLIENT_AUTH], false)
                }
                Profile::CodeSigner => (None, SIGNATURE, &[oid::KP_CODE_SIGNING], false),
                Profile::TimestampAuthority => (None, SIGNATURE, &[oid::KP_TIME_STAMPING], true),
                Profile::OcspDelegate => (None, SIGNATURE, &[oid::KP_OCSP_SIGNING], false),
                Profile::TlsServer => (None, SIGNATURE, &[oid::KP_SERVER_AUTH], false),
                Profile::TlsClient => (None, SIGNATURE, &[oid::KP_CLIENT_AUTH], false),
            };
        let constraints = path_length.map(|length| (true, Some(length)));
        assert_eq!(facts.constraints, constraints, "{profile:?}");
        assert_eq!((facts.key_usage, &*facts.usages), (Some(key_usage), usages), "{profile:?}");
        let is_critical = |id| facts.extensions.contains(&(id, true));
        assert_eq!(is_critical(oid::CE_EXT_KEY_USAGE), critical, "{profile:?}");
        assert_eq!(is_critical(oid::CE_BASIC_CONSTRAINTS), path_length.is_some(), "{profile:?}");
        assert!(is_critical(oid::CE_KEY_USAGE), "{profile:?}");
        let no_check = facts.extensions.contains(&(oid::OCSP_NO_CHECK, false));
        assert_eq!(no_check, profile == Profile::OcspDelegate, "{profile:?}");
        let names: &[&str] = match profile {
            Profile::CodeSigner => &[IDENTITY],
            Profile::TlsServer => &["service.example", "[192, 0, 2, 1]"],
            Profile::TlsClient => &["https://example.com/client"],
            _ => &[],
        };
        assert_eq!(facts.names, names, "{profile:?}");
    }
}

#[test]
fn a_witness_reads_our_requests() {
    for algorithm in NewKey::ALL {
        let key = FileKey::generate(algorithm).expect("a key");
        let subject = DistinguishedName::new("Example", "Request");
        let der = csr::build(&subject, &key).expect("a request");
        let request = CertReq::from_der(&der).expect("the witness reads it");
        assert_eq!(encoded(&request), der);
        assert_eq!(encoded(&request.info.subject), subject.encode().expect("a name"));
        assert_eq!(encoded(&request.info.public_key), key.spki());
        let algorithm = countersign_tests::forge::algorithm(key.scheme());
        assert_eq!(encoded(&request.algorithm), algorithm);
        assert_eq!(csr::verify(&der).expect("a request").spki(), key.spki());
    }
}
