//! Setting up a vault: a new one, or one that is there. The first steps of the assistant use the same fields.

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::asking::{Told, ask, change, complain, failed};
use super::super::dialog::{Dialog, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::vaults::{self, GENERATIONS, VAULTS};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::widgets::form::{Choice, Entry, Form};
use super::browser::Browser;
use super::confirm::Confirm;
use super::form_dialog;
use super::plans::entries::wrong_name;
use crate::config::{PasswordSource, VaultConfig};
use crate::engine::setup::{Change, ConfigNow, NewVault};
use crate::engine::{Answer, Question};
use crate::text;
use crate::vault::Password;
use crate::vault::repository::Compression;

/// Where keys go.
const CONTEXT: Context = Context::form("vault", "Set up a vault");
const SLOT: &str = "vault.save";

/// What one can do.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("vault.new", "new vault", "Make a vault, or add one that is there", &["n"], At::Only(&[VAULTS]), open).hint(3).unless(read_only),
    Action::new("vault.remove", "remove from config", "Take this vault out of the config; its data stays", &["X"], At::Only(&[VAULTS, GENERATIONS]), remove)
        .danger(Danger::Ask).unless(|model| super::no_vault_here(model).or_else(|| read_only(model))),
    Action::new("vault.save", "set it up", "Make the vault or add it, and write it into the config", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), save).hint(1)
        .unless(read_only),
];

/// Where its password is kept, in the order the form offers it.
const KEPT: [(&str, &str); 3] = [
    (
        "in a file",
        "The file is written for you alone (mode 0600), so that backups can run without asking. Keep the password somewhere \
         else too: this file is on the machine you may lose.",
    ),
    (
        "asked for",
        "Nothing is kept: you type it each time. Backups that run by themselves need one of the other two.",
    ),
    (
        "by a command",
        "A command prints it: a password manager, say. It runs in sh whenever the vault is opened.",
    ),
];

/// A vault being set up.
#[derive(Debug)]
pub struct VaultForm {
    form: Form,
    follow: Follow,
    trying: bool,
    problem: String,
}

/// The password file's name follows the vault's until somebody changes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Follow {
    folder: String,
    suggested: String,
}

/// The fields of a vault.
pub(super) fn entries(now: &ConfigNow, home: &str) -> (Vec<Entry>, Follow) {
    let name = (0..).map(|n| {
        if n == 0 {
            "home".to_owned()
        } else {
            format!("home{}", n + 1)
        }
    });
    let name = name
        .into_iter()
        .find(|name| now.config.vault(name).is_none())
        .unwrap_or_default();
    let folder = match home {
        "/root" | "" => format!("/srv/backup/{name}"),
        home => format!("{}/backup/{name}", home.trim_end_matches('/')),
    };
    let folder_of_config = now
        .file
        .parent()
        .map_or(String::new(), |folder| folder.to_string_lossy().into_owned());
    let mut follow = Follow {
        folder: folder_of_config,
        suggested: String::new(),
    };
    follow.suggested = follow.file_for(&name);
    let how = vec![
        Choice::new(
            "make a new one",
            "An empty vault is made in the folder, which is made too.",
        ),
        Choice::new(
            "add one that is there",
            "A vault that Coffer or restic made: nothing in it is changed.",
        ),
    ];
    let kept = KEPT.iter().map(|(word, help)| Choice::new(*word, *help)).collect();
    let entries = vec![
        Entry::choice("how", "Vault", how, 0),
        Entry::text("vault-name", "Name", &name).help("How you call it: in lists, in plans, and in a shell: coffer ls --vault NAME."),
        Entry::text("folder", "Folder", &folder).help(
            "Best on another disk than your files, or a mounted share: on the same disk it helps against mistakes, not when \
             the disk breaks.",
        ),
        Entry::button("browse-folder", "", "pick in a browser").help("Go through the folders of this machine and pick one."),
        Entry::choice("kept", "Password is", kept, 0),
        Entry::text("file", "File", &follow.suggested).help("Where the password is kept. A file that is there already must hold it."),
        Entry::text("command", "Command", "").help("Such as: pass show backup/home"),
        Entry::secret("password", "Password").help("Everything in the vault is encrypted with it. Who loses it loses the data: there is no way around it."),
        Entry::secret("again", "Once more").help("The same again, so that a slip of the finger locks nobody out."),
    ];
    (entries, follow)
}

