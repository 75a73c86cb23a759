//! After an order for keyCompromise, however the certificate that it names stood before, no certificate with
//! that key is good: not one registered before, and none that is registered later.

use std::sync::Arc;

use countersign_core::{crl::CertificateList, time::UnixSeconds};
use countersign_revocation::{admin::Role, config::CompromiseScope};
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::{decision, key_sha256, ledger, order, post};
use crate::{
    http::get,
    world::{Running, World, serial},
};

/// What a certificate is revoked for before it turns out that its key was stolen: reason, and seconds before
/// now; an order for the compromise says 100.
const BEFORE: [Option<(&str, i64)>; 6] = [
    None,
    Some(("certificateHold", 150)),
    Some(("superseded", 150)),
    Some(("superseded", 50)),
    Some(("keyCompromise", 150)),
    Some(("keyCompromise", 50)),
];

pub(super) fn since(world: &World, seconds: i64) -> String {
    world.now.minus_seconds(seconds).to_string()
}

/// A service in which a compromise takes the whole key, its administrator, and people with one role each.
async fn scene<const PEOPLE: usize>(
    people: [(&str, Role); PEOPLE],
) -> (World, Running, Arc<ClientConfig>, [Arc<ClientConfig>; PEOPLE]) {
    let world = World::new();
    let mut config = world.config();
    config.compromise_scope = CompromiseScope::Key;
    let admin = world.with_admin(&mut config);
    let people = people.map(|(name, role)| world.with_person(&mut config, name, &[role]));
    let running = world.start(config).await;
    (world, running, admin, people)
}

/// Reason and date of the revocation of a signing CA's certificate; nothing while it is good.
fn revoked(
    running: &Running,
    who: &Arc<ClientConfig>,
    der: &[u8],
) -> Option<(String, UnixSeconds)> {
    revoked_by("signing", running, who, der)
}

/// The same for a certificate of another issuer.
pub(super) fn revoked_by(
    issuer: &str,
    running: &Running,
    who: &Arc<ClientConfig>,
    der: &[u8],
) -> Option<(String, UnixSeconds)> {
    let path = format!("/v1/certificates/{issuer}/{}", serial(der));
    let shown = running.admin(who, "GET", &path, b"").json();
    let revocation = shown.get("revocation").filter(|known| known.is_object())?;
    let text = |member: &str| revocation[member].as_str().expect("text").to_owned();
    let date = UnixSeconds::parse_rfc3339(&text("revocation_date")).expect("a time");
    Some((text("reason"), date))
}

/// C7: a colleague's certificate was revoked from an early date on; the order for the compromise, with the true
/// date, waited for a second person, and the key lived on, even when it was approved.
#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_of_a_compromised_key_is_good_however_the_named_one_stood() {
    for before in BEFORE {
        println!("{before:?}");
        let (world, running, admin, []) = scene([]).await;
        let [named, other, later] = [world.signer(), world.signer(), world.signer()];
        running.register(&admin, &[&named]);
        if let Some((reason, seconds)) = before {
            let known = json!({ "compromised_since": since(&world, seconds) });
            assert_eq!(running.revoke(&admin, &order(&named, reason, &known)).status, 200);
        }
        running.register(&admin, &[&other]);
        let stolen = json!({ "compromised_since": since(&world, 100), "comment": "stolen" });
        let done = running.revoke(&admin, &order(&named, "keyCompromise", &stolen));
        let moves_later = before.is_some_and(|(_, seconds)| seconds > 100);
        assert_eq!(done.status, if moves_later { 202 } else { 200 }, "{done:?}");
        running.register(&admin, &[&later]);
        let stands = before.map_or(100, |(_, seconds)| seconds.max(100));
        assert_eq!(
            revoked(&running, &admin, &named),
            Some(("keyCompromise".to_owned(), world.now.minus_seconds(stands)))
        );
        for der in [&other, &later] {
            let (reason, date) = revoked(&running, &admin, der).expect("not good");
            assert_eq!(reason, "keyCompromise");
            assert!(date <= world.now.minus_seconds(100), "{date}");
        }
        let keys = running.admin(&admin, "GET", "/v1/keys", b"").json();
        assert_eq!(keys["keys"][0]["key_sha256"], key_sha256(&named));
        running.stop().await;
    }
}

fn outcomes(at_once: &Value) -> Vec<&str> {
    let certificates = at_once["certificates"].as_array().expect("a list");
    certificates.iter().map(|each| each["outcome"].as_str().expect("text")).collect()
}

