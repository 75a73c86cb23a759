//! DER in BER's other forms (X.690 §8): what old timestamp authorities sent.

/// The same values with every constructed one of indefinite length, and every OCTET STRING in two
/// pieces.
///
/// # Panics
/// When `der` is not a run of whole values.
pub fn in_ber(der: &[u8]) -> Vec<u8> {
    let mut ber = Vec::new();
    let mut rest = der;
    while let [identifier, first, after @ ..] = rest {
        let further = if *first < 0x80 { 0 } else { usize::from(first & 0x7F) };
        let length = if *first < 0x80 {
            usize::from(*first)
        } else {
            after[..further].iter().fold(0, |length, octet| length * 256 + usize::from(*octet))
        };
        let (content, following) = after[further..].split_at(length);
        match identifier {
            0x04 => {
                let (one, other) = content.split_at(content.len() / 2);
                let pieces = [one, other].map(countersign_signing::der::octet_string);
                ber.extend([&[0x24, 0x80], &pieces.concat()[..], &[0, 0]].concat());
            }
            constructed if constructed & 0x20 != 0 => {
                ber.extend([&[*constructed, 0x80], &in_ber(content)[..], &[0, 0]].concat());
            }
            _ => ber.extend_from_slice(&rest[..rest.len() - following.len()]),
        }
        rest = following;
    }
    assert!(rest.is_empty(), "not whole values");
    ber
}
