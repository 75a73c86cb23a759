//! A release as JSON: what lookups show, exports hold and imports take.

use countersign_core::{digest::encode_hex, time::UnixSeconds, x509::certificate::serial_text};
use countersign_daemon::admin::paging::digest;
use serde::{Deserialize, Serialize};

use super::ReleaseRecord;
use crate::{
    publish::Issuers,
    register::{serial_number, storage::IssuerId},
};

/// A release.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownRelease {
    pub(crate) bundle_sha256: String,
    name: String,
    /// When it was signed, as its timestamp says; missing if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed_at: Option<String>,
    pub(crate) issuer: String,
    serial: String,
    key_sha256: String,
    registered_at: String,
    registered_by: String,
}

impl ShownRelease {
    pub(crate) fn of(issuers: &Issuers, release: &ReleaseRecord) -> Self {
        Self {
            bundle_sha256: encode_hex(&release.bundle_sha256),
            name: release.name.clone(),
            signed_at: release.signed_at.map(|time| time.to_string()),
            issuer: issuers.name_of(release.issuer).to_owned(),
            serial: serial_text(&release.serial),
            key_sha256: encode_hex(&release.spki_sha256),
            registered_at: release.registered_at.to_string(),
            registered_by: release.actor.clone(),
        }
    }

    /// The record, for `issuer`; else the member that is wrong.
    pub(crate) fn decode(&self, issuer: IssuerId) -> Result<ReleaseRecord, &'static str> {
        let time = UnixSeconds::parse_rfc3339;
        let signed_at = self.signed_at.as_deref().map(|text| time(text).ok_or("signed_at"));
        let signed_at = signed_at.transpose()?;
        Ok(ReleaseRecord {
            bundle_sha256: digest(&self.bundle_sha256).ok_or("bundle_sha256")?,
            name: self.name.clone(),
            signed_at,
            issuer,
            serial: serial_number::parse(&self.serial).ok_or("serial")?,
            spki_sha256: digest(&self.key_sha256).ok_or("key_sha256")?,
            registered_at: time(&self.registered_at).ok_or("registered_at")?,
            actor: self.registered_by.clone(),
        })
    }
}
