//! The revocation service with its keys in a PKCS#11 token (`SoftHSM`): the CA's, which signs CRLs, and
//! the OCSP delegate's. The token goes away while it runs, and comes back: no restart is needed.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use countersign_tests::{
    programs::{REVOCATION, Service},
    scenario::{Folder, Site as Founded},
};

/// Where Debian's package puts the library.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "4711-0815";
/// The longest pause between two looks at the token, the time for which a trial of the keys stands,
/// and some slack.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the OCSP delegate is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delegate {
    /// Its key is in the token too.
    InToken,
    /// It is issued by the service, with the CA's key.
    Automatic,
}

/// A running service and everything around it.
struct Site {
    founded: Founded,
    service: Option<Service>,
}

impl Site {
    fn start(delegate: Delegate) -> Self {
        let mut founded = Founded::new(Folder::Removed).expect("a site");
        founded.make_passphrase().expect("a passphrase");
        let folder = founded.shell.folder().to_owned();
        let tokens = format!("directories.tokendir = {}\n", folder.join("tokens").display());
        fs::write(folder.join("softhsm2.conf"), tokens).expect("written");
        fs::write(folder.join("pin"), PIN).expect("written");
        fs::set_permissions(folder.join("pin"), fs::Permissions::from_mode(0o600))
            .expect("permitted");
        let configuration = folder.join("softhsm2.conf");
        founded.shell.export("SOFTHSM2_CONF", &configuration.display().to_string());
        let uri = |object: &str| {
            let pin = folder.join("pin");
            format!(
                "pkcs11:token=CA;object={object}?module-path={SOFTHSM}&pin-source=file:{}",
                pin.display()
            )
        };
        let softhsm = format!(
            "mkdir tokens && softhsm2-util --init-token --free --label CA --so-pin {PIN} --pin {PIN}"
        );
        founded.shell.succeed(&softhsm).expect("softhsm2-util: run scripts/setup test");
        for object in ["signing", "ocsp"] {
            let generate = format!("countersign key generate --key '{}'", uri(object));
            founded.shell.succeed(&generate).expect("a key");
        }
        // A CA's folder names neither library nor PIN: whoever may write it would choose them.
        founded.shell.export("COUNTERSIGN_PKCS11_MODULE", SOFTHSM);
        founded.shell.export("COUNTERSIGN_PKCS11_PIN", PIN);
        for line in founded.founding_commands() {
            let line = line
                .replace("ca init ca", &format!("ca init ca --ca-key 'signing={}'", uri("signing")))
                .replace("--new-key ocsp.key", &format!("--key '{}'", uri("ocsp")));
            founded.shell.succeed(&line).expect(&line);
        }
        let port = founded.base_url().rsplit(':').next().expect("a port").to_owned();
        let of_delegate = match delegate {
            Delegate::InToken => {
                format!("ocsp_certificate = 'ocsp.pem'\nocsp_key = '{}'\n", uri("ocsp"))
            }
            Delegate::Automatic => "ocsp_delegate = 'automatic'\n".to_owned(),
        };
        let text = format!(
            "listen = '127.0.0.1:{port}'\nadmin_listen = '127.0.0.1:0'\ndatabase = 'revocation.db'\n\
             public_url = 'http://127.0.0.1:{port}'\nocsp_max_age_seconds = 5\n\
             [admin_tls]\ncertificate = 'server.pem'\nkey = 'server.key'\n\
             key_passphrase_file = 'passphrase'\nclient_ca = 'ca/service/certificate.pem'\n\
             [[administrator]]\nidentity = 'admin@example.org'\nroles = ['registrar', 'revoker']\n\
             [[issuer]]\nname = 'signing'\ncertificate = 'ca/signing/certificate.pem'\n\
             key = '{}'\n{of_delegate}",
            uri("signing")
        );
        fs::write(folder.join("revocation.toml"), text).expect("written");
        let mut site = Self { founded, service: None };
        site.run_service();
        for name in ["other", "third"] {
            site.succeed(&format!(
                "countersign ca issue --dir ca --profile code-signer --email {name}@example.org \
                 --new-key {name}.key --output {name}.pem"
            ));
        }
        site.succeed("countersign revocation register signer.pem other.pem third.pem");
        site
    }

    fn run_service(&mut self) {
        let configuration = self.path("softhsm2.conf");
        let environment: [(&str, &OsStr); 1] = [("SOFTHSM2_CONF", configuration.as_os_str())];
        let shell = &self.founded.shell;
        let service = Service::start_with(
            shell.programs(),
            REVOCATION,
            shell.folder(),
            "revocation.toml",
            &["public", "admin"],
            &environment,
        )
        .unwrap_or_else(|error| panic!("{error}"));
        self.founded.export_administration(&service);
        self.service = Some(service);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.founded.shell.folder().join(name)
    }

    #[track_caller]
    fn succeed(&self, line: &str) -> String {
        self.founded.shell.succeed(line).unwrap_or_else(|error| panic!("{error}")).said()
    }

    /// What openssl's client hears of a certificate: `-no_nonce` may be a kept answer, `-nonce` is
    /// signed for it.
    fn ask(&self, certificate: &str, nonce: &str) -> String {
        let url = self.founded.base_url();
        let line = format!(
            "openssl ocsp -issuer ca/signing/certificate.pem -cert {certificate}.pem {nonce} \
             -url {url}/ocsp -CAfile ca/root/certificate.pem"
        );
        self.founded.shell.run(&line).expect("a shell").said()
    }

