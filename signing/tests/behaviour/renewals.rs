//! CAs whose certificates are made anew, before and after they expired, as `openssl` sees them.

use std::fs;

use countersign_core::{time::UnixSeconds, x509::Certificate};
use countersign_signing::{
    ca::{CaError, CertificateAuthority, RenewalKey, SubjectKey},
    key::NewKey,
    pem,
    profile::Authority,
};

use crate::{
    authority::{TestAuthority, code_signer_request, passphrase},
    openssl::Bench,
};

const DAY_SECONDS: i64 = 86_400;
const YEAR_SECONDS: i64 = 365 * DAY_SECONDS;

fn end_of(ca: &CertificateAuthority, authority: Authority) -> UnixSeconds {
    Certificate::decode(ca.certificate(authority)).expect("a certificate").not_after
}

/// Whether `openssl` verifies a leaf of the signing CA's at that time, with the CA's certificates
/// as they are now.
fn verifies(ca: &CertificateAuthority, leaf: &[u8], at: UnixSeconds) {
    let bench = Bench::new();
    bench.write_pem("root.pem", &[ca.certificate(Authority::Root)]);
    bench.write_pem("between.pem", &[ca.certificate(Authority::Signing)]);
    bench.write_pem("leaf.pem", &[leaf]);
    let command = format!(
        "verify -x509_strict -attime {} -CAfile root.pem -untrusted between.pem leaf.pem",
        at.seconds()
    );
    bench.run(&command).succeeds();
}

#[test]
fn a_renewed_ca_stands_above_what_it_issued_before_and_after() {
    let mut pki = TestAuthority::new(NewKey::P256);
    let old_leaf = pki.code_signer().certificate;
    let old = pki.ca.certificate(Authority::Signing).to_vec();
    let old = Certificate::decode(&old).expect("a certificate");
    let nearly_ten_years = pki.now.plus_seconds(10 * YEAR_SECONDS - DAY_SECONDS);
    let renewed =
        pki.ca.renew_authority(Authority::Signing, None, nearly_ten_years).expect("renewed");
    let new = Certificate::decode(&renewed.certificate).expect("a certificate");
    assert_eq!((new.subject, new.public_key.raw), (old.subject, old.public_key.raw));
    assert_eq!(new.not_before, old.not_before);
    assert!(new.not_after > old.not_after && new.serial != old.serial);
    assert_eq!(pki.ca.certificate(Authority::Signing), renewed.certificate);
    let later = nearly_ten_years.plus_seconds(30 * DAY_SECONDS);
    let key = SubjectKey::New(NewKey::P256);
    let new_leaf = pki.ca.issue(&code_signer_request(), key, later).expect("issued");
    verifies(&pki.ca, &old_leaf, pki.now);
    verifies(&pki.ca, &new_leaf.certificate, later);
    // The folder has both, and the index which is which.
    let again =
        CertificateAuthority::open(&pki.folder.path().join("ca"), &passphrase()).expect("opened");
    assert_eq!(again.certificate(Authority::Signing), renewed.certificate);
    assert_eq!(again.issued(&new.serial_text()).expect("there").1, renewed.certificate);
    assert_eq!(again.issued(&old.serial_text()).expect("kept").1, old.raw);
    let signer = again.signer(Authority::Signing).expect("the same key");
    assert_eq!(signer.spki(), new.public_key.raw);
}

#[test]
fn no_ca_outlives_the_root_which_renews_itself() {
    let mut pki = TestAuthority::new(NewKey::P256);
    let root_end = end_of(&pki.ca, Authority::Root);
    let thirty_years = Some(30 * YEAR_SECONDS);
    let renew = |pki: &mut TestAuthority, authority, now| {
        pki.ca.renew_authority(authority, thirty_years, now).map(|renewed| renewed.entry)
    };
    let now = pki.now;
    renew(&mut pki, Authority::Timestamping, now).expect("renewed");
    assert_eq!(end_of(&pki.ca, Authority::Timestamping), root_end);
    let too_late = root_end.plus_seconds(1);
    let refused = renew(&mut pki, Authority::Signing, too_late);
    assert!(matches!(refused, Err(CaError::IssuerNotValid { issuer: Authority::Root, .. })));
    renew(&mut pki, Authority::Root, too_late).expect("renewed by itself");
    renew(&mut pki, Authority::Signing, too_late).expect("renewed");
    let leaf = pki.ca.issue(&code_signer_request(), SubjectKey::New(NewKey::P256), too_late);
    verifies(&pki.ca, &leaf.expect("issued").certificate, too_late);
}

