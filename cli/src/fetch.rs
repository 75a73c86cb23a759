//! HTTP: CRLs, OCSP, timestamps, the admin listener.
//!
//! Only `http://` and `https://`, everything bounded: time, redirects, size. It knows nothing of
//! what it carries. Nothing here is used with `--offline`.

use std::{cell::OnceCell, time::Duration};

use countersign_core::{
    finding::{Finding, FindingCode, quoted},
    x509,
};
use countersign_signing::key::{FileKey, Passphrase};
use rustls::{crypto::aws_lc_rs::sign::any_supported_type, pki_types::PrivateKeyDer};
use ureq::{
    Agent, Body,
    http::{
        Response, StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig},
};

use crate::{
    failure::{Failure, Outcome, path_text},
    tls_fault::Handshake,
};

/// Time for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// Time until the answer begins.
const ANSWER: Duration = Duration::from_secs(15);
/// Time for everything; a CRL of 32 MiB at 5 Mbit/s takes 54 s.
const WHOLE: Duration = Duration::from_mins(1);
/// CRLs move about, but not often.
const REDIRECTS: u32 = 3;

/// A client for one kind of use.
#[derive(Debug)]
pub struct HttpClient {
    /// Who the client is and whom it believes; found out when the first `https://` comes, since
    /// most addresses of this trade are `http://`: what they serve is signed.
    tls: OnceCell<TlsConfig>,
    handshake: Handshake,
    plain: Agents,
    secure: OnceCell<Agents>,
}

#[derive(Debug)]
struct Agents {
    anywhere: Agent,
    /// For this machine itself, where a proxy would be wrong.
    loopback: Agent,
}

/// Who the client is, and whom it believes, for mutual TLS.
#[derive(Debug)]
pub struct MutualTls<'a> {
    /// The client's certificate and those above it, DER.
    pub chain: &'a [Vec<u8>],
    /// The client's key file.
    pub key: &'a std::path::Path,
    /// The key's passphrase.
    pub passphrase: &'a Passphrase,
    /// The authorities of the server's certificate, DER.
    pub authorities: &'a [Vec<u8>],
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
    /// How long the server asks to be left alone, where it says so in seconds.
    pub retry_after: Option<Duration>,
    /// Where a redirect leads.
    location: Option<String>,
}

impl HttpClient {
    /// A client for public services; `https://` by the system's certificate authorities.
    pub fn public() -> Self {
        Self {
            tls: OnceCell::new(),
            handshake: Handshake::Public,
            plain: Agents::new(None),
            secure: OnceCell::new(),
        }
    }

    /// A client with a certificate of its own.
    ///
    /// # Errors
    /// When the key cannot be used, or is not that of the certificate.
    pub fn mutual(tls: &MutualTls<'_>) -> Outcome<Self> {
        let key = FileKey::open_for_tls(tls.key, tls.passphrase)?;
        let key = PrivateKey::from_pem(key.as_bytes())
            .map_err(|_| Failure::internal("the TLS library does not read our key"))?;
        let handshake = Handshake::Mutual { certificate: certificate_of(&key, tls)? };
        let owned = |ders: &[Vec<u8>]| -> Vec<Certificate<'static>> {
            ders.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
        };
        let config = TlsConfig::builder()
            .client_cert(Some(ClientCert::new_with_certs(&owned(tls.chain), key)))
            .root_certs(RootCerts::new_with_certs(&owned(tls.authorities)))
            .build();
        Ok(Self { tls: OnceCell::from(config), handshake, ..Self::public() })
    }

    /// Whether an address is one that can be asked at all.
    pub fn speaks(url: &str) -> bool {
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    }

    fn agent(&self, url: &str) -> Outcome<&Agent> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let agents = match scheme.to_ascii_lowercase().as_str() {
            "http" => &self.plain,
            "https" => {
                self.secure.get_or_init(|| Agents::new(Some(self.tls.get_or_init(system_tls))))
            }
            _ => return Err(Failure::unreachable(url, "neither http:// nor https://")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_loopback =
            ["127.", "localhost", "[::1]"].iter().any(|host| authority.starts_with(host));
        Ok(if is_loopback { &agents.loopback } else { &agents.anywhere })
    }

    /// GET; follows a few redirects.
    ///
    /// # Errors
    /// `setup.service.unreachable`: no answer, or one of over `maximum` bytes.
    pub fn get(&self, url: &str, maximum: usize) -> Outcome<Reply> {
        let mut target = url.to_owned();
        for _ in 0..=REDIRECTS {
            let reply = self.read(url, self.agent(&target)?.get(&target).call(), maximum)?;
            match (&reply.location, reply.status.is_redirection()) {
                (Some(location), true) => target = redirected(&target, location),
                _ => return Ok(reply),
            }
        }
        Err(Failure::unreachable(url, format!("over {REDIRECTS} redirects")))
    }

    /// POST of `body` as `media_type`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn post(&self, url: &str, media_type: &str, body: &[u8], maximum: usize) -> Outcome<Reply> {
        let agent = self.agent(url)?;
        let answered = agent.post(url).content_type(media_type).send(body);
        let answered = answered.map_err(|error| self.reason_for_cutting_off(agent, url, error));
        self.read(url, answered, maximum)
    }

    /// A server that refuses the client's certificate does so while the client still sends: then the
    /// sending fails, and why is left unread. Asked without a body, it is read.
    fn reason_for_cutting_off(&self, agent: &Agent, url: &str, error: ureq::Error) -> ureq::Error {
        if !self.handshake.may_be_refused_by(&error) {
            return error;
        }
        match agent.get(url).call() {
            Err(reason) if self.handshake.fault(url, &reason).is_some() => reason,
            _ => error,
        }
    }

    fn read(
        &self,
        url: &str,
        answered: Result<Response<Body>, ureq::Error>,
        maximum: usize,
    ) -> Outcome<Reply> {
        answered.and_then(|response| Reply::read(response, maximum)).map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => {
                Failure::unreachable(url, format!("an answer of over {maximum} bytes"))
            }
            error => self
                .handshake
                .fault(url, &error)
                .unwrap_or_else(|| Failure::unreachable(url, error.to_string())),
        })
    }
}

