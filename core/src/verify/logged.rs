//! Is the signature in a public log, and the signer's certificate in a certificate log?

use alloc::{format, string::String, vec::Vec};

use super::{Context, Opened, ProvenTime, Run};
use crate::{
    bundle::{Content, Version},
    crypto::CryptoProvider,
    digest::{Digest, HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    limits::CLOCK_SKEW_SECONDS,
    policy::Transparency,
    time::UnixSeconds,
    tlog::{
        Checkpoint, EntryBody, EntryKind, InclusionProof, Log, LogEntry, LoggedDigest,
        checkpoint::CheckpointFault,
        entry::{EntryFault, LoggedSignature, LoggedVerifier},
        merkle, promise,
        sct::{CertificateTimestamp, Precertificate},
    },
    x509::VerifiedPath,
};

/// An entry that is in a log of the trust root, whatever it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoggedEntry<'a> {
    log: &'a Log,
    /// The time that the log signed, if it made a promise.
    promised: Option<UnixSeconds>,
}

/// What became of one entry, held against the logs.
pub(super) type LoggedOutcome<'a> = Result<LoggedEntry<'a>, Finding>;

/// An entry that is in a log of the trust root, and is about this bundle.
#[derive(Clone, Debug)]
pub(super) struct VerifiedEntry<'a> {
    logged: LoggedEntry<'a>,
    signature: Digest,
}

impl<'a> VerifiedEntry<'a> {
    /// The log.
    pub(super) fn log(&self) -> &'a Log {
        self.logged.log
    }

    /// The time that the log signed, if it made a promise.
    pub(super) fn promised(&self) -> Option<UnixSeconds> {
        self.logged.promised
    }

    /// The SHA-256 digest of the bundle's signature.
    pub(super) fn signature(&self) -> &Digest {
        &self.signature
    }
}

/// What became of one entry.
pub(super) type EntryOutcome<'a> = Result<VerifiedEntry<'a>, Finding>;

/// The times that logs vouch for.
pub(super) fn logged_times<'e>(
    entries: &'e [EntryOutcome<'_>],
) -> impl Iterator<Item = ProvenTime<'e>> {
    entries.iter().flatten().filter_map(ProvenTime::of_entry)
}

fn is_asked_for(mode: Transparency, logs: &[Log]) -> bool {
    match mode {
        Transparency::WhenListed => !logs.is_empty(),
        Transparency::Required => true,
        Transparency::Off => false,
    }
}

impl Context<'_> {
    /// Whether the policy asks for a log entry.
    pub(super) fn wants_entry(&self) -> bool {
        is_asked_for(self.policy.transparency, &self.trust.logs)
    }
}

