//! The user's TOML (vaults, plans) and the folders Coffer uses.
