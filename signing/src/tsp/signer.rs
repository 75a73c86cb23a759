//! The authority's side: from an accepted request to a whole `TimeStampResp`.

use std::{sync::Arc, time::SystemTime};

use const_oid::ObjectIdentifier;
use countersign_core::{
    oid,
    time::UnixSeconds,
    tsp::{Accuracy, CertificateRequest, TimestampRequest},
};

use crate::{
    cms::{CertificateSet, SignedDataTemplate},
    der::{self, Backwards},
    key::{SignError, Signer},
};

/// What an authority promises.
#[derive(Clone, Copy, Debug)]
pub struct TimestampPolicy {
    /// The policy of tokens whose request names none.
    pub policy: ObjectIdentifier,
    /// Goes into every token. At one second or more, `genTime` has whole seconds, which every
    /// client reads, and the accuracy has to cover the part that is cut off beside the clock's
    /// error; below that, `genTime` has milliseconds.
    pub accuracy: Accuracy,
}

/// Answers requests with tokens of one key and one policy.
#[derive(Clone, Debug)]
pub struct TimestampSigner {
    template: Arc<SignedDataTemplate>,
    chain: Arc<[Vec<u8>]>,
    policy: TimestampPolicy,
    /// `version` and `policy`.
    head: Vec<u8>,
    accuracy: Vec<u8>,
}

/// `PKIStatusInfo` with granted(0), and nothing more; several clients refuse grantedWithMods(1).
const GRANTED: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x00];

/// Room for everything in a `TSTInfo` but imprint and nonce.
const INFO_OCTETS: usize = 128;

impl TimestampSigner {
    /// Prepares everything that is the same in every token. `chain` are DER certificates, the
    /// authority's own first; all of them go into tokens whose request asks for certificates.
    ///
    /// # Errors
    /// When the chain is empty, a certificate does not decode, or the first is for another key.
    /// The certificate's profile and validity are not looked at: the service does that.
    pub fn new(
        signer: Arc<dyn Signer>,
        chain: Vec<Vec<u8>>,
        policy: TimestampPolicy,
    ) -> Result<Self, SignError> {
        let template = SignedDataTemplate::new(signer, &chain, &oid::ID_CT_TST_INFO)?;
        Ok(Self::prepare(Arc::new(template), chain.into(), policy))
    }

    /// The same key and certificates under another policy; what they share is shared.
    #[must_use]
    pub fn under(&self, policy: TimestampPolicy) -> Self {
        Self::prepare(Arc::clone(&self.template), Arc::clone(&self.chain), policy)
    }

    fn prepare(
        template: Arc<SignedDataTemplate>,
        chain: Arc<[Vec<u8>]>,
        policy: TimestampPolicy,
    ) -> Self {
        let head = [der::integer(1), der::oid(&policy.policy)].concat();
        Self { template, chain, policy, head, accuracy: policy.accuracy.encode() }
    }

    /// The certificates, DER, the authority's own first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// DER of a whole `TimeStampResp` with status granted and a token; makes one signature.
    ///
    /// A policy that the request names goes into the token as it is: whoever calls this has
    /// refused those that are not offered. `serial` is unique for ever; use
    /// [`random_serial`](crate::key::random_serial).
    ///
    /// # Errors
    /// When the key refuses.
    pub fn respond(
        &self,
        request: &TimestampRequest<'_>,
        gen_time: SystemTime,
        serial: [u8; 16],
    ) -> Result<Vec<u8>, SignError> {
        let content = self.tst_info(request, gen_time, &serial);
        let certificates = match request.certificates_requested {
            CertificateRequest::Include => CertificateSet::Include,
            CertificateRequest::Omit => CertificateSet::Omit,
        };
        let mut writer = Backwards::with_capacity(self.template.capacity(content.len()));
        let response = writer.mark();
        self.template.sign(&mut writer, &content, certificates)?;
        writer.put(GRANTED);
        writer.sequence(response);
        Ok(writer.finish())
    }

    fn tst_info(
        &self,
        request: &TimestampRequest<'_>,
        gen_time: SystemTime,
        serial: &[u8],
    ) -> Vec<u8> {
        let imprint = request.message_imprint.raw;
        let nonce_octets = request.nonce.map_or(0, <[u8]>::len);
        let mut writer = Backwards::with_capacity(INFO_OCTETS + imprint.len() + nonce_octets);
        let info = writer.mark();
        // ordering is FALSE, a default, and not encoded; tsa is left out.
        if let Some(nonce) = request.nonce {
            // Echoed exactly: negative and long ones too.
            let mark = writer.mark();
            writer.put(nonce);
            writer.wrap(der::INTEGER, mark);
        }
        writer.put(&self.accuracy);
        writer.put(&self.gen_time(gen_time));
        writer.put(&der::unsigned_integer(serial));
        // Byte-identical, with NULL parameters as they came.
        writer.put(imprint);
        match request.policy {
            Some(other) if other != self.policy.policy => {
                writer.put(&der::oid(&other));
                writer.put(&der::integer(1));
            }
            _ => writer.put(&self.head),
        }
        writer.sequence(info);
        writer.finish()
    }

    fn gen_time(&self, time: SystemTime) -> Vec<u8> {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = UnixSeconds::new(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX));
        if self.policy.accuracy.seconds > 0 {
            return der::generalized_time(seconds);
        }
        let milliseconds = u16::try_from(since_epoch.subsec_millis()).unwrap_or(999);
        der::generalized_time_with_milliseconds(seconds, milliseconds)
    }
}
