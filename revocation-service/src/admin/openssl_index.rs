//! The `index.txt` of an `openssl ca`: six fields a line, separated by tabs.
//!
//! `R 280503100000Z 260503100000Z,keyTime,20260501000000Z 1F2E unknown /CN=…`: status,
//! expiry, revocation (date, reason, and its argument: the date of the compromise or a hold
//! instruction), serial number, file, name. There is no certificate in it, so that neither its key
//! nor its beginning is known; the name is left out, since its text cannot be turned back into a name.

use std::fmt;

use countersign_core::{crl::RevocationReason, time::UnixSeconds};

use crate::register::{
    serial_number,
    storage::{CertificateRecord, Evidence, IssuerId, Listed, Revocation},
};

/// What the index does not say.
pub(super) struct Context<'a> {
    pub(super) issuer: IssuerId,
    /// The issuer's: no certificate of it begins before.
    pub(super) not_before: UnixSeconds,
    pub(super) now: UnixSeconds,
    pub(super) actor: &'a str,
}

/// What is wrong with an index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IndexError {
    line: usize,
    what: &'static str,
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}: {} cannot be read.", self.line, self.what)
    }
}

/// Reads a whole index.
///
/// # Errors
/// The first line that is wrong: nothing of an index that is half understood is taken.
pub(super) fn decode(text: &str, context: &Context<'_>) -> Result<Vec<Listed>, IndexError> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            entry(line, context).map_err(|what| IndexError { line: index + 1, what })
        })
        .collect()
}

fn entry(line: &str, context: &Context<'_>) -> Result<Listed, &'static str> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [status, expiry, revocation, serial, _file, _name] = fields.as_slice() else {
        return Err("the line (six fields, separated by tabs)");
    };
    let revocation = match *status {
        "V" | "E" if revocation.is_empty() => None,
        "R" => Some(revoked(revocation, context)?),
        _ => return Err("the status"),
    };
    let certificate = CertificateRecord {
        issuer: context.issuer,
        serial: serial_number::parse(serial).ok_or("the serial number")?,
        digests: None,
        not_before: context.not_before,
        not_after: time(expiry).ok_or("the expiry date")?,
        evidence: Evidence::Import,
        registered_at: context.now,
        actor: context.actor.to_owned(),
    };
    Ok(Listed { certificate, revocation })
}

fn revoked(field: &str, context: &Context<'_>) -> Result<Revocation, &'static str> {
    let mut parts = field.split(',');
    let date = parts.next().and_then(time).ok_or("the revocation date")?;
    let (name, argument) = (parts.next(), parts.next());
    let reason = match name {
        None | Some("") => RevocationReason::Unspecified,
        // As openssl writes them: a hold has an instruction, compromises have their time.
        Some("holdInstruction") => RevocationReason::CertificateHold,
        Some("keyTime") => RevocationReason::KeyCompromise,
        Some("CAkeyTime" | "CACompromise") => RevocationReason::CaCompromise,
        Some(name) => RevocationReason::parse(name)
            .filter(|reason| *reason != RevocationReason::RemoveFromCrl)
            .ok_or("the reason")?,
    };
    let compromised = match (name, argument) {
        (Some("keyTime" | "CAkeyTime"), argument) => {
            Some(argument.and_then(time).ok_or("the date of the compromise")?)
        }
        _ => None,
    };
    Ok(Revocation {
        reason,
        revocation_date: compromised.map_or(date, |since| since.min(date)),
        recorded_at: context.now,
        actor: context.actor.to_owned(),
    })
}

/// `YYMMDDHHMMSSZ` (years from 50 on are 19YY) or `YYYYMMDDHHMMSSZ`.
fn time(text: &str) -> Option<UnixSeconds> {
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let full = match digits.len() {
        12 => format!("{}{digits}", if digits < "50" { "20" } else { "19" }),
        14 => digits.to_owned(),
        _ => return None,
    };
    let part = |range: std::ops::Range<usize>| full.get(range).unwrap_or_default();
    let (date, time) = (
        format!("{}-{}-{}", part(0..4), part(4..6), part(6..8)),
        format!("{}:{}:{}", part(8..10), part(10..12), part(12..14)),
    );
    UnixSeconds::parse_rfc3339(&format!("{date}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Listed, IndexError> {
        let context = Context {
            issuer: IssuerId(1),
            not_before: UnixSeconds::new(1_000),
            now: UnixSeconds::new(1_800_000_000),
            actor: "registrar@example.test",
        };
        decode(line, &context).map(|mut entries| entries.remove(0))
    }

    fn revocation(field: &str) -> (RevocationReason, String) {
        let line = format!("R\t280503100000Z\t{field}\t1F2E\tunknown\t/CN=x");
        let revocation = read(&line).expect("good").revocation.expect("revoked");
        (revocation.reason, revocation.revocation_date.to_string())
    }

    #[test]
    fn reads_what_openssl_writes() {
        let valid = read("V\t20580503100000Z\t\t00AB\tunknown\t/C=DE/CN=Signer").expect("good");
        assert_eq!(valid.revocation, None);
        assert_eq!(valid.certificate.serial, [0, 0xAB]);
        assert_eq!(valid.certificate.not_after.to_string(), "2058-05-03T10:00:00Z");
        let date = "2026-05-03T10:00:00Z".to_owned();
        for (field, reason) in [
            ("260503100000Z", RevocationReason::Unspecified),
            ("260503100000Z,superseded", RevocationReason::Superseded),
            ("260503100000Z,keyCompromise", RevocationReason::KeyCompromise),
            ("260503100000Z,CACompromise", RevocationReason::CaCompromise),
            (
                "260503100000Z,holdInstruction,holdInstructionReject",
                RevocationReason::CertificateHold,
            ),
        ] {
            assert_eq!(revocation(field), (reason, date.clone()), "{field}");
        }
        assert_eq!(
            revocation("260503100000Z,keyTime,20260401000000Z"),
            (RevocationReason::KeyCompromise, "2026-04-01T00:00:00Z".to_owned())
        );
    }

    #[test]
    fn names_the_line_and_the_field_that_is_wrong() {
        for (line, what) in [
            ("V\t280503100000Z\t01", "the line (six fields, separated by tabs)"),
            ("X\t280503100000Z\t\t01\tunknown\t/CN=x", "the status"),
            ("V\t2805Z\t\t01\tunknown\t/CN=x", "the expiry date"),
            ("V\t280503100000Z\t\txy\tunknown\t/CN=x", "the serial number"),
            ("R\t280503100000Z\t\t01\tunknown\t/CN=x", "the revocation date"),
            ("R\t280503100000Z\t260503100000Z,boredom\t01\tunknown\t/CN=x", "the reason"),
        ] {
            assert_eq!(read(line), Err(IndexError { line: 1, what }), "{line}");
        }
    }
}
