//! What a backup leaves out: by pattern, mark, size, type or filesystem.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::BadPattern;
use super::metadata::Stat;
use super::pattern::{Patterns, components};
use crate::restore::is_part_name;

/// What the first bytes of a `CACHEDIR.TAG` are.
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";
/// More of a `.gitignore` is not read.
pub(crate) const GITIGNORE_LIMIT: u64 = 1 << 20;

/// What to leave out, and which files to take at all.
#[derive(Debug, Clone, Default)]
pub struct Exclude {
    /// Entries to leave out, folders with all below them.
    patterns: Patterns,
    /// The patterns as given, for the generation's record.
    texts: Vec<String>,
    /// When not empty, only files that match are taken (folders are always entered).
    include: Patterns,
    /// When not empty, only files with one of these extensions are taken: lower case, without the dot.
    extensions: Vec<Vec<u8>>,
    /// Files with one of these extensions are left out.
    not_extensions: Vec<Vec<u8>>,
    /// Files of more bytes than this are left out.
    pub larger_than: Option<u64>,
    /// Marks that leave out the content of the folder they are in, but for themselves.
    marks: Vec<Mark>,
    /// Whether `.gitignore` files found on the way are followed.
    pub gitignore: bool,
    /// Whether to stay on the filesystem each given path is on. Mount points are kept, empty.
    pub one_file_system: bool,
    /// Folders that are left out wherever they are met, by device and inode: the vault a backup goes to does not go into
    /// itself, or each backup would double the last.
    pub never: Vec<(u64, u64)>,
}

/// A file whose presence leaves out the folder's other content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The file's name.
    pub name: Vec<u8>,
    /// What it must start with.
    pub header: Vec<u8>,
}

/// The `.gitignore` rules that hold in a folder: its own, then those of the folders above.
#[derive(Debug)]
pub struct Ignores {
    own: Gitignore,
    above: Option<Arc<Ignores>>,
}

impl Exclude {
    /// Leaves out what a pattern matches.
    pub fn add(&mut self, pattern: &str, ignore_case: bool) -> Result<(), BadPattern> {
        self.patterns.push(pattern, ignore_case)?;
        self.texts.push(pattern.to_owned());
        Ok(())
    }

    /// Leaves out what the patterns in a file's text match: one a line, white space around it dropped, empty lines and
    /// those that start with `#` passed over.
    pub fn add_file(&mut self, text: &str, ignore_case: bool) -> Result<(), BadPattern> {
        pattern_lines(text).try_for_each(|line| self.add(line, ignore_case))
    }

    /// Takes only files that match one of the included patterns.
    pub fn include(&mut self, pattern: &str, ignore_case: bool) -> Result<(), BadPattern> {
        self.include.push(pattern, ignore_case)
    }

    /// Takes only files with one of the given extensions (`jpg`, `.jpg`; case does not matter).
    pub fn only_extension(&mut self, extension: &str) {
        self.extensions.push(plain_extension(extension));
    }

    /// Leaves out files with this extension.
    pub fn not_extension(&mut self, extension: &str) {
        self.not_extensions.push(plain_extension(extension));
    }

    /// Leaves out the content of folders marked with a `CACHEDIR.TAG`.
    pub fn caches(&mut self) {
        self.marks.push(Mark {
            name: b"CACHEDIR.TAG".to_vec(),
            header: CACHE_SIGNATURE.to_vec(),
        });
    }

    /// Leaves out the content of folders that hold a file: `NAME`, or `NAME:HEADER` when it must start with something.
    pub fn if_present(&mut self, mark: &str) -> Result<(), BadPattern> {
        let (name, header) = mark.split_once(':').unwrap_or((mark, ""));
        if name.is_empty() || name.contains('/') {
            return Err(BadPattern {
                pattern: mark.to_owned(),
                why: "a file name is wanted, without folders",
            });
        }
        self.marks.push(Mark {
            name: name.into(),
            header: header.into(),
        });
        Ok(())
    }

    /// The patterns to leave out, as given.
    pub fn patterns(&self) -> &[String] {
        &self.texts
    }

    /// The marks to look for in each folder.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether an entry is left out for its path alone. `folders_pass` says that all folders above it are known not to be.
    pub fn path_is_out(&self, components: &[&[u8]], folders_pass: bool) -> bool {
        if self.patterns.is_empty() {
            false
        } else if folders_pass {
            self.patterns.matches_below_unmatched(components)
        } else {
            self.patterns.matches(components)
        }
    }

    /// Whether a path is left out, or what is above it, by the patterns alone.
    pub fn leaves_out(&self, path: &Path) -> bool {
        self.path_is_out(&components(path.as_os_str().as_bytes()), false)
    }

    /// Whether a folder is left out for what it is.
    pub fn folder_is_out(&self, stat: &Stat) -> bool {
        !self.never.is_empty() && self.never.contains(&(stat.device_id, stat.inode))
    }

    /// Whether a file (anything but a folder) is left out for its type or size, or because a restore left it unfinished.
    pub fn file_is_out(&self, components: &[&[u8]], size: Option<u64>) -> bool {
        if components.last().is_some_and(|name| is_part_name(name)) {
            return true;
        }
        if let (Some(limit), Some(size)) = (self.larger_than, size)
            && size > limit
        {
            return true;
        }
        if !self.include.is_empty() && !self.include.matches(components) {
            return true;
        }
        if self.extensions.is_empty() && self.not_extensions.is_empty() {
            return false;
        }
        let name = components.last().copied().unwrap_or_default();
        let extension = Path::new(OsStr::from_bytes(name)).extension().unwrap_or_default();
        let has = |list: &[Vec<u8>]| list.iter().any(|one| one.eq_ignore_ascii_case(extension.as_bytes()));
        (!self.extensions.is_empty() && !has(&self.extensions)) || has(&self.not_extensions)
    }
}

