//! What a failed TLS handshake means to whoever runs the program: which of the two sides did not
//! believe the other, and which file says who is believed.

use std::{error::Error, io::ErrorKind};

use countersign_core::finding::{Finding, FindingCode};
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::failure::Failure;

/// How TLS is spoken by a client, for its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// Without a certificate of its own, believing the system's authorities.
    Public,
    /// With the certificate of this subject and issuer, believing the authorities of a file.
    Mutual {
        /// Whose certificate the client shows.
        certificate: String,
    },
}

impl Handshake {
    /// Whether a request that failed so may have been cut off by a server that refused the client's
    /// certificate.
    pub(crate) fn may_be_refused_by(&self, error: &ureq::Error) -> bool {
        let cut_off = [
            ErrorKind::BrokenPipe,
            ErrorKind::ConnectionAborted,
            ErrorKind::ConnectionReset,
            ErrorKind::UnexpectedEof,
        ];
        let is_cut_off = matches!(error, ureq::Error::Io(error) if cut_off.contains(&error.kind()));
        is_cut_off && matches!(self, Self::Mutual { .. })
    }

    /// The failure of a request to `url`, where TLS is what failed.
    pub(crate) fn fault(&self, url: &str, error: &ureq::Error) -> Option<Failure> {
        match reason(error)? {
            rustls::Error::AlertReceived(alert) => self.refused_by_server(url, *alert),
            rustls::Error::InvalidCertificate(error) => Some(self.server_not_believed(url, error)),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                let found = "what listens there does not speak TLS: http:// or another port?";
                Some(Failure::unreachable(url, found))
            }
            _ => None,
        }
    }

    /// The server's reason for ending the handshake, where it is the client's certificate.
    fn refused_by_server(&self, url: &str, alert: AlertDescription) -> Option<Failure> {
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
        let found = match self {
            Self::Public => "the service wants a TLS client certificate".to_owned(),
            Self::Mutual { certificate } => {
                format!("at TLS the service refused your certificate, {certificate} ({alert:?})")
            }
        };
        let finding = Finding::new(FindingCode::ServiceRefused).about(url);
        Some(finding.expected(expected).found(found).into())
    }

    fn server_not_believed(&self, url: &str, error: &CertificateError) -> Failure {
        let who = match self {
            Self::Public => "the system's certificate authorities",
            Self::Mutual { .. } => "--admin-ca",
        };
        let found = match error {
            CertificateError::UnknownIssuer => {
                format!(
                    "its TLS certificate is not from {who}: another server, or the wrong authorities"
                )
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its TLS certificate has expired, or the clock here is wrong".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its TLS certificate is not valid yet, or the clock here is wrong".to_owned()
            }
            other => format!("its TLS certificate is not believed: {other}"),
        };
        Failure::unreachable(url, found)
    }
}

/// The TLS library's error inside that of the HTTP library.
fn reason(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => {
            let inner: &(dyn Error + 'static) = error.get_ref()?;
            inner.downcast_ref()
        }
        _ => None,
    }
}
