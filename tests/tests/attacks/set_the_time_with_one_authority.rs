//! A signature looks older than it is: one dishonest timestamp authority dates a token back, and a policy
//! that demands a second authority must make that harder and not easier.

use countersign_core::{
    Artifact, Evidence,
    crl::RevocationReason,
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::HashAlgorithm,
    finding::FindingCode,
    policy::Policy,
    report::{Report, Verdict},
    time::UnixSeconds,
    trust::{Authority, TrustRoot, Window},
    verify,
};
use countersign_tests::forge::{
    Chain, CrlDraft, EntryDraft, ForgeKey, IDENTITY, NOW, Release, TokenDraft,
};

/// The key was stolen at 11:20. The thief signs at 11:30, and an authority of his dates that to 11:00.
const DATED_BACK: &str = "20261123110000Z";
const TRUE_TIME: &str = "20261123113000Z";
const THEFT: UnixSeconds = NOW.minus_seconds(40 * 60);

/// The genTime and the accuracy of a second.
const TRULY_SIGNED_BY: UnixSeconds = NOW.minus_seconds(30 * 60 - 1);

struct Scene {
    release: Release,
    honest: Chain,
    dishonest: Chain,
}

impl Scene {
    fn new() -> Self {
        Self {
            release: Release::new(),
            honest: Chain::timestamping_of("honest"),
            dishonest: Chain::timestamping_of("dishonest"),
        }
    }

    /// The verdict on a stolen signature with those tokens.
    fn verdict(&self, trust: &TrustRoot, tokens: &[(&Chain, &str)], required: u8) -> Report {
        let release = &self.release;
        let signature = release.signature(&release.signing.leaf_key);
        let tokens: Vec<Vec<u8>> = tokens
            .iter()
            .map(|(chain, gen_time)| {
                let mut draft = TokenDraft::new(HashAlgorithm::Sha384, &signature);
                (*gen_time).clone_into(&mut draft.info.gen_time);
                let leaf = chain.sign().leaf;
                draft.certificates = vec![leaf.clone()];
                draft.sign(&chain.leaf_key, &leaf)
            })
            .collect();
        let bundle = release.bundle_with(&signature, &tokens);
        let stolen =
            EntryDraft::new(&release.signing.leaf.serial, RevocationReason::KeyCompromise, THEFT);
        let list = CrlDraft::new(&release.signing.authority.subject).revoking(stolen);
        let list = list.sign(&release.signing.authority_key);
        let policy = format!(
            r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}],
                "timestamps":{{"required":{required}}}}}"#
        );
        let policy = Policy::decode(policy.as_bytes()).expect("a policy");
        let digests = Release::digests();
        let artifact =
            Artifact { digests: &digests, beginning: Some(Release::FILE), ..Artifact::default() };
        let crls = [list.as_slice()];
        let evidence = Evidence { artifact, bundle: &bundle, crls: &crls, ..Evidence::default() };
        let report = verify(&evidence, trust, &policy, &AwsLc, NOW);
        assert_eq!(report, verify(&evidence, trust, &policy, &RustCrypto, NOW));
        report
    }

    /// Both authorities, each pinned or by its CA.
    fn trust(&self, of: impl Fn(&Chain, &str) -> Authority) -> TrustRoot {
        let both = vec![of(&self.honest, "https://honest"), of(&self.dishonest, "https://other")];
        TrustRoot { timestamp_authorities: both, ..self.release.trust() }
    }
}

fn authority(uri: &str, chain: Vec<Vec<u8>>) -> Authority {
    Authority::from_chain(uri, chain, Window::default()).expect("an authority")
}

fn pinned(chain: &Chain, uri: &str) -> Authority {
    let signed = chain.sign();
    authority(uri, vec![signed.leaf, signed.authority, signed.root])
}

fn by_its_ca(chain: &Chain, uri: &str) -> Authority {
    let signed = chain.sign();
    authority(uri, vec![signed.authority, signed.root])
}

/// The same authority with another key.
fn rotated(name: &str) -> Chain {
    let mut chain = Chain::timestamping_of(name);
    chain.set_leaf_key(ForgeKey::p384("its next key"));
    chain.leaf.serial = vec![0x41; 16];
    chain
}

#[test]
fn a_second_authority_takes_its_power_from_one_that_lies() {
    let scene = Scene::new();
    let (honest, dishonest) = ((&scene.honest, TRUE_TIME), (&scene.dishonest, DATED_BACK));
    for trust in [scene.trust(pinned), scene.trust(by_its_ca)] {
        // One that lies is enough where one is enough: that is what the policy says.
        let one = scene.verdict(&trust, &[dishonest], 1);
        assert_eq!(one.verdict(), Verdict::Verified, "{:#?}", one.findings());
        for tokens in [[honest, dishonest], [dishonest, honest]] {
            let two = scene.verdict(&trust, &tokens, 2);
            assert_eq!(two.decisive().map(|it| it.code), Some(FindingCode::REVOKED));
            assert_eq!(two.signed_by(), Some(TRULY_SIGNED_BY));
            assert_eq!(two.timestamps.len(), 2, "the other time is shown too");
        }
    }
}

#[test]
fn keys_of_one_authority_are_one() {
    let scene = Scene::new();
    let next = rotated("dishonest");
    let both = [(&scene.dishonest, DATED_BACK), (&next, DATED_BACK)];
    let (honest, dishonest) =
        (pinned(&scene.honest, "https://honest"), pinned(&scene.dishonest, "https://other"));
    let trusts = [
        // Neither key is pinned.
        vec![honest.clone(), by_its_ca(&scene.dishonest, "https://other")],
        // Both are, under the address of one authority.
        vec![honest.clone(), dishonest.clone(), pinned(&next, "https://other")],
        // One is, and the CA of both stands for another entry: nobody can tell which of them it was.
        vec![honest, dishonest, by_its_ca(&next, "https://its-ca")],
    ];
    for (index, timestamp_authorities) in trusts.into_iter().enumerate() {
        let trust = TrustRoot { timestamp_authorities, ..scene.release.trust() };
        let report = scene.verdict(&trust, &both, 2);
        let code = report.decisive().map(|it| it.code);
        assert_eq!(code, Some(FindingCode::TIMESTAMP_ABSENT), "{index}: {:#?}", report.findings());
        // With an honest one besides, its time counts.
        let three = [both[0], both[1], (&scene.honest, TRUE_TIME)];
        let report = scene.verdict(&trust, &three, 2);
        assert_eq!(report.decisive().map(|it| it.code), Some(FindingCode::REVOKED), "{index}");
        assert_eq!(report.signed_by(), Some(TRULY_SIGNED_BY), "{index}");
    }
}

#[test]
fn two_that_agree_prove_the_later_of_their_times() {
    let scene = Scene::new();
    let trust = scene.trust(pinned);
    let tokens = [(&scene.honest, "20261123110500Z"), (&scene.dishonest, DATED_BACK)];
    let report = scene.verdict(&trust, &tokens, 2);
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert_eq!(report.signed_by(), Some(NOW.minus_seconds(55 * 60 - 1)));
    let times: Vec<_> = report.timestamps.iter().map(|stamp| stamp.time).collect();
    assert_eq!(times, [NOW.minus_seconds(55 * 60 - 1), NOW.minus_seconds(3_599)]);
}
