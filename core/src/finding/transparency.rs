//! Is the signature in a public log?

use super::FindingCode;

findings! {
    LOG_ENTRY_MISMATCH = 1370, "transparency.entry.mismatch", Danger, 15, PubliclyLogged, "Sigstore bundle v0.3 tlogEntries canonicalizedBody",
        "The log entry belongs to another signature.",
        "Do not trust the file. Get the bundle again from the publisher.";
    LOG_ENTRY_MALFORMED = 1380, "transparency.entry.malformed", Danger, 15, PubliclyLogged, "Sigstore bundle v0.3 tlogEntries canonicalizedBody",
        "The log entry cannot be read.",
        "Get the bundle again from the publisher.";
    LOG_ENTRY_UNSUPPORTED = 1390, "transparency.entry.not-supported", NotChecked, 3, PubliclyLogged, "Sigstore bundle v0.3 tlogEntries kindVersion",
        "The log entry is of a kind that this program does not know.",
        "Update Countersign. If it is up to date, ask the publisher for a hashedrekord or dsse entry.";
    LOG_PROMISE_INVALID = 1400, "transparency.promise.invalid", Danger, 15, PubliclyLogged, "Sigstore bundle v0.3 inclusionPromise",
        "The log did not sign this entry and its time.",
        "Get the bundle again from the publisher.";
    LOG_TIME_FUTURE = 1410, "transparency.time.future", Danger, 15, PubliclyLogged, "Sigstore bundle v0.3 integratedTime",
        "The log entry's time is in the future.",
        "Check your clock; otherwise do not trust the file.";
    LOG_PROOF_INVALID = 1420, "transparency.proof.invalid", Danger, 15, PubliclyLogged, "RFC 9162 §2.1.3.2",
        "The proof does not show that the entry is in the log.",
        "Get the bundle again from the publisher.";
    CHECKPOINT_SIGNATURE = 1430, "transparency.checkpoint.signature", Danger, 15, PubliclyLogged, "C2SP signed-note",
        "The log did not sign the checkpoint.",
        "Get the bundle again from the publisher.";
    CHECKPOINT_MISMATCH = 1440, "transparency.checkpoint.mismatch", Danger, 15, PubliclyLogged, "C2SP tlog-checkpoint",
        "The checkpoint and the proof are about different trees.",
        "Get the bundle again from the publisher.";
    CHECKPOINT_ORIGIN = 1450, "transparency.checkpoint.origin", Danger, 15, PubliclyLogged, "C2SP tlog-checkpoint",
        "The checkpoint comes from another log.",
        "Get the bundle again from the publisher. If it still fails, correct the log's address in the trust root.";
    CHECKPOINT_UNSIGNED = 1460, "transparency.checkpoint.unsigned", Danger, 15, PubliclyLogged, "C2SP signed-note",
        "The checkpoint carries no signature by the log's key.",
        "Get the bundle again from the publisher.";
    CHECKPOINT_MALFORMED = 1470, "transparency.checkpoint.malformed", Danger, 15, PubliclyLogged, "C2SP tlog-checkpoint; C2SP signed-note",
        "The checkpoint cannot be read.",
        "Get the bundle again from the publisher.";
    LOG_PROOF_ABSENT = 1480, "transparency.proof.absent", Danger, 15, PubliclyLogged, "Sigstore bundle v0.3 inclusionProof",
        "The log entry comes without a proof that it is in the log.",
        "Ask the publisher for a bundle with an inclusion proof and its checkpoint.";
    LOG_WINDOW = 1490, "transparency.log.outside-window", Danger, 15, PubliclyLogged, "Sigstore trusted_root.json validFor",
        "The trust root does not cover this log for that time.",
        "Get the current trust root. If it still fails, ask the publisher to sign again.";
    LOG_NOT_TRUSTED = 1500, "transparency.log.not-trusted", Danger, 15, PubliclyLogged, "docs/policy.md transparency",
        "The entry is in a log that you do not trust.",
        "If you trust this log, add it to the trust root.";
    LOG_ENTRY_ABSENT = 1510, "transparency.absent", Danger, 15, PubliclyLogged, "docs/policy.md transparency",
        "The signature is not in a public log, and the policy requires one.",
        "Ask the publisher for a bundle with a log entry. Set `transparency` to `off` only if you accept the risk.";
    LOG_NOT_CHECKED = 1770, "transparency.not-checked", Note, 0, PubliclyLogged, "docs/policy.md transparency",
        "The bundle contains a transparency-log entry that was not checked.",
        "Nothing to do: the trust root lists no log, or the policy does not require one.";
    LOG_ENTRY_IGNORED = 1780, "transparency.ignored", Note, 0, PubliclyLogged, "docs/policy.md transparency",
        "A log entry in the bundle could not be used; another could.",
        "Nothing to do.";
}
