//! Adding and removing vaults and plans in the config's text: comments and layout stay the user's.

use std::path::Path;

use super::{PlanConfig, Result, VaultConfig};

/// The text with a vault added at its end. Only what is set is written. Errors when the name is taken.
pub fn add_vault(text: &str, file: &Path, vault: &VaultConfig) -> Result<String> {
    let _ = (text, file, vault);
    todo!()
}

/// The text with a plan added at its end. Only what differs from the defaults is written. Errors when the name is taken.
pub fn add_plan(text: &str, file: &Path, plan: &PlanConfig) -> Result<String> {
    let _ = (text, file, plan);
    todo!()
}

/// The text without this vault's table. Errors when there is none, or a plan still names it.
pub fn remove_vault(text: &str, file: &Path, name: &str) -> Result<String> {
    let _ = (text, file, name);
    todo!()
}

/// The text without this plan's table. Errors when there is none.
pub fn remove_plan(text: &str, file: &Path, name: &str) -> Result<String> {
    let _ = (text, file, name);
    todo!()
}

/// Changes the file by one of the functions above: reads it (empty when missing), applies, checks that the result parses,
/// and replaces the file in one step with its mode kept (0600 when new; its folder is made).
pub fn change(file: &Path, edit: impl FnOnce(&str) -> Result<String>) -> Result<super::Config> {
    let _ = (file, edit);
    todo!()
}
