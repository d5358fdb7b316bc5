//! Backing up now: which plan.

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::empty::message;
use super::super::view::pane::Span;
use super::super::window::Window;
use super::{frame, keys_line};
use crate::engine::question::PlanRow;
use crate::engine::{Answer, Question, Task};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("backup", "Back up").with_list();
const SLOT: &str = "backup.plans";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("backup.run", "back up", "Run this plan now", &["Enter"], At::Only(&[CONTEXT]), run).hint(1),
];

/// The plans one can run.
#[derive(Debug, Default)]
pub struct Backup {
    list: Window<PlanRow>,
    load: Load,
}

/// Opens the choice.
pub fn open(act: &mut Act) {
    act.model.push(Backup::default());
    ask(act.model, SLOT, Question::Plans, take, act.effects);
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let here = model.vaults.list.current().map(|row| row.name.clone());
    let Some(dialog) = model.dialog_mut::<Backup>() else {
        return;
    };
    match told.answer {
        Answer::Plans(mut rows) => {
            // Those of the vault one looks at first.
            rows.sort_by_key(|row| Some(&row.vault) != here.as_ref());
            dialog.list = Window::whole(rows);
            dialog.load = Load::Ready;
        }
        other => dialog.load = failed(other),
    }
}

fn run(act: &mut Act) {
    with_top::<Backup>(act, |dialog, act| {
        let Some(row) = dialog.list.current().cloned() else {
            return Then::Keep;
        };
        let title = format!(
            "Back up {} to {}",
            text::escape(row.name.as_bytes()),
            text::escape(row.vault.as_bytes())
        );
        let task = Task::Plan {
            plan: row.name,
            vault: Some(row.vault),
            dry_run: false,
        };
        act.effects.push(Effect::Start {
            task: Box::new(task),
            title,
        });
        Then::Close
    });
}

impl Dialog for Backup {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(model.size.1.saturating_sub(9).clamp(1, 10)));
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, &self.list, &self.load, canvas);
    }
}

fn draw(model: &Model, list: &Window<PlanRow>, load: &Load, canvas: &mut Canvas) {
    let more = model.look.symbols.more;
    if *load != Load::Ready || list.total() == Some(0) {
        let inside = frame(canvas, 10, "Back up now", Role::Focus);
        let span = Span {
            x: inside.x.saturating_sub(3),
            end: inside.right(),
            focus: true,
        };
        match load {
            Load::Failed(why) => message(canvas, span, inside.y + 1, &text::escape(why.as_bytes()), &[], ""),
            Load::Ready => message(
                canvas,
                span,
                inside.y + 1,
                "No plan is set up yet. A plan says what is backed up, into which vault.",
                &[("Esc", "closes this; make one in a shell:")],
                "coffer plan add home --path /home --vault NAME",
            ),
            _ => message(canvas, span, inside.y + 1, &format!("reading{more}"), &[], ""),
        }
        return;
    }
    let rows = list.visible();
    let inside = frame(canvas, rows.clone().count() as u16 + 5, "Back up now", Role::Focus);
    for (n, index) in rows.enumerate() {
        let Some(row) = list.get(index) else { continue };
        let y = inside.y + 1 + n as u16;
        let name = text::cut_middle(&text::escape(row.name.as_bytes()), 20, more);
        canvas.text(inside.x + 2, y, inside.right(), &name, Role::Folder);
        let vault = text::cut_middle(&text::escape(row.vault.as_bytes()), 14, more);
        canvas.text(
            inside.x + 24,
            y,
            inside.right(),
            &format!("{} {vault}", model.look.symbols.arrow),
            Role::Text,
        );
        let paths = row
            .paths
            .iter()
            .map(|p| text::escape(p.as_os_str().as_encoded_bytes()))
            .collect::<Vec<_>>();
        let x = inside.x + 42;
        let paths = text::cut_end(&paths.join(" "), usize::from(inside.right().saturating_sub(x)), more);
        canvas.text(x, y, inside.right(), &paths, Role::Dim);
        if index == list.cursor() {
            canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
        }
    }
    keys_line(model, canvas, inside, CONTEXT);
}
