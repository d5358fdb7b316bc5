//! The interface in a real pseudo-terminal, as the program runs for people: keys go in, the screen is read back, and
//! afterwards the terminal is as it was. Nothing sleeps: each step waits for what it needs to see.

// Helpers of tests, outside of test functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../system/snapshots/guest.rs"]
mod guest;
mod jobs;
mod restore;
mod session;
mod snapshots;
mod ssh;
mod terminal;