impl<'a> Run<'a> {
    /// Each of the bundle's entries, if it is about this bundle and in a log; none if nobody asks.
    pub(super) fn verified_entries(&self) -> Vec<EntryOutcome<'a>> {
        let entries = self.bundle.log_entries.iter().zip(&self.entries);
        entries.map(|(entry, logged)| self.verified_entry(entry, logged)).collect()
    }

    fn verified_entry(&self, entry: &LogEntry, logged: &LoggedOutcome<'a>) -> EntryOutcome<'a> {
        self.belongs(entry)?;
        let logged = logged.clone()?;
        let signature = self.bundle.content.signature();
        let signature = digest(&*self.context.crypto, HashAlgorithm::Sha256, signature);
        Ok(VerifiedEntry { logged, signature })
    }

    /// Findings on the entries, and the address of the log that one is in. An entry without a
    /// promise is judged as of the proven time, or now.
    pub(super) fn inspect_transparency(
        &mut self,
        entries: &[EntryOutcome<'a>],
        signed_by: Option<ProvenTime<'_>>,
    ) -> Option<&'a str> {
        if !self.context.wants_entry() {
            if !self.bundle.log_entries.is_empty() {
                self.findings.push(FindingCode::LOG_NOT_CHECKED.into());
            }
            return None;
        }
        let at = signed_by.map_or(self.context.now, ProvenTime::time);
        let mut logged = None;
        let mut failed = Vec::new();
        for entry in entries {
            let in_window = |entry: &VerifiedEntry<'a>| match entry.promised() {
                Some(_) => Ok(entry.log()),
                None => within_window(entry.log(), at).map(|()| entry.log()),
            };
            match entry.as_ref().map_err(Clone::clone).and_then(in_window) {
                Ok(log) => logged = logged.or(Some(log.base_url.as_str())),
                Err(finding) => failed.push(finding),
            }
        }
        if logged.is_some() {
            let ignored = |finding: Finding| {
                Finding::new(FindingCode::LOG_ENTRY_IGNORED).found(finding.code.code())
            };
            self.findings.extend(failed.into_iter().map(ignored));
        } else if failed.is_empty() {
            let logs = names(&self.context.trust.logs);
            self.findings
                .push(Finding::new(FindingCode::LOG_ENTRY_ABSENT).expected(logs).found("no entry"));
        } else {
            self.findings.extend(failed);
        }
        logged
    }

    /// The entry must be about this bundle's signature, certificate and content.
    fn belongs(&self, entry: &LogEntry) -> Result<(), Finding> {
        let body = EntryBody::decode(&entry.body).map_err(|fault| match fault {
            EntryFault::Malformed(why) => Finding::new(FindingCode::LOG_ENTRY_MALFORMED).found(why),
            EntryFault::Unsupported(kind) => {
                Finding::new(FindingCode::LOG_ENTRY_UNSUPPORTED).found(kind)
            }
        })?;
        self.compare_entry(entry, &body)
    }

    fn compare_entry(&self, entry: &LogEntry, body: &EntryBody) -> Result<(), Finding> {
        let mismatch = |what: &str| Finding::new(FindingCode::LOG_ENTRY_MISMATCH).about(what);
        if entry.kind() != Some(body.kind) {
            return Err(mismatch("kindVersion")
                .expected(format!("{} {}", entry.kind, entry.version))
                .found(format!("{}", body.kind)));
        }
        let content = &self.bundle.content;
        let is_signers =
            |logged: &&LoggedSignature| match (&logged.verifier, self.bundle.certificate()) {
                (Some(LoggedVerifier::Certificate(logged)), Some(own)) => logged == own,
                (Some(LoggedVerifier::PublicKey(logged)), None) => logged == self.key.raw,
                _ => false,
            };
        let mut by_signer = body.signatures.iter().filter(is_signers).peekable();
        if by_signer.peek().is_none() {
            let (what, own) = match self.bundle.certificate() {
                Some(_) => ("certificate", "the bundle's certificate"),
                None => ("key", "the key that was given"),
            };
            return Err(mismatch(what).expected(own).found("another certificate or key"));
        }
        let is_own = |signature: &Vec<u8>| signature.as_slice() == content.signature();
        if !by_signer.any(|logged| logged.signature.as_ref().is_none_or(is_own)) {
            return Err(mismatch("signature")
                .expected("the bundle's signature")
                .found("another signature"));
        }
        if matches!(content, Content::Envelope(_)) && !body.kind.may_be_of_an_envelope() {
            return Err(mismatch("kindVersion")
                .expected("an entry for a statement: dsse or intoto")
                .found(format!("{}, an entry for a file", body.kind)));
        }
        let logged = match &body.digest {
            LoggedDigest::Signed(digest) | LoggedDigest::Payload(digest) => digest,
        };
        match self.own_digest(&body.digest) {
            Some(own) if own == *logged => Ok(()),
            Some(own) => {
                Err(mismatch("digest").expected(format!("{own}")).found(format!("{logged}")))
            }
            None => Err(mismatch("digest")
                .expected("a digest of what the bundle signs")
                .found(format!("{logged}"))),
        }
    }

    /// The bundle's own digest of what an entry's is of.
    fn own_digest(&self, logged: &LoggedDigest) -> Option<Digest> {
        let crypto: &dyn CryptoProvider = &*self.context.crypto;
        match (&self.bundle.content, logged) {
            (Content::MessageSignature { digest, .. }, LoggedDigest::Signed(logged)) => {
                let artifact = self.artifact.digests;
                let own = digest.as_ref().map_or(artifact, core::slice::from_ref);
                own.iter().find(|each| each.algorithm() == logged.algorithm()).cloned()
            }
            (Content::Envelope(envelope), LoggedDigest::Signed(logged)) => {
                Some(digest(crypto, logged.algorithm(), &envelope.signed_octets()))
            }
            (Content::Envelope(envelope), LoggedDigest::Payload(logged)) => {
                Some(digest(crypto, logged.algorithm(), &envelope.payload))
            }
            (Content::MessageSignature { .. }, LoggedDigest::Payload(_)) => None,
        }
    }

    /// Whether a certificate log has seen the signer's certificate; findings if it has not.
    pub(super) fn inspect_certificate_log(&mut self, path: &VerifiedPath<'a>) {
        let mode = self.context.policy.certificate_transparency;
        if is_asked_for(mode, &self.context.trust.certificate_logs)
            && let Err(finding) = self.verify_certificate_log(path)
        {
            // Public authorities leave the subject empty: the identity names it.
            let leaf = path.leaf();
            let name = leaf.identity().map_or_else(|| leaf.subject_text(), String::from);
            self.findings.push(finding.about(name));
        }
    }

    fn verify_certificate_log(&self, path: &VerifiedPath<'a>) -> Result<(), Finding> {
        let leaf = path.leaf();
        let logs = &self.context.trust.certificate_logs;
        let malformed = |error| Finding::new(FindingCode::SCT_MALFORMED).found(format!("{error}"));
        let (Some(value), Some(issuer)) = (leaf.extensions.embedded_scts, path.issuers().first())
        else {
            return Err(Finding::new(FindingCode::SCT_ABSENT).expected(names(logs)).found("none"));
        };
        let timestamps = CertificateTimestamp::decode_list(value).map_err(malformed)?;
        let precertificate =
            Precertificate::of(leaf, issuer, &*self.context.crypto).map_err(malformed)?;
        let mut worst: Option<Finding> = None;
        for timestamp in &timestamps {
            match self.verify_certificate_timestamp(timestamp, &precertificate) {
                Ok(()) => return Ok(()),
                Err(finding) => {
                    // That a log is not trusted tells less than what is wrong with a trusted one.
                    if worst.is_none() || finding.code != FindingCode::SCT_LOG_NOT_TRUSTED {
                        worst = Some(finding);
                    }
                }
            }
        }
        Err(worst.unwrap_or_else(|| FindingCode::SCT_ABSENT.into()))
    }

    fn verify_certificate_timestamp(
        &self,
        timestamp: &CertificateTimestamp<'_>,
        precertificate: &Precertificate,
    ) -> Result<(), Finding> {
        let logs = &self.context.trust.certificate_logs;
        let named: Vec<&Log> = logs.iter().filter(|log| log.id == *timestamp.log_id).collect();
        if named.is_empty() {
            return Err(Finding::new(FindingCode::SCT_LOG_NOT_TRUSTED)
                .expected(names(logs))
                .found(crate::digest::encode_hex(timestamp.log_id)));
        }
        let signed = |log: &&&Log| timestamp.is_by(log, precertificate, &*self.context.crypto);
        let signers: Vec<&Log> = named.iter().filter(signed).copied().collect();
        let Some(log) = signers.first() else {
            return Err(Finding::new(FindingCode::SCT_INVALID)
                .expected(format!(
                    "a signature by {}",
                    named.first().map_or("", |log| &log.base_url)
                ))
                .found("another signature"));
        };
        let time = timestamp.time();
        if time > self.context.now.plus_seconds(CLOCK_SKEW_SECONDS) {
            return Err(Finding::new(FindingCode::SCT_FUTURE)
                .expected(format!("not after {}", self.context.now))
                .found(format!("{time}")));
        }
        if signers.iter().any(|log| log.window.contains(time)) {
            return Ok(());
        }
        Err(Finding::new(FindingCode::SCT_WINDOW)
            .expected(format!("a timestamp made {} ({})", log.window, log.base_url))
            .found(format!("{time}")))
    }
}

