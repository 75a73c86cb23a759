//! One key after the other, by schedule.

use std::time::Duration;

use countersign_core::cms::SignedData;
use countersign_core::time::UnixSeconds;
use countersign_daemon::clock::FixedClock;
use countersign_signing::pem;
use countersign_signing::profile::Profile;

use crate::http_side::ask;
use crate::rig::{Rig, authorities, new_name, start_seconds, start_time};
use crate::rows::{CERT_REQ, NULL, SHA256, VERSION, hex, imprint, query};

const DAY_SECONDS: i64 = 86_400;

struct Pair {
    text: String,
    first: Vec<Vec<u8>>,
    next: Vec<Vec<u8>>,
}

/// A configuration with two keys; the second takes over at `rotate_at`.
fn pair(rotate_at: UnixSeconds) -> Pair {
    let (first, next) = (new_name(), new_name());
    let [first_chain, next_chain] =
        [&first, &next].map(|name| authorities().issue(name, Profile::TimestampAuthority));
    let lines = format!("rotate_at = \"{rotate_at}\"\n[next]\n{}", authorities().key_lines(&next));
    let text = authorities().configuration_with(&first, &lines, crate::rig::POLICIES);
    Pair { text, first: first_chain, next: next_chain }
}

/// The certificates in a token, those of whoever signed it.
async fn signer(rig: &Rig) -> Vec<Vec<u8>> {
    let query = query(VERSION, &imprint(SHA256, NULL, 32), &[hex(CERT_REQ)]);
    let token = rig.token(&query).await;
    let signed = SignedData::decode(&token).expect("SignedData");
    signed.certificates.iter().map(|der| der.to_vec()).collect()
}

#[tokio::test]
async fn the_next_key_signs_from_its_second_on() {
    let pair = pair(start_seconds().plus_seconds(10));
    let rig = Rig::start_configured(&pair.text, pair.first.clone()).await;
    for (seconds, leaf) in
        [(0, &pair.first[0]), (9, &pair.first[0]), (10, &pair.next[0]), (11, &pair.next[0])]
    {
        rig.clock.set(start_time() + Duration::from_secs(seconds));
        let certificates = signer(&rig).await;
        assert!(certificates.contains(leaf), "after {seconds} s");
        assert_eq!(certificates.len(), pair.first.len(), "and no certificate of the other key");
        let chain = ask(&rig, "GET", "/api/v1/timestamp/certchain", None, b"").await;
        let chain = pem::decode_certificates(chain.body.clone());
        assert_eq!(&chain.expect("certificates")[0], leaf, "after {seconds} s");
    }
    // A clock that goes back a little does not bring the first key back: no token gets an earlier time.
    rig.clock.set(start_time() + Duration::from_millis(10_100));
    assert!(signer(&rig).await.contains(&pair.next[0]));
}

#[tokio::test]
async fn after_its_time_a_restart_needs_the_next_key_alone() {
    let pair = pair(start_seconds().minus_seconds(1));
    let gone = pair.text.replacen(".key\"", ".gone\"", 1);
    let rig = Rig::start_configured(&gone, pair.next.clone()).await;
    assert!(signer(&rig).await.contains(&pair.next[0]));
}

fn refused(text: &str) -> String {
    let config = authorities().config(text);
    let clock = FixedClock::new(start_time());
    countersign_timestamp::check(&config, &clock).expect_err("refused").to_string()
}

#[test]
fn the_next_key_is_checked_at_the_start_for_the_time_that_it_is_to_sign() {
    let good = pair(start_seconds().plus_seconds(10)).text;
    let config = authorities().config(&good);
    countersign_timestamp::check(&config, &FixedClock::new(start_time())).expect("usable");

    let (before, next) = good.split_once("[next]").expect("a [next]");
    let error = refused(&format!("{before}[next]{}", next.replacen(".key\"", ".gone\"", 1)));
    assert!(error.contains("[next]") && error.contains(".gone"), "{error}");

    let signer = new_name();
    authorities().issue(&signer, Profile::CodeSigner);
    let (_, policies) = next.split_once("[[policy]]").expect("policies");
    let keys = authorities().key_lines(&signer);
    let error = refused(&format!("{before}[next]\n{keys}[[policy]]{policies}"));
    assert!(error.contains("[next]") && error.contains("no timestamp authority's"), "{error}");

    let far = start_seconds().plus_seconds(30 * 365 * DAY_SECONDS);
    let error = refused(&pair(far).text);
    assert!(error.contains("nothing would sign between"), "{error}");

    let short_name = new_name();
    let too_early = authorities().issue_for_days(&short_name, 1);
    let lines = format!(
        "rotate_at = \"{}\"\n[next]\n{}",
        start_seconds().plus_seconds(2 * DAY_SECONDS),
        authorities().key_lines(too_early)
    );
    let first = new_name();
    authorities().issue(&first, Profile::TimestampAuthority);
    let error = refused(&authorities().configuration_with(&first, &lines, crate::rig::POLICIES));
    assert!(error.contains("[next]") && error.contains("rotate_at is"), "{error}");
}
