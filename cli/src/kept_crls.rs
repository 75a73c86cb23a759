//! CRLs that were seen before, the newest of each address and issuer, and OCSP responses that revoke, in the
//! user's cache folder.
//!
//! Whoever stands between here and a service can answer with an older CRL, in which a certificate
//! is not revoked yet. What was seen is therefore handed in together with what came. And it
//! answers while the service does not. A kept CRL is verified again at each use: the folder is no
//! more believed than the network.
//!
//! The folder is bounded, and strangers may have others' CRLs fetched into it. So it forgets in steps. Beside
//! each CRL lies its [`Mark`], which stays when the CRL has to go: an older one than that is not used any
//! more. A CRL that revokes a certificate that somebody asked about goes for no other as long as its mark
//! matters.

mod mark;

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest, encode_hex},
    limits,
};
use countersign_signing::files::{self, FileMode};

pub(crate) use mark::{Age, Says};

use self::mark::Mark;
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
/// A file system's block each: 64 MiB. A CA with 256 shards has that many addresses.
const MOST_MARKS: usize = 16_384;
const MARK_EXTENSION: &str = "seen";
/// An OCSP response has some 2 KiB, and only those are kept that revoke a certificate that somebody asked about.
const MOST_RESPONSES: usize = 4_096;
const RESPONSE_EXTENSION: &str = "ocsp";

/// Whether there was room for a CRL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// There was, or it was not wanted.
    Enough,
    /// What is there must not go for it.
    Lacking,
}

/// How well a file is protected from making room; the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Protection {
    /// It revokes nothing that somebody asked about.
    None,
    /// It does, and an older list has run out as well.
    Lapsed,
    /// It does.
    Current,
}

/// What a kept CRL is found by. The issuer's key belongs to it: another CA, whose certificates may name the
/// same address, pushes out no list but its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) url: &'a str,
    /// `SubjectPublicKeyInfo`, DER: the same in every certificate of the issuer.
    pub(crate) issuer_key: &'a [u8],
}

/// The addresses at which CRLs for a certificate are kept that names these. A CRL that was given and names none
/// of them has an empty one.
pub(crate) fn addresses<'a>(
    crl_urls: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = &'a str> {
    crl_urls.into_iter().chain([""])
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct KeptCrls {
    folder: PathBuf,
}

impl KeptCrls {
    /// `countersign/crls` in `$XDG_CACHE_HOME`, else in `~/.cache`; `None` if neither is known.
    pub(crate) fn usual() -> Option<Self> {
        let folder = user_folder("XDG_CACHE_HOME", ".cache")?;
        Some(Self { folder: folder.join("countersign").join("crls") })
    }

    /// What was kept there, DER.
    pub(crate) fn read(&self, place: Place<'_>) -> Option<Vec<u8>> {
        files::read_bounded(&self.file(place), limits::CRL_BYTES as u64).ok()
    }

    /// The OCSP response that revoked the certificate of that serial number, DER.
    pub(crate) fn read_response(&self, issuer_key: &[u8], serial: &[u8]) -> Option<Vec<u8>> {
        let file = self.response_file(issuer_key, serial);
        files::read_bounded(&file, limits::OCSP_BYTES as u64).ok()
    }

    /// Keeps an OCSP response that revokes the certificate of that serial number, if it `replaces` the one
    /// that is kept by now. If there are too many, the one that was kept longest ago goes.
    pub(crate) fn keep_response(
        &self,
        (issuer_key, serial): (&[u8], &[u8]),
        response: &[u8],
        replaces: impl FnOnce(Option<&[u8]>) -> bool,
    ) {
        let file = self.response_file(issuer_key, serial);
        if fs::create_dir_all(&self.folder).is_err() {
            return;
        }
        let _lock = folder_lock::lock(&self.folder);
        if !replaces(self.read_response(issuer_key, serial).as_deref()) {
            return;
        }
        let mut others = files_in(&self.folder, RESPONSE_EXTENSION);
        others.retain(|(_, _, path)| *path != file);
        if others.len() >= MOST_RESPONSES {
            others.sort();
            for (_, _, path) in others.iter().take(others.len() + 1 - MOST_RESPONSES) {
                let _ = fs::remove_file(path);
            }
        }
        let _ = write(&file, response, FileMode::Private, Existing::Replace);
    }

    /// The age of the newest CRL that was seen there, if that one is not kept any more.
    pub(crate) fn forgotten(&self, place: Place<'_>) -> Option<Age> {
        let seen = Mark::read(&mark_of(&self.file(place)))?.age;
        let kept = self.read(place).and_then(|crl| Age::of(&crl));
        (kept.as_ref() < Some(&seen)).then_some(seen)
    }

    /// Keeps a CRL and its mark if it `replaces` what is kept there by now, which may be more than was
    /// read before: another process may have kept something in the meantime. That nothing can be written
    /// is no failure of a verification: the folder may be read-only.
    pub(crate) fn keep_if(
        &self,
        place: Place<'_>,
        (crl, says): (&[u8], Says),
        replaces: impl Fn(Option<&[u8]>) -> bool,
    ) -> Room {
        let (file, Some(mark)) = (self.file(place), Mark::of(crl, says)) else {
            return Room::Enough;
        };
        if fs::create_dir_all(&self.folder).is_err() {
            return Room::Enough;
        }
        let _lock = folder_lock::lock(&self.folder);
        let before = Mark::read(&mark_of(&file));
        let is_older = before.as_ref().is_some_and(|before| mark.age < before.age);
        if is_older || !replaces(self.read(place).as_deref()) {
            return Room::Enough;
        }
        if self.note(&file, &mark.after(before.as_ref()), before.as_ref()) == Room::Lacking
            || self.make_room(&file, crl.len() as u64) == Room::Lacking
        {
            return Room::Lacking;
        }
        let _ = write(&file, crl, FileMode::Private, Existing::Replace);
        Room::Enough
    }

