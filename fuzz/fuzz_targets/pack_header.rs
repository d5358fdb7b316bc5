//! Decrypted pack headers: what is accepted adds up to the size of the file exactly.
#![no_main]

#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::pack_header(data));