impl Follow {
    fn file_for(&self, name: &str) -> String {
        format!("{}/{name}.password", self.folder.trim_end_matches('/'))
    }

    /// Shows the fields that what is chosen calls for.
    pub(super) fn update(&mut self, form: &mut Form) {
        let name = form.text("vault-name").trim().to_owned();
        let file = self.file_for(&name);
        if form.text("file") == self.suggested && file != self.suggested {
            form.set_text("file", &file);
            self.suggested = file;
        }
        let (kept, create) = (form.chosen("kept"), form.chosen("how") == 0);
        form.show("file", kept == 0);
        form.show("command", kept == 2);
        form.show("password", kept != 2);
        form.show("again", kept != 2 && create);
        let short = create && kept != 2 && (1..10).contains(&form.text("password").chars().count());
        let note = if short {
            "Short: who gets hold of the vault can guess it."
        } else {
            ""
        };
        form.set_note("password", note);
    }
}

/// Looks at name and folder; what is wrong is said in the form.
pub(super) fn check_place(form: &mut Form, model: &Model) {
    if let Some(problem) = wrong_name(form.text("vault-name").trim()) {
        form.set_problem("vault-name", problem);
    }
    if !model.expand_home(form.text("folder").trim()).starts_with('/') {
        form.set_problem("folder", "Give the folder's whole path, from / or ~ on.");
    }
}

/// Looks at the password's fields; what is wrong is said in the form.
pub(super) fn check_password(form: &mut Form, model: &Model) {
    let create = form.chosen("how") == 0;
    let problem = match form.chosen("kept") {
        2 if form.text("command").trim().is_empty() => Some(("command", "Give the command that prints the password.")),
        2 => None,
        0 if !model.expand_home(form.text("file").trim()).starts_with('/') => {
            Some(("file", "Give the file's whole path, from / or ~ on."))
        }
        // Of a vault that is there, the file may hold it already.
        0 if form.text("password").is_empty() && !create => None,
        _ if form.text("password").is_empty() => Some(("password", "Type a password.")),
        _ if create && form.text("password") != form.text("again") => {
            Some(("again", "The two are not the same: type it again."))
        }
        _ => None,
    };
    if let Some((id, problem)) = problem {
        form.set_problem(id, problem);
    }
}

/// The vault that the form describes.
pub(super) fn new_vault(form: &Form, model: &Model) -> NewVault {
    let typed = form.text("password");
    let kept = form.chosen("kept");
    NewVault {
        vault: VaultConfig {
            name: form.text("vault-name").trim().to_owned(),
            path: model.expand_home(form.text("folder").trim()).into(),
            password: match kept {
                0 => Some(PasswordSource::File(model.expand_home(form.text("file").trim()).into())),
                2 => Some(PasswordSource::shell(form.text("command").trim())),
                _ => None,
            },
            compression: match form.chosen("compression") {
                1 => Some(Compression::Max),
                2 => Some(Compression::Off),
                _ => None,
            },
            pack_size: None,
            price: None,
        },
        create: form.chosen("how") == 0,
        password: (kept != 2 && !typed.is_empty()).then(|| Password::new(typed)),
        scrypt: None,
    }
}

/// Opens the form.
pub fn open(act: &mut Act) {
    ask(act.model, "vault.config", Question::Config, opened, act.effects);
}

fn opened(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    match told.answer {
        Answer::Config(now) => {
            let (mut entries, follow) = entries(&now, &model.home);
            let words = vec![
                Choice::new(
                    "where it pays",
                    "What does not shrink, such as photos, is stored as it is.",
                ),
                Choice::new(
                    "as small as possible",
                    "Slower; worth it where the vault's place or the line is dear.",
                ),
                Choice::new("not at all", "For data that is compressed already."),
            ];
            entries.push(Entry::choice("compression", "Compress", words, 0));
            let mut dialog = VaultForm {
                form: Form::new(entries),
                follow,
                trying: false,
                problem: String::new(),
            };
            dialog.follow.update(&mut dialog.form);
            model.push(dialog);
        }
        other => complain(model, other),
    }
}

