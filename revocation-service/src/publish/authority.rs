//! One issuer as the files say it: its certificate, perhaps its key, perhaps an OCSP delegate.
//!
//! Everything is checked here, before anything is served: that keys and certificates belong together.
//! What was revoked is not known here.

mod config;
mod delegate;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, digest},
    ocsp::CertId,
    time::UnixSeconds,
    x509::{Certificate, KeyUsage},
};
use countersign_daemon::sha256::sha256;
use countersign_signing::{
    ca::CaError,
    certificate::Pointers,
    key::{self, KeyError, KeyLocation, Passphrase, PassphraseError, SignError, Signer},
    pem::{self, PemError},
};

pub use self::{
    config::{DelegateSource, IssuerConfig},
    delegate::{Delegate, IssuedDelegate, Pace},
};

/// The hashes that `CertIDs` are made with.
const CERT_ID_HASHES: [HashAlgorithm; 4] =
    [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512];

/// An issuer and what it signs with.
#[derive(Debug)]
pub struct Authority {
    config: IssuerConfig,
    certificate: Bytes,
    spki_sha256: [u8; 32],
    validity: (UnixSeconds, UnixSeconds),
    is_root: bool,
    identifiers: Vec<IssuerIdentifier>,
    key: Option<Arc<dyn Signer>>,
    delegate: ArcSwapOption<Delegate>,
    crl_url: Option<String>,
    /// What delegates that are issued here name.
    pointers: Option<Pointers>,
}

/// How `CertIDs` of one hash algorithm name the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerIdentifier {
    /// With which hash.
    pub algorithm: HashAlgorithm,
    /// Hash of the issuer's name.
    pub name_hash: Digest,
    /// Hash of the issuer's public key.
    pub key_hash: Digest,
}

/// Why an issuer cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("issuer {name:?}: {fault}")]
pub struct AuthorityError {
    /// Its configured name.
    pub name: String,
    /// What is wrong.
    #[source]
    pub fault: AuthorityFault,
}

impl AuthorityError {
    /// Whether the same configuration may do later: a token is away.
    pub fn is_transient(&self) -> bool {
        matches!(&self.fault, AuthorityFault::Key(error) if error.is_transient())
    }
}

