//! The real service on loopback, with a key of each kind, and a publisher's certificates.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_signing::pem;
use countersign_tests::{
    clients::{Ran, run},
    programs::{COUNTERSIGN, Programs, Service, TIMESTAMP},
};
use tempfile::TempDir;

/// Where Debian's package puts the library.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "4711-0815";
const PASSPHRASE: &str = "correct horse battery staple";
/// The policy of tokens whose request names none, and another that is offered.
pub(crate) const OTHER_POLICY: &str = "1.3.6.1.4.1.99999.2";

/// What the authority signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    P384File,
    P256File,
    Rsa3072File,
    P384Token,
}

impl Key {
    pub(crate) const ALL: [Self; 4] =
        [Self::P384File, Self::P256File, Self::Rsa3072File, Self::P384Token];

    const fn algorithm(self) -> &'static str {
        match self {
            Self::P384File | Self::P384Token => "p384",
            Self::P256File => "p256",
            Self::Rsa3072File => "rsa3072",
        }
    }
}

/// A running service and everything around it.
pub(crate) struct Site {
    folder: TempDir,
    programs: Programs,
    service: Option<Service>,
}

impl Site {
    /// Starts a service with a key of that kind; its CA has keys of the same algorithm.
    pub(crate) fn start(key: Key) -> Self {
        let programs = Programs::find().expect("the programs");
        let folder = tempfile::tempdir().expect("a folder");
        let mut site = Self { folder, programs, service: None };
        let algorithm = key.algorithm();
        site.write("passphrase", PASSPHRASE);
        site.write("pin", PIN);
        for secret in ["passphrase", "pin"] {
            restrict(&site.path(secret));
        }
        site.countersign(&format!(
            "ca init ca --organisation Example --base-url http://127.0.0.1:9 --algorithm {algorithm}"
        ));
        let location = if key == Key::P384Token {
            site.make_token_key()
        } else {
            site.countersign(&format!("key generate tsa.key --algorithm {algorithm}"));
            "tsa.key".to_owned()
        };
        let issue = "ca issue --dir ca --profile";
        site.countersign(&format!("{issue} tsa --key {location} --output tsa.pem"));
        site.countersign(&format!(
            "{issue} code-signer --email a@example.com --new-key signer.key --output signer.pem"
        ));
        site.copy_root();
        let passphrase =
            if key == Key::P384Token { "" } else { "key_passphrase_file = 'passphrase'\n" };
        site.write(
            "timestamp.toml",
            format!(
                "listen = '127.0.0.1:0'\nkey = '{location}'\n{passphrase}\
                 certificate_chain = 'tsa.pem'\n\
                 [[policy]]\noid = '1.3.6.1.4.1.99999.1'\n\
                 [[policy]]\noid = '{OTHER_POLICY}'\naccuracy_millis = 500\n"
            ),
        );
        site.run_service();
        site
    }

    fn run_service(&mut self) {
        let configuration = self.path("softhsm2.conf");
        let environment: [(&str, &OsStr); 1] = [("SOFTHSM2_CONF", configuration.as_os_str())];
        let started = Service::start_with(
            &self.programs,
            TIMESTAMP,
            self.folder.path(),
            "timestamp.toml",
            &["public"],
            &environment,
        );
        self.service = Some(started.unwrap_or_else(|error| panic!("{error}")));
    }

    /// Ends the service.
    pub(crate) fn stop(&mut self) {
        self.service.take().expect("it runs").stop().expect("it ends");
    }

    /// The exit code of `countersign-timestamp --check`, and what it says.
    pub(crate) fn check(&self) -> (Option<i32>, String) {
        let mut check = self.programs.command(self.programs.path(TIMESTAMP), self.folder());
        check.args(["--config", "timestamp.toml", "--check"]);
        check.env("SOFTHSM2_CONF", self.path("softhsm2.conf"));
        let output = check.output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Its URL, with a path as some clients want it.
    pub(crate) fn url(&self) -> String {
        let service = self.service.as_ref().expect("it runs");
        format!("{}/", service.url("public"))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    /// Runs a program in the site's folder, its arguments separated by blanks.
    pub(crate) fn run(&self, program: &str, arguments: &str) -> Ran {
        run(program, self.folder(), arguments.split_whitespace())
    }

    /// The signer's key and certificates as a keystore for Java; its password is `changeit`, its
    /// only entry `signer`.
    pub(crate) fn make_keystore(&self) {
        self.run(
            "openssl",
            "pkcs12 -export -in signer.pem -inkey signer.key -passin file:passphrase \
             -name signer -passout pass:changeit -out signer.p12",
        )
        .succeeds();
    }

    /// CRLs in PEM: `signing.crls` and `timestamping.crls`, each with the root's.
    pub(crate) fn make_crls(&self) {
        for authority in ["root", "signing", "timestamping"] {
            self.countersign(&format!("ca crl --dir ca --ca {authority} --output {authority}.crl"));
            let convert = format!("crl -inform DER -in {authority}.crl -out {authority}.crls");
            self.run("openssl", &convert).succeeds();
        }
        let root = fs::read_to_string(self.path("root.crls")).expect("made");
        for authority in ["signing", "timestamping"] {
            let name = format!("{authority}.crls");
            let own = fs::read_to_string(self.path(&name)).expect("made");
            self.write(&name, own + &root);
        }
    }

    fn make_token_key(&self) -> String {
        fs::create_dir(self.path("tokens")).expect("made");
        self.write(
            "softhsm2.conf",
            format!("directories.tokendir = {}\n", self.path("tokens").display()),
        );
        let mut softhsm = Command::new("softhsm2-util");
        softhsm
            .args(["--init-token", "--free", "--label", "TSA", "--so-pin", PIN, "--pin", PIN])
            .env("SOFTHSM2_CONF", self.path("softhsm2.conf"));
        let made = softhsm.output().expect("softhsm2-util is missing: run scripts/setup test");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let pin = self.path("pin");
        let uri = format!(
            "pkcs11:token=TSA;object=tsa?module-path={SOFTHSM}&pin-source=file:{}",
            pin.display()
        );
        self.countersign(&format!("key generate --key {uri}"));
        uri
    }

    fn countersign(&self, arguments: &str) {
        let mut command = self.programs.command(self.programs.path(COUNTERSIGN), self.folder());
        let output = command
            .args(arguments.split(' '))
            .env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE)
            .env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
            .output()
            .expect("it starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "countersign {arguments}\n{text}");
    }

    /// `root.pem`, and `authorities.pem`: the CAs between it and the certificates.
    fn copy_root(&self) {
        fs::copy(self.path("ca/root/certificate.pem"), self.path("root.pem")).expect("copied");
        let chain = pem::read_certificates(&self.path("tsa.pem")).expect("certificates");
        self.write("authorities.pem", pem::encode_certificates(&chain[1..]));
    }
}

fn restrict(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("permitted");
}

/// Calls `test` with a site for each kind of key.
pub(crate) fn with_each_key(test: impl Fn(&Site)) {
    for key in Key::ALL {
        println!("with a {key:?} key:");
        test(&Site::start(key));
    }
}
