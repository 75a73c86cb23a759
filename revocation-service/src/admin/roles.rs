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
    let subject = certificate.subject_text();
    let mut found = administrators.iter().filter(|administrator| {
        let is_named = |identity: &String| names.iter().any(|name| is_identity(name, identity));
        administrator.identity.iter().any(is_named)
            || administrator.subject.as_ref() == Some(&subject)
    });
    match (found.next(), found.next()) {
        (None, _) => Person::Nobody,
        (Some(one), None) => Person::One(one),
        (Some(_), Some(_)) => Person::Several,
    }
}

/// Whether a subjectAltName is that configured identity, and of its kind: a host name that looks like an
/// e-mail address is no e-mail address, and whoever checked it checked something else.
fn is_identity(name: &GeneralName<'_>, identity: &str) -> bool {
    let is_of_its_kind = match IdentityKind::of(identity) {
        IdentityKind::Uri => matches!(name, GeneralName::Uri(_)),
        IdentityKind::Email => matches!(name, GeneralName::Email(_)),
        IdentityKind::Host => matches!(name, GeneralName::Dns(_)),
    };
    is_of_its_kind && name.text() == identity
}

/// What kind of name an identity is, which its form says: only a URI has a colon, and of the others only an
/// e-mail address has an @.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdentityKind {
    Uri,
    Email,
    Host,
}

impl IdentityKind {
    fn of(identity: &str) -> Self {
        if identity.contains(':') {
            Self::Uri
        } else if identity.contains('@') {
            Self::Email
        } else {
            Self::Host
        }
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
    fn a_name_counts_as_what_it_is() {
        let email = GeneralName::Email("dave@example.org");
        let host = GeneralName::Dns("builder.example.org");
        let uri = GeneralName::Uri("https://example.org/@dave");
        for (name, identity) in [
            (&email, "dave@example.org"),
            (&host, "builder.example.org"),
            (&uri, "https://example.org/@dave"),
            (&GeneralName::Uri("urn:example:dave"), "urn:example:dave"),
        ] {
            assert!(is_identity(name, identity), "{identity}");
        }
        for (name, identity) in [
            (GeneralName::Dns("dave@example.org"), "dave@example.org"),
            (GeneralName::Uri("dave@example.org"), "dave@example.org"),
            (GeneralName::Email("builder.example.org"), "builder.example.org"),
            (GeneralName::Dns("https://example.org/@dave"), "https://example.org/@dave"),
            (GeneralName::Email("https://example.org/@dave"), "https://example.org/@dave"),
            (GeneralName::Dns("builder.example.org"), "dave@example.org"),
        ] {
            assert!(!is_identity(&name, identity), "{name:?} {identity}");
        }
    }

    #[test]
    fn who_has_no_role_may_nothing() {
        assert!(!Needs::Anybody.allow(&[]));
        assert!(Needs::Anybody.allow(&[Role::Reader]));
        let needs = Needs::All(&[Role::Registrar, Role::Revoker]);
        assert!(!needs.allow(&[Role::Revoker]));
        assert!(needs.allow(&[Role::Revoker, Role::Registrar]));
    }
}
