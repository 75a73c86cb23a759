//! Any object we know, decoded and shown, without judging it.
//!
//! What comes out is a tree with names as the specifications write them, for text and JSON alike.
//! Nothing is verified: a certificate shown here may be anybody's.

mod broken;
mod bundle;
mod kind;
mod log;
mod trust;

pub use broken::Broken;

use alloc::{format, string::String, vec, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    asn1::Flag,
    bundle::Bundle,
    cms::{SignedData, SignerIdentifier},
    crl::CertificateList,
    crypto::KeyAlgorithm,
    digest::encode_hex,
    finding::{Finding, FindingCode, quoted},
    json::{Document, Value},
    ocsp::{CertId, CertificateStatus, OcspRequest, OcspResponse, ResponderId},
    trust::TrustRoot,
    tsp::{CertificateRequest, TimestampRequest, TimestampResponse, TstInfo},
    x509::{Certificate, PublicKey, certificate::serial_text, name},
};

/// CRL entries that are listed; the others are counted.
const ENTRIES_SHOWN: usize = 1_000;

/// A decoded object as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// A text, made harmless to show.
    Text(String),
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Several of a kind.
    List(Vec<View>),
    /// Named parts, in their order.
    Fields(Vec<(&'static str, View)>),
}

impl View {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(quoted(text.into()))
    }

    /// Hexadecimal of any length; never cut, since it is data.
    fn hex(octets: &[u8]) -> Self {
        Self::Text(encode_hex(octets))
    }

    fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::List(list) => serializer.collect_seq(list),
            Self::Fields(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, view) in fields {
                    map.serialize_entry(name, view)?;
                }
                map.end()
            }
        }
    }
}

/// Decodes `bytes` (JSON or DER, not PEM) as the first kind of object that fits and shows it; the
/// field `kind` says which.
///
/// # Errors
/// What a JSON document of a known kind is wrong with; `setup.input.malformed`, with what could be
/// read, of an object that breaks a rule; or the same code when nothing fits.
pub fn inspect(bytes: &[u8]) -> Result<View, Broken> {
    // A byte order mark is no octet of a JSON text.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        return Ok(json(text)?);
    }
    if let Some(view) = der(bytes) {
        return Ok(view);
    }
    broken::recognised(bytes).unwrap_or_else(|| {
        let finding = Finding::new(FindingCode::INPUT_MALFORMED)
            .expected("a bundle, trust root, certificate, CRL, timestamp or OCSP message")
            .found(kind::format_of(bytes).unwrap_or("something else"));
        Err(finding.into())
    })
}

fn json(bytes: &[u8]) -> Result<View, Finding> {
    let media_type = Document::decode(bytes).ok().and_then(|each| each.root().member("mediaType"));
    let media_type = media_type.and_then(Value::string).unwrap_or_default();
    if media_type.contains(".trustedroot") {
        return TrustRoot::decode(bytes).map(|root| trust::trust_root(&root));
    }
    Bundle::decode(bytes).map(|decoded| bundle::bundle(&decoded))
}

fn der(bytes: &[u8]) -> Option<View> {
    if let Ok(decoded) = Certificate::decode(bytes) {
        return Some(certificate(&decoded));
    }
    if let Ok(decoded) = CertificateList::decode(bytes) {
        return Some(crl(&decoded));
    }
    if let Ok(decoded) = TimestampResponse::decode(bytes) {
        return Some(timestamp_response(&decoded));
    }
    if let Ok(decoded) = SignedData::decode(bytes) {
        return Some(signed_data(&decoded));
    }
    if let Ok(decoded) = OcspResponse::decode(bytes) {
        return Some(ocsp_response(&decoded));
    }
    if let Ok(decoded) = TimestampRequest::decode(bytes) {
        return Some(timestamp_request(&decoded));
    }
    if let Ok(decoded) = OcspRequest::decode(bytes, usize::MAX) {
        return Some(ocsp_request(&decoded));
    }
    PublicKey::decode(bytes).ok().map(|decoded| public_key(&decoded))
}

fn public_key(key: &PublicKey<'_>) -> View {
    View::Fields(vec![
        ("kind", View::text("public-key")),
        ("algorithm", View::text(key_text(key.algorithm))),
        ("subjectPublicKey", View::hex(key.bits)),
    ])
}

