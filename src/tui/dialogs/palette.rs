//! The palette: everything one can do here, and every place one can go to, by a few letters of its name.

use super::super::actions::{self, Act, Action, At, Context, Danger};
use super::super::asking::{Told, abandon, ask};
use super::super::dialog::{Dialog, Then, with_top};
use super::super::field::Field;
use super::super::fuzzy::{Query, rank};
use super::super::model::{Model, Screen};
use super::super::msg::Effect;
use super::super::screens::{self, files, vaults};
use super::super::theme::Role;
use super::super::update;
use super::super::view::canvas::Canvas;
use super::super::view::hint_line;
use super::super::window::Window;
use crate::engine::question::PlanRow;
use crate::engine::{Answer, Question, Task};
use crate::text;
use crate::vault::Id;

/// Where keys go.
const CONTEXT: Context = Context::dialog("palette", "Palette");
const SLOT: &str = "palette.plans";
/// Columns where there is room.
const WIDTH: u16 = 88;
/// The most that is shown: nobody looks further, one types another letter.
const SHOWN: usize = 200;

/// How it opens, and what one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("palette.show", "palette", "Do or go to anything by a few letters of its name", &[":", "Ctrl-p"], At::Screens, open).hint(75),
    Action::new("palette.run", "do it", "Do it, or go there", &["Enter"], At::Only(&[CONTEXT]), run).hint(1),
    Action::new("palette.next", "next", "To the next", &["↓", "Tab"], At::Only(&[CONTEXT]), |act| step(act, 1)).hint(2),
    Action::new("palette.previous", "previous", "To the one before", &["↑", "Shift-Tab"], At::Only(&[CONTEXT]), |act| step(act, -1)),
];

