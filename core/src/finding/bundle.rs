//! What was given as the bundle.

use super::FindingCode;

findings! {
    BUNDLE_NOT_FOUND = 1190, "bundle.not-found", NotChecked, 3, SameFile, "docs/cli.md",
        "There is no bundle for this file.",
        "Get FILE.sigstore.json from where you got the file, or name it with `--bundle`.";
    BUNDLE_TOO_LARGE = 1200, "bundle.too-large", NotChecked, 3, SameFile, "core/src/limits.rs",
        "The bundle is larger than the limit named here.",
        "Check that this is the bundle and not the file itself.";
    BUNDLE_EMPTY = 1210, "bundle.empty", NotChecked, 3, SameFile, "Sigstore bundle v0.3",
        "The bundle is empty.",
        "Get the bundle again from the publisher.";
    BUNDLE_NOT_JSON = 1220, "bundle.not-json", NotChecked, 3, SameFile, "Sigstore bundle v0.3; RFC 8259",
        "This is another kind of file, not a bundle.",
        "Name the bundle, FILE.sigstore.json; not the file, a certificate or a signature.";
    BUNDLE_IS_PGP = 1230, "bundle.pgp", NotChecked, 3, SameFile, "RFC 9580; docs/verifying.md",
        "This is a PGP signature, not a Sigstore bundle.",
        "Check it with `gpg --verify SIGNATURE FILE` and the publisher's key, or ask the publisher for a Sigstore bundle.";
    BUNDLE_IS_MINISIGN = 1240, "bundle.minisign", NotChecked, 3, SameFile, "docs/verifying.md",
        "This is a minisign signature, not a Sigstore bundle.",
        "Check it with `minisign -Vm FILE -x SIGNATURE -P KEY`, or ask the publisher for a Sigstore bundle.";
    BUNDLE_IS_COSIGN = 1250, "bundle.cosign-old", NotChecked, 3, SameFile, "docs/verifying.md",
        "This is a bundle in the old format of cosign 2.",
        "Check it with `cosign verify-blob --bundle BUNDLE FILE`, or ask the publisher to sign with `--new-bundle-format`.";
    BUNDLE_IS_ENVELOPE = 1260, "bundle.envelope-only", NotChecked, 3, SameFile, "DSSE v1; docs/verifying.md",
        "This is only an envelope, without the certificate and log entry of a bundle.",
        "Check it with `slsa-verifier verify-artifact FILE --provenance-path ENVELOPE --source-uri SOURCE`, or ask the publisher for a Sigstore bundle.";
    BUNDLE_IS_SIGNATURE = 1270, "bundle.bare-signature", NotChecked, 3, SameFile, "docs/verifying.md",
        "This is only a signature, not a bundle.",
        "Check it with `cosign verify-blob --signature SIGNATURE --certificate CERTIFICATE FILE`, or ask the publisher for a Sigstore bundle.";
    BUNDLE_OTHER_KIND = 1280, "bundle.other-kind", NotChecked, 3, SameFile, "Sigstore bundle v0.3",
        "This is another kind of file, not a bundle.",
        "Name the bundle, FILE.sigstore.json; this file belongs in another place.";
    BUNDLE_TRUNCATED = 1290, "bundle.truncated", NotChecked, 3, SameFile, "RFC 8259",
        "The bundle is incomplete: its download did not finish.",
        "Download the bundle again.";
    BUNDLE_MALFORMED = 1300, "bundle.malformed", NotChecked, 3, SameFile, "Sigstore bundle v0.3",
        "The bundle cannot be read.",
        "Get the bundle again from the publisher.";
    BUNDLE_DUPLICATE_KEY = 1310, "bundle.duplicate-key", NotChecked, 3, SameFile, "RFC 8259 §4; RFC 7493 §2.3",
        "The bundle has a key twice, so two programs could read it differently.",
        "Get the bundle again from the publisher.";
    BUNDLE_TOO_DEEP = 1320, "bundle.too-deep", NotChecked, 3, SameFile, "core/src/limits.rs",
        "The bundle is nested more deeply than allowed.",
        "Get the bundle again from the publisher.";
    BUNDLE_TOO_NEW = 1330, "bundle.too-new", NotChecked, 3, SameFile, "Sigstore bundle mediaType",
        "The bundle is in a format that this program does not know.",
        "Update Countersign. If it is up to date, ask the publisher for a v0.3 bundle.";
    BUNDLE_NO_CERTIFICATE = 1340, "bundle.no-certificate", NotChecked, 3, SameFile, "Sigstore bundle v0.3 verificationMaterial",
        "The bundle contains no signing certificate.",
        "Ask the publisher for a bundle with a certificate.";
    BUNDLE_TOO_MANY_PARTS = 1350, "bundle.too-many-parts", NotChecked, 3, SameFile, "core/src/limits.rs",
        "The bundle has more parts of one kind than allowed: certificates, timestamps, log entries or files.",
        "Ask the publisher for a smaller bundle.";
    BUNDLE_PASSED_OVER = 1750, "bundle.passed-over", Note, 0, SameFile, "docs/verifying.md",
        "Some lines or entries beside the bundle are not bundles; they were ignored.",
        "Nothing needs to be done.";
}
