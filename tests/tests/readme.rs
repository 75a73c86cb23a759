//! The "First steps" of README.md, typed as a new user would.

use std::{fs, path::Path};

use countersign_tests::programs::Programs;

/// The section of a Markdown page under a heading.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(&format!("\n## {heading}\n")).expect("the heading is there");
    let rest = &page[start + 1..];
    rest[1..].find("\n## ").map_or(rest, |end| &rest[..=end])
}

/// The blocks of code in a language, in their order.
fn blocks<'a>(section: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    section
        .split(&opening)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

#[test]
fn the_first_steps_do_what_the_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md");
    let steps = section(&readme, "First steps");
    let commands = blocks(steps, "sh");
    assert!(commands.len() >= 4, "{commands:?}");
    let programs = Programs::find().expect("the programs are built");
    let folder = tempfile::tempdir().expect("a folder");

    let output = programs
        .command("bash", folder.path())
        .args(["-e", "-u", "-o", "pipefail", "-c", &commands.join("\n")])
        // Without a terminal nobody is asked.
        .envs(
            ["COUNTERSIGN_CA_PASSPHRASE", "COUNTERSIGN_KEY_PASSPHRASE"]
                .map(|name| (name, "a passphrase of the test")),
        )
        .output()
        .expect("bash runs");

    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let promised = blocks(steps, "text");
    assert!(!promised.is_empty(), "the README shows what comes out");
    let mut rest = &said[..];
    for line in promised.iter().flat_map(|block| block.lines()) {
        let at = rest.find(line).unwrap_or_else(|| panic!("{line:?} does not come in:\n{said}"));
        rest = &rest[at + line.len()..];
    }
}
