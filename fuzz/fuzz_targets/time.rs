//! Times: what is read stands for the same instant once written, and is then stable.
#![no_main]

#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::time(data));
