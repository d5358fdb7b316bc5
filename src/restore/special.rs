//! Symlinks, fifos and devices.

use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

use super::IssueKind;
use super::file::replace;
use super::folder::Folder;
use super::job::add;
use super::place::part_name;
use super::plan::Code;
use crate::vault::{Node, NodeType};

/// Makes one, or sets the metadata of the one that is there. What replaces something is made beside it and renamed.
pub(super) fn restore(folder: &Arc<Folder<'_>>, node: &Node, code: Code) {
    let job = folder.job;
    let path = folder.path_of(&node.name);
    let handle = folder.handle();
    let mut clean = !folder.default_acl;
    match code {
        Code::Metadata => clean = false,
        Code::Create | Code::Overwrite => {
            let part = part_name(&node.name);
            let name = if code == Code::Overwrite {
                part.as_slice()
            } else {
                node.name.as_slice()
            };
            let mut made = make(folder, node, name);
            if made == Err(Errno::EXIST) && code == Code::Overwrite {
                // Left over from a run that broke off.
                made = rustix::fs::unlinkat(handle, name, AtFlags::empty()).and_then(|()| make(folder, node, name));
            }
            match made {
                Ok(()) => {}
                Err(error @ (Errno::PERM | Errno::ACCESS)) if is_device(node) => {
                    let error = format!("making a device needs privilege ({error}); it was left out");
                    return job.issue(&path, IssueKind::NotRestored, error);
                }
                Err(error) => return job.refused(&path, "make it", error),
            }
            if code == Code::Overwrite
                && let Err(error) = replace(job, handle, &part, &node.name)
            {
                let _ = rustix::fs::unlinkat(handle, part.as_slice(), AtFlags::empty());
                return job.refused(&path, "give it its name", error);
            }
            add(&job.counters.others, 1);
        }
        _ => return,
    }
    let mut report = |kind, error| job.issue(&path, kind, error);
    job.rules.apply_at(handle, &node.name, node, clean, &mut report);
}

fn is_device(node: &Node) -> bool {
    matches!(node.kind, NodeType::Dev | NodeType::CharDev)
}

fn make(folder: &Folder<'_>, node: &Node, name: &[u8]) -> Result<(), Errno> {
    let handle = folder.handle();
    let mode = Mode::from_raw_mode(node.unix_permissions() & 0o700);
    match node.kind {
        NodeType::Symlink => rustix::fs::symlinkat(node.link_target.as_slice(), handle, name),
        NodeType::Fifo => rustix::fs::mknodat(handle, name, FileType::Fifo, mode, 0),
        NodeType::Dev => rustix::fs::mknodat(handle, name, FileType::BlockDevice, mode, node.device),
        NodeType::CharDev => rustix::fs::mknodat(handle, name, FileType::CharacterDevice, mode, node.device),
        NodeType::File | NodeType::Dir | NodeType::Socket => Err(Errno::INVAL),
    }
}
