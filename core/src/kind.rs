//! What a file is that was given in place of another: a cheap look at its first octets, or at the
//! keys of its JSON. Only for telling people what they have; nothing is believed for it.

use crate::json::{Document, Value};

/// A kind of file that people mix up with a bundle, a trust root or a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A Sigstore bundle.
    Bundle,
    /// A trust root.
    TrustRoot,
    /// A policy of ours.
    Policy,
    /// An in-toto statement that nobody signed.
    Statement,
    /// A DSSE envelope alone (`.intoto.jsonl` of SLSA's first generators).
    Envelope,
    /// What cosign 2 writes with `--bundle`.
    CosignBundle,
    /// A signature alone, in base64 or DER (`.sig`).
    Signature,
    /// A minisign or signify signature.
    Minisign,
    /// An `OpenPGP` signature or signed message.
    Pgp,
    /// An SSH signature.
    Ssh,
    /// A certificate, PEM.
    Certificate,
    /// A public key, PEM.
    PublicKey,
}

impl FileKind {
    /// What a file of that content is; `None` if it is nothing that is known here.
    pub fn of(text: &[u8]) -> Option<Self> {
        match Document::decode(text) {
            Ok(document) => Self::of_json(document.root()),
            Err(_) => Self::of_octets(text),
        }
    }

    /// What a JSON object is, by its keys.
    pub fn of_json(root: Value<'_>) -> Option<Self> {
        let has = |keys: &[&str]| keys.iter().all(|key| root.member(key).is_some());
        let media_type = root.member("mediaType").or_else(|| root.member("media_type"));
        if let Some(media_type) = media_type.and_then(Value::string) {
            let is = |family: &str| media_type.starts_with(family);
            return if is("application/vnd.dev.sigstore.bundle") {
                Some(Self::Bundle)
            } else if is("application/vnd.dev.sigstore.trustedroot") {
                Some(Self::TrustRoot)
            } else {
                None
            };
        }
        let kinds: [(&[&str], Self); 6] = [
            (&["version", "signers"], Self::Policy),
            (&["payload", "payloadType", "signatures"], Self::Envelope),
            (&["base64Signature"], Self::CosignBundle),
            (&["SignedEntryTimestamp", "Payload"], Self::CosignBundle),
            (&["_type", "subject"], Self::Statement),
            (&["certificateAuthorities"], Self::TrustRoot),
        ];
        kinds.iter().find(|(keys, _)| has(keys)).map(|(_, kind)| *kind)
    }

    /// What octets that are not JSON are, by how they begin.
    pub fn of_octets(octets: &[u8]) -> Option<Self> {
        const BEGINNINGS: [(&[u8], FileKind); 7] = [
            (b"-----BEGIN PGP ", FileKind::Pgp),
            (b"-----BEGIN SSH SIGNATURE", FileKind::Ssh),
            (b"-----BEGIN CERTIFICATE", FileKind::Certificate),
            (b"-----BEGIN PUBLIC KEY", FileKind::PublicKey),
            (b"untrusted comment:", FileKind::Minisign),
            // RFC 9580 §4.2, §5.2.3: a signature packet of version 4 or 6.
            (&[0x89, 0x02], FileKind::Pgp),
            (&[0x89, 0x01], FileKind::Pgp),
        ];
        let octets = octets.trim_ascii_start();
        let known = BEGINNINGS.iter().find(|(beginning, _)| octets.starts_with(beginning));
        let is_short_packet = matches!(octets, [0x88 | 0xC2, _, 3..=6, ..]);
        match known {
            Some((_, kind)) => Some(*kind),
            None if is_short_packet => Some(Self::Pgp),
            None => is_signature(octets).then_some(Self::Signature),
        }
    }

    /// It in words, with its article.
    pub fn words(self) -> &'static str {
        match self {
            Self::Bundle => "a bundle",
            Self::TrustRoot => "a trust root",
            Self::Policy => "a policy",
            Self::Statement => "a statement without a signature",
            Self::Envelope => "a DSSE envelope alone",
            Self::CosignBundle => "a bundle of cosign 2",
            Self::Signature => "a signature alone",
            Self::Minisign => "a minisign signature",
            Self::Pgp => "a PGP signature",
            Self::Ssh => "an SSH signature",
            Self::Certificate => "a certificate",
            Self::PublicKey => "a public key",
        }
    }
}

/// Whether it is an ECDSA signature in DER, or base64 of the length of a signature and nothing
/// else.
fn is_signature(octets: &[u8]) -> bool {
    /// Ed25519's is the shortest, RSA's with 4096 bits the longest.
    const LENGTHS: core::ops::RangeInclusive<usize> = 64..=512;
    if let [0x30, length, 0x02, ..] = octets {
        return octets.len().checked_sub(2) == Some(usize::from(*length));
    }
    let text = octets.trim_ascii();
    let is_base64 = |octet: &u8| {
        octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=' | b'\n' | b'\r')
    };
    let length = text.iter().filter(|octet| !matches!(octet, b'\n' | b'\r' | b'=')).count();
    LENGTHS.contains(&(length.saturating_mul(3) / 4)) && text.iter().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_people_have_in_place_of_a_bundle() {
        let signature = "MEUCIQCkV7pGcOxNNmtrWJlpQ1yzVl0vjlkWqjQ3H4nGqCkYygIgXc0VnNHrVYcBTqNtGkyNxK\
                         Nw3o5u3vGQp7m3cUO5Zq8=";
        for (text, kind) in [
            ("-----BEGIN PGP SIGNATURE-----\n\nx", FileKind::Pgp),
            ("\n-----BEGIN PGP SIGNED MESSAGE-----\n", FileKind::Pgp),
            ("untrusted comment: signature from minisign\nRUQ", FileKind::Minisign),
            ("-----BEGIN SSH SIGNATURE-----\n", FileKind::Ssh),
            ("-----BEGIN CERTIFICATE-----\n", FileKind::Certificate),
            ("-----BEGIN PUBLIC KEY-----\n", FileKind::PublicKey),
            (signature, FileKind::Signature),
            (r#"{"payloadType":"x","payload":"","signatures":[]}"#, FileKind::Envelope),
            (r#"{"base64Signature":"","cert":"","rekorBundle":{}}"#, FileKind::CosignBundle),
            (r#"{"_type":"x","subject":[]}"#, FileKind::Statement),
            (r#"{"version":1,"signers":[]}"#, FileKind::Policy),
            (
                r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.2+json"}"#,
                FileKind::TrustRoot,
            ),
            (r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#, FileKind::Bundle),
        ] {
            assert_eq!(FileKind::of(text.as_bytes()), Some(kind), "{text}");
        }
        assert_eq!(FileKind::of(&[0x89, 0x02, 0x33, 4, 0]), Some(FileKind::Pgp));
        assert_eq!(FileKind::of(&[0x88, 0x5E, 4, 0]), Some(FileKind::Pgp));
        assert_eq!(FileKind::of(&[0x30, 6, 2, 1, 1, 2, 1, 1]), Some(FileKind::Signature));
        for text in ["", "{}", "[]", "hello", "not JSON", r#"{"mediaType":"text/plain"}"#] {
            assert_eq!(FileKind::of(text.as_bytes()), None, "{text}");
        }
    }
}
