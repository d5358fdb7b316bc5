//! What tests of generations need.

use super::Generation;
use crate::vault::{Id, Time};

/// A generation whose id is all `id` bytes.
pub fn generation(id: u8, seconds: i64) -> Generation {
    Generation {
        id: Id([id; 32]),
        time: Time {
            seconds,
            nanos: 0,
            offset: 0,
        },
        parent: None,
        tree: Id::ZERO,
        paths: Vec::new(),
        hostname: String::new(),
        username: String::new(),
        uid: 0,
        gid: 0,
        excludes: Vec::new(),
        tags: Vec::new(),
        original: None,
        program_version: String::new(),
        summary: None,
        unknown: serde_json::Map::new(),
    }
}
