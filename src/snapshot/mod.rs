//! Snapshots: a whole volume or machine at one moment, and back again. Not a backup: most lie on the disk they protect.
//!
//! - `model` holds the words: [`Target`], [`Snapshot`], [`Consistency`], what a rollback would lose;
//! - [`Provider`] is the small trait behind which each real system stands, in a folder of its own below this one;
//! - what is known of a snapshot beyond what its system keeps (label, level, who made it) lies beside the snapshot itself,
//!   so that it survives the loss of this machine's data folder and is the same for everyone who looks.
//!
//! How data passes: a [`Target`] is resolved to a provider; `preflight` says which levels can be had now and why not a
//! higher one; taking runs hooks, freezes, snapshots, thaws, whatever fails; rolling back is first a [`RollbackPlan`] that
//! can be shown. What does not live here: when policies run, prices, and how any of it is shown.

pub mod btrfs;
pub mod compare;
mod copy;
pub mod cover;
pub mod databases;
pub mod ebs;
mod error;
mod freeze;
mod hold;
pub mod hooks;
mod levels;
mod model;
mod mounts;
mod origins;
pub mod policy;
mod provider;
pub mod qcow2;
pub mod qemu;
mod reading;
mod record;
pub mod reflink;
pub mod replaced;
mod resolve;
pub mod restore;
pub mod run;
mod shelf;
mod standing;
mod system;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod turns;
pub mod watchdog;
mod writers;

pub use error::{Error, NotHeld, Result};
pub use model::{
    Ability, Consistency, Found, Kind, MadeBy, RollbackPlan, RolledBack, Size, Snapshot, SnapshotId, Target, Whole,
    Writer,
};
pub use mounts::is_remote;
pub use origins::{Origin, Origins};
pub use provider::{DiskOf, Files, Frozen, Labels, Order, Provider, Within, Work};
pub use reading::Reading;
pub use record::Record;
pub use resolve::{kind_of, resolve};
pub use shelf::{SHELF, identities};
