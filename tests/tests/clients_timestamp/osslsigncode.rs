//! `osslsigncode -ts`: Authenticode, over HTTP/1.0.

use super::{
    portable_executable,
    service::{Site, with_each_key},
};

fn sign(site: &Site, output: &str) {
    site.write("app.exe", portable_executable::smallest());
    site.run(
        "osslsigncode",
        &format!(
            "sign -certs signer.pem -key signer.key -readpass passphrase -h sha256 -ts {} -in app.exe -out {output}",
            site.url()
        ),
    )
    .succeeds();
}

#[test]
fn osslsigncode_is_served_and_verifies() {
    with_each_key(|site| {
        sign(site, "signed.exe");
        // It wants a CRL for every certificate that names one.
        site.make_crls();
        let text = site
            .run(
                "osslsigncode",
                "verify -CAfile root.pem -CRLfile signing.crls -TSA-CAfile root.pem \
                 -TSA-CRLfile timestamping.crls -in signed.exe",
            )
            .succeeds();
        assert!(text.contains("Timestamp Server Signature verification: ok"), "{text}");
        assert!(text.contains("\nSignature verification: ok"), "{text}");
    });
}
