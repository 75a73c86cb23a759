//! Who gives orders: the names in the client certificate that TLS verified, unless it is revoked.
//!
//! TLS looks at no revocations. Those this service knows itself are looked at here.

use countersign_core::x509::{Certificate, GeneralName};
use countersign_daemon::{peer::ClientCertificate, problem::Problem};
use countersign_signing::ocsp::CertificateStatus;
use http::StatusCode;

use crate::{
    ocsp::{self, Fault},
    reply::of_storage,
    state::Service,
};

/// An administrator, as recorded with what they did: the subjectAltNames of their certificate,
/// comma-separated, e-mail addresses and URIs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor(String);

impl Actor {
    /// The administrator that a client certificate names.
    ///
    /// # Errors
    /// 403 where it names nobody or is revoked; storage failed.
    pub(crate) async fn of(
        service: &Service,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Self, Problem> {
        let certificate =
            certificate.and_then(|certificate| Certificate::decode(&certificate.0).ok());
        let named =
            certificate.and_then(|certificate| Some((Self::named(&certificate)?, certificate)));
        let Some((actor, certificate)) = named else {
            let detail =
                "The client certificate names nobody: it needs an e-mail address, URI or DNS name.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "actor.unidentified", detail));
        };
        if is_revoked(service, &certificate).await? {
            tracing::warn!(
                actor = actor.name(),
                serial = certificate.serial_text(),
                "a revoked administrator"
            );
            let detail = "The client certificate is revoked.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "actor.revoked", detail));
        }
        Ok(actor)
    }

    fn named(certificate: &Certificate<'_>) -> Option<Self> {
        let names = &certificate.extensions.subject_alt_names;
        let identities = names.iter().filter(|name| name.identity().is_some());
        let hosts = names.iter().filter(|name| matches!(name, GeneralName::Dns(_)));
        let texts: Vec<String> = identities.chain(hosts).map(GeneralName::text).collect();
        (!texts.is_empty()).then(|| Self(texts.join(", ")))
    }

    /// The names as text.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

async fn is_revoked(service: &Service, certificate: &Certificate<'_>) -> Result<bool, Problem> {
    let Some(issuer) = service.issuer_of(certificate) else { return Ok(false) };
    match ocsp::status(service, issuer, certificate.serial, service.now()).await {
        Ok(status) => Ok(matches!(status, CertificateStatus::Revoked { .. })),
        Err(Fault::Storage(error)) => Err(of_storage(&error)),
        // A CRL file that ran out lists no revocation of it; whoever may mend that must get in.
        Err(_) => Ok(false),
    }
}
