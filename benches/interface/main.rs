//! What the interface must keep: a key's way to the screen with a million files open while backups take all processors,
//! the way to the first useful screen with ten vaults of a thousand generations, and searches in a million entries over a
//! thousand generations. README.md beside this folder says how it measures.
//!
//! `cargo bench --bench interface -- [keys|opening|search]…`; all three without a word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark's set-up fails as tests do"
)]

mod figures;
mod keys;
mod load;
mod opening;
mod search;
mod session;
mod vaults;

fn main() {
    // `cargo bench` adds options of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    println!(
        "{} processors",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    if wanted("search") {
        search::run();
    }
    if wanted("opening") {
        opening::run();
    }
    if wanted("keys") {
        keys::run();
    }
}
