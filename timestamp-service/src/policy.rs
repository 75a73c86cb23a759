//! The policies under which tokens are issued, and what each promises.
//!
//! A policy is an object identifier that a token names; what it means to those who rely on it is
//! the operator's to publish. Here it has the hashes that it accepts and the accuracy that it
//! states. Whether the clock keeps that accuracy is looked at when a token is asked for.

use std::time::Duration;

use const_oid::ObjectIdentifier;
use countersign_core::digest::HashAlgorithm;
use countersign_daemon::config::ConfigError;
use serde::Deserialize;

/// More policies than any authority has, and few enough to look through for each request.
const MAX_POLICIES: usize = 64;

/// A `[[policy]]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySettings {
    /// The policy's object identifier, `"1.3.6.1.4.1.99999.1"`. Required.
    pub oid: String,
    /// Hash algorithms of what is stamped, of `"sha256"`, `"sha384"`, `"sha512"`. Default all
    /// three; at least one. SHA-1 is not offered.
    #[serde(default = "default_accepted_hashes")]
    pub accepted_hashes: Vec<String>,
    /// How far the time in a token may be from the true time, in milliseconds. Default 2000; 1–999
    /// or 1001–60000. Below 1000 tokens carry milliseconds, and this is the error that the clock may
    /// have. Above, they carry whole seconds, and up to 1000 of it is the part of a second that is
    /// cut off: the clock may have the rest as its error, 1000 by default. At 1000 it could have none.
    #[serde(default = "default_accuracy_millis")]
    pub accuracy_millis: u64,
}

fn default_accepted_hashes() -> Vec<String> {
    HashAlgorithm::STRONG.iter().map(|algorithm| algorithm.name().to_owned()).collect()
}

const fn default_accuracy_millis() -> u64 {
    2000
}

/// A policy that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPolicy {
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// The hash algorithms of what is stamped under it.
    pub hashes: Vec<HashAlgorithm>,
    /// What its tokens state.
    pub accuracy: Duration,
}

impl OfferedPolicy {
    /// How wrong the clock may be for the stated accuracy to hold: all of it, but for the part of a
    /// second that whole seconds cut off.
    pub fn clock_allowance(&self) -> Duration {
        self.accuracy.checked_sub(Duration::from_secs(1)).unwrap_or(self.accuracy)
    }
}

/// The policies of a configuration, the default first.
///
/// # Errors
/// [`ConfigError::Range`]: there is none, there are too many, one is there twice, or a value of one
/// is not allowed.
pub(crate) fn offered(settings: &[PolicySettings]) -> Result<Vec<OfferedPolicy>, ConfigError> {
    let count = u64::try_from(settings.len()).unwrap_or(u64::MAX);
    ConfigError::check_range("policy (how many)", count, 1..=MAX_POLICIES as u64)?;
    let mut policies: Vec<OfferedPolicy> = Vec::with_capacity(settings.len());
    for policy in settings {
        let policy = policy.offered()?;
        if policies.iter().any(|other| other.oid == policy.oid) {
            let twice = format_args!("\"{}\" twice", policy.oid);
            return Err(ConfigError::refused("policy.oid", twice, "each policy once"));
        }
        policies.push(policy);
    }
    Ok(policies)
}

impl PolicySettings {
    fn offered(&self) -> Result<OfferedPolicy, ConfigError> {
        let oid = ObjectIdentifier::new(&self.oid).map_err(|error| {
            let expected =
                format!("an object identifier such as \"1.3.6.1.4.1.99999.1\" ({error})");
            ConfigError::refused_text("policy.oid", &self.oid, expected)
        })?;
        if !matches!(self.accuracy_millis, 1..=999 | 1001..=60_000) {
            let expected =
                "1–999, for tokens with milliseconds, or 1001–60000: whole seconds cost up to 1000";
            let key = "policy.accuracy_millis";
            return Err(ConfigError::refused(key, self.accuracy_millis, expected));
        }
        let accuracy = Duration::from_millis(self.accuracy_millis);
        Ok(OfferedPolicy { oid, hashes: self.hashes()?, accuracy })
    }

    fn hashes(&self) -> Result<Vec<HashAlgorithm>, ConfigError> {
        let quoted = HashAlgorithm::STRONG.map(|algorithm| format!("{:?}", algorithm.name()));
        let expected = format!("one or more of {}", quoted.join(", "));
        let refused =
            |value: String| ConfigError::refused("policy.accepted_hashes", value, expected.clone());
        if self.accepted_hashes.is_empty() {
            return Err(refused("an empty list".to_owned()));
        }
        self.accepted_hashes
            .iter()
            .map(|name| {
                HashAlgorithm::parse(name)
                    .filter(|algorithm| HashAlgorithm::STRONG.contains(algorithm))
                    .ok_or_else(|| refused(format!("{name:?}")))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_take_their_part_of_the_accuracy() {
        for (accuracy_millis, allowance_millis) in
            [(1, 1), (100, 100), (999, 999), (1001, 1), (2000, 1000), (60_000, 59_000)]
        {
            let policy = OfferedPolicy {
                oid: ObjectIdentifier::new_unwrap("1.2.3"),
                hashes: vec![HashAlgorithm::Sha256],
                accuracy: Duration::from_millis(accuracy_millis),
            };
            assert_eq!(policy.clock_allowance(), Duration::from_millis(allowance_millis));
        }
    }
}
