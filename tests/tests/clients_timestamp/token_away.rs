//! The token with the key goes away while the service runs, and comes back: no restart is needed.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::service::{Key, Site};

/// The longest pause between two looks at the token, and some slack.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the service answers to a request, in openssl's words.
fn answer(site: &Site) -> String {
    let url = site.url();
    let post = "--silent --show-error --fail --noproxy * --output reply.tsr \
                --header Content-Type:application/timestamp-query --data-binary @query.tsq";
    site.run("curl", &format!("{post} {url}")).succeeds();
    site.run("openssl", "ts -reply -in reply.tsr -text").succeeds()
}

fn is_ready(site: &Site) -> bool {
    let url = site.url();
    let ask = "--silent --noproxy * --output ready --write-out %{http_code}";
    site.run("curl", &format!("{ask} {url}readyz")).succeeds() == "200"
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not {what} in time");
    }
}

#[test]
fn a_start_without_the_token_may_be_tried_again_and_one_with_a_wrong_pin_not() {
    let mut site = Site::start(Key::P384Token);
    site.stop();
    let (here, away) = (site.path("tokens"), site.path("away"));
    fs::rename(&here, &away).expect("moved");
    fs::create_dir(&here).expect("made");
    // 3: systemd starts it again. 2: it does not, since the token would lock itself.
    let (code, text) = site.check();
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("no such token is present"), "{text}");
    fs::remove_dir(&here).expect("empty");
    fs::rename(&away, &here).expect("moved");
    assert_eq!(site.check().0, Some(0));
    site.write("pin", "wrong");
    let (code, text) = site.check();
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("the PIN is wrong"), "{text}");
}

#[test]
fn a_token_that_goes_away_and_comes_back_needs_no_restart() {
    let site = Site::start(Key::P384Token);
    let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    site.run("openssl", &format!("ts -query -digest {digest} -cert -out query.tsq")).succeeds();
    let grants = || answer(&site).contains("Status: Granted.");
    let fails = || {
        let text = answer(&site);
        text.contains("Status: Rejected.") && text.contains("system failure")
    };
    let (here, away) = (site.path("tokens"), site.path("away"));
    for _ in 0..2 {
        assert!(grants() && is_ready(&site));
        fs::rename(&here, &away).expect("moved");
        wait_until("refused", fails);
        assert!(!is_ready(&site));
        fs::rename(&away, &here).expect("moved");
        wait_until("granted again", grants);
        wait_until("ready again", || is_ready(&site));
    }
}
