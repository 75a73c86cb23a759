//! Budgets: how much of what somebody sent is looked at. Each names the attack it stops or the
//! source of its number. Exceeding one is a finding of its own, never a silent cut.

/// A bundle's size in bytes. Public bundles are 5–15 KB; an attestation with an SBOM inside
/// reaches a few MB. Stops a page or pipeline being made to parse gigabytes.
pub const BUNDLE_BYTES: usize = 8 * 1024 * 1024;

/// Lines, or entries of a list, that are given in place of one bundle. A release with a line a file
/// has some hundred; a line of an attacker costs its reading and a comparison.
pub const BUNDLES: usize = 1_024;

/// Bundles of which each may be the file's, so that each is verified. GitHub gives at most 30 for a
/// digest unless asked; stops a file of copies of a genuine bundle from costing a minute.
pub const BUNDLES_OF_ONE_FILE: usize = 32;

/// Signatures that all bundles of one file may have checked together: those of their content, certificates,
/// timestamps and log entries. Each bundle has an equal share, so that none takes anything from another: 96 if
/// there are 32 of them. A genuine one with as many timestamps, log entries and certificate timestamps as are
/// looked at, each by somebody else, needs some 65; real ones need 10 to 20. Stops bundles that were made for it
/// from holding a page or a pipeline for minutes.
pub const BUNDLE_SIGNATURES: usize = 3_072;

/// Certificates tried as the next issuer in all searches for the paths of one file's bundles, in equal shares; for
/// the same attack. A genuine bundle needs some tens.
pub const BUNDLE_PATH_STEPS: usize = 65_536;

/// Signatures of which it is remembered whether they hold: some 100 files' worth in about 1 MB. Stops a long run
/// over hostile files from filling the memory.
pub const REMEMBERED_SIGNATURES: usize = 16_384;

/// A trust root's size in bytes; the public-good one is 7 KB.
pub const TRUST_ROOT_BYTES: usize = 4 * 1024 * 1024;

/// A policy's size in bytes; written by hand.
pub const POLICY_BYTES: usize = 1024 * 1024;

/// Nesting of JSON objects and arrays. A bundle needs 8, an attestation's predicate seldom 16;
/// stops stack exhaustion by `[[[[…`.
pub const JSON_DEPTH: usize = 64;

/// A certificate's size in bytes. Real ones have 0.5–3 KB.
pub const CERTIFICATE_BYTES: usize = 64 * 1024;

/// Extensions in one list: of a certificate, a CRL or an entry of one, a timestamp, an OCSP message.
/// Real lists have up to 15. Each is compared with all before it, since none may occur twice, and a CRL
/// is decoded before anybody's signature is looked at: stops hours of comparing for one of 32 MiB.
pub const EXTENSIONS: usize = 64;

/// Names of one CRL distribution point. Real ones have one to four; a CRL's are compared with those of
/// the certificate.
pub const DISTRIBUTION_POINT_NAMES: usize = 64;

/// Certificates in one authority's chain, a bundle, or a token's certificate set; stops quadratic
/// path searches.
pub const CERTIFICATES: usize = 16;

/// Issuers in a path, the anchor included. The longest public hierarchies have four; bridges of
/// governments six.
pub const PATH_ISSUERS: usize = 8;

/// Signatures that the search for one path verifies. The number is that of Go's remedy for
/// CVE-2018-16875: a server's processor time bought with a few kilobytes of certificates.
pub const PATH_SIGNATURES: usize = 100;

/// Certificates tried as the next issuer while one path is searched. Stops the exponential search
/// through layers of CAs that all have one name and one key (CVE-2023-0464's kin).
pub const PATH_STEPS: usize = 8_192;

/// Whole paths held against all rules in one search; for the same attack.
pub const PATHS_TRIED: usize = 256;

/// Acceptable paths that one search gives back, so that revocation can choose among them.
pub const PATHS: usize = 8;

