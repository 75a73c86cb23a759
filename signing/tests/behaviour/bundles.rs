//! Everything this crate makes for one signed file, through `countersign_core::verify`.

use std::time::{Duration, SystemTime};

use countersign_core::{
    Artifact, Evidence,
    crl::RevocationReason,
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, digest},
    policy::Policy,
    report::{Report, Verdict},
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TimestampRequest,
    verify,
    x509::Certificate,
};
use countersign_signing::{
    bundle::{self, Bundle, IN_TOTO_PAYLOAD_TYPE, pre_authentication_encoding},
    crl::RevokedCertificate,
    key::{FileKey, NewKey, Signer, random_serial},
    profile::Authority,
    statement::{RELEASE_PREDICATE_TYPE, Statement, Subject},
    trust::{TrustedAuthority, build},
    tsp::{TimestampRequestBuilder, TimestampSigner},
};
use serde_json::Map;

use crate::{authority::TestAuthority, timestamps::policy as timestamp_policy};

const FILE: &[u8] = b"the artifact";

struct World {
    pki: TestAuthority,
    key: FileKey,
    certificate: Vec<u8>,
    tsa: TimestampSigner,
    trust: TrustRoot,
}

impl World {
    fn new(algorithm: NewKey) -> Self {
        let pki = TestAuthority::new(algorithm);
        let signer = pki.code_signer();
        let (tsa_key, chain) = pki.timestamp_authority(algorithm);
        let root = pki.ca.certificate(Authority::Root).to_vec();
        let trusted_tsa = [chain.clone(), vec![root]].concat();
        let json = build(
            &[TrustedAuthority::new("https://ca", pki.ca.chain(Authority::Signing))],
            &[TrustedAuthority::new("https://tsa", trusted_tsa)],
        );
        Self {
            trust: TrustRoot::decode(json.expect("JSON").as_bytes()).expect("a trust root"),
            tsa: TimestampSigner::new(tsa_key, chain, timestamp_policy(1000)).expect("a signer"),
            key: signer.key.expect("a key"),
            certificate: signer.certificate,
            pki,
        }
    }

    fn stamp(&self, signature: &[u8]) -> Vec<u8> {
        let imprint = digest(&AwsLc, HashAlgorithm::Sha384, signature);
        let request = TimestampRequestBuilder::new(imprint).build();
        let request = TimestampRequest::decode(&request).expect("a request");
        let seconds = u64::try_from(self.pki.now.seconds()).expect("after 1970");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        self.tsa.respond(&request, at, random_serial().expect("random")).expect("stamped")
    }

    fn crls(&self, revoked: Option<UnixSeconds>) -> Vec<Vec<u8>> {
        let now = self.pki.now;
        let next = now.plus_seconds(86_400);
        let serial = Certificate::decode(&self.certificate).expect("a certificate").serial;
        Authority::ALL
            .into_iter()
            .map(|authority| {
                let mut builder = self.pki.ca.crl(authority, 1, now, next).expect("a builder");
                if let (Authority::Signing, Some(revocation_date)) = (authority, revoked) {
                    let reason = RevocationReason::KeyCompromise;
                    builder.revoke(&RevokedCertificate { serial, revocation_date, reason });
                }
                builder.build(&*self.pki.ca.signer(authority).expect("a key")).expect("signed")
            })
            .collect()
    }

    fn message_signature(&self) -> String {
        let hash = self.key.scheme().hash_algorithm().expect("no Ed25519");
        let digest = digest(&AwsLc, hash, FILE);
        let signature = self.key.sign_digest(&digest).expect("signed");
        let timestamps = [self.stamp(&signature)];
        let evidence = bundle::Evidence { certificate: &self.certificate, timestamps: &timestamps };
        Bundle::message_signature(&digest, &signature, evidence).to_json().expect("JSON")
    }

    fn envelope(&self) -> String {
        let subject = Subject::new("artifact.bin", &digests(FILE), FILE.len() as u64);
        let statement = Statement::new(vec![subject], RELEASE_PREDICATE_TYPE, Map::new());
        let payload = statement.to_json().expect("JSON");
        let message = pre_authentication_encoding(IN_TOTO_PAYLOAD_TYPE, &payload);
        let signature = self.key.sign(&message).expect("signed");
        let timestamps = [self.stamp(&signature)];
        let evidence = bundle::Evidence { certificate: &self.certificate, timestamps: &timestamps };
        let bundle = Bundle::dsse(IN_TOTO_PAYLOAD_TYPE, &payload, &signature, evidence);
        bundle.to_json().expect("JSON")
    }

    fn verify(&self, bundle: &str, file: &[u8], crls: &[Vec<u8>]) -> Report {
        let digests = digests(file);
        let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact {
                name: Some("artifact.bin"),
                size: Some(file.len() as u64),
                digests: &digests,
                content: Some(file),
                beginning: None,
                ..Artifact::default()
            },
            bundle: bundle.as_bytes(),
            crls: &crls,
            ocsp_responses: &[],
            key: None,
            ..Evidence::default()
        };
        let issuer = Some("https://login.example.org");
        let policy = Policy::for_identity("release@example.org", issuer).expect("a policy");
        verify(&evidence, &self.trust, &policy, &AwsLc, self.pki.now.plus_seconds(30))
    }
}

fn digests(file: &[u8]) -> Vec<Digest> {
    HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, file)).to_vec()
}

#[test]
fn core_verifies_what_we_sign() {
    for algorithm in [NewKey::P384, NewKey::P256] {
        let world = World::new(algorithm);
        let crls = world.crls(None);
        for bundle in [world.message_signature(), world.envelope()] {
            let report = world.verify(&bundle, FILE, &crls);
            assert_eq!(report.verdict(), Verdict::Verified, "{report:#?}");
            let report = world.verify(&bundle, b"another file", &crls);
            assert_eq!(report.verdict(), Verdict::Rejected, "{report:#?}");
        }
    }
}

#[test]
fn core_rejects_what_was_signed_after_the_key_was_compromised() {
    let world = World::new(NewKey::P384);
    let bundle = world.message_signature();
    let before = world.crls(Some(world.pki.now.minus_seconds(100)));
    let report = world.verify(&bundle, FILE, &before);
    assert_eq!(report.exit_code(), 14, "{report:#?}");
    let after = world.crls(Some(world.pki.now.plus_seconds(10)));
    let report = world.verify(&bundle, FILE, &after);
    assert_eq!(report.verdict(), Verdict::Verified, "{report:#?}");
}
