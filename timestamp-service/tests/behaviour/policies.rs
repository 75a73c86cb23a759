//! Several policies, each with its own hashes and accuracy.

use countersign_core::cms::SignedData;
use countersign_core::tsp::{FailureInfo, TstInfo};
use countersign_signing::der;

use crate::rig::Rig;
use crate::rows::{NULL, SHA256, SHA512, VERSION, imprint, query};

const POLICIES: &str = "\
[[policy]]
oid = \"1.2.3.1\"
[[policy]]
oid = \"1.2.3.2\"
accepted_hashes = [\"sha512\"]
accuracy_millis = 50
[[policy]]
oid = \"1.2.3.3\"
accuracy_millis = 60000
";

fn named(oid: &str) -> Vec<u8> {
    der::oid(&oid.parse().expect("an object identifier"))
}

#[tokio::test]
async fn each_policy_states_its_own_accuracy_and_the_first_is_the_default() {
    let rig = Rig::start_with(POLICIES).await;
    let digest = imprint(SHA512, NULL, 64);
    for (rest, policy, accuracy) in [
        (vec![], "1.2.3.1", (2, 0)),
        (vec![named("1.2.3.1")], "1.2.3.1", (2, 0)),
        (vec![named("1.2.3.2")], "1.2.3.2", (0, 50)),
        (vec![named("1.2.3.3")], "1.2.3.3", (60, 0)),
    ] {
        let token = rig.token(&query(VERSION, &digest, &rest)).await;
        let content = SignedData::decode(&token).expect("SignedData").content.to_vec();
        let info = TstInfo::decode(&content).expect("a TSTInfo");
        assert_eq!(info.policy.to_string(), policy);
        assert_eq!((info.accuracy.seconds, info.accuracy.millis), accuracy);
    }
}

#[tokio::test]
async fn a_hash_that_one_policy_accepts_another_may_not() {
    let rig = Rig::start_with(POLICIES).await;
    let digest = imprint(SHA256, NULL, 32);
    rig.token(&query(VERSION, &digest, &[])).await;
    let (failure, text) = rig.refusal(&query(VERSION, &digest, &[named("1.2.3.2")])).await;
    assert_eq!(failure, FailureInfo::BadAlg);
    assert!(text.contains("use sha512."), "{text}");
    let (failure, text) = rig.refusal(&query(VERSION, &digest, &[named("1.2.3")])).await;
    assert_eq!(failure, FailureInfo::UnacceptedPolicy);
    assert!(text.contains("1.2.3.1, 1.2.3.2, 1.2.3.3"), "{text}");
}
