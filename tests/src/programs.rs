//! The real programs as processes: found beside this one, started, stopped by their own id.
//!
//! Nothing is built here: `make test` and `make demo` build the programs first.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio, id},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The command line.
pub const COUNTERSIGN: &str = "countersign";
/// The timestamp service.
pub const TIMESTAMP: &str = "countersign-timestamp";
/// The revocation service.
pub const REVOCATION: &str = "countersign-revocation";

/// How long a service may take to listen, or to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a program could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It was not built.
    #[error(
        "{program} is neither beside {} nor above it; build it: \
         cargo build -p countersign-cli -p countersign-timestamp -p countersign-revocation",
        beside.display()
    )]
    Missing {
        /// The program.
        program: &'static str,
        /// The program that looked for it.
        beside: PathBuf,
    },
    /// It did not say in time that it listens.
    #[error("{program} does not listen; its log says:\n{log}")]
    NotListening {
        /// The program.
        program: &'static str,
        /// Its standard error.
        log: String,
    },
    /// It did not end in time.
    #[error("{program} did not end when it was asked to")]
    NotEnding {
        /// The program.
        program: &'static str,
    },
    /// The system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl ProgramError {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what: what.into(), source }
    }
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds the programs in the folder of the running program or one above: tests run from
    /// `target/debug/deps`, the demo from `target/debug`.
    ///
    /// # Errors
    /// [`ProgramError::Missing`] says how to build them.
    pub fn find() -> Result<Self, ProgramError> {
        Self::with(&[COUNTERSIGN, TIMESTAMP, REVOCATION])
    }

    /// As [`find`](Self::find), for who needs only some of them: benches run from
    /// `target/release/deps`.
    ///
    /// # Errors
    /// [`ProgramError::Missing`] says how to build them.
    pub fn with(needed: &[&'static str]) -> Result<Self, ProgramError> {
        let own = env::current_exe().map_err(ProgramError::system("where am I?"))?;
        let missing = |program| ProgramError::Missing { program, beside: own.clone() };
        let holds = |folder: &&Path, program: &str| folder.join(program).is_file();
        let above = || own.ancestors().skip(1).take(3);
        let first = needed.first().copied().unwrap_or(COUNTERSIGN);
        let folder = above().find(|folder| holds(folder, first)).ok_or_else(|| missing(first))?;
        for program in needed {
            if !holds(&folder, program) {
                return Err(missing(program));
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The path of a program.
    pub fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// A `PATH` that finds them first.
    pub fn search_path(&self) -> OsString {
        let before = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folder.clone()).chain(env::split_paths(&before));
        // A folder with a colon in its name cannot stand in a PATH: then it is that folder alone.
        env::join_paths(folders).unwrap_or_else(|_| self.folder.clone().into_os_string())
    }

    /// A command that runs a program in `folder` without this process's own settings, so that
    /// nobody's environment changes the outcome.
    pub fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        let ours = |name: &OsString| name.to_string_lossy().starts_with("COUNTERSIGN_");
        for (name, _) in env::vars_os().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command
            .current_dir(folder)
            .env("PATH", self.search_path())
            // No settings file of the person who runs this.
            .env("XDG_CONFIG_HOME", folder)
            // CRLs of one test are nothing to another.
            .env("XDG_CACHE_HOME", folder.join(".cache"))
            // Nor are heads of ledgers.
            .env("XDG_STATE_HOME", folder.join(".state"))
            .stdin(Stdio::null());
        command
    }
}

/// A running service. Dropping it kills it.
#[derive(Debug)]
pub struct Service {
    program: &'static str,
    child: Child,
    urls: BTreeMap<String, String>,
}

impl Service {
    /// Starts a service in `folder` with a configuration file there, and waits until each of
    /// `listeners` is open. Its log goes to `PROGRAM.log`, appended.
    ///
    /// # Errors
    /// [`ProgramError::NotListening`] with its log, when it ends or says nothing in time.
    pub fn start(
        programs: &Programs,
        program: &'static str,
        folder: &Path,
        configuration: &str,
        listeners: &[&str],
    ) -> Result<Self, ProgramError> {
        Self::start_with(programs, program, folder, configuration, listeners, &[])
    }

    /// As [`start`](Self::start), with these variables in its environment.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        programs: &Programs,
        program: &'static str,
        folder: &Path,
        configuration: &str,
        listeners: &[&str],
        environment: &[(&str, &OsStr)],
    ) -> Result<Self, ProgramError> {
        let log_path = folder.join(format!("{program}.log"));
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log_path)
            .map_err(ProgramError::system(log_path.display().to_string()))?;
        let mut child = programs
            .command(programs.path(program), folder)
            .args(["--config", configuration])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(ProgramError::system(program))?;
        let output = child.stdout.take();
        // From here on it is killed whatever happens.
        let mut service = Self { program, child, urls: BTreeMap::new() };
        let lines = lines(output);
        let deadline = Instant::now() + PATIENCE;
        while listeners.iter().any(|listener| !service.urls.contains_key(*listener)) {
            let patience = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(patience) else {
                let log = fs::read_to_string(&log_path).unwrap_or_default();
                return Err(ProgramError::NotListening { program, log });
            };
            service.urls.extend(announcement(&line));
        }
        Ok(service)
    }

    /// The URL of a listener, such as `http://127.0.0.1:41234`.
    ///
    /// # Panics
    /// When the service was not started with that listener.
    pub fn url(&self, listener: &str) -> &str {
        &self.urls[listener]
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address of a listener, such as `127.0.0.1:41234`.
    ///
    /// # Panics
    /// As [`Self::url`].
    pub fn address(&self, listener: &str) -> &str {
        let url = self.url(listener);
        url.split_once("://").map_or(url, |(_, address)| address)
    }

    /// Asks it to stop, as a service manager does; gives its exit status.
    ///
    /// # Errors
    /// [`ProgramError::NotEnding`] when it takes too long; it is killed then.
    pub fn stop(mut self) -> Result<ExitStatus, ProgramError> {
        self.terminate()?;
        self.wait(PATIENCE)
    }

    /// Sends SIGTERM and does not wait.
    ///
    /// # Errors
    /// When it has ended before.
    pub fn terminate(&self) -> Result<(), ProgramError> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .map_err(|errno| ProgramError::system(self.program)(errno.into()))
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// [`ProgramError::NotEnding`].
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus, ProgramError> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) =
                self.child.try_wait().map_err(ProgramError::system(self.program))?
            {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(ProgramError::NotEnding { program: self.program })
    }

    /// `kill -9`, as a power cut does.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a service's standard output, read until it closes.
