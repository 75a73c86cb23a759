//! The story itself, step by step.
//!
//! The signer is first superseded and then found compromised, since a revocation only ever gets
//! stricter.

use std::{
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign_core::time::UnixSeconds;
use serde_json::Value;

use super::{Folder, Limits, Observer, OpenPage, Outcome, ScenarioError, Verdict, stage::Stage};
use crate::programs::Service;

/// What every verification of the story trusts and demands.
const TRUST: &str = "--trusted-root trusted_root.json --policy policy.json";

type Played<T> = Result<T, ScenarioError>;

/// Tells it. Services end with their handles, whatever happens.
pub(super) fn tell(folder: Folder, observer: &mut dyn Observer) -> Played<Outcome> {
    let mut stage = Stage::new(folder, observer)?;
    found(&mut stage)?;
    let services = start(&mut stage)?;
    sign(&mut stage, &services)?;
    let signed_by = verify(&mut stage)?;
    ask_openssl(&mut stage, &services)?;
    damage(&mut stage)?;
    supersede(&mut stage, &services, signed_by)?;
    compromise(&mut stage, signed_by)?;
    go_silent(&mut stage, services)?;
    stage.judge_page();
    let (folder, page) = match folder {
        Folder::Kept => {
            stage.step("The page, with a download in each state");
            stage.remark("Made by the same commands, in the folder release; one signer each.");
            let page = OpenPage::open(&mut stage.site)?;
            (Some(stage.site.shell.folder().to_owned()), Some(page))
        }
        Folder::Removed => (None, None),
    };
    Ok(Outcome { rows: stage.rows, folder, page })
}

/// Both services.
struct Services {
    timestamp: Service,
    revocation: Service,
}

fn good() -> Verdict {
    Verdict::new(0, "")
}

fn found(stage: &mut Stage<'_>) -> Played<()> {
    stage.step("A certificate authority, and a certificate for each who needs one");
    for line in stage.site.make_passphrase()? {
        stage.show(line);
    }
    for line in stage.site.founding_commands() {
        stage.prepare(&line)?;
    }
    Ok(())
}

fn start(stage: &mut Stage<'_>) -> Played<Services> {
    stage.step("The timestamp service and the revocation service start");
    stage.site.configure(&Limits::Usual)?;
    stage.prepare("cat timestamp.toml")?;
    stage.prepare("cat revocation.toml")?;
    for service in ["timestamp", "revocation"] {
        stage.prepare(&format!("countersign config check {service}.toml --service {service}"))?;
    }
    stage.show("countersign-timestamp --config timestamp.toml &");
    let timestamp = stage.site.start_timestamp()?;
    stage.remark(&format!("listens on {}", timestamp.url("public")));
    stage.show("countersign-revocation --config revocation.toml &");
    let revocation = stage.site.start_revocation()?;
    stage.remark(&format!(
        "listens on {}, for administrators on {}",
        revocation.url("public"),
        revocation.url("admin")
    ));
    let line = stage.site.export_administration(&revocation);
    stage.show(&line);
    stage.prepare("countersign revocation register signer.pem tsa.pem")?;
    Ok(Services { timestamp, revocation })
}

fn sign(stage: &mut Stage<'_>, services: &Services) -> Played<()> {
    stage.step("A program and its notes are signed and timestamped");
    stage.prepare("strip -o app \"$(command -v countersign)\"")?;
    stage.prepare("echo 'What is new: everything.' > notes.txt")?;
    let keys = "--key signer.key --certificate signer.pem --trusted-root trusted_root.json";
    let url = services.timestamp.url("public");
    let line = |rest: &str| format!("countersign sign {rest} {keys} --timestamp-url {url}");
    // The statement signs name and size too.
    stage.prepare(&line("app --statement"))?;
    stage.prepare(&line("notes.txt"))?;
    Ok(())
}

/// Gives the proven time of the signature.
fn verify(stage: &mut Stage<'_>) -> Played<UnixSeconds> {
    stage.step("Both are verified");
    let report = stage.verify("genuine program", &format!("app {TRUST}"), &good())?;
    stage.verify("genuine notes", &format!("notes.txt {TRUST}"), &good())?;

    stage.step("The same without a network, with the CRLs fetched before");
    stage.prepare(
        "countersign revocation fetch app --trusted-root trusted_root.json --output-dir evidence",
    )?;
    let offline = format!("app {TRUST} --offline --crl evidence/*.crl");
    stage.verify("genuine program, offline", &offline, &good())?;
    signed_by(&report)
}

fn signed_by(report: &Value) -> Played<UnixSeconds> {
    let time = report["timestamps"][0]["time"].as_str().and_then(UnixSeconds::parse_rfc3339);
    time.ok_or_else(|| ScenarioError::Unreadable {
        line: "countersign verify --format json".to_owned(),
        what: "a report without a timestamp".to_owned(),
        said: report.to_string(),
    })
}

fn ask_openssl(stage: &mut Stage<'_>, services: &Services) -> Played<()> {
    stage.step("openssl agrees: the timestamp in the bundle");
    let take = |key: &str, file: &str| {
        format!(
            "sed -n 's/.*\"{key}\": *\"\\([^\"]*\\)\".*/\\1/p' app.sigstore.json | openssl base64 -d -A > {file}"
        )
    };
    stage.prepare(&take("signedTimestamp", "app.tsr"))?;
    stage.prepare(&take("sig", "app.sig"))?;
    stage.check(
        "openssl: timestamp",
        "openssl ts -verify -data app.sig -in app.tsr -CAfile ca/root/certificate.pem",
        0,
        &["Verification: OK"],
    )?;

    stage.step("openssl agrees: OCSP and CRL");
    let url = services.revocation.url("public");
    stage.check(
        "openssl: OCSP",
        &format!(
            "openssl ocsp -url {url}/ocsp -issuer ca/signing/certificate.pem -cert signer.pem \
             -CAfile ca/root/certificate.pem -verify_other ca/signing/certificate.pem"
        ),
        0,
        &["signer.pem: good", "Response verify OK"],
    )?;
    stage.check("openssl: CRL", &openssl_crl("evidence"), 0, &["signer.pem: OK"])
}

fn openssl_crl(evidence: &str) -> String {
    format!(
        "openssl verify -crl_check_all -CAfile ca/root/certificate.pem \
         -untrusted ca/signing/certificate.pem -CRLfile {evidence}/signing.crl \
         -CRLfile {evidence}/root.crl signer.pem"
    )
}

fn damage(stage: &mut Stage<'_>) -> Played<()> {
    stage.step("One byte of the program is flipped");
    stage.prepare("mkdir flipped && cp app app.sigstore.json flipped")?;
    // Padding in the header of an ELF file: it was zero.
    stage.prepare("printf X | dd of=flipped/app bs=1 seek=9 conv=notrunc status=none")?;
    stage.verify(
        "one byte flipped",
        &format!("flipped/app {TRUST}"),
        &Verdict::new(10, "content.mismatch"),
    )?;

    stage.step("The download stops short");
    stage.prepare(
        "mkdir short && cp app app.sigstore.json short && truncate --size=-1000 short/app",
    )?;
    stage.verify(
        "download cut short",
        &format!("short/app {TRUST}"),
        &Verdict::new(10, "content.incomplete"),
    )?;

    stage.step("The bundle of another file lies beside it");
    stage.prepare("mkdir swapped && cp notes.txt swapped && cp app.sigstore.json swapped/notes.txt.sigstore.json")?;
    stage.verify(
        "bundle of another file",
        &format!("swapped/notes.txt {TRUST}"),
        &Verdict::new(10, "content.other-file"),
    )?;

    stage.step("Somebody else was expected");
    stage.verify(
        "unexpected signer",
        "app --trusted-root trusted_root.json --certificate-identity someone@else.example",
        &Verdict::new(12, "certificate.identity.unexpected"),
    )?;
    Ok(())
}

fn supersede(stage: &mut Stage<'_>, services: &Services, signed_by: UnixSeconds) -> Played<()> {
    stage.step("The signer gets a new certificate; the old one is revoked as superseded");
    // A timestamp is only so accurate: what is revoked within its accuracy may have been before.
    wait_until_after(stage, signed_by)?;
    stage.prepare("countersign revoke --certificate signer.pem --reason superseded --yes")?;
    stage.verify(
        "superseded after signing",
        &format!("app {TRUST}"),
        &Verdict::new(0, "revocation.revoked-after-signing"),
    )?;
    stage.remark("The timestamp proves that it was signed before. openssl has no such notion:");
    let fetch =
        "countersign revocation fetch app --trusted-root trusted_root.json --output-dir later";
    stage.prepare(fetch)?;
    stage.check("openssl: revoked", &openssl_crl("later"), 2, &["certificate revoked"])?;

    stage.step("Something is signed with the revoked certificate");
    stage.prepare("echo 'Newer still.' > late.txt")?;
    let url = services.timestamp.url("public");
    stage.prepare(&format!(
        "countersign sign late.txt --key signer.key --certificate signer.pem \
         --trusted-root trusted_root.json --timestamp-url {url} --no-revocation-check"
    ))?;
    stage.verify(
        "signed after revocation",
        &format!("late.txt {TRUST}"),
        &Verdict::new(14, "revocation.revoked"),
    )?;
    Ok(())
}

fn compromise(stage: &mut Stage<'_>, signed_by: UnixSeconds) -> Played<()> {
    let revoke = |since: UnixSeconds| {
        format!(
            "countersign revoke --certificate signer.pem --reason keyCompromise \
             --compromised-since {since} --yes"
        )
    };
    stage.step("It turns out that the key was stolen, after the program was signed");
    stage.prepare(&revoke(signed_by.plus_seconds(1)))?;
    stage.verify(
        "compromised after signing",
        &format!("app {TRUST}"),
        &Verdict::new(0, "revocation.compromised-after-signing"),
    )?;

    stage.step("No: it was stolen before");
    stage.prepare(&revoke(signed_by.minus_seconds(60)))?;
    stage.verify(
        "compromised before signing",
        &format!("app {TRUST}"),
        &Verdict::new(14, "revocation.revoked"),
    )?;
    stage.prepare(
        "countersign revocation fetch app --trusted-root trusted_root.json --output-dir evidence \
         --force",
    )?;
    Ok(())
}

fn go_silent(stage: &mut Stage<'_>, services: Services) -> Played<()> {
    stage.step("The revocation service stops");
    let Services { timestamp, revocation } = services;
    stage.show("kill %2");
    revocation.stop()?;
    stage.verify(
        "revocation service silent",
        &format!("app {TRUST} --no-cache"),
        &Verdict::new(3, "revocation.unavailable"),
    )?;
    stage.verify(
        "offline, without evidence",
        &format!("app {TRUST} --offline --no-cache"),
        &Verdict::new(3, "revocation.unavailable"),
    )?;
    stage.verify(
        "offline, with evidence",
        &format!("app {TRUST} --offline --crl evidence/*.crl"),
        &Verdict::new(14, "revocation.revoked"),
    )?;
    stage.show("kill %1");
    timestamp.stop()?;
    Ok(())
}

/// Polls the clock until it is past `time`.
fn wait_until_after(stage: &Stage<'_>, time: UnixSeconds) -> Played<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while now() <= time && Instant::now() < deadline {
        stage.heed_interruption()?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
