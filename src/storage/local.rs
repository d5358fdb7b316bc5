//! A vault in a local folder.
