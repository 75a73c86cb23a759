//! A new certificate authority: built beside its place, then moved there in one step.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
};

use countersign_core::{time::UnixSeconds, x509::PublicKey};

use super::{
    CERTIFICATE_FILE, CaError, CrlPublication, INDEX_FILE, ISSUED_FOLDER, IndexEntry, KEY_FILE,
    Settings, decode, decode_public_key, index, issue::BACKDATED_SECONDS, lint::lint,
};
use crate::{
    certificate::{Fields, IssuerFields, UnsignedCertificate, key_identifier},
    files::{self, FileError},
    key::{FileKey, KeyLocation, NewKey, Passphrase, Signer, random_serial},
    name::DistinguishedName,
    pem,
    profile::{self, Authority},
};

/// What a new authority is to be.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The organisation in every CA's subject; at most 64 characters.
    pub organisation: String,
    /// The URL below which CRLs, OCSP and CA certificates will be served.
    pub base_url: String,
    /// The algorithm of the CAs' keys.
    pub algorithm: NewKey,
    /// Whether certificates name sharded CRLs or deltas.
    pub crls: CrlPublication,
    /// Keys that are somewhere already: in tokens. All others are made, in files.
    pub keys: GivenKeys,
}

impl InitOptions {
    /// Keys on P-384 in files, and one complete CRL.
    pub fn new(organisation: &str, base_url: &str) -> Self {
        Self {
            organisation: organisation.to_owned(),
            base_url: base_url.to_owned(),
            algorithm: NewKey::P384,
            crls: CrlPublication::default(),
            keys: GivenKeys::new(),
        }
    }
}

/// A key that a CA is to have, made before it: in a token, mostly.
#[derive(Clone, Debug)]
pub struct GivenKey {
    /// Where it is; written into the settings, without the library and the file with the PIN.
    pub location: KeyLocation,
    /// The key, opened.
    pub signer: Arc<dyn Signer>,
}

/// The keys that are given.
pub type GivenKeys = BTreeMap<Authority, GivenKey>;

pub(super) fn init(
    folder: &Path,
    options: &InitOptions,
    passphrase: &Passphrase,
    now: UnixSeconds,
) -> Result<(), CaError> {
    let InitOptions { organisation, base_url, algorithm, crls, keys } = options;
    let mut settings = Settings::new(organisation, base_url, *algorithm, *crls)?;
    for (authority, key) in keys {
        if key.signer.scheme() != algorithm.scheme() {
            let (authority, algorithm) = (*authority, *algorithm);
            return Err(CaError::NewKey { authority, algorithm });
        }
        let mut others = keys.range(..*authority);
        if let Some((other, _)) = others.find(|(_, other)| other.signer.spki() == key.signer.spki())
        {
            let (authority, other) = (*authority, *other);
            return Err(CaError::SharedKey { authority, other });
        }
        settings.keys.insert(*authority, in_settings(&key.location));
    }
    refuse_taken_folder(folder)?;
    let parent = files::folder_of(folder);
    // Removed when this returns early; nothing half-made is left.
    let building = tempfile::Builder::new()
        .prefix(".countersign-ca.")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(FileError::io("create a temporary folder in", parent))?;
    build(building.path(), &settings, keys, passphrase, now)?;
    // A rename takes the place of an empty folder, and fails for any other.
    fs::rename(building.path(), folder).map_err(FileError::io("create", folder))?;
    files::sync_folder(parent)?;
    Ok(())
}

/// Where a key is, without what the settings must not say: see [`Settings::keys`].
fn in_settings(location: &KeyLocation) -> KeyLocation {
    match location {
        KeyLocation::File(path) => KeyLocation::File(path.clone()),
        KeyLocation::Token(uri) => KeyLocation::Token(Box::new(uri.without_files())),
    }
}

fn refuse_taken_folder(folder: &Path) -> Result<(), CaError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(CaError::FolderExists { path: folder.to_owned() }),
        },
        Err(_) if folder.symlink_metadata().is_ok() => {
            Err(CaError::FolderExists { path: folder.to_owned() })
        }
        Err(_) => Ok(()),
    }
}

