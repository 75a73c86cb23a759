//! One address of revocation evidence, and how it is asked.

use countersign_core::{
    RevocationSource,
    crl::CertificateList,
    limits,
    ocsp::OcspResponse,
    pem::{self, Kind, PemFault},
};
use url::Url;

use super::Piece;
use crate::{
    failure::{Failure, Outcome},
    fetch::{self, HttpClient, Patience},
};

/// An address; of an OCSP responder, together with the certificate that it is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    /// Of a CRL.
    Crl(String),
    /// Of an OCSP responder, with the request, DER.
    Ocsp(String, Vec<u8>),
}

impl Address {
    /// Those of a certificate, in the order in which they are asked.
    pub(super) fn all(source: &RevocationSource) -> impl Iterator<Item = Self> {
        let crls = source.crl_urls.iter().map(|url| Self::Crl(url.clone()));
        let request = &source.ocsp_request;
        let ocsp = source.ocsp_urls.iter();
        crls.chain(ocsp.map(move |url| Self::Ocsp(url.clone(), request.clone())))
    }

    pub(super) fn url(&self) -> &str {
        match self {
            Self::Crl(url) | Self::Ocsp(url, _) => url,
        }
    }

    pub(super) fn piece(&self, octets: Vec<u8>) -> Piece {
        match self {
            Self::Crl(url) => Piece::Crl(url.clone(), octets),
            Self::Ocsp(url, _) => Piece::Ocsp(url.clone(), octets),
        }
    }

    /// Asks it. Where a kept CRL answers as well, nobody waits long.
    pub(super) fn ask(&self, client: &HttpClient, is_kept_good: bool) -> Outcome<Vec<u8>> {
        let url = fetch::address(self.url()).map_err(|_| {
            let shown = countersign_core::finding::quoted(self.url().to_owned());
            Failure::unreachable(&shown, "the certificate names it, and it is no web address")
        })?;
        match self {
            Self::Crl(_) => {
                let patience = if is_kept_good { Patience::Spare } else { Patience::List };
                ask_crl(client, &url, patience)
            }
            Self::Ocsp(_, request) => ask_ocsp(client, &url, request),
        }
    }
}

/// Fetches a CRL, DER or PEM; gives DER that decodes.
fn ask_crl(client: &HttpClient, url: &Url, patience: Patience) -> Outcome<Vec<u8>> {
    let reply = client.get(url, limits::CRL_BYTES, patience)?;
    let unusable =
        |fault: PemFault| fetch::unusable(url, format!("the answer is not a CRL: {fault}"));
    let crl = pem::object(reply.success(url, "a CRL")?, Kind::Crl).map_err(unusable)?;
    match CertificateList::decode(&crl) {
        Ok(_) => Ok(crl),
        Err(error) => Err(fetch::unusable(url, format!("the answer is not a CRL: {error}"))),
    }
}

/// Asks an OCSP responder; `request` is DER.
///
/// # Errors
/// As [`HttpClient::post`]; `setup.service.answer` for something else than an OCSP response.
pub fn ask_ocsp(client: &HttpClient, url: &Url, request: &[u8]) -> Outcome<Vec<u8>> {
    let media_type = "application/ocsp-request";
    let reply = client.post(url, media_type, request, limits::OCSP_BYTES, Patience::Small)?;
    let response = reply.success(url, "an OCSP response")?;
    match OcspResponse::decode(&response) {
        Ok(_) => Ok(response),
        Err(error) => {
            Err(fetch::unusable(url, format!("the answer is not an OCSP response: {error}")))
        }
    }
}
