//! A key in a PKCS#11 token: hardware security modules, smart cards, `SoftHSM`.
//!
//! The private key never leaves the token; what leaves this program is digests. A key is opened
//! once and then used for years: it outlives the token's absence, a restart of its daemon and a
//! library that was started anew. No session signs before its key has proven, by a signature, that
//! it is the one that was opened.
//!
//! It does not do: Ed448, other hashes than the one that goes with a key, or tokens in another
//! process's library state (PKCS#11 knows one state per process).

mod algorithm;
mod authorised;
mod certificate;
mod fault;
mod generate;
mod login;
mod module;
mod objects;
mod pool;
mod slot;

use std::{env, fmt, path::PathBuf, sync::Arc};

use countersign_core::{
    crypto::{CryptoProvider, SignatureScheme, aws_lc::AwsLc},
    digest::Digest,
    x509::PublicKey,
};
use cryptoki::{object::ObjectHandle, session::Session};

use self::{
    algorithm::{SigningAlgorithm, ToSign},
    authorised::{Authentication, Signing},
    fault::Fault,
    module::{Entered, Module},
    pool::{Connect, KeySession, Pool},
    slot::Access,
};
pub use self::{
    certificate::store_certificate,
    generate::{GeneratedKey, TokenKeyAlgorithm, generate_in_token},
};
use super::{Passphrase, SignError, Signer, Takes, TokenError, TokenUri};

/// The environment variable with the library's path, if the URI has no `module-path`.
const MODULE_VARIABLE: &str = "COUNTERSIGN_PKCS11_MODULE";

/// What a key signs to prove itself. No certificate, token or list begins like this.
const PROOF_MESSAGE: &[u8] = b"countersign: a proof of possession, signing nothing";

/// A private key in a token.
pub(super) struct TokenKey {
    pool: Pool<Connector>,
}

/// What it takes to open one more session.
#[derive(Debug)]
struct Connector {
    module: Arc<Module>,
    uri: TokenUri,
    name: String,
    pin: Option<Passphrase>,
    algorithm: SigningAlgorithm,
    authentication: Authentication,
    spki: Vec<u8>,
}

impl TokenKey {
    /// Opens the key that `uri` means. `spki` is its public key if the caller knows it; where
    /// not, the token must show it.
    ///
    /// # Errors
    /// [`TokenError`], by what an operator does about it.
    pub(super) fn open(
        uri: &TokenUri,
        pin: Option<Passphrase>,
        spki: Option<&[u8]>,
    ) -> Result<Self, TokenError> {
        let module = load_module(uri)?;
        let name = uri.to_string();
        let (key, shown) = read_key(&module, uri, pin.as_ref())?;
        let spki = match (shown, spki) {
            (Some(shown), Some(known)) if shown != known => {
                return Err(TokenError::KeyMismatch { uri: name });
            }
            (Some(shown), _) => shown,
            (None, Some(known)) => known.to_vec(),
            (None, None) => return Err(TokenError::NoPublicKey { uri: name }),
        };
        let Some(algorithm) = SigningAlgorithm::of(&spki, key.padding) else {
            let detail = "the key is not P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits";
            return Err(TokenError::Unsuitable { uri: name, detail: detail.to_owned() });
        };
        let (uri, authentication) = (uri.clone(), key.authentication);
        let connector = Connector { module, uri, name, pin, algorithm, authentication, spki };
        let first = connect_or_renew(&connector.module, |entered| connector.connect(entered))?;
        Ok(Self { pool: Pool::new(connector, first) })
    }

    fn connector(&self) -> &Connector {
        self.pool.connector()
    }

    fn sign_any(&self, to_sign: ToSign<'_>) -> Result<Vec<u8>, SignError> {
        let connector = self.connector();
        Ok(self.pool.with(|entered, session| {
            connector.sign(entered, &session.session, session.key, to_sign)
        })?)
    }
}

impl Connect for Connector {
    fn uri(&self) -> &str {
        &self.name
    }

    fn module(&self) -> &Module {
        &self.module
    }

    fn connect(&self, entered: &Entered<'_>) -> Result<KeySession, Fault> {
        let pin = self.pin.as_ref();
        let (session, _) = slot::open_session(entered, &self.uri, pin, Access::Read)?;
        let found = objects::find_private_key(&session, &self.uri);
        let proven = found.map_err(gone_for_now).and_then(|key| {
            self.prove(entered, &session, &key)?;
            Ok(key.handle)
        });
        match proven {
            Ok(key) => {
                entered.note_success();
                Ok(KeySession { session, key, generation: entered.generation() })
            }
            Err(fault) => {
                slot::close(session);
                Err(fault)
            }
        }
    }
}

