//! Which proxy stands between here and an address, by the environment, as curl and Go read it.

use std::{env, net::IpAddr};

use countersign_core::finding::Finding;
use ipnet::IpNet;
use url::{Host, Url};

use super::{reach::Reach, shown};
use crate::codes;
use crate::failure::{Failure, Outcome};

/// The proxies of the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    except: Vec<Exception>,
}

/// A part of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    hosts: Hosts,
    /// Of that port alone.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    Network(IpNet),
    /// A domain and all below it, in small letters.
    Domain(String),
}

impl Proxies {
    /// Small letters go before capitals, as curl has it. `HTTP_PROXY` in capitals is left alone
    /// where a web server runs the program: there a request's `Proxy:` header sets it (httpoxy,
    /// CVE-2016-5385).
    ///
    /// # Errors
    /// `setup.usage.invalid` for what is no proxy's address: not to use it in silence would send
    /// the request where it must not go.
    pub(super) fn from_environment() -> Outcome<Self> {
        let read = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        Self::from(read)
    }

    fn from(read: impl Fn(&str) -> Option<String>) -> Outcome<Self> {
        let first = |names: &[&str]| {
            let mut set = names.iter().filter_map(|name| Some((*name, read(name)?)));
            set.next().map(|(name, value)| (name.to_owned(), value))
        };
        let is_cgi = read("REQUEST_METHOD").is_some();
        let http: &[&str] = if is_cgi { &["http_proxy"] } else { &["http_proxy", "HTTP_PROXY"] };
        let all = ["all_proxy", "ALL_PROXY"];
        let proxy = |names: &[&str]| {
            let found = first(names).or_else(|| first(&all));
            found.map(|(name, value)| address(&name, &value)).transpose()
        };
        let except = first(&["no_proxy", "NO_PROXY"]).map(|(_, value)| exceptions(&value));
        Ok(Self {
            http: proxy(http)?,
            https: proxy(&["https_proxy", "HTTPS_PROXY"])?,
            except: except.unwrap_or_default(),
        })
    }

    /// The proxy for an address, with the user's name and password for it. Never one for this
    /// machine itself.
    pub(super) fn of(&self, url: &Url) -> Option<&Url> {
        let proxy = match url.scheme() {
            "http" => self.http.as_ref(),
            "https" => self.https.as_ref(),
            _ => None,
        }?;
        let is_here = Reach::of_host(url) == Some(Reach::Machine);
        let is_excepted = self.except.iter().any(|exception| exception.covers(url));
        (!is_here && !is_excepted).then_some(proxy)
    }
}

/// Without a scheme it is `http://`.
fn address(name: &str, value: &str) -> Outcome<Url> {
    let text = value.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    match Url::parse(&whole) {
        Ok(url) if known.contains(&url.scheme()) && url.has_host() => Ok(url),
        parsed => {
            // What cannot be read may hold a password all the same.
            let found = parsed.map_or_else(|_| "something else".to_owned(), |url| shown(&url));
            Err(Failure::from(
                Finding::new(codes::USAGE_INVALID)
                    .about(name)
                    .expected("the address of a proxy: http://, https:// or socks5://HOST:PORT")
                    .found(found),
            ))
        }
    }
}

fn exceptions(list: &str) -> Vec<Exception> {
    let separates = |character: char| character == ',' || character.is_whitespace();
    list.split(separates).filter(|part| !part.is_empty()).filter_map(Exception::read).collect()
}

