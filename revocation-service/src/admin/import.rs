//! Import: what another system knew, or what this one exported.
//!
//! An export is JSON Lines: a head, then a line for each certificate, key and release. Nothing in it
//! proves itself, so that it takes both who may register and who may revoke, and what it says of a
//! certificate decides nothing: the certificate replaces it when it is registered. Above all it does not prove
//! who gave the orders in it: that they did is the word of whoever imports it, and recorded as such.

use std::collections::BTreeSet;

use countersign_core::{
    crl::RevocationReason, digest::encode_hex, time::UnixSeconds, x509::certificate::serial_text,
};
use countersign_daemon::{admin::Answer, json_body, problem::Problem, sha256::sha256};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Actor, Administration, ImportBatch, openssl_index,
    shown::{ShownCertificate, ShownKey},
    target::issuer_named,
};
use crate::{
    register::{
        rules::Refusal,
        storage::{IssuerId, Listed, Registration, RevokedKey},
    },
    releases::{ReleaseRecord, ShownRelease},
    reply::of_storage,
};

/// Entries in one transaction: short enough that an urgent revocation, which waits for the batch that is being
/// written and not for the import, is not kept waiting.
const BATCH: usize = 1000;

/// A line of an export.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    /// The first: which format this is.
    Export {
        format: u32,
    },
    Certificate(Box<ShownCertificate>),
    Key(ShownKey),
    Release(ShownRelease),
}

/// The format of exports that is read.
const FORMAT: u32 = 1;

#[derive(Clone, Default, Serialize)]
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

impl Imported {
    fn count(&mut self, batch: &ImportBatch) {
        let revoked = batch.certificates.iter().filter(|each| each.revocation.is_some());
        self.revocations += revoked.count();
        self.keys += batch.keys.len();
        self.releases += batch.releases.len();
    }

    fn count_known(&mut self, registrations: &[Registration]) {
        let known = registrations.iter().filter(|each| **each == Registration::Known).count();
        self.known += known;
        self.certificates += registrations.len() - known;
    }

    fn is_nothing(&self) -> bool {
        self.certificates + self.known + self.keys + self.releases == 0
    }
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
            return Err(Problem::bad_request("import.malformed", detail));
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
    /// Imports an export of this service. Repeating is safe.
    ///
    /// # Errors
    /// 400 names the line; 404; 409 where another certificate or release is on record, or a key is on hold;
    /// storage failed.
    pub(super) async fn import(&self, actor: &Actor, body: &[u8]) -> Result<Answer, Problem> {
        let (mut listed, mut keys, mut releases) = (Vec::new(), Vec::new(), Vec::new());
        let mut has_head = false;
        for (number, line) in body.split(|octet| *octet == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let wrong = |what: &str| {
                Problem::bad_request("import.malformed", format!("Line {}: {what}.", number + 1))
            };
            let line: Line = json_body::decode(line).map_err(|error| wrong(&error))?;
            let member = |member: &'static str| wrong(&format!("{member} cannot be read"));
            match line {
                Line::Export { format: FORMAT } => has_head = true,
                Line::Export { .. } => {
                    return Err(wrong("a format that this service is too old for"));
                }
                _ if !has_head => return Err(wrong("the first line of an export is missing")),
                Line::Certificate(shown) => {
                    let issuer = issuer_named(&self.issuers, &shown.issuer)?.id;
                    listed.push(shown.decode(issuer).map_err(member)?);
                }
                Line::Key(shown) => keys.push(shown.decode().map_err(member)?),
                Line::Release(shown) => {
                    let issuer = issuer_named(&self.issuers, &shown.issuer)?.id;
                    releases.push(shown.decode(issuer).map_err(member)?);
                }
            }
        }
        self.refuse_impossible_dates(&listed)?;
        self.refuse_impossible_keys(&keys)?;
        let names = sign_for(actor, &mut keys, &mut listed, &mut releases)?;
        let read = ImportBatch { keys, certificates: listed, releases };
        self.take(actor, read, names, encode_hex(&sha256(body))).await
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
        let issuer = issuer_named(&self.issuers, issuer)?;
        let not_before = issuer.authority.certificate().not_before;
        let text = std::str::from_utf8(body).map_err(|_| {
            Problem::bad_request("import.malformed", "An index.txt is text in UTF-8.")
        })?;
        let context = openssl_index::Context {
            issuer: issuer.id,
            not_before,
            now: self.now(),
            actor: actor.name(),
        };
        let listed = openssl_index::decode(text, &context)
            .map_err(|error| Problem::bad_request("import.malformed", error.to_string()))?;
        self.refuse_impossible_dates(&listed)?;
        let read = ImportBatch { certificates: listed, ..ImportBatch::default() };
        self.take(actor, read, Vec::new(), encode_hex(&sha256(body))).await
    }

