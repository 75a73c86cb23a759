//! What the statement says, and of which build.

use super::FindingCode;

findings! {
    STATEMENT_MALFORMED = 1520, "provenance.statement.malformed", NotChecked, 3, WhoSigned, "in-toto Statement v1",
        "The signed statement cannot be read.",
        "Get the bundle again from the publisher.";
    STATEMENT_TYPE = 1530, "provenance.statement.type", NotChecked, 3, WhoSigned, "in-toto Statement v1; DSSE payloadType",
        "What was signed is not an in-toto statement.",
        "Get the bundle again from the publisher.";
    STATEMENT_PREDICATE = 1540, "provenance.predicate.unexpected", Danger, 16, WhoSigned, "docs/policy.md predicate_types",
        "The statement is not of a type that the policy allows.",
        "Ask the publisher for the statement that the policy names.";
    PROVENANCE_SOURCE = 1550, "provenance.source.unexpected", Danger, 16, WhoSigned, "SLSA provenance v1 externalParameters; docs/policy.md provenance",
        "The file was built from another source than the policy requires.",
        "Do not trust the file unless you expected this source; then name it in the policy.";
    PROVENANCE_BUILDER = 1560, "provenance.builder.not-allowed", Danger, 16, WhoSigned, "SLSA provenance v1 builder.id; docs/policy.md provenance",
        "The file was built by a builder that the policy does not allow.",
        "Do not trust the file unless you expected this builder; then name it in the policy.";
    PROVENANCE_REF = 1570, "provenance.ref.unexpected", Danger, 16, WhoSigned, "SLSA provenance v1 externalParameters; docs/policy.md provenance",
        "The file was built from another branch or tag than the policy requires.",
        "Ask the publisher for a file built from the branch or tag that the policy names.";
    PROVENANCE_BUILD_TYPE = 1580, "provenance.build-type.unexpected", Danger, 16, WhoSigned, "SLSA provenance v1 buildType; docs/policy.md provenance",
        "The file was built in another way than the policy requires.",
        "Ask the publisher for a file that was built in the way that the policy names.";
    PROVENANCE_FIELD_MALFORMED = 1590, "provenance.field.malformed", Danger, 16, WhoSigned, "SLSA provenance v1, v0.2",
        "The provenance has what the policy asks for, but in a form that cannot be read.",
        "Tell the publisher: its provenance is wrong.";
    PROVENANCE_FIELD_MISSING = 1600, "provenance.field.missing", Danger, 16, WhoSigned, "SLSA provenance v1, v0.2",
        "The provenance does not say what the policy asks for.",
        "Ask the publisher for provenance that says it. Remove the rule from the policy only if you accept the risk.";
}
