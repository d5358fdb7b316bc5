//! Reading from somewhere else than where things lie: from snapshots, while the generation has the paths, devices and inodes
//! of the original, so that restores, excludes and the next backup find everything under its own name.
//!
//! An empty view, the usual one, reads what is there and costs nothing. Who takes the snapshots does not live here.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::metadata::Stat;

/// What an entry was before it was copied: its inode and time of last status change.
pub type Origin = (u64, (i64, u32));

/// Where things are read.
#[derive(Debug, Default)]
pub struct View {
    /// Places by their own paths, longer ones first.
    places: Vec<(Vec<u8>, ReadFrom)>,
    regions: Vec<Region>,
}

/// Where a place is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFrom {
    /// Where it lies.
    Itself,
    /// At this absolute path.
    There(PathBuf),
    /// Nowhere: it is left out.
    Nowhere,
}

/// A filesystem that is read in place of another.
pub struct Region {
    /// The device of what is read.
    pub here: u64,
    /// The device of what it stands for.
    pub stands_for: u64,
    /// Tells what the entry of an inode was before it was copied; `None` where inodes and times are the original's.
    pub origin: Option<OriginOf>,
}

/// Tells what the entry of an inode was before it was copied.
pub type OriginOf = Box<dyn Fn(u64) -> Option<Origin> + Send + Sync>;

impl std::fmt::Debug for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Region")
            .field("here", &self.here)
            .field("stands_for", &self.stands_for)
            .finish_non_exhaustive()
    }
}

impl View {
    /// A view in which these places are read elsewhere, and all below them, up to places of their own within.
    pub fn new(places: Vec<(PathBuf, ReadFrom)>, regions: Vec<Region>) -> View {
        let mut places: Vec<(Vec<u8>, ReadFrom)> = places
            .into_iter()
            .map(|(path, from)| (path.as_os_str().as_bytes().to_vec(), from))
            .collect();
        places.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        View { places, regions }
    }

    /// Whether everything is read where it lies.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Where a path is read.
    pub fn of(&self, path: &Path) -> ReadFrom {
        let bytes = path.as_os_str().as_bytes();
        let below = |place: &[u8]| {
            let rest = bytes.strip_prefix(place)?;
            let whole = rest.is_empty() || rest.starts_with(b"/") || place.ends_with(b"/");
            whole.then(|| rest.strip_prefix(b"/").unwrap_or(rest))
        };
        let found = self.places.iter().find_map(|(place, from)| Some((below(place)?, from)));
        match found {
            None => ReadFrom::Itself,
            Some((b"", from)) => from.clone(),
            Some((rest, ReadFrom::There(root))) => ReadFrom::There(root.join(OsStr::from_bytes(rest))),
            Some((_, from)) => from.clone(),
        }
    }

    /// Where a path met on the way is read, if that is elsewhere than what is around it.
    pub(super) fn change_at(&self, path: &[u8]) -> Option<&ReadFrom> {
        let found = self.places.iter().find(|(place, _)| place == path)?;
        Some(&found.1)
    }

    /// Turns what the filesystem said of an entry into what it said, or would have said, of the original.
    pub(super) fn correct(&self, stat: &mut Stat) {
        let Some(region) = self.regions.iter().find(|region| region.here == stat.device_id) else {
            return;
        };
        if let Some(origin) = &region.origin {
            // What was not copied stands where it is.
            let Some((inode, ctime)) = origin(stat.inode) else {
                return;
            };
            (stat.inode, stat.ctime) = (inode, ctime);
        }
        stat.device_id = region.stands_for;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(path: &str) -> ReadFrom {
        ReadFrom::There(path.into())
    }

    #[test]
    fn paths_are_read_where_the_innermost_place_says() {
        let places = vec![
            ("/srv".into(), there("/shelf/a/files")),
            ("/srv/data/nested".into(), there("/shelf/b/files")),
            ("/srv/mnt".into(), ReadFrom::Itself),
            ("/srv/.coffer-snapshots".into(), ReadFrom::Nowhere),
        ];
        let view = View::new(places, Vec::new());
        let of = |path: &str| view.of(Path::new(path));
        assert_eq!(of("/srv"), there("/shelf/a/files"));
        assert_eq!(of("/srv/data/x"), there("/shelf/a/files/data/x"));
        assert_eq!(of("/srv/data/nested/x/y"), there("/shelf/b/files/x/y"));
        assert_eq!(of("/srv/mnt/x"), ReadFrom::Itself);
        assert_eq!(of("/srvx"), ReadFrom::Itself);
        assert_eq!(of("/srv/.coffer-snapshots/a"), ReadFrom::Nowhere);
        assert_eq!(view.change_at(b"/srv/mnt"), Some(&ReadFrom::Itself));
        assert_eq!(view.change_at(b"/srv/mnt/x"), None);
        let whole = View::new(vec![("/".into(), there("/.coffer-snapshots/a/files"))], Vec::new());
        assert_eq!(whole.of(Path::new("/etc/x")), there("/.coffer-snapshots/a/files/etc/x"));
        assert!(View::default().is_empty() && View::default().of(Path::new("/x")) == ReadFrom::Itself);
    }

    #[test]
    fn devices_and_inodes_are_those_of_the_original() {
        let copied = Region {
            here: 7,
            stands_for: 5,
            origin: Some(Box::new(|inode| (inode == 70).then_some((50, (1, 2))))),
        };
        let snapshot = Region {
            here: 8,
            stands_for: 6,
            origin: None,
        };
        let view = View::new(Vec::new(), vec![copied, snapshot]);
        let corrected = |device_id, inode| {
            let mut stat = Stat {
                device_id,
                inode,
                ..Stat::default()
            };
            view.correct(&mut stat);
            (stat.device_id, stat.inode, stat.ctime)
        };
        assert_eq!(corrected(7, 70), (5, 50, (1, 2)));
        assert_eq!(corrected(7, 71), (7, 71, (0, 0)));
        assert_eq!(corrected(8, 70), (6, 70, (0, 0)));
        assert_eq!(corrected(9, 70), (9, 70, (0, 0)));
    }
}
