//! Sessions with a token: some, shared by all threads, opened when needed and again when lost.
//!
//! A session is used by one thread at a time. One that fails is thrown away; the call is made
//! again with another, at last with a fresh one. Where no fresh one can be had, the token is away:
//! for a moment that grows with each failure, calls then fail at once instead of each looking for
//! the token.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cryptoki::{object::ObjectHandle, session::Session};

use super::{
    fault::{Fault, Recovery},
    module::{Entered, Module},
    slot,
};
use crate::key::TokenError;

/// Sessions at once. Modules in the network gain from many, since most of a signature's time is
/// the way; a token may allow fewer.
const MAXIMUM_SESSIONS: usize = 16;

/// How long a caller waits for a session. Stops a token that hangs from collecting threads.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long no further session is asked for, after the token gave no more or failed to.
const GROWTH_PAUSE_AT_LIMIT: Duration = Duration::from_mins(1);
const GROWTH_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// After the first failure to reach the token; doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest that a token may be back unnoticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A session that is logged in and has proven its key.
#[derive(Debug)]
pub(super) struct KeySession {
    pub(super) session: Session,
    pub(super) key: ObjectHandle,
    /// Of the library; in another generation both handles mean something else.
    pub(super) generation: u64,
}

/// Opens sessions for a pool.
pub(super) trait Connect {
    /// The key, for messages.
    fn uri(&self) -> &str;
    /// The library.
    fn module(&self) -> &Module;
    /// One more session, logged in, with its key proven.
    fn connect(&self, entered: &Entered<'_>) -> Result<KeySession, Fault>;
}

/// The sessions of one key.
#[derive(Debug)]
pub(super) struct Pool<C: Connect> {
    connector: C,
    state: Mutex<State>,
    /// Somebody gave a session back, or ended trying to open one.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<KeySession>,
    /// Idle ones and those in use.
    open: usize,
    /// Until then, the sessions that are open must do.
    no_growth_until: Option<Instant>,
    connecting: bool,
    outage: Option<Outage>,
}

/// The token is away.
#[derive(Debug)]
struct Outage {
    until: Instant,
    pause: Duration,
    error: TokenError,
}

/// Whether a session was opened for this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Fresh,
    Used,
}

impl<C: Connect> Pool<C> {
    pub(super) fn new(connector: C, first: KeySession) -> Self {
        let state = State {
            idle: vec![first],
            open: 1,
            no_growth_until: None,
            connecting: false,
            outage: None,
        };
        Self { connector, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn connector(&self) -> &C {
        &self.connector
    }

    /// Makes a call with a session.
    ///
    /// # Errors
    /// The call's, when it failed with a fresh session or in a way that no session helps; or why
    /// there is no session.
    pub(super) fn with<T>(
        &self,
        call: impl Fn(&Entered<'_>, &KeySession) -> Result<T, Fault>,
    ) -> Result<T, TokenError> {
        // Ends: each round that is not the last throws one of finitely many used sessions away.
        loop {
            let (session, age) = self.take()?;
            let entered = self.connector.module().enter();
            if session.generation != entered.generation() {
                self.forget();
                continue;
            }
            match call(&entered, &session) {
                Ok(value) => {
                    self.give_back(session);
                    return Ok(value);
                }
                Err(fault) => {
                    slot::close(session.session);
                    self.forget();
                    if fault.recovery == Recovery::None || age == Age::Fresh {
                        return Err(fault.error);
                    }
                }
            }
        }
    }

    /// A session for this caller alone.
    fn take(&self) -> Result<(KeySession, Age), TokenError> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(session) = state.idle.pop() {
                return Ok((session, Age::Used));
            }
            if let Some(outage) = state.outage.as_ref().filter(|it| Instant::now() < it.until) {
                return Err(outage.error.clone());
            }
            if state.may_grow() {
                state.connecting = true;
                drop(state);
                let outcome = self.connect();
                state = self.lock();
                state.connecting = false;
                self.changed.notify_all();
                match outcome {
                    Ok(session) => {
                        state.open += 1;
                        state.outage = None;
                        return Ok((session, Age::Fresh));
                    }
                    // Those that are open may still work.
                    Err(fault) if state.open > 0 => state.pause_growth(fault.recovery),
                    Err(fault) => {
                        state.note_outage(&fault.error);
                        return Err(fault.error);
                    }
                }
            } else {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    let (uri, sessions) = (self.connector.uri().to_owned(), state.open);
                    return Err(TokenError::Busy { uri, sessions, seconds: PATIENCE.as_secs() });
                }
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Opens a session; if there is no other, by starting the library anew if need be.
    fn connect(&self) -> Result<KeySession, Fault> {
        let module = self.connector.module();
        let (generation, fault) = {
            let entered = module.enter();
            match self.connector.connect(&entered) {
                Ok(session) => return Ok(session),
                Err(fault) => (entered.generation(), fault),
            }
        };
        let hopeless = fault.recovery == Recovery::None || self.lock().open > 0;
        if hopeless || !module.renew(generation) {
            return Err(fault);
        }
        self.connector.connect(&module.enter())
    }

    fn give_back(&self, session: KeySession) {
        self.lock().idle.push(session);
        self.changed.notify_one();
    }

    fn forget(&self) {
        let mut state = self.lock();
        state.open = state.open.saturating_sub(1);
        if state.open == 0 {
            state.no_growth_until = None;
        }
        drop(state);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_grow(&self) -> bool {
        let allowed = self.no_growth_until.is_none_or(|until| until <= Instant::now());
        allowed && !self.connecting && self.open < MAXIMUM_SESSIONS
    }

    fn pause_growth(&mut self, why: Recovery) {
        let pause = match why {
            Recovery::Wait => GROWTH_PAUSE_AT_LIMIT,
            _ => GROWTH_PAUSE_AFTER_FAILURE,
        };
        self.no_growth_until = Some(Instant::now() + pause);
    }

    fn note_outage(&mut self, error: &TokenError) {
        let pause = match &self.outage {
            None => FIRST_PAUSE,
            Some(outage) => (outage.pause * 2).min(LONGEST_PAUSE),
        };
        self.outage = Some(Outage { until: Instant::now() + pause, pause, error: error.clone() });
    }
}

impl<C: Connect> Drop for Pool<C> {
    /// Logs nobody out: another key of the same token may be in use.
    fn drop(&mut self) {
        let entered = self.connector.module().enter();
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for session in state.idle.drain(..) {
            // One of an earlier generation is gone already, and its number may be another's.
            if session.generation == entered.generation() {
                slot::close(session.session);
            }
        }
    }
}
