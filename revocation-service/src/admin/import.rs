//! Import: what another system knew, or what this one exported.
//!
//! An export is JSON Lines: a head, then a line for each certificate, key and release. Nothing in it
//! proves itself, so that it takes both who may register and who may revoke, and what it says of a
//! certificate decides nothing: the certificate replaces it when it is registered. Above all it does not prove
//! who gave the orders in it: that they did is the word of whoever imports it, and recorded as such.

use std::collections::BTreeSet;

use countersign_core::{digest::encode_hex, time::UnixSeconds, x509::certificate::serial_text};
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
    authority::sha256,
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
    /// SHA-256 of what was imported; with the answer it is in the ledger.
    sha256: String,
    /// Whom it names as having recorded something; the first of many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

/// The longest name of somebody who recorded something elsewhere, with those who imported it before.
const MAX_NAME_OCTETS: usize = 512;

/// Names that an answer has.
const MAX_NAMES: usize = 50;

/// Writes down whose word it is that somebody recorded something: `imported by carol: bob`. Gives whom the
/// import names.
fn sign_for(
    actor: &Actor,
    keys: &mut [RevokedKey],
    listed: &mut [Listed],
    releases: &mut [ReleaseRecord],
) -> Result<Vec<String>, Problem> {
    let prefix = format!("imported by {}: ", actor.name());
    let revocations = listed.iter_mut().flat_map(|listed| {
        let revocation = listed.revocation.as_mut().map(|revocation| &mut revocation.actor);
        std::iter::once(&mut listed.certificate.actor).chain(revocation)
    });
    let all = revocations
        .chain(keys.iter_mut().map(|key| &mut key.revocation.actor))
        .chain(releases.iter_mut().map(|release| &mut release.actor));
    let mut names = BTreeSet::new();
    for name in all {
        if name.len() > MAX_NAME_OCTETS || name.chars().any(char::is_control) {
            let detail = format!(
                "recorded_by and registered_by have at most {MAX_NAME_OCTETS} octets, and no control \
                 characters."
            );
            return Err(bad_request("import.malformed", detail));
        }
        if names.len() < MAX_NAMES {
            names.insert(name.clone());
        }
        // Taken out of here by an export and imported again by the same person: that was said.
        if !name.starts_with(&prefix) {
            name.insert_str(0, &prefix);
        }
    }
    Ok(names.into_iter().collect())
}

impl Administration {
    /// Imports an export of this service. Each batch is whole or not there; repeating is safe.
    ///
    /// # Errors
    /// 400 names the line; 404; storage failed.
    pub(super) async fn import(&self, actor: &Actor, body: &[u8]) -> Result<Answer, Problem> {
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
        self.refuse_impossible_dates(&listed)?;
        self.refuse_future_keys(&keys)?;
        let names = sign_for(actor, &mut keys, &mut listed, &mut releases)?;
        let imported = self.take(keys, listed, releases).await?;
        Ok(Answer::ok(&Imported { sha256: encode_hex(&sha256(body)), names, ..imported }))
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
        self.refuse_impossible_dates(&listed)?;
        let imported = self.take(Vec::new(), listed, Vec::new()).await?;
        Ok(Answer::ok(&Imported { sha256: encode_hex(&sha256(body)), ..imported }))
    }

    /// Refuses dates to come, by which a certificate would be good until then, and dates before its issuer
    /// began, which no list of that issuer can have.
    fn refuse_impossible_dates(&self, listed: &[Listed]) -> Result<(), Problem> {
        let now = self.service.now();
        for Listed { certificate, revocation } in listed {
            let issuer = self.service.issuers().iter().find(|each| each.id == certificate.issuer);
            let began = issuer.map(|issuer| issuer.authority.certificate().not_before);
            let of_revocation =
                revocation.as_ref().map(|each| ("The revocation", each.revocation_date));
            // What is registered under a revoked key is revoked from then on.
            let dates = [
                ("The registration", certificate.registered_at),
                ("notBefore", certificate.not_before),
            ];
            for (what, date) in of_revocation.into_iter().chain(dates) {
                let serial = serial_text(&certificate.serial);
                let what = format!("{what} of {serial}");
                refuse_future(&what, date, now)?;
                if let Some(began) = began.filter(|began| date < *began) {
                    let detail = format!("{what} is {date}, and its issuer began at {began}.");
                    return Err(bad_request("import.too_early", detail));
                }
            }
            if certificate.not_after < certificate.not_before {
                let serial = serial_text(&certificate.serial);
                let detail = format!("The certificate {serial} ends before it begins.");
                return Err(bad_request("import.malformed", detail));
            }
        }
        Ok(())
    }

    /// The same for keys: their date is that of every certificate which holds one.
    fn refuse_future_keys(&self, keys: &[RevokedKey]) -> Result<(), Problem> {
        let now = self.service.now();
        for key in keys {
            let what = format!("The revocation of the key {}", encode_hex(&key.spki_sha256));
            refuse_future(&what, key.revocation.revocation_date, now)?;
        }
        Ok(())
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

/// # Errors
/// 400.
fn refuse_future(what: &str, date: UnixSeconds, now: UnixSeconds) -> Result<(), Problem> {
    if date <= now {
        return Ok(());
    }
    let detail = format!("{what} lies in the future: {date} (it is {now}).");
    Err(bad_request("import.future", detail))
}
