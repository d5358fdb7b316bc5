//! Picking files and folders of the live filesystem: one folder at a time, in windows, with what is picked kept while one
//! goes about.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::field::Field;
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::hint_line;
use super::super::window::Window;
use crate::engine::setup::{DiskRow, ListDisk};
use crate::engine::{Answer, Question};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("browser", "Pick files and folders").with_list();
const NARROW: Context = Context::dialog("browser-filter", "Pick: filter");
const SLOT: &str = "browser.rows";
/// Most columns it takes.
const WIDTH: u16 = 96;

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("browser.open", "into", "Into the folder under the cursor", &["Enter", "l", "→"], At::Only(&[CONTEXT]), into).hint(2).unless(nothing_here),
    Action::new("browser.up", "out", "To the folder above", &["h", "Backspace", "←"], At::Only(&[CONTEXT]), |act| with_top::<Browser>(act, |b, _| b.up())).hint(3),
    Action::new("browser.pick", "pick", "Pick what the cursor is on, or leave it again", &["Space"], At::Only(&[CONTEXT]), pick).hint(1).unless(nothing_here),
    Action::new("browser.take", "take", "Take what is picked; with one folder to choose, the folder shown", &["w"], At::Only(&[CONTEXT]), take_all).hint(4)
        .unless(|model| model.dialog::<Browser>().and_then(Browser::nothing_to_take)),
    Action::new("browser.hidden", "hidden", "Show names that start with a dot, or leave them out", &["."], At::Only(&[CONTEXT]), hidden).hint(6),
    Action::new("browser.home", "home", "To your home folder", &["~"], At::Only(&[CONTEXT]), home).hint(7),
    Action::new("browser.filter", "filter", "Show only names that hold a text", &["/"], At::Only(&[CONTEXT]), |act| act.model.push(Narrow::new(narrow))).hint(5),
    Action::new("browser.filter-keep", "keep it", "Keep the filter and go back to the rows", &["Enter"], At::Only(&[NARROW]),
        |act| with_top::<Narrow>(act, |_, _| Then::Close)).hint(1),
];

/// What is done with what was picked.
pub type Done = fn(&mut Model, Vec<String>, &mut Vec<Effect>);

/// Picks files and folders.
#[derive(Debug)]
pub struct Browser {
    /// Whether just one folder is wanted.
    one: bool,
    folder: PathBuf,
    hidden: bool,
    filter: String,
    list: Window<DiskRow>,
    load: Load,
    /// Why the folder cannot be listed.
    problem: String,
    picked: BTreeSet<PathBuf>,
    /// The folder one came out of: the cursor goes to it once it is listed.
    left: Option<std::ffi::OsString>,
    done: Done,
}

/// Filters a browser's folder by a text; an empty one shows all.
pub(super) type Filter = fn(&mut Model, &str, &mut Vec<Effect>);

/// The filter of a browser being typed.
#[derive(Debug)]
pub(super) struct Narrow {
    field: Field,
    filter: Filter,
}

impl Narrow {
    /// An empty one.
    pub(super) fn new(filter: Filter) -> Narrow {
        Narrow {
            field: Field::default(),
            filter,
        }
    }
}

impl Browser {
    /// Picks any number of files and folders; `picked` are picked already.
    pub fn many(start: &str, picked: &[String], done: Done) -> Browser {
        Browser {
            one: false,
            folder: existing_name(start),
            hidden: false,
            filter: String::new(),
            list: Window::default(),
            load: Load::Idle,
            problem: String::new(),
            picked: picked
                .iter()
                .filter(|path| path.starts_with('/'))
                .map(PathBuf::from)
                .collect(),
            left: None,
            done,
        }
    }

    /// Picks one folder.
    pub fn one(start: &str, done: Done) -> Browser {
        Browser {
            one: true,
            ..Browser::many(start, &[], done)
        }
    }

    fn question(&self, first: u64, rows: u32) -> ListDisk {
        ListDisk {
            folder: self.folder.clone(),
            filter: self.filter.clone(),
            hidden: self.hidden,
            folders_only: self.one,
            first,
            rows,
        }
    }

    /// Shows another folder, or this one otherwise.
    fn show(&mut self) {
        self.list.start_at(0);
        self.problem.clear();
        self.load = Load::Idle;
    }

    fn enter(&mut self, folder: PathBuf) {
        self.left = None;
        self.folder = folder;
        self.filter.clear();
        self.show();
    }

    fn up(&mut self) -> Then {
        if let Some(above) = self.folder.parent().map(Path::to_path_buf) {
            self.left = self.folder.file_name().map(OsStr::to_owned);
            self.folder = above;
            self.filter.clear();
            self.show();
        }
        Then::Keep
    }

    fn path_of(&self, row: &DiskRow) -> PathBuf {
        self.folder.join(OsStr::from_bytes(&row.name))
    }

    fn nothing_to_take(&self) -> Option<String> {
        (!self.one && self.picked.is_empty())
            .then(|| "Nothing is picked yet: Space picks what the cursor is on.".into())
    }
}

