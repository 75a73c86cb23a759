//! Where the story is played: commands are shown, run and judged.

use serde_json::Value;

use super::{Folder, Observer, Ran, Row, ScenarioError, Site, Verdict, built};

/// The stage.
pub(super) struct Stage<'o> {
    pub(super) site: Site,
    pub(super) rows: Vec<Row>,
    observer: &'o mut dyn Observer,
    steps: usize,
    in_page: InPage,
}

/// How the page's verdicts agree with the program's.
#[derive(Default)]
struct InPage {
    alike: usize,
    /// The first that differs.
    differing: Option<String>,
}

type Played<T> = Result<T, ScenarioError>;

impl<'o> Stage<'o> {
    pub(super) fn new(folder: Folder, observer: &'o mut dyn Observer) -> Played<Self> {
        Ok(Self {
            site: Site::new(folder)?,
            rows: Vec::new(),
            observer,
            steps: 0,
            in_page: InPage::default(),
        })
    }

    /// Begins a step.
    pub(super) fn step(&mut self, title: &str) {
        self.steps += 1;
        self.observer.step(self.steps, title);
    }

    /// Says something between commands.
    pub(super) fn remark(&mut self, text: &str) {
        self.observer.remark(text);
    }

    /// Shows a command that runs elsewhere or has run.
    pub(super) fn show(&mut self, line: &str) {
        self.observer.command(line);
    }

    /// Shows and runs a command, and shows what it printed.
    pub(super) fn run(&mut self, line: &str) -> Played<Ran> {
        self.heed_interruption()?;
        self.observer.command(line);
        let ran = self.site.shell.run(line)?;
        self.heed_interruption()?;
        self.observer.said(&ran.said());
        Ok(ran)
    }

    /// As [`Self::run`], for a command without which the story cannot go on.
    pub(super) fn prepare(&mut self, line: &str) -> Played<Ran> {
        let ran = self.run(line)?;
        if ran.exit_code == 0 {
            return Ok(ran);
        }
        let said = ran.said();
        Err(ScenarioError::Command { line: line.to_owned(), exit_code: ran.exit_code, said })
    }

    /// Shows and runs `countersign verify …`, and compares its exit code and its code. The code is
    /// read from the same command's JSON: that of the finding that decides or, where all is well,
    /// the one noted.
    pub(super) fn verify(
        &mut self,
        title: &str,
        arguments: &str,
        expected: &Verdict,
    ) -> Played<Value> {
        let line = format!("countersign verify {arguments}");
        let shown = self.run(&line)?;
        let report = self.report(arguments)?;
        let exit_code = report["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
        self.compare_with_page(title, arguments, &report)?;
        let agrees = exit_code == Some(shown.exit_code);
        let code = if agrees { code(&report) } else { Some("text and JSON differ".to_owned()) };
        let seen = Verdict { exit_code: shown.exit_code, code };
        self.judge(title, expected, seen);
        Ok(report)
    }

    /// Verifies once more as the page does, by its npm package in Node, with the same arguments.
    fn compare_with_page(&mut self, title: &str, arguments: &str, ours: &Value) -> Played<()> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenario/page_verdict.mjs");
        let package = built("verify")?;
        let line =
            format!("COUNTERSIGN_VERIFY='{}' node '{script}' {arguments}", package.display());
        let theirs = self.json(line, |report| Some(report.take()))?;
        if verdict_facts(ours) == verdict_facts(&theirs) {
            self.in_page.alike += 1;
        } else if self.in_page.differing.is_none() {
            let facts = verdict_facts(&theirs);
            self.in_page.differing = Some(format!("{title}: {facts:?} in the page"));
        }
        Ok(())
    }

    /// Judges the comparison of all verdicts with the page's.
    pub(super) fn judge_page(&mut self) {
        self.step("The same verdicts in the page");
        let InPage { alike, differing } = &self.in_page;
        let remark =
            format!("Each of the {alike} verdicts above was reached by the page's code as well.");
        let seen = match differing {
            None => Verdict::new(0, ""),
            Some(what) => Verdict::new(1, what),
        };
        self.remark(&remark);
        self.judge("the same verdicts in the page", &Verdict::new(0, ""), seen);
    }

    /// The report on one file as JSON.
    fn report(&self, arguments: &str) -> Played<Value> {
        let line = format!("countersign verify --format json {arguments}");
        self.json(line, |object| Some(object.get_mut("results")?.get_mut(0)?.take()))
    }

    /// Runs a command that prints JSON, and picks a part of it.
    fn json(&self, line: String, pick: impl FnOnce(&mut Value) -> Option<Value>) -> Played<Value> {
        let ran = self.site.shell.run(&line)?;
        let parsed: Option<Value> = serde_json::from_str(&ran.stdout).ok();
        parsed.and_then(|mut object| pick(&mut object)).ok_or_else(|| ScenarioError::Unreadable {
            line,
            what: "no JSON object with a report".to_owned(),
            said: ran.said(),
        })
    }

    /// Shows and runs another program that checks something: its exit code, and words that it must
    /// all print, of which the first stand in the table.
    pub(super) fn check(
        &mut self,
        title: &str,
        line: &str,
        exit_code: i32,
        words: &[&str],
    ) -> Played<()> {
        let ran = self.run(line)?;
        let said = ran.said();
        let first = words.first().copied().unwrap_or_default();
        let missing = words.iter().find(|words| !said.contains(**words));
        let found = missing.map_or_else(|| first.to_owned(), |words| format!("no \"{words}\""));
        self.judge(title, &Verdict::new(exit_code, first), Verdict::new(ran.exit_code, &found));
        Ok(())
    }

    fn judge(&mut self, title: &str, expected: &Verdict, seen: Verdict) {
        let row = Row { title: title.to_owned(), expected: expected.clone(), seen };
        self.observer.row(&row);
        self.rows.push(row);
    }

    /// Ends the story when it was interrupted.
    pub(super) fn heed_interruption(&self) -> Played<()> {
        if self.observer.is_interrupted() { Err(ScenarioError::Interrupted) } else { Ok(()) }
    }
}

/// What two reports on one file must have in common. Notes on evidence may differ: which lists are
/// at hand is the fetcher's affair.
fn verdict_facts(report: &Value) -> (Value, Value, Option<String>) {
    (report["verdict"].clone(), report["exit_code"].clone(), code(report))
}

/// The code that a report is about.
fn code(report: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    text(&report["code"]).or_else(|| {
        let findings = report["findings"].as_array()?;
        // What concerns other certificates than the signer's is not what the step is about.
        let told = |finding: &&Value| finding["code"] != "revocation.not-required";
        findings.iter().find(told).and_then(|finding| text(&finding["code"]))
    })
}
