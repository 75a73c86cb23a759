//! Who is locked out: administrators whose certificate or key is revoked.
//!
//! TLS looks at no revocations. They are looked at here, in every request: what this service itself
//! revoked (the certificate, or its key, whoever issued the certificate), and the CRLs of
//! `admin_tls.client_crl`. Whom a certificate names, and whether it ran out, is daemon's.

use countersign_core::{crl::RevocationReason, time::UnixSeconds, x509::Certificate};
use countersign_daemon::{
    admin::certificate_of, peer::ClientCertificate, problem::Problem, sha256::sha256,
};
use countersign_signing::ocsp::CertificateStatus;

use super::{Actor, Administration};
use crate::{
    publish::CrlSource,
    register::storage::Status,
    reply::of_storage,
    respond::{self, CrlWord, Fault, Reader},
};

impl Administration {
    /// The administrator that a client certificate names.
    ///
    /// # Errors
    /// 403 if it names nobody who is listed, or several, ran out, or is revoked; storage failed.
    pub(super) async fn actor(&self, client: Option<&ClientCertificate>) -> Result<Actor, Problem> {
        let certificate = certificate_of(client)?;
        let actor = Actor::of(&self.settings.administrators, &certificate, self.now())?;
        let is_listed = self.client_crls.as_ref().is_some_and(|crls| crls.lists(&certificate));
        if is_listed || self.is_revoked(&certificate).await? {
            return Err(actor.is_revoked());
        }
        Ok(actor)
    }

    async fn is_revoked(&self, certificate: &Certificate<'_>) -> Result<bool, Problem> {
        if !self.revocations_of_key(sha256(certificate.public_key.raw)).await?.is_empty() {
            return Ok(true);
        }
        let Some(issuer) = self.issuers.of(certificate) else { return Ok(false) };
        let now = self.now();
        match respond::by_crl(issuer, certificate.serial, now) {
            // Who delays the next list must not let in whom the last one keeps out.
            CrlWord::Revoked(..) | CrlWord::OnHoldUnlessLifted(_) => return Ok(true),
            // A CRL that ran out lists no revocation of it; whoever may mend that must get in. What is on
            // record counts all the same.
            CrlWord::Stale => {
                let status = self.storage.status(issuer.id, certificate.serial).await;
                let status = status.map_err(|error| of_storage(&error))?;
                return Ok(matches!(status, Status::Revoked(_)));
            }
            CrlWord::NotListed => {}
        }
        let for_administration = (Reader::Administration, now);
        match respond::status(&self.responder, issuer, certificate.serial, for_administration).await
        {
            Ok(status) => Ok(matches!(status, CertificateStatus::Revoked { .. })),
            Err(Fault::Storage(error)) => Err(of_storage(&error)),
            // Not known is not good.
            Err(_) => Ok(true),
        }
    }

    /// Why and since when somebody else may have that key: an order against it, and the compromises of
    /// certificates with it. Who issued the certificate that it comes with now does not matter.
    pub(super) async fn revocations_of_key(
        &self,
        spki_sha256: [u8; 32],
    ) -> Result<Vec<(RevocationReason, UnixSeconds)>, Problem> {
        let storage = &self.storage;
        let known = storage.revoked_key(spki_sha256).await.map_err(|error| of_storage(&error))?;
        let of_key = storage.certificates_of_key(spki_sha256).await;
        let of_key = of_key.map_err(|error| of_storage(&error))?;
        let elsewhere =
            of_key.iter().filter_map(|each| match &self.issuers.with_id(each.issuer)?.crls {
                CrlSource::Elsewhere(crls) => crls.entry(&each.serial),
                CrlSource::Publisher(_) => None,
            });
        let here = of_key.iter().filter_map(|each| each.revocation.as_ref());
        let here = here.map(|revocation| (revocation.reason, revocation.revocation_date));
        let is_compromise =
            |(reason, _): &(RevocationReason, _)| *reason == RevocationReason::KeyCompromise;
        let mut found: Vec<_> = here.chain(elsewhere).filter(is_compromise).collect();
        found.extend(known.map(|against| (against.reason, against.revocation_date)));
        Ok(found)
    }
}
