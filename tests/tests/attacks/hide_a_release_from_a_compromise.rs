//! Who may register releases has one left out of what must be looked at after a theft: they register it first, as signed
//! long before.

use serde_json::json;

use crate::site::Site;

#[test]
fn a_false_time_of_signing_does_not_stay() {
    let site = Site::start();
    site.succeed(
        "echo app > app && countersign sign app --key signer.key --certificate signer.pem \
         --trusted-root trusted_root.json",
    );
    let der = "openssl x509 -in signer.pem -outform DER | base64 -w0";
    let release = |name: &str| {
        json!({
            "bundle_sha256": site.succeed("sha256sum app.sigstore.json").stdout[..64],
            "name": name, "signed_at": "2020-01-01T00:00:00Z",
            "certificate": site.succeed(der).stdout,
        })
    };
    let post = |release: &serde_json::Value| {
        site.write("release.json", &release.to_string());
        site.succeed(
            "curl --silent --cacert ca/root/certificate.pem --cert admin.pem --key admin.key \
             --pass \"$(cat passphrase)\" -H 'Content-Type: application/json' \
             --data-binary @release.json \"$COUNTERSIGN_ADMIN_URL/v1/releases\"",
        )
        .stdout
    };
    assert!(post(&release("app")).contains("\"registered\""));
    let said = site.succeed("countersign revocation register --bundle app.sigstore.json").stdout;
    assert!(said.contains("app: corrected"), "{said}");
    // Nor does it come back, or the release go by another name.
    let said = post(&release("app"));
    assert!(said.contains("\"known\"") && !said.contains("2020-01-01"), "{said}");
    let said = post(&release("harmless"));
    assert!(said.contains("release.conflict"), "{said}");
    let again = site.succeed("countersign revocation register --bundle app.sigstore.json").stdout;
    assert!(again.contains("app: already registered"), "{again}");

    let compromise = "revoke --certificate signer.pem --reason keyCompromise --dry-run \
                      --compromised-since \"$(date -u -d '-3 minutes' +%Y-%m-%dT%H:%M:%SZ)\"";
    let affected = &site.json(compromise)["affected_releases"];
    assert_eq!(affected[0]["name"], "app", "{affected}");
}