/// What is wrong with an issuer's files.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityFault {
    /// A certificate file cannot be used.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PemError,
    },
    /// A certificate cannot be read.
    #[error("{}: {detail}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key is encrypted as it should be and no passphrase file is named.
    #[error("{}: name a file with the key's passphrase ({setting})", path.display())]
    NoPassphrase {
        /// The key file.
        path: PathBuf,
        /// The setting that is missing.
        setting: &'static str,
    },
    /// The passphrase file cannot be used, or names no passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// A key belongs to another certificate.
    #[error("{key} is not the key of the certificate {}", certificate.display())]
    KeyMismatch {
        /// The key file or token.
        key: String,
        /// The certificate file.
        certificate: PathBuf,
    },
    /// Nothing says where the CRL is to be found.
    #[error(
        "name the URL of its CRL as its certificates say it (crl_url), or public_url for all issuers"
    )]
    NoCrlUrl,
    /// A root's CRL has no scope that could be cut.
    #[error("a root's CRL covers all of its certificates; remove crl_shards")]
    RootShards,
    /// The delegate was issued by somebody else.
    #[error("{} was not issued by {}", delegate.display(), issuer.display())]
    DelegateIssuer {
        /// The delegate's certificate file.
        delegate: PathBuf,
        /// The issuer's certificate file.
        issuer: PathBuf,
    },
    /// The delegate's certificate breaks its profile.
    #[error("{} is no OCSP delegate's certificate: {rules}", path.display())]
    DelegateProfile {
        /// The delegate's certificate file.
        path: PathBuf,
        /// The rules broken.
        rules: String,
    },
    /// The new delegate's certificate is of no use now, and the one in use is.
    #[error("{} is valid from {not_before} to {not_after}, and the clock says {now}", path.display())]
    DelegateValidity {
        /// The delegate's certificate file.
        path: PathBuf,
        /// Its first second.
        not_before: UnixSeconds,
        /// Its last second.
        not_after: UnixSeconds,
        /// The clock.
        now: UnixSeconds,
    },
    /// A delegate that is issued here would name no responder.
    #[error("delegates that are issued here name the responder: set public_url")]
    NoPublicUrl,
    /// A delegate was not issued.
    #[error("no OCSP delegate could be issued: {0}")]
    Issue(#[source] Box<CaError>),
    /// The signer of OCSP answers cannot be set up.
    #[error("the OCSP delegate cannot be used: {0}")]
    Delegate(#[source] SignError),
}

impl Authority {
    /// Reads the files of one issuer and checks them against each other. `public_url` is where CRLs
    /// are found by convention (`{public_url}/crl/{name}.crl`) when nothing else says it.
    ///
    /// # Errors
    /// [`AuthorityError`] names the issuer, the file and the rule. A delegate that has expired is no
    /// error: CRLs must not go down with it; readiness tells of it.
    pub fn load(config: &IssuerConfig, public_url: Option<&str>) -> Result<Self, AuthorityError> {
        Self::read(config, public_url)
            .map_err(|fault| AuthorityError { name: config.name.clone(), fault })
    }

    fn read(config: &IssuerConfig, public_url: Option<&str>) -> Result<Self, AuthorityFault> {
        let der = read_certificate(&config.certificate)?;
        let certificate = decode(&config.certificate, &der)?;
        let can_sign_crls = certificate
            .extensions
            .key_usage
            .is_some_and(|(_, usage)| usage.contains(KeyUsage::CRL_SIGN));
        if !certificate.extensions.is_ca() || !can_sign_crls {
            return Err(AuthorityFault::Certificate {
                path: config.certificate.clone(),
                detail: "not a CA certificate whose keyUsage has cRLSign".to_owned(),
            });
        }
        if certificate.is_self_issued() && !config.crl_shards.is_empty() {
            return Err(AuthorityFault::RootShards);
        }
        let key = match &config.key {
            None => None,
            Some(path) => Some(read_key(
                path,
                (config.key_passphrase_file.as_deref(), "key_passphrase_file"),
                (&config.certificate, &certificate),
            )?),
        };
        let (delegate, delegate_crl_url) = match delegate::read(config, &certificate)? {
            None => (None, None),
            Some((delegate, crl_url)) => (Some(delegate), crl_url),
        };
        let by_convention = || {
            public_url.map(|base| format!("{}/crl/{}.crl", base.trim_end_matches('/'), config.name))
        };
        let crl_url = config.crl_url.clone().or(delegate_crl_url).or_else(by_convention);
        if key.is_some() && crl_url.is_none() {
            return Err(AuthorityFault::NoCrlUrl);
        }
        let pointers = public_url.zip(crl_url.as_ref()).map(|(base, crl_url)| {
            let base = base.trim_end_matches('/');
            Pointers {
                crl_url: crl_url.clone(),
                delta_url: None,
                ocsp_url: format!("{base}/ocsp"),
                issuer_url: format!("{base}/ca/{}.cer", config.name),
            }
        });
        if config.ocsp_delegate == DelegateSource::Automatic && pointers.is_none() {
            return Err(AuthorityFault::NoPublicUrl);
        }
        Ok(Self {
            pointers,
            spki_sha256: sha256(certificate.public_key.raw),
            validity: (certificate.not_before, certificate.not_after),
            is_root: certificate.is_self_issued(),
            identifiers: CERT_ID_HASHES
                .map(|algorithm| identifier(algorithm, &certificate))
                .to_vec(),
            key,
            delegate: ArcSwapOption::from_pointee(delegate),
            crl_url,
            config: config.clone(),
            certificate: der.into(),
        })
    }

    /// Reads the delegate's files again and serves with it from now on.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`AuthorityFault::DelegateValidity`]; the delegate in use stays in
    /// use.
    pub fn reload_delegate(&self, now: UnixSeconds) -> Result<(), AuthorityError> {
        if self.issues_delegates() {
            return Ok(());
        }
        let replace = || {
            let delegate =
                delegate::read(&self.config, &self.certificate())?.map(|(delegate, _)| delegate);
            if let Some(new) = &delegate {
                let in_use = self.delegate();
                delegate::refuse_worse(new, in_use.as_deref(), &self.config, now)?;
            }
            self.delegate.store(delegate.map(Arc::new));
            Ok(())
        };
        replace().map_err(|fault| AuthorityError { name: self.config.name.clone(), fault })
    }

    /// The name in paths and orders.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The certificate.
    ///
    /// # Panics
    /// Never: the same octets were decoded when they were loaded.
    pub fn certificate(&self) -> Certificate<'_> {
        // Unwrap safety: `read` decoded these very octets.
        Certificate::decode(&self.certificate).expect("decoded when it was loaded")
    }

    /// The certificate's DER.
    pub fn certificate_der(&self) -> &Bytes {
        &self.certificate
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.spki_sha256
    }

    /// First second of the certificate's validity.
    pub fn not_before(&self) -> UnixSeconds {
        self.validity.0
    }

    /// Last second of the certificate's validity.
    pub fn not_after(&self) -> UnixSeconds {
        self.validity.1
    }

    /// The issuer's key, if it is here.
    pub fn key(&self) -> Option<&Arc<dyn Signer>> {
        self.key.as_ref()
    }

    /// The OCSP delegate, if there is one.
    pub fn delegate(&self) -> Option<Arc<Delegate>> {
        self.delegate.load_full()
    }

    /// Whether that delegate is the one in use.
    pub fn is_delegate(&self, delegate: &Arc<Delegate>) -> bool {
        self.delegate.load().as_ref().is_some_and(|in_use| Arc::ptr_eq(in_use, delegate))
    }

    /// DER of the `CertID` of this issuer's certificate with that serial number (content octets);
    /// nothing for a hash that `CertIDs` are not made with.
    pub fn cert_id(&self, algorithm: HashAlgorithm, serial: &[u8]) -> Option<Vec<u8>> {
        let named = self.identifiers.iter().find(|each| each.algorithm == algorithm)?;
        let (name, key) = (named.name_hash.octets(), named.key_hash.octets());
        Some(countersign_signing::ocsp::cert_id_of(algorithm, name, key, serial))
    }

    /// Whether its delegates are issued here.
    pub fn issues_delegates(&self) -> bool {
        self.config.ocsp_delegate == DelegateSource::Automatic
    }

    /// Issues a delegate, for the caller to register and [`use`](Self::use_delegate). Blocks for a
    /// new key and some signatures.
    ///
    /// # Errors
    /// [`AuthorityError`]: the key does not sign, or the issuer's certificate is not valid.
    pub fn issue_delegate(
        &self,
        validity_seconds: i64,
        now: UnixSeconds,
    ) -> Result<IssuedDelegate, AuthorityError> {
        let (Some(key), Some(pointers)) = (&self.key, &self.pointers) else {
            return Err(self.error(AuthorityFault::NoPublicUrl));
        };
        delegate::issue(&self.certificate, key.as_ref(), pointers, (validity_seconds, now))
            .map_err(|fault| self.error(fault))
    }

    /// Answers are signed by `delegate` from now on.
    pub fn use_delegate(&self, delegate: Delegate) {
        self.delegate.store(Some(Arc::new(delegate)));
    }

    fn error(&self, fault: AuthorityFault) -> AuthorityError {
        AuthorityError { name: self.config.name.clone(), fault }
    }

    /// Where its CRL is to be found, as its certificates say.
    pub fn crl_url(&self) -> Option<&str> {
        self.crl_url.as_deref()
    }

    /// Into how many shards its CRLs are cut: each count that its certificates name.
    pub fn crl_shards(&self) -> &[u32] {
        &self.config.crl_shards
    }

    /// Whether it is its own issuer.
    pub fn is_root(&self) -> bool {
        self.is_root
    }

    /// The file with a CRL made elsewhere, if that is what is served.
    pub fn crl_file(&self) -> Option<&Path> {
        self.config.crl_file.as_deref()
    }

    /// Whether `id` names this issuer: hash algorithm, name and key by value, not by encoding.
    pub fn is_named_by(&self, id: &CertId<'_>) -> bool {
        self.identifiers.iter().any(|identifier| {
            id.hash == Some(identifier.algorithm)
                && id.issuer_name_hash == identifier.name_hash.octets()
                && id.issuer_key_hash == identifier.key_hash.octets()
        })
    }
}

