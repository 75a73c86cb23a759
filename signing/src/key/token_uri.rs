//! The URI of a key in a PKCS#11 token (RFC 7512): which token, which key, which library, whose PIN.
//!
//! An attribute that is not known here is refused and not ignored: ignoring it would match more
//! than was meant. A URI never contains a PIN, since URIs are seen in process lists, logs and shell
//! histories.

use std::{
    fmt::{self, Write},
    path::{Path, PathBuf},
};

use percent_encoding::percent_decode_str;

/// Which key in which token, reached how. Every attribute given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenUri {
    /// `token`: the token's label.
    pub token: Option<String>,
    /// `manufacturer`: the token's.
    pub manufacturer: Option<String>,
    /// `model`: the token's.
    pub model: Option<String>,
    /// `serial`: the token's serial number; the one attribute that no two tokens share.
    pub serial: Option<String>,
    /// `slot-id`: the slot's number, which modules may change at every start.
    pub slot_id: Option<u64>,
    /// `object`: the key's label (`CKA_LABEL`).
    pub object: Option<String>,
    /// `id`: the key's identifier (`CKA_ID`).
    pub id: Option<Vec<u8>>,
    /// `module-path`: the PKCS#11 library, absolute.
    pub module_path: Option<PathBuf>,
    /// `pin-source`: a file whose first line is the PIN.
    pub pin_source: Option<PathBuf>,
}

/// An attribute that names a file of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAttribute {
    /// `module-path`.
    ModulePath,
    /// `pin-source`.
    PinSource,
}

impl FileAttribute {
    /// As it is written in a URI.
    pub fn name(self) -> &'static str {
        match self {
            Self::ModulePath => "module-path",
            Self::PinSource => "pin-source",
        }
    }
}

/// Why a URI names no key.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenUriError {
    /// An attribute that is not understood.
    #[error(
        "pkcs11: URI: the attribute {0:?} is not understood here; token, serial, manufacturer, \
         model, slot-id, object, id and type are, and module-path and pin-source after a '?'"
    )]
    UnknownAttribute(String),
    /// An attribute occurs twice.
    #[error("pkcs11: URI: the attribute {0:?} stands there twice")]
    Repeated(String),
    /// A part without `=`, or with an octet that is written wrong. Its value is not repeated: it may
    /// be a PIN.
    #[error("pkcs11: URI: {0} is not NAME=VALUE with correct %-escapes")]
    Malformed(String),
    /// A value that its attribute cannot have.
    #[error("pkcs11: URI: {attribute} must be {expected}")]
    Value {
        /// The attribute.
        attribute: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// The PIN itself.
    #[error(
        "pkcs11: URI: pin-value is refused, since a URI is seen in process lists and logs; write \
         pin-source=file:/path to a file of mode 0600, or set COUNTERSIGN_PKCS11_PIN"
    )]
    PinValue,
    /// Nothing that says which token.
    #[error("pkcs11: URI: name the token: token=LABEL or serial=NUMBER")]
    NoToken,
}

impl TokenUri {
    /// Reads the part after `pkcs11:`.
    pub(super) fn parse(text: &str) -> Result<Self, TokenUriError> {
        let (path, query) = text.split_once('?').map_or((text, ""), |(path, query)| (path, query));
        let mut uri = Self::default();
        for part in path.split(';').filter(|part| !part.is_empty()) {
            uri.path_attribute(part)?;
        }
        for part in query.split('&').filter(|part| !part.is_empty()) {
            uri.query_attribute(part)?;
        }
        if uri.token.is_none() && uri.serial.is_none() && uri.slot_id.is_none() {
            return Err(TokenUriError::NoToken);
        }
        Ok(uri)
    }

    /// The attribute that names a file of this machine, if there is one: a library, which is code
    /// that runs, or a file with the PIN. What others may write must not name either.
    pub(crate) fn file_attribute(&self) -> Option<FileAttribute> {
        if self.module_path.is_some() {
            return Some(FileAttribute::ModulePath);
        }
        self.pin_source.as_ref().map(|_| FileAttribute::PinSource)
    }

    /// Whether it names a file of this machine: a library, or one with the PIN.
    pub fn names_file(&self) -> bool {
        self.file_attribute().is_some()
    }

    /// Which key it is, without the files by which this machine reaches it.
    #[must_use]
    pub(crate) fn without_files(&self) -> Self {
        Self { module_path: None, pin_source: None, ..self.clone() }
    }