/// C7: the answer says both, and the second person judges nothing but the date of the one certificate.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_moving_of_the_named_certificates_date_waits() {
    let (world, running, admin, [bob]) = scene([("bob", Role::Approver)]).await;
    let [named, other] = [world.signer(), world.signer()];
    running.register(&admin, &[&named, &other]);
    let early = json!({ "compromised_since": since(&world, 150) });
    assert_eq!(running.revoke(&admin, &order(&named, "superseded", &early)).status, 200);

    let mut asked =
        order(&named, "keyCompromise", &json!({ "compromised_since": since(&world, 100) }));
    // Nothing for the second person to judge by: refused as a whole.
    let reply = running.revoke(&admin, &asked);
    assert_eq!((reply.status, reply.code().as_str()), (400, "comment.missing"));
    assert_eq!(revoked(&running, &admin, &other), None);
    asked["comment"] = "stolen".into();
    asked["dry_run"] = true.into();
    let preview = running.revoke(&admin, &asked);
    assert_eq!(preview.status, 202, "{preview:?}");
    let preview = preview.json();
    assert_eq!((&preview["dry_run"], &preview["at_once"]["dry_run"]), (&json!(true), &json!(true)));
    assert_eq!(outcomes(&preview["at_once"]), ["revoked", "revoked"]);
    assert_eq!(revoked(&running, &admin, &other), None);

    asked["dry_run"] = false.into();
    let done = running.revoke(&admin, &asked).json();
    assert_eq!(done["at_once"]["key_sha256"], key_sha256(&named));
    assert_eq!(outcomes(&done["at_once"]), ["revoked", "revoked"]);
    for member in ["reason", "revocation_date"] {
        assert_eq!(done["pending"]["was"][member], preview["pending"]["was"][member], "{member}");
    }
    assert_eq!(
        (&done["pending"]["was"]["reason"], &done["pending"]["was"]["revocation_date"]),
        (&json!("keyCompromise"), &early["compromised_since"])
    );
    // Again: the same proposal, and nothing new.
    let again = running.revoke(&admin, &asked).json();
    assert_eq!(again["pending"], done["pending"]);
    assert_eq!(outcomes(&again["at_once"]), ["unchanged", "unchanged"]);

    let path = format!("/v1/pending/{}/approve", done["pending"]["id"]);
    let reply = post(&running, &bob, &path, &decision(&done["pending"], ""));
    assert_eq!(reply.status, 200, "{reply:?}");
    let since = world.now.minus_seconds(100);
    for der in [&named, &other] {
        assert_eq!(revoked(&running, &admin, der), Some(("keyCompromise".to_owned(), since)));
    }
    running.stop().await;
}

/// What waits already, for that certificate, does not hold up the key either.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_cannot_be_made_leaves_the_key_revoked_and_that_is_on_record() {
    let (world, running, admin, [mallory]) = scene([("mallory", Role::Revoker)]).await;
    let named = world.signer();
    running.register(&admin, &[&named]);
    let stolen = |seconds: i64| {
        let more = json!({ "compromised_since": since(&world, seconds), "comment": "stolen" });
        order(&named, "keyCompromise", &more)
    };
    assert_eq!(running.revoke(&admin, &stolen(150)).status, 200);
    assert_eq!(running.revoke(&mallory, &stolen(50)).status, 202);
    let reply = running.revoke(&admin, &stolen(100));
    assert_eq!((reply.status, reply.code().as_str()), (409, "pending.another_waits"));
    let detail = reply.json()["detail"].as_str().expect("text").to_owned();
    assert!(detail.contains(&key_sha256(&named)), "{detail}");
    running.stop().await;
    let kinds: Vec<_> = ledger(&world).into_iter().map(|(kind, _)| kind).collect();
    let partly = kinds.iter().filter(|kind| *kind == "revocation.partly_done").count();
    assert_eq!(partly, 1, "{kinds:?}");
}

/// C10: the `index.txt` of a CA that is taken over says that a key was stolen; its other certificates stayed good.
#[tokio::test(flavor = "multi_thread")]
async fn an_imported_compromise_takes_the_key_and_every_list_shows_it() {
    let (world, running, admin, []) = scene([]).await;
    let [named, other, later] = [world.signer(), world.signer(), world.signer()];
    running.register(&admin, &[&other]);
    let [stolen, end] = [since(&world, 100), since(&world, -86_400)].map(|time| {
        let digits: String = time.chars().filter(char::is_ascii_digit).collect();
        format!("{}Z", &digits[2..])
    });
    let index = format!(
        "R\t{end}\t{stolen},keyCompromise\t{}\tunknown\t/CN=x\n",
        serial(&named).to_uppercase()
    );
    let path = "/v1/import/signing";
    let reply = running.admin(&admin, "POST", path, index.as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(revoked(&running, &admin, &other), None);
    running.register(&admin, &[&named]);
    running.register(&admin, &[&later]);
    for der in [&named, &other, &later] {
        let (reason, _) = revoked(&running, &admin, der).expect("not good");
        assert_eq!(reason, "keyCompromise");
    }
    let reply = get(running.public, "/crl/signing.crl");
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    assert_eq!(list.entries().count(), 3);
    running.stop().await;
}