/// What an entry does.
#[derive(Debug, Clone)]
enum What {
    /// An action of the place below.
    Do(&'static Action),
    /// An action of another screen or pane.
    There(&'static Action),
    /// To a vault's generations.
    Vault(String),
    /// To a generation's files.
    Generation(Id),
    /// A plan's backup, now.
    Plan(PlanRow),
}

/// Something to do or to go to.
#[derive(Debug, Clone)]
struct Entry {
    what: What,
    /// What it is called, harmless.
    name: String,
    /// Another, shorter name that it is found by; may be empty.
    short: String,
    /// Its keys, or what kind of thing it is.
    kind: String,
    /// Which characters of the name were meant.
    places: Vec<usize>,
}

/// The palette.
#[derive(Debug, Default)]
pub struct Palette {
    search: Field,
    plans: Vec<PlanRow>,
    list: Window<Entry>,
}

fn open(act: &mut Act) {
    let mut palette = Palette::default();
    palette.look(act.model);
    act.model.push(palette);
    ask(act.model, SLOT, Question::Plans, take, act.effects);
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Answer::Plans(rows) = told.answer else { return };
    super::super::dialog::each(model, |dialog, model| {
        if let Some(palette) = (dialog as &mut dyn std::any::Any).downcast_mut::<Palette>() {
            palette.plans.clone_from(&rows);
            palette.look(model);
        }
    });
}

impl Palette {
    /// Everything there is, in no order of need: first what can be done here.
    fn all(&self, model: &Model) -> Vec<Entry> {
        let entry = |what, name: String, kind: String| Entry {
            what,
            name,
            short: String::new(),
            kind,
            places: Vec::new(),
        };
        let here = model.context_below();
        // Itself and moving make no sense here; leaving is said once.
        let makes_sense = |action: &&Action| {
            let twice = action.id == "app.quit" && matches!(action.at, At::Everywhere);
            action.id != "palette.show" && !action.id.starts_with("move.") && !twice
        };
        let keys = |action: &Action| model.keymap.keys_of(action).into_iter().next().unwrap_or_default();
        let mut all: Vec<Entry> = actions::of(here)
            .filter(makes_sense)
            .map(|action| Entry {
                short: action.name.to_owned(),
                ..entry(What::Do(action), action.doc.to_owned(), keys(action))
            })
            .collect();
        all.extend(self.plans.iter().filter(|_| !model.read_only).map(|row| {
            let (plan, vault) = (text::escape(row.name.as_bytes()), text::escape(row.vault.as_bytes()));
            entry(
                What::Plan(row.clone()),
                format!("Back up {plan} to {vault} now"),
                "plan".into(),
            )
        }));
        all.extend(model.vaults.all.iter().map(|row| {
            let name = text::escape(row.name.as_bytes());
            entry(What::Vault(row.name.clone()), format!("Vault {name}"), "vault".into())
        }));
        all.extend(model.generations.all.iter().map(|row| {
            let stamp = text::stamp(row.time, &model.zone);
            let name = format!("Generation {stamp}  {}", text::ago(row.time, model.now.unix));
            entry(What::Generation(row.id), name, row.id.short())
        }));
        all.extend(
            actions::all()
                .filter(|action| !action.at.holds(here))
                .filter_map(|action| {
                    let on = screens::home_of(action)?.title();
                    Some(Entry {
                        short: format!("on {on}: {}", action.name),
                        ..entry(What::There(action), format!("on {on}: {}", action.doc), keys(action))
                    })
                }),
        );
        all
    }

    /// Looks for what is typed.
    fn look(&mut self, model: &Model) {
        let all = self.all(model);
        let query = Query::new(self.search.text());
        let names = all.iter().map(|entry| [entry.name.as_str(), entry.short.as_str()]);
        let mut found = rank(&query, names);
        // Letters strewn over a long name fit too, but nobody means them once something fits well.
        let best = found.first().map_or(0, |(_, fit)| fit.score);
        found.retain(|(_, fit)| fit.score * 3 >= best * 2);
        let rows: Vec<Entry> = found
            .into_iter()
            .take(SHOWN)
            .map(|(n, fit)| Entry {
                places: fit.places,
                ..all[n].clone()
            })
            .collect();
        self.list.hold(rows);
        self.list.go(0);
    }
}

fn step(act: &mut Act, by: i64) {
    with_top::<Palette>(act, |palette, _| {
        palette.list.step(by);
        Then::Keep
    });
}

fn run(act: &mut Act) {
    let mut chosen = None;
    with_top::<Palette>(act, |palette, _| {
        chosen = palette.list.current().map(|entry| entry.what.clone());
        if chosen.is_some() { Then::Close } else { Then::Keep }
    });
    match chosen {
        None => {}
        Some(What::Do(action)) => update::run(act.model, action, act.key, act.effects),
        Some(What::There(action)) => {
            screens::go_home(act.model, action);
            // What it would be done to has not been in sight: only what asks first, and names it, goes on.
            let here = action.at.holds(act.model.context());
            if here && action.danger != Danger::None {
                update::run(act.model, action, act.key, act.effects);
            } else if here && let Some(key) = act.model.keymap.keys_of(action).into_iter().next() {
                act.model
                    .say(Role::Text, format!("{key} does it here: {}.", action.doc));
            }
        }
        Some(What::Vault(name)) => vaults::go_to(act.model, &name),
        Some(What::Generation(id)) => {
            let found = files::travel::go_to(act.model, id);
            if found {
                act.model.screen = Screen::Files;
            }
        }
        Some(What::Plan(row)) => {
            let (plan, vault) = (text::escape(row.name.as_bytes()), text::escape(row.vault.as_bytes()));
            let task = Task::Plan {
                plan: row.name,
                vault: Some(row.vault),
                dry_run: false,
            };
            act.effects.push(Effect::Start {
                task: Box::new(task),
                title: format!("Back up {plan} to {vault}"),
            });
        }
    }
}

impl Dialog for Palette {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.search)
    }

    fn edited(&mut self, model: &mut Model, _: &mut Vec<Effect>) {
        self.look(model);
    }

