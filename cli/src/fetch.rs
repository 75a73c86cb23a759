//! HTTP: CRLs, OCSP, timestamps, the admin listener.
//!
//! Only `http://` and `https://`, everything bounded: time, redirects, size. It knows nothing of
//! what it carries. Nothing here is used with `--offline`.

mod fault;
mod proxies;
mod reach;
mod reply;
mod tls;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use countersign_core::finding::{Finding, FindingCode};
use reqwest::{Client, Method, Response, StatusCode, redirect::Policy};
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, timeout, timeout_at},
};
use url::Url;

use self::{
    fault::Unanswered,
    proxies::Proxies,
    reach::{Guard, Reach, TooClose},
};
pub(crate) use self::{fault::cause, reply::unusable};
pub use self::{
    reply::Reply,
    tls::{Authorities, ClientCertificate, Tls},
};
use crate::{
    failure::{Failure, Outcome},
    tls_fault::Handshake,
};

/// Time for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// CRLs move about, but not often.
const REDIRECTS: u32 = 3;

/// How long an answer is waited for, from the first name that is looked up to its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// For something small: 8 s in all.
    Small,
    /// For a CRL: it begins within 8 s, never pauses longer, and is whole after a minute; 32 MiB
    /// at 5 Mbit/s take 54 s.
    List,
    /// For a CRL in whose place an older one that is still good will do: it begins within 3 s.
    Spare,
    /// For an order to a service of ours, which may have much to write first.
    Administration,
}

impl Patience {
    /// Until the answer begins, and between its parts.
    fn silence(self) -> Duration {
        Duration::from_secs(match self {
            Self::Small | Self::List => 8,
            Self::Spare => 3,
            Self::Administration => 15,
        })
    }

    fn whole(self) -> Duration {
        match self {
            Self::Small => self.silence(),
            Self::List | Self::Spare | Self::Administration => Duration::from_mins(1),
        }
    }
}

/// A client for one kind of use.
#[derive(Debug)]
pub struct HttpClient {
    tls: Tls,
    handshake: Handshake,
    proxies: Arc<Proxies>,
    /// Most CRL and OCSP addresses are `http://`, since what they serve is signed: the system's
    /// authorities are only read for the first `https://`.
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
}

/// A request.
#[derive(Clone, Copy, Debug)]
struct Call<'a> {
    /// What is sent, and its media type; none is a GET.
    body: Option<(&'a str, &'a [u8])>,
    /// Of the answer.
    maximum_octets: usize,
    patience: Patience,
}

impl HttpClient {
    /// A client for public services; `https://` by the system's certificate authorities.
    ///
    /// # Errors
    /// `setup.usage.invalid` when the environment names no proxy where it should.
    pub fn public() -> Outcome<Self> {
        Self::with(Tls::default())
    }

    /// A client with a certificate or authorities of its own.
    ///
    /// # Errors
    /// As [`public`](Self::public).
    pub fn with(tls: Tls) -> Outcome<Self> {
        Ok(Self {
            handshake: tls.handshake(),
            tls,
            proxies: Arc::new(Proxies::from_environment()?),
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        })
    }

    /// GET; follows a few redirects.
    ///
    /// # Errors
    /// `setup.service.unreachable`, `.answer`, `.redirect`, `.not-trusted`, `.refused` or
    /// `setup.proxy.refused`.
    pub fn get(&self, url: &Url, maximum_octets: usize, patience: Patience) -> Outcome<Reply> {
        self.exchange(url, Call { body: None, maximum_octets, patience })
    }

