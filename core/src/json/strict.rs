//! Derived readings, without what they take beside JSON's own spelling.
//!
//! A derived struct also reads an array, whose elements it takes for its fields in their order; a
//! derived enum also reads `{"required":null}` for `"required"`. No other reader of these forms
//! does, and no schema says so. `#[serde(remote = "Self")]` makes the derived reading a function,
//! and `strict!` makes of it a `Deserialize` that reads nothing but an object or a string:
//!
//! ```text
//! #[derive(Deserialize)]
//! #[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
//! struct LogIdForm { … }
//!
//! strict! { object LogIdForm; }
//! ```

/// Implements `Deserialize` for types with `#[serde(remote = "Self")]`.
macro_rules! strict {
    ($($manner:ident $name:ident;)+) => { $(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                struct Strictly;

                impl<'de> serde::de::Visitor<'de> for Strictly {
                    type Value = $name;

                    $crate::json::strict!(@visit $manner $name);
                }

                $crate::json::strict!(@read $manner reader)
            }
        }
    )+ };
    (@read object $reader:ident) => { $reader.deserialize_map(Strictly) };
    (@read string $reader:ident) => { $reader.deserialize_str(Strictly) };
    (@visit object $name:ident) => {
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, members: A) -> Result<$name, A::Error> {
            $name::deserialize(serde::de::value::MapAccessDeserializer::new(members))
        }
    };
    (@visit string $name:ident) => {
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
            $name::deserialize(serde::de::IntoDeserializer::into_deserializer(text))
        }
    };
}

pub(crate) use strict;
