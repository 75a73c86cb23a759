//! The signer's certificate, and the way to the trust root.

use super::FindingCode;

findings! {
    CERTIFICATE_MALFORMED = 540, "certificate.malformed", Danger, 12, WhoSigned, "RFC 5280 §4.1",
        "A certificate cannot be read.",
        "Get the bundle again from the publisher.";
    CERTIFICATE_UNKNOWN_ISSUER = 550, "certificate.unknown-issuer", Danger, 12, WhoSigned, "RFC 5280 §6.1",
        "The signer's certificate was not issued by an authority you trust.",
        "If you expected this publisher, get its trust root from a place you trust.";
    CERTIFICATE_UNEXPECTED_IDENTITY = 560, "certificate.identity.unexpected", Danger, 12, WhoSigned, "docs/policy.md signers",
        "The file is signed, but not by the expected signer.",
        "Do not trust the file unless you expected this signer; then name it in the policy.";
    CERTIFICATE_UNEXPECTED_OIDC_ISSUER = 570, "certificate.oidc-issuer.unexpected", Danger, 12, WhoSigned, "docs/policy.md signers",
        "The signer's identity was vouched for by another login provider than expected.",
        "Do not trust the file unless you expected this provider; then name it in the policy.";
    CERTIFICATE_EXPIRED_WHEN_SIGNED = 580, "certificate.expired", Danger, 12, WhoSigned, "RFC 5280 §4.1.2.5",
        "The certificate had expired when the file was signed, or has expired by now if no timestamp proves when that was.",
        "Ask the publisher to sign again with a valid certificate, and with a timestamp.";
    CERTIFICATE_NOT_YET_VALID = 590, "certificate.not-yet-valid", Danger, 12, WhoSigned, "RFC 5280 §4.1.2.5",
        "The certificate was not yet valid when the file was signed.",
        "Check your clock; otherwise ask the publisher to sign again.";
    CERTIFICATE_WRONG_USE = 600, "certificate.wrong-use", Danger, 12, WhoSigned, "RFC 5280 §4.2.1.3, §4.2.1.12; CA/B CSBR §7.1.2.3",
        "The certificate was not issued for this use.",
        "Ask the publisher for a signature made with a code-signing certificate.";
    CERTIFICATE_NOT_CA = 610, "certificate.not-ca", Danger, 12, WhoSigned, "RFC 5280 §4.2.1.9, §4.2.1.3",
        "A certificate in the chain may not issue certificates.",
        "Get the trust root and the bundle again. If it still fails, tell the publisher.";
    CERTIFICATE_PATH_CONSTRAINT = 620, "certificate.path-constraint", Danger, 12, WhoSigned, "RFC 5280 §6.1",
        "An authority issued a certificate that it was not allowed to issue.",
        "Tell the publisher; the certificate should not have been issued.";
    CERTIFICATE_CONSTRAINT_NOT_SUPPORTED = 630, "certificate.constraint-not-supported", NotChecked, 3, WhoSigned, "RFC 5280 §4.2",
        "A certificate has a critical extension or constraint that this program does not know.",
        "Ask the publisher for a certificate without it, or use a program that knows it.";
    CERTIFICATE_KEY_TOO_WEAK = 640, "certificate.key.weak", Danger, 12, WhoSigned, "NIST SP 800-131A; CA/B CSBR §6.1.5",
        "A certificate's key or signature algorithm is not accepted.",
        "Ask the publisher for certificates with P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits.";
    CERTIFICATE_CHAIN_TOO_LONG = 650, "certificate.chain.too-long", NotChecked, 3, WhoSigned, "core/src/limits.rs",
        "Finding a chain of certificates took more steps than allowed.",
        "Remove certificates that are not needed from the trust root.";
    CERTIFICATE_PROFILE = 660, "certificate.profile", Danger, 12, WhoSigned, "RFC 5280 §4.2; CA/B CSBR §7.1",
        "A certificate breaks its profile.",
        "Issue the certificate again with the right profile.";
    CERTIFICATE_IDENTITY_ABSENT = 670, "certificate.identity.absent", Danger, 12, WhoSigned, "RFC 5280 §4.2.1.6",
        "The signer's certificate names nobody: it has no e-mail address or URI.",
        "Ask the publisher for a certificate with an e-mail address or URI.";
    SCT_INVALID = 680, "certificate.sct.invalid", Danger, 12, WhoSigned, "RFC 6962 §3.2, §3.3",
        "A timestamp in the signer's certificate was not signed by the certificate log it names.",
        "Do not trust the file. Tell the publisher that the certificate was not logged as it claims.";
    SCT_WINDOW = 690, "certificate.sct.outside-window", Danger, 12, WhoSigned, "Sigstore trusted_root.json validFor",
        "The trust root does not cover the certificate log for that time.",
        "Get the current trust root. If it still fails, ask the publisher to sign again.";
    SCT_FUTURE = 700, "certificate.sct.future", Danger, 12, WhoSigned, "RFC 6962 §3.2",
        "The certificate log's timestamp is in the future.",
        "Check your clock; otherwise do not trust the file.";
    SCT_MALFORMED = 710, "certificate.sct.malformed", Danger, 12, WhoSigned, "RFC 6962 §3.3",
        "The certificate log's timestamps in the signer's certificate cannot be read.",
        "Ask the publisher to sign again.";
    SCT_LOG_NOT_TRUSTED = 720, "certificate.sct.log.not-trusted", Danger, 12, WhoSigned, "RFC 6962 §3.2; docs/policy.md certificate_transparency",
        "The signer's certificate was logged only in logs that you do not trust.",
        "If you trust this log, add it to the trust root.";
    SCT_ABSENT = 730, "certificate.sct.absent", Danger, 12, WhoSigned, "RFC 6962 §3.3; docs/policy.md certificate_transparency",
        "No certificate log vouches for the signer's certificate, and the policy requires one.",
        "Ask the publisher for a signature with a logged certificate. Set `certificate_transparency` to `off` only if you accept the risk.";
}
