//! When was it signed?

use super::FindingCode;

findings! {
    TIMESTAMP_ABSENT = 740, "timestamp.absent", Danger, 13, WhenSigned, "docs/policy.md timestamps",
        "There are fewer trusted timestamps than the policy requires.",
        "Ask the publisher to sign with a timestamp (`countersign sign --timestamp-url`).";
    TIMESTAMP_MALFORMED = 750, "timestamp.malformed", Danger, 13, WhenSigned, "RFC 3161 §2.4.2; RFC 5652 §5",
        "The timestamp cannot be read.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_BER = 760, "timestamp.ber", Danger, 13, WhenSigned, "RFC 3161 §2.4.2; X.690 §10.1",
        "The timestamp is encoded in BER, which cannot be read here.",
        "Verify with the program `countersign verify`, which reads BER, or ask the publisher for a timestamp in DER.";
    TIMESTAMP_IMPRINT_MISMATCH = 770, "timestamp.imprint.mismatch", Danger, 13, WhenSigned, "RFC 3161 §2.4.2",
        "The timestamp was made for other data.",
        "Get the bundle again from the publisher.";
    TIMESTAMP_IMPRINT_WEAK = 780, "timestamp.imprint.weak", Danger, 13, WhenSigned, "NIST SP 800-131A; ETSI TS 119 312",
        "The timestamp's imprint uses a hash that is not accepted.",
        "Ask the publisher for a timestamp over SHA-256, SHA-384 or SHA-512.";
    TIMESTAMP_AUTHORITY_NOT_TRUSTED = 790, "timestamp.authority.not-trusted", Danger, 13, WhenSigned, "RFC 3161 §2.3",
        "The timestamp comes from an authority that you do not trust.",
        "If you trust this authority, add it to the trust root.";
    TIMESTAMP_SIGNATURE = 800, "timestamp.signature", Danger, 13, WhenSigned, "RFC 5652 §5.4, §5.6",
        "The timestamp's signature is wrong.",
        "Get the bundle again from the publisher.";
    TIMESTAMP_OUTSIDE_VALIDITY = 810, "timestamp.certificate.outside-validity", Danger, 13, WhenSigned, "RFC 3161 §2.3; RFC 5280 §4.1.2.5",
        "The authority's certificate was not valid when it made the timestamp.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_WINDOW = 820, "timestamp.authority.outside-window", Danger, 13, WhenSigned, "Sigstore trusted_root.json validFor",
        "The trust root does not cover this authority for that time.",
        "Get the current trust root. If it still fails, ask the publisher for a new timestamp.";
    TIMESTAMP_FUTURE = 830, "timestamp.future", Danger, 13, WhenSigned, "RFC 3161 §2.4.2 genTime",
        "The timestamp is in the future.",
        "Check your clock; otherwise do not trust the file.";
    TIMESTAMP_REFUSED = 840, "timestamp.refused", Danger, 13, WhenSigned, "RFC 3161 §2.4.2 PKIStatus",
        "The timestamp authority refused the request.",
        "Follow the authority's message, or use another authority.";
    TIMESTAMP_STATUS_WITHOUT_TOKEN = 850, "timestamp.status.contradiction", Danger, 13, WhenSigned, "RFC 3161 §2.4.2",
        "The timestamp response's status and its token contradict each other.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_CONTENT_TYPE = 860, "timestamp.content-type", Danger, 13, WhenSigned, "RFC 3161 §2.4.2; RFC 5652 §11.1",
        "The signed content is not a timestamp.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_SIGNER_COUNT = 870, "timestamp.signer-count", Danger, 13, WhenSigned, "RFC 3161 §2.4.2",
        "The timestamp does not have exactly one signature.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_ATTRIBUTES = 880, "timestamp.attributes", Danger, 13, WhenSigned, "RFC 5652 §11; RFC 5035 §5.4",
        "A signed attribute of the timestamp is missing, repeated or malformed.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_ESS_ABSENT = 890, "timestamp.ess.absent", Danger, 13, WhenSigned, "RFC 3161 §2.4.1; RFC 5816 §2.2.1",
        "The timestamp does not say which certificate made it.",
        "Ask the publisher for a timestamp by an authority that follows RFC 5816.";
    TIMESTAMP_ESS_MISMATCH = 900, "timestamp.ess.mismatch", Danger, 13, WhenSigned, "RFC 5035 §3, §4; RFC 5816 §2.2.1",
        "The timestamp names a certificate that is neither its authority's nor one of the issuers'.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_TSA_NAME = 910, "timestamp.tsa-name", Danger, 13, WhenSigned, "RFC 3161 §2.4.2 tsa",
        "The authority's name in the timestamp is not the name in its certificate.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_EKU = 920, "timestamp.certificate.eku", Danger, 13, WhenSigned, "RFC 3161 §2.3",
        "The authority's certificate is not reserved for timestamps.",
        "Ask the publisher for a timestamp by another authority.";
    TIMESTAMP_CERTIFICATE_IS_CA = 930, "timestamp.certificate.ca", Danger, 13, WhenSigned, "RFC 3161 §2.3; ETSI EN 319 422 §6",
        "The timestamp was signed with a certificate of a certificate authority.",
        "Ask the publisher for a timestamp by another authority.";
    TIMESTAMP_EXTENSION = 940, "timestamp.extension", Danger, 13, WhenSigned, "RFC 3161 §2.4.2 extensions",
        "The timestamp has a critical extension that this program does not know.",
        "Ask the publisher for a timestamp without it.";
    TIMESTAMP_DEFAULT_ENCODED = 950, "timestamp.default-encoded", Danger, 13, WhenSigned, "X.690 §11.5; RFC 3161 §2.4.2 ordering",
        "The timestamp encodes a default value, which DER forbids.",
        "Verify with the program `countersign verify`, which reads such timestamps, or ask the publisher for one in DER.";
    TIMESTAMP_TRAILING = 960, "timestamp.trailing-bytes", Danger, 13, WhenSigned, "RFC 3161 §2.4.2",
        "There are extra bytes after the timestamp.",
        "Ask the publisher for a new timestamp.";
    TIMESTAMP_NONCE_MISMATCH = 970, "timestamp.nonce.mismatch", Danger, 13, WhenSigned, "RFC 3161 §2.4.2 nonce",
        "The authority's answer is not for this request.",
        "Ask again. If it still fails, use another authority.";
    TIMESTAMP_POLICY_MISMATCH = 980, "timestamp.policy.mismatch", Danger, 13, WhenSigned, "RFC 3161 §2.4.2 policy",
        "The timestamp was made under another policy than the one asked for.",
        "Ask again with a policy that the authority offers.";
    TIMESTAMP_AUTHORITY_REVOKED = 990, "timestamp.authority.revoked", Danger, 14, WhenSigned, "docs/revocation.md; ETSI EN 319 421",
        "The authority's certificate was revoked for a reason that makes its timestamps prove nothing.",
        "Ask the publisher for a timestamp by another authority.";
    TIMESTAMP_TOO_MANY = 1000, "timestamp.too-many", NotChecked, 3, WhenSigned, "core/src/limits.rs",
        "The bundle contains more timestamps than allowed.",
        "Ask the publisher for a bundle with fewer timestamps.";
    TIMESTAMP_IGNORED = 1730, "timestamp.ignored", Note, 0, WhenSigned, "docs/policy.md timestamps",
        "A timestamp in the bundle could not be used; enough others could.",
        "Nothing to do.";
    TIMESTAMP_LEGACY_ENCODING = 1740, "timestamp.legacy-encoding", Note, 0, WhenSigned, "docs/verifying.md; X.690 §8, §10",
        "The timestamp is in BER, which authorities sent until 2019; this program reads it, web pages do not.",
        "Nothing to do here; for web pages, ask the publisher for a timestamp in DER.";
    TIMESTAMP_OUTSIDE_CHAIN = 1790, "timestamp.outside-chain", Note, 0, WhenSigned, "Sigstore client specification, certificate path validation; docs/verifying.md",
        "The signer's chain was valid at the earliest proven time, but not at a later one.",
        "Nothing to do: the earliest proven time counts.";
}
