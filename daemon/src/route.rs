//! The routing table of a listener: its paths, their methods, and what each takes.
//!
//! A service writes a [`Row`] for each method of each path; what is behind one is the service's own
//! (`endpoint`). Refusals have one order for all services: an unknown path is 404, then a method
//! that the path does not have is 405 with `Allow`, then a body of another type is 415. How long a
//! body may be is in the row too, for [`crate::reception`]. Queries and bodies are not read here.

use http::{HeaderMap, Method};

use crate::media_type;
use crate::problem::Problem;

/// How many octets an order may have that names what it is about.
const ORDER_BYTES: usize = 64 * 1024;

/// One row: a path, methods of it, and what they take.
#[derive(Debug)]
pub struct Row<E: 'static> {
    /// The methods, as `Allow` names them. `HEAD` is answered if `GET` is: the server leaves
    /// the body out.
    pub methods: &'static [Method],
    /// The path. `{name}` is one segment or its beginning (`/ca/{name}.cer`), never empty;
    /// `{name*}` at the end is everything that is left, with its slashes; it may be empty.
    pub path: &'static str,
    /// The media types of a body, which a request without a body must have too; empty for what
    /// takes none.
    pub takes: &'static [&'static str],
    /// How long a body may be.
    pub body: BodyLimit,
    /// What answers.
    pub endpoint: E,
}

/// How long a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLimit {
    /// 64 KiB, for an order that only names what it is about; less if the listener takes less.
    Order,
    /// As much as the listener takes.
    Listener,
}

impl BodyLimit {
    /// In octets, on a listener that takes `listener` of them.
    pub fn octets(self, listener: usize) -> usize {
        match self {
            Self::Order => listener.min(ORDER_BYTES),
            Self::Listener => listener,
        }
    }
}

impl<E: Copy> Row<E> {
    /// The same for whole files of these types.
    #[must_use]
    pub const fn taking(self, takes: &'static [&'static str]) -> Self {
        Self { takes, body: BodyLimit::Listener, ..self }
    }

    /// The same for bodies as long as the listener takes.
    #[must_use]
    pub const fn in_bulk(self) -> Self {
        Self { body: BodyLimit::Listener, ..self }
    }
}

impl<E> Row<E> {
    /// Checks the type of a body.
    ///
    /// # Errors
    /// 415.
    pub fn require_media_type(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.takes.is_empty() || self.takes.iter().any(|taken| media_type::is(headers, taken)) {
            return Ok(());
        }
        Err(Problem::unsupported_media_type(&self.takes.join(" or ")))
    }

    fn has(&self, method: &Method) -> bool {
        self.methods.contains(method)
            || (method == Method::HEAD && self.methods.contains(&Method::GET))
    }
}

/// All rows of a listener. The first whose path fits a request says which place it is, and the rows
/// of that same path are its methods.
#[derive(Debug)]
pub struct Table<E: 'static>(pub &'static [Row<E>]);

/// A place that a listener has.
#[derive(Debug)]
pub struct Place<'a, E: 'static> {
    rows: &'static [Row<E>],
    /// The first row of its path.
    pub first: &'static Row<E>,
    /// What the path has for each name, in order.
    pub names: Vec<&'a str>,
}

impl<E> Table<E> {
    /// The place at `path`, if there is one.
    pub fn place<'a>(&self, path: &'a str) -> Option<Place<'a, E>> {
        let rows = self.0;
        rows.iter().find_map(|first| Some(Place { rows, first, names: names(first.path, path)? }))
    }

    /// The row for a request, and what its path has for each name.
    ///
    /// # Errors
    /// 404; 405.
    pub fn find<'a>(
        &self,
        method: &Method,
        path: &'a str,
    ) -> Result<(&'static Row<E>, Vec<&'a str>), Problem> {
        let place = self.place(path).ok_or_else(Problem::not_found)?;
        Ok((place.row(method)?, place.names))
    }

    /// The path of the row that fits, which is the class of a request in logs and figures.
    pub fn class(&self, path: &str) -> Option<&'static str> {
        self.place(path).map(|place| place.first.path)
    }
}

impl<E> Place<'_, E> {
    /// The row for `method`.
    ///
    /// # Errors
    /// 405.
    pub fn row(&self, method: &Method) -> Result<&'static Row<E>, Problem> {
        self.of_path()
            .find(|row| row.has(method))
            .ok_or_else(|| Problem::method_not_allowed(&self.methods()))
    }

    /// Its methods, as `Allow` names them.
    pub fn methods(&self) -> Vec<Method> {
        self.of_path().flat_map(|row| row.methods.iter().cloned()).collect()
    }

    fn of_path(&self) -> impl Iterator<Item = &'static Row<E>> {
        let path = self.first.path;
        self.rows.iter().filter(move |row| row.path == path)
    }
}

