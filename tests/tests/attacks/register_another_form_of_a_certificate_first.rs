//! Who registers another form of a certificate first, with the other value of s in its issuer's signature, keeps the
//! certificate itself from being registered and revoked. Anybody can compute that form, and it verifies as well.

use countersign_core::{
    asn1::write::{bit_string, sequence},
    pem::{self, Kind},
    x509::Certificate,
};

use crate::site::Site;

/// The certificate with its signature's other value of s: another digest, and as well signed.
fn other_form(der: &[u8]) -> Vec<u8> {
    let certificate = Certificate::decode(der).expect("a certificate");
    let signature =
        p384::ecdsa::Signature::from_der(certificate.signature).expect("the CA signs by P-384");
    let (r, s) = signature.split_scalars();
    let other = p384::ecdsa::Signature::from_scalars(r, -s).expect("a signature");
    let whole = certificate.raw;
    let signed = whole
        .windows(certificate.tbs.len())
        .position(|window| window == certificate.tbs)
        .expect("it is in there")
        + certificate.tbs.len();
    let algorithm = &whole[signed..whole.len() - bit_string(certificate.signature).len()];
    let other = other.to_der();
    sequence(&[certificate.tbs, algorithm, &bit_string(other.as_bytes())])
}

#[test]
fn a_certificate_in_another_form_is_the_same_certificate() {
    let site = Site::start();
    site.succeed(
        "countersign ca issue --dir ca --profile code-signer --email accomplice@example.org \
         --new-key accomplice.key --output accomplice.pem",
    );
    let pem = site.read_octets("accomplice.pem");
    let genuine = pem::objects(pem, Kind::Certificate).expect("PEM").swap_remove(0);
    let form = other_form(&genuine);
    assert_ne!(form, genuine);
    std::fs::write(site.founded.shell.folder().join("form.der"), form).expect("written");
    site.succeed("openssl x509 -inform der -in form.der -out form.pem");
    site.succeed("openssl verify -CAfile ca/root/certificate.pem -untrusted ca/signing/certificate.pem form.pem");
    let said = site.succeed("countersign revocation register form.pem").stdout;
    assert!(said.contains(": registered"), "{said}");
    let said = site.succeed("countersign revocation register accomplice.pem").stdout;
    assert!(said.contains("already registered"), "{said}");
    let order = "revoke --certificate accomplice.pem --reason superseded --yes";
    assert_eq!(site.json(order)["serial"], site.serial("accomplice.pem").as_str());
    assert_eq!(site.revoked(), [(site.serial("accomplice.pem"), "superseded".to_owned())]);
}
