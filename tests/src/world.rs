//! A private PKI at a fixed time: a CA, a signer, a timestamp authority, an OCSP delegate, and
//! everything they can make. Keys are new in each run; times and names are not.
//!
//! Everything is made by `signing`, as the programs make it; what is wrong on purpose is made by
//! the tests from what is right.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use countersign_core::{
    Artifact, Evidence,
    crl::RevocationReason,
    crypto::{CryptoProvider, aws_lc::AwsLc},
    digest::{Digest, HashAlgorithm, digest},
    policy::Policy,
    report::Report,
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TimestampRequest,
    verify,
    x509::Certificate,
};
use countersign_signing::{
    bundle::{self, Bundle, pre_authentication_encoding},
    ca::{CertificateAuthority, InitOptions, IssueRequest, SubjectKey},
    crl::RevokedCertificate,
    key::{FileKey, NewKey, Passphrase, Signer, random_serial},
    name::{DistinguishedName, SubjectName},
    ocsp::{Answer, CertificateStatus, OcspSigner, ResponseTerms, cert_id},
    profile::{Authority, Profile},
    statement::{RELEASE_PREDICATE_TYPE, Statement, Subject},
    trust::{self, TrustedAuthority},
    tsp::{Accuracy, TimestampPolicy, TimestampRequestBuilder, TimestampSigner},
};
use tempfile::TempDir;

/// When everything happens: 2026-11-23T12:00:00Z.
pub const NOW: UnixSeconds = UnixSeconds::new(1_795_435_200);

/// The signer's identity.
pub const IDENTITY: &str = "release@example.com";

/// The policy that timestamps are made under.
pub const TIMESTAMP_POLICY: &str = "1.3.6.1.4.1.32473.1";

/// A certificate with its key.
pub struct Subscriber {
    /// DER.
    pub certificate: Vec<u8>,
    /// The certificate and the issuing CA's, DER.
    pub chain: Vec<Vec<u8>>,
    /// The private key.
    pub key: Arc<FileKey>,
}

impl Subscriber {
    /// The serial number's INTEGER content octets.
    pub fn serial(&self) -> Vec<u8> {
        decoded(&self.certificate).serial.to_vec()
    }
}

/// The PKI.
pub struct World {
    /// The CA's folder; removed with the world.
    _folder: TempDir,
    /// The certificate authority.
    pub authority: CertificateAuthority,
    /// Who signs artifacts.
    pub signer: Subscriber,
    /// Who makes timestamps.
    pub timestamp_authority: Subscriber,
    /// Who answers OCSP for the signing CA.
    pub delegate: Subscriber,
    /// `trusted_root.json`.
    pub trusted_root: String,
}

/// What a verification is given besides the bundle.
#[derive(Clone, Debug)]
pub struct Given {
    /// The file's name.
    pub name: Option<String>,
    /// The file.
    pub file: Vec<u8>,
    /// CRLs.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses.
    pub ocsp: Vec<Vec<u8>>,
    /// When it is verified.
    pub now: UnixSeconds,
}

/// Decodes a certificate that must be one.
///
/// # Panics
/// When it is none.
pub fn decoded(certificate: &[u8]) -> Certificate<'_> {
    Certificate::decode(certificate).expect("a certificate of ours decodes")
}

