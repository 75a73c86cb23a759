//! `SoftHSM` tokens of a test's own.
//!
//! Where the tokens are is said by `SOFTHSM2_CONF`, which the library reads once per process: each
//! test therefore runs again as a process of its own, with that variable set.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_signing::key::{
    KeyLocation, NewKey, Passphrase, TokenKeyAlgorithm, TokenUri, generate_in_token,
};

/// Debian's package puts it there on every architecture.
pub(crate) const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
pub(crate) const PIN: &str = "1234-user";
const FOLDER_VARIABLE: &str = "COUNTERSIGN_TEST_TOKENS";

/// The tokens of this test.
pub(crate) struct Tokens {
    pub(crate) folder: PathBuf,
}

/// Runs `body` in a process that has a token with each of the `labels`. `test` is the whole name
/// of the calling test.
pub(crate) fn with_tokens(test: &str, labels: &[&str], body: impl FnOnce(&Tokens)) {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE) {
        return body(&Tokens { folder: PathBuf::from(folder) });
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = Tokens { folder: folder.path().to_owned() };
    fs::create_dir(tokens.store()).expect("made");
    let configuration = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.store().display()
    );
    fs::write(tokens.configuration(), configuration).expect("written");
    for label in labels {
        tokens.init(label);
    }
    let own = env::current_exe().expect("this program");
    let output = Command::new(own)
        .args([test, "--exact", "--nocapture"])
        .env("SOFTHSM2_CONF", tokens.configuration())
        .env(FOLDER_VARIABLE, folder.path())
        .env("PKCS11SPY", MODULE)
        .env("PKCS11SPY_OUTPUT", tokens.spied())
        .env_remove("COUNTERSIGN_PKCS11_MODULE")
        .env_remove("COUNTERSIGN_PKCS11_PIN")
        .output()
        .expect("this program runs");
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    print!("{said}");
    assert!(said.contains("1 passed"), "no test is called {test}:\n{said}");
}

impl Tokens {
    /// Where `SoftHSM` keeps the tokens.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    fn spied(&self) -> PathBuf {
        self.folder.join("calls")
    }

    /// How often a function was called through [`spy`].
    pub(crate) fn spied_calls(&self, function: &str) -> usize {
        let text = fs::read_to_string(self.spied()).expect("written by the spy");
        text.lines().filter(|line| line.ends_with(&format!(": {function}"))).count()
    }

    /// Makes one more token; `PIN` is its PIN.
    pub(crate) fn init(&self, label: &str) {
        let arguments =
            ["--init-token", "--free", "--label", label, "--so-pin", "so-pin", "--pin", PIN];
        let output = Command::new("softhsm2-util")
            .args(arguments)
            .env("SOFTHSM2_CONF", self.configuration())
            .output()
            .expect("softhsm2-util must be installed: apt-get install softhsm2");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs the program of `OpenSC` that speaks PKCS#11, with the user's PIN.
    pub(crate) fn pkcs11_tool(&self, arguments: &str) -> String {
        let output = Command::new("pkcs11-tool")
            .args(["--module", MODULE, "--login", "--pin", PIN])
            .args(arguments.split(' '))
            .env("SOFTHSM2_CONF", self.configuration())
            .output()
            .expect("pkcs11-tool must be installed: apt-get install opensc");
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(output.status.success(), "pkcs11-tool {arguments}\n{text}");
        text
    }
}

/// A library of `OpenSC` that passes each call on to `MODULE` and writes it down.
pub(crate) fn spy() -> PathBuf {
    let libraries = fs::read_dir("/usr/lib").expect("there").filter_map(Result::ok);
    libraries
        .map(|entry| entry.path().join("pkcs11-spy.so"))
        .find(|path| path.exists())
        .expect("pkcs11-spy.so must be installed: apt-get install opensc-pkcs11")
}

/// The PIN as a passphrase.
pub(crate) fn pin() -> Passphrase {
    Passphrase::new(PIN).expect("a PIN")
}

/// A URI with the library's path.
pub(crate) fn uri(attributes: &str) -> TokenUri {
    let text = format!("pkcs11:{attributes}?module-path={MODULE}");
    match KeyLocation::parse(&text).expect("a URI") {
        KeyLocation::Token(uri) => *uri,
        KeyLocation::File(path) => panic!("{}", path.display()),
    }
}

pub(crate) fn at(uri: &TokenUri) -> KeyLocation {
    KeyLocation::Token(Box::new(uri.clone()))
}

/// Makes a key and gives its whole URI.
pub(crate) fn make(attributes: &str, algorithm: NewKey) -> TokenUri {
    let algorithm = TokenKeyAlgorithm::Usual(algorithm);
    generate_in_token(&uri(attributes), algorithm, Some(&pin())).expect("a key").uri
}

/// A folder that is moved away and back.
pub(crate) fn move_folder(from: &Path, to: &Path) {
    fs::rename(from, to).expect("moved");
}
