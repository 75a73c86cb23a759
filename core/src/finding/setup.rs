//! What keeps a check from starting: trust root, policy, clock, what was given, and services.

use super::FindingCode;

findings! {
    TRUST_ROOT_MALFORMED = 10, "setup.trust-root.malformed", SetUp, 2, SameFile, "Sigstore trusted_root.json v0.1",
        "The trust root cannot be read.",
        "Get the trust root again from its publisher, or make one with `countersign trust init`.";
    TRUST_ROOT_EMPTY = 20, "setup.trust-root.empty", SetUp, 2, SameFile, "Sigstore trusted_root.json v0.1",
        "The trust root lacks what this check needs.",
        "Get a trust root that contains the part named here, or make one with `countersign trust init`.";
    TRUST_ROOT_OTHER_KIND = 30, "setup.trust-root.other-kind", SetUp, 2, SameFile, "Sigstore trusted_root.json v0.1",
        "The file given as the trust root is another kind of file.",
        "Name the trust root (`trusted_root.json`) there; this file belongs in another place.";
    POLICY_OTHER_KIND = 40, "setup.policy.other-kind", SetUp, 2, SameFile, "docs/policy.schema.json",
        "The file given as the policy is another kind of file.",
        "Name the policy there; this file belongs in another place.";
    POLICY_MALFORMED = 70, "setup.policy.malformed", SetUp, 2, SameFile, "docs/policy.schema.json",
        "The policy cannot be read.",
        "Fix the line or field named here. `countersign policy lint` checks the whole file.";
    PUBLIC_KEY_MALFORMED = 80, "setup.public-key.malformed", SetUp, 2, SameFile, "RFC 5280 §4.1.2.7; docs/cli.md",
        "The public key cannot be read.",
        "Give the publisher's public key (`--key`) as PEM or DER, a SubjectPublicKeyInfo; not a private key or a certificate.";
    PUBLIC_KEY_NOT_USED = 90, "setup.public-key.not-used", SetUp, 2, SameFile, "Sigstore bundle v0.3 verificationMaterial",
        "A public key was given, but the bundle was signed with a certificate.",
        "Leave `--key` out and name the expected signer, or get the bundle that was signed with this key.";
    POLICY_NO_SIGNER = 100, "setup.policy.no-signer", SetUp, 2, SameFile, "docs/policy.schema.json",
        "The policy names no signer that may sign this file name.",
        "Add the file name to a signer in the policy, or name the expected identity.";
    CLOCK_WRONG = 110, "setup.clock.wrong", SetUp, 3, SameFile, "docs/findings.md",
        "The clock shows a time before 2020.",
        "Set the clock of this computer and check again.";
    INPUT_UNREADABLE = 220, "setup.input.unreadable", SetUp, 3, SameFile, "docs/cli.md",
        "A file cannot be read.",
        "Check that the path is right, that it is a file and that you may read it.";
    INPUT_TOO_LARGE = 240, "setup.input.too-large", SetUp, 3, SameFile, "core/src/limits.rs",
        "A file is larger than the limit named here.",
        "Check that this is the right file.";
    INPUT_MALFORMED = 250, "setup.input.malformed", SetUp, 3, SameFile, "RFC 7468; docs/cli.md",
        "A file does not contain what it should.",
        "Correct the file, or name another. `countersign inspect FILE` shows what is in it.";
    SERVICE_UNREACHABLE = 270, "setup.service.unreachable", NotChecked, 3, SameFile, "docs/cli.md",
        "A service did not answer.",
        "Check the address and the network, then try again.";
    SITE_BLOCKED = 280, "setup.site.blocked", SetUp, 3, SameFile, "docs/embedding.md",
        "This site's settings keep the check from running.",
        "If this is your site, change the setting that is named here. If not, tell the site's owner.";
    SITE_FILE_MISSING = 290, "setup.site.file-missing", SetUp, 3, SameFile, "docs/embedding.md",
        "A file that the check needs is not at its address.",
        "If this is your site, put the file there or correct the address. If not, tell the site's owner.";
    BROWSER_UNSUPPORTED = 300, "setup.browser.unsupported", SetUp, 3, SameFile, "docs/javascript.md",
        "This browser cannot run the check.",
        "Use another browser, with WebAssembly turned on, or check the file with `countersign verify`.";
    SERVICE_ANSWER = 310, "setup.service.answer", NotChecked, 3, SameFile, "docs/cli.md",
        "A service gave an answer that cannot be used.",
        "Check the address. If it is right, try again later, or tell the service's operator.";
    SERVICE_ELSEWHERE = 320, "setup.service.redirect", NotChecked, 3, SameFile, "docs/cli.md",
        "A service redirects to an address that must not be followed.",
        "If you trust the new address, use it in place of the old one.";
    INTERNAL = 1610, "internal.error", NotChecked, 70, SameFile, "docs/findings.md",
        "This program made a mistake.",
        "Please report it, with what you did and what you saw.";
}
