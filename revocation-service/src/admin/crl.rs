//! CRLs that were made where an issuer's key is, handed in.

use countersign_core::crl::Revival;
use countersign_daemon::{admin::Answer, problem::Problem};
use http::StatusCode;
use serde_json::json;

use super::Administration;
use crate::{
    compromises::CompromiseError,
    publish::{CrlError, CrlSource},
    reply::of_storage,
};

impl Administration {
    /// Publishes a CRL (DER or PEM) of an issuer with `crl_upload`: 200 with its number, also where
    /// it is the one that is published already. By then what it lists for keyCompromise took its keys.
    ///
    /// # Errors
    /// 400 if it is no CRL of this issuer, breaks the rules or is not complete, 409 if its number does not grow, its
    /// distribution point is another, it is older, or it takes back what the one before revoked; the
    /// CRL before stays. 503: it is published, and compromised keys are not revoked, or no CRL shows it yet.
    pub(super) async fn upload_crl(&self, name: &str, body: &[u8]) -> Result<Answer, Problem> {
        let issuer = self.issuers.named(name).ok_or_else(Problem::not_found)?;
        let CrlSource::Elsewhere(crls) = &issuer.crls else { return Err(refused(name)) };
        if !crls.are_uploaded() {
            return Err(refused(name));
        }
        let crl =
            crls.upload(body.to_vec(), self.now()).await.map_err(|fault| problem_of(&fault))?;
        let followed = self.compromises.follow_crl(issuer).await;
        self.publish_others(&followed.map_err(|fault| not_followed(&fault))?).await?;
        Ok(Answer::ok(&json!({
            "issuer": name,
            "number": crl.number,
            "this_update": crl.validity.this_update,
            "next_update": crl.validity.next_update,
        })))
    }
}

fn refused(name: &str) -> Problem {
    let detail =
        format!("CRLs of {name} do not come by upload; crl_upload of its [[issuer]] says so.");
    Problem::new(StatusCode::CONFLICT, "crl.not_uploaded", detail)
}

fn not_followed(fault: &CompromiseError) -> Problem {
    tracing::error!(%fault, "compromised keys were not revoked; trying again");
    let detail = "The CRL is published, but the keys of certificates that it lists for keyCompromise could not \
                  be revoked; the log has the reason. Repeat the request: that is safe.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "crl.compromises_not_followed", detail)
}

fn problem_of(fault: &CrlError) -> Problem {
    let detail = format!("{fault}.");
    match fault {
        CrlError::Malformed(_) => Problem::bad_request("crl.malformed", detail),
        CrlError::Rules(_) => Problem::bad_request("crl.rules", detail),
        CrlError::Incomplete(finding) => Problem::bad_request(finding.code.code(), detail),
        CrlError::Signature => Problem::bad_request("crl.signature", detail),
        CrlError::Number => Problem::bad_request("crl.number.missing", detail),
        CrlError::DateToCome { .. } => Problem::bad_request("crl.entry.future", detail),
        CrlError::NumberDoesNotGrow { .. } => {
            Problem::new(StatusCode::CONFLICT, "crl.number.not_greater", detail)
        }
        CrlError::UrlChanged { .. } => {
            Problem::new(StatusCode::CONFLICT, "crl.distribution_point.changed", detail)
        }
        CrlError::ThisUpdateGoesBack { .. } => {
            Problem::new(StatusCode::CONFLICT, "crl.this_update.goes_back", detail)
        }
        CrlError::Revives { revival, .. } => {
            let code = match revival {
                Revival::Forgotten => "crl.entry.forgotten",
                Revival::Lightened => "crl.entry.lightened",
                Revival::MovedLater => "crl.entry.moved_later",
            };
            Problem::new(StatusCode::CONFLICT, code, detail)
        }
        CrlError::Storage(error) => of_storage(error),
        _ => {
            tracing::error!(%fault, "a CRL was not taken");
            Problem::internal()
        }
    }
}
