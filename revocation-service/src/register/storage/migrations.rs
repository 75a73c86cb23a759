//! The tables, version by version: the files of `migrations/`, which are part of the program.
//!
//! `sqlx::migrate!` would read the folders by itself, and compile both drivers a second time for that.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// A file's name, which begins with its version, and its statements.
type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../migrations/", $folder, "/", $name, ".sql")))),+]
    };
}

const SQLITE: [File; 13] = files!("sqlite":
    "0001_initial",
    "0002_crl_lists",
    "0003_administration",
    "0004_bound_proposals",
    "0005_ledgers",
    "0006_evidence",
    "0007_reserved_keys",
    "0008_tbs",
    "0009_people",
    "0010_compromises",
    "0011_client_crls",
    "0012_release_signers",
    "0013_proposers",
);

const POSTGRES: [File; 11] = files!("postgres":
    "0001_initial",
    "0002_bound_proposals",
    "0003_ledgers",
    "0004_evidence",
    "0005_reserved_keys",
    "0006_tbs",
    "0007_people",
    "0008_compromises",
    "0009_client_crls",
    "0010_release_signers",
    "0011_proposers",
);

/// Makes a SQLite database's tables, and brings those of an earlier version up to date.
pub fn sqlite() -> Migrator {
    migrator(&SQLITE)
}

/// The same for PostgreSQL.
pub(super) fn postgres() -> Migrator {
    migrator(&POSTGRES)
}

fn migrator(files: &'static [File]) -> Migrator {
    let migration = |(name, statements): &'static File| {
        let (version, about) = name.split_once('_').unwrap_or((name, ""));
        let version = version.parse().unwrap_or_default();
        let statements = statements.into_sql_str();
        Migration::new(
            version,
            about.replace('_', " ").into(),
            MigrationType::Simple,
            statements,
            false,
        )
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_file_is_listed_and_has_the_next_version() {
        for (folder, files) in [("sqlite", &SQLITE[..]), ("postgres", &POSTGRES)] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
            let entries = fs::read_dir(path).expect("a folder");
            let names = entries.map(|entry| entry.expect("an entry").file_name());
            let mut names: Vec<_> = names.map(|name| name.into_string().expect("ASCII")).collect();
            names.sort_unstable();
            let listed: Vec<_> = files.iter().map(|(name, _)| format!("{name}.sql")).collect();
            assert_eq!(listed, names, "{folder}");
            let versions = migrator(files).iter().map(|each| each.version).collect::<Vec<_>>();
            let expected = (1..).take(files.len()).collect::<Vec<i64>>();
            assert_eq!(versions, expected, "{folder}");
        }
    }
}
