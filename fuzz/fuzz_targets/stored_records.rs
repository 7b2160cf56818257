#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kabar::fuzzing::stored_records(bytes));
