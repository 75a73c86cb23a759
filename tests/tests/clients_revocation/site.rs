//! A PKI whose every issuer answers OCSP, the service running, one signer good and one revoked.

use std::fs;

use countersign_tests::{
    clients::{Ran, run},
    programs::Service,
    scenario::{Limits, Site as Founded},
};

/// The site; the service ends with it.
pub(crate) struct Site {
    founded: Founded,
    service: Service,
}

/// Beyond what the scenario has: OCSP for the root and for the issuer of TLS certificates.
const MORE_ISSUERS: &str = r#"ocsp_certificate = "ocsp-root.pem"
ocsp_key = "ocsp-root.key"
ocsp_key_passphrase_file = "passphrase"

[[issuer]]
name = "service"
certificate = "ca/service/certificate.pem"
key = "ca/service/key.pem"
key_passphrase_file = "passphrase"
ocsp_delegate = "automatic"
"#;

impl Site {
    pub(crate) fn start() -> Self {
        let mut founded = Founded::found(&Limits::Usual).expect("founded");
        for line in [
            "countersign ca issue --dir ca --profile ocsp --issuer root --new-key ocsp-root.key --output ocsp-root.pem",
            "countersign ca issue --dir ca --profile code-signer --email other@example.org --new-key other.key --output other.pem",
            "cp ca/root/certificate.pem root.pem && cp ca/signing/certificate.pem issuer.pem",
            "openssl x509 -in signer.pem -out good.pem && openssl x509 -in other.pem -out revoked.pem",
            "openssl x509 -in server.pem -out server-leaf.pem",
        ] {
            founded.shell.succeed(line).expect(line);
        }
        let path = founded.shell.folder().join("revocation.toml");
        let text = fs::read_to_string(&path).expect("a configuration");
        let line = "crl_file = \"root.crl\"\n";
        assert!(text.contains(line), "{text}");
        let text = text.replace(line, &format!("{line}{MORE_ISSUERS}"));
        fs::write(&path, text).expect("written");
        let service = founded.start_revocation().expect("it listens");
        founded.export_administration(&service);
        for line in [
            "countersign revocation register good.pem revoked.pem server-leaf.pem ca/signing/certificate.pem ca/service/certificate.pem",
            "countersign revoke --certificate revoked.pem --reason superseded --yes",
        ] {
            founded.shell.succeed(line).expect(line);
        }
        Self { founded, service }
    }

    /// The responder's URL.
    pub(crate) fn responder(&self) -> String {
        format!("{}/ocsp", self.service.url("public"))
    }

    /// Fetches a list to a file.
    pub(crate) fn fetch(&self, path: &str, file: &str) {
        let url = format!("{}{path}", self.service.url("public"));
        self.run(
            "curl",
            &format!("--silent --show-error --fail --noproxy * --output {file} {url}"),
        )
        .succeeds();
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.founded.shell.folder()
    }

    /// Runs a line of the shell, which must succeed.
    pub(crate) fn run_line(&self, line: &str) {
        self.founded.shell.succeed(line).expect(line);
    }

    /// Runs a program with these words in the site's folder.
    pub(crate) fn run(&self, program: &str, words: &str) -> Ran {
        run(program, self.folder(), words.split_whitespace())
    }
}