/// Where browsing starts: a path as it was typed may be of a vault that is yet to be made.
fn existing_name(start: &str) -> PathBuf {
    let path = Path::new(start);
    if path.is_absolute() {
        path.to_path_buf()
    } else {
        "/".into()
    }
}

fn nothing_here(model: &Model) -> Option<String> {
    let browser = model.dialog::<Browser>()?;
    let why = match browser.list.total() {
        _ if browser.list.current().is_some() => return None,
        Some(0) => "There is nothing here: h goes to the folder above.",
        _ if browser.load == Load::Loading || browser.load == Load::Ready => {
            "This row is still being read: press again."
        }
        _ => "This folder cannot be listed: h goes to the folder above.",
    };
    Some(why.into())
}

fn into(act: &mut Act) {
    with_top::<Browser>(act, |browser, act| {
        let Some(row) = browser.list.current() else {
            return Then::Keep;
        };
        if !row.folder {
            act.model.say(Role::Warning, "That is a file: Space picks it.");
        } else if !row.readable {
            act.model.say(Role::Warning, "You may not list that folder.");
        } else {
            browser.enter(browser.path_of(row));
        }
        Then::Keep
    });
}

fn pick(act: &mut Act) {
    with_top::<Browser>(act, |browser, act| {
        let Some(row) = browser.list.current() else {
            return Then::Keep;
        };
        let path = browser.path_of(row);
        if path.to_str().is_none() {
            act.model.say(
                Role::Warning,
                "Its name is not UTF-8: the config cannot hold it. Pick the folder it is in.",
            );
            return Then::Keep;
        }
        if browser.one {
            return finish(browser, act, vec![path]);
        }
        if !browser.picked.remove(&path) {
            // What lies below it comes with it.
            browser.picked.retain(|other| !other.starts_with(&path));
            browser.picked.insert(path);
        }
        browser.list.step(1);
        Then::Keep
    });
}

fn take_all(act: &mut Act) {
    with_top::<Browser>(act, |browser, act| {
        let paths = match browser.one {
            true => vec![browser.folder.clone()],
            false => browser.picked.iter().cloned().collect(),
        };
        finish(browser, act, paths)
    });
}

fn finish(browser: &Browser, act: &mut Act, paths: Vec<PathBuf>) -> Then {
    abandon(act.model, SLOT, act.effects);
    let names = paths
        .iter()
        .filter_map(|path| path.to_str())
        .map(str::to_owned)
        .collect();
    (browser.done)(act.model, names, act.effects);
    Then::Close
}

fn hidden(act: &mut Act) {
    with_top::<Browser>(act, |browser, _| {
        browser.hidden = !browser.hidden;
        browser.show();
        Then::Keep
    });
}

fn home(act: &mut Act) {
    with_top::<Browser>(act, |browser, act| {
        browser.enter(existing_name(&act.model.home));
        Then::Keep
    });
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(browser) = model.dialog_mut::<Browser>() else {
        return;
    };
    match (asked, told.answer) {
        (Question::Disk(asked), Answer::Disk(window)) => {
            let (now, then) = (browser.question(0, 0), asked);
            // Of another folder by now, or of this one under another filter.
            if (&now.folder, &now.filter, now.hidden) != (&then.folder, &then.filter, then.hidden) {
                return;
            }
            browser.problem = window.problem;
            browser.list.accept(window.first, window.rows, window.total);
            if let Some(left) = browser.left.take() {
                let (first, rows) = browser.list.held();
                let at = rows.iter().position(|row| row.name == left.as_bytes());
                browser.list.go(at.map_or(0, |at| first + at as u64));
            }
            browser.load = Load::Ready;
        }
        (_, other) => browser.load = failed(other),
    }
}

