//! A key of the authority with its certificates, checked to fit before it may sign.
//!
//! A certificate that breaks the profile, is out of its validity, or is another key's is refused
//! at the start and not at the first client. Revocation is not looked at: an operator whose
//! certificate is revoked stops the service. When it is this key's turn is `keys`' to say.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use const_oid::ObjectIdentifier;
use countersign_core::crypto::SignatureScheme;
use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::digest::{HashAlgorithm, digest};
use countersign_core::finding::Finding;
use countersign_core::time::UnixSeconds;
use countersign_core::tsp::TimestampRequest;
use countersign_core::x509::Certificate;
use countersign_core::x509::path::{Purpose, inspect_leaf};
use countersign_core::x509::profile::{self, Profile};
use countersign_signing::key::{
    self, KeyError, KeyLocation, Passphrase, PassphraseError, SignError, Signer, random_serial,
};
use countersign_signing::pem::{self, PemError};
use countersign_signing::tsp::{Accuracy, TimestampPolicy, TimestampSigner};

use crate::config::KeySettings;
use crate::policy::OfferedPolicy;

/// Why key and certificates cannot issue.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The passphrase file cannot be used, or names no passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// There is no passphrase for an encrypted key.
    #[error("key `key_passphrase_file` is missing: {} is an encrypted key, and only encrypted keys are used", path.display())]
    NoPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate file cannot be read.
    #[error("{}: {source}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PemError,
    },
    /// A certificate of the chain does not decode.
    #[error("certificate {position} of the chain does not decode: {detail}")]
    Decode {
        /// Which one, the first being 1.
        position: usize,
        /// What is wrong.
        detail: String,
    },
    /// A certificate of the chain was not issued by the next.
    #[error("certificate {position} of the chain was not issued by certificate {}; write the authority's first, then each one's issuer", position + 1)]
    Order {
        /// Which one, the first being 1.
        position: usize,
    },
    /// Verifiers would refuse the authority's certificate.
    #[error("the certificate of {subject} is no timestamp authority's: {rule}")]
    Profile {
        /// Whose certificate it is.
        subject: String,
        /// The rule that it breaks, and the clause.
        rule: String,
    },
    /// The time at which it is to sign is not within the certificate's validity.
    #[error("the certificate of {subject} is valid from {not_before} to {not_after}, and {when}")]
    Validity {
        /// Whose certificate it is.
        subject: String,
        /// Its first second.
        not_before: UnixSeconds,
        /// Its last second.
        not_after: UnixSeconds,
        /// What does not fit.
        when: When,
    },
    /// No policy is offered, or one states no accuracy.
    #[error("no policy that can be offered")]
    NoPolicy,
    /// Key and certificate do not fit, or the key does not sign.
    #[error("{0}")]
    Sign(#[from] SignError),
}

/// At what time a certificate must be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Now, as the clock says.
    Now(UnixSeconds),
    /// Later, as the configuration says.
    From(UnixSeconds),
}

impl When {
    fn time(self) -> UnixSeconds {
        match self {
            Self::Now(time) | Self::From(time) => time,
        }
    }
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(time) => write!(f, "the clock says {time}"),
            Self::From(time) => write!(f, "rotate_at is {time}"),
        }
    }
}

/// What a key is like while it signs, and so which threads it may hold up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// In this process, and done in less time than handing the work to another thread would save
    /// others: signs on the threads that serve connections.
    Prompt,
    /// Takes a millisecond or more, or waits for something outside: signs on threads for that.
    Slow,
}

impl Pace {
    /// The pace of a key kept at `location`: ECDSA takes 20–90 µs, RSA-3072 over a millisecond.
    pub fn of(location: &KeyLocation, scheme: SignatureScheme) -> Self {
        let elliptic =
            matches!(scheme, SignatureScheme::EcdsaP256Sha256 | SignatureScheme::EcdsaP384Sha384);
        match location {
            KeyLocation::File(_) if elliptic => Self::Prompt,
            _ => Self::Slow,
        }
    }
}

/// What signs tokens.
#[derive(Debug)]
pub struct Issuer {
    offers: Vec<Offer>,
    key: Arc<dyn Signer>,
    pace: Pace,
    leaf: Leaf,
    key_id: String,
    chain: Vec<Vec<u8>>,
}

/// A policy, and what signs under it.
#[derive(Debug)]
pub struct Offer {
    /// The policy.
    pub policy: OfferedPolicy,
    signer: TimestampSigner,
}

/// A token that was signed, within its response.
#[derive(Debug)]
pub struct Signed {
    /// DER of the whole `TimeStampResp`.
    pub response: Vec<u8>,
    /// The token's serial number, most significant octet first.
    pub serial: [u8; 16],
}

impl Issuer {
    /// Opens the key and reads the certificates, and makes a token that is thrown away, to see that
    /// the whole path works.
    ///
    /// # Errors
    /// A file cannot be used; the first certificate breaks its profile, is not valid at `when`, or
    /// is another key's; or the chain is out of order.
    pub fn open(
        settings: &KeySettings,
        policies: &[OfferedPolicy],
        when: When,
    ) -> Result<Self, IssuerError> {
        let chain = pem::read_certificates(&settings.certificate_chain).map_err(|source| {
            IssuerError::Certificates { path: settings.certificate_chain.clone(), source }
        })?;
        // Before the key is touched: a token's PIN is not asked for in vain.
        inspect_chain(&chain, when)?;
        let key = open_key(settings, chain.first().ok_or(SignError::NoCertificate)?)?;
        let pace = Pace::of(&settings.key, key.scheme());
        Self::new(&key, pace, chain, policies, when)
    }

