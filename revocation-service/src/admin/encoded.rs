//! The certificates in a body: PEM, DER, or JSON Lines. What is in one is not read here.

use base64ct::{Base64, Encoding};
use countersign_core::{
    asn1::Cursor,
    pem::{self, Kind},
};
use countersign_daemon::{json_body, problem::Problem};
use serde::Deserialize;

/// A line of JSON Lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    certificate: String,
}

/// The certificates in a body: PEM with any number, or DER, one after the other.
pub(super) fn split(body: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    if !pem::is_der(body) {
        return pem::objects(body.to_vec(), Kind::Certificate).map_err(|fault| {
            Problem::bad_request(
                "certificate.malformed",
                format!("Send PEM or DER certificates: {fault}."),
            )
        });
    }
    let mut cursor = Cursor::new(body);
    let mut certificates = Vec::new();
    while !cursor.is_empty() {
        let next = cursor.any("certificate").map_err(|error| {
            Problem::bad_request("certificate.malformed", format!("This is not DER: {error}."))
        })?;
        certificates.push(next.raw.to_vec());
    }
    Ok(certificates)
}

/// The certificates of JSON Lines.
pub(super) fn lines(body: &[u8]) -> Vec<Result<Vec<u8>, Problem>> {
    let lines = body.split(|octet| *octet == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines
        .map(|line| {
            let malformed = || {
                Problem::bad_request(
                    "certificate.malformed",
                    "A line is {\"certificate\": \"the DER in base64\"}.",
                )
            };
            let line: Line = json_body::decode(line).map_err(|_| malformed())?;
            Base64::decode_vec(&line.certificate).map_err(|_| malformed())
        })
        .collect()
}
