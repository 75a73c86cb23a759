//! The TypeScript of what the core says: the report from its schema, the findings from their table.
//!
//! Both files are committed, so that an editor shows them without a build; the test here keeps them
//! current, and `COUNTERSIGN_WRITE_DOCUMENTS=1` (`make doc`) writes them anew.

use core::fmt::Write;
use std::{fs, path::PathBuf};

use anyhow::Context;
use countersign_core::{
    digest::HashAlgorithm,
    finding::{Class, FindingCode},
    limits,
    report::{ArtifactSummary, Question, Report},
    time::UnixSeconds,
};
use serde_json::Value;

use crate::{files, schema};

const HEAD: &str = "// Made by `cargo run -p xtask -- types`";

/// Writes both files.
pub(crate) fn write() -> anyhow::Result<()> {
    for (path, text) in documents()? {
        files::write(&path, text.as_bytes())?;
    }
    Ok(())
}

fn documents() -> anyhow::Result<[(PathBuf, String); 2]> {
    let folder = files::root().join("web/src/verify");
    Ok([(folder.join("report.ts"), report()?), (folder.join("findings.ts"), findings()?)])
}

fn report() -> anyhow::Result<String> {
    let path = files::root().join("docs/report.schema.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let schema: Value = serde_json::from_str(&text)?;
    let mut text = format!("{HEAD} from docs/report.schema.json.\n\n");
    let definitions = schema["$defs"].as_object().context("the schema has definitions")?;
    for (name, definition) in definitions.iter().filter(|(name, _)| *name != "time") {
        writeln!(text, "{}", schema::interface(&schema::type_name(name), definition)?)?;
    }
    text.push_str(&schema::interface("Report", &schema)?);
    // The schema says "a text", so that old readers take new codes; here the table is at hand.
    let text = text.replace("code: string", "code: FindingCode");
    let imported = "import type { FindingCode } from \"./findings.js\";\n\n";
    let text = text.replacen("\n\n", &format!("\n\n{imported}"), 1);
    Ok(format!("{text}\n{}\n{}\n{}\n{}", rejections()?, faults()?, limits(), digests()))
}

fn findings() -> anyhow::Result<String> {
    let mut text = format!("{HEAD} from the tables in core/src/finding/.\n\n");
    text.push_str(
        "/** Every code that a finding can have, the gravest first within its class. */\n",
    );
    text.push_str("export type FindingCode =\n");
    let all = FindingCode::all();
    for code in &all {
        writeln!(text, "  | \"{}\"", code.code())?;
    }
    text.push_str(
        ";\n\n\
        /** What a check answers. */\n\
        export type Question =\n  | \"same-file\"\n  | \"who-signed\"\n  | \"when-signed\"\n  | \"still-trusted\"\n  | \"publicly-logged\";\n\n\
        /** What the table says of a code. */\n\
        export interface FindingText {\n  \
        class: \"note\" | \"warning\" | \"outdated\" | \"set-up\" | \"not-checked\" | \"danger\";\n  \
        exit_code: number;\n  question: Question;\n  title: string;\n  clause: string;\n  remedy: string;\n}\n\n\
        /** The texts of every code, in English. */\n\
        export const findings: Readonly<Record<FindingCode, FindingText>> = {\n",
    );
    for code in all {
        let row = serde_json::json!({
            "class": code.class(),
            "exit_code": code.exit_code(),
            "question": code.question(),
            "title": code.title(),
            "clause": code.clause(),
            "remedy": code.remedy(),
        });
        writeln!(text, "  \"{}\": {row},", code.code())?;
    }
    text.push_str("};\n");
    Ok(text)
}

/// Why a file is rejected, for the state that the page shows. Small, since every page carries it.
fn rejections() -> anyhow::Result<String> {
    let mut text = String::from(
        "/** The question that a code of a rejection answers; those that are not here are about who signed, \
        when, or where it was logged. */\n\
        export const rejections: Readonly<Partial<Record<FindingCode, \"same-file\" | \"still-trusted\">>> = {\n",
    );
    let shown = |code: &FindingCode| {
        let question = matches!(code.question(), Question::SameFile | Question::StillTrusted);
        question && code.class() == Class::Danger
    };
    for code in FindingCode::all().into_iter().filter(shown) {
        let question = serde_json::to_string(&code.question())?;
        writeln!(text, "  \"{}\": {question},", code.code())?;
    }
    text.push_str("};\n");
    Ok(text)
}

/// The reports for when not even the module answers, which must not depend on it.
fn faults() -> anyhow::Result<String> {
    let mut text = String::from(
        "/** Reports of faults that keep the module itself from making one; the time, the artifact \
        and what was found are filled in. */\n\
        export const faults: Readonly<Partial<Record<FindingCode, Report>>> & \
        Readonly<Record<\"internal.error\", Report>> = {\n",
    );
    for code in [
        FindingCode::INTERNAL,
        FindingCode::SERVICE_UNREACHABLE,
        FindingCode::SITE_BLOCKED,
        FindingCode::SITE_FILE_MISSING,
        FindingCode::BROWSER_UNSUPPORTED,
    ] {
        let report = Report::of_fault(code.into(), ArtifactSummary::default(), UnixSeconds::new(0));
        writeln!(text, "  \"{}\": {},", code.code(), serde_json::to_string(&report)?)?;
    }
    text.push_str("};\n");
    Ok(text)
}

/// What is fetched is cut off where the core would refuse it.
fn limits() -> String {
    format!(
        "/** How much of each kind of input is taken, in bytes. */\n\
        export const limits = {{\n  bundle: {},\n  trust: {},\n  policy: {},\n  crl: {},\n  ocsp: {},\n  publicKey: {},\n  content: {},\n}} as const;\n",
        limits::BUNDLE_BYTES,
        limits::TRUST_ROOT_BYTES,
        limits::POLICY_BYTES,
        limits::CRL_BYTES,
        limits::OCSP_BYTES,
        limits::CERTIFICATE_BYTES,
        limits::SIGNED_CONTENT_BYTES,
    )
}

fn digests() -> String {
    let of = |algorithm: HashAlgorithm| {
        format!("  {}: {},\n", algorithm.name(), algorithm.output_length() * 2)
    };
    let lengths = HashAlgorithm::STRONG.map(of).concat();
    format!(
        "/** The hash algorithms that may prove something, and how many hexadecimal digits a digest by each has. */\n\
        export const hexLengths: Readonly<Record<string, number>> = {{\n{lengths}}};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_current() {
        if std::env::var_os("COUNTERSIGN_WRITE_DOCUMENTS").is_some() {
            write().expect("the files can be written");
        }
        for (path, text) in documents().expect("they can be made") {
            let held = fs::read_to_string(&path).unwrap_or_default();
            assert!(held == text, "{} is out of date: run `make doc`", path.display());
        }
    }
}
