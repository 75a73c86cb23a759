// Made by `cargo run -p xtask -- types` from the tables in core/src/finding/.

/** Every code that a finding can have, the gravest first within its class. */
export type FindingCode =
  | "setup.trust-root.malformed"
  | "setup.trust-root.empty"
  | "setup.trust-root.other-kind"
  | "setup.policy.other-kind"
  | "setup.policy.malformed"
  | "setup.public-key.malformed"
  | "setup.public-key.not-used"
  | "setup.policy.no-signer"
  | "setup.clock.wrong"
  | "setup.input.unreadable"
  | "setup.input.too-large"
  | "setup.input.malformed"
  | "setup.service.unreachable"
  | "setup.site.blocked"
  | "setup.site.file-missing"
  | "setup.browser.unsupported"
  | "setup.service.answer"
  | "setup.service.redirect"
  | "content.incomplete"
  | "content.other-file"
  | "content.mismatch"
  | "content.name.other"
  | "content.name.not-supplied"
  | "content.digest.not-supplied"
  | "content.digest.weak"
  | "signature.mismatch"
  | "signature.key.not-allowed"
  | "signature.key.not-given"
  | "signature.algorithm.not-allowed"
  | "signature.needs-file"
  | "signature.of-statement"
  | "signature.absent"
  | "signature.count"
  | "revocation.revoked"
  | "revocation.on-hold"
  | "revocation.authority-revoked"
  | "revocation.compromise-strict"
  | "certificate.malformed"
  | "certificate.unknown-issuer"
  | "certificate.identity.unexpected"
  | "certificate.oidc-issuer.unexpected"
  | "certificate.expired"
  | "certificate.not-yet-valid"
  | "certificate.wrong-use"
  | "certificate.not-ca"
  | "certificate.path-constraint"
  | "certificate.constraint-not-supported"
  | "certificate.key.weak"
  | "certificate.chain.too-long"
  | "certificate.profile"
  | "certificate.identity.absent"
  | "certificate.sct.invalid"
  | "certificate.sct.outside-window"
  | "certificate.sct.future"
  | "certificate.sct.malformed"
  | "certificate.sct.log.not-trusted"
  | "certificate.sct.absent"
  | "timestamp.absent"
  | "timestamp.malformed"
  | "timestamp.ber"
  | "timestamp.imprint.mismatch"
  | "timestamp.imprint.weak"
  | "timestamp.authority.not-trusted"
  | "timestamp.signature"
  | "timestamp.certificate.outside-validity"
  | "timestamp.authority.outside-window"
  | "timestamp.future"
  | "timestamp.refused"
  | "timestamp.status.contradiction"
  | "timestamp.content-type"
  | "timestamp.signer-count"
  | "timestamp.attributes"
  | "timestamp.ess.absent"
  | "timestamp.ess.mismatch"
  | "timestamp.tsa-name"
  | "timestamp.certificate.eku"
  | "timestamp.certificate.ca"
  | "timestamp.extension"
  | "timestamp.default-encoded"
  | "timestamp.trailing-bytes"
  | "timestamp.nonce.mismatch"
  | "timestamp.policy.mismatch"
  | "timestamp.authority.revoked"
  | "timestamp.too-many"
  | "revocation.unavailable"
  | "revocation.stale"
  | "revocation.after-expiry"
  | "revocation.no-source"
  | "revocation.unknown"
  | "revocation.crl.malformed"
  | "revocation.crl.signature"
  | "revocation.crl.not-authorised"
  | "revocation.crl.extension"
  | "revocation.crl.scope"
  | "revocation.crl.profile"
  | "revocation.crl.delta"
  | "revocation.crl.restricted"
  | "revocation.crl.distribution-point"
  | "revocation.ocsp.malformed"
  | "revocation.ocsp.refused"
  | "revocation.ocsp.signature"
  | "revocation.ocsp.not-authorised"
  | "revocation.ocsp.extension"
  | "revocation.too-large"
  | "bundle.not-found"
  | "bundle.too-large"
  | "bundle.empty"
  | "bundle.not-json"
  | "bundle.pgp"
  | "bundle.minisign"
  | "bundle.cosign-old"
  | "bundle.envelope-only"
  | "bundle.bare-signature"
  | "bundle.other-kind"
  | "bundle.truncated"
  | "bundle.malformed"
  | "bundle.duplicate-key"
  | "bundle.too-deep"
  | "bundle.too-new"
  | "bundle.no-certificate"
  | "bundle.too-many-parts"
  | "transparency.entry.mismatch"
  | "transparency.entry.malformed"
  | "transparency.entry.not-supported"
  | "transparency.promise.invalid"
  | "transparency.time.future"
  | "transparency.proof.invalid"
  | "transparency.checkpoint.signature"
  | "transparency.checkpoint.mismatch"
  | "transparency.checkpoint.origin"
  | "transparency.checkpoint.unsigned"
  | "transparency.checkpoint.malformed"
  | "transparency.proof.absent"
  | "transparency.log.outside-window"
  | "transparency.log.not-trusted"
  | "transparency.absent"
  | "provenance.statement.malformed"
  | "provenance.statement.type"
  | "provenance.predicate.unexpected"
  | "provenance.source.unexpected"
  | "provenance.builder.not-allowed"
  | "provenance.ref.unexpected"
  | "provenance.build-type.unexpected"
  | "provenance.field.malformed"
  | "provenance.field.missing"
  | "internal.error"
  | "content.name.not-signed"
  | "signature.kind-unknown"
  | "signature.key.hint-differs"
  | "revocation.compromised-after-signing"
  | "revocation.authority-compromised-after-signing"
  | "content.name-differs"
  | "policy.files.not-compared"
  | "revocation.stale-accepted"
  | "revocation.last-known"
  | "revocation.revoked-after-signing"
  | "revocation.not-required"
  | "timestamp.ignored"
  | "timestamp.legacy-encoding"
  | "bundle.passed-over"
  | "revocation.evidence-ignored"
  | "transparency.not-checked"
  | "transparency.ignored"
  | "timestamp.outside-chain"
;

