//! The certificate authority: a folder with a root, three CAs below it, and an index of everything
//! they issued.
//!
//! ```text
//! ca.toml                      organisation, base URL, algorithm
//! root/ signing/ timestamping/ service/     certificate.pem, key.pem (encrypted; not where ca.toml
//!                              says that the key is in a token)
//! issued/{serial}.pem          every certificate of an end entity, and what renewed CAs had and have
//! index.jsonl                  one line for every certificate, CAs included
//! ```
//!
//! Issuing is `prepare → lint → issue`: what the lint of `countersign_core` refuses is never signed
//! with a real key. A private key is decrypted when it is first needed, so that issuing for a
//! service does not touch the root's. There is no clock: `now` is handed in. Revoking is the
//! revocation service's.

mod delegate;
mod folder;
mod held;
mod index;
mod init;
mod issue;
mod lint;
mod renew;
mod settings;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use countersign_core::{
    asn1::Asn1Error,
    finding::Finding,
    limits,
    time::UnixSeconds,
    x509::{Certificate, PublicKey},
};

pub use self::{
    delegate::issue_delegate,
    index::IndexEntry,
    init::{GivenKey, GivenKeys, InitOptions},
    issue::{IssueRequest, IssuedCertificate, PreparedCertificate, RenewalKey, SubjectKey},
    settings::{CrlPublication, Deltas, Settings},
};
use crate::{
    certificate::Pointers,
    crl::{CrlBuilder, CrlTerms},
    csr::CsrError,
    files::{self, FileError, FileMode},
    key::{
        self, FileAttribute, FileKey, KeyError, KeyLocation, NewKey, Passphrase, SignError, Signer,
    },
    name::NameError,
    pem::PemError,
    profile::{Authority, Profile},
};

const CERTIFICATE_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "key.pem";
const SETTINGS_FILE: &str = "ca.toml";
const INDEX_FILE: &str = "index.jsonl";
const ISSUED_FOLDER: &str = "issued";
/// The CRL that was made last, of each CA whose CRL is made here.
const CRL_FOLDER: &str = "crls";
/// Those that are no CA's.
const SUBFOLDERS: &[&str] = &[ISSUED_FOLDER, CRL_FOLDER];

