//! What lies on a disk: a filesystem, or partitions with filesystems (MBR and GPT, sectors of 512 bytes).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

const SECTOR: u64 = 512;
/// No disk has more partitions that anybody wants to look into.
const MOST: usize = 128;

/// What a range of a disk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A filesystem that can be mounted: its type, and options for a copy of it that is only read.
    Filesystem(&'static str, &'static str),
    /// Something that cannot: what, and what would help.
    Other(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// A range of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// The partition's number; 0 for the whole disk.
    pub number: usize,
    /// From where on, bytes.
    pub start: u64,
    /// How much, bytes.
    pub length: u64,
    /// What it holds.
    pub holds: Holds,
}

/// Reads what is there; short at the end of the disk.
fn read(disk: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut done = 0;
    while done < length {
        match disk.read_at(&mut bytes[done..], at + done as u64)? {
            0 => break,
            read => done += read,
        }
    }
    Ok(bytes)
}

fn le32(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..at + 4).unwrap_or(&[0; 4]);
    word.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    le32(bytes, at + 4) << 32 | le32(bytes, at)
}

/// What begins at an offset of the disk, by the marks of each kind.
fn holds(disk: &File, start: u64) -> io::Result<Holds> {
    let head = read(disk, start, 8192)?;
    let far = read(disk, start + 32_768, 5 + 1)?;
    let farther = read(disk, start + 65_536 + 64, 8)?;
    let at = |offset: usize, mark: &[u8]| head.get(offset..offset + mark.len()) == Some(mark);
    Ok(match () {
        () if at(0, b"LUKS\xba\xbe") => Holds::Other("an encrypted volume (LUKS): open it within the machine"),
        () if (0..4).any(|sector| at(sector * 512, b"LABELONE")) => {
            Holds::Other("a volume of LVM: make an image of it (coffer snapshot clone) and open that in a machine")
        }
        () if at(4096, b"\xfc\x4e\x2b\xa9") => Holds::Other("a part of a RAID: open it in a machine"),
        () if at(4086, b"SWAPSPACE2") => Holds::Other("swap space"),
        () if at(1024 + 56, b"\x53\xef") => Holds::Filesystem("ext4", ""),
        () if at(0, b"XFSB") => Holds::Filesystem("xfs", ",nouuid"),
        () if farther.starts_with(b"_BHRfS_M") => Holds::Filesystem("btrfs", ""),
        () if at(1024, b"\x10\x20\xf5\xf2") => Holds::Filesystem("f2fs", ""),
        () if at(0, b"hsqs") => Holds::Filesystem("squashfs", ""),
        () if at(3, b"NTFS    ") => Holds::Filesystem("ntfs3", ""),
        () if at(3, b"EXFAT   ") => Holds::Filesystem("exfat", ""),
        () if at(510, b"\x55\xaa") && (at(54, b"FAT") || at(82, b"FAT32")) => Holds::Filesystem("vfat", ""),
        () if far[1..].starts_with(b"CD001") => Holds::Filesystem("iso9660", ""),
        () => Holds::Unknown,
    })
}

/// Everything that is known on a disk of `size` bytes.
pub(super) fn parts(disk: &File, size: u64) -> io::Result<Vec<Part>> {
    let whole = Part {
        number: 0,
        start: 0,
        length: size,
        holds: holds(disk, 0)?,
    };
    if whole.holds != Holds::Unknown {
        return Ok(vec![whole]);
    }
    let first = read(disk, 0, 512)?;
    if first[510..] != [0x55, 0xaa] {
        return Ok(vec![whole]);
    }
    let ranges = match (0..4).any(|n| first[446 + 16 * n + 4] == 0xee) {
        true => gpt(disk)?,
        false => mbr(disk, &first)?,
    };
    let mut found = Vec::new();
    for (number, start, length) in ranges.into_iter().take(MOST) {
        if length > 0 && start > 0 && start.checked_add(length).is_some_and(|end| end <= size) {
            found.push(Part {
                number,
                start,
                length,
                holds: holds(disk, start)?,
            });
        }
    }
    Ok(found)
}

/// Number, start and length of the partitions, in bytes.
type Ranges = Vec<(usize, u64, u64)>;

