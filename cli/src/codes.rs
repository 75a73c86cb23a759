//! What only this program can find: its own keys, tokens, settings, outputs, and audit ledgers.
//!
//! Rows as those in `core/src/finding/`, which has what a check can find wherever it runs. `countersign
//! explain` and `docs/findings.md` read both; the page has no use for these.

use countersign_core::{finding::FindingCode, finding_row};

macro_rules! findings {
    ($($name:ident = $rank:literal, $code:literal, $class:ident, $exit:literal, $question:ident,
        $clause:literal, $title:literal, $remedy:literal;)*) => {
        $(#[doc = $title]
        pub const $name: FindingCode =
            finding_row!($rank, $code, $class, $exit, $question, $clause, $title, $remedy);)*

        const ROWS: &[FindingCode] = &[$($name),*];
    };
}

/// Every finding of the program and of the core, in order of rank.
pub fn all() -> Vec<FindingCode> {
    let mut all = FindingCode::all();
    all.extend(ROWS);
    all.sort_unstable();
    all
}

/// The finding with that dotted code.
pub fn parse(code: &str) -> Option<FindingCode> {
    let own = ROWS.iter().copied().find(|each| each.code() == code);
    own.or_else(|| FindingCode::parse(code))
}

findings! {
    ARTIFACT_IS_BUNDLE = 50, "setup.artifact.is-bundle", SetUp, 2, SameFile, "docs/verifying.md",
        "This is a bundle, not the file that it belongs to.",
        "Name the file itself; its bundle is found beside it.";
    ARTIFACT_READS_AS_STATEMENT = 60, "setup.artifact.reads-as-statement", SetUp, 2, SameFile, "DSSE v1 §3; docs/threat-model.md",
        "The file begins like a signed statement, so its signature could be passed off as a statement's.",
        "Sign a statement about the file: `countersign sign --statement FILE`.";
    KEY_FILE_PERMISSIONS = 120, "setup.key.permissions", SetUp, 2, SameFile, "docs/findings.md",
        "A file with a key, passphrase or PIN can be used by others.",
        "Allow only its owner to use it: `chmod 600 FILE`. If others may have read it, replace the secret.";
    KEY_UNUSABLE = 130, "setup.key.unusable", SetUp, 2, SameFile, "RFC 5958; docs/cli.md",
        "A key file cannot be used.",
        "Check the passphrase, and that it is an encrypted PKCS#8 key: P-384, P-256 or RSA of 3072 bits.";
    KEY_MISMATCH = 140, "setup.key.mismatch", SetUp, 2, SameFile, "docs/cli.md",
        "The key does not belong to the certificate.",
        "Name the key that the certificate was issued for.";
    CA_FOLDER_ALTERED = 150, "setup.ca.altered", SetUp, 2, SameFile, "docs/cli.md",
        "A file in the certificate authority's folder was changed by somebody else.",
        "Do not issue anything from this folder. Restore it from a backup you trust, and find out who could write to it.";
    TOKEN_UNUSABLE = 160, "setup.token.unusable", SetUp, 2, SameFile, "RFC 7512; PKCS#11 v2.40; docs/keys.md",
        "A key in a PKCS#11 token cannot be used.",
        "Correct what is named here, then run `countersign key show --key URI`. A wrong PIN is tried only once, because tokens lock.";
    TOKEN_AWAY = 170, "setup.token.away", NotChecked, 3, SameFile, "PKCS#11 v2.40; docs/keys.md",
        "The token with the key is missing or fails.",
        "Check that the token is plugged in, or that its network and service run, then try again.";
    REQUEST_INVALID = 180, "setup.request.invalid", SetUp, 2, SameFile, "docs/cli.md",
        "The certificate authority does not issue what was asked for.",
        "Correct the option named here and run the command again.";
    SERVICE_REFUSED = 190, "setup.service.refused", SetUp, 2, SameFile, "docs/operations.md",
        "A service understood the request and refused it.",
        "Follow its message, then try again.";
    CONFIGURATION_INVALID = 200, "setup.configuration.invalid", SetUp, 2, SameFile, "docs/operations.md",
        "A configuration cannot be used.",
        "Fix the line or field named here. `countersign config check` checks the whole file.";
    USAGE_INVALID = 210, "setup.usage.invalid", SetUp, 2, SameFile, "docs/cli.md",
        "An option, argument or setting is missing or wrong.",
        "Correct what is named here. `countersign help COMMAND` lists a command's options.";
    PASSPHRASE_MISSING = 211, "setup.passphrase.missing", SetUp, 2, SameFile, "docs/cli.md",
        "A passphrase is needed, and this run cannot ask for it.",
        "Write it into a file of mode 0600 and name the file with the option named here, or run the command at a terminal without `--no-input`.";
    PASSPHRASES_DIFFER = 212, "setup.passphrase.differs", SetUp, 2, SameFile, "docs/cli.md",
        "The two passphrases are not the same.",
        "Run the command again and type the same passphrase twice.";
    SIGNER_NOT_NAMED = 213, "setup.signer.not-named", SetUp, 2, SameFile, "docs/cli.md",
        "You did not say who should have signed the file.",
        "Name the expected signer with one of the options named here. Anybody can sign a file, so a signature alone proves nothing.";
    CONFIRMATION_MISSING = 214, "setup.confirmation.missing", SetUp, 2, SameFile, "docs/cli.md",
        "The command needs a yes, and this run cannot ask for it.",
        "If you want it done without being asked, run the command again with `--yes`.";
    DECLINED = 215, "setup.confirmation.declined", SetUp, 2, SameFile, "docs/cli.md",
        "You did not answer yes, so nothing was done.",
        "Run the command again if you change your mind.";
    INPUT_IS_FOLDER = 230, "setup.input.folder", SetUp, 3, SameFile, "docs/cli.md",
        "This is a folder, but a file is needed.",
        "Name a file in the folder.";
    OUTPUT_UNWRITABLE = 260, "setup.output.unwritable", SetUp, 3, SameFile, "docs/cli.md",
        "A file cannot be written.",
        "Check the folder, its permissions and the free space; no half-written file was left behind.";
    SERVICE_NOT_TRUSTED = 330, "setup.service.not-trusted", NotChecked, 3, SameFile, "docs/cli.md",
        "The TLS certificate of a service is not trusted.",
        "Check the address and this computer's clock. For a private CA, name its certificates (--timestamp-ca, --admin-ca).";
    PROXY_REFUSED = 340, "setup.proxy.refused", NotChecked, 3, SameFile, "docs/cli.md",
        "The HTTP proxy did not pass the request on.",
        "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and the user name and password for the proxy.";
    REVOCATION_PENDING = 1060, "revocation.pending", NotChecked, 4, StillTrusted, "docs/revocation-service.md",
        "The order waits for a second person. For a key compromise, only the later date waits.",
        "Ask an administrator with the role approver to look at it: `countersign revocation pending`.";
    AUDIT_LINE_ALTERED = 1800, "audit.line.altered", Danger, 10, WhoSigned, "docs/audit.md",
        "A record of the audit ledger was changed after it was written.",
        "Keep this ledger as evidence, compare it with your copies, and find out who could write to it.";
    AUDIT_LINE_MALFORMED = 1810, "audit.line.malformed", Danger, 10, WhoSigned, "docs/audit.md",
        "A record or file of the audit ledger is not one that its service writes.",
        "Keep this ledger as evidence, compare it with your copies, and find out who could write to it.";
    AUDIT_SEQUENCE_BROKEN = 1820, "audit.sequence.broken", Danger, 10, WhoSigned, "docs/audit.md",
        "Records of the audit ledger were removed, added or reordered.",
        "Keep this ledger as evidence, compare it with your copies, and find out who could write to it.";
    AUDIT_FILE_MISSING = 1830, "audit.file.missing", Danger, 10, WhoSigned, "docs/audit.md",
        "A file of the audit ledger is missing.",
        "Put it back. If it was archived on purpose, say so with --archived, or for files of format 1 with --after.";
    AUDIT_FILE_CUT = 1840, "audit.file.cut", Danger, 10, WhoSigned, "docs/audit.md",
        "A file of the audit ledger ends within a record although more follows.",
        "Replace the file with a copy of it, and keep this one as evidence.";
    AUDIT_FILE_FOREIGN = 1850, "audit.file.foreign", Danger, 10, WhoSigned, "docs/audit.md",
        "A file does not belong to this audit ledger.",
        "Put the right file in its place; ledgers of several replicas have a folder each.";
    AUDIT_HEAD_MISSING = 1860, "audit.head.missing", Danger, 10, WhoSigned, "docs/audit.md",
        "The audit ledger never had the expected head: its end was cut off, or it was written anew.",
        "Check that this is the right ledger. If it is, keep it as evidence and compare it with your copies.";
    AUDIT_INCOMPLETE = 1870, "audit.line.incomplete", NotChecked, 3, WhoSigned, "docs/audit.md",
        "The last record of the audit ledger is incomplete; everything before it is whole.",
        "Its service was killed while it wrote. Start it again: it cuts the record off and says so.";
    AUDIT_FORMAT_UNKNOWN = 1880, "audit.format.unknown", NotChecked, 3, WhoSigned, "docs/audit.md",
        "The audit ledger is in a format that this program does not know.",
        "Use the version of this program that belongs to the service.";
    AUDIT_NOT_FOUND = 1890, "audit.not-found", NotChecked, 3, WhoSigned, "docs/audit.md",
        "There is no audit ledger in this folder.",
        "Name the folder that the service's configuration names under [audit].";
    AUDIT_RECORD_MISSING = 1895, "audit.record.missing", NotChecked, 3, WhoSigned, "docs/audit.md",
        "The audit ledger has no record of this number whose inclusion can be proved.",
        "Look the number up with `countersign audit show`. Records of format 1 have no proof of their own.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use countersign_core::finding::Class;

    use super::*;

    #[test]
    fn codes_and_ranks_are_unique_in_both_tables() {
        let all = all();
        let codes: BTreeSet<_> = all.iter().map(|code| code.code()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        for code in all {
            assert_eq!(parse(code.code()), Some(code));
            assert!(code.title().ends_with('.') && code.remedy().ends_with('.'), "{code}");
            let passes = matches!(code.class(), Class::Note | Class::Warning);
            assert_eq!(passes, code.exit_code() == 0, "{code}");
        }
    }
}
