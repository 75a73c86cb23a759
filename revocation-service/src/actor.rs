//! Who gives orders: the person whom the client certificate names that TLS verified, unless it ran out or
//! is revoked.
//!
//! TLS looks at no revocations, and at the validity once, in the handshake. Both are looked at here, in every
//! request: what this service itself revoked (the certificate, or its key, whoever issued the
//! certificate), and the CRLs of `admin_tls.client_crl`.

use countersign_core::{
    crl::RevocationReason,
    x509::{Certificate, GeneralName},
};
use countersign_daemon::{peer::ClientCertificate, problem::Problem};
use countersign_signing::ocsp::CertificateStatus;
use http::StatusCode;

use crate::{
    admin::{
        Needs, Role,
        roles::{Person, names_somebody, person},
    },
    authority::sha256,
    client_crls::ClientCrls,
    config::AdministratorConfig,
    ocsp::{self, Fault},
    reply::of_storage,
    state::{CrlSource, Service},
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
    /// 403 where it names nobody who is listed, or several, ran out, or is revoked; storage failed.
    pub(crate) async fn of(
        service: &Service,
        administrators: &[AdministratorConfig],
        client_crls: Option<&ClientCrls>,
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
        refuse_outside_validity(service, &certificate)?;
        let is_listed = client_crls.is_some_and(|crls| crls.lists(&certificate));
        if is_listed || is_revoked(service, &certificate).await? {
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

fn refuse_outside_validity(
    service: &Service,
    certificate: &Certificate<'_>,
) -> Result<(), Problem> {
    let (now, not_after) = (service.now(), certificate.not_after);
    if now > not_after {
        let detail = format!("The client certificate ran out at {not_after}.");
        return Err(forbidden("actor.expired", &detail));
    }
    if now < certificate.not_before {
        // TLS has just found it valid by this machine's clock.
        let detail = format!(
            "The service's clock says {now}, before the client certificate began at {}; set the clock.",
            certificate.not_before
        );
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "service.clock", detail));
    }
    Ok(())
}

async fn is_revoked(service: &Service, certificate: &Certificate<'_>) -> Result<bool, Problem> {
    if key_is_revoked(service, sha256(certificate.public_key.raw)).await? {
        return Ok(true);
    }
    let Some(issuer) = service.issuer_of(certificate) else { return Ok(false) };
    let for_administration = (ocsp::Reader::Administration, service.now());
    match ocsp::status(service, issuer, certificate.serial, for_administration).await {
        Ok(status) => Ok(matches!(status, CertificateStatus::Revoked { .. })),
        Err(Fault::Storage(error)) => Err(of_storage(&error)),
        // A CRL file that ran out lists no revocation of it; whoever may mend that must get in.
        Err(_) => Ok(false),
    }
}

/// Whether somebody else may have that key: an order was given against it, or against a certificate with it
/// for a compromise. Who issued the certificate that it comes with now does not matter.
async fn key_is_revoked(service: &Service, spki_sha256: [u8; 32]) -> Result<bool, Problem> {
    let storage = service.storage();
    let known = storage.revoked_key(spki_sha256).await.map_err(|error| of_storage(&error))?;
    if known.is_some() {
        return Ok(true);
    }
    let of_key = storage.certificates_of_key(spki_sha256).await;
    let of_key = of_key.map_err(|error| of_storage(&error))?;
    let is_compromise = |reason| reason == RevocationReason::KeyCompromise;
    Ok(of_key.iter().any(|each| {
        let issuer = service.issuers().iter().find(|issuer| issuer.id == each.issuer);
        let elsewhere = issuer.and_then(|issuer| match &issuer.crls {
            CrlSource::Elsewhere(crls) => crls.entry(&each.serial),
            CrlSource::Publisher(_) => None,
        });
        let here = each.revocation.as_ref().map(|revocation| revocation.reason);
        here.into_iter().chain(elsewhere.map(|(reason, _)| reason)).any(is_compromise)
    }))
}