impl Exception {
    /// `*`, a domain with or without a dot or `*.` before it, an address, a network; a port may
    /// follow. Nothing for what is none of these.
    fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        // An IPv6 address without brackets has colons and no port.
        if let Some(network) = network(text) {
            return Some(Self { hosts: Hosts::Network(network), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Some(network) = network(bare) {
            return Some(Self { hosts: Hosts::Network(network), port });
        }
        let domain = host.trim_start_matches('*').trim_matches('.').to_ascii_lowercase();
        (!domain.is_empty()).then_some(Self { hosts: Hosts::Domain(domain), port })
    }

    fn covers(&self, url: &Url) -> bool {
        if self.port.is_some() && self.port != url.port_or_known_default() {
            return false;
        }
        let within = |address: IpAddr| match &self.hosts {
            Hosts::All => true,
            Hosts::Network(network) => network.contains(&address.to_canonical()),
            Hosts::Domain(_) => false,
        };
        match (url.host(), &self.hosts) {
            (Some(Host::Ipv4(address)), _) => within(address.into()),
            (Some(Host::Ipv6(address)), _) => within(address.into()),
            (Some(Host::Domain(name)), Hosts::Domain(domain)) => {
                let name = name.trim_end_matches('.');
                name.strip_suffix(domain.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Some(Host::Domain(_)), hosts) => *hosts == Hosts::All,
            (None, _) => false,
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    text.parse().ok().or_else(|| address(text).map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Outcome<Proxies> {
        Proxies::from(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned()).filter(|value| !value.is_empty())
        })
    }

    fn of(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let url = Url::parse(url).expect("an address");
        proxies(variables).expect("proxies").of(&url).map(ToString::to_string)
    }

    #[test]
    fn no_proxy_is_read_as_curl_and_go_read_it() {
        for (no_proxy, direct, proxied) in [
            (
                "example.test",
                "http://example.test/ http://crl.example.test/",
                "http://badexample.test/",
            ),
            (
                ".example.test",
                "http://example.test http://a.crl.example.test/",
                "http://example.tests/",
            ),
            ("*.example.test", "http://crl.example.test/", "http://example.org/"),
            ("a.test, b.test", "http://a.test http://b.test/", "http://c.test/"),
            ("a.test b.test,,", "http://a.test http://b.test/", "http://c.test/"),
            ("EXAMPLE.test", "http://Example.TEST/ http://example.test./", "http://example.org/"),
            (
                "example.test:8080",
                "http://example.test:8080/ http://a.example.test:8080/",
                "http://example.test/",
            ),
            ("example.test:80", "http://example.test/", "https://example.test/"),
            ("10.0.0.0/8", "http://10.2.3.4/", "http://11.0.0.1/ http://10.example.test/"),
            ("192.0.2.7", "http://192.0.2.7/ http://[::ffff:192.0.2.7]/", "http://192.0.2.8/"),
            ("192.0.2.7:81", "http://192.0.2.7:81/", "http://192.0.2.7/"),
            ("2001:db8::/32", "http://[2001:db8::5]/", "http://[2001:db9::5]/"),
            ("[2001:db8::5]", "http://[2001:db8::5]:99/", "http://[2001:db8::6]/"),
            ("[2001:db8::5]:99", "http://[2001:db8::5]:99/", "http://[2001:db8::5]/"),
            ("2001:db8::5", "http://[2001:db8::5]/", "http://[2001:db8::6]/"),
            ("*", "http://example.test/ http://192.0.2.1/ https://[2001:db8::1]/", ""),
            ("a.test,*", "http://example.test/", ""),
            ("", "", "http://example.test/"),
        ] {
            let set = [("HTTP_PROXY", "p:1"), ("HTTPS_PROXY", "p:1"), ("NO_PROXY", no_proxy)];
            for url in direct.split_whitespace() {
                assert_eq!(of(&set, url), None, "{no_proxy}: {url}");
            }
            for url in proxied.split_whitespace() {
                assert_eq!(of(&set, url).as_deref(), Some("http://p:1/"), "{no_proxy}: {url}");
            }
        }
    }

    #[test]
    fn the_variable_of_the_scheme_goes_before_that_of_all() {
        let (http, https) = ("http://example.test/", "https://example.test/");
        let all = [("ALL_PROXY", "socks5h://u:p@a:1"), ("HTTPS_PROXY", "https://s:2")];
        assert_eq!(of(&all, http).as_deref(), Some("socks5h://u:p@a:1"));
        assert_eq!(of(&all, https).as_deref(), Some("https://s:2/"));
        let both = [("http_proxy", "small:1"), ("HTTP_PROXY", "capitals:1")];
        assert_eq!(of(&both, http).as_deref(), Some("http://small:1/"));
        assert_eq!(of(&both, https), None);
        assert_eq!(
            of(&[("http_proxy", ""), ("ALL_PROXY", "a")], http).as_deref(),
            Some("http://a/")
        );
        // A request's header must not choose the proxy of a program behind a web server.
        assert_eq!(of(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil")], http), None);
    }

    #[test]
    fn this_machine_is_asked_directly() {
        let set = [("HTTP_PROXY", "p:1")];
        assert_eq!(of(&set, "http://127.0.0.1:8080/"), None);
        assert_eq!(of(&set, "http://LOCALHOST/"), None);
        for elsewhere in ["http://localhost.evil.example/", "http://127.evil.example/"] {
            assert!(of(&set, elsewhere).is_some(), "{elsewhere}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_and_its_password_not_shown() {
        for value in ["ftp://u:secret@p/", "http://u:secret@", "http://u:secret@p:port"] {
            let refused = proxies(&[("ALL_PROXY", value)]).expect_err(value);
            assert_eq!(refused.finding().code, codes::USAGE_INVALID);
            assert!(!format!("{:?}", refused.finding()).contains("secret"), "{value}");
        }
    }
}