fn save(act: &mut Act) {
    with_top::<VaultForm>(act, |dialog, act| {
        if dialog.trying {
            return Then::Keep;
        }
        dialog.problem.clear();
        dialog.form.clear_problems();
        check_place(&mut dialog.form, act.model);
        check_password(&mut dialog.form, act.model);
        if !dialog.form.focus_problem() {
            dialog.trying = true;
            let new = new_vault(&dialog.form, act.model);
            change(act.model, SLOT, Change::SaveVault(Box::new(new)), saved, act.effects);
        }
        Then::Keep
    });
}

fn saved(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    let name = model
        .dialog_mut::<VaultForm>()
        .map(|dialog| dialog.form.text("vault-name").trim().to_owned());
    match answer {
        Answer::Changed(changed) => {
            model.dismiss::<VaultForm>();
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
            go_to(model, name);
        }
        other => match model.dialog_mut::<VaultForm>() {
            Some(dialog) => {
                dialog.trying = false;
                if let Load::Failed(why) = failed(other) {
                    dialog.problem = text::escape(why.as_bytes());
                }
            }
            // It was closed meanwhile; the change went on.
            None => complain(model, other),
        },
    }
}

/// Reads the vaults anew, with the cursor on this one.
pub(super) fn go_to(model: &mut Model, vault: Option<String>) {
    vaults::changed(model);
    model.wanted_vault = vault;
}

fn remove(act: &mut Act) {
    let Some(row) = act.model.vaults.list.current() else {
        return;
    };
    let (name, place) = (row.name.clone(), text::escape(row.location.as_bytes()));
    let shown = text::cut_middle(&text::escape(name.as_bytes()), 40, act.model.look.symbols.more);
    let sentence = format!("Vault {shown} goes from the config. Its data stays in {place}: n adds it again.");
    let confirm = Confirm::ask(act, "Remove the vault from the config?", sentence, move |act| {
        let gone = Change::RemoveVault { vault: name };
        change(act.model, SLOT, gone, removed, act.effects);
    });
    act.model.push(confirm);
}

fn removed(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    match answer {
        Answer::Changed(changed) => model.say(Role::Good, text::escape(changed.text.as_bytes())),
        other => complain(model, other),
    }
    vaults::changed(model);
}

/// Puts the picked folder into the form below.
fn browsed(model: &mut Model, paths: Vec<String>, _: &mut Vec<Effect>) {
    if let (Some(dialog), Some(path)) = (model.dialog_mut::<VaultForm>(), paths.first()) {
        dialog.form.set_text("folder", path);
    }
}

/// Where browsing for the vault's folder starts: at what is typed, or above it.
pub(super) fn browse_from(form: &Form, model: &Model) -> String {
    let typed = model.expand_home(form.text("folder").trim());
    match form.chosen("how") {
        // The folder of a new vault is not there yet, and those above it may not be either.
        0 => model.home.clone(),
        _ => typed,
    }
}

impl Dialog for VaultForm {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        (!self.trying).then_some(&mut self.form)
    }

    fn pressed(&mut self, _: &'static str, act: &mut Act) -> Then {
        let start = browse_from(&self.form, act.model);
        act.model.push(Browser::one(&start, browsed));
        Then::Keep
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<Effect>) {
        self.problem.clear();
        self.follow.update(&mut self.form);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let more = model.look.symbols.more;
        let (words, role) = match () {
            () if !self.problem.is_empty() => (self.problem.clone(), Role::Danger),
            () if self.trying => (
                format!("setting it up: deriving the key takes a second{more}"),
                Role::Dim,
            ),
            () => (String::new(), Role::Dim),
        };
        form_dialog(
            model,
            canvas,
            "Set up a vault",
            &[],
            &self.form,
            (&words, role),
            CONTEXT,
        );
    }
}
