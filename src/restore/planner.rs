//! Making a plan: the generation's trees beside what is in the target.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::compare::{self, Comparison, Found};
use super::conflict::Conflicts;
use super::judge::{Judged, Results, Shared, Tag};
use super::links::Links;
use super::look::Planner;
use super::metadata::Rules;
use super::place;
use super::plan::{Code, Plan, Steps, Totals};
use super::roots::roots;
use super::selection::{Matcher, Selection, trim};
use super::walk::{Start, Walk};
use super::weigh::Fetch;
use super::{Error, RestoreOptions, Result, Target};
use crate::progress::{Cancel, Progress};
use crate::vault::{Generation, IndexedVault, NodeType};

/// Files from this size on are looked for under their temporary name, to go on with an interrupted restore, and are written
/// in place where only some of their content is wrong.
pub(super) const LARGE: u64 = 4 << 20;

/// Finds out what a restore would do: reads the trees, looks at the target, hashes existing files where the choice of
/// [`Overwrite`] needs it. Changes nothing.
pub fn plan(
    vault: &IndexedVault,
    generation: &Generation,
    options: &RestoreOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Plan> {
    let in_place = options.target == Target::InPlace;
    let whole = trim(&options.subtree).is_empty();
    if options.delete && in_place && whole && options.selection == Selection::All {
        return Err(Error::Refused(
            "deleting in place needs a path: name the folder to make like the generation, as in GENERATION:/home/me"
                .into(),
        ));
    }
    if let Target::Folder(folder) = &options.target
        && let Some(vault) = place::protected(vault)
        && lies_in(folder, vault)
    {
        return Err(Error::Refused(format!(
            "{} lies in the vault itself; restore to another folder",
            folder.display()
        )));
    }
    let matcher = Matcher::new(&options.selection)?;
    let mut start = match in_place {
        true => Start::through(vault, generation, &options.subtree)?,
        false => Start::find(vault, generation, &options.subtree)?,
    };
    start.rename.clone_from(&options.name);
    let roots = match in_place || options.delete {
        true => roots(vault, generation, in_place)?,
        false => Vec::new(),
    };
    place::raise_open_files();
    let target = open_target(&options.target)?;
    let shared = Shared {
        vault,
        results: Mutex::new(Results::default()),
        fetch: Mutex::new(Fetch::default()),
        conflicts: Mutex::default(),
        progress,
    };
    let done = |what: &Comparison<Tag>, found: Result<Found, Errno>| shared.compared(what, found);
    let threads = super::threads(options.threads);
    let walked = compare::run(threads, cancel, &done, |comparing| {
        let mut planner = Planner {
            shared: &shared,
            comparing,
            options,
            rules: Rules {
                owner: options.owner,
                root: rustix::process::geteuid().is_root(),
            },
            matcher: &matcher,
            in_place,
            start_length: start.path.len(),
            roots: &roots,
            protected: place::protected(vault),
            cancel,
            target: target.map(Arc::new),
            levels: Vec::new(),
            steps: Steps::default(),
            totals: Totals::default(),
            links: Links::default(),
            linked: Vec::new(),
            fetch: Fetch::default(),
            conflicts: Conflicts::default(),
        };
        let walk = Walk::new(vault, &matcher, cancel).run(&start, &mut planner);
        walk.map(|()| {
            let Planner {
                steps,
                totals,
                linked,
                fetch,
                conflicts,
                ..
            } = planner;
            (steps, totals, linked, fetch, conflicts)
        })
    });
    let (mut steps, mut totals, linked, mut fetch, mut conflicts) = walked?;
    cancel.check()?;
    let results = shared.results.into_inner().unwrap_or_else(PoisonError::into_inner);
    for judged in results.0 {
        let Judged {
            index, code, partial, ..
        } = judged;
        if let Some(step) = steps.steps.get_mut(index as usize) {
            step.code = code;
        }
        if let Some(partial) = partial {
            steps.partial.insert(index, partial);
        }
        totals.count(code, NodeType::File);
        totals.write_bytes = totals.write_bytes.saturating_add(judged.written);
        totals.right_bytes = totals.right_bytes.saturating_add(judged.right);
    }
    for (index, first, conflict) in linked {
        // The link stands if the file it is a link to keeps its place.
        let replaced = match steps.get(first).code {
            Code::Create => true,
            Code::Overwrite => steps.partial.get(&first).is_none_or(|partial| partial.part),
            _ => false,
        };
        let code = if replaced { Code::Overwrite } else { Code::Unchanged };
        if let Some(step) = steps.steps.get_mut(index as usize) {
            step.code = code;
        }
        if code == Code::Overwrite {
            conflicts.add(conflict);
        }
        totals.count(code, NodeType::File);
    }
    conflicts.absorb(shared.conflicts.into_inner().unwrap_or_else(PoisonError::into_inner));
    fetch.absorb(shared.fetch.into_inner().unwrap_or_else(PoisonError::into_inner));
    totals.fetch_bytes = fetch.bytes;
    (totals.overwrite_newer, totals.overwrite_bytes) = (conflicts.newer, conflicts.bytes);
    progress.totals_known.store(true, Ordering::Relaxed);
    Ok(Plan {
        generation: generation.clone(),
        options: options.clone(),
        totals,
        conflicts,
        matcher,
        start,
        steps,
        roots,
    })
}

/// Whether a folder, or the first one above it that exists, is this one or below it.
fn lies_in(folder: &std::path::Path, top: (u64, u64)) -> bool {
    let Some(existing) = folder.ancestors().find_map(|path| std::fs::canonicalize(path).ok()) else {
        return false;
    };
    existing.ancestors().any(|path| {
        rustix::fs::stat(path).is_ok_and(|stat| {
            let status = place::Status::of(&stat);
            (status.device, status.inode) == top
        })
    })
}

/// Opens the target folder; `None` when it does not exist.
fn open_target(target: &Target) -> Result<Option<OwnedFd>> {
    let path = match target {
        Target::InPlace => std::path::Path::new("/"),
        Target::Folder(path) => path.as_path(),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(Error::Target {
            action: "open",
            path: path.to_owned(),
            source: error.into(),
        }),
    }
}
