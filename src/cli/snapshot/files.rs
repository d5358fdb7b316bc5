//! `coffer snapshot ls` and `restore`: files out of a snapshot.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::{Context, Exit, Failure, One, at, job};
use crate::cli::output::{bytes, escape};
use crate::engine::question::{EntryRow, FolderOrder, ListSnapshotFolder, Overwrite, SnapshotAt, TreePath};
use crate::engine::{SnapshotOutcome, SnapshotTask};
use crate::snapshot::{Snapshot, Target};
use crate::vault::NodeType;

/// List the files of a snapshot
#[derive(Debug, clap::Args)]
#[command(after_help = LS_EXAMPLES)]
pub struct LsArgs {
    #[command(flatten)]
    one: One,
    /// The folder, as it is called on this machine or from the target's root [the root]
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Everything below it
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
}

const LS_EXAMPLES: &str = "\
Examples:
  coffer snapshot ls 4bba301e0a12
  coffer snapshot ls 4bba301e0a12 /srv/web --long";

/// Restore files and folders out of a snapshot
///
/// With all their metadata; blocks are shared where the filesystem can. What is there already is replaced, unless
/// --overwrite says otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub struct RestoreArgs {
    #[command(flatten)]
    one: One,
    /// What: as it is called on this machine or from the target's root [everything]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Put it below this folder, instead of where it was
    #[arg(short, long, value_name = "FOLDER")]
    target: Option<PathBuf>,
    /// Put it where it was
    #[arg(long, conflicts_with = "target")]
    in_place: bool,
    /// What is there already is replaced: always, if-changed (size or time), if-newer, never
    #[arg(long, value_name = "WHEN", value_enum, default_value = "if-changed")]
    overwrite: When,
}

const RESTORE_EXAMPLES: &str = "\
Examples:
  coffer snapshot restore 4bba301e0a12 /srv/web/index.html --in-place
  coffer snapshot restore 4bba301e0a12 web --target /tmp/then";

/// When what is there is replaced.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum When {
    Always,
    IfChanged,
    IfNewer,
    Never,
}

/// A path as the user writes it, from the target's root.
fn inner(snapshot: &Snapshot, path: &Path) -> Result<TreePath, Failure> {
    let below = match &snapshot.target {
        Target::Folder(root) if path.is_absolute() => path
            .strip_prefix(root)
            .map_err(|_| Failure::usage(format!("{} does not lie in {}", path.display(), root.display())))?,
        _ => path.strip_prefix("/").unwrap_or(path),
    };
    // Dropped without a word, `..` would mean everything.
    if below.components().any(|part| part == Component::ParentDir) {
        return Err(Failure::usage(format!(
            "{} leads out of the snapshot: name what is within, without ..",
            escape(path.as_os_str().as_bytes())
        )));
    }
    let names = below.components().filter(|part| *part != Component::CurDir);
    Ok(names.map(|part| part.as_os_str().as_bytes().to_vec()).collect())
}

impl LsArgs {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let snapshot = self.one.find(context)?;
        let root = inner(&snapshot, self.path.as_deref().unwrap_or(Path::new("")))?;
        let at = at(&snapshot);
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            context.stopped()?;
            let rows = list(context, &at, &folder)?;
            let mut inner = Vec::new();
            for row in rows {
                let mut path = folder.clone();
                path.push(row.name.clone());
                print(context, &path, &row, self.long)?;
                if self.recursive && row.kind == NodeType::Dir {
                    inner.push(path);
                }
            }
            folders.extend(inner.into_iter().rev());
        }
        Ok(Exit::Done)
    }
}

