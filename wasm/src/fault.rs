//! A fault that kept verification from starting, as a report.

use alloc::string::String;

use countersign_core::{
    finding::{Finding, FindingCode, quoted},
    report::{ArtifactSummary, Report},
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::verification::{seconds_of, size_of, text_of};

/// The report, as JSON text, of a fault that kept verification from starting: a bundle that could
/// not be fetched, a file that could not be read. A code that is not in the table becomes
/// `internal.error`; a note or warning can be no fault and becomes one too, so that no report made
/// here passes.
#[wasm_bindgen(js_name = reportOfFault)]
pub fn report_of_fault(
    code: &str,
    subject: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    name: Option<String>,
    size_bytes: Option<f64>,
    now_seconds: f64,
) -> String {
    let code = FindingCode::parse(code)
        .filter(|code| code.exit_code() != 0)
        .unwrap_or(FindingCode::INTERNAL);
    let mut finding = Finding::new(code);
    finding.subject = subject.map(quoted);
    finding.expected = expected.map(quoted);
    finding.found = found.map(quoted);
    let artifact = ArtifactSummary {
        name: name.map(quoted),
        size: size_bytes.and_then(size_of),
        ..ArtifactSummary::default()
    };
    text_of(&Report::of_fault(finding, artifact, seconds_of(now_seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: &str) -> serde_json::Value {
        let text = report_of_fault(code, None, None, None, None, None, 1.8e9);
        serde_json::from_str(&text).expect("a report is JSON")
    }

    #[test]
    fn no_fault_makes_a_passing_report() {
        for code in FindingCode::all() {
            assert_ne!(fault(code.code())["verdict"], "verified", "{code}");
        }
        assert_eq!(fault("no.such.code")["code"], "internal.error");
        assert_eq!(fault("bundle.not-found")["code"], "bundle.not-found");
    }
}