#[test]
fn a_ca_is_never_made_to_end_earlier() {
    let mut pki = TestAuthority::new(NewKey::P256);
    let before = pki.ca.certificate(Authority::Service).to_vec();
    let listed = pki.ca.list().expect("an index");
    for validity_seconds in [0, DAY_SECONDS, 10 * YEAR_SECONDS - DAY_SECONDS] {
        let refused = pki.ca.renew_authority(Authority::Service, Some(validity_seconds), pki.now);
        assert!(matches!(refused, Err(CaError::Request { .. })));
    }
    assert_eq!(pki.ca.certificate(Authority::Service), before);
    assert_eq!(pki.ca.list().expect("an index"), listed);
}

#[test]
fn of_renewals_at_the_same_time_none_is_lost() {
    let pki = TestAuthority::new(NewKey::P256);
    let folder = pki.folder.path().join("ca");
    let years = [11, 12, 13, 14];
    let renewed: Vec<_> = std::thread::scope(|scope| {
        let renew = |years: i64| {
            let mut ca = CertificateAuthority::open(&folder, &passphrase()).expect("opened");
            let validity_seconds = Some(years * YEAR_SECONDS);
            scope.spawn(move || ca.renew_authority(Authority::Signing, validity_seconds, pki.now))
        };
        let running: Vec<_> = years.into_iter().map(renew).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let ca = CertificateAuthority::open(&folder, &passphrase()).expect("opened");
    // Whoever came after one for longer was refused; whoever was not has what is in the folder.
    let latest = renewed.iter().flatten().map(|renewed| renewed.entry.not_after.clone()).max();
    assert_eq!(latest, Some(end_of(&ca, Authority::Signing).to_string()));
    for renewed in renewed.into_iter().flatten() {
        assert_eq!(ca.issued(&renewed.entry.serial).expect("kept").1, renewed.certificate);
    }
}

/// Who can write to the folder and has no key got a certificate for a name and a key of their own.
#[test]
fn a_swapped_certificate_is_not_renewed() {
    let pki = TestAuthority::new(NewKey::P256);
    let stranger = TestAuthority::new(NewKey::P256);
    let issued = pki.code_signer();
    let serial = issued.entry.serial.clone();
    let renew = || pki.ca.renew(&serial, RenewalKey::Same, None, pki.now);
    renew().expect("renewed as long as nothing was touched");

    let path = pki.ca.issued_path(&serial);
    let foreign = stranger.code_signer().certificate;
    fs::write(&path, pem::encode_certificates(&[&foreign])).expect("written");
    assert!(matches!(renew(), Err(CaError::Altered { .. })));

    // With the index rewritten to fit it, the signature still does not.
    let index = pki.folder.path().join("ca/index.jsonl");
    let entry = stranger.ca.list().expect("an index").pop().expect("an entry");
    let line = serde_json::to_string(&entry).expect("JSON");
    fs::write(&index, format!("{line}\n")).expect("written");
    fs::write(pki.ca.issued_path(&entry.serial), pem::encode_certificates(&[&foreign]))
        .expect("written");
    let renewed = pki.ca.renew(&entry.serial, RenewalKey::Same, None, pki.now);
    assert!(matches!(renewed, Err(CaError::Altered { .. })));
}

#[test]
fn a_certificate_is_renewed_under_its_own_profile_only() {
    let pki = TestAuthority::new(NewKey::P256);
    let issued = pki.code_signer();
    let index = pki.folder.path().join("ca/index.jsonl");
    let text = fs::read_to_string(&index).expect("an index");
    assert!(text.contains("\"code-signer\""), "{text}");
    fs::write(&index, text.replace("\"code-signer\"", "\"tls-client\"")).expect("written");
    let renewed = pki.ca.renew(&issued.entry.serial, RenewalKey::Same, None, pki.now);
    assert!(matches!(renewed, Err(CaError::Altered { .. })));
}

#[test]
fn a_swapped_ca_certificate_is_seen_when_the_folder_is_opened() {
    let pki = TestAuthority::new(NewKey::P256);
    let stranger = TestAuthority::new(NewKey::P256);
    for authority in [Authority::Signing, Authority::Root] {
        let path = pki.ca.certificate_path(authority);
        let own = fs::read(&path).expect("a certificate");
        fs::copy(stranger.ca.certificate_path(authority), &path).expect("copied");
        let opened = CertificateAuthority::open(&pki.folder.path().join("ca"), &passphrase());
        assert!(matches!(opened, Err(CaError::Altered { .. })), "{}", authority.name());
        fs::write(&path, own).expect("put back");
    }
}
