//! A CA whose old certificate was revoked: the path over the new one holds, whatever the order.

use countersign_core::{
    Artifact, Evidence,
    crl::RevocationReason,
    crypto::aws_lc::AwsLc,
    finding::FindingCode,
    oid,
    policy::Policy,
    report::{Report, Verdict},
    trust::{Authority, TrustRoot, Window},
    verify,
};
use countersign_signing::bundle::{self, Bundle};
use countersign_tests::forge::{CrlDraft, DAY, EntryDraft, ForgeKey, IDENTITY, NOW, Release};

use super::{Owner, another, permutations};

/// The trust roots that list both certificates of the CA: in one chain or in two, in each order.
fn trust_roots(old: &[u8], new: &[u8], root: &[u8]) -> Vec<TrustRoot> {
    let of = |chain: Vec<Vec<u8>>| {
        Authority::from_chain("http://ca.example", chain, Window::default()).expect("a chain")
    };
    let both = [old.to_vec(), new.to_vec()];
    let mut roots = Vec::new();
    for order in permutations(&both) {
        let one = [order.clone(), vec![root.to_vec()]].concat();
        let two = order.iter().map(|ca| of(vec![ca.clone(), root.to_vec()])).collect();
        for certificate_authorities in [vec![of(one)], two] {
            roots.push(TrustRoot { certificate_authorities, ..TrustRoot::default() });
        }
    }
    roots
}

/// The report on a file signed below a CA whose old certificate was revoked for that reason; `None`
/// for not at all.
fn reports(reason: Option<RevocationReason>) -> Vec<Report> {
    let (root, ca) = (Owner::new("Root"), Owner::new("CA"));
    let key = ForgeKey::p384("signing leaf");
    let signer = Owner { name: Owner::new("Signer").name, key };
    let anchor = root.authority(&root).sign(&root.key);
    let draft = another(ca.authority(&root), 1);
    let old = draft.sign(&root.key);
    let new = another(ca.authority(&root), 2).sign(&root.key);
    let leaf = signer.signer(&ca).sign(&ca.key);
    let mut by_root = CrlDraft::new(&root.name).without_point();
    if let Some(reason) = reason {
        by_root = by_root.revoking(EntryDraft::new(&draft.serial, reason, NOW.minus_seconds(DAY)));
    }
    let crls = [by_root.sign(&root.key), CrlDraft::new(&ca.name).without_point().sign(&ca.key)];
    let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
    let signature = Release::new().signature(&signer.key);
    let evidence = bundle::Evidence { certificate: &leaf, timestamps: &[] };
    let bundle = Bundle::message_signature(&Release::digest(), &signature, evidence);
    let bundle = bundle.to_json().expect("JSON");
    let policy = format!(
        r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}],
        "timestamps":{{"required":0}},
        "revocation":{{"signer":"required","authorities":"required"}}}}"#
    );
    let policy = Policy::decode(policy.as_bytes()).expect("a policy");
    let digests = Release::digests();
    let evidence = Evidence {
        artifact: Artifact { name: Some("app"), digests: &digests, ..Artifact::default() },
        bundle: bundle.as_bytes(),
        crls: &crls,
        ..Evidence::default()
    };
    let trusts = trust_roots(&old, &new, &anchor);
    trusts.iter().map(|trust| verify(&evidence, trust, &policy, &AwsLc, NOW)).collect()
}

trait WithoutPoint {
    fn without_point(self) -> Self;
}

impl WithoutPoint for CrlDraft {
    fn without_point(mut self) -> Self {
        self.extensions.retain(|each| each.id != oid::CE_ISSUING_DISTRIBUTION_POINT);
        self
    }
}

fn codes(report: &Report) -> Vec<FindingCode> {
    let failing = report.findings().iter().filter(|finding| finding.code.exit_code() != 0);
    failing.map(|finding| finding.code).collect()
}

#[test]
fn a_superseded_certificate_of_the_ca_is_left_aside() {
    for reason in [None, Some(RevocationReason::Superseded)] {
        for report in reports(reason) {
            assert_eq!(codes(&report), [], "{reason:?}");
            assert_eq!(report.verdict(), Verdict::Verified, "{reason:?}");
        }
    }
}

#[test]
fn another_certificate_of_a_lost_key_is_no_way_round() {
    for reason in [RevocationReason::KeyCompromise, RevocationReason::CaCompromise] {
        for report in reports(Some(reason)) {
            assert_eq!(codes(&report), [FindingCode::REVOKED_AUTHORITY], "{reason:?}");
        }
    }
}
