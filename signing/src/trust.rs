//! Writes Sigstore's `trusted_root.json` from certificates. `countersign_core::trust` reads it.

use base64ct::{Base64, Encoding};
use countersign_core::{
    asn1::Asn1Error,
    crypto::aws_lc::AwsLc,
    oid,
    time::UnixSeconds,
    trust::MEDIA_TYPE,
    x509::{Certificate, name},
};
use serde::Serialize;

/// One authority that is to be trusted.
#[derive(Clone, Debug)]
pub struct TrustedAuthority {
    /// Its address, for people.
    pub uri: String,
    /// DER certificates, from the narrowest to the self-signed root: for a certificate authority
    /// the issuing CA first, for a timestamp authority its own certificate first.
    pub chain: Vec<Vec<u8>>,
    /// When trust ends; nothing while the authority is in use. It begins when every certificate
    /// of the chain is valid.
    pub trusted_until: Option<UnixSeconds>,
}

impl TrustedAuthority {
    /// An authority in use.
    pub fn new(uri: impl Into<String>, chain: Vec<Vec<u8>>) -> Self {
        Self { uri: uri.into(), chain, trusted_until: None }
    }
}

/// Gives authorities of one operator one address, that of the first: verifiers count authorities by their
/// addresses, and a policy that demands two must not get two of one operator.
///
/// Two are of one operator if they have an address, a certificate's key or their root's name in common, by
/// themselves or by way of others. What does not decode has nothing in common with anything; [`build`] refuses it.
pub fn unite(authorities: &mut [TrustedAuthority]) {
    for later in 0..authorities.len() {
        for earlier in 0..later {
            let (Some(one), Some(other)) = (authorities.get(earlier), authorities.get(later))
            else {
                continue;
            };
            if !one.is_of_one_operator(other) {
                continue;
            }
            let both = [one.uri.clone(), other.uri.clone()];
            let mut united = authorities.iter_mut().filter(|each| both.contains(&each.uri));
            if let Some(first) = united.next().map(|first| first.uri.clone()) {
                united.for_each(|each| each.uri.clone_from(&first));
            }
        }
    }
}

impl TrustedAuthority {
    fn decoded(&self) -> Vec<Certificate<'_>> {
        self.chain.iter().filter_map(|raw| Certificate::decode(raw).ok()).collect()
    }

    fn is_of_one_operator(&self, other: &Self) -> bool {
        let (own, others) = (self.decoded(), other.decoded());
        let is_key_shared = own
            .iter()
            .any(|one| others.iter().any(|other| one.public_key.raw == other.public_key.raw));
        let roots = own.last().zip(others.last());
        self.uri == other.uri
            || is_key_shared
            || roots.is_some_and(|(one, other)| name::equal(one.subject, other.subject))
    }
}

/// Why certificates make no trust root.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no certificate authority among them.
    #[error("a trust root needs at least one certificate authority")]
    Empty,
    /// A certificate does not decode.
    #[error("{uri}: certificate {position} does not decode: {source}")]
    Malformed {
        /// Whose chain.
        uri: String,
        /// Which one, the first being 1.
        position: usize,
        /// What is wrong.
        source: Asn1Error,
    },
    /// The certificates do not make a chain.
    #[error("{uri}: {problem}")]
    Chain {
        /// Whose chain.
        uri: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The document could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrustedRoot {
    media_type: &'static str,
    certificate_authorities: Vec<AuthorityEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timestamp_authorities: Vec<AuthorityEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityEntry {
    subject: SubjectEntry,
    uri: String,
    cert_chain: ChainEntry,
    valid_for: ValidFor,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubjectEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    common_name: Option<String>,
}

#[derive(Serialize)]
struct ChainEntry {
    certificates: Vec<CertificateEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateEntry {
    raw_bytes: String,
}

#[derive(Serialize)]
struct ValidFor {
    start: UnixSeconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<UnixSeconds>,
}

/// The first certificate in an authority's chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    IssuingCa,
    EndEntity,
}

/// `trusted_root.json`, indented, with a line feed at its end.
///
/// # Errors
/// When there is no certificate authority, or a chain is not one: it must lead from its first
/// certificate to a self-signed root, each signed by the next; a timestamp authority's begins with
/// an end entity, a certificate authority's with a CA.
pub fn build(
    certificate_authorities: &[TrustedAuthority],
    timestamp_authorities: &[TrustedAuthority],
) -> Result<String, TrustError> {
    if certificate_authorities.is_empty() {
        return Err(TrustError::Empty);
    }
    let entries = |authorities: &[TrustedAuthority], first: First| {
        authorities.iter().map(|authority| entry(authority, first)).collect::<Result<Vec<_>, _>>()
    };
    let root = TrustedRoot {
        media_type: MEDIA_TYPE,
        certificate_authorities: entries(certificate_authorities, First::IssuingCa)?,
        timestamp_authorities: entries(timestamp_authorities, First::EndEntity)?,
    };
    Ok(serde_json::to_string_pretty(&root)? + "\n")
}

fn entry(authority: &TrustedAuthority, first: First) -> Result<AuthorityEntry, TrustError> {
    let uri = &authority.uri;
    let problem = |problem: &'static str| TrustError::Chain { uri: uri.clone(), problem };
    let mut chain = Vec::new();
    for (index, raw) in authority.chain.iter().enumerate() {
        let certificate = Certificate::decode(raw).map_err(|source| TrustError::Malformed {
            uri: uri.clone(),
            position: index + 1,
            source,
        })?;
        chain.push(certificate);
    }
    let (Some(narrowest), Some(root)) = (chain.first(), chain.last()) else {
        return Err(problem("the chain is empty"));
    };
    match first {
        First::IssuingCa if !narrowest.extensions.is_ca() => {
            return Err(problem("the first certificate is not a CA's"));
        }
        First::EndEntity if narrowest.extensions.is_ca() => {
            return Err(problem("the first certificate is a CA's, not the authority's own"));
        }
        _ => {}
    }
    if chain.windows(2).any(|pair| !pair[0].is_signed_by(&pair[1], &AwsLc)) {
        return Err(problem("a certificate is not signed by the one after it"));
    }
    if !root.is_signed_by(root, &AwsLc) {
        return Err(problem("the last certificate is not a self-signed root"));
    }
    let latest = chain.iter().map(|certificate| certificate.not_before).max();
    let start = latest.unwrap_or(root.not_before);
    let attribute = |wanted| name::attribute(root.subject, wanted).ok().flatten();
    let encoded = |raw: &Vec<u8>| CertificateEntry { raw_bytes: Base64::encode_string(raw) };
    let certificates = authority.chain.iter().map(encoded).collect();
    Ok(AuthorityEntry {
        subject: SubjectEntry {
            organization: attribute(oid::AT_ORGANIZATION),
            common_name: attribute(oid::AT_COMMON_NAME),
        },
        uri: uri.clone(),
        cert_chain: ChainEntry { certificates },
        valid_for: ValidFor { start, end: authority.trusted_until },
    })
}
