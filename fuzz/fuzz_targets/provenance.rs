//! The provenance in a statement; the statement's decoder, which walks it first, need not like it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use countersign_core::bundle::{FieldFault, Provenance};
    if let Ok(Some(provenance)) = Provenance::decode(data) {
        let fields =
            [provenance.builder, provenance.build_type, provenance.source, provenance.reference];
        for field in fields {
            if let Err(FieldFault::Missing(place) | FieldFault::Malformed(place)) = field {
                assert!(!place.is_empty());
            }
        }
    }
});
