//! One bundle judged step by step, to its report.

use alloc::{format, string::String, vec::Vec};

use super::{
    Artifact, Context, ProvenTime,
    evidence_set::Part,
    logged::{self, EntryOutcome, LoggedOutcome},
    opened::{Opened, Paths, Told},
    signature::Checked,
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
    time::UnixSeconds,
    tsp::VerifiedTimestamp,
    x509::{Certificate, PublicKey, VerifiedPath},
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
    /// What is known of timestamps, log entries, paths and the signature already.
    pub(super) tokens: Vec<Result<VerifiedTimestamp<'a>, Finding>>,
    pub(super) entries: Vec<LoggedOutcome<'a>>,
    known_paths: Option<(UnixSeconds, Paths<'a>)>,
    pub(super) known_signature: Option<Checked>,
    pub(super) told: Told,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Run<'a> {
    /// Begins with the file. What costs much is not looked at yet, and there is no evidence on revocation.
    ///
    /// # Errors
    /// There is no key that can be taken for the signer's.
    pub(super) fn of<'o: 'a>(
        opened: &Opened<'o>,
        artifact: &'a Artifact<'a>,
    ) -> Result<Self, Finding> {
        let (leaf, key) = opened.verifier()?;
        Ok(Self {
            context: opened.context.clone(),
            artifact,
            part: opened.part,
            bundle: &opened.part.bundle,
            leaf,
            key,
            revocation: RevocationEvidence::none(),
            tokens: Vec::new(),
            entries: Vec::new(),
            known_paths: None,
            known_signature: opened.known_signature(),
            told: opened.told.get(),
            findings: Vec::new(),
        })
    }

    /// With the bundle's timestamps, log entries and paths, as far as they were verified before.
    pub(super) fn with_proofs<'o: 'a>(self, opened: &Opened<'o>) -> Self {
        Self {
            tokens: opened.tokens().to_vec(),
            entries: opened.entries().to_vec(),
            known_paths: opened.known_paths().cloned(),
            ..self
        }
    }

    /// Whether the policy may allow the signer, whoever issued the certificate.
    pub(super) fn may_be_allowed(&self) -> bool {
        self.leaf.as_ref().is_none_or(|leaf| self.signer_rules(leaf).is_ok())
    }

    /// With the evidence on revocation that there is.
    pub(super) fn with(self, revocation: RevocationEvidence<'a>) -> Self {
        Self { revocation, ..self }
    }

    /// The report. This is the one place that decides the order; each step is explained where it is
    /// made. A step that fails ends nothing: the others are made too, so that a report names all
    /// that is wrong, and by rank says the gravest first.
    ///
    /// 1. Is it in a public log? Each entry must be about this bundle: about its signature, its
    ///    certificate or key, and what was signed.
    /// 2. When was it signed? Timestamps and the logs' promises, with the revocation of the
    ///    timestamp authorities (RFC 3161 §2.2, §4). It comes this early because all that follows
    ///    about certificates is asked as of the proven time.
    /// 3. Who is the signer? A path to the trust root that was valid at that time (RFC 5280 §6.1),
    ///    or the key that was given.
    /// 4. May they sign this? The signer against the policy, which also selects the rules that the
    ///    content is held against.
    /// 5. Does the signature hold, by that key over what the bundle says was signed (DSSE §3)?
    /// 6. Is it this file? Only a digest whose signature holds says so: any other was signed by
    ///    nobody.
    /// 7. Is the signer still trusted? Revocation of each link of the path (RFC 5280 §6.3, RFC 6960
    ///    §3.2): last, because what it means depends on the path and on the proven time.
    pub(super) fn report(mut self, artifact: ArtifactSummary) -> Report {
        // 1. Only which entries are this bundle's: a promise among them is a time for step 2.
        let entries = self.verified_entries();
        // 2. The entries without a promise are judged at the time that is proven by the others.
        let timestamps = self.timestamps(&entries);
        let required = self.context.policy.timestamps_required;
        let signed_by = vouched(&timestamps, &entries, required).time;
        let logged = self.inspect_transparency(&entries, signed_by);
        // 3. If there is no proven time, the path is judged as of now, which expired certificates
        //    do not survive.
        let path = self.path(signed_by);
        let summaries = timestamp_summaries(&timestamps, &entries, signed_by);
        if let Some(path) = &path {
            self.inspect_certificate_log(path);
            if signed_by.is_some() {
                self.note_other_times(path, &summaries);
            }
        }
        let managed = self.managed_key();
        // 4. Without a signer there is nobody whom the policy could allow.
        let rules = match (&path, &managed) {
            (Some(path), _) => self.inspect_signer(path),
            (None, Some((fingerprint, _))) => self.inspect_managed_key(fingerprint),
            (None, None) => Vec::new(),
        };
        // 5. By the certificate's key even if no path holds: that the signature is broken tells
        //    more about a file than that its signer is unknown.
        let signature = self.inspect_signature();
        let signed_digest = signature.as_ref().and_then(|holds| holds.digest.clone());
        // 6. Compared in any case, so that another file is named as such.
        let content = self.inspect_content(&rules, signed_digest);
        let subject = signature.as_ref().and(content);
        // 7. Evidence that nobody could use is named only if there were links to use it for.
        let as_of = path.as_ref().and_then(|path| self.inspect_revocation(path, signed_by));
        // Of a bundle whose signature does not hold nobody is asked.
        if signature.is_some() {
            self.inspect_asking();
        }
        if path.is_some() || managed.is_some() {
            self.note_unused_evidence();
        }
        // An invalid signature says nothing about its signer, so none is named.
        let signer = signature.and_then(|_| match &path {
            Some(path) => Some(signer_summary(path)),
            None => managed.map(|(_, summary)| summary),
        });
        let facts = Facts {
            signer: signer.as_ref(),
            timestamps: &summaries,
            signed_by,
            now: self.context.now,
            as_of,
            subject,
            logged,
        };
        let checks = self.checks(&facts);
        Report::new(ReportParts {
            artifact,
            signer,
            timestamps: summaries,
            signed_by: signed_by.map(ProvenTime::time),
            checks,
            findings: self.findings,
            checked_at: self.context.now,
        })
    }

    /// When the chain is judged: at the proven time or, without one, now.
    pub(super) fn judged_at(&self, signed_by: Option<ProvenTime<'_>>) -> UnixSeconds {
        signed_by.map_or(self.context.now, ProvenTime::time)
    }

    /// The signer's path, judged at the proven time or now; of several that hold, the one of which
    /// the least is revoked.
    fn path(&mut self, signed_by: Option<ProvenTime<'_>>) -> Option<VerifiedPath<'a>> {
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

    /// The fingerprint of the key that was given, and what a report says of it; `None` if the
    /// bundle comes with a certificate.
    fn managed_key(&self) -> Option<(Digest, SignerSummary)> {
        let Verifier::PublicKey { hint } = &self.bundle.verifier else { return None };
        let fingerprint =
            crate::digest::digest(&*self.context.crypto, HashAlgorithm::Sha256, self.key.raw);
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

/// The answer from proven facts; `None` if there are none.
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
        Question::WhenSigned => match (facts.timestamps.first(), facts.signed_by) {
            (Some(stamp), Some(_)) => (
                Outcome::Passed,
                format!("No later than {}, according to {}.", stamp.time, stamp.authority),
            ),
            (Some(_), None) => (
                Outcome::NotRequired,
                format!("The policy requires no timestamp. Checked as of {}.", facts.now),
            ),
            (None, _) => (
                Outcome::NotRequired,
                format!("Not known: no trusted timestamp. Checked as of {}.", facts.now),
            ),
        },
        Question::StillTrusted => match facts.as_of {
            Some(time) => (Outcome::Passed, format!("Yes, as of {time}.")),
            None if facts.signer.is_some_and(|signer| signer.key.is_some()) => (
                Outcome::NotRequired,
                String::from("You gave the key, so there is no certificate that could be revoked."),
            ),
            None if facts.signer.is_some() => (
                Outcome::NotRequired,
                String::from("Revocation was not checked; the policy does not require it."),
            ),
            None => return None,
        },
        Question::PubliclyLogged => match facts.logged {
            Some(log) => (Outcome::Passed, format!("Yes, in {}.", quoted(String::from(log)))),
            None => (Outcome::NotRequired, String::from("The policy does not require it.")),
        },
    })
}

/// What was proven, for the answers.
struct Facts<'f> {
    signer: Option<&'f SignerSummary>,
    timestamps: &'f [TimestampSummary],
    /// The first of them, if it counts.
    signed_by: Option<ProvenTime<'f>>,
    /// The time of the check, which is taken if none is proven.
    now: UnixSeconds,
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
    proven: Option<ProvenTime<'_>>,
) -> Vec<TimestampSummary> {
    let stamped = timestamps.iter().map(VerifiedTimestamp::time);
    let summary =
        |time: ProvenTime<'_>| TimestampSummary { time: time.time(), authority: time.by_text() };
    let mut summaries: Vec<_> = stamped.chain(logged::logged_times(entries)).map(summary).collect();
    let proven = proven.map(ProvenTime::time);
    sort_few(&mut summaries, |summary| (Some(summary.time) != proven, summary.time));
    summaries
}
