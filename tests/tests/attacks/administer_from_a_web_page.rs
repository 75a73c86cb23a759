//! The first of two people needs the second one to look at a web page: with the second one's certificate in a
//! browser, the page approves. Here curl sends what browsers send.

use crate::site::{SECOND, Site};

/// What Firefox and Chromium send with a request of another origin's page.
const FROM_A_PAGE: [&str; 3] = [
    "-H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: no-cors' \
     -H 'Sec-Fetch-Dest: empty' -H 'Referer: https://evil.example/'",
    "-H 'Origin: null' -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: navigate' \
     -H 'Sec-Fetch-User: ?1' -H 'Sec-Fetch-Dest: document' -H 'Upgrade-Insecure-Requests: 1'",
    // An old browser, or a proxy that strips what it does not know.
    "",
];

/// What pages may send without asking first, an empty body among it.
const BODIES: [&str; 4] = [
    "-H 'Content-Type:' -X POST -H 'Content-Length: 0'",
    "-H 'Content-Type: text/plain;charset=UTF-8' --data-binary @body",
    "-H 'Content-Type: application/x-www-form-urlencoded' --data-binary @body",
    "-H 'Content-Type: multipart/form-data; boundary=x' --data-binary @body",
];

#[test]
fn looking_at_a_page_approves_and_revokes_nothing() {
    let site = Site::start();
    site.succeed("countersign revoke --certificate signer.pem --reason certificateHold --yes");
    let release = "revoke --certificate signer.pem --reason removeFromCRL --yes --comment found";
    let proposal = site.waiting(release)["pending"].clone();
    let digest = proposal["proposal_sha256"].as_str().expect("a digest");
    let approval = format!("{{\"proposal_sha256\": \"{digest}\"}}");
    let order = format!(
        "{{\"issuer\": \"signing\", \"serial\": \"{}\", \"reason\": \"superseded\"}}",
        site.serial("signer.pem")
    );
    let curl = |who: &str, path: &str, more: &str| {
        site.succeed(&format!(
            "curl --silent --output answer --write-out '%{{http_code}}' --cacert ca/root/certificate.pem \
             --cert {who}.pem --key {who}.key --pass \"$(cat passphrase)\" {more} \
             \"$COUNTERSIGN_ADMIN_URL{path}\""
        ))
        .stdout
    };
    let approve = format!("/v1/pending/{}/approve", proposal["id"]);
    for (who, path, body) in
        [("second", approve.as_str(), &approval), ("admin", "/v1/revocations", &order)]
    {
        site.write("body", body);
        for headers in FROM_A_PAGE {
            for form in BODIES {
                let status = curl(who, path, &format!("{headers} {form}"));
                let want = if headers.is_empty() { "415" } else { "403" };
                assert_eq!(status, want, "{path} {headers} {form}: {}", site.read("answer"));
            }
            // A page that may send JSON (a hole of a browser, as there was one) still says that it is a page.
            let json = "-H 'Content-Type: application/json' --data-binary @body";
            if !headers.is_empty() {
                assert_eq!(curl(who, path, &format!("{headers} {json}")), "403");
                assert!(site.read("answer").contains("request.cross_origin"));
            }
        }
    }
    let held = [(site.serial("signer.pem"), "certificateHold".to_owned())];
    assert_eq!(site.revoked(), held);
    // The same by hand, by whoever saw it.
    let approve = format!("countersign revocation approve {} --sha256 {digest}", proposal["id"]);
    site.succeed(&format!("{SECOND} {approve}"));
    assert_eq!(site.revoked(), []);
}
