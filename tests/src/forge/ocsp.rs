//! `OCSPResponse` (RFC 6960 §4.2.1), field by field.

use countersign_core::{crl::RevocationReason, oid, time::UnixSeconds};
use countersign_signing::{der, key::Signer as _};

use super::{DAY, ExtensionDraft, ForgeKey, NOW, algorithm};

/// How the responder is named.
#[derive(Clone, Debug)]
pub enum WhoAnswers {
    /// By the hash of the signing key.
    ByKey,
    /// By a `Name`, DER.
    ByName(Vec<u8>),
}

/// What stands where there are no extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoExtensions {
    /// Nothing, as RFC 5280 §4.1 has it.
    Absent,
    /// An empty SEQUENCE, as some responders write it.
    EmptyList,
}

/// The answer for one certificate.
#[derive(Clone, Debug)]
pub struct SingleDraft {
    /// DER `CertID`.
    pub cert_id: Vec<u8>,
    /// DER `CertStatus`.
    pub status: Vec<u8>,
    /// Since when this is known.
    pub this_update: UnixSeconds,
    /// When newer is there at the latest.
    pub next_update: Option<UnixSeconds>,
    /// singleExtensions.
    pub extensions: Vec<ExtensionDraft>,
}

impl SingleDraft {
    /// Good, as of an hour ago, for a day.
    pub fn good(cert_id: &[u8]) -> Self {
        Self {
            cert_id: cert_id.to_vec(),
            status: der::implicit(0, &[]),
            this_update: NOW.minus_seconds(3_600),
            next_update: Some(NOW.plus_seconds(DAY)),
            extensions: Vec::new(),
        }
    }

    /// Revoked.
    #[must_use]
    pub fn revoked(mut self, reason: RevocationReason, date: UnixSeconds) -> Self {
        let reason = der::context(0, &[&der::enumerated(reason.code())]);
        self.status = der::context(1, &[&der::generalized_time(date), &reason]);
        self
    }
}

/// A response to be signed.
#[derive(Clone, Debug)]
pub struct OcspDraft {
    /// responseStatus.
    pub status: u8,
    /// How the responder is named.
    pub responder: WhoAnswers,
    /// When it was signed.
    pub produced_at: UnixSeconds,
    /// The answers.
    pub responses: Vec<SingleDraft>,
    /// responseExtensions.
    pub extensions: Vec<ExtensionDraft>,
    /// What stands for them, and for singleExtensions, when there are none.
    pub no_extensions: NoExtensions,
    /// What follows the seconds of every time: `.5`.
    pub fraction: &'static str,
    /// The certificates sent along, DER.
    pub certificates: Vec<Vec<u8>>,
}

impl OcspDraft {
    /// A response with one answer.
    pub fn new(response: SingleDraft) -> Self {
        Self {
            status: 0,
            responder: WhoAnswers::ByKey,
            produced_at: NOW.minus_seconds(3_600),
            responses: vec![response],
            extensions: Vec::new(),
            no_extensions: NoExtensions::Absent,
            fraction: "",
            certificates: Vec::new(),
        }
    }

    /// Sent with that certificate.
    #[must_use]
    pub fn with_certificate(mut self, certificate: &[u8]) -> Self {
        self.certificates.push(certificate.to_vec());
        self
    }

    /// DER, signed.
    ///
    /// # Panics
    /// When the fraction is longer than a length octet can say.
    pub fn sign(&self, key: &ForgeKey) -> Vec<u8> {
        let responder = match &self.responder {
            WhoAnswers::ByKey => der::context(2, &[&der::octet_string(&key.key_hash())]),
            WhoAnswers::ByName(name) => der::context(1, &[name]),
        };
        let responses: Vec<Vec<u8>> =
            self.responses.iter().map(|single| self.single(single)).collect();
        let data = der::sequence(&[
            &responder,
            &self.time(self.produced_at),
            &der::sequence_of(&responses),
            &self.extensions(&self.extensions),
        ]);
        let certificates = match &self.certificates[..] {
            [] => Vec::new(),
            certificates => der::context(0, &[&der::sequence_of(certificates)]),
        };
        let signature = key.signature(&data);
        let basic = der::sequence(&[
            &data,
            &algorithm(key.scheme()),
            &der::bit_string(&signature),
            &certificates,
        ]);
        let bytes = der::sequence(&[&der::oid(&oid::OCSP_BASIC), &der::octet_string(&basic)]);
        der::sequence(&[&der::enumerated(self.status), &der::context(0, &[&bytes])])
    }

    fn single(&self, single: &SingleDraft) -> Vec<u8> {
        let next_update = single.next_update.map(|time| der::context(0, &[&self.time(time)]));
        der::sequence(&[
            &single.cert_id,
            &single.status,
            &self.time(single.this_update),
            &next_update.unwrap_or_default(),
            &self.extensions(&single.extensions),
        ])
    }

    fn time(&self, time: UnixSeconds) -> Vec<u8> {
        let plain = der::generalized_time(time);
        // Tag and length, then YYYYMMDDhhmmssZ.
        let text = [&plain[2..16], self.fraction.as_bytes(), b"Z"].concat();
        let length = u8::try_from(text.len()).expect("a short text");
        [&[plain[0], length], text.as_slice()].concat()
    }

    /// `[1] EXPLICIT Extensions`.
    fn extensions(&self, list: &[ExtensionDraft]) -> Vec<u8> {
        if list.is_empty() && self.no_extensions == NoExtensions::Absent {
            return Vec::new();
        }
        let encoded: Vec<Vec<u8>> = list.iter().map(ExtensionDraft::encode).collect();
        der::context(1, &[&der::sequence_of(&encoded)])
    }
}
