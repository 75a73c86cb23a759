//! Registering thousands of certificates in one request: each for itself, a line of answer for each.
//!
//! A line of the request is `{"certificate": "BASE64"}`; or the body is PEM or DER as ever. A line
//! of the answer is `{"line": 1, "outcome": …}` or `{"line": 1, "error": {"code", "detail"}}`.

use std::sync::Arc;

use countersign_daemon::{
    admin::{Answer, JSON_LINES},
    problem::Problem,
};
use http::StatusCode;
use serde::Serialize;

use super::{
    Actor, Administration,
    certificates::{RegisteredCertificate, record},
};
use crate::{
    register::storage::{CertificateRecord, Registration, StorageError},
    reply::of_storage,
};

/// Certificates in one transaction: short enough that an urgent revocation does not wait for it.
const BATCH: usize = 1000;

/// Certificates in one request.
const MAX_CERTIFICATES: usize = 50_000;

#[derive(Serialize)]
struct Report {
    line: usize,
    #[serde(flatten)]
    certificate: Option<RegisteredCertificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
}

#[derive(Serialize)]
struct Fault {
    code: &'static str,
    detail: String,
}

impl Report {
    fn refused(line: usize, problem: &Problem) -> Self {
        let fault = Fault { code: problem.code(), detail: problem.detail().to_owned() };
        Self { line, certificate: None, error: Some(fault) }
    }
}

type Read = Result<CertificateRecord, Problem>;

impl Administration {
    pub(super) async fn register_stream(
        &self,
        actor: &Actor,
        encoded: Vec<Result<Vec<u8>, Problem>>,
    ) -> Result<Answer, Problem> {
        if encoded.len() > MAX_CERTIFICATES {
            let detail = format!("Send at most {MAX_CERTIFICATES} certificates at a time.");
            return Err(Problem::bad_request("certificate.too_many", detail));
        }
        let read = self.read(actor, encoded).await?;
        let mut reports: Vec<Report> = Vec::with_capacity(read.len());
        let mut revoked = Vec::new();
        for batch in read.chunks(BATCH) {
            let outcomes = self.register_batch(batch).await?;
            for (read, outcome) in batch.iter().zip(outcomes) {
                let line = reports.len() + 1;
                reports.push(match (read, outcome) {
                    (Ok(record), Ok(outcome)) => {
                        revoked.push(outcome);
                        let certificate = RegisteredCertificate::of(&self.issuers, record, outcome);
                        Report { line, certificate: Some(certificate), error: None }
                    }
                    (Err(problem), _) => Report::refused(line, problem),
                    (_, Err(problem)) => Report::refused(line, &problem),
                });
            }
        }
        self.publish_all(&revoked).await?;
        let mut body = Vec::new();
        for report in &reports {
            body.extend(Answer::ok(report).body);
            body.push(b'\n');
        }
        Ok(Answer { status: StatusCode::OK, media_type: JSON_LINES.to_owned(), body })
    }

    /// Signatures are checked off the threads that serve connections.
    async fn read(
        &self,
        actor: &Actor,
        encoded: Vec<Result<Vec<u8>, Problem>>,
    ) -> Result<Vec<Read>, Problem> {
        let (issuers, actor, now) = (Arc::clone(&self.issuers), actor.clone(), self.now());
        let reading = tokio::task::spawn_blocking(move || {
            encoded
                .into_iter()
                .enumerate()
                .map(|(index, der)| record(&issuers, (&actor, now), &der?, index + 1))
                .collect()
        });
        reading.await.map_err(|_| Problem::internal())
    }

    /// One transaction where all are well, else one for each.
    async fn register_batch(
        &self,
        batch: &[Read],
    ) -> Result<Vec<Result<Registration, Problem>>, Problem> {
        let storage = &self.storage;
        let records: Vec<CertificateRecord> =
            batch.iter().filter_map(|read| read.as_ref().ok().cloned()).collect();
        let together = match storage.register(records).await {
            Ok(outcomes) => Some(outcomes),
            Err(StorageError::CertificateConflict { .. }) => None,
            Err(error) => return Err(of_storage(&error)),
        };
        let mut together = together.map(Vec::into_iter);
        let mut outcomes = Vec::with_capacity(batch.len());
        for read in batch {
            outcomes.push(match (read, &mut together) {
                (Err(problem), _) => Err(problem.clone()),
                (Ok(_), Some(known)) => known.next().ok_or_else(Problem::internal),
                (Ok(record), None) => {
                    let alone = storage.register(vec![record.clone()]).await;
                    let alone = alone.map_err(|error| of_storage(&error));
                    alone.and_then(|one| one.first().copied().ok_or_else(Problem::internal))
                }
            });
        }
        Ok(outcomes)
    }
}