    /// Whether the CRL that is served is right, by openssl, and lists the certificate.
    fn is_listed(&self, certificate: &str) -> bool {
        let url = self.founded.base_url();
        let serial = self.succeed(&format!("openssl x509 -in {certificate}.pem -noout -serial"));
        let text = self.succeed(&format!(
            "curl --silent --show-error --fail --noproxy '*' --output got.crl {url}/crl/signing.crl \
             && openssl crl -inform DER -in got.crl -CAfile ca/signing/certificate.pem -noout -text"
        ));
        assert!(text.contains("verify OK"), "{text}");
        text.contains(serial.trim().trim_start_matches("serial="))
    }

    fn readiness(&self) -> String {
        let url = self.founded.base_url();
        self.succeed(&format!(
            "curl --silent --noproxy '*' --write-out ' %{{http_code}}' {url}/readyz"
        ))
    }

    /// Takes the token away.
    fn pull(&self) {
        fs::rename(self.path("tokens"), self.path("away")).expect("moved");
    }

    /// Puts the token back.
    fn put_back(&self) {
        fs::rename(self.path("away"), self.path("tokens")).expect("moved");
    }

    /// The exit code of `countersign-revocation --check`, and what it says.
    fn check(&self) -> (i32, String) {
        let line = "countersign-revocation --config revocation.toml --check";
        let ran = self.founded.shell.run(line).expect("a shell");
        (ran.exit_code, ran.said())
    }
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not {what} in time");
    }
}

/// Revokes while the CA's key is away: recorded, and the administrator is told that no CRL shows it.
fn revoke_without_crl(site: &Site, certificate: &str) {
    let line = format!(
        "countersign --format json revoke --certificate {certificate}.pem --reason superseded --yes"
    );
    let ran = site.founded.shell.run(&line).expect("a shell");
    assert_eq!(ran.exit_code, 3, "{}", ran.said());
    assert!(ran.stdout.contains("crl.not_published"), "{}", ran.said());
    assert!(!site.is_listed(certificate));
}

#[test]
fn crls_and_ocsp_answers_are_signed_in_the_token_which_may_go_and_come_back() {
    let site = Site::start(Delegate::InToken);
    for certificate in ["other", "third"] {
        let good = |nonce| site.ask(certificate, nonce).contains(": good");
        assert!(good("-nonce") && good("-no_nonce"));
        assert!(!site.is_listed(certificate));
        assert!(site.readiness().ends_with(" 200"), "{}", site.readiness());
        site.pull();
        let is_try_later = |nonce| site.ask(certificate, nonce).contains("trylater (3)");
        wait_until("told to try later", || is_try_later("-nonce"));
        // A signature that failed has every key tried: no half minute passes.
        wait_until("unready", || site.readiness().ends_with(" 503"));
        let said = site.readiness();
        assert!(said.contains("the key of signing does not sign"), "{said}");
        assert!(said.contains("the key of signing's OCSP delegate does not sign"), "{said}");
        assert!(!said.contains("pkcs11:"), "{said}");
        // What is kept is given while it is current, and not a second longer.
        let is_good_or_later =
            |said: &str| said.contains(": good") || said.contains("trylater (3)");
        let kept = site.ask("signer", "-no_nonce");
        assert!(is_good_or_later(&kept), "{kept}");
        wait_until("out of date", || is_try_later("-no_nonce"));
        revoke_without_crl(&site, certificate);
        let said = site.ask(certificate, "-no_nonce");
        assert!(said.contains("trylater (3)"), "{said}");
        site.put_back();
        wait_until("revoked, by OCSP", || site.ask(certificate, "-nonce").contains(": revoked"));
        wait_until("in the CRL", || site.is_listed(certificate));
        wait_until("ready", || site.readiness().ends_with(" 200"));
        assert!(site.ask(certificate, "-no_nonce").contains(": revoked"));
        assert!(site.ask("signer", "-no_nonce").contains(": good"));
    }
}

#[test]
fn delegates_that_the_token_issued_go_on_without_it() {
    let site = Site::start(Delegate::Automatic);
    assert!(site.ask("other", "-no_nonce").contains(": good"));
    site.pull();
    wait_until("unready", || site.readiness().ends_with(" 503"));
    revoke_without_crl(&site, "other");
    // The database is the authority: the very next answers say so, the CRL when it can.
    for nonce in ["-no_nonce", "-nonce"] {
        let said = site.ask("other", nonce);
        assert!(said.contains(": revoked"), "{said}");
    }
    site.put_back();
    wait_until("in the CRL", || site.is_listed("other"));
    wait_until("ready", || site.readiness().ends_with(" 200"));
}

#[test]
fn a_start_without_the_token_may_be_tried_again_and_one_with_a_wrong_pin_not() {
    let mut site = Site::start(Delegate::InToken);
    site.service.take().expect("it runs").stop().expect("it ends");
    site.pull();
    fs::create_dir(site.path("tokens")).expect("made");
    // 3: systemd starts it again. 2: it does not, since the token would lock itself.
    let (code, text) = site.check();
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("no such token is present"), "{text}");
    fs::remove_dir(site.path("tokens")).expect("empty");
    site.put_back();
    assert_eq!(site.check().0, 0);
    fs::write(site.path("pin"), "wrong").expect("written");
    let (code, text) = site.check();
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("the PIN is wrong"), "{text}");
}
