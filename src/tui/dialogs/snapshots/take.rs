//! Taking a snapshot, or several at one moment: what is to be whole in it, who writes there now, and what is done around it.

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::{chosen, words};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Choice, Entry, Form};
use super::super::browser::Browser;
use super::super::form_dialog;
use super::start;
use crate::engine::question::{SnapshotAbility, SnapshotHooks, TakeAsked};
use crate::engine::{Answer, Question, SnapshotTask};
use crate::snapshot::{Consistency, MadeBy, Target};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("snapshot-take", "Take a snapshot");
const SLOT: &str = "snapshots.ability";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-take.take", "take it", "Take it now; the job shows how it goes", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), take).hint(1)
        .unless(not_ready),
];

/// A snapshot being asked for.
#[derive(Debug)]
pub struct Taking {
    targets: Vec<Target>,
    names: Vec<String>,
    form: Form,
    /// What can be had of each, as it is told.
    abilities: Vec<SnapshotAbility>,
    load: Load,
}

/// Why none can be taken here now.
pub fn why_not(model: &Model) -> Option<String> {
    let targets = chosen::to_take(model);
    if targets.is_empty() {
        return Some("There is nothing here that could be snapshotted.".into());
    }
    let problem = targets.iter().find_map(|row| row.found.problem.as_deref());
    read_only(model).or_else(|| problem.map(|why| text::escape(why.as_bytes())))
}

/// Why it cannot be taken as the form stands.
fn not_ready(model: &Model) -> Option<String> {
    let dialog = model.dialog::<Taking>()?;
    match &dialog.load {
        Load::Failed(why) => Some(text::escape(why.as_bytes())),
        Load::Ready if dialog.unable().is_some() => dialog.unable(),
        Load::Ready => read_only(model),
        _ => Some("What can be had is still being found out.".into()),
    }
}

/// Opens it for what is selected, or what the cursor is on.
pub fn open(act: &mut Act) {
    let rows = chosen::to_take(act.model);
    let targets: Vec<Target> = rows.iter().map(|row| row.found.target.clone()).collect();
    let names: Vec<String> = rows.iter().map(|row| words::name(row)).collect();
    push(act.model, targets, names);
}

/// Opens it for a folder that is picked: one that is not listed.
pub fn open_other(act: &mut Act) {
    let start = match chosen::to_take(act.model).first().map(|row| &row.found.target) {
        Some(Target::Folder(path)) => path.to_string_lossy().into_owned(),
        _ => act.model.home.clone(),
    };
    act.model.push(Browser::one(&start, picked));
}

fn picked(model: &mut Model, paths: Vec<String>, _: &mut Vec<Effect>) {
    if let Some(path) = paths.into_iter().next() {
        let target = Target::Folder(path.into());
        let name = words::target(&target);
        push(model, vec![target], vec![name]);
    }
}

fn push(model: &mut Model, targets: Vec<Target>, names: Vec<String>) {
    let what = match names.as_slice() {
        [one] => one.clone(),
        many => format!("{}, all at one moment or none", many.join(", ")),
    };
    let form = Form::new(vec![
        Entry::note("what", "of", &text::cut_end(&what, 240, model.look.symbols.more)),
        Entry::note("writers", "writes there", ""),
        Entry::text("label", "label", "").help("What you call it: why it was taken. May stay empty."),
        Entry::choice("level", "consistency", vec![Choice::new("best", "")], 0),
        Entry::set("hooks", "told before", Vec::new(), &[]).help(
            "Programs that are told to have everything on the disk before, and to go on after: Space chooses, arrows move.",
        ),
        Entry::toggle("protected", "protected", false).help("Nothing deletes it until the protection is taken away."),
        Entry::text("before", "run before", "").help("A command for sh, run before anything is held; if it fails, nothing is taken."),
        Entry::text("after", "run after", "").help("A command for sh, run after everything goes on, whatever came of it."),
    ]);
    let mut dialog = Taking {
        targets,
        names,
        form,
        abilities: Vec::new(),
        load: Load::Idle,
    };
    dialog.refresh();
    model.push(dialog);
}

