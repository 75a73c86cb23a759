//! Who somebody is: by what their certificate proves, not by what the configuration happens to call them.
//!
//! A proposal may wait for days, and the configuration can change meanwhile. So of whoever proposes or decides
//! both are kept: the name, to be shown, and the identities, to be compared. Whether two are two people is
//! decided strictly ([`Person::may_be`]), and whether one may act for another just as strictly the other way
//! ([`Person::is`]).

use std::collections::BTreeSet;

use countersign_core::x509::{Certificate, GeneralName};

use super::people::{Administrator, IdentityKind};

/// A person, or a machine, as records know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    name: String,
    /// What they are known by, each with its kind: `email:alice@example.com`.
    identities: BTreeSet<String>,
}

impl Person {
    /// The person whom records call `name` and know by `identities`.
    pub fn new(
        name: impl Into<String>,
        identities: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self { name: name.into(), identities: identities.into_iter().map(Into::into).collect() }
    }

    /// Whoever comes with `certificate` and fits `entry`: known by all that the one proves and the other
    /// lists, so that they stay the same if they come with another certificate of theirs.
    pub(super) fn of<R>(entry: &Administrator<R>, certificate: &Certificate<'_>) -> Self {
        let proven = certificate.extensions.subject_alt_names.iter().filter_map(proven);
        let listed =
            entry.identity.iter().map(|identity| IdentityKind::of(identity).known(identity));
        let subject = entry.subject.iter().map(|subject| format!("subject:{subject}"));
        Self::new(entry.display_name(), proven.chain(listed).chain(subject))
    }

    /// How records call them.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What they are known by, each with its kind, in alphabetical order.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        self.identities.iter().map(String::as_str)
    }

    /// Whether both may be the same person: two people differ in name *and* in every identity.
    pub fn may_be(&self, other: &Self) -> bool {
        self.name == other.name || self.is(other)
    }

    /// Whether both are the same person: an identity is both of theirs. A name alone does not say so; it may
    /// have been somebody else's before.
    pub fn is(&self, other: &Self) -> bool {
        !self.identities.is_disjoint(&other.identities)
    }
}

/// What a subjectAltName says of its holder.
fn proven(name: &GeneralName<'_>) -> Option<String> {
    let kind = match name {
        GeneralName::Email(_) => IdentityKind::Email,
        GeneralName::Uri(_) => IdentityKind::Uri,
        GeneralName::Dns(_) => IdentityKind::Host,
        _ => return None,
    };
    Some(kind.known(&name.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_people_differ_in_name_and_in_every_identity() {
        let alice = Person::new("Alice", ["email:alice@example.test", "uri:urn:alice"]);
        for (other, is, may_be) in [
            (Person::new("Alice", ["email:alice@example.test"]), true, true),
            (Person::new("Alicia", ["uri:urn:alice", "email:a@example.test"]), true, true),
            (Person::new("Alice", ["email:a@example.test"]), false, true),
            (Person::new("Bob", ["email:bob@example.test"]), false, false),
            // The same octets as another kind of name are somebody else's.
            (Person::new("Bob", ["host:alice@example.test"]), false, false),
            (Person::new("Alice", [""; 0]), false, true),
        ] {
            assert_eq!((alice.is(&other), alice.may_be(&other)), (is, may_be), "{other:?}");
            assert_eq!((other.is(&alice), other.may_be(&alice)), (is, may_be), "{other:?}");
        }
    }
}