impl<'a> Opened<'a> {
    /// Holds an entry against the logs of the trust root.
    pub(super) fn verify_in_logs(&self, entry: &'a LogEntry) -> LoggedOutcome<'a> {
        let logs = &self.context.trust.logs;
        let mut outcome = Err(Finding::new(FindingCode::LOG_NOT_TRUSTED)
            .expected(names(logs))
            .found(crate::digest::encode_hex(&entry.log_id)));
        for log in logs.iter().filter(|log| log.id == entry.log_id) {
            outcome = self.verify_in(log, entry);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Everything about the entry that is there must hold, and enough must be there.
    fn verify_in(&self, log: &'a Log, entry: &'a LogEntry) -> LoggedOutcome<'a> {
        let crypto: &dyn CryptoProvider = &*self.context.crypto;
        let mut promised = None;
        if entry.promise.is_some() {
            let time = promise::verify(entry, log, crypto).ok_or_else(|| {
                Finding::new(FindingCode::LOG_PROMISE_INVALID)
                    .about(log.base_url.clone())
                    .expected("the log's signature over this entry and its time")
                    .found("another signature")
            })?;
            if time > self.context.now.plus_seconds(CLOCK_SKEW_SECONDS) {
                return Err(Finding::new(FindingCode::LOG_TIME_FUTURE)
                    .about(log.base_url.clone())
                    .expected(format!("not after {}", self.context.now))
                    .found(format!("{time}")));
            }
            within_window(log, time)?;
            promised = Some(time);
        }
        let proof_absent = |expected: &str| {
            let finding = Finding::new(FindingCode::LOG_PROOF_ABSENT).about(log.base_url.clone());
            Err(finding.expected(expected))
        };
        // Sigstore bundle: up to v0.1 a promise will do, from v0.2 on a proof is demanded.
        let promise_suffices = self.part.bundle.version == Version::V0_1 && promised.is_some();
        match &entry.proof {
            None if promise_suffices => {}
            None => return proof_absent("an inclusion proof"),
            Some(proof) => {
                verify_path(log, entry, proof, crypto)?;
                verify_place(log, entry, proof)?;
                match &proof.checkpoint {
                    Some(note) => verify_checkpoint(log, proof, note, crypto)?,
                    None if promise_suffices => {}
                    None => return proof_absent("an inclusion proof with a checkpoint"),
                }
            }
        }
        Ok(LoggedEntry { log, promised })
    }
}

fn names(logs: &[Log]) -> String {
    if logs.is_empty() {
        return String::from("a log in the trust root");
    }
    let names: Vec<&str> = logs.iter().map(|log| log.base_url.as_str()).collect();
    names.join(" or ")
}

fn within_window(log: &Log, time: UnixSeconds) -> Result<(), Finding> {
    if log.window.contains(time) {
        return Ok(());
    }
    Err(Finding::new(FindingCode::LOG_WINDOW)
        .about(log.base_url.clone())
        .expected(format!("an entry made {}", log.window))
        .found(format!("{time}")))
}

fn verify_path(
    log: &Log,
    entry: &LogEntry,
    proof: &InclusionProof,
    crypto: &dyn CryptoProvider,
) -> Result<(), Finding> {
    let leaf = merkle::leaf_hash(crypto, &entry.body);
    let path = proof.hashes.iter().map(Vec::as_slice);
    let root = merkle::root_of(crypto, leaf, proof.leaf_index, proof.tree_size, path);
    if root.as_ref().is_some_and(|root| root.octets() == proof.root_hash) {
        return Ok(());
    }
    Err(Finding::new(FindingCode::LOG_PROOF_INVALID)
        .about(log.base_url.clone())
        .expected(format!("root hash {}", crate::digest::encode_hex(&proof.root_hash)))
        .found(root.map_or_else(|| String::from("a proof of another length"), |root| root.hex())))
}

/// In a log of one tree, the entry's two numbers are the same one.
fn verify_place(log: &Log, entry: &LogEntry, proof: &InclusionProof) -> Result<(), Finding> {
    let is_in_one_tree = entry.kind().is_some_and(EntryKind::is_in_one_tree);
    if !is_in_one_tree || entry.log_index == proof.leaf_index {
        return Ok(());
    }
    Err(Finding::new(FindingCode::LOG_ENTRY_MISMATCH)
        .about(format!("logIndex ({})", log.base_url))
        .expected(format!("{}", proof.leaf_index))
        .found(format!("{}", entry.log_index)))
}

fn verify_checkpoint(
    log: &Log,
    proof: &InclusionProof,
    note: &str,
    crypto: &dyn CryptoProvider,
) -> Result<(), Finding> {
    let about = |code| Finding::new(code).about(log.base_url.clone());
    let checkpoint = Checkpoint::decode(note)
        .map_err(|why| about(FindingCode::CHECKPOINT_MALFORMED).found(why))?;
    checkpoint.verify(log, crypto).map_err(|fault| match fault {
        CheckpointFault::Unsigned => {
            about(FindingCode::CHECKPOINT_UNSIGNED).expected("a signature by the log's key")
        }
        CheckpointFault::Signature => about(FindingCode::CHECKPOINT_SIGNATURE)
            .expected("the log's signature")
            .found("another signature"),
        CheckpointFault::Origin => {
            about(FindingCode::CHECKPOINT_ORIGIN).expected(log.host()).found(checkpoint.origin)
        }
    })?;
    if checkpoint.tree_size == proof.tree_size && checkpoint.root_hash == proof.root_hash {
        return Ok(());
    }
    let tree = |size: u64, root: &[u8]| {
        format!("{size} entries under {}", crate::digest::encode_hex(root))
    };
    Err(about(FindingCode::CHECKPOINT_MISMATCH)
        .expected(tree(checkpoint.tree_size, &checkpoint.root_hash))
        .found(tree(proof.tree_size, &proof.root_hash)))
}
