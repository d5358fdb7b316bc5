//! What the filesystem says about an entry → a [`Node`], with as few system calls as can be: one `lstat`, one listing of
//! extended attributes, `readlink` for links. Nothing is opened.
//!
//! [`Stat`] is what `lstat` said as plain values, so that everything made of it can be tested without a filesystem. A
//! [`MetadataReader`] is one thread's: it holds the buffers and the owners' names met so far.

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType};
use rustix::io::Errno;

use crate::vault::time::Zone;
use crate::vault::tree::{Xattr, mode};
use crate::vault::{Node, NodeType};

/// The kernel takes no longer path, NUL included.
const LONGEST_PATH: usize = 4096;
/// The kernel's limit for one attribute's value and for the list of their names (Linux).
const LARGEST_XATTR: usize = 65_536;

/// Where an entry lies: a name in an open folder, so that paths may be longer than the kernel takes.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The open folder; [`CWD`] makes `name` a path.
    pub dir: BorrowedFd<'a>,
    /// The entry's name there.
    pub name: &'a CStr,
    /// A path to the same entry, if there is one: attributes can only be asked for by path, and the detour over the open
    /// folder costs twice as much. Paths too long for the kernel are not used.
    pub path: Option<&'a CStr>,
}

impl<'a> Place<'a> {
    /// An entry by its path alone.
    pub fn path(path: &'a CStr) -> Place<'a> {
        Place {
            dir: CWD,
            name: path,
            path: Some(path),
        }
    }
}

/// What `lstat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stat {
    /// `st_mode`: type and permission bits.
    pub mode: u32,
    /// `st_ino`.
    pub inode: u64,
    /// `st_dev`.
    pub device_id: u64,
    /// `st_rdev`.
    pub device: u64,
    /// `st_nlink`.
    pub links: u64,
    /// `st_uid`.
    pub uid: u32,
    /// `st_gid`.
    pub gid: u32,
    /// `st_size`.
    pub size: u64,
    /// Seconds since 1970 and nanoseconds from there on.
    pub mtime: (i64, u32),
    /// The same of last access.
    pub atime: (i64, u32),
    /// The same of last status change.
    pub ctime: (i64, u32),
}

impl Stat {
    /// `lstat` of an entry.
    pub fn of(place: Place<'_>) -> io::Result<Stat> {
        Ok(Stat::from(rustix::fs::statat(
            place.dir,
            place.name,
            AtFlags::SYMLINK_NOFOLLOW,
        )?))
    }

    /// What the entry is; `None` for what no vault can hold.
    pub fn kind(&self) -> Option<NodeType> {
        Some(match FileType::from_raw_mode(self.mode as _) {
            FileType::RegularFile => NodeType::File,
            FileType::Directory => NodeType::Dir,
            FileType::Symlink => NodeType::Symlink,
            FileType::BlockDevice => NodeType::Dev,
            FileType::CharacterDevice => NodeType::CharDev,
            FileType::Fifo => NodeType::Fifo,
            FileType::Socket => NodeType::Socket,
            FileType::Unknown => return None,
        })
    }
}

impl From<rustix::fs::Stat> for Stat {
    // The fields' widths differ between platforms; all fit.
    #[allow(clippy::unnecessary_cast)]
    fn from(stat: rustix::fs::Stat) -> Stat {
        Stat {
            mode: stat.st_mode as u32,
            inode: stat.st_ino as u64,
            device_id: stat.st_dev as u64,
            device: stat.st_rdev as u64,
            links: stat.st_nlink as u64,
            uid: stat.st_uid as u32,
            gid: stat.st_gid as u32,
            size: stat.st_size as u64,
            mtime: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            atime: (stat.st_atime as i64, stat.st_atime_nsec as u32),
            ctime: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
        }
    }
}

/// A mode as Go's `FileMode`, from `st_mode`.
pub fn go_mode(st_mode: u32) -> u32 {
    let set = |unix: u32, go: u32| if st_mode & unix != 0 { go } else { 0 };
    let kind = match FileType::from_raw_mode(st_mode as _) {
        FileType::Directory => mode::DIR,
        FileType::Symlink => mode::SYMLINK,
        FileType::BlockDevice => mode::DEVICE,
        FileType::CharacterDevice => mode::DEVICE | mode::CHAR_DEVICE,
        FileType::Fifo => mode::FIFO,
        FileType::Socket => mode::SOCKET,
        FileType::RegularFile | FileType::Unknown => 0,
    };
    kind | set(0o4000, mode::SETUID) | set(0o2000, mode::SETGID) | set(0o1000, mode::STICKY) | (st_mode & 0o777)
}

