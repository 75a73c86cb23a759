//! The key that signs now, and the one whose time is set.
//!
//! A rotation is no event: which key signs a token follows from the token's time. So it takes place
//! at the same token in every replica, needs no timer, and is the same after a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_core::time::UnixSeconds;
use countersign_daemon::config::ConfigError;

use crate::config::Config;
use crate::issuer::{Issuer, IssuerError, When};

/// Why there is nothing to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A value of the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key that signs from the start.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The key of `[next]`.
    #[error("[next]: {0}")]
    Next(#[source] IssuerError),
    /// Nothing would sign for a while.
    #[error(
        "the certificate of {subject} is valid until {not_after}, and `rotate_at` is {rotate_at}: nothing would sign between"
    )]
    Gap {
        /// Whose certificate it is.
        subject: String,
        /// Its last second.
        not_after: UnixSeconds,
        /// When the next key takes over.
        rotate_at: UnixSeconds,
    },
}

/// The keys of an authority.
#[derive(Debug)]
pub struct Keys {
    first: Arc<Issuer>,
    next: Option<Scheduled>,
}

#[derive(Debug)]
struct Scheduled {
    at: UnixSeconds,
    issuer: Arc<Issuer>,
    /// Whether the log has it that this key took over.
    told: AtomicBool,
}

impl Keys {
    /// A key that signs until it is replaced.
    pub fn only(issuer: Issuer) -> Self {
        Self { first: Arc::new(issuer), next: None }
    }

    /// Opens and checks the keys that `config` names: each for the time that it is to sign. Once
    /// `rotate_at` is past, the first key is not opened any more.
    ///
    /// # Errors
    /// A key or certificate cannot be used, or the first certificate ends before `rotate_at`.
    pub fn open(config: &Config, now: UnixSeconds) -> Result<Self, KeysError> {
        let policies = config.policies()?;
        let first = || Issuer::open(&config.first_key(), &policies, When::Now(now));
        let Some((at, next)) = config.rotation()? else { return Ok(Self::only(first()?)) };
        if at <= now {
            tracing::warn!(
                rotate_at = %at,
                "the key of [next] has taken over; move it to the top of the configuration"
            );
            let issuer = Issuer::open(next, &policies, When::Now(now)).map_err(KeysError::Next)?;
            return Ok(Self::only(issuer));
        }
        let first = first()?;
        if first.not_after() < at {
            return Err(KeysError::Gap {
                subject: first.subject().to_owned(),
                not_after: first.not_after(),
                rotate_at: at,
            });
        }
        let issuer = Issuer::open(next, &policies, When::From(at)).map_err(KeysError::Next)?;
        let next = Scheduled { at, issuer: Arc::new(issuer), told: AtomicBool::new(false) };
        Ok(Self { first: Arc::new(first), next: Some(next) })
    }

    /// The key that signs a token of that time.
    pub fn at(&self, time: UnixSeconds) -> &Arc<Issuer> {
        match &self.next {
            Some(next) if next.at <= time => {
                if !next.told.swap(true, Ordering::Relaxed) {
                    let issuer = &next.issuer;
                    tracing::info!(certificate = issuer.subject(), key_id = issuer.key_id(), not_after = %issuer.not_after(), "the next signing key has taken over");
                }
                &next.issuer
            }
            _ => &self.first,
        }
    }

    /// Every key that is open, in the order of their turns.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        std::iter::once(&self.first).chain(self.next.as_ref().map(|next| &next.issuer))
    }
}
