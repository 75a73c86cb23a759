//! The program `countersign` beside `openssl`, on one another's files.

use countersign_tests::{
    programs::Programs,
    scenario::{Limits, Shell, Site},
};

use crate::authority::{Authority, FILE, IDENTITY, Keys, NAME, USUAL};

/// What `openssl` made, as files for the command line.
fn published(keys: Keys) -> (Authority, Shell) {
    let theirs = Authority::new(keys);
    let bench = &theirs.bench;
    bench.write(NAME, FILE);
    bench.write("app.sigstore.json", theirs.sign_as("signer", Some(USUAL)));
    bench.write("trusted_root.json", theirs.trusted_root());
    theirs.crl("signing");
    theirs.ocsp("signer", "ocsp", "");
    let programs = Programs::find().expect("the programs are built");
    let shell = Shell::new(&bench.path(""), programs);
    (theirs, shell)
}

#[test]
fn verifies_files_and_timestamps_of_openssl() {
    let (theirs, shell) = published(Keys::P384);
    let verify = format!(
        "countersign verify app --offline --trusted-root trusted_root.json \
         --certificate-identity {IDENTITY}"
    );
    for evidence in ["--crl signing.crl", "--crl signing.crl.pem", "--ocsp ocsp.response"] {
        shell.succeed(&format!("{verify} {evidence}")).expect("verified");
    }
    let alone = shell.run(&format!("{verify} --no-cache")).expect("it runs");
    assert_eq!(alone.exit_code, 3, "nothing clears the signer");

    theirs.bench.write("reply.tsr", theirs.stamp(FILE, USUAL));
    for trust in
        ["--trusted-root trusted_root.json", "--ca-file root.pem --untrusted timestamping.pem"]
    {
        let line = |data| format!("countersign timestamp verify --token reply.tsr {data} {trust}");
        shell.succeed(&line("--data app")).expect("verified");
        let other = shell.run(&line("--data openssl.cnf")).expect("it runs");
        assert_eq!(other.exit_code, 13, "{}", other.said());
    }

    theirs.revoke("signer", "-crl_compromise 20260101000000Z");
    theirs.crl("signing");
    let revoked = shell.run(&format!("{verify} --crl signing.crl")).expect("it runs");
    assert_eq!(revoked.exit_code, 14, "{}", revoked.said());
}

#[test]
fn shows_what_openssl_made() {
    let (_theirs, shell) = published(Keys::Rsa);
    let files = "root.pem signer.pem signing.crl.pem signing.crl ocsp.response reply.tsr query.tsq";
    let ran = shell.succeed(&format!("countersign inspect {files}")).expect("each is known");
    for part in ["CN=Root", IDENTITY, "http://pki.example/signing.crl"] {
        assert!(ran.stdout.contains(part), "{part}:\n{}", ran.stdout);
    }
}

#[test]
fn openssl_accepts_its_timestamps_and_certificates_for_requests() {
    let site = Site::found(&Limits::Usual).expect("a site");
    let timestamp = site.start_timestamp().expect("started");
    let shell = &site.shell;
    let url = timestamp.url("public");
    shell
        .succeed(&format!(
            "countersign timestamp request policy.json --timestamp-url {url} --output policy.tsr"
        ))
        .expect("a timestamp");
    shell
        .succeed(
            "openssl ts -verify -data policy.json -in policy.tsr -CAfile ca/root/certificate.pem",
        )
        .expect("openssl agrees");

    // A key that never leaves its owner: only the request travels.
    shell
        .succeed(
            "openssl req -new -newkey rsa:3072 -nodes -keyout own.key -subj /CN=own -out own.csr",
        )
        .expect("a request");
    shell
        .succeed(
            "countersign ca issue --dir ca --profile code-signer --email own@example.org \
             --csr own.csr --output own.pem",
        )
        .expect("a certificate");
    let verify =
        "openssl verify -x509_strict -CAfile ca/root/certificate.pem -untrusted own.pem own.pem";
    shell.succeed(verify).expect("openssl agrees");
    let own = "openssl pkey -in own.key -pubout -out key.pub && \
               openssl x509 -in own.pem -noout -pubkey -out certificate.pub && cmp key.pub certificate.pub";
    shell.succeed(own).expect("it is for that key");

    // Our encrypted keys are anybody's PKCS #8.
    shell.succeed("openssl pkey -in signer.key -passin file:passphrase -noout").expect("it opens");
}
