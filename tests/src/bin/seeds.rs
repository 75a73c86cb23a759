//! Writes the seeds of the fuzz targets: one genuine object of each kind.
//!
//! `cargo run -p countersign-tests --bin countersign-seeds -- fuzz/seeds`

use std::{env, fs, path::Path, process::ExitCode};

use countersign_core::digest::{HashAlgorithm, digest};
use countersign_core::{
    bundle::Bundle, bundle::Content, crl::RevocationReason, crypto::aws_lc::AwsLc,
};
use countersign_signing::{
    key::Signer as _,
    ocsp::{self, CertificateStatus, cert_id},
    profile::Authority,
    tsp::TimestampRequestBuilder,
};
use countersign_tests::{
    corpus::{
        keys::private_case,
        presented::{github_answer, line, python_attestation, python_provenance},
        statements::{EXPECTATIONS, PROVENANCE_V1, PROVENANCE_V02},
    },
    forge::{ForgeKey, in_ber},
    log::{Kind, Log, list, with_entries},
    world::{NOW, World},
};

const FILE: &[u8] = b"the published program";

fn main() -> ExitCode {
    let Some(folder) = env::args().nth(1) else {
        eprintln!("usage: countersign-seeds FOLDER");
        return ExitCode::from(2);
    };
    for (target, name, octets) in seeds() {
        let folder = Path::new(&folder).join(target);
        let written =
            fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(name), octets));
        if let Err(error) = written {
            eprintln!("countersign-seeds: {}: {error}", folder.display());
            return ExitCode::from(3);
        }
    }
    ExitCode::SUCCESS
}

/// Leaf, anchor, intermediate, each behind its length.
fn path_seed(world: &World) -> Vec<u8> {
    let anchor = world.authority.certificate(Authority::Root);
    let authority = world.authority.certificate(Authority::Signing);
    let mut seed = Vec::new();
    for certificate in [&world.signer.certificate[..], anchor, authority] {
        let length = u16::try_from(certificate.len()).expect("a certificate below 64 KiB");
        seed.extend(length.to_be_bytes());
        seed.extend(certificate);
    }
    seed
}

/// The fuzz target, the seed's name, and the octets.
type Seed = (&'static str, &'static str, Vec<u8>);

fn seeds() -> Vec<Seed> {
    let mut world = World::new();
    let signed = NOW.minus_seconds(3_600);
    let message = world.sign(FILE, Some(signed));
    let attested = world.attest("app", FILE, Some(signed));
    let statement = match Bundle::decode(&attested).map(|bundle| bundle.content) {
        Ok(Content::Envelope(envelope)) => envelope.payload,
        _ => Vec::new(),
    };
    let revoked = (world.signer.serial(), RevocationReason::KeyCompromise, signed);
    let crl = world.crl(Authority::Signing, NOW.minus_seconds(60), &[revoked]);
    let response = world.ocsp(CertificateStatus::Good, NOW.minus_seconds(60));
    let trust = world.trusted_root.clone().into_bytes();
    let id = cert_id(
        HashAlgorithm::Sha1,
        world.authority.certificate(Authority::Signing),
        &world.signer.serial(),
    )
    .unwrap_or_default();
    let imprint = digest(&AwsLc, HashAlgorithm::Sha256, FILE);
    let token = world.timestamp(FILE, signed);
    let log = Log::ed25519("log.example");
    let body = Kind::HashedRekordV2.body(&message);
    let checkpoint = log.checkpoint(13, &[7; 32]).into_bytes();
    let logged = with_entries(&message, &[log.entry(&body, Some(signed))]);
    list(&mut world, &[log.trusted()], &[Log::p256("certificates.example").trusted()]);
    let logs = world.trusted_root.clone().into_bytes();
    let policy = br#"{"version":1,"signers":[{"files":["app-*"],"identities":["*@example.com"]}]}"#;
    let door = [&attested[..], &trust, &crl, &response].join(&b"\n--part--\n"[..]);
    let managed = private_case();
    let expectations = format!(
        r#"{{"version":1,"signers":[{{"files":["**"],"identities":["a@b"],"provenance":{EXPECTATIONS}}}]}}"#
    )
    .into_bytes();
    let mut seeds = vec![
        ("bundle", "message", message.clone()),
        ("bundle", "statement", attested.clone()),
        ("bundle", "logged", logged),
        ("bundle", "managed", managed.bundle.clone()),
        ("inspect", "managed", managed.bundle),
        ("public_key", "p256", managed.key.clone().unwrap_or_default()),
        ("public_key", "rsa", ForgeKey::rsa_2048().spki().to_vec()),
        ("inspect", "public-key", managed.key.unwrap_or_default()),
        ("provenance", "v1", provenance("v1", PROVENANCE_V1)),
        ("provenance", "v02", provenance("v0.2", PROVENANCE_V02)),
        ("policy", "provenance", expectations),
        ("trust_root", "logs", logs),
        ("statement", "release", statement),
        ("trust_root", "private", trust),
        ("policy", "pattern", policy.to_vec()),
        ("certificate", "signer", world.signer.certificate.clone()),
        ("certificate", "root", world.authority.certificate(Authority::Root).to_vec()),
        ("certificate_path", "chain", path_seed(&world)),
        ("timestamp_request", "plain", TimestampRequestBuilder::new(imprint).build()),
        ("timestamp_response", "granted", token.clone()),
        ("timestamp_ber", "throughout", in_ber(&token)),
        ("crl", "one", crl.clone()),
        ("ocsp_request", "one", ocsp::request(&[id], Some(&[7; 32]))),
        ("ocsp_response", "good", response.clone()),
        ("inspect", "bundle", message.clone()),
        ("inspect", "token", token),
        ("inspect", "crl", crl),
        ("inspect", "ocsp", response),
        ("tlog", "checkpoint", checkpoint),
        ("tlog", "hashedrekord", body),
        ("door", "all", door),
    ];
    seeds.extend(presented(&attested, &message));
    seeds
}

fn provenance(version: &str, predicate: &str) -> Vec<u8> {
    let kind = format!("https://slsa.dev/provenance/{version}");
    format!(r#"{{"predicateType":"{kind}","predicate":{predicate}}}"#).into_bytes()
}

/// What people have in place of a bundle.
fn presented(attested: &[u8], message: &[u8]) -> Vec<Seed> {
    vec![
        ("presented", "lines", [line(attested), line(message)].concat().into_bytes()),
        ("presented", "github", github_answer(&[attested]).to_string().into_bytes()),
        (
            "presented",
            "python",
            python_provenance(&[python_attestation(attested)]).to_string().into(),
        ),
        ("presented", "pgp", b"-----BEGIN PGP SIGNATURE-----\n".to_vec()),
    ]
}
