//! Checkpoints: a log's signed word on its tree (C2SP tlog-checkpoint over C2SP signed-note).
//!
//! ```text
//! log.example
//! 1042
//! 5NxVkW2lFqUt…=
//! (further lines)
//!
//! — log.example base64(key hint of 4 octets ‖ signature)
//! ```

use alloc::vec::Vec;

use base64ct::{Base64, Encoding};

use super::Log;
use crate::{
    crypto::{CryptoProvider, SignatureScheme},
    digest::HashAlgorithm,
    limits,
};

/// A decoded checkpoint; nobody's word until [`Checkpoint::verify`] says so.
#[derive(Clone, Debug)]
pub struct Checkpoint<'a> {
    /// The log's name, and in older logs the tree's number.
    pub origin: &'a str,
    /// How many leaves the tree has.
    pub tree_size: u64,
    /// The tree's root hash, 32 octets.
    pub root_hash: Vec<u8>,
    /// The signed text, with its last line feed.
    text: &'a str,
    signatures: Vec<NoteSignature<'a>>,
}

#[derive(Clone, Debug)]
struct NoteSignature<'a> {
    name: &'a str,
    hint: [u8; 4],
    signature: Vec<u8>,
}

/// Why a checkpoint is not the log's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFault {
    /// No signature by the log's key is on it.
    Unsigned,
    /// The log's key did not sign this text.
    Signature,
    /// The log signed as another log.
    Origin,
}

impl<'a> Checkpoint<'a> {
    /// Reads a signed note of at most [`limits::CHECKPOINT_BYTES`] with at most
    /// [`limits::CHECKPOINT_SIGNATURES`].
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn decode(note: &'a str) -> Result<Self, &'static str> {
        if note.len() > limits::CHECKPOINT_BYTES {
            return Err("more bytes than are looked at");
        }
        // C2SP signed-note: no ASCII control characters but the line feed.
        if note.chars().any(|character| character.is_ascii_control() && character != '\n') {
            return Err("a control character");
        }
        // The last empty line divides: text lines may be empty, signature lines not.
        let (text, rest) = note
            .rmatch_indices('\n')
            .filter_map(|(at, _)| note.split_at_checked(at))
            .find(|(text, _)| text.ends_with('\n'))
            .ok_or("no empty line before the signatures")?;
        let rest = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n'));
        let signatures = signatures(rest.ok_or("no line feed at the end")?)?;
        let mut lines = text.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or("no origin")?;
        let tree_size = lines.next().and_then(decimal).ok_or("no tree size")?;
        let root_hash = lines.next().and_then(|line| Base64::decode_vec(line).ok());
        let root_hash = root_hash
            .filter(|hash| hash.len() == HashAlgorithm::Sha256.output_length())
            .ok_or("no root hash of 32 bytes")?;
        Ok(Self { origin, tree_size, root_hash, text, signatures })
    }

    /// The lines of the signed text after the root hash.
    pub fn further_lines(&self) -> impl Iterator<Item = &'a str> {
        self.text.lines().skip(3)
    }

    /// Who is said to have signed: the name, and the first octets of the key's id.
    pub fn signatures(&self) -> impl Iterator<Item = (&'a str, [u8; 4])> {
        self.signatures.iter().map(|signature| (signature.name, signature.hint))
    }

    /// Whether `log` signed this checkpoint as itself.
    ///
    /// # Errors
    /// [`CheckpointFault`].
    pub fn verify(&self, log: &Log, crypto: &dyn CryptoProvider) -> Result<(), CheckpointFault> {
        let id = log.checkpoint_id.as_ref().unwrap_or(&log.id);
        let mut outcome = Err(CheckpointFault::Unsigned);
        for each in &self.signatures {
            // C2SP signed-note: the hint is the key id's first four octets.
            if !id.starts_with(&each.hint) {
                continue;
            }
            if !log.verifies(crypto, self.text.as_bytes(), &each.signature) {
                if outcome == Err(CheckpointFault::Unsigned) {
                    outcome = Err(CheckpointFault::Signature);
                }
            } else if self.is_origin_of(log, each.name, crypto) {
                return Ok(());
            } else {
                outcome = Err(CheckpointFault::Origin);
            }
        }
        outcome
    }

