//! The locks on a vault: who holds them, whether he is still there, and taking away those left behind.

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Moves};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::vaults::{GENERATIONS, VAULTS};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::confirm::{Confirm, typed_name};
use super::{frame, keys_line, line, locked, no_vault_here, unlocked};
use crate::engine::setup::{Holder, LockRow};
use crate::engine::{Answer, Question, Task};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("locks", "Locks on a vault").with_list();
const SLOT: &str = "locks.list";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("locks.show", "locks", "Show who holds a lock on the vault, and unlock it", &["U"], At::Only(&[VAULTS, GENERATIONS]), open).hint(19)
        .unless(no_vault_here),
    Action::new("locks.remove-stale", "remove those left behind", "Remove locks whose program is gone", &["u"], At::Only(&[CONTEXT]), remove_stale).hint(1)
        .danger(Danger::Ask).unless(|model| none_stale(model).or_else(|| read_only(model))),
    Action::new("locks.remove-all", "remove all", "Remove all locks, of programs that may still run too", &["D"], At::Only(&[CONTEXT]), remove_all).hint(2)
        .danger(Danger::Type).unless(|model| none(model).or_else(|| read_only(model))),
    Action::new("locks.again", "look again", "Read the locks anew", &["R"], At::Only(&[CONTEXT]), reload).hint(3),
];

/// The locks on a vault.
#[derive(Debug)]
pub struct Locks {
    vault: String,
    list: Window<LockRow>,
    load: Load,
}

fn open(act: &mut Act) {
    if let Some(vault) = act.model.vaults.list.current().map(|row| row.name.clone()) {
        act.model.push(Locks {
            vault,
            list: Window::default(),
            load: Load::Idle,
        });
    }
}

fn reload(act: &mut Act) {
    if let Some(locks) = act.model.dialog_mut::<Locks>() {
        locks.load = Load::Idle;
    }
}

fn none(model: &Model) -> Option<String> {
    let locks = model.dialog::<Locks>()?;
    match &locks.load {
        Load::Ready if locks.list.total() == Some(0) => Some("There is no lock.".into()),
        Load::Ready => None,
        _ => Some("The locks are not read yet.".into()),
    }
}

fn none_stale(model: &Model) -> Option<String> {
    if let Some(why) = none(model) {
        return Some(why);
    }
    let locks = model.dialog::<Locks>()?;
    let (_, rows) = locks.list.held();
    let stale = rows.iter().any(|row| row.stale);
    (!stale).then(|| "No lock was left behind: its holder is there, or was less than half an hour ago.".into())
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Locks { vault } = asked else { return };
    let Some(locks) = model.dialog_mut::<Locks>().filter(|locks| locks.vault == *vault) else {
        return;
    };
    match told.answer {
        Answer::Locks(rows) => {
            locks.list.hold(rows);
            locks.load = Load::Ready;
        }
        Answer::PasswordNeeded { problem, .. } => {
            locks.load = Load::Locked;
            locked(model, problem);
        }
        other => locks.load = failed(other),
    }
}

fn remove_stale(act: &mut Act) {
    let Some(locks) = act.model.dialog::<Locks>() else {
        return;
    };
    let (_, rows) = locks.list.held();
    let count = rows.iter().filter(|row| row.stale).count() as u64;
    let vault = locks.vault.clone();
    let sentence = format!(
        "{} left behind: by a process of this machine that is gone, or not refreshed for half an hour.",
        text::counted(count, "lock was", "locks were")
    );
    let confirm = Confirm::ask(act, "Remove the locks left behind?", sentence, move |act| {
        unlock(act, vault, false)
    });
    act.model.push(confirm);
}

fn remove_all(act: &mut Act) {
    let Some(locks) = act.model.dialog::<Locks>() else {
        return;
    };
    let vault = locks.vault.clone();
    let name = text::escape(vault.as_bytes());
    let sentence = format!("Every lock of the vault {name} goes, of programs that may still run too.");
    let typed = typed_name(&vault, "vault");
    let worse = "A backup that still runs then stops, or it and another program spoil each other's work. Be sure that none does.";
    let confirm = Confirm::ask(act, "Remove all locks?", sentence, move |act| unlock(act, vault, true))
        .and(worse.to_owned())
        .by_name(typed);
    act.model.push(confirm);
}

fn unlock(act: &mut Act, vault: String, all: bool) {
    let title = format!("Unlock {}", text::escape(vault.as_bytes()));
    act.effects.push(Effect::Start {
        task: Box::new(Task::Unlock { vault, all }),
        title,
    });
    act.model.dismiss::<Locks>();
}

/// What can be said of a lock's holder.
fn holder_words(lock: &LockRow, now: i64) -> (String, Role) {
    let age = lock.since.map_or(0, |since| now.saturating_sub(since)).max(0) / 60;
    let quiet = lock.stale && lock.holder != Holder::Gone;
    match lock.holder {
        _ if !lock.problem.is_empty() => (
            "It cannot be read, so nothing is known of its holder: only D removes it.".into(),
            Role::Danger,
        ),
        Holder::Coffer => (
            "That is this very program: one of its jobs is at work (J shows it).".into(),
            Role::Good,
        ),
        Holder::Gone => (
            "Its process does not run any more: the lock was left behind and can be removed (u).".into(),
            Role::Warning,
        ),
        _ if quiet => (
            format!(
                "Not refreshed for {age} minutes, which a program at work does every five: most likely left behind (u)."
            ),
            Role::Warning,
        ),
        Holder::Runs => (
            "Its process runs on this machine: it is at work. Wait for it, or end it.".into(),
            Role::Good,
        ),
        Holder::Elsewhere => (
            "On another machine, refreshed lately: it is most likely at work there.".into(),
            Role::Text,
        ),
    }
}

