//! `verify`: files in, the core's reports out.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use countersign_core::{
    Artifact, Evidence, Plan, Unnamed,
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode, quoted},
    plan,
    policy::Policy,
    report::{ArtifactSummary, Report, Verdict},
    revocation_sources,
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TokenForm,
    verify,
};

use crate::{
    arguments::VerifyArguments,
    artifact, bundle_beside,
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, Body, Talk},
    report_text,
    revocation_evidence::{Cache, Network, Piece, RevocationEvidence},
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
    if arguments.key.is_some() {
        return Ok(Policy::for_given_key());
    }
    let settings = &session.settings;
    let set =
        settings.certificate_identity.as_ref().filter(|_| arguments.certificate_identity.is_none());
    if set.is_some() && settings.policy.is_some() {
        let found = "both policy and certificate_identity are set; set one of them";
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
        (None, None) => Err(Finding::new(FindingCode::UsageInvalid)
            .about("the expected signer")
            .expected(
                "--policy FILE, or --certificate-identity with --certificate-oidc-issuer, or --key FILE",
            )
            .found("neither; a signature by just anybody says nothing")
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

/// What is known of an artifact before it is judged.
#[derive(Default)]
struct Presented {
    name: Option<String>,
    unnamed: Unnamed,
    size: Option<u64>,
    digests: Vec<Digest>,
    /// Where the signature is over the file and not over its digest.
    content: Option<Vec<u8>>,
    /// Its first octets, where it was read.
    beginning: Option<Vec<u8>>,
    bundle: Vec<u8>,
}

impl Run<'_> {
    fn verify(&mut self, artifact: &Path) -> Report {
        match self.present(artifact) {
            Ok(presented) => self.judge(&presented),
            Err(failure) => {
                let name =
                    artifact.file_name().map(|name| quoted(name.to_string_lossy().into_owned()));
                let summary = ArtifactSummary { name, ..ArtifactSummary::default() };
                Report::of_fault(failure.finding().clone(), summary, self.now)
            }
        }
    }

    fn present(&self, artifact: &Path) -> Outcome<Presented> {
        if let Some(digest) = digest_of(artifact)? {
            let bundle = self.named_bundle(artifact, "--bundle FILE beside a digest")?;
            let digests = vec![digest];
            let presented = Presented { digests, bundle, ..Presented::default() };
            return Ok(presented);
        }
        // What is wrong with the file is said before what is wrong with its bundle.
        let file = artifact::Artifact::open(artifact)?;
        let bundle = if stream::is_standard_input(artifact) {
            self.named_bundle(artifact, "--bundle FILE beside standard input")?
        } else {
            self.bundle.clone().unwrap_or_else(|| bundle_beside::read(artifact))?
        };
        let (name, unnamed, size) = (file.name().map(str::to_owned), file.unnamed(), file.size());
        let known = Artifact { name: name.as_deref(), unnamed, size, ..Artifact::default() };
        let key = self.key.as_deref();
        match plan(&bundle, &known, key, &HashAlgorithm::STRONG) {
            Plan::Read { algorithms, keep, .. } => {
                let read = file.read(self.session, &algorithms, keep)?;
                Ok(Presented {
                    name,
                    unnamed,
                    size: Some(read.size),
                    digests: read.digests,
                    content: read.content,
                    beginning: Some(read.beginning),
                    bundle,
                })
            }
            Plan::Decided(_) => {
                Ok(Presented { name, unnamed, size, bundle, ..Presented::default() })
            }
        }
    }

    /// The bundle of what has no file beside which one could be looked for.
    fn named_bundle(&self, artifact: &Path, expected: &str) -> Outcome<Vec<u8>> {
        self.bundle.clone().unwrap_or_else(|| {
            let finding = Finding::new(FindingCode::BundleNotFound).about(path_text(artifact));
            Err(finding.expected(expected).found("none").into())
        })
    }

    fn judge(&mut self, presented: &Presented) -> Report {
        let artifact = Artifact {
            name: presented.name.as_deref(),
            unnamed: presented.unnamed,
            size: presented.size,
            digests: &presented.digests,
            content: presented.content.as_deref(),
            beginning: presented.beginning.as_deref(),
        };
        let key = self.key.as_deref();
        let bare = Evidence {
            artifact,
            bundle: &presented.bundle,
            key,
            tokens: TokenForm::BerToo,
            ..Evidence::default()
        };
        let sources = revocation_sources(&bare, &self.trust, &self.policy, &AwsLc, self.now);
        let fetched =
            self.evidence.fetch(self.session, &sources, &self.policy.revocation, self.now);
        let (mut crls, mut ocsp) = self.evidence.given();
        for piece in &fetched.pieces {
            match piece {
                Piece::Crl(_, octets) => crls.push(octets),
                Piece::Ocsp(_, octets) => ocsp.push(octets),
            }
        }
        let evidence = Evidence { crls: &crls, ocsp_responses: &ocsp, ..bare };
        verify(&evidence, &self.trust, &self.policy, &AwsLc, self.now)
    }
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
            return Err(Finding::new(FindingCode::UsageInvalid)
                .about(text)
                .expected("the file as ./NAME, or a digest of which no file has the name")
                .found("a digest that is a file's name too")
                .into());
        }
        return Ok(Some(digest));
    }
    let looks_like_one =
        ["sha256:", "sha384:", "sha512:"].iter().any(|start| text.starts_with(start));
    if looks_like_one && !artifact.exists() {
        return Err(Finding::new(FindingCode::UsageInvalid)
            .about(text)
            .expected("as many hexadecimal digits as the algorithm makes")
            .found("another number of digits, or other characters")
            .into());
    }
    Ok(None)
}
