//! Whoever owns the service's machine gave an order and wants it off the record: the ledger's folder is put back to
//! an older copy, its last lines are cut off, or the whole of it is written anew with a chain that holds.

use std::{fs, path::PathBuf};

use countersign_core::digest::encode_hex;
use countersign_tests::{programs::Service, scenario::ScenarioError};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::site::Site;

/// Beside the database.
const LEDGER: &str = "revocation.db.audit";

/// A service that stopped, after the order that is to be forgotten.
struct Attacked {
    founded: countersign_tests::scenario::Site,
    serial: String,
}

impl Attacked {
    /// `before` runs between the orders, while the service is there.
    fn new(before: &str) -> Self {
        let site = Site::start();
        let serial = site.serial("signer.pem");
        site.succeed(before);
        let order = "countersign revoke --certificate signer.pem --reason superseded --yes";
        site.succeed(order);
        let Site { founded, service } = site;
        assert!(service.stop().expect("stopped").success());
        Self { founded, serial }
    }

    fn succeed(&self, line: &str) -> String {
        self.founded.shell.succeed(line).expect("it succeeds").stdout
    }

    fn start(&self) -> Result<Service, ScenarioError> {
        self.founded.start_revocation()
    }

    /// Starts the service, which refuses: what it says.
    #[track_caller]
    fn refused(&self) -> String {
        let line = "countersign-revocation --config revocation.toml";
        let ran = self.founded.shell.run(line).expect("a shell");
        assert_eq!(ran.exit_code, 2, "{}", ran.said());
        let said = ran.said();
        assert!(said.contains("evidence") && said.contains("--replace-ledger"), "{said}");
        said
    }

    /// Verifies the ledger, as who saw it before.
    #[track_caller]
    fn missed(&self) {
        let verify = format!("countersign --format json audit verify {LEDGER}");
        let ran = self.founded.shell.run(&verify).expect("a shell");
        assert_eq!(ran.exit_code, 10, "{}", ran.said());
        let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
        assert_eq!(value["error"]["code"], "audit.head.missing", "{value}");
        // By itself it is whole: the chain says nothing.
        self.succeed(&format!("countersign audit verify {LEDGER} --no-memory"));
    }

    fn file(&self) -> PathBuf {
        self.founded.shell.folder().join(LEDGER).join("audit-000001.jsonl")
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file()).expect("a ledger");
        text.split_inclusive('\n').map(str::to_owned).collect()
    }

    fn write(&self, lines: &[String]) {
        fs::write(self.file(), lines.concat()).expect("written");
    }
}

#[test]
fn a_folder_put_back_to_an_older_copy_is_missed_at_the_start_and_by_who_saw_it() {
    let attacked = Attacked::new(&format!("cp -r {LEDGER} older"));
    attacked.succeed(&format!("countersign audit verify {LEDGER}"));
    attacked.succeed(&format!("mv {LEDGER} whole && cp -r older {LEDGER}"));
    let said = attacked.refused();
    assert!(said.contains("an older copy was put back"), "{said}");
    attacked.missed();
    // Nothing of the evidence was touched, and with the whole ledger it goes on.
    attacked.succeed(&format!("cmp older/audit-000001.jsonl {LEDGER}/audit-000001.jsonl"));
    attacked.succeed(&format!("rm -r {LEDGER} && mv whole {LEDGER}"));
    drop(attacked.start().expect("it listens"));
}

#[test]
fn last_lines_that_were_cut_off_are_missed() {
    let attacked = Attacked::new("true");
    attacked.succeed(&format!("countersign audit verify {LEDGER}"));
    let mut lines = attacked.lines();
    let ordered = |line: &String| line.contains("\"revocation.ordered\"");
    let order = lines.iter().rposition(ordered).expect("the order");
    for keep in [lines.len() - 1, order] {
        lines.truncate(keep);
        attacked.write(&lines);
        assert!(attacked.refused().contains("cut off"));
        attacked.missed();
    }
}

#[test]
fn a_ledger_written_anew_with_a_chain_that_holds_is_missed() {
    let attacked = Attacked::new("true");
    attacked.succeed(&format!("countersign audit verify {LEDGER}"));
    let lines = attacked.lines();
    assert!(lines.iter().any(|line| line.contains(&attacked.serial)));
    let mut previous = "0".repeat(64);
    let mut anew = Vec::new();
    for line in lines {
        let (start, _) = line.rsplit_once(",\"previous\":").expect("a line");
        let start = start.replace("superseded", "unspecified");
        let line = format!("{start},\"previous\":\"{previous}\"}}\n");
        previous = encode_hex(&Sha256::digest(&line));
        anew.push(line);
    }
    attacked.write(&anew);
    assert!(attacked.refused().contains("written anew"));
    attacked.missed();
}

#[test]
fn a_ledger_that_is_gone_is_replaced_by_an_operator_alone_and_on_record() {
    let attacked = Attacked::new("true");
    let verified = format!("countersign --format json audit verify {LEDGER}");
    let value: Value = serde_json::from_str(&attacked.succeed(&verified)).expect("JSON");
    let id = value["result"]["id"].as_str().expect("a number").to_owned();
    attacked.succeed(&format!("mv {LEDGER} evidence"));
    let said = attacked.refused();
    assert!(said.contains("there is no audit ledger") && said.contains(&id), "{said}");
    let replace = format!("countersign-revocation --config revocation.toml --replace-ledger {id}");
    attacked.succeed(&replace);
    // Who looked at that folder before is told.
    let text = attacked.succeed(&format!("countersign audit verify {LEDGER}"));
    assert!(text.contains(&format!("another ledger ({id})")), "{text}");
    let show = format!("countersign audit show {LEDGER} --kind ledger.replaces");
    let shown = attacked.succeed(&show);
    assert!(shown.contains(&id), "{shown}");
    drop(attacked.start().expect("it listens"));
    attacked.succeed(&format!("mv {LEDGER} new && mv evidence {LEDGER}"));
    assert!(attacked.refused().contains("this is the audit ledger"));
}
