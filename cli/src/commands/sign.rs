//! `sign`: digest or statement, signature, timestamp, bundle; verified by the core, then written.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use countersign_core::{
    Artifact, Evidence, EvidenceSet, Keep, Unnamed, Verification,
    bundle::ENVELOPE_BEGINNING,
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, digest},
    finding::{Finding, FindingCode, quoted},
    limits,
    policy::{Policy, RevocationMode, Transparency},
    report::Report,
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TokenForm,
    verify,
    x509::Certificate,
};
use countersign_signing::{
    bundle::{self, Bundle, IN_TOTO_PAYLOAD_TYPE, pre_authentication_encoding},
    files::FileMode,
    key::{Signer, Takes},
    statement::{RELEASE_PREDICATE_TYPE, STATEMENT_TYPE, Statement, Subject},
};
use serde_json::{Map, Value, json};
use url::Url;

use super::verify::bundle_path;
use crate::{
    arguments::{Format, SignArguments},
    artifact::{self, Contents},
    codes,
    failure::{Failure, Outcome, path_text},
    fetch::HttpClient,
    input,
    output::{Answer, Body, finding_text},
    revocation_evidence::{Cache, Network, RevocationEvidence},
    session::Session,
    timestamping::{self, Believed, Question, Stamp},
    writing::{Existing, prepare, write},
};

/// Signs each file; one that cannot be signed keeps no other from being so.
pub(super) fn run(arguments: &SignArguments, session: &Session) -> Outcome<Answer> {
    if arguments.output.is_some() && arguments.files.len() > 1 {
        return Err(Failure::usage("--output is for one file; leave it out, or sign one by one"));
    }
    let mut run = Run::open(arguments, session)?;
    let mut text = String::new();
    let mut results = Vec::new();
    let mut worst: Option<FindingCode> = None;
    for path in &arguments.files {
        match run.sign(path) {
            Ok(signed) => {
                text.push_str(&signed.text());
                results.push(signed.value().to_string());
            }
            Err(failure) => {
                let error = failure.finding();
                if session.output.format == Format::Text {
                    session.output.complain(finding_text("error", error).trim_end());
                }
                let error_json = serde_json::to_value(error)?;
                results.push(json!({ "file": path_text(path), "error": error_json }).to_string());
                let graver = worst.is_none_or(|worst| error.code.rank() < worst.rank());
                worst = if graver { Some(error.code) } else { worst };
            }
        }
    }
    let exit_code = worst.map_or(0, FindingCode::exit_code);
    Ok(Answer { text, body: Body::Several(results), exit_code })
}

struct Run<'a> {
    arguments: &'a SignArguments,
    session: &'a Session,
    key: Arc<dyn Signer>,
    certificate: Vec<u8>,
    trust: TrustRoot,
    policy: Policy,
    urls: &'a [Url],
    client: HttpClient,
    /// Whether the signer is revoked; `None` if nobody should be asked.
    revocation: Option<RevocationEvidence>,
    doubt: Doubt,
    claim: Claim,
}

/// What is signed.
enum Claim {
    /// The file itself.
    File,
    /// A statement about the file, with this predicate.
    Predicate(String, Map<String, Value>),
    /// This statement, octet for octet.
    Statement(Vec<u8>),
}

/// Whether it was said that nothing is known of the signer's revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    Unsaid,
    Said,
}

/// A signature with what it was made over.
struct Signature {
    content: Content,
    octets: Vec<u8>,
}

enum Content {
    Digest(Digest),
    Payload(Vec<u8>),
}

struct Signed {
    file: String,
    bundle: PathBuf,
    stamp: Option<Stamp>,
    identity: String,
}