fn lines(output: Option<impl io::Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(output) = output {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

/// The listener and URL of `PROGRAM: NAME listening on URL`.
fn announcement(line: &str) -> Option<(String, String)> {
    let (listener, url) = line.split_once(": ")?.1.split_once(" listening on ")?;
    Some((listener.to_owned(), url.trim().to_owned()))
}

/// A port that nobody listens on now, for a URL that must be known before its service starts.
/// From below the range that the system gives out by itself, so that it stays free.
///
/// # Errors
/// When a hundred are taken.
pub fn free_port() -> Result<u16, ProgramError> {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static CALLS: AtomicU32 = AtomicU32::new(0);
    // Processes that run at once, and calls within one, start looking at different places.
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let start = id().wrapping_mul(37).wrapping_add(call.wrapping_mul(101));
    let taken = io::Error::from(io::ErrorKind::AddrInUse);
    (0..100)
        .filter_map(|step| u16::try_from(FIRST + start.wrapping_add(step) % COUNT).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| ProgramError::system("a free port")(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_a_service_listens() {
        let line = "countersign-revocation: admin listening on https://127.0.0.1:41234";
        let read = announcement(line).expect("an announcement");
        assert_eq!(read, ("admin".to_owned(), "https://127.0.0.1:41234".to_owned()));
        assert_eq!(announcement("something else"), None);
    }

    #[test]
    fn a_free_port_is_free() {
        let port = free_port().expect("a port");
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
    }
}
