//! CRLs that were fetched before: the newest of each address and issuer, in the user's cache folder.
//!
//! Whoever stands between here and a service can answer with an older CRL, in which a certificate
//! is not revoked yet. What was seen is therefore handed in together with what came. And it
//! answers while the service does not. A kept CRL is verified again at each use: the folder is no
//! more believed than the network.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    limits,
};
use countersign_signing::files::{self, FileMode};

use crate::{
    folder_lock,
    user_folders::user_folder,
    writing::{Existing, write},
};

/// A large company's certificates name some ten addresses.
const MOST_FILES: usize = 64;
const EXTENSION: &str = "crl";
/// Eight of the largest that are read.
const MOST_OCTETS: u64 = 256 << 20;

/// What a kept CRL is found by. The issuer's key belongs to it: another CA, whose certificates may name the
/// same address, pushes out no list but its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) url: &'a str,
    /// `SubjectPublicKeyInfo`, DER: the same in every certificate of the issuer.
    pub(crate) issuer_key: &'a [u8],
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct KeptCrls {
    folder: PathBuf,
}

impl KeptCrls {
    /// `countersign/crls` in `$XDG_CACHE_HOME`, else in `~/.cache`; nothing where neither is known.
    pub(crate) fn usual() -> Option<Self> {
        let folder = user_folder("XDG_CACHE_HOME", ".cache")?;
        Some(Self { folder: folder.join("countersign").join("crls") })
    }

    /// What was kept there, DER.
    pub(crate) fn read(&self, place: Place<'_>) -> Option<Vec<u8>> {
        files::read_bounded(&self.file(place), limits::CRL_BYTES as u64).ok()
    }

    /// Keeps a CRL if it `replaces` what is kept there by now, which may be more than was
    /// read before: another process may have kept something in the meantime. That it cannot be kept
    /// is no failure of a verification: the folder may be read-only.
    pub(crate) fn keep_if(
        &self,
        place: Place<'_>,
        crl: &[u8],
        replaces: impl Fn(Option<&[u8]>) -> bool,
    ) {
        if fs::create_dir_all(&self.folder).is_err() {
            return;
        }
        let _lock = folder_lock::lock(&self.folder);
        if !replaces(self.read(place).as_deref()) {
            return;
        }
        self.make_room(crl.len() as u64);
        let _ = write(&self.file(place), crl, FileMode::Private, Existing::Replace);
    }

    /// An address may have any length and any characters.
    fn file(&self, Place { url, issuer_key }: Place<'_>) -> PathBuf {
        let key = digest(&AwsLc, HashAlgorithm::Sha256, issuer_key).hex();
        let name = digest(&AwsLc, HashAlgorithm::Sha256, format!("{key} {url}").as_bytes()).hex();
        self.folder.join(format!("{name}.{EXTENSION}"))
    }

    /// Removes what was kept longest ago, until one more fits.
    fn make_room(&self, octets: u64) {
        let mut files = files_in(&self.folder);
        files.sort();
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        let mut count = files.len();
        for (_, size, path) in files {
            if count < MOST_FILES && total.saturating_add(octets) <= MOST_OCTETS {
                return;
            }
            if fs::remove_file(path).is_ok() {
                count = count.saturating_sub(1);
                total = total.saturating_sub(size);
            }
        }
    }
}

/// When they were written, their sizes, and where they are.
fn files_in(folder: &Path) -> Vec<(SystemTime, u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let is_kept = entry.path().extension().is_some_and(|extension| extension == EXTENSION);
            let metadata = entry.metadata().ok().filter(|it| it.is_file() && is_kept)?;
            Some((metadata.modified().ok()?, metadata.len(), entry.path()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn at(url: &str) -> Place<'_> {
        Place { url, issuer_key: b"one" }
    }

    #[test]
    fn an_address_has_one_file_for_an_issuer_and_the_folder_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptCrls { folder: folder.path().join("a").join("b") };
        let keep = |place: Place<'_>, crl: &[u8]| kept.keep_if(place, crl, |_| true);
        assert_eq!(kept.read(at("http://a/")), None);
        keep(at("http://a/../../etc"), b"1");
        keep(at("http://a/../../etc"), b"2");
        keep(Place { issuer_key: b"another", ..at("http://a/../../etc") }, b"3");
        assert_eq!(kept.read(at("http://a/../../etc")).as_deref(), Some(&b"2"[..]));
        for number in 0..MOST_FILES + 5 {
            keep(at(&format!("http://a/{number}")), b"x");
        }
        assert_eq!(files_in(&kept.folder).len(), MOST_FILES);
        assert!(kept.read(at(&format!("http://a/{}", MOST_FILES + 4))).is_some());
    }

    /// Each of many writers replaces only what is older, as it is when it writes.
    #[test]
    fn of_many_at_once_the_newest_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptCrls { folder: folder.path().join("a") };
        thread::scope(|scope| {
            for number in 0_u8..32 {
                let kept = kept.clone();
                scope.spawn(move || {
                    let is_older = |old: Option<&[u8]>| old.is_none_or(|old| old < &[number][..]);
                    kept.keep_if(at("http://a/"), &[number], is_older);
                });
            }
        });
        assert_eq!(kept.read(at("http://a/")).as_deref(), Some(&[31][..]));
    }
}
