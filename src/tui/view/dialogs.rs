//! The dialogs: restore, back up, password, questions.

use ratatui::layout::Rect;

use super::super::actions::Context;
use super::super::model::{Load, Model, Overlay};
use super::super::overlay::{Confirm, Confirmed, OVERWRITE, RestoreForm, RestorePlan};
use super::super::text;
use super::super::theme::Role;
use super::super::window::Window;
use super::canvas::Canvas;
use super::empty::message;
use super::hint_line;
use super::panes::Span;
use crate::engine::question::PlanRow;

/// Rows of the list of paths a restore would overwrite.
pub(crate) const PLAN_ROWS: u64 = 5;

/// Columns of a dialog where there is room.
const WIDTH: u16 = 72;

/// Draws a dialog.
pub(super) fn draw(model: &Model, overlay: &Overlay, canvas: &mut Canvas) {
    match overlay {
        Overlay::RestoreForm(form) => restore_form(model, form, canvas),
        Overlay::RestorePlan(plan) => restore_plan(model, plan, canvas),
        Overlay::BackupChoice(list, load) => backup_choice(model, list, load, canvas),
        Overlay::Password {
            vault,
            field,
            problem,
            trying,
        } => {
            let lines = if problem.is_empty() { 0 } else { 2 };
            let inside = frame(canvas, 7 + lines, "Password", Role::Focus);
            let vault = text::cut_middle(&text::escape(vault.as_bytes()), 40, model.look.symbols.more);
            line(
                canvas,
                inside,
                1,
                &format!("The password of the vault {vault}:"),
                Role::Text,
            );
            if *trying {
                line(
                    canvas,
                    inside,
                    2,
                    &format!("opening{}", model.look.symbols.more),
                    Role::Dim,
                );
            } else {
                canvas.field(inside.x, inside.y + 2, inside.width, field, true);
            }
            if !problem.is_empty() {
                let problem = text::cut_end(problem, usize::from(inside.width), model.look.symbols.more);
                line(canvas, inside, 4, &problem, Role::Danger);
            }
            keys_line(model, canvas, inside, Context::Password);
        }
        Overlay::Confirm(confirm) => question(model, confirm, Context::Confirm, canvas),
        Overlay::Quit(confirm) => question(model, confirm, Context::Quit, canvas),
        // Drawn elsewhere.
        Overlay::Filter(_) | Overlay::Help(_) | Overlay::Jobs(_) | Overlay::Report(_) => {}
    }
}

/// A dialog of so many lines inside, its keys not counted.
fn frame(canvas: &mut Canvas, lines: u16, title: &str, role: Role) -> Rect {
    let area = canvas.middle(WIDTH, lines + 2);
    canvas.frame(area, title, role)
}

fn line(canvas: &mut Canvas, inside: Rect, n: u16, text: &str, role: Role) {
    if n < inside.height {
        canvas.text(inside.x, inside.y + n, inside.right(), text, role);
    }
}

/// A label and what it labels, in two columns.
fn labelled(canvas: &mut Canvas, inside: Rect, n: u16, label: &str, text: &str, role: Role) {
    line(canvas, inside, n, label, Role::Dim);
    let more = canvas.look.symbols.more;
    let text = text::cut_middle(text, usize::from(inside.width.saturating_sub(12)), more);
    if n < inside.height {
        canvas.text(inside.x + 12, inside.y + n, inside.right(), &text, role);
    }
}

fn restore_form(model: &Model, form: &RestoreForm, canvas: &mut Canvas) {
    let inside = frame(canvas, 12, "Restore", Role::Focus);
    labelled(canvas, inside, 1, "what", &form.what, Role::Text);
    line(
        canvas,
        inside,
        3,
        "to folder",
        if form.at == 0 { Role::Key } else { Role::Dim },
    );
    canvas.field(
        inside.x + 12,
        inside.y + 3,
        inside.width.saturating_sub(12),
        &form.target,
        false,
    );
    line(
        canvas,
        inside,
        5,
        "existing",
        if form.at == 1 { Role::Key } else { Role::Dim },
    );
    let mut x = inside.x + 12;
    for (rule, name, meaning) in OVERWRITE {
        let chosen = rule == form.overwrite;
        let role = match (chosen, form.at == 1) {
            (true, true) => Role::Cursor,
            (true, false) => Role::Marked,
            _ => Role::Dim,
        };
        x = canvas.text(x, inside.y + 5, inside.right(), &format!(" {name} "), role) + 1;
        if chosen {
            canvas.text(inside.x + 12, inside.y + 6, inside.right(), meaning, Role::Dim);
        }
    }
    let (note, role) = if form.problem.is_empty() {
        (
            "Next comes the plan: nothing is written before you say y to it.",
            Role::Dim,
        )
    } else {
        (form.problem.as_str(), Role::Danger)
    };
    line(canvas, inside, 8, note, role);
    keys_line(model, canvas, inside, Context::RestoreForm);
}

/// The last line of a dialog: its keys.
fn keys_line(model: &Model, canvas: &mut Canvas, inside: Rect, context: Context) {
    hint_line(
        model,
        canvas,
        context,
        inside.x,
        inside.bottom().saturating_sub(2),
        inside.right(),
    );
}

