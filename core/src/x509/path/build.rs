//! The search: depth first from the leaf upwards, every issuer of the right name whose key signed.
//!
//! A refused path ends nothing: the search goes on, and only if no path holds the most telling
//! refusal is reported. Identifiers of keys decide what is tried first, never what is tried
//! (RFC 5280 §4.2.1.1 has them as help). Budgets end a search that somebody made endless.

use alloc::{format, string::String, vec::Vec};
use core::{cmp::Reverse, ops::ControlFlow};

use super::{
    Means, Purpose, VerifiedPath, malformed,
    validate::{self, inspect_key},
};
use crate::{
    crypto::{KeyAlgorithm, SignatureScheme},
    finding::{Finding, FindingCode},
    limits,
    order::sort_few,
    time::UnixSeconds,
    x509::{Certificate, algorithm, name::ComparableName},
};

/// What stays the same during one search.
#[derive(Clone, Copy)]
pub(super) struct Terms<'s> {
    pub(super) time: UnixSeconds,
    pub(super) purpose: Purpose,
    pub(super) means: Means<'s>,
}

/// Where a candidate came from; a path ends at the first anchor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Anchor,
    Intermediate,
}

/// A certificate with its names made ready for comparison.
struct Candidate<'a> {
    certificate: Certificate<'a>,
    subject: ComparableName<'a>,
    issuer: ComparableName<'a>,
    place: Place,
}

impl<'a> Candidate<'a> {
    fn new(certificate: Certificate<'a>, place: Place) -> Self {
        let subject = ComparableName::new(certificate.subject);
        let issuer = ComparableName::new(certificate.issuer);
        Self { certificate, subject, issuer, place }
    }
}

/// How far a refused way got; the furthest is reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    /// Nobody bears the issuer's name.
    NoIssuer,
    /// Somebody bears it, and somebody else's key signed.
    OtherSignature,
    /// Somebody bears it, with a key or an algorithm that is not accepted.
    NotVerifiable,
}

struct Refusal {
    finding: Finding,
    /// Nothing if an anchor was reached, and a rule refused the whole path.
    stopped: Option<Progress>,
    depth: usize,
}

impl Refusal {
    /// The larger tells more. Of whole paths, the one whose fault is the least: it is the one that
    /// would have to be mended. Only then the finding's place in the table.
    fn weight(&self) -> impl Ord + use<> {
        let whole = self.stopped.is_none();
        let mildest = whole.then(|| Reverse(self.finding.code.class()));
        let depth = if whole { 0 } else { self.depth };
        (whole, mildest, depth, self.stopped, Reverse(self.finding.code))
    }
}

/// Why a search ends before everything was tried.
enum Stop {
    /// There are as many paths as anybody asks for.
    Enough,
    Budget(&'static str),
}

/// A certificate's place in a path: the leaf, or a candidate by number.
type Head = Option<usize>;

pub(super) struct Search<'s, 'a> {
    leaf: Candidate<'a>,
    candidates: Vec<Candidate<'a>>,
    terms: Terms<'s>,
    /// Whose signature was verified with which key already, and whether it holds.
    signatures: Vec<(Head, &'a [u8], bool)>,
    steps: usize,
    tried: usize,
    comparisons: usize,
    found: Vec<VerifiedPath<'a>>,
    refused: Option<Refusal>,
    /// Why a certificate among the candidates cannot be read.
    unreadable: Option<Finding>,
}

impl<'s, 'a> Search<'s, 'a> {
    pub(super) fn new(
        leaf: &Certificate<'a>,
        intermediates: &[&'a [u8]],
        anchors: &[&'a [u8]],
        terms: Terms<'s>,
    ) -> Self {
        let mut search = Self {
            leaf: Candidate::new(leaf.clone(), Place::Intermediate),
            candidates: Vec::new(),
            terms,
            signatures: Vec::new(),
            steps: limits::PATH_STEPS,
            tried: limits::PATHS_TRIED,
            comparisons: limits::NAME_COMPARISONS,
            found: Vec::new(),
            refused: None,
            unreadable: None,
        };
        // A certificate that is in both lists is an anchor.
        for (place, list) in [(Place::Anchor, anchors), (Place::Intermediate, intermediates)] {
            for raw in list {
                search.take(raw, place);
            }
        }
        // One order whatever the files' order: anchors, then those that are valid for longest.
        sort_few(&mut search.candidates, |each| {
            (each.place, Reverse(each.certificate.not_after), each.certificate.raw)
        });
        search
    }

    fn take(&mut self, raw: &'a [u8], place: Place) {
        if self.candidates.iter().any(|known| known.certificate.raw == raw) {
            return;
        }
        match Certificate::decode(raw) {
            Ok(certificate) => self.candidates.push(Candidate::new(certificate, place)),
            Err(error) => {
                let about = "a certificate of the chain";
                self.unreadable.get_or_insert_with(|| malformed(&error).about(about));
            }
        }
    }

    /// Every path that holds, at most [`limits::PATHS`]; else the most telling finding.
    pub(super) fn run(mut self) -> Result<Vec<VerifiedPath<'a>>, Finding> {
        let stopped = match self.extend(&mut Vec::new()) {
            ControlFlow::Break(Stop::Budget(what)) => Some(what),
            ControlFlow::Break(Stop::Enough) | ControlFlow::Continue(()) => None,
        };
        if !self.found.is_empty() {
            return Ok(self.found);
        }
        if let Some(what) = stopped {
            return Err(Finding::new(FindingCode::CERTIFICATE_CHAIN_TOO_LONG)
                .about(self.leaf.certificate.display_name())
                .expected(what)
                .found("more"));
        }
        let refused = self.refused.map(|refusal| refusal.finding);
        let refused = refused.unwrap_or_else(|| FindingCode::INTERNAL.into());
        // The issuer may be the certificate that cannot be read.
        let unknown = refused.code == FindingCode::CERTIFICATE_UNKNOWN_ISSUER;
        Err(self.unreadable.filter(|_| unknown).unwrap_or(refused))
    }

    fn candidate(&self, head: Head) -> &Candidate<'a> {
        head.and_then(|index| self.candidates.get(index)).unwrap_or(&self.leaf)
    }

