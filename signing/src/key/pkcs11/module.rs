//! PKCS#11 libraries as loaded: once per process, shared by every key, started anew when nothing
//! else helps.
//!
//! PKCS#11 has one state per process and library (PKCS#11 §5.4): hence the one table of this
//! crate that outlives its callers. Handles mean nothing after the library was started anew, and
//! their numbers are given again, perhaps to another key: every session therefore remembers the
//! *generation* it is of, and calls are made only through [`Entered`], which holds the generation
//! still.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
};

use super::login::Logins;
use crate::key::TokenError;

/// How long after a library was started it is not started anew: each start throws the sessions of
/// all keys away, those of tokens that work as well. Doubled by each start that brought nothing.
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);
/// 32 seconds at most.
const MAXIMUM_DOUBLINGS: u32 = 5;

static LOADED: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// A library.
#[derive(Debug)]
pub(super) struct Module {
    context: Pkcs11,
    generation: RwLock<Generation>,
    logins: Logins,
    renewals_in_vain: AtomicU32,
}

#[derive(Debug)]
struct Generation {
    number: u64,
    since: Instant,
}

/// A library that is not started anew as long as this is held.
pub(super) struct Entered<'a> {
    module: &'a Module,
    generation: RwLockReadGuard<'a, Generation>,
}

impl Module {
    /// The library at `path`, loaded and started if it is not yet. It stays loaded: libraries
    /// have threads and exit handlers of their own.
    ///
    /// Whoever names a library names it by its whole path: a bare name would be looked for in the current
    /// folder, where others may have put one.
    pub(super) fn load(path: &Path) -> Result<Arc<Self>, TokenError> {
        let fail = |detail: String| TokenError::Module { path: path.to_owned(), detail };
        if !path.is_absolute() {
            return Err(fail("its path must be absolute".to_owned()));
        }
        let canonical = path.canonicalize().map_err(|error| fail(error.to_string()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.get(&canonical) {
            return Ok(Arc::clone(module));
        }
        let context = Pkcs11::new(&canonical).map_err(|error| fail(error.to_string()))?;
        start(&context).map_err(|error| fail(error.to_string()))?;
        let generation = RwLock::new(Generation { number: 0, since: Instant::now() });
        let (logins, renewals_in_vain) = (Logins::default(), AtomicU32::new(0));
        let module = Arc::new(Self { context, generation, logins, renewals_in_vain });
        loaded.insert(canonical, Arc::clone(&module));
        Ok(module)
    }

    /// Keeps the library from being started anew.
    pub(super) fn enter(&self) -> Entered<'_> {
        let generation = self.generation.read().unwrap_or_else(PoisonError::into_inner);
        Entered { module: self, generation }
    }

    /// Starts the library anew, unless that was done since `generation`. Whether it is worth
    /// trying again: no when somebody is in the middle of a call, or it was started just now.
    pub(super) fn renew(&self, generation: u64) -> bool {
        // Not waited for: calls that work elsewhere are a sign that the library does.
        let Ok(mut current) = self.generation.try_write() else { return false };
        if current.number != generation {
            return true;
        }
        let in_vain = self.renewals_in_vain.load(Ordering::Relaxed).min(MAXIMUM_DOUBLINGS);
        if current.since.elapsed() < RENEWAL_PAUSE * 2_u32.pow(in_vain) {
            return false;
        }
        self.renewals_in_vain.store(in_vain + 1, Ordering::Relaxed);
        *current = Generation { number: generation + 1, since: Instant::now() };
        self.logins.forget_accepted();
        // Whatever it says: it may not have been running.
        let _ = self.context.clone().finalize();
        start(&self.context).is_ok()
    }
}

impl Entered<'_> {
    /// The library's functions.
    pub(super) fn context(&self) -> &Pkcs11 {
        &self.module.context
    }

    /// Which start of the library this is.
    pub(super) fn generation(&self) -> u64 {
        self.generation.number
    }

    /// A key was reached: the library does what it should.
    pub(super) fn note_success(&self) {
        self.module.renewals_in_vain.store(0, Ordering::Relaxed);
    }

    /// Who is logged in where.
    pub(super) fn logins(&self) -> &Logins {
        &self.module.logins
    }
}

fn start(context: &Pkcs11) -> Result<(), Error> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // By another part of this process: then it runs.
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        outcome => outcome,
    }
}