/// Makes nodes; one for each thread.
#[derive(Debug)]
pub struct MetadataReader {
    zone: Arc<Zone>,
    with_atime: bool,
    users: HashMap<u32, Arc<str>>,
    groups: HashMap<u32, Arc<str>>,
    names: Vec<u8>,
    value: Vec<u8>,
    path: Vec<u8>,
}

impl MetadataReader {
    /// Times are told in `zone`; the time of last access is that of last change unless `with_atime`.
    pub fn new(zone: Arc<Zone>, with_atime: bool) -> MetadataReader {
        MetadataReader {
            zone,
            with_atime,
            users: HashMap::new(),
            groups: HashMap::new(),
            names: Vec::new(),
            value: Vec::new(),
            path: Vec::new(),
        }
    }

    /// Everything about an entry but its content: [`MetadataReader::node`], attributes and link target. `name` is the
    /// one to store. Errors when the entry is gone, or is nothing a vault can hold; attributes that cannot be read are
    /// reported to `problem` (the first error) and left out.
    pub fn read(
        &mut self,
        name: &[u8],
        place: Place<'_>,
        stat: &Stat,
        problem: &mut Option<io::Error>,
    ) -> io::Result<Node> {
        let mut node = self.node(name, stat).ok_or(Errno::OPNOTSUPP)?;
        if node.kind == NodeType::Symlink {
            node.link_target = rustix::fs::readlinkat(place.dir, place.name, Vec::new())?.into_bytes();
        }
        match self.xattrs(place) {
            Ok((xattrs, first)) => {
                node.xattrs = xattrs;
                *problem = first;
            }
            Err(error) => *problem = Some(error),
        }
        Ok(node)
    }

    /// What `lstat` alone gives: no attributes, link target, content or subtree. Files get an empty `content`. `None` when
    /// it is nothing a vault can hold.
    pub fn node(&mut self, name: &[u8], stat: &Stat) -> Option<Node> {
        let kind = stat.kind()?;
        let linked = matches!(
            kind,
            NodeType::File | NodeType::Symlink | NodeType::Dev | NodeType::CharDev
        );
        let time = |(seconds, nanos): (i64, u32)| self.zone.time(seconds, nanos);
        let mtime = time(stat.mtime);
        Some(Node {
            name: name.to_vec(),
            kind,
            mode: go_mode(stat.mode),
            mtime,
            atime: if self.with_atime { time(stat.atime) } else { mtime },
            ctime: time(stat.ctime),
            uid: stat.uid,
            gid: stat.gid,
            user: self.user(stat.uid),
            group: self.group(stat.gid),
            inode: stat.inode,
            device_id: stat.device_id,
            size: if kind == NodeType::File { stat.size } else { 0 },
            links: if linked { stat.links } else { 0 },
            device: if matches!(kind, NodeType::Dev | NodeType::CharDev) {
                stat.device
            } else {
                0
            },
            content: (kind == NodeType::File).then(Vec::new),
            ..Node::default()
        })
    }

    /// A user's name, empty when the system knows none.
    pub fn user(&mut self, uid: u32) -> Arc<str> {
        let look_up = || uzers::get_user_by_uid(uid).map_or_else(String::new, |user| lossy(user.name()));
        Arc::clone(self.users.entry(uid).or_insert_with(|| look_up().into()))
    }

    /// A group's name, empty when the system knows none.
    pub fn group(&mut self, gid: u32) -> Arc<str> {
        let look_up = || uzers::get_group_by_gid(gid).map_or_else(String::new, |group| lossy(group.name()));
        Arc::clone(self.groups.entry(gid).or_insert_with(|| look_up().into()))
    }

