//! The one report: verdict, checks as questions, findings, and who signed when.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::{
    finding::{Class, Finding, FindingCode},
    order::sort_few,
    time::UnixSeconds,
};

/// The version of the report's form; see `docs/report.schema.json`.
pub const REPORT_VERSION: u32 = 1;

/// The outcome. Nothing but a whole pass is `Verified`, and there is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every required check passed.
    Verified,
    /// Genuine, but replaced for a reason; for when there is update metadata.
    Outdated,
    /// A required check could not be made; not a pass.
    NotChecked,
    /// A required check failed.
    Rejected,
}

/// The questions a report answers, in the order people ask them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Is it the file that was published?
    SameFile,
    /// Who signed it?
    WhoSigned,
    /// When was it signed?
    WhenSigned,
    /// Is the signer still trusted?
    StillTrusted,
    /// Is the signature in a public log?
    PubliclyLogged,
}

impl Question {
    /// All questions in order.
    pub const ALL: [Self; 5] = [
        Self::SameFile,
        Self::WhoSigned,
        Self::WhenSigned,
        Self::StillTrusted,
        Self::PubliclyLogged,
    ];

    /// The question in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SameFile => "Same file?",
            Self::WhoSigned => "Who signed?",
            Self::WhenSigned => "When?",
            Self::StillTrusted => "Still trusted?",
            Self::PubliclyLogged => "Publicly logged?",
        }
    }
}

/// How one question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Checked, and right.
    Passed,
    /// Checked, and wrong.
    Failed,
    /// It could not be checked.
    NotChecked,
    /// The policy does not ask.
    NotRequired,
}

/// One question with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is asked.
    pub question: Question,
    /// How it was answered.
    pub outcome: Outcome,
    /// The answer in words, from proven facts only.
    pub answer: String,
}

/// The artifact as it was presented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ArtifactSummary {
    /// The file's name, if one was given.
    pub name: Option<String>,
    /// Its size in bytes, where known.
    pub size: Option<u64>,
    /// Its digests as `algorithm:hex`.
    pub digests: Vec<String>,
}

/// A certificate in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateSummary {
    /// The subject's distinguished name.
    pub subject: String,
    /// The issuer's distinguished name.
    pub issuer: String,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// First second of validity.
    pub not_before: UnixSeconds,
    /// Last second of validity.
    pub not_after: UnixSeconds,
}

/// A managed key in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeySummary {
    /// What kind of key: `P-256`, `RSA`.
    pub algorithm: String,
    /// The SHA-256 of its `SubjectPublicKeyInfo`, as `sha256:hex`.
    pub fingerprint: String,
    /// What the bundle says to help find it; nobody vouches for it.
    pub hint: Option<String>,
}

/// Who signed; present once the signature and, unless the key was given, the certificate's chain
/// were verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignerSummary {
    /// The identity: an e-mail address or a URI; if the certificate has several, all of them.
    /// `key sha256:hex` if a managed key signed.
    pub identity: String,
    /// The login provider that vouched for it, if the certificate names one.
    pub oidc_issuer: Option<String>,
    /// The certificates, the signer's first, the trust anchor last; none for a managed key.
    pub chain: Vec<CertificateSummary>,
    /// The managed key that was given, if it signed.
    pub key: Option<KeySummary>,
}

/// A verified timestamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimestampSummary {
    /// The time that is proven: the signature existed by then.
    pub time: UnixSeconds,
    /// The authority's distinguished name.
    pub authority: String,
}

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    verdict: Verdict,
    /// What was presented.
    pub artifact: ArtifactSummary,
    /// Who signed, once proven.
    pub signer: Option<SignerSummary>,
    /// The verified timestamps: the one that counts first, then the others, earliest first. If the policy
    /// asks for none, none counts ([`signed_by`](Self::signed_by)).
    pub timestamps: Vec<TimestampSummary>,
    signed_by: Option<UnixSeconds>,
    /// The questions with their answers.
    pub checks: Vec<Check>,
    /// Everything found, the most telling first.
    findings: Vec<Finding>,
    /// When it was checked.
    pub checked_at: UnixSeconds,
}

