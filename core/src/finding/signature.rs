//! Does the signature hold, and may its key sign this?

use super::FindingCode;

findings! {
    SIGNATURE_MISMATCH = 420, "signature.mismatch", Danger, 11, WhoSigned, "FIPS 186-5; DSSE v1 §3",
        "The signature does not match this bundle's content and key.",
        "Do not trust the file. Get the file and the bundle again from the publisher.";
    KEY_NOT_ALLOWED = 430, "signature.key.not-allowed", Danger, 12, WhoSigned, "docs/policy.md keys",
        "The file is signed with a bare key, which the policy does not name.",
        "Do not trust the file unless you expected this key; then name it in the policy (`keys`).";
    KEY_NOT_GIVEN = 440, "signature.key.not-given", NotChecked, 3, WhoSigned, "Sigstore bundle v0.3 publicKey",
        "The file is signed with a bare key, which the bundle does not contain.",
        "Get the publisher's public key from a place you trust and give it with `--key FILE`.";
    SIGNATURE_ALGORITHM_NOT_ALLOWED = 450, "signature.algorithm.not-allowed", Danger, 11, WhoSigned, "NIST SP 800-131A",
        "The signature uses an algorithm or key size that is not accepted.",
        "Ask the publisher to sign with P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits.";
    SIGNATURE_NEEDS_FILE = 460, "signature.needs-file", NotChecked, 3, WhoSigned, "RFC 8032 §5.1",
        "This kind of signature needs the whole file, which is missing or too large.",
        "Give the file itself and not its digest; if it is too large, ask the publisher for an ECDSA or RSA signature, or a DSSE statement.";
    SIGNATURE_OF_STATEMENT = 470, "signature.of-statement", Danger, 11, WhoSigned, "DSSE v1 §3; docs/threat-model.md",
        "What was signed as a file could be taken for a statement about files.",
        "Do not trust the file. Ask the publisher to sign a statement about it (`countersign sign --statement`).";
    SIGNATURE_ABSENT = 480, "signature.absent", Danger, 11, WhoSigned, "DSSE v1 §2; Sigstore bundle v0.3",
        "The bundle contains no signature.",
        "Get the bundle again from the publisher.";
    SIGNATURE_COUNT = 490, "signature.count", Danger, 11, WhoSigned, "Sigstore bundle v0.3 dsseEnvelope",
        "The envelope does not contain exactly one signature.",
        "Ask the publisher for a bundle with one signature.";
    SIGNATURE_KIND_UNKNOWN = 1630, "signature.kind-unknown", Note, 0, WhoSigned, "DSSE v1 §3; docs/threat-model.md",
        "Only a digest was given, so it is unclear whether a file or a statement was signed.",
        "Give the file itself, or require a statement in the policy (`predicate_types`).";
    KEY_HINT_DIFFERS = 1640, "signature.key.hint-differs", Note, 0, WhoSigned, "Sigstore bundle v0.3 publicKey.hint",
        "The bundle hints at another key than the one that was given.",
        "Nothing to do: what counts is the key that was given.";
    POLICY_FILES_NOT_COMPARED = 1680, "policy.files.not-compared", Warning, 0, WhoSigned, "docs/policy.md signers files",
        "The policy lets this signer sign only certain files, and no file name was given to compare.",
        "Make sure that this is a file that this signer may sign, or give the file itself under the name that it was published under.";
}
