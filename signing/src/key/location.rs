//! Where a private key is: a file, or a PKCS#11 token by its RFC 7512 URI.
//!
//! Settings, flags and configurations hold a [`KeyLocation`]; it knows no secret and opens nothing.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::token_uri::{TokenUri, TokenUriError};

/// The scheme of RFC 7512, which like every scheme may be written in either case.
const SCHEME: &str = "pkcs11:";

/// Where a key is.
///
/// In text it is a path, or a `pkcs11:` URI; a file whose name begins like one is written with a
/// folder before it (`./pkcs11:key`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLocation {
    /// An encrypted key file.
    File(PathBuf),
    /// A key in a PKCS#11 token.
    Token(Box<TokenUri>),
}

impl KeyLocation {
    /// Reads a path or a URI.
    ///
    /// # Errors
    /// When it begins with `pkcs11:` and is no URI that names a private key.
    pub fn parse(text: &str) -> Result<Self, TokenUriError> {
        match text.get(..SCHEME.len()) {
            Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => {
                Ok(Self::Token(Box::new(TokenUri::parse(&text[SCHEME.len()..])?)))
            }
            _ => Ok(Self::File(PathBuf::from(text))),
        }
    }

    /// The key file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Token(_) => None,
        }
    }
}

impl FromStr for KeyLocation {
    type Err = TokenUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<OsString> for KeyLocation {
    type Error = TokenUriError;

    /// As [`parse`](Self::parse); a name that is not Unicode is a file's.
    fn try_from(text: OsString) -> Result<Self, Self::Error> {
        match text.into_string() {
            Ok(text) => Self::parse(&text),
            Err(name) => Ok(Self::File(PathBuf::from(name))),
        }
    }
}

impl From<PathBuf> for KeyLocation {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for KeyLocation {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl fmt::Display for KeyLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Token(uri) => uri.fmt(f),
        }
    }
}

impl Serialize for KeyLocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyLocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_and_a_uri_is_a_token() {
        for path in ["key.pem", "/etc/key.pem", "./pkcs11:key", "pkcs11", "schlüssel.pem", ""] {
            let location = KeyLocation::parse(path).expect("a path");
            assert_eq!(location, KeyLocation::File(PathBuf::from(path)));
            assert_eq!(location.to_string(), path);
        }
        for uri in ["pkcs11:token=TSA", "PKCS11:token=TSA"] {
            let location = KeyLocation::parse(uri).expect("a URI");
            assert_eq!(location.file(), None);
            assert_eq!(location.to_string(), "pkcs11:token=TSA");
        }
    }

    #[test]
    fn a_configuration_reads_both_and_refuses_a_wrong_uri() {
        #[derive(Deserialize)]
        struct Config {
            key: KeyLocation,
        }
        let read = |text: &str| toml::from_str::<Config>(text);
        assert!(read("key = 'tsa.pem'").expect("a path").key.file().is_some());
        assert!(read("key = 'pkcs11:token=TSA;object=tsa'").expect("a URI").key.file().is_none());
        let error = read("key = 'pkcs11:token=TSA?pin-value=1234'").err().expect("refused");
        assert!(error.to_string().contains("pin-source"), "{error}");
        assert!(!error.message().contains("1234"), "{error}");
    }
}
