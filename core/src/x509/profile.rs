//! Certificate profiles as data: what each kind of certificate carries.
//!
//! The one table: a CA builds certificates from it, [`inspect`] is the lint that it runs before it
//! signs and that a service runs on its own certificate before it starts. Verification asks less
//! of other people's certificates ([`path`](super::path)). Who issues which profile, and for how
//! long, is the CA's affair and not told here.

use alloc::{string::String, vec::Vec};

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use super::{Certificate, GeneralName, KeyUsage, Usages};
use crate::{
    asn1::{Flag, write::Criticality},
    finding::{Finding, FindingCode},
    oid,
};

/// What a certificate is for.
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

/// Whether a profile is a CA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A CA below which at most `path_length` further CAs may follow one another. The lint does not
    /// hold the root to it, whose name and key are what is trusted.
    Authority {
        /// pathLenConstraint.
        path_length: u8,
    },
    /// Not a CA; basicConstraints is left out.
    EndEntity,
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

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// CA or not.
    pub kind: Kind,
    /// The keyUsage, exactly, and critical (RFC 5280 §4.2.1.3).
    pub key_usage: KeyUsage,
    /// The extKeyUsage, exactly; empty leaves the extension out.
    pub extended_key_usage: &'static [ObjectIdentifier],
    /// Whether extKeyUsage is critical.
    pub extended_key_usage_criticality: Criticality,
    /// The subjectAltName.
    pub names: Names,
    /// Whether it has id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
    pub ocsp_no_check: Flag,
}

const CA_USAGE: KeyUsage = KeyUsage(KeyUsage::KEY_CERT_SIGN.0 | KeyUsage::CRL_SIGN.0);

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

    /// The name on the command line and in the CA's index: `code-signer`.
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

    /// Its row.
    pub const fn rules(self) -> Rules {
        match self {
            Self::Root => authority(1, &[]),
            // An intermediate's extKeyUsage bounds what it can issue (CSBR §7.1.2.2).
            Self::SigningCa => authority(0, &[oid::KP_CODE_SIGNING]),
            Self::TimestampingCa => authority(0, &[oid::KP_TIME_STAMPING]),
            Self::ServiceCa => authority(0, &[oid::KP_SERVER_AUTH, oid::KP_CLIENT_AUTH]),
            Self::CodeSigner => leaf(&[oid::KP_CODE_SIGNING], Names::Identity),
            Self::TimestampAuthority => Rules {
                // RFC 3161 §2.3: critical, and no other usage beside it.
                extended_key_usage_criticality: Criticality::Critical,
                ..leaf(&[oid::KP_TIME_STAMPING], Names::None)
            },
            Self::OcspDelegate => {
                Rules { ocsp_no_check: Flag::Yes, ..leaf(&[oid::KP_OCSP_SIGNING], Names::None) }
            }
            Self::TlsServer => leaf(&[oid::KP_SERVER_AUTH], Names::Hosts),
            Self::TlsClient => leaf(&[oid::KP_CLIENT_AUTH], Names::Identity),
        }
    }
}

const fn authority(path_length: u8, usages: &'static [ObjectIdentifier]) -> Rules {
    Rules {
        kind: Kind::Authority { path_length },
        key_usage: CA_USAGE,
        ..leaf(usages, Names::None)
    }
}

const fn leaf(usages: &'static [ObjectIdentifier], names: Names) -> Rules {
    Rules {
        kind: Kind::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: usages,
        extended_key_usage_criticality: Criticality::NonCritical,
        names,
        ocsp_no_check: Flag::No,
    }
}

/// The lint: every rule of `profile` that `certificate` breaks, each with the clause. Empty when it
/// follows the profile. Signatures, time and revocation are not looked at.
pub fn inspect(certificate: &Certificate<'_>, profile: Profile) -> Vec<Finding> {
    let rules = profile.rules();
    let mut lint = Lint { certificate, profile, findings: Vec::new() };
    lint.shape(&rules);
    lint.constraints(&rules);
    lint.key_usage(&rules);
    lint.extended_key_usage(&rules);
    lint.names(&rules);
    lint.pointers();
    if rules.ocsp_no_check.is_set() && !certificate.extensions.ocsp_no_check {
        lint.broken("RFC 6960 §4.2.2.2.1: id-pkix-ocsp-nocheck", "absent");
    }
    lint.findings
}

struct Lint<'c, 'a> {
    certificate: &'c Certificate<'a>,
    profile: Profile,
    findings: Vec<Finding>,
}

impl Lint<'_, '_> {
    fn broken(&mut self, expected: &str, found: impl Into<String>) {
        let finding = Finding::new(FindingCode::CERTIFICATE_PROFILE)
            .about(self.certificate.subject_text())
            .expected(expected)
            .found(found);
        self.findings.push(finding);
    }

    fn demand(&mut self, holds: bool, expected: &str, found: &str) {
        if !holds {
            self.broken(expected, found);
        }
    }

