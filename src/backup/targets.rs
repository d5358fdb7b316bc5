//! The paths that were given, as the skeleton of the generation's root tree.
//!
//! An absolute path puts all its components into the root tree; a relative one keeps its relative form, less leading `.`
//! and `..`. A path that is nothing but those, or `/`, stands for the entries in it. Two paths that would share a name in
//! the root but are not under the same folder are told apart by `-1`, `-2`, ….

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use super::exclude::pattern_lines;
use super::{Error, Result};

/// A folder of the skeleton: above or at a given path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skeleton {
    /// Its entries that lead to given paths, by their name in the generation.
    pub entries: BTreeMap<Vec<u8>, Branch>,
}

/// One entry of the skeleton.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Branch {
    /// Where it is on the live filesystem: absolute.
    pub source: PathBuf,
    /// Whether it was given, so that all of it is backed up. Otherwise only what is in `below` is.
    pub given: bool,
    /// Given paths below it.
    pub below: Skeleton,
}

/// The paths that exist, in absolute form, cleaned: what the generation records.
pub fn absolute(working_folder: &Path, path: &Path) -> PathBuf {
    clean(&working_folder.join(path))
}

/// Lays out the paths. `list` gives the sorted entries of a folder, for paths that stand for their entries.
pub fn lay_out(
    working_folder: &Path,
    paths: &[PathBuf],
    list: &mut dyn FnMut(&Path) -> std::io::Result<Vec<Vec<u8>>>,
) -> Result<Skeleton> {
    let mut skeleton = Skeleton::default();
    let mut roots = BTreeMap::new();
    for path in paths {
        let path = clean(path);
        if names(&path).next().is_some() {
            add(&mut skeleton, &mut roots, working_folder, &path);
            continue;
        }
        let listed = list(&working_folder.join(&path));
        let entries = listed.map_err(|error| Error::Target {
            path: path.clone(),
            why: error.to_string(),
        })?;
        for entry in entries {
            add(
                &mut skeleton,
                &mut roots,
                working_folder,
                &path.join(OsStr::from_bytes(&entry)),
            );
        }
    }
    Ok(skeleton)
}

fn add(skeleton: &mut Skeleton, roots: &mut BTreeMap<Vec<u8>, PathBuf>, working_folder: &Path, path: &Path) {
    // `/`, or the `..`s in front: where the first component is.
    let root: PathBuf = path
        .components()
        .take_while(|component| !matches!(component, Component::Normal(_)))
        .collect();
    let mut source = clean(&working_folder.join(&root));
    let mut names = names(path).peekable();
    let Some(first) = names.peek().copied() else { return };
    let mut name = first.to_vec();
    let mut n = 0;
    while *roots.entry(name.clone()).or_insert_with(|| source.clone()) != source {
        n += 1;
        name = [first, format!("-{n}").as_bytes()].concat();
    }
    let mut place = skeleton;
    while let Some(component) = names.next() {
        source.push(OsStr::from_bytes(component));
        let key = std::mem::replace(&mut name, names.peek().map_or(Vec::new(), |next| next.to_vec()));
        let branch = place.entries.entry(key).or_default();
        branch.source.clone_from(&source);
        branch.given |= names.peek().is_none();
        place = &mut branch.below;
    }
}

/// The components that count.
fn names(path: &Path) -> impl Iterator<Item = &[u8]> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.as_bytes()),
        _ => None,
    })
}

/// Without `.`, double slashes, and with `..` taken back, by the text alone. An empty result is `.`.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        out
    }
}

/// Reads a list of paths: one a line (empty lines and `#` comments passed over), or, when there is a NUL in it, exactly
/// what is between NULs.
pub fn read_list(content: &[u8]) -> Vec<PathBuf> {
    if content.contains(&0) {
        let paths = content.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        return paths
            .map(|path| PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())))
            .collect();
    }
    match std::str::from_utf8(content) {
        Ok(text) => pattern_lines(text).map(PathBuf::from).collect(),
        Err(_) => content
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
            .map(|line| PathBuf::from(OsStr::from_bytes(line)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every entry as `name path-on-disk`, given ones with a star.
    fn show(skeleton: &Skeleton, indent: usize, out: &mut String) {
        for (name, branch) in &skeleton.entries {
            let star = if branch.given { " *" } else { "" };
            let name = String::from_utf8_lossy(name);
            out.push_str(&format!("{:indent$}{name} {}{star}\n", "", branch.source.display()));
            show(&branch.below, indent + 2, out);
        }
    }

    fn laid_out(paths: &[&str]) -> String {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let mut out = String::new();
        let skeleton = lay_out(Path::new("/home/u"), &paths, &mut |_| {
            Ok(vec![b"one".to_vec(), b"two".to_vec()])
        })
        .unwrap();
        show(&skeleton, 0, &mut out);
        out
    }

    #[test]
    fn absolute_paths_bring_their_folders() {
        insta::assert_snapshot!(laid_out(&["/etc/ssh/", "/home", "/etc/./hosts"]), @r"
        etc /etc
          hosts /etc/hosts *
          ssh /etc/ssh *
        home /home *
        ");
    }

    #[test]
    fn relative_paths_stay_relative() {
        insta::assert_snapshot!(laid_out(&["a/b", "./c", "../v/d", "../../w"]), @r"
        a /home/u/a
          b /home/u/a/b *
        c /home/u/c *
        v /home/v
          d /home/v/d *
        w /w *
        ");
    }

    #[test]
    fn dots_and_the_root_stand_for_their_entries() {
        insta::assert_snapshot!(laid_out(&["."]), @r"
        one /home/u/one *
        two /home/u/two *
        ");
        insta::assert_snapshot!(laid_out(&["/", "/two/x"]), @r"
        one /one *
        two /two *
          x /two/x *
        ");
        insta::assert_snapshot!(laid_out(&["a/.."]), @r"
        one /home/u/one *
        two /home/u/two *
        ");
    }

    #[test]
    fn same_names_from_different_places_are_told_apart() {
        insta::assert_snapshot!(laid_out(&["a/x", "/a/y", "../a", "a/z"]), @r"
        a /home/u/a
          x /home/u/a/x *
          z /home/u/a/z *
        a-1 /a
          y /a/y *
        a-2 /home/a *
        ");
    }

    #[test]
    fn lists_are_lines_or_nul_separated() {
        assert_eq!(read_list(b"# x\n/a b\r\n\n c\n"), [Path::new("/a b"), Path::new("c")]);
        assert_eq!(read_list(b"#a\0 b\n\0"), [Path::new("#a"), Path::new(" b\n")]);
        assert_eq!(read_list(b"\xff\n# c\n"), [Path::new(OsStr::from_bytes(b"\xff"))]);
    }
}