    /// Refuses dates to come, by which a certificate would be good until then, and dates before its issuer
    /// began, which no list of that issuer can have.
    fn refuse_impossible_dates(&self, listed: &[Listed]) -> Result<(), Problem> {
        let now = self.now();
        for Listed { certificate, revocation } in listed {
            let issuer = self.issuers.with_id(certificate.issuer);
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
                    return Err(Problem::bad_request("import.too_early", detail));
                }
            }
            if certificate.not_after < certificate.not_before {
                let serial = serial_text(&certificate.serial);
                let detail = format!("The certificate {serial} ends before it begins.");
                return Err(Problem::bad_request("import.malformed", detail));
            }
        }
        Ok(())
    }

    /// The same for keys: their date is that of every certificate which holds one. And a hold is refused, as
    /// it is in an order against a key: nothing could lift it.
    fn refuse_impossible_keys(&self, keys: &[RevokedKey]) -> Result<(), Problem> {
        let now = self.now();
        for key in keys {
            let digest = encode_hex(&key.spki_sha256);
            if key.revocation.reason == RevocationReason::CertificateHold {
                let detail = format!(
                    "The key {digest} is on hold in this import. Only certificates are put on hold."
                );
                return Err(Problem::new(StatusCode::CONFLICT, Refusal::Undo.code(), detail));
            }
            let what = format!("The revocation of the key {digest}");
            refuse_future(&what, key.revocation.revocation_date, now)?;
        }
        Ok(())
    }

    /// Takes over what was read. What one transaction holds is whole or not there; what takes several is
    /// held against what is on record first, and only what another order changes meanwhile, or a fault of
    /// the database, can stop it then. What was taken over until then is published and put on record.
    async fn take(
        &self,
        actor: &Actor,
        read: ImportBatch,
        names: Vec<String>,
        sha256: String,
    ) -> Result<Answer, Problem> {
        let storage = &self.storage;
        let (online, now) = (self.online(), self.now());
        let batches = if read.len() <= BATCH {
            vec![read]
        } else {
            let checked = storage.check_import(&read.certificates, &read.releases).await;
            checked.map_err(|error| of_storage(&error))?;
            in_batches(read)
        };
        let mut imported = Imported { sha256, names, ..Imported::default() };
        let mut revisions: Vec<(IssuerId, i64)> = Vec::new();
        let mut fault = None;
        for batch in batches {
            let mut counted = imported.clone();
            counted.count(&batch);
            match storage.import(batch, &online, now).await {
                Ok(taken) => {
                    counted.count_known(&taken.registrations);
                    imported = counted;
                    revisions.extend(taken.revisions);
                }
                Err(error) => {
                    fault = Some(of_storage(&error));
                    break;
                }
            }
        }
        for issuer in &*self.issuers {
            let of_issuer = revisions.iter().filter(|(id, _)| *id == issuer.id);
            if let Some(revision) = of_issuer.map(|(_, revision)| *revision).max()
                && let Err(problem) = self.publish(issuer, revision).await
            {
                fault.get_or_insert(problem);
            }
        }
        match fault {
            None => Ok(Answer::ok(&imported)),
            Some(problem) if imported.is_nothing() => Err(problem),
            Some(problem) => Err(self.record_part(actor, &imported, &problem).await?),
        }
    }

    /// Puts on record what was taken over of an import that failed; gives the problem that says so, too.
    async fn record_part(
        &self,
        actor: &Actor,
        imported: &Imported,
        problem: &Problem,
    ) -> Result<Problem, Problem> {
        let record = json!({
            "actor": actor.name(), "imported": imported, "code": problem.code(),
        });
        self.record.append("import.partly_done", &record).await?;
        let Imported { certificates, known, keys, releases, .. } = imported;
        let detail = format!(
            "{} Of this import, {certificates} new and {known} known certificates, {keys} keys and \
             {releases} releases were taken over, in the order in which they are taken: keys, certificates, \
             releases. Repeating it is safe.",
            problem.detail()
        );
        Ok(Problem::new(problem.status(), problem.code(), detail))
    }
}

/// Batches of at most [`BATCH`] entries: keys, then certificates, then releases.
fn in_batches(read: ImportBatch) -> Vec<ImportBatch> {
    let ImportBatch { mut keys, mut certificates, mut releases } = read;
    let mut batches = Vec::new();
    loop {
        let keys: Vec<_> = keys.drain(..keys.len().min(BATCH)).collect();
        let room = BATCH - keys.len();
        let certificates: Vec<_> = certificates.drain(..certificates.len().min(room)).collect();
        let room = room - certificates.len();
        let releases = releases.drain(..releases.len().min(room)).collect();
        let batch = ImportBatch { keys, certificates, releases };
        if batch.is_empty() {
            return batches;
        }
        batches.push(batch);
    }
}

/// # Errors
/// 400.
fn refuse_future(what: &str, date: UnixSeconds, now: UnixSeconds) -> Result<(), Problem> {
    if date <= now {
        return Ok(());
    }
    let detail = format!("{what} lies in the future: {date} (it is {now}).");
    Err(Problem::bad_request("import.future", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::storage::Revocation;

    /// B6: one transaction for all keys, or all releases, kept every other order waiting for its end.
    #[test]
    fn no_batch_has_more_than_a_thousand_entries_and_keys_come_first() {
        let at = UnixSeconds::new(1);
        let revocation = Revocation {
            reason: RevocationReason::Superseded,
            revocation_date: at,
            recorded_at: at,
            actor: String::new(),
        };
        let key = RevokedKey { spki_sha256: [1; 32], revocation };
        let release = ReleaseRecord {
            bundle_sha256: [2; 32],
            name: String::new(),
            signed_at: None,
            issuer: IssuerId(1),
            serial: vec![1],
            spki_sha256: [1; 32],
            registered_at: at,
            actor: String::new(),
        };
        let read = ImportBatch {
            keys: vec![key; 1_300],
            certificates: Vec::new(),
            releases: vec![release; 1_200],
        };
        let shape: Vec<_> = in_batches(read)
            .iter()
            .map(|batch| (batch.keys.len(), batch.certificates.len(), batch.releases.len()))
            .collect();
        assert_eq!(shape, [(1_000, 0, 0), (300, 0, 700), (0, 0, 500)]);
    }
}
