//! A refusal: a `TimeStampResp` without a token (RFC 3161 §2.4.2).

use countersign_core::tsp::FailureInfo;

use crate::der;

/// `PKIStatus` rejection (RFC 4210 §5.2.3).
const REJECTION: u64 = 2;

/// DER of a `TimeStampResp` with status `rejection`, the failure bit, and a text for people
/// (`statusString`, left out when empty). It is not signed and needs no key.
pub fn refusal(failure: FailureInfo, status_text: &str) -> Vec<u8> {
    let free_text = match status_text {
        "" => Vec::new(),
        text => der::sequence(&[&der::utf8_string(text)]),
    };
    let status_info = der::sequence(&[
        &der::integer(REJECTION),
        &free_text,
        // Bit numbers, not masks: badAlg(0) is the first bit of the first octet.
        &der::named_bits(&[failure.bit()]),
    ]);
    der::sequence(&[&status_info])
}
