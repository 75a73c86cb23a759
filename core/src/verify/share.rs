//! What one bundle may cost, of what all bundles of a file may.
//!
//! Each bundle has an equal share, fixed when the verification is opened. So no bundle takes anything from another
//! one, and what becomes of one never depends on which others were looked at before it. A signature counts once for
//! each bundle that asks about it, and is checked once for all of them.

use alloc::{collections::BTreeSet, rc::Rc};
use core::cell::{Cell, RefCell};

use crate::{
    crypto::{CheckedSignatures, SignatureCheck, SignatureMemory},
    finding::{Finding, FindingCode},
    limits,
};

/// The answers that all bundles of a file share.
pub(super) type Shared = Rc<RefCell<CheckedSignatures>>;

/// One bundle's share.
pub(super) struct Share {
    answers: Shared,
    asked: RefCell<BTreeSet<SignatureCheck>>,
    signatures: usize,
    pub(super) steps: Cell<usize>,
    is_exceeded: Cell<bool>,
}

impl Share {
    /// An equal share for each of so many bundles. No more than [`limits::BUNDLES_OF_ONE_FILE`] of them are
    /// verified.
    pub(super) fn new(answers: &Shared, bundles: usize) -> Self {
        let bundles = bundles.clamp(1, limits::BUNDLES_OF_ONE_FILE);
        let of = |all: usize| all.checked_div(bundles).unwrap_or(0);
        Self {
            answers: Rc::clone(answers),
            asked: RefCell::default(),
            signatures: of(limits::BUNDLE_SIGNATURES),
            steps: Cell::new(of(limits::BUNDLE_PATH_STEPS)),
            is_exceeded: Cell::new(false),
        }
    }

    /// # Errors
    /// A signature was not checked that the bundle asked about: nothing is known of the bundle then.
    pub(super) fn inspect(&self) -> Result<(), Finding> {
        if !self.is_exceeded.get() {
            return Ok(());
        }
        Err(Finding::new(FindingCode::BUNDLE_TOO_MANY_PARTS)
            .about("signatures to check for one of the bundles")
            .expected(alloc::format!("at most {}", self.signatures))
            .found("more"))
    }
}

impl SignatureMemory for Share {
    fn holds(&self, check: SignatureCheck, verify: &mut dyn FnMut() -> bool) -> bool {
        if let Ok(mut asked) = self.asked.try_borrow_mut()
            && !asked.contains(&check)
        {
            if asked.len() >= self.signatures {
                self.is_exceeded.set(true);
                return false;
            }
            asked.insert(check);
        }
        self.answers.holds(check, verify)
    }
}
