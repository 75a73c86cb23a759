//! HTTP: CRLs, OCSP, timestamps, the admin listener.
//!
//! Only `http://` and `https://`, everything bounded: time, redirects, size. It knows nothing of
//! what it carries. Nothing here is used with `--offline`.

use std::time::Duration;

use countersign_signing::key::{FileKey, Passphrase};
use ureq::{
    Agent, Body,
    http::{Response, StatusCode},
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig},
};

use crate::failure::{Failure, Outcome};

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
    agent: Agent,
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
}

impl HttpClient {
    /// A client for public services; `https://` by the system's certificate authorities.
    pub fn public() -> Self {
        Self::with(&TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
    }

    /// A client with a certificate of its own.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn mutual(tls: &MutualTls<'_>) -> Outcome<Self> {
        let key = FileKey::open_for_tls(tls.key, tls.passphrase)?;
        let key = PrivateKey::from_pem(key.as_bytes())
            .map_err(|_| Failure::internal("the TLS library does not read our key"))?;
        let owned = |ders: &[Vec<u8>]| -> Vec<Certificate<'static>> {
            ders.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
        };
        let config = TlsConfig::builder()
            .client_cert(Some(ClientCert::new_with_certs(&owned(tls.chain), key)))
            .root_certs(RootCerts::new_with_certs(&owned(tls.authorities)))
            .build();
        Ok(Self::with(&config))
    }

    fn with(tls: &TlsConfig) -> Self {
        // Fails when it was installed before, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = || {
            Agent::config_builder()
                .tls_config(tls.clone())
                .http_status_as_error(false)
                .max_redirects(REDIRECTS)
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(ANSWER))
                .timeout_global(Some(WHOLE))
                .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        };
        let agent = config().build().new_agent();
        let loopback = config().proxy(None).build().new_agent();
        Self { agent, loopback }
    }

    fn agent(&self, url: &str) -> Outcome<&Agent> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(Failure::unreachable(url, "neither http:// nor https://"));
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_loopback =
            ["127.", "localhost", "[::1]"].iter().any(|host| authority.starts_with(host));
        Ok(if is_loopback { &self.loopback } else { &self.agent })
    }

    /// GET.
    ///
    /// # Errors
    /// `setup.service.unreachable`: no answer, or one of over `maximum` bytes.
    pub fn get(&self, url: &str, maximum: usize) -> Outcome<Reply> {
        let answered = self.agent(url)?.get(url).call();
        read(url, answered, maximum)
    }

    /// POST of `body` as `media_type`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn post(&self, url: &str, media_type: &str, body: &[u8], maximum: usize) -> Outcome<Reply> {
        let answered = self.agent(url)?.post(url).content_type(media_type).send(body);
        read(url, answered, maximum)
    }
}

impl Reply {
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

fn read(
    url: &str,
    answered: Result<Response<Body>, ureq::Error>,
    maximum: usize,
) -> Outcome<Reply> {
    let failed = |error: ureq::Error| Failure::unreachable(url, error.to_string());
    let mut response = answered.map_err(failed)?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(maximum as u64 + 1).read_to_vec();
    let body = match body {
        Ok(body) if body.len() <= maximum => body,
        Ok(_) | Err(ureq::Error::BodyExceedsLimit(_)) => {
            return Err(Failure::unreachable(url, format!("an answer of over {maximum} bytes")));
        }
        Err(error) => return Err(failed(error)),
    };
    Ok(Reply { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_http_and_https_only() {
        let client = HttpClient::public();
        for url in ["file:///etc/passwd", "ftp://example.org/x", "ldap://example.org", "", "x"] {
            assert_eq!(client.get(url, 10).map(|_| ()).expect_err(url).exit_code(), 3);
        }
    }
}
