//! What the tests of many rooms need: a small vault in a folder of its own.

use std::sync::Arc;

use tempfile::TempDir;

use super::key::ScryptParameters;
use super::{CreateOptions, Password, Vault};
use crate::storage::LocalStorage;

/// The password of [`test_vault`].
pub const PASSWORD: &str = "test";

/// How test vaults are made: key derivation costs nothing, the polynomial is always the same.
pub fn test_options(version: u32) -> CreateOptions {
    CreateOptions {
        version,
        polynomial: Some(0x25_b468_838d_cb75),
        username: "tester".into(),
        hostname: "test-host".into(),
        scrypt: Some(ScryptParameters::FOR_TESTS),
    }
}

/// An empty vault of version 2 and its folder.
pub fn test_vault() -> (TempDir, Vault) {
    test_vault_of(2)
}

/// An empty vault of a version, and its folder.
pub fn test_vault_of(version: u32) -> (TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(storage(&folder), &Password::new(PASSWORD), &test_options(version)).unwrap();
    (folder, vault)
}

/// The storage of a test vault's folder.
pub fn storage(folder: &TempDir) -> Arc<LocalStorage> {
    Arc::new(LocalStorage::new(folder.path()))
}