    fn path_attribute(&mut self, part: &str) -> Result<(), TokenUriError> {
        let (name, value) = split(part)?;
        match name {
            "token" => set(&mut self.token, name, text(name, value)?),
            "manufacturer" => set(&mut self.manufacturer, name, text(name, value)?),
            "model" => set(&mut self.model, name, text(name, value)?),
            "serial" => set(&mut self.serial, name, text(name, value)?),
            "object" => set(&mut self.object, name, text(name, value)?),
            "id" => set(&mut self.id, name, octets(name, value)?),
            "slot-id" => {
                let number = value.parse().map_err(|_| TokenUriError::Value {
                    attribute: "slot-id",
                    expected: "a number in decimal",
                })?;
                set(&mut self.slot_id, name, number)
            }
            "type" if value == "private" => Ok(()),
            "type" => Err(TokenUriError::Value {
                attribute: "type",
                expected: "private, or left out: a private key signs",
            }),
            _ => Err(TokenUriError::UnknownAttribute(name.to_owned())),
        }
    }

    fn query_attribute(&mut self, part: &str) -> Result<(), TokenUriError> {
        let (name, value) = split(part)?;
        match name {
            "module-path" => {
                let path = PathBuf::from(text(name, value)?);
                // The loader would look for a bare name in places that others may write to.
                if !path.is_absolute() {
                    let expected = "the absolute path of a PKCS#11 library";
                    return Err(TokenUriError::Value { attribute: "module-path", expected });
                }
                set(&mut self.module_path, name, path)
            }
            "pin-source" => set(&mut self.pin_source, name, pin_source(&text(name, value)?)?),
            _ => Err(TokenUriError::UnknownAttribute(name.to_owned())),
        }
    }
}

/// A path, or `file:` with a path; RFC 7512 also has commands (`|program`), which are not run here.
fn pin_source(value: &str) -> Result<PathBuf, TokenUriError> {
    let path = match value.strip_prefix("file:") {
        // file:///path and file://localhost/path are the long forms (RFC 8089).
        Some(rest) => match rest.strip_prefix("//") {
            Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
            None => rest,
        },
        None => value,
    };
    if !Path::new(path).is_absolute() {
        let expected = "an absolute path, as file:/etc/countersign/pin (commands are not run)";
        return Err(TokenUriError::Value { attribute: "pin-source", expected });
    }
    Ok(PathBuf::from(path))
}

/// Name and value. A name needs no escapes (RFC 7512 §2.3), so one that has some is not read as
/// another one; only the PIN's is known in each way of writing, so that the refusal says why.
fn split(part: &str) -> Result<(&str, &str), TokenUriError> {
    let decoded: Vec<u8> = percent_decode_str(part).collect();
    if decoded.to_ascii_lowercase().starts_with(b"pin-value") {
        return Err(TokenUriError::PinValue);
    }
    // Whatever stands there may hold a PIN: at most the name is repeated in the message.
    let attribute = || TokenUriError::Malformed("an attribute".to_owned());
    let (name, value) = part.split_once('=').ok_or_else(attribute)?;
    if name.contains('%') {
        let detail = format!("the attribute {name:?}, with escapes in its name,");
        return Err(TokenUriError::Malformed(detail));
    }
    Ok((name, value))
}

fn set<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), TokenUriError> {
    if place.replace(value).is_some() {
        return Err(TokenUriError::Repeated(name.to_owned()));
    }
    Ok(())
}

fn octets(name: &str, value: &str) -> Result<Vec<u8>, TokenUriError> {
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                tail
            }
            (b'%', _) => return Err(malformed(name)),
            _ => tail,
        };
    }
    Ok(percent_decode_str(value).collect())
}

fn text(name: &str, value: &str) -> Result<String, TokenUriError> {
    String::from_utf8(octets(name, value)?).map_err(|_| malformed(name))
}

fn malformed(name: &str) -> TokenUriError {
    TokenUriError::Malformed(format!("the attribute {name:?}"))
}

/// RFC 7512 §2.3: what needs no escape in a path attribute and, but for the '&', in a query.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~:[]@!$'()*+,=".contains(&octet)
}

fn escape(value: &[u8], plain: fn(u8) -> bool) -> String {
    let mut text = String::with_capacity(value.len());
    for octet in value {
        if plain(*octet) {
            text.push(char::from(*octet));
        } else {
            // Unwrap safety: writing to a String does not fail.
            write!(text, "%{octet:02X}").expect("a String takes it");
        }
    }
    text
}

