//! The copy menu: name, path, id or the command that does the same, into the clipboard of whoever looks at the terminal.

use super::super::actions::{Act, Action, At, Context};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Model, Screen};
use super::super::msg::Effect;
use super::super::screens::vaults::{self, Pane};
use super::super::screens::{files, search, snapshots};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::widgets::menu::{Item, Menu};
use super::{keys_line, versions};
use crate::engine::question::TreePath;
use crate::text;
use crate::vault::Id;

const CONTEXT: Context = Context::dialog("copy", "Copy").with_list();
const PLACES: &[Context] = &[
    vaults::VAULTS,
    vaults::GENERATIONS,
    vaults::DETAILS,
    files::CONTEXT,
    search::ROWS,
    versions::CONTEXT,
    snapshots::TARGETS,
    snapshots::SNAPSHOTS,
    snapshots::DETAILS,
];

/// What one can do in it, and how it opens.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("copy.show", "copy", "Copy the name, the path, the id, or the command that does the same", &["y"], At::Only(PLACES), open)
        .hint(65).unless(|model| subject(model).is_none().then(|| "There is nothing here to copy.".into())),
    Action::new("copy.take", "copy it", "Copy what the cursor is on", &["Enter"], At::Only(&[CONTEXT]), |act| take(act, None)).hint(1),
    Action::new("copy.name", "name", "Copy the name", &["n"], At::Only(&[CONTEXT]), |act| take(act, Some('n'))),
    Action::new("copy.path", "path", "Copy the path", &["p"], At::Only(&[CONTEXT]), |act| take(act, Some('p'))),
    Action::new("copy.id", "id", "Copy the id", &["i"], At::Only(&[CONTEXT]), |act| take(act, Some('i'))),
    Action::new("copy.time", "time", "Copy the time", &["t"], At::Only(&[CONTEXT]), |act| take(act, Some('t'))),
    Action::new("copy.command", "command", "Copy the command that does the same", &["c"], At::Only(&[CONTEXT]), |act| take(act, Some('c'))),
];

/// What something of is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// A vault, or something in it.
    Kept(Kept),
    /// What can be snapshotted, by its name.
    Target(String),
    /// A snapshot: its id, and when it was taken, in seconds since 1970.
    Snapshot(String, i64),
}

/// A vault, or something in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The vault's name or folder.
    pub(super) vault: String,
    /// Where the vault lies, if that is what it is about.
    pub(super) location: Option<String>,
    /// A generation and its time, in seconds since 1970.
    pub(super) generation: Option<(Id, i64)>,
    /// A file or folder of it.
    pub(super) path: Option<TreePath>,
}

