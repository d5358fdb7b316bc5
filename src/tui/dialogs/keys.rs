//! The keys of a vault: which passwords open it, adding one, changing the one in use, taking one away.

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::asking::{Told, abandon, ask, change, complain, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::vaults::{GENERATIONS, VAULTS};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::widgets::form::{Entry, Form};
use super::super::window::Window;
use super::confirm::Confirm;
use super::{form_dialog, frame, keys_line, line, locked, no_vault_here, unlocked};
use crate::engine::setup::{Change, KeyRow};
use crate::engine::{Answer, Question};
use crate::text;
use crate::vault::Password;

/// Where keys go.
const CONTEXT: Context = Context::dialog("keys", "Keys of a vault").with_list();
const NEW: Context = Context::form("key", "A new password");
const SLOT: &str = "keys.list";
const CHANGE: &str = "keys.change";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("keys.show", "keys", "Show which passwords open the vault", &["K"], At::Only(&[VAULTS, GENERATIONS]), open).hint(18)
        .unless(no_vault_here),
    Action::new("keys.add", "add", "Add another password", &["a"], At::Only(&[CONTEXT]), |act| type_new(act, false)).hint(1).unless(not_ready),
    Action::new("keys.change", "change password", "Change the password that is in use", &["c"], At::Only(&[CONTEXT]), |act| type_new(act, true)).hint(2).unless(not_ready),
    Action::new("keys.remove", "remove", "Take this password away: it opens the vault no more", &["x"], At::Only(&[CONTEXT]), remove).hint(3)
        .danger(Danger::Ask).unless(|model| in_use(model).or_else(|| not_ready(model))),
    Action::new("keys.save", "save", "Set the password", &["Enter", "Ctrl-s"], At::Only(&[NEW]), save).hint(1).unless(read_only),
];

/// The keys of a vault.
#[derive(Debug)]
pub struct Keys {
    vault: String,
    list: Window<KeyRow>,
    load: Load,
}

/// A new password being typed.
#[derive(Debug)]
struct NewPassword {
    vault: String,
    /// Whether it takes the place of the one in use.
    replace: bool,
    form: Form,
    trying: bool,
    problem: String,
}

fn open(act: &mut Act) {
    if let Some(vault) = act.model.vaults.list.current().map(|row| row.name.clone()) {
        act.model.push(Keys {
            vault,
            list: Window::default(),
            load: Load::Idle,
        });
    }
}

fn not_ready(model: &Model) -> Option<String> {
    let ready = model.dialog::<Keys>().is_some_and(|keys| keys.load == Load::Ready);
    (!ready)
        .then(|| "The keys are not read yet.".into())
        .or_else(|| read_only(model))
}

fn in_use(model: &Model) -> Option<String> {
    let key = model.dialog::<Keys>().and_then(|keys| keys.list.current())?;
    key.current
        .then(|| "This is the password in use: c changes it; to remove it, open the vault with another one.".into())
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Keys { vault } = asked else { return };
    let Some(keys) = model.dialog_mut::<Keys>().filter(|keys| keys.vault == *vault) else {
        return;
    };
    match told.answer {
        Answer::Keys(rows) => {
            keys.list.hold(rows);
            keys.load = Load::Ready;
        }
        Answer::PasswordNeeded { problem, .. } => {
            keys.load = Load::Locked;
            locked(model, problem);
        }
        other => keys.load = failed(other),
    }
}

fn type_new(act: &mut Act, replace: bool) {
    let Some(vault) = act.model.dialog::<Keys>().map(|keys| keys.vault.clone()) else {
        return;
    };
    let form = Form::new(vec![
        Entry::secret("password", "Password")
            .help("Keep it somewhere else too: who loses all passwords loses the data."),
        Entry::secret("again", "Once more").help("The same again, so that a slip of the finger locks nobody out."),
    ]);
    act.model.push(NewPassword {
        vault,
        replace,
        form,
        trying: false,
        problem: String::new(),
    });
}

fn save(act: &mut Act) {
    with_top::<NewPassword>(act, |dialog, act| {
        let form = &mut dialog.form;
        form.clear_problems();
        if form.text("password").is_empty() {
            form.set_problem("password", "Type a password.");
        } else if form.text("password") != form.text("again") {
            form.set_problem("again", "The two are not the same: type it again.");
        }
        if dialog.trying || form.focus_problem() {
            return Then::Keep;
        }
        dialog.trying = true;
        dialog.problem.clear();
        let (vault, password) = (dialog.vault.clone(), Password::new(form.text("password")));
        let wanted = match dialog.replace {
            true => Change::ChangePassword { vault, password },
            false => Change::AddKey { vault, password },
        };
        change(act.model, CHANGE, wanted, changed, act.effects);
        Then::Keep
    });
}

fn changed(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    match answer {
        Answer::Changed(done) => {
            model.dismiss::<NewPassword>();
            match done.remark.as_str() {
                "" => model.say(Role::Good, text::escape(done.text.as_bytes())),
                // What is left to do is what must be read.
                remark => model.say(
                    Role::Warning,
                    text::escape(format!("{} {remark}", done.text).as_bytes()),
                ),
            }
            if let Some(keys) = model.dialog_mut::<Keys>() {
                keys.load = Load::Idle;
            }
        }
        other => {
            let why = match failed(other) {
                Load::Failed(why) => text::escape(why.as_bytes()),
                _ => "The vault is locked.".to_owned(),
            };
            match model.dialog_mut::<NewPassword>() {
                Some(dialog) => {
                    dialog.trying = false;
                    dialog.problem = why;
                }
                None => model.say(Role::Danger, why),
            }
        }
    }
}