fn identifier(algorithm: HashAlgorithm, issuer: &Certificate<'_>) -> IssuerIdentifier {
    IssuerIdentifier {
        algorithm,
        name_hash: digest(&AwsLc, algorithm, issuer.subject),
        key_hash: digest(&AwsLc, algorithm, issuer.public_key.bits),
    }
}

fn read_certificate(path: &Path) -> Result<Vec<u8>, AuthorityFault> {
    let mut certificates = pem::read_certificates(path)
        .map_err(|source| AuthorityFault::Pem { path: path.to_owned(), source })?;
    // A chain file is fine: its first certificate is the one meant.
    Ok(certificates.swap_remove(0))
}

fn decode<'a>(path: &Path, der: &'a [u8]) -> Result<Certificate<'a>, AuthorityFault> {
    Certificate::decode(der).map_err(|error| AuthorityFault::Certificate {
        path: path.to_owned(),
        detail: error.to_string(),
    })
}

fn read_key(
    location: &KeyLocation,
    (passphrase_file, setting): (Option<&Path>, &'static str),
    (certificate_path, certificate): (&Path, &Certificate<'_>),
) -> Result<Arc<dyn Signer>, AuthorityFault> {
    if let (None, Some(path)) = (passphrase_file, location.file()) {
        return Err(AuthorityFault::NoPassphrase { path: path.to_owned(), setting });
    }
    let passphrase = match passphrase_file {
        Some(file) => Some(Passphrase::from_file(file)?),
        None => None,
    };
    key::open_for_certificate(location, passphrase.as_ref(), certificate.raw).map_err(|error| {
        match error {
            KeyError::Certificate(SignError::KeyMismatch) => AuthorityFault::KeyMismatch {
                key: location.to_string(),
                certificate: certificate_path.to_owned(),
            },
            other => AuthorityFault::Key(other),
        }
    })
}

/// Findings of a lint as one line.
pub(crate) fn rules(findings: &[countersign_core::finding::Finding]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let facts = [
                ("about", &finding.subject),
                ("expected", &finding.expected),
                ("found", &finding.found),
            ];
            let facts: Vec<String> = facts
                .into_iter()
                .filter_map(|(word, fact)| fact.as_ref().map(|fact| format!("{word} {fact}")))
                .collect();
            let facts = facts.join(", ");
            format!("{} {} ({facts})", finding.code.code(), finding.code.title())
        })
        .collect();
    lines.join("; ")
}
