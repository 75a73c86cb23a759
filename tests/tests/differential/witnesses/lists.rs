//! CRLs of ours, as `x509-cert` reads them.

use countersign_core::{
    crl::{CertificateList, RevocationReason},
    oid,
    time::UnixSeconds,
};
use countersign_signing::{crl::RevokedCertificate, profile::Authority};
use countersign_tests::world::{NOW, World};
use x509_cert::{
    crl::CertificateList as Witness,
    der::{Decode, Encode, oid::AssociatedOid},
    ext::{
        Extensions,
        pkix::{AuthorityKeyIdentifier, BaseCrlNumber, CrlNumber, CrlReason},
    },
};

/// What a list says.
#[derive(Debug, PartialEq)]
struct Facts {
    tbs: Vec<u8>,
    issuer: Vec<u8>,
    updates: (i64, Option<i64>),
    signature: Vec<u8>,
    number: Option<Vec<u8>>,
    delta_base: Option<Vec<u8>>,
    authority_key: Option<Vec<u8>>,
    /// Serial number, date, reason.
    entries: Vec<(Vec<u8>, i64, u8)>,
}

impl Facts {
    fn ours(der: &[u8]) -> Self {
        let list = CertificateList::decode(der).expect("core reads it");
        let entries = list.entries().map(|entry| entry.expect("an entry"));
        Self {
            tbs: list.tbs.to_vec(),
            issuer: list.issuer.to_vec(),
            updates: (list.this_update.seconds(), list.next_update.map(UnixSeconds::seconds)),
            signature: list.signature.to_vec(),
            number: list.extensions.number.map(<[u8]>::to_vec),
            delta_base: list.extensions.delta_base.map(<[u8]>::to_vec),
            authority_key: list.extensions.authority_key_identifier.map(<[u8]>::to_vec),
            entries: entries
                .map(|entry| {
                    (entry.serial.to_vec(), entry.revocation_date.seconds(), entry.reason.code())
                })
                .collect(),
        }
    }

    fn of_witness(der: &[u8]) -> Self {
        let list = <Witness>::from_der(der).expect("the witness reads it");
        assert_eq!(list.to_der().expect("DER"), der, "the witness writes it alike");
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).expect("a time of ours")
        };
        let tbs = &list.tbs_cert_list;
        let extensions = tbs.crl_extensions.as_ref();
        let number = extension::<CrlNumber>(extensions);
        let entries = tbs.revoked_certificates.iter().flatten();
        Self {
            tbs: tbs.to_der().expect("DER"),
            issuer: tbs.issuer.to_der().expect("DER"),
            updates: (seconds(tbs.this_update), tbs.next_update.map(seconds)),
            signature: list.signature.raw_bytes().to_vec(),
            number: number.map(|number| number.0.as_bytes().to_vec()),
            delta_base: extension::<BaseCrlNumber>(extensions)
                .map(|number| number.0.as_bytes().to_vec()),
            authority_key: extension::<AuthorityKeyIdentifier>(extensions)
                .and_then(|id| Some(id.key_identifier?.as_bytes().to_vec())),
            entries: entries
                .map(|entry| {
                    let reason = extension::<CrlReason>(entry.crl_entry_extensions.as_ref());
                    let reason = reason.map_or(0, |reason| reason as u8);
                    (
                        entry.serial_number.as_bytes().to_vec(),
                        seconds(entry.revocation_date),
                        reason,
                    )
                })
                .collect(),
        }
    }
}

fn extension<T>(extensions: Option<&Extensions>) -> Option<T>
where
    T: AssociatedOid + for<'a> Decode<'a, Error = x509_cert::der::Error>,
{
    let found = extensions?.iter().find(|each| each.extn_id == T::OID)?;
    Some(T::from_der(found.extn_value.as_bytes()).expect("the witness reads the extension"))
}

const REASONS: [RevocationReason; 4] = [
    RevocationReason::KeyCompromise,
    RevocationReason::Unspecified,
    RevocationReason::CertificateHold,
    RevocationReason::Superseded,
];

#[test]
fn a_witness_finds_in_each_list_what_core_finds() {
    let world = World::new();
    let revoked: Vec<_> = (1_u8..)
        .zip(REASONS)
        .map(|(serial, reason)| {
            (vec![serial, 0xFF], reason, NOW.minus_seconds(i64::from(serial) * 60))
        })
        .collect();
    for authority in Authority::ALL {
        for revoked in [&[][..], &revoked] {
            let der = world.crl(authority, NOW.minus_seconds(60), revoked);
            let facts = Facts::ours(&der);
            assert_eq!(facts, Facts::of_witness(&der), "{authority:?}");
            let expected: Vec<_> = revoked
                .iter()
                .map(|(serial, reason, date)| (serial.clone(), date.seconds(), reason.code()))
                .collect();
            assert_eq!(facts.entries, expected, "{authority:?}");
            assert_eq!(facts.number, Some(vec![7]), "{authority:?}");
        }
    }
}

#[test]
fn a_witness_finds_in_a_delta_what_core_finds() {
    let world = World::new();
    let authority = Authority::Signing;
    let builder = world.authority.crl(authority, 300, NOW, NOW.plus_seconds(3_600));
    let mut builder = builder.expect("a builder").as_delta_since(256);
    builder.lift(&[9]);
    let (serial, reason) = (&[5][..], RevocationReason::KeyCompromise);
    builder.revoke(&RevokedCertificate { serial, reason, revocation_date: NOW });
    let key = world.authority.signer(authority).expect("the CA's key");
    let der = builder.build(key.as_ref()).expect("a CRL");
    let facts = Facts::of_witness(&der);
    assert_eq!(Facts::ours(&der), facts);
    assert_eq!((facts.number, facts.delta_base), (Some(vec![1, 44]), Some(vec![1, 0])));
    let reasons: Vec<u8> = facts.entries.iter().map(|(.., reason)| *reason).collect();
    assert_eq!(reasons, [8, 1]);
    let list = <Witness>::from_der(&der).expect("the witness reads it");
    let extensions = list.tbs_cert_list.crl_extensions.expect("extensions");
    let indicator = extensions.iter().find(|each| each.extn_id == oid::CE_DELTA_CRL_INDICATOR);
    assert!(indicator.is_some_and(|each| each.critical));
}
