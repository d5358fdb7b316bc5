//! What a list says when there is nothing in it: one sentence, one key, the same as a command.

use super::super::model::{Load, Model, Screen};
use super::super::theme::Role;
use super::super::window::Window;
use super::canvas::Canvas;
use super::pane::{Span, is_waiting};
use crate::text;

/// Draws a sentence and what one can do about it.
pub(crate) fn message(canvas: &mut Canvas, span: Span, y: u16, sentence: &str, keys: &[(&str, &str)], command: &str) {
    let cells = usize::from(span.width().saturating_sub(5)).min(60);
    let mut y = y;
    for line in text::wrap(sentence, cells) {
        canvas.text(span.x + 3, y, span.end, &line, Role::Text);
        y += 1;
    }
    if !keys.is_empty() {
        y += 1;
    }
    for (key, what) in keys {
        let key = canvas.key_name(key);
        let x = canvas.text(span.x + 3, y, span.end, &key, Role::Key);
        let left = cells.saturating_sub(text::width(&key) + 1);
        for line in text::wrap(what, left) {
            canvas.text(x + 1, y, span.end, &line, Role::Text);
            y += 1;
        }
    }
    if !command.is_empty() {
        y += 1;
        for line in text::wrap(command, cells) {
            canvas.text(span.x + 3, y, span.end, &line, Role::Dim);
            y += 1;
        }
    }
}

/// Says that a list could not be read; whether that is so.
pub(crate) fn failure(canvas: &mut Canvas, span: Span, load: &Load) -> bool {
    let Load::Failed(why) = load else { return false };
    message(
        canvas,
        span,
        3,
        &text::escape(why.as_bytes()),
        &[("R", "tries again")],
        "",
    );
    true
}

/// Says that a list waits, failed, or is locked; whether it did.
fn common<T>(model: &Model, canvas: &mut Canvas, span: Span, load: &Load, list: &Window<T>) -> bool {
    match load {
        Load::Failed(_) => failure(canvas, span, load),
        Load::Locked => {
            let vault = text::escape(model.generations.vault.as_deref().unwrap_or_default().as_bytes());
            let why = match model.generations.problem.as_str() {
                "" => "its password is not known here".to_owned(),
                problem => text::escape(problem.as_bytes()),
            };
            message(
                canvas,
                span,
                3,
                &format!("This vault is locked: {why}."),
                &[("Enter", "on the vault asks for it")],
                &format!("coffer generations --vault {vault} --password-file FILE"),
            );
            true
        }
        _ if is_waiting(load, list) => {
            canvas.text(
                span.x + 3,
                3,
                span.end,
                &format!("reading{}", model.look.symbols.more),
                Role::Dim,
            );
            true
        }
        _ => false,
    }
}

/// Says that nothing fits the filter; whether that is so.
pub(crate) fn unmatched<T>(canvas: &mut Canvas, span: Span, filter: &str, list: &Window<T>) -> bool {
    if filter.is_empty() || list.total() != Some(0) {
        return false;
    }
    let sentence = format!("Nothing here holds \"{}\".", text::escape(filter.as_bytes()));
    message(canvas, span, 3, &sentence, &[("Esc", "clears the filter")], "");
    true
}

/// The vaults' pane.
pub(crate) fn vaults(model: &Model, canvas: &mut Canvas, span: Span) -> bool {
    let pane = &model.vaults;
    if common(model, canvas, span, &pane.load, &pane.list) || unmatched(canvas, span, &pane.filter, &pane.list) {
        return true;
    }
    if pane.list.total() != Some(0) {
        return false;
    }
    // `n` is a key of the vaults' own screen.
    let by_hand = match model.screen {
        Screen::Vaults => ("n", "makes one, or adds one that is there; in a shell:"),
        _ => ("2", "goes to the vaults, where n makes one or adds one; in a shell:"),
    };
    let keys = [("A", "sets one up with you, in four steps"), by_hand];
    let command = "coffer init --vault /srv/backup/home\ncoffer demo        makes one to look at";
    message(
        canvas,
        span,
        3,
        "No vault is set up yet. A vault is the folder backups live in.",
        &keys,
        command,
    );
    true
}

/// The generations' pane.
pub(crate) fn generations(model: &Model, canvas: &mut Canvas, span: Span) -> bool {
    let pane = &model.generations;
    if pane.vault.is_none() {
        // There is no vault: its own pane says so.
        return true;
    }
    if common(model, canvas, span, &pane.load, &pane.list) || unmatched(canvas, span, &pane.filter, &pane.list) {
        return true;
    }
    if pane.list.total() != Some(0) {
        return false;
    }
    let vault = text::escape(pane.vault.as_deref().unwrap_or_default().as_bytes());
    let command = format!("coffer backup --vault {vault} PATH");
    message(
        canvas,
        span,
        3,
        "This vault holds no generation yet.",
        &[("b", "runs a plan's backup now")],
        &command,
    );
    true
}

/// The files' pane.
pub(crate) fn files(model: &Model, canvas: &mut Canvas, span: Span) -> bool {
    let pane = &model.files;
    if pane.of.is_none() {
        // Whatever keeps the generations away keeps the files away.
        let generations = &model.generations;
        let _said = match generations.vault {
            None => vaults(model, canvas, span),
            Some(_) => self::generations(model, canvas, span),
        };
        return true;
    }
    if common(model, canvas, span, &pane.load, &pane.list) || unmatched(canvas, span, &pane.filter, &pane.list) {
        return true;
    }
    if pane.list.total() != Some(0) {
        return false;
    }
    message(canvas, span, 3, "This folder is empty.", &[("h", "goes back")], "");
    true
}
