//! The revocation service's admin listener, by mutual TLS.

use countersign_core::finding::{Finding, FindingCode};
use serde_json::Value;
use url::Url;

use crate::{
    arguments::AdminArguments,
    artifact::Waiting,
    codes,
    failure::{Failure, Outcome},
    fetch::{Authorities, ClientCertificate, HttpClient, Patience, Reply, Tls, shown},
    input,
    prompt::Purpose,
    session::Session,
};

/// A page of a listing has a thousand entries of less than two kilobytes.
const MAXIMUM_ANSWER_OCTETS: usize = 4 << 20;

/// A connection to the admin listener, ready to be asked.
#[derive(Debug)]
pub(super) struct Admin<'a> {
    session: &'a Session,
    client: HttpClient,
    base: Url,
}

impl<'a> Admin<'a> {
    /// Reads certificate and key. Nothing is connected yet.
    pub(super) fn open(arguments: &AdminArguments, session: &'a Session) -> Outcome<Self> {
        let settings = &session.settings;
        let typed = |typed: &Option<std::path::PathBuf>, set: &Option<std::path::PathBuf>, name| {
            input::required(typed.as_ref(), set.as_ref(), name)
        };
        let url = input::required(
            arguments.admin_url.as_ref(),
            settings.admin_url.as_ref(),
            "--admin-url",
        )?;
        if url.scheme() != "https" {
            let finding = Finding::new(codes::USAGE_INVALID).about("--admin-url");
            return Err(finding.expected("https://HOST[:PORT]").found(shown(&url)).into());
        }
        let certificate = typed(
            &arguments.admin_certificate,
            &settings.admin_certificate,
            "--admin-certificate",
        )?;
        let key = typed(&arguments.admin_key, &settings.admin_key, "--admin-key")?;
        let ca = typed(&arguments.admin_ca, &settings.admin_ca, "--admin-ca")?;
        let chain = input::certificates(&certificate)?;
        let certificates = input::certificates(&ca)?;
        let passphrase = session.key_passphrase(&arguments.passphrase, &key, Purpose::Open)?;
        let certificate = ClientCertificate::open(&chain, &key, &passphrase)?;
        let authorities = Authorities::Only { certificates, flag: "--admin-ca" };
        let tls = Tls { authorities, certificate: Some(certificate) };
        Ok(Self { session, client: HttpClient::with(tls)?, base: url })
    }

    fn address(&self, path: &str) -> Outcome<Url> {
        let whole = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&whole).map_err(|error| Failure::internal(error.to_string()))
    }

    /// GET; gives the JSON of a success.
    pub(super) fn get(&self, path: &str) -> Outcome<Value> {
        let url = self.address(path)?;
        let _waiting = Waiting::begin(self.session, &format!("Asking {}", shown(&url)));
        let patience = Patience::Administration;
        let reply = self.client.get(&url, MAXIMUM_ANSWER_OCTETS, patience)?;
        answer(&url, &reply)
    }

    /// POST; gives the JSON of a success.
    pub(super) fn post(&self, path: &str, media_type: &str, body: &[u8]) -> Outcome<Value> {
        let url = self.address(path)?;
        let _waiting = Waiting::begin(self.session, &format!("Asking {}", shown(&url)));
        let (maximum, patience) = (MAXIMUM_ANSWER_OCTETS, Patience::Administration);
        let reply = self.client.post(&url, media_type, body, maximum, patience)?;
        answer(&url, &reply)
    }
}

/// The JSON of a success, or the service's own words on why not (RFC 9457).
fn answer(url: &Url, reply: &Reply) -> Outcome<Value> {
    let value: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let status = reply.status;
    if status.is_success() {
        return value.ok_or_else(|| reply.not(url, "JSON"));
    }
    let member = |name: &str| value.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let words = match (member("detail"), member("code"), member("request_id")) {
        (Some(detail), Some(code), id) => {
            let id = id.map(|id| format!(", request {id}")).unwrap_or_default();
            format!("{detail} ({code}{id})")
        }
        _ => reply.status_text(),
    };
    let code = match (status.as_u16(), member("code").as_deref()) {
        (404, Some("certificate.not_registered")) => FindingCode::REVOCATION_UNKNOWN,
        // Not the words of the service that was meant.
        (404, None) | (429 | 500.., _) => FindingCode::SERVICE_ANSWER,
        _ => codes::SERVICE_REFUSED,
    };
    Err(Finding::new(code).about(shown(url)).found(words).into())
}
