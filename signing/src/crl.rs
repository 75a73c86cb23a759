//! Certificate revocation lists, version 2 (RFC 5280 §5).
//!
//! Complete lists and deltas, for all of an issuer's certificates or a shard of them; for all reasons,
//! and direct: no entry is another issuer's. Entries are never dropped by age here; the caller
//! this gives all of them.
//! It does not lint (`countersign_core::crl::inspect` does) and does not publish.

use countersign_core::{
    crl::RevocationReason,
    oid,
    time::UnixSeconds,
    x509::{Certificate, PublicKey},
};

use crate::{
    certificate::key_identifier,
    cms::signature_algorithm,
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::{SignError, Signer},
};

/// One revoked certificate.
#[derive(Clone, Copy, Debug)]
pub struct RevokedCertificate<'a> {
    /// The serial number's INTEGER content octets, as in the certificate.
    pub serial: &'a [u8],
    /// From when on it is not to be relied on. Goes into the entry as revocation date and, equal,
    /// as invalidity date, so that clients that read either agree.
    pub revocation_date: UnixSeconds,
    /// Why. `unspecified` is left out, as RFC 5280 §5.3.1 asks.
    pub reason: RevocationReason,
}

/// What a list says of itself.
#[derive(Clone, Debug)]
pub struct CrlTerms {
    /// `CRLNumber`: grows with every list of this issuer; kept by the caller.
    pub number: u64,
    /// When the list was made.
    pub this_update: UnixSeconds,
    /// When the next one is there at the latest.
    pub next_update: UnixSeconds,
    /// The URI in the certificates' cRLDistributionPoints, to the letter: a verifier compares. Not
    /// used for a root's list, which has no issuingDistributionPoint: the root itself points
    /// nowhere, and `openssl verify -crl_check_all` looks for a list in whose scope it is too.
    pub distribution_point: String,
    /// Since when no entry has been dropped because its certificate expired (X.509 §9.5.2.8);
    /// nothing leaves the extension out.
    pub expired_certificates_since: Option<UnixSeconds>,
}

/// The address of a shard's list, from that of the issuer's whole list: `…/signing.crl` becomes
/// `…/signing/16/3.crl`. The count of shards is in it, so that certificates issued before the count
/// changed keep their lists.
pub fn shard_url(whole: &str, index: u32, of: u32) -> String {
    format!("{}/{of}/{index}.crl", stem(whole))
}

/// The address of the delta of the list at `complete`: `…/signing.crl` becomes `…/signing.delta.crl`.
pub fn delta_url(complete: &str) -> String {
    format!("{}.delta.crl", stem(complete))
}

fn stem(url: &str) -> &str {
    url.strip_suffix(".crl").unwrap_or(url)
}

/// The shard of a certificate with that serial number (content octets of a positive INTEGER), where
/// there are `of` of them: the number modulo `of`; 0 where `of` is 0.
pub fn shard_of(serial: &[u8], of: u32) -> u32 {
    let Some(of) = std::num::NonZeroU64::new(u64::from(of)) else { return 0 };
    let remainder =
        serial.iter().fold(0_u64, |remainder, octet| (remainder * 256 + u64::from(*octet)) % of);
    // Below `of`, which fits.
    u32::try_from(remainder).unwrap_or(0)
}

/// Collects entries, then makes and signs the list. Time and memory are linear in the entries.
#[derive(Debug)]
pub struct CrlBuilder {
    issuer: Vec<u8>,
    issuer_spki: Vec<u8>,
    authority_key_identifier: Vec<u8>,
    issuing_distribution_point: Vec<u8>,
    delta_indicator: Vec<u8>,
    freshest_crl: Vec<u8>,
    terms: CrlTerms,
    entries: Vec<u8>,
}

impl CrlBuilder {
    /// Starts a list of the CA with that DER certificate.
    ///
    /// # Errors
    /// [`SignError::Certificate`] when the certificate does not decode.
    pub fn new(issuer_certificate: &[u8], terms: CrlTerms) -> Result<Self, SignError> {
        let issuer = Certificate::decode(issuer_certificate)
            .map_err(|error| SignError::Certificate { position: 1, detail: error.to_string() })?;
        let PublicKey { raw, bits, .. } = issuer.public_key;
        let identifier = issuer
            .extensions
            .subject_key_identifier
            .map_or_else(|| key_identifier(bits), <[u8]>::to_vec);
        Ok(Self {
            issuer: issuer.subject.to_vec(),
            issuer_spki: raw.to_vec(),
            authority_key_identifier: der::sequence(&[&der::implicit(0, &identifier)]),
            issuing_distribution_point: if issuer.is_self_issued() {
                Vec::new()
            } else {
                issuing_distribution_point(&terms.distribution_point)
            },
            delta_indicator: Vec::new(),
            freshest_crl: Vec::new(),
            terms,
            entries: Vec::new(),
        })
    }

