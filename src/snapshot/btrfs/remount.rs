//! Taking away the mount of a subvolume for the moment in which another takes its place, and the top level of its filesystem
//! meanwhile, which is opened without being mounted anywhere.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, UnmountFlags};

use super::subvolume::TOP_LEVEL;
use crate::snapshot::mounts::Mount;
use crate::snapshot::system::{Program, errno};
use crate::snapshot::writers::{Place, seen};
use crate::snapshot::{Error, Result};

const MOUNT: Program = Program {
    name: "mount",
    package: "mount",
    what: "mounting the subvolume again",
};

/// The top level of a mount's filesystem, opened without being mounted anywhere.
pub(super) struct TopLevel(OwnedFd);

impl TopLevel {
    /// Opens it.
    pub fn open(mount: &Mount) -> Result<TopLevel> {
        let opened = (|| {
            let filesystem = rustix::mount::fsopen("btrfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
            rustix::mount::fsconfig_set_string(&filesystem, "source", mount.source.as_os_str())?;
            rustix::mount::fsconfig_set_string(&filesystem, "subvolid", TOP_LEVEL.to_string())?;
            rustix::mount::fsconfig_create(&filesystem)?;
            rustix::mount::fsmount(&filesystem, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        })();
        opened
            .map(TopLevel)
            .map_err(errno("open the top level of", &mount.point))
    }

    /// A path from the filesystem's root as others may call it while this is open.
    pub fn below(&self, path: &Path) -> PathBuf {
        let base = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()));
        base.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// A mount that was taken away and comes again.
pub(super) struct Unmounted<'a> {
    mount: &'a Mount,
    done: bool,
}

impl Unmounted<'_> {
    /// Unmounts it; refused while anybody uses it.
    pub fn new(mount: &Mount) -> Result<Unmounted<'_>> {
        match rustix::mount::unmount(&mount.point, UnmountFlags::NOFOLLOW) {
            Ok(()) => Ok(Unmounted { mount, done: false }),
            Err(rustix::io::Errno::BUSY) => Err(Error::Busy {
                what: mount.point.display().to_string(),
                holders: seen(&Place::filesystem(&mount.point)).holders,
            }),
            Err(error) => Err(errno("unmount", &mount.point)(error)),
        }
    }

    /// Mounts it again.
    pub fn again(mut self) -> Result<()> {
        self.done = true;
        self.mount_again()
    }

    /// With the options it had; which subvolume is told by its name, since its number is another now.
    fn mount_again(&self) -> Result<()> {
        let mount = self.mount;
        let of_the_filesystem = mount.super_options.split(',');
        let options = mount.options.split(',').chain(of_the_filesystem);
        let kept = options.filter(|option| {
            let name = option.split('=').next().unwrap_or_default();
            !matches!(name, "subvol" | "subvolid" | "seclabel")
        });
        let mut text = OsString::from(kept.collect::<Vec<_>>().join(","));
        text.push(",subvol=");
        text.push(mount.root.as_os_str());
        let arguments = [
            OsStr::new("-t"),
            OsStr::new("btrfs"),
            OsStr::new("-o"),
            text.as_os_str(),
            mount.source.as_os_str(),
            mount.point.as_os_str(),
        ];
        MOUNT.run(&arguments, "run it with sudo").map(drop)
    }
}

impl Drop for Unmounted<'_> {
    fn drop(&mut self) {
        if !self.done
            && let Err(error) = self.mount_again()
        {
            tracing::error!("{error}");
        }
    }
}
