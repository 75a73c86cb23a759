//! A publisher's site: a certificate authority, its certificates, and both services configured.
//!
//! Made by the commands that a publisher would type; the scenario shows them, other tests just run
//! them.

use std::{fs, io, path::Path};

use tempfile::TempDir;

use super::{Folder, ScenarioError, Shell};
use crate::programs::{self, Programs, REVOCATION, Service, TIMESTAMP};

/// The signer's identity.
const IDENTITY: &str = "release@example.org";

/// The limits of both services.
#[derive(Clone, Debug, Default)]
pub enum Limits {
    /// Those that they have by themselves.
    #[default]
    Usual,
    /// Lines of a `[limits]` table.
    Table(String),
}

/// A folder with everything in it.
pub struct Site {
    /// Removes the folder at last; none when it is kept.
    _folder: Option<TempDir>,
    /// A shell in the folder.
    pub shell: Shell,
    port: u16,
}

impl Site {
    /// An empty folder, and the port on which the revocation service will listen: its URL stands
    /// in every certificate.
    ///
    /// # Errors
    /// Programs are missing, or there is no room.
    pub fn new(folder: Folder) -> Result<Self, ScenarioError> {
        let programs = Programs::find()?;
        let temporary = tempfile::Builder::new()
            .prefix("countersign-demo-")
            .tempdir()
            .map_err(file("a temporary folder"))?;
        let shell = Shell::new(temporary.path(), programs);
        let temporary = match folder {
            Folder::Removed => Some(temporary),
            Folder::Kept => {
                let _ = temporary.keep();
                None
            }
        };
        Ok(Self { _folder: temporary, shell, port: programs::free_port()? })
    }

    /// The URL that stands in certificates.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a passphrase and exports it for the commands that follow; gives the lines that do
    /// the same in a shell.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_passphrase(&mut self) -> Result<[&'static str; 2], ScenarioError> {
        let make = "(umask 077; openssl rand -base64 24 > passphrase)";
        let export = "export COUNTERSIGN_CA_PASSPHRASE=\"$(cat passphrase)\" \
                      COUNTERSIGN_KEY_PASSPHRASE=\"$(cat passphrase)\"";
        self.shell.succeed(make)?;
        let path = self.shell.folder().join("passphrase");
        let text = fs::read_to_string(&path).map_err(file("passphrase"))?;
        for name in ["COUNTERSIGN_CA_PASSPHRASE", "COUNTERSIGN_KEY_PASSPHRASE"] {
            self.shell.export(name, text.trim_end());
        }
        Ok([make, export])
    }

    /// The commands that make the authority, its certificates, trust root and policy.
    pub fn founding_commands(&self) -> Vec<String> {
        let issue = |what: &str| format!("countersign ca issue --dir ca {what}");
        vec![
            format!(
                "countersign ca init ca --organisation \"Example Software\" --base-url {}",
                self.base_url()
            ),
            issue(&format!(
                "--profile code-signer --email {IDENTITY} --new-key signer.key --output signer.pem"
            )),
            issue("--profile tsa --new-key tsa.key --output tsa.pem"),
            issue("--profile ocsp --issuer signing --new-key ocsp.key --output ocsp.pem"),
            issue("--profile tls-server --ip 127.0.0.1 --new-key server.key --output server.pem"),
            issue(
                "--profile tls-client --email admin@example.org --new-key admin.key --output admin.pem",
            ),
            "countersign ca crl --dir ca --ca root --output root.crl".to_owned(),
            "countersign trust init --dir ca --output trusted_root.json".to_owned(),
            format!("countersign policy init --identity {IDENTITY} --output policy.json"),
        ]
    }

    /// Writes the configurations of both services.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn configure(&self, limits: &Limits) -> Result<(), ScenarioError> {
        let limits = match limits {
            Limits::Usual => String::new(),
            Limits::Table(lines) => format!("\n[limits]\n{lines}\n"),
        };
        let write = |name: &str, text: String| {
            fs::write(self.shell.folder().join(name), text).map_err(file(name))
        };
        write("timestamp.toml", format!("{TIMESTAMP_CONFIGURATION}{limits}"))?;
        let revocation = REVOCATION_CONFIGURATION.replace("PORT", &self.port.to_string());
        write("revocation.toml", format!("{revocation}{limits}"))
    }

    /// Starts the timestamp service.
    ///
    /// # Errors
    /// When it does not listen.
    pub fn start_timestamp(&self) -> Result<Service, ScenarioError> {
        self.start(TIMESTAMP, "timestamp.toml", &["public"])
    }

    /// Starts the revocation service.
    ///
    /// # Errors
    /// When it does not listen.
    pub fn start_revocation(&self) -> Result<Service, ScenarioError> {
        self.start(REVOCATION, "revocation.toml", &["public", "admin"])
    }

    fn start(
        &self,
        program: &'static str,
        configuration: &str,
        listeners: &[&str],
    ) -> Result<Service, ScenarioError> {
        let (programs, folder) = (self.shell.programs(), self.shell.folder());
        Ok(Service::start(programs, program, folder, configuration, listeners)?)
    }

    /// Exports where and as whom the revocation service is administered; gives the line that does
    /// the same in a shell.
    pub fn export_administration(&mut self, revocation: &Service) -> String {
        let variables = [
            ("COUNTERSIGN_ADMIN_URL", revocation.url("admin")),
            ("COUNTERSIGN_ADMIN_CERTIFICATE", "admin.pem"),
            ("COUNTERSIGN_ADMIN_KEY", "admin.key"),
            ("COUNTERSIGN_ADMIN_CA", "ca/root/certificate.pem"),
        ];
        for (name, value) in variables {
            self.shell.export(name, value);
        }
        let words = variables.map(|(name, value)| format!("{name}={value}"));
        format!("export {}", words.join(" "))
    }

    /// Everything up to running services, without showing it: for tests of something else.
    ///
    /// # Errors
    /// When a step fails.
    pub fn found(limits: &Limits) -> Result<Self, ScenarioError> {
        let mut site = Self::new(Folder::Removed)?;
        site.make_passphrase()?;
        for line in site.founding_commands() {
            site.shell.succeed(&line)?;
        }
        site.configure(limits)?;
        Ok(site)
    }
}

