//! Where the database is: a file, or a PostgreSQL server.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Deserializer};

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
        String::deserialize(deserializer).map(Self::from)
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
