//! Issuing and renewing certificates of end entities: `prepare → lint → issue`.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    time::UnixSeconds,
    x509::{Certificate, KeyUsage},
};

use super::{
    CaError, CertificateAuthority, INDEX_FILE, ISSUED_FOLDER, IndexEntry, decode,
    decode_public_key, folder, index, lint::lint, refuse,
};
use crate::{
    certificate::{Fields, IssuerFields, UnsignedCertificate, key_identifier},
    csr,
    key::{FileKey, NewKey, SignError, Signer, random_serial},
    name::{DistinguishedName, SubjectName},
    pem,
    profile::{self, Authority, Kind, Names, Profile},
};

/// How far back validity begins: a verifier whose clock is a little slow does not refuse a fresh
/// certificate, and nothing worth signing is five minutes older than its signer's certificate.
pub(super) const BACKDATED_SECONDS: i64 = 300;

/// A longer text is not the address of a login provider.
const MAXIMUM_OIDC_ISSUER_OCTETS: usize = 1024;

/// What a certificate is to say. The profile decides the rest.
#[derive(Clone, Debug)]
pub struct IssueRequest {
    /// The kind of certificate; not a CA's.
    pub profile: Profile,
    /// Who is to issue it; needed for OCSP delegates, which any CA may have.
    pub issuer: Option<Authority>,
    /// The subject; may be empty if there are alternative names.
    pub subject: DistinguishedName,
    /// The alternative names, as the profile demands.
    pub names: Vec<SubjectName>,
    /// For code signers: the login provider that vouched for the identity.
    pub oidc_issuer: Option<String>,
    /// How long it is valid from now, in seconds; the profile's default if nothing. Never longer
    /// than the issuer's own certificate: it is cut there.
    pub validity_seconds: Option<i64>,
}

impl IssueRequest {
    /// A request with no names and the defaults of its profile.
    pub fn new(profile: Profile, subject: DistinguishedName) -> Self {
        Self {
            profile,
            issuer: None,
            subject,
            names: Vec::new(),
            oidc_issuer: None,
            validity_seconds: None,
        }
    }

    /// Who issues it.
    ///
    /// # Errors
    /// When the profile is a CA's, or leaves a choice that was not made, or forbids the one made.
    pub fn issuing_authority(&self) -> Result<Authority, CaError> {
        if matches!(self.profile.rules().kind, Kind::Authority { .. }) {
            return Err(refuse(self.profile, "is a CA's and is made when the authority is"));
        }
        match (self.issuer, profile::terms(self.profile).issuers) {
            (None, [only]) => Ok(*only),
            (None, _) => Err(refuse(self.profile, "needs its issuer named")),
            (Some(issuer), issuers) if issuers.contains(&issuer) => Ok(issuer),
            (Some(_), _) => Err(refuse(self.profile, "is not for that CA to issue")),
        }
    }
}

/// Whose public key goes into a certificate.
#[derive(Clone, Debug)]
pub enum SubjectKey {
    /// This one: DER of the `SubjectPublicKeyInfo`. Whoever calls this knows that the subject has
    /// the private key.
    PublicKey(Vec<u8>),
    /// That of a certification request, PEM or DER, which proves possession; nothing else is taken
    /// from it.
    Csr(Vec<u8>),
    /// A new one, handed back with the certificate and not saved.
    New(NewKey),
}

/// Whose public key goes into a renewed certificate.
#[derive(Clone, Debug)]
pub enum RenewalKey {
    /// The old certificate's.
    Same,
    /// Another.
    Other(SubjectKey),
}

/// A certificate that passed the lint and is not signed yet.
#[derive(Debug)]
pub struct PreparedCertificate {
    unsigned: UnsignedCertificate,
    issuer: Authority,
    key: Option<FileKey>,
}

impl PreparedCertificate {
    /// What would be signed.
    pub fn unsigned(&self) -> &UnsignedCertificate {
        &self.unsigned
    }

    /// Who would sign it.
    pub fn issuer(&self) -> Authority {
        self.issuer
    }
}

/// A certificate that was issued, is on disk, and is in the index.
#[derive(Debug)]
pub struct IssuedCertificate {
    /// DER.
    pub certificate: Vec<u8>,
    /// Its line in the index.
    pub entry: IndexEntry,
    /// The certificate and the issuing CA's, DER, without the root: what a TLS server or a
    /// timestamp authority sends.
    pub chain: Vec<Vec<u8>>,
    /// The new private key, if one was asked for; saving it is the caller's.
    pub key: Option<FileKey>,
}