fn restore_plan(model: &Model, plan: &RestorePlan, canvas: &mut Canvas) {
    let more = model.look.symbols.more;
    let symbols = model.look.symbols;
    let Some(summary) = &plan.plan else {
        let wrapped = text::wrap(&plan.problem, usize::from(WIDTH - 8));
        let inside = frame(canvas, 7 + wrapped.len() as u16, "Restore: the plan", Role::Focus);
        labelled(canvas, inside, 1, "what", &plan.what, Role::Text);
        labelled(
            canvas,
            inside,
            2,
            "to folder",
            &text::escape(plan.target.as_bytes()),
            Role::Text,
        );
        if plan.problem.is_empty() {
            line(canvas, inside, 4, &format!("looking what is there{more}"), Role::Dim);
        }
        for (n, text) in wrapped.iter().enumerate() {
            line(canvas, inside, 4 + n as u16, text, Role::Danger);
        }
        keys_line(model, canvas, inside, Context::RestorePlan);
        return;
    };
    let listed = plan.list.total().unwrap_or(0).min(PLAN_ROWS) as u16;
    let room = usize::from(canvas.width().saturating_sub(4).min(WIDTH).saturating_sub(6));
    let warnings: Vec<String> = summary
        .warnings
        .iter()
        .take(3)
        .flat_map(|w| text::wrap(&text::escape(w.as_bytes()), room))
        .collect();
    let below = if listed > 0 { listed + 1 } else { 0 }
        + if warnings.is_empty() {
            0
        } else {
            warnings.len() as u16 + 1
        };
    let inside = frame(canvas, 11 + below, "Restore: the plan", Role::Focus);
    labelled(canvas, inside, 1, "what", &plan.what, Role::Text);
    labelled(
        canvas,
        inside,
        2,
        "to folder",
        &text::escape(plan.target.as_bytes()),
        Role::Text,
    );
    let amounts = [
        ("new", summary.create, Role::Text),
        (
            "overwrite",
            summary.overwrite,
            if summary.overwrite > 0 { Role::Danger } else { Role::Dim },
        ),
        ("keep", summary.keep, Role::Dim),
    ];
    for (n, (label, count, role)) in amounts.into_iter().enumerate() {
        line(canvas, inside, 4 + n as u16, label, Role::Dim);
        let number = format!("{:>11}", text::count(count));
        canvas.text(inside.x + 10, inside.y + 4 + n as u16, inside.right(), &number, role);
        let about = match n {
            0 => "entries that are not there yet",
            1 if count == 0 => "nothing that is there is lost",
            1 => "files whose content there is lost",
            _ => "files there that stay as they are",
        };
        canvas.text(inside.x + 23, inside.y + 4 + n as u16, inside.right(), about, Role::Dim);
    }
    line(canvas, inside, 7, "to write", Role::Dim);
    let number = format!("{:>11}", text::bytes(summary.bytes));
    canvas.text(inside.x + 10, inside.y + 7, inside.right(), &number, Role::Text);
    let mut y = 9;
    for index in plan.list.visible().take(usize::from(listed)) {
        let Some(path) = plan.list.get(index) else { continue };
        let path = path.iter().map(|name| text::escape(name)).collect::<Vec<_>>().join("/");
        let path = text::cut_start(&path, usize::from(inside.width.saturating_sub(4)), more);
        line(canvas, inside, y, &format!("{} {path}", symbols.warning), Role::Warning);
        y += 1;
    }
    y += u16::from(listed > 0);
    for warning in &warnings {
        line(canvas, inside, y, warning, Role::Warning);
        y += 1;
    }
    keys_line(model, canvas, inside, Context::RestorePlan);
}

fn backup_choice(model: &Model, list: &Window<PlanRow>, load: &Load, canvas: &mut Canvas) {
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
    keys_line(model, canvas, inside, Context::BackupChoice);
}

fn question(model: &Model, confirm: &Confirm, context: Context, canvas: &mut Canvas) {
    let (title, sentence) = match confirm.what {
        Confirmed::CancelJob(id) => {
            let title = model.jobs.get(id).map(|job| job.title.clone()).unwrap_or_default();
            (
                "Cancel the job?",
                format!("{title} stops. What it has done so far stays; nothing of it is harmed."),
            )
        }
        Confirmed::CancelAndQuit => {
            let running = model.jobs.running().count() as u64;
            let what = if running == 1 {
                "A job runs".to_owned()
            } else {
                format!("{running} jobs run")
            };
            (
                "Quit?",
                format!(
                    "{what}, and can only go on while Coffer is open. Stopping is clean: what a backup has stored, \
                     the next one uses; what a restore has written stays."
                ),
            )
        }
    };
    let lines = text::wrap(
        &sentence,
        usize::from(WIDTH.min(canvas.width().saturating_sub(4)).saturating_sub(6)),
    );
    let inside = frame(canvas, lines.len() as u16 + 4, title, Role::Warning);
    for (n, text) in lines.iter().enumerate() {
        line(canvas, inside, 1 + n as u16, text, Role::Text);
    }
    keys_line(model, canvas, inside, context);
}
