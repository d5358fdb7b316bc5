//! Jobs, from start to log.
//!
//! `start` gives each [`Task`](super::Task) a thread of its own, `end` writes down what came of it; `backing_up` backs up,
//! `space` deletes generations and prunes; `kind` is what there is, `job` what can be watched, stopped and waited for.
//! Across processes: `marks` says who is alive and keeps two runs of one plan apart, `post` lets another process ask and
//! stop, `all` puts together what this process, others and the history know.

mod all;
mod backing_up;
mod end;
pub(super) mod job;
pub(super) mod kind;
pub(super) mod marks;
pub(super) mod post;
mod space;
mod start;
