//! A secret that somebody put where it does not belong, or where it does, is repeated in a message, which goes into
//! a build's log, a ticket, a chat.
//!
//! Known secrets are fed into every option of every command, every setting and every variable, as the programs
//! themselves list them, so that a new one is covered without a change here. What is printed, logged and written
//! is searched.
//!
//! Where the line is: a password in an address with a scheme (`https://user:password@host`), or without one where
//! nothing but an address is taken, the PIN in `pin-value=` (also `pin%2dvalue=`), what a secret's file holds, and what a variable for a secret holds are never shown, wherever they
//! stand. A *name* is shown: the path of a file, the user of an address, a word that is no address. Whoever gives
//! a passphrase as the name of a file has it shown, since the message has to say which file is not there.

mod commands;
mod services;
mod settings;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use countersign_tests::{
    programs::COUNTERSIGN,
    scenario::{Limits, Site},
};

/// In an address; nobody listens on that port.
const PASSWORD: &str = "tr0ub4dor-password";
const PIN: &str = "tr0ub4dor-pin";
/// The first line of a file.
const PASSPHRASE: &str = "tr0ub4dor-passphrase";
/// Variables that hold a secret themselves.
const HELD: [&str; 3] =
    ["COUNTERSIGN_KEY_PASSPHRASE", "COUNTERSIGN_CA_PASSPHRASE", "COUNTERSIGN_PKCS11_PIN"];

/// What is fed in: values with a secret in them, and files that hold one.
fn seeds() -> [String; 7] {
    [
        format!("pkcs11:token=T;object=k?pin-value={PIN}"),
        format!("pkcs11:token=T;object=k?pin%2Dvalue={PIN}"),
        format!("http://release:{PASSWORD}@127.0.0.1:9/stamp"),
        format!("postgres://release:{PASSWORD}@127.0.0.1:9/db?sslmod=require"),
        "secret.pass".to_owned(),
        "plain.key".to_owned(),
        "encrypted.key".to_owned(),
    ]
}

/// Addresses without their scheme, for what takes addresses alone: elsewhere they are names of files.
fn bare_addresses() -> [String; 2] {
    [format!("release:{PASSWORD}@127.0.0.1:9"), format!("{PASSWORD}@127.0.0.1:9")]
}

/// A founded site with secrets in files, and with what must appear nowhere.
struct Secrets {
    site: Site,
    words: Vec<String>,
}

impl Secrets {
    fn found() -> Self {
        let mut site = Site::found(&Limits::Usual).expect("founded");
        cheapen_keys(&site);
        for line in [
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain.key && cp signer.key encrypted.key",
            "echo x > app",
            "countersign sign app --key signer.key --certificate signer.pem \
             --trusted-root trusted_root.json --no-timestamp --no-revocation-check",
        ] {
            site.shell.succeed(line).expect("made");
        }
        let folder = site.shell.folder().to_owned();
        fs::write(folder.join("secret.pass"), format!("{PASSPHRASE}\n")).expect("written");
        let mut words: Vec<String> = [PASSWORD, PIN, PASSPHRASE].map(str::to_owned).into();
        for name in ["secret.pass", "plain.key", "encrypted.key"] {
            let path = folder.join(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        }
        for name in ["plain.key", "encrypted.key", "passphrase"] {
            let text = fs::read_to_string(folder.join(name)).expect("readable");
            // A part of a line is as good as the line to whoever finds it. A key begins with its kind.
            let first = match name {
                "passphrase" => 0,
                "plain.key" => 2,
                _ => 3,
            };
            let lines = text.lines().skip(first).filter(|line| !line.starts_with("-----"));
            words.extend(lines.map(|line| line[..line.len().min(24)].to_owned()));
        }
        site.shell.export("COUNTERSIGN_PKCS11_PIN", PIN);
        Self { site, words }
    }

    fn folder(&self) -> &Path {
        self.site.shell.folder()
    }

    /// A program in the folder; variables with a secret are set.
    fn command(&self, program: &str) -> Command {
        let programs = self.site.shell.programs();
        let mut command = programs.command(programs.path(program), self.folder());
        let passphrase = fs::read_to_string(self.folder().join("passphrase")).expect("readable");
        for name in HELD {
            command.env(name, if name.ends_with("PIN") { PIN } else { passphrase.trim() });
        }
        for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(proxy).env_remove(proxy.to_uppercase());
        }
        command
    }

    /// The output of the command line with these arguments.
    fn countersign(&self, arguments: &[String]) -> Output {
        self.command(COUNTERSIGN).args(arguments).output().expect("it starts")
    }

    /// Panics if a secret stands in the output.
    #[track_caller]
    fn search(&self, what: &str, output: &Output) {
        let said = [&output.stdout[..], b"\n", &output.stderr[..]].concat();
        let code = output.status.code();
        assert!(code.is_some_and(|code| code != 70), "{what}: {}", text(&said));
        let found = self.words.iter().find(|word| contains(&said, word));
        assert!(found.is_none(), "{what} shows {found:?}:\n{}", text(&said));
    }

    /// Panics if a secret stands in a file that holds none by its nature.
    fn search_files(&self) {
        let keeps = ["secret.pass", "plain.key", "encrypted.key", "signer.key", "passphrase"];
        let mut searched = 0;
        for path in files(self.folder()) {
            let name = path.strip_prefix(self.folder()).expect("below").to_string_lossy();
            if keeps.contains(&&*name) {
                continue;
            }
            let content = fs::read(&path).expect("readable");
            let found = self.words.iter().find(|word| contains(&content, word));
            assert!(found.is_none(), "{name} holds {found:?}:\n{}", text(&content));
            searched += 1;
        }
        assert!(searched > 10, "{searched} files");
    }
}

/// Keys that open at once: here they are opened a thousand times.
fn cheapen_keys(site: &Site) {
    let line = "secret=env:COUNTERSIGN_CA_PASSPHRASE; for key in *.key ca/*/key.pem; do openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt -scrypt_N 2 \
                -passin $secret -passout $secret -in $key -out cheap && \
                chmod 600 cheap && mv cheap $key || exit 1; done";
    site.shell.succeed(line).expect("made");
}

/// Does `work` with each, some at a time.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    const WORKERS: usize = 4;
    let next = AtomicUsize::new(0);
    let working = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(one);
        }
    };
    thread::scope(|scope| {
        for worker in [(); WORKERS].map(|()| scope.spawn(working)) {
            worker.join().expect("nothing shown");
        }
    });
}

fn contains(content: &[u8], word: &str) -> bool {
    content.windows(word.len()).any(|window| window == word.as_bytes())
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Every file in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The words between backquotes that a test picks out of a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
