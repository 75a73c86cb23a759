//! Where the database is: a file, or a PostgreSQL server.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Deserializer, de::Error};

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
        if location.is_other_address() {
            // What stands in it may be a password.
            return Err(D::Error::custom(
                "the database is a file, or an address that begins with postgres:// or postgresql://",
            ));
        }
        match location.unknown_parameter() {
            None => Ok(location),
            // Its value may be a secret.
            Some(name) => Err(D::Error::custom(format_args!(
                "the database's address has the unknown parameter {name:?}; known are {}",
                PARAMETERS.join(", ")
            ))),
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

impl DatabaseLocation {
    /// Whether what is taken for a file's path is the address of something else: `mysql://…`, or
    /// `Postgres://…`, which would otherwise become a new, empty database in a file.
    fn is_other_address(&self) -> bool {
        matches!(self, Self::File(path) if path.to_string_lossy().contains("://"))
    }

    /// The first parameter of a server's address that is not one of [`PARAMETERS`].
    fn unknown_parameter(&self) -> Option<&str> {
        let Self::Postgres(url) = self else { return None };
        let (_, parameters) = url.split_once('?')?;
        let parameters = parameters.split('#').next().unwrap_or_default();
        let names = parameters.split('&').filter(|each| !each.is_empty());
        let mut names = names.map(|each| each.split_once('=').map_or(each, |(name, _)| name));
        names.find(|name| !PARAMETERS.contains(name))
    }
}

/// The password is left out.
impl fmt::Display for DatabaseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                // A password may hold an `@`; the host begins behind the last one before the path.
                let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
                let place = place.split('?').next().unwrap_or_default();
                write!(f, "{scheme}://{place}")
            }
        }
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

    #[test]
    fn an_unknown_parameter_is_refused_without_its_value() {
        let read = |text: &str| serde_json::from_value::<DatabaseLocation>(text.into());
        for good in ["/var/lib/r.db?x=1", "postgres://u@db/r", "postgres://db/r?sslmode=require&"] {
            read(good).expect(good);
        }
        for bad in [
            "postgres://db/r?sslmod=verify-full",
            "postgres://db/r?sslmode=require&passwort=secret",
            "postgresql:///r?SSLMODE=secret",
        ] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.contains("unknown parameter") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_address_of_something_else_is_no_file() {
        for bad in ["Postgres://u:secret@db/r", "mysql://u:secret@db/r", "sqlite://secret"] {
            let error = serde_json::from_value::<DatabaseLocation>(bad.into()).expect_err(bad);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn tells_a_server_from_a_file_and_never_shows_a_password() {
        for (text, shown) in [
            ("/var/lib/r.db", "/var/lib/r.db"),
            ("postgres://u:p%40ss@db:5432/r?sslmode=require", "postgres://db:5432/r"),
            ("postgresql:///r?host=/run/postgresql&password=secret", "postgresql:///r"),
            ("postgres://u:p@ss@db/r", "postgres://db/r"),
        ] {
            let location = DatabaseLocation::from(text.to_owned());
            assert_eq!(location.to_string(), shown);
            assert_eq!(format!("{location:?}"), shown);
        }
    }
}
