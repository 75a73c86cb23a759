//! The one door: evidence in, report out.
//!
//! The steps: decode the bundle → verify its log entries and timestamps → judge the signer's certificate at the
//! proven time → hold the signer against the policy → verify the signature → compare the file →
//! look at revocation. Every step that can be made is made, so that a report names all that is
//! wrong; what leads is decided by rank. Nothing here reads a clock, a file or a network.

mod bundles;
mod choice;
mod content;
mod legacy;
mod logged;
mod plan;
mod provenance;
mod signature;
mod signer;
mod standing;
mod subject;
mod vouched;
mod when;

pub use plan::{Keep, Plan, plan};

use alloc::{format, string::String, vec::Vec};

use self::{legacy::LegacyTokens, vouched::vouched};
use crate::{
    bundle::{Bundle, Presented, Verifier},
    crypto::CryptoProvider,
    digest::{Digest, HashAlgorithm},
    finding::{Class, Finding, FindingCode, quoted},
    order::sort_few,
    policy::{Policy, RevocationMode},
    report::{
        ArtifactSummary, Check, KeySummary, Outcome, Question, Report, ReportParts, SignerSummary,
        TimestampSummary, checks_without_answers,
    },
    revocation::{RevocationEvidence, Subject},
    time::{EARLIEST_SANE_NOW, ProvenTime, UnixSeconds},
    trust::TrustRoot,
    tsp::{TokenForm, VerifiedTimestamp},
    x509::{Certificate, PublicKey, VerifiedPath, name},
};

/// The file, as far as the caller has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Artifact<'a> {
    /// The name under which the user has it, without folders.
    pub name: Option<&'a str>,
    /// Why there is no name, if there is none.
    pub unnamed: Unnamed,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its digests; which are needed, [`plan`] says.
    pub digests: &'a [Digest],
    /// All of its octets, at most [`SIGNED_CONTENT_BYTES`](crate::limits::SIGNED_CONTENT_BYTES);
    /// only if the [`Plan`] wants them kept.
    pub content: Option<&'a [u8]>,
    /// Its first octets, at least
    /// [`BEGINNING_OCTETS`](crate::bundle::BEGINNING_OCTETS) of them or all that there are; `None` if only
    /// its digest is known. They tell a file from a statement that was signed.
    pub beginning: Option<&'a [u8]>,
}

impl Artifact<'_> {
    /// Whether it has a name, and one that can be compared with no other.
    fn has_odd_name(&self) -> bool {
        self.name.is_none() && self.unnamed == Unnamed::NotUnicode
    }

    /// Its first octets, if any of it was read.
    fn first_octets(&self) -> Option<&[u8]> {
        self.beginning.or(self.content)
    }
}

/// Why a file has no name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unnamed {
    /// The caller has a digest or a stream, and knows what it is about.
    #[default]
    NotGiven,
    /// The file has a name that is not Unicode: it can be compared with no other, and whoever chose it
    /// may have wanted that. It is not the name of any subject, and only a policy's `**` matches it.
    NotUnicode,
}

/// Everything that is to be checked; untrusted, all of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// The file.
    pub artifact: Artifact<'a>,
    /// The bundle's bytes, or what there is in its place: several, of which one is this file's
    /// ([`Presented`]).
    pub bundle: &'a [u8],
    /// CRLs, each DER.
    pub crls: &'a [&'a [u8]],
    /// OCSP responses, each DER.
    pub ocsp_responses: &'a [&'a [u8]],
    /// In which encoding the bundle's timestamps are taken.
    pub tokens: TokenForm,
    /// The public key that is expected to have signed, DER `SubjectPublicKeyInfo`; nothing where a
    /// certificate says whose key it is. Believed: it comes from whoever verifies.
    pub key: Option<&'a [u8]>,
}