/// The certificate that the client shows, in words.
///
/// # Errors
/// `setup.key.mismatch` when the key is another's: the TLS library would panic.
fn certificate_of(key: &PrivateKey<'_>, tls: &MutualTls<'_>) -> Outcome<String> {
    let shown = tls.chain.first().map(|der| x509::Certificate::decode(der));
    let Some(Ok(certificate)) = shown else {
        return Err(FindingCode::CertificateMalformed.into());
    };
    let pair = any_supported_type(&PrivateKeyDer::Pkcs8(key.der().into()))
        .map_err(|_| Failure::internal("the TLS library does not take our key"))?;
    let spki = pair.public_key();
    if spki.is_some_and(|spki| spki.as_ref() != certificate.public_key.raw) {
        return Err(Finding::new(FindingCode::KeyMismatch)
            .about(path_text(tls.key))
            .expected(format!("the key of {}", quoted(certificate.subject_text())))
            .into());
    }
    Ok(quoted(format!(
        "{}, issued by {}",
        certificate.subject_text(),
        x509::name::text(certificate.issuer)
    )))
}

impl Agents {
    fn new(tls: Option<&TlsConfig>) -> Self {
        let config = || {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                // Followed in `get`, where each address gets the agent that is right for it.
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(ANSWER))
                .timeout_global(Some(WHOLE))
                .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
            match tls {
                Some(tls) => {
                    // Fails when it was installed before, which is as good.
                    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
                    config.tls_config(tls.clone())
                }
                None => config,
            }
        };
        let anywhere = config().build().new_agent();
        let loopback = config().proxy(None).build().new_agent();
        Self { anywhere, loopback }
    }
}

/// The system's certificate authorities. Those that cannot be read are left out; then servers are
/// not believed, and that is said.
fn system_tls() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs().certs;
    let authorities: Vec<_> =
        found.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    TlsConfig::builder().root_certs(RootCerts::new_with_certs(&authorities)).build()
}

impl Reply {
    fn read(mut response: Response<Body>, maximum: usize) -> Result<Self, ureq::Error> {
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let location = header(LOCATION).map(str::to_owned);
        let retry_after = header(RETRY_AFTER).and_then(|text| text.parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        let limit = maximum as u64;
        let body = response.body_mut().with_config().limit(limit + 1).read_to_vec()?;
        if body.len() > maximum {
            return Err(ureq::Error::BodyExceedsLimit(limit));
        }
        Ok(Self { status, body, retry_after, location })
    }

    /// The body of a 200.
    ///
    /// # Errors
    /// `setup.service.unreachable` with the status.
    pub fn success(self, url: &str) -> Outcome<Vec<u8>> {
        match self.status {
            StatusCode::OK => Ok(self.body),
            status => Err(Failure::unreachable(url, format!("HTTP {status}"))),
        }
    }
}

/// An address relative to another (RFC 3986 §4.2): whole, of the same server, or beside it.
fn redirected(from: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let authority = from.find("://").map_or(0, |colon| colon + 3);
    let path = from[authority..].find('/').map_or(from.len(), |slash| authority + slash);
    if location.starts_with('/') {
        return format!("{}{location}", &from[..path]);
    }
    let folder = from.rfind('/').filter(|slash| *slash >= path).map_or(path, |slash| slash + 1);
    format!("{}{location}", &from[..folder])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_redirects_where_they_lead() {
        for (from, location, want) in [
            ("http://a/x/y", "https://b/z", "https://b/z"),
            ("http://a/x/y", "/z", "http://a/z"),
            ("http://a/x/y", "z", "http://a/x/z"),
            ("http://a", "/z", "http://a/z"),
        ] {
            assert_eq!(redirected(from, location), want);
        }
    }

    #[test]
    fn asks_http_and_https_only() {
        let client = HttpClient::public();
        for url in ["file:///etc/passwd", "ftp://example.org/x", "ldap://example.org", "", "x"] {
            assert_eq!(client.get(url, 10).map(|_| ()).expect_err(url).exit_code(), 3);
        }
    }
}
