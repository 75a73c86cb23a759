//! One bundle judged step by step, to its report.

use alloc::{format, string::String, vec::Vec};

use super::{
    Artifact, Context,
    evidence_set::Part,
    logged::{self, EntryOutcome},
    opened::{Opened, Paths, Told},
    vouched::vouched,
};
use crate::{
    bundle::{Bundle, Verifier},
    digest::{Digest, HashAlgorithm},
    finding::{Class, Finding, FindingCode, quoted},
    order::sort_few,
    report::{
        ArtifactSummary, Check, KeySummary, Outcome, Question, Report, ReportParts, SignerSummary,
        TimestampSummary, checks_without_answers,
    },
    revocation::{RevocationEvidence, Subject},
    time::{ProvenTime, UnixSeconds},
    tsp::VerifiedTimestamp,
    x509::{Certificate, PublicKey, VerifiedPath, name},
};

/// One verification on its way.
pub(super) struct Run<'a> {
    pub(super) context: Context<'a>,
    pub(super) artifact: &'a Artifact<'a>,
    pub(super) part: &'a Part,
    pub(super) bundle: &'a Bundle,
    /// The signer's certificate; `None` if a managed key signed.
    pub(super) leaf: Option<Certificate<'a>>,
    /// The key that must have signed: the certificate's, or the one that was given.
    pub(super) key: PublicKey<'a>,
    pub(super) revocation: RevocationEvidence<'a>,
    /// What is known of timestamps, log entries and paths already.
    pub(super) tokens: Vec<Result<VerifiedTimestamp<'a>, Finding>>,
    pub(super) entries: Vec<EntryOutcome<'a>>,
    known_paths: Option<(UnixSeconds, Paths<'a>)>,
    pub(super) told: Told,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Run<'a> {
    /// Begins with the file; there is no evidence on revocation yet.
    ///
    /// # Errors
    /// There is no key that can be taken for the signer's.
    pub(super) fn of<'o: 'a>(
        opened: &Opened<'o>,
        artifact: &'a Artifact<'a>,
    ) -> Result<Self, Finding> {
        let (leaf, key) = opened.verifier()?;
        Ok(Self {
            context: opened.context,
            artifact,
            part: opened.part,
            bundle: &opened.part.bundle,
            leaf,
            key,
            revocation: RevocationEvidence::none(),
            tokens: opened.tokens().to_vec(),
            entries: opened.entries().to_vec(),
            known_paths: opened.known_paths().cloned(),
            told: opened.told.get(),
            findings: Vec::new(),
        })
    }

    /// With the evidence on revocation that there is.
    pub(super) fn with(self, revocation: RevocationEvidence<'a>) -> Self {
        Self { revocation, ..self }
    }

    /// The report. Every step that can be made is made: timestamps and log entries first, since they say
    /// at what time the certificate is judged; then the signer, the signature, the file; revocation last,
    /// since it depends on the path and on the time.
    pub(super) fn report(mut self, artifact: ArtifactSummary) -> Report {
        let entries = self.verified_entries();
        let timestamps = self.timestamps(&entries);
        let required = self.context.policy.timestamps_required;
        let signed_by = vouched(&timestamps, &entries, required).time;
        let logged = self.inspect_transparency(&entries, signed_by);
        let path = self.path(signed_by);
        let summaries = timestamp_summaries(&timestamps, &entries, signed_by);
        if let Some(path) = &path {
            self.inspect_certificate_log(path);
            self.note_other_times(path, &summaries);
        }
        let managed = self.managed_key();
        let rules = match (&path, &managed) {
            (Some(path), _) => self.inspect_signer(path),
            (None, Some((fingerprint, _))) => self.inspect_managed_key(fingerprint),
            (None, None) => Vec::new(),
        };
        let signature = self.inspect_signature();
        let signed_digest = signature.as_ref().and_then(|holds| holds.digest.clone());
        let content = self.inspect_content(&rules, signed_digest);
        // A digest in a bundle whose signature does not hold was signed by nobody.
        let subject = signature.as_ref().and(content);
        let as_of = match &path {
            Some(path) => self.inspect_revocation(path, signed_by),
            None => None,
        };
        self.inspect_asking();
        if path.is_some() || managed.is_some() {
            self.note_unused_evidence();
        }
        // Nor was a signature that does not hold made by the certificate's owner.
        let signer = signature.and_then(|_| match &path {
            Some(path) => Some(signer_summary(path)),
            None => managed.map(|(_, summary)| summary),
        });
        let facts =
            Facts { signer: signer.as_ref(), timestamps: &summaries, as_of, subject, logged };
        let checks = self.checks(&facts);
        Report::new(ReportParts {
            artifact,
            signer,
            timestamps: summaries,
            checks,
            findings: self.findings,
            checked_at: self.context.now,
        })
    }

    /// When the chain is judged: at the proven time or, without one, now.
    pub(super) fn judged_at(&self, signed_by: Option<ProvenTime>) -> UnixSeconds {
        signed_by.map_or(self.context.now, ProvenTime::time)
    }

    /// The signer's path, judged at the proven time or now; of several that hold, the one of which
    /// the least is revoked.
    fn path(&mut self, signed_by: Option<ProvenTime>) -> Option<VerifiedPath<'a>> {
        let at = self.judged_at(signed_by);
        let paths = match self.known_paths.take() {
            Some((known_at, paths)) if known_at == at => paths,
            _ => self.context.signer_paths(self.bundle, self.leaf.as_ref()?, at),
        };
        match paths {
            Ok(paths) => self.best_of(paths, Subject::Signer, signed_by),
            Err(finding) => {
                // Without a proven time the certificate is judged as of now; that it expired
                // meanwhile is a consequence of the missing timestamp, which is reported.
                let consequence = signed_by.is_none()
                    && finding.code == FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED
                    && self.findings.iter().any(|each| {
                        let question = each.code.question();
                        // Of revocation, what is known by now is about timestamp authorities.
                        matches!(
                            question,
                            Question::WhenSigned
                                | Question::StillTrusted
                                | Question::PubliclyLogged
                        ) && matches!(each.code.class(), Class::Danger | Class::NotChecked)
                    });
                if !consequence {
                    self.findings.push(finding);
                }
                None
            }
        }
    }

    /// The fingerprint of the key that was given, and what a report says of it; nothing where the
    /// bundle comes with a certificate.
    fn managed_key(&self) -> Option<(Digest, SignerSummary)> {
        let Verifier::PublicKey { hint } = &self.bundle.verifier else { return None };
        let fingerprint =
            crate::digest::digest(self.context.crypto, HashAlgorithm::Sha256, self.key.raw);
        let summary = SignerSummary {
            identity: format!("key {fingerprint}"),
            oidc_issuer: None,
            chain: Vec::new(),
            key: Some(KeySummary {
                algorithm: String::from(self.key.algorithm.name()),
                fingerprint: format!("{fingerprint}"),
                hint: (!hint.is_empty()).then(|| quoted(hint.clone())),
            }),
        };
        Some((fingerprint, summary))
    }

    /// Each question with its answer: the gravest finding on it, else the proven fact.
    fn checks(&self, facts: &Facts<'_>) -> Vec<Check> {
        let mut checks = checks_without_answers(&self.findings);
        for check in &mut checks {
            let troubled = self.findings.iter().any(|finding| {
                finding.code.question() == check.question && finding.code.exit_code() != 0
            });
            if !troubled && let Some((outcome, answer)) = answer(check.question, facts) {
                check.outcome = outcome;
                check.answer = answer;
            }
        }
        checks
    }
}