fn remove(act: &mut Act) {
    let Some((vault, key)) = act
        .model
        .dialog::<Keys>()
        .and_then(|keys| Some((keys.vault.clone(), keys.list.current()?.clone())))
    else {
        return;
    };
    let more = act.model.look.symbols.more;
    let who = text::cut_middle(&text::escape(format!("{}@{}", key.user, key.host).as_bytes()), 40, more);
    let sentence = format!(
        "The password of {who} (key {}) opens the vault no more. Whoever copied the vault's master key with it before could \
         still read copies of the vault.",
        key.id.short()
    );
    let confirm = Confirm::ask(act, "Remove the key?", sentence, move |act| {
        let gone = Change::RemoveKey { vault, key: key.id };
        change(act.model, CHANGE, gone, removed, act.effects);
    });
    act.model.push(confirm);
}

fn removed(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    match answer {
        done @ Answer::Changed(_) => changed(model, done, effects),
        other => complain(model, other),
    }
}

impl Dialog for Keys {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list
            .resize(u64::from(model.size.1.saturating_sub(13).clamp(2, 20)));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.load == Load::Locked && unlocked(model, &self.vault) {
            self.load = Load::Idle;
        }
        if self.load == Load::Idle && !model.asks(SLOT) {
            self.load = Load::Loading;
            let vault = self.vault.clone();
            ask(model, SLOT, Question::Keys { vault }, take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

fn draw(model: &Model, keys: &Keys, canvas: &mut Canvas) {
    let symbols = model.look.symbols;
    let vault = text::cut_middle(&text::escape(keys.vault.as_bytes()), 30, symbols.more);
    let rows = keys.list.visible();
    let sentence = match &keys.load {
        Load::Failed(why) => Some((text::escape(why.as_bytes()), Role::Danger)),
        Load::Locked => Some((
            "The vault is locked: its password is not known here.".into(),
            Role::Warning,
        )),
        _ if keys.list.total().is_none() => Some((format!("reading{}", symbols.more), Role::Dim)),
        _ => None,
    };
    let lines = if sentence.is_some() {
        3
    } else {
        rows.clone().count() as u16
    };
    let inside = frame(canvas, lines + 9, &format!("Keys of {vault}"), Role::Focus);
    line(
        canvas,
        inside,
        1,
        "Each key is a password that opens the vault.",
        Role::Text,
    );
    line(
        canvas,
        inside,
        3,
        "    key        made by                       when",
        Role::Dim,
    );
    if let Some((sentence, role)) = sentence {
        let lines = text::wrap_short(&sentence, usize::from(inside.width), 3, symbols.more);
        for (n, text) in lines.iter().enumerate() {
            line(canvas, inside, 4 + n as u16, text, role);
        }
    } else {
        for (n, index) in rows.enumerate() {
            let Some(key) = keys.list.get(index) else { continue };
            let y = inside.y + 4 + n as u16;
            let end = inside.right();
            let (mark, note) = if key.current {
                (symbols.marked, "in use")
            } else {
                (" ", "")
            };
            canvas.text(inside.x + 1, y, end, mark, Role::Marked);
            canvas.text(inside.x + 4, y, end, &key.id.short(), Role::Text);
            if key.problem.is_empty() {
                let who = text::escape(format!("{}@{}", key.user, key.host).as_bytes());
                canvas.text(
                    inside.x + 15,
                    y,
                    end,
                    &text::cut_middle(&who, 28, symbols.more),
                    Role::Text,
                );
                let when = key.made.map(|at| text::stamp(at, &model.zone)).unwrap_or_default();
                canvas.text(inside.x + 45, y, end, &when, Role::Dim);
                canvas.right(y, end, note, Role::Marked);
            } else {
                let room = usize::from(end.saturating_sub(inside.x + 17));
                let problem = text::cut_end(&text::escape(key.problem.as_bytes()), room, symbols.more);
                canvas.text(
                    inside.x + 15,
                    y,
                    end,
                    &format!("{} {problem}", symbols.bad),
                    Role::Danger,
                );
            }
            if index == keys.list.cursor() {
                canvas.paint(inside.x, y, end, model.look.style(Role::Cursor));
            }
        }
    }
    let shell = format!("coffer key list --vault {vault}");
    let y = inside.height.saturating_sub(4);
    if keys.load == Load::Ready {
        line(canvas, inside, y, &shell, Role::Dim);
    }
    keys_line(model, canvas, inside, CONTEXT);
}

impl Dialog for NewPassword {
    fn context(&self) -> Context {
        NEW
    }

    fn form(&mut self) -> Option<&mut Form> {
        (!self.trying).then_some(&mut self.form)
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<Effect>) {
        self.problem.clear();
        let short = (1..10).contains(&self.form.text("password").chars().count());
        let note = if short {
            "Short: who gets hold of the vault can guess it."
        } else {
            ""
        };
        self.form.set_note("password", note);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let more = model.look.symbols.more;
        let vault = text::cut_middle(&text::escape(self.vault.as_bytes()), 30, more);
        let (title, about) = match self.replace {
            true => (
                "Change the password",
                format!(
                    "The password in use opens {vault} no more; the new one does. Other keys stay. A password file that the config names gets the new one."
                ),
            ),
            false => (
                "Add a password",
                format!("Both this one and those there are open {vault} from then on."),
            ),
        };
        let (words, role) = match () {
            () if !self.problem.is_empty() => (self.problem.clone(), Role::Danger),
            () if self.trying => (format!("deriving the key takes a second{more}"), Role::Dim),
            () => (String::new(), Role::Dim),
        };
        form_dialog(model, canvas, title, &[about], &self.form, (&words, role), NEW);
    }
}