impl Mark {
    /// Whether a file's first bytes make it a mark.
    pub fn fits(&self, start: &[u8]) -> bool {
        start.starts_with(&self.header)
    }
}

impl Ignores {
    /// The rules in a folder that has a `.gitignore` with this content. Lines that make no sense are passed over, as git
    /// does.
    pub fn new(folder: &[u8], content: &[u8], above: Option<Arc<Ignores>>) -> Ignores {
        let mut builder = GitignoreBuilder::new(OsStr::from_bytes(folder));
        for line in content.split(|byte| *byte == b'\n') {
            if let Ok(line) = std::str::from_utf8(line) {
                let _ = builder.add_line(None, line.strip_suffix('\r').unwrap_or(line));
            }
        }
        Ignores {
            own: builder.build().unwrap_or_else(|_| Gitignore::empty()),
            above,
        }
    }

    /// Whether an entry is left out. The innermost rule that says something decides.
    pub fn is_out(&self, path: &[u8], is_folder: bool) -> bool {
        let verdict = self.own.matched(OsStr::from_bytes(path), is_folder);
        if verdict.is_none() {
            self.above.as_ref().is_some_and(|above| above.is_out(path, is_folder))
        } else {
            verdict.is_ignore()
        }
    }
}

/// The lines of a list that say something.
pub(crate) fn pattern_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn plain_extension(extension: &str) -> Vec<u8> {
    extension.trim_start_matches('.').as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::pattern::components;
    use super::*;

    fn out(exclude: &Exclude, path: &str) -> bool {
        let components = components(path.as_bytes());
        exclude.path_is_out(&components, false)
    }

    #[test]
    fn files_of_patterns_have_comments() {
        let mut exclude = Exclude::default();
        exclude.add_file("# go\n*.go\r\n\n  foo/**/bar \n", false).unwrap();
        assert_eq!(exclude.patterns(), ["*.go", "foo/**/bar"]);
        assert!(out(&exclude, "/x.go") && out(&exclude, "/foo/x/bar/y"));
        assert!(!out(&exclude, "/# go"));
        assert!(exclude.add_file("a[", false).is_err());
    }

    #[test]
    fn files_go_by_type_and_size() {
        let mut exclude = Exclude::default();
        let all = |exclude: &Exclude, path: &str, size| exclude.file_is_out(&components(path.as_bytes()), size);
        assert!(!all(&exclude, "/a.jpg", Some(9)));
        assert!(all(&exclude, "/srv/.coffer-part-0123456789abcdef", Some(9)));
        assert!(!all(&exclude, "/srv/.coffer-part-0123456789abcdef/a", Some(9)));
        assert!(!all(&exclude, "/srv/.coffer-part-list", Some(9)));
        exclude.larger_than = Some(8);
        assert!(all(&exclude, "/a.jpg", Some(9)) && !all(&exclude, "/a.jpg", Some(8)) && !all(&exclude, "/link", None));
        exclude.only_extension(".JPG");
        assert!(!all(&exclude, "/a.jpg", None) && all(&exclude, "/a.png", None) && all(&exclude, "/jpg", None));
        let mut exclude = Exclude::default();
        exclude.not_extension("tmp");
        assert!(all(&exclude, "/a.Tmp", None) && !all(&exclude, "/tmp", None));
        let mut exclude = Exclude::default();
        exclude.include("/home/**/*.txt", false).unwrap();
        assert!(!all(&exclude, "/home/a/b.txt", None) && all(&exclude, "/srv/b.txt", None));
    }

    #[test]
    fn marks_have_names_and_headers() {
        let mut exclude = Exclude::default();
        exclude.caches();
        exclude.if_present(".nobackup").unwrap();
        exclude.if_present("TAG:magic").unwrap();
        assert!(exclude.if_present("a/b").is_err() && exclude.if_present(":x").is_err());
        let [cache, empty, magic] = exclude.marks() else {
            panic!("three marks")
        };
        assert!(cache.fits(b"Signature: 8a477f597d28d172789f06886806bc55\n# more"));
        assert!(!cache.fits(b"Signature: 8a477f597d28d172789f06886806bc5"));
        assert!(empty.fits(b"") && magic.fits(b"magic!") && !magic.fits(b"magi"));
    }

    #[test]
    fn gitignore_rules_nest() {
        let outer = Arc::new(Ignores::new(b"/p", b"*.o\n/build/\n!keep.o\n[\n", None));
        let inner = Ignores::new(b"/p/sub", b"!special.o\nlocal\n", Some(outer.clone()));
        assert!(outer.is_out(b"/p/a.o", false) && outer.is_out(b"/p/build", true));
        assert!(!outer.is_out(b"/p/build", false) && !outer.is_out(b"/p/keep.o", false));
        assert!(!inner.is_out(b"/p/sub/special.o", false) && inner.is_out(b"/p/sub/x.o", false));
        assert!(inner.is_out(b"/p/sub/local", false) && !inner.is_out(b"/p/sub/build", true));
    }
}