/// A certificate.
pub fn certificate(certificate: &Certificate<'_>) -> View {
    let extensions = &certificate.extensions;
    let mut fields = vec![
        ("kind", View::text("certificate")),
        ("version", View::Number(certificate.version.into())),
        ("serialNumber", View::text(certificate.serial_text())),
        ("issuer", View::text(name::text(certificate.issuer))),
        ("notBefore", View::text(format!("{}", certificate.not_before))),
        ("notAfter", View::text(format!("{}", certificate.not_after))),
        ("subject", View::text(certificate.subject_text())),
        ("publicKey", View::text(key_text(certificate.public_key.algorithm))),
        ("signatureAlgorithm", View::text(format!("{}", certificate.signature_algorithm.oid))),
    ];
    if let Some((critical, constraints)) = extensions.basic_constraints {
        let mut parts = vec![("critical", flag(critical)), ("cA", flag(constraints.ca))];
        if let Some(length) = constraints.path_length {
            parts.push(("pathLenConstraint", View::Number(length)));
        }
        fields.push(("basicConstraints", View::Fields(parts)));
    }
    if let Some((critical, usage)) = extensions.key_usage {
        let names = View::texts(usage.names());
        fields.push((
            "keyUsage",
            View::Fields(vec![("critical", flag(critical)), ("usages", names)]),
        ));
    }
    if let Some((critical, usages)) = &extensions.extended_key_usage {
        let names = View::text(usages.text());
        fields.push((
            "extKeyUsage",
            View::Fields(vec![("critical", flag(*critical)), ("usages", names)]),
        ));
    }
    if !extensions.subject_alt_names.is_empty() {
        let names = extensions.subject_alt_names.iter().map(|each| View::text(each.text()));
        fields.push(("subjectAltName", View::List(names.collect())));
    }
    if let Some(key) = extensions.subject_key_identifier {
        fields.push(("subjectKeyIdentifier", View::hex(key)));
    }
    if let Some(key) = extensions.authority_key_identifier {
        fields.push(("authorityKeyIdentifier", View::hex(key)));
    }
    fields.push(("cRLDistributionPoints", View::texts(extensions.crl_urls.iter().copied())));
    fields.push(("ocsp", View::texts(extensions.ocsp_urls.iter().copied())));
    fields.push(("caIssuers", View::texts(extensions.issuer_urls.iter().copied())));
    if extensions.ocsp_no_check {
        fields.push(("ocspNoCheck", View::Flag(true)));
    }
    if let Some(issuer) = extensions.oidc_issuer {
        fields.push(("oidcIssuer", View::text(issuer)));
    }
    if let Some(value) = extensions.embedded_scts {
        fields.push(("signedCertificateTimestamps", log::certificate_timestamps(value)));
    }
    View::Fields(fields)
}

fn key_text(algorithm: KeyAlgorithm) -> String {
    match algorithm {
        KeyAlgorithm::Rsa { bits } => format!("RSA {bits}"),
        other => String::from(other.name()),
    }
}

fn flag(flag: Flag) -> View {
    View::Flag(flag.is_set())
}

fn certificates<'a>(raws: impl Iterator<Item = &'a [u8]>) -> View {
    let shown = raws.map(|raw| match Certificate::decode(raw) {
        Ok(decoded) => certificate(&decoded),
        Err(error) => View::text(format!("not a certificate: {error}")),
    });
    View::List(shown.collect())
}