/** What a check answers. */
export type Question =
  | "same-file"
  | "who-signed"
  | "when-signed"
  | "still-trusted"
  | "publicly-logged";

/** What the table says of a code. */
export interface FindingText {
  class: "note" | "warning" | "outdated" | "set-up" | "not-checked" | "danger";
  exit_code: number;
  question: Question;
  title: string;
  clause: string;
  remedy: string;
}

/** The texts of every code, in English. */
export const findings: Readonly<Record<FindingCode, FindingText>> = {
  "setup.trust-root.malformed": {"class":"set-up","clause":"Sigstore trusted_root.json v0.1","exit_code":2,"question":"same-file","remedy":"Get the trust root again from its publisher, or make one with `countersign trust init`.","title":"The trust root cannot be read."},
  "setup.trust-root.empty": {"class":"set-up","clause":"Sigstore trusted_root.json v0.1","exit_code":2,"question":"same-file","remedy":"Get a trust root that contains the part named here, or make one with `countersign trust init`.","title":"The trust root lacks what this check needs."},
  "setup.trust-root.other-kind": {"class":"set-up","clause":"Sigstore trusted_root.json v0.1","exit_code":2,"question":"same-file","remedy":"Name the trust root (`trusted_root.json`) there; this file belongs in another place.","title":"The file given as the trust root is another kind of file."},
  "setup.policy.other-kind": {"class":"set-up","clause":"docs/policy.schema.json","exit_code":2,"question":"same-file","remedy":"Name the policy there; this file belongs in another place.","title":"The file given as the policy is another kind of file."},
  "setup.policy.malformed": {"class":"set-up","clause":"docs/policy.schema.json","exit_code":2,"question":"same-file","remedy":"Fix the line or field named here. `countersign policy lint` checks the whole file.","title":"The policy cannot be read."},
  "setup.public-key.malformed": {"class":"set-up","clause":"RFC 5280 §4.1.2.7; docs/cli.md","exit_code":2,"question":"same-file","remedy":"Give the publisher's public key (`--key`) as PEM or DER, a SubjectPublicKeyInfo; not a private key or a certificate.","title":"The public key cannot be read."},
  "setup.public-key.not-used": {"class":"set-up","clause":"Sigstore bundle v0.3 verificationMaterial","exit_code":2,"question":"same-file","remedy":"Leave `--key` out and name the expected signer, or get the bundle that was signed with this key.","title":"A public key was given, but the bundle was signed with a certificate."},
  "setup.policy.no-signer": {"class":"set-up","clause":"docs/policy.schema.json","exit_code":2,"question":"same-file","remedy":"Add the file name to a signer in the policy, or name the expected identity.","title":"The policy names no signer that may sign this file name."},
  "setup.clock.wrong": {"class":"set-up","clause":"docs/findings.md","exit_code":3,"question":"same-file","remedy":"Set the clock of this computer and check again.","title":"The clock shows a time before 2020."},
  "setup.input.unreadable": {"class":"set-up","clause":"docs/cli.md","exit_code":3,"question":"same-file","remedy":"Check that the path is right, that it is a file and that you may read it.","title":"A file cannot be read."},
  "setup.input.too-large": {"class":"set-up","clause":"core/src/limits.rs","exit_code":3,"question":"same-file","remedy":"Check that this is the right file.","title":"A file is larger than the limit named here."},
  "setup.input.malformed": {"class":"set-up","clause":"RFC 7468; docs/cli.md","exit_code":3,"question":"same-file","remedy":"Correct the file, or name another. `countersign inspect FILE` shows what is in it.","title":"A file does not contain what it should."},
  "setup.service.unreachable": {"class":"not-checked","clause":"docs/cli.md","exit_code":3,"question":"same-file","remedy":"Check the address and the network, then try again.","title":"A service did not answer."},
  "setup.site.blocked": {"class":"set-up","clause":"docs/embedding.md","exit_code":3,"question":"same-file","remedy":"If this is your site, change the setting that is named here. If not, tell the site's owner.","title":"This site's settings keep the check from running."},
  "setup.site.file-missing": {"class":"set-up","clause":"docs/embedding.md","exit_code":3,"question":"same-file","remedy":"If this is your site, put the file there or correct the address. If not, tell the site's owner.","title":"A file that the check needs is not at its address."},
  "setup.browser.unsupported": {"class":"set-up","clause":"docs/javascript.md","exit_code":3,"question":"same-file","remedy":"Use another browser, with WebAssembly turned on, or check the file with `countersign verify`.","title":"This browser cannot run the check."},
  "setup.service.answer": {"class":"not-checked","clause":"docs/cli.md","exit_code":3,"question":"same-file","remedy":"Check the address. If it is right, try again later, or tell the service's operator.","title":"A service gave an answer that cannot be used."},
  "setup.service.redirect": {"class":"not-checked","clause":"docs/cli.md","exit_code":3,"question":"same-file","remedy":"If you trust the new address, use it in place of the old one.","title":"A service redirects to an address that must not be followed."},
  "content.incomplete": {"class":"danger","clause":"in-toto ResourceDescriptor annotations","exit_code":10,"question":"same-file","remedy":"Download the file again.","title":"The file is shorter than what was published: the download did not finish."},
  "content.other-file": {"class":"danger","clause":"in-toto Statement v1 subject","exit_code":10,"question":"same-file","remedy":"Get the bundle that is published beside this file.","title":"The bundle belongs to another file."},
  "content.mismatch": {"class":"danger","clause":"Sigstore bundle v0.3 messageDigest; in-toto Statement v1 subject","exit_code":10,"question":"same-file","remedy":"Do not open it. Delete it and download it again, from another mirror if it happens again.","title":"The file differs from what was published."},
  "content.name.other": {"class":"danger","clause":"docs/policy.md names; in-toto Statement v1 subject","exit_code":10,"question":"same-file","remedy":"Do not take it for the file that its name says; it may be an older version. Get the file of that name from the publisher.","title":"The file was signed under another name."},
  "content.name.not-supplied": {"class":"not-checked","clause":"docs/policy.md names","exit_code":3,"question":"same-file","remedy":"Give the file itself, with the name that it was published under.","title":"The policy compares the file's name, but no name was given."},
  "content.digest.not-supplied": {"class":"not-checked","clause":"Sigstore bundle v0.3 messageDigest","exit_code":3,"question":"same-file","remedy":"Give the file itself, or its digest with the algorithm named here.","title":"The bundle identifies the file by a digest that was not given."},
  "content.digest.weak": {"class":"danger","clause":"FIPS 180-4; NIST SP 800-131A","exit_code":10,"question":"same-file","remedy":"Ask the publisher for a bundle with SHA-256, SHA-384 or SHA-512.","title":"The bundle identifies the file only by a weak digest."},
  "signature.mismatch": {"class":"danger","clause":"FIPS 186-5; DSSE v1 §3","exit_code":11,"question":"who-signed","remedy":"Do not trust the file. Get the file and the bundle again from the publisher.","title":"The signature does not match this bundle's content and key."},
  "signature.key.not-allowed": {"class":"danger","clause":"docs/policy.md keys","exit_code":12,"question":"who-signed","remedy":"Do not trust the file unless you expected this key; then name it in the policy (`keys`).","title":"The file is signed with a bare key, which the policy does not name."},
  "signature.key.not-given": {"class":"not-checked","clause":"Sigstore bundle v0.3 publicKey","exit_code":3,"question":"who-signed","remedy":"Get the publisher's public key from a place you trust and give it with `--key FILE`.","title":"The file is signed with a bare key, which the bundle does not contain."},
  "signature.algorithm.not-allowed": {"class":"danger","clause":"NIST SP 800-131A","exit_code":11,"question":"who-signed","remedy":"Ask the publisher to sign with P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits.","title":"The signature uses an algorithm or key size that is not accepted."},
  "signature.needs-file": {"class":"not-checked","clause":"RFC 8032 §5.1","exit_code":3,"question":"who-signed","remedy":"Give the file itself and not its digest; if it is too large, ask the publisher for an ECDSA or RSA signature, or a DSSE statement.","title":"This kind of signature needs the whole file, which is missing or too large."},
  "signature.of-statement": {"class":"danger","clause":"DSSE v1 §3; docs/threat-model.md","exit_code":11,"question":"who-signed","remedy":"Do not trust the file. Ask the publisher to sign a statement about it (`countersign sign --statement`).","title":"What was signed as a file could be taken for a statement about files."},
  "signature.absent": {"class":"danger","clause":"DSSE v1 §2; Sigstore bundle v0.3","exit_code":11,"question":"who-signed","remedy":"Get the bundle again from the publisher.","title":"The bundle contains no signature."},
  "signature.count": {"class":"danger","clause":"Sigstore bundle v0.3 dsseEnvelope","exit_code":11,"question":"who-signed","remedy":"Ask the publisher for a bundle with one signature.","title":"The envelope does not contain exactly one signature."},
  "revocation.revoked": {"class":"danger","clause":"RFC 5280 §5.3.1; docs/revocation.md","exit_code":14,"question":"still-trusted","remedy":"Do not open the file. Look for a newer release on the publisher's page.","title":"The signer's certificate was revoked, and nothing proves that the file was signed before that."},
  "revocation.on-hold": {"class":"danger","clause":"RFC 5280 §5.3.1 certificateHold","exit_code":14,"question":"still-trusted","remedy":"Do not open the file now. Check again later; a suspension may be lifted.","title":"The signer's certificate is suspended."},
  "revocation.authority-revoked": {"class":"danger","clause":"RFC 5280 §5.3.1 cACompromise","exit_code":14,"question":"still-trusted","remedy":"Do not open the file. Look for a newer release on the publisher's page.","title":"The authority that issued the signer's certificate was revoked."},
  "revocation.compromise-strict": {"class":"danger","clause":"docs/policy.md revocation.compromise","exit_code":14,"question":"still-trusted","remedy":"Look for a release signed with a new key. Set `revocation.compromise` to `warn` only if you accept the risk.","title":"The signer's key was compromised later, and this policy rejects signatures from before that too."},
  "certificate.malformed": {"class":"danger","clause":"RFC 5280 §4.1","exit_code":12,"question":"who-signed","remedy":"Get the bundle again from the publisher.","title":"A certificate cannot be read."},
  "certificate.unknown-issuer": {"class":"danger","clause":"RFC 5280 §6.1","exit_code":12,"question":"who-signed","remedy":"If you expected this publisher, get its trust root from a place you trust.","title":"The signer's certificate was not issued by an authority you trust."},
  "certificate.identity.unexpected": {"class":"danger","clause":"docs/policy.md signers","exit_code":12,"question":"who-signed","remedy":"Do not trust the file unless you expected this signer; then name it in the policy.","title":"The file is signed, but not by the expected signer."},
  "certificate.oidc-issuer.unexpected": {"class":"danger","clause":"docs/policy.md signers","exit_code":12,"question":"who-signed","remedy":"Do not trust the file unless you expected this provider; then name it in the policy.","title":"The signer's identity was vouched for by another login provider than expected."},
  "certificate.expired": {"class":"danger","clause":"RFC 5280 §4.1.2.5","exit_code":12,"question":"who-signed","remedy":"Ask the publisher to sign again with a valid certificate, and with a timestamp.","title":"The certificate had expired when the file was signed, or has expired by now if no timestamp proves when that was."},
  "certificate.not-yet-valid": {"class":"danger","clause":"RFC 5280 §4.1.2.5","exit_code":12,"question":"who-signed","remedy":"Check your clock; otherwise ask the publisher to sign again.","title":"The certificate was not yet valid when the file was signed."},
  "certificate.wrong-use": {"class":"danger","clause":"RFC 5280 §4.2.1.3, §4.2.1.12; CA/B CSBR §7.1.2.3","exit_code":12,"question":"who-signed","remedy":"Ask the publisher for a signature made with a code-signing certificate.","title":"The certificate was not issued for this use."},
  "certificate.not-ca": {"class":"danger","clause":"RFC 5280 §4.2.1.9, §4.2.1.3","exit_code":12,"question":"who-signed","remedy":"Get the trust root and the bundle again. If it still fails, tell the publisher.","title":"A certificate in the chain may not issue certificates."},
  "certificate.path-constraint": {"class":"danger","clause":"RFC 5280 §6.1","exit_code":12,"question":"who-signed","remedy":"Tell the publisher; the certificate should not have been issued.","title":"An authority issued a certificate that it was not allowed to issue."},
  "certificate.constraint-not-supported": {"class":"not-checked","clause":"RFC 5280 §4.2","exit_code":3,"question":"who-signed","remedy":"Ask the publisher for a certificate without it, or use a program that knows it.","title":"A certificate has a critical extension or constraint that this program does not know."},
  "certificate.key.weak": {"class":"danger","clause":"NIST SP 800-131A; CA/B CSBR §6.1.5","exit_code":12,"question":"who-signed","remedy":"Ask the publisher for certificates with P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits.","title":"A certificate's key or signature algorithm is not accepted."},
  "certificate.chain.too-long": {"class":"not-checked","clause":"core/src/limits.rs","exit_code":3,"question":"who-signed","remedy":"Remove certificates that are not needed from the trust root.","title":"Finding a chain of certificates took more steps than allowed."},
  "certificate.profile": {"class":"danger","clause":"RFC 5280 §4.2; CA/B CSBR §7.1","exit_code":12,"question":"who-signed","remedy":"Issue the certificate again with the right profile.","title":"A certificate breaks its profile."},
  "certificate.identity.absent": {"class":"danger","clause":"RFC 5280 §4.2.1.6","exit_code":12,"question":"who-signed","remedy":"Ask the publisher for a certificate with an e-mail address or URI.","title":"The signer's certificate names nobody: it has no e-mail address or URI."},
  "certificate.sct.invalid": {"class":"danger","clause":"RFC 6962 §3.2, §3.3","exit_code":12,"question":"who-signed","remedy":"Do not trust the file. Tell the publisher that the certificate was not logged as it claims.","title":"A timestamp in the signer's certificate was not signed by the certificate log it names."},
  "certificate.sct.outside-window": {"class":"danger","clause":"Sigstore trusted_root.json validFor","exit_code":12,"question":"who-signed","remedy":"Get the current trust root. If it still fails, ask the publisher to sign again.","title":"The trust root does not cover the certificate log for that time."},
  "certificate.sct.future": {"class":"danger","clause":"RFC 6962 §3.2","exit_code":12,"question":"who-signed","remedy":"Check your clock; otherwise do not trust the file.","title":"The certificate log's timestamp is in the future."},
  "certificate.sct.malformed": {"class":"danger","clause":"RFC 6962 §3.3","exit_code":12,"question":"who-signed","remedy":"Ask the publisher to sign again.","title":"The certificate log's timestamps in the signer's certificate cannot be read."},
  "certificate.sct.log.not-trusted": {"class":"danger","clause":"RFC 6962 §3.2; docs/policy.md certificate_transparency","exit_code":12,"question":"who-signed","remedy":"If you trust this log, add it to the trust root.","title":"The signer's certificate was logged only in logs that you do not trust."},
  "certificate.sct.absent": {"class":"danger","clause":"RFC 6962 §3.3; docs/policy.md certificate_transparency","exit_code":12,"question":"who-signed","remedy":"Ask the publisher for a signature with a logged certificate. Set `certificate_transparency` to `off` only if you accept the risk.","title":"No certificate log vouches for the signer's certificate, and the policy requires one."},
  "timestamp.absent": {"class":"danger","clause":"docs/policy.md timestamps","exit_code":13,"question":"when-signed","remedy":"Ask the publisher to sign with a timestamp (`countersign sign --timestamp-url`).","title":"There are fewer trusted timestamps than the policy requires."},
  "timestamp.malformed": {"class":"danger","clause":"RFC 3161 §2.4.2; RFC 5652 §5","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"The timestamp cannot be read."},
  "timestamp.ber": {"class":"danger","clause":"RFC 3161 §2.4.2; X.690 §10.1","exit_code":13,"question":"when-signed","remedy":"Verify with the program `countersign verify`, which reads BER, or ask the publisher for a timestamp in DER.","title":"The timestamp is encoded in BER, which cannot be read here."},
  "timestamp.imprint.mismatch": {"class":"danger","clause":"RFC 3161 §2.4.2","exit_code":13,"question":"when-signed","remedy":"Get the bundle again from the publisher.","title":"The timestamp was made for other data."},
  "timestamp.imprint.weak": {"class":"danger","clause":"NIST SP 800-131A; ETSI TS 119 312","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a timestamp over SHA-256, SHA-384 or SHA-512.","title":"The timestamp's imprint uses a hash that is not accepted."},
  "timestamp.authority.not-trusted": {"class":"danger","clause":"RFC 3161 §2.3","exit_code":13,"question":"when-signed","remedy":"If you trust this authority, add it to the trust root.","title":"The timestamp comes from an authority that you do not trust."},
  "timestamp.signature": {"class":"danger","clause":"RFC 5652 §5.4, §5.6","exit_code":13,"question":"when-signed","remedy":"Get the bundle again from the publisher.","title":"The timestamp's signature is wrong."},
  "timestamp.certificate.outside-validity": {"class":"danger","clause":"RFC 3161 §2.3; RFC 5280 §4.1.2.5","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"The authority's certificate was not valid when it made the timestamp."},
  "timestamp.authority.outside-window": {"class":"danger","clause":"Sigstore trusted_root.json validFor","exit_code":13,"question":"when-signed","remedy":"Get the current trust root. If it still fails, ask the publisher for a new timestamp.","title":"The trust root does not cover this authority for that time."},
  "timestamp.future": {"class":"danger","clause":"RFC 3161 §2.4.2 genTime","exit_code":13,"question":"when-signed","remedy":"Check your clock; otherwise do not trust the file.","title":"The timestamp is in the future."},
  "timestamp.refused": {"class":"danger","clause":"RFC 3161 §2.4.2 PKIStatus","exit_code":13,"question":"when-signed","remedy":"Follow the authority's message, or use another authority.","title":"The timestamp authority refused the request."},
  "timestamp.status.contradiction": {"class":"danger","clause":"RFC 3161 §2.4.2","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"The timestamp response's status and its token contradict each other."},
  "timestamp.content-type": {"class":"danger","clause":"RFC 3161 §2.4.2; RFC 5652 §11.1","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"The signed content is not a timestamp."},
  "timestamp.signer-count": {"class":"danger","clause":"RFC 3161 §2.4.2","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"The timestamp does not have exactly one signature."},
  "timestamp.attributes": {"class":"danger","clause":"RFC 5652 §11; RFC 5035 §5.4","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"A signed attribute of the timestamp is missing, repeated or malformed."},
  "timestamp.ess.absent": {"class":"danger","clause":"RFC 3161 §2.4.1; RFC 5816 §2.2.1","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a timestamp by an authority that follows RFC 5816.","title":"The timestamp does not say which certificate made it."},
  "timestamp.ess.mismatch": {"class":"danger","clause":"RFC 5035 §3, §4; RFC 5816 §2.2.1","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"The timestamp names a certificate that is neither its authority's nor one of the issuers'."},
  "timestamp.tsa-name": {"class":"danger","clause":"RFC 3161 §2.4.2 tsa","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"The authority's name in the timestamp is not the name in its certificate."},
  "timestamp.certificate.eku": {"class":"danger","clause":"RFC 3161 §2.3","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a timestamp by another authority.","title":"The authority's certificate is not reserved for timestamps."},
  "timestamp.certificate.ca": {"class":"danger","clause":"RFC 3161 §2.3; ETSI EN 319 422 §6","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a timestamp by another authority.","title":"The timestamp was signed with a certificate of a certificate authority."},
  "timestamp.extension": {"class":"danger","clause":"RFC 3161 §2.4.2 extensions","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a timestamp without it.","title":"The timestamp has a critical extension that this program does not know."},
  "timestamp.default-encoded": {"class":"danger","clause":"X.690 §11.5; RFC 3161 §2.4.2 ordering","exit_code":13,"question":"when-signed","remedy":"Verify with the program `countersign verify`, which reads such timestamps, or ask the publisher for one in DER.","title":"The timestamp encodes a default value, which DER forbids."},
  "timestamp.trailing-bytes": {"class":"danger","clause":"RFC 3161 §2.4.2","exit_code":13,"question":"when-signed","remedy":"Ask the publisher for a new timestamp.","title":"There are extra bytes after the timestamp."},
  "timestamp.nonce.mismatch": {"class":"danger","clause":"RFC 3161 §2.4.2 nonce","exit_code":13,"question":"when-signed","remedy":"Ask again. If it still fails, use another authority.","title":"The authority's answer is not for this request."},
  "timestamp.policy.mismatch": {"class":"danger","clause":"RFC 3161 §2.4.2 policy","exit_code":13,"question":"when-signed","remedy":"Ask again with a policy that the authority offers.","title":"The timestamp was made under another policy than the one asked for."},
  "timestamp.authority.revoked": {"class":"danger","clause":"docs/revocation.md; ETSI EN 319 421","exit_code":14,"question":"when-signed","remedy":"Ask the publisher for a timestamp by another authority.","title":"The authority's certificate was revoked for a reason that makes its timestamps prove nothing."},
  "timestamp.too-many": {"class":"not-checked","clause":"core/src/limits.rs","exit_code":3,"question":"when-signed","remedy":"Ask the publisher for a bundle with fewer timestamps.","title":"The bundle contains more timestamps than allowed."},
  "revocation.unavailable": {"class":"not-checked","clause":"docs/revocation.md","exit_code":3,"question":"still-trusted","remedy":"Try again with a network connection, or give the CRL with `--crl`.","title":"Whether the certificate was revoked could not be checked."},
  "revocation.stale": {"class":"not-checked","clause":"RFC 5280 §5.1.2.5; RFC 6960 §4.2.2.1","exit_code":3,"question":"still-trusted","remedy":"Get a fresh CRL (`countersign revocation fetch`) and check again.","title":"The revocation information is out of date."},
  "revocation.after-expiry": {"class":"not-checked","clause":"RFC 5280 §3.3; X.509 §9.5.2.8; RFC 6960 §4.4.4","exit_code":3,"question":"still-trusted","remedy":"Give a CRL that was made before the certificate expired (`--crl`) and allow it in the policy (`revocation.after_expiry = \"last-known\"`), or ask the publisher to sign the file again.","title":"The revocation evidence was made after the certificate had expired, and does not say that it still covers expired certificates."},
  "revocation.no-source": {"class":"not-checked","clause":"RFC 5280 §4.2.1.13, §4.2.2.1","exit_code":3,"question":"still-trusted","remedy":"Give a CRL with `--crl`. Turn the check off in the policy (`revocation.signer = \"off\"`) only if you accept the risk.","title":"The certificate does not say where its revocation can be looked up."},
  "revocation.unknown": {"class":"not-checked","clause":"RFC 6960 §2.2","exit_code":3,"question":"still-trusted","remedy":"Tell the publisher: its certificate is not registered.","title":"The OCSP responder does not know the certificate."},
  "revocation.crl.malformed": {"class":"not-checked","clause":"RFC 5280 §5.1","exit_code":3,"question":"still-trusted","remedy":"Get the CRL again from the address in the certificate.","title":"A CRL cannot be read."},
  "revocation.crl.signature": {"class":"not-checked","clause":"RFC 5280 §6.3.3","exit_code":3,"question":"still-trusted","remedy":"Get the CRL again from the address in the certificate.","title":"A CRL was not signed by the certificate's issuer."},
  "revocation.crl.not-authorised": {"class":"not-checked","clause":"RFC 5280 §6.3.3 (f)","exit_code":3,"question":"still-trusted","remedy":"Tell the publisher: the authority's certificate lacks cRLSign.","title":"The CRL's signer may not sign CRLs."},
  "revocation.crl.extension": {"class":"not-checked","clause":"RFC 5280 §5.2","exit_code":3,"question":"still-trusted","remedy":"Get a CRL without it.","title":"A CRL has a critical extension that this program does not know."},
  "revocation.crl.scope": {"class":"not-checked","clause":"RFC 5280 §6.3.3 (b)","exit_code":3,"question":"still-trusted","remedy":"Get the CRL that the certificate names.","title":"A CRL does not cover the certificate."},
  "revocation.crl.profile": {"class":"not-checked","clause":"RFC 5280 §5; docs/revocation.md","exit_code":3,"question":"still-trusted","remedy":"Correct the CRL before it is published.","title":"A CRL breaks its profile."},
  "revocation.crl.delta": {"class":"not-checked","clause":"RFC 5280 §5.2.4","exit_code":3,"question":"still-trusted","remedy":"Give the complete CRL of that authority.","title":"A delta CRL stands where the complete one is needed: what it leaves out may be revoked."},
  "revocation.crl.restricted": {"class":"not-checked","clause":"RFC 5280 §5.2.5","exit_code":3,"question":"still-trusted","remedy":"Give the CRL that has all certificates of that authority and all reasons.","title":"A CRL for some certificates or some reasons alone stands where the complete one is needed."},
  "revocation.crl.distribution-point": {"class":"not-checked","clause":"RFC 5280 §5.2.5","exit_code":3,"question":"still-trusted","remedy":"Give the CRL that the authority's certificates name; if this is it, set `crl_url` of that issuer to its address.","title":"A CRL names another distribution point than the one that is expected of its authority."},
  "revocation.ocsp.malformed": {"class":"not-checked","clause":"RFC 6960 §4.2.1","exit_code":3,"question":"still-trusted","remedy":"Ask the responder again.","title":"An OCSP response cannot be read."},
  "revocation.ocsp.refused": {"class":"not-checked","clause":"RFC 6960 §2.3","exit_code":3,"question":"still-trusted","remedy":"Ask again later, or use a CRL.","title":"The OCSP responder gave no answer."},
  "revocation.ocsp.signature": {"class":"not-checked","clause":"RFC 6960 §3.2","exit_code":3,"question":"still-trusted","remedy":"Ask the responder again.","title":"An OCSP response's signature is wrong."},
  "revocation.ocsp.not-authorised": {"class":"not-checked","clause":"RFC 6960 §4.2.2.2","exit_code":3,"question":"still-trusted","remedy":"Tell the publisher that its OCSP responder's certificate is not valid for this.","title":"The OCSP responder is not allowed to answer for the certificate's issuer."},
  "revocation.ocsp.extension": {"class":"not-checked","clause":"RFC 6960 §4.4","exit_code":3,"question":"still-trusted","remedy":"Use a CRL.","title":"An OCSP response has a critical extension that this program does not know."},
  "revocation.too-large": {"class":"not-checked","clause":"core/src/limits.rs","exit_code":3,"question":"still-trusted","remedy":"Give only the CRLs and OCSP responses that the certificates need.","title":"There are more CRLs and OCSP responses than allowed."},
  "bundle.not-found": {"class":"not-checked","clause":"docs/cli.md","exit_code":3,"question":"same-file","remedy":"Get FILE.sigstore.json from where you got the file, or name it with `--bundle`.","title":"There is no bundle for this file."},
  "bundle.too-large": {"class":"not-checked","clause":"core/src/limits.rs","exit_code":3,"question":"same-file","remedy":"Check that this is the bundle and not the file itself.","title":"The bundle is larger than the limit named here."},
  "bundle.empty": {"class":"not-checked","clause":"Sigstore bundle v0.3","exit_code":3,"question":"same-file","remedy":"Get the bundle again from the publisher.","title":"The bundle is empty."},
  "bundle.not-json": {"class":"not-checked","clause":"Sigstore bundle v0.3; RFC 8259","exit_code":3,"question":"same-file","remedy":"Name the bundle, FILE.sigstore.json; not the file, a certificate or a signature.","title":"This is another kind of file, not a bundle."},
  "bundle.pgp": {"class":"not-checked","clause":"RFC 9580; docs/verifying.md","exit_code":3,"question":"same-file","remedy":"Check it with `gpg --verify SIGNATURE FILE` and the publisher's key, or ask the publisher for a Sigstore bundle.","title":"This is a PGP signature, not a Sigstore bundle."},
  "bundle.minisign": {"class":"not-checked","clause":"docs/verifying.md","exit_code":3,"question":"same-file","remedy":"Check it with `minisign -Vm FILE -x SIGNATURE -P KEY`, or ask the publisher for a Sigstore bundle.","title":"This is a minisign signature, not a Sigstore bundle."},
  "bundle.cosign-old": {"class":"not-checked","clause":"docs/verifying.md","exit_code":3,"question":"same-file","remedy":"Check it with `cosign verify-blob --bundle BUNDLE FILE`, or ask the publisher to sign with `--new-bundle-format`.","title":"This is a bundle in the old format of cosign 2."},
  "bundle.envelope-only": {"class":"not-checked","clause":"DSSE v1; docs/verifying.md","exit_code":3,"question":"same-file","remedy":"Check it with `slsa-verifier verify-artifact FILE --provenance-path ENVELOPE --source-uri SOURCE`, or ask the publisher for a Sigstore bundle.","title":"This is only an envelope, without the certificate and log entry of a bundle."},
  "bundle.bare-signature": {"class":"not-checked","clause":"docs/verifying.md","exit_code":3,"question":"same-file","remedy":"Check it with `cosign verify-blob --signature SIGNATURE --certificate CERTIFICATE FILE`, or ask the publisher for a Sigstore bundle.","title":"This is only a signature, not a bundle."},
  "bundle.other-kind": {"class":"not-checked","clause":"Sigstore bundle v0.3","exit_code":3,"question":"same-file","remedy":"Name the bundle, FILE.sigstore.json; this file belongs in another place.","title":"This is another kind of file, not a bundle."},
  "bundle.truncated": {"class":"not-checked","clause":"RFC 8259","exit_code":3,"question":"same-file","remedy":"Download the bundle again.","title":"The bundle is incomplete: its download did not finish."},
  "bundle.malformed": {"class":"not-checked","clause":"Sigstore bundle v0.3","exit_code":3,"question":"same-file","remedy":"Get the bundle again from the publisher.","title":"The bundle cannot be read."},
  "bundle.duplicate-key": {"class":"not-checked","clause":"RFC 8259 §4; RFC 7493 §2.3","exit_code":3,"question":"same-file","remedy":"Get the bundle again from the publisher.","title":"The bundle has a key twice, so two programs could read it differently."},
  "bundle.too-deep": {"class":"not-checked","clause":"core/src/limits.rs","exit_code":3,"question":"same-file","remedy":"Get the bundle again from the publisher.","title":"The bundle is nested more deeply than allowed."},
  "bundle.too-new": {"class":"not-checked","clause":"Sigstore bundle mediaType","exit_code":3,"question":"same-file","remedy":"Update Countersign. If it is up to date, ask the publisher for a v0.3 bundle.","title":"The bundle is in a format that this program does not know."},
  "bundle.no-certificate": {"class":"not-checked","clause":"Sigstore bundle v0.3 verificationMaterial","exit_code":3,"question":"same-file","remedy":"Ask the publisher for a bundle with a certificate.","title":"The bundle contains no signing certificate."},
  "bundle.too-many-parts": {"class":"not-checked","clause":"core/src/limits.rs","exit_code":3,"question":"same-file","remedy":"Ask the publisher for a smaller bundle.","title":"The bundle has more parts of one kind than allowed: certificates, timestamps, log entries or files."},
  "transparency.entry.mismatch": {"class":"danger","clause":"Sigstore bundle v0.3 tlogEntries canonicalizedBody","exit_code":15,"question":"publicly-logged","remedy":"Do not trust the file. Get the bundle again from the publisher.","title":"The log entry belongs to another signature."},
  "transparency.entry.malformed": {"class":"danger","clause":"Sigstore bundle v0.3 tlogEntries canonicalizedBody","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher.","title":"The log entry cannot be read."},
  "transparency.entry.not-supported": {"class":"not-checked","clause":"Sigstore bundle v0.3 tlogEntries kindVersion","exit_code":3,"question":"publicly-logged","remedy":"Update Countersign. If it is up to date, ask the publisher for a hashedrekord or dsse entry.","title":"The log entry is of a kind that this program does not know."},
  "transparency.promise.invalid": {"class":"danger","clause":"Sigstore bundle v0.3 inclusionPromise","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher.","title":"The log did not sign this entry and its time."},
  "transparency.time.future": {"class":"danger","clause":"Sigstore bundle v0.3 integratedTime","exit_code":15,"question":"publicly-logged","remedy":"Check your clock; otherwise do not trust the file.","title":"The log entry's time is in the future."},
  "transparency.proof.invalid": {"class":"danger","clause":"RFC 9162 §2.1.3.2","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher.","title":"The proof does not show that the entry is in the log."},
  "transparency.checkpoint.signature": {"class":"danger","clause":"C2SP signed-note","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher.","title":"The log did not sign the checkpoint."},
  "transparency.checkpoint.mismatch": {"class":"danger","clause":"C2SP tlog-checkpoint","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher.","title":"The checkpoint and the proof are about different trees."},
  "transparency.checkpoint.origin": {"class":"danger","clause":"C2SP tlog-checkpoint","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher. If it still fails, correct the log's address in the trust root.","title":"The checkpoint comes from another log."},
  "transparency.checkpoint.unsigned": {"class":"danger","clause":"C2SP signed-note","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher.","title":"The checkpoint carries no signature by the log's key."},
  "transparency.checkpoint.malformed": {"class":"danger","clause":"C2SP tlog-checkpoint; C2SP signed-note","exit_code":15,"question":"publicly-logged","remedy":"Get the bundle again from the publisher.","title":"The checkpoint cannot be read."},
  "transparency.proof.absent": {"class":"danger","clause":"Sigstore bundle v0.3 inclusionProof","exit_code":15,"question":"publicly-logged","remedy":"Ask the publisher for a bundle with an inclusion proof and its checkpoint.","title":"The log entry comes without a proof that it is in the log."},
  "transparency.log.outside-window": {"class":"danger","clause":"Sigstore trusted_root.json validFor","exit_code":15,"question":"publicly-logged","remedy":"Get the current trust root. If it still fails, ask the publisher to sign again.","title":"The trust root does not cover this log for that time."},
  "transparency.log.not-trusted": {"class":"danger","clause":"docs/policy.md transparency","exit_code":15,"question":"publicly-logged","remedy":"If you trust this log, add it to the trust root.","title":"The entry is in a log that you do not trust."},
  "transparency.absent": {"class":"danger","clause":"docs/policy.md transparency","exit_code":15,"question":"publicly-logged","remedy":"Ask the publisher for a bundle with a log entry. Set `transparency` to `off` only if you accept the risk.","title":"The signature is not in a public log, and the policy requires one."},
  "provenance.statement.malformed": {"class":"not-checked","clause":"in-toto Statement v1","exit_code":3,"question":"who-signed","remedy":"Get the bundle again from the publisher.","title":"The signed statement cannot be read."},
  "provenance.statement.type": {"class":"not-checked","clause":"in-toto Statement v1; DSSE payloadType","exit_code":3,"question":"who-signed","remedy":"Get the bundle again from the publisher.","title":"What was signed is not an in-toto statement."},
  "provenance.predicate.unexpected": {"class":"danger","clause":"docs/policy.md predicate_types","exit_code":16,"question":"who-signed","remedy":"Ask the publisher for the statement that the policy names.","title":"The statement is not of a type that the policy allows."},
  "provenance.source.unexpected": {"class":"danger","clause":"SLSA provenance v1 externalParameters; docs/policy.md provenance","exit_code":16,"question":"who-signed","remedy":"Do not trust the file unless you expected this source; then name it in the policy.","title":"The file was built from another source than the policy requires."},
  "provenance.builder.not-allowed": {"class":"danger","clause":"SLSA provenance v1 builder.id; docs/policy.md provenance","exit_code":16,"question":"who-signed","remedy":"Do not trust the file unless you expected this builder; then name it in the policy.","title":"The file was built by a builder that the policy does not allow."},
  "provenance.ref.unexpected": {"class":"danger","clause":"SLSA provenance v1 externalParameters; docs/policy.md provenance","exit_code":16,"question":"who-signed","remedy":"Ask the publisher for a file built from the branch or tag that the policy names.","title":"The file was built from another branch or tag than the policy requires."},
  "provenance.build-type.unexpected": {"class":"danger","clause":"SLSA provenance v1 buildType; docs/policy.md provenance","exit_code":16,"question":"who-signed","remedy":"Ask the publisher for a file that was built in the way that the policy names.","title":"The file was built in another way than the policy requires."},
  "provenance.field.malformed": {"class":"danger","clause":"SLSA provenance v1, v0.2","exit_code":16,"question":"who-signed","remedy":"Tell the publisher: its provenance is wrong.","title":"The provenance has what the policy asks for, but in a form that cannot be read."},
  "provenance.field.missing": {"class":"danger","clause":"SLSA provenance v1, v0.2","exit_code":16,"question":"who-signed","remedy":"Ask the publisher for provenance that says it. Remove the rule from the policy only if you accept the risk.","title":"The provenance does not say what the policy asks for."},
  "internal.error": {"class":"not-checked","clause":"docs/findings.md","exit_code":70,"question":"same-file","remedy":"Please report it, with what you did and what you saw.","title":"This program made a mistake."},
  "content.name.not-signed": {"class":"note","clause":"docs/policy.md names; Sigstore bundle v0.3 messageDigest","exit_code":0,"question":"same-file","remedy":"If the name matters, ask the publisher for a statement (`countersign sign --statement`), and require one in the policy (`predicate_types`).","title":"The signature does not cover the file's name, so it cannot tell an old release from a new one."},
  "signature.kind-unknown": {"class":"note","clause":"DSSE v1 §3; docs/threat-model.md","exit_code":0,"question":"who-signed","remedy":"Give the file itself, or require a statement in the policy (`predicate_types`).","title":"Only a digest was given, so it is unclear whether a file or a statement was signed."},
  "signature.key.hint-differs": {"class":"note","clause":"Sigstore bundle v0.3 publicKey.hint","exit_code":0,"question":"who-signed","remedy":"Nothing to do: what counts is the key that was given.","title":"The bundle hints at another key than the one that was given."},
  "revocation.compromised-after-signing": {"class":"warning","clause":"docs/revocation.md","exit_code":0,"question":"still-trusted","remedy":"Prefer a release signed with a new key.","title":"The signer's key was compromised after this file was signed."},
  "revocation.authority-compromised-after-signing": {"class":"warning","clause":"docs/revocation.md","exit_code":0,"question":"still-trusted","remedy":"Prefer a release signed under a new authority.","title":"The authority that issued the signer's certificate was compromised after this file was signed."},
  "content.name-differs": {"class":"warning","clause":"in-toto Statement v1 subject","exit_code":0,"question":"same-file","remedy":"Make sure that this is the file you meant to get, not another or older one.","title":"The file is genuine, but was published under another name."},
  "policy.files.not-compared": {"class":"warning","clause":"docs/policy.md signers files","exit_code":0,"question":"who-signed","remedy":"Make sure that this is a file that this signer may sign, or give the file itself under the name that it was published under.","title":"The policy lets this signer sign only certain files, and no file name was given to compare."},
  "revocation.stale-accepted": {"class":"warning","clause":"docs/policy.md revocation.offline","exit_code":0,"question":"still-trusted","remedy":"Check again when there is a network connection.","title":"The revocation information is out of date, but the policy accepts it."},
  "revocation.last-known": {"class":"warning","clause":"docs/policy.md revocation.after_expiry","exit_code":0,"question":"still-trusted","remedy":"Decide whether that time is late enough for you; if not, ask the publisher to sign the file again.","title":"The certificate has expired. It was not revoked at the time named here, and nothing later is known."},
  "revocation.revoked-after-signing": {"class":"note","clause":"docs/revocation.md","exit_code":0,"question":"still-trusted","remedy":"Nothing to do: the file was signed before that.","title":"The signer's certificate was revoked after this file was signed."},
  "revocation.not-required": {"class":"note","clause":"docs/policy.md revocation","exit_code":0,"question":"still-trusted","remedy":"To check it, set `revocation` to `required` in the policy.","title":"Whether this certificate was revoked was not checked; the policy does not require it."},
  "timestamp.ignored": {"class":"note","clause":"docs/policy.md timestamps","exit_code":0,"question":"when-signed","remedy":"Nothing to do.","title":"A timestamp in the bundle could not be used; enough others could."},
  "timestamp.legacy-encoding": {"class":"note","clause":"docs/verifying.md; X.690 §8, §10","exit_code":0,"question":"when-signed","remedy":"Nothing to do here; for web pages, ask the publisher for a timestamp in DER.","title":"The timestamp is in BER, which authorities sent until 2019; this program reads it, web pages do not."},
  "bundle.passed-over": {"class":"note","clause":"docs/verifying.md","exit_code":0,"question":"same-file","remedy":"Nothing needs to be done.","title":"Some lines or entries beside the bundle are not bundles; they were ignored."},
  "revocation.evidence-ignored": {"class":"note","clause":"docs/revocation.md","exit_code":0,"question":"still-trusted","remedy":"Nothing to do. Leave it out next time if it belongs to another file.","title":"A CRL or OCSP response was not used; the verdict does not depend on it."},
  "transparency.not-checked": {"class":"note","clause":"docs/policy.md transparency","exit_code":0,"question":"publicly-logged","remedy":"Nothing to do: the trust root lists no log, or the policy does not require one.","title":"The bundle contains a transparency-log entry that was not checked."},
  "transparency.ignored": {"class":"note","clause":"docs/policy.md transparency","exit_code":0,"question":"publicly-logged","remedy":"Nothing to do.","title":"A log entry in the bundle could not be used; another could."},
  "timestamp.outside-chain": {"class":"note","clause":"Sigstore client specification, certificate path validation; docs/verifying.md","exit_code":0,"question":"when-signed","remedy":"Nothing to do: the earliest proven time counts.","title":"The signer's chain was valid at the earliest proven time, but not at a later one."},
};
