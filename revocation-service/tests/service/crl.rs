//! CRLs: current after every acknowledged revocation, never repeating a number, never overdue.

use std::{fs, net::SocketAddr, sync::Arc};

use countersign_core::{
    asn1,
    crl::{CertificateList, RevocationReason},
    crypto::aws_lc::AwsLc,
    digest::HashAlgorithm,
    ocsp::{CertificateStatus, OcspResponse, OcspResponseStatus},
    policy::Revocation,
    revocation::{Freshness, RevocationEvidence},
    time::UnixSeconds,
    x509::{Certificate, VerifiedLink},
};
use countersign_revocation::{
    config::IssuerConfig,
    publish::{CrlsElsewhere, authority},
    register::storage::Storage,
};
use countersign_signing::{
    crl::{CrlBuilder, CrlTerms, RevokedCertificate},
    ocsp::{cert_id, request},
    profile::Authority,
};
use serde_json::json;

use crate::{
    administration::forged_client,
    http::{Reply, get, send},
    world::{BASE_URL, World, serial},
};

const PATH: &str = "/crl/signing.crl";

fn number(reply: &Reply) -> u64 {
    assert_eq!(reply.status, 200, "{reply:?}");
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    asn1::unsigned(list.extensions.number.expect("a CRLNumber"), "number").expect("a number")
}

/// Serial numbers in hexadecimal, reason and date, as listed.
fn entries(reply: &Reply) -> Vec<(String, RevocationReason, UnixSeconds)> {
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    list.entries()
        .map(|entry| {
            let entry = entry.expect("a good entry");
            assert_eq!(entry.invalidity_date, Some(entry.revocation_date));
            let serial = countersign_core::x509::certificate::serial_text(entry.serial);
            (serial, entry.reason, entry.revocation_date)
        })
        .collect()
}

fn ocsp_status(address: SocketAddr, issuer: &[u8], certificate: &[u8]) -> CertificateStatus {
    ocsp_answer(address, issuer, certificate).0
}

