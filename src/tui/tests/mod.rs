//! The interface as a whole, on the stage: what keys do, what screens look like, what random hands cannot break, and how
//! many bytes a key costs.

mod behaviour;
mod bytes;
mod cost;
mod generations;
mod hostile;
mod jobs;
mod journeys;
mod low;
mod random;
mod reach;
mod readme;
mod restoring;
mod scenes;
mod screens;
mod search;
mod setup;
mod snapshots;
mod staging;
pub(super) mod time_travel;
mod waiting;
mod why;
