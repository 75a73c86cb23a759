//! Logging in, with care: a token locks itself after a few wrong PINs.
//!
//! Each PIN is tried on a token once. One that was refused is remembered (as a keyed hash) for the
//! life of the process and not tried again, however often keys are opened or tokens come back.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::hmac;
use cryptoki::{
    error::{Error, RvError},
    session::{Session, SessionState, UserType},
    slot::TokenInfo,
    types::RawAuthPin,
};

use super::fault::Fault;
use crate::key::{Passphrase, TokenError, random};

/// Who is logged in where, and what was refused.
#[derive(Debug, Default)]
pub(super) struct Logins {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Keys the marks; made when the first is.
    salt: Option<[u8; 32]>,
    tokens: HashMap<TokenIdentity, Login>,
}

#[derive(Debug, Default)]
struct Login {
    accepted: Option<PinMark>,
    refused: Vec<PinMark>,
}

type PinMark = Vec<u8>;

/// What tells tokens apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct TokenIdentity {
    manufacturer: String,
    serial: String,
    label: String,
}

impl Logins {
    /// Logs this process in to the token of `session`, if it is not yet.
    pub(super) fn log_in(
        &self,
        session: &Session,
        token: &TokenInfo,
        pin: Option<&Passphrase>,
        uri: &str,
    ) -> Result<(), Fault> {
        let Some(pin) = pin else { return log_in_without_pin(session, token, uri) };
        // Held over the call: two threads must not try one wrong PIN twice.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = state.mark(pin, uri)?;
        let login = state.tokens.entry(identity(token)).or_default();
        let info = session.get_session_info();
        let info = info.map_err(|error| Fault::of(uri, "asking whether to log in", &error))?;
        if matches!(info.session_state(), SessionState::RoPublic | SessionState::RwPublic) {
            login.accepted = None;
        }
        if let Some(reason) = reason_not_to_try(login, &mark, token) {
            let (uri, detail) = (uri.to_owned(), reason.to_owned());
            return Err(TokenError::PinRefused { uri, detail }.into());
        }
        let secret = RawAuthPin::new(Box::new(pin.octets().to_vec()));
        match session.login_with_raw(UserType::User, &secret) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                login.accepted = Some(mark);
                Ok(())
            }
            Err(Error::Pkcs11(code, _)) if refusal(&code).is_some() => {
                login.accepted = None;
                login.refused.push(mark);
                let detail = refusal(&code).unwrap_or_default().to_owned();
                Err(TokenError::PinRefused { uri: uri.to_owned(), detail }.into())
            }
            Err(error) => Err(Fault::of(uri, "logging in", &error)),
        }
    }

    /// Gives the PIN for the signature that was begun (PKCS#11 §4.9). One that was refused for any
    /// purpose is not tried.
    pub(super) fn log_in_for_signature(
        &self,
        session: &Session,
        token: &TokenInfo,
        pin: Option<&Passphrase>,
        uri: &str,
    ) -> Result<(), Fault> {
        let doing = "giving the PIN for a signature";
        let Some(pin) = pin else {
            if !token.protected_authentication_path() {
                return Err(TokenError::PinNeeded { uri: uri.to_owned() }.into());
            }
            let outcome = session.login(UserType::ContextSpecific, None);
            return outcome.map_err(|error| Fault::of(uri, doing, &error));
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = state.mark(pin, uri)?;
        let login = state.tokens.entry(identity(token)).or_default();
        if let Some(reason) = reason_not_to_try(login, &mark, token) {
            let (uri, detail) = (uri.to_owned(), reason.to_owned());
            return Err(TokenError::PinRefused { uri, detail }.into());
        }
        let secret = RawAuthPin::new(Box::new(pin.octets().to_vec()));
        match session.login_with_raw(UserType::ContextSpecific, &secret) {
            Ok(()) => Ok(()),
            Err(Error::Pkcs11(code, _)) if refusal(&code).is_some() => {
                login.refused.push(mark);
                let detail = refusal(&code).unwrap_or_default().to_owned();
                Err(TokenError::PinRefused { uri: uri.to_owned(), detail }.into())
            }
            Err(error) => Err(Fault::of(uri, doing, &error)),
        }
    }

    /// After the library was started anew nobody is logged in. What was refused stays so.
    pub(super) fn forget_accepted(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for login in state.tokens.values_mut() {
            login.accepted = None;
        }
    }
}

impl State {
    fn mark(&mut self, pin: &Passphrase, uri: &str) -> Result<PinMark, Fault> {
        let salt = match self.salt {
            Some(salt) => salt,
            None => *self.salt.insert(random().map_err(|error| TokenError::Failing {
                uri: uri.to_owned(),
                detail: error.to_string(),
            })?),
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &salt);
        Ok(hmac::sign(&key, pin.octets()).as_ref().to_vec())
    }
}

fn reason_not_to_try(login: &Login, mark: &PinMark, token: &TokenInfo) -> Option<&'static str> {
    if login.refused.contains(mark) {
        return Some(
            "the token refused this PIN before; it is not tried again, since tokens lock \
             themselves: correct the PIN",
        );
    }
    match &login.accepted {
        Some(accepted) if accepted == mark => None,
        // Logged in as we are, the token would take any PIN without a look.
        Some(_) => Some(
            "this is not the PIN that this process is logged in with; if the token's PIN was \
             changed, restart",
        ),
        None if token.user_pin_locked() => Some("the token's PIN is locked; unlock it first"),
        None if token.user_pin_final_try() => Some(
            "one more wrong PIN would lock the token, so none is tried: log in once with \
             another program (pkcs11-tool --login --test), then try again",
        ),
        None => None,
    }
}

/// What the token says of the PIN, if it says anything of it.
fn refusal(code: &RvError) -> Option<&'static str> {
    match code {
        RvError::PinIncorrect => Some("the PIN is wrong; it is not tried again"),
        RvError::PinInvalid | RvError::PinLenRange => {
            Some("the PIN has characters or a length that the token does not take")
        }
        RvError::PinLocked => Some("the token's PIN is locked; unlock it first"),
        RvError::PinExpired => Some("the token's PIN has expired; set a new one"),
        RvError::UserPinNotInitialized => Some("the token has no user PIN yet; set one"),
        _ => None,
    }
}

/// A token may want no login, or ask for the PIN on a keypad of its own.
fn log_in_without_pin(session: &Session, token: &TokenInfo, uri: &str) -> Result<(), Fault> {
    if !token.login_required() {
        return Ok(());
    }
    if !token.protected_authentication_path() {
        return Err(TokenError::PinNeeded { uri: uri.to_owned() }.into());
    }
    match session.login(UserType::User, None) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(Fault::of(uri, "logging in at the token's keypad", &error)),
    }
}

fn identity(token: &TokenInfo) -> TokenIdentity {
    TokenIdentity {
        manufacturer: token.manufacturer_id().to_owned(),
        serial: token.serial_number().to_owned(),
        label: token.label().to_owned(),
    }
}
