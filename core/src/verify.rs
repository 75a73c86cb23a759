//! The one door: evidence in, report out.
//!
//! Decode ([`EvidenceSet`]) → open ([`Verification`]) → plan and sources, which tell the caller what
//! to read and to fetch → report. The order of the rules, with its reasons, is explained where it is
//! decided: at `Run::report`. Nothing here reads a clock, a file or a network.

mod bundles;
mod choice;
mod content;
mod evidence_set;
mod legacy;
mod logged;
mod opened;
mod plan;
mod proven;
mod provenance;
mod run;
mod share;
mod signature;
mod signer;
mod sources;
mod standing;
mod subject;
mod vouched;
mod when;

pub use evidence_set::EvidenceSet;
pub use plan::{Keep, Plan};
pub use proven::{ProvenTime, Voucher};
pub use sources::RevocationSource;

use alloc::{format, rc::Rc, string::String, vec::Vec};

use self::{
    evidence_set::Part,
    opened::{Opened, Told},
    run::Run,
    share::{Share, Shared},
    sources::Sources,
};
use crate::{
    bundle::{Bundle, Verifier},
    crypto::{CryptoProvider, Remembering},
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode, quoted},
    policy::Policy,
    report::{ArtifactSummary, Report, Verdict},
    revocation::RevocationEvidence,
    time::{EARLIEST_SANE_NOW, UnixSeconds},
    trust::TrustRoot,
    tsp::TokenForm,
    x509::{Certificate, PublicKey, path::Means},
};

/// The file, as far as the caller has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Artifact<'a> {
    /// The name under which the user has it, without folders.
    pub name: Option<&'a str>,
    /// The name under which somebody offers it, if that may be another than the user's. It must be the
    /// one that was signed, unless the policy is content with a note, and the policy's rules for files
    /// go by it.
    pub offered_as: Option<&'a str>,
    /// Why there is no name, if there is none.
    pub unnamed: Unnamed,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its digests; which are needed, [`Verification::plan`] says.
    pub digests: &'a [Digest],
    /// All of its octets, at most [`SIGNED_CONTENT_BYTES`](crate::limits::SIGNED_CONTENT_BYTES);
    /// only if the [`Plan`] wants them kept.
    pub content: Option<&'a [u8]>,
    /// Its first octets, at least
    /// [`BEGINNING_OCTETS`](crate::bundle::BEGINNING_OCTETS) of them or all that there are; `None` if only
    /// its digest is known. They tell a file from a statement that was signed.
    pub beginning: Option<&'a [u8]>,
}

impl<'a> Artifact<'a> {
    /// The name by which the rules for files and the subjects of statements are chosen.
    fn known_as(&self) -> Option<&'a str> {
        self.offered_as.or(self.name)
    }

    /// Whether it has a name, and one that can be compared with no other.
    fn has_odd_name(&self) -> bool {
        self.known_as().is_none() && self.unnamed == Unnamed::NotUnicode
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
    /// ([`Presented`](crate::bundle::Presented)).
    pub bundle: &'a [u8],
    /// CRLs, each DER.
    pub crls: &'a [&'a [u8]],
    /// OCSP responses, each DER.
    pub ocsp_responses: &'a [&'a [u8]],
    /// In which encoding the bundle's timestamps are taken.
    pub tokens: TokenForm,
    /// The public key that is expected to have signed, DER `SubjectPublicKeyInfo`; `None` if a
    /// certificate says whose key it is. Believed: it comes from whoever verifies.
    pub key: Option<&'a [u8]>,
}

/// One verification: what was presented for a file, under a trust root and a policy, at one time.
///
/// A caller asks in this order, and may leave out the first two: [`plan`](Self::plan) says what to do with
/// the file, [`sources`](Self::sources) where revocation can be looked up, [`report`](Self::report) judges.
/// Between them it hashes and fetches. Nothing is verified twice for that.
pub struct Verification<'a> {
    now: UnixSeconds,
    /// The bundles, or why there are none.
    bundles: Result<Vec<Opened<'a>>, &'a Finding>,
    passed_over: usize,
}