/// Why the certificate authority does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate file holds none.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PemError,
    },
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nothing was signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A certificate cannot hold a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The certification request is refused.
    #[error(transparent)]
    Csr(#[from] CsrError),
    /// A certificate or public key does not decode.
    #[error("{what}: {source}")]
    Malformed {
        /// Which one.
        what: String,
        /// What is wrong.
        source: Asn1Error,
    },
    /// The folder is there already, and not empty.
    #[error("{} exists already and is not empty", path.display())]
    FolderExists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds no certificate authority.
    #[error("{} is no certificate authority: there is no {SETTINGS_FILE}", path.display())]
    NoAuthority {
        /// The folder.
        path: PathBuf,
    },
    /// The settings cannot be read.
    #[error("{}: {detail}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        detail: String,
    },
    /// The settings name a file of this machine by which a token's key is reached.
    #[error(
        "{}: the URI of the {} CA's key has {}, which nobody who can write this file may choose",
        path.display(),
        authority.name(),
        attribute.name()
    )]
    KeyLocation {
        /// The settings.
        path: PathBuf,
        /// Whose key it is.
        authority: Authority,
        /// Which attribute.
        attribute: FileAttribute,
    },
    /// A symbolic link is in the place of a file or subfolder of the authority's folder.
    #[error("{} is a symbolic link, which is not followed", path.display())]
    Linked {
        /// Where it is.
        path: PathBuf,
    },
    /// The base URL is not one that clients can use.
    #[error(
        "the base URL {url:?} is not http:// or https:// and a host, without query or fragment"
    )]
    BaseUrl {
        /// What was given.
        url: String,
    },
    /// More shards than make sense.
    #[error("crl_shards is {shards}; choose at most {most}")]
    CrlShards {
        /// What was given.
        shards: u32,
        /// The most.
        most: u32,
    },
    /// A key that was given is not of the authority's kind.
    #[error(
        "the key that is given for the {} CA is not {}, the algorithm of the authority",
        authority.name(),
        algorithm.name()
    )]
    NewKey {
        /// Whose key it would be.
        authority: Authority,
        /// The algorithm of all its keys.
        algorithm: NewKey,
    },
    /// One key was given for two CAs.
    #[error("the key that is given for the {} CA is that of the {} CA too; each has its own", authority.name(), other.name())]
    SharedKey {
        /// Whose key it would be.
        authority: Authority,
        /// Whose key it is already.
        other: Authority,
    },
    /// A line of the index cannot be read.
    #[error("{}, line {line}: {detail}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// Which line, the first being 1.
        line: usize,
        /// What is wrong.
        detail: String,
    },
    /// A file of the folder is not what a CA's key signed; nothing is made from it.
    #[error("{what} {problem}; the folder was changed by somebody else")]
    Altered {
        /// Which certificate.
        what: String,
        /// What does not fit.
        problem: &'static str,
    },
    /// The request does not fit the profile.
    #[error("a {profile} certificate {problem}")]
    Request {
        /// The profile.
        profile: &'static str,
        /// What does not fit.
        problem: &'static str,
    },
    /// The lint found rules broken; nothing was signed.
    #[error("the certificate breaks its profile and was not signed: {}", describe(findings))]
    Lint {
        /// The rules.
        findings: Vec<Finding>,
    },
    /// The issuer's own certificate is not valid now.
    #[error("the {} CA's certificate is valid from {not_before} to {not_after}, not now", issuer.name())]
    IssuerNotValid {
        /// The issuer.
        issuer: Authority,
        /// First second of its validity.
        not_before: UnixSeconds,
        /// Last second of its validity.
        not_after: UnixSeconds,
    },
    /// A service's issuer is not valid now.
    #[error("the issuer's certificate is valid from {not_before} to {not_after}, not now")]
    DelegateIssuerNotValid {
        /// First second of its validity.
        not_before: UnixSeconds,
        /// Last second of its validity.
        not_after: UnixSeconds,
    },
    /// No certificate with that serial number was issued.
    #[error("no certificate with the serial number {serial} was issued here")]
    NotIssued {
        /// The serial number in hexadecimal.
        serial: String,
    },
}

fn describe(findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let expected = finding.expected.as_deref().unwrap_or(finding.code.title());
        let found = finding.found.as_deref().unwrap_or("otherwise");
        format!("{expected} (found: {found})")
    };
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A certificate authority in a folder.
pub struct CertificateAuthority {
    folder: PathBuf,
    settings: Settings,
    passphrase: Passphrase,
    pin: Option<Passphrase>,
    issuers: [Issuer; 4],
    throw_away_key: OnceLock<FileKey>,
}

/// One CA: its certificate, and its key once it is needed.
struct Issuer {
    authority: Authority,
    certificate: Vec<u8>,
    key: OnceLock<Arc<dyn Signer>>,
}

impl Issuer {
    fn decode(&self) -> Result<Certificate<'_>, CaError> {
        decode(&self.certificate, || format!("the {} CA's certificate", self.authority.name()))
    }

    fn decode_valid_at(&self, now: UnixSeconds) -> Result<Certificate<'_>, CaError> {
        let certificate = self.decode()?;
        if certificate.is_valid_at(now) {
            return Ok(certificate);
        }
        let (not_before, not_after) = (certificate.not_before, certificate.not_after);
        Err(CaError::IssuerNotValid { issuer: self.authority, not_before, not_after })
    }
}

impl CertificateAuthority {
    /// Makes a new one: root, three CAs, their keys, in a folder that does not exist yet or is
    /// empty. The folder appears complete or not at all. `passphrase` protects the keys in files.
    ///
    /// # Errors
    /// When the folder exists and is not empty, a name or the base URL cannot be used, or the
    /// operating system refuses; [`CaError::CrlShards`]; [`CaError::NewKey`].
    pub fn init(
        folder: &Path,
        options: &InitOptions,
        passphrase: &Passphrase,
        now: UnixSeconds,
    ) -> Result<Self, CaError> {
        init::init(folder, options, passphrase, now)?;
        Self::open(folder, passphrase)
    }