fn gpt(disk: &File) -> io::Result<Ranges> {
    let header = read(disk, SECTOR, 512)?;
    let (at, count, each) = (le64(&header, 72), le32(&header, 80), le32(&header, 84));
    if !header.starts_with(b"EFI PART") || !(128..=4096).contains(&each) || count > 1024 {
        return Ok(Vec::new());
    }
    let (count, each) = (count as usize, each as usize);
    let table = read(disk, at.saturating_mul(SECTOR), count * each)?;
    let entries = table.chunks_exact(each).enumerate();
    let used = entries.filter(|(_, entry)| entry[..16] != [0; 16]);
    let range = |(n, entry): (usize, &[u8])| {
        let (first, last) = (le64(entry, 32), le64(entry, 40));
        let sectors = last.checked_sub(first)?.checked_add(1)?;
        Some((n + 1, first.checked_mul(SECTOR)?, sectors.checked_mul(SECTOR)?))
    };
    Ok(used.filter_map(range).collect())
}

fn mbr(disk: &File, first: &[u8]) -> io::Result<Ranges> {
    let mut found = Vec::new();
    for n in 0..4 {
        let entry = &first[446 + 16 * n..];
        let (start, length) = (le32(entry, 8) * SECTOR, le32(entry, 12) * SECTOR);
        match entry[4] {
            0 => {}
            0x05 | 0x0f | 0x85 => logical(disk, start, &mut found)?,
            _ => found.push((n + 1, start, length)),
        }
    }
    Ok(found)
}

/// The partitions within an extended one: a chain of tables, each of which holds one and names the next.
fn logical(disk: &File, extended: u64, found: &mut Ranges) -> io::Result<()> {
    let mut at = extended;
    for n in 0..MOST {
        let table = read(disk, at, 512)?;
        if table[510..] != [0x55, 0xaa] {
            break;
        }
        let (one, next) = (&table[446..], &table[462..]);
        if one[4] != 0 {
            found.push((n + 5, at + le32(one, 8) * SECTOR, le32(one, 12) * SECTOR));
        }
        if next[4] == 0 {
            break;
        }
        at = extended + le32(next, 8) * SECTOR;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(marks: &[(u64, &[u8])]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(8 << 20).unwrap();
        for (at, mark) in marks {
            file.write_all_at(mark, *at).unwrap();
        }
        file
    }

    #[test]
    fn a_filesystem_without_partitions_is_one_part() {
        let parts = parts(&disk(&[(1024 + 56, b"\x53\xef")]), 8 << 20).unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!((parts[0].number, parts[0].holds), (0, Holds::Filesystem("ext4", "")));
        let empty = super::parts(&disk(&[]), 8 << 20).unwrap();
        assert_eq!(empty[0].holds, Holds::Unknown);
    }

    #[test]
    fn partitions_of_both_tables_are_found() {
        let entry = |kind: u8, start: u32, count: u32| {
            let mut entry = [0; 16];
            entry[4] = kind;
            entry[8..12].copy_from_slice(&start.to_le_bytes());
            entry[12..].copy_from_slice(&count.to_le_bytes());
            entry
        };
        let mbr = disk(&[
            (510, b"\x55\xaa"),
            (446, &entry(0x83, 2048, 2048)),
            (462, &entry(5, 8192, 4096)),
            (8192 * 512 + 510, b"\x55\xaa"),
            (8192 * 512 + 446, &entry(0x83, 1024, 1024)),
            (2048 * 512, b"XFSB"),
        ]);
        let found = parts(&mbr, 8 << 20).unwrap();
        let told: Vec<(usize, u64, Holds)> = found.iter().map(|part| (part.number, part.start, part.holds)).collect();
        assert_eq!(
            told,
            [
                (1, 2048 * 512, Holds::Filesystem("xfs", ",nouuid")),
                (5, 9216 * 512, Holds::Unknown)
            ]
        );

        let mut header = [0; 92];
        header[..8].copy_from_slice(b"EFI PART");
        header[72..80].copy_from_slice(&2u64.to_le_bytes());
        header[80..84].copy_from_slice(&4u32.to_le_bytes());
        header[84..88].copy_from_slice(&128u32.to_le_bytes());
        let mut one = [0; 128];
        one[0] = 7;
        one[32..40].copy_from_slice(&2048u64.to_le_bytes());
        one[40..48].copy_from_slice(&4095u64.to_le_bytes());
        let gpt = disk(&[
            (510, b"\x55\xaa"),
            (446, &entry(0xee, 1, 9999)),
            (512, &header),
            (1024 + 128, &one),
            (2048 * 512 + 512, b"LABELONE"),
        ]);
        let found = parts(&gpt, 8 << 20).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].number, found[0].start, found[0].length),
            (2, 1 << 20, 1 << 20)
        );
        assert!(matches!(found[0].holds, Holds::Other(what) if what.contains("LVM")));
    }
}
