//! Why a command did not do what it was asked: always a finding of the core's one table.

use std::{fmt, path::Path};

use countersign_core::{
    finding::{Finding, FindingCode, quoted},
    pem::PemFault,
};
use countersign_signing::{
    ca::CaError,
    csr::CsrError,
    files::FileError,
    key::{FileAttribute, KeyError, PassphraseError, SignError, TokenError},
    name::NameError,
    pem::PemError,
    profile::Authority,
    secret_file::SecretFileError,
    trust::TrustError,
};

use crate::codes;

/// A command's failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    finding: Finding,
}

/// What most of this crate's functions give.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// The finding.
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        self.finding.code.exit_code()
    }

    /// Something about the arguments or settings does not fit.
    pub fn usage(found: impl Into<String>) -> Self {
        Finding::new(codes::USAGE_INVALID).found(found).into()
    }

    /// A file that cannot be used.
    pub fn unreadable(path: &Path, found: impl Into<String>) -> Self {
        Finding::new(FindingCode::INPUT_UNREADABLE).about(path_text(path)).found(found).into()
    }

    /// A file that cannot be written.
    pub fn unwritable(path: &Path, found: impl Into<String>) -> Self {
        Finding::new(codes::OUTPUT_UNWRITABLE).about(path_text(path)).found(found).into()
    }

    /// A service that gave no answer.
    pub fn unreachable(url: &str, found: impl Into<String>) -> Self {
        Finding::new(FindingCode::SERVICE_UNREACHABLE).about(url).found(found).into()
    }

    /// A mistake of ours.
    pub fn internal(found: impl Into<String>) -> Self {
        Finding::new(FindingCode::INTERNAL).found(found).into()
    }

    /// The same failure, said of something else.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.finding = self.finding.about(subject);
        self
    }

    /// The same failure, with what has been done all the same.
    #[must_use]
    pub fn although(mut self, done: &str) -> Self {
        let found = match self.finding.found.take() {
            Some(found) => format!("{found}; {done}"),
            None => done.to_owned(),
        };
        self.finding = self.finding.found(found);
        self
    }

    /// A folder where a file is wanted.
    pub fn folder(path: &Path) -> Self {
        Finding::new(codes::INPUT_IS_FOLDER).about(path_text(path)).into()
    }

    /// An error in reading or writing a file.
    fn of_file(error: &FileError) -> Self {
        match error {
            FileError::AlreadyExists { path } => {
                let expected = "a new file; --force replaces it where a command has that option";
                let finding = Finding::new(codes::OUTPUT_UNWRITABLE).about(path_text(path));
                finding.expected(expected).found("it exists already").into()
            }
            FileError::TooLarge { path, maximum_octets } => {
                let finding = Finding::new(FindingCode::INPUT_TOO_LARGE).about(path_text(path));
                finding.expected(format!("at most {maximum_octets} bytes")).found("more").into()
            }
            FileError::NotARegularFile { path } if path.is_dir() => Self::folder(path),
            FileError::NotARegularFile { path } => {
                Self::unreadable(path, "it is not a regular file")
            }
            FileError::Io { operation: "open" | "read", path, source } => {
                Self::unreadable(path, source.to_string())
            }
            FileError::Io { path, source, .. } => Self::unwritable(path, source.to_string()),
        }
    }

    /// A file with a secret that cannot be used.
    fn of_secret(error: &SecretFileError) -> Self {
        let about = |path| Finding::new(codes::KEY_FILE_PERMISSIONS).about(path_text(path));
        match error {
            SecretFileError::File(error) => Self::of_file(error),
            SecretFileError::Permissions { path, mode } => {
                about(path).expected("mode 0600").found(format!("mode {mode:04o}")).into()
            }
            SecretFileError::Owner { path, owner } => {
                let expected = "a file that belongs to you or to root";
                about(path).expected(expected).found(format!("a file of user {owner}")).into()
            }
        }
    }

    /// A key file that cannot be used, or not be made.
    fn of_key(error: &KeyError) -> Self {
        match error {
            KeyError::Secret(error) => Self::of_secret(error),
            KeyError::File(error) => Self::of_file(error),
            KeyError::Unencrypted { path } => Finding::new(codes::KEY_UNUSABLE)
                .about(path_text(path))
                .expected("an encrypted key (openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt)")
                .found("an unencrypted key")
                .into(),
            KeyError::Malformed { path, .. }
            | KeyError::UnsupportedEncryption { path, .. }
            | KeyError::AbsurdCost { path }
            | KeyError::UnsupportedKey { path } => Self::key(path, error.to_string()),
            KeyError::PassphraseNeeded { .. } => Self::usage(error.to_string()),
            KeyError::WrongPassphrase { path } => {
                Self::key(path, "a wrong passphrase, or a damaged file")
            }
            KeyError::Generate | KeyError::Encrypt | KeyError::Random(_) => {
                Self::internal(error.to_string())
            }
            KeyError::Token(error) => Self::of_token(error),
            KeyError::Passphrase(error) => Self::of_passphrase(error),
            KeyError::Certificate(error) => Self::of_sign(error),
        }
    }

    /// A key in a token that cannot be used, or not now.
    fn of_token(error: &TokenError) -> Self {
        let code = match error {
            TokenError::KeyMismatch { .. } => codes::KEY_MISMATCH,
            error if error.is_transient() => codes::TOKEN_AWAY,
            _ => codes::TOKEN_UNUSABLE,
        };
        Finding::new(code).found(error.to_string()).into()
    }

    fn of_passphrase(error: &PassphraseError) -> Self {
        match error {
            PassphraseError::File(error) => Self::of_secret(error),
            other => Self::usage(other.to_string()),
        }
    }

    fn key(path: &Path, found: impl Into<String>) -> Self {
        Finding::new(codes::KEY_UNUSABLE).about(path_text(path)).found(found).into()
    }

    /// What a signature was refused for.
    fn of_sign(error: &SignError) -> Self {
        match error {
            SignError::KeyMismatch => codes::KEY_MISMATCH.into(),
            SignError::Certificate { .. } => {
                Finding::new(FindingCode::CERTIFICATE_MALFORMED).found(error.to_string()).into()
            }
            SignError::WrongIssuer | SignError::NoCertificate => Self::usage(error.to_string()),
            SignError::Token(error) => Self::of_token(error),
            SignError::Refused
            | SignError::NeedsMessage
            | SignError::DigestMismatch { .. }
            | SignError::Random => Self::internal(error.to_string()),
        }
    }

    /// A file with certificates that cannot be used.
    pub fn of_pem(path: &Path, error: &PemError) -> Self {
        match error {
            PemError::File(error) => Self::of_file(error),
            PemError::Fault(fault) => Self::of_pem_fault(path, fault),
        }
    }

    /// A file whose PEM cannot be used, named with its block.
    pub fn of_pem_fault(path: &Path, fault: &PemFault) -> Self {
        Finding::new(FindingCode::INPUT_MALFORMED)
            .about(fault.place(&path_text(path)))
            .found(fault.reason.to_string())
            .into()
    }

    /// A CA's settings that say how a token is reached.
    fn of_key_location(path: &Path, authority: Authority, attribute: FileAttribute) -> Self {
        let instead = match attribute {
            FileAttribute::ModulePath => "name the library in COUNTERSIGN_PKCS11_MODULE",
            FileAttribute::PinSource => {
                "give the PIN by --ca-passphrase-file FILE or COUNTERSIGN_PKCS11_PIN"
            }
        };
        let name = attribute.name();
        Finding::new(codes::CONFIGURATION_INVALID)
            .about(path_text(path))
            .expected(format!("the URI without {name}; {instead}"))
            .found(format!("{name} in the URI of {}, below [keys]", authority.name()))
            .into()
    }

    fn of_ca(error: CaError) -> Self {
        match error {
            CaError::File(error) => Self::of_file(&error),
            CaError::Pem { path, source } => Self::of_pem(&path, &source),
            CaError::Key(error) => Self::of_key(&error),
            CaError::Sign(error) => Self::of_sign(&error),
            CaError::Name(error) => error.into(),
            CaError::Csr(error) => error.into(),
            CaError::FolderExists { path } => {
                Self::unwritable(&path, "it exists already and is not empty")
            }
            CaError::NoAuthority { path } => {
                Self::unreadable(&path, "no certificate authority: there is no ca.toml")
            }
            CaError::KeyLocation { path, authority, attribute } => {
                Self::of_key_location(&path, authority, attribute)
            }
            CaError::Linked { path } => Finding::new(codes::CA_FOLDER_ALTERED)
                .about(path_text(&path))
                .expected("the file or folder itself; if you made the link, put it there")
                .found("a symbolic link, which is not followed")
                .into(),
            CaError::Settings { path, detail } => Self::unreadable(&path, detail),
            CaError::Index { path, line, detail } => {
                Self::unreadable(&path, format!("line {line}: {detail}"))
            }
            CaError::Altered { what, problem } => {
                Finding::new(codes::CA_FOLDER_ALTERED).about(what).found(problem).into()
            }
            CaError::Lint { findings } => match findings.into_iter().next() {
                Some(finding) => finding.into(),
                None => Self::internal("a lint without findings"),
            },
            CaError::Malformed { what, source } => Finding::new(FindingCode::CERTIFICATE_MALFORMED)
                .about(what)
                .found(source.to_string())
                .into(),
            CaError::NewKey { .. } | CaError::SharedKey { .. } => Self::usage(error.to_string()),
            CaError::BaseUrl { .. }
            | CaError::CrlShards { .. }
            | CaError::DelegateIssuerNotValid { .. }
            | CaError::Request { .. }
            | CaError::IssuerNotValid { .. }
            | CaError::NotIssued { .. } => {
                Finding::new(codes::REQUEST_INVALID).found(error.to_string()).into()
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { code, subject, found, .. } = &self.finding;
        let subject = subject.as_deref().map(|subject| format!("{subject}: ")).unwrap_or_default();
        write!(f, "{subject}{} ({code})", found.as_deref().unwrap_or(code.title()))
    }
}

impl std::error::Error for Failure {}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Self { finding }
    }
}

impl From<FindingCode> for Failure {
    fn from(code: FindingCode) -> Self {
        Finding::new(code).into()
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::of_file(&error)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::of_key(&error)
    }
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        Self::of_sign(&error)
    }
}

impl From<CaError> for Failure {
    fn from(error: CaError) -> Self {
        Self::of_ca(error)
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<CsrError> for Failure {
    fn from(error: CsrError) -> Self {
        match error {
            CsrError::Sign(error) => Self::of_sign(&error),
            other => Finding::new(codes::REQUEST_INVALID)
                .about("the certification request")
                .found(other.to_string())
                .into(),
        }
    }
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        Finding::new(FindingCode::TRUST_ROOT_MALFORMED).found(error.to_string()).into()
    }
}

impl From<PassphraseError> for Failure {
    fn from(error: PassphraseError) -> Self {
        Self::of_passphrase(&error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error.to_string())
    }
}

/// A path as it may be shown: control characters made visible, cut when absurdly long.
pub fn path_text(path: &Path) -> String {
    quoted(path.display().to_string())
}
