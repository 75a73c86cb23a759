//! Is the signer still trusted?

use super::FindingCode;

findings! {
    REVOKED = 500, "revocation.revoked", Danger, 14, StillTrusted, "RFC 5280 §5.3.1; docs/revocation.md",
        "The signer's certificate was revoked, and nothing proves that the file was signed before that.",
        "Do not open the file. Look for a newer release on the publisher's page.";
    REVOKED_ON_HOLD = 510, "revocation.on-hold", Danger, 14, StillTrusted, "RFC 5280 §5.3.1 certificateHold",
        "The signer's certificate is suspended.",
        "Do not open the file now. Check again later; a suspension may be lifted.";
    REVOKED_AUTHORITY = 520, "revocation.authority-revoked", Danger, 14, StillTrusted, "RFC 5280 §5.3.1 cACompromise",
        "The authority that issued the signer's certificate was revoked.",
        "Do not open the file. Look for a newer release on the publisher's page.";
    REVOKED_COMPROMISE_STRICT = 530, "revocation.compromise-strict", Danger, 14, StillTrusted, "docs/policy.md revocation.compromise",
        "The signer's key was compromised later, and this policy rejects signatures from before that too.",
        "Look for a release signed with a new key. Set `revocation.compromise` to `warn` only if you accept the risk.";
    REVOCATION_UNAVAILABLE = 1010, "revocation.unavailable", NotChecked, 3, StillTrusted, "docs/revocation.md",
        "Whether the certificate was revoked could not be checked.",
        "Try again with a network connection, or give the CRL with `--crl`.";
    REVOCATION_STALE = 1020, "revocation.stale", NotChecked, 3, StillTrusted, "RFC 5280 §5.1.2.5; RFC 6960 §4.2.2.1",
        "The revocation information is out of date.",
        "Get a fresh CRL (`countersign revocation fetch`) and check again.";
    REVOCATION_AFTER_EXPIRY = 1030, "revocation.after-expiry", NotChecked, 3, StillTrusted, "RFC 5280 §3.3; X.509 §9.5.2.8; RFC 6960 §4.4.4",
        "The revocation evidence was made after the certificate had expired, and does not say that it still covers expired certificates.",
        "Give a CRL that was made before the certificate expired (`--crl`) and allow it in the policy (`revocation.after_expiry = \"last-known\"`), or ask the publisher to sign the file again.";
    REVOCATION_NO_SOURCE = 1040, "revocation.no-source", NotChecked, 3, StillTrusted, "RFC 5280 §4.2.1.13, §4.2.2.1",
        "The certificate does not say where its revocation can be looked up.",
        "Give a CRL with `--crl`. Turn the check off in the policy (`revocation.signer = \"off\"`) only if you accept the risk.";
    REVOCATION_UNKNOWN = 1050, "revocation.unknown", NotChecked, 3, StillTrusted, "RFC 6960 §2.2",
        "The OCSP responder does not know the certificate.",
        "Tell the publisher: its certificate is not registered.";
    CRL_MALFORMED = 1070, "revocation.crl.malformed", NotChecked, 3, StillTrusted, "RFC 5280 §5.1",
        "A CRL cannot be read.",
        "Get the CRL again from the address in the certificate.";
    CRL_SIGNATURE = 1080, "revocation.crl.signature", NotChecked, 3, StillTrusted, "RFC 5280 §6.3.3",
        "A CRL was not signed by the certificate's issuer.",
        "Get the CRL again from the address in the certificate.";
    CRL_NOT_AUTHORISED = 1090, "revocation.crl.not-authorised", NotChecked, 3, StillTrusted, "RFC 5280 §6.3.3 (f)",
        "The CRL's signer may not sign CRLs.",
        "Tell the publisher: the authority's certificate lacks cRLSign.";
    CRL_EXTENSION = 1100, "revocation.crl.extension", NotChecked, 3, StillTrusted, "RFC 5280 §5.2",
        "A CRL has a critical extension that this program does not know.",
        "Get a CRL without it.";
    CRL_SCOPE = 1110, "revocation.crl.scope", NotChecked, 3, StillTrusted, "RFC 5280 §6.3.3 (b)",
        "A CRL does not cover the certificate.",
        "Get the CRL that the certificate names.";
    CRL_PROFILE = 1120, "revocation.crl.profile", NotChecked, 3, StillTrusted, "RFC 5280 §5; docs/revocation.md",
        "A CRL breaks its profile.",
        "Correct the CRL before it is published.";
    CRL_DELTA = 1122, "revocation.crl.delta", NotChecked, 3, StillTrusted, "RFC 5280 §5.2.4",
        "A delta CRL stands where the complete one is needed: what it leaves out may be revoked.",
        "Give the complete CRL of that authority.";
    CRL_RESTRICTED = 1124, "revocation.crl.restricted", NotChecked, 3, StillTrusted, "RFC 5280 §5.2.5",
        "A CRL for some certificates or some reasons alone stands where the complete one is needed.",
        "Give the CRL that has all certificates of that authority and all reasons.";
    CRL_DISTRIBUTION_POINT = 1126, "revocation.crl.distribution-point", NotChecked, 3, StillTrusted, "RFC 5280 §5.2.5",
        "A CRL names another distribution point than the one that is expected of its authority.",
        "Give the CRL that the authority's certificates name; if this is it, set `crl_url` of that issuer to its address.";
    OCSP_MALFORMED = 1130, "revocation.ocsp.malformed", NotChecked, 3, StillTrusted, "RFC 6960 §4.2.1",
        "An OCSP response cannot be read.",
        "Ask the responder again.";
    OCSP_REFUSED = 1140, "revocation.ocsp.refused", NotChecked, 3, StillTrusted, "RFC 6960 §2.3",
        "The OCSP responder gave no answer.",
        "Ask again later, or use a CRL.";
    OCSP_SIGNATURE = 1150, "revocation.ocsp.signature", NotChecked, 3, StillTrusted, "RFC 6960 §3.2",
        "An OCSP response's signature is wrong.",
        "Ask the responder again.";
    OCSP_NOT_AUTHORISED = 1160, "revocation.ocsp.not-authorised", NotChecked, 3, StillTrusted, "RFC 6960 §4.2.2.2",
        "The OCSP responder is not allowed to answer for the certificate's issuer.",
        "Tell the publisher that its OCSP responder's certificate is not valid for this.";
    OCSP_EXTENSION = 1170, "revocation.ocsp.extension", NotChecked, 3, StillTrusted, "RFC 6960 §4.4",
        "An OCSP response has a critical extension that this program does not know.",
        "Use a CRL.";
    EVIDENCE_TOO_LARGE = 1180, "revocation.too-large", NotChecked, 3, StillTrusted, "core/src/limits.rs",
        "There are more CRLs and OCSP responses than allowed.",
        "Give only the CRLs and OCSP responses that the certificates need.";
    COMPROMISED_AFTER_SIGNING = 1650, "revocation.compromised-after-signing", Warning, 0, StillTrusted, "docs/revocation.md",
        "The signer's key was compromised after this file was signed.",
        "Prefer a release signed with a new key.";
    AUTHORITY_COMPROMISED_AFTER_SIGNING = 1660, "revocation.authority-compromised-after-signing", Warning, 0, StillTrusted, "docs/revocation.md",
        "The authority that issued the signer's certificate was compromised after this file was signed.",
        "Prefer a release signed under a new authority.";
    STALE_ACCEPTED = 1690, "revocation.stale-accepted", Warning, 0, StillTrusted, "docs/policy.md revocation.offline",
        "The revocation information is out of date, but the policy accepts it.",
        "Check again when there is a network connection.";
    LAST_KNOWN_ACCEPTED = 1700, "revocation.last-known", Warning, 0, StillTrusted, "docs/policy.md revocation.after_expiry",
        "The certificate has expired. It was not revoked at the time named here, and nothing later is known.",
        "Decide whether that time is late enough for you; if not, ask the publisher to sign the file again.";
    REVOKED_AFTER_SIGNING = 1710, "revocation.revoked-after-signing", Note, 0, StillTrusted, "docs/revocation.md",
        "The signer's certificate was revoked after this file was signed.",
        "Nothing to do: the file was signed before that.";
    REVOCATION_NOT_REQUIRED = 1720, "revocation.not-required", Note, 0, StillTrusted, "docs/policy.md revocation",
        "Whether this certificate was revoked was not checked; the policy does not require it.",
        "To check it, set `revocation` to `required` in the policy.";
    EVIDENCE_IGNORED = 1760, "revocation.evidence-ignored", Note, 0, StillTrusted, "docs/revocation.md",
        "A CRL or OCSP response was not used; the verdict does not depend on it.",
        "Nothing to do. Leave it out next time if it belongs to another file.";
}
