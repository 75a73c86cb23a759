//! Who may do what: people by the names in their client certificates, and their roles.
//!
//! Who is not listed may do nothing. Two people are two *entries*, whatever certificates or
//! connections they come with.

use countersign_core::x509::{Certificate, GeneralName};
use serde::Deserialize;

use crate::config::AdministratorConfig;

/// What somebody may do. Every role may look things up; [`Role::Reader`] may do nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Registers certificates and releases.
    Registrar,
    /// Revokes, and proposes what takes two people.
    Revoker,
    /// Approves or rejects what another one proposed.
    Approver,
    /// Takes copies of everything: exports and backups.
    Auditor,
    /// Looks things up.
    Reader,
}

impl Role {
    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registrar => "registrar",
            Self::Revoker => "revoker",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Reader => "reader",
        }
    }
}

/// What an endpoint asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// To be an administrator at all.
    Anybody,
    /// All of these roles.
    All(&'static [Role]),
}

impl Needs {
    /// Whether somebody with `roles` may.
    pub fn allow(self, roles: &[Role]) -> bool {
        match self {
            Self::Anybody => !roles.is_empty(),
            Self::All(needed) => needed.iter().all(|role| roles.contains(role)),
        }
    }
}

/// Whom a client certificate belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Person<'a> {
    /// Nobody who is listed.
    Nobody,
    /// That one.
    One(&'a AdministratorConfig),
    /// Several: nobody could tell who acted.
    Several,
}

/// The person that `certificate` names in its subjectAltNames or as its subject.
pub(crate) fn person<'a>(
    administrators: &'a [AdministratorConfig],
    certificate: &Certificate<'_>,
) -> Person<'a> {
    let names = &certificate.extensions.subject_alt_names;
    let names: Vec<String> =
        names.iter().filter(|name| names_somebody(name)).map(GeneralName::text).collect();
    let subject = certificate.subject_text();
    let mut found = administrators.iter().filter(|administrator| {
        administrator.identity.iter().any(|identity| names.contains(identity))
            || administrator.subject.as_ref() == Some(&subject)
    });
    match (found.next(), found.next()) {
        (None, _) => Person::Nobody,
        (Some(one), None) => Person::One(one),
        (Some(_), Some(_)) => Person::Several,
    }
}

/// E-mail addresses, URIs and host names.
pub(crate) fn names_somebody(name: &GeneralName<'_>) -> bool {
    name.identity().is_some() || matches!(name, GeneralName::Dns(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_role_may_nothing() {
        assert!(!Needs::Anybody.allow(&[]));
        assert!(Needs::Anybody.allow(&[Role::Reader]));
        let needs = Needs::All(&[Role::Registrar, Role::Revoker]);
        assert!(!needs.allow(&[Role::Revoker]));
        assert!(needs.allow(&[Role::Revoker, Role::Registrar]));
    }
}
