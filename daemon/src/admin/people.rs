//! Who may do what: people by the names in their client certificates, and their roles.
//!
//! Who is not listed may do nothing. One entry is one person, whatever certificates or connections they
//! come with; who is who after the configuration changed is [`Person`](super::Person)'s to say. Which roles
//! there are is the service's.

use std::collections::HashSet;
use std::fmt::Debug;

use countersign_core::x509::{Certificate, GeneralName};
use serde::Deserialize;

use crate::config::{ConfigError, one_or_several};

/// What somebody may do, in a service's own words. Every role may look things up.
pub trait Role: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// Its name in the configuration.
    fn name(self) -> &'static str;
}

/// One `[[administrator]]`: a person, or a machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administrator<R> {
    /// How records call them. Default: the first identity, or the subject.
    #[serde(default)]
    pub name: Option<String>,
    /// What their certificates may have as a subjectAltName: e-mail address, URI or DNS name; one or
    /// a list of them.
    #[serde(default, deserialize_with = "one_or_several")]
    pub identity: Vec<String>,
    /// What their certificates may have as their subject, RFC 4514.
    #[serde(default)]
    pub subject: Option<String>,
    /// What they may do.
    pub roles: Vec<R>,
}

impl<R> Administrator<R> {
    /// How records call them.
    pub fn display_name(&self) -> &str {
        let default = || self.identity.first().or(self.subject.as_ref());
        self.name.as_ref().or_else(default).map_or("", String::as_str)
    }
}

/// Checks that everybody can be told from everybody else.
///
/// # Errors
/// [`ConfigError::Range`] for `administrator` or `administrator.roles`.
pub fn validate<R>(administrators: &[Administrator<R>]) -> Result<(), ConfigError> {
    let refused =
        |key, value: &str, expected: &str| ConfigError::refused_text(key, value, expected);
    let mut names = HashSet::new();
    for administrator in administrators {
        let name = administrator.display_name();
        if administrator.identity.is_empty() && administrator.subject.is_none() {
            return Err(refused("administrator", name, "an identity or a subject for each"));
        }
        if administrator.roles.is_empty() {
            return Err(refused("administrator.roles", name, "at least one role"));
        }
        let own: HashSet<&str> = administrator
            .identity
            .iter()
            .map(String::as_str)
            .chain(administrator.subject.as_deref())
            .chain([name])
            .collect();
        if own.iter().any(|each| each.is_empty() || !names.insert((*each).to_owned())) {
            return Err(refused("administrator", name, "each name for one person"));
        }
    }
    Ok(())
}

/// What an endpoint requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs<R: 'static> {
    /// To be an administrator at all.
    Anybody,
    /// All of these roles.
    All(&'static [R]),
}

impl<R: Role> Needs<R> {
    /// Whether somebody with `roles` may.
    pub fn allow(self, roles: &[R]) -> bool {
        match self {
            Self::Anybody => !roles.is_empty(),
            Self::All(needed) => needed.iter().all(|role| roles.contains(role)),
        }
    }
}

/// Whom a client certificate belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder<'a, R> {
    /// Nobody who is listed.
    Nobody,
    /// That one.
    One(&'a Administrator<R>),
    /// Several: nobody could tell who acted.
    Several,
}

/// The person that `certificate` names in its subjectAltNames or as its subject.
pub(super) fn holder<'a, R>(
    administrators: &'a [Administrator<R>],
    certificate: &Certificate<'_>,
) -> Holder<'a, R> {
    let names = &certificate.extensions.subject_alt_names;
    let subject = certificate.subject_text();
    let mut found = administrators.iter().filter(|administrator| {
        let is_named = |identity: &String| names.iter().any(|name| is_identity(name, identity));
        administrator.identity.iter().any(is_named)
            || administrator.subject.as_ref() == Some(&subject)
    });
    match (found.next(), found.next()) {
        (None, _) => Holder::Nobody,
        (Some(one), None) => Holder::One(one),
        (Some(_), Some(_)) => Holder::Several,
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
pub(super) enum IdentityKind {
    Uri,
    Email,
    Host,
}

impl IdentityKind {
    pub(super) fn of(identity: &str) -> Self {
        if identity.contains(':') {
            Self::Uri
        } else if identity.contains('@') {
            Self::Email
        } else {
            Self::Host
        }
    }

    /// An identity of this kind as a [`Person`](super::Person) is known by it.
    pub(super) fn known(self, identity: &str) -> String {
        let kind = match self {
            Self::Uri => "uri",
            Self::Email => "email",
            Self::Host => "host",
        };
        format!("{kind}:{identity}")
    }
}

/// E-mail addresses, URIs and host names.
pub(super) fn names_somebody(name: &GeneralName<'_>) -> bool {
    name.identity().is_some() || matches!(name, GeneralName::Dns(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Duty {
        Look,
        Write,
        Undo,
    }

    impl Role for Duty {
        fn name(self) -> &'static str {
            "duty"
        }
    }

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
        assert!(!Needs::<Duty>::Anybody.allow(&[]));
        assert!(Needs::Anybody.allow(&[Duty::Look]));
        let needs = Needs::All(&[Duty::Write, Duty::Undo]);
        assert!(!needs.allow(&[Duty::Undo]));
        assert!(needs.allow(&[Duty::Undo, Duty::Write]));
    }
}