/// The menu.
#[derive(Debug)]
pub struct Copy {
    menu: Menu,
    /// For each choice its text and what it is; the text is empty where it cannot be copied.
    texts: Vec<(String, &'static str)>,
}

/// What the cursor is on.
fn subject(model: &Model) -> Option<Subject> {
    if let Some(versions) = model.dialog::<versions::List>() {
        return versions.kept(model).map(Subject::Kept);
    }
    match model.screen {
        Screen::Search => {
            let row = model.search.list.current()?;
            Some(Subject::Kept(Kept {
                vault: row.vault.clone(),
                location: None,
                generation: Some(row.last),
                path: Some(row.path.clone()),
            }))
        }
        Screen::Snapshots if model.snapshots.pane == snapshots::Pane::Targets => {
            let row = model.snapshots.targets.list.current()?;
            Some(Subject::Target(row.name.clone()))
        }
        Screen::Snapshots => {
            let snapshot = &snapshots::snapshot(model)?.snapshot;
            Some(Subject::Snapshot(snapshot.id.to_string(), snapshot.taken.seconds))
        }
        _ => kept(model).map(Subject::Kept),
    }
}

/// The vault, generation or file under the cursor.
fn kept(model: &Model) -> Option<Kept> {
    let vault = model.vaults.list.current()?;
    let mut kept = Kept {
        vault: vault.name.clone(),
        location: None,
        generation: None,
        path: None,
    };
    if model.screen == Screen::Vaults && model.pane == Pane::Vaults {
        kept.location = Some(vault.location.clone());
        return Some(kept);
    }
    let row = model.generations.list.current()?;
    kept.generation = Some((row.id, row.time));
    if model.screen == Screen::Files {
        let mut path = model.files.folder.clone();
        path.extend(model.files.list.current().map(|row| row.name.clone()));
        kept.path = Some(path);
    }
    Some(kept)
}

/// Opens it for what the cursor is on.
fn open(act: &mut Act) {
    let Some(subject) = subject(act.model) else { return };
    let mut items = Vec::new();
    let mut texts = Vec::new();
    for (letter, what, text) in choices(act.model, &subject) {
        let shown = match &text {
            Ok(text) => text::escape(text.as_bytes()),
            Err(_) => String::new(),
        };
        let why_not = text.as_ref().err().map(|why| (*why).to_owned());
        items.push(Item::new(letter, what).detail(shown).why_not(why_not));
        texts.push((text.unwrap_or_default(), what));
    }
    let menu = Menu::new(items);
    act.model.push(Copy { menu, texts });
}

/// A letter, what it copies, and the text or why there is none.
type Offer = (char, &'static str, Result<String, &'static str>);

/// What can be copied of it.
fn choices(model: &Model, subject: &Subject) -> Vec<Offer> {
    match subject {
        Subject::Kept(kept) => of_kept(model, kept),
        Subject::Target(name) => vec![
            ('n', "name", harmless(name.as_bytes())),
            ('c', "command", Ok(format!("coffer snapshot list {}", quoted(name)))),
        ],
        Subject::Snapshot(id, taken) => vec![
            ('i', "id", harmless(id.as_bytes())),
            ('t', "time", Ok(text::stamp(*taken, &model.zone))),
            ('c', "command", Ok(format!("coffer snapshot ls {}", quoted(id)))),
        ],
    }
}

/// What can be copied of a vault, a generation, a file.
fn of_kept(model: &Model, kept: &Kept) -> Vec<Offer> {
    let mut out = Vec::new();
    let vault = quoted(&kept.vault);
    let Some((id, time)) = kept.generation else {
        out.push(('n', "name", harmless(kept.vault.as_bytes())));
        if let Some(location) = &kept.location {
            out.push(('p', "path", harmless(location.as_bytes())));
        }
        out.push(('c', "command", Ok(format!("coffer generations --vault {vault}"))));
        return out;
    };
    let path = kept.path.as_ref().filter(|path| !path.is_empty());
    if let Some(path) = path {
        out.extend(path.last().map(|name| ('n', "name", harmless(name))));
        out.push(('p', "path", harmless(&joined(path))));
    }
    out.push(('i', "id", Ok(id.to_string())));
    out.push(('t', "time", Ok(text::stamp(time, &model.zone))));
    let target = quoted(&format!("{}/restored", model.home.trim_end_matches('/')));
    let what = match path.map(|path| String::from_utf8(joined(path))) {
        None => Ok(id.short()),
        Some(Ok(path)) => Ok(quoted(&format!("{}:{path}", id.short()))),
        Some(Err(_)) => Err("The name is no UTF-8."),
    };
    let command = what.map(|what| format!("coffer restore --vault {vault} {what} --target {target}"));
    out.push(('c', "command", command));
    out
}

/// A path's names as the path.
fn joined(path: &[Vec<u8>]) -> Vec<u8> {
    path.iter().flat_map(|name| [b"/", &**name].concat()).collect()
}

/// Text that can be pasted anywhere without doing anything.
fn harmless(raw: &[u8]) -> Result<String, &'static str> {
    match std::str::from_utf8(raw) {
        Err(_) => Err("The name is no UTF-8."),
        Ok(text) if text.chars().any(char::is_control) => Err("The name holds control characters."),
        Ok(text) => Ok(text.to_owned()),
    }
}