/// Verifies a file by its bundle.
///
/// The verdict is `Verified` only when the bundle's signature holds, covers this file, was made by
/// a signer that the policy allows, whose certificate chains to the trust root, was valid at the
/// proven time and is not revoked as of it, with every timestamp that the policy demands. Where a
/// key is given in place of a certificate, the signature must be by that key, and the policy must
/// name it or ask for nobody.
pub fn verify(
    evidence: &Evidence<'_>,
    trust: &TrustRoot,
    policy: &Policy,
    crypto: &dyn CryptoProvider,
    now: UnixSeconds,
) -> Report {
    let artifact = summary(&evidence.artifact);
    if now < EARLIEST_SANE_NOW {
        let finding = Finding::new(FindingCode::ClockWrong).found(format!("{now}"));
        return Report::of_fault(finding, artifact, now);
    }
    let presented = match Presented::decode(evidence.bundle) {
        Ok(presented) => presented,
        Err(finding) => return Report::of_fault(finding, artifact, now),
    };
    let context = Context { evidence, trust, policy, crypto, now };
    let report = bundles::candidates(&presented.bundles, &evidence.artifact).and_then(|bundles| {
        let reports = bundles.into_iter().map(|bundle| context.report(bundle));
        bundles::best(reports).ok_or_else(|| FindingCode::BundleEmpty.into())
    });
    let report = report.unwrap_or_else(|finding| Report::of_fault(finding, artifact, now));
    if presented.passed_over == 0 {
        return report;
    }
    let all = presented.bundles.len().saturating_add(presented.passed_over);
    let found = format!("{} of {all} are something else", presented.passed_over);
    report.with_note(Finding::new(FindingCode::BundlePassedOver).found(found))
}

/// The signer's certificate, where there is one, and the key that must have signed.
fn verifier<'a>(
    bundle: &'a Bundle,
    given: Option<&'a [u8]>,
) -> Result<(Option<Certificate<'a>>, PublicKey<'a>), Finding> {
    match (&bundle.verifier, given) {
        (Verifier::Certificate { certificate, .. }, None) => {
            let leaf = Certificate::decode(certificate).map_err(|error| {
                crate::x509::path::malformed(&error).about("the signer's certificate")
            })?;
            let key = leaf.public_key;
            Ok((Some(leaf), key))
        }
        (Verifier::PublicKey { .. }, Some(given)) => {
            let key = PublicKey::decode(given).map_err(|error| {
                Finding::new(FindingCode::PublicKeyMalformed).found(format!("{error}"))
            })?;
            Ok((None, key))
        }
        (Verifier::PublicKey { hint }, None) => Err(Finding::new(FindingCode::KeyNotGiven)
            .expected(if hint.is_empty() {
                String::from("the publisher's public key")
            } else {
                format!("the publisher's public key; the bundle calls it {hint}")
            })),
        (Verifier::Certificate { .. }, Some(_)) => Err(FindingCode::PublicKeyNotUsed.into()),
    }
}

/// Where the revocation of one certificate can be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationSource {
    /// Whose certificate it is.
    pub subject: Subject,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its issuer's certificate, DER; an OCSP request needs its name and key.
    pub issuer: Vec<u8>,
    /// Addresses of CRLs.
    pub crl_urls: Vec<String>,
    /// Addresses of OCSP responders.
    pub ocsp_urls: Vec<String>,
}

/// The sources of revocation for each certificate that the policy wants looked at, the signer's
/// first; of several bundles, for each that may be the file's. Only certificates that chain to the
/// trust root are named, so that no stranger's bundle makes a caller ask addresses of the
/// stranger's choice. Empty when the bundle cannot be read.
pub fn revocation_sources(
    evidence: &Evidence<'_>,
    trust: &TrustRoot,
    policy: &Policy,
    crypto: &dyn CryptoProvider,
    now: UnixSeconds,
) -> Vec<RevocationSource> {
    let Ok(presented) = Presented::decode(evidence.bundle) else { return Vec::new() };
    let context = Context { evidence, trust, policy, crypto, now };
    let mut sources = Vec::new();
    for bundle in bundles::first_candidates(&presented.bundles, &evidence.artifact) {
        context.push_sources(bundle, &mut sources);
    }
    sources
}

fn push_sources(
    path: &VerifiedPath<'_>,
    leaf_subject: Subject,
    policy: &Policy,
    sources: &mut Vec<RevocationSource>,
) {
    let owned = |urls: &[&str]| urls.iter().map(|url| String::from(*url)).collect();
    for (index, (certificate, issuer)) in path.links().enumerate() {
        let subject = standing::subject_at(leaf_subject, index);
        let known = sources.iter().any(|source| source.certificate == certificate.raw);
        if known || subject.mode(&policy.revocation) == RevocationMode::Off {
            continue;
        }
        sources.push(RevocationSource {
            subject,
            certificate: certificate.raw.to_vec(),
            issuer: issuer.raw.to_vec(),
            crl_urls: owned(&certificate.extensions.crl_urls),
            ocsp_urls: owned(&certificate.extensions.ocsp_urls),
        });
    }
}

