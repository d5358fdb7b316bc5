//! Coffer against the real world: real restics on the same vaults, signals, kills, damage. Run by `tests/run`, which
//! brings what they need; plain `cargo test` passes over them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail as tests do"
)]

mod damage;
mod edge;
mod exchange;
mod interrupted;
mod lifetimes;
mod locking;
mod prune;
mod retention;
mod same_tree;
mod snapshots;
mod support;
