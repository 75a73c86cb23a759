//! Finding the token that a URI means: exactly one, or an error that says which there are.

use cryptoki::{
    session::Session,
    slot::{Slot, TokenInfo},
};

use super::{fault::Fault, module::Entered};
use crate::key::{Passphrase, TokenError, TokenUri};

/// What a session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Sign.
    Read,
    /// Make objects, too.
    Write,
}

/// The one token that matches.
pub(super) fn find(entered: &Entered<'_>, uri: &TokenUri) -> Result<(Slot, TokenInfo), Fault> {
    let name = uri.to_string();
    let context = entered.context();
    let slots = context
        .get_slots_with_token()
        .map_err(|error| Fault::of(&name, "listing the tokens", &error))?;
    // A slot that fails (its token was pulled out this moment) is like one without a token.
    let tokens: Vec<(Slot, TokenInfo)> = slots
        .into_iter()
        .filter_map(|slot| Some((slot, context.get_token_info(slot).ok()?)))
        .filter(|(_, token)| token.token_initialized())
        .collect();
    let present: Vec<String> = tokens.iter().map(|(_, token)| describe(token)).collect();
    let mut matching: Vec<(Slot, TokenInfo)> =
        tokens.into_iter().filter(|(slot, token)| matches(uri, *slot, token)).collect();
    match (matching.pop(), matching.is_empty()) {
        (None, _) => Err(TokenError::Missing { uri: name, present }.into()),
        (Some(one), true) => Ok(one),
        (Some((_, last)), false) => {
            let others = matching.iter().map(|(_, token)| token);
            let found = others.chain([&last]).map(describe).collect();
            Err(TokenError::AmbiguousToken { uri: name, found }.into())
        }
    }
}

/// Opens a session with the token that `uri` means and logs in. The session is not closed when it
/// is dropped: after the library was started anew its number may be another's.
pub(super) fn open_session(
    entered: &Entered<'_>,
    uri: &TokenUri,
    pin: Option<&Passphrase>,
    access: Access,
) -> Result<(Session, TokenInfo), Fault> {
    let (slot, token) = find(entered, uri)?;
    let name = uri.to_string();
    let context = entered.context();
    let session = match access {
        Access::Read => context.open_ro_session_no_drop(slot),
        Access::Write => context.open_rw_session_no_drop(slot),
    }
    .map_err(|error| Fault::of(&name, "opening a session", &error))?;
    match entered.logins().log_in(&session, &token, pin, &name) {
        Ok(()) => Ok((session, token)),
        Err(fault) => {
            close(session);
            Err(fault)
        }
    }
}

/// Closes a session of the current generation. Whatever the library says, it is of no more use.
pub(super) fn close(session: Session) {
    let _ = session.close();
}

fn matches(uri: &TokenUri, slot: Slot, token: &TokenInfo) -> bool {
    let is = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    is(&uri.token, token.label())
        && is(&uri.serial, token.serial_number())
        && is(&uri.manufacturer, token.manufacturer_id())
        && is(&uri.model, token.model())
        && uri.slot_id.is_none_or(|number| number == slot.id())
}

fn describe(token: &TokenInfo) -> String {
    format!("token={} (serial={})", token.label(), token.serial_number())
}
