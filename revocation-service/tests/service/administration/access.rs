//! Each role against each endpoint; who is nobody gets nothing.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use countersign_daemon::{admin::Role as _, rate::RateSettings};
use countersign_revocation::admin::{Needs, ROUTES, Role};
use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::{
    http::Reply,
    world::{World, serial},
};

const ROLES: [Role; 5] =
    [Role::Registrar, Role::Revoker, Role::Approver, Role::Auditor, Role::Reader];

/// A path of that form that leads to nothing.
fn path(template: &str) -> String {
    template.replace("{issuer}", "nobody").replace("{serial}", "01").replace("{id}", "99")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_what_the_table_says_and_nothing_else() {
    let world = World::new();
    let mut config = world.config();
    let mut clients: Vec<(Vec<Role>, Arc<ClientConfig>)> = Vec::new();
    world.with_admin(&mut config);
    for role in ROLES {
        clients.push((vec![role], world.with_person(&mut config, role.name(), &[role])));
    }
    let both = [Role::Registrar, Role::Revoker];
    clients.push((both.to_vec(), world.with_person(&mut config, "both", &both)));
    let unlisted = world.client_of(&world, "unlisted");
    let running = world.start(config).await;
    for route in ROUTES {
        let method = route.methods[0].as_str();
        // By hand, not by `Needs::allow`: the table says which roles, here is what that means.
        for (roles, client) in &clients {
            let may = match route.endpoint.needs {
                Needs::Anybody => true,
                Needs::All(needed) => needed.iter().all(|role| roles.contains(role)),
            };
            let reply = running.admin(client, method, &path(route.path), b"!");
            let denied = reply.status == 403;
            assert_eq!(!denied, may, "{roles:?} {} {}: {reply:?}", method, route.path);
            if denied {
                assert_eq!(reply.code(), "actor.forbidden");
            }
        }
        let reply = running.admin(&unlisted, method, &path(route.path), b"!");
        assert_eq!((reply.status, reply.code().as_str()), (403, "actor.unknown"));
    }
    running.stop().await;
    let denied = super::ledger(&world).into_iter().filter(|(kind, _)| kind == "access.denied");
    assert!(denied.count() > ROUTES.len());
}

/// F16: whoever may do nothing filled the ledger, a line and a sync each.
#[tokio::test(flavor = "multi_thread")]
async fn denials_are_summed_up_and_rated() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    let bob = world.with_person(&mut config, "bob", &[Role::Reader]);
    let rate = RateSettings { burst: Some(20), ..RateSettings::per_second(1) };
    config.admin_rate = rate;
    let running = world.start(config).await;
    let replies: Vec<_> = (0..80)
        .map(|_| running.admin(&bob, "POST", "/v1/backups", b""))
        .map(|reply| (reply.status, reply.code()))
        .collect();
    let denied = replies.iter().filter(|(status, _)| *status == 403).count();
    let rated = replies.iter().filter(|(_, code)| code == "request.rate.exceeded").count();
    assert_eq!(denied + rated, 80, "{replies:?}");
    assert!(denied >= 20 && rated > 0, "{denied} denied, {rated} rated");
    running.stop().await;
    let record = super::ledger(&world);
    let lines: Vec<_> = record.iter().filter(|(kind, _)| kind == "access.denied").collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0].1["certificate"].as_str().map(|text| text.contains("bob")), Some(true));
    let (sum, path) = (&lines[1].1, &json!("/v1/backups"));
    assert_eq!((&sum["times"], &sum["path"]), (&json!(denied - 1), path));
    assert_eq!(
        (&sum["actor"], &sum["code"]),
        (&json!("bob@example.test"), &json!("actor.forbidden"))
    );
}

fn document() -> Value {
    let text = include_str!("../../../../docs/revocation-service.openapi.json");
    serde_json::from_str(text).expect("JSON")
}