    /// Tries every issuer of the last certificate of `chain`, or of the leaf.
    fn extend(&mut self, chain: &mut Vec<usize>) -> ControlFlow<Stop> {
        let head: Head = chain.last().copied();
        let issuers = self.issuers_of(head);
        if issuers.is_empty() {
            let certificate = &self.candidate(head).certificate;
            let finding = Finding::new(FindingCode::CERTIFICATE_UNKNOWN_ISSUER)
                .about(certificate.display_name())
                .expected("an issuer in the trust root")
                .found(crate::x509::name::text(certificate.issuer));
            self.refuse(finding, Some(Progress::NoIssuer), chain.len());
        }
        for index in issuers {
            let of_all = self.terms.means.steps;
            let left = (self.steps.checked_sub(1), of_all.get().checked_sub(1));
            let (Some(rest), Some(rest_of_all)) = left else {
                return ControlFlow::Break(Stop::Budget("a search of few steps"));
            };
            self.steps = rest;
            of_all.set(rest_of_all);
            if self.is_loop(chain, index) {
                continue;
            }
            match self.is_signed(head, index) {
                ControlFlow::Break(stop) => return ControlFlow::Break(stop),
                ControlFlow::Continue(Ok(())) => {}
                ControlFlow::Continue(Err((finding, progress))) => {
                    self.refuse(finding, Some(progress), chain.len());
                    continue;
                }
            }
            chain.push(index);
            let outcome = if self.candidate(Some(index)).place == Place::Anchor {
                self.judge(chain)
            } else if chain.len() < limits::PATH_ISSUERS {
                self.extend(chain)
            } else {
                let finding = Finding::new(FindingCode::CERTIFICATE_CHAIN_TOO_LONG)
                    .about(self.leaf.certificate.display_name())
                    .expected(format!("at most {} issuers", limits::PATH_ISSUERS))
                    .found("more");
                self.refuse(finding, Some(Progress::NoIssuer), chain.len());
                ControlFlow::Continue(())
            };
            chain.pop();
            outcome?;
        }
        ControlFlow::Continue(())
    }

    /// The candidates that bear the issuer's name; those that the key identifiers do not fit last.
    fn issuers_of(&self, head: Head) -> Vec<usize> {
        let below = self.candidate(head);
        let named =
            self.candidates.iter().enumerate().filter(|(_, each)| each.subject.is(&below.issuer));
        let (mut likely, mut unlikely) = (Vec::new(), Vec::new());
        for (index, each) in named {
            let wanted = below.certificate.extensions.authority_key_identifier;
            let own = each.certificate.extensions.subject_key_identifier;
            let differ = wanted.zip(own).is_some_and(|(wanted, own)| wanted != own);
            if differ { unlikely.push(index) } else { likely.push(index) }
        }
        likely.extend(unlikely);
        likely
    }

