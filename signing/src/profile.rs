//! Certificate profiles as data: what each kind of certificate that we issue carries.
//!
//! This table says what is *put* into certificates; the lint that looks at the result before it
//! is signed is `countersign_core::x509::profile`, written apart from this one.

use const_oid::ObjectIdentifier;
use countersign_core::{oid, x509::profile::Role};
use serde::{Deserialize, Serialize};

use crate::der::Criticality;

/// A kind of certificate that we issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The self-signed root.
    Root,
    /// The CA below it that issues code signers.
    SigningCa,
    /// The CA below it that issues timestamp authorities.
    TimestampingCa,
    /// The CA below it that issues TLS certificates for our own services and their clients.
    ServiceCa,
    /// A signer of artifacts, named by one e-mail address or URI.
    CodeSigner,
    /// A timestamp authority (RFC 3161 §2.3).
    TimestampAuthority,
    /// A responder that a CA lets answer OCSP in its place (RFC 6960 §4.2.2.2).
    OcspDelegate,
    /// A TLS server, named by DNS names and IP addresses.
    TlsServer,
    /// A TLS client, named by one e-mail address or URI.
    TlsClient,
}

/// A CA of ours; each has a folder of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// Issues the three others, and OCSP delegates for itself.
    Root,
    /// Issues code signers.
    Signing,
    /// Issues timestamp authorities.
    Timestamping,
    /// Issues TLS certificates.
    Service,
}

impl Authority {
    /// Every CA, the root first.
    pub const ALL: [Self; 4] = [Self::Root, Self::Signing, Self::Timestamping, Self::Service];

    /// Its name in folders and URLs: `timestamping`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Signing => "signing",
            Self::Timestamping => "timestamping",
            Self::Service => "service",
        }
    }

    /// The CA with that [`name`](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|authority| authority.name() == name)
    }

    /// The profile of its certificate.
    pub const fn profile(self) -> Profile {
        match self {
            Self::Root => Profile::Root,
            Self::Signing => Profile::SigningCa,
            Self::Timestamping => Profile::TimestampingCa,
            Self::Service => Profile::ServiceCa,
        }
    }
}

/// Which alternative names a profile has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// None.
    None,
    /// Exactly one e-mail address or URI.
    Identity,
    /// One or more DNS names and IP addresses.
    Hosts,
}

/// Whether a profile is a CA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A CA below which at most `path_length` further CAs may stand in a row.
    Authority {
        /// pathLenConstraint.
        path_length: u8,
    },
    /// Not a CA; basicConstraints is left out.
    EndEntity,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// CA or not.
    pub kind: Kind,
    /// Bits of the critical keyUsage (RFC 5280 §4.2.1.3).
    pub key_usage: &'static [u8],
    /// The extKeyUsage; empty leaves the extension out.
    pub extended_key_usage: &'static [ObjectIdentifier],
    /// Whether extKeyUsage is critical.
    pub extended_key_usage_criticality: Criticality,
    /// The subjectAltName.
    pub names: Names,
    /// Who may issue it. Where there are several, the request says which.
    pub issuers: &'static [Authority],
    /// How long it is valid if the request does not say, in seconds.
    pub validity_seconds: i64,
}

