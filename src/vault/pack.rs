//! Pack files: blobs and their encrypted header.
