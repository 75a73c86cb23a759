//! Serial numbers as people write them: hexadecimal.

use countersign_core::digest::decode_hex;

/// The longest serial number in octets, RFC 5280 §4.1.2.2.
const MAX_OCTETS: usize = 20;

/// The content octets of the INTEGER that `text` names: hexadecimal of either case, with or without
/// colons, leading zeros not counted; what core's `serial_text` prints. Negative serial numbers
/// cannot be written so.
pub(crate) fn parse(text: &str) -> Option<Vec<u8>> {
    if text.len() > 3 * (MAX_OCTETS + 1) {
        return None;
    }
    let mut digits: String = text.chars().filter(|character| *character != ':').collect();
    if digits.len() % 2 == 1 {
        digits.insert(0, '0');
    }
    let octets = decode_hex(&digits)?;
    let start = octets.iter().position(|octet| *octet != 0)?;
    let magnitude = octets.get(start..)?;
    let mut content = Vec::with_capacity(magnitude.len() + 1);
    if magnitude.first()? & 0x80 != 0 {
        content.push(0);
    }
    content.extend_from_slice(magnitude);
    (content.len() <= MAX_OCTETS + 1).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_openssl_and_this_service_print() {
        for (text, want) in [
            ("01", &[1][..]),
            ("1", &[1]),
            ("0001", &[1]),
            ("AB:cd", &[0, 0xab, 0xcd]),
            ("00abcd", &[0, 0xab, 0xcd]),
            ("7fff", &[0x7f, 0xff]),
        ] {
            assert_eq!(parse(text).as_deref(), Some(want), "{text}");
        }
        let printed = countersign_core::x509::certificate::serial_text(&[0, 0xab]);
        assert_eq!(parse(&printed).as_deref(), Some(&[0, 0xab][..]));
    }

    #[test]
    fn refuses_what_is_no_serial_number() {
        for text in ["", "00", "xyz", "-1", "0x1", &"11".repeat(22)] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