/// Status and archiveCutoff.
fn ocsp_answer(
    address: SocketAddr,
    issuer: &[u8],
    certificate: &[u8],
) -> (CertificateStatus, Option<UnixSeconds>) {
    let serial = Certificate::decode(certificate).expect("a certificate").serial;
    let id = cert_id(HashAlgorithm::Sha256, issuer, serial).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    let reply = send(address, "POST", "/", &[header], &request(&[id], None));
    let response = OcspResponse::decode(&reply.body).expect("an OCSP response");
    let answer = response.basic.expect("an answer").responses[0];
    (answer.status, answer.archive_cutoff)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_next_crl_and_answer_show_an_acknowledged_revocation() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config.clone()).await;
    let issuer = world.ca.certificate(Authority::Signing);
    let signers: Vec<_> = (0..5).map(|_| world.signer()).collect();
    running.register(&admin, &signers.iter().map(Vec::as_slice).collect::<Vec<_>>());

    let mut before = number(&get(running.public, PATH));
    assert_eq!(entries(&get(running.public, PATH)), []);
    let mut expected = Vec::new();
    for (index, signer) in signers.iter().enumerate() {
        assert_eq!(ocsp_status(running.public, issuer, signer), CertificateStatus::Good);
        let since = world.now.minus_seconds(i64::try_from(index).expect("small") * 10);
        let order = json!({
            "issuer": "signing", "serial": serial(signer),
            "reason": "keyCompromise", "compromised_since": since.to_string(),
        });
        assert_eq!(running.revoke(&admin, &order).status, 200);
        let reply = get(running.public, PATH);
        expected.push((serial(signer), RevocationReason::KeyCompromise, since));
        // A serial whose first octet is small is shorter in hexadecimal: order is not compared.
        let mut listed = entries(&reply);
        listed.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(listed, expected);
        assert!(number(&reply) > before);
        before = number(&reply);
        let revoked = CertificateStatus::Revoked {
            revocation_time: since,
            reason: RevocationReason::KeyCompromise,
        };
        assert_eq!(ocsp_status(running.public, issuer, signer), revoked);
    }

    // The CRL's scope is to the letter what the certificates say, and caches know what they have.
    let reply = get(running.public, PATH);
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    let (critical, point) = list.extensions.issuing_distribution_point.clone().expect("an IDP");
    assert!(critical.is_set());
    let signer = Certificate::decode(&signers[0]).expect("a certificate");
    assert_eq!(point.urls, signer.extensions.crl_urls);
    assert_eq!(point.urls, [format!("{BASE_URL}{PATH}")]);
    let key = Certificate::decode(issuer).expect("a certificate").public_key;
    assert!(key.verifies(&AwsLc, &list.signature_algorithm, list.tbs, list.signature));
    assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert!(
        reply.header("cache-control").expect("Cache-Control").starts_with("max-age=300, public")
    );
    let tag = reply.header("etag").expect("an ETag").to_owned();
    let unchanged = send(running.public, "GET", PATH, &[("If-None-Match", &tag)], b"");
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));

    // A restart serves the same one.
    running.stop().await;
    let running = world.start(config).await;
    assert_eq!(get(running.public, PATH).body, reply.body);
    let reply = get(running.public, "/ca/signing.cer");
    assert_eq!(reply.body, issuer);
    let tag = reply.header("etag").expect("an ETag").to_owned();
    let unchanged = send(running.public, "GET", "/ca/signing.cer", &[("If-None-Match", &tag)], b"");
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crl_is_renewed_after_half_its_time_and_never_served_overdue() {
    let world = World::new();
    let mut config = world.config();
    let _admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let first = get(running.public, PATH);
    let half = i64::from(7 * 86_400 / 2);
    running.set_clock(world.now.plus_seconds(half - 1));
    assert_eq!(number(&get(running.public, PATH)), number(&first));
    running.set_clock(world.now.plus_seconds(half));
    running.wait("a new CRL", || number(&get(running.public, PATH)) > number(&first)).await;
    let second =
        CertificateList::decode(&get(running.public, PATH).body).map(|list| list.this_update);
    assert_eq!(second, Ok(world.now.plus_seconds(half)));

    // The issuer itself ran out: there can be no new CRL, and the old one is not served.
    running.set_clock(world.now.plus_seconds(20 * 365 * 86_400));
    let reply = get(running.public, PATH);
    assert_eq!((reply.status, reply.code().as_str()), (503, "crl.overdue"));
    assert!(reply.header("retry-after").is_some());
    assert_eq!(get(running.public, "/readyz").status, 503);

    // A revocation that no CRL can show is recorded and not acknowledged; repeated, it is.
    let signer = world.signer();
    let admin = forged_client(&world, "email:admin@example.test", 30 * 365);
    running.register(&admin, &[&signer]);
    let order = json!({
        "issuer": "signing", "serial": serial(&signer),
        "reason": "superseded", "compromised_since": world.now.to_string(),
    });
    let reply = running.revoke(&admin, &order);
    assert_eq!((reply.status, reply.code().as_str()), (503, "crl.not_published"));
    running.set_clock(world.now.plus_seconds(half));
    assert_eq!(running.revoke(&admin, &order).status, 200);
    let shown = entries(&get(running.public, PATH));
    assert_eq!(shown, [(serial(&signer), RevocationReason::Superseded, world.now)]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_no_crl_shows_yet_is_not_ready_and_is_made_good() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let database = world.path("revocation.db");
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opened");
    let trouble =
        "CREATE TRIGGER trouble BEFORE INSERT ON crls BEGIN SELECT RAISE(ABORT, 'x'); END";
    sqlx::query(trouble).execute(&pool).await.expect("in trouble");
    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    let reply = running.revoke(&admin, &order);
    assert_eq!((reply.status, reply.code().as_str()), (503, "crl.not_published"));
    let ready = || get(running.public, "/readyz").status;
    running.wait("the fault to be seen", || ready() == 503).await;
    sqlx::query("DROP TRIGGER trouble").execute(&pool).await.expect("mended");
    running.wait("readiness", || ready() == 200).await;
    assert_eq!(entries(&get(running.public, PATH)).len(), 1);
    pool.close().await;
    running.stop().await;
}

/// Writes a CRL of the root, made "elsewhere".
fn write_root_crl(world: &World, number: u64, revoked: &[&[u8]], days: i64) {
    write_root_crl_until(world, number, revoked, world.now.plus_seconds(days * 86_400));
}

fn write_root_crl_until(world: &World, number: u64, revoked: &[&[u8]], next_update: UnixSeconds) {
    let mut builder = world
        .ca
        .crl(Authority::Root, number, world.now.minus_seconds(10), next_update)
        .expect("a builder");
    for certificate in revoked {
        builder.revoke(&RevokedCertificate {
            serial: Certificate::decode(certificate).expect("a certificate").serial,
            revocation_date: world.now.minus_seconds(60),
            reason: RevocationReason::CaCompromise,
        });
    }
    let key = world.ca.signer(Authority::Root).expect("the root's key");
    fs::write(world.path("root.crl.new"), builder.build(key.as_ref()).expect("signed"))
        .expect("written");
    fs::rename(world.path("root.crl.new"), world.path("root.crl")).expect("renamed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_says_of_an_expired_certificate_still_counts() {
    let world = World::new();
    let mut config = world.config();
    let (issuer, crypto, rules) =
        (world.ca.certificate(Authority::Signing), AwsLc, Revocation::default());
    let issuer = Certificate::decode(issuer).expect("a certificate");
    let [good, revoked] = [world.signer_for(3_600), world.signer_for(3_600)];
    let later = world.now.plus_seconds(7_200);
    let admin = world.with_admin(&mut config);
    let running = world.start_at(config, later).await;
    // Registered and revoked after the expiry, for a compromise before it.
    running.register(&admin, &[&good, &revoked]);
    let since = world.now.plus_seconds(60);
    let order = json!({
        "issuer": "signing", "serial": serial(&revoked),
        "reason": "keyCompromise", "compromised_since": since.to_string(),
    });
    let reply = running.revoke(&admin, &order);
    assert_eq!(reply.status, 200, "{reply:?}");
    let list = get(running.public, PATH).body;
    for (certificate, expected) in
        [(&good, None), (&revoked, Some((RevocationReason::KeyCompromise, since)))]
    {
        let certificate = Certificate::decode(certificate).expect("a certificate");
        assert!(certificate.not_after < later);
        let id = cert_id(HashAlgorithm::Sha512, issuer.raw, certificate.serial).expect("a CertID");
        let header = ("Content-Type", "application/ocsp-request");
        let answer = send(running.public, "POST", "/", &[header], &request(&[id], None)).body;
        for (crls, answers) in [(vec![&list[..]], vec![]), (vec![], vec![&answer[..]])] {
            let mut evidence = RevocationEvidence::decode(&crls, &answers).expect("evidence");
            let link = VerifiedLink::verify(&certificate, &issuer, &crypto).expect("a link");
            let standing = evidence.standing(link, &rules, &crypto, later);
            let known = standing.known.unwrap_or_else(|| panic!("{:?}", standing.faults));
            assert_eq!(known.revoked, expected);
            assert_eq!(known.freshness, Freshness::Fresh);
        }
    }
    running.stop().await;
}

/// A CRL of the root that does not say whether it keeps expired certificates.
fn write_forgetful_root_crl(world: &World, number: u64, since: Option<UnixSeconds>) {
    let terms = CrlTerms {
        number,
        this_update: world.now.minus_seconds(10),
        next_update: world.now.plus_seconds(86_400),
        distribution_point: String::new(),
        expired_certificates_since: since,
    };
    let builder = CrlBuilder::new(world.ca.certificate(Authority::Root), terms);
    let key = world.ca.signer(Authority::Root).expect("the root's key");
    let crl = builder.expect("a builder").build(key.as_ref()).expect("signed");
    fs::write(world.path("root.crl.new"), crl).expect("written");
    fs::rename(world.path("root.crl.new"), world.path("root.crl")).expect("renamed");
}

#[tokio::test(flavor = "multi_thread")]
async fn says_since_when_expired_certificates_are_kept_and_no_more_than_a_crl_made_elsewhere_does()
{
    let world = World::new();
    let delegate = world.delegate("root-delegate", Authority::Root);
    let root = IssuerConfig {
        key: None,
        crl_file: Some(world.path("root.crl")),
        ..world.issuer(Authority::Root, Some(&delegate))
    };
    let delegate = world.delegate("delegate", Authority::Signing);
    let signing = world.issuer(Authority::Signing, Some(&delegate));
    let mut config = world.config_of(vec![root, signing]);
    let admin = world.with_admin(&mut config);
    let since = world.now.minus_seconds(5_000);
    write_forgetful_root_crl(&world, 7, Some(since));
    let running = world.start(config).await;
    let signer = world.signer();
    let (root, signing) =
        (world.ca.certificate(Authority::Root), world.ca.certificate(Authority::Signing));
    running.register(&admin, &[&signer, signing]);
    // Our own lists and answers: since the issuer is there.
    let not_before = Certificate::decode(signing).expect("a certificate").not_before;
    let good = CertificateStatus::Good;
    assert_eq!(ocsp_answer(running.public, signing, &signer), (good, Some(not_before)));
    let reply = get(running.public, PATH);
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    assert_eq!(list.extensions.expired_certificates_since, Some(not_before));
    // Those that follow another's list: what it says.
    assert_eq!(ocsp_answer(running.public, root, signing), (good, Some(since)));
    write_forgetful_root_crl(&world, 8, None);
    let says_nothing = || ocsp_answer(running.public, root, signing) == (good, None);
    running.wait("the eighth CRL", says_nothing).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_crl_made_elsewhere_and_follows_its_file() {
    let world = World::new();
    let delegate = world.delegate("root-delegate", Authority::Root);
    let root = IssuerConfig {
        key: None,
        crl_file: Some(world.path("root.crl")),
        ..world.issuer(Authority::Root, Some(&delegate))
    };
    let mut config = world.config_of(vec![root]);
    let admin = world.with_admin(&mut config);
    write_root_crl(&world, 7, &[], 30);
    let running = world.start(config.clone()).await;
    let served = || get(running.public, "/crl/root.crl").body;
    let file = || fs::read(world.path("root.crl")).expect("a file");
    assert_eq!(served(), file());

    let root = world.ca.certificate(Authority::Root);
    let intermediate = world.ca.certificate(Authority::Timestamping);
    running.register(&admin, &[intermediate]);
    assert_eq!(ocsp_status(running.public, root, intermediate), CertificateStatus::Good);
    let order = json!({"issuer": "root", "serial": serial(intermediate), "reason": "superseded"});
    let reply = running.revoke(&admin, &order);
    assert_eq!((reply.status, reply.code().as_str()), (409, "issuer.offline"));

    // A new file is served, and OCSP says what it says.
    write_root_crl(&world, 8, &[intermediate], 30);
    running.wait("the new CRL", || served() == file()).await;
    let revoked = CertificateStatus::Revoked {
        revocation_time: world.now.minus_seconds(60),
        reason: RevocationReason::CaCompromise,
    };
    assert_eq!(ocsp_status(running.public, root, intermediate), revoked);

    let eighth = file();
    write_root_crl(&world, 9, &[intermediate], 60);
    running.wait("the ninth CRL", || served() == file()).await;
    running.stop().await;

    // Not even a restart goes back: it serves the one it had.
    let ninth = file();
    fs::write(world.path("root.crl"), &eighth).expect("written");
    let running = world.start(config).await;
    assert_eq!(get(running.public, "/crl/root.crl").body, ninth);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_without_a_good_crl_file_keeps_no_other_from_being_served() {
    for trouble in ["overdue", "missing", "garbage"] {
        let world = World::new();
        let delegate = world.delegate("root-delegate", Authority::Root);
        let root = IssuerConfig {
            key: None,
            crl_file: Some(world.path("root.crl")),
            ..world.issuer(Authority::Root, Some(&delegate))
        };
        let other = world.delegate("delegate", Authority::Signing);
        let mut config =
            world.config_of(vec![root, world.issuer(Authority::Signing, Some(&other))]);
        let admin = world.with_admin(&mut config);
        match trouble {
            "overdue" => write_root_crl_until(&world, 7, &[], world.now),
            "garbage" => fs::write(world.path("root.crl"), b"garbage").expect("written"),
            _ => {}
        }
        let running = world.start_unready(config).await;
        let ready = get(running.public, "/readyz");
        assert_eq!(ready.status, 503, "{trouble}");
        let said = String::from_utf8_lossy(&ready.body).into_owned();
        assert!(said.contains("root") && !said.contains("signing"), "{said}");
        let reply = get(running.public, "/crl/root.crl");
        assert_eq!((reply.status, reply.code().as_str()), (503, "crl.overdue"), "{trouble}");
        let [root, signing] =
            [Authority::Root, Authority::Signing].map(|name| world.ca.certificate(name));
        assert_eq!(refusal(running.public, root, signing), OcspResponseStatus::TryLater);

        // The other is served in full.
        let signer = world.signer();
        running.register(&admin, &[&signer]);
        assert_eq!(ocsp_status(running.public, signing, &signer), CertificateStatus::Good);
        assert_eq!(get(running.public, PATH).status, 200);

        // A good file mends it without a restart.
        write_root_crl(&world, 8, &[], 30);
        running.wait("readiness", || get(running.public, "/readyz").status == 200).await;
        assert_eq!(get(running.public, "/crl/root.crl").status, 200);
        running.stop().await;
    }
}

fn refusal(address: SocketAddr, issuer: &[u8], certificate: &[u8]) -> OcspResponseStatus {
    let serial = Certificate::decode(certificate).expect("a certificate").serial;
    let id = cert_id(HashAlgorithm::Sha256, issuer, serial).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    let reply = send(address, "POST", "/", &[header], &request(&[id], None));
    OcspResponse::decode(&reply.body).expect("an OCSP response").status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crl_is_served_in_parts_and_by_head() {
    let world = World::new();
    let running = world.start(world.config()).await;
    let whole = get(running.public, PATH);
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let length = whole.body.len();
    let tag = whole.header("etag").expect("an ETag").to_owned();
    let part = |range: &str, condition: &str| {
        let headers = [("Range", range), ("If-Range", condition)];
        send(running.public, "GET", PATH, &headers, b"")
    };
    let first = part("bytes=0-99", &tag);
    let rest = part("bytes=100-", &tag);
    assert_eq!((first.status, rest.status), (206, 206));
    assert_eq!(first.header("content-range"), Some(format!("bytes 0-99/{length}").as_str()));
    assert_eq!([first.body, rest.body].concat(), whole.body);
    // Another version is sent whole; what is not there is said.
    assert_eq!(part("bytes=0-99", "\"other\"").body, whole.body);
    let beyond = part(&format!("bytes={length}-"), &tag);
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{length}").as_str()));
    let head = send(running.public, "HEAD", PATH, &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(length.to_string().as_str()));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_crl_file_vouches_for_nothing_but_what_it_lists() {
    let world = World::new();
    let delegate = world.delegate("root-delegate", Authority::Root);
    let root = IssuerConfig {
        key: None,
        crl_file: Some(world.path("root.crl")),
        ..world.issuer(Authority::Root, Some(&delegate))
    };
    let mut config = world.config_of(vec![root]);
    config.ocsp_validity_seconds = 10 * 86_400;
    let admin = world.with_admin(&mut config);
    let [good, revoked] =
        [Authority::Signing, Authority::Timestamping].map(|name| world.ca.certificate(name));
    write_root_crl(&world, 7, &[revoked], 2);
    let running = world.start(config).await;
    running.register(&admin, &[good, revoked]);
    let root = world.ca.certificate(Authority::Root);
    let ask = |certificate: &[u8]| {
        let serial = Certificate::decode(certificate).expect("a certificate").serial;
        let id = cert_id(HashAlgorithm::Sha256, root, serial).expect("a CertID");
        let header = ("Content-Type", "application/ocsp-request");
        send(running.public, "POST", "/", &[header], &request(&[id], None)).body
    };
    // An answer is good for no longer than the CRL that it follows.
    let runs_out = world.now.plus_seconds(2 * 86_400);
    let body = ask(good);
    let answer = OcspResponse::decode(&body).expect("an answer").basic.expect("an answer");
    assert_eq!(answer.responses[0].next_update, Some(runs_out));

    running.set_clock(runs_out);
    let refusal = ask(good);
    let refusal = OcspResponse::decode(&refusal).expect("an answer");
    assert_eq!(refusal.status, OcspResponseStatus::TryLater);
    assert!(matches!(
        ocsp_status(running.public, root, revoked),
        CertificateStatus::Revoked { .. }
    ));
    running.stop().await;
}

#[tokio::test]
async fn a_crl_file_that_is_not_good_changes_nothing() {
    let world = World::new();
    let config = IssuerConfig {
        key: None,
        crl_file: Some(world.path("root.crl")),
        ..world.issuer(Authority::Root, None)
    };
    write_root_crl(&world, 8, &[], 30);
    let authority = Arc::new(authority::Authority::load(&config, None).expect("loaded"));
    let storage = Arc::new(Storage::open_file(&world.path("revocation.db")).await.expect("opened"));
    let issuer = storage.bind_issuer("root", authority.spki_sha256()).await.expect("bound");
    let path = world.path("root.crl");
    let watch = CrlsElsewhere::open(authority, issuer, storage, Some(path.clone()), world.now)
        .await
        .expect("good");
    let eighth = watch.current().expect("a CRL").der.clone();

    let other_root_key = {
        let other = World::new();
        write_root_crl(&other, 9, &[], 30);
        fs::read(other.path("root.crl")).expect("a file")
    };
    let same_number = {
        write_root_crl(&world, 8, &[world.ca.certificate(Authority::Service)], 30);
        fs::read(&path).expect("a file")
    };
    write_root_crl(&world, 9, &[], 60);
    let ninth = fs::read(&path).expect("a file");
    let mut damaged = ninth.clone();
    *damaged.last_mut().expect("octets") ^= 1;
    for bad in [&damaged[..], b"garbage", &ninth[..100], &[], &same_number, &other_root_key] {
        fs::write(world.path("next"), bad).expect("written");
        fs::rename(world.path("next"), &path).expect("renamed");
        watch.refresh(world.now).await.expect_err("refused");
        assert_eq!(watch.current().expect("a CRL").der, eighth);
        watch.refresh(world.now).await.expect("the same file is not tried again");
    }
    fs::remove_file(&path).expect("removed");
    watch.refresh(world.now).await.expect_err("there is none");
    assert_eq!(watch.current().expect("a CRL").der, eighth);
    fs::write(&path, &ninth).expect("written");
    watch.refresh(world.now).await.expect("good again");
    assert_eq!(watch.current().expect("a CRL").der, ninth);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_crl_is_published_and_none_goes_back() {
    let world = World::new();
    let delegate = world.delegate("root-delegate", Authority::Root);
    let root = IssuerConfig {
        key: None,
        crl_upload: true,
        ..world.issuer(Authority::Root, Some(&delegate))
    };
    let mut config = world.config_of(vec![root]);
    let admin = world.with_admin(&mut config);
    let running = world.start_unready(config.clone()).await;
    assert_eq!(get(running.public, "/crl/root.crl").status, 503);
    let crl = |number, revoked: &[&[u8]]| {
        write_root_crl(&world, number, revoked, 30);
        fs::read(world.path("root.crl")).expect("a file")
    };
    let upload = |der: &[u8]| running.admin(&admin, "POST", "/v1/issuers/root/crl", der);
    let intermediate = world.ca.certificate(Authority::Timestamping);
    let [seventh, eighth] = [crl(7, &[]), crl(8, &[intermediate])];
    let other = {
        let other = World::new();
        write_root_crl(&other, 9, &[], 30);
        fs::read(other.path("root.crl")).expect("a file")
    };
    assert_eq!(upload(&seventh).status, 200);
    running.wait("readiness", || get(running.public, "/readyz").status == 200).await;
    assert_eq!(upload(&eighth).json()["number"], 8);
    assert_eq!(upload(&eighth).status, 200, "the same again");
    let mut damaged = crl(9, &[]);
    *damaged.last_mut().expect("octets") ^= 1;
    for (bad, status, code) in [
        (&seventh, 409, "crl.number.not_greater"),
        (&other, 400, "crl.signature"),
        (&damaged, 400, "crl.signature"),
        (&b"garbage".to_vec(), 400, "crl.malformed"),
    ] {
        let reply = upload(bad);
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
        assert_eq!(get(running.public, "/crl/root.crl").body, eighth);
    }
    let root = world.ca.certificate(Authority::Root);
    assert!(matches!(
        ocsp_status(running.public, root, intermediate),
        CertificateStatus::Revoked { .. }
    ));
    running.stop().await;
    // On disk before it was acknowledged.
    let running = world.start(config).await;
    assert_eq!(get(running.public, "/crl/root.crl").body, eighth);
    running.stop().await;
}
