//! Making a key in a token: it is born there, and can neither be read nor copied.

use const_oid::ObjectIdentifier;
use countersign_core::oid;
use cryptoki::{
    mechanism::{Mechanism, MechanismType},
    object::{Attribute, KeyType},
    session::Session,
};

use super::{
    SigningAlgorithm, algorithm::RsaPadding, fault::Fault, load_module, objects,
    objects::PrivateKey, slot, slot::Access,
};
use crate::{
    der,
    key::{KeyError, NewKey, Passphrase, TokenError, TokenUri, open::pin, random},
};

/// 65537.
const RSA_PUBLIC_EXPONENT: [u8; 3] = [1, 0, 1];

/// A kind of key that a token makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKeyAlgorithm {
    /// ECDSA on a curve, or RSA of 3072 bits.
    Usual(NewKey),
    /// RSA of 2048 bits: what old tokens can do.
    Rsa2048,
    /// RSA of 4096 bits.
    Rsa4096,
    /// ECDSA on P-521, signing with SHA-512.
    P521,
    /// Ed25519.
    Ed25519,
    /// RSA of 3072 bits that signs with PSS alone.
    Rsa3072Pss,
}

impl TokenKeyAlgorithm {
    /// The name on the command line and in reports: `rsa2048`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usual(usual) => usual.name(),
            Self::P521 => "p521",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa4096 => "rsa4096",
            Self::Rsa3072Pss => "rsa3072-pss",
        }
    }
}

/// A key that was made in a token.
#[derive(Clone, Debug)]
pub struct GeneratedKey {
    /// The URI that means this key and no other, with the token's serial number.
    pub uri: TokenUri,
    /// DER of its `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
}

/// Makes a key in the token that `uri` means: sensitive, not extractable, for signing alone. Its
/// label is the URI's `object`; its id the URI's, or random. The PIN comes from where
/// [`open`](crate::key::open) has it from.
///
/// # Errors
/// As [`open`](crate::key::open); [`TokenError::KeyExists`] when the token has a private key with
/// that label or id; [`TokenError::Unsuitable`] when the URI names no object or the token cannot
/// make such a key.
pub fn generate_in_token(
    uri: &TokenUri,
    algorithm: TokenKeyAlgorithm,
    passphrase: Option<&Passphrase>,
) -> Result<GeneratedKey, KeyError> {
    let pin = pin(uri, passphrase)?;
    let name = uri.to_string();
    let Some(label) = uri.object.clone() else {
        let detail = "name the new key: object=LABEL".to_owned();
        return Err(TokenError::Unsuitable { uri: name, detail }.into());
    };
    let id = match &uri.id {
        Some(id) => id.clone(),
        None => random::<16>().map_err(KeyError::Random)?.to_vec(),
    };
    let module = load_module(uri)?;
    let entered = module.enter();
    let (session, token) =
        slot::open_session(&entered, uri, pin.as_ref(), Access::Write).map_err(|it| it.error)?;
    let made = make(&session, uri, algorithm, &label, &id);
    slot::close(session);
    let spki = made.map_err(|fault| fault.error)?;
    if SigningAlgorithm::of(&spki, RsaPadding::Pkcs1).is_none() {
        let detail = "the token made a key that cannot be read back".to_owned();
        return Err(TokenError::Unsuitable { uri: name, detail }.into());
    }
    let uri = TokenUri {
        token: Some(token.label().to_owned()),
        serial: Some(token.serial_number().to_owned()),
        id: Some(id),
        ..uri.clone()
    };
    Ok(GeneratedKey { uri, spki })
}

fn make(
    session: &Session,
    uri: &TokenUri,
    algorithm: TokenKeyAlgorithm,
    label: &str,
    id: &[u8],
) -> Result<Vec<u8>, Fault> {
    let name = uri.to_string();
    let failed = |doing: &'static str| move |error| Fault::of(&uri.to_string(), doing, &error);
    if objects::holds(session, Some(id), Some(label)).map_err(failed("looking for keys"))? {
        return Err(TokenError::KeyExists { uri: name }.into());
    }
    let (mechanism, kind, mut public) = match algorithm {
        TokenKeyAlgorithm::Usual(NewKey::P384) => on_curve(&oid::SECP384R1),
        TokenKeyAlgorithm::Usual(NewKey::P256) => on_curve(&oid::SECP256R1),
        TokenKeyAlgorithm::P521 => on_curve(&oid::SECP521R1),
        TokenKeyAlgorithm::Ed25519 => ed25519(),
        TokenKeyAlgorithm::Usual(NewKey::Rsa3072) | TokenKeyAlgorithm::Rsa3072Pss => rsa(3072),
        TokenKeyAlgorithm::Rsa2048 => rsa(2048),
        TokenKeyAlgorithm::Rsa4096 => rsa(4096),
    };
    let both = [
        Attribute::Token(true),
        Attribute::KeyType(kind),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Id(id.to_vec()),
    ];
    public.extend([Attribute::Private(false), Attribute::Verify(true)]);
    public.extend(both.clone());
    let mut private = vec![
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        // One key, one use.
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ];
    private.extend(both);
    if algorithm == TokenKeyAlgorithm::Rsa3072Pss {
        private.push(Attribute::AllowedMechanisms(vec![
            MechanismType::RSA_PKCS_PSS,
            MechanismType::SHA256_RSA_PKCS_PSS,
        ]));
    }
    let (_, handle) =
        session.generate_key_pair(&mechanism, &public, &private).map_err(failed("making a key"))?;
    let (id, label) = (id.to_vec(), label.as_bytes().to_vec());
    let key = PrivateKey { id, label, ..PrivateKey::new(handle) };
    objects::public_key(session, &key)
        .map_err(failed("reading the public key"))?
        .ok_or_else(|| TokenError::NoPublicKey { uri: name }.into())
}

fn on_curve(curve: &ObjectIdentifier) -> (Mechanism<'static>, KeyType, Vec<Attribute>) {
    // CKA_EC_PARAMS is DER of the curve's identifier.
    (Mechanism::EccKeyPairGen, KeyType::EC, vec![Attribute::EcParams(der::oid(curve))])
}

fn ed25519() -> (Mechanism<'static>, KeyType, Vec<Attribute>) {
    // RFC 8410 §3 and PKCS#11 §6.3.5: the curve by its identifier.
    let curve = Attribute::EcParams(der::oid(&oid::ED25519));
    (Mechanism::EccEdwardsKeyPairGen, KeyType::EC_EDWARDS, vec![curve])
}

fn rsa(bits: u64) -> (Mechanism<'static>, KeyType, Vec<Attribute>) {
    let attributes = vec![
        Attribute::ModulusBits(bits.into()),
        Attribute::PublicExponent(RSA_PUBLIC_EXPONENT.to_vec()),
    ];
    (Mechanism::RsaPkcsKeyPairGen, KeyType::RSA, attributes)
}
