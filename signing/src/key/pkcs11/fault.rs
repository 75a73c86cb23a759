//! What the codes of a PKCS#11 library mean for us: try again how, or not at all.

use cryptoki::error::{Error, RvError};

use crate::key::TokenError;

/// What may help after a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Another session with the token.
    Session,
    /// Looking for the token again, starting the library anew if need be.
    Token,
    /// Waiting for a session: the token gives no more of them.
    Wait,
    /// Nothing that a program can do.
    None,
}

/// A call that failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) error: TokenError,
    pub(super) recovery: Recovery,
}

impl Fault {
    /// What the library's answer to `doing` (a phrase such as "signing") means for the key at `uri`.
    pub(super) fn of(uri: &str, doing: &str, error: &Error) -> Self {
        let (uri, detail) = (uri.to_owned(), format!("{doing} failed: {}", words(error)));
        let recovery = recovery(error);
        let error = match recovery {
            Recovery::None => TokenError::Unsuitable { uri, detail },
            _ => TokenError::Failing { uri, detail },
        };
        Self { error, recovery }
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        let recovery = if error.is_transient() { Recovery::Token } else { Recovery::None };
        Self { error, recovery }
    }
}

/// The library's code as PKCS#11 spells it, or what else is wrong.
fn words(error: &Error) -> String {
    match error {
        Error::Pkcs11(RvError::VendorDefined(code) | RvError::UnknownErrorCode(code), function) => {
            format!("{function} answered the library's own error {code:#x}")
        }
        Error::Pkcs11(code, function) => format!("{function} answered {code:?}"),
        other => other.to_string(),
    }
}

fn recovery(error: &Error) -> Recovery {
    use RvError as R;
    let Error::Pkcs11(code, _) = error else { return Recovery::None };
    match code {
        // The session or what it knew is gone: the token was away, or somebody logged out.
        R::SessionHandleInvalid
        | R::SessionClosed
        | R::UserNotLoggedIn
        | R::KeyHandleInvalid
        | R::ObjectHandleInvalid
        | R::OperationActive
        | R::OperationNotInitialized => Recovery::Session,
        // The token or the library is in trouble. Libraries of network modules report a broken
        // connection by any of these, or by a code of their own.
        R::TokenNotPresent
        | R::TokenNotRecognized
        | R::DeviceRemoved
        | R::DeviceError
        | R::DeviceMemory
        | R::HostMemory
        | R::SlotIdInvalid
        | R::CryptokiNotInitialized
        | R::CryptokiAlreadyInitialized
        | R::GeneralError
        | R::FunctionFailed
        | R::FunctionCanceled
        | R::Cancel
        | R::MutexBad
        | R::VendorDefined(_)
        | R::UnknownErrorCode(_) => Recovery::Token,
        R::SessionCount => Recovery::Wait,
        _ => Recovery::None,
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn a_lost_token_is_transient_and_a_wrong_mechanism_is_not() {
        for (code, expected) in [
            (RvError::SessionHandleInvalid, Recovery::Session),
            (RvError::UserNotLoggedIn, Recovery::Session),
            (RvError::DeviceRemoved, Recovery::Token),
            (RvError::TokenNotPresent, Recovery::Token),
            (RvError::CryptokiNotInitialized, Recovery::Token),
            (RvError::VendorDefined(0x8000_0001), Recovery::Token),
            (RvError::SessionCount, Recovery::Wait),
            (RvError::MechanismInvalid, Recovery::None),
            (RvError::KeyFunctionNotPermitted, Recovery::None),
            (RvError::PinIncorrect, Recovery::None),
            (RvError::PinLocked, Recovery::None),
        ] {
            let fault =
                Fault::of("pkcs11:token=T", "signing", &Error::Pkcs11(code, Function::Sign));
            assert_eq!(fault.recovery, expected, "{code:?}");
            assert_eq!(fault.error.is_transient(), expected != Recovery::None, "{code:?}");
            assert!(fault.error.to_string().contains("signing failed"), "{}", fault.error);
        }
    }
}
