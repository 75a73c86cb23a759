//! A release folder with a download in each state that the page knows, made by the programs.
//!
//! The demo serves it, and the browser tests check every one of them.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign_core::time::UnixSeconds;
use serde_json::{Value, json};

use super::{ScenarioError, Site, site::file};
use crate::programs::{self, Service};

/// The folder's name, within the site's.
pub const FOLDER: &str = "release";

/// The name of the folder with what an attacker sends, within the site's.
const ATTACK: &str = "attack";

/// A release folder.
#[derive(Clone, Debug)]
pub struct Downloads {
    /// Where it is.
    pub folder: PathBuf,
    /// Another program under a published name, with everything that would make it verify: its bundle,
    /// and the attacker's own trust root, policy and CRLs.
    pub attack: PathBuf,
    /// The origins of the CRLs: the revocation service's, and one where nobody listens.
    pub revocation_origins: Vec<String>,
}

/// A download: its file's name, what is said of it, and who signs it.
struct Offered {
    file: &'static str,
    note: &'static str,
    signer: &'static str,
}

const fn offered(file: &'static str, note: &'static str, signer: &'static str) -> Offered {
    Offered { file, note, signer }
}

const OFFERED: &[Offered] = &[
    offered("app-2.1", "Genuine.", "current"),
    offered("app-2.1-changed", "One byte was changed on the way.", "current"),
    offered("app-2.1-short", "The download stopped short.", "current"),
    offered("app-2.1-swapped", "The signature of another file lies beside it.", "current"),
    offered("app-2.0", "The signer's key was replaced after it was signed.", "replaced"),
    offered("app-1.9", "The signer's key was stolen after it was signed.", "stolen-later"),
    offered("app-1.8", "The signer's key was stolen before it was signed.", "stolen-before"),
    offered("app-2.1-stranger", "Signed, but by somebody else.", "stranger"),
    offered("app-2.1-unknown", "Signed by a stranger's own authority.", "quiet"),
    offered("app-2.1-garbled", "Its signature cannot be read.", "current"),
    offered("app-2.1-quiet", "The server that knows of revocations does not answer.", "quiet"),
    // A bare signature, which says nothing of name and size.
    offered("notes.txt", "What is new.", "current"),
];

/// Makes the folder. Both services run; when it returns, the timestamp service is not needed any
/// more, and the revocation service is for as long as anybody checks.
///
/// # Errors
/// When a command fails.
pub fn publish(site: &Site, timestamp: &Service) -> Result<Downloads, ScenarioError> {
    let silent = format!("http://127.0.0.1:{}", programs::free_port()?);
    issue(site, &silent)?;
    sign(site, timestamp)?;
    revoke(site)?;
    damage(site)?;
    attack(site, timestamp, &silent)?;
    let folder = site.shell.folder().join(FOLDER);
    let list = serde_json::to_string_pretty(&list(site)?).unwrap_or_default();
    fs::write(folder.join("releases.json"), list).map_err(file("releases.json"))?;
    let attack = site.shell.folder().join(ATTACK);
    Ok(Downloads { folder, attack, revocation_origins: vec![site.base_url(), silent] })
}

/// A certificate for each signer, and an authority whose revocation service does not run.
fn issue(site: &Site, silent: &str) -> Result<(), ScenarioError> {
    for signer in ["current", "replaced", "stolen-later", "stolen-before", "stranger"] {
        let address =
            if signer == "stranger" { "someone@else.example" } else { "release@example.org" };
        site.shell.succeed(&format!(
            "countersign ca issue --dir ca --profile code-signer --email {address} \
             --new-key {signer}.key --output {signer}.pem"
        ))?;
        site.shell.succeed(&format!("countersign revocation register {signer}.pem"))?;
    }
    for line in [
        "[ -e app ] || strip -o app \"$(command -v countersign)\"".to_owned(),
        "echo 'What is new: everything.' > notes.txt".to_owned(),
        format!("countersign ca init quiet-ca --organisation 'Quiet Software' --base-url {silent}"),
        "countersign ca issue --dir quiet-ca --profile code-signer --email release@example.org \
         --new-key quiet.key --output quiet.pem"
            .to_owned(),
        "cat tsa.pem ca/root/certificate.pem > tsa-chain.pem".to_owned(),
        format!("mkdir {FOLDER}"),
        format!(
            "countersign trust init --dir quiet-ca --timestamp-authority tsa-chain.pem \
             --output {FOLDER}/quiet_root.json"
        ),
        format!("cp trusted_root.json policy.json {FOLDER}"),
    ] {
        site.shell.succeed(&line)?;
    }
    Ok(())
}

