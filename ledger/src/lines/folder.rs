//! The files of a ledger: their names, and their order.

use std::io;
use std::path::{Path, PathBuf};

/// The name of a ledger's file by its number, from 1.
pub fn file_name(number: u64) -> String {
    format!("audit-{number:06}.jsonl")
}

/// The ledger's files in their order; files of other names are not looked at.
///
/// # Errors
/// The folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(number_of) {
            found.push((number, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?.parse().ok()?;
    (file_name(number) == name && number < u64::MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_name() {
        assert_eq!(number_of(&file_name(7)), Some(7));
        assert_eq!(number_of(&file_name(12_345_678)), Some(12_345_678));
        for other in
            ["audit-7.jsonl", "audit-0000007.jsonl", "audit-000007.jsonl.gz", "audit-+00007.jsonl"]
        {
            assert_eq!(number_of(other), None, "{other}");
        }
    }
}
