//! A policy that demands no timestamp says that no authority's time counts. A thief of a signer's key then gains nothing by
//! a timestamp: not from an authority that lies for him, nor from one that is honest and stamped before the theft was
//! noticed. Neither does a certificate outlive its end by one.

use countersign_core::{
    crl::RevocationReason,
    finding::FindingCode,
    report::{Outcome, Question, Report, Verdict},
};
use countersign_tests::forge::{CrlDraft, DAY, EntryDraft, NOW, Proofs, Release};

const NONE_REQUIRED: &str = r#","timestamps":{"required":0}"#;
const ONE_REQUIRED: &str = r#","timestamps":{"required":1}"#;
const REVOCATION_OFF: &str =
    r#","revocation":{"signer":"off","authorities":"off","timestamp_authorities":"off"}"#;

fn code(report: &Report) -> Option<FindingCode> {
    report.decisive().map(|finding| finding.code)
}

#[test]
fn a_revocation_rejects_whatever_was_stamped_before_it() {
    let release = Release::new();
    let bundle = release.bundle();
    for reason in [RevocationReason::KeyCompromise, RevocationReason::Superseded] {
        let date = Release::SIGNED.plus_seconds(60);
        let entry = EntryDraft::new(&release.signing.leaf.serial, reason, date);
        let list = CrlDraft::new(&release.signing.authority.subject).revoking(entry);
        let list = list.sign(&release.signing.authority_key);
        let under = |rules: &str| {
            let crls = vec![list.clone()];
            release.verify(&bundle, &Proofs { crls, rules: rules.to_owned(), ..Proofs::default() })
        };
        assert_eq!(under(ONE_REQUIRED).verdict(), Verdict::Verified, "{reason:?}");
        let report = under(NONE_REQUIRED);
        assert_eq!(code(&report), Some(FindingCode::REVOKED), "{reason:?}");
        assert_eq!(report.signed_by(), None);
    }
}

#[test]
fn a_certificate_ends_when_it_ends() {
    let release = Release::new();
    let bundle = release.bundle();
    let under = |rules: &str, now| {
        let rules = format!("{rules}{REVOCATION_OFF}");
        release.verify(&bundle, &Proofs { rules, now, ..Proofs::default() })
    };
    let later = NOW.plus_seconds(20 * 365 * DAY);
    assert_eq!(under(ONE_REQUIRED, later).verdict(), Verdict::Verified);
    let expired = under(NONE_REQUIRED, later);
    assert_eq!(code(&expired), Some(FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED));
    // It is shown all the same, as what does not count.
    let today = under(NONE_REQUIRED, NOW);
    assert_eq!(today.verdict(), Verdict::Verified, "{:#?}", today.findings());
    assert_eq!((today.timestamps.len(), today.signed_by()), (1, None));
    let when = today.checks.iter().find(|check| check.question == Question::WhenSigned);
    assert_eq!(when.map(|check| check.outcome), Some(Outcome::NotRequired));
}
