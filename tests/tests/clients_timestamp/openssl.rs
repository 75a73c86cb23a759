//! `openssl ts`, with curl to carry the request.

use super::service::{OTHER_POLICY, Site, with_each_key};

fn stamp(site: &Site, query: &str, verify: &str) -> String {
    site.write("data", "what is stamped");
    let openssl = |arguments: &str| site.run("openssl", arguments).succeeds();
    openssl(&format!("ts -query -data data {query} -out query.tsq"));
    let url = site.url();
    site.run(
        "curl",
        &format!(
            "--silent --show-error --fail --noproxy * --header Content-Type:application/timestamp-query \
             --data-binary @query.tsq --output reply.tsr {url}"
        ),
    )
    .succeeds();
    openssl(&format!("ts -verify -in reply.tsr -queryfile query.tsq -CAfile root.pem {verify}"));
    openssl("ts -reply -in reply.tsr -text")
}

#[test]
fn openssl_is_served() {
    with_each_key(|site| {
        for hash in ["sha256", "sha384", "sha512"] {
            let text = stamp(site, &format!("-{hash} -cert"), "");
            assert!(text.contains("Status: Granted.") && text.contains("1.3.6.1.4.1.99999.1"));
        }
        // Without the certificates in the token, and without a nonce.
        stamp(site, "-sha256 -no_nonce", "-untrusted tsa.pem");
        let text = stamp(site, &format!("-sha256 -cert -tspolicy {OTHER_POLICY}"), "");
        assert!(text.contains(OTHER_POLICY), "{text}");
    });
}
