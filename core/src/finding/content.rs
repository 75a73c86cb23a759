//! Is it the same file?

use super::FindingCode;

findings! {
    CONTENT_INCOMPLETE = 350, "content.incomplete", Danger, 10, SameFile, "in-toto ResourceDescriptor annotations",
        "The file is shorter than what was published: the download did not finish.",
        "Download the file again.";
    CONTENT_OTHER_FILE = 360, "content.other-file", Danger, 10, SameFile, "in-toto Statement v1 subject",
        "The bundle belongs to another file.",
        "Get the bundle that is published beside this file.";
    CONTENT_MISMATCH = 370, "content.mismatch", Danger, 10, SameFile, "Sigstore bundle v0.3 messageDigest; in-toto Statement v1 subject",
        "The file differs from what was published.",
        "Do not open it. Delete it and download it again, from another mirror if it happens again.";
    CONTENT_NAME_OTHER = 380, "content.name.other", Danger, 10, SameFile, "docs/policy.md names; in-toto Statement v1 subject",
        "The file was signed under another name.",
        "Do not take it for the file that its name says; it may be an older version. Get the file of that name from the publisher.";
    CONTENT_NAME_NOT_SUPPLIED = 390, "content.name.not-supplied", NotChecked, 3, SameFile, "docs/policy.md names",
        "The policy compares the file's name, but no name was given.",
        "Give the file itself, with the name that it was published under.";
    CONTENT_DIGEST_NOT_SUPPLIED = 400, "content.digest.not-supplied", NotChecked, 3, SameFile, "Sigstore bundle v0.3 messageDigest",
        "The bundle identifies the file by a digest that was not given.",
        "Give the file itself, or its digest with the algorithm named here.";
    CONTENT_DIGEST_WEAK = 410, "content.digest.weak", Danger, 10, SameFile, "FIPS 180-4; NIST SP 800-131A",
        "The bundle identifies the file only by a weak digest.",
        "Ask the publisher for a bundle with SHA-256, SHA-384 or SHA-512.";
    NAME_NOT_SIGNED = 1620, "content.name.not-signed", Note, 0, SameFile, "docs/policy.md names; Sigstore bundle v0.3 messageDigest",
        "The signature does not cover the file's name, so it cannot tell an old release from a new one.",
        "If the name matters, ask the publisher for a statement (`countersign sign --statement`), and require one in the policy (`predicate_types`).";
    NAME_DIFFERS = 1670, "content.name-differs", Warning, 0, SameFile, "in-toto Statement v1 subject",
        "The file is genuine, but was published under another name.",
        "Make sure that this is the file you meant to get, not another or older one.";
}
