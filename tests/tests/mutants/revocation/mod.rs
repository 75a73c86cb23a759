//! CRLs and OCSP responses, each wrong in one way and validly signed, through the one door: the
//! verifier's rows of docs/revocation.md with their codes, by both fillers alike.
//!
//! The signature under test carries no timestamp and the policy demands none, so that the
//! evidence alone decides.

mod answers;
mod deltas;
mod lists;
mod scene;
mod standing;

use countersign_core::finding::FindingCode;

use self::scene::{Scene, answer, list};

#[test]
fn accepts_the_evidence_that_the_mutants_are_made_from() {
    assert_eq!(list(|list| list), Ok(()));
    assert_eq!(answer(|_, _| ()), Ok(()));
    assert_eq!(Scene::new().by_delegate(|delegate| delegate), Ok(()));
    assert_eq!(Scene::new().outcome(&[], &[]), Err(FindingCode::REVOCATION_UNAVAILABLE));
}
