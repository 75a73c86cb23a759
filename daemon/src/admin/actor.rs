//! Who gives orders: the person whom the client certificate names that TLS verified.
//!
//! TLS looks at the validity once, in the handshake; it is looked at here, in every request.
//! Whether the certificate is revoked is not known here: the service looks, and says so by
//! [`Actor::is_revoked`].

use countersign_core::time::UnixSeconds;
use countersign_core::x509::{Certificate, GeneralName};
use http::StatusCode;

use super::people::{Administrator, Holder, Needs, Role, holder, names_somebody};
use super::person::Person;
use crate::peer::ClientCertificate;
use crate::problem::Problem;

/// An administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor<R> {
    person: Person,
    roles: Vec<R>,
    /// Names and serial number of the certificate they came with, for the audit record.
    certificate: String,
    /// The same certificate, DER.
    der: Vec<u8>,
}

/// The certificate that a client showed.
///
/// # Errors
/// 403 if there is none, or it cannot be read: a key in another encoding would be another key than the one
/// that was revoked.
pub fn certificate_of(client: Option<&ClientCertificate>) -> Result<Certificate<'_>, Problem> {
    let unidentified = |detail: &str| forbidden("actor.unidentified", detail);
    let client = client.ok_or_else(|| unidentified("There is no client certificate."))?;
    let certificate = Certificate::decode(&client.0).map_err(|error| {
        unidentified(&format!("The client certificate cannot be read: {error}."))
    })?;
    if certificate.public_key.has_unusual_exponent() {
        return Err(unidentified(
            "The RSA key of the client certificate has another exponent than 65537; use another key.",
        ));
    }
    Ok(certificate)
}

impl<R: Role> Actor<R> {
    /// The administrator that a client certificate names.
    ///
    /// # Errors
    /// 403 if it names nobody who is listed, or several, or ran out.
    pub fn of(
        administrators: &[Administrator<R>],
        certificate: &Certificate<'_>,
        now: UnixSeconds,
    ) -> Result<Self, Problem> {
        let names = &certificate.extensions.subject_alt_names;
        let names: Vec<String> =
            names.iter().filter(|name| names_somebody(name)).map(GeneralName::text).collect();
        let shown = format!("{} (serial {})", names.join(", "), certificate.serial_text());
        let known = match holder(administrators, certificate) {
            Holder::One(known) => known,
            Holder::Nobody => {
                tracing::warn!(certificate = shown, "nobody who may administer");
                let detail = "The client certificate names nobody who may administer this service.";
                return Err(forbidden("actor.unknown", detail));
            }
            Holder::Several => {
                tracing::warn!(certificate = shown, "a certificate of several administrators");
                let detail = "The client certificate names several administrators.";
                return Err(forbidden("actor.ambiguous", detail));
            }
        };
        refuse_outside_validity(certificate, now)?;
        Ok(Self {
            person: Person::of(known, certificate),
            roles: known.roles.clone(),
            certificate: shown,
            der: certificate.raw.to_vec(),
        })
    }

    /// The answer to somebody whose certificate is revoked; the log has who it was.
    pub fn is_revoked(&self) -> Problem {
        tracing::warn!(
            actor = self.name(),
            certificate = self.certificate,
            "a revoked administrator"
        );
        forbidden("actor.revoked", "The client certificate is revoked.")
    }

    /// Who they are.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// How records call them.
    pub fn name(&self) -> &str {
        self.person.name()
    }

    /// The certificate they came with, in words.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The certificate they came with, DER: what becomes of it later says whether they may still speak.
    pub fn certificate_der(&self) -> &[u8] {
        &self.der
    }

    /// Checks that they may.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, needs: Needs<R>) -> Result<(), Problem> {
        if needs.allow(&self.roles) {
            return Ok(());
        }
        let names = match needs {
            Needs::Anybody => String::new(),
            Needs::All(roles) => {
                roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" and ")
            }
        };
        let detail = format!("That takes the role {names}, which {} does not have.", self.name());
        Err(Problem::new(StatusCode::FORBIDDEN, "actor.forbidden", detail))
    }
}

fn forbidden(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}

fn refuse_outside_validity(certificate: &Certificate<'_>, now: UnixSeconds) -> Result<(), Problem> {
    let not_after = certificate.not_after;
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
