//! How the restore's form and plan are drawn.

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::{WIDTH, frame, keys_line, labelled, line};
use super::{FORM, OVERWRITE, PLAN, RestoreForm, RestorePlan};
use crate::text;

/// Rows of the list of paths a restore would overwrite.
pub(super) const PLAN_ROWS: u64 = 5;

pub(super) fn form(model: &Model, form: &RestoreForm, canvas: &mut Canvas) {
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
    keys_line(model, canvas, inside, FORM);
}

pub(super) fn plan(model: &Model, plan: &RestorePlan, canvas: &mut Canvas) {
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
        keys_line(model, canvas, inside, PLAN);
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
    keys_line(model, canvas, inside, PLAN);
}