    /// Remembers that the CRL that is kept there revokes a certificate that was asked about.
    pub(crate) fn protect(&self, place: Place<'_>) {
        let file = self.file(place);
        let before = Mark::read(&mark_of(&file));
        if before.as_ref().is_some_and(|before| before.says == Says::Revoked) {
            return;
        }
        let _lock = folder_lock::lock(&self.folder);
        let kept = self.read(place).and_then(|crl| Mark::of(&crl, Says::Revoked));
        let before = Mark::read(&mark_of(&file));
        // Another process may have put a newer one there.
        if let Some(mark) = kept.filter(|kept| before.as_ref().is_none_or(|it| it.age <= kept.age))
        {
            self.note(&file, &mark.after(before.as_ref()), before.as_ref());
        }
    }

    /// An address may have any length and any characters.
    fn file(&self, Place { url, issuer_key }: Place<'_>) -> PathBuf {
        let key = digest(&AwsLc, HashAlgorithm::Sha256, issuer_key).hex();
        let name = digest(&AwsLc, HashAlgorithm::Sha256, format!("{key} {url}").as_bytes()).hex();
        self.folder.join(format!("{name}.{EXTENSION}"))
    }

    fn response_file(&self, issuer_key: &[u8], serial: &[u8]) -> PathBuf {
        let key = digest(&AwsLc, HashAlgorithm::Sha256, issuer_key).hex();
        let name = format!("{key} serial {}", encode_hex(serial));
        let name = digest(&AwsLc, HashAlgorithm::Sha256, name.as_bytes()).hex();
        self.folder.join(format!("{name}.{RESPONSE_EXTENSION}"))
    }

    /// Writes a mark in place of the one before, if it is another.
    fn note(&self, file: &Path, mark: &Mark, before: Option<&Mark>) -> Room {
        if before == Some(mark) {
            return Room::Enough;
        }
        if before.is_none() && !self.has_room_for_a_mark() {
            return Room::Lacking;
        }
        if let Ok(text) = serde_json::to_vec(mark) {
            let _ = write(&mark_of(file), &text, FileMode::Private, Existing::Replace);
        }
        Room::Enough
    }

    /// Whether one more mark fits, if need be in place of those that do not matter any more.
    fn has_room_for_a_mark(&self) -> bool {
        let marks = files_in(&self.folder, MARK_EXTENSION);
        if marks.len() < MOST_MARKS {
            return true;
        }
        let lapsed = marks
            .into_iter()
            .filter(|(_, _, path)| Mark::read(path).is_none_or(|mark| !mark.matters()));
        lapsed.filter(|(_, _, path)| fs::remove_file(path).is_ok()).count() > 0
    }

    /// Removes what may go, what was kept longest ago first, until one more fits in the place of `file`.
    fn make_room(&self, file: &Path, octets: u64) -> Room {
        let others =
            files_in(&self.folder, EXTENSION).into_iter().filter(|(_, _, path)| path != file);
        let mut others: Vec<_> = others.map(|other| (protection(&other.2), other)).collect();
        let mut total: u64 = others.iter().map(|(_, (_, size, _))| size).sum();
        let mut count = others.len();
        let is_full =
            |count, total: u64| count >= MOST_FILES || total.saturating_add(octets) > MOST_OCTETS;
        if is_full(count, total) {
            others.sort();
        }
        for (protection, (_, size, path)) in others {
            if !is_full(count, total) {
                return Room::Enough;
            }
            if protection == Protection::Current {
                return Room::Lacking;
            }
            if self.forget(&path) {
                count = count.saturating_sub(1);
                total = total.saturating_sub(size);
            }
        }
        if is_full(count, total) { Room::Lacking } else { Room::Enough }
    }

    /// Removes a CRL, but not before its mark is there; whether it is gone.
    fn forget(&self, path: &Path) -> bool {
        if !mark_of(path).is_file() {
            let crl = files::read_bounded(path, limits::CRL_BYTES as u64).unwrap_or_default();
            if let Some(mark) = Mark::of(&crl, Says::NotRevoked)
                && self.note(path, &mark, None) == Room::Lacking
            {
                return false;
            }
        }
        fs::remove_file(path).is_ok()
    }
}

fn mark_of(file: &Path) -> PathBuf {
    file.with_extension(MARK_EXTENSION)
}

fn protection(file: &Path) -> Protection {
    match Mark::read(&mark_of(file)) {
        Some(mark) if mark.says == Says::Revoked && mark.matters() => Protection::Current,
        Some(mark) if mark.says == Says::Revoked => Protection::Lapsed,
        _ => Protection::None,
    }
}

/// When they were written, their sizes, and where they are.
fn files_in(folder: &Path, extension: &str) -> Vec<(SystemTime, u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let is_kept = entry.path().extension().is_some_and(|other| other == extension);
            let metadata = entry.metadata().ok().filter(|it| it.is_file() && is_kept)?;
            Some((metadata.modified().ok()?, metadata.len(), entry.path()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
