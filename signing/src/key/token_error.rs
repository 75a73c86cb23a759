//! Why a key in a token cannot be used: by what an operator does about it.
//!
//! The faults of the PKCS#11 library itself come as text; only `pkcs11` knows its codes.

use std::path::PathBuf;

/// Why a key in a token cannot be opened, made or used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// Neither the URI nor the environment names a library.
    #[error(
        "no PKCS#11 library is named: write module-path=/path/to/library.so in the URI, or set \
         COUNTERSIGN_PKCS11_MODULE"
    )]
    NoModule,
    /// The library cannot be loaded.
    #[error("the PKCS#11 library {} cannot be used: {detail}", path.display())]
    Module {
        /// The library.
        path: PathBuf,
        /// What the system or the library said.
        detail: String,
    },
    /// No token matches now.
    #[error("{uri}: no such token is present{}", list(", only ", present))]
    Missing {
        /// What was looked for.
        uri: String,
        /// The tokens that are there.
        present: Vec<String>,
    },
    /// Several tokens match.
    #[error("{uri}: several tokens match{}; add serial=NUMBER", list(": ", found))]
    AmbiguousToken {
        /// What was looked for.
        uri: String,
        /// The tokens that match.
        found: Vec<String>,
    },
    /// The token holds no such key.
    #[error("{uri}: the token has no such private key")]
    NoKey {
        /// What was looked for.
        uri: String,
    },
    /// Several keys match.
    #[error("{uri}: several private keys match{}; add id=", list(": ", found))]
    AmbiguousKey {
        /// What was looked for.
        uri: String,
        /// The keys that match.
        found: Vec<String>,
    },
    /// A key is to be made, and there is one of that name.
    #[error("{uri}: the token has a key with that label or id already; a key is never replaced")]
    KeyExists {
        /// Where the key was to be.
        uri: String,
    },
    /// The token has no public key or certificate beside the private key.
    #[error(
        "{uri}: the token shows no public key for it; store its public key or certificate beside \
         it, with the same id"
    )]
    NoPublicKey {
        /// The key.
        uri: String,
    },
    /// The key is there and cannot be used for signing here.
    #[error("{uri}: {detail}")]
    Unsuitable {
        /// The key.
        uri: String,
        /// Why not.
        detail: String,
    },
    /// The certificate is for another key.
    #[error("{uri}: the certificate's public key is not this key's")]
    KeyMismatch {
        /// The key.
        uri: String,
    },
    /// The token wants a PIN.
    #[error(
        "{uri}: the token wants a PIN: write pin-source=file:/path in the URI, name a passphrase \
         file, or set COUNTERSIGN_PKCS11_PIN"
    )]
    PinNeeded {
        /// The key.
        uri: String,
    },
    /// The token refused the PIN, or will not be asked with it again.
    #[error("{uri}: {detail}")]
    PinRefused {
        /// The key.
        uri: String,
        /// What is wrong, and why it is not tried again.
        detail: String,
    },
    /// The token or its library failed in a way that may pass.
    #[error("{uri}: {detail}")]
    Failing {
        /// The key.
        uri: String,
        /// What it said.
        detail: String,
    },
    /// Every session is in use.
    #[error("{uri}: all {sessions} sessions with the token were busy for {seconds} seconds")]
    Busy {
        /// The key.
        uri: String,
        /// How many there are.
        sessions: usize,
        /// How long was waited.
        seconds: u64,
    },
}

impl TokenError {
    /// Whether the same call may succeed later without anybody changing a setting: the token is
    /// away, fails, or is busy.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Failing { .. } | Self::Busy { .. })
    }
}

fn list(before: &str, items: &[String]) -> String {
    if items.is_empty() { String::new() } else { format!("{before}{}", items.join(", ")) }
}
