//! The JDK: PKIX validation with OCSP and with CRLs, and `jarsigner -verify -revCheck -strict`.

use countersign_tests::clients::run_java;

use crate::site::Site;

#[test]
fn pkix_validation_is_served_by_ocsp_and_by_crl() {
    let site = Site::start();
    for mode in ["ocsp", "ocsp-nonce", "crl"] {
        let check = |leaf: &str| {
            let arguments = [mode, "root.pem", "issuer.pem", leaf];
            run_java("RevocationCheck.java", site.folder(), arguments).succeeds()
        };
        assert_eq!(check("good.pem").trim(), "good", "{mode}");
        assert!(check("revoked.pem").starts_with("revoked: SUPERSEDED since "), "{mode}");
    }
}

#[test]
fn jarsigner_checks_every_certificate_strictly() {
    let site = Site::start();
    std::fs::write(site.folder().join("hello.txt"), "hello").expect("written");
    site.run("jar", "--create --file app.jar hello.txt").succeeds();
    // The signer is looked for in the key store, and must not be trusted by itself: a key entry.
    for name in ["signer", "other"] {
        site.run(
            "openssl",
            &format!(
                "pkcs12 -export -in {name}.pem -inkey {name}.key -passin file:passphrase -name {name} \
                 -out {name}.p12 -passout pass:changeit"
            ),
        )
        .succeeds();
        site.run(
            "keytool",
            &format!(
                "-importcert -noprompt -alias root -file root.pem -keystore {name}.p12 -storepass changeit"
            ),
        )
        .succeeds();
    }
    let verify = |name: &str| {
        let sign = format!(
            "-keystore {name}.p12 -storepass changeit -signedjar {name}.jar app.jar {name}"
        );
        site.run("jarsigner", &sign).succeeds();
        let verify = format!(
            "-J-Dcom.sun.security.enableCRLDP=true -verify -revCheck -strict -verbose -certs \
             -keystore {name}.p12 -storepass changeit {name}.jar"
        );
        site.run("jarsigner", &verify)
    };
    let text = verify("signer").succeeds();
    assert!(text.contains("jar verified.") && !text.contains("is invalid"), "{text}");
    let text = verify("other").fails();
    assert!(text.contains("Certificate has been revoked"), "{text}");
}
