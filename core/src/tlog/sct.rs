//! Signed certificate timestamps inside a certificate (RFC 6962 §3.2, §3.3): a certificate log's
//! word that it has seen the certificate.
//!
//! The log signed the certificate as it was before the timestamps were put in. That form is
//! rebuilt from the received spans: all of them but one extension, under new lengths.

use alloc::vec::Vec;

use der::Tag;

use super::Log;
use crate::{
    asn1::{Asn1Error, Cursor, Result, Tlv, context_constructed, write},
    crypto::{CryptoProvider, SignatureScheme},
    digest::{Digest, HashAlgorithm, digest},
    limits, oid,
    time::UnixSeconds,
    x509::{Certificate, certificate::extension},
};

/// A decoded timestamp (version 1); nobody's word until [`CertificateTimestamp::is_by`] says so.
#[derive(Clone, Copy, Debug)]
pub struct CertificateTimestamp<'a> {
    /// The log's id: the SHA-256 digest of its key.
    pub log_id: &'a [u8; 32],
    /// When the log saw the certificate, in milliseconds since 1970.
    pub time_millis: u64,
    extensions: &'a [u8],
    /// TLS 1.2's `SignatureAndHashAlgorithm`.
    algorithm: [u8; 2],
    signature: &'a [u8],
}

/// What a certificate log signed of a certificate.
#[derive(Clone, Debug)]
pub struct Precertificate {
    issuer_key_hash: Digest,
    /// The `tbsCertificate` without the timestamps.
    tbs: Vec<u8>,
}

impl<'a> CertificateTimestamp<'a> {
    /// Reads the extension's value: an OCTET STRING around a `SignedCertificateTimestampList`.
    ///
    /// # Errors
    /// When it is not that, is empty, or holds more than [`limits::CERTIFICATE_TIMESTAMPS`].
    pub fn decode_list(value: &'a [u8]) -> Result<Vec<Self>> {
        const FIELD: &str = "SignedCertificateTimestampList";
        let malformed = Asn1Error::Malformed { field: FIELD };
        let mut outer = Cursor::new(value);
        let list = outer.octet_string(FIELD)?;
        outer.finish(FIELD)?;
        let (mut list, rest) = vector(list).ok_or(malformed)?;
        let mut timestamps = Vec::new();
        while !list.is_empty() {
            if timestamps.len() >= limits::CERTIFICATE_TIMESTAMPS {
                return Err(Asn1Error::Malformed { field: "timestamps (too many)" });
            }
            let (one, after) = vector(list).ok_or(malformed)?;
            timestamps.push(Self::decode(one).ok_or(malformed)?);
            list = after;
        }
        if rest.is_empty() && !timestamps.is_empty() { Ok(timestamps) } else { Err(malformed) }
    }

    fn decode(octets: &'a [u8]) -> Option<Self> {
        // RFC 6962 §3.2: sct_version v1(0), id, timestamp, extensions, digitally-signed.
        let rest = octets.strip_prefix(&[0])?;
        let (log_id, rest) = rest.split_first_chunk::<32>()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (extensions, rest) = vector(rest)?;
        let (algorithm, rest) = rest.split_first_chunk::<2>()?;
        let (signature, rest) = vector(rest)?;
        rest.is_empty().then_some(Self {
            log_id,
            time_millis: u64::from_be_bytes(*time),
            extensions,
            algorithm: *algorithm,
            signature,
        })
    }

    /// When the log saw the certificate, in whole seconds.
    pub fn time(&self) -> UnixSeconds {
        UnixSeconds::new(i64::try_from(self.time_millis / 1_000).unwrap_or(i64::MAX))
    }

    /// Whether `log` signed this timestamp for `precertificate`.
    pub fn is_by(
        &self,
        log: &Log,
        precertificate: &Precertificate,
        crypto: &dyn CryptoProvider,
    ) -> bool {
        use SignatureScheme as S;
        // RFC 5246 §7.4.1.4.1: sha256(4) with ecdsa(3) or rsa(1).
        let named = match self.algorithm {
            [4, 3] => matches!(log.key.scheme(), Some(S::EcdsaP256Sha256 | S::EcdsaP384Sha256)),
            [4, 1] => log.key.scheme() == Some(S::RsaPkcs1Sha256),
            _ => false,
        };
        named
            && self
                .signed_octets(precertificate)
                .is_some_and(|message| log.verifies(crypto, &message, self.signature))
    }

