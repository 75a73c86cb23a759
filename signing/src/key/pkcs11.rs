//! A key in a PKCS#11 token: hardware security modules, smart cards, `SoftHSM`.
//!
//! The private key never leaves the token; what leaves this program is digests. A key is opened
//! once and then used for years: it outlives the token's absence, a restart of its daemon and a
//! library that was started anew. No session signs before its key has proven, by a signature, that
//! it is the one that was opened.
//!
//! It does not do: keys that want a PIN before each signature, RSA-PSS, Ed25519, or tokens in
//! another process's library state (PKCS#11 knows one state per process).

mod algorithm;
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
    digest::{Digest, digest},
    x509::PublicKey,
};
use cryptoki::session::Session;

use self::{
    algorithm::SigningAlgorithm,
    fault::Fault,
    module::{Entered, Module},
    pool::{Connect, KeySession, Pool},
    slot::Access,
};
pub use self::{
    certificate::store_certificate,
    generate::{GeneratedKey, TokenKeyAlgorithm, generate_in_token},
};
use super::{Passphrase, SignError, Signer, TokenError, TokenUri};

/// The environment variable with the library's path, where the URI has no `module-path`.
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
    spki: Vec<u8>,
}

impl TokenKey {
    /// Opens the key that `uri` means. `spki` is its public key where the caller knows it; where
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
        let spki = match (read_public_key(&module, uri, pin.as_ref()), spki) {
            (Ok(shown), Some(known)) if shown != known => {
                return Err(TokenError::KeyMismatch { uri: name });
            }
            (Err(TokenError::NoPublicKey { .. }), Some(known)) => known.to_vec(),
            (outcome, _) => outcome?,
        };
        let Some(algorithm) = SigningAlgorithm::of(&spki) else {
            let detail = "the key is not P-384, P-256 or RSA of 2048 to 4096 bits".to_owned();
            return Err(TokenError::Unsuitable { uri: name, detail });
        };
        let connector = Connector { module, uri: uri.clone(), name, pin, algorithm, spki };
        let first = connect_or_renew(&connector.module, |entered| connector.connect(entered))?;
        Ok(Self { pool: Pool::new(connector, first) })
    }

    fn connector(&self) -> &Connector {
        self.pool.connector()
    }

    fn sign_octets(&self, digest: &[u8]) -> Result<Vec<u8>, SignError> {
        let Connector { algorithm, name, .. } = self.connector();
        let sign =
            |session: &KeySession| algorithm.sign(&session.session, session.key, digest, name);
        Ok(self.pool.with(sign)?)
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
            self.prove(&session, &key)?;
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
    /// The key signs, and the signature is by the public key that was opened.
    fn prove(&self, session: &Session, key: &objects::PrivateKey) -> Result<(), Fault> {
        let digest = digest(&AwsLc, self.algorithm.hash(), PROOF_MESSAGE);
        let signature = self.algorithm.sign(session, key.handle, digest.octets(), &self.name)?;
        let public_key = PublicKey::decode(&self.spki).ok();
        let proven = public_key.is_some_and(|public_key| {
            let scheme = self.algorithm.scheme();
            AwsLc.verify_digest(scheme, public_key.bits, &digest, &signature).is_ok()
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

fn read_public_key(
    module: &Module,
    uri: &TokenUri,
    pin: Option<&Passphrase>,
) -> Result<Vec<u8>, TokenError> {
    let name = uri.to_string();
    connect_or_renew(module, |entered| {
        let (session, _) = slot::open_session(entered, uri, pin, Access::Read)?;
        let found = objects::find_private_key(&session, uri).and_then(|key| {
            objects::public_key(&session, &key)
                .map_err(|error| Fault::of(&name, "reading the public key", &error))
        });
        slot::close(session);
        found?.ok_or_else(|| TokenError::NoPublicKey { uri: name.clone() }.into())
    })
}

/// Makes a call on a library; once more after starting it anew, where that may help: tokens that
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

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let digest = digest(&AwsLc, self.connector().algorithm.hash(), message);
        self.sign_octets(digest.octets())
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SignError> {
        let (expected, found) = (self.connector().algorithm.hash(), digest.algorithm());
        if found != expected {
            let (expected, found) = (expected.name(), found.name());
            return Err(SignError::DigestMismatch { expected, found });
        }
        self.sign_octets(digest.octets())
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
