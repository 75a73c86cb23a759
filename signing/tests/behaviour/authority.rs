//! A certificate authority for a authority, and what it issues most.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use countersign_core::time::UnixSeconds;
use countersign_signing::{
    ca::{CertificateAuthority, InitOptions, IssueRequest, IssuedCertificate, SubjectKey},
    key::{FileKey, NewKey, Passphrase},
    name::{DistinguishedName, SubjectName},
    profile::{Authority, Profile},
};
use tempfile::TempDir;

pub(crate) const BASE_URL: &str = "http://pki.example.org/v1";

/// An authority in a temporary folder.
pub(crate) struct TestAuthority {
    pub(crate) ca: CertificateAuthority,
    pub(crate) folder: TempDir,
    pub(crate) now: UnixSeconds,
}

pub(crate) fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixSeconds::new(i64::try_from(since.as_secs()).expect("before the end of time"))
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new("correct horse").expect("a passphrase")
}

pub(crate) fn options(algorithm: NewKey) -> InitOptions {
    InitOptions { algorithm, ..InitOptions::new("Example & Söhne", BASE_URL) }
}

impl TestAuthority {
    pub(crate) fn new(algorithm: NewKey) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("ca");
        let now = now();
        let ca = CertificateAuthority::init(&place, &options(algorithm), &passphrase(), now);
        Self { ca: ca.expect("a new authority"), folder, now }
    }

    /// Issues for a new P-256 key.
    pub(crate) fn issue(&self, request: &IssueRequest) -> IssuedCertificate {
        self.issue_for(request, NewKey::P256)
    }

    fn issue_for(&self, request: &IssueRequest, algorithm: NewKey) -> IssuedCertificate {
        self.ca.issue(request, SubjectKey::New(algorithm), self.now).expect("issued")
    }

    pub(crate) fn code_signer(&self) -> IssuedCertificate {
        self.issue(&code_signer_request())
    }

    /// A timestamp authority's key and chain, its own certificate first.
    pub(crate) fn timestamp_authority(&self, algorithm: NewKey) -> (Arc<FileKey>, Vec<Vec<u8>>) {
        let subject = DistinguishedName::new("Example", "Timestamp Authority 1");
        let request = IssueRequest::new(Profile::TimestampAuthority, subject);
        let issued = self.issue_for(&request, algorithm);
        (Arc::new(issued.key.expect("a new key")), issued.chain)
    }

    pub(crate) fn ocsp_delegate(&self, issuer: Authority, algorithm: NewKey) -> IssuedCertificate {
        let subject = DistinguishedName::new("Example", "OCSP responder");
        let request = IssueRequest {
            issuer: Some(issuer),
            ..IssueRequest::new(Profile::OcspDelegate, subject)
        };
        self.issue_for(&request, algorithm)
    }
}

pub(crate) fn code_signer_request() -> IssueRequest {
    IssueRequest {
        names: vec![SubjectName::Email("release@example.org".to_owned())],
        oidc_issuer: Some("https://login.example.org".to_owned()),
        ..IssueRequest::new(
            Profile::CodeSigner,
            DistinguishedName::new("Example", "Release signing"),
        )
    }
}
