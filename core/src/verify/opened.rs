//! A bundle on its way to a report: what neither the file nor revocation changes, found out once.

use alloc::vec::Vec;
use core::cell::{Cell, OnceCell, RefCell};

use super::{
    Context, evidence_set::Part, logged::LoggedOutcome, run::Run, signature::Checked, verifier,
};
use crate::{
    finding::Finding,
    time::UnixSeconds,
    tsp::{Stamped, VerifiedTimestamp},
    x509::{Certificate, PublicKey, VerifiedPath},
};

/// The paths of a signer's certificate.
pub(super) type Paths<'a> = Result<Vec<VerifiedPath<'a>>, Finding>;

/// Whether a caller was told where to look up the revocation of a bundle's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It did not ask: it knows what evidence it has.
    NotAsked,
    /// It asked, and this bundle was not among those that it was told of.
    No,
    Yes,
}

/// A bundle under a trust root and a policy. Each signature in it is verified once, however often one
/// asks for the sources of revocation or for a report.
pub(super) struct Opened<'a> {
    pub(super) context: Context<'a>,
    pub(super) part: &'a Part,
    tokens: OnceCell<Vec<Result<VerifiedTimestamp<'a>, Finding>>>,
    entries: OnceCell<Vec<LoggedOutcome<'a>>>,
    /// At the time that was asked for first, which is the proven one unless revocation voids a timestamp.
    paths: OnceCell<(UnixSeconds, Paths<'a>)>,
    /// For the file as it was known last.
    signature: RefCell<Option<Checked>>,
    pub(super) told: Cell<Told>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(context: Context<'a>, part: &'a Part) -> Self {
        let (tokens, entries, paths) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let (signature, told) = (RefCell::new(None), Cell::new(Told::NotAsked));
        Self { context, part, tokens, entries, paths, signature, told }
    }

    /// The signer's certificate, if there is one, and the key that must have signed.
    pub(super) fn verifier(&self) -> Result<(Option<Certificate<'a>>, PublicKey<'a>), Finding> {
        verifier(&self.part.bundle, self.context.key)
    }

    /// Each of the bundle's timestamps, verified; revocation is not looked at.
    pub(super) fn tokens(&self) -> &[Result<VerifiedTimestamp<'a>, Finding>] {
        self.tokens.get_or_init(|| {
            // RFC 3161 over a signature stamps the signature's octets.
            let stamped = Stamped::Message(self.part.bundle.content.signature());
            let tokens = self.part.bundle.timestamps.iter().enumerate();
            tokens.map(|(index, token)| self.verify_token(index, token, stamped)).collect()
        })
    }

    /// Each of the bundle's log entries, held against its log: not yet against this bundle. None if the
    /// policy does not ask.
    pub(super) fn entries(&self) -> &[LoggedOutcome<'a>] {
        self.entries.get_or_init(|| {
            if !self.context.wants_entry() {
                return Vec::new();
            }
            let entries = self.part.bundle.log_entries.iter();
            entries.map(|entry| self.verify_in_logs(entry)).collect()
        })
    }

    /// The paths of the signer's certificate at that time; none if there is no certificate.
    pub(super) fn paths_at(&self, at: UnixSeconds) -> Paths<'a> {
        if let Some((known_at, paths)) = self.paths.get()
            && *known_at == at
        {
            return paths.clone();
        }
        let paths = match self.verifier() {
            Ok((Some(leaf), _)) => self.context.signer_paths(&self.part.bundle, &leaf, at),
            Ok((None, _)) | Err(_) => Ok(Vec::new()),
        };
        self.paths.get_or_init(|| (at, paths.clone()));
        paths
    }

    /// What was found of the signature, if it was checked.
    pub(super) fn known_signature(&self) -> Option<Checked> {
        self.signature.borrow().clone()
    }

    /// Whether the signature does not hold, whatever else becomes known of the file; it is remembered.
    pub(super) fn has_refuted_signature(&self, run: &Run<'_>) -> bool {
        let signature = run.checked_signature();
        let is_refuted = signature.is_refuted();
        self.signature.replace(Some(signature));
        is_refuted
    }

    /// The paths at the time that was asked for first, if one was.
    pub(super) fn known_paths(&self) -> Option<&(UnixSeconds, Paths<'a>)> {
        self.paths.get()
    }
}
