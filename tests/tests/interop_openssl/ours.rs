//! What we make, `openssl` accepts: whole evidence at the fixed time of the tests' world.

use std::path::Path;

use base64ct::{Base64, Encoding};
use countersign_core::{crl::RevocationReason, x509::Certificate};
use countersign_signing::{bundle, key::NewKey, profile::Authority};
use countersign_tests::world::{NOW, World};
use serde_json::Value;

use crate::bench::{Bench, files_in};

const FILE: &[u8] = b"the published program";

/// A bench that knows the world's certificates.
fn bench(world: &World) -> Bench {
    let bench = Bench::new();
    bench.write_pem("root.pem", &[world.authority.certificate(Authority::Root)]);
    for authority in [Authority::Signing, Authority::Timestamping, Authority::Service] {
        let name = authority.name();
        bench.write_pem(&format!("{name}.pem"), &[world.authority.certificate(authority)]);
    }
    bench.write_pem("signer.pem", &[&world.signer.certificate]);
    bench.write_pem("tsa.pem", &[&world.timestamp_authority.certificate]);
    bench.write_pem("ocsp.pem", &[&world.delegate.certificate]);
    bench
}

/// `-attime` of the world.
fn then() -> String {
    format!("-attime {}", NOW.seconds())
}

fn base64(value: &Value) -> Vec<u8> {
    Base64::decode_vec(value.as_str().expect("a string")).expect("base64")
}

#[test]
fn every_certificate_of_an_authority_reads_and_verifies_for_its_purpose() {
    let world = World::new();
    let bench = bench(&world);
    let then = then();
    for (leaf, issuer, purpose) in [
        ("signer", "signing", "any"),
        ("tsa", "timestamping", "timestampsign"),
        ("ocsp", "signing", "ocsphelper"),
    ] {
        bench.openssl(&format!(
            "verify -x509_strict {then} -purpose {purpose} -CAfile root.pem -untrusted {issuer}.pem {leaf}.pem"
        ));
    }
    for ca in ["root", "signing", "timestamping", "service"] {
        bench.openssl(&format!(
            "verify -x509_strict {then} -purpose crlsign -CAfile root.pem {ca}.pem"
        ));
    }
    // A timestamp certificate is no signer of files, and neither way round.
    for leaf in ["signer", "ocsp"] {
        bench.openssl_refuses(&format!(
            "verify {then} -purpose timestampsign -CAfile root.pem -untrusted signing.pem {leaf}.pem"
        ));
    }
    let issued = world.authority.issued_path("some");
    let files = files_in(issued.parent().expect("a folder"));
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        reads(&bench, &file);
    }
}

fn reads(bench: &Bench, file: &Path) {
    let path = file.display();
    let text = bench.openssl(&format!("x509 -in {path} -noout -text -nameopt utf8,sep_comma_plus"));
    for part in [
        "Version: 3 (0x2)",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "Key Usage: critical",
        "/crl/",
        "OCSP - URI:http://revocation.example/ocsp",
        "CA Issuers - URI:http://revocation.example/ca/",
    ] {
        assert!(text.contains(part), "{part} is not in {path}:\n{text}");
    }
    let der = countersign_signing::pem::read_certificates(file).expect("PEM").swap_remove(0);
    bench.parses(&der);
}

#[test]
fn signatures_in_bundles_verify_with_the_certificates_key() {
    for algorithm in NewKey::ALL {
        let world = World::with_algorithm(algorithm);
        let bench = bench(&world);
        bench.openssl("x509 -in signer.pem -noout -pubkey -out signer.pub");
        let hash = if matches!(algorithm, NewKey::P384) { "sha384" } else { "sha256" };

        let signed: Value = serde_json::from_slice(&world.sign(FILE, None)).expect("JSON");
        bench.write("file", FILE);
        bench.write("signature", base64(&signed["messageSignature"]["signature"]));
        bench.openssl(&format!("dgst -{hash} -verify signer.pub -signature signature file"));

        let attested: Value =
            serde_json::from_slice(&world.attest("app", FILE, None)).expect("JSON");
        let envelope = &attested["dsseEnvelope"];
        let payload = base64(&envelope["payload"]);
        let message = bundle::pre_authentication_encoding(bundle::IN_TOTO_PAYLOAD_TYPE, &payload);
        bench.write("envelope", message);
        bench.write("sig", base64(&envelope["signatures"][0]["sig"]));
        bench.openssl(&format!("dgst -{hash} -verify signer.pub -signature sig envelope"));
        bench.openssl_refuses(&format!("dgst -{hash} -verify signer.pub -signature sig file"));
    }
}

