//! The reference page, made from the tables, so that it cannot go out of date.

use core::fmt::Write;

use countersign_cli::codes;
use countersign_core::finding::Class;

/// `docs/findings.md`: every finding of the tables, in order of rank.
///
/// # Panics
/// Never: writing to a `String` does not fail.
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Findings\n\n\
        Every finding that Countersign can report. This page is made from the tables in\n\
        `core/src/finding/` and `cli/src/codes.rs`; `countersign explain CODE` prints one entry. Codes are never reused\n\
        and never renamed. If several things are wrong, the report leads with the gravest class,\n\
        and within it with the entry that comes first on this page.\n\n\
        | Class | What it means |\n|---|---|\n\
        | danger | Do not trust the file. |\n\
        | not-checked | It could not be checked. Do not open the file yet. |\n\
        | set-up | The check is misconfigured; says nothing about the file. |\n\
        | outdated | Genuine, but old. |\n\
        | warning | Verified; worth acting on. |\n\
        | note | Verified; worth knowing. |\n",
    );
    for code in codes::all() {
        write!(
            page,
            "\n## `{}`\n\n{}\n\n- Class: {}; exit code {}\n- Clause: {}\n- What to do: {}\n",
            code.code(),
            code.title(),
            class_name(code.class()),
            code.exit_code(),
            code.clause(),
            code.remedy(),
        )
        .expect("writing to a String does not fail");
    }
    page
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Note => "note",
        Class::Warning => "warning",
        Class::Outdated => "outdated",
        Class::SetUp => "set-up",
        Class::NotChecked => "not-checked",
        Class::Danger => "danger",
    }
}
