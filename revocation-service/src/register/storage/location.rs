//! Where the database is: a file, or a PostgreSQL server.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

/// `database` of the configuration.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseLocation {
    /// A `SQLite` file.
    File(PathBuf),
    /// A PostgreSQL server: `postgres://USER:PASSWORD@HOST/DATABASE`.
    Postgres(String),
}

impl From<String> for DatabaseLocation {
    fn from(text: String) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(text)
        } else {
            Self::File(text.into())
        }
    }
}

impl From<PathBuf> for DatabaseLocation {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl<'de> Deserialize<'de> for DatabaseLocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let location = Self::from(String::deserialize(deserializer)?);
        match location.fault() {
            None => Ok(location),
            Some(fault) => Err(D::Error::custom(fault)),
        }
    }
}

/// The parameters of a PostgreSQL address that are understood. The driver only warns of others, so
/// that a misspelt `sslmode` would connect without TLS.
const PARAMETERS: [&str; 17] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// Names in texts that tell other programs where a database is, besides [`PARAMETERS`].
const OTHER_NAMES: [&str; 6] = ["passfile", "pwd", "server", "service", "uid", "username"];

const UNREADABLE: &str = "the database's address cannot be read; in a user or a password, the characters \
                          / ? # and % are written %2F, %3F, %23 and %25";

const OTHER_ADDRESS: &str =
    "the database is a file, or an address that begins with postgres:// or postgresql://";

impl DatabaseLocation {
    /// Why it is refused. No word of it is repeated: in an address with a character that should have been
    /// escaped, any may be a part of a password.
    fn fault(&self) -> Option<String> {
        match self {
            Self::File(path) => {
                is_other_address(&path.to_string_lossy()).then(|| OTHER_ADDRESS.to_owned())
            }
            Self::Postgres(text) => readable(text).err(),
        }
    }
}

/// Whether what is taken for a file's path says where something else is, and would become a new, empty
/// database in a file: `mysql://…`, `Postgres://…`, `postgres:u:p@host/r`, `host=db password=…`.
fn is_other_address(path: &str) -> bool {
    let words = path.split(|at: char| at.is_whitespace() || matches!(at, ';' | '?' | '&'));
    let mut names =
        words.filter_map(|word| word.split_once('=')).map(|(name, _)| name.to_lowercase());
    let is_known = |name: String| PARAMETERS.iter().chain(&OTHER_NAMES).any(|known| *known == name);
    path.contains("://") || (path.contains(':') && path.contains('@')) || names.any(is_known)
}

/// A server's address as the driver reads it.
///
/// # Errors
/// It cannot be read, or has a parameter that is not one of [`PARAMETERS`]; or it says something else than was
/// meant, because a character of a password was not escaped.
fn readable(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| UNREADABLE.to_owned())?;
    if url.fragment().is_some() || url.path().contains('@') {
        return Err(UNREADABLE.to_owned());
    }
    match url.query_pairs().position(|(name, _)| !PARAMETERS.contains(&&*name)) {
        None => Ok(url),
        Some(place) => Err(format!(
            "the database's address has an unknown parameter, number {} after the ?; known are {}; in a \
             password, the characters ? and & are written %3F and %26",
            place + 1,
            PARAMETERS.join(", ")
        )),
    }
}

/// Host, port and database of a server's address, as they were read; nothing of one that cannot be.
impl fmt::Display for DatabaseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::File(path) => return path.display().fmt(f),
            Self::Postgres(text) => text,
        };
        let Ok(url) = readable(text) else { return f.write_str("postgres://…") };
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())
    }
}

impl fmt::Debug for DatabaseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DatabaseLocation, serde_json::Error> {
        serde_json::from_value(text.into())
    }

    #[test]
    fn an_unknown_parameter_is_refused_without_a_word_of_it() {
        for good in ["/var/lib/r.db?x=1", "postgres://u@db/r", "postgres://db/r?sslmode=require&"] {
            read(good).expect(good);
        }
        for bad in [
            "postgres://db/r?sslmod=verify-full",
            "postgres://db/r?sslmode=require&passwort=secret",
            "postgresql:///r?SSLMODE=secret",
            "postgres://db/r?user=u&password=a&secret",
            "postgres://u:1234?secret@db/r",
        ] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.contains("unknown parameter"), "{error}");
            assert!(!error.contains("secret") && !error.contains("sslmod="), "{error}");
        }
    }

    #[test]
    fn a_password_that_was_not_escaped_is_refused_and_not_shown() {
        for bad in [
            "postgres://u:hunt?secret@db/r",
            "postgres://u:hunt#secret@db/r",
            "postgres://u:hunt/secret@db/r",
            "postgres://u:12/secret@db/r",
            "postgres://u:12#secret@db/r",
        ] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.contains("%2F"), "{error}");
            let shown = DatabaseLocation::from(bad.to_owned()).to_string();
            for text in [error, shown] {
                assert!(!["hunt", "12", "secret"].iter().any(|part| text.contains(part)), "{text}");
            }
        }
    }

    #[test]
    fn the_address_of_something_else_is_no_file() {
        for bad in [
            "Postgres://u:secret@db/r",
            "mysql://u:secret@db/r",
            "sqlite://secret",
            "postgres:u:secret@db/r",
            "host=db password=secret",
            "Server=db;Pwd=secret",
        ] {
            let error = read(bad).expect_err(bad);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for good in ["r.db", "C:\\r.db", "/var/lib/me@work/r.db", "a=b.db"] {
            read(good).expect(good);
        }
    }

    #[test]
    fn tells_a_server_from_a_file_and_never_shows_a_password() {
        for (text, shown) in [
            ("/var/lib/r.db", "/var/lib/r.db"),
            ("postgres://u:p%40ss@db:5432/r?sslmode=require", "postgres://db:5432/r"),
            ("postgresql:///r?host=/run/postgresql&password=secret", "postgresql:///r"),
            ("postgres://u:p@ss@db/r", "postgres://db/r"),
            ("postgres://u@db/r?password=se@cret", "postgres://db/r"),
            ("postgres:///r?user=x&password=a@secret&sslmode=disable", "postgres:///r"),
        ] {
            let location = read(text).expect(text);
            assert_eq!(location.to_string(), shown);
            assert_eq!(format!("{location:?}"), shown);
        }
    }
}