#[test]
fn timestamps_in_bundles_verify_as_timestamps_and_as_cms() {
    for algorithm in NewKey::ALL {
        let world = World::with_algorithm(algorithm);
        let bench = bench(&world);
        let signed = world.sign(FILE, Some(NOW.minus_seconds(60)));
        let signed: Value = serde_json::from_slice(&signed).expect("JSON");
        let material = &signed["verificationMaterial"]["timestampVerificationData"];
        let response = base64(&material["rfc3161Timestamps"][0]["signedTimestamp"]);
        bench.parses(&response);
        bench.write("response", &response);
        bench.write("signature", base64(&signed["messageSignature"]["signature"]));
        bench.write("file", FILE);

        let tsa = &world.timestamp_authority.certificate;
        let ca = world.authority.certificate(Authority::Timestamping);
        bench.write_pem("between.pem", &[tsa, ca]);
        let then = then();
        let verify = |data: &str| {
            format!(
                "ts -verify {then} -data {data} -in response -CAfile root.pem -untrusted between.pem"
            )
        };
        // The imprint is over the signature: it says when it was signed.
        assert!(bench.openssl(&verify("signature")).contains("Verification: OK"));
        bench.openssl_refuses(&verify("file"));

        bench.openssl("ts -reply -in response -token_out -out token");
        bench.openssl("cms -cmsout -print -noout -inform DER -in token");
        bench.openssl(&format!(
            "cms -verify {then} -purpose timestampsign -inform DER -in token -binary \
             -certfile between.pem -CAfile root.pem -out info"
        ));
        bench.openssl("asn1parse -inform DER -in info");
    }
}

#[test]
fn chains_verify_with_the_crls_of_every_authority_and_the_revoked_do_not() {
    let world = World::new();
    let bench = bench(&world);
    let this_update = NOW.minus_seconds(60);
    let convert = |name: &str, crl: &[u8]| {
        bench.parses(crl);
        bench.write("crl", crl);
        bench.openssl(&format!("crl -inform DER -in crl -out {name}.crl"));
    };
    for authority in [Authority::Root, Authority::Signing, Authority::Timestamping] {
        let crl = world.crl(authority, this_update, &[]);
        convert(authority.name(), &crl);
        let issuer = authority.name();
        let said =
            bench.openssl(&format!("crl -in {issuer}.crl -noout -text -CAfile {issuer}.pem"));
        assert!(said.contains("verify OK"), "{said}");
    }
    let verify = |leaf: &str, issuer: &str| {
        format!(
            "verify {} -crl_check_all -CRLfile root.crl -CRLfile {issuer}.crl -CAfile root.pem \
             -untrusted {issuer}.pem {leaf}.pem",
            then()
        )
    };
    for (leaf, issuer) in [("signer", "signing"), ("ocsp", "signing"), ("tsa", "timestamping")] {
        bench.openssl(&verify(leaf, issuer));
    }

    let revoked = |certificate: &[u8]| {
        let serial = Certificate::decode(certificate).expect("ours").serial.to_vec();
        vec![(serial, RevocationReason::Superseded, NOW.minus_seconds(600))]
    };
    let crl = world.crl(Authority::Signing, this_update, &revoked(&world.signer.certificate));
    convert("signing", &crl);
    assert!(bench.openssl_refuses(&verify("signer", "signing")).contains("certificate revoked"));
    bench.openssl(&verify("ocsp", "signing"));
    // A revoked CA takes its leaves with it.
    let signing_ca = world.authority.certificate(Authority::Signing);
    convert("signing", &world.crl(Authority::Signing, this_update, &[]));
    convert("root", &world.crl(Authority::Root, this_update, &revoked(signing_ca)));
    assert!(bench.openssl_refuses(&verify("signer", "signing")).contains("certificate revoked"));
    bench.openssl(&verify("tsa", "timestamping"));
}