const DAY_SECONDS: i64 = 24 * 60 * 60;
const YEAR_SECONDS: i64 = 365 * DAY_SECONDS;
const DIGITAL_SIGNATURE: &[u8] = &[0];
/// keyCertSign(5), cRLSign(6).
const ISSUING: &[u8] = &[5, 6];

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 9] = [
        Self::Root,
        Self::SigningCa,
        Self::TimestampingCa,
        Self::ServiceCa,
        Self::CodeSigner,
        Self::TimestampAuthority,
        Self::OcspDelegate,
        Self::TlsServer,
        Self::TlsClient,
    ];

    /// The name on the command line and in the index: `code-signer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::SigningCa => "signing-ca",
            Self::TimestampingCa => "timestamping-ca",
            Self::ServiceCa => "service-ca",
            Self::CodeSigner => "code-signer",
            Self::TimestampAuthority => "timestamp-authority",
            Self::OcspDelegate => "ocsp-delegate",
            Self::TlsServer => "tls-server",
            Self::TlsClient => "tls-client",
        }
    }

    /// The profile with that [`name`](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// What the lint calls it.
    pub const fn role(self) -> Role {
        match self {
            Self::Root => Role::Root,
            Self::SigningCa => Role::SigningCa,
            Self::TimestampingCa => Role::TimestampingCa,
            Self::ServiceCa => Role::ServiceCa,
            Self::CodeSigner => Role::CodeSigner,
            Self::TimestampAuthority => Role::TimestampAuthority,
            Self::OcspDelegate => Role::OcspDelegate,
            Self::TlsServer => Role::TlsServer,
            Self::TlsClient => Role::TlsClient,
        }
    }

    /// Its row.
    pub const fn row(self) -> Row {
        use Authority as A;
        match self {
            Self::Root => authority(1, &[], 20),
            // An intermediate's extKeyUsage bounds what it can issue (CSBR §7.1.2.2).
            Self::SigningCa => authority(0, &[oid::KP_CODE_SIGNING], 10),
            Self::TimestampingCa => authority(0, &[oid::KP_TIME_STAMPING], 10),
            Self::ServiceCa => authority(0, &[oid::KP_SERVER_AUTH, oid::KP_CLIENT_AUTH], 10),
            Self::CodeSigner => {
                leaf(&[oid::KP_CODE_SIGNING], Names::Identity, &[A::Signing], YEAR_SECONDS)
            }
            Self::TimestampAuthority => Row {
                // RFC 3161 §2.3: critical, and no other usage beside it.
                extended_key_usage_criticality: Criticality::Critical,
                ..leaf(&[oid::KP_TIME_STAMPING], Names::None, &[A::Timestamping], 5 * YEAR_SECONDS)
            },
            // Nobody asks whether a delegate is revoked (id-pkix-ocsp-nocheck): hence short.
            Self::OcspDelegate => {
                leaf(&[oid::KP_OCSP_SIGNING], Names::None, &A::ALL, 14 * DAY_SECONDS)
            }
            Self::TlsServer => {
                leaf(&[oid::KP_SERVER_AUTH], Names::Hosts, &[A::Service], 90 * DAY_SECONDS)
            }
            Self::TlsClient => {
                leaf(&[oid::KP_CLIENT_AUTH], Names::Identity, &[A::Service], 90 * DAY_SECONDS)
            }
        }
    }
}

const fn authority(
    path_length: u8,
    extended_key_usage: &'static [ObjectIdentifier],
    validity_years: i64,
) -> Row {
    Row {
        kind: Kind::Authority { path_length },
        key_usage: ISSUING,
        extended_key_usage,
        extended_key_usage_criticality: Criticality::NonCritical,
        names: Names::None,
        issuers: &[Authority::Root],
        validity_seconds: validity_years * YEAR_SECONDS,
    }
}

const fn leaf(
    extended_key_usage: &'static [ObjectIdentifier],
    names: Names,
    issuers: &'static [Authority],
    validity_seconds: i64,
) -> Row {
    Row {
        kind: Kind::EndEntity,
        key_usage: DIGITAL_SIGNATURE,
        extended_key_usage,
        extended_key_usage_criticality: Criticality::NonCritical,
        names,
        issuers,
        validity_seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse() {
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.name()), Some(profile));
            let quoted = serde_json::to_string(&profile).expect("JSON");
            assert_eq!(quoted, format!("{:?}", profile.name()), "one name everywhere");
        }
        for authority in Authority::ALL {
            assert_eq!(Authority::parse(authority.name()), Some(authority));
        }
    }
}
