//! Where a user's own files are (XDG Base Directory Specification).

use std::{env, path::PathBuf};

/// The folder that the variable names, else that one in the home folder; `None` if neither is known.
///
/// Relative folders are passed over, as the specification says: they would be the current folder's,
/// and whoever filled that would choose settings, trust included.
pub(crate) fn user_folder(variable: &str, in_home: &str) -> Option<PathBuf> {
    let path = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    path(variable).or_else(|| Some(path("HOME")?.join(in_home)))
}
