//! The suite's files, as the Python package has them.

use std::{collections::BTreeMap, fs, path::Path};

/// The trust anchor's file name without its ending.
pub(crate) const ANCHOR: &str = "TrustAnchorRootCertificate";

/// Where `scripts/setup` puts the package.
const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/vectors/cryptography_vectors/x509/PKITS_data");

/// Certificates and CRLs by file name without its ending, DER.
pub(crate) struct Suite {
    certificates: BTreeMap<String, Vec<u8>>,
    crls: BTreeMap<String, Vec<u8>>,
}

impl Suite {
    pub(crate) fn load() -> Self {
        let folder = Path::new(FOLDER);
        assert!(
            folder.is_dir(),
            "the NIST PKITS files are missing: run `scripts/setup test`, which installs them"
        );
        Self { certificates: load(&folder.join("certs")), crls: load(&folder.join("crls")) }
    }

    pub(crate) fn certificate(&self, name: &str) -> Vec<u8> {
        self.certificates.get(name).unwrap_or_else(|| panic!("no certificate {name}")).clone()
    }

    pub(crate) fn crl(&self, name: &str) -> Vec<u8> {
        self.crls.get(name).unwrap_or_else(|| panic!("no CRL {name}")).clone()
    }

    pub(crate) fn certificates(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.certificates.iter().map(|(name, raw)| (name.as_str(), raw.as_slice()))
    }

    pub(crate) fn crls(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.crls.iter().map(|(name, raw)| (name.as_str(), raw.as_slice()))
    }
}

fn load(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    entries
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a readable file"))
        })
        .collect()
}