    /// Whether that subject with that key is on the path already (RFC 4158 §5.2). An anchor ends a
    /// path, so it makes no loop.
    fn is_loop(&self, chain: &[usize], next: usize) -> bool {
        let next = self.candidate(Some(next));
        let is_same = |other: &Candidate<'a>| {
            other.certificate.public_key.raw == next.certificate.public_key.raw
                && other.subject.is(&next.subject)
        };
        next.place == Place::Intermediate
            && (is_same(&self.leaf)
                || chain.iter().any(|index| is_same(self.candidate(Some(*index)))))
    }

    /// Whether the certificate at `head` carries the signature of `issuer`'s key; each certificate
    /// and key are looked at once.
    fn is_signed(
        &mut self,
        head: Head,
        issuer: usize,
    ) -> ControlFlow<Stop, Result<(), (Finding, Progress)>> {
        let key = self.candidate(Some(issuer)).certificate.public_key;
        let known = self.signatures.iter().find(|(of, by, _)| *of == head && *by == key.raw);
        let known = known.map(|(_, _, holds)| *holds);
        let certificate = &self.candidate(head).certificate;
        let holds = if let Some(holds) = known {
            holds
        } else {
            let accepted = inspect_signature_algorithm(certificate)
                .and_then(|()| inspect_key(&self.candidate(Some(issuer)).certificate));
            if let Err(finding) = accepted {
                return ControlFlow::Continue(Err((finding, Progress::NotVerifiable)));
            }
            if self.signatures.len() >= limits::PATH_SIGNATURES {
                return ControlFlow::Break(Stop::Budget("a search of few signatures"));
            }
            let (algorithm, crypto) = (&certificate.signature_algorithm, self.terms.means.crypto);
            let holds = key.verifies(crypto, algorithm, certificate.tbs, certificate.signature);
            self.signatures.push((head, key.raw, holds));
            holds
        };
        if holds {
            return ControlFlow::Continue(Ok(()));
        }
        let finding = Finding::new(FindingCode::CERTIFICATE_UNKNOWN_ISSUER)
            .about(self.candidate(head).certificate.display_name())
            .expected("a signature by the named issuer")
            .found("another signature");
        ControlFlow::Continue(Err((finding, Progress::OtherSignature)))
    }

    /// Holds a whole path against the rules.
    fn judge(&mut self, chain: &[usize]) -> ControlFlow<Stop> {
        let Some(rest) = self.tried.checked_sub(1) else {
            return ControlFlow::Break(Stop::Budget("a search through few paths"));
        };
        self.tried = rest;
        let mut comparisons = self.comparisons;
        let leaf = &self.leaf.certificate;
        let issuers: Vec<&Certificate<'a>> =
            chain.iter().map(|index| &self.candidate(Some(*index)).certificate).collect();
        let outcome = validate::inspect(leaf, &issuers, self.terms, &mut comparisons);
        let path = outcome.map(|()| VerifiedPath {
            leaf: leaf.clone(),
            issuers: issuers.into_iter().cloned().collect(),
        });
        self.comparisons = comparisons;
        match path {
            Ok(path) => self.found.push(path),
            Err(finding) => self.refuse(finding, None, chain.len()),
        }
        if self.found.len() >= limits::PATHS {
            return ControlFlow::Break(Stop::Enough);
        }
        ControlFlow::Continue(())
    }

    fn refuse(&mut self, finding: Finding, stopped: Option<Progress>, depth: usize) {
        let refusal = Refusal { finding, stopped, depth };
        if self.refused.as_ref().is_none_or(|other| other.weight() < refusal.weight()) {
            self.refused = Some(refusal);
        }
    }
}

/// Whether any key of ours could have signed so: SHA-1 and its like tell more than "another key".
fn inspect_signature_algorithm(certificate: &Certificate<'_>) -> Result<(), Finding> {
    const KEYS: [KeyAlgorithm; 5] = [
        KeyAlgorithm::P256,
        KeyAlgorithm::P384,
        KeyAlgorithm::P521,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa { bits: 2048 },
    ];
    let algorithm = &certificate.signature_algorithm;
    if KEYS.into_iter().any(|key| SignatureScheme::of(key, algorithm).is_some()) {
        return Ok(());
    }
    Err(Finding::new(FindingCode::CERTIFICATE_KEY_TOO_WEAK)
        .about(certificate.display_name())
        .expected("a signature with SHA-256, SHA-384, SHA-512 or by Ed25519")
        .found(format!(
            "{}, signed so by {}",
            algorithm::text(algorithm),
            issuer_text(certificate)
        )))
}

fn issuer_text(certificate: &Certificate<'_>) -> String {
    crate::x509::name::text(certificate.issuer)
}