fn sign(site: &Site, timestamp: &Service) -> Result<(), ScenarioError> {
    let url = timestamp.url("public");
    for Offered { file, signer, .. } in OFFERED {
        let (make, statement) = match *file {
            "app-2.1" => ("cp app ".to_owned(), "--statement"),
            "notes.txt" => ("cp notes.txt ".to_owned(), ""),
            other => (format!("(echo {other}; head -c 500000 app) > "), "--statement"),
        };
        site.shell.succeed(&format!("{make}{FOLDER}/{file}"))?;
        let root = if *signer == "quiet" { "release/quiet_root.json" } else { "trusted_root.json" };
        site.shell.succeed(&format!(
            "countersign sign {FOLDER}/{file} {statement} --key {signer}.key \
             --certificate {signer}.pem --trusted-root {root} --timestamp-url {url}"
        ))?;
    }
    Ok(())
}

fn revoke(site: &Site) -> Result<(), ScenarioError> {
    let stolen = proven_time(site, "app-1.9")?;
    let proven = [stolen, proven_time(site, "app-2.0")?, proven_time(site, "app-1.8")?];
    // What is revoked within a timestamp's accuracy may have been signed after.
    wait_until_after(proven.into_iter().max().unwrap_or(stolen).plus_seconds(1));
    let compromised = |signer: &str, since: UnixSeconds| {
        format!("{signer}.pem --reason keyCompromise --compromised-since {since}")
    };
    for what in [
        "replaced.pem --reason superseded".to_owned(),
        compromised("stolen-later", stolen.plus_seconds(1)),
        compromised("stolen-before", proven[2].minus_seconds(60)),
    ] {
        site.shell.succeed(&format!("countersign revoke --certificate {what} --yes"))?;
    }
    Ok(())
}

/// The time that a download's timestamp proves.
fn proven_time(site: &Site, name: &str) -> Result<UnixSeconds, ScenarioError> {
    let line = format!(
        "countersign verify {FOLDER}/{name} --trusted-root trusted_root.json --policy policy.json \
         --format json"
    );
    let ran = site.shell.run(&line)?;
    let report: Option<Value> = serde_json::from_str(&ran.stdout).ok();
    report
        .as_ref()
        .and_then(|report| report["results"][0]["timestamps"][0]["time"].as_str())
        .and_then(UnixSeconds::parse_rfc3339)
        .ok_or_else(|| ScenarioError::Unreadable {
            line,
            what: "no timestamp".to_owned(),
            said: ran.said(),
        })
}

fn wait_until_after(time: UnixSeconds) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let now = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        UnixSeconds::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    while now() <= time && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
}

fn damage(site: &Site) -> Result<(), ScenarioError> {
    for line in [
        "printf X | dd of=release/app-2.1-changed bs=1 seek=4000 conv=notrunc status=none",
        "truncate --size=-100000 release/app-2.1-short",
        "cp release/app-2.1.sigstore.json release/app-2.1-swapped.sigstore.json",
        "head -c 700 release/app-2.1.sigstore.json > release/app-2.1-garbled.sigstore.json",
    ] {
        site.shell.succeed(line)?;
    }
    Ok(())
}

/// What somebody sends who has an authority of the publisher's name, and wants to be believed.
fn attack(site: &Site, timestamp: &Service, silent: &str) -> Result<(), ScenarioError> {
    let url = timestamp.url("public");
    for line in [
        format!("mkdir {ATTACK}"),
        format!("(echo malware; head -c 500000 app) > {ATTACK}/app-2.1"),
        format!(
            "countersign ca init evil-ca --organisation 'Example Software' --base-url {silent}"
        ),
        "countersign ca issue --dir evil-ca --profile code-signer --email release@example.org \
         --new-key evil.key --output evil.pem"
            .to_owned(),
        format!(
            "countersign trust init --dir evil-ca --timestamp-authority tsa-chain.pem \
             --output {ATTACK}/trusted_root.json"
        ),
        format!("cp policy.json {ATTACK}"),
        format!(
            "countersign sign {ATTACK}/app-2.1 --statement --key evil.key --certificate evil.pem \
             --trusted-root {ATTACK}/trusted_root.json --timestamp-url {url}"
        ),
        format!("countersign ca crl --dir evil-ca --ca root --output {ATTACK}/root.crl"),
        format!("countersign ca crl --dir evil-ca --ca signing --output {ATTACK}/signing.crl"),
    ] {
        site.shell.succeed(&line)?;
    }
    Ok(())
}

fn list(site: &Site) -> Result<Value, ScenarioError> {
    let mut files = Vec::new();
    for Offered { file: name, note, .. } in OFFERED {
        let path = site.shell.folder().join(FOLDER).join(name);
        let bytes = fs::metadata(&path).map_err(file(&path))?.len();
        let mut entry = json!({ "file": name, "note": note, "size": bytes });
        if let Some(version) = name.strip_prefix("app-") {
            entry["name"] = json!("App");
            entry["version"] = json!(version.split('-').next());
        }
        if *name == "app-2.1-quiet" {
            entry["trust"] = json!("quiet_root.json");
        }
        files.push(entry);
    }
    Ok(json!({
        "version": 1,
        "title": "Example Software: downloads",
        "publisher": "Example Software",
        "files": files,
    }))
}