    /// As [`open`](Self::open), with a key that the caller has, wherever that is kept. `chain` is
    /// DER, the authority's certificate first.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for files.
    pub fn new(
        key: &Arc<dyn Signer>,
        pace: Pace,
        chain: Vec<Vec<u8>>,
        policies: &[OfferedPolicy],
        when: When,
    ) -> Result<Self, IssuerError> {
        let leaf = inspect_chain(&chain, when)?;
        let key_id = digest(&AwsLc, HashAlgorithm::Sha256, key.spki()).hex();
        if policies.is_empty() {
            return Err(IssuerError::NoPolicy);
        }
        let mut offers: Vec<Offer> = Vec::with_capacity(policies.len());
        for policy in policies {
            let accuracy = Accuracy::from_duration(policy.accuracy).ok_or(IssuerError::NoPolicy)?;
            let stated = TimestampPolicy { policy: policy.oid, accuracy };
            let signer = match offers.first() {
                Some(first) => first.signer.under(stated),
                None => TimestampSigner::new(Arc::clone(key), chain.clone(), stated)?,
            };
            offers.push(Offer { policy: policy.clone(), signer });
        }
        let issuer = Self { offers, key: Arc::clone(key), pace, leaf, key_id, chain };
        issuer.try_key()?;
        Ok(issuer)
    }

    /// The offer for a policy, or the default one for none.
    pub fn offer(&self, policy: Option<ObjectIdentifier>) -> Option<&Offer> {
        match policy {
            None => self.offers.first(),
            Some(oid) => self.offers.iter().find(|offer| offer.policy.oid == oid),
        }
    }

    /// Everything that is offered, the default first.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// Which threads the key may hold up.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// The certificate's subject, for people.
    pub fn subject(&self) -> &str {
        &self.leaf.subject
    }

    /// The key's name in records: the SHA-256 of its `SubjectPublicKeyInfo`, in hexadecimal.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The certificates, DER, the authority's own first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The first second of the certificate's validity.
    pub fn not_before(&self) -> UnixSeconds {
        self.leaf.not_before
    }

    /// The last second of the certificate's validity.
    pub fn not_after(&self) -> UnixSeconds {
        self.leaf.not_after
    }

    /// Where the certificate departs from the profile of those that `countersign ca` issues, each with
    /// the clause. Verifiers accept these; other authorities issue by other customs.
    pub fn departures(&self) -> &[String] {
        &self.leaf.departures
    }

    /// Whether the key signs. What it signs is no token, so that none is made which is not on record.
    ///
    /// # Errors
    /// Why it does not.
    pub fn try_key(&self) -> Result<(), SignError> {
        key::try_out(self.key.as_ref())
    }
}

impl Offer {
    /// A token for `request`; blocks while the key signs.
    ///
    /// # Errors
    /// The key refuses, or there are no random numbers for the serial.
    pub fn respond(
        &self,
        request: &TimestampRequest<'_>,
        gen_time: SystemTime,
    ) -> Result<Signed, SignError> {
        let serial = random_serial()?;
        let response = self.signer.respond(request, gen_time, serial)?;
        Ok(Signed { response, serial })
    }
}

fn open_key(settings: &KeySettings, certificate: &[u8]) -> Result<Arc<dyn Signer>, IssuerError> {
    let passphrase = match (&settings.key_passphrase_file, &settings.key) {
        (Some(file), _) => Some(Passphrase::from_file(file)?),
        (None, KeyLocation::File(path)) => {
            return Err(IssuerError::NoPassphrase { path: path.clone() });
        }
        (None, KeyLocation::Token(_)) => None,
    };
    Ok(key::open_for_certificate(&settings.key, passphrase.as_ref(), certificate)?)
}

/// What is kept of an authority's certificate.
#[derive(Debug)]
struct Leaf {
    subject: String,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    departures: Vec<String>,
}

/// The leaf, when the chain is one of a timestamp authority.
fn inspect_chain(chain: &[Vec<u8>], when: When) -> Result<Leaf, IssuerError> {
    let decoded = chain
        .iter()
        .enumerate()
        .map(|(index, der)| {
            Certificate::decode(der).map_err(|error| IssuerError::Decode {
                position: index + 1,
                detail: error.to_string(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let leaf = decoded.first().ok_or(SignError::NoCertificate)?;
    let subject = leaf.subject_text();
    inspect_leaf(leaf, Purpose::TimeStamping).map_err(|finding| IssuerError::Profile {
        subject: subject.clone(),
        rule: format!("{} ({})", rule_text(&finding), finding.code.clause()),
    })?;
    if !leaf.is_valid_at(when.time()) {
        let (not_before, not_after) = (leaf.not_before, leaf.not_after);
        return Err(IssuerError::Validity { subject, not_before, not_after, when });
    }
    for (index, pair) in decoded.windows(2).enumerate() {
        if let [issued, issuer] = pair
            && !issued.is_signed_by(issuer, &AwsLc)
        {
            return Err(IssuerError::Order { position: index + 1 });
        }
    }
    let departures =
        profile::inspect(leaf, Profile::TimestampAuthority).iter().map(rule_text).collect();
    Ok(Leaf { subject, not_before: leaf.not_before, not_after: leaf.not_after, departures })
}

fn rule_text(finding: &Finding) -> String {
    let expected = finding.expected.as_deref().unwrap_or(finding.code.title());
    let found = finding.found.as_deref().unwrap_or("something else");
    format!("{expected}, found {found}")
}