fn summary(artifact: &Artifact<'_>) -> ArtifactSummary {
    ArtifactSummary {
        name: artifact.name.map(|name| quoted(String::from(name))),
        size: artifact.size,
        digests: artifact.digests.iter().map(|digest| format!("{digest}")).collect(),
    }
}

/// What stays the same during one verification.
#[derive(Clone, Copy)]
struct Context<'a> {
    evidence: &'a Evidence<'a>,
    trust: &'a TrustRoot,
    policy: &'a Policy,
    crypto: &'a dyn CryptoProvider,
    now: UnixSeconds,
}

impl Context<'_> {
    /// The report by one bundle.
    fn report(self, bundle: &Bundle) -> Report {
        let evidence = self.evidence;
        let artifact = summary(&evidence.artifact);
        let begun = verifier(bundle, evidence.key).and_then(|(leaf, key)| {
            let revocation = RevocationEvidence::decode(evidence.crls, evidence.ocsp_responses)?;
            Ok((leaf, key, revocation))
        });
        let (leaf, key, revocation) = match begun {
            Ok(begun) => begun,
            Err(finding) => return Report::of_fault(finding, artifact, self.now),
        };
        let leaf = leaf.as_ref();
        let legacy = &LegacyTokens::of(bundle, evidence.tokens);
        let findings = Vec::new();
        Run { context: self, bundle, leaf, key, revocation, legacy, findings }.report(artifact)
    }

    fn push_sources(self, bundle: &Bundle, sources: &mut Vec<RevocationSource>) {
        let Ok((leaf, key)) = verifier(bundle, self.evidence.key) else { return };
        let Ok(revocation) = RevocationEvidence::decode(&[], &[]) else { return };
        let leaf = leaf.as_ref();
        let legacy = &LegacyTokens::of(bundle, self.evidence.tokens);
        let findings = Vec::new();
        let run = Run { context: self, bundle, leaf, key, revocation, legacy, findings };
        let timestamps: Vec<_> = run.verified_tokens().into_iter().filter_map(Result::ok).collect();
        let required = self.policy.timestamps_required;
        let at = run.judged_at(vouched(&timestamps, &run.verified_entries(), required).time);
        if let Some(leaf) = leaf
            && let Ok(paths) = run.signer_paths(leaf, at)
        {
            // Which path is taken, revocation decides.
            for path in &paths {
                push_sources(path, Subject::Signer, self.policy, sources);
            }
        }
        for path in timestamps.iter().flat_map(VerifiedTimestamp::paths) {
            push_sources(path, Subject::TimestampAuthority, self.policy, sources);
        }
    }
}

/// One verification on its way.
struct Run<'a> {
    context: Context<'a>,
    bundle: &'a Bundle,
    /// The signer's certificate; nothing where a managed key signed.
    leaf: Option<&'a Certificate<'a>>,
    /// The key that must have signed: the certificate's, or the one that was given.
    key: PublicKey<'a>,
    revocation: RevocationEvidence<'a>,
    legacy: &'a LegacyTokens,
    findings: Vec<Finding>,
}

impl<'a> Run<'a> {
    fn report(mut self, artifact: ArtifactSummary) -> Report {
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
    fn judged_at(&self, signed_by: Option<ProvenTime>) -> UnixSeconds {
        signed_by.map_or(self.context.now, ProvenTime::time)
    }

    /// The signer's path, judged at the proven time or now; of several that hold, the one of which
    /// the least is revoked.
    fn path(&mut self, signed_by: Option<ProvenTime>) -> Option<VerifiedPath<'a>> {
        match self.signer_paths(self.leaf?, self.judged_at(signed_by)) {
            Ok(paths) => self.best_of(paths, Subject::Signer, signed_by),
            Err(finding) => {
                // Without a proven time the certificate is judged as of now; that it expired
                // meanwhile is a consequence of the missing timestamp, which is reported.
                let consequence = signed_by.is_none()
                    && finding.code == FindingCode::CertificateExpiredWhenSigned
                    && self.findings.iter().any(|each| {
                        let question = Question::of(each.code);
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
                Question::of(finding.code) == check.question && finding.code.exit_code() != 0
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
    entries: &[logged::EntryOutcome<'_>],
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
