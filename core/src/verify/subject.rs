//! Which of a statement's subjects is this file? The one rule, for every caller.
//!
//! A name that the statement has binds: only the subjects of that name can be this file, so that
//! another file of the release under this name is a mix-up. In-toto asks for unique names but does
//! not demand them, so there may be several of one name; any of them will do. A name that the
//! statement does not have may be the user's own, so then every subject can be this file.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Ordering;

use super::Artifact;
use crate::{
    bundle::Subject,
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode},
    policy::Names,
};

/// A statement's subjects, and the file that one of them may be.
pub(super) struct Subjects<'s> {
    artifact: Artifact<'s>,
    /// Those that can be this file.
    possible: Vec<&'s Subject>,
    /// Whether the name picked them, or nothing says that they are other files.
    presumed: Presumed,
    /// All of them, for their names.
    all: &'s [Subject],
}

/// What the names say, before any digest is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presumed {
    /// The file is meant to be one of those that are possible.
    ThisFile,
    /// They have other names; only a digest can tell.
    OtherFiles,
}

impl<'s> Subjects<'s> {
    pub(super) fn new(all: &'s [Subject], artifact: Artifact<'s>) -> Self {
        let name = artifact.known_as();
        let has_name = |subject: &&Subject| name.is_some() && subject.name.as_deref() == name;
        let named: Vec<&Subject> = all.iter().filter(has_name).collect();
        let was_not_given = name.is_none() && !artifact.has_odd_name();
        let is_nameless = was_not_given || all.iter().all(|each| each.name.is_none());
        let presumed = if named.is_empty() && !is_nameless {
            Presumed::OtherFiles
        } else {
            Presumed::ThisFile
        };
        let possible = if named.is_empty() { all.iter().collect() } else { named };
        Self { artifact, possible, presumed, all }
    }

    /// Whether the file is meant to be one of them, by its name.
    pub(super) fn are_meant(&self) -> bool {
        self.presumed == Presumed::ThisFile
    }

    /// The digests by which the file can be compared with every subject that it can be: the first
    /// of `preferred` that all of them have, else all that occur.
    pub(super) fn algorithms(&self, preferred: &[HashAlgorithm]) -> Vec<HashAlgorithm> {
        let has = |subject: &&Subject, algorithm: HashAlgorithm| {
            subject.digests.iter().any(|digest| digest.algorithm() == algorithm)
        };
        let shared = preferred
            .iter()
            .find(|algorithm| self.possible.iter().all(|subject| has(subject, **algorithm)));
        if let Some(algorithm) = shared {
            alloc::vec![*algorithm]
        } else {
            let occurs = |algorithm: &HashAlgorithm| {
                self.possible.iter().any(|subject| has(subject, *algorithm))
            };
            preferred.iter().copied().filter(occurs).collect()
        }
    }

    /// The file's size in bytes, if all subjects that it is meant to be give the same.
    pub(super) fn published_size(&self) -> Option<u64> {
        let (first, others) = self.possible.split_first()?;
        let same = others.iter().all(|other| other.size == first.size);
        first.size.filter(|_| same && self.presumed == Presumed::ThisFile)
    }

    /// That the download did not finish, if every subject that it can be is larger: no need to
    /// read the file for it.
    pub(super) fn cut_short(&self) -> Option<Finding> {
        if self.presumed == Presumed::OtherFiles {
            return None;
        }
        let found = self.artifact.size?;
        let mut smallest = None;
        for subject in &self.possible {
            let size = subject.size.filter(|size| found < *size)?;
            smallest = smallest.filter(|known| *known < size).or(Some(size));
        }
        smallest.map(|expected| size_finding(FindingCode::CONTENT_INCOMPLETE, expected, found))
    }

