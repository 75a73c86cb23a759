//! What a failed TLS handshake means to whoever runs the program: which of the two sides did not
//! believe the other, and which file says who is believed.

use countersign_core::finding::{Finding, FindingCode};
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use url::Url;

use crate::{
    codes,
    failure::Failure,
    fetch::{cause, shown},
};

/// How TLS is spoken by a client, for its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// Whose servers the client believes: a flag, or the system's authorities.
    pub(crate) authorities: &'static str,
    /// Whose certificate the client shows, and who issued it.
    pub(crate) certificate: Option<String>,
}

impl Handshake {
    /// Whether a request that failed so may have been cut off by a server that refused the client's
    /// certificate.
    pub(crate) fn may_be_cut_off(&self, error: &reqwest::Error) -> bool {
        let is_explained = error.is_connect() || error.is_timeout() || error.is_builder();
        self.certificate.is_some() && !is_explained && cause::<rustls::Error>(error).is_none()
    }

    /// The failure of a request to `url`, where TLS is what failed.
    pub(crate) fn fault(&self, url: &Url, error: &reqwest::Error) -> Option<Failure> {
        match cause(error)? {
            rustls::Error::AlertReceived(alert) => self.refused_by_server(url, *alert),
            rustls::Error::InvalidCertificate(error) => Some(self.server_not_believed(url, error)),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                let found = "what listens there does not speak TLS: http:// or another port?";
                Some(
                    Finding::new(FindingCode::SERVICE_ANSWER).about(shown(url)).found(found).into(),
                )
            }
            _ => None,
        }
    }

    /// The server's reason for ending the handshake, if it is the client's certificate.
    fn refused_by_server(&self, url: &Url, alert: AlertDescription) -> Option<Failure> {
        let expected = match alert {
            AlertDescription::UnknownCA => "one of an authority that the service takes (client_ca)",
            AlertDescription::CertificateExpired => "one that is valid now, by the service's clock",
            AlertDescription::CertificateRevoked => "one that is not revoked",
            AlertDescription::UnsupportedCertificate => {
                "one for TLS clients (ca issue --profile tls-client)"
            }
            AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => "one that the service takes",
            _ => return None,
        };
        let found = match &self.certificate {
            None => "the service wants a TLS client certificate".to_owned(),
            Some(certificate) => {
                format!("at TLS the service refused your certificate, {certificate} ({alert:?})")
            }
        };
        let finding = Finding::new(codes::SERVICE_REFUSED).about(shown(url));
        Some(finding.expected(expected).found(found).into())
    }

    fn server_not_believed(&self, url: &Url, error: &CertificateError) -> Failure {
        let found = match error {
            CertificateError::UnknownIssuer => {
                format!(
                    "its TLS certificate is not from {}: another server, or the wrong authorities",
                    self.authorities
                )
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its TLS certificate has expired, or the clock here is wrong".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its TLS certificate is not valid yet, or the clock here is wrong".to_owned()
            }
            other => format!("its TLS certificate is not trusted: {other}"),
        };
        Finding::new(codes::SERVICE_NOT_TRUSTED).about(shown(url)).found(found).into()
    }
}
