//! Where things are, and writing them whole or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// The repository.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// Writes by way of a temporary file beside it; leaves a file that says the same untouched, so
/// that nothing is built again for it.
pub(crate) fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|held| held == content) {
        return Ok(());
    }
    let folder = path.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let draft = path.with_extension("draft");
    fs::write(&draft, content).with_context(|| format!("cannot write {}", draft.display()))?;
    fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))
}
