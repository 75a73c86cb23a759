//! The time in tokens, and when there is none.

use std::time::{Duration, SystemTime};

use countersign_core::cms::SignedData;
use countersign_core::tsp::{FailureInfo, GenTime, TstInfo};

use crate::rig::{Rig, exchange, start_time};
use crate::rows::plain_query;

async fn gen_time(rig: &Rig) -> GenTime {
    let token = rig.token(&plain_query()).await;
    let content = SignedData::decode(&token).expect("SignedData").content;
    TstInfo::decode(content).expect("TSTInfo").gen_time
}

async fn ready(rig: &Rig) -> (u16, String) {
    let reply =
        exchange(rig.address, b"GET /readyz HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\n\r\n")
            .await;
    (reply.status(), String::from_utf8(reply.body).expect("text"))
}

#[tokio::test]
async fn gen_time_never_goes_back_and_a_large_step_back_stops_issuing() {
    let rig = Rig::start().await;
    let first = gen_time(&rig).await;
    rig.clock.set(start_time() + Duration::from_secs(5));
    let later = gen_time(&rig).await;
    assert_eq!(later.seconds.seconds_since(first.seconds), 5);
    // Within what an accuracy of two seconds leaves the clock: the last time again.
    rig.clock.set(start_time() + Duration::from_millis(4200));
    assert_eq!(gen_time(&rig).await, later);
    // Beyond it, one of the two times is wrong.
    rig.clock.set(start_time() + Duration::from_millis(3900));
    let (failure, _) = rig.refusal(&plain_query()).await;
    assert_eq!(failure, FailureInfo::TimeNotAvailable);
    assert_eq!(ready(&rig).await.0, 503);
    rig.clock.set(start_time() + Duration::from_secs(6));
    assert_eq!(gen_time(&rig).await.seconds.seconds_since(first.seconds), 6);
}

#[tokio::test]
async fn an_accuracy_below_a_second_brings_milliseconds_without_trailing_zeros() {
    let rig = Rig::start_with("[[policy]]\noid = \"1.2.3\"\naccuracy_millis = 100\n").await;
    rig.clock.set(start_time() + Duration::from_millis(1250));
    assert_eq!(gen_time(&rig).await.nanoseconds, 250_000_000);
    let token = rig.token(&plain_query()).await;
    assert!(token.windows(5).any(|window| window == b".25Z\x30"), "the fraction ends in 5 and Z");
    rig.clock.set(start_time() + Duration::from_secs(2));
    let token = rig.token(&plain_query()).await;
    let content = SignedData::decode(&token).expect("SignedData").content.to_vec();
    // GeneralizedTime of 15 octets: seconds, and no fraction. (Any octet may be in the serial number.)
    assert!(content.windows(2).any(|window| window == [0x18, 15]));
}

#[tokio::test]
async fn the_default_accuracy_covers_the_cut_off_part_of_a_second_and_a_second_of_the_clocks_error()
{
    let rig = Rig::start().await;
    rig.clock.set(start_time() + Duration::from_millis(999));
    let token = rig.token(&plain_query()).await;
    let content = SignedData::decode(&token).expect("SignedData").content.to_vec();
    let info = TstInfo::decode(&content).expect("TSTInfo");
    assert_eq!(info.gen_time.nanoseconds, 0);
    let accuracy = info.accuracy;
    assert_eq!((accuracy.seconds, accuracy.millis, accuracy.micros), (2, 0, 0));
}

#[tokio::test]
async fn a_clock_before_2020_or_outside_the_certificate_stamps_nothing_and_is_not_ready() {
    let rig = Rig::start().await;
    assert_eq!(ready(&rig).await, (200, r#"{"ready":true,"checks":[{"name":"clock","ready":true},{"name":"key","ready":true}]}"#.to_owned()));
    let day = Duration::from_hours(24);
    for (time, words) in [
        (SystemTime::UNIX_EPOCH + day, "before 2020"),
        (start_time() - 2 * day, "valid from"),
        (start_time() + 365 * 30 * day, "valid from"),
    ] {
        rig.clock.set(time);
        let (failure, text) = rig.refusal(&plain_query()).await;
        assert_eq!(failure, FailureInfo::TimeNotAvailable);
        assert!(text.contains("clock"), "{text}");
        let (status, report) = ready(&rig).await;
        assert_eq!(status, 503);
        assert!(report.contains(words), "{report}");
        let alive =
            exchange(rig.address, b"GET /livez HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\n\r\n")
                .await;
        assert_eq!(alive.status(), 200);
    }
    rig.clock.set(start_time());
    rig.token(&plain_query()).await;
}
