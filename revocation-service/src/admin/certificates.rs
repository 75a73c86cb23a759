//! Certificates: registering what was issued, showing what is known of one, listing them.

use countersign_core::{
    digest::encode_hex,
    time::UnixSeconds,
    x509::{Certificate, certificate::serial_text},
};
use countersign_daemon::{
    admin::{Answer, JSON_LINES, paging},
    media_type,
    problem::Problem,
};
use http::{HeaderMap, StatusCode, header::ACCEPT};
use serde::Serialize;

use super::{
    Actor, Administration,
    encoded::{lines, split},
    shown::{ShownCertificate, ShownKey},
    target::{issuer_named, issuer_of, named},
};
use crate::{
    publish::{CrlSource, Issuer, Issuers},
    register::{
        serial_number,
        storage::{CertificateRecord, Listed, Listing, Registration, Status, StorageError, Which},
    },
    reply::of_storage,
    respond,
};

/// Certificates taken in one request that is answered as a whole; a stream takes more.
const MAX_CERTIFICATES: usize = 64;

#[derive(Serialize)]
struct Registered {
    certificates: Vec<RegisteredCertificate>,
}

/// What became of one certificate.
#[derive(Serialize)]
pub(super) struct RegisteredCertificate {
    pub(super) issuer: String,
    pub(super) serial: String,
    pub(super) sha256: Option<String>,
    pub(super) outcome: &'static str,
}

impl RegisteredCertificate {
    pub(super) fn of(issuers: &Issuers, record: &CertificateRecord, outcome: Registration) -> Self {
        Self {
            issuer: issuers.name_of(record.issuer).to_owned(),
            serial: serial_text(&record.serial),
            sha256: record.digests.as_ref().map(|digests| encode_hex(&digests.sha256)),
            outcome: match outcome {
                Registration::Registered => "registered",
                Registration::RegisteredRevoked => "registered_revoked",
                Registration::Completed => "completed",
                Registration::Corrected => "corrected",
                Registration::Known => "known",
            },
        }
    }
}

#[derive(Serialize)]
struct Page {
    certificates: Vec<ShownCertificate>,
    /// What to give as `after` for the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct ShownIssuer {
    name: String,
    subject: String,
    /// Grows with every change of its revocations.
    revision: i64,
    /// Whether orders to revoke are taken here: its key is.
    revokes_here: bool,
}

