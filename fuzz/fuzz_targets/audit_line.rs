//! A line of an audit ledger: what is read is exactly what would be written.
#![no_main]

use countersign_ledger::Entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = Entry::decode(data) {
        let Entry { sequence, time, kind, record, previous } = entry;
        let again = format!(
            "{{\"sequence\":{sequence},\"time\":\"{time}\",\"kind\":\"{kind}\",\
             \"record\":{record},\"previous\":\"{previous}\"}}"
        );
        assert_eq!(again.as_bytes(), data);
        let _ = entry.file_record();
    }
});
