//! The figures of this service, beside those that `countersign_daemon` has of every one.
//!
//! | Name | Labels | What |
//! |---|---|---|
//! | `countersign_ocsp_answers_total` | status | answers: `good`, `revoked`, `unknown`, `several` (more than one certificate), or the name of a refusal |
//! | `countersign_ocsp_kept_total` | outcome | answers from memory: `hit`, `confirmed` (its status was read again), `miss` (signed), `refreshed` (signed ahead of time) |
//! | `countersign_ocsp_kept_answers` | | answers in memory |
//! | `countersign_ocsp_being_made` | | answers being read up or signed now |
//! | `countersign_ocsp_delegate_expiry_timestamp_seconds` | issuer | notAfter, as Unix time |
//! | `countersign_crl_number` | issuer, list | `CRLNumber`; `list` is `whole`, `whole.delta` or `shards` (the oldest of them) |
//! | `countersign_crl_this_update_timestamp_seconds` | issuer, list | when it was made; its age is the time since |
//! | `countersign_crl_next_update_timestamp_seconds` | issuer, list | when it runs out |
//! | `countersign_crl_size_bytes` | issuer, list | its DER; of shards, all together |
//! | `countersign_crl_failing` | issuer | 1 while a CRL is due that cannot be made |
//! | `countersign_crl_written_total` | target | CRLs written for a CDN; target is `folder` or `bucket` |
//! | `countersign_crl_writing_failing_seconds` | target | for how long they could not be written; 0 while they can |
//! | `countersign_crl_written_current_timestamp_seconds` | target | when every list was last seen to be there |
//! | `countersign_revocation_pending_approvals` | | proposals that wait for a second person |

use std::sync::{Arc, atomic::Ordering};

use metrics::{counter, gauge};

use crate::{
    publish::{CrlSource, Issuer, Publication, PublishedCrl},
    register::{CrlForm, CrlScope},
    state::Service,
};

/// Sets what is read and not counted.
pub(crate) fn collect(service: &Service) {
    let kept = service.responder.kept_answers();
    let counts = kept.counts();
    for (outcome, count) in [
        ("hit", &counts.hits),
        ("confirmed", &counts.confirmed),
        ("miss", &counts.misses),
        ("refreshed", &counts.refreshed),
    ] {
        counter!("countersign_ocsp_kept_total", "outcome" => outcome)
            .absolute(count.load(Ordering::Relaxed));
    }
    gauge!("countersign_ocsp_kept_answers").set(float(kept.len()));
    gauge!("countersign_ocsp_kept_bytes").set(float(kept.octets()));
    gauge!("countersign_ocsp_being_made").set(float(service.responder.answers_being_made()));
    for issuer in &*service.issuers {
        collect_issuer(issuer);
    }
}

/// Says how many proposals wait.
pub(crate) fn pending(count: u64) {
    gauge!("countersign_revocation_pending_approvals").set(float(count));
}

/// Sets what is known of the places that CRLs are written to.
pub(crate) fn collect_publication(publication: &Publication) {
    for target in publication.targets() {
        let failing = target.failing_for().map_or(0.0, |failing| failing.as_secs_f64());
        gauge!("countersign_crl_writing_failing_seconds", "target" => target.kind).set(failing);
        counter!("countersign_crl_written_total", "target" => target.kind)
            .absolute(target.written());
        if let Some(at) = target.current_at() {
            gauge!("countersign_crl_written_current_timestamp_seconds", "target" => target.kind)
                .set(seconds(at));
        }
    }
}

fn collect_issuer(issuer: &Issuer) {
    let name = issuer.authority.name().to_owned();
    if let Some(delegate) = issuer.authority.delegate() {
        gauge!("countersign_ocsp_delegate_expiry_timestamp_seconds", "issuer" => name.clone())
            .set(seconds(delegate.not_after.seconds()));
    }
    if let CrlSource::Publisher(publisher) = &issuer.crls {
        let failing = u8::from(publisher.is_failing());
        gauge!("countersign_crl_failing", "issuer" => name.clone()).set(f64::from(failing));
    }
    let mut shards: Vec<Arc<PublishedCrl>> = Vec::new();
    for (list, crl) in issuer.crl_lists() {
        match (list.scope, list.form, crl) {
            (CrlScope::Whole, CrlForm::Complete, Some(crl)) => set_crl(&name, "whole", &[crl]),
            (CrlScope::Whole, _, Some(crl)) => set_crl(&name, "whole.delta", &[crl]),
            (CrlScope::Shard { .. }, CrlForm::Complete, Some(crl)) => shards.push(crl),
            _ => {}
        }
    }
    set_crl(&name, "shards", &shards);
}

fn set_crl(issuer: &str, list: &'static str, crls: &[Arc<PublishedCrl>]) {
    let Some(oldest) = crls.iter().min_by_key(|crl| crl.validity.next_update) else { return };
    let issuer = issuer.to_owned();
    let octets: usize = crls.iter().map(|crl| crl.der.len()).sum();
    gauge!("countersign_crl_number", "issuer" => issuer.clone(), "list" => list)
        .set(float(oldest.number));
    gauge!("countersign_crl_this_update_timestamp_seconds", "issuer" => issuer.clone(), "list" => list)
        .set(seconds(oldest.validity.this_update.seconds()));
    gauge!("countersign_crl_next_update_timestamp_seconds", "issuer" => issuer.clone(), "list" => list)
        .set(seconds(oldest.validity.next_update.seconds()));
    gauge!("countersign_crl_size_bytes", "issuer" => issuer, "list" => list).set(float(octets));
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has floating-point numbers only")]
fn seconds(value: i64) -> f64 {
    value as f64
}

fn float(value: impl TryInto<i64>) -> f64 {
    seconds(value.try_into().unwrap_or(i64::MAX))
}