fn build(
    folder: &Path,
    settings: &Settings,
    keys: &GivenKeys,
    passphrase: &Passphrase,
    now: UnixSeconds,
) -> Result<(), CaError> {
    settings.write(folder)?;
    files::create_private_folder(&folder.join(ISSUED_FOLDER))?;
    let throw_away_key = FileKey::generate(settings.algorithm)?;
    let root_key = AuthorityKey::of(Authority::Root, settings, keys)?;
    let root_key_handle = root_key.signer();
    let root_public_key = decode_public_key(root_key_handle.spki())?;
    let root = IssuerFields {
        name: subject(settings, Authority::Root)?,
        key_identifier: key_identifier(root_public_key.bits),
        pointers: None,
    };
    let above = IssuerFields { pointers: Some(settings.pointers(Authority::Root)), ..root.clone() };
    for authority in Authority::ALL {
        let new_key;
        let (key, issuer) = if authority == Authority::Root {
            (&root_key, &root)
        } else {
            new_key = AuthorityKey::of(authority, settings, keys)?;
            (&new_key, &above)
        };
        let subject = subject(settings, authority)?;
        let public_key = decode_public_key(key.signer().spki())?;
        let fields = fields(authority, issuer, &subject, public_key, now)?;
        let unsigned = UnsignedCertificate::build(&fields, root_key_handle.scheme())?;
        lint(&unsigned, &throw_away_key)?;
        let certificate = unsigned.sign(root_key_handle)?;
        write(folder, authority, key, &certificate, passphrase, now)?;
    }
    Ok(())
}

/// A CA's key: a new one, to be saved, or one that is somewhere.
enum AuthorityKey<'a> {
    New(Box<FileKey>),
    Given(&'a GivenKey),
}

impl<'a> AuthorityKey<'a> {
    fn of(
        authority: Authority,
        settings: &Settings,
        given: &'a GivenKeys,
    ) -> Result<Self, CaError> {
        match given.get(&authority) {
            Some(key) => Ok(Self::Given(key)),
            None => Ok(Self::New(Box::new(FileKey::generate(settings.algorithm)?))),
        }
    }

    fn signer(&self) -> &dyn Signer {
        match self {
            Self::New(key) => key.as_ref(),
            Self::Given(key) => key.signer.as_ref(),
        }
    }
}

fn fields<'a>(
    authority: Authority,
    issuer: &'a IssuerFields,
    subject: &'a [u8],
    public_key: PublicKey<'a>,
    now: UnixSeconds,
) -> Result<Fields<'a>, CaError> {
    let profile = authority.profile();
    Ok(Fields {
        profile,
        serial: random_serial()?,
        issuer,
        not_before: now.minus_seconds(BACKDATED_SECONDS),
        not_after: now.plus_seconds(profile::terms(profile).validity_seconds),
        subject,
        names: &[],
        oidc_issuer: None,
        spki: public_key.raw,
        public_key: public_key.bits,
    })
}

fn write(
    folder: &Path,
    authority: Authority,
    key: &AuthorityKey<'_>,
    certificate: &[u8],
    passphrase: &Passphrase,
    now: UnixSeconds,
) -> Result<(), CaError> {
    let place = folder.join(authority.name());
    files::create_private_folder(&place)?;
    if let AuthorityKey::New(key) = key {
        key.save_new(&place.join(KEY_FILE), passphrase)?;
    }
    pem::write_certificates(&place.join(CERTIFICATE_FILE), &[certificate])?;
    let decoded = decode(certificate, || "the new certificate".to_owned())?;
    let entry = IndexEntry::of(&decoded, Authority::Root, authority.profile(), now);
    index::append(&folder.join(INDEX_FILE), &entry)
}

fn subject(settings: &Settings, authority: Authority) -> Result<Vec<u8>, CaError> {
    let kind = match authority {
        Authority::Root => "Root CA",
        Authority::Signing => "Signing CA",
        Authority::Timestamping => "Timestamping CA",
        Authority::Service => "Service CA",
    };
    // A long organisation would not fit the common name beside the kind; it has its own attribute.
    let long = format!("{} {kind}", settings.organisation);
    let common_name = if long.chars().count() <= 64 { long.as_str() } else { kind };
    Ok(DistinguishedName::new(&*settings.organisation, common_name).encode()?)
}
