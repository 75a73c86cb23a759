//! Is it the same file? The artifact against the signed digest, or the statement's subjects.

use alloc::{format, vec, vec::Vec};

use super::{
    Run,
    subject::{Subjects, inspect_name, kinds},
};
use crate::{
    bundle::Content,
    digest::Digest,
    finding::{Finding, FindingCode},
    policy::Signer,
};

impl Run<'_> {
    /// The digest by which the file is the signed one, or findings.
    ///
    /// `signed_digest` is the artifact's digest that the signature was made over, if the bundle
    /// itself says none.
    pub(super) fn inspect_content(
        &mut self,
        rules: &[&Signer],
        signed_digest: Option<Digest>,
    ) -> Option<Digest> {
        self.inspect_predicate(rules);
        let outcome = match &self.bundle.content {
            Content::MessageSignature { digest, .. } => {
                let notes = inspect_name(self.artifact, None, self.context.policy.names);
                self.findings.extend(notes.unwrap_or_else(|finding| vec![finding]));
                match digest {
                    Some(digest) => self.compare(digest),
                    // The signature was checked over the artifact's own digest.
                    None => return signed_digest,
                }
            }
            Content::Envelope(_) => self.compare_statement(),
        };
        match outcome {
            Ok((digest, notes)) => {
                self.findings.extend(notes);
                Some(digest)
            }
            Err(finding) => {
                self.findings.push(finding);
                None
            }
        }
    }

    fn compare(&self, signed: &Digest) -> Result<(Digest, Vec<Finding>), Finding> {
        let digests = self.artifact.digests;
        match digests.iter().find(|each| each.algorithm() == signed.algorithm()) {
            None => Err(Finding::new(FindingCode::CONTENT_DIGEST_NOT_SUPPLIED)
                .expected(format!("a {} digest", signed.algorithm()))
                .found(kinds(digests))),
            Some(actual) if actual == signed => Ok((signed.clone(), Vec::new())),
            Some(actual) => Err(Finding::new(FindingCode::CONTENT_MISMATCH)
                .expected(format!("{signed}"))
                .found(format!("{actual}"))),
        }
    }

    fn compare_statement(&self) -> Result<(Digest, Vec<Finding>), Finding> {
        let statement =
            self.part.statement().unwrap_or_else(|| Err(FindingCode::STATEMENT_TYPE.into()))?;
        Subjects::new(&statement.subjects, *self.artifact).find(self.context.policy.names)
    }
}
