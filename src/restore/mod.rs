//! Blobs back to files: plan, execute, metadata; archives to standard output.
