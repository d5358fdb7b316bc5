//! Searching all generations of all vaults by name: from the catalog alone, in parts, honest about what it does not know.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::answers::{Emit, PARTLY_EVERY};
use super::cataloguer::Reading;
use super::kept::{Making, ROWS};
use super::question::{Answer, TreePath};
use super::{Engine, Result};
pub use crate::catalog::Presence;
use crate::catalog::{Hit, Searched, Wanted};
use crate::progress::Cancel;
use crate::vault::{Id, NodeType};

/// The first rows are told after this long at the latest.
const FIRST_AFTER: Duration = Duration::from_millis(40);
/// Most rows of one window.
const WINDOW_ROWS: u32 = 10_000;

/// Which kinds of entries are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs)] // each is what it names
pub enum Kinds {
    #[default]
    All,
    Files,
    Folders,
    /// Links, devices, pipes and sockets.
    Others,
}

impl Kinds {
    fn types(self) -> Vec<NodeType> {
        use NodeType as T;
        match self {
            Kinds::All => Vec::new(),
            Kinds::Files => vec![T::File],
            Kinds::Folders => vec![T::Dir],
            Kinds::Others => vec![T::Symlink, T::Dev, T::CharDev, T::Fifo, T::Socket],
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Search {
    /// A text anywhere in the name, whatever the case; with `*` or `?` a pattern for the whole name; with a slash also for
    /// the path above. Empty: every name.
    pub text: String,
    /// Only these.
    pub kinds: Kinds,
    /// Only in this vault (name or folder).
    pub vault: Option<String>,
    /// Only what the newest generations do not hold any more.
    pub gone: bool,
}

/// A search, and which part of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchAsked {
    /// What is looked for.
    pub search: Search,
    /// Whether to look again even if this was looked for before; else what was found then is told.
    pub anew: bool,
    /// The first row wanted (clamped to what there is).
    pub first: u64,
    /// How many rows. None: only how the vaults stand is told, and searches are made ready for.
    pub rows: u32,
}

/// Rows of what was found so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FoundWindow {
    /// The number of the first row given.
    pub first: u64,
    /// The rows, best names first.
    pub rows: Vec<FoundRow>,
    /// How many rows there are to look at by now.
    pub total: u64,
    /// Whether more may come.
    pub searching: bool,
    /// Whether there is more than is kept: the search should be narrowed.
    pub more: bool,
    /// How the vaults that were searched stand.
    pub vaults: Vec<SearchedVault>,
}

/// A path in a vault, with what is known of it over time.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRow {
    /// The vault, as the user names it.
    pub vault: String,
    /// Raw names from the root.
    pub path: TreePath,
    /// What it is, as of the last generation that holds it; size and time of change likewise.
    pub kind: NodeType,
    /// Bytes of a file; for a folder what lies below it, where the catalog knows.
    pub size: Option<u64>,
    /// Last change of content, in seconds since 1970.
    pub mtime: i64,
    /// The first generation that holds it, and its time in seconds since 1970.
    pub first: (Id, i64),
    /// The last generation that holds it.
    pub last: (Id, i64),
    /// How many generations hold it.
    pub generations: u64,
    /// Whether the newest generation of its host and set of paths still holds it.
    pub presence: Presence,
}

/// How far a vault can be searched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchedVault {
    /// As the user names it.
    pub vault: String,
    /// Generations known; none when the vault was never seen.
    pub generations: u64,
    /// Of these, catalogued: what they hold is found.
    pub catalogued: u64,
    /// What is to be known about the rest.
    pub standing: Standing,
}

/// Why a vault is catalogued as far as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Standing {
    /// There is nothing more to read, as far as is known.
    #[default]
    Ready,
    /// It is being read, or waits for its turn.
    Reading,
    /// It waits for its password.
    Locked,
    /// It cannot be read, and why.
    Failed(String),
}

