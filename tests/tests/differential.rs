//! One corpus, several verifiers: our two fillers, which must say the same to the letter, and peers,
//! whose disagreements are written down in `tests/data/differential/disagreements.txt`, a reason
//! for each. A disagreement that is not written down fails, and so does one that is written down
//! and no longer there.
//!
//! Peers judge less than we do: what they are not asked is not compared. The crate
//! `sigstore-verify` reads the clock itself, so it runs in a process of its own whose clock stands
//! at the corpus's time (faketime).
//!
//! Beside verdicts, encodings: others' decoders read what we write, and ours what they write.

#[path = "differential/openssl.rs"]
mod openssl;
#[path = "differential/sigstore.rs"]
mod sigstore;
#[path = "differential/witnesses/mod.rs"]
mod witnesses;

use std::{collections::BTreeMap, fs, path::Path};

use countersign_core::{
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    report::Verdict,
};
use countersign_tests::corpus::{Case, cases};

/// Whether a verifier lets a case pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Accepts,
    Refuses,
}

impl Says {
    fn of(accepts: bool) -> Self {
        if accepts { Self::Accepts } else { Self::Refuses }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Accepts => "accepts",
            Self::Refuses => "refuses",
        }
    }
}

/// What we say of the whole case.
fn ours(case: &Case) -> Says {
    Says::of(case.verify(&AwsLc).verdict() == Verdict::Verified)
}

/// One written disagreement: what the peer says of a case, against us.
struct Known {
    case: String,
    peer_says: String,
}

/// The lines of a peer: `peer case accepts|refuses reason`.
fn known(peer: &str) -> Vec<Known> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/differential/disagreements.txt");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_else(|| panic!("too short: {line}")).to_owned();
        let (of, case, peer_says, reason) = (word(), word(), word(), word());
        assert!(matches!(peer_says.as_str(), "accepts" | "refuses"), "{line}");
        assert!(reason.len() > 10, "no reason: {line}");
        if of == peer {
            lines.push(Known { case, peer_says });
        }
    }
    lines
}

/// Holds a peer's verdicts against ours.
#[track_caller]
fn compare(peer: &str, pairs: &[(String, Says, Says)]) {
    let known: BTreeMap<String, String> =
        known(peer).into_iter().map(|line| (line.case, line.peer_says)).collect();
    let mut wrong = Vec::new();
    for (case, ours, theirs) in pairs {
        match (ours == theirs, known.get(case)) {
            (true, None) => {}
            (true, Some(_)) => wrong.push(format!("{peer} {case}: agrees unexpectedly")),
            (false, Some(says)) if says == theirs.word() => {}
            (false, _) => {
                wrong.push(format!("{peer} {case} {} (we {})", theirs.word(), ours.word()));
            }
        }
    }
    for case in known.keys() {
        if !pairs.iter().any(|(name, ..)| name == case) {
            wrong.push(format!("{peer} {case}: no such case"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn both_fillers_say_the_same_to_the_letter() {
    for case in cases() {
        let by = |report| serde_json::to_string(&report).expect("JSON");
        let native = by(case.verify(&AwsLc));
        assert_eq!(native, by(case.verify(&RustCrypto)), "{}", case.name);
    }
}

#[test]
fn the_corpus_has_the_same_bytes_each_time_and_a_name_for_each() {
    let (first, second) = (cases(), cases());
    assert!(first == second);
    let mut names: Vec<&str> = first.iter().map(|case| case.name.as_str()).collect();
    assert!(names.len() > 300, "{}", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), first.len());
}