    /// Makes it a delta: it lists what changed since the complete list with the number `base`, or a
    /// later one (RFC 5280 §5.2.4). Its distribution point stays that of the complete list.
    #[must_use]
    pub fn as_delta_since(mut self, base: u64) -> Self {
        self.delta_indicator =
            der::extension(&oid::CE_DELTA_CRL_INDICATOR, Critical, &der::integer(base));
        self
    }

    /// Says where the deltas of this complete list are (RFC 5280 §5.2.6).
    #[must_use]
    pub fn with_deltas_at(mut self, uri: &str) -> Self {
        self.freshest_crl =
            der::extension(&oid::CE_FRESHEST_CRL, NonCritical, &distribution_points(uri));
        self
    }

    /// Adds, to a delta, a certificate that is not on hold any more. Entries are in the order of the
    /// calls.
    pub fn lift(&mut self, serial: &[u8]) {
        let reason = der::enumerated(RevocationReason::RemoveFromCrl.code());
        self.entries.extend_from_slice(&der::sequence(&[
            &der::integer_verbatim(serial),
            // When it was lifted is nobody's business; the date cannot be left out.
            &der::time(self.terms.this_update),
            &der::sequence(&[&der::extension(&oid::CE_CRL_REASONS, NonCritical, &reason)]),
        ]));
    }

    /// Adds one revoked certificate.
    pub fn revoke(&mut self, revoked: &RevokedCertificate<'_>) {
        let reason = match revoked.reason {
            RevocationReason::Unspecified => Vec::new(),
            reason => {
                der::extension(&oid::CE_CRL_REASONS, NonCritical, &der::enumerated(reason.code()))
            }
        };
        let invalidity_date = der::extension(
            &oid::CE_INVALIDITY_DATE,
            NonCritical,
            &der::generalized_time(revoked.revocation_date),
        );
        self.entries.extend_from_slice(&der::sequence(&[
            &der::integer_verbatim(revoked.serial),
            &der::time(revoked.revocation_date),
            &der::sequence(&[&reason, &invalidity_date]),
        ]));
    }

    /// DER of the signed list.
    ///
    /// # Errors
    /// [`SignError::KeyMismatch`] when `signer` is not the issuer's key, or what signing gives.
    pub fn build(&self, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
        if signer.spki() != self.issuer_spki {
            return Err(SignError::KeyMismatch);
        }
        let algorithm = signature_algorithm(signer.scheme());
        // RFC 5280 §5.1.2.6: absent, not empty, when nothing is revoked.
        let revoked_certificates = match &self.entries[..] {
            [] => Vec::new(),
            entries => der::sequence(&[entries]),
        };
        let tbs = der::sequence(&[
            // v2 is written as 1.
            &der::integer(1),
            &algorithm,
            &self.issuer,
            &der::time(self.terms.this_update),
            &der::time(self.terms.next_update),
            &revoked_certificates,
            &der::context(0, &[&self.extensions()]),
        ]);
        let signature = signer.sign(&tbs)?;
        Ok(der::sequence(&[&tbs, &algorithm, &der::bit_string(&signature)]))
    }

    fn extensions(&self) -> Vec<u8> {
        let expired = self.terms.expired_certificates_since.map(|since| {
            let since = der::generalized_time(since);
            der::extension(&oid::CE_EXPIRED_CERTS_ON_CRL, NonCritical, &since)
        });
        der::sequence(&[
            &der::extension(
                &oid::CE_AUTHORITY_KEY_IDENTIFIER,
                NonCritical,
                &self.authority_key_identifier,
            ),
            &der::extension(&oid::CE_CRL_NUMBER, NonCritical, &der::integer(self.terms.number)),
            &self.delta_indicator,
            &self.issuing_distribution_point,
            &self.freshest_crl,
            &expired.unwrap_or_default(),
        ])
    }
}

/// `CRLDistributionPoints` with one `DistributionPoint { distributionPoint [0] { fullName [0] {
/// URI } } }`.
pub(crate) fn distribution_points(uri: &str) -> Vec<u8> {
    let full_name = der::context(0, &[&der::implicit(6, uri.as_bytes())]);
    let point = der::sequence(&[&der::context(0, &[&full_name])]);
    der::sequence(&[&point])
}

/// `IssuingDistributionPoint { distributionPoint [0] { fullName [0] { URI } } }`, everything else at
/// its default: all certificates, all reasons, direct.
fn issuing_distribution_point(uri: &str) -> Vec<u8> {
    let full_name = der::context(0, &[&der::implicit(6, uri.as_bytes())]);
    let scope = der::sequence(&[&der::context(0, &[&full_name])]);
    der::extension(&oid::CE_ISSUING_DISTRIBUTION_POINT, Critical, &scope)
}
