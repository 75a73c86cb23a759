//! The table: a row a finding, and nothing else. The file is long because the table is.

use super::{Class, Row};

macro_rules! findings {
    ($($variant:ident = $code:literal, $class:ident, $exit:literal, $clause:literal,
        $title:literal, $remedy:literal;)*) => {
        /// What was found; the variants' meaning is their title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $(#[doc = $title] $variant,)*
        }

        impl FindingCode {
            /// Every code, in order of rank.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub(super) fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => &Row {
                        class: Class::$class,
                        exit_code: $exit,
                        texts: concat!($code, "\n", $clause, "\n", $title, "\n", $remedy),
                    },)*
                }
            }
        }
    };
}

findings! {
    // Set-up: nothing was looked at yet.
    TrustRootMalformed = "setup.trust-root.malformed", SetUp, 2, "Sigstore trusted_root.json v0.1",
        "The trust root cannot be read.",
        "Get the trust root again from its publisher, or make one with `countersign trust init`.";
    TrustRootEmpty = "setup.trust-root.empty", SetUp, 2, "Sigstore trusted_root.json v0.1",
        "The trust root lacks what this check needs.",
        "Get a trust root that holds what is named here, or make one with `countersign trust init`.";
    TrustRootOtherKind = "setup.trust-root.other-kind", SetUp, 2, "Sigstore trusted_root.json v0.1",
        "The file given as the trust root is another kind of file.",
        "Give the trust root (`trusted_root.json`) as the trust root, and this file where its kind is asked for.";
    PolicyOtherKind = "setup.policy.other-kind", SetUp, 2, "docs/policy.schema.json",
        "The file given as the policy is another kind of file.",
        "Give the policy as the policy, and this file where its kind is asked for.";
    ArtifactIsBundle = "setup.artifact.is-bundle", SetUp, 2, "docs/verifying.md",
        "That is a bundle, not the file that it was made for.",
        "Name the file itself; the bundle beside it is found.";
    ArtifactReadsAsStatement = "setup.artifact.reads-as-statement", SetUp, 2, "DSSE v1 §3; docs/threat-model.md",
        "The file begins as what is signed for a statement, so its signature could be used for one.",
        "Sign a statement about the file: `countersign sign --statement FILE`.";
    PolicyMalformed = "setup.policy.malformed", SetUp, 2, "docs/policy.schema.json",
        "The policy cannot be read.",
        "Correct the named place; `countersign policy lint` checks the whole file.";
    PublicKeyMalformed = "setup.public-key.malformed", SetUp, 2, "RFC 5280 §4.1.2.7; docs/cli.md",
        "The public key cannot be read.",
        "Give the publisher's public key (`--key`) as PEM or DER, a SubjectPublicKeyInfo; not a private key or a certificate.";
    PublicKeyNotUsed = "setup.public-key.not-used", SetUp, 2, "Sigstore bundle v0.3 verificationMaterial",
        "A public key was given, but the bundle was signed with a certificate.",
        "Leave `--key` out and name the expected signer, or get the bundle that was signed with this key.";
    PolicyNoSigner = "setup.policy.no-signer", SetUp, 2, "docs/policy.schema.json",
        "The policy names no signer that may sign this file name.",
        "Add the file name to a signer in the policy, or name the expected identity.";
    ClockWrong = "setup.clock.wrong", SetUp, 3, "docs/findings.md",
        "The clock shows a time before 2020.",
        "Set the clock of this computer and check again.";
    KeyFilePermissions = "setup.key.permissions", SetUp, 2, "docs/findings.md",
        "A file with a key, passphrase or PIN can be used by others.",
        "Allow only its owner to use it: `chmod 600 FILE`. If others may have read it, replace the secret.";
    KeyUnusable = "setup.key.unusable", SetUp, 2, "RFC 5958; docs/cli.md",
        "A key file cannot be used.",
        "Check the passphrase, and that it is an encrypted PKCS#8 key: P-384, P-256 or RSA of 3072 bits.";
    KeyMismatch = "setup.key.mismatch", SetUp, 2, "docs/cli.md",
        "The key does not belong to the certificate.",
        "Name the key that the certificate was issued for.";
    CaFolderAltered = "setup.ca.altered", SetUp, 2, "docs/cli.md",
        "A file in the certificate authority's folder was changed by somebody else.",
        "Do not issue anything from this folder. Restore it from a backup you trust, and find out who could write to it.";
    TokenUnusable = "setup.token.unusable", SetUp, 2, "RFC 7512; PKCS#11 v2.40; docs/keys.md",
        "A key in a PKCS#11 token cannot be used.",
        "Do what is said here; `countersign key show --key URI` tries it again. A wrong PIN is not repeated: tokens lock themselves.";
    TokenAway = "setup.token.away", NotChecked, 3, "PKCS#11 v2.40; docs/keys.md",
        "The token with the key is not there now, or fails.",
        "Check that the token is plugged in, or that its network and service run, then try again.";
    RequestInvalid = "setup.request.invalid", SetUp, 2, "docs/cli.md",
        "The certificate authority does not issue what was asked for.",
        "Change what is named here and ask again.";
    ServiceRefused = "setup.service.refused", SetUp, 2, "docs/operations.md",
        "A service understood the request and refused it.",
        "Do what its words say, then try again.";
    ConfigurationInvalid = "setup.configuration.invalid", SetUp, 2, "docs/operations.md",
        "A configuration cannot be used.",
        "Correct the named place; `countersign config check` checks the whole file.";
    UsageInvalid = "setup.usage.invalid", SetUp, 2, "docs/cli.md",
        "The command was not understood.",
        "See `countersign help`.";
    InputUnreadable = "setup.input.unreadable", SetUp, 3, "docs/cli.md",
        "A file cannot be read.",
        "Check that the path is right, that it is a file and that you may read it.";
    InputIsFolder = "setup.input.folder", SetUp, 3, "docs/cli.md",
        "A folder was named where a file is wanted.",
        "Name the file in it.";
    InputTooLarge = "setup.input.too-large", SetUp, 3, "core/src/limits.rs",
        "A file is larger than is looked at.",
        "Check that this is the right file.";
    InputMalformed = "setup.input.malformed", SetUp, 3, "RFC 7468; docs/cli.md",
        "A file does not hold what it was given for.",
        "Correct what is named here, or give another file; `countersign inspect FILE` shows what is in one.";
    OutputUnwritable = "setup.output.unwritable", SetUp, 3, "docs/cli.md",
        "A file cannot be written.",
        "Check the folder, its permissions and the free space; nothing was left half-written.";
    ServiceUnreachable = "setup.service.unreachable", NotChecked, 3, "docs/cli.md",
        "A service did not answer.",
        "Check the address and the network, then try again.";
    SiteBlocked = "setup.site.blocked", SetUp, 3, "docs/embedding.md",
        "This site's settings keep the check from running.",
        "If this is your site, change the setting that is named here. If not, tell the site's owner.";
    SiteFileMissing = "setup.site.file-missing", SetUp, 3, "docs/embedding.md",
        "A file that the check needs is not at its address.",
        "If this is your site, put the file there or correct the address. If not, tell the site's owner.";
    BrowserUnsupported = "setup.browser.unsupported", SetUp, 3, "docs/javascript.md",
        "This browser cannot run the check.",
        "Use another browser, with WebAssembly turned on, or check the file with `countersign verify`.";
    ServiceAnswer = "setup.service.answer", NotChecked, 3, "docs/cli.md",
        "A service gave an answer that cannot be used.",
        "Check the address. If it is right, try again later, or tell those who run the service.";
    ServiceElsewhere = "setup.service.redirect", NotChecked, 3, "docs/cli.md",
        "A service redirects to an address that must not be followed.",
        "If you trust the new address, use it in place of the old one.";
    ServiceNotTrusted = "setup.service.not-trusted", NotChecked, 3, "docs/cli.md",
        "The TLS certificate of a service is not trusted.",
        "Check the address and this computer's clock. For a private CA, name its certificates (--timestamp-ca, --admin-ca).";
    ProxyRefused = "setup.proxy.refused", NotChecked, 3, "docs/cli.md",
        "The HTTP proxy did not pass the request on.",
        "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and the user name and password for the proxy.";

    // Content: is it the same file?
    ContentIncomplete = "content.incomplete", Danger, 10, "in-toto ResourceDescriptor annotations",
        "The file is shorter than what was published: the download did not finish.",
        "Download the file again.";
    ContentOtherFile = "content.other-file", Danger, 10, "in-toto Statement v1 subject",
        "The bundle belongs to another file.",
        "Get the bundle that is published beside this file.";
    ContentMismatch = "content.mismatch", Danger, 10, "Sigstore bundle v0.3 messageDigest; in-toto Statement v1 subject",
        "The file differs from what was published.",
        "Do not open it. Delete it and download it again, from another mirror if it happens again.";
    ContentNameOther = "content.name.other", Danger, 10, "docs/policy.md names; in-toto Statement v1 subject",
        "The file carries another name than the one under which it was signed.",
        "Do not use it as the file that its name promises; it may be an older one. Get the file of that name from the publisher.";
    ContentNameNotSupplied = "content.name.not-supplied", NotChecked, 3, "docs/policy.md names",
        "The policy compares the file's name, which was not given.",
        "Give the file itself, under the name that it was published under.";
    ContentDigestNotSupplied = "content.digest.not-supplied", NotChecked, 3, "Sigstore bundle v0.3 messageDigest",
        "The bundle names a digest that was not given.",
        "Give the file itself, or its digest with the algorithm named here.";
    ContentDigestWeak = "content.digest.weak", Danger, 10, "FIPS 180-4; NIST SP 800-131A",
        "The bundle names the file by a weak digest only.",
        "Ask the publisher for a bundle with SHA-256, SHA-384 or SHA-512.";

    // Signature.
    SignatureMismatch = "signature.mismatch", Danger, 11, "FIPS 186-5; DSSE v1 §3",
        "The signature does not belong to this bundle's content and key.",
        "Do not trust the file. Get file and bundle again from the publisher.";
    KeyNotAllowed = "signature.key.not-allowed", Danger, 12, "docs/policy.md keys",
        "The file is signed with a bare key, which the policy does not name.",
        "Do not trust the file unless you expected this key; then name it in the policy (`keys`).";
    KeyNotGiven = "signature.key.not-given", NotChecked, 3, "Sigstore bundle v0.3 publicKey",
        "The file is signed with a bare key, which the bundle does not hold.",
        "Get the publisher's public key from a place you trust and give it with `--key FILE`.";
    SignatureAlgorithmNotAllowed = "signature.algorithm.not-allowed", Danger, 11, "NIST SP 800-131A",
        "The signature uses an algorithm or key size that is not accepted.",
        "Ask the publisher to sign with P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits.";
    SignatureNeedsFile = "signature.needs-file", NotChecked, 3, "RFC 8032 §5.1",
        "This signature can only be checked over the whole file, which is not there or too large.",
        "Give the file itself and not its digest; if it is too large, ask the publisher for an ECDSA or RSA signature, or a DSSE statement.";
    SignatureOfStatement = "signature.of-statement", Danger, 11, "DSSE v1 §3; docs/threat-model.md",
        "What was signed as a file reads as a statement about files.",
        "Do not trust the file. Ask the publisher to sign a statement about it (`countersign sign --statement`).";
    SignatureAbsent = "signature.absent", Danger, 11, "DSSE v1 §2; Sigstore bundle v0.3",
        "The bundle holds no signature.",
        "Get the bundle again from the publisher.";
    SignatureCount = "signature.count", Danger, 11, "Sigstore bundle v0.3 dsseEnvelope",
        "The envelope does not hold exactly one signature.",
        "Ask the publisher for a bundle with one signature.";

    // Revocation of the signer.
    Revoked = "revocation.revoked", Danger, 14, "RFC 5280 §5.3.1; docs/revocation.md",
        "The signer's certificate was revoked, and nothing proves that it signed before.",
        "Do not open the file. Look for a newer release on the publisher's page.";
    RevokedOnHold = "revocation.on-hold", Danger, 14, "RFC 5280 §5.3.1 certificateHold",
        "The signer's certificate is suspended.",
        "Do not open the file now. Check again later; a suspension may be lifted.";
    RevokedAuthority = "revocation.authority-revoked", Danger, 14, "RFC 5280 §5.3.1 cACompromise",
        "The authority that issued the signer's certificate was revoked.",
        "Do not open the file. Look for a newer release on the publisher's page.";
    RevokedCompromiseStrict = "revocation.compromise-strict", Danger, 14, "docs/policy.md revocation.compromise",
        "The signer's key was compromised later, and this policy then rejects earlier signatures too.",
        "Look for a release signed with a new key, or relax `revocation.compromise` knowingly.";

    // Certificate and identity.
    CertificateMalformed = "certificate.malformed", Danger, 12, "RFC 5280 §4.1",
        "A certificate cannot be read.",
        "Get the bundle again from the publisher.";
    CertificateUnknownIssuer = "certificate.unknown-issuer", Danger, 12, "RFC 5280 §6.1",
        "The signer's certificate was not issued by an authority you trust.",
        "If you expected this publisher, get its trust root from a place you trust.";
    CertificateUnexpectedIdentity = "certificate.identity.unexpected", Danger, 12, "docs/policy.md signers",
        "The file is signed, but not by the expected signer.",
        "Do not trust the file unless you expected this signer; then name it in the policy.";
    CertificateUnexpectedOidcIssuer = "certificate.oidc-issuer.unexpected", Danger, 12, "docs/policy.md signers",
        "The signer's identity was vouched for by another login provider than expected.",
        "Do not trust the file unless you expected this provider; then name it in the policy.";
    CertificateExpiredWhenSigned = "certificate.expired", Danger, 12, "RFC 5280 §4.1.2.5",
        "The certificate had expired at the time that counts.",
        "Ask the publisher to sign again with a valid certificate, and with a timestamp.";
    CertificateNotYetValid = "certificate.not-yet-valid", Danger, 12, "RFC 5280 §4.1.2.5",
        "The certificate was not valid yet at the time that counts.",
        "Check your clock; otherwise ask the publisher to sign again.";
    CertificateWrongUse = "certificate.wrong-use", Danger, 12, "RFC 5280 §4.2.1.3, §4.2.1.12; CA/B CSBR §7.1.2.3",
        "The certificate was not issued for this use.",
        "Ask the publisher for a signature made with a code-signing certificate.";
    CertificateNotCa = "certificate.not-ca", Danger, 12, "RFC 5280 §4.2.1.9, §4.2.1.3",
        "A certificate in the chain may not issue certificates.",
        "Get trust root and bundle again; if it stays, tell the publisher.";
    CertificatePathConstraint = "certificate.path-constraint", Danger, 12, "RFC 5280 §6.1",
        "The chain breaks a constraint that one of its authorities is under.",
        "Tell the publisher; the certificate should not have been issued.";
    CertificateConstraintNotSupported = "certificate.constraint-not-supported", NotChecked, 3, "RFC 5280 §4.2",
        "A certificate carries a critical rule that this program does not know.",
        "Ask the publisher for a certificate without it, or use a program that knows it.";
    CertificateKeyTooWeak = "certificate.key.weak", Danger, 12, "NIST SP 800-131A; CA/B CSBR §6.1.5",
        "A certificate's key or signature algorithm is not accepted.",
        "Ask the publisher for certificates with P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits.";
    CertificateChainTooLong = "certificate.chain.too-long", NotChecked, 3, "core/src/limits.rs",
        "Finding a chain took more steps than are allowed.",
        "Remove superfluous certificates from the trust root.";
    CertificateProfile = "certificate.profile", Danger, 12, "RFC 5280 §4.2; CA/B CSBR §7.1",
        "A certificate breaks its profile.",
        "Issue the certificate again with the right profile.";
    CertificateIdentityAbsent = "certificate.identity.absent", Danger, 12, "RFC 5280 §4.2.1.6",
        "The signer's certificate names nobody: it has no e-mail address or URI.",
        "Ask the publisher for a certificate with an e-mail address or URI.";
    SctInvalid = "certificate.sct.invalid", Danger, 12, "RFC 6962 §3.2, §3.3",
        "A timestamp in the signer's certificate was not signed by the certificate log it names.",
        "Do not trust the file. Tell the publisher: the certificate was not logged as it says.";
    SctWindow = "certificate.sct.outside-window", Danger, 12, "Sigstore trusted_root.json validFor",
        "The trust root does not trust the certificate log at that time.",
        "Get the current trust root; if it stays, ask the publisher to sign again.";
    SctFuture = "certificate.sct.future", Danger, 12, "RFC 6962 §3.2",
        "The certificate log's timestamp lies in the future.",
        "Check your clock; otherwise do not trust the file.";
    SctMalformed = "certificate.sct.malformed", Danger, 12, "RFC 6962 §3.3",
        "The certificate log's timestamps in the signer's certificate cannot be read.",
        "Ask the publisher to sign again.";
    SctLogNotTrusted = "certificate.sct.log.not-trusted", Danger, 12, "RFC 6962 §3.2; docs/policy.md certificate_transparency",
        "The signer's certificate was logged only where you do not trust the log.",
        "If you trust this log, add it to the trust root.";
    SctAbsent = "certificate.sct.absent", Danger, 12, "RFC 6962 §3.3; docs/policy.md certificate_transparency",
        "No certificate log has seen the signer's certificate, and the policy demands it.",
        "Ask the publisher for a signature with a logged certificate, or set `certificate_transparency` to `off` knowingly.";

    // Timestamps.
    TimestampAbsent = "timestamp.absent", Danger, 13, "docs/policy.md timestamps",
        "There are fewer trusted timestamps than the policy requires.",
        "Ask the publisher to sign with a timestamp (`countersign sign --timestamp-url`).";
    TimestampMalformed = "timestamp.malformed", Danger, 13, "RFC 3161 §2.4.2; RFC 5652 §5",
        "The timestamp cannot be read.",
        "Ask the publisher for a new timestamp.";
    TimestampBer = "timestamp.ber", Danger, 13, "RFC 3161 §2.4.2; X.690 §10.1",
        "The timestamp is encoded in BER, which is not read here.",
        "Verify with the program `countersign verify`, which reads BER, or ask the publisher for a timestamp in DER.";
    TimestampImprintMismatch = "timestamp.imprint.mismatch", Danger, 13, "RFC 3161 §2.4.2",
        "The timestamp was made for other data.",
        "Get the bundle again from the publisher.";
    TimestampImprintWeak = "timestamp.imprint.weak", Danger, 13, "NIST SP 800-131A; ETSI TS 119 312",
        "The timestamp's imprint uses a hash that is not accepted.",
        "Ask the publisher for a timestamp over SHA-256, SHA-384 or SHA-512.";
    TimestampAuthorityNotTrusted = "timestamp.authority.not-trusted", Danger, 13, "RFC 3161 §2.3",
        "The timestamp is by an authority that you do not trust.",
        "If you trust this authority, add it to the trust root.";
    TimestampSignature = "timestamp.signature", Danger, 13, "RFC 5652 §5.4, §5.6",
        "The timestamp's signature is wrong.",
        "Get the bundle again from the publisher.";
    TimestampOutsideValidity = "timestamp.certificate.outside-validity", Danger, 13, "RFC 3161 §2.3; RFC 5280 §4.1.2.5",
        "The authority's certificate was not valid when it made the timestamp.",
        "Ask the publisher for a new timestamp.";
    TimestampWindow = "timestamp.authority.outside-window", Danger, 13, "Sigstore trusted_root.json validFor",
        "The trust root does not trust this authority at that time.",
        "Get the current trust root; if it stays, ask the publisher for a new timestamp.";
    TimestampFuture = "timestamp.future", Danger, 13, "RFC 3161 §2.4.2 genTime",
        "The timestamp lies in the future.",
        "Check your clock; otherwise do not trust the file.";
    TimestampRefused = "timestamp.refused", Danger, 13, "RFC 3161 §2.4.2 PKIStatus",
        "The timestamp authority refused the request.",
        "Do what the authority's words say, or use another authority.";
    TimestampStatusWithoutToken = "timestamp.status.contradiction", Danger, 13, "RFC 3161 §2.4.2",
        "Status and token of the timestamp response contradict each other.",
        "Ask the publisher for a new timestamp.";
    TimestampContentType = "timestamp.content-type", Danger, 13, "RFC 3161 §2.4.2; RFC 5652 §11.1",
        "What is signed is not a timestamp.",
        "Ask the publisher for a new timestamp.";
    TimestampSignerCount = "timestamp.signer-count", Danger, 13, "RFC 3161 §2.4.2",
        "The timestamp is not signed exactly once.",
        "Ask the publisher for a new timestamp.";
    TimestampAttributes = "timestamp.attributes", Danger, 13, "RFC 5652 §11; RFC 5035 §5.4",
        "A signed attribute of the timestamp is missing, repeated or malformed.",
        "Ask the publisher for a new timestamp.";
    TimestampEssAbsent = "timestamp.ess.absent", Danger, 13, "RFC 3161 §2.4.1; RFC 5816 §2.2.1",
        "The timestamp does not say which certificate made it.",
        "Ask the publisher for a timestamp by an authority that follows RFC 5816.";
    TimestampEssMismatch = "timestamp.ess.mismatch", Danger, 13, "RFC 5035 §3, §4; RFC 5816 §2.2.1",
        "The timestamp names another certificate than the one that made it or its issuers.",
        "Ask the publisher for a new timestamp.";
    TimestampTsaName = "timestamp.tsa-name", Danger, 13, "RFC 3161 §2.4.2 tsa",
        "The authority's name in the timestamp is not its certificate's.",
        "Ask the publisher for a new timestamp.";
    TimestampEku = "timestamp.certificate.eku", Danger, 13, "RFC 3161 §2.3",
        "The authority's certificate is not reserved for timestamps.",
        "Ask the publisher for a timestamp by another authority.";
    TimestampCertificateIsCa = "timestamp.certificate.ca", Danger, 13, "RFC 3161 §2.3; ETSI EN 319 422 §6",
        "The timestamp was signed with a certificate of a certificate authority.",
        "Ask the publisher for a timestamp by another authority.";
    TimestampExtension = "timestamp.extension", Danger, 13, "RFC 3161 §2.4.2 extensions",
        "The timestamp carries a critical extension that is not known.",
        "Ask the publisher for a timestamp without it.";
    TimestampDefaultEncoded = "timestamp.default-encoded", Danger, 13, "X.690 §11.5; RFC 3161 §2.4.2 ordering",
        "The timestamp encodes a default value, which DER forbids.",
        "Verify with the program `countersign verify`, which reads such timestamps, or ask the publisher for one in DER.";
    TimestampTrailing = "timestamp.trailing-bytes", Danger, 13, "RFC 3161 §2.4.2",
        "Bytes follow after the timestamp's end.",
        "Ask the publisher for a new timestamp.";
    TimestampNonceMismatch = "timestamp.nonce.mismatch", Danger, 13, "RFC 3161 §2.4.2 nonce",
        "The authority's answer is not for this request.",
        "Ask again; if it stays, use another authority.";
    TimestampPolicyMismatch = "timestamp.policy.mismatch", Danger, 13, "RFC 3161 §2.4.2 policy",
        "The timestamp was made under another policy than the one asked for.",
        "Ask again with a policy that the authority offers.";
    TimestampAuthorityRevoked = "timestamp.authority.revoked", Danger, 14, "docs/revocation.md; ETSI EN 319 421",
        "The authority's certificate was revoked so that its timestamps prove nothing.",
        "Ask the publisher for a timestamp by another authority.";
    TimestampTooMany = "timestamp.too-many", NotChecked, 3, "core/src/limits.rs",
        "The bundle holds more timestamps than are looked at.",
        "Ask the publisher for a bundle with fewer timestamps.";

    // Revocation evidence.
    RevocationUnavailable = "revocation.unavailable", NotChecked, 3, "docs/revocation.md",
        "Whether the certificate was revoked could not be checked.",
        "Try again with a network connection, or give the CRL with `--crl`.";
    RevocationStale = "revocation.stale", NotChecked, 3, "RFC 5280 §5.1.2.5; RFC 6960 §4.2.2.1",
        "What is known about revocation is out of date.",
        "Get a fresh CRL (`countersign revocation fetch`) and check again.";
    RevocationAfterExpiry = "revocation.after-expiry", NotChecked, 3, "RFC 5280 §3.3; X.509 §9.5.2.8; RFC 6960 §4.4.4",
        "The revocation evidence was made after the certificate had expired, and does not say that it still covers expired certificates.",
        "Give a CRL that was made before the certificate expired (`--crl`) and allow it in the policy (`revocation.after_expiry = \"last-known\"`), or ask the publisher to sign the file again.";
    RevocationNoSource = "revocation.no-source", NotChecked, 3, "RFC 5280 §4.2.1.13, §4.2.2.1",
        "The certificate does not say where its revocation can be looked up.",
        "Give a CRL with `--crl`, or let the policy do without (`revocation.signer = \"off\"`).";
    RevocationUnknown = "revocation.unknown", NotChecked, 3, "RFC 6960 §2.2",
        "The responder does not know the certificate.",
        "Tell the publisher: its certificate is not registered.";
    RevocationPending = "revocation.pending", NotChecked, 4, "docs/revocation-service.md",
        "The order waits for a second person; nothing has changed yet.",
        "Ask an administrator with the role approver to look at it: `countersign revocation pending`.";
    CrlMalformed = "revocation.crl.malformed", NotChecked, 3, "RFC 5280 §5.1",
        "A CRL cannot be read.",
        "Get the CRL again from the address in the certificate.";
    CrlSignature = "revocation.crl.signature", NotChecked, 3, "RFC 5280 §6.3.3",
        "A CRL was not signed by the certificate's issuer.",
        "Get the CRL again from the address in the certificate.";
    CrlNotAuthorised = "revocation.crl.not-authorised", NotChecked, 3, "RFC 5280 §6.3.3 (f)",
        "The CRL's signer may not sign CRLs.",
        "Tell the publisher: the authority's certificate lacks cRLSign.";
    CrlExtension = "revocation.crl.extension", NotChecked, 3, "RFC 5280 §5.2",
        "A CRL carries a critical extension that is not known.",
        "Get a CRL without it.";
    CrlScope = "revocation.crl.scope", NotChecked, 3, "RFC 5280 §6.3.3 (b)",
        "A CRL does not cover the certificate.",
        "Get the CRL that the certificate names.";
    CrlProfile = "revocation.crl.profile", NotChecked, 3, "RFC 5280 §5; docs/revocation.md",
        "A CRL breaks its profile.",
        "Correct the CRL before it is published.";
    OcspMalformed = "revocation.ocsp.malformed", NotChecked, 3, "RFC 6960 §4.2.1",
        "An OCSP response cannot be read.",
        "Ask the responder again.";
    OcspRefused = "revocation.ocsp.refused", NotChecked, 3, "RFC 6960 §2.3",
        "The responder gave no answer.",
        "Ask again later, or use a CRL.";
    OcspSignature = "revocation.ocsp.signature", NotChecked, 3, "RFC 6960 §3.2",
        "An OCSP response's signature is wrong.",
        "Ask the responder again.";
    OcspNotAuthorised = "revocation.ocsp.not-authorised", NotChecked, 3, "RFC 6960 §4.2.2.2",
        "The responder may not speak for the certificate's issuer.",
        "Tell the publisher: its OCSP delegate is not rightly issued.";
    OcspExtension = "revocation.ocsp.extension", NotChecked, 3, "RFC 6960 §4.4",
        "An OCSP response carries a critical extension that is not known.",
        "Use a CRL.";
    EvidenceTooLarge = "revocation.too-large", NotChecked, 3, "core/src/limits.rs",
        "There is more revocation evidence than is looked at.",
        "Give only the CRLs and OCSP responses that the certificates need.";

    // The bundle itself.
    BundleNotFound = "bundle.not-found", NotChecked, 3, "docs/cli.md",
        "There is no bundle for this file.",
        "Get FILE.sigstore.json from where you got the file, or name it with `--bundle`.";
    BundleTooLarge = "bundle.too-large", NotChecked, 3, "core/src/limits.rs",
        "The bundle is larger than is looked at.",
        "Check that this is the bundle and not the file itself.";
    BundleEmpty = "bundle.empty", NotChecked, 3, "Sigstore bundle v0.3",
        "The bundle is empty.",
        "Get the bundle again from the publisher.";
    BundleNotJson = "bundle.not-json", NotChecked, 3, "Sigstore bundle v0.3; RFC 8259",
        "What should be the bundle is another kind of file.",
        "Name the bundle, FILE.sigstore.json; not the file, a certificate or a signature.";
    BundleIsPgp = "bundle.pgp", NotChecked, 3, "RFC 9580; docs/verifying.md",
        "What should be the bundle is a PGP signature.",
        "Check it with `gpg --verify SIGNATURE FILE` and the publisher's key, or ask the publisher for a Sigstore bundle.";
    BundleIsMinisign = "bundle.minisign", NotChecked, 3, "docs/verifying.md",
        "What should be the bundle is a minisign signature.",
        "Check it with `minisign -Vm FILE -x SIGNATURE -P KEY`, or ask the publisher for a Sigstore bundle.";
    BundleIsCosign = "bundle.cosign-old", NotChecked, 3, "docs/verifying.md",
        "What should be the bundle has the old form of cosign 2.",
        "Check it with `cosign verify-blob --bundle BUNDLE FILE`, or ask the publisher to sign with `--new-bundle-format`.";
    BundleIsEnvelope = "bundle.envelope-only", NotChecked, 3, "DSSE v1; docs/verifying.md",
        "What should be the bundle is an envelope without its certificate and log entry.",
        "Check it with `slsa-verifier verify-artifact FILE --provenance-path ENVELOPE --source-uri SOURCE`, or ask the publisher for a Sigstore bundle.";
    BundleIsSignature = "bundle.bare-signature", NotChecked, 3, "docs/verifying.md",
        "What should be the bundle is a signature alone.",
        "Check it with `cosign verify-blob --signature SIGNATURE --certificate CERTIFICATE FILE`, or ask the publisher for a Sigstore bundle.";
    BundleOtherKind = "bundle.other-kind", NotChecked, 3, "Sigstore bundle v0.3",
        "What should be the bundle is another kind of file.",
        "Name the bundle, FILE.sigstore.json, and give this file where its kind is asked for.";
    BundleTruncated = "bundle.truncated", NotChecked, 3, "RFC 8259",
        "The bundle breaks off: its download did not finish.",
        "Get the bundle again from the publisher.";
    BundleMalformed = "bundle.malformed", NotChecked, 3, "Sigstore bundle v0.3",
        "The bundle cannot be read.",
        "Get the bundle again from the publisher.";
    BundleDuplicateKey = "bundle.duplicate-key", NotChecked, 3, "RFC 8259 §4; RFC 7493 §2.3",
        "The bundle repeats a key, so that programs may read it differently.",
        "Get the bundle again from the publisher.";
    BundleTooDeep = "bundle.too-deep", NotChecked, 3, "core/src/limits.rs",
        "The bundle is nested more deeply than is looked at.",
        "Get the bundle again from the publisher.";
    BundleTooNew = "bundle.too-new", NotChecked, 3, "Sigstore bundle mediaType",
        "The bundle has a form that this program does not know.",
        "Update Countersign; if it is the newest, ask the publisher for a v0.3 bundle.";
    BundleNoCertificate = "bundle.no-certificate", NotChecked, 3, "Sigstore bundle v0.3 verificationMaterial",
        "The bundle holds no signing certificate.",
        "Ask the publisher for a bundle with a certificate.";
    BundleTooManyParts = "bundle.too-many-parts", NotChecked, 3, "core/src/limits.rs",
        "The bundle holds more parts than are looked at.",
        "Ask the publisher for a smaller bundle.";

    // Transparency.
    TransparencyNotSupported = "transparency.not-supported", NotChecked, 3, "docs/policy.md transparency",
        "The trust root lists transparency logs, whose proofs this version cannot check.",
        "Set `transparency` to `off` in the policy knowingly, or use a newer version.";
    LogEntryMismatch = "transparency.entry.mismatch", Danger, 15, "Sigstore bundle v0.3 tlogEntries canonicalizedBody",
        "The log entry belongs to another signature.",
        "Do not trust the file. Get the bundle again from the publisher.";
    LogEntryMalformed = "transparency.entry.malformed", Danger, 15, "Sigstore bundle v0.3 tlogEntries canonicalizedBody",
        "The log entry cannot be read.",
        "Get the bundle again from the publisher.";
    LogEntryUnsupported = "transparency.entry.not-supported", NotChecked, 3, "Sigstore bundle v0.3 tlogEntries kindVersion",
        "The log entry is of a kind that this program does not know.",
        "Update Countersign; if it is the newest, ask the publisher for a hashedrekord or dsse entry.";
    LogPromiseInvalid = "transparency.promise.invalid", Danger, 15, "Sigstore bundle v0.3 inclusionPromise",
        "The log did not sign this entry and its time.",
        "Get the bundle again from the publisher.";
    LogTimeFuture = "transparency.time.future", Danger, 15, "Sigstore bundle v0.3 integratedTime",
        "The log entry's time lies in the future.",
        "Check your clock; otherwise do not trust the file.";
    LogProofInvalid = "transparency.proof.invalid", Danger, 15, "RFC 9162 §2.1.3.2",
        "The proof does not show that the entry is in the log.",
        "Get the bundle again from the publisher.";
    CheckpointSignature = "transparency.checkpoint.signature", Danger, 15, "C2SP signed-note",
        "The log did not sign the checkpoint.",
        "Get the bundle again from the publisher.";
    CheckpointMismatch = "transparency.checkpoint.mismatch", Danger, 15, "C2SP tlog-checkpoint",
        "The checkpoint and the proof speak of different trees.",
        "Get the bundle again from the publisher.";
    CheckpointOrigin = "transparency.checkpoint.origin", Danger, 15, "C2SP tlog-checkpoint",
        "The checkpoint is another log's.",
        "Get the bundle again from the publisher; if it stays, correct the log's address in the trust root.";
    CheckpointUnsigned = "transparency.checkpoint.unsigned", Danger, 15, "C2SP signed-note",
        "The checkpoint carries no signature by the log's key.",
        "Get the bundle again from the publisher.";
    CheckpointMalformed = "transparency.checkpoint.malformed", Danger, 15, "C2SP tlog-checkpoint; C2SP signed-note",
        "The checkpoint cannot be read.",
        "Get the bundle again from the publisher.";
    LogProofAbsent = "transparency.proof.absent", Danger, 15, "Sigstore bundle v0.3 inclusionProof",
        "The log entry comes without a proof that it is in the log.",
        "Ask the publisher for a bundle with an inclusion proof and its checkpoint.";
    LogWindow = "transparency.log.outside-window", Danger, 15, "Sigstore trusted_root.json validFor",
        "The trust root does not trust this log at that time.",
        "Get the current trust root; if it stays, ask the publisher to sign again.";
    LogNotTrusted = "transparency.log.not-trusted", Danger, 15, "docs/policy.md transparency",
        "The entry is in a log that you do not trust.",
        "If you trust this log, add it to the trust root.";
    LogEntryAbsent = "transparency.absent", Danger, 15, "docs/policy.md transparency",
        "The signature is not in a public log, and the policy demands it.",
        "Ask the publisher for a bundle with a log entry, or set `transparency` to `off` knowingly.";

    // Statement and provenance.
    StatementMalformed = "provenance.statement.malformed", NotChecked, 3, "in-toto Statement v1",
        "The signed statement cannot be read.",
        "Get the bundle again from the publisher.";
    StatementType = "provenance.statement.type", NotChecked, 3, "in-toto Statement v1; DSSE payloadType",
        "What was signed is not an in-toto statement.",
        "Get the bundle again from the publisher.";
    StatementPredicate = "provenance.predicate.unexpected", Danger, 16, "docs/policy.md predicate_types",
        "The statement says another thing than the policy demands.",
        "Ask the publisher for the statement that the policy names.";
    ProvenanceSource = "provenance.source.unexpected", Danger, 16, "SLSA provenance v1 externalParameters; docs/policy.md provenance",
        "The file was built from another source than the policy demands.",
        "Do not trust the file unless you expected this source; then name it in the policy.";
    ProvenanceBuilder = "provenance.builder.not-allowed", Danger, 16, "SLSA provenance v1 builder.id; docs/policy.md provenance",
        "The file was built by a builder that the policy does not allow.",
        "Do not trust the file unless you expected this builder; then name it in the policy.";
    ProvenanceRef = "provenance.ref.unexpected", Danger, 16, "SLSA provenance v1 externalParameters; docs/policy.md provenance",
        "The file was built from another branch or tag than the policy demands.",
        "Ask the publisher for a file built from the branch or tag that the policy names.";
    ProvenanceBuildType = "provenance.build-type.unexpected", Danger, 16, "SLSA provenance v1 buildType; docs/policy.md provenance",
        "The file was built in another way than the policy demands.",
        "Ask the publisher for a file built as the policy names it.";
    ProvenanceFieldMalformed = "provenance.field.malformed", Danger, 16, "SLSA provenance v1, v0.2",
        "The provenance says what the policy asks for in a form that cannot be read.",
        "Tell the publisher: its provenance is wrong.";
    ProvenanceFieldMissing = "provenance.field.missing", Danger, 16, "SLSA provenance v1, v0.2",
        "The provenance does not say what the policy asks for.",
        "Ask the publisher for provenance that says it, or take the expectation out of the policy knowingly.";

    // Internal.
    Internal = "internal.error", NotChecked, 70, "docs/findings.md",
        "This program made a mistake.",
        "Report it, with the command and the report.";

    // Warnings and notes: still verified.
    NameNotSigned = "content.name.not-signed", Note, 0, "docs/policy.md names; Sigstore bundle v0.3 messageDigest",
        "The signature does not cover the file's name, so it cannot tell an old release from a new one.",
        "If the name matters, ask the publisher for a statement (`countersign sign --statement`), and demand one in the policy (`predicate_types`).";
    SignatureKindUnknown = "signature.kind-unknown", Note, 0, "DSSE v1 §3; docs/threat-model.md",
        "Only a digest was given: whether a file or a statement was signed cannot be told.",
        "Give the file itself, or demand a statement in the policy (`predicate_types`).";
    KeyHintDiffers = "signature.key.hint-differs", Note, 0, "Sigstore bundle v0.3 publicKey.hint",
        "The bundle hints at another key than the one that was given.",
        "Nothing to do: what counts is the key that was given.";
    CompromisedAfterSigning = "revocation.compromised-after-signing", Warning, 0, "docs/revocation.md",
        "The signer's key was compromised after this file was signed.",
        "Prefer a release signed with a new key.";
    AuthorityCompromisedAfterSigning = "revocation.authority-compromised-after-signing", Warning, 0, "docs/revocation.md",
        "The authority that issued the signer's certificate was compromised after this file was signed.",
        "Prefer a release signed under a new authority.";
    NameDiffers = "content.name-differs", Warning, 0, "in-toto Statement v1 subject",
        "The file is genuine, but was published under another name.",
        "Make sure that this is the file you meant to get, not another or older one.";
    PolicyFilesNotCompared = "policy.files.not-compared", Warning, 0, "docs/policy.md signers files",
        "The policy lets this signer sign certain files only, and no name was given to compare with them.",
        "Make sure that this is a file that this signer may sign, or give the file itself under the name that it was published under.";
    StaleAccepted = "revocation.stale-accepted", Warning, 0, "docs/policy.md revocation.offline",
        "What is known about revocation is out of date, but the policy allows it.",
        "Check again when there is a network connection.";
    LastKnownAccepted = "revocation.last-known", Warning, 0, "docs/policy.md revocation.after_expiry",
        "The certificate has expired; until the time named here it was not revoked, and nothing later is known.",
        "Decide whether that time is late enough for you; if not, ask the publisher to sign the file again.";
    RevokedAfterSigning = "revocation.revoked-after-signing", Note, 0, "docs/revocation.md",
        "The signer's certificate was revoked after this file was signed.",
        "Nothing to do: the file was signed before.";
    RevocationNotRequired = "revocation.not-required", Note, 0, "docs/policy.md revocation",
        "Revocation was not checked, and the policy does not demand it.",
        "Set `revocation` to `required` in the policy to demand it.";
    TimestampIgnored = "timestamp.ignored", Note, 0, "docs/policy.md timestamps",
        "A timestamp in the bundle could not be used; enough others could.",
        "Nothing to do.";
    TimestampLegacyEncoding = "timestamp.legacy-encoding", Note, 0, "docs/verifying.md; X.690 §8, §10",
        "The timestamp is in BER, which authorities sent until 2019; this program reads it, web pages do not.",
        "Nothing to do here; for web pages, ask the publisher for a timestamp in DER.";
    BundlePassedOver = "bundle.passed-over", Note, 0, "docs/verifying.md",
        "Beside the bundle that was used there are lines or entries that are something else.",
        "Nothing needs to be done.";
    EvidenceIgnored = "revocation.evidence-ignored", Note, 0, "docs/revocation.md",
        "A piece of revocation evidence was not used; the verdict does not rest on it.",
        "Nothing to do. Leave it out next time if it belongs to another file.";
    LogNotChecked = "transparency.not-checked", Note, 0, "docs/policy.md transparency",
        "The bundle holds a transparency-log entry that was not checked.",
        "Nothing to do: the trust root or the policy does without a log.";
    LogEntryIgnored = "transparency.ignored", Note, 0, "docs/policy.md transparency",
        "A log entry in the bundle could not be used; another could.",
        "Nothing to do.";
    TimestampOutsideChain = "timestamp.outside-chain", Note, 0, "Sigstore client specification, certificate path validation; docs/verifying.md",
        "The signer's chain was valid at the earliest proven time, but not at a later one.",
        "Nothing to do: the earliest proven time counts.";

    // A service's audit ledger; only `countersign audit` finds these.
    AuditLineAltered = "audit.line.altered", Danger, 10, "docs/audit.md",
        "A line of the audit ledger was changed after it was written.",
        "Keep this ledger as evidence, compare it with your copies, and find out who could write to it.";
    AuditLineMalformed = "audit.line.malformed", Danger, 10, "docs/audit.md",
        "A line of the audit ledger is not one that its service writes.",
        "Keep this ledger as evidence, compare it with your copies, and find out who could write to it.";
    AuditSequenceBroken = "audit.sequence.broken", Danger, 10, "docs/audit.md",
        "Lines of the audit ledger were removed, added or reordered.",
        "Keep this ledger as evidence, compare it with your copies, and find out who could write to it.";
    AuditFileMissing = "audit.file.missing", Danger, 10, "docs/audit.md",
        "A file of the audit ledger is missing.",
        "Put it back; when older files were archived on purpose, give the hash of their last line with --after.";
    AuditFileCut = "audit.file.cut", Danger, 10, "docs/audit.md",
        "A file of the audit ledger ends within a line although another follows.",
        "Put a copy of the file in its place; keep this one as evidence.";
    AuditFileForeign = "audit.file.foreign", Danger, 10, "docs/audit.md",
        "A file does not belong to this audit ledger.",
        "Put the right file in its place; ledgers of several replicas have a folder each.";
    AuditHeadMissing = "audit.head.missing", Danger, 10, "docs/audit.md",
        "The expected line is not in the audit ledger: its end was cut off or written anew.",
        "Check that this is the right ledger; else keep it as evidence and compare it with your copies.";
    AuditIncomplete = "audit.line.incomplete", NotChecked, 3, "docs/audit.md",
        "The last line of the audit ledger is incomplete; everything before it is whole.",
        "Its service was killed while it wrote: start it again, it cuts the line off and says so.";
    AuditFormatUnknown = "audit.format.unknown", NotChecked, 3, "docs/audit.md",
        "The audit ledger is in a format that this program does not know.",
        "Use the version of this program that belongs to the service.";
    AuditNotFound = "audit.not-found", NotChecked, 3, "docs/audit.md",
        "There is no audit ledger in this folder.",
        "Name the folder that the service's configuration names under [audit].";
}
