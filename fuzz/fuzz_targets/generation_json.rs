//! Generation files: what is read and written once is then stable to the byte.
#![no_main]

#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::generation_json(data));
