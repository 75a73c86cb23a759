//! Import: what another system knew, or what this one exported.
//!
//! An export is JSON Lines: a head, then a line for each certificate, key and release. Nothing in it
//! proves itself, so that it takes both who may register and who may revoke.

use countersign_daemon::problem::Problem;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Administration,
    answer::Answer,
    openssl_index,
    shown::{ShownCertificate, ShownKey, ShownRelease},
    target::issuer_named,
};
use crate::{
    reply::{bad_request, of_storage},
    storage::{IssuerId, Listed, Registration, ReleaseRecord, RevokedKey},
};

/// Certificates in one transaction.
const BATCH: usize = 1000;

/// A line of an export.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    /// The first: which format this is.
    Export {
        format: u32,
    },
    Certificate(ShownCertificate),
    Key(ShownKey),
    Release(ShownRelease),
}

/// The format of exports that is read.
const FORMAT: u32 = 1;

#[derive(Default, Serialize)]
struct Imported {
    /// Certificates that were new.
    certificates: usize,
    /// Those that were known.
    known: usize,
    /// Revocations that were in it, new or not.
    revocations: usize,
    keys: usize,
    releases: usize,
}

impl Administration {
    /// Imports an export of this service. Each batch is whole or not there; repeating is safe.
    ///
    /// # Errors
    /// 400 names the line; 404; storage failed.
    pub(super) async fn import(&self, _actor: &Actor, body: &[u8]) -> Result<Answer, Problem> {
        let (mut listed, mut keys, mut releases) = (Vec::new(), Vec::new(), Vec::new());
        let mut has_head = false;
        for (number, line) in body.split(|octet| *octet == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let wrong = |what: &str| {
                bad_request("import.malformed", format!("Line {}: {what}.", number + 1))
            };
            let line: Line =
                serde_json::from_slice(line).map_err(|error| wrong(&error.to_string()))?;
            let member = |member: &'static str| wrong(&format!("{member} cannot be read"));
            match line {
                Line::Export { format: FORMAT } => has_head = true,
                Line::Export { .. } => {
                    return Err(wrong("a format that this service is too old for"));
                }
                _ if !has_head => return Err(wrong("the first line of an export is missing")),
                Line::Certificate(shown) => {
                    let issuer = issuer_named(&self.service, &shown.issuer)?.id;
                    listed.push(shown.decode(issuer).map_err(member)?);
                }
                Line::Key(shown) => keys.push(shown.decode().map_err(member)?),
                Line::Release(shown) => {
                    let issuer = issuer_named(&self.service, &shown.issuer)?.id;
                    releases.push(shown.decode(issuer).map_err(member)?);
                }
            }
        }
        self.refuse_future(&listed)?;
        let imported = self.take(keys, listed, releases).await?;
        Ok(Answer::ok(&imported))
    }

    /// Imports the `index.txt` of an `openssl ca`.
    ///
    /// # Errors
    /// 400 names the line; 404; storage failed.
    pub(super) async fn import_index(
        &self,
        actor: &Actor,
        issuer: &str,
        body: &[u8],
    ) -> Result<Answer, Problem> {
        let issuer = issuer_named(&self.service, issuer)?;
        let not_before = issuer.authority.certificate().not_before;
        let text = std::str::from_utf8(body)
            .map_err(|_| bad_request("import.malformed", "An index.txt is text in UTF-8."))?;
        let context = openssl_index::Context {
            issuer: issuer.id,
            not_before,
            now: self.service.now(),
            actor: actor.name(),
        };
        let listed = openssl_index::decode(text, &context)
            .map_err(|error| bad_request("import.malformed", error.to_string()))?;
        self.refuse_future(&listed)?;
        let imported = self.take(Vec::new(), listed, Vec::new()).await?;
        Ok(Answer::ok(&imported))
    }

    /// A date to come would say that the certificate is good until then.
    fn refuse_future(&self, listed: &[Listed]) -> Result<(), Problem> {
        let now = self.service.now();
        let future = listed.iter().find(|listed| {
            listed.revocation.as_ref().is_some_and(|revocation| revocation.revocation_date > now)
        });
        let Some(future) = future else { return Ok(()) };
        let serial = countersign_core::x509::certificate::serial_text(&future.certificate.serial);
        let detail = format!("The revocation of {serial} lies in the future (it is {now}).");
        Err(bad_request("import.future", detail))
    }

    async fn take(
        &self,
        keys: Vec<RevokedKey>,
        listed: Vec<Listed>,
        releases: Vec<ReleaseRecord>,
    ) -> Result<Imported, Problem> {
        let storage = self.service.storage();
        let mut imported =
            Imported { keys: keys.len(), releases: releases.len(), ..Imported::default() };
        // Keys first: what is registered with one is revoked with it.
        storage.import_keys(keys).await.map_err(|error| of_storage(&error))?;
        let mut revisions: Vec<(IssuerId, i64)> = Vec::new();
        for batch in listed.chunks(BATCH) {
            imported.revocations += batch.iter().filter(|each| each.revocation.is_some()).count();
            let taken = storage.import(batch.to_vec()).await;
            let (outcomes, changed) = taken.map_err(|error| of_storage(&error))?;
            let known = outcomes.iter().filter(|each| **each == Registration::Known).count();
            imported.known += known;
            imported.certificates += outcomes.len() - known;
            revisions.extend(changed);
        }
        storage.register_releases(releases).await.map_err(|error| of_storage(&error))?;
        for issuer in self.service.issuers() {
            let latest =
                revisions.iter().filter(|(id, _)| *id == issuer.id).map(|(_, at)| *at).max();
            if let Some(revision) = latest {
                self.publish(issuer, revision).await?;
            }
        }
        Ok(imported)
    }
}
