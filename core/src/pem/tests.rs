#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use alloc::string::ToString;

use super::*;

fn der(length: u8) -> Vec<u8> {
    let mut der = vec![0x30, length];
    der.extend((0..length).map(|octet| octet.wrapping_mul(37)));
    der
}

fn base64(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}

fn armoured(label: &str, octets: &[u8], width: usize, end: &str) -> String {
    let text = base64(octets);
    let lines: Vec<&str> =
        text.as_bytes().chunks(width).map(|line| core::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----{end}{}{end}-----END {label}-----{end}", lines.join(end))
}

fn read(text: impl AsRef<[u8]>, kind: Kind) -> Result<Vec<Vec<u8>>, PemFault> {
    objects(text.as_ref().to_vec(), kind)
}

#[test]
fn reads_lines_of_any_length_and_end() {
    let wanted = der(120);
    for width in [1, 48, 64, 76, 100_000] {
        for end in ["\n", "\r\n", "\r", "  \n", " \t\r\n", "\n\n", " "] {
            let text = armoured("CERTIFICATE", &wanted, width, end);
            assert_eq!(
                read(&text, Kind::Certificate).unwrap(),
                core::slice::from_ref(&wanted),
                "{width} {end:?}"
            );
        }
    }
}

#[test]
fn reads_every_block_with_text_and_byte_order_marks_around_it() {
    let (first, second) = (der(10), der(120));
    let text = format!(
        "\u{feff}{}Bag Attributes\n    localKeyID: 01 \nsubject=CN = x-----BEGIN y\n\u{feff}{}more",
        armoured("X509 CRL", &first, 64, "\n"),
        armoured("X509 CRL", &second, 76, "\r\n"),
    );
    assert_eq!(read(&text, Kind::Crl).unwrap(), [first.clone(), second]);
    let text = format!("0 certificates come before\n{}", armoured("X509 CRL", &first, 64, "\n"));
    assert_eq!(read(&text, Kind::Crl).unwrap(), [first]);
}

#[test]
fn der_comes_back_as_it_is() {
    let long = [vec![0x30, 0x82, 1, 0], vec![b'\n'; 256]].concat();
    for content in [der(7), der(127), long, vec![0x30]] {
        assert_eq!(read(&content, Kind::Certificate).unwrap(), [content]);
    }
    for content in [vec![], vec![1, 2, 3], b"hello".to_vec()] {
        assert_eq!(read(&content, Kind::Crl).unwrap(), core::slice::from_ref(&content));
        let fault = read(&content, Kind::Certificate).unwrap_err();
        assert_eq!(fault.reason, PemReason::NoBlock { wanted: "certificate" });
    }
}

#[test]
fn a_block_that_cannot_be_used_is_named_by_its_number() {
    let good = armoured("CERTIFICATE", &der(100), 64, "\n");
    let fault = |second: &str| {
        let fault = read(format!("{good}{second}{good}"), Kind::Certificate).unwrap_err();
        assert_eq!(fault.block, Some(2), "{fault}");
        assert_eq!(fault.place("all.pem"), "block 2 of all.pem");
        assert!(fault.to_string().starts_with("block 2: "), "{fault}");
        fault.reason
    };
    let label = || String::from("CERTIFICATE");
    assert_eq!(fault(&good.replace('M', "!")), PemReason::NotBase64);
    assert_eq!(
        fault("-----BEGIN CERTIFICATE-----\nMAA=\nMAA=\n-----END CERTIFICATE-----\n"),
        PemReason::NotBase64
    );
    assert_eq!(fault("-----BEGIN CERTIFICATE-----\nMAA=\n"), PemReason::NoEnd { label: label() });
    assert_eq!(
        fault("-----BEGIN CERTIFICATE-----\nMAA=\n-----END X509 CRL-----\n"),
        PemReason::OtherEnd { label: label() }
    );
    assert_eq!(
        fault(&armoured("X509 CRL", &der(9), 64, "\n")),
        PemReason::OtherKind { label: String::from("X509 CRL"), wanted: "certificate" }
    );
    assert_eq!(
        fault(
            "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END CERTIFICATE-----\n"
        ),
        PemReason::Headers
    );
    let cut = format!("{good}-----BEGIN CERTIFICATE-----\nMA");
    assert_eq!(read(cut, Kind::Certificate).unwrap_err().block, Some(2));
}

#[test]
fn padding_within_is_refused_wherever_it_stands() {
    // A piece that ends in padding, with more behind it.
    let first = base64(&vec![0; PIECE_OCTETS / 4 * 3 - 1]);
    assert_eq!(first.len(), PIECE_OCTETS);
    let text = format!("-----BEGIN X-----\n{first}AAAA\n-----END X-----\n");
    assert_eq!(read(text, Kind::Any).unwrap_err().reason, PemReason::NotBase64);
}

#[test]
fn keys_and_parameters_beside_certificates_are_left_to_others() {
    let certificate = der(50);
    let text = [
        armoured("EC PARAMETERS", &der(8), 64, "\n"),
        armoured("ENCRYPTED PRIVATE KEY", &der(90), 64, "\n"),
        armoured("CERTIFICATE", &certificate, 64, "\n"),
    ]
    .concat();
    assert_eq!(read(&text, Kind::Certificate).unwrap(), [certificate]);
    let key_alone = armoured("PRIVATE KEY", &der(90), 64, "\n");
    let fault = read(key_alone, Kind::Certificate).unwrap_err();
    assert_eq!(fault.reason, PemReason::NoBlock { wanted: "certificate" });
}

#[test]
fn one_object_is_one() {
    let block = armoured("PUBLIC KEY", &der(50), 64, "\n");
    assert_eq!(object(block.clone().into_bytes(), Kind::PublicKey).unwrap(), der(50));
    let fault = object(format!("{block}{block}").into_bytes(), Kind::PublicKey).unwrap_err();
    assert_eq!(fault.reason, PemReason::Several { wanted: "public key", count: 2 });
}

#[test]
fn text_that_is_no_pem_is_named_for_what_it_is() {
    let naked = base64(&der(100));
    assert_eq!(read(&naked, Kind::Crl).unwrap_err().reason, PemReason::Unarmoured);
    let utf16: Vec<u8> = format!("\u{feff}{}", armoured("X509 CRL", &der(9), 64, "\n"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(utf16, Kind::Crl).unwrap_err().reason, PemReason::Utf16);
}

#[test]
fn lines_that_only_look_like_a_beginning_are_text() {
    for text in [
        "-----BEGIN -----\n",
        "-----BEGIN \u{7}-----\n",
        "see -----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE----\n",
    ] {
        assert_eq!(blocks(text.as_bytes()).count(), 0, "{text}");
    }
    let long = format!("-----BEGIN {}-----\n", "X".repeat(LABEL_OCTETS + 1));
    assert_eq!(blocks(long.as_bytes()).count(), 0);
}