    /// POST of `body` as `media_type`; repeated after the redirects that say so (307, 308).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn post(
        &self,
        url: &Url,
        media_type: &str,
        body: &[u8],
        maximum_octets: usize,
        patience: Patience,
    ) -> Outcome<Reply> {
        self.exchange(url, Call { body: Some((media_type, body)), maximum_octets, patience })
    }

    fn exchange(&self, url: &Url, call: Call<'_>) -> Outcome<Reply> {
        runtime()?.block_on(self.follow(url, call))
    }

    async fn follow(&self, url: &Url, call: Call<'_>) -> Outcome<Reply> {
        let deadline = Instant::now() + call.patience.whole();
        let mut target = url.clone();
        let (mut first, mut least) = (None, None);
        for _ in 0..=REDIRECTS {
            let reply = self.once(&target, call, least, deadline).await?;
            let Some(next) = reply.redirect_from(&target)? else { return Ok(reply) };
            permits(&target, &next, &reply, call)?;
            // What the address that was named could reach, its redirects may; nothing closer, and of
            // this machine only the very server that was named.
            let first = *first.get_or_insert(reply.reach);
            let is_named = next.origin() == url.origin();
            let closest = if is_named { first } else { first.max(Reach::Private) };
            TooClose::check(&next, closest)
                .map_err(|refused| elsewhere(url, refused.to_string()))?;
            least = Some(closest);
            target = next;
        }
        Err(elsewhere(
            url,
            format!("over {REDIRECTS} redirects, the last one to {}", shown(&target)),
        ))
    }

    /// Asks one address.
    async fn once(
        &self,
        url: &Url,
        call: Call<'_>,
        least: Option<Reach>,
        deadline: Instant,
    ) -> Outcome<Reply> {
        let proxy = self.proxies.of(url);
        let unanswered = match timeout_at(deadline, self.send(url, call, least)).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(unanswered)) => unanswered,
            Err(_) => Unanswered::Slow(call.patience.whole()),
        };
        let may_be_cut_off = match &unanswered {
            Unanswered::Error(error) => call.body.is_some() && self.handshake.may_be_cut_off(error),
            _ => false,
        };
        let reason =
            if may_be_cut_off { self.reason_for_cutting_off(url, call).await } else { None };
        let unanswered = reason.unwrap_or(unanswered);
        Err(unanswered.failure(url, proxy, &self.handshake))
    }

    async fn send(
        &self,
        url: &Url,
        call: Call<'_>,
        least: Option<Reach>,
    ) -> Result<Reply, Unanswered> {
        let proxy = self.proxies.of(url);
        let client = self.client(url, proxy, least)?;
        let request = match call.body {
            None => client.request(Method::GET, url.clone()),
            Some((media_type, body)) => client
                .request(Method::POST, url.clone())
                .header(reqwest::header::CONTENT_TYPE, media_type)
                .body(body.to_vec()),
        };
        let silence = call.patience.silence();
        let response = timeout(silence, request.send()).await;
        let response = response.map_err(|_| Unanswered::Silent(silence))??;
        if proxy.is_some() && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(Unanswered::ProxyWantsLogin);
        }
        let reach = match (proxy, response.remote_addr()) {
            (None, Some(address)) => Reach::of_address(address.ip()),
            // The proxy knows where it is, and we do not.
            _ => Reach::of_host(url).unwrap_or(Reach::Public),
        };
        let mut reply = Reply::of_head(&response, reach);
        reply.body = read(response, call.maximum_octets, silence).await?;
        Ok(reply)
    }

    fn client(
        &self,
        url: &Url,
        proxy: Option<&Url>,
        least: Option<Reach>,
    ) -> Result<Client, Unanswered> {
        let is_secure = [Some(url), proxy].into_iter().flatten().any(|url| url.scheme() == "https");
        // Through a proxy, it is the proxy's name that is resolved here.
        if let Some(least) = least.filter(|_| proxy.is_none()) {
            return Ok(self.build(is_secure, Some(least))?);
        }
        let slot = if is_secure { &self.secure } else { &self.plain };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let client = self.build(is_secure, None)?;
        Ok(slot.get_or_init(|| client).clone())
    }

    fn build(&self, is_secure: bool, least: Option<Reach>) -> Result<Client, reqwest::Error> {
        let proxies = Arc::clone(&self.proxies);
        let config = if is_secure { self.tls.config() } else { tls::unused() };
        let builder = Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            // Followed in `follow`, which looks at each address.
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .proxy(reqwest::Proxy::custom(move |url| proxies.of(url).cloned()))
            .tls_backend_preconfigured(config);
        match least {
            Some(least) => builder.dns_resolver(Guard { least }),
            None => builder,
        }
        .build()
    }

    /// A server that refuses the client's certificate does so while the client still sends: then the
    /// sending fails, and why is left unread. Asked without a body, it is read.
    async fn reason_for_cutting_off(&self, url: &Url, call: Call<'_>) -> Option<Unanswered> {
        let bare = Call { body: None, ..call };
        match self.send(url, bare, None).await {
            Err(Unanswered::Error(reason)) if self.handshake.fault(url, &reason).is_some() => {
                Some(Unanswered::Error(reason))
            }
            _ => None,
        }
    }
}

