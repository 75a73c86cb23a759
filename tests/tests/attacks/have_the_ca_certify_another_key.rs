//! Somebody who can write to the CA's folder, and has none of its keys, has it certify their own key: the
//! certificates that lie there are public, travel in backups, and are what a renewal copies from.

use countersign_tests::scenario::{Folder, Ran, Site};
use serde_json::Value;

fn founded() -> Site {
    let mut site = Site::new(Folder::Removed).expect("a folder");
    site.make_passphrase().expect("a passphrase");
    for line in site.founding_commands() {
        site.shell.succeed(&line).expect("founded");
    }
    let stranger = "countersign ca init stranger --organisation Stranger --base-url http://127.0.0.1:9 && \
                    countersign ca issue --dir stranger --profile code-signer --email ceo@victim.example \
                    --new-key stranger.key --output stranger.pem && cp -r ca untouched";
    site.shell.succeed(stranger).expect("made");
    site
}

/// Renewing and issuing in the folder that was changed by `change`, which is put back afterwards.
fn after(site: &Site, change: &str, order: &str) -> Ran {
    let line = format!(
        "rm -rf ca && cp -r untouched ca && {change} && rm -f new.pem new.key && \
         serial=$(openssl x509 -in signer.pem -noout -serial | cut -d= -f2 | tr A-F a-f) && {order}"
    );
    site.shell.run(&line.replace("SERIAL", "$serial")).expect("a shell")
}

/// The code of what is wrong.
fn error(ran: &Ran) -> String {
    let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
    value["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_lies_in_the_folder_is_certified_only_if_the_ca_signed_it() {
    let site = founded();
    let serial = "serial=$(openssl x509 -in signer.pem -noout -serial | cut -d= -f2 | tr A-F a-f)";
    let renew = "countersign --format json ca renew --dir ca --serial SERIAL --output new.pem";
    let by_file =
        "countersign --format json ca renew --dir ca --certificate signer.pem --output new.pem";
    let good = after(&site, "true", renew);
    assert_eq!(good.exit_code, 0, "{}", good.said());
    // The index with the stranger's own line for it, serial number and digest.
    let swap = format!("{serial} && cp stranger.pem ca/issued/$serial.pem");
    let copied = "cp stranger/issued/*.pem ca/issued/ && cat stranger/index.jsonl >> ca/index.jsonl && \
                  strange=$(openssl x509 -in stranger.pem -noout -serial | cut -d= -f2 | tr A-F a-f)";
    let outside = format!(
        "mkdir ren && cp stranger.pem ren/atk.pem && {serial} && \
         sed -i \"s|\\\"$serial\\\"|\\\"../../ren/atk\\\"|\" ca/index.jsonl && grep -q ren/atk ca/index.jsonl"
    );
    for (change, order, code) in [
        (swap.as_str(), renew, "setup.ca.altered"),
        (swap.as_str(), by_file, "setup.ca.altered"),
        (copied, &renew.replace("SERIAL", "$strange"), "setup.ca.altered"),
        (&outside, &renew.replace("SERIAL", "../../ren/atk"), "setup.input.unreadable"),
        (&outside, renew, "setup.input.unreadable"),
    ] {
        let ran = after(&site, change, order);
        site.shell.run("rm -rf ren").expect("a shell");
        assert_eq!(error(&ran), code, "{change}; {order}\n{}", ran.said());
        assert!(!site.shell.folder().join("new.pem").exists(), "{change}; {order}");
    }
}

/// Another CA's certificate in the place of ours: nothing is issued under it.
#[test]
fn a_ca_whose_certificate_was_swapped_issues_nothing() {
    let site = founded();
    let issue = "countersign --format json ca issue --dir ca --profile code-signer --email a@example.org \
                 --new-key new.key --output new.pem";
    assert_eq!(after(&site, "true", issue).exit_code, 0);
    for ca in ["root", "signing"] {
        let swap = format!("cp stranger/{ca}/certificate.pem ca/{ca}/certificate.pem");
        let ran = after(&site, &swap, issue);
        assert_eq!(error(&ran), "setup.ca.altered", "{ca}: {}", ran.said());
        assert!(!site.shell.folder().join("new.pem").exists(), "{ca}");
    }
}
