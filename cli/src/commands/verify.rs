//! `verify`: files in, the core's reports out.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use countersign_core::{
    Artifact, EvidenceSet, Plan, Unnamed, Verification,
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode, quoted},
    policy::Policy,
    report::{ArtifactSummary, Report, Verdict},
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TokenForm,
};

use crate::{
    arguments::VerifyArguments,
    artifact, bundle_beside, codes,
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, Body, Talk},
    report_text,
    revocation_evidence::{Cache, Network, RevocationEvidence},
    session::Session,
    stream,
};

/// Verifies each artifact; one that cannot be verified keeps no other from being so.
pub(super) fn run(arguments: &VerifyArguments, session: &Session) -> Outcome<Answer> {
    let network = if arguments.offline { Network::Offline } else { Network::Online };
    let cache = if arguments.no_cache { Cache::Unused } else { Cache::Used };
    let mut run = Run {
        session,
        policy: policy(arguments, session)?,
        trust: trust(arguments, session)?,
        key: arguments.key.as_deref().map(input::public_key).transpose()?,
        evidence: RevocationEvidence::open(&arguments.crl, &arguments.ocsp, network, cache)?,
        // Once for all files: a pipe can be read only once.
        bundle: arguments.bundle.as_deref().map(input::bundle),
        now: arguments.at.unwrap_or_else(|| session.now()),
    };
    let artifacts = Artifacts::of(arguments);
    let mut text = String::new();
    let mut results = Vec::new();
    let mut verified = 0;
    let mut worst: Option<FindingCode> = None;
    for artifact in &artifacts.files {
        let report = run.verify(artifact);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&report_text::text(&path_text(artifact), &report, session.output.talk));
        results.push(serde_json::to_string(&report)?);
        verified += usize::from(report.verdict() == Verdict::Verified);
        if let Some(finding) = report.decisive() {
            let graver = worst.is_none_or(|worst| finding.code.rank() < worst.rank());
            worst = if graver { Some(finding.code) } else { worst };
        }
    }
    if arguments.artifacts.len() > 1 && session.output.talk != Talk::Quiet {
        text.push_str(&artifacts.summary(verified));
    }
    let exit_code = worst.map_or(0, FindingCode::exit_code);
    Ok(Answer { text, body: Body::Several(results), exit_code })
}

/// What was named, without the bundles of other files that were named: `verify dist/*`.
struct Artifacts<'a> {
    files: Vec<&'a Path>,
    bundles: usize,
}

impl<'a> Artifacts<'a> {
    fn of(arguments: &'a VerifyArguments) -> Self {
        let named: Vec<&Path> = arguments.artifacts.iter().map(PathBuf::as_path).collect();
        if arguments.bundle.is_some() || named.len() == 1 {
            return Self { files: named, bundles: 0 };
        }
        // Only the very file that is read as a bundle: another one of such a name was looked at by
        // nobody. What has a bundle of its own is a published file like any other.
        let used: HashSet<PathBuf> =
            named.iter().filter_map(|file| bundle_beside::find(file)).collect();
        let all = named.len();
        let is_file = |file: &&Path| !used.contains(*file) || bundle_beside::find(file).is_some();
        let files: Vec<&Path> = named.into_iter().filter(is_file).collect();
        let bundles = all - files.len();
        Self { files, bundles }
    }

    fn summary(&self, verified: usize) -> String {
        let failed = self.files.len() - verified;
        let bundles = match self.bundles {
            0 => String::new(),
            1 => String::from(" 1 bundle was used for the file beside it."),
            several => format!(" {several} bundles were used for the files beside them."),
        };
        format!("\n{verified} verified, {failed} failed.{bundles}\n")
    }
}

/// Whom to trust. Who names the key needs nobody else; then there are no authorities and no logs.
fn trust(arguments: &VerifyArguments, session: &Session) -> Outcome<TrustRoot> {
    let named = arguments.trusted_root.is_some() || session.settings.trusted_root.is_some();
    if arguments.key.is_some() && !named {
        return Ok(TrustRoot::default());
    }
    session.trust_root(arguments.trusted_root.as_ref())
}

/// Who is expected: typed, else set. Accepting anybody's signature would say nothing.
fn policy(arguments: &VerifyArguments, session: &Session) -> Outcome<Policy> {
    if let Some(path) = &arguments.policy {
        return input::policy(path);
    }
    let settings = &session.settings;
    if arguments.key.is_some() {
        // A policy can be met by a key, an identity cannot: the key is who is expected instead.
        return settings.policy.as_deref().map_or(Ok(Policy::for_given_key()), input::policy);
    }
    let is_typed = arguments.certificate_identity.is_some();
    let set = settings.certificate_identity.as_ref().filter(|_| !is_typed);
    if set.is_some() && settings.policy.is_some() {
        let found = "both policy and certificate_identity are set; set one of them";
        return Err(Failure::usage(found));
    }
    if !is_typed && settings.policy.is_some() && settings.certificate_oidc_issuer.is_some() {
        let found = "both policy and certificate_oidc_issuer are set; \
                     a policy names the issuer beside each identity";
        return Err(Failure::usage(found));
    }
    // A login provider that is set is demanded, wherever the identity comes from.
    let issuer = arguments
        .certificate_oidc_issuer
        .as_ref()
        .or(settings.certificate_oidc_issuer.as_ref())
        .map(String::as_str);
    match (arguments.certificate_identity.as_ref().or(set), &settings.policy) {
        (Some(identity), _) => Ok(Policy::for_identity(identity, issuer)?),
        (None, Some(path)) => input::policy(path),
        (None, None) => Err(Finding::new(codes::SIGNER_NOT_NAMED)
            .expected(
                "--policy FILE, or --certificate-identity with --certificate-oidc-issuer, or --key FILE",
            )
            .into()),
    }
}