impl fmt::Display for TokenUri {
    /// The URI in full, identifiers escaped octet for octet. There is no secret in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot_id = self.slot_id.map(|number| number.to_string());
        let path = [
            ("model", self.model.as_deref()),
            ("manufacturer", self.manufacturer.as_deref()),
            ("serial", self.serial.as_deref()),
            ("token", self.token.as_deref()),
            ("slot-id", slot_id.as_deref()),
            ("object", self.object.as_deref()),
        ];
        let mut parts: Vec<String> = path
            .into_iter()
            .filter_map(|(name, value)| {
                Some(format!("{name}={}", escape(value?.as_bytes(), is_plain)))
            })
            .collect();
        // RFC 7512 §2.3 wants all of an id escaped.
        parts.extend(self.id.iter().map(|id| format!("id={}", escape(id, |_| false))));
        write!(f, "pkcs11:{}", parts.join(";"))?;
        let slash_too = |octet: u8| octet == b'/' || is_plain(octet);
        let query = [
            ("module-path", "", self.module_path.as_deref()),
            ("pin-source", "file:", self.pin_source.as_deref()),
        ];
        let query = query.into_iter().filter_map(|(name, scheme, path)| {
            let path = path?.as_os_str().as_encoded_bytes();
            Some(format!("{name}={scheme}{}", escape(path, slash_too)))
        });
        let query: Vec<String> = query.collect();
        if query.is_empty() { Ok(()) } else { write!(f, "?{}", query.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_attribute_and_writes_it_again() {
        let text = "model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=e5d57da5;\
                    token=My%20%3Btoken;object=tsa%2Fkey;id=%01%FF;type=private\
                    ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin%20file";
        let uri = TokenUri::parse(text).expect("a URI");
        assert_eq!(uri.token.as_deref(), Some("My ;token"));
        assert_eq!(uri.object.as_deref(), Some("tsa/key"));
        assert_eq!(uri.id.as_deref(), Some(&[0x01, 0xFF][..]));
        assert_eq!(uri.pin_source.as_deref(), Some(Path::new("/run/pin file")));
        let again = uri.to_string();
        assert_eq!(TokenUri::parse(again.strip_prefix("pkcs11:").expect("a URI")), Ok(uri));
        assert!(again.contains("id=%01%FF") && !again.contains(' '), "{again}");
    }

    #[test]
    fn takes_a_pin_source_in_each_form() {
        for form in ["/run/pin", "file:/run/pin", "file:///run/pin", "file://localhost/run/pin"] {
            let uri = TokenUri::parse(&format!("token=T?pin-source={form}")).expect("a URI");
            assert_eq!(uri.pin_source.as_deref(), Some(Path::new("/run/pin")), "{form}");
        }
        for form in ["pin", "file:pin", "|cat /run/pin", "https://host/pin", ""] {
            let error = TokenUri::parse(&format!("token=T?pin-source={form}")).expect_err("no");
            assert!(matches!(error, TokenUriError::Value { attribute: "pin-source", .. }));
        }
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        use TokenUriError as E;
        for (text, expected) in [
            ("token=T;x-vendor=1", E::UnknownAttribute("x-vendor".to_owned())),
            ("token=T;library-version=3", E::UnknownAttribute("library-version".to_owned())),
            ("token=T?module-name=softhsm2", E::UnknownAttribute("module-name".to_owned())),
            ("token=T;token=U", E::Repeated("token".to_owned())),
            ("token=%4", malformed("token")),
            ("token=%zz", malformed("token")),
            ("token=%FF", malformed("token")),
            ("token", E::Malformed("an attribute".to_owned())),
            ("object=key", E::NoToken),
            ("", E::NoToken),
            ("token=T?pin-value=1234", E::PinValue),
            ("token=T;PIN-VALUE=1234", E::PinValue),
            ("token=T?pin%2dvalue=1234", E::PinValue),
            ("token=T?%70in-valu%65=1234", E::PinValue),
            ("token=T?pin-value%3d1234", E::PinValue),
            ("token=T?pin-value", E::PinValue),
        ] {
            assert_eq!(TokenUri::parse(text), Err(expected), "{text}");
        }
        for (text, attribute) in [
            ("token=T;type=cert", "type"),
            ("token=T;slot-id=first", "slot-id"),
            ("token=T?module-path=libsofthsm2.so", "module-path"),
        ] {
            let error = TokenUri::parse(text).expect_err("refused");
            assert!(matches!(error, E::Value { attribute: found, .. } if found == attribute));
        }
    }

    #[test]
    fn never_repeats_a_pin() {
        for text in [
            "token=T?pin-value=hunter2",
            "token=T?pin%2Dvalue=hunter2",
            "token=T?module%2dpath=/hunter2",
            "token=T?pin-source=%hunter2",
            "token=hunter2%",
            "token=T?hunter2",
        ] {
            let error = TokenUri::parse(text).expect_err("refused");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_uri_without_files_names_the_same_key() {
        let text = "token=T;object=k?module-path=/lib.so&pin-source=file:/pin";
        let uri = TokenUri::parse(text).expect("a URI");
        assert_eq!(uri.file_attribute(), Some(FileAttribute::ModulePath));
        let bare = uri.without_files();
        assert_eq!(bare.to_string(), "pkcs11:token=T;object=k");
        assert_eq!(bare.file_attribute(), None);
        let pin = TokenUri::parse("token=T?pin-source=file:/pin").expect("a URI");
        assert_eq!(pin.file_attribute(), Some(FileAttribute::PinSource));
    }
}
