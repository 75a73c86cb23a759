//! The real service with two administrators, and a shell to ask it from.

use std::{fs, io::Write};

use countersign_tests::{
    programs::{REVOCATION, Service},
    scenario::{Limits, Ran, Site as Founded},
};
use serde_json::Value;

/// Makes a command of the shell act as the second person.
pub(crate) const SECOND: &str =
    "COUNTERSIGN_ADMIN_CERTIFICATE=second.pem COUNTERSIGN_ADMIN_KEY=second.key";

/// The second person may approve and nothing else.
const SECOND_PERSON: &str =
    "\n[[administrator]]\nidentity = \"second@example.org\"\nroles = [\"approver\"]\n";

/// The site; the service ends with it.
pub(crate) struct Site {
    pub(crate) founded: Founded,
    pub(crate) service: Service,
}

impl Site {
    /// Starts it. `signer.pem` is registered, and nothing is revoked.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// As [`start`](Self::start), with lines at the head of the service's configuration.
    pub(crate) fn start_with(head: &str) -> Self {
        let mut founded = Founded::found(&Limits::Usual).expect("founded");
        let issue = "countersign ca issue --dir ca --profile tls-client --email second@example.org \
                     --new-key second.key --output second.pem";
        founded.shell.succeed(issue).expect("issued");
        let path = founded.shell.folder().join("revocation.toml");
        let text = fs::read_to_string(&path).expect("a configuration");
        let mut file = fs::File::create(&path).expect("opened");
        file.write_all(format!("{head}\n{text}{SECOND_PERSON}").as_bytes()).expect("written");
        let service = founded.start_revocation().expect("it listens");
        founded.export_administration(&service);
        founded.shell.succeed("countersign revocation register signer.pem").expect("registered");
        Self { founded, service }
    }

    /// Another service in the same folder, with that configuration file.
    pub(crate) fn start_another(&self, configuration: &str) -> Service {
        let (programs, folder) = (self.founded.shell.programs(), self.founded.shell.folder());
        Service::start(programs, REVOCATION, folder, configuration, &["public", "admin"])
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.founded.shell.folder().join(name), text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.founded.shell.folder().join(name)).expect("readable")
    }

    pub(crate) fn read_octets(&self, name: &str) -> Vec<u8> {
        fs::read(self.founded.shell.folder().join(name)).expect("readable")
    }

    /// A new code signer's certificate, `NAME.pem`, registered.
    pub(crate) fn add_signer(&self, name: &str) {
        self.succeed(&format!(
            "countersign ca issue --dir ca --profile code-signer --email {name}@example.org \
             --new-key {name}.key --output {name}.pem"
        ));
        self.succeed(&format!("countersign revocation register {name}.pem"));
    }

    /// The serial number of a certificate in a file.
    pub(crate) fn serial(&self, file: &str) -> String {
        let text = self.succeed(&format!("openssl x509 -in {file} -noout -serial")).stdout;
        text.trim().trim_start_matches("serial=").to_ascii_lowercase()
    }

    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.founded.shell.run(line).expect("a shell")
    }

    #[track_caller]
    pub(crate) fn succeed(&self, line: &str) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.exit_code, 0, "{line}\n{}", ran.said());
        ran
    }

    /// The `result` of `countersign ARGUMENTS`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &str) -> Value {
        let ran = self.succeed(&format!("countersign --format json {arguments}"));
        let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
        assert_eq!(value["exit_code"], 0, "{value}");
        value["result"].clone()
    }

    /// The `result` of `countersign ARGUMENTS` where the order waits for a second person.
    #[track_caller]
    pub(crate) fn waiting(&self, arguments: &str) -> Value {
        let ran = self.run(&format!("countersign --format json {arguments}"));
        assert_eq!(ran.exit_code, 4, "{arguments}\n{}", ran.said());
        let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
        assert_eq!(value["exit_code"], 4, "{value}");
        value["result"].clone()
    }

    /// The finding with which `countersign ARGUMENTS` fails, and with that exit code.
    #[track_caller]
    pub(crate) fn refused(&self, line: &str, exit_code: i32, code: &str) -> String {
        let ran = self.run(&line.replace("countersign ", "countersign --format json "));
        assert_eq!(ran.exit_code, exit_code, "{line}\n{}", ran.said());
        let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
        assert_eq!(value["exit_code"], exit_code, "{value}");
        let error = &value["error"];
        assert_eq!(error["code"], code, "{line}: {error}");
        error["found"].as_str().unwrap_or_default().to_owned()
    }

    /// Reason and date of what is revoked, by serial number.
    pub(crate) fn revoked(&self) -> Vec<(String, String)> {
        let listed = self.json("revocation list --issuer signing");
        let entries = listed["certificates"].as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        entries
            .map(|entry| (text(&entry["serial"]), text(&entry["revocation"]["reason"])))
            .collect()
    }
}