/// Holds a reply against what the document says of it.
fn conform(document: &Value, (method, path): (&str, &str), reply: &Reply) {
    let operation = &document["paths"][path][method.to_lowercase()];
    let mut schema =
        operation["responses"][reply.status.to_string()]["content"]["application/json"]["schema"]
            .clone();
    assert!(schema.is_object(), "{method} {path} {reply:?}");
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let answer = reply.json();
    let faults: Vec<_> = validator.iter_errors(&answer).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{method} {path}: {faults:?} in {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_shapes_that_the_openapi_document_promises() {
    let document = document();
    let world = World::new();
    let mut config = world.config();
    config.backup_folder = Some(world.folder.path().to_owned());
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [signer, held] = [world.signer(), world.signer()];
    let text = Base64::encode_string(&signer);
    let certificate = format!("/v1/certificates/signing/{}", serial(&signer));
    let order = |reason: &str, der: &[u8]| super::order(der, reason, &json!({ "comment": "why" }));
    let since = json!({ "compromised_since": world.now.to_string() });
    let index = format!("V\t490603100000Z\t\t{:X}\tunknown\t/CN=x\n", 0xA1);
    let none = String::new;
    let steps = [
        ("POST", "/v1/certificates", none(), held.clone()),
        ("POST", "/v1/certificates", none(), [signer.as_slice(), &held].concat()),
        ("POST", "/v1/certificates", none(), held.clone()),
        (
            "POST",
            "/v1/releases",
            none(),
            json!({ "bundle_sha256": "ab".repeat(32), "name": "App", "certificate": text })
                .to_string()
                .into(),
        ),
        ("POST", "/v1/revocations", none(), order("certificateHold", &held).to_string().into()),
        ("POST", "/v1/revocations", none(), order("removeFromCRL", &held).to_string().into()),
        (
            "POST",
            "/v1/pending/{id}/withdraw",
            "/v1/pending/1/withdraw".to_owned(),
            b"{\"comment\": \"not yet\"}".to_vec(),
        ),
        (
            "POST",
            "/v1/revocations",
            none(),
            super::order(&signer, "keyCompromise", &since).to_string().into(),
        ),
        (
            "POST",
            "/v1/revocations",
            none(),
            json!({ "key_sha256": super::key_sha256(&signer), "reason": "superseded" })
                .to_string()
                .into(),
        ),
        ("GET", "/v1/certificates/{issuer}/{serial}", certificate, Vec::new()),
        (
            "GET",
            "/v1/certificates/{issuer}",
            "/v1/certificates/signing?limit=1".to_owned(),
            Vec::new(),
        ),
        ("GET", "/v1/issuers", none(), Vec::new()),
        ("GET", "/v1/keys", none(), Vec::new()),
        ("GET", "/v1/pending", none(), Vec::new()),
        ("GET", "/v1/releases", none(), Vec::new()),
        ("GET", "/v1/openapi.json", none(), Vec::new()),
        ("POST", "/v1/import/{issuer}", "/v1/import/signing".to_owned(), index.into()),
        ("POST", "/v1/import", none(), b"{\"kind\":\"export\",\"format\":1}".to_vec()),
        ("POST", "/v1/backups", none(), Vec::new()),
    ];
    for (method, template, path, body) in &steps {
        let path = if path.is_empty() { template } else { path.as_str() };
        let reply = running.admin(&admin, method, path, body);
        conform(&document, (method, template), &reply);
    }
    running.stop().await;
}

#[test]
fn the_openapi_document_has_every_route_and_its_roles_and_no_other() {
    let document = document();
    let mut documented = Vec::new();
    let mut taken: Vec<(String, Vec<String>)> = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if method == "parameters" {
                continue;
            }
            let roles = operation["x-roles"].as_array().expect("x-roles").iter();
            let roles: Vec<_> =
                roles.map(|role| role.as_str().expect("a role").to_owned()).collect();
            documented.push((method.to_uppercase(), path.clone(), roles));
            if let Some(content) = operation["requestBody"]["content"].as_object() {
                taken.push((path.clone(), content.keys().cloned().collect()));
            }
            assert!(operation["summary"].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let is_said = response["description"].is_string() || status == "default";
                assert!(is_said, "{method} {path} {status}");
            }
        }
    }
    let mut known: Vec<_> = ROUTES
        .iter()
        .map(|route| {
            let roles = match route.endpoint.needs {
                Needs::Anybody => Vec::new(),
                Needs::All(roles) => roles.iter().map(|role| role.name().to_owned()).collect(),
            };
            (route.methods[0].to_string(), route.path.to_owned(), roles)
        })
        .collect();
    documented.sort();
    known.sort();
    assert_eq!(documented, known);
    let mut known: Vec<(String, Vec<String>)> = ROUTES
        .iter()
        .filter(|route| !route.takes.is_empty())
        .map(|route| {
            let mut media_types: Vec<_> = route.takes.iter().map(|&each| each.to_owned()).collect();
            media_types.sort();
            (route.path.to_owned(), media_types)
        })
        .collect();
    for (_, media_types) in &mut taken {
        media_types.sort();
    }
    taken.sort();
    known.sort();
    assert_eq!(taken, known, "media types");
}
