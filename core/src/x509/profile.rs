//! Certificate profiles as data: what each kind of certificate must and must not carry.
//!
//! [`inspect`] is the lint that a CA runs before it signs and that a service runs on its own
//! certificate before it starts. Verification uses the same rows through
//! [`path`](super::path), with the tolerance that other people's certificates need.

use alloc::{string::String, vec::Vec};

use const_oid::ObjectIdentifier;

use super::{Certificate, KeyUsage};
use crate::{
    asn1::Flag,
    finding::{Finding, FindingCode},
    oid,
};

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The self-signed root.
    Root,
    /// The CA that issues code signers.
    SigningCa,
    /// The CA that issues timestamp authorities.
    TimestampingCa,
    /// The CA that issues TLS certificates for our own services and their clients.
    ServiceCa,
    /// A signer of artifacts.
    CodeSigner,
    /// A timestamp authority (RFC 3161 §2.3).
    TimestampAuthority,
    /// A responder to which a CA delegates OCSP (RFC 6960 §4.2.2.2).
    OcspDelegate,
    /// A TLS server.
    TlsServer,
    /// A TLS client.
    TlsClient,
}

impl Role {
    /// Every role.
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
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Intermediate,
    Leaf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    None,
    /// Exactly one e-mail address or URI.
    Identity,
    /// At least one DNS name or IP address.
    Host,
}

/// One row: the rules of a role.
struct Profile {
    kind: Kind,
    key_usage: KeyUsage,
    usages: &'static [ObjectIdentifier],
    usages_critical: Flag,
    names: Names,
}

const CA_USAGE: KeyUsage = KeyUsage(KeyUsage::KEY_CERT_SIGN.0 | KeyUsage::CRL_SIGN.0);
const SIGNATURE: KeyUsage = KeyUsage::DIGITAL_SIGNATURE;

const fn profile(role: Role) -> Profile {
    match role {
        Role::Root => row(Kind::Root, CA_USAGE, &[], Flag::No, Names::None),
        Role::SigningCa => {
            row(Kind::Intermediate, CA_USAGE, &[oid::KP_CODE_SIGNING], Flag::No, Names::None)
        }
        Role::TimestampingCa => {
            row(Kind::Intermediate, CA_USAGE, &[oid::KP_TIME_STAMPING], Flag::No, Names::None)
        }
        Role::ServiceCa => row(
            Kind::Intermediate,
            CA_USAGE,
            &[oid::KP_SERVER_AUTH, oid::KP_CLIENT_AUTH],
            Flag::No,
            Names::None,
        ),
        Role::CodeSigner => {
            row(Kind::Leaf, SIGNATURE, &[oid::KP_CODE_SIGNING], Flag::No, Names::Identity)
        }
        Role::TimestampAuthority => {
            row(Kind::Leaf, SIGNATURE, &[oid::KP_TIME_STAMPING], Flag::Yes, Names::None)
        }
        Role::OcspDelegate => {
            row(Kind::Leaf, SIGNATURE, &[oid::KP_OCSP_SIGNING], Flag::No, Names::None)
        }
        Role::TlsServer => {
            row(Kind::Leaf, SIGNATURE, &[oid::KP_SERVER_AUTH], Flag::No, Names::Host)
        }
        Role::TlsClient => {
            row(Kind::Leaf, SIGNATURE, &[oid::KP_CLIENT_AUTH], Flag::No, Names::Identity)
        }
    }
}

const fn row(
    kind: Kind,
    key_usage: KeyUsage,
    usages: &'static [ObjectIdentifier],
    usages_critical: Flag,
    names: Names,
) -> Profile {
    Profile { kind, key_usage, usages, usages_critical, names }
}

/// The lint: every rule of `role` that `certificate` breaks, each with the clause. Empty when it
/// follows the profile. Signatures, time and revocation are not looked at.
pub fn inspect(certificate: &Certificate<'_>, role: Role) -> Vec<Finding> {
    let profile = profile(role);
    let mut lint = Lint { certificate, findings: Vec::new() };
    lint.shape(&profile);
    lint.constraints(&profile);
    lint.key_usage(&profile);
    lint.extended_key_usage(&profile, role);
    lint.names(&profile);
    lint.pointers(&profile);
    if role == Role::OcspDelegate && !certificate.extensions.ocsp_no_check {
        lint.broken("RFC 6960 §4.2.2.2.1: id-pkix-ocsp-nocheck", "absent");
    }
    lint.findings
}

struct Lint<'c, 'a> {
    certificate: &'c Certificate<'a>,
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

