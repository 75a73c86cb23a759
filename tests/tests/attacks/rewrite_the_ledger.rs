//! Somebody who owns the service's machine gave an order and wants it off the record: the ledger's folder is put back
//! to an older copy, its last records are cut off, or the whole of it is written anew as a ledger that is whole.

use std::{fs, path::PathBuf};

use countersign_tests::{programs::Service, scenario::ScenarioError};
use serde_json::Value;

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
        // By itself it is whole: the tree says nothing.
        self.succeed(&format!("countersign audit verify {LEDGER} --no-memory"));
    }

    fn folder(&self) -> PathBuf {
        self.founded.shell.folder().join(LEDGER)
    }

    fn records(&self) -> Vec<String> {
        countersign_ledger::texts(&self.folder()).expect("whole")
    }

    /// A ledger of these records in place of the one that is there.
    fn write(&self, records: &[String]) {
        let pending = self.folder().join("pending");
        fs::remove_dir_all(self.folder()).expect("removed");
        fs::create_dir_all(&pending).expect("made");
        let octets = countersign_ledger::encode_segment(records);
        fs::write(pending.join("0".repeat(20)), octets).expect("written");
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
    attacked.succeed(&format!("diff -r older {LEDGER}"));
    attacked.succeed(&format!("rm -r {LEDGER} && mv whole {LEDGER}"));
    drop(attacked.start().expect("it listens"));
}

#[test]
fn last_records_that_were_cut_off_are_missed() {
    let attacked = Attacked::new("true");
    attacked.succeed(&format!("countersign audit verify {LEDGER}"));
    let mut records = attacked.records();
    let ordered = |record: &String| record.contains("\"revocation.ordered\"");
    let order = records.iter().rposition(ordered).expect("the order");
    for keep in [records.len() - 1, order] {
        records.truncate(keep);
        attacked.write(&records);
        assert!(attacked.refused().contains("cut off"));
        attacked.missed();
    }
}

#[test]
fn a_ledger_written_anew_that_is_whole_is_missed() {
    let attacked = Attacked::new("true");
    attacked.succeed(&format!("countersign audit verify {LEDGER}"));
    let records = attacked.records();
    assert!(records.iter().any(|record| record.contains(&attacked.serial)));
    let anew = records.iter().map(|record| record.replace("superseded", "unspecified"));
    attacked.write(&anew.collect::<Vec<_>>());
    assert!(attacked.refused().contains("written anew"));
    attacked.missed();
}

#[test]
fn a_ledger_written_anew_under_another_number_is_missed_however_often_it_is_looked_at() {
    let attacked = Attacked::new("true");
    attacked.succeed(&format!("countersign audit verify {LEDGER}"));
    let records = attacked.records();
    let first: Value = serde_json::from_str(&records[0]).expect("JSON");
    let id = first["record"]["id"].as_str().expect("a number");
    let anew = records.iter().map(|record| record.replace(id, &"f".repeat(id.len())));
    attacked.write(&anew.collect::<Vec<_>>());
    attacked.missed();
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
    // Those who looked at that folder before must say that they know of it.
    attacked.missed();
    let show = format!("countersign audit show {LEDGER} --no-memory --kind ledger.replaces");
    let shown = attacked.succeed(&show);
    assert!(shown.contains(&id), "{shown}");
    drop(attacked.start().expect("it listens"));
    attacked.succeed(&format!("mv {LEDGER} new && mv evidence {LEDGER}"));
    assert!(attacked.refused().contains("this is the audit ledger"));
}
