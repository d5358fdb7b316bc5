//! A file's content in the whole window: as text with line numbers, or as bytes.

use ratatui::layout::Rect;

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::field::Field;
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::files;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::empty::message;
use super::super::view::hint_line;
use super::super::view::pane::Span;
use super::super::widgets::content::{Row, Scroll, rows};
use super::super::widgets::find::Find;
use crate::engine::question::{Content, FileAt, Form};
use crate::engine::{Answer, Question};
use crate::text;

const CONTEXT: Context = Context::dialog("look", "A file").with_list();
const FINDING: Context = Context::dialog("look-find", "Find in a file");
const SLOT: &str = "look";

/// Bytes read at first, and when more is asked for.
const FIRST: u64 = 256 << 10;
const MORE: u64 = 16 << 20;

/// Most rows shown.
const ROWS: usize = 1_000_000;

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("look.hex", "bytes", "Show it as bytes, or as text again", &["x"], At::Only(&[CONTEXT]),
        |act| with_top::<Look>(act, |look, _| { look.hex = !look.hex; look.made = None; Then::Keep })).hint(1),
    Action::new("look.wrap", "wrap", "Break long lines, or cut them", &["w"], At::Only(&[CONTEXT]),
        |act| with_top::<Look>(act, |look, _| { look.wrap = !look.wrap; look.made = None; Then::Keep })).hint(2),
    Action::new("look.more", "read more", "Read up to 16 MiB of it", &["m"], At::Only(&[CONTEXT]), more).hint(3)
        .unless(|model| model.dialog::<Look>().is_some_and(Look::is_all).then(|| "All that can be read here is shown.".into())),
    Action::new("look.find", "find", "Find a text in it; capitals count if you type one", &["/"], At::Only(&[CONTEXT]), find).hint(5)
        .unless(nothing_read),
    Action::new("look.next", "next", "To the next place that holds the text", &["n"], At::Only(&[CONTEXT]), |act| step(act, 1)).hint(6)
        .unless(nothing_sought),
    Action::new("look.previous", "one before", "To the place before that holds the text", &["N"], At::Only(&[CONTEXT]), |act| step(act, -1))
        .unless(nothing_sought),
    Action::new("look.seek", "find it", "Go to the first place that holds the text", &["Enter"], At::Only(&[FINDING]), seek).hint(1),
    Action::new("look.back", "back", "Back to where one was", &["h", "Backspace", "←", "Enter"], At::Only(&[CONTEXT]),
        super::super::dialog::close).hint(4),
];

/// A file that is looked at.
#[derive(Debug)]
pub struct Look {
    file: FileAt,
    /// Its name and when, safe to show.
    title: String,
    content: Option<Content>,
    load: Load,
    limit: u64,
    hex: bool,
    wrap: bool,
    rows: Vec<Row>,
    /// The width that the rows were made for.
    made: Option<u16>,
    scroll: Scroll,
    /// What was last looked for.
    find: Find,
}

/// A text that is being typed, to be found in the file below.
#[derive(Debug, Default)]
struct Finding(Field);

impl Look {
    /// Shows the row that holds what was looked for, with some rows before it.
    fn reveal(&mut self) {
        let Some(row) = self.find.row() else { return };
        let shown = self.scroll.visible();
        if !shown.contains(&row) {
            self.scroll.go(row.saturating_sub((shown.end - shown.start) / 3));
        }
    }

    fn is_all(&self) -> bool {
        self.limit == MORE || self.content.as_ref().is_none_or(|content| content.whole)
    }
}

/// Shows the file under the cursor.
pub fn open(act: &mut Act) {
    let Some(spot) = files::spot(act.model) else { return };
    let time = act.model.generations.list.current().map_or(0, |row| row.time);
    let title = format!(
        "{} as of {}",
        text::escape(&spot.row.name),
        text::stamp(time, &act.model.zone)
    );
    open_file(act, spot.file(), title);
}

/// Shows a file; the title must be safe to show.
pub(crate) fn open_file(act: &mut Act, file: FileAt, title: String) {
    act.model.push(Look {
        file,
        title,
        content: None,
        load: Load::Idle,
        limit: FIRST,
        hex: false,
        wrap: true,
        rows: Vec::new(),
        made: None,
        scroll: Scroll::default(),
        find: Find::default(),
    });
}

fn nothing_read(model: &Model) -> Option<String> {
    let none = model.dialog::<Look>().is_none_or(|look| look.rows.is_empty());
    none.then(|| "There is nothing to find yet.".into())
}

fn nothing_sought(model: &Model) -> Option<String> {
    let none = model.dialog::<Look>().is_none_or(|look| look.find.text.is_empty());
    none.then(|| "Nothing was looked for yet: / does.".into())
}

/// Asks for a text to find; what was looked for before is there to be changed.
fn find(act: &mut Act) {
    let before = act.model.dialog::<Look>().map(|look| Field::new(&look.find.text));
    act.model.push(Finding(before.unwrap_or_default()));
}

fn seek(act: &mut Act) {
    let mut wanted = String::new();
    with_top::<Finding>(act, |dialog, _| {
        wanted = dialog.0.text().to_owned();
        Then::Close
    });
    with_top::<Look>(act, |look, _| {
        look.find = Find::new(&wanted, &look.rows, look.scroll.visible().start);
        look.reveal();
        Then::Keep
    });
}

/// To the next place, or the one before; around at the ends.
fn step(act: &mut Act, by: isize) {
    with_top::<Look>(act, |look, _| {
        look.find.step(by);
        look.reveal();
        Then::Keep
    });
}

