//! The JSON of a request, as everybody reads it.
//!
//! What is recorded of an order, what is carried out and what was sent are one thing only if there is
//! one reading of it: an object, no key twice, none that a reader keeps for itself.

use countersign_core::json::{self, JsonFault};
use serde::Deserialize;

/// Reads a body, or a line of one.
///
/// # Errors
/// What is wrong, in words that end without a full stop.
pub fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    json::decode_object(body).map_err(|fault| match fault {
        JsonFault::Empty => "there is nothing in it".to_owned(),
        JsonFault::NotJson => "it is not a JSON object".to_owned(),
        JsonFault::Truncated => "it breaks off".to_owned(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Order {
        #[allow(dead_code, reason = "only its reading is tested")]
        comment: String,
    }

    #[test]
    fn reads_an_order_in_one_way() {
        let read = |body: &str| decode::<Order>(body.as_bytes()).map(drop);
        assert_eq!(read(r#"{"comment":"one"}"#), Ok(()));
        for (body, said) in [
            ("", "there is nothing in it"),
            ("7", "it is not a JSON object"),
            (r#"{"comment":"#, "it breaks off"),
            (r#"["one"]"#, "invalid type: sequence, expected an object"),
            (r#"{"comment":"one","comment":"two"}"#, "the key comment occurs twice"),
            (
                r#"{"$serde_json::private::RawValue":"{\"comment\":\"one\"}"}"#,
                "the key $serde_json::private::RawValue is reserved",
            ),
        ] {
            assert_eq!(read(body), Err(said.to_owned()), "{body}");
        }
    }
}
