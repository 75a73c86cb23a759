//! A record, a line and the proof of a record of an audit ledger: what is read is exactly what would be written. A
//! write-ahead file: the records that are read are those that would be written.
#![no_main]

use countersign_ledger::{Entry, Proof, decode_segment, encode_segment, lines::Line};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(written(&entry) + "}", std::str::from_utf8(data).expect("text"));
        let _ = entry.beginning();
    }
    if let Ok(line) = Line::decode(data) {
        let again = format!("{},\"previous\":\"{}\"}}", written(&line.entry), line.previous);
        assert_eq!(again.as_bytes(), data);
        let _ = line.file_record();
    }
    let records = decode_segment(data);
    assert_eq!(decode_segment(&encode_segment(&records)), records);
    if let Some(proof) = std::str::from_utf8(data).ok().and_then(|text| Proof::decode(text).ok()) {
        assert_eq!(proof.text().as_bytes(), data);
        let _ = (proof.verify(), proof.entry());
    }
});

/// The members that both formats begin with.
fn written(entry: &Entry<'_>) -> String {
    let Entry { sequence, time, kind, record, .. } = entry;
    format!("{{\"sequence\":{sequence},\"time\":\"{time}\",\"kind\":\"{kind}\",\"record\":{record}")
}