/// The answer from proven facts, where there are any.
fn answer(question: Question, facts: &Facts<'_>) -> Option<(Outcome, String)> {
    Some(match question {
        Question::SameFile => {
            let subject = facts.subject.as_ref()?;
            (
                Outcome::Passed,
                format!("Yes. Its {} is the one that was signed.", subject.algorithm()),
            )
        }
        Question::WhoSigned => (Outcome::Passed, format!("{}.", facts.signer?.identity)),
        Question::WhenSigned => match facts.timestamps.first() {
            Some(stamp) => {
                (Outcome::Passed, format!("By {}, says {}.", stamp.time, stamp.authority))
            }
            None => (Outcome::NotRequired, String::from("No trusted timestamp; judged as of now.")),
        },
        Question::StillTrusted => match facts.as_of {
            Some(time) => (Outcome::Passed, format!("Yes, as of {time}.")),
            None if facts.signer.is_some_and(|signer| signer.key.is_some()) => (
                Outcome::NotRequired,
                String::from("You gave the key; there is no certificate that could be revoked."),
            ),
            None if facts.signer.is_some() => (
                Outcome::NotRequired,
                String::from("Revocation was not checked; the policy does not ask."),
            ),
            None => return None,
        },
        Question::PubliclyLogged => match facts.logged {
            Some(log) => (Outcome::Passed, format!("Yes, in {}.", quoted(String::from(log)))),
            None => (Outcome::NotRequired, String::from("No log is asked for.")),
        },
    })
}

/// What was proven, for the answers.
struct Facts<'f> {
    signer: Option<&'f SignerSummary>,
    timestamps: &'f [TimestampSummary],
    as_of: Option<UnixSeconds>,
    subject: Option<Digest>,
    logged: Option<&'f str>,
}

fn signer_summary(path: &VerifiedPath<'_>) -> SignerSummary {
    let leaf = path.leaf();
    // All of them: the policy may have known any.
    let identities: Vec<&str> = leaf.identities().collect();
    SignerSummary {
        identity: quoted(match identities.as_slice() {
            [] => leaf.subject_text(),
            several => several.join(", "),
        }),
        oidc_issuer: leaf.extensions.oidc_issuer.map(|issuer| quoted(String::from(issuer))),
        chain: path.certificates().map(Certificate::summary).collect(),
        key: None,
    }
}

/// Timestamps and promised times: the one that is proven first, then the others, the earliest first.
fn timestamp_summaries(
    timestamps: &[VerifiedTimestamp<'_>],
    entries: &[EntryOutcome<'_>],
    proven: Option<ProvenTime>,
) -> Vec<TimestampSummary> {
    let stamped = timestamps.iter().map(|timestamp| TimestampSummary {
        time: timestamp.time().time(),
        authority: quoted(name::friendly(timestamp.path().leaf().subject)),
    });
    let promised = logged::logged_times(entries).map(|(time, log)| TimestampSummary {
        time: time.time(),
        authority: quoted(log.base_url.clone()),
    });
    let mut summaries: Vec<_> = stamped.chain(promised).collect();
    let proven = proven.map(ProvenTime::time);
    sort_few(&mut summaries, |summary| (Some(summary.time) != proven, summary.time));
    summaries
}