    /// The extended attributes in the filesystem's order, and the first error of one that could not be read. None where
    /// the filesystem has no attributes.
    pub fn xattrs(&mut self, place: Place<'_>) -> io::Result<(Vec<Xattr>, Option<io::Error>)> {
        let MetadataReader { names, value, path, .. } = self;
        let path: &CStr = match place.path {
            Some(path) if path.to_bytes_with_nul().len() <= LONGEST_PATH => path,
            _ if place.dir.as_raw_fd() == CWD.as_raw_fd() => place.name,
            _ => {
                path.clear();
                path.extend_from_slice(format!("/proc/self/fd/{}/", place.dir.as_raw_fd()).as_bytes());
                path.extend_from_slice(place.name.to_bytes_with_nul());
                CStr::from_bytes_with_nul(path).map_err(|_| Errno::INVAL)?
            }
        };
        names.resize(LARGEST_XATTR, 0);
        let length = match rustix::fs::llistxattr(path, &mut names[..]) {
            Ok(length) => length,
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NODATA) => 0,
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            return Ok((Vec::new(), None));
        }
        value.resize(LARGEST_XATTR, 0);
        let mut xattrs = Vec::new();
        let mut first = None;
        for name in names[..length].split_inclusive(|b| *b == 0) {
            let Ok(name) = CStr::from_bytes_with_nul(name) else {
                continue;
            };
            match rustix::fs::lgetxattr(path, name, &mut value[..]) {
                Ok(length) => xattrs.push(Xattr {
                    name: name.to_bytes().to_vec(),
                    value: value[..length].to_vec(),
                }),
                // Gone since it was listed, or one the filesystem lists but does not have.
                Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                Err(error) => first = first.or_else(|| Some(error.into())),
            }
        }
        Ok((xattrs, first))
    }
}