impl Dialog for Browser {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        // Frame, folder, blank, picked, blank, keys.
        self.list.resize(u64::from(
            model.size.1.saturating_sub(10 + model.strip_rows()).clamp(3, 30),
        ));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if !matches!(self.load, Load::Failed(_))
            && !model.asks(SLOT)
            && let Some((first, rows)) = self.list.missing()
        {
            ask(model, SLOT, Question::Disk(self.question(first, rows)), take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn replaces_below(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

impl Dialog for Narrow {
    fn context(&self) -> Context {
        NARROW
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.field)
    }

    fn edited(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        (self.filter)(model, self.field.text(), effects);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        (self.filter)(model, "", effects);
    }

    fn in_footer(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        super::filter::draw_field(model, canvas, &self.field);
    }
}

fn narrow(model: &mut Model, filter: &str, effects: &mut Vec<Effect>) {
    abandon(model, SLOT, effects);
    if let Some(browser) = model.dialog_mut::<Browser>() {
        browser.filter = filter.to_owned();
        browser.show();
    }
}

fn draw(model: &Model, browser: &Browser, canvas: &mut Canvas) {
    let symbols = model.look.symbols;
    let width = WIDTH.min(canvas.width().saturating_sub(4));
    let rows = model.size.1.saturating_sub(10 + model.strip_rows()).clamp(3, 30);
    let area = canvas.middle(width, rows + 6);
    let title = if browser.one {
        "Pick a folder"
    } else {
        "Pick what to back up"
    };
    let inside = canvas.frame(area, title, Role::Focus);
    let end = inside.right();

    let folder = text::escape(browser.folder.as_os_str().as_bytes());
    let chip = match browser.filter.as_str() {
        "" => String::new(),
        filter => format!(
            " /{} ",
            text::cut_end(&text::escape(filter.as_bytes()), 20, symbols.more)
        ),
    };
    let room = usize::from(inside.width).saturating_sub(text::width(&chip) + 1);
    canvas.text(
        inside.x,
        inside.y,
        end,
        &text::cut_start(&folder, room, symbols.more),
        Role::Title,
    );
    canvas.right(inside.y, end, &chip, Role::Chip);

    let top = inside.y + 1;
    let waiting = browser.list.total().is_none();
    let (sentence, role) = match &browser.load {
        Load::Failed(why) => (text::escape(why.as_bytes()), Role::Danger),
        _ if !browser.problem.is_empty() => (browser.problem.clone(), Role::Warning),
        _ if waiting => (format!("reading{}", symbols.more), Role::Dim),
        _ if browser.list.total() == Some(0) && browser.filter.is_empty() => ("Nothing is in here.".into(), Role::Dim),
        _ if browser.list.total() == Some(0) => ("No name here holds that.".into(), Role::Dim),
        _ => (String::new(), Role::Text),
    };
    let room = usize::from(inside.height.saturating_sub(6));
    let lines = text::wrap_short(
        &sentence,
        usize::from(inside.width.saturating_sub(2)),
        room,
        symbols.more,
    );
    for (n, text) in lines.iter().enumerate() {
        canvas.text(inside.x + 2, top + 1 + n as u16, end, text, role);
    }
    if sentence.is_empty() {
        for (n, index) in browser.list.visible().enumerate() {
            let y = top + n as u16;
            match browser.list.get(index) {
                Some(row) => draw_row(model, browser, row, canvas, inside.x, y, end),
                None => _ = canvas.text(inside.x + 2, y, end, symbols.more, Role::Dim),
            }
            if index == browser.list.cursor() {
                canvas.paint(inside.x, y, end, model.look.style(Role::Cursor));
            }
        }
    }
    let y = inside.bottom().saturating_sub(3);
    if !browser.one {
        let picked: Vec<String> = browser
            .picked
            .iter()
            .map(|p| text::escape(p.as_os_str().as_bytes()))
            .collect();
        match picked.len() {
            0 => canvas.text(inside.x, y, end, "Nothing is picked yet.", Role::Dim),
            n => {
                let x = canvas.text(
                    inside.x,
                    y,
                    end,
                    &format!("{} {n} picked: ", symbols.marked),
                    Role::Marked,
                );
                let room = usize::from(end.saturating_sub(x));
                canvas.text(
                    x,
                    y,
                    end,
                    &text::cut_end(&picked.join("  "), room, symbols.more),
                    Role::Text,
                )
            }
        };
    }
    hint_line(model, canvas, CONTEXT, inside.x, inside.bottom().saturating_sub(1), end);
}

fn draw_row(model: &Model, browser: &Browser, row: &DiskRow, canvas: &mut Canvas, x: u16, y: u16, end: u16) {
    let symbols = model.look.symbols;
    let path = browser.path_of(row);
    let inside_picked = browser.picked.iter().any(|picked| path.starts_with(picked));
    let (mark, role) = match () {
        () if inside_picked => (symbols.marked, Role::Marked),
        () if browser.picked.iter().any(|picked| picked.starts_with(&path)) => (symbols.partly, Role::Marked),
        () => ("", Role::Text),
    };
    canvas.text(x, y, end, mark, role);
    let behind = match () {
        () if row.folder && !row.readable => "may not be listed".to_owned(),
        () if row.folder => String::new(),
        () => row.size.map(text::bytes).unwrap_or_default(),
    };
    let stamp = row.mtime.map(|at| text::stamp(at, &model.zone)).unwrap_or_default();
    let stamp = if end.saturating_sub(x) < 60 {
        String::new()
    } else {
        stamp
    };
    let columns = text::width(&stamp) + 2 + 11;
    let room = usize::from(end.saturating_sub(x + 2)).saturating_sub(columns.max(text::width(&behind) + 2));
    let mut name = text::escape(&row.name);
    if row.folder {
        name.push('/');
    }
    let name = text::cut_middle(&name, room, symbols.more);
    let role = match () {
        () if inside_picked => Role::Marked,
        () if row.folder => Role::Folder,
        () => Role::Text,
    };
    canvas.text(x + 2, y, end, &name, role);
    let warn = row.folder && !row.readable;
    let behind_end = if warn {
        end
    } else {
        end.saturating_sub(text::width(&stamp) as u16 + 2)
    };
    canvas.right(y, behind_end, &behind, if warn { Role::Warning } else { Role::Text });
    if !warn {
        canvas.right(y, end, &stamp, Role::Dim);
    }
}
