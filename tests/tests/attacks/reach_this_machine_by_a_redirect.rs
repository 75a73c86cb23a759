//! A certificate's address, or a timestamp authority, sends the program on to what only this machine or its network
//! can reach. A proxy stands for the internet here: through it, an address that is written as a number, and
//! `localhost`, can be told to be close; a name that resolves to this machine is tested in `cli/src/fetch/reach.rs`.

use countersign_tests::scenario::{Folder, Site};

use crate::web::{Reply, Web};

/// A site whose certificates name addresses elsewhere, with a signed file.
fn founded() -> Site {
    let mut site = Site::new(Folder::Removed).expect("a folder");
    site.make_passphrase().expect("a passphrase");
    for line in [
        "countersign ca init ca --organisation Example --base-url http://pki.example.test",
        "countersign ca issue --dir ca --profile code-signer --email release@example.org \
         --new-key signer.key --output signer.pem",
        "countersign trust init --dir ca --output trusted_root.json",
        "countersign policy init --identity release@example.org --timestamps 0 --output policy.json",
        "echo x > app",
        "countersign sign app --key signer.key --certificate signer.pem --trusted-root trusted_root.json \
         --no-timestamp --no-revocation-check",
    ] {
        site.shell.succeed(line).expect("made");
    }
    site
}

#[test]
fn no_redirect_from_elsewhere_leads_to_this_machine_or_its_network() {
    let site = founded();
    let inner = Web::start("127.0.0.1:0", |_| Reply::found("what only this machine may read"));
    let port = inner.url.rsplit(':').next().expect("a port").to_owned();
    let targets = [
        format!("http://127.0.0.1:{port}/x"),
        format!("http://localhost:{port}/x"),
        format!("http://[::ffff:127.0.0.1]:{port}/x"),
        format!("http://2130706433:{port}/x"),
        format!("http://0.0.0.0:{port}/x"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ];
    for target in targets {
        for status in [302, 307] {
            let to = target.clone();
            let proxy = Web::start("127.0.0.1:0", move |_| Reply::redirect(status, &to));
            let with = format!("http_proxy={} no_proxy=10.0.0.0/8,169.254.0.0/16", proxy.url);
            let verify = format!(
                "{with} countersign verify app --trusted-root trusted_root.json --policy policy.json --no-cache"
            );
            let ran = site.shell.run(&verify).expect("a shell");
            assert_eq!(ran.exit_code, 3, "{target}: {}", ran.said());
            let asked = proxy.asked();
            let is_list = |line: &String| line.starts_with("GET http://pki.example.test/crl/");
            assert!(asked.iter().any(is_list), "{asked:?}");
            let stamp = format!(
                "{with} countersign --format json timestamp request app --retries 0 --output app.tsr \
                 --timestamp-url http://tsa.example.test"
            );
            let ran = site.shell.run(&stamp).expect("a shell");
            assert_eq!(ran.exit_code, 3, "{target}: {}", ran.said());
            assert!(ran.stdout.contains("setup.service.redirect"), "{target}: {}", ran.stdout);
        }
    }
    assert_eq!(inner.asked(), [""; 0]);
}

/// A service on this machine that the user named is asked, and no other one is for its sake.
#[test]
fn no_redirect_leads_from_one_server_of_this_machine_to_another() {
    let site = founded();
    let inner = Web::start("127.0.0.1:0", |_| Reply::found("what only this machine may read"));
    let port = inner.url.rsplit(':').next().expect("a port").to_owned();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let to = format!("http://{host}:{port}/x");
        let named = Web::start("127.0.0.1:0", move |_| Reply::redirect(307, &to));
        let stamp = format!(
            "countersign --format json timestamp request app --retries 0 --output app.tsr \
             --timestamp-url {}",
            named.url
        );
        let ran = site.shell.run(&stamp).expect("a shell");
        assert_eq!(ran.exit_code, 3, "{host}: {}", ran.said());
        assert!(ran.stdout.contains("setup.service.redirect"), "{host}: {}", ran.stdout);
    }
    assert_eq!(inner.asked(), [""; 0]);
}
