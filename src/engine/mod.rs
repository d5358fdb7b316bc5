//! What the commands and the interface both drive: commands in, events out, jobs with progress and cancellation.

pub mod question;