    /// The digest by which a subject is the file, with what is worth a note.
    ///
    /// # Errors
    /// Why none is.
    pub(super) fn find(&self, names: Option<Names>) -> Result<(Digest, Vec<Finding>), Finding> {
        let mut contradiction = None;
        for subject in &self.possible {
            let Some(digest) = matching(subject, self.artifact.digests) else { continue };
            match self.inspect_size(subject) {
                Ok(()) => {
                    return inspect_name(&self.artifact, subject.name.as_deref(), names)
                        .map(|notes| (digest, notes));
                }
                // A statement that contradicts itself about the file proves nothing of it.
                Err(finding) => contradiction = contradiction.or(Some(finding)),
            }
        }
        // The size first: a download that was cut off is the commonest fault, and the mildest.
        Err(contradiction.or_else(|| self.cut_short()).unwrap_or_else(|| self.none_is()))
    }

    /// The size that the statement gives, if both are known.
    fn inspect_size(&self, subject: &Subject) -> Result<(), Finding> {
        let Some((expected, found)) = subject.size.zip(self.artifact.size) else {
            return Ok(());
        };
        let code = match found.cmp(&expected) {
            Ordering::Equal => return Ok(()),
            Ordering::Less => FindingCode::CONTENT_INCOMPLETE,
            Ordering::Greater => FindingCode::CONTENT_MISMATCH,
        };
        Err(size_finding(code, expected, found))
    }

    /// Why no subject is this file.
    fn none_is(&self) -> Finding {
        let (name, digests) = (self.artifact.known_as(), self.artifact.digests);
        if self.possible.iter().all(|subject| subject.digests.is_empty()) {
            return Finding::new(FindingCode::CONTENT_DIGEST_WEAK)
                .expected("sha256, sha384 or sha512 of a subject");
        }
        let own = |signed: &Digest| {
            digests.iter().find(|own| own.algorithm() == signed.algorithm()).cloned()
        };
        let signed = || self.possible.iter().flat_map(|subject| &subject.digests);
        if !signed().any(|signed| own(signed).is_some()) {
            let wanted = signed().next();
            let wanted = wanted
                .map_or_else(String::new, |digest| format!("a {} digest", digest.algorithm()));
            return Finding::new(FindingCode::CONTENT_DIGEST_NOT_SUPPLIED)
                .expected(wanted)
                .found(kinds(digests));
        }
        if let (Some(name), Presumed::OtherFiles) = (name, self.presumed) {
            let names: Vec<&str> =
                self.all.iter().filter_map(|subject| subject.name.as_deref()).take(3).collect();
            return Finding::new(FindingCode::CONTENT_OTHER_FILE)
                .about(name)
                .expected(format!("a bundle for {name}"))
                .found(format!("a bundle for {}", names.join(", ")));
        }
        let differing = signed().find_map(|signed| {
            let own = own(signed).filter(|own| own != signed)?;
            Some((format!("{signed}"), format!("{own}")))
        });
        let (expected, found) = differing.unwrap_or_default();
        Finding::new(FindingCode::CONTENT_MISMATCH).expected(expected).found(found)
    }
}

/// What is worth a note about the artifact's name, if it was signed as `signed`; a finding if the policy,
/// or whoever offered it, demands that it is the one under which it was signed.
pub(super) fn inspect_name(
    artifact: &Artifact<'_>,
    signed: Option<&str>,
    names: Option<Names>,
) -> Result<Vec<Finding>, Finding> {
    let own_names = names.unwrap_or(Names::Noted);
    let Some(offered) = artifact.offered_as else {
        return compare_name(artifact, signed, artifact.name, own_names);
    };
    let names = names.unwrap_or(Names::Exact);
    let mut notes = compare_name(artifact, signed, Some(offered), names)?;
    // If no name was signed, nothing is known of the other but how it was offered.
    let (signed, own_names) = signed.map_or((offered, Names::Noted), |name| (name, own_names));
    if artifact.name.is_some_and(|name| !is_copy(name, signed)) {
        notes.extend(compare_name(artifact, Some(signed), artifact.name, own_names)?);
    }
    Ok(notes)
}

