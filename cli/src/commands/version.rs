//! `version`.

use countersign_core::{policy::POLICY_VERSION, report::REPORT_VERSION};
use serde_json::json;

use crate::{failure::Outcome, output::Answer};

/// Prints the version.
pub(super) fn run() -> Outcome<Answer> {
    let version = env!("CARGO_PKG_VERSION");
    let result = json!({
        "name": "countersign",
        "version": version,
        "report_version": REPORT_VERSION,
        "policy_version": POLICY_VERSION,
        "platform": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
    });
    Answer::new(format!("countersign {version}\n"), &result)
}