    fn layout(&mut self, model: &Model) {
        let rows = model.size.1.saturating_sub(9 + model.strip_rows()).clamp(1, 18);
        self.list.resize(u64::from(rows));
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn is_lens(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let rows = model.size.1.saturating_sub(9 + model.strip_rows()).clamp(1, 18);
        let mut area = canvas.middle(WIDTH, rows + 6);
        // Always at the same height, however much is found.
        area.y = area.y.min(4);
        let inside = canvas.frame(area, "Palette", Role::Focus);
        let x = canvas.text(inside.x, inside.y, inside.right(), ": ", Role::Key);
        canvas.field(x, inside.y, inside.right().saturating_sub(x), &self.search, false);
        let top = inside.y + 2;
        if self.list.total() == Some(0) {
            canvas.text(inside.x, top, inside.right(), "Nothing is called so.", Role::Dim);
        }
        for (n, index) in self.list.visible().enumerate() {
            let Some(entry) = self.list.get(index) else { continue };
            row(
                model,
                canvas,
                inside,
                top + n as u16,
                entry,
                index == self.list.cursor(),
            );
        }
        let y = inside.bottom().saturating_sub(1);
        hint_line(model, canvas, CONTEXT, inside.x, y, inside.right());
    }
}

fn row(model: &Model, canvas: &mut Canvas, inside: ratatui::layout::Rect, y: u16, entry: &Entry, on: bool) {
    let more = model.look.symbols.more;
    let why_not = match entry.what {
        What::Do(action) => (action.why_not)(model),
        _ => None,
    };
    let kind = match &why_not {
        Some(_) => String::new(),
        None => canvas.key_name(&entry.kind),
    };
    canvas.right(y, inside.right(), &kind, Role::Dim);
    let end = inside.right().saturating_sub(text::width(&kind) as u16 + 2);
    let plain = if why_not.is_some() { Role::Disabled } else { Role::Text };
    let mut x = inside.x + 1;
    let mut buffer = [0; 4];
    let name = text::cut_end(&entry.name, usize::from(end.saturating_sub(x)), more);
    for (n, c) in name.chars().enumerate() {
        let role = if entry.places.binary_search(&n).is_ok() {
            Role::Match
        } else {
            plain
        };
        x = canvas.text(x, y, end, c.encode_utf8(&mut buffer), role);
    }
    if let Some(why) = why_not {
        let room = usize::from(end.saturating_sub(x + 2));
        canvas.text(
            x + 2,
            y,
            end,
            &text::cut_end(&format!("({})", why.trim_end_matches('.')), room, more),
            Role::Dim,
        );
    }
    if on {
        canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::model::Screen;
    use crate::tui::screens::vaults::Pane;
    use crate::tui::stage::Stage;
    use crate::tui::theme::Look;

    fn typed(keys: &str, letters: &str) -> Stage {
        let mut stage = Stage::new(80, 24, Look::default());
        stage.keys(keys);
        stage.keys(":");
        stage.text(letters);
        stage
    }

    #[test]
    fn does_what_a_few_letters_say() {
        let mut stage = typed("2", "vault away");
        stage.keys("Enter");
        assert_eq!(
            (stage.model.screen, stage.model.pane),
            (Screen::Vaults, Pane::Generations)
        );
        assert_eq!(stage.model.generations.vault.as_deref(), Some("away"));
        let mut stage = typed("2 Enter", "gen 2026-08-22");
        stage.keys("Enter");
        assert_eq!(stage.model.screen, Screen::Files);
        assert!(stage.screen().contains("2026-08-22 03:00"), "{}", stage.screen());
        let mut stage = typed("2", "back up everything home");
        stage.keys("Enter");
        assert_eq!(stage.done(), ["back up everything to home"]);
        let mut stage = typed("2 Enter Enter", "restore");
        stage.keys("Enter");
        assert!(
            !stage.model.dialogs.is_empty() && stage.screen().contains("lands as"),
            "{}",
            stage.screen()
        );
    }

    #[test]
    fn what_cannot_be_done_says_why_and_is_not_done() {
        let mut stage = typed("2 Enter Enter", "forget the whole selection");
        assert!(stage.screen().contains("(Nothing is selected)"), "{}", stage.screen());
        stage.keys("Enter");
        assert!(stage.screen().contains("Nothing is selected."), "{}", stage.screen());
        let mut stage = typed("2", "zzzz");
        assert!(stage.screen().contains("Nothing is called so."));
        stage.keys("Enter Esc");
        assert!(stage.model.dialogs.is_empty());
    }

    /// What acts on a row of another screen goes there first: nobody has seen that row.
    #[test]
    fn nothing_is_done_to_a_row_that_is_not_in_sight() {
        let mut stage = Stage::new(80, 24, Look::default());
        stage.keys("2 Enter 1 :");
        stage.text("stage for deletion, or take that back");
        stage.keys("Enter");
        assert_eq!(stage.model.screen, Screen::Vaults);
        assert!(stage.screen().contains("d does it here"), "{}", stage.screen());
        assert!(crate::tui::screens::vaults::staging::staged(&stage.model).is_empty());
        stage.keys("1 :");
        stage.text("save this rule");
        stage.keys("Enter");
        assert_eq!(stage.model.screen, Screen::Cost);
    }
}
