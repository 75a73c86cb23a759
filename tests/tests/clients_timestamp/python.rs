//! `rfc3161-client`, sigstore-python and pyHanko.

use countersign_tests::clients::run_python;

use super::service::{Site, with_each_key};

fn verified(site: &Site, client: &str, url: &str) -> String {
    run_python(client, site.folder(), [url, "root.pem"]).succeeds()
}

#[test]
fn rfc3161_client_is_served() {
    with_each_key(|site| {
        let text = verified(site, "rfc3161_client_stamp.py", &site.url());
        assert_eq!(text.matches(" verified; another message: ").count(), 2, "{text}");
    });
}

#[test]
fn sigstore_python_is_served_at_both_addresses() {
    with_each_key(|site| {
        for path in ["", "api/v1/timestamp"] {
            let text = verified(site, "sigstore_stamp.py", &format!("{}{path}", site.url()));
            assert!(text.starts_with("verified "), "{text}");
        }
    });
}

#[test]
fn pyhanko_is_served() {
    with_each_key(|site| {
        let text = verified(site, "pyhanko_stamp.py", &site.url());
        assert!(text.contains("TRUSTED"), "{text}");
    });
}
