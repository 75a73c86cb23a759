//! Who may propose and withdraw does so until another person's proposal is no longer in the list that approvers look at.

use std::fmt::Write;

use serde_json::Value;

use crate::site::{SECOND, Site};

/// One more than a list has besides what waits.
const WITHDRAWN: usize = 1001;

/// An order for curl, after the one before on the same connection.
fn post(orders: &mut String, site: &Site, path: &str, body: &str) {
    let (url, passphrase) = (site.service.url("admin"), site.read("passphrase"));
    writeln!(
        orders,
        "next\nsilent\noutput = \"answer\"\nwrite-out = \"%{{http_code}}\\n\"\ncacert = \"ca/root/certificate.pem\"\n\
         cert = \"admin.pem\"\nkey = \"admin.key\"\npass = \"{}\"\nheader = \"Content-Type: application/json\"\n\
         url = \"{url}{path}\"\ndata = \"{}\"",
        passphrase.trim(),
        body.replace('"', "\\\"")
    )
    .expect("a String");
}

#[test]
fn what_waits_is_not_pushed_out_of_the_list() {
    let site = Site::start_with("admin_rate = { requests_per_second = 100000 }");
    site.add_signer("other");
    for name in ["signer", "other"] {
        let hold = "--reason certificateHold --yes";
        site.succeed(&format!("countersign revoke --certificate {name}.pem {hold}"));
    }
    let lift = "revoke --certificate signer.pem --reason removeFromCRL --yes --comment important";
    let hidden = site.waiting(lift)["pending"]["id"].as_u64().expect("a number");

    let serial = site.serial("other.pem");
    let order = format!(
        "{{\"issuer\":\"signing\",\"serial\":\"{serial}\",\"reason\":\"removeFromCRL\",\"comment\":\"x\"}}"
    );
    let mut orders = String::new();
    for number in 1..=WITHDRAWN {
        post(&mut orders, &site, "/v1/revocations", &order);
        let withdraw = format!("/v1/pending/{}/withdraw", hidden + number as u64);
        post(&mut orders, &site, &withdraw, "{}");
    }
    site.write("orders", orders.trim_start_matches("next\n"));
    let said = site.succeed("curl --config orders").stdout;
    let done = said.lines().filter(|status| matches!(*status, "202" | "200")).count();
    assert_eq!(done, 2 * WITHDRAWN, "{}", site.read("answer"));

    let listed = site.json("revocation pending");
    let listed = listed["pending"].as_array().expect("a list");
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&hidden.into(), &Value::from("waiting")));
    let digest = listed[0]["proposal_sha256"].as_str().expect("a digest");
    site.succeed(&format!("{SECOND} countersign revocation approve {hidden} --sha256 {digest}"));
    assert_eq!(site.revoked(), [(serial, "certificateHold".to_owned())]);
}
