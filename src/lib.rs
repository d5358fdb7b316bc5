//! Coffer keeps backups and snapshots, shows what each protects, and says what keeping them costs.
//!
//! The rooms, in the order data flows: [`cli`] and [`tui`] drive the [`engine`]; the engine drives [`backup`],
//! [`restore`] and [`query`]; [`retention`] says which generations stay, [`lifetimes`] what they take, [`cost`] what that
//! costs; these work on a [`vault`] (one restic repository) and the [`catalog`]; a vault's bytes lie
//! in a [`storage`]. [`config`] is the user's own file, [`schedule`] when its plans run; [`text`] makes names safe and amounts readable for all of them;
//! [`ending`] is what must come to its end when the process is told to stop.
//! Dependencies point down only. Only `cli` and `tui` touch the terminal; only `main` and `config` read the environment:
//! paths, clock and randomness come in as values.

// The interface's stage is also built outside the crate, by the program that draws the screenshots.
#[cfg(test)]
extern crate self as coffer;

pub mod backup;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod cost;
pub mod ending;
pub mod engine;
pub mod hook;
pub mod lifetimes;
pub mod progress;
pub mod query;
pub mod restore;
pub mod retention;
pub mod schedule;
pub mod snapshot;
pub mod storage;
pub mod text;
pub mod tui;
pub mod vault;
