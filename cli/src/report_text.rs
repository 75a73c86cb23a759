//! A verification report in words: the verdict first, then the five questions, then what was found.

use countersign_core::{
    finding::Class,
    report::{Outcome, Report, Verdict},
};

use crate::output::{Talk, Words, finding_text, style, styled};

/// The report for a person. `name` is what the file was called on the command line.
pub fn text(name: &str, report: &Report, talk: Talk) -> String {
    let mut text = format!("{}\n", verdict(name, report));
    if talk == Talk::Quiet {
        return text;
    }
    if report.verdict() == Verdict::Verified {
        text.push_str("  This says who published it, not that it is free of bugs.\n");
    }
    text.push('\n');
    for check in &report.checks {
        let (mark, style) = match check.outcome {
            Outcome::Passed => ("✔", style::GOOD),
            Outcome::Failed => ("✘", style::BAD),
            Outcome::NotChecked => ("?", style::DOUBT),
            Outcome::NotRequired => ("–", style::FAINT),
        };
        let question = format!("{:<17}", check.question.words());
        text.add(format_args!("  {} {question} {}\n", styled(style, mark), check.answer));
    }
    for finding in report.findings() {
        let label = match finding.code.class() {
            Class::Danger => "danger",
            Class::NotChecked => "not checked",
            Class::SetUp => "set-up",
            Class::Outdated => "outdated",
            Class::Warning => "warning",
            Class::Note => "note",
        };
        if finding.code.class() == Class::Note {
            let about = finding.subject.as_deref().map(|subject| format!(" ({subject})"));
            let about = about.unwrap_or_default();
            let title = finding.code.title();
            text.add(format_args!("\n  {label}: {title}{about}\n        {}\n", finding.code));
            continue;
        }
        text.push('\n');
        for line in finding_text(label, finding).lines() {
            text.add(format_args!("  {line}\n"));
        }
    }
    text
}

/// The one line that says it: an icon and words.
fn verdict(name: &str, report: &Report) -> String {
    let title = report.decisive().map_or("", |finding| finding.code.title());
    match report.verdict() {
        Verdict::Verified => {
            let signer = report.signer.as_ref().map_or("", |signer| signer.identity.as_str());
            let when = match report.signed_by() {
                Some(time) => format!(" no later than {time}"),
                None => String::new(),
            };
            let mark = styled(style::GOOD, "✔ Verified.");
            format!("{mark} {name} is genuine, signed by {signer}{when}.")
        }
        Verdict::Outdated => {
            format!("{} {name} is genuine, but old. {title}", styled(style::DOUBT, "! Outdated."))
        }
        Verdict::Rejected => {
            format!("{} {name}: {title}", styled(style::BAD, "✘ Rejected. Do not open it."))
        }
        Verdict::NotChecked => {
            let mark = styled(style::DOUBT, "? Not checked. Do not open it yet.");
            format!("{mark} {name}: {title}")
        }
    }
}