fn crl(crl: &CertificateList<'_>) -> View {
    let extensions = &crl.extensions;
    let mut fields = vec![
        ("kind", View::text("crl")),
        ("version", View::Number(crl.version.into())),
        ("issuer", View::text(name::text(crl.issuer))),
        ("thisUpdate", View::text(format!("{}", crl.this_update))),
    ];
    if let Some(next) = crl.next_update {
        fields.push(("nextUpdate", View::text(format!("{next}"))));
    }
    if let Some(number) = extensions.number {
        fields.push(("cRLNumber", View::text(serial_text(number))));
    }
    if let Some(base) = extensions.delta_base {
        fields.push(("deltaCRLIndicator", View::text(serial_text(base))));
    }
    if let Some((critical, point)) = &extensions.issuing_distribution_point {
        fields.push((
            "issuingDistributionPoint",
            View::Fields(vec![
                ("critical", flag(*critical)),
                ("urls", View::texts(point.urls.iter().copied())),
                (
                    "directoryNames",
                    View::List(
                        point
                            .directory_names
                            .iter()
                            .map(|each| View::text(name::text(each)))
                            .collect(),
                    ),
                ),
                ("covers", View::text(format!("{:?}", point.covers))),
                ("onlySomeReasons", View::Flag(point.only_some_reasons.is_some())),
                ("indirectCRL", View::Flag(point.indirect)),
            ]),
        ));
    }
    if let Some(since) = extensions.expired_certificates_since {
        fields.push(("expiredCertsOnCRL", View::text(format!("{since}"))));
    }
    let mut count: u64 = 0;
    let mut shown = Vec::new();
    for entry in crl.entries() {
        count = count.saturating_add(1);
        if shown.len() >= ENTRIES_SHOWN {
            continue;
        }
        shown.push(match entry {
            Ok(entry) => revoked_entry(&entry),
            Err(error) => View::text(format!("malformed: {error}")),
        });
    }
    fields.push(("revoked", View::Number(count)));
    fields.push(("revokedCertificates", View::List(shown)));
    View::Fields(fields)
}

fn revoked_entry(entry: &crate::crl::RevokedEntry<'_>) -> View {
    let mut parts = vec![
        ("serialNumber", View::text(serial_text(entry.serial))),
        ("revocationDate", View::text(format!("{}", entry.revocation_date))),
        (
            "reason",
            View::text(match entry.undefined_reason {
                Some(code) => format!("{code}, which RFC 5280 does not define"),
                None => String::from(entry.reason.name()),
            }),
        ),
    ];
    if let Some(date) = entry.invalidity_date {
        parts.push(("invalidityDate", View::text(format!("{date}"))));
    }
    View::Fields(parts)
}

fn timestamp_response(response: &TimestampResponse<'_>) -> View {
    let mut fields = vec![
        ("kind", View::text("timestamp-response")),
        ("status", View::text(format!("{:?}", response.status))),
    ];
    if !response.status_text.is_empty() {
        fields.push(("statusString", View::texts(response.status_text.iter().copied())));
    }
    if let Some(failure) = response.failure {
        fields.push(("failInfo", View::text(failure.name())));
    }
    if let Some(token) = response.token {
        fields.push(("token", token_view(token)));
    }
    View::Fields(fields)
}

fn token_view(token: &[u8]) -> View {
    match SignedData::decode(token) {
        Ok(decoded) => signed_data(&decoded),
        Err(error) => View::text(format!("malformed: {error}")),
    }
}

fn signed_data(signed_data: &SignedData<'_>) -> View {
    let content = match TstInfo::decode(signed_data.content) {
        Ok(info) => tst_info(&info),
        Err(finding) => View::text(finding.code.title()),
    };
    let signers = signed_data.signer_infos.iter().map(|signer| {
        let identifier = match signer.identifier {
            SignerIdentifier::IssuerAndSerial { issuer, serial } => {
                format!("{}, serial {}", name::text(issuer), serial_text(serial))
            }
            SignerIdentifier::SubjectKeyIdentifier(key) => format!("key {}", encode_hex(key)),
        };
        View::Fields(vec![
            ("sid", View::text(identifier)),
            ("digestAlgorithm", View::text(format!("{}", signer.digest_algorithm.oid))),
            ("signatureAlgorithm", View::text(format!("{}", signer.signature_algorithm.oid))),
        ])
    });
    View::Fields(vec![
        ("kind", View::text("signed-data")),
        ("eContentType", View::text(format!("{}", signed_data.content_type))),
        ("tstInfo", content),
        ("signerInfos", View::List(signers.collect())),
        ("certificates", certificates(signed_data.certificates.iter().copied())),
    ])
}