impl<'a> Run<'a> {
    fn open(arguments: &'a SignArguments, session: &'a Session) -> Outcome<Self> {
        let settings = &session.settings;
        let certificate_path = input::required(
            arguments.certificate.as_ref(),
            settings.certificate.as_ref(),
            "--certificate",
        )?;
        let location = input::required(arguments.key.as_ref(), settings.key.as_ref(), "--key")?;
        let urls: &[Url] = match arguments.timestamp_url.as_slice() {
            _ if arguments.no_timestamp => &[],
            [] => &settings.timestamp_urls,
            typed => typed,
        };
        // A signature that nobody can verify is not worth publishing: hence the trust root.
        let trust = session.trust_root(arguments.trusted_root.as_ref())?;
        let claim = claim(arguments)?;
        let certificate = input::certificate(&certificate_path)?;
        let about = |finding: Finding| Failure::from(finding).about(path_text(&certificate_path));
        let decoded = Certificate::decode(&certificate).map_err(|error| {
            about(Finding::new(FindingCode::CERTIFICATE_MALFORMED).found(error.to_string()))
        })?;
        let policy = own_policy(&decoded, urls).map_err(about)?;
        let key = session.open_key_of(&certificate, &location, &arguments.passphrase).map_err(
            |failure| match failure.finding().code {
                codes::KEY_MISMATCH => {
                    let found = "the key of another certificate";
                    let finding = Finding::new(codes::KEY_MISMATCH);
                    let expected = format!("the key of {}", path_text(&certificate_path));
                    finding
                        .about(quoted(location.to_string()))
                        .expected(expected)
                        .found(found)
                        .into()
                }
                _ => failure,
            },
        )?;
        let client = timestamping::client(&arguments.timestamp_tls, session)?;
        let revocation = if arguments.no_revocation_check {
            session
                .output
                .say("note: nobody was asked whether the signer's certificate is revoked");
            None
        } else {
            Some(RevocationEvidence::open(&[], &[], Network::Online, Cache::Used)?)
        };
        let doubt = Doubt::Unsaid;
        Ok(Self {
            arguments,
            session,
            key,
            certificate,
            trust,
            policy,
            urls,
            client,
            revocation,
            doubt,
            claim,
        })
    }

    fn sign(&mut self, path: &Path) -> Outcome<Signed> {
        let output = self.arguments.output.clone().unwrap_or_else(|| bundle_path(path));
        let existing = Existing::of(self.arguments.force);
        prepare(&output, existing)?;
        let file = artifact::Artifact::open(path)?;
        let name = self.name_to_sign(path, &file)?;
        let unnamed = file.unnamed();
        let own = self.own_hash();
        let algorithms = match self.claim {
            Claim::File => vec![own],
            // SHA-256 is what Sigstore's verifiers look for.
            Claim::Predicate(..) | Claim::Statement(_) => {
                vec![HashAlgorithm::Sha256, HashAlgorithm::Sha384]
            }
        };
        let whole = matches!(self.claim, Claim::File) && self.key.takes() == Takes::Messages;
        let keep = if whole { Keep::Content } else { Keep::Digests };
        let Contents { digests, size, beginning, content } =
            file.read(self.session, &algorithms, keep)?;
        if matches!(self.claim, Claim::File) {
            refuse_statement_as_file(path, &beginning)?;
        }
        if whole && content.is_none() {
            return Err(Failure::usage(format!(
                "{}: too large for this key, which signs whole files of at most {} MiB; sign a \
                 statement about it (--statement)",
                path_text(path),
                limits::SIGNED_CONTENT_BYTES / (1024 * 1024),
            )));
        }
        let signature = self.make(name.as_deref(), (&digests, content.as_deref()), size)?;
        let artifact = Artifact {
            name: name.as_deref(),
            unnamed,
            size: Some(size),
            digests: &digests,
            content: content.as_deref(),
            beginning: Some(&beginning),
            ..Artifact::default()
        };
        self.refuse_revoked(artifact, &signature)?;
        let stamp = self.stamp(&signature, own)?;
        let bundle = self.bundle(&signature, stamp.as_ref())?;
        let report = self.check(artifact, bundle.as_bytes());
        if let Some(finding) = report.decisive() {
            return Err(finding.clone().into());
        }
        write(&output, bundle.as_bytes(), FileMode::Public, existing)?;
        let identity = report.signer.map(|signer| signer.identity).unwrap_or_default();
        Ok(Signed { file: path_text(path), bundle: output, stamp, identity })
    }

