//! TypeScript from the part of JSON Schema that `docs/report.schema.json` uses.
//!
//! Objects with all their fields, arrays, enumerations, constants, types and references. What it
//! does not know is an error, never `any`.

use core::fmt::Write;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

/// An exported interface `name` for the object that `schema` describes.
///
/// # Errors
/// When the schema says something that is not known here.
pub(crate) fn interface(name: &str, schema: &Value) -> anyhow::Result<String> {
    let mut text = String::new();
    describe(&mut text, schema, "");
    writeln!(text, "export interface {name} {}", object(fields(schema)?, "")?)?;
    Ok(text)
}

fn fields(schema: &Value) -> anyhow::Result<&Map<String, Value>> {
    schema["properties"].as_object().context("an object has properties")
}

fn object(properties: &Map<String, Value>, indent: &str) -> anyhow::Result<String> {
    let inner = format!("{indent}  ");
    let mut text = String::from("{\n");
    for (name, schema) in properties {
        describe(&mut text, schema, &inner);
        writeln!(text, "{inner}{name}: {};", type_of(schema, &inner)?)?;
    }
    write!(text, "{indent}}}")?;
    Ok(text)
}

fn describe(text: &mut String, schema: &Value, indent: &str) {
    if let Some(words) = schema["description"].as_str() {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{indent}/** {words} */");
    }
}

fn type_of(schema: &Value, indent: &str) -> anyhow::Result<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return match reference.rsplit('/').next() {
            // RFC 3339 text.
            Some("time") => Ok(String::from("string")),
            Some(name) => Ok(type_name(name)),
            None => bail!("an empty reference"),
        };
    }
    if let Some(values) = schema["enum"].as_array() {
        let texts: Vec<String> = values.iter().map(Value::to_string).collect();
        return Ok(texts.join(" | "));
    }
    if !schema["const"].is_null() {
        return Ok(schema["const"].to_string());
    }
    match &schema["type"] {
        Value::String(name) => plain(name, schema, indent),
        Value::Array(names) => {
            let each = names
                .iter()
                .map(|name| plain(name.as_str().context("a type has a name")?, schema, indent));
            Ok(each.collect::<anyhow::Result<Vec<_>>>()?.join(" | "))
        }
        _ => bail!("no type in {schema}"),
    }
}

fn plain(name: &str, schema: &Value, indent: &str) -> anyhow::Result<String> {
    Ok(match name {
        "string" | "null" | "boolean" => name.to_owned(),
        "integer" | "number" => String::from("number"),
        "array" => format!("Array<{}>", type_of(&schema["items"], indent)?),
        "object" => object(fields(schema)?, indent)?,
        other => bail!("the type {other} is not known here"),
    })
}

/// `signer_key` → `SignerKey`.
pub(crate) fn type_name(name: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    name.split(['_', '-']).map(capital).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_objects_lists_choices_and_references() {
        let schema = json!({
            "description": "What.",
            "properties": {
                "version": { "const": 1 },
                "verdict": { "enum": ["a", "b"] },
                "size": { "type": ["integer", "null"], "description": "In bytes." },
                "chain": { "type": "array", "items": { "$ref": "#/$defs/certificate" } },
                "at": { "$ref": "#/$defs/time" },
            }
        });
        let text = interface("Report", &schema).expect("known");
        // In alphabetical order: JSON objects have none.
        assert_eq!(
            text,
            "/** What. */\nexport interface Report {\n  at: string;\n  chain: Array<Certificate>;\n  \
            /** In bytes. */\n  size: number | null;\n  verdict: \"a\" | \"b\";\n  version: 1;\n}\n"
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(interface("X", &json!({ "properties": { "a": { "anyOf": [] } } })).is_err());
    }
}