    /// Off-spec: if the log's id is of the key alone (Rekor v1), the names are not compared:
    /// such logs name themselves by their configuration, not by their address, and add the
    /// number of the tree. Their key signs for one log only.
    fn is_origin_of(&self, log: &Log, name: &str, crypto: &dyn CryptoProvider) -> bool {
        let is_named_key = log.key.scheme() == Some(SignatureScheme::Ed25519);
        (self.origin == log.host() && name == log.host())
            || (!is_named_key && log.id_is_of_key_alone(crypto))
    }
}

fn signatures(lines: &str) -> Result<Vec<NoteSignature<'_>>, &'static str> {
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        if signatures.len() >= limits::CHECKPOINT_SIGNATURES {
            return Err("more signatures than are looked at");
        }
        signatures.push(signature(line).ok_or("a signature line of another form")?);
    }
    Ok(signatures)
}

/// `— NAME BASE64`.
fn signature(line: &str) -> Option<NoteSignature<'_>> {
    let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
    let is_name = !name.is_empty() && !name.contains('+') && !name.contains(char::is_whitespace);
    let octets = Base64::decode_vec(encoded).ok().filter(|_| is_name)?;
    let (hint, signature) = octets.split_first_chunk::<4>()?;
    (!signature.is_empty()).then(|| NoteSignature {
        name,
        hint: *hint,
        signature: signature.to_vec(),
    })
}

/// Decimal without leading zeros (C2SP tlog-checkpoint).
fn decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use alloc::{format, string::String};

    use super::*;

    const ROOT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn note(text: &str, signatures: &str) -> String {
        format!("{text}\n{signatures}")
    }

    #[test]
    fn reads_a_checkpoint_with_further_lines_and_witnesses() {
        let text = note(
            &format!("log.example - 7\n12\n{ROOT}\nTimestamp: 1\n"),
            "— log.example AAAAAAEC\n— witness.example/one AQIDBAUG\n",
        );
        let checkpoint = Checkpoint::decode(&text).unwrap();
        assert_eq!((checkpoint.origin, checkpoint.tree_size), ("log.example - 7", 12));
        assert_eq!(checkpoint.signatures.len(), 2);
        assert!(checkpoint.text.ends_with("Timestamp: 1\n"));
    }

    #[test]
    fn refuses_other_forms() {
        let good = "— log.example AAAAAAEC\n";
        let body = |size: &str, root: &str| format!("log.example\n{size}\n{root}\n");
        for text in [
            String::new(),
            body("12", ROOT),
            note(&body("12", ROOT), ""),
            note(&body("12", ROOT), good.trim_end()),
            note(&body("012", ROOT), good),
            note(&body("-1", ROOT), good),
            note(&body("", ROOT), good),
            note(&body("99999999999999999999", ROOT), good),
            note(&body("12", "AAAA"), good),
            note(&body("12", "?"), good),
            note(&format!("\n12\n{ROOT}\n"), good),
            note(&format!("log.example\r\n12\n{ROOT}\n"), good),
            note(&body("12", ROOT), "- log.example AAAAAAEC\n"),
            note(&body("12", ROOT), "— log.example\n"),
            note(&body("12", ROOT), "— log.example AAAAAA==\n"),
            note(&body("12", ROOT), "— a+b AAAAAAEC\n"),
            note(&body("12", ROOT), &good.repeat(limits::CHECKPOINT_SIGNATURES.saturating_add(1))),
        ] {
            assert!(Checkpoint::decode(&text).is_err(), "{text}");
        }
    }
}