impl Taking {
    /// The levels that can be had of all of them without telling programs, the weakest first.
    fn levels(&self) -> Vec<Consistency> {
        let everywhere = |level: &Consistency| {
            let mut all = self.abilities.iter();
            all.all(|one| one.ability.levels.contains(level))
        };
        Consistency::ALL.into_iter().filter(everywhere).collect()
    }

    /// The levels offered: those that can be had, and the one that programs have a part in.
    fn offered(&self) -> Vec<Consistency> {
        let levels = self.levels();
        let is_offered = |level: &Consistency| *level == Consistency::Application || levels.contains(level);
        Consistency::ALL.into_iter().filter(is_offered).collect()
    }

    /// The level chosen; `None` is the best without RAM.
    fn level(&self) -> Option<Consistency> {
        let at = self.form.chosen("level").checked_sub(1)?;
        self.offered().get(at).copied()
    }

    /// Why one of them cannot be taken at all.
    fn unable(&self) -> Option<String> {
        let unable = self.abilities.iter().find(|one| one.ability.levels.is_empty())?;
        let hints = text::escape(unable.ability.hints.join("; ").as_bytes());
        Some(format!("{}: {hints}", words::target(&unable.target)))
    }

    /// Whether programs are told: less than that is wanted without them.
    fn tells(&self) -> bool {
        self.level().is_none_or(|level| level >= Consistency::Application)
    }

    fn hooks(&self) -> SnapshotHooks {
        let command = |id: &str| {
            let typed = self.form.text(id).trim();
            (!typed.is_empty()).then(|| typed.to_owned())
        };
        SnapshotHooks {
            ready: match self.tells() {
                true => self.form.words("hooks"),
                false => Vec::new(),
            },
            before: command("before"),
            after: command("after"),
            seconds: None,
        }
    }

    /// Shows what is known by now.
    fn told(&mut self) {
        let mut hooks: Vec<String> = self.abilities.iter().flat_map(|one| one.hooks.clone()).collect();
        hooks.sort();
        hooks.dedup();
        let mut words = vec![Choice::new(
            "best",
            "The best that needs neither commands nor RAM; with a hook or a command: application.",
        )];
        let level = |level: Consistency| Choice::new(level.word(), words::meaning(level));
        words.extend(self.offered().into_iter().map(level));
        if let Some(entry) = self.form.entry_mut("level") {
            entry.value = Entry::choice("level", "", words, 0).value;
        }
        if let Some(entry) = self.form.entry_mut("hooks") {
            // Who writes there is best told.
            entry.value = Entry::set("hooks", "", hooks.clone(), &hooks).value;
        }
        self.refresh();
    }

    /// Shows what belongs to the values.
    fn refresh(&mut self) {
        let writers: Vec<String> = self
            .abilities
            .iter()
            .flat_map(|one| &one.ability.writers)
            .map(|writer| match &writer.database {
                Some(database) => format!("{database} ({})", writer.pid),
                None => writer.to_string(),
            })
            .collect();
        let machines = self.targets.iter().all(|target| matches!(target, Target::Machine(_)));
        let words = match (&self.load, writers.as_slice()) {
            (Load::Ready, []) if machines => "what runs in it: that is not seen from here".to_owned(),
            (Load::Ready, []) => "nobody now, as far as can be seen".to_owned(),
            (Load::Ready, few) if few.len() <= 6 => few.join(", "),
            (Load::Ready, many) => format!("{}, and {} more", many[..6].join(", "), many.len() - 6),
            (Load::Failed(_), _) => "not known".to_owned(),
            _ => "being looked at".to_owned(),
        };
        self.form.set_note("writers", text::escape(words.as_bytes()));
        let any = self.abilities.iter().any(|one| !one.hooks.is_empty());
        let tells = self.tells();
        self.form.show("hooks", any && tells);
        let ready = self.load == Load::Ready;
        self.form.show("level", ready);
        let best = self
            .levels()
            .into_iter()
            .filter(|level| *level <= Consistency::Filesystem)
            .max();
        let hooks = self.hooks();
        let commands = !hooks.ready.is_empty() || hooks.before.is_some();
        let note = match (self.level(), best) {
            (None, _) if commands => "here: application".to_owned(),
            (None, Some(best)) => format!("here: {best}"),
            _ => String::new(),
        };
        self.form.set_note("level", note);
    }

