//! Certificates, keys and releases as JSON: what lookups show, exports hold and imports take.

use base64ct::{Base64, Encoding};
use countersign_core::{
    crl::RevocationReason,
    digest::encode_hex,
    json,
    time::UnixSeconds,
    x509::{certificate::serial_text, name},
};
use countersign_daemon::admin::paging::digest;
use serde::{Deserialize, Serialize};

use crate::{
    register::{
        serial_number,
        storage::{CertificateRecord, Digests, Evidence, IssuerId, Listed, Revocation, RevokedKey},
    },
    respond::RecordStatus,
};

/// A certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownCertificate {
    pub(super) issuer: String,
    pub(super) serial: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    /// The DER of the subject, base64: an import cannot make it from the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject_der: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Of the `TBSCertificate`, which tells one certificate from another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tbs_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key_sha256: Option<String>,
    pub(super) not_before: String,
    pub(super) not_after: String,
    /// `import` while nothing but an import says all this. What an import itself says here is not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<String>,
    pub(super) registered_at: String,
    pub(super) registered_by: String,
    pub(super) status: String,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::optional_object"
    )]
    pub(super) revocation: Option<ShownRevocation>,
}

/// A revocation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownRevocation {
    pub(super) reason: String,
    pub(super) revocation_date: String,
    pub(super) recorded_at: String,
    pub(super) recorded_by: String,
}

/// A key that was revoked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownKey {
    pub(super) key_sha256: String,
    #[serde(deserialize_with = "json::object")]
    pub(super) revocation: ShownRevocation,
}

/// A time as RFC 3339.
fn time(text: &str) -> Option<UnixSeconds> {
    UnixSeconds::parse_rfc3339(text)
}

impl ShownRevocation {
    pub(super) fn of(revocation: &Revocation) -> Self {
        Self {
            reason: revocation.reason.name().to_owned(),
            revocation_date: revocation.revocation_date.to_string(),
            recorded_at: revocation.recorded_at.to_string(),
            recorded_by: revocation.actor.clone(),
        }
    }

    fn decode(&self) -> Result<Revocation, &'static str> {
        let reason = RevocationReason::parse(&self.reason).ok_or("reason")?;
        if reason == RevocationReason::RemoveFromCrl {
            return Err("reason");
        }
        Ok(Revocation {
            reason,
            revocation_date: time(&self.revocation_date).ok_or("revocation_date")?,
            recorded_at: time(&self.recorded_at).ok_or("recorded_at")?,
            actor: self.recorded_by.clone(),
        })
    }
}

impl ShownCertificate {
    pub(super) fn of(issuer: &str, certificate: &CertificateRecord, status: &RecordStatus) -> Self {
        let (status, revocation) = match status {
            RecordStatus::Good => ("good", None),
            RecordStatus::Revoked(revocation) => ("revoked", Some(revocation)),
            RecordStatus::Unknown => ("unknown", None),
        };
        let digests = certificate.digests.as_ref();
        Self {
            issuer: issuer.to_owned(),
            serial: serial_text(&certificate.serial),
            subject: digests.map(|digests| name::text(&digests.subject)),
            subject_der: digests.map(|digests| Base64::encode_string(&digests.subject)),
            sha256: digests.map(|digests| encode_hex(&digests.sha256)),
            tbs_sha256: digests.and_then(|digests| digests.tbs_sha256).map(|tbs| encode_hex(&tbs)),
            key_sha256: digests.map(|digests| encode_hex(&digests.spki_sha256)),
            not_before: certificate.not_before.to_string(),
            not_after: certificate.not_after.to_string(),
            evidence: match certificate.evidence {
                Evidence::Certificate => None,
                Evidence::Import => Some("import".to_owned()),
            },
            registered_at: certificate.registered_at.to_string(),
            registered_by: certificate.actor.clone(),
            status: status.to_owned(),
            revocation: revocation.map(ShownRevocation::of),
        }
    }

    /// The record, for `issuer`; else the member that is wrong.
    pub(super) fn decode(&self, issuer: IssuerId) -> Result<Listed, &'static str> {
        let tbs_sha256 = self.tbs_sha256.as_deref().map(|text| digest(text).ok_or("tbs_sha256"));
        let tbs_sha256 = tbs_sha256.transpose()?;
        let digests = match (&self.sha256, &self.key_sha256, &self.subject_der) {
            (Some(sha256), Some(key), Some(subject)) => Some(Digests {
                sha256: digest(sha256).ok_or("sha256")?,
                tbs_sha256,
                spki_sha256: digest(key).ok_or("key_sha256")?,
                subject: Base64::decode_vec(subject).map_err(|_| "subject_der")?,
            }),
            (None, None, None) if tbs_sha256.is_none() => None,
            _ => return Err("sha256, key_sha256 and subject_der (all or none)"),
        };
        let revocation = self.revocation.as_ref().map(ShownRevocation::decode).transpose()?;
        if (self.status == "revoked") != revocation.is_some() {
            return Err("status");
        }
        let certificate = CertificateRecord {
            issuer,
            serial: serial_number::parse(&self.serial).ok_or("serial")?,
            digests,
            not_before: time(&self.not_before).ok_or("not_before")?,
            not_after: time(&self.not_after).ok_or("not_after")?,
            evidence: Evidence::Import,
            registered_at: time(&self.registered_at).ok_or("registered_at")?,
            actor: self.registered_by.clone(),
        };
        Ok(Listed { certificate, revocation })
    }
}

impl ShownKey {
    pub(super) fn of(key: &RevokedKey) -> Self {
        Self {
            key_sha256: encode_hex(&key.spki_sha256),
            revocation: ShownRevocation::of(&key.revocation),
        }
    }

    pub(super) fn decode(&self) -> Result<RevokedKey, &'static str> {
        Ok(RevokedKey {
            spki_sha256: digest(&self.key_sha256).ok_or("key_sha256")?,
            revocation: self.revocation.decode()?,
        })
    }
}
