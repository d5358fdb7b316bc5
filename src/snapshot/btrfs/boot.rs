//! What the next start of the system would mount: a rollback gives the subvolume another number, so whoever mounts it by its
//! number would get the old state, or nothing once that is deleted.

use std::path::{Path, PathBuf};

use super::subvolume::{Subvolume, TOP_LEVEL};
use super::tool;
use crate::snapshot::mounts::{Mount, unescape};

/// A line of fstab(5) that mounts a subvolume by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ByNumber {
    source: String,
    point: PathBuf,
}

/// What of the next start stands against giving the subvolume another number. `inner` is where it is from the top level.
pub(super) fn obstacles(subvolume: &Subvolume, over: &Mount, inner: &Path, all: &[Mount]) -> Vec<String> {
    let mut found = Vec::new();
    if subvolume.id == TOP_LEVEL {
        return found;
    }
    let by_name = format!("subvol={}", inner.display());
    let table = std::fs::read("/etc/fstab").unwrap_or_default();
    for line in by_number(&table, subvolume.id) {
        if is_of(&line, over, all, |path| path.canonicalize().ok()) {
            found.push(format!(
                "/etc/fstab mounts it at {} by its number (subvolid={}), by which the next start would bring the old state back: \
                 write {by_name} there instead",
                line.point.display(),
                subvolume.id
            ));
        }
    }
    // Who may not ask may not roll back either.
    if tool::default_of(&subvolume.path).ok() == Some(subvolume.id) {
        found.push(format!(
            "it is the default subvolume of its filesystem, by which the next start would bring the old state back: mount it \
             by its name ({by_name} in /etc/fstab), and make the top level the default (btrfs subvolume set-default \
             {TOP_LEVEL} {})",
            subvolume.path.display()
        ));
    }
    found
}

fn by_number(table: &[u8], id: u64) -> Vec<ByNumber> {
    let lines = table.split(|byte| *byte == b'\n');
    let words = lines.map(|line| {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.map(unescape).collect::<Vec<_>>()
    });
    let found = words.filter_map(|words| {
        let [source, point, kind, options, ..] = words.as_slice() else {
            return None;
        };
        let options = String::from_utf8_lossy(options);
        let number = options.split(',').find_map(|option| option.strip_prefix("subvolid="))?;
        (kind == b"btrfs" && !source.starts_with(b"#") && number.trim().parse() == Ok(id)).then(|| ByNumber {
            source: String::from_utf8_lossy(source).into_owned(),
            point: PathBuf::from(String::from_utf8_lossy(point).into_owned()),
        })
    });
    found.collect()
}

/// Whether a line is of this filesystem: each one counts its subvolumes from the same number on.
fn is_of(line: &ByNumber, over: &Mount, all: &[Mount], real: impl Fn(&Path) -> Option<PathBuf>) -> bool {
    if let Some(mounted) = all.iter().rev().find(|mount| mount.point == line.point) {
        return mounted.device == over.device;
    }
    let tags = [
        ("UUID=", "by-uuid"),
        ("LABEL=", "by-label"),
        ("PARTUUID=", "by-partuuid"),
        ("PARTLABEL=", "by-partlabel"),
    ];
    let tagged = tags.iter().find_map(|(tag, folder)| {
        let value = line.source.strip_prefix(tag)?.trim_matches('"');
        Some(Path::new("/dev/disk").join(folder).join(value))
    });
    let device = tagged.unwrap_or_else(|| PathBuf::from(&line.source));
    let named = real(&device);
    named.is_some() && named == real(Path::new(&over.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(device: &str, point: &str, source: &str) -> Mount {
        Mount {
            device: device.into(),
            root: "/@home".into(),
            point: point.into(),
            options: String::new(),
            kind: "btrfs".into(),
            source: source.into(),
            super_options: String::new(),
        }
    }

    #[test]
    fn mounts_by_number_are_found_in_fstab() {
        let table = b"# /dev/vda1 /a btrfs subvolid=257 0 0\n\
            /dev/vda1 / btrfs subvol=/@ 0 0\n\
            UUID=ab /ho\\040me btrfs defaults,subvolid=257,noatime 0 0\n\
            /dev/vdb /data btrfs subvolid=257\n\
            /dev/vdb /other btrfs subvolid=2570\n";
        let found = by_number(table, 257);
        let points: Vec<&Path> = found.iter().map(|line| line.point.as_path()).collect();
        assert_eq!(points, [Path::new("/ho me"), Path::new("/data")]);

        // The links in /dev/disk lead to the device.
        let real = |path: &Path| match path.to_str()? {
            "/dev/disk/by-uuid/ab" => Some(PathBuf::from("/dev/vda1")),
            other => Some(PathBuf::from(other)),
        };
        let ours = mount("0:39", "/ho me", "/dev/vda1");
        let of = |n: usize, all: &[Mount]| is_of(&found[n], &ours, all, real);
        assert!(of(0, std::slice::from_ref(&ours)), "it is mounted there now");
        assert!(of(0, &[]), "or would be, by its device");
        assert!(!of(1, &[]), "another filesystem has a subvolume of that number too");
        assert!(!of(0, &[mount("0:40", "/ho me", "/dev/vdb")]));
    }
}