/// Comparisons of a name with a name constraint in one search; stops a certificate of a thousand
/// names below one of a thousand constraints (CVE-2018-16875's kin).
pub const NAME_COMPARISONS: usize = 50_000;

/// Certificate policies, or mappings between them, in one certificate. Real ones have one to ten;
/// stops policy sets that grow with each certificate (CVE-2023-0464).
pub const CERTIFICATE_POLICIES: usize = 64;

/// Attributes in one part (RDN) of a name. Real ones have one, seldom two; stops quadratic sorting.
pub const RDN_ATTRIBUTES: usize = 16;

/// Authorities of one kind in a trust root.
pub const AUTHORITIES: usize = 64;

/// Timestamp tokens in a bundle; each costs about three signature verifications.
pub const TIMESTAMPS: usize = 8;

/// A timestamp response's size in bytes; real ones have 1–7 KB.
pub const TIMESTAMP_BYTES: usize = 256 * 1024;

/// Nesting of values in a timestamp that is in BER: a certificate in a token in a token's unsigned
/// attributes needs 20. Stops stack exhaustion by `30 80 30 80 …`.
pub const BER_DEPTH: usize = 32;

/// Transparency-log entries in a bundle.
pub const LOG_ENTRIES: usize = 8;

/// Hashes in an inclusion proof: a tree of 2^64 leaves needs no more.
pub const LOG_PROOF_HASHES: usize = 64;

/// A checkpoint's size in bytes; real ones have 200–2,000.
pub const CHECKPOINT_BYTES: usize = 16 * 1024;

/// Signatures on a checkpoint: the log's and its witnesses'. Only those by the log's key id cost
/// a verification.
pub const CHECKPOINT_SIGNATURES: usize = 32;

/// Signed certificate timestamps in a certificate; each costs a verification. Browsers demand
/// two or three.
pub const CERTIFICATE_TIMESTAMPS: usize = 8;

/// A file's size in bytes, if the signature can only be checked over the whole of it and not over
/// its digest (Ed25519 signs messages, RFC 8032 §5.1): it is held in memory, in a page's too. Stops
/// a bundle with such a key from filling the memory of whoever verifies a large file.
pub const SIGNED_CONTENT_BYTES: usize = 128 * 1024 * 1024;

/// Signatures in a DSSE envelope; each costs a verification. The bundle format demands one.
pub const ENVELOPE_SIGNATURES: usize = 1;

/// Subjects of an in-toto statement; the largest public releases list about 1,000 files.
pub const SUBJECTS: usize = 16_384;

/// A CRL's size in bytes: about 40 bytes an entry, 500,000 entries.
pub const CRL_BYTES: usize = 32 * 1024 * 1024;

/// CRLs handed in as evidence for one verification; each may cost a signature verification.
pub const CRLS: usize = 32;

/// An OCSP response's size in bytes; real ones have 0.5–4 KB.
pub const OCSP_BYTES: usize = 256 * 1024;

/// OCSP responses handed in as evidence for one verification.
pub const OCSP_RESPONSES: usize = 32;

/// How long an OCSP answer without nextUpdate counts, in seconds from its thisUpdate, if the policy
/// has no `max_age_seconds`: a day, as Firefox (`mozilla::pkix`) takes it. Two of three responders in
/// the field send none. Stops an old "good" from being played back for ever.
pub const OCSP_WITHOUT_NEXT_UPDATE_SECONDS: i64 = 24 * 60 * 60;

/// Answers in one OCSP response.
pub const OCSP_ANSWERS: usize = 64;

/// Characters of attacker-controlled text (a name, an identity) that a finding repeats; stops
/// reports of a megabyte.
pub const QUOTED_CHARACTERS: usize = 200;

/// How far a clock may run ahead of ours, in seconds, before what it signed is "from the
/// future": five minutes, as Kerberos and most OCSP clients take it.
pub const CLOCK_SKEW_SECONDS: i64 = 300;