fn tst_info(info: &TstInfo<'_>) -> View {
    let imprint = &info.message_imprint;
    let hash = imprint.algorithm.map_or_else(
        || format!("{}", imprint.identifier.oid),
        |algorithm| String::from(algorithm.name()),
    );
    let accuracy = format!(
        "{} s {} ms {} µs",
        info.accuracy.seconds, info.accuracy.millis, info.accuracy.micros
    );
    let mut fields = vec![
        ("policy", View::text(format!("{}", info.policy))),
        ("hashAlgorithm", View::text(hash)),
        ("hashedMessage", View::hex(imprint.digest)),
        ("serialNumber", View::text(serial_text(info.serial))),
        ("genTime", View::text(format!("{}", info.gen_time))),
        ("accuracy", View::text(accuracy)),
        ("ordering", flag(info.ordering)),
    ];
    if let Some(nonce) = info.nonce {
        fields.push(("nonce", View::hex(nonce)));
    }
    if let Some(tsa) = info.tsa {
        fields.push(("tsa", View::text(tsa.text())));
    }
    View::Fields(fields)
}

fn timestamp_request(request: &TimestampRequest<'_>) -> View {
    let imprint = &request.message_imprint;
    let mut fields = vec![
        ("kind", View::text("timestamp-request")),
        ("hashAlgorithm", View::text(format!("{}", imprint.identifier.oid))),
        ("hashedMessage", View::hex(imprint.digest)),
        ("certReq", View::Flag(request.certificates_requested == CertificateRequest::Include)),
    ];
    if let Some(policy) = request.policy {
        fields.push(("reqPolicy", View::text(format!("{policy}"))));
    }
    if let Some(nonce) = request.nonce {
        fields.push(("nonce", View::hex(nonce)));
    }
    View::Fields(fields)
}

fn cert_id(id: &CertId<'_>) -> View {
    let hash = id.hash.map_or("unknown", crate::digest::HashAlgorithm::name);
    View::Fields(vec![
        ("hashAlgorithm", View::text(hash)),
        ("issuerNameHash", View::hex(id.issuer_name_hash)),
        ("issuerKeyHash", View::hex(id.issuer_key_hash)),
        ("serialNumber", View::text(serial_text(id.serial))),
    ])
}

fn ocsp_request(request: &OcspRequest<'_>) -> View {
    let mut fields = vec![
        ("kind", View::text("ocsp-request")),
        ("requestList", View::List(request.certificates.iter().map(cert_id).collect())),
    ];
    if let Some(nonce) = request.nonce {
        fields.push(("nonce", View::hex(nonce.octets)));
    }
    View::Fields(fields)
}

fn ocsp_response(response: &OcspResponse<'_>) -> View {
    let mut fields = vec![
        ("kind", View::text("ocsp-response")),
        ("responseStatus", View::text(response.status.name())),
    ];
    let Some(basic) = &response.basic else { return View::Fields(fields) };
    let responder = match basic.responder {
        ResponderId::ByName(subject) => name::text(subject),
        ResponderId::ByKey(hash) => format!("key {}", encode_hex(hash)),
    };
    fields.push(("responderID", View::text(responder)));
    fields.push(("producedAt", View::text(format!("{}", basic.produced_at))));
    let responses = basic.responses.iter().map(|single| {
        let status = match single.status {
            CertificateStatus::Good => String::from("good"),
            CertificateStatus::Unknown => String::from("unknown"),
            CertificateStatus::Revoked { revocation_time, reason } => {
                format!("revoked {revocation_time}, {}", reason.name())
            }
        };
        let mut parts = vec![
            ("certID", cert_id(&single.certificate)),
            ("certStatus", View::text(status)),
            ("thisUpdate", View::text(format!("{}", single.this_update))),
        ];
        if let Some(next) = single.next_update {
            parts.push(("nextUpdate", View::text(format!("{next}"))));
        }
        if let Some(cutoff) = single.archive_cutoff {
            parts.push(("archiveCutoff", View::text(format!("{cutoff}"))));
        }
        View::Fields(parts)
    });
    fields.push(("responses", View::List(responses.collect())));
    if let Some(nonce) = basic.nonce {
        fields.push(("nonce", View::hex(nonce)));
    }
    fields.push(("certs", certificates(basic.certificates.iter().copied())));
    View::Fields(fields)
}