impl Dialog for Locks {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        // Three rows each.
        self.list
            .resize(u64::from(model.size.1.saturating_sub(12).clamp(3, 24) / 3));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.load == Load::Locked && unlocked(model, &self.vault) {
            self.load = Load::Idle;
        }
        if self.load == Load::Idle && !model.asks(SLOT) {
            self.load = Load::Loading;
            let vault = self.vault.clone();
            ask(model, SLOT, Question::Locks { vault }, take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let symbols = model.look.symbols;
        let vault = text::cut_middle(&text::escape(self.vault.as_bytes()), 30, symbols.more);
        let title = format!("Locks on {vault}");
        let sentence = match &self.load {
            Load::Failed(why) => Some((text::escape(why.as_bytes()), Role::Danger)),
            Load::Locked => Some((
                "The vault needs its password before its locks can be read.".into(),
                Role::Warning,
            )),
            _ if self.list.total().is_none() => Some((format!("reading{}", symbols.more), Role::Dim)),
            _ if self.list.total() == Some(0) => {
                Some(("Nobody holds a lock: the vault is free for all.".to_owned(), Role::Good))
            }
            _ => None,
        };
        if let Some((sentence, role)) = sentence {
            let lines = text::wrap(&sentence, super::room(canvas));
            let inside = frame(canvas, lines.len() as u16 + 6, &title, Role::Focus);
            for (n, text) in lines.iter().enumerate() {
                line(canvas, inside, 1 + n as u16, text, role);
            }
            let shell = format!("coffer unlock --vault {vault}");
            line(canvas, inside, 2 + lines.len() as u16, &shell, Role::Dim);
            keys_line(model, canvas, inside, CONTEXT);
            return;
        }
        let rows = self.list.visible();
        let inside = frame(canvas, 3 * rows.clone().count() as u16 + 7, &title, Role::Focus);
        let about = "Who works on a vault puts a lock into it, and refreshes it every five minutes.";
        for (n, text) in text::wrap(about, usize::from(inside.width)).iter().take(2).enumerate() {
            line(canvas, inside, 1 + n as u16, text, Role::Dim);
        }
        for (n, index) in rows.enumerate() {
            let Some(lock) = self.list.get(index) else { continue };
            draw_lock(
                model,
                lock,
                index == self.list.cursor(),
                canvas,
                inside,
                4 + 3 * n as u16,
            );
        }
        keys_line(model, canvas, inside, CONTEXT);
    }
}

fn draw_lock(model: &Model, lock: &LockRow, here: bool, canvas: &mut Canvas, inside: ratatui::layout::Rect, row: u16) {
    let more = model.look.symbols.more;
    let who = match lock.problem.as_str() {
        "" => {
            let who = text::escape(format!("{}@{}", lock.user, lock.host).as_bytes());
            let kind = if lock.exclusive { "for itself alone" } else { "shared" };
            let since = lock
                .since
                .map(|since| text::ago(since, model.now.unix))
                .unwrap_or_default();
            format!(
                "{}, process {}, {kind}, {since}",
                text::cut_middle(&who, 26, more),
                lock.pid
            )
        }
        problem => text::escape(problem.as_bytes()),
    };
    let who = text::cut_end(&who, usize::from(inside.width.saturating_sub(1)), more);
    line(canvas, inside, row, &format!(" {who}"), Role::Text);
    if here && row < inside.height {
        canvas.paint(inside.x, inside.y + row, inside.right(), model.look.style(Role::Cursor));
    }
    let (words, role) = holder_words(lock, model.now.unix);
    let symbols = model.look.symbols;
    let glyph = match role {
        Role::Good => symbols.good,
        Role::Warning => symbols.warning,
        Role::Danger => symbols.bad,
        _ => symbols.dot,
    };
    let x = 4 + text::width(glyph) as u16;
    for (n, text) in text::wrap(&words, usize::from(inside.width.saturating_sub(x)))
        .iter()
        .take(2)
        .enumerate()
    {
        let lead = text::pad(if n == 0 { glyph } else { "" }, usize::from(x) - 3);
        line(canvas, inside, row + 1 + n as u16, &format!("   {lead}{text}"), role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holder_is_told_in_plain_words() {
        let lock = |holder, stale, problem: &str| LockRow {
            holder,
            stale,
            since: Some(1_000),
            problem: problem.into(),
            ..LockRow::default()
        };
        let said = |lock: &LockRow| holder_words(lock, 1_000 + 45 * 60).0;
        let all = [
            lock(Holder::Coffer, false, ""),
            lock(Holder::Runs, false, ""),
            lock(Holder::Gone, true, ""),
            lock(Holder::Elsewhere, false, ""),
            lock(Holder::Elsewhere, true, ""),
            lock(Holder::Elsewhere, false, "damaged"),
        ];
        let shown: Vec<String> = all.iter().map(said).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        That is this very program: one of its jobs is at work (J shows it).
        Its process runs on this machine: it is at work. Wait for it, or end it.
        Its process does not run any more: the lock was left behind and can be removed (u).
        On another machine, refreshed lately: it is most likely at work there.
        Not refreshed for 45 minutes, which a program at work does every five: most likely left behind (u).
        It cannot be read, so nothing is known of its holder: only D removes it.
        ");
    }
}
