//! Renewing the certificates of CAs.
//!
//! Subject and key stay, and so do the certificates, lists and answers that were issued: what is
//! new is a serial number and the end of the validity. Its beginning stays too, since verifiers
//! ask whether the CA's certificate was valid when a file was signed, and the new one takes the
//! place of the old one in trust roots.

use std::fs::File;

use countersign_core::time::UnixSeconds;

use super::{
    CaError, CertificateAuthority, ISSUED_FOLDER, IssuedCertificate, decode, folder, held,
    lint::lint, refuse,
};
use crate::{
    certificate::{Fields, UnsignedCertificate},
    files::{self, FileError, FileMode},
    key::random_serial,
    pem,
    profile::{self, Authority},
};

impl CertificateAuthority {
    /// Issues a CA's certificate anew, by the root, until `validity_seconds` from now (the
    /// profile's if nothing), but not beyond the root's. It takes the place of the old one in the
    /// folder; both are kept among those that were issued. One renewal at a time: others wait.
    ///
    /// # Errors
    /// When the new certificate would not be valid for longer than the old one, the root's is not
    /// valid now and another's is to be renewed, the lint finds a rule broken, the root's key is
    /// not there, or the disk refuses. Without an `Ok`, the old certificate is in its place; only
    /// the index may have the new one already.
    pub fn renew_authority(
        &mut self,
        authority: Authority,
        validity_seconds: Option<i64>,
        now: UnixSeconds,
    ) -> Result<IssuedCertificate, CaError> {
        let lock = File::open(&self.folder).map_err(FileError::io("open", &self.folder))?;
        lock.lock().map_err(FileError::io("lock", &self.folder))?;
        // Somebody may have been faster.
        for each in [Authority::Root, authority] {
            let certificate = folder::read_certificate(&self.certificate_path(each))?;
            self.issuer_mut(each).certificate = certificate;
        }
        held::verify_authorities(&self.issuers)?;
        let unsigned = self.prepare_renewal(authority, validity_seconds, now)?;
        let (bytes, entry) = self.sign_and_index(&unsigned, Authority::Root, now)?;
        folder::make_subfolder(&self.folder.join(ISSUED_FOLDER))?;
        self.keep(&bytes)?;
        self.keep(&self.issuer(authority).certificate)?;
        let text = pem::encode_certificates(&[&bytes]);
        files::replace(&self.certificate_path(authority), text.as_bytes(), FileMode::Public)?;
        self.issuer_mut(authority).certificate.clone_from(&bytes);
        Ok(IssuedCertificate { chain: vec![bytes.clone()], certificate: bytes, entry, key: None })
    }

    fn prepare_renewal(
        &self,
        authority: Authority,
        validity_seconds: Option<i64>,
        now: UnixSeconds,
    ) -> Result<UnsignedCertificate, CaError> {
        let profile = authority.profile();
        let validity_seconds = validity_seconds.unwrap_or(profile::terms(profile).validity_seconds);
        let old = self.issuer(authority).decode()?;
        let mut not_after = now.plus_seconds(validity_seconds);
        if authority != Authority::Root {
            not_after = not_after.min(self.issuer(Authority::Root).decode_valid_at(now)?.not_after);
        }
        if not_after <= old.not_after {
            return Err(refuse(profile, "would not be valid for longer than it is already"));
        }
        let serial = random_serial()?;
        let root = self.issuer(Authority::Root).decode()?;
        let mut issuer = self.issuer_fields(Authority::Root, &root, profile, &serial);
        if authority == Authority::Root {
            // Nobody is above it.
            issuer.pointers = None;
        }
        let fields = Fields {
            profile,
            serial,
            issuer: &issuer,
            not_before: old.not_before,
            not_after,
            subject: old.subject,
            names: &[],
            oidc_issuer: None,
            spki: old.public_key.raw,
            public_key: old.public_key.bits,
        };
        let algorithm = self.settings().algorithm;
        let unsigned = UnsignedCertificate::build(&fields, algorithm.scheme())?;
        lint(&unsigned, self.throw_away_key(algorithm)?)?;
        Ok(unsigned)
    }

    /// Keeps a CA's certificate among those that were issued, if it is not there.
    fn keep(&self, certificate: &[u8]) -> Result<(), CaError> {
        let serial = decode(certificate, || "a CA's certificate".to_owned())?.serial_text();
        let path = self.issued_path(&serial);
        folder::refuse_link(&path)?;
        if path.exists() {
            return Ok(());
        }
        Ok(pem::write_certificates(&path, &[certificate])?)
    }
}
