//! When was it signed? The bundle's timestamps, each verified, and how many there must be.

use alloc::{format, string::String, vec::Vec};

use super::{Run, logged::EntryOutcome, vouched::vouched};
use crate::{
    finding::{Finding, FindingCode},
    order::sort_few,
    report::TimestampSummary,
    revocation::Subject,
    tsp::VerifiedTimestamp,
    x509::VerifiedPath,
};

impl<'a> Run<'a> {
    /// The timestamps that hold, earliest first. Findings say what is wrong with the others, or
    /// that there are too few; the times that logs promised count with them.
    pub(super) fn timestamps(
        &mut self,
        entries: &[EntryOutcome<'a>],
    ) -> Vec<VerifiedTimestamp<'a>> {
        let mut holding: Vec<VerifiedTimestamp<'a>> = Vec::new();
        let mut failed = Vec::new();
        for (index, outcome) in core::mem::take(&mut self.tokens).into_iter().enumerate() {
            match outcome.and_then(|timestamp| self.not_void(timestamp)) {
                Ok(timestamp) => {
                    holding.push(timestamp);
                    if self.part.legacy.contains(index) {
                        let note = Finding::new(FindingCode::TIMESTAMP_LEGACY_ENCODING);
                        self.findings.push(note.about(self.token_text(index)));
                    }
                }
                Err(finding) => failed.push((index, finding)),
            }
        }
        sort_few(&mut holding, |timestamp| timestamp.time().time());
        let required = self.context.policy.timestamps_required;
        let found = vouched(&holding, entries, required).authorities;
        if found >= usize::from(required) {
            let ignored = |(index, finding)| self.ignored_token(index, &finding);
            let ignored: Vec<Finding> = failed.into_iter().map(ignored).collect();
            self.findings.extend(ignored);
        } else if failed.is_empty() {
            // Where an entry with a promise failed and none held, that is why a time is missing,
            // and it is reported.
            let promised = self.bundle.log_entries.iter().any(|entry| entry.promise.is_some());
            if promised && !entries.is_empty() && entries.iter().all(Result::is_err) {
                return holding;
            }
            self.findings.push(
                Finding::new(FindingCode::TIMESTAMP_ABSENT)
                    .expected(format!("{required} by different authorities"))
                    .found(format!("{found}")),
            );
        } else {
            self.findings.extend(failed.into_iter().map(|(_, finding)| finding));
        }
        holding
    }

    /// The chain is judged at the proven time, which is the first: that somebody stamped the
    /// signature at another time too proves nothing against it. A time at which no chain would have
    /// held is named.
    pub(super) fn note_other_times(
        &mut self,
        path: &VerifiedPath<'a>,
        stamps: &[TimestampSummary],
    ) {
        let others = stamps.iter().skip(1);
        let notes: Vec<Finding> = others
            .filter(|stamp| !path.certificates().all(|each| each.is_valid_at(stamp.time)))
            .filter_map(|stamp| {
                let refused = self
                    .context
                    .signer_paths(self.bundle, self.leaf.as_ref()?, stamp.time)
                    .err()?;
                let whose = refused.subject.unwrap_or_default();
                let bound = refused.expected.unwrap_or_default();
                Some(
                    Finding::new(FindingCode::TIMESTAMP_OUTSIDE_CHAIN)
                        .about(stamp.authority.clone())
                        .expected(format!("{bound} ({whose})"))
                        .found(format!("{}", stamp.time)),
                )
            })
            .collect();
        self.findings.extend(notes);
    }

    /// A token that could not be used where enough others could: which one, why, and what was seen.
    fn ignored_token(&self, index: usize, finding: &Finding) -> Finding {
        let mut why = format!("{}: {}", finding.code, finding.code.title());
        for fact in [&finding.subject, &finding.found].into_iter().flatten() {
            why = format!("{why} {fact};");
        }
        Finding::new(FindingCode::TIMESTAMP_IGNORED)
            .about(self.token_text(index))
            .found(why.trim_end_matches(';'))
    }

    fn token_text(&self, index: usize) -> String {
        let (number, count) = (index.saturating_add(1), self.bundle.timestamps.len());
        format!("timestamp {number} of {count} in the bundle")
    }

    /// A timestamp whose authority was not revoked in a way that voids it.
    fn not_void(
        &mut self,
        timestamp: VerifiedTimestamp<'a>,
    ) -> Result<VerifiedTimestamp<'a>, Finding> {
        let timestamp = self.with_best_path(timestamp);
        let time = Some(timestamp.time());
        let standing = self.judge_path(timestamp.path(), Subject::TimestampAuthority, time);
        let mut notes = Vec::new();
        for finding in standing.findings {
            if finding.code.exit_code() != 0 {
                return Err(finding);
            }
            notes.push(finding);
        }
        self.findings.extend(notes);
        Ok(timestamp)
    }
}