    /// Opens one. Keys stay encrypted until they are needed; a wrong passphrase shows then.
    ///
    /// # Errors
    /// When the folder holds none, a file in it cannot be read, a CA's certificate is not signed by
    /// the root, the settings name a PKCS#11 library or a file with a PIN
    /// ([`CaError::KeyLocation`]), or a link is in the place of a file ([`CaError::Linked`]).
    pub fn open(folder: &Path, passphrase: &Passphrase) -> Result<Self, CaError> {
        let settings = Settings::read(folder)?;
        for subfolder in Authority::ALL.map(Authority::name).iter().chain(SUBFOLDERS) {
            folder::refuse_link(&folder.join(subfolder))?;
        }
        let read = |authority: Authority| -> Result<Issuer, CaError> {
            let path = folder.join(authority.name()).join(CERTIFICATE_FILE);
            let certificate = folder::read_certificate(&path)?;
            let issuer = Issuer { authority, certificate, key: OnceLock::new() };
            issuer.decode()?;
            Ok(issuer)
        };
        let [root, signing, timestamping, service] = Authority::ALL;
        let issuers = [read(root)?, read(signing)?, read(timestamping)?, read(service)?];
        held::verify_authorities(&issuers)?;
        Ok(Self {
            issuers,
            folder: folder.to_owned(),
            settings,
            passphrase: passphrase.clone(),
            pin: None,
            throw_away_key: OnceLock::new(),
        })
    }

    /// The same, with the PIN of the tokens whose URI names none.
    #[must_use]
    pub fn with_pin(mut self, pin: Passphrase) -> Self {
        self.pin = Some(pin);
        self
    }

    /// Organisation, base URL and algorithm.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A CA's certificate, DER.
    pub fn certificate(&self, authority: Authority) -> &[u8] {
        &self.issuer(authority).certificate
    }

    /// The certificates above an end entity's that `authority` issued, DER: the authority's, and,
    /// unless it is the root, the root's.
    pub fn chain(&self, authority: Authority) -> Vec<Vec<u8>> {
        let root = self.certificate(Authority::Root).to_vec();
        match authority {
            Authority::Root => vec![root],
            below => vec![self.certificate(below).to_vec(), root],
        }
    }

    /// The PEM file of a CA's certificate.
    pub fn certificate_path(&self, authority: Authority) -> PathBuf {
        self.folder.join(authority.name()).join(CERTIFICATE_FILE)
    }

    /// The encrypted file of a CA's key, if that is not elsewhere.
    pub fn key_path(&self, authority: Authority) -> PathBuf {
        self.folder.join(authority.name()).join(KEY_FILE)
    }

    /// Where a CA's key is: in its folder, unless the settings say otherwise.
    pub fn key_location(&self, authority: Authority) -> KeyLocation {
        match self.settings.keys.get(&authority) {
            None => KeyLocation::File(self.key_path(authority)),
            Some(KeyLocation::File(path)) => KeyLocation::File(self.folder.join(path)),
            Some(token) => token.clone(),
        }
    }

    /// A CA's key, opened now if it was not yet: a file by the passphrase, a key in a token by the
    /// PIN.
    ///
    /// # Errors
    /// When it cannot be used, the passphrase or PIN is wrong, or it is not the certificate's key.
    pub fn signer(&self, authority: Authority) -> Result<Arc<dyn Signer>, CaError> {
        let issuer = self.issuer(authority);
        if let Some(key) = issuer.key.get() {
            return Ok(Arc::clone(key));
        }
        let location = self.key_location(authority);
        let secret = match &location {
            KeyLocation::File(_) => Some(&self.passphrase),
            KeyLocation::Token(_) => self.pin.as_ref(),
        };
        let key = key::open_for_certificate(&location, secret, &issuer.certificate)?;
        Ok(Arc::clone(issuer.key.get_or_init(|| key)))
    }

    /// Where certificates issued by `authority` send those who want to know more.
    pub fn pointers(&self, authority: Authority) -> Pointers {
        self.settings.pointers(authority)
    }

