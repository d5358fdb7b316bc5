//! Everything one can do, declared once: key resolution, the footer's hints, the help, the palette, remapping and the key
//! table of the README all read these tables.
//!
//! An [`Action`] says where it is at home ([`At`]), how much it can destroy ([`Danger`]), what it does (`run`) and why it
//! cannot be done now (`why_not`). The modules that do things declare their own tables; [`all`] chains them. Ids are for
//! ever: users remap by them.

use super::keys::Key;
use super::model::Model;
use super::msg::Effect;
use super::{dialogs, global, screens};

/// A place where keys are typed: a pane of a screen, or a dialog.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Its name, unique; for remapping.
    pub name: &'static str,
    /// Its heading in the help.
    pub title: &'static str,
    /// Whether it is a dialog that lies over a screen.
    pub dialog: bool,
    /// Whether it has rows to move among.
    pub list: bool,
    /// Whether it is a form.
    pub form: bool,
    /// Whether what is typed goes into a field of it.
    pub typing: bool,
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Context {
    /// A pane of a screen.
    pub const fn screen(name: &'static str, title: &'static str) -> Context {
        Context {
            name,
            title,
            dialog: false,
            list: true,
            form: false,
            typing: false,
        }
    }

    /// A dialog without rows.
    pub const fn dialog(name: &'static str, title: &'static str) -> Context {
        Context {
            name,
            title,
            dialog: true,
            list: false,
            form: false,
            typing: false,
        }
    }

    /// The same with rows to move among.
    pub const fn with_list(self) -> Context {
        Context { list: true, ..self }
    }

    /// A dialog that is a form.
    pub const fn form(name: &'static str, title: &'static str) -> Context {
        Context {
            form: true,
            ..Context::dialog(name, title)
        }
    }
}

/// Where an action is at home.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// In these places.
    Only(&'static [Context]),
    /// Wherever there are rows.
    Lists,
    /// On every screen, while no dialog lies over it.
    Screens,
    /// The same, but for these places.
    ScreensBut(&'static [Context]),
    /// In every dialog.
    Dialogs,
    /// In every form.
    Forms,
    /// On every screen and in every dialog.
    Everywhere,
}

impl At {
    /// Whether a place is meant.
    pub fn holds(self, context: Context) -> bool {
        match self {
            At::Only(contexts) => contexts.contains(&context),
            At::Lists => context.list,
            At::Screens => !context.dialog,
            At::ScreensBut(contexts) => !context.dialog && !contexts.contains(&context),
            At::Dialogs => context.dialog,
            At::Forms => context.form,
            At::Everywhere => true,
        }
    }
}

/// How much an action can destroy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Nothing.
    None,
    /// `y` is asked for; no is the default.
    Ask,
    /// `y` is asked for after a plan with its counts and bytes.
    Plan,
    /// The name of what is harmed must be typed.
    Type,
}

/// What an action works on: the model, and where to put what is to be done outside.
pub struct Act<'a> {
    /// Everything known.
    pub model: &'a mut Model,
    /// The key that ran it.
    pub key: Key,
    /// What is to be done.
    pub effects: &'a mut Vec<Effect>,
}

/// One thing one can do.
#[derive(Debug)]
pub struct Action {
    /// Its id, `place.verb`; unique within a place.
    pub id: &'static str,
    /// Its name, for the footer.
    pub name: &'static str,
    /// What it does, a line for the help.
    pub doc: &'static str,
    /// The key sequences that mean it, keys separated by blanks.
    pub keys: &'static [&'static str],
    /// Where.
    pub at: At,
    /// How much it can destroy.
    pub danger: Danger,
    /// Its place among the footer's hints, lower first; 0 is not shown.
    pub hint: u8,
    /// Does it.
    pub run: fn(&mut Act),
    /// Why it cannot be done now, as a sentence.
    pub why_not: fn(&Model) -> Option<String>,
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Action {
    /// An action that can always be done and destroys nothing.
    pub const fn new(
        id: &'static str,
        name: &'static str,
        doc: &'static str,
        keys: &'static [&'static str],
        at: At,
        run: fn(&mut Act),
    ) -> Action {
        Action {
            id,
            name,
            doc,
            keys,
            at,
            danger: Danger::None,
            hint: 0,
            run,
            why_not: |_| None,
        }
    }

    /// The same, shown among the footer's hints at this place, lower first.
    pub const fn hint(self, hint: u8) -> Action {
        Action { hint, ..self }
    }

    /// The same, with what it can destroy.
    pub const fn danger(self, danger: Danger) -> Action {
        Action { danger, ..self }
    }

    /// The same, with what says why it cannot be done now.
    pub const fn unless(self, why_not: fn(&Model) -> Option<String>) -> Action {
        Action { why_not, ..self }
    }
}

