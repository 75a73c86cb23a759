//! A timestamp authority's files, and what is read back from its tokens and ledgers.

use std::{collections::HashSet, fs, sync::OnceLock};

use countersign_core::{
    cms::SignedData,
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest, encode_hex},
    tsp::{TimestampResponse, TstInfo},
};
use countersign_signing::tsp::TimestampRequestBuilder;
use countersign_tests::{
    programs::{Service, TIMESTAMP},
    scenario::{Limits, Site},
    stamping,
};
use serde_json::Value;

/// A site with lines added to the timestamp service's configuration.
pub(crate) fn site(tables: &str) -> Site {
    let site = Site::found(&Limits::Usual).expect("a site");
    configure(&site, "timestamp.toml", tables);
    site
}

/// Writes a configuration: the site's, with more tables.
pub(crate) fn configure(site: &Site, name: &str, tables: &str) {
    static PLAIN: OnceLock<String> = OnceLock::new();
    let folder = site.shell.folder();
    let plain = PLAIN.get_or_init(|| {
        fs::read_to_string(folder.join("timestamp.toml")).expect("a configuration")
    });
    fs::write(folder.join(name), format!("{plain}\n{tables}")).expect("written");
}

/// Starts a timestamp service with a configuration of [`configure`].
pub(crate) fn start(site: &Site, configuration: &str) -> Service {
    let (programs, folder) = (site.shell.programs(), site.shell.folder());
    Service::start(programs, TIMESTAMP, folder, configuration, &["public"]).expect("it listens")
}

/// A request without a nonce, whole with its HTTP head.
pub(crate) fn request() -> Vec<u8> {
    let imprint = digest(&AwsLc, HashAlgorithm::Sha256, b"what is stamped");
    stamping::post(&TimestampRequestBuilder::new(imprint).build())
}

/// The serial number of a granted response, in hexadecimal.
pub(crate) fn serial(response: &[u8]) -> String {
    let response = TimestampResponse::decode(response).expect("a TimeStampResp");
    let signed = SignedData::decode(response.token.expect("a token")).expect("SignedData");
    encode_hex(TstInfo::decode(signed.content).expect("a TSTInfo").serial)
}

/// The serial numbers in a ledger that verifies; each is there once.
pub(crate) fn recorded_serials(site: &Site, ledger: &str) -> HashSet<String> {
    site.shell.succeed(&format!("countersign audit verify {ledger}")).expect("it is whole");
    let mut serials = HashSet::new();
    for text in countersign_ledger::texts(&site.shell.folder().join(ledger)).expect("whole") {
        let record: Value = serde_json::from_str(&text).expect("JSON");
        if record["kind"] == "token" {
            let serial = record["record"]["serial"].as_str().expect("a serial").to_owned();
            assert!(serials.insert(serial), "a serial twice: {record}");
        }
    }
    serials
}