    fn shape(&mut self, rules: &Rules) {
        let certificate = self.certificate;
        self.demand(certificate.version == 3, "RFC 5280 §4.1.2.1: version 3", "another version");
        let serial = certificate.serial;
        let positive = serial.first().is_some_and(|octet| *octet < 0x80) && serial != [0];
        self.demand(positive, "RFC 5280 §4.1.2.2: a positive serial number", "zero or negative");
        self.demand(
            serial.len() <= 20,
            "RFC 5280 §4.1.2.2: a serial of at most 20 octets",
            "longer",
        );
        self.demand(
            serial.len() >= 8,
            "CA/B CSBR §7.1: a serial with at least 64 random bits",
            "fewer octets",
        );
        self.demand(
            certificate.not_before <= certificate.not_after,
            "RFC 5280 §4.1.2.5: notBefore not after notAfter",
            "an empty validity",
        );
        let key = certificate.public_key.algorithm;
        self.demand(
            key.is_acceptable(),
            "P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits",
            key.name(),
        );
        let root = self.profile == Profile::Root;
        self.demand(
            certificate.is_self_issued() == root,
            "RFC 5280 §3.2: only the root is its own issuer",
            if root { "another issuer" } else { "its own subject as issuer" },
        );
        let empty_subject = certificate.subject == [0x30, 0x00];
        let identified = certificate.extensions.subject_alt_name_critical == Some(Flag::Yes);
        self.demand(
            !empty_subject || (rules.kind == Kind::EndEntity && identified),
            "RFC 5280 §4.1.2.6: a subject, or a critical subjectAltName on a leaf",
            "neither",
        );
    }

    fn constraints(&mut self, rules: &Rules) {
        let ca = self.certificate.extensions.is_ca();
        let constraints = self.certificate.extensions.basic_constraints;
        match rules.kind {
            Kind::EndEntity => self.demand(!ca, "RFC 5280 §4.2.1.9: not a CA", "cA TRUE"),
            Kind::Authority { .. } => {
                self.demand(ca, "RFC 5280 §4.2.1.9: basicConstraints with cA", "absent or FALSE");
                let critical = constraints.is_some_and(|(critical, _)| critical.is_set());
                self.demand(
                    critical,
                    "RFC 5280 §4.2.1.9: critical basicConstraints",
                    "not critical",
                );
            }
        }
        if rules.kind == (Kind::Authority { path_length: 0 }) {
            let zero = constraints.is_some_and(|(_, each)| each.path_length == Some(0));
            self.demand(zero, "pathLenConstraint 0: issues no further CA", "another or none");
        }
    }

    fn key_usage(&mut self, rules: &Rules) {
        match self.certificate.extensions.key_usage {
            None => self.broken("RFC 5280 §4.2.1.3: keyUsage", "absent"),
            Some((critical, usage)) => {
                self.demand(
                    critical.is_set(),
                    "RFC 5280 §4.2.1.3: critical keyUsage",
                    "not critical",
                );
                if usage != rules.key_usage {
                    let expected = rules.key_usage.names().join(", ");
                    self.broken(
                        &alloc::format!("RFC 5280 §4.2.1.3: keyUsage {expected}"),
                        usage.names().join(", "),
                    );
                }
            }
        }
    }

    fn extended_key_usage(&mut self, rules: &Rules) {
        let present = self.certificate.extensions.extended_key_usage.clone();
        let Some((critical, usages)) = present else {
            self.demand(
                rules.extended_key_usage.is_empty(),
                "RFC 5280 §4.2.1.12: extKeyUsage",
                "absent",
            );
            return;
        };
        let same = usages.0.len() == rules.extended_key_usage.len()
            && rules.extended_key_usage.iter().all(|usage| usages.contains(*usage));
        if !same {
            let expected = Usages(rules.extended_key_usage.to_vec()).text();
            self.broken(
                &alloc::format!("RFC 5280 §4.2.1.12: extKeyUsage exactly [{expected}]"),
                usages.text(),
            );
        }
        if rules.extended_key_usage_criticality == Criticality::Critical {
            let found = "not critical";
            self.demand(critical.is_set(), "RFC 3161 §2.3: critical extKeyUsage", found);
        }
    }

    fn names(&mut self, rules: &Rules) {
        let names = &self.certificate.extensions.subject_alt_names;
        let identities = names.iter().filter(|name| name.identity().is_some()).count();
        let hosts = names
            .iter()
            .filter(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)))
            .count();
        match rules.names {
            Names::None => {}
            Names::Identity => self.demand(
                identities == 1 && names.len() == 1,
                "RFC 5280 §4.2.1.6: exactly one e-mail address or URI",
                "none, several or others",
            ),
            Names::Hosts => {
                self.demand(hosts > 0, "RFC 5280 §4.2.1.6: a DNS name or IP address", "none");
            }
        }
    }

    fn pointers(&mut self) {
        let extensions = &self.certificate.extensions;
        let key_identifier = extensions.subject_key_identifier.is_some();
        let issuer_identifier = extensions.authority_key_identifier.is_some();
        let crl = !extensions.crl_urls.is_empty();
        let ocsp = !extensions.ocsp_urls.is_empty();
        let issuers = !extensions.issuer_urls.is_empty();
        self.demand(key_identifier, "RFC 5280 §4.2.1.2: subjectKeyIdentifier", "absent");
        if self.profile == Profile::Root {
            return;
        }
        self.demand(issuer_identifier, "RFC 5280 §4.2.1.1: authorityKeyIdentifier", "absent");
        self.demand(crl, "RFC 5280 §4.2.1.13: cRLDistributionPoints with a URI", "absent");
        self.demand(ocsp, "RFC 5280 §4.2.2.1: authorityInfoAccess with OCSP", "absent");
        self.demand(issuers, "RFC 5280 §4.2.2.1: authorityInfoAccess with caIssuers", "absent");
    }
}