/// The tables, in the order of the help.
static TABLES: &[&[Action]] = &[
    screens::overview::ACTIONS,
    screens::vaults::ACTIONS,
    screens::vaults::review::ACTIONS,
    screens::vaults::order::ACTIONS,
    screens::vaults::tags::ACTIONS,
    screens::files::ACTIONS,
    screens::search::ACTIONS,
    screens::snapshots::ACTIONS,
    screens::cost::ACTIONS,
    screens::cost::APPLY_ACTIONS,
    screens::cost::snapshots::ACTIONS,
    dialogs::backup::ACTIONS,
    dialogs::browser::ACTIONS,
    dialogs::check::ACTIONS,
    dialogs::changes::ACTIONS,
    dialogs::compare::ACTIONS,
    dialogs::confirm::ACTIONS,
    dialogs::filter::ACTIONS,
    dialogs::first::ACTIONS,
    dialogs::help::ACTIONS,
    dialogs::jobs::ACTIONS,
    dialogs::keys::ACTIONS,
    dialogs::locks::ACTIONS,
    dialogs::look::ACTIONS,
    dialogs::notes::ACTIONS,
    dialogs::password::ACTIONS,
    dialogs::plans::ACTIONS,
    dialogs::plans::editor::ACTIONS,
    dialogs::copy::ACTIONS,
    dialogs::palette::ACTIONS,
    dialogs::prices::ACTIONS,
    dialogs::problems::ACTIONS,
    dialogs::prune::ACTIONS,
    dialogs::quit::ACTIONS,
    dialogs::restore::ACTIONS,
    dialogs::vault::ACTIONS,
    dialogs::snapshots::browse::ACTIONS,
    dialogs::snapshots::clone::ACTIONS,
    dialogs::snapshots::compare::ACTIONS,
    dialogs::snapshots::export::ACTIONS,
    dialogs::snapshots::label::ACTIONS,
    dialogs::snapshots::policies::ACTIONS,
    dialogs::snapshots::policy_editor::ACTIONS,
    dialogs::snapshots::restore::ACTIONS,
    dialogs::snapshots::review::ACTIONS,
    dialogs::snapshots::rollback::ACTIONS,
    dialogs::snapshots::settle::ACTIONS,
    dialogs::snapshots::take::ACTIONS,
    dialogs::sort::ACTIONS,
    dialogs::versions::ACTIONS,
    global::ACTIONS,
];

/// All actions.
pub fn all() -> impl Iterator<Item = &'static Action> {
    TABLES.iter().copied().flatten()
}

/// The actions of a place.
pub fn of(context: Context) -> impl Iterator<Item = &'static Action> {
    all().filter(move |action| action.at.holds(context))
}

/// Why nothing may be written, if so; for the `why_not` of what writes.
pub fn read_only(model: &Model) -> Option<String> {
    model
        .read_only
        .then(|| "Started with --read-only: nothing is written.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destructive_never_share_enter() {
        for action in all().filter(|a| a.danger != Danger::None) {
            assert!(!action.keys.contains(&"Enter"), "{}", action.id);
        }
    }

    #[test]
    fn every_action_says_what_it_does() {
        for action in all() {
            assert!(action.id.contains('.'), "{}", action.id);
            assert!(
                action.doc.starts_with(char::is_uppercase),
                "{}: {}",
                action.id,
                action.doc
            );
            assert!(!action.name.is_empty() && !action.doc.ends_with('.'), "{}", action.id);
        }
    }
}