/// Names a file in an error.
pub(super) fn file(what: impl AsRef<Path>) -> impl FnOnce(io::Error) -> ScenarioError {
    move |source| ScenarioError::File { what: what.as_ref().display().to_string(), source }
}

const TIMESTAMP_CONFIGURATION: &str = r#"listen = "127.0.0.1:0"                # a free port
key = "tsa.key"
key_passphrase_file = "passphrase"
certificate_chain = "tsa.pem"

[[policy]]
oid = "1.3.6.1.4.1.32473.1"           # an identifier for examples
"#;

const REVOCATION_CONFIGURATION: &str = r#"listen = "127.0.0.1:PORT"             # as in the certificates
admin_listen = "127.0.0.1:0"
database = "revocation.db"
public_url = "http://127.0.0.1:PORT"

[admin_tls]
certificate = "server.pem"
key = "server.key"
key_passphrase_file = "passphrase"
client_ca = "ca/service/certificate.pem"

[[administrator]]
identity = "admin@example.org"
roles = ["registrar", "revoker", "approver", "auditor"]

[[issuer]]
name = "signing"
certificate = "ca/signing/certificate.pem"
key = "ca/signing/key.pem"
key_passphrase_file = "passphrase"
ocsp_certificate = "ocsp.pem"
ocsp_key = "ocsp.key"
ocsp_key_passphrase_file = "passphrase"

[[issuer]]
name = "timestamping"
certificate = "ca/timestamping/certificate.pem"
key = "ca/timestamping/key.pem"
key_passphrase_file = "passphrase"

# The root's key is offline; its CRL was made where the key is.
[[issuer]]
name = "root"
certificate = "ca/root/certificate.pem"
crl_file = "root.crl"
"#;