fn compare_name(
    artifact: &Artifact<'_>,
    signed: Option<&str>,
    name: Option<&str>,
    names: Names,
) -> Result<Vec<Finding>, Finding> {
    let code = match (names, signed, name) {
        (_, Some(published), Some(own)) if published == own => return Ok(Vec::new()),
        (Names::Exact, Some(published), Some(own)) if !is_copy(own, published) => {
            FindingCode::CONTENT_NAME_OTHER
        }
        (_, Some(_), Some(_)) => FindingCode::NAME_DIFFERS,
        (Names::Exact, Some(_), None) => FindingCode::CONTENT_NAME_NOT_SUPPLIED,
        (Names::Exact, None, _) => FindingCode::NAME_NOT_SIGNED,
        (Names::Noted, Some(_), None) if artifact.has_odd_name() => FindingCode::NAME_DIFFERS,
        (Names::Noted, None, _) | (Names::Noted, _, None) => return Ok(Vec::new()),
    };
    let mut finding = Finding::new(code);
    if let Some(published) = signed {
        finding = finding.expected(published);
    }
    if let Some(own) = name {
        finding = finding.found(own);
    } else if artifact.has_odd_name() {
        finding = finding.found("a name that is not Unicode");
    }
    if code.exit_code() == 0 { Ok(alloc::vec![finding]) } else { Err(finding) }
}

/// Of the number of a copy.
const MOST_DIGITS: usize = 3;

/// Whether `name` is `published` with the number that browsers give to a second download of one name:
/// `app (1).zip`, `app(1).zip`, `app (1).tar.gz`, `app (1)`. It is the same name for people. Nobody has
/// a thousand copies; a longer number is a date or a version, which makes it another name.
fn is_copy(name: &str, published: &str) -> bool {
    name.match_indices('(').any(|(at, _)| {
        let Some((before, rest)) = name.split_at_checked(at) else { return false };
        let Some((number, after)) = rest.get(1..).and_then(|rest| rest.split_once(')')) else {
            return false;
        };
        let is_number = (1..=MOST_DIGITS).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit());
        let ends_there = after.is_empty() || after.starts_with('.');
        let is_same = |before: &str| published.strip_prefix(before) == Some(after);
        is_number && ends_there && (is_same(before) || is_same(before.trim_end_matches(' ')))
    })
}

fn size_finding(code: FindingCode, expected: u64, found: u64) -> Finding {
    Finding::new(code).expected(format!("{expected} bytes")).found(format!("{found} bytes"))
}

/// The digest in which subject and artifact agree. Every digest that both have must agree.
fn matching(subject: &Subject, digests: &[Digest]) -> Option<Digest> {
    let mut agreed = None;
    for signed in &subject.digests {
        let own = digests.iter().find(|own| own.algorithm() == signed.algorithm());
        match own {
            Some(own) if own == signed => agreed = Some(signed.clone()),
            Some(_) => return None,
            None => {}
        }
    }
    agreed
}

