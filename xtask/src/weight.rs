//! What the module is made of: bytes and bytes after brotli by whose code it is.
//!
//! Reads the module before wasm-opt, which still has names; the parts are compressed one by one, so their sum is
//! somewhat above what the whole weighs.

use std::{collections::BTreeMap, fs};

use anyhow::Context;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::{files, wasm};

/// A function belongs to the first part one of whose words its name holds.
const PARTS: [(&str, &[&str]); 9] = [
    ("writing JSON (serde)", &["serde_json::ser", "serde_core::ser", "Serialize", "zmij", "itoa"]),
    (
        "reading JSON (serde, the guard)",
        &["countersign_core::json", "serde_json", "serde_core::de", "serde::de", "Deserialize"],
    ),
    ("text of numbers (core::fmt)", &["flt2dec", "dec2flt", "fmt::", "bignum"]),
    ("RSA, big integers", &["crypto_bigint", "crypto_primes", "rsa::"]),
    (
        "P-256, P-384",
        &["p256", "p384", "primeorder", "primefield", "elliptic_curve", "ecdsa", "wnaf", "sec1"],
    ),
    ("Ed25519", &["curve25519", "ed25519"]),
    ("SHA-1, SHA-2", &["sha1", "sha2", "digest::"]),
    ("certificate paths", &["countersign_core::x509::path"]),
    ("our own code", &["countersign"]),
];
const OTHER: &str = "other (collections, allocation, DER)";
const DATA: &str = "texts and tables (data)";

/// Prints the table.
pub(crate) fn print() -> anyhow::Result<()> {
    let module = fs::read(files::root().join("target").join(wasm::COMPILED))
        .context("no module: run `cargo run -p xtask -- wasm` first")?;
    let parts = parts_of(&module)?;
    println!("{:<38} {:>9} {:>9}", "part", "bytes", "brotli");
    for (part, bytes) in parts {
        println!("{part:<38} {:>9} {:>9}", bytes.len(), wasm::compressed_size(&bytes)?);
    }
    Ok(())
}

fn parts_of(module: &[u8]) -> anyhow::Result<BTreeMap<&'static str, Vec<u8>>> {
    let mut imported = 0_u32;
    let mut bodies = Vec::new();
    let mut names = BTreeMap::new();
    let mut parts: BTreeMap<&'static str, Vec<u8>> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&module[body.range()]),
            Payload::DataSection(section) => {
                parts.entry(DATA).or_default().extend_from_slice(&module[section.range()]);
            }
            Payload::CustomSection(section) => {
                let KnownCustom::Name(section) = section.as_known() else { continue };
                for name in section {
                    let Name::Function(functions) = name? else { continue };
                    for naming in functions {
                        let naming = naming?;
                        names.insert(
                            naming.index,
                            rustc_demangle::demangle(naming.name).to_string(),
                        );
                    }
                }
            }
            _ => {}
        }
    }
    for (index, body) in (imported..).zip(bodies) {
        let name = names.get(&index).map_or("", String::as_str);
        let known = PARTS.iter().find(|(_, words)| words.iter().any(|word| name.contains(word)));
        parts.entry(known.map_or(OTHER, |(part, _)| part)).or_default().extend_from_slice(body);
    }
    Ok(parts)
}
