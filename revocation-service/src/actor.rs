//! Who gives orders: the names in the client certificate that TLS verified.

use countersign_core::x509::{Certificate, GeneralName};
use countersign_daemon::peer::ClientCertificate;

/// An administrator, as recorded with what they did: the subjectAltNames of their certificate,
/// comma-separated, e-mail addresses and URIs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor(String);

impl Actor {
    /// The names in a client certificate; nothing when it has none that names somebody.
    pub(crate) fn of(certificate: &ClientCertificate) -> Option<Self> {
        let certificate = Certificate::decode(&certificate.0).ok()?;
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
