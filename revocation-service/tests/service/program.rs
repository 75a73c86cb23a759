//! The real program, `countersign-revocation`.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use countersign_revocation::{config::Config, register::storage::DatabaseLocation};
use countersign_signing::key::KeyLocation;
use rustix::process::{Pid, Signal, kill_process};

use crate::world::{World, text};

const BINARY: &str = env!("CARGO_BIN_EXE_countersign-revocation");

/// The real program, as a process of its own.
pub(crate) struct Program {
    child: Child,
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Program {
    /// Writes the configuration of a service with one issuer and an admin listener.
    pub(crate) fn configure(world: &World, config: &Config) {
        let issuer = &config.issuer[0];
        let tls = config.admin_tls.as_ref().expect("TLS");
        let path = |path: &Option<PathBuf>| text(path.as_deref().expect("a path")).to_owned();
        let key = |key: Option<&KeyLocation>| key.expect("a key").to_string();
        let content = format!(
            "listen = '127.0.0.1:0'\nadmin_listen = '127.0.0.1:0'\ndatabase = '{database}'\n\
         [admin_tls]\ncertificate = '{}'\nkey = '{}'\nkey_passphrase_file = '{passphrase}'\nclient_ca = '{}'\n\
         [[administrator]]\nidentity = 'admin@example.test'\nroles = ['registrar', 'revoker', 'approver', 'auditor']\n\
         [[issuer]]\nname = 'signing'\ncertificate = '{}'\nkey = '{}'\nkey_passphrase_file = '{passphrase}'\n\
         ocsp_certificate = '{}'\nocsp_key = '{}'\nocsp_key_passphrase_file = '{passphrase}'\n",
            text(&tls.certificate),
            text(&tls.key),
            text(&tls.client_ca),
            text(&issuer.certificate),
            key(issuer.key.as_ref()),
            path(&issuer.ocsp_certificate),
            key(issuer.ocsp_key.as_ref()),
            database = match &config.database {
                DatabaseLocation::File(path) => text(path),
                DatabaseLocation::Postgres(url) => url,
            },
            passphrase = path(&issuer.key_passphrase_file),
        );
        fs::write(world.path("revocation.toml"), content).expect("written");
    }

    pub(crate) fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    /// Starts it with the environment over its configuration.
    pub(crate) fn start_with(world: &World, environment: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(BINARY), world, environment)
    }

    /// As [`start_with`](Self::start_with), on a small disk of its own at `folder`, which is made.
    pub(crate) fn start_on_disk(
        world: &World,
        folder: &Path,
        kibibytes: u32,
        environment: &[(&str, &str)],
    ) -> Self {
        fs::create_dir(folder).expect("a folder");
        // Without privileges: the disk is only there for this process.
        let script = format!(
            "mount -t tmpfs -o size={kibibytes}k tmpfs '{}' && exec \"$0\" \"$@\"",
            text(folder)
        );
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, BINARY]);
        Self::spawn(command, world, environment)
    }

    /// Where this process sees `path`.
    pub(crate) fn sees(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        root.join(path.strip_prefix("/").expect("an absolute path"))
    }

    fn spawn(mut command: Command, world: &World, environment: &[(&str, &str)]) -> Self {
        let mut child = command
            .args(["--config", text(&world.path("revocation.toml"))])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut addresses = BTreeMap::new();
        for line in output.lines().map(|line| line.expect("text")) {
            // `countersign-revocation: public listening on http://127.0.0.1:41234`
            let mut words = line.split(' ').skip(1);
            let name = words.next().expect("a name").to_owned();
            let address = words.last().and_then(|url| url.split("//").nth(1)).expect("an address");
            addresses.insert(name, address.parse().expect("an address"));
            if addresses.len() == 2 {
                break;
            }
        }
        Self { child, public: addresses["public"], admin: addresses["admin"] }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("it runs");
    }

    /// SIGTERM, and wait until it is gone: its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().expect("gone").code()
    }

    /// Waits until it has ended by itself; gives the signal that ended it.
    pub(crate) fn ended(mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status.signal();
            }
            if Instant::now() >= deadline {
                self.kill();
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL, and wait until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Also where a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