/// What `path` has for each name of `template`; `None` for another path.
fn names<'a>(template: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    let mut left = Some(path);
    for wanted in template.split('/') {
        let rest = left?;
        if wanted.ends_with("*}") {
            names.push(rest);
            return Some(names);
        }
        let (segment, after) =
            rest.split_once('/').map_or((rest, None), |(segment, after)| (segment, Some(after)));
        match wanted.strip_prefix('{').and_then(|wanted| wanted.split_once('}')) {
            Some((_, suffix)) => {
                names.push(segment.strip_suffix(suffix).filter(|name| !name.is_empty())?);
            }
            None if wanted == segment => {}
            None => return None,
        }
        left = after;
    }
    left.is_none().then_some(names)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{ALLOW, CONTENT_TYPE};

    use super::*;
    use crate::request_id::RequestId;

    const fn row(
        methods: &'static [Method],
        path: &'static str,
        takes: &'static [&'static str],
        endpoint: u8,
    ) -> Row<u8> {
        Row { methods, path, takes, body: BodyLimit::Listener, endpoint }
    }

    const TABLE: Table<u8> = Table(&[
        row(&[Method::POST], "/", &["a/b", "c/d"], 1),
        row(&[Method::POST], "/v1/things", &["a/b"], 2),
        row(&[Method::GET], "/v1/things", &[], 3),
        row(&[Method::GET, Method::HEAD], "/v1/things/{of}/{name}", &[], 4),
        row(&[Method::GET], "/ca/{name}.cer", &[], 5),
        row(&[Method::GET], "/{request*}", &[], 6),
    ]);

    #[test]
    fn tells_paths_and_methods_apart() {
        for (method, path, want) in [
            (Method::POST, "/", Ok((1, vec![]))),
            (Method::POST, "/v1/things", Ok((2, vec![]))),
            (Method::HEAD, "/v1/things", Ok((3, vec![]))),
            (Method::GET, "/v1/things/a/01", Ok((4, vec!["a", "01"]))),
            (Method::GET, "/ca/root.cer", Ok((5, vec!["root"]))),
            (Method::GET, "/ca/.cer", Ok((6, vec!["ca/.cer"]))),
            (Method::GET, "/v1/things/", Ok((6, vec!["v1/things/"]))),
            (Method::GET, "//a//b", Ok((6, vec!["/a//b"]))),
            (Method::GET, "/", Err(("request.method.not_allowed", "POST"))),
            (Method::PUT, "/v1/things", Err(("request.method.not_allowed", "POST, GET"))),
            (Method::PUT, "/v1/things/a/b", Err(("request.method.not_allowed", "GET, HEAD"))),
            (Method::GET, "*", Err(("request.path.unknown", ""))),
        ] {
            let found = TABLE.find(&method, path).map(|(row, names)| (row.endpoint, names));
            let found = found.map_err(|problem| {
                let code = problem.code();
                let reply = problem.render(RequestId::next());
                let allow = reply.headers().get(ALLOW).map_or("", |it| it.to_str().expect("text"));
                (code, allow.to_owned())
            });
            let want = want.map_err(|(code, allow): (_, &str)| (code, allow.to_owned()));
            assert_eq!(found, want, "{method} {path}");
        }
        assert_eq!(TABLE.class("/v1/things/a/b"), Some("/v1/things/{of}/{name}"));
    }

    #[test]
    fn a_body_has_one_of_the_types_that_its_row_takes() {
        let (row, _) = TABLE.find(&Method::POST, "/").expect("a row");
        let mut headers = HeaderMap::new();
        let refused = row.require_media_type(&headers).expect_err("none");
        assert_eq!(refused.code(), "request.media_type.unsupported");
        assert!(refused.detail().contains("a/b or c/d"), "{}", refused.detail());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("C/D; x=y"));
        row.require_media_type(&headers).expect("taken");
    }

    #[test]
    fn an_order_is_short_whatever_the_listener_takes() {
        assert_eq!(BodyLimit::Order.octets(1 << 20), 64 << 10);
        assert_eq!(BodyLimit::Order.octets(1 << 10), 1 << 10);
        assert_eq!(BodyLimit::Listener.octets(1 << 20), 1 << 20);
    }
}
