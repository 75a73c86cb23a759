//! Somebody was shown a revocation once: by a CRL that was given to them, or by an OCSP answer. Then what they ask is
//! answered with the list and the OCSP response from before, neither of which has run out.

use std::fs;

use crate::{
    forget_a_revocation_by_an_older_list::{
        revoke_and_keep_the_old_lists, site_with_a_signed_file,
    },
    web::{Reply, Web},
};

const VERIFY: &str =
    "countersign --format json verify app --trusted-root trusted_root.json --policy policy.json";
const STATUS: &str = "countersign --format json revocation status --certificate signer.pem \
                      --issuer-certificate ca/signing/certificate.pem";

#[test]
fn what_was_given_or_answered_once_stays_revoked() {
    let site = site_with_a_signed_file();
    let base = site.founded.base_url();
    let ask = "openssl ocsp -issuer ca/signing/certificate.pem -cert signer.pem -no_nonce -noverify \
               -url $(openssl x509 -in signer.pem -noout -ocsp_uri) -respout";
    site.succeed(&format!("{ask} good.ocsp"));
    revoke_and_keep_the_old_lists(&site);
    site.succeed(&format!(
        "curl --silent --fail --output new.crl {base}/crl/signing.crl && {ask} revoked.ocsp"
    ));
    // Each way in which a revocation can be seen, by a user of their own.
    let given = format!("{VERIFY} --offline --crl new.crl old/root.crl old/timestamping.crl");
    let lists = "--crl old/root.crl old/timestamping.crl";
    let ways = [
        ("crl", given),
        ("ocsp", format!("{VERIFY} --offline --ocsp revoked.ocsp {lists}")),
        ("verify", VERIFY.to_owned()),
        ("status", STATUS.to_owned()),
    ];
    let shell = &site.founded.shell;
    let run = |user: &str, line: &str| {
        shell.run(&format!("export XDG_CACHE_HOME=$PWD/cache-{user}; {line}")).expect("a shell")
    };
    for (user, line) in &ways {
        let seen = run(user, line);
        assert_eq!(seen.exit_code, 14, "{user}: {}", seen.said());
    }
    let address = base.trim_start_matches("http://").to_owned();
    let folder = shell.folder().to_owned();
    site.service.kill();
    let between = Web::start(&address, move |line| {
        let path = line.split(' ').nth(1).unwrap_or_default();
        let file = match path.strip_prefix("/crl/") {
            Some(name) => folder.join("old").join(name),
            None => folder.join("good.ocsp"),
        };
        fs::read(file).map_or_else(|_| Reply::missing(), Reply::found)
    });
    for line in [VERIFY, STATUS] {
        let fresh = run("nobody", line);
        assert_eq!(fresh.exit_code, 0, "what is replayed must be good by itself: {}", fresh.said());
        for (user, _) in &ways {
            let later = run(user, line);
            assert_eq!(later.exit_code, 14, "{user}, {line}: {}", later.said());
        }
    }
    assert!(between.asked().iter().any(|line| line.starts_with("POST ")));
}