fn lossy(name: &std::ffi::OsStr) -> String {
    String::from_utf8_lossy(name.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::os::fd::AsFd;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use jiff::tz::TimeZone;

    use super::*;
    use crate::vault::Tree;

    fn reader(with_atime: bool) -> MetadataReader {
        let zone = Zone::new(TimeZone::get("Europe/Berlin").unwrap());
        let mut reader = MetadataReader::new(Arc::new(zone), with_atime);
        reader.users.insert(7, "root".into());
        reader.groups.insert(8, "staff".into());
        reader.users.insert(9, "".into());
        reader
    }

    const STAT: Stat = Stat {
        mode: 0o100_644,
        inode: 11,
        device_id: 12,
        device: 13,
        links: 2,
        uid: 7,
        gid: 8,
        size: 14,
        mtime: (1_711_846_800, 5),
        atime: (-1, 999_999_999),
        ctime: (1_711_846_799, 0),
    };

    fn stored(mode: u32) -> String {
        let node = reader(false).node(b"n", &Stat { mode, ..STAT }).unwrap();
        let bytes = Tree { nodes: vec![node] }.encode();
        let text = String::from_utf8(bytes).unwrap();
        let owner = "\"uid\":7,\"gid\":8,\"user\":\"root\",\"group\":\"staff\"";
        let times = "\"mtime\":\"2024-03-31T03:00:00.000000005+02:00\",\"atime\":\"2024-03-31T03:00:00.000000005+02:00\",\
            \"ctime\":\"2024-03-31T01:59:59+01:00\"";
        text.replace(owner, "OWNER")
            .replace(times, "TIMES")
            .replace("{\"nodes\":[{\"name\":\"n\",", "")
            .replace("}]}\n", "")
    }

    /// Which fields each type has, as in trees that restic 0.18 made.
    #[test]
    fn each_type_has_the_fields_restic_writes() {
        let cases = [
            (
                0o100_644,
                r#""type":"file","mode":420,TIMES,OWNER,"inode":11,"device_id":12,"size":14,"links":2,"content":[]"#,
            ),
            (
                0o100_000,
                r#""type":"file",TIMES,OWNER,"inode":11,"device_id":12,"size":14,"links":2,"content":[]"#,
            ),
            (
                0o106_755,
                r#""type":"file","mode":12583405,TIMES,OWNER,"inode":11,"device_id":12,"size":14,"links":2,"content":[]"#,
            ),
            (
                0o043_777,
                r#""type":"dir","mode":2152727039,TIMES,OWNER,"inode":11,"device_id":12,"content":null"#,
            ),
            (
                0o120_777,
                r#""type":"symlink","mode":134218239,TIMES,OWNER,"inode":11,"device_id":12,"links":2,"content":null"#,
            ),
            (
                0o060_600,
                r#""type":"dev","mode":67109248,TIMES,OWNER,"inode":11,"device_id":12,"links":2,"device":13,"content":null"#,
            ),
            (
                0o020_644,
                r#""type":"chardev","mode":69206436,TIMES,OWNER,"inode":11,"device_id":12,"links":2,"device":13,"content":null"#,
            ),
            (
                0o010_644,
                r#""type":"fifo","mode":33554852,TIMES,OWNER,"inode":11,"device_id":12,"content":null"#,
            ),
        ];
        for (mode, expected) in cases {
            assert_eq!(stored(mode), expected, "{mode:o}");
        }
        assert_eq!(reader(false).node(b"n", &STAT).unwrap().unix_permissions(), 0o644);
        assert_eq!(
            reader(false)
                .node(
                    b"n",
                    &Stat {
                        mode: 0o140_755,
                        ..STAT
                    }
                )
                .unwrap()
                .kind,
            NodeType::Socket
        );
        assert!(reader(false).node(b"n", &Stat { mode: 0o644, ..STAT }).is_none());
    }

    #[test]
    fn access_time_and_unknown_owners() {
        let node = reader(true).node(b"n", &Stat { uid: 9, ..STAT }).unwrap();
        assert_eq!(node.atime.to_string(), "1970-01-01T00:59:59.999999999+01:00");
        assert_eq!(&*node.user, "");
    }

    #[test]
    fn reads_a_real_folder_by_name_and_by_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "content").unwrap();
        std::fs::set_permissions(folder.path().join("file"), PermissionsExt::from_mode(0o640)).unwrap();
        symlink("\u{fffd}/nowhere", folder.path().join("link")).unwrap();
        let xattrs = xattr::set(folder.path().join("file"), "user.b", b"\0\xff").is_ok();
        if xattrs {
            xattr::set(folder.path().join("file"), "user.a", b"").unwrap();
        }
        let dir = std::fs::File::open(folder.path()).unwrap();
        let mut reader = reader(true);
        for name in ["file", "link"] {
            let path = CString::new(folder.path().join(name).as_os_str().as_bytes()).unwrap();
            let c_name = CString::new(name).unwrap();
            let place = Place {
                dir: dir.as_fd(),
                name: &c_name,
                path: None,
            };
            let stat = Stat::of(place).unwrap();
            let mut problem = None;
            let node = reader.read(name.as_bytes(), place, &stat, &mut problem).unwrap();
            assert!(problem.is_none(), "{problem:?}");
            assert_eq!(
                reader
                    .read(name.as_bytes(), Place::path(&path), &stat, &mut problem)
                    .unwrap(),
                node
            );
            let real = std::fs::symlink_metadata(folder.path().join(name)).unwrap();
            assert_eq!(
                (node.inode, node.device_id, node.links),
                (real.ino(), real.dev(), real.nlink())
            );
            assert_eq!((node.uid, node.gid), (real.uid(), real.gid()));
            assert_eq!(node.unix_permissions(), real.mode() & 0o7777);
            assert_eq!(node.mtime.instant(), (real.mtime(), real.mtime_nsec() as u32));
            assert_eq!(node.ctime.instant(), (real.ctime(), real.ctime_nsec() as u32));
            if name == "link" {
                assert_eq!(
                    (node.link_target.as_slice(), node.size),
                    ("\u{fffd}/nowhere".as_bytes(), 0)
                );
            } else {
                let mut found: Vec<_> = node.xattrs.iter().filter(|x| x.name.starts_with(b"user.")).collect();
                found.sort_by(|a, b| a.name.cmp(&b.name));
                let found: Vec<_> = found.iter().map(|x| (x.name.as_slice(), x.value.as_slice())).collect();
                let expected: &[(&[u8], &[u8])] = if xattrs {
                    &[(b"user.a", b""), (b"user.b", b"\0\xff")]
                } else {
                    &[]
                };
                assert_eq!((found.as_slice(), node.size), (expected, 7));
            }
        }
        let gone = Place {
            dir: dir.as_fd(),
            name: c"gone",
            path: None,
        };
        assert_eq!(Stat::of(gone).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(reader.xattrs(gone).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