impl Administration {
    /// Registers the certificates in `body`, PEM or DER: all or none, 201 when one of them is new,
    /// 200 when all were known. Where the client accepts JSON Lines, or sends them, it is a stream:
    /// each for itself, with a line of its own in the answer.
    ///
    /// # Errors
    /// A problem: unreadable, not issued by an issuer of this service, in conflict with another, or
    /// storage failed.
    pub(super) async fn register(
        &self,
        actor: &Actor,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, Problem> {
        let sends_lines = media_type::is(headers, JSON_LINES);
        let accepts_lines =
            headers.get_all(ACCEPT).iter().any(|value| value.as_bytes() == JSON_LINES.as_bytes());
        if sends_lines || accepts_lines {
            let encoded =
                if sends_lines { lines(body) } else { split(body)?.into_iter().map(Ok).collect() };
            return self.register_stream(actor, encoded).await;
        }
        let encoded = split(body)?;
        if encoded.len() > MAX_CERTIFICATES {
            let detail = format!(
                "Send at most {MAX_CERTIFICATES} certificates at a time, or accept {JSON_LINES}."
            );
            return Err(Problem::bad_request("certificate.too_many", detail));
        }
        let mut records = Vec::with_capacity(encoded.len());
        for (index, der) in encoded.iter().enumerate() {
            records.push(record(&self.issuers, (actor, self.now()), der, index + 1)?);
        }
        let storage = &self.storage;
        let outcomes =
            storage.register(records.clone()).await.map_err(|error| of_storage(&error))?;
        self.publish_all(&outcomes).await?;
        let known = outcomes.iter().all(|outcome| *outcome == Registration::Known);
        let status = if known { StatusCode::OK } else { StatusCode::CREATED };
        let of = |(record, outcome)| RegisteredCertificate::of(&self.issuers, record, outcome);
        let certificates = records.iter().zip(outcomes).map(of).collect();
        Ok(Answer::json(status, &Registered { certificates }))
    }

    /// New CRLs if a certificate was revoked as it was registered.
    pub(super) async fn publish_all(&self, outcomes: &[Registration]) -> Result<(), Problem> {
        if !outcomes.contains(&Registration::RegisteredRevoked) {
            return Ok(());
        }
        for issuer in &*self.issuers {
            let revision = self.storage.revision(issuer.id).await;
            let revision = revision.map_err(|error| of_storage(&error))?;
            self.publish(issuer, revision).await?;
        }
        Ok(())
    }

    /// Shows what is known of one certificate.
    ///
    /// # Errors
    /// 404 when it is not registered; storage failed.
    pub(super) async fn show(&self, issuer: &str, serial: &str) -> Result<Answer, Problem> {
        let (issuer, serial) = named(&self.issuers, issuer, serial)?;
        let failed = |error: StorageError| of_storage(&error);
        let storage = &self.storage;
        let certificate = storage.certificate(issuer.id, &serial).await.map_err(failed)?;
        let certificate = certificate
            .ok_or_else(|| failed(StorageError::NotRegistered { serial: serial_text(&serial) }))?;
        let revocation = match storage.status(issuer.id, &serial).await.map_err(failed)? {
            Status::Revoked(revocation) => Some(revocation),
            Status::Good | Status::NeverIssued => None,
        };
        let listed = Listed { certificate, revocation };
        Ok(Answer::ok(&self.shown_certificate(issuer, &listed)))
    }

    fn shown_certificate(&self, issuer: &Issuer, listed: &Listed) -> ShownCertificate {
        let status = respond::of_record(issuer, listed, self.now());
        ShownCertificate::of(issuer.authority.name(), &listed.certificate, &status)
    }

    /// A page of an issuer's certificates. Query: `after`, `limit`, `status=revoked`.
    ///
    /// # Errors
    /// 400, 404; storage failed.
    pub(super) async fn list(&self, issuer: &str, query: &str) -> Result<Answer, Problem> {
        let issuer = issuer_named(&self.issuers, issuer)?;
        let mut listing = Listing {
            issuer: issuer.id,
            which: Which::All,
            after: Vec::new(),
            limit: paging::PAGE,
        };
        for (name, value) in paging::pairs(query) {
            let wrong =
                || Problem::bad_request("query.malformed", format!("{name} cannot be {value:?}."));
            match name {
                "status" if value == "revoked" => listing.which = Which::Revoked,
                "status" if value == "any" => {}
                "after" => listing.after = serial_number::parse(value).ok_or_else(wrong)?,
                "limit" => listing.limit = paging::limit(value).ok_or_else(wrong)?,
                _ => return Err(wrong()),
            }
        }
        let (certificates, next) = match (&issuer.crls, listing.which) {
            (CrlSource::Elsewhere(_), Which::Revoked) => {
                self.revoked_elsewhere(issuer, listing).await?
            }
            _ => self.page(issuer, &listing).await?,
        };
        Ok(Answer::ok(&Page { certificates, next }))
    }

    /// A page as the database has it, and the serial number that the next one begins after.
    async fn page(
        &self,
        issuer: &Issuer,
        listing: &Listing,
    ) -> Result<(Vec<ShownCertificate>, Option<String>), Problem> {
        let listed = self.storage.list(listing).await.map_err(|error| of_storage(&error))?;
        let is_full = u32::try_from(listed.len()).is_ok_and(|count| count == listing.limit);
        let last = listed.last().filter(|_| is_full);
        let next = last.map(|last| serial_text(&last.certificate.serial));
        Ok((listed.iter().map(|listed| self.shown_certificate(issuer, listed)).collect(), next))
    }

    /// A page of the certificates that a CRL made elsewhere revokes, or the database. The database does not know
    /// the first: it is read to the end, or until there is more than a page.
    async fn revoked_elsewhere(
        &self,
        issuer: &Issuer,
        mut listing: Listing,
    ) -> Result<(Vec<ShownCertificate>, Option<String>), Problem> {
        let wanted = usize::try_from(listing.limit).unwrap_or(usize::MAX);
        (listing.which, listing.limit) = (Which::All, paging::PAGE);
        let mut revoked: Vec<ShownCertificate> = Vec::new();
        loop {
            let listed = self.storage.list(&listing).await.map_err(|error| of_storage(&error))?;
            let is_last = u32::try_from(listed.len()).is_ok_and(|count| count < listing.limit);
            if let Some(last) = listed.last() {
                listing.after.clone_from(&last.certificate.serial);
            }
            let shown = listed.iter().map(|listed| self.shown_certificate(issuer, listed));
            revoked.extend(shown.filter(|shown| shown.revocation.is_some()));
            if revoked.len() > wanted {
                revoked.truncate(wanted);
                let next = revoked.last().map(|last| last.serial.clone());
                return Ok((revoked, next));
            }
            if is_last {
                return Ok((revoked, None));
            }
        }
    }

    /// The issuers of this service.
    ///
    /// # Errors
    /// Storage failed.
    pub(super) async fn issuers(&self) -> Result<Answer, Problem> {
        let mut issuers = Vec::new();
        for issuer in &*self.issuers {
            let revision = self.storage.revision_to_show(issuer.id).await;
            issuers.push(ShownIssuer {
                name: issuer.authority.name().to_owned(),
                subject: issuer.authority.certificate().subject_text(),
                revision: revision.map_err(|error| of_storage(&error))?,
                revokes_here: matches!(issuer.crls, CrlSource::Publisher(_)),
            });
        }
        Ok(Answer::ok(&serde_json::json!({ "issuers": issuers })))
    }

    /// A page of the keys that were revoked. Query: `after` (a key's digest), `limit`.
    ///
    /// # Errors
    /// 400; storage failed.
    pub(super) async fn keys(&self, query: &str) -> Result<Answer, Problem> {
        let page = paging::Page::read(query, |_, _| None)?;
        let keys = self.storage.revoked_keys(page.after, page.limit).await;
        let keys = keys.map_err(|error| of_storage(&error))?;
        let keys: Vec<ShownKey> = keys.iter().map(ShownKey::of).collect();
        let next = page.next(keys.len(), keys.last().map(|last| last.key_sha256.as_str()));
        let mut answer = serde_json::json!({ "keys": keys });
        if let Some(next) = next {
            answer["next"] = next.into();
        }
        Ok(Answer::ok(&answer))
    }
}

/// The record of a certificate that one of our issuers signed.
pub(super) fn record(
    issuers: &Issuers,
    (actor, now): (&Actor, UnixSeconds),
    der: &[u8],
    position: usize,
) -> Result<CertificateRecord, Problem> {
    let certificate = Certificate::decode(der).map_err(|error| {
        Problem::bad_request(
            "certificate.malformed",
            format!("Certificate {position} cannot be read: {error}."),
        )
    })?;
    let issuer = issuer_of(issuers, &certificate)?;
    warn_of_other_distribution_point(issuer, &certificate);
    Ok(CertificateRecord::of(&certificate, issuer.id, now, actor.name()))
}

/// A verifier compares the CRL's distribution point with the certificate's: if they differ, it
/// can use no CRL of ours for this certificate.
fn warn_of_other_distribution_point(issuer: &Issuer, certificate: &Certificate<'_>) {
    let urls = &certificate.extensions.crl_urls;
    if let Some(url) = issuer.authority.crl_url()
        && !urls.contains(&url)
    {
        tracing::warn!(
            issuer = issuer.authority.name(),
            serial = certificate.serial_text(),
            crl_url = url,
            certificate_urls = ?urls,
            "the certificate's CRL distribution point is not the CRL's"
        );
    }
}