impl<'a> Verification<'a> {
    /// Opens it. `key` is the public key that is expected to have signed, DER `SubjectPublicKeyInfo`, if a
    /// key is expected and no certificate; it is believed, since it comes from whoever verifies.
    pub fn open(
        set: &'a EvidenceSet,
        trust: &'a TrustRoot,
        policy: &'a Policy,
        crypto: &'a dyn CryptoProvider,
        key: Option<&'a [u8]>,
        now: UnixSeconds,
    ) -> Self {
        let answers = Shared::default();
        let evidence_crypto = Rc::new(Remembering::new(crypto, Rc::clone(&answers)));
        let open = |parts: &'a [Part]| {
            let opened = parts.iter().map(|part| {
                let share = Share::new(&answers, parts.len());
                let crypto = Rc::new(Remembering::new(crypto, share));
                let evidence_crypto = Rc::clone(&evidence_crypto);
                let context = Context { trust, policy, crypto, evidence_crypto, key, now };
                Opened::new(context, part)
            });
            opened.collect()
        };
        Self { now, bundles: set.parts().map(open), passed_over: set.passed_over() }
    }

    /// What to do with a file of that name and size, as far as they are known, before it is judged.
    ///
    /// Of the digests that would do, the first of `preferred` is taken: which is fastest, the caller
    /// knows. An algorithm that is not among `preferred` is never asked for.
    pub fn plan(&self, artifact: &Artifact<'_>, preferred: &[HashAlgorithm]) -> Plan {
        match &self.bundles {
            Ok(bundles) => plan::of_all(bundles, artifact, preferred),
            Err(finding) => Plan::Decided((*finding).clone()),
        }
    }

    /// The sources of revocation for each certificate that the policy wants looked at, the signer's
    /// first; of several bundles, for each that may be the file's. The CRLs and OCSP responses at hand, each
    /// DER, say which of them need not be asked.
    ///
    /// Only certificates that chain to the trust root are named, so that no stranger's bundle makes a
    /// caller ask addresses of the stranger's choice, and none of a bundle whose signature cannot hold for
    /// the file, so that others' bundles beside it make nobody ask. Empty if nothing presented can be read, if the clock
    /// is wrong, or if so many bundles may be the file's that the report would refuse them.
    ///
    /// Without the file's digests, bundles about other files may be among those, and keep the file's own from
    /// being named. So ask again when the digests are known. A bundle that this was asked about and did not
    /// name is never verified: the report says `revocation.unavailable`.
    pub fn sources(
        &self,
        artifact: &Artifact<'_>,
        crls: &[&[u8]],
        ocsp_responses: &[&[u8]],
    ) -> Vec<RevocationSource> {
        let Ok(bundles) = &self.bundles else { return Vec::new() };
        if self.is_before_us() {
            return Vec::new();
        }
        let given = RevocationEvidence::decode(crls, ocsp_responses).ok();
        let mut sources = Sources { given, found: Vec::new() };
        for opened in bundles.iter().filter(|each| each.told.get() == Told::NotAsked) {
            opened.told.set(Told::No);
        }
        for opened in bundles::candidates(bundles, artifact).unwrap_or_default() {
            let run = Run::of(opened, artifact);
            // Before anything else: it costs least.
            if run.as_ref().is_ok_and(|run| opened.has_refuted_signature(run)) {
                continue;
            }
            opened.told.set(Told::Yes);
            if let Ok(run) = run {
                sources.add(opened, &run.with_proofs(opened));
            }
        }
        sources.found
    }

    /// The report on the file, with CRLs and OCSP responses, each DER.
    pub fn report(
        &self,
        artifact: &Artifact<'_>,
        crls: &[&[u8]],
        ocsp_responses: &[&[u8]],
    ) -> Report {
        let report = self
            .judge(artifact, crls, ocsp_responses)
            .unwrap_or_else(|finding| Report::of_fault(finding, summary(artifact), self.now));
        let Ok(bundles) = &self.bundles else { return report };
        if self.passed_over == 0 || self.is_before_us() {
            return report;
        }
        let all = bundles.len().saturating_add(self.passed_over);
        let found = format!("{} of {all} are something else", self.passed_over);
        report.with_note(Finding::new(FindingCode::BUNDLE_PASSED_OVER).found(found))
    }

    fn judge(
        &self,
        artifact: &Artifact<'_>,
        crls: &[&[u8]],
        ocsp_responses: &[&[u8]],
    ) -> Result<Report, Finding> {
        let now = self.now;
        if self.is_before_us() {
            return Err(Finding::new(FindingCode::CLOCK_WRONG).found(format!("{now}")));
        }
        let bundles = self.bundles.as_ref().map_err(|finding| (*finding).clone())?;
        let revocation = RevocationEvidence::decode(crls, ocsp_responses);
        let report = |opened: &Opened<'a>| -> Result<Report, Finding> {
            let run = Run::of(opened, artifact)?.with_proofs(opened).with(revocation.clone()?);
            let report = run.report(summary(artifact));
            opened.context.crypto.memory().inspect()?;
            Ok(report)
        };
        let report = |opened: &Opened<'a>| {
            let fault = |finding| Report::of_fault(finding, summary(artifact), now);
            report(opened).unwrap_or_else(fault)
        };
        let candidates = bundles::candidates(bundles, artifact)?;
        // The others are judged only to say what is wrong, and only if nothing else verifies the file.
        let (likely, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|opened| {
            let has_a_chance =
                |run: Run<'_>| run.may_be_allowed() && !opened.has_refuted_signature(&run);
            bundles.len() == 1 || Run::of(opened, artifact).is_ok_and(has_a_chance)
        });
        let mut reports: Vec<Report> = likely.into_iter().map(report).collect();
        if !reports.iter().any(|report| report.verdict() == Verdict::Verified) {
            reports.extend(others.into_iter().map(report));
        }
        bundles::best(reports.into_iter()).ok_or_else(|| FindingCode::BUNDLE_EMPTY.into())
    }

    /// Whether the clock shows a time before this program was written.
    fn is_before_us(&self) -> bool {
        self.now < EARLIEST_SANE_NOW
    }
}