struct Run<'a> {
    session: &'a Session,
    policy: Policy,
    trust: TrustRoot,
    key: Option<Vec<u8>>,
    evidence: RevocationEvidence,
    /// The bundle that was named, for all files.
    bundle: Option<Outcome<Vec<u8>>>,
    now: UnixSeconds,
}

/// What was named on the command line.
enum Named {
    /// A digest alone.
    Digest(Digest),
    /// A file that is open.
    File(artifact::Artifact),
}

/// A file, as far as it is known.
#[derive(Default)]
struct Known {
    name: Option<String>,
    unnamed: Unnamed,
    size: Option<u64>,
    digests: Vec<Digest>,
    /// If the signature is over the file and not over its digest.
    content: Option<Vec<u8>>,
    /// Its first octets, if it was read.
    beginning: Option<Vec<u8>>,
}

impl Known {
    fn artifact(&self) -> Artifact<'_> {
        Artifact {
            name: self.name.as_deref(),
            unnamed: self.unnamed,
            size: self.size,
            digests: &self.digests,
            content: self.content.as_deref(),
            beginning: self.beginning.as_deref(),
            ..Artifact::default()
        }
    }
}

impl Run<'_> {
    fn verify(&mut self, artifact: &Path) -> Report {
        self.judge(artifact).unwrap_or_else(|failure| {
            let name = artifact.file_name().map(|name| quoted(name.to_string_lossy().into_owned()));
            let summary = ArtifactSummary { name, ..ArtifactSummary::default() };
            Report::of_fault(failure.finding().clone(), summary, self.now)
        })
    }

    fn judge(&mut self, artifact: &Path) -> Outcome<Report> {
        let (named, bundle) = self.open(artifact)?;
        let set = EvidenceSet::decode(&bundle, TokenForm::BerToo);
        let key = self.key.as_deref();
        let verification = Verification::open(
            &set,
            &self.trust,
            &self.policy,
            &self.session.crypto,
            key,
            self.now,
        );
        let known = read(named, &verification, self.session)?;
        let artifact = known.artifact();

        let (crls, ocsp) = self.evidence.given();
        let sources = verification.sources(&artifact, &crls, &ocsp);
        let fetched =
            self.evidence.fetch(self.session, &sources, &self.policy.revocation, self.now);
        let (given_crls, given_ocsp) = self.evidence.given_beside(&fetched);
        let (crls, ocsp) = fetched.octets();
        let (crls, ocsp) = ([given_crls, crls].concat(), [given_ocsp, ocsp].concat());
        Ok(verification.report(&artifact, &crls, &ocsp))
    }

    /// What was named, and its bundle.
    fn open(&self, artifact: &Path) -> Outcome<(Named, Vec<u8>)> {
        if let Some(digest) = digest_of(artifact)? {
            let bundle = self.named_bundle(artifact, "--bundle FILE beside a digest")?;
            return Ok((Named::Digest(digest), bundle));
        }
        // What is wrong with the file is said before what is wrong with its bundle.
        let file = artifact::Artifact::open(artifact)?;
        let bundle = if stream::is_standard_input(artifact) {
            self.named_bundle(artifact, "--bundle FILE beside standard input")?
        } else {
            self.bundle.clone().unwrap_or_else(|| bundle_beside::read(artifact))?
        };
        Ok((Named::File(file), bundle))
    }

    /// The bundle of what has no file beside which one could be looked for.
    fn named_bundle(&self, artifact: &Path, expected: &str) -> Outcome<Vec<u8>> {
        self.bundle.clone().unwrap_or_else(|| {
            let finding = Finding::new(FindingCode::BUNDLE_NOT_FOUND).about(path_text(artifact));
            Err(finding.expected(expected).found("none").into())
        })
    }
}

/// Reads the file, if its octets can change the answer.
fn read(named: Named, verification: &Verification<'_>, session: &Session) -> Outcome<Known> {
    let file = match named {
        Named::Digest(digest) => return Ok(Known { digests: vec![digest], ..Known::default() }),
        Named::File(file) => file,
    };
    let mut known = Known {
        name: file.name().map(str::to_owned),
        unnamed: file.unnamed(),
        size: file.size(),
        ..Known::default()
    };
    if let Plan::Read { algorithms, keep, .. } =
        verification.plan(&known.artifact(), &HashAlgorithm::STRONG)
    {
        let read = file.read(session, &algorithms, keep)?;
        known.size = Some(read.size);
        known.digests = read.digests;
        known.content = read.content;
        known.beginning = Some(read.beginning);
    }
    Ok(known)
}

/// `FILE.sigstore.json`.
pub(super) fn bundle_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sigstore.json");
    PathBuf::from(name)
}

/// The digest that an argument is, unless it is a file's name.
fn digest_of(artifact: &Path) -> Outcome<Option<Digest>> {
    let Some(text) = artifact.to_str() else { return Ok(None) };
    if let Some(digest) = Digest::parse(text) {
        // A file of that name would be called verified without being read (`verify dist/*`).
        if artifact.symlink_metadata().is_ok() {
            return Err(Finding::new(codes::USAGE_INVALID)
                .about(text)
                .expected("the file as ./NAME, or a digest of which no file has the name")
                .found("a digest that is a file's name too")
                .into());
        }
        return Ok(Some(digest));
    }
    let looks_like_one = text
        .split_once(':')
        .is_some_and(|(name, _)| HashAlgorithm::STRONG.iter().any(|each| each.name() == name));
    if looks_like_one && !artifact.exists() {
        return Err(Finding::new(codes::USAGE_INVALID)
            .about(text)
            .expected("as many hexadecimal digits as the algorithm makes")
            .found("another number of digits, or other characters")
            .into());
    }
    Ok(None)
}