    /// RFC 6962 §3.2: what `digitally-signed` covers for a `precert_entry`.
    fn signed_octets(&self, precertificate: &Precertificate) -> Option<Vec<u8>> {
        let mut octets = Vec::with_capacity(precertificate.tbs.len().saturating_add(64));
        // version v1(0), signature_type certificate_timestamp(0).
        octets.extend_from_slice(&[0, 0]);
        octets.extend_from_slice(&self.time_millis.to_be_bytes());
        // entry_type precert_entry(1).
        octets.extend_from_slice(&[0, 1]);
        octets.extend_from_slice(precertificate.issuer_key_hash.octets());
        let [0, length @ ..] = u32::try_from(precertificate.tbs.len()).ok()?.to_be_bytes() else {
            return None;
        };
        octets.extend_from_slice(&length);
        octets.extend_from_slice(&precertificate.tbs);
        let length = u16::try_from(self.extensions.len()).ok()?;
        octets.extend_from_slice(&length.to_be_bytes());
        octets.extend_from_slice(self.extensions);
        Some(octets)
    }
}

/// A TLS vector with a length of two octets, and what follows it.
fn vector(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

impl Precertificate {
    /// What was logged of `certificate`, which `issuer` issued.
    ///
    /// # Errors
    /// When the certificate does not decode.
    pub fn of(
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self> {
        let issuer_key_hash = digest(crypto, HashAlgorithm::Sha256, issuer.public_key.raw);
        Ok(Self { issuer_key_hash, tbs: without_timestamps(certificate.tbs)? })
    }
}

/// RFC 6962 §3.2: the `TBSCertificate` "without the poison extension", which in the issued
/// certificate are the timestamps.
fn without_timestamps(tbs: &[u8]) -> Result<Vec<u8>> {
    const FIELD: &str = "tbsCertificate";
    let mut fields = Tlv::decode(tbs, FIELD)?.content();
    let mut kept = Vec::with_capacity(tbs.len());
    while !fields.is_empty() {
        let field = fields.any(FIELD)?;
        if field.tag != context_constructed(3) {
            kept.extend_from_slice(field.raw);
            continue;
        }
        let mut list = field.content().sequence("extensions")?;
        let mut extensions = Vec::new();
        while !list.is_empty() {
            let one = list.expect(Tag::Sequence, "extension")?;
            let (id, _, _) = extension(&mut Cursor::new(one.raw))?;
            if id != oid::EMBEDDED_SCTS {
                extensions.extend_from_slice(one.raw);
            }
        }
        kept.extend(write::context(3, &[&write::sequence(&[&extensions])]));
    }
    Ok(write::sequence(&[&kept]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use alloc::vec;

    use super::*;

    /// One timestamp in its two wrappings.
    fn listed(timestamp: &[u8], count: usize) -> Vec<u8> {
        let length = u16::try_from(timestamp.len()).unwrap().to_be_bytes();
        let list = [&length[..], timestamp].concat().repeat(count);
        let length = u16::try_from(list.len()).unwrap().to_be_bytes();
        write::octet_string(&[&length[..], &list].concat())
    }

    fn timestamp() -> Vec<u8> {
        let head = [&[0][..], &[7; 32], &5_000_u64.to_be_bytes(), &[0, 1, 9]].concat();
        [&head[..], &[4, 3, 0, 2, 0xAA, 0xBB]].concat()
    }

    #[test]
    fn reads_a_list() {
        let value = listed(&timestamp(), 2);
        let list = CertificateTimestamp::decode_list(&value).unwrap();
        assert_eq!(list.len(), 2);
        let first = list.first().unwrap();
        assert_eq!((first.log_id, first.time()), (&[7; 32], UnixSeconds::new(5)));
        assert_eq!((first.extensions, first.signature), (&[9][..], &[0xAA, 0xBB][..]));
    }

    #[test]
    fn refuses_other_lists() {
        let good = timestamp();
        let version_2 = [&[1][..], good.get(1..).unwrap()].concat();
        let longer = [&good[..], &[0]].concat();
        for value in [
            vec![],
            vec![4, 0],
            vec![4, 2, 0, 0],
            listed(&version_2, 1),
            listed(&longer, 1),
            listed(good.get(..good.len().saturating_sub(1)).unwrap(), 1),
            listed(&good, limits::CERTIFICATE_TIMESTAMPS.saturating_add(1)),
            [listed(&good, 1), vec![0]].concat(),
        ] {
            assert!(CertificateTimestamp::decode_list(&value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn wraps_with_the_shortest_length() {
        for (length, header) in [
            (0, vec![0x30, 0]),
            (0x7F, vec![0x30, 0x7F]),
            (0x80, vec![0x30, 0x81, 0x80]),
            (0x1234, vec![0x30, 0x82, 0x12, 0x34]),
        ] {
            let octets = write::sequence(&[&vec![0; length]]);
            assert_eq!(octets.get(..header.len()), Some(&header[..]));
            assert_eq!(octets.len(), header.len().saturating_add(length));
        }
    }
}
