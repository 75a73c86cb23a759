//! What was presented for a file: each bundle, decoded once, with what can be read from it alone.

use alloc::vec::Vec;
use core::cell::OnceCell;

use super::legacy::LegacyTokens;
use crate::{
    bundle::{Bundle, Content, IN_TOTO_PAYLOAD_TYPE, Presented, Provenance, Statement},
    finding::{Finding, FindingCode},
    tsp::TokenForm,
};

/// The bundles that were presented for a file, decoded. Nothing in it is verified.
#[derive(Clone, Debug)]
pub struct EvidenceSet {
    parts: Result<Vec<Part>, Finding>,
    passed_over: usize,
}

impl EvidenceSet {
    /// Decodes one bundle, or what there is in its place: several, of which some are this file's
    /// ([`Presented`]). The report says what cannot be read.
    ///
    /// `tokens` says in which encoding the bundles' timestamps are taken.
    pub fn decode(bytes: &[u8], tokens: TokenForm) -> Self {
        match Presented::decode(bytes) {
            Ok(Presented { bundles, passed_over }) => {
                let parts = bundles.into_iter().map(|bundle| Part::of(bundle, tokens)).collect();
                Self { parts: Ok(parts), passed_over }
            }
            Err(finding) => Self { parts: Err(finding), passed_over: 0 },
        }
    }

    /// The bundles; at least one.
    ///
    /// # Errors
    /// Why none could be read.
    pub(super) fn parts(&self) -> Result<&[Part], &Finding> {
        self.parts.as_deref()
    }

    /// How many lines or entries are something else.
    pub(super) fn passed_over(&self) -> usize {
        self.passed_over
    }
}

/// One bundle, with its timestamps and its statement.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) bundle: Bundle,
    pub(super) legacy: LegacyTokens,
    /// What the envelope says; `None` for a message signature.
    statement: Option<Result<Statement, Finding>>,
    /// Read only if a policy asks for it.
    provenance: OnceCell<Result<Option<Provenance>, Finding>>,
}

impl Part {
    fn of(bundle: Bundle, tokens: TokenForm) -> Self {
        let legacy = LegacyTokens::of(&bundle, tokens);
        let statement = match &bundle.content {
            Content::Envelope(envelope) => Some(Statement::decode(&envelope.payload)),
            Content::MessageSignature { .. } => None,
        };
        Self { bundle, legacy, statement, provenance: OnceCell::new() }
    }

    /// The in-toto statement; `None` for a message signature.
    ///
    /// # Errors
    /// `statement.type` if the envelope says that it holds something else; it cannot be read.
    pub(super) fn statement(&self) -> Option<Result<&Statement, Finding>> {
        let Content::Envelope(envelope) = &self.bundle.content else { return None };
        if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE {
            let finding = Finding::new(FindingCode::STATEMENT_TYPE).about("payloadType");
            let found = envelope.payload_type.clone();
            return Some(Err(finding.expected(IN_TOTO_PAYLOAD_TYPE).found(found)));
        }
        self.statement.as_ref().map(|statement| statement.as_ref().map_err(Clone::clone))
    }

    /// The type of the statement's predicate, if there is a statement that can be read.
    pub(super) fn predicate_type(&self) -> Option<&str> {
        let statement = self.statement.as_ref()?.as_ref().ok()?;
        Some(&statement.predicate_type)
    }

    /// The provenance that the statement is; `None` if it is none.
    pub(super) fn provenance(&self) -> Option<&Result<Option<Provenance>, Finding>> {
        self.predicate_type()?;
        let Content::Envelope(envelope) = &self.bundle.content else { return None };
        Some(self.provenance.get_or_init(|| Provenance::decode(&envelope.payload)))
    }
}