impl Engine {
    /// Answers from the catalog, in parts.
    pub(super) fn search(&self, asked: &SearchAsked, cancel: &Cancel, emit: &Emit) -> Result<Answer> {
        self.catalogue_all();
        let places = self.searched_places(&asked.search)?;
        if asked.rows == 0 {
            emit(Answer::Found(self.found_nothing(&places)?), false);
            self.catalog().prepare_search()?;
            return Ok(Answer::Found(self.found_nothing(&places)?));
        }
        if let Some(list) = self.0.found.get(&asked.search).filter(|_| !asked.anew) {
            return self.found_window(&list, asked, &places);
        }
        let list = self.0.found.start(asked.search.clone());
        let making = Making(&list);
        let wanted = Wanted {
            text: asked.search.text.clone(),
            kinds: asked.search.kinds.types(),
            place: match &asked.search.vault {
                Some(vault) => Some(self.find(vault)?.key()),
                None => None,
            },
            gone: asked.search.gone,
        };
        let names: HashMap<&str, &str> = places
            .iter()
            .map(|(place, name)| (place.as_str(), name.as_str()))
            .collect();
        let (mut told, mut patience, mut failed) = (Instant::now(), FIRST_AFTER, None);
        let searched = self.catalog().search(&wanted, cancel, &mut |hit| {
            let Some(name) = names.get(hit.place.as_str()) else {
                // A vault that the config does not name any more.
                return ControlFlow::Continue(());
            };
            let row = match self.found_row(hit, name) {
                Ok(row) => row,
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let total = list.push(row);
            if told.elapsed() >= patience {
                match self.found_window(&list, asked, &places) {
                    Ok(answer) => emit(answer, false),
                    Err(error) => failed = Some(error),
                }
                (told, patience) = (Instant::now(), PARTLY_EVERY);
            }
            if total > ROWS as u64 || failed.is_some() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        cancel.check()?;
        {
            let mut grown = list.grown();
            grown.whole = true;
            if asked.search.text.is_empty() {
                // Not names but all there is: what lies together stands together.
                grown
                    .rows
                    .sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.vault.cmp(&b.vault)));
            }
            if searched == Searched::Partly {
                grown.total = grown.total.max(grown.rows.len() as u64 + 1);
            }
        }
        drop(making);
        self.found_window(&list, asked, &places)
    }

    fn found_window(
        &self,
        list: &super::kept::List<FoundRow>,
        asked: &SearchAsked,
        places: &[(String, String)],
    ) -> Result<Answer> {
        let vaults = self.found_nothing(places)?.vaults;
        let grown = list.grown();
        let (first, rows) = grown.window(asked.first, asked.rows.min(WINDOW_ROWS));
        Ok(Answer::Found(FoundWindow {
            first,
            rows,
            total: grown.rows.len() as u64,
            searching: !grown.whole,
            more: grown.total > grown.rows.len() as u64,
            vaults,
        }))
    }

    fn found_row(&self, hit: Hit, vault: &str) -> Result<FoundRow> {
        let size = match (hit.kind, &hit.subtree) {
            (NodeType::File, _) => Some(hit.size),
            (NodeType::Dir, Some(tree)) => {
                let below = self.catalog().tree(tree)?.and_then(|tree| tree.below);
                below.map(|below| below.bytes)
            }
            _ => None,
        };
        Ok(FoundRow {
            vault: vault.to_owned(),
            path: hit.path,
            kind: hit.kind,
            size,
            mtime: hit.mtime,
            first: hit.first,
            last: hit.last,
            generations: hit.generations,
            presence: hit.presence,
        })
    }

    /// The vaults to search: place and name of each. Those of the config, and those opened by folder.
    fn searched_places(&self, search: &Search) -> Result<Vec<(String, String)>> {
        if let Some(vault) = &search.vault {
            return Ok(vec![(self.find(vault)?.key(), vault.clone())]);
        }
        let rows = self.vaults()?;
        Ok(rows.into_iter().map(|row| (row.location, row.name)).collect())
    }

    fn found_nothing(&self, places: &[(String, String)]) -> Result<FoundWindow> {
        let coverage = self.catalog().coverage()?;
        let mut vaults = Vec::new();
        for (place, name) in places {
            let known = coverage.iter().find(|known| known.place == *place);
            let (generations, catalogued) = known.map_or((0, 0), |known| (known.generations, known.catalogued));
            let standing = match self.reading(place) {
                // What is whole is whole, whatever the vault does now.
                _ if known.is_some() && catalogued == generations => Standing::Ready,
                Reading::Now => Standing::Reading,
                Reading::Locked => Standing::Locked,
                Reading::Failed(why) => Standing::Failed(why),
                Reading::Not => self.standing_of(name)?,
            };
            vaults.push(SearchedVault {
                vault: name.clone(),
                generations,
                catalogued,
                standing,
            });
        }
        Ok(FoundWindow {
            vaults,
            ..FoundWindow::default()
        })
    }

    /// How a vault stands that is not being read.
    fn standing_of(&self, name: &str) -> Result<Standing> {
        let place = self.find(name)?;
        Ok(match self.standing(&place.path) {
            None => Standing::Reading,
            Some((_, problem)) if !problem.is_empty() => Standing::Failed(problem),
            Some((Some(_), _)) => Standing::Reading,
            Some((None, _)) => Standing::Locked,
        })
    }
}