/// A word of a shell's command line; control characters as escapes, so that pasting it runs nothing.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    if !word.chars().any(char::is_control) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    let mut out = String::from("$'");
    for c in word.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    // Octal: a hexadecimal escape would take a digit that follows.
                    out.push_str(&format!("\\{byte:03o}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

fn take(act: &mut Act, letter: Option<char>) {
    with_top::<Copy>(act, |dialog, act| {
        let at = match letter {
            Some(letter) => dialog.menu.of_letter(letter),
            None => Some(dialog.menu.cursor()),
        };
        let Some((item, (text, what))) = at.and_then(|at| dialog.menu.items().get(at).zip(dialog.texts.get(at))) else {
            return Then::Keep;
        };
        if let Some(why) = &item.why_not {
            act.model.say(Role::Warning, why.clone());
            return Then::Keep;
        }
        let (text, what) = (text.clone(), format!("the {what}"));
        act.effects.push(Effect::Copy { text, what });
        Then::Close
    });
}

impl Dialog for Copy {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.menu)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let (width, height) = self.menu.size();
        let area = canvas.middle(width.clamp(46, 100), height + 2);
        self.menu.draw(canvas, area, "Copy");
        let inside = ratatui::layout::Rect::new(
            area.x + 2,
            area.y + 1,
            area.width.saturating_sub(4),
            area.height.saturating_sub(1),
        );
        keys_line(model, canvas, inside, CONTEXT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::stage::Stage;
    use crate::tui::theme::Look;

    fn copied(keys: &str) -> Option<String> {
        let mut stage = Stage::new(80, 24, Look::default());
        stage.keys(keys);
        stage.effects.iter().find_map(|effect| match effect {
            Effect::Copy { text, .. } => Some(text.clone()),
            _ => None,
        })
    }

    #[test]
    fn each_letter_copies_what_it_says() {
        assert_eq!(copied("y n").as_deref(), Some("home"));
        assert_eq!(copied("y p").as_deref(), Some("/srv/backup/home"));
        assert_eq!(copied("y c").as_deref(), Some("coffer generations --vault home"));
        let id = Id::of(&[0]);
        assert_eq!(copied("Enter y i").as_deref(), Some(id.to_string().as_str()));
        assert_eq!(copied("Enter y t").as_deref(), Some("2026-11-22 03:00"));
        assert_eq!(copied("Enter y Enter"), copied("Enter y i"), "the first row");
        let short = id.short();
        assert_eq!(
            copied("Enter Enter y c"),
            Some(format!(
                "coffer restore --vault home {short}:/home/anna/.config --target /home/anna/restored"
            ))
        );
        assert_eq!(copied("Enter Enter y n").as_deref(), Some(".config"));
        assert_eq!(copied("Enter Enter y x"), None);
        assert_eq!(
            copied("Enter Enter V y p").as_deref(),
            Some("/home/anna/.config"),
            "a version"
        );
        assert_eq!(
            copied("5 y c").as_deref(),
            Some("coffer snapshot list db"),
            "what is snapshotted"
        );
        let command = copied("5 Enter y c").unwrap();
        assert!(command.starts_with("coffer snapshot ls "), "{command}");
        assert_eq!(
            copied("4 . o d t Enter y n").as_deref(),
            Some("Notes on 2024.odt"),
            "what was found"
        );
    }

    #[test]
    fn what_is_pasted_into_a_shell_runs_nothing() {
        assert_eq!(quoted("/plain/path"), "/plain/path");
        assert_eq!(quoted("it's; rm"), "'it'\\''s; rm'");
        assert_eq!(quoted("-x"), "'-x'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a\nrm 'b'\u{9b}1"), "$'a\\012rm \\'b\\'\\302\\2331'");
        assert!(harmless(b"a\nb").is_err() && harmless(b"a\xff").is_err());
        assert_eq!(harmless("\u{65e5}".as_bytes()).as_deref(), Ok("\u{65e5}"));
    }
}
