//! CRLs and OCSP responses for a verification: those that were given, and, online, those that the
//! certificates name. Judging them is the core's.

use std::{collections::HashMap, path::PathBuf};

use countersign_core::{
    RevocationSource,
    crl::CertificateList,
    crypto::aws_lc::AwsLc,
    digest::HashAlgorithm,
    limits,
    ocsp::OcspResponse,
    pem::{self, Kind, PemFault},
    policy::Revocation,
    revocation,
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_signing::ocsp;

use crate::{
    artifact::Waiting,
    failure::{Failure, Outcome},
    fetch::HttpClient,
    input,
    session::Session,
};

/// Evidence, and what was fetched before.
#[derive(Debug)]
pub struct RevocationEvidence {
    given_crls: Vec<Vec<u8>>,
    given_ocsp: Vec<Vec<u8>>,
    client: Option<HttpClient>,
    /// By URL (of a CRL) or URL and certificate (of an OCSP response); nothing where it failed.
    fetched: HashMap<String, Option<Vec<u8>>>,
}

/// Whether connections may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// They may.
    Online,
    /// None is.
    Offline,
}

/// A piece of evidence, with where it came from.
#[derive(Clone, Debug)]
pub enum Piece {
    /// A CRL from this URL.
    Crl(String, Vec<u8>),
    /// An OCSP response from this URL.
    Ocsp(String, Vec<u8>),
}

/// What was fetched for the certificates of one verification.
#[derive(Debug)]
pub struct Fetched {
    /// The pieces, each once.
    pub pieces: Vec<Piece>,
    /// For how many certificates nothing could be had although they name an address.
    pub failed: usize,
}

impl RevocationEvidence {
    /// Reads the files that were given.
    ///
    /// # Errors
    /// `setup.input.unreadable`; what a file holds is looked at by the core.
    pub fn open(crls: &[PathBuf], ocsp: &[PathBuf], network: Network) -> Outcome<Self> {
        let read = |files: &[PathBuf], kind: Kind, maximum: usize| -> Outcome<Vec<Vec<u8>>> {
            let each: Outcome<Vec<_>> =
                files.iter().map(|file| input::objects(file, kind, maximum)).collect();
            Ok(each?.into_iter().flatten().collect())
        };
        Ok(Self {
            given_crls: read(crls, Kind::Crl, limits::CRL_BYTES)?,
            given_ocsp: read(ocsp, Kind::Any, limits::OCSP_BYTES)?,
            client: (network == Network::Online).then(HttpClient::public),
            fetched: HashMap::new(),
        })
    }

    /// The evidence that was given.
    pub fn given(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        (
            self.given_crls.iter().map(Vec::as_slice).collect(),
            self.given_ocsp.iter().map(Vec::as_slice).collect(),
        )
    }

    /// Fetches what the given evidence does not cover, a CRL where there is the choice: fetching
    /// one tells nobody which file is looked at. What fails is said on stderr and left out.
    pub fn fetch(
        &mut self,
        session: &Session,
        sources: &[RevocationSource],
        rules: &Revocation,
        now: UnixSeconds,
    ) -> Fetched {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut failed = 0;
        for source in sources {
            if self.client.is_none() || self.is_covered(source, rules, now) {
                continue;
            }
            let piece = if source.crl_urls.is_empty() {
                self.first_ocsp(session, source)
            } else {
                self.first_crl(session, source)
            };
            let has_address = !(source.crl_urls.is_empty() && source.ocsp_urls.is_empty());
            failed += usize::from(piece.is_none() && has_address);
            let is_new =
                |piece: &Piece| !pieces.iter().any(|other| other.octets() == piece.octets());
            if let Some(piece) = piece.filter(is_new) {
                pieces.push(piece);
            }
        }
        Fetched { pieces, failed }
    }

