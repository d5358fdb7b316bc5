//! Whole packs: as they come, and with a header that was sealed with the right key.
#![no_main]

#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::pack(data));