impl Report {
    /// A report from what was found. The verdict follows from the findings, except that without a
    /// proven signer it is never `Verified`.
    pub(crate) fn new(parts: ReportParts) -> Self {
        let ReportParts {
            artifact,
            signer,
            timestamps,
            signed_by,
            checks,
            mut findings,
            checked_at,
        } = parts;
        if signer.is_none() && findings.iter().all(|each| each.code.exit_code() == 0) {
            findings.push(Finding::new(FindingCode::INTERNAL).found("no signer was proven"));
        }
        // A few for each certificate, timestamp, log entry and piece of evidence, all bounded.
        sort_few(&mut findings, |finding| finding.code.rank());
        let verdict = match findings.first().map(|finding| finding.code.class()) {
            None | Some(Class::Note | Class::Warning) => Verdict::Verified,
            Some(Class::Outdated) => Verdict::Outdated,
            Some(Class::SetUp | Class::NotChecked) => Verdict::NotChecked,
            Some(Class::Danger) => Verdict::Rejected,
        };
        Self { verdict, artifact, signer, timestamps, signed_by, checks, findings, checked_at }
    }

    /// A report of a fault that kept verification from starting.
    pub fn of_fault(finding: Finding, artifact: ArtifactSummary, now: UnixSeconds) -> Self {
        let findings = alloc::vec![finding];
        let checks = checks_without_answers(&findings);
        Self::new(ReportParts {
            artifact,
            signer: None,
            timestamps: Vec::new(),
            signed_by: None,
            checks,
            findings,
            checked_at: now,
        })
    }

    /// The same with something more that is worth knowing.
    pub(crate) fn with_note(mut self, note: Finding) -> Self {
        // Only what changes no verdict may come after it was reached.
        if note.code.class() == Class::Note {
            self.findings.push(note);
            sort_few(&mut self.findings, |finding| finding.code.rank());
        }
        self
    }

    /// The outcome.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Everything found, the most telling first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The finding that decides, if the verdict is not `Verified`.
    pub fn decisive(&self) -> Option<&Finding> {
        self.findings.first().filter(|_| self.verdict != Verdict::Verified)
    }

    /// The command line's exit code: 0 for `Verified` alone.
    pub fn exit_code(&self) -> u8 {
        self.decisive().map_or(0, |finding| finding.code.exit_code())
    }

    /// The proven time: by then the signature existed. `None` if the policy asks for no timestamp.
    pub fn signed_by(&self) -> Option<UnixSeconds> {
        self.signed_by
    }
}

/// What a [`Report`] is made from.
pub(crate) struct ReportParts {
    pub(crate) artifact: ArtifactSummary,
    pub(crate) signer: Option<SignerSummary>,
    pub(crate) timestamps: Vec<TimestampSummary>,
    pub(crate) signed_by: Option<UnixSeconds>,
    pub(crate) checks: Vec<Check>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) checked_at: UnixSeconds,
}

/// The answers when nothing was proven: a question with a finding takes its class, the others
/// were not checked.
pub(crate) fn checks_without_answers(findings: &[Finding]) -> Vec<Check> {
    Question::ALL
        .into_iter()
        .map(|question| {
            let worst = findings
                .iter()
                .filter(|finding| finding.code.question() == question)
                .min_by_key(|finding| finding.code.rank());
            let outcome = match worst.map(|finding| finding.code.class()) {
                Some(Class::Danger) => Outcome::Failed,
                _ => Outcome::NotChecked,
            };
            let answer = worst.map_or("Not checked.", |finding| finding.code.title());
            Check { question, outcome, answer: String::from(answer) }
        })
        .collect()
}

impl Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Report", 10)?;
        object.serialize_field("version", &REPORT_VERSION)?;
        object.serialize_field("verdict", &self.verdict)?;
        object.serialize_field("code", &self.decisive().map(|finding| finding.code))?;
        object.serialize_field("exit_code", &self.exit_code())?;
        object.serialize_field("artifact", &self.artifact)?;
        object.serialize_field("signer", &self.signer)?;
        object.serialize_field("timestamps", &self.timestamps)?;
        object.serialize_field("checks", &self.checks)?;
        object.serialize_field("findings", &self.findings)?;
        object.serialize_field("checked_at", &self.checked_at)?;
        object.end()
    }
}
