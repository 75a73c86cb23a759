//! Is it the same file? The artifact against the signed digest, or the statement's subjects.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Ordering;

use super::{Run, provenance::Said};
use crate::{
    bundle::{Content, Envelope, IN_TOTO_PAYLOAD_TYPE, Statement, Subject},
    digest::Digest,
    finding::{Finding, FindingCode},
    policy::Signer,
};

impl Run<'_> {
    /// The digest by which the file is the signed one, or findings.
    ///
    /// `signed_digest` is the artifact's digest that the signature was made over, where the bundle
    /// itself says none.
    pub(super) fn inspect_content(
        &mut self,
        rules: &[&Signer],
        signed_digest: Option<Digest>,
    ) -> Option<Digest> {
        let outcome = match &self.bundle.content {
            Content::MessageSignature { digest, .. } => {
                self.inspect_predicate(rules, None);
                match digest {
                    Some(digest) => self.compare(digest),
                    // The signature was checked over the artifact's own digest.
                    None => return signed_digest,
                }
            }
            Content::Envelope(envelope) => {
                let statement = Statement::decode(&envelope.payload);
                let said = statement.as_ref().ok().map(|statement| Said {
                    predicate_type: &statement.predicate_type,
                    payload: &envelope.payload,
                });
                self.inspect_predicate(rules, said);
                self.compare_statement(envelope, statement)
            }
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
        let digests = self.context.evidence.artifact.digests;
        match digests.iter().find(|each| each.algorithm() == signed.algorithm()) {
            None => Err(Finding::new(FindingCode::ContentDigestNotSupplied)
                .expected(format!("a {} digest", signed.algorithm()))
                .found(kinds(digests))),
            Some(actual) if actual == signed => Ok((signed.clone(), Vec::new())),
            Some(actual) => Err(Finding::new(FindingCode::ContentMismatch)
                .expected(format!("{signed}"))
                .found(format!("{actual}"))),
        }
    }

    fn compare_statement(
        &self,
        envelope: &Envelope,
        statement: Result<Statement, Finding>,
    ) -> Result<(Digest, Vec<Finding>), Finding> {
        if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE {
            return Err(Finding::new(FindingCode::StatementType)
                .about("payloadType")
                .expected(IN_TOTO_PAYLOAD_TYPE)
                .found(envelope.payload_type.clone()));
        }
        self.find_subject(&statement?.subjects)
    }

    fn find_subject(&self, subjects: &[Subject]) -> Result<(Digest, Vec<Finding>), Finding> {
        let artifact = self.context.evidence.artifact;
        let bears_name = |subject: &&Subject| {
            artifact.name.is_some() && subject.name.as_deref() == artifact.name
        };
        let named: Vec<&Subject> = subjects.iter().filter(bears_name).collect();
        // A name that the statement knows binds to its own digest: another file of the release
        // under this name is a mix-up. An unknown name may be the user's own.
        let candidates: Vec<&Subject> =
            if named.is_empty() { subjects.iter().collect() } else { named.clone() };
        for subject in &candidates {
            if let Some(digest) = matching(subject, artifact.digests) {
                // A statement that contradicts itself about the file proves nothing of it.
                self.inspect_size(subject)?;
                return Ok((digest, self.name_note(subject)));
            }
        }
        let candidate = named.first().copied().or(match subjects {
            [only] if artifact.name.is_none() || only.name.is_none() => Some(only),
            _ => None,
        });
        // The size first: a download that was cut off is the commonest fault, and the mildest.
        match candidate.map(|candidate| self.inspect_size(candidate)) {
            Some(Err(finding)) if finding.code == FindingCode::ContentIncomplete => {
                return Err(finding);
            }
            _ => {}
        }
        Err(self.no_subject(subjects, candidate))
    }

    /// The size that the statement gives, where both are known.
    fn inspect_size(&self, subject: &Subject) -> Result<(), Finding> {
        let Some((expected, found)) = subject.size.zip(self.context.evidence.artifact.size) else {
            return Ok(());
        };
        let code = match found.cmp(&expected) {
            Ordering::Equal => return Ok(()),
            Ordering::Less => FindingCode::ContentIncomplete,
            Ordering::Greater => FindingCode::ContentMismatch,
        };
        Err(Finding::new(code)
            .expected(format!("{expected} bytes"))
            .found(format!("{found} bytes")))
    }

    /// Why no subject is this file.
    fn no_subject(&self, subjects: &[Subject], candidate: Option<&Subject>) -> Finding {
        let artifact = self.context.evidence.artifact;
        let comparable = |subject: &Subject| {
            subject.digests.iter().any(|digest| {
                artifact.digests.iter().any(|own| own.algorithm() == digest.algorithm())
            })
        };
        if subjects.iter().all(|subject| subject.digests.is_empty()) {
            return Finding::new(FindingCode::ContentDigestWeak)
                .expected("sha256, sha384 or sha512 of a subject");
        }
        if !subjects.iter().any(comparable) {
            let wanted = subjects.iter().find_map(|subject| subject.digests.first());
            let wanted = wanted
                .map_or_else(String::new, |digest| format!("a {} digest", digest.algorithm()));
            return Finding::new(FindingCode::ContentDigestNotSupplied)
                .expected(wanted)
                .found(kinds(artifact.digests));
        }
        if let Some(name) = artifact.name
            && candidate.is_none()
        {
            let names: Vec<&str> =
                subjects.iter().filter_map(|subject| subject.name.as_deref()).take(3).collect();
            return Finding::new(FindingCode::ContentOtherFile)
                .about(name)
                .expected(format!("a bundle for {name}"))
                .found(format!("a bundle for {}", names.join(", ")));
        }
        let differing =
            candidate.into_iter().flat_map(|subject| &subject.digests).find_map(|signed| {
                let own =
                    artifact.digests.iter().find(|own| own.algorithm() == signed.algorithm())?;
                (own != signed).then(|| (format!("{signed}"), format!("{own}")))
            });
        let (expected, found) = differing.unwrap_or_default();
        Finding::new(FindingCode::ContentMismatch).expected(expected).found(found)
    }

    fn name_note(&self, subject: &Subject) -> Vec<Finding> {
        match (self.context.evidence.artifact.name, subject.name.as_deref()) {
            (Some(own), Some(published)) if own != published => {
                alloc::vec![Finding::new(FindingCode::NameDiffers).expected(published).found(own)]
            }
            _ => Vec::new(),
        }
    }
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

fn kinds(digests: &[Digest]) -> String {
    let names: Vec<&str> = digests.iter().map(|digest| digest.algorithm().name()).collect();
    if names.is_empty() { String::from("none") } else { names.join(", ") }
}
