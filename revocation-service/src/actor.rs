//! Who gives orders: the person whom the client certificate names that TLS verified, unless it is
//! revoked.
//!
//! TLS looks at no revocations. Those this service knows itself are looked at here.

use countersign_core::x509::{Certificate, GeneralName};
use countersign_daemon::{peer::ClientCertificate, problem::Problem};
use countersign_signing::ocsp::CertificateStatus;
use http::StatusCode;

use crate::{
    admin::{
        Needs, Role,
        roles::{Person, names_somebody, person},
    },
    config::AdministratorConfig,
    ocsp::{self, Fault},
    reply::of_storage,
    state::Service,
};

/// An administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    name: String,
    roles: Vec<Role>,
    /// Names and serial number of the certificate they came with, for the audit record.
    certificate: String,
}

impl Actor {
    /// The administrator that a client certificate names.
    ///
    /// # Errors
    /// 403 where it names nobody who is listed, or several, or is revoked; storage failed.
    pub(crate) async fn of(
        service: &Service,
        administrators: &[AdministratorConfig],
        certificate: Option<&ClientCertificate>,
    ) -> Result<Self, Problem> {
        let certificate =
            certificate.and_then(|certificate| Certificate::decode(&certificate.0).ok());
        let Some(certificate) = certificate else {
            return Err(forbidden("actor.unidentified", "There is no client certificate."));
        };
        let names = &certificate.extensions.subject_alt_names;
        let names: Vec<String> =
            names.iter().filter(|name| names_somebody(name)).map(GeneralName::text).collect();
        let shown = format!("{} (serial {})", names.join(", "), certificate.serial_text());
        let known = match person(administrators, &certificate) {
            Person::One(known) => known,
            Person::Nobody => {
                tracing::warn!(certificate = shown, "nobody who may administer");
                let detail = "The client certificate names nobody who may administer this service.";
                return Err(forbidden("actor.unknown", detail));
            }
            Person::Several => {
                tracing::warn!(certificate = shown, "a certificate of several administrators");
                let detail = "The client certificate names several administrators.";
                return Err(forbidden("actor.ambiguous", detail));
            }
        };
        let actor = Self {
            name: known.display_name().to_owned(),
            roles: known.roles.clone(),
            certificate: shown,
        };
        if is_revoked(service, &certificate).await? {
            tracing::warn!(
                actor = actor.name(),
                certificate = actor.certificate,
                "a revoked administrator"
            );
            return Err(forbidden("actor.revoked", "The client certificate is revoked."));
        }
        Ok(actor)
    }

    /// How records call them.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The certificate they came with, in words.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Checks that they may.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn require(&self, needs: Needs) -> Result<(), Problem> {
        if needs.allow(&self.roles) {
            return Ok(());
        }
        let names = match needs {
            Needs::Anybody => String::new(),
            Needs::All(roles) => {
                roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" and ")
            }
        };
        let detail = format!("That takes the role {names}, which {} does not have.", self.name);
        Err(Problem::new(StatusCode::FORBIDDEN, "actor.forbidden", detail))
    }
}

fn forbidden(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
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
