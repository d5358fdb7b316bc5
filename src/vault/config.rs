//! The vault's own config file.