    /// What stands in the way of more, a sentence each.
    fn hints(&self) -> Vec<String> {
        let mut hints: Vec<String> = Vec::new();
        for one in &self.abilities {
            for hint in &one.ability.hints {
                let hint = text::escape(hint.as_bytes());
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
        }
        hints
    }
}

fn told(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::SnapshotAbility { target } = asked else {
        return;
    };
    let Some(dialog) = model.dialog_mut::<Taking>() else {
        return;
    };
    let next = dialog.targets.get(dialog.abilities.len());
    if next != Some(target) {
        return;
    }
    match told.answer {
        Answer::SnapshotAbility(ability) => {
            dialog.abilities.push(*ability);
            if dialog.abilities.len() == dialog.targets.len() {
                dialog.load = Load::Ready;
                dialog.told();
            }
        }
        other => {
            dialog.load = failed(other);
            dialog.refresh();
        }
    }
}

fn take(act: &mut Act) {
    with_top::<Taking>(act, |dialog, act| {
        let hooks = dialog.hooks();
        let level = dialog.level();
        let commands = !hooks.ready.is_empty() || hooks.before.is_some();
        if level == Some(Consistency::Application) && !commands && !dialog.levels().contains(&Consistency::Application)
        {
            dialog.form.set_problem(
                "level",
                "Programs must be told for this: choose one of them below, or give a command that tells them.",
            );
            return Then::Keep;
        }
        let of = match dialog.names.as_slice() {
            [one] => one.clone(),
            many => text::counted(many.len() as u64, "volume", "volumes and machines"),
        };
        let asked = TakeAsked {
            targets: dialog.targets.clone(),
            consistency: level,
            label: dialog.form.text("label").trim().to_owned(),
            protected: dialog.form.on("protected"),
            hooks,
            made_by: MadeBy::Hand,
        };
        act.model.snapshots.targets.picks.release();
        start(act, SnapshotTask::Take(Box::new(asked)), format!("Snapshot {of}"));
        Then::Close
    });
}

impl Dialog for Taking {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<Effect>) {
        self.refresh();
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if matches!(self.load, Load::Idle | Load::Loading)
            && !model.asks(SLOT)
            && let Some(target) = self.targets.get(self.abilities.len()).cloned()
        {
            self.load = Load::Loading;
            ask(model, SLOT, Question::SnapshotAbility { target }, told, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let more = model.look.symbols.more;
        let title = match self.targets.len() {
            1 => "Take a snapshot".to_owned(),
            many => format!("Take {many} snapshots at one moment"),
        };
        let (words, role) = match &self.load {
            Load::Failed(why) => (text::escape(why.as_bytes()), Role::Danger),
            Load::Ready => match self.unable() {
                Some(why) => (why, Role::Danger),
                None => (self.hints().join(" "), Role::Warning),
            },
            _ => (format!("looking who writes there and what can be had{more}"), Role::Dim),
        };
        // The sentence must not push the form off a small screen.
        let room = usize::from(canvas.width().saturating_sub(10)) * 3;
        let words = text::cut_end(&words, room, more);
        form_dialog(model, canvas, &title, &[], &self.form, (&words, role), CONTEXT);
    }
}