impl Connector {
    fn sign(
        &self,
        entered: &Entered<'_>,
        session: &Session,
        key: ObjectHandle,
        to_sign: ToSign<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let (pin, uri) = (self.pin.as_ref(), self.name.as_str());
        match self.authentication {
            Authentication::Once => self.algorithm.sign(session, key, to_sign, uri),
            Authentication::EachSignature => {
                Signing { entered, session, key, pin, uri }.sign(self.algorithm, to_sign)
            }
        }
    }

    /// The key signs, and the signature is by the public key that was opened.
    fn prove(
        &self,
        entered: &Entered<'_>,
        session: &Session,
        key: &objects::PrivateKey,
    ) -> Result<(), Fault> {
        let message = ToSign::Message(PROOF_MESSAGE);
        let signature = self.sign(entered, session, key.handle, message)?;
        let public_key = PublicKey::decode(&self.spki).ok();
        let proven = public_key.is_some_and(|public_key| {
            let algorithm = AwsLc.verification_algorithm(self.algorithm.scheme());
            algorithm.verify_signature(public_key.bits, PROOF_MESSAGE, &signature).is_ok()
        });
        if proven { Ok(()) } else { Err(TokenError::KeyMismatch { uri: self.name.clone() }.into()) }
    }
}

/// A key that was there is missed by a token that is just going away or coming back: it may come
/// back with it.
fn gone_for_now(fault: Fault) -> Fault {
    match fault.error {
        TokenError::NoKey { uri } => {
            let detail = "the token is there, and its key is not, at the moment".to_owned();
            TokenError::Failing { uri, detail }.into()
        }
        _ => fault,
    }
}

/// The library that the URI or the environment names.
fn load_module(uri: &TokenUri) -> Result<Arc<Module>, TokenError> {
    let path = match &uri.module_path {
        Some(path) => path.clone(),
        None => env::var_os(MODULE_VARIABLE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .ok_or(TokenError::NoModule)?,
    };
    Module::load(&path)
}

/// The private key, and its public key if the token shows it.
fn read_key(
    module: &Module,
    uri: &TokenUri,
    pin: Option<&Passphrase>,
) -> Result<(objects::PrivateKey, Option<Vec<u8>>), TokenError> {
    let name = uri.to_string();
    connect_or_renew(module, |entered| {
        let (session, _) = slot::open_session(entered, uri, pin, Access::Read)?;
        let found = objects::find_private_key(&session, uri).and_then(|key| {
            let shown = objects::public_key(&session, &key)
                .map_err(|error| Fault::of(&name, "reading the public key", &error))?;
            Ok((key, shown))
        });
        slot::close(session);
        found
    })
}

/// Makes a call on a library; once more after starting it anew, if that may help: tokens that
/// appeared since are seen by some libraries only then.
fn connect_or_renew<T>(
    module: &Module,
    call: impl Fn(&Entered<'_>) -> Result<T, Fault>,
) -> Result<T, TokenError> {
    let (generation, fault) = {
        let entered = module.enter();
        match call(&entered) {
            Ok(value) => return Ok(value),
            Err(fault) => (entered.generation(), fault),
        }
    };
    if fault.recovery == fault::Recovery::None || !module.renew(generation) {
        return Err(fault.error);
    }
    call(&module.enter()).map_err(|fault| fault.error)
}

impl Signer for TokenKey {
    fn scheme(&self) -> SignatureScheme {
        self.connector().algorithm.scheme()
    }

    fn spki(&self) -> &[u8] {
        &self.connector().spki
    }

    fn takes(&self) -> Takes {
        let Connector { algorithm, authentication, .. } = self.connector();
        match (algorithm.hash(), authentication) {
            (None, _) | (_, Authentication::EachSignature) => Takes::Messages,
            (Some(_), Authentication::Once) => Takes::Digests,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_any(ToSign::Message(message))
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SignError> {
        let Some(expected) = self.connector().algorithm.hash() else {
            return Err(SignError::NeedsMessage);
        };
        let found = digest.algorithm();
        if found != expected {
            let (expected, found) = (expected.name(), found.name());
            return Err(SignError::DigestMismatch { expected, found });
        }
        self.sign_any(ToSign::Digest(digest))
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Connector { name, algorithm, .. } = self.connector();
        f.debug_struct("TokenKey")
            .field("uri", name)
            .field("algorithm", algorithm)
            .finish_non_exhaustive()
    }
}