/// All rows of a folder, window by window.
fn list(context: &Context, at: &SnapshotAt, folder: &TreePath) -> Result<Vec<EntryRow>, Failure> {
    let mut rows = Vec::new();
    loop {
        let asked = ListSnapshotFolder {
            at: at.clone(),
            folder: folder.clone(),
            order: FolderOrder {
                folders_first: false,
                ..FolderOrder::default()
            },
            filter: String::new(),
            first: rows.len() as u64,
            near: None,
            rows: 10_000,
        };
        let window = context.engine.snapshot_folder(&asked, &context.cancel)?;
        if !window.problem.is_empty() {
            return Err(Failure::failed(window.problem));
        }
        let got = window.rows.len();
        // The last window is told whole: what was told before is passed over.
        let skip = (rows.len() as u64).saturating_sub(window.first);
        rows.extend(
            window
                .rows
                .into_iter()
                .skip(usize::try_from(skip).unwrap_or(usize::MAX)),
        );
        if got == 0 || rows.len() as u64 >= window.total {
            return Ok(rows);
        }
    }
}

fn print(context: &Context, path: &TreePath, row: &EntryRow, long: bool) -> Result<(), Failure> {
    let path = path.join(&b'/');
    if context.out.json {
        return context.out.value(&json!({
            "path": String::from_utf8_lossy(&path),
            "type": row.kind.as_str(),
            "size": row.size,
            "mode": row.mode,
            "uid": row.uid,
            "gid": row.gid,
            "mtime": row.mtime,
        }));
    }
    let mut name = escape(&path);
    if row.kind == NodeType::Dir {
        name.push('/');
    }
    if !long {
        return context.out.line(name);
    }
    let size = row.size.map_or_else(|| "-".to_owned(), bytes);
    let time = crate::text::stamp(row.mtime, &context.out.zone);
    context.out.line(format!(
        "{:04o}  {:>6} {:>6} {size:>10}  {time}  {name}",
        row.mode, row.uid, row.gid
    ))
}

impl RestoreArgs {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let snapshot = self.one.find(context)?;
        let to = match (self.target, self.in_place) {
            (Some(folder), _) => Some(
                std::path::absolute(&folder)
                    .map_err(|error| Failure::failed(format!("cannot find {}: {error}", folder.display())))?,
            ),
            (None, true) => None,
            (None, false) => {
                return Err(Failure::usage(
                    "where to? Give --target FOLDER, or --in-place to put it back where it was",
                ));
            }
        };
        // It looks like "what is here", and would be all there is.
        let is_dot = |path: &PathBuf| path.components().all(|part| part == Component::CurDir);
        if self.in_place && self.paths.iter().any(is_dot) {
            return Err(Failure::usage(
                "\".\" is the whole snapshot, not the folder you are in: name the folder, or name nothing to put everything back",
            ));
        }
        let paths = match self.paths.as_slice() {
            [] => vec![TreePath::new()],
            paths => paths
                .iter()
                .map(|path| inner(&snapshot, path))
                .collect::<Result<_, _>>()?,
        };
        let task = SnapshotTask::RestoreFiles {
            at: at(&snapshot),
            paths,
            to,
            overwrite: match self.overwrite {
                When::Always => Overwrite::Always,
                When::IfChanged => Overwrite::IfChanged,
                When::IfNewer => Overwrite::IfNewer,
                When::Never => Overwrite::Never,
            },
        };
        let outcome = job(context, task)?;
        if let SnapshotOutcome::Restored {
            files,
            bytes,
            skipped,
            errors,
        } = &outcome
        {
            if context.out.json {
                let value = json!({ "files": files, "bytes": bytes, "skipped": skipped, "errors": errors });
                context.out.value(&value)?;
            }
            context.out.remark(outcome.summary())?;
        }
        Ok(match outcome.problems() {
            0 => Exit::Done,
            _ => Exit::Failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing;

    #[test]
    fn a_path_stays_within_the_snapshot() {
        let of = |path: &str| {
            inner(&testing::snapshot("a1b2c3d4e5f6", 0), Path::new(path))
                .map(|names| String::from_utf8(names.join(&b'/')).unwrap())
                .ok()
        };
        assert_eq!(of("/srv/web/./a").as_deref(), Some("web/a"));
        assert_eq!(of("web").as_deref(), Some("web"));
        assert_eq!(of(".").as_deref(), Some(""));
        for outside in ["..", "web/..", "../etc", "/srv/../etc", "/etc"] {
            assert_eq!(of(outside), None, "{outside}");
        }
    }
}