    /// Whether what was given says something authentic and recent of the certificate, as the core
    /// sees it. A stranger's list must not keep the right one from being fetched.
    fn is_covered(&self, source: &RevocationSource, rules: &Revocation, now: UnixSeconds) -> bool {
        let decoded =
            (Certificate::decode(&source.certificate), Certificate::decode(&source.issuer));
        let (Ok(certificate), Ok(issuer)) = decoded else { return false };
        let (crls, ocsp) = self.given();
        let Ok(mut evidence) = revocation::RevocationEvidence::decode(&crls, &ocsp) else {
            return false;
        };
        let standing = evidence.standing(&certificate, &issuer, rules, &AwsLc, now);
        standing.known.is_some_and(|known| known.freshness == revocation::Freshness::Fresh)
    }

    fn first_crl(&mut self, session: &Session, source: &RevocationSource) -> Option<Piece> {
        for url in &source.crl_urls {
            let known = self.fetched.get(url).cloned();
            let crl = known.unwrap_or_else(|| {
                let client = self.client.as_ref()?;
                let crl = told(session, fetch_crl(session, client, url));
                self.fetched.insert(url.clone(), crl.clone());
                crl
            });
            if let Some(crl) = crl {
                return Some(Piece::Crl(url.clone(), crl));
            }
        }
        None
    }

    fn first_ocsp(&mut self, session: &Session, source: &RevocationSource) -> Option<Piece> {
        let certificate = Certificate::decode(&source.certificate).ok()?;
        for url in &source.ocsp_urls {
            let key = format!("{url} {}", certificate.serial_text());
            let known = self.fetched.get(&key).cloned();
            let response = known.unwrap_or_else(|| {
                let client = self.client.as_ref()?;
                let asked = fetch_ocsp(session, client, url, certificate.serial, &source.issuer);
                let response = told(session, asked);
                self.fetched.insert(key, response.clone());
                response
            });
            if let Some(response) = response {
                return Some(Piece::Ocsp(url.clone(), response));
            }
        }
        None
    }
}

impl Piece {
    /// DER.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Crl(_, octets) | Self::Ocsp(_, octets) => octets,
        }
    }

    /// Where it came from.
    pub fn url(&self) -> &str {
        match self {
            Self::Crl(url, _) | Self::Ocsp(url, _) => url,
        }
    }
}

fn told(session: &Session, outcome: Outcome<Vec<u8>>) -> Option<Vec<u8>> {
    match outcome {
        Ok(octets) => Some(octets),
        Err(failure) => {
            session.output.say(&format!("warning: {failure}"));
            None
        }
    }
}

/// Fetches a CRL, DER or PEM; gives DER that decodes.
///
/// # Errors
/// `setup.service.unreachable`.
pub fn fetch_crl(session: &Session, client: &HttpClient, url: &str) -> Outcome<Vec<u8>> {
    let _waiting = Waiting::begin(session, &format!("Fetching {url}"));
    let answer = client.get(url, limits::CRL_BYTES)?.success(url)?;
    let unusable =
        |fault: PemFault| Failure::unreachable(url, format!("what came is no CRL: {fault}"));
    let crl = pem::object(answer, Kind::Crl).map_err(unusable)?;
    match CertificateList::decode(&crl) {
        Ok(_) => Ok(crl),
        Err(error) => Err(Failure::unreachable(url, format!("what came is no CRL: {error}"))),
    }
}

/// Asks an OCSP responder about the certificate with that serial number (INTEGER content octets).
///
/// # Errors
/// `setup.service.unreachable`.
pub fn fetch_ocsp(
    session: &Session,
    client: &HttpClient,
    url: &str,
    serial: &[u8],
    issuer: &[u8],
) -> Outcome<Vec<u8>> {
    let _waiting = Waiting::begin(session, &format!("Asking {url}"));
    // SHA-1 is what every responder indexes by; it only names the issuer.
    let id = ocsp::cert_id(HashAlgorithm::Sha1, issuer, serial)
        .map_err(|error| Failure::internal(error.to_string()))?;
    let request = ocsp::request(&[id], None);
    let reply = client.post(url, "application/ocsp-request", &request, limits::OCSP_BYTES)?;
    let response = reply.success(url)?;
    match OcspResponse::decode(&response) {
        Ok(_) => Ok(response),
        Err(error) => {
            Err(Failure::unreachable(url, format!("what came is no OCSP response: {error}")))
        }
    }
}