    /// A CRL of `authority` that has no entries yet; its distribution point is the one in the
    /// certificates. For an authority whose list is made where its key is, offline.
    ///
    /// # Errors
    /// When the authority's certificate does not decode.
    pub fn crl(
        &self,
        authority: Authority,
        number: u64,
        this_update: UnixSeconds,
        next_update: UnixSeconds,
    ) -> Result<CrlBuilder, CaError> {
        let terms = CrlTerms {
            number,
            this_update,
            next_update,
            distribution_point: self.pointers(authority).crl_url,
            expired_certificates_since: Some(self.issuer(authority).decode()?.not_before),
        };
        Ok(CrlBuilder::new(self.certificate(authority), terms)?)
    }

    /// Where the CRL of `authority` is kept that was made last: the next one takes nothing back of it.
    pub fn last_crl_path(&self, authority: Authority) -> PathBuf {
        self.folder.join(CRL_FOLDER).join(format!("{}.crl", authority.name()))
    }

    /// The CRL of `authority` that was made last, if one is kept.
    ///
    /// # Errors
    /// [`CaError::Linked`], or when it cannot be read.
    pub fn last_crl(&self, authority: Authority) -> Result<Option<Vec<u8>>, CaError> {
        folder::read_if_there(&self.last_crl_path(authority), limits::CRL_BYTES as u64)
    }

    /// Keeps a CRL (DER) of `authority` as the one that was made last.
    ///
    /// # Errors
    /// [`CaError::Linked`], or when the disk refuses; then the one before is still there.
    pub fn keep_crl(&self, authority: Authority, crl: &[u8]) -> Result<(), CaError> {
        folder::make_subfolder(&self.folder.join(CRL_FOLDER))?;
        Ok(files::replace(&self.last_crl_path(authority), crl, FileMode::Public)?)
    }

    /// Everything that was issued, in order.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn list(&self) -> Result<Vec<IndexEntry>, CaError> {
        index::read(&self.folder.join(INDEX_FILE))
    }

    /// The certificate with that serial number (hexadecimal), DER, of an end entity or a CA.
    ///
    /// # Errors
    /// [`CaError::NotIssued`] when there is none, [`CaError::Altered`] when its file is not what the
    /// index and the CA's signature say, or when the file cannot be read.
    pub fn issued(&self, serial: &str) -> Result<(IndexEntry, Vec<u8>), CaError> {
        let serial = serial.to_ascii_lowercase();
        let entry = self.list()?.into_iter().find(|entry| entry.serial == serial);
        let entry = entry.ok_or(CaError::NotIssued { serial })?;
        let mut authorities = self.issuers.iter();
        // A CA's own, unless it was renewed since: then the old one is among the others.
        let own = authorities.find(|issuer| {
            issuer.decode().is_ok_and(|certificate| certificate.serial_text() == entry.serial)
        });
        let certificate = match own {
            Some(issuer) => issuer.certificate.clone(),
            None => folder::read_certificate(&self.issued_path(&entry.serial))?,
        };
        held::verify_issued(&certificate, &entry, self.issuer(entry.ca))?;
        Ok((entry, certificate))
    }

    /// The PEM file of an end entity's certificate.
    pub fn issued_path(&self, serial: &str) -> PathBuf {
        self.folder.join(ISSUED_FOLDER).join(format!("{serial}.pem"))
    }

    fn issuer(&self, authority: Authority) -> &Issuer {
        let [root, signing, timestamping, service] = &self.issuers;
        match authority {
            Authority::Root => root,
            Authority::Signing => signing,
            Authority::Timestamping => timestamping,
            Authority::Service => service,
        }
    }

    fn issuer_mut(&mut self, authority: Authority) -> &mut Issuer {
        let [root, signing, timestamping, service] = &mut self.issuers;
        match authority {
            Authority::Root => root,
            Authority::Signing => signing,
            Authority::Timestamping => timestamping,
            Authority::Service => service,
        }
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority")
            .field("folder", &self.folder)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn decode(certificate: &[u8], what: impl FnOnce() -> String) -> Result<Certificate<'_>, CaError> {
    Certificate::decode(certificate).map_err(|source| CaError::Malformed { what: what(), source })
}

fn decode_public_key(spki: &[u8]) -> Result<PublicKey<'_>, CaError> {
    let what = || "the public key".to_owned();
    PublicKey::decode(spki).map_err(|source| CaError::Malformed { what: what(), source })
}

fn refuse(profile: Profile, problem: &'static str) -> CaError {
    CaError::Request { profile: profile.name(), problem }
}