    /// The file's name, which a statement says; a signature of the file itself says none.
    fn name_to_sign(&self, path: &Path, file: &artifact::Artifact) -> Outcome<Option<String>> {
        let found = match (file.name(), file.unnamed(), &self.claim) {
            (Some(name), ..) => return Ok(Some(name.to_owned())),
            (None, Unnamed::NotGiven, _) => "standard input",
            (None, Unnamed::NotUnicode, Claim::File | Claim::Statement(_)) => return Ok(None),
            (None, Unnamed::NotUnicode, Claim::Predicate(..)) => "a name that is not UTF-8",
        };
        let finding = Finding::new(codes::USAGE_INVALID).about(path_text(path));
        Err(finding.expected("a file with a name, which is signed too").found(found).into())
    }

    /// The hash that the key signs with; SHA-512 goes with Ed25519 (RFC 8419 §2.3).
    fn own_hash(&self) -> HashAlgorithm {
        self.key.scheme().hash_algorithm().unwrap_or(HashAlgorithm::Sha512)
    }

    /// `content` is the file if the key is to be given that.
    fn make(
        &self,
        name: Option<&str>,
        (digests, content): (&[Digest], Option<&[u8]>),
        size: u64,
    ) -> Outcome<Signature> {
        let payload = match &self.claim {
            Claim::File => {
                let digest = digests.first().ok_or_else(|| Failure::internal("no digest"))?.clone();
                let octets = match content {
                    Some(content) => self.key.sign(content)?,
                    None => self.key.sign_digest(&digest)?,
                };
                return Ok(Signature { content: Content::Digest(digest), octets });
            }
            Claim::Predicate(kind, predicate) => {
                let name = name.ok_or_else(|| Failure::internal("a statement without a name"))?;
                let subject = Subject::new(name, digests, size);
                Statement::new(vec![subject], kind.as_str(), predicate.clone()).to_json()?
            }
            Claim::Statement(statement) => statement.clone(),
        };
        let octets = self.key.sign(&pre_authentication_encoding(IN_TOTO_PAYLOAD_TYPE, &payload))?;
        Ok(Signature { content: Content::Payload(payload), octets })
    }

    /// Asks whether the signer's certificate is revoked, and looks at the signature as a verifier
    /// will, before anything is stamped or written: no authority shall vouch for the time of a
    /// signature that nobody may use. Where nobody answers, that is said; the signature can be
    /// made all the same.
    fn refuse_revoked(&mut self, artifact: Artifact<'_>, signature: &Signature) -> Outcome<()> {
        let bundle = self.bundle(signature, None)?;
        let Some(revocation) = &mut self.revocation else { return Ok(()) };
        let mut policy = self.policy.clone();
        policy.timestamps_required = 0;
        policy.revocation.signer = RevocationMode::WhenAvailable;
        let now = self.session.now();
        let set = EvidenceSet::decode(bundle.as_bytes(), TokenForm::Der);
        let verification =
            Verification::open(&set, &self.trust, &policy, &self.session.crypto, None, now);
        let sources = verification.sources(&artifact, &[], &[]);
        let fetched = revocation.fetch(self.session, &sources, &policy.revocation, now);
        if fetched.open > 0 && self.doubt == Doubt::Unsaid {
            self.doubt = Doubt::Said;
            let words = "warning: nobody could say whether the signer's certificate is revoked; \
                         verifiers may find out that it is";
            self.session.output.say(words);
        }
        let (crls, ocsp) = fetched.octets();
        let report = verification.report(&artifact, &crls, &ocsp);
        report.decisive().map_or(Ok(()), |finding| Err(finding.clone().into()))
    }

    /// A timestamp over the signature's octets.
    fn stamp(&self, signature: &Signature, hash: HashAlgorithm) -> Outcome<Option<Stamp>> {
        if self.urls.is_empty() {
            return Ok(None);
        }
        let question = Question::new(digest(&AwsLc, hash, &signature.octets));
        let believed = Believed::Authorities(&self.trust.timestamp_authorities, self.now());
        question.ask(self.session, &self.client, self.urls, believed).map(Some)
    }

    fn bundle(&self, signature: &Signature, stamp: Option<&Stamp>) -> Outcome<String> {
        let timestamps: Vec<Vec<u8>> = stamp.iter().map(|stamp| stamp.response.clone()).collect();
        let evidence = bundle::Evidence { certificate: &self.certificate, timestamps: &timestamps };
        let made = match &signature.content {
            Content::Digest(digest) => {
                Bundle::message_signature(digest, &signature.octets, evidence)
            }
            Content::Payload(payload) => {
                Bundle::dsse(IN_TOTO_PAYLOAD_TYPE, payload, &signature.octets, evidence)
            }
        };
        Ok(made.to_json()?)
    }