impl World {
    /// A world with P-384 keys.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new() -> Self {
        Self::with_algorithm(NewKey::P384)
    }

    /// A world whose keys all have that algorithm.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn with_algorithm(algorithm: NewKey) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let options =
            InitOptions { algorithm, ..InitOptions::new("Example", "http://revocation.example") };
        let passphrase = Passphrase::new("world").expect("a passphrase");
        // The CA is a month old, its subscribers a day.
        let founded = NOW.minus_seconds(30 * 86_400);
        let authority =
            CertificateAuthority::init(&folder.path().join("ca"), &options, &passphrase, founded)
                .expect("a new CA");
        let mut signer = IssueRequest::new(
            Profile::CodeSigner,
            DistinguishedName::new("Example", "Example Releases"),
        );
        signer.names = vec![SubjectName::parse_identity(IDENTITY).expect("an e-mail address")];
        let signer = subscriber(&authority, &signer, algorithm);
        let tsa = IssueRequest::new(
            Profile::TimestampAuthority,
            DistinguishedName::new("Example", "Example Timestamps"),
        );
        let timestamp_authority = subscriber(&authority, &tsa, algorithm);
        let mut delegate =
            IssueRequest::new(Profile::OcspDelegate, DistinguishedName::new("Example", "OCSP"));
        delegate.issuer = Some(Authority::Signing);
        let delegate = subscriber(&authority, &delegate, algorithm);
        let tsa_chain = [
            vec![timestamp_authority.certificate.clone()],
            authority.chain(Authority::Timestamping),
        ];
        let trusted_root = trust::build(
            &[TrustedAuthority::new("https://ca.example", authority.chain(Authority::Signing))],
            &[TrustedAuthority::new("https://tsa.example", tsa_chain.concat())],
        )
        .expect("a trust root");
        Self { _folder: folder, authority, signer, timestamp_authority, delegate, trusted_root }
    }

    /// The trust root, decoded.
    ///
    /// # Panics
    /// When it does not decode.
    pub fn trust(&self) -> TrustRoot {
        TrustRoot::decode(self.trusted_root.as_bytes()).expect("our trust root decodes")
    }

    /// A whole `TimeStampResp` over `octets`, made at `time`.
    ///
    /// # Panics
    /// When the key refuses.
    pub fn timestamp(&self, octets: &[u8], time: UnixSeconds) -> Vec<u8> {
        let policy = TimestampPolicy {
            policy: TIMESTAMP_POLICY.parse().expect("an object identifier"),
            accuracy: Accuracy::from_millis(1_000).expect("an accuracy"),
        };
        let signer = TimestampSigner::new(
            self.timestamp_authority.key.clone(),
            self.timestamp_authority.chain.clone(),
            policy,
        )
        .expect("a timestamp signer");
        let imprint = digest(&AwsLc, HashAlgorithm::Sha256, octets);
        let request = TimestampRequestBuilder::new(imprint).build();
        let request = TimestampRequest::decode(&request).expect("our request decodes");
        let seconds = u64::try_from(time.seconds()).expect("after 1970");
        let at = UNIX_EPOCH + Duration::from_secs(seconds);
        signer.respond(&request, at, random_serial().expect("randomness")).expect("a timestamp")
    }

    /// A bundle with a message signature over `file`, stamped at `time`.
    ///
    /// # Panics
    /// When a key refuses.
    pub fn sign(&self, file: &[u8], time: Option<UnixSeconds>) -> Vec<u8> {
        let key = &self.signer.key;
        let algorithm = key.scheme().hash_algorithm().expect("a hash");
        let digest = digest(&AwsLc, algorithm, file);
        let signature = key.sign_digest(&digest).expect("a signature");
        let timestamps = self.stamps(&signature, time);
        let evidence = self.evidence(&timestamps);
        Bundle::message_signature(&digest, &signature, evidence).to_json().expect("JSON").into()
    }

    /// A bundle with a statement about `file` under `name`, stamped at `time`.
    ///
    /// # Panics
    /// When a key refuses.
    pub fn attest(&self, name: &str, file: &[u8], time: Option<UnixSeconds>) -> Vec<u8> {
        let digests = [HashAlgorithm::Sha256, HashAlgorithm::Sha384]
            .map(|algorithm| digest(&AwsLc, algorithm, file));
        let subject = Subject::new(name, &digests, file.len() as u64);
        let statement =
            Statement::new(vec![subject], RELEASE_PREDICATE_TYPE, serde_json::Map::new());
        let payload = statement.to_json().expect("JSON");
        self.seal(&payload, time)
    }

    /// A bundle with an envelope around `payload`, stamped at `time`.
    ///
    /// # Panics
    /// When a key refuses.
    pub fn seal(&self, payload: &[u8], time: Option<UnixSeconds>) -> Vec<u8> {
        let message = pre_authentication_encoding(bundle::IN_TOTO_PAYLOAD_TYPE, payload);
        let signature = self.signer.key.sign(&message).expect("a signature");
        let timestamps = self.stamps(&signature, time);
        let evidence = self.evidence(&timestamps);
        let bundle = Bundle::dsse(bundle::IN_TOTO_PAYLOAD_TYPE, payload, &signature, evidence);
        bundle.to_json().expect("JSON").into()
    }

    fn stamps(&self, signature: &[u8], time: Option<UnixSeconds>) -> Vec<Vec<u8>> {
        time.map(|time| self.timestamp(signature, time)).into_iter().collect()
    }

    fn evidence<'e>(&'e self, timestamps: &'e [Vec<u8>]) -> bundle::Evidence<'e> {
        bundle::Evidence { certificate: &self.signer.certificate, timestamps }
    }

    /// A CRL of `authority`, made at `this_update` and good for a day.
    ///
    /// # Panics
    /// When the key refuses.
    pub fn crl(
        &self,
        authority: Authority,
        this_update: UnixSeconds,
        revoked: &[(Vec<u8>, RevocationReason, UnixSeconds)],
    ) -> Vec<u8> {
        let next_update = this_update.plus_seconds(86_400);
        let mut builder =
            self.authority.crl(authority, 7, this_update, next_update).expect("a CRL builder");
        for (serial, reason, revocation_date) in revoked {
            let entry =
                RevokedCertificate { serial, reason: *reason, revocation_date: *revocation_date };
            builder.revoke(&entry);
        }
        let key = self.authority.signer(authority).expect("the CA's key");
        builder.build(key.as_ref()).expect("a CRL")
    }

    /// An OCSP response about the signer by the delegate, made at `this_update`, good for a day.
    ///
    /// # Panics
    /// When the key refuses.
    pub fn ocsp(&self, status: CertificateStatus, this_update: UnixSeconds) -> Vec<u8> {
        let issuer = self.authority.certificate(Authority::Signing);
        let signer = OcspSigner::new(self.delegate.key.clone(), &self.delegate.certificate, issuer)
            .expect("an OCSP signer");
        let id = cert_id(HashAlgorithm::Sha1, issuer, &self.signer.serial()).expect("a CertID");
        let terms = ResponseTerms {
            produced_at: this_update,
            this_update,
            next_update: this_update.plus_seconds(86_400),
            archive_cutoff: None,
            nonce: None,
        };
        signer.respond(&[Answer { cert_id: &id, status }], &terms).expect("a response")
    }

    /// The policy that lets the signer sign anything, revocation required.
    ///
    /// # Panics
    /// When it does not decode.
    pub fn policy(&self) -> Policy {
        Policy::for_identity(IDENTITY, None).expect("our policy decodes")
    }

    /// Verifies `bundle` with what is given, by the native filler.
    pub fn verify(&self, bundle: &[u8], given: &Given) -> Report {
        self.verify_under(&self.policy(), bundle, given, &AwsLc)
    }

    /// Verifies `bundle` under a policy by a filler.
    pub fn verify_under(
        &self,
        policy: &Policy,
        bundle: &[u8],
        given: &Given,
        crypto: &dyn CryptoProvider,
    ) -> Report {
        let digests: Vec<Digest> = HashAlgorithm::STRONG
            .into_iter()
            .map(|algorithm| digest(crypto, algorithm, &given.file))
            .collect();
        let crls: Vec<&[u8]> = given.crls.iter().map(Vec::as_slice).collect();
        let ocsp: Vec<&[u8]> = given.ocsp.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact {
                name: given.name.as_deref(),
                size: Some(given.file.len() as u64),
                digests: &digests,
                content: Some(&given.file),
                beginning: None,
                ..Artifact::default()
            },
            bundle,
            crls: &crls,
            ocsp_responses: &ocsp,
            key: None,
            ..Evidence::default()
        };
        verify(&evidence, &self.trust(), policy, crypto, given.now)
    }

    /// A file with a fresh CRL that revokes nobody, at [`NOW`].
    pub fn given(&self, file: &[u8]) -> Given {
        Given {
            name: Some("app".to_owned()),
            file: file.to_vec(),
            crls: vec![self.crl(Authority::Signing, NOW.minus_seconds(60), &[])],
            ocsp: Vec::new(),
            now: NOW,
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn subscriber(
    authority: &CertificateAuthority,
    request: &IssueRequest,
    algorithm: NewKey,
) -> Subscriber {
    let issued_at = NOW.minus_seconds(86_400);
    let issued = authority
        .issue(request, SubjectKey::New(algorithm), issued_at)
        .expect("the CA issues a certificate");
    let key = issued.key.expect("the new key is handed back");
    Subscriber { certificate: issued.certificate, chain: issued.chain, key: Arc::new(key) }
}