    fn shape(&mut self, profile: &Profile) {
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
        let root = profile.kind == Kind::Root;
        self.demand(
            certificate.is_self_issued() == root,
            "RFC 5280 §3.2: only the root is its own issuer",
            if root { "another issuer" } else { "its own subject as issuer" },
        );
        let empty_subject = certificate.subject == [0x30, 0x00];
        let identified = certificate.extensions.subject_alt_name_critical == Some(Flag::Yes);
        self.demand(
            !empty_subject || (profile.kind == Kind::Leaf && identified),
            "RFC 5280 §4.1.2.6: a subject, or a critical subjectAltName on a leaf",
            "neither",
        );
    }

    fn constraints(&mut self, profile: &Profile) {
        let ca = self.certificate.extensions.is_ca();
        let constraints = self.certificate.extensions.basic_constraints;
        match profile.kind {
            Kind::Leaf => self.demand(!ca, "RFC 5280 §4.2.1.9: not a CA", "cA TRUE"),
            Kind::Root | Kind::Intermediate => {
                self.demand(ca, "RFC 5280 §4.2.1.9: basicConstraints with cA", "absent or FALSE");
                let critical = constraints.is_some_and(|(critical, _)| critical.is_set());
                self.demand(
                    critical,
                    "RFC 5280 §4.2.1.9: critical basicConstraints",
                    "not critical",
                );
            }
        }
        if profile.kind == Kind::Intermediate {
            let zero = constraints.is_some_and(|(_, each)| each.path_length == Some(0));
            self.demand(zero, "pathLenConstraint 0: issues no further CA", "another or none");
        }
    }

    fn key_usage(&mut self, profile: &Profile) {
        match self.certificate.extensions.key_usage {
            None => self.broken("RFC 5280 §4.2.1.3: keyUsage", "absent"),
            Some((critical, usage)) => {
                self.demand(
                    critical.is_set(),
                    "RFC 5280 §4.2.1.3: critical keyUsage",
                    "not critical",
                );
                if usage != profile.key_usage {
                    let expected = profile.key_usage.names().join(", ");
                    self.broken(
                        &alloc::format!("RFC 5280 §4.2.1.3: keyUsage {expected}"),
                        usage.names().join(", "),
                    );
                }
            }
        }
    }

    fn extended_key_usage(&mut self, profile: &Profile, role: Role) {
        let present = self.certificate.extensions.extended_key_usage.clone();
        let Some((critical, usages)) = present else {
            self.demand(profile.usages.is_empty(), "RFC 5280 §4.2.1.12: extKeyUsage", "absent");
            return;
        };
        let same = usages.0.len() == profile.usages.len()
            && profile.usages.iter().all(|usage| usages.contains(*usage));
        if !same {
            let expected = super::Usages(profile.usages.to_vec()).text();
            self.broken(
                &alloc::format!("RFC 5280 §4.2.1.12: extKeyUsage exactly [{expected}]"),
                usages.text(),
            );
        }
        if role == Role::TimestampAuthority {
            self.demand(
                critical == profile.usages_critical,
                "RFC 3161 §2.3: critical extKeyUsage",
                "not critical",
            );
        }
    }

    fn names(&mut self, profile: &Profile) {
        let names = &self.certificate.extensions.subject_alt_names;
        let identities = names.iter().filter(|name| name.identity().is_some()).count();
        let hosts = names
            .iter()
            .filter(|name| matches!(name, super::GeneralName::Dns(_) | super::GeneralName::Ip(_)))
            .count();
        match profile.names {
            Names::None => {}
            Names::Identity => self.demand(
                identities == 1 && names.len() == 1,
                "RFC 5280 §4.2.1.6: exactly one e-mail address or URI",
                "none, several or others",
            ),
            Names::Host => {
                self.demand(hosts > 0, "RFC 5280 §4.2.1.6: a DNS name or IP address", "none");
            }
        }
    }

    fn pointers(&mut self, profile: &Profile) {
        let extensions = &self.certificate.extensions;
        let key_identifier = extensions.subject_key_identifier.is_some();
        let issuer_identifier = extensions.authority_key_identifier.is_some();
        let crl = !extensions.crl_urls.is_empty();
        let ocsp = !extensions.ocsp_urls.is_empty();
        let issuers = !extensions.issuer_urls.is_empty();
        self.demand(key_identifier, "RFC 5280 §4.2.1.2: subjectKeyIdentifier", "absent");
        if profile.kind == Kind::Root {
            return;
        }
        self.demand(issuer_identifier, "RFC 5280 §4.2.1.1: authorityKeyIdentifier", "absent");
        self.demand(crl, "RFC 5280 §4.2.1.13: cRLDistributionPoints with a URI", "absent");
        self.demand(ocsp, "RFC 5280 §4.2.2.1: authorityInfoAccess with OCSP", "absent");
        self.demand(issuers, "RFC 5280 §4.2.2.1: authorityInfoAccess with caIssuers", "absent");
    }
}