/// What a request or an old certificate says of the subject.
struct Subject {
    name: Vec<u8>,
    names: Vec<SubjectName>,
    oidc_issuer: Option<String>,
}

impl CertificateAuthority {
    /// Lays a certificate out and has it looked at by the lint; nothing is signed with a CA's key
    /// and nothing is written.
    ///
    /// # Errors
    /// When the request does not fit its profile, a name cannot be used, the issuer's certificate
    /// is not valid now, or the lint finds a rule broken.
    pub fn prepare(
        &self,
        request: &IssueRequest,
        key: SubjectKey,
        now: UnixSeconds,
    ) -> Result<PreparedCertificate, CaError> {
        let issuer = request.issuing_authority()?;
        check_names(request)?;
        let subject = Subject {
            name: request.subject.encode()?,
            names: request.names.clone(),
            oidc_issuer: request.oidc_issuer.clone(),
        };
        let validity_seconds = request.validity_seconds;
        self.prepare_for(request.profile, issuer, &subject, validity_seconds, key, now)
    }

    /// Prepares, lints, signs, writes and indexes a certificate.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), or when the CA's key or the disk refuses. Without an `Ok`,
    /// no certificate was handed out.
    pub fn issue(
        &self,
        request: &IssueRequest,
        key: SubjectKey,
        now: UnixSeconds,
    ) -> Result<IssuedCertificate, CaError> {
        self.issue_prepared(self.prepare(request, key, now)?, now)
    }

    /// Issues a certificate with the subject, names and profile of an earlier one and a validity
    /// that starts now; the profile's default one unless `validity_seconds` says otherwise. For
    /// a CA's there is [`renew_authority`](Self::renew_authority).
    ///
    /// # Errors
    /// [`CaError::NotIssued`] when no certificate of an end entity has that serial number (in
    /// hexadecimal), else as [`issue`](Self::issue).
    pub fn renew(
        &self,
        serial: &str,
        key: RenewalKey,
        validity_seconds: Option<i64>,
        now: UnixSeconds,
    ) -> Result<IssuedCertificate, CaError> {
        let (entry, bytes) = self.issued(serial)?;
        if matches!(entry.profile.rules().kind, Kind::Authority { .. }) {
            return Err(refuse(entry.profile, "is a CA's and is renewed by the CA's name"));
        }
        let old = decode(&bytes, || format!("certificate {serial}"))?;
        let subject = Subject {
            name: old.subject.to_vec(),
            names: old.extensions.subject_alt_names.iter().filter_map(SubjectName::of).collect(),
            oidc_issuer: old.extensions.oidc_issuer.map(str::to_owned),
        };
        let key = match key {
            RenewalKey::Same => SubjectKey::PublicKey(old.public_key.raw.to_vec()),
            RenewalKey::Other(key) => key,
        };
        let prepared =
            self.prepare_for(entry.profile, entry.ca, &subject, validity_seconds, key, now)?;
        self.issue_prepared(prepared, now)
    }

    fn prepare_for(
        &self,
        profile: Profile,
        authority: Authority,
        subject: &Subject,
        validity_seconds: Option<i64>,
        key: SubjectKey,
        now: UnixSeconds,
    ) -> Result<PreparedCertificate, CaError> {
        let issuer = self.issuer(authority).decode_valid_at(now)?;
        let validity_seconds = validity_seconds.unwrap_or(profile::terms(profile).validity_seconds);
        if validity_seconds < 1 {
            return Err(refuse(profile, "needs a validity of at least a second"));
        }
        let (spki, key) = match key {
            SubjectKey::PublicKey(spki) => (spki, None),
            SubjectKey::Csr(request) => (csr::verify(&request)?.spki().to_vec(), None),
            SubjectKey::New(algorithm) => {
                let key = FileKey::generate(algorithm)?;
                (key.spki().to_vec(), Some(key))
            }
        };
        let public_key = decode_public_key(&spki)?;
        let serial = random_serial()?;
        let fields = Fields {
            profile,
            serial,
            issuer: &self.issuer_fields(authority, &issuer, profile, &serial),
            not_before: now.minus_seconds(BACKDATED_SECONDS).max(issuer.not_before),
            not_after: now.plus_seconds(validity_seconds).min(issuer.not_after),
            subject: &subject.name,
            names: &subject.names,
            oidc_issuer: subject.oidc_issuer.as_deref(),
            spki: public_key.raw,
            public_key: public_key.bits,
        };
        let algorithm = self.settings().algorithm;
        let unsigned = UnsignedCertificate::build(&fields, algorithm.scheme())?;
        lint(&unsigned, self.throw_away_key(algorithm)?)?;
        Ok(PreparedCertificate { unsigned, issuer: authority, key })
    }