/// Reads an answer while it keeps coming.
async fn read(
    mut response: Response,
    maximum_octets: usize,
    silence: Duration,
) -> Result<Vec<u8>, Unanswered> {
    let announced = response.content_length().unwrap_or_default();
    if announced > maximum_octets as u64 {
        return Err(Unanswered::TooLarge(maximum_octets));
    }
    let mut body = Vec::new();
    loop {
        let chunk = timeout(silence, response.chunk()).await;
        let Some(chunk) = chunk.map_err(|_| Unanswered::Stalled(silence))?? else {
            return Ok(body);
        };
        body.extend_from_slice(&chunk);
        if body.len() > maximum_octets {
            return Err(Unanswered::TooLarge(maximum_octets));
        }
    }
}

/// Whether a redirect from `from` to `to` may be followed at all.
fn permits(from: &Url, to: &Url, reply: &Reply, call: Call<'_>) -> Outcome<()> {
    let found = |why: &str| format!("HTTP {} to {}: {why}", reply.status.as_u16(), shown(to));
    if !["http", "https"].contains(&to.scheme()) {
        return Err(elsewhere(from, found("neither http:// nor https://")));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(elsewhere(from, found("from https:// to http://")));
    }
    let repeats =
        [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT].contains(&reply.status);
    if call.body.is_some() && !repeats {
        return Err(elsewhere(from, found("a POST is repeated only after 307 and 308")));
    }
    Ok(())
}

fn elsewhere(url: &Url, found: String) -> Failure {
    Finding::new(FindingCode::SERVICE_ELSEWHERE).about(shown(url)).found(found).into()
}

/// Drives all requests of the program; ends with it, so that no name that is still looked up keeps
/// the program from ending.
fn runtime() -> Outcome<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread().worker_threads(1).enable_io().enable_time().build().ok()
    });
    made.as_ref().ok_or_else(|| Failure::internal("no thread for the network can be started"))
}

/// An address of a service, as it was typed, set, or named by a certificate.
///
/// # Errors
/// In words, for what is no address that can be asked.
pub fn address(text: &str) -> Result<Url, String> {
    match Url::parse(text.trim()) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(url),
        _ => Err("write an address that begins with http:// or https://".to_owned()),
    }
}

/// An address as it may be shown: without the name and password in it.
pub fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    // Both fail where there is nothing to take away.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let is_bare_host = bare.path() == "/" && bare.query().is_none() && bare.fragment().is_none();
    let text = bare.to_string();
    let text = if is_bare_host { text.trim_end_matches('/') } else { &text };
    countersign_core::finding::quoted(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_and_https_can_be_asked() {
        for url in
            ["file:///etc/passwd", "ftp://example.org/x", "ldap://example.org", "", "x", "http://"]
        {
            address(url).expect_err(url);
        }
        for url in ["http://a", "HTTPS://EXAMPLE.org:1/x?y", " http://u:p%40@a/ "] {
            address(url).expect(url);
        }
    }

    #[test]
    fn a_redirect_never_leads_out_of_tls_and_repeats_a_post_only_as_told() {
        let url = |text: &str| address(text).expect(text);
        let call = |body| Call { body, maximum_octets: 1, patience: Patience::Small };
        let may = |from, to, status, body| {
            permits(&url(from), &url(to), &Reply::with_status(status), call(body)).is_ok()
        };
        let post: Option<(&str, &[u8])> = Some(("a/b", b""));
        assert!(may("http://a", "https://b", 302, None));
        assert!(may("https://a", "https://b", 302, None));
        assert!(!may("https://a", "http://a", 302, None));
        assert!(!may("https://a", "http://a", 307, post));
        assert!(may("http://a", "http://b", 308, post));
        assert!(!may("http://a", "http://b", 303, post));
        let ftp = Url::parse("ftp://a").expect("an address");
        permits(&url("http://a"), &ftp, &Reply::with_status(302), call(None)).expect_err("FTP");
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, want) in [
            ("http://u:secret@a/", "http://a"),
            ("https://u@a:1/x", "https://a:1/x"),
            ("http://a/?x", "http://a/?x"),
        ] {
            assert_eq!(shown(&address(url).expect(url)), want);
        }
    }
}