/// The names of the digests' algorithms.
pub(super) fn kinds(digests: &[Digest]) -> String {
    let names: Vec<&str> = digests.iter().map(|digest| digest.algorithm().name()).collect();
    if names.is_empty() { String::from("none") } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    const ALL: [HashAlgorithm; 3] = HashAlgorithm::STRONG;

    fn digest(byte: u8) -> Digest {
        Digest::new(HashAlgorithm::Sha256, &[byte; 32]).unwrap()
    }

    fn subject(name: Option<&str>, byte: u8, size: Option<u64>) -> Subject {
        Subject { name: name.map(String::from), digests: alloc::vec![digest(byte)], size }
    }

    /// What is said of a file of that name, size and digest.
    fn judge(all: &[Subject], name: Option<&str>, size: u64, byte: u8) -> Option<FindingCode> {
        let digests = [digest(byte)];
        let artifact =
            Artifact { name, size: Some(size), digests: &digests, ..Artifact::default() };
        Subjects::new(all, artifact).find(Some(Names::Noted)).err().map(|finding| finding.code)
    }

    fn is_cut_short(all: &[Subject], name: Option<&str>, size: u64) -> bool {
        let artifact = Artifact { name, size: Some(size), ..Artifact::default() };
        Subjects::new(all, artifact).cut_short().is_some()
    }

    #[test]
    fn of_two_subjects_of_one_name_either_is_the_file() {
        let large = subject(Some("app"), 1, Some(30));
        let small = subject(Some("app"), 2, Some(10));
        for all in [[large.clone(), small.clone()], [small, large]] {
            assert_eq!(judge(&all, Some("app"), 10, 2), None);
            assert_eq!(judge(&all, Some("app"), 30, 1), None);
            assert!(!is_cut_short(&all, Some("app"), 10));
            assert!(!is_cut_short(&all, Some("app"), 29), "it may be the small one with more");
            assert!(is_cut_short(&all, Some("app"), 9));
            let mismatch = Some(FindingCode::CONTENT_MISMATCH);
            assert_eq!(judge(&all, Some("app"), 10, 3), mismatch);
            assert_eq!(judge(&all, Some("app"), 20, 3), mismatch);
            assert_eq!(judge(&all, Some("app"), 9, 3), Some(FindingCode::CONTENT_INCOMPLETE));
        }
    }

    #[test]
    fn a_subject_that_contradicts_its_size_does_not_hide_one_that_does_not() {
        let wrong = subject(Some("app"), 1, Some(30));
        let right = subject(Some("app"), 1, Some(10));
        assert_eq!(judge(&[wrong.clone(), right], Some("app"), 10, 1), None);
        let alone = judge(core::slice::from_ref(&wrong), Some("app"), 10, 1);
        assert_eq!(alone, Some(FindingCode::CONTENT_INCOMPLETE));
        let larger = judge(&[wrong], Some("app"), 31, 1);
        assert_eq!(larger, Some(FindingCode::CONTENT_MISMATCH));
    }

    #[test]
    fn a_subject_without_a_name_or_size_is_compared_by_its_digest() {
        let nameless = subject(None, 1, Some(30));
        let sizeless = subject(None, 2, None);
        let both = [nameless.clone(), sizeless];
        assert_eq!(judge(&both, Some("app"), 5, 2), None);
        assert!(!is_cut_short(&both, Some("app"), 5));
        assert!(is_cut_short(core::slice::from_ref(&nameless), Some("app"), 5));
        let beside = [subject(Some("app"), 3, Some(5)), nameless];
        let mixed_up = judge(&beside, Some("app"), 30, 1);
        assert_eq!(mixed_up, Some(FindingCode::CONTENT_MISMATCH), "the name binds");
    }

    #[test]
    fn of_a_file_without_a_name_every_subject_counts() {
        let all = [subject(Some("a"), 1, Some(30)), subject(Some("b"), 2, Some(20))];
        assert_eq!(judge(&all, None, 20, 2), None);
        assert!(is_cut_short(&all, None, 19));
        assert!(!is_cut_short(&all, None, 20));
    }

    #[test]
    fn a_name_that_no_subject_has_is_no_proof_of_a_cut_download() {
        let all = [subject(Some("other"), 1, Some(30))];
        assert!(!is_cut_short(&all, Some("app"), 5));
        assert_eq!(judge(&all, Some("app"), 30, 1), None);
        assert_eq!(judge(&all, Some("app"), 5, 2), Some(FindingCode::CONTENT_OTHER_FILE));
    }

    #[test]
    fn an_exact_name_is_the_signed_one_or_a_browsers_copy_of_it() {
        let all = [subject(Some("app-1.0.tar.gz"), 1, None), subject(None, 2, None)];
        let told = |name: Option<&str>, byte, names| {
            let digests = [digest(byte)];
            let artifact = Artifact { name, digests: &digests, ..Artifact::default() };
            let found = Subjects::new(&all, artifact).find(Some(names));
            let notes = found.map(|(_, notes)| notes.first().map(|note| note.code));
            notes.map_err(|finding| finding.code)
        };
        let exact = |name| told(Some(name), 1, Names::Exact);
        assert_eq!(exact("app-1.0.tar.gz"), Ok(None));
        for copy in ["app-1.0 (1).tar.gz", "app-1.0(12).tar.gz", "app-1.0.tar (999).gz"] {
            assert_eq!(exact(copy), Ok(Some(FindingCode::NAME_DIFFERS)), "{copy}");
        }
        for other in [
            "app-2.0.tar.gz",
            "app-1.0 (x).tar.gz",
            "app-1.0 ().tar.gz",
            "app-1.0 (1)x.tar.gz",
            "(1)",
            "(",
            "app-1.(1)0.tar.gz",
            "app-1.0 (1000).tar.gz",
            "app-1.0 (20261129).tar.gz",
            "app-1.0 (1) (2).tar.gz",
        ] {
            assert_eq!(exact(other), Err(FindingCode::CONTENT_NAME_OTHER), "{other}");
        }
        assert_eq!(told(Some("other"), 1, Names::Noted), Ok(Some(FindingCode::NAME_DIFFERS)));
        assert_eq!(told(None, 1, Names::Exact), Err(FindingCode::CONTENT_NAME_NOT_SUPPLIED));
        assert_eq!(told(None, 1, Names::Noted), Ok(None));
        assert_eq!(told(Some("any"), 2, Names::Exact), Ok(Some(FindingCode::NAME_NOT_SIGNED)));
        assert_eq!(told(Some("any"), 2, Names::Noted), Ok(None));
    }

    #[test]
    fn what_was_offered_under_a_name_was_signed_under_it_whatever_the_file_is_called_by_now() {
        let all = [[subject(Some("app-1.0"), 1, None)], [subject(None, 2, None)]];
        let told = |offered, name, byte: u8, names| {
            let digests = [digest(byte)];
            let artifact = Artifact {
                name,
                offered_as: Some(offered),
                digests: &digests,
                ..Artifact::default()
            };
            let found = Subjects::new(&all[usize::from(byte) - 1], artifact).find(names);
            let codes =
                |notes: Vec<Finding>| notes.iter().map(|note| note.code).collect::<Vec<_>>();
            found.map(|(_, notes)| codes(notes)).map_err(|finding| finding.code)
        };
        let (noted, exact) = (None, Some(Names::Exact));
        for name in [None, Some("app-1.0"), Some("app-1 (2).0")] {
            assert_eq!(told("app-1.0", name, 1, noted), Ok(Vec::new()), "{name:?}");
        }
        let renamed = Some("app-3.0");
        let differs = FindingCode::NAME_DIFFERS;
        assert_eq!(told("app-1.0", renamed, 1, noted), Ok(alloc::vec![differs]));
        let other = Err(FindingCode::CONTENT_NAME_OTHER);
        assert_eq!(told("app-1.0", renamed, 1, exact), other, "the policy's word counts too");
        for name in [None, Some("app-1.0"), renamed] {
            assert_eq!(told("app-3.0", name, 1, noted), other, "{name:?}");
        }
        let lenient = Some(Names::Noted);
        assert_eq!(told("app-3.0", Some("app-3.0"), 1, lenient), Ok(alloc::vec![differs, differs]));
        // If no name was signed, the one that was offered is compared.
        let not_signed = FindingCode::NAME_NOT_SIGNED;
        assert_eq!(told("app-1.0", Some("app-1.0"), 2, noted), Ok(alloc::vec![not_signed]));
        assert_eq!(told("app-1.0", renamed, 2, noted), Ok(alloc::vec![not_signed, differs]));
    }

    #[test]
    fn only_the_digests_of_possible_subjects_are_wanted() {
        let long = Digest::new(HashAlgorithm::Sha512, &[1; 64]).unwrap();
        let mut all = [subject(Some("app"), 1, None), subject(Some("lib"), 2, None)];
        all[1].digests = alloc::vec![long];
        let wanted = |name: Option<&str>| {
            let artifact = Artifact { name, ..Artifact::default() };
            Subjects::new(&all, artifact).algorithms(&ALL)
        };
        assert_eq!(wanted(Some("app")), [HashAlgorithm::Sha256]);
        assert_eq!(wanted(Some("lib")), [HashAlgorithm::Sha512]);
        assert_eq!(wanted(None), [HashAlgorithm::Sha256, HashAlgorithm::Sha512]);
        // The other subject's digest says nothing of this one.
        assert_eq!(judge(&all, Some("lib"), 1, 9), Some(FindingCode::CONTENT_DIGEST_NOT_SUPPLIED));
    }
}