    pub(super) fn issuer_fields(
        &self,
        authority: Authority,
        issuer: &Certificate<'_>,
        profile: Profile,
        serial: &[u8],
    ) -> IssuerFields {
        let extensions = &issuer.extensions;
        debug_assert!(
            extensions.key_usage.is_some_and(|(_, usage)| usage.contains(KeyUsage::KEY_CERT_SIGN)),
            "an issuer of ours may sign certificates"
        );
        IssuerFields {
            name: issuer.subject.to_vec(),
            key_identifier: extensions
                .subject_key_identifier
                .map_or_else(|| key_identifier(issuer.public_key.bits), <[u8]>::to_vec),
            pointers: Some(self.settings().pointers_for(authority, profile, serial)),
        }
    }

    pub(super) fn throw_away_key(&self, algorithm: NewKey) -> Result<&FileKey, CaError> {
        if let Some(key) = self.throw_away_key.get() {
            return Ok(key);
        }
        let key = FileKey::generate(algorithm)?;
        Ok(self.throw_away_key.get_or_init(|| key))
    }

    /// Signs, writes and indexes what [`prepare`](Self::prepare) prepared.
    ///
    /// # Errors
    /// When the CA's key or the disk refuses. Without an `Ok`, no certificate was handed out.
    pub fn issue_prepared(
        &self,
        prepared: PreparedCertificate,
        now: UnixSeconds,
    ) -> Result<IssuedCertificate, CaError> {
        let PreparedCertificate { unsigned, issuer, key } = prepared;
        let (bytes, entry) = self.sign_and_index(&unsigned, issuer, now)?;
        folder::make_subfolder(&self.folder.join(ISSUED_FOLDER))?;
        pem::write_certificates(&self.issued_path(&entry.serial), &[&bytes])?;
        let chain = match issuer {
            Authority::Root => vec![bytes.clone()],
            below => vec![bytes.clone(), self.certificate(below).to_vec()],
        };
        Ok(IssuedCertificate { certificate: bytes, entry, chain, key })
    }

    /// Signs a certificate and has it in the index, before it is anywhere else.
    pub(super) fn sign_and_index(
        &self,
        unsigned: &UnsignedCertificate,
        issuer: Authority,
        now: UnixSeconds,
    ) -> Result<(Vec<u8>, IndexEntry), CaError> {
        let bytes = unsigned.sign(&*self.signer(issuer)?)?;
        let certificate = decode(&bytes, || "the new certificate".to_owned())?;
        // The key file may be another CA's: look before anyone else does.
        if !certificate.is_signed_by(&self.issuer(issuer).decode()?, &AwsLc) {
            return Err(SignError::KeyMismatch.into());
        }
        let entry = IndexEntry::of(&certificate, issuer, unsigned.profile(), now);
        // Index first: a certificate that exists and is not listed could not be revoked, while one
        // that is listed and was never handed out harms nobody.
        index::append(&self.folder.join(INDEX_FILE), &entry)?;
        Ok((bytes, entry))
    }
}

fn check_names(request: &IssueRequest) -> Result<(), CaError> {
    let identities =
        |name: &SubjectName| matches!(name, SubjectName::Email(_) | SubjectName::Uri(_));
    let problem = match request.profile.rules().names {
        Names::None if !request.names.is_empty() => Some("has no alternative names"),
        Names::Identity if request.names.len() != 1 || !request.names.iter().all(identities) => {
            Some("needs exactly one e-mail address or URI")
        }
        Names::Hosts if request.names.is_empty() || request.names.iter().any(identities) => {
            Some("needs host names or IP addresses, and nothing else")
        }
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(refuse(request.profile, problem));
    }
    match &request.oidc_issuer {
        Some(_) if request.profile != Profile::CodeSigner => {
            Err(refuse(request.profile, "has no OIDC issuer; only a code signer's has"))
        }
        Some(issuer) if issuer.is_empty() || issuer.len() > MAXIMUM_OIDC_ISSUER_OCTETS => {
            Err(refuse(request.profile, "needs an OIDC issuer of 1 to 1024 octets"))
        }
        _ => Ok(()),
    }
}
