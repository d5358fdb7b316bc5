//! What was backed up, as paths in the tree: below these a generation holds folders in full, above them it holds only the
//! way there.

use super::selection::{is_at_or_below, trim};
use super::walk::find_entry;
use super::{Error, Result};
use crate::vault::{Generation, IndexedVault};

/// The paths that were backed up, as they are in the tree. restic keeps a relative path relative there, while the
/// generation tells it absolute: the longest end of it that exists is meant.
pub(super) fn roots(vault: &IndexedVault, generation: &Generation, absolute: bool) -> Result<Vec<Vec<u8>>> {
    let mut roots = Vec::new();
    for path in &generation.paths {
        let parts: Vec<&[u8]> = trim(path.as_bytes())
            .split(|&b| b == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        let found = (0..=parts.len()).find_map(|skip| match exists(vault, generation, &parts[skip..]) {
            Ok(true) => Some(Ok(skip)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        });
        match found.transpose()? {
            Some(0) => roots.push(parts.join(&b'/')),
            // An empty end says nothing when there are other paths.
            Some(skip) if !absolute && (skip < parts.len() || generation.paths.len() == 1) => {
                roots.push(parts[skip..].join(&b'/'));
            }
            Some(_) if absolute => {
                return Err(Error::Refused(format!(
                    "{path} is kept with a relative path in this generation, so that its original place is not known for \
                     sure; restore it with --target"
                )));
            }
            _ => {}
        }
    }
    Ok(roots)
}

fn exists(vault: &IndexedVault, generation: &Generation, parts: &[&[u8]]) -> Result<bool> {
    let mut tree = Some(generation.tree);
    for part in parts {
        let Some(folder) = tree else { return Ok(false) };
        match find_entry(vault, &folder, part)? {
            Some(node) => tree = node.subtree,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether a folder lies strictly above what was backed up: restoring in place takes it as the machine has it.
pub(super) fn is_above_roots(in_place: bool, roots: &[Vec<u8>], path: &[u8]) -> bool {
    let path = trim(path);
    in_place && roots.iter().any(|root| root != path && is_at_or_below(root, path)) && !is_in_roots(roots, path)
}

/// Whether a folder is held in full: it was backed up, or lies below what was.
pub(super) fn is_in_roots(roots: &[Vec<u8>], path: &[u8]) -> bool {
    roots.iter().any(|root| is_at_or_below(trim(path), root))
}