    /// Looks at the bundle as a verifier will. An expired certificate, one for another use, one of
    /// another authority: all of it shows here, before anything is written.
    fn check(&self, artifact: Artifact<'_>, bundle: &[u8]) -> Report {
        let evidence = Evidence { artifact, bundle, ..Evidence::default() };
        verify(&evidence, &self.trust, &self.policy, &self.session.crypto, self.now())
    }

    fn now(&self) -> UnixSeconds {
        self.session.now()
    }
}

/// The signature of a file that begins like this would also be that of a statement, which whoever
/// wrote the file had made up.
fn refuse_statement_as_file(path: &Path, beginning: &[u8]) -> Outcome<()> {
    if !beginning.starts_with(ENVELOPE_BEGINNING) {
        return Ok(());
    }
    let finding = Finding::new(codes::ARTIFACT_READS_AS_STATEMENT).about(path_text(path));
    Err(finding.found("it begins with DSSEv1").into())
}

/// The policy for looking at our own output: this signer, the timestamp that was asked for.
/// The signer's revocation was asked for before; that of the authorities is left to those who
/// verify later.
fn own_policy(certificate: &Certificate<'_>, urls: &[Url]) -> Result<Policy, Finding> {
    let identity = certificate
        .identity()
        .ok_or_else(|| Finding::new(FindingCode::CERTIFICATE_IDENTITY_ABSENT))?;
    let mut policy = Policy::for_identity(identity, certificate.extensions.oidc_issuer)?;
    policy.timestamps_required = u8::from(!urls.is_empty());
    policy.revocation.signer = RevocationMode::Off;
    policy.revocation.authorities = RevocationMode::Off;
    policy.revocation.timestamp_authorities = RevocationMode::Off;
    policy.transparency = Transparency::Off;
    policy.certificate_transparency = Transparency::Off;
    Ok(policy)
}

/// What is to be signed, by the flags.
fn claim(arguments: &SignArguments) -> Outcome<Claim> {
    let kind = arguments.predicate_type.as_deref().unwrap_or(RELEASE_PREDICATE_TYPE).to_owned();
    let Some(statement) = &arguments.statement else { return Ok(Claim::File) };
    let Some(path) = statement else { return Ok(Claim::Predicate(kind, Map::new())) };
    let content = input::read(path, limits::BUNDLE_BYTES / 2)?;
    countersign_core::json::inspect(&content)
        .map_err(|fault| Failure::unreadable(path, fault.to_string()))?;
    let value: Value = serde_json::from_slice(&content)
        .map_err(|error| Failure::unreadable(path, error.to_string()))?;
    match value {
        Value::Object(object) if object.contains_key("_type") => {
            if arguments.predicate_type.is_some() {
                return Err(Failure::usage(
                    "--predicate-type is for a predicate, not a whole statement",
                ));
            }
            if object.get("_type").and_then(Value::as_str) != Some(STATEMENT_TYPE) {
                return Err(Finding::new(FindingCode::STATEMENT_TYPE)
                    .about(path_text(path))
                    .expected(STATEMENT_TYPE)
                    .into());
            }
            Ok(Claim::Statement(content))
        }
        Value::Object(predicate) => Ok(Claim::Predicate(kind, predicate)),
        _ => Err(Failure::unreadable(path, "a predicate is a JSON object")),
    }
}

impl Signed {
    fn text(&self) -> String {
        let time = match &self.stamp {
            Some(stamp) => format!("timestamp {} by {}", stamp.time, stamp.url),
            None => {
                "no timestamp: the signature is valid only until the certificate expires".to_owned()
            }
        };
        format!("{}: signed by {}\n  {time}\n", path_text(&self.bundle), self.identity)
    }

    fn value(&self) -> Value {
        json!({
            "file": self.file,
            "bundle": path_text(&self.bundle),
            "signer": self.identity,
            "timestamp": self.stamp.as_ref().map(|stamp| json!({
                "time": stamp.time, "policy": stamp.policy, "serial": stamp.serial, "url": stamp.url,
            })),
        })
    }
}