impl Dialog for Finding {
    fn context(&self) -> Context {
        FINDING
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.0)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw_finding(model, canvas, &self.0, FINDING);
    }
}

/// Draws the text that is being typed, to be found, in the last line.
pub(super) fn draw_finding(model: &Model, canvas: &mut Canvas, field: &Field, context: Context) {
    let (width, y) = (canvas.width(), canvas.height().saturating_sub(1));
    canvas.rule(0, y, width, " ", Role::Text);
    let x = canvas.text(1, y, width, "Find ", Role::Key);
    canvas.field(x, y, width.saturating_sub(x + 1).min(40), field, false);
    hint_line(model, canvas, context, x + 42, y, width.saturating_sub(1));
}

fn more(act: &mut Act) {
    with_top::<Look>(act, |look, _| {
        look.limit = MORE;
        look.load = Load::Idle;
        Then::Keep
    });
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(look) = model.dialog_mut::<Look>() else { return };
    if !matches!(asked, Question::Content { file, .. } if *file == look.file) {
        return;
    }
    match told.answer {
        Answer::Content(content) => {
            look.content = Some(content);
            look.made = None;
            look.load = Load::Ready;
        }
        other => look.load = failed(other),
    }
}

/// The area and what is inside it.
fn inside(size: (u16, u16)) -> Rect {
    Rect::new(1, 2, size.0.saturating_sub(2), size.1.saturating_sub(3))
}

impl Dialog for Look {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.scroll)
    }

    fn layout(&mut self, model: &Model) {
        let area = inside(model.size);
        if let Some(content) = &self.content
            && self.made != Some(area.width)
        {
            let width = usize::from(area.width.saturating_sub(LABEL));
            self.rows = rows(content, self.hex, self.wrap, width, ROWS);
            self.made = Some(area.width);
            self.find.look(&self.rows);
        }
        self.scroll.fit(self.rows.len() as u64, u64::from(area.height));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.load == Load::Idle {
            self.load = Load::Loading;
            let question = Question::Content {
                file: self.file.clone(),
                limit: self.limit,
            };
            ask(model, SLOT, question, take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

/// Columns of a row's label and the air behind it.
const LABEL: u16 = 8;

fn draw(model: &Model, look: &Look, canvas: &mut Canvas) {
    let (width, height) = model.size;
    canvas.clear(Rect::new(0, 1, width, height.saturating_sub(1)));
    let symbols = model.look.symbols;
    canvas.rule(0, 1, width, symbols.rule_focus, Role::Focus);
    let about = look
        .content
        .as_ref()
        .map(|content| about(content, symbols.times))
        .unwrap_or_default();
    let place = match (look.find.text.is_empty(), look.find.place()) {
        (true, _) => look.scroll.words(),
        (false, Some((at, of))) => format!("{} of {} found", text::count(at as u64), text::count(of as u64)),
        (false, None) if look.is_all() => "not found".to_owned(),
        (false, None) => "not found in what is read".to_owned(),
    };
    let right = match (about.is_empty(), place.is_empty()) {
        (false, false) => format!(" {about} {} {place} ", symbols.dot),
        _ => format!(" {about}{place} "),
    };
    let end = width.saturating_sub(text::width(&right) as u16 + 1);
    canvas.text(end, 1, width, &right, Role::Dim);
    let title = text::cut_middle(&look.title, usize::from(end.saturating_sub(4)), symbols.more);
    canvas.text(1, 1, end, &format!(" {title} "), Role::Focus);
    let area = inside(model.size);
    let span = Span {
        x: 0,
        end: width,
        focus: true,
    };
    match (&look.load, &look.content) {
        (Load::Failed(why), _) => message(
            canvas,
            span,
            3,
            &text::escape(why.as_bytes()),
            &[("Esc", "goes back")],
            "",
        ),
        (Load::Locked, _) => message(
            canvas,
            span,
            3,
            "The vault is locked: what is in its files cannot be read.",
            &[("Esc", "goes back; 2, then Enter on the vault, asks for the password")],
            "",
        ),
        (_, None) => _ = canvas.text(3, 3, width, &format!("reading{}", symbols.more), Role::Dim),
        (_, Some(content)) if content.form == Form::Empty => {
            message(canvas, span, 3, "This file is empty.", &[("Esc", "goes back")], "");
        }
        (_, Some(_)) => {
            for (n, index) in look.scroll.visible().enumerate() {
                let Some(row) = look.rows.get(index as usize) else {
                    continue;
                };
                let y = area.y + n as u16;
                canvas.right(y, area.x + LABEL - 2, &row.label, Role::Dim);
                let room = usize::from(area.width.saturating_sub(LABEL));
                canvas.text(
                    area.x + LABEL,
                    y,
                    area.right(),
                    &text::cut_end(&row.text, room, symbols.more),
                    Role::Text,
                );
                if look.find.row() == Some(index) {
                    canvas.paint(area.x, y, area.right(), model.look.style(Role::Cursor));
                }
            }
        }
    }
    hint_line(model, canvas, CONTEXT, 1, height - 1, width - 1);
}

/// What a content is, in words: `PNG image, 640×480, 12.3 KiB`.
pub(crate) fn about(content: &Content, times: &str) -> String {
    let mut out = content.form.word().to_owned();
    if let Form::Image(_, Some(size)) = content.form {
        out.push_str(&format!(", {}{times}{}", size.width, size.height));
    }
    out.push_str(&format!(", {}", text::bytes(content.size)));
    if !content.whole {
        out.push_str(&format!(", the first {} read", text::bytes(content.head.len() as u64)));
    }
    out
}