/// Verifies a file by its bundle: a [`Verification`] in one call.
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
    let set = EvidenceSet::decode(evidence.bundle, evidence.tokens);
    let verification = Verification::open(&set, trust, policy, crypto, evidence.key, now);
    verification.report(&evidence.artifact, evidence.crls, evidence.ocsp_responses)
}

/// The signer's certificate, if there is one, and the key that must have signed.
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
                Finding::new(FindingCode::PUBLIC_KEY_MALFORMED).found(format!("{error}"))
            })?;
            Ok((None, key))
        }
        (Verifier::PublicKey { hint }, None) => Err(Finding::new(FindingCode::KEY_NOT_GIVEN)
            .expected(if hint.is_empty() {
                String::from("the publisher's public key")
            } else {
                format!("the publisher's public key; the bundle calls it {hint}")
            })),
        (Verifier::Certificate { .. }, Some(_)) => Err(FindingCode::PUBLIC_KEY_NOT_USED.into()),
    }
}

fn summary(artifact: &Artifact<'_>) -> ArtifactSummary {
    ArtifactSummary {
        name: artifact.name.map(|name| quoted(String::from(name))),
        size: artifact.size,
        digests: artifact.digests.iter().map(|digest| format!("{digest}")).collect(),
    }
}

/// What stays the same for one bundle during one verification.
#[derive(Clone)]
struct Context<'a> {
    trust: &'a TrustRoot,
    policy: &'a Policy,
    /// For what the bundle brings: within its share.
    crypto: Rc<Remembering<'a, Share>>,
    /// For evidence on revocation, which no bundle brings. It has limits of its own.
    evidence_crypto: Rc<Remembering<'a, Shared>>,
    key: Option<&'a [u8]>,
    now: UnixSeconds,
}

impl Context<'_> {
    fn means(&self) -> Means<'_> {
        Means { crypto: &*self.crypto, steps: &self.crypto.memory().steps }
    }
}
