//! Which action a sequence of keys means in a place: the tables' keys, and the user's over them.

use super::super::actions::{self, Action, At, Context, Danger};
use super::super::field::Field;
use super::{Code, Key};
use crate::config::{Binding, Problem, suggest};

/// What a sequence of keys means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved {
    /// This action.
    Action(&'static Action),
    /// More keys are needed.
    Prefix,
    /// Nothing.
    Nothing,
}

/// A sequence and what it means where the action is at home.
#[derive(Debug, Clone)]
struct Bound {
    keys: Vec<Key>,
    action: &'static Action,
    /// Whether the user said so, and in which line: such a sequence hides those of the tables that it overlaps.
    line: Option<usize>,
}

/// Which key sequence means which action where.
#[derive(Debug, Clone)]
pub struct Keymap(Vec<Bound>);

impl Default for Keymap {
    /// The keys of the actions' tables.
    fn default() -> Self {
        Keymap(actions::all().flat_map(usual).collect())
    }
}

/// The keys an action has in its table.
fn usual(action: &'static Action) -> impl Iterator<Item = Bound> {
    let bound = move |keys: &&str| {
        Some(Bound {
            keys: keys.split(' ').map(Key::parse).collect::<Option<_>>()?,
            action,
            line: None,
        })
    };
    action.keys.iter().filter_map(bound)
}

/// Whether one sequence is the start of the other, so that they cannot both be heard in one place.
fn overlap(a: &[Key], b: &[Key]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// A place where both actions are heard.
fn shared(a: &Action, b: &Action) -> Option<Context> {
    contexts()
        .into_iter()
        .find(|place| a.at.holds(*place) && b.at.holds(*place))
}

/// Every place that an action names.
fn contexts() -> Vec<Context> {
    let mut all: Vec<Context> = Vec::new();
    for action in actions::all() {
        if let At::Only(places) = action.at {
            for place in places {
                if !all.contains(place) {
                    all.push(*place);
                }
            }
        }
    }
    all
}

impl Keymap {
    /// The tables' keys with the user's in their place, and what is wrong with the user's.
    pub fn new(bindings: &[Binding]) -> (Keymap, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut own: Vec<Bound> = Vec::new();
        let mut changed: Vec<&'static str> = Vec::new();
        for binding in bindings {
            let mut complain = |what: String| {
                problems.push(Problem {
                    line: binding.line,
                    what,
                })
            };
            let meant: Vec<&'static Action> = actions::all().filter(|action| action.id == binding.action).collect();
            let Some(first) = meant.first() else {
                complain(unknown(&binding.action));
                continue;
            };
            if changed.contains(&first.id) {
                complain(format!("{} has its keys already, from a line above", first.id));
                continue;
            }
            let (read, wrong) = read(first, &binding.keys);
            wrong.into_iter().for_each(&mut complain);
            if read.is_empty() && !binding.keys.is_empty() {
                // Nothing of it can be used: the usual keys stay.
                continue;
            }
            let mut given = Vec::new();
            for keys in read {
                for action in &meant {
                    let taken = own
                        .iter()
                        .find(|other| overlap(&other.keys, &keys) && shared(other.action, action).is_some());
                    match taken {
                        Some(other) if other.action.id == action.id => {}
                        Some(other) => complain(format!(
                            "{} is {} already (line {}): {} does not get it",
                            named(&keys),
                            other.action.id,
                            other.line.unwrap_or(0),
                            action.id
                        )),
                        None => given.push(Bound {
                            keys: keys.clone(),
                            action,
                            line: Some(binding.line),
                        }),
                    }
                }
            }
            if given.is_empty() && !binding.keys.is_empty() {
                // All of them mean something else already: the usual keys stay.
                continue;
            }
            changed.push(first.id);
            own.extend(given);
        }
        // Leaving is always possible.
        let usual = actions::all()
            .filter(|action| !changed.contains(&action.id))
            .flat_map(usual)
            .chain(kept(&changed));
        let tables: Vec<Bound> = usual.collect();
        let keymap = Keymap(own.into_iter().chain(tables).collect());
        problems.extend(keymap.silenced());
        problems.sort_by_key(|problem| problem.line);
        (keymap, problems)
    }

    /// What the keys mean in a place.
    pub fn resolve(&self, context: Context, keys: &[Key]) -> Resolved {
        // The user's come first; a table's sequence that one of them overlaps is not heard.
        let here = || self.0.iter().filter(|bound| bound.action.at.holds(context));
        for own in [true, false] {
            let mut these = here().filter(|bound| bound.line.is_some() == own);
            if let Some(bound) = these.clone().find(|bound| bound.keys == keys) {
                return Resolved::Action(bound.action);
            }
            if these.any(|bound| bound.keys.starts_with(keys)) {
                return Resolved::Prefix;
            }
        }
        Resolved::Nothing
    }

    /// The keys of an action, as text.
    pub fn keys_of(&self, action: &Action) -> Vec<String> {
        let of = |bound: &&Bound| std::ptr::eq(bound.action, action);
        self.0.iter().filter(of).map(|bound| named(&bound.keys)).collect()
    }

    /// The keys that mean an action in a place, as text: without those that mean something else there, and without those
    /// that a field there takes.
    pub fn keys_in(&self, context: Context, action: &Action) -> Vec<String> {
        let typed = |bound: &Bound| context.typing && bound.keys.first().is_some_and(|key| Field::takes(*key));
        let of =
            |bound: &&Bound| std::ptr::eq(bound.action, action) && !self.is_hidden(bound, context) && !typed(bound);
        self.0.iter().filter(of).map(|bound| named(&bound.keys)).collect()
    }

    /// Whether a sequence of a table is overlapped by one of the user's in this place.
    fn is_hidden(&self, bound: &Bound, context: Context) -> bool {
        let over = |other: &Bound| other.line.is_some() && other.action.at.holds(context);
        bound.line.is_none()
            && self
                .0
                .iter()
                .any(|other| over(other) && overlap(&other.keys, &bound.keys))
    }

    /// Actions that are left without any key in a place because the user gave theirs to something else.
    fn silenced(&self) -> Vec<Problem> {
        let mut found: Vec<Problem> = Vec::new();
        for action in actions::all().filter(|action| !action.keys.is_empty()) {
            let bound = || self.0.iter().filter(|bound| std::ptr::eq(bound.action, action));
            if bound().any(|bound| bound.line.is_some()) {
                continue;
            }
            let place = contexts().into_iter().find(|place| {
                action.at.holds(*place)
                    && bound().next().is_some()
                    && bound().all(|bound| self.is_hidden(bound, *place))
            });
            let by = place.and_then(|place| {
                self.0.iter().find(|other| {
                    other.line.is_some()
                        && other.action.at.holds(place)
                        && bound().any(|bound| overlap(&bound.keys, &other.keys))
                })
            });
            if let (Some(place), Some(by)) = (place, by) {
                found.push(Problem {
                    line: by.line.unwrap_or(0),
                    what: format!(
                        "{} is {} now: {} has no key left in {}; give it another",
                        named(&by.keys),
                        by.action.id,
                        action.id,
                        place.title
                    ),
                });
            }
        }
        found
    }
}

/// Keys that stay whatever the user says: Esc closes every dialog, and something quits.
fn kept(changed: &[&'static str]) -> impl Iterator<Item = Bound> {
    let closes = actions::all().filter(|action| action.id == "dialog.close");
    let close = closes
        .filter(|action| changed.contains(&action.id))
        .map(|action| Bound {
            keys: vec![Key::plain(Code::Esc)],
            action,
            line: None,
        });
    let control = Key {
        ctrl: true,
        ..Key::char('c')
    };
    let quits = actions::all().filter(|action| action.id == "app.quit" && matches!(action.at, At::Everywhere));
    let quit = quits
        .filter(|action| changed.contains(&action.id))
        .map(move |action| Bound {
            keys: vec![control],
            action,
            line: None,
        });
    close.chain(quit).collect::<Vec<_>>().into_iter()
}

/// The sequences that can be used, and what is wrong with the others.
fn read(action: &Action, written: &[String]) -> (Vec<Vec<Key>>, Vec<String>) {
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for text in written {
        let words: Vec<&str> = text.split_whitespace().collect();
        // A blank alone is the space bar.
        let words = if words.is_empty() && !text.is_empty() {
            vec!["Space"]
        } else {
            words
        };
        let bad = words.iter().find(|word| Key::read(word).is_none());
        let keys: Vec<Key> = words.iter().filter_map(|word| Key::read(word)).collect();
        if let Some(bad) = bad {
            let hint = match suggest(bad, Key::names()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "keys are written like x, Enter, Space, Ctrl-x, Alt-x, F5".to_owned(),
            };
            wrong.push(format!("{bad:?} of {} is no key: {hint}", action.id));
        } else if keys.is_empty() {
            wrong.push(format!(
                "an empty text is no key; [] takes the keys of {} away",
                action.id
            ));
        } else if keys.len() > 4 {
            wrong.push(format!("{text:?} of {} is too long: up to four keys", action.id));
        } else if action.danger != Danger::None && keys.last().is_some_and(|key| key.code == Code::Enter) {
            wrong.push(format!("{} can do harm: Enter cannot mean it", action.id));
        } else if keys.iter().any(|key| key.code == Code::Esc) && !matches!(action.id, "dialog.close" | "list.undo") {
            wrong.push(format!("Esc always leaves: it cannot mean {}", action.id));
        } else {
            good.push(keys);
        }
    }
    (good, wrong)
}

fn unknown(id: &str) -> String {
    let shown = crate::text::escape(id.as_bytes());
    let ids = || actions::all().map(|action| action.id);
    // Often only the place is missing or wrong.
    let verb = |id: &str| id.rsplit('.').next().unwrap_or_default().to_owned();
    let meant = suggest(id, ids()).or_else(|| ids().find(|known| verb(known) == verb(id)));
    match meant {
        Some(meant) => format!("there is no action {shown}: did you mean {meant}?"),
        None => format!("there is no action {shown}; the help (?) names them"),
    }
}

fn named(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn bind(action: &str, keys: &[&str], line: usize) -> Binding {
        Binding {
            action: action.into(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            line,
        }
    }

    fn action(id: &str) -> &'static Action {
        actions::all().find(|action| action.id == id).unwrap()
    }

    fn place(name: &str) -> Context {
        contexts().into_iter().find(|place| place.name == name).unwrap()
    }

    fn pressed(keymap: &Keymap, context: &str, keys: &str) -> String {
        let keys: Vec<Key> = keys.split(' ').map(|key| Key::parse(key).unwrap()).collect();
        match keymap.resolve(place(context), &keys) {
            Resolved::Action(action) => action.id.to_owned(),
            Resolved::Prefix => "…".to_owned(),
            Resolved::Nothing => "nothing".to_owned(),
        }
    }

    fn complaints(bindings: &[Binding]) -> String {
        let (_, problems) = Keymap::new(bindings);
        problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_key_of_the_table_is_a_key() {
        for action in actions::all() {
            for keys in action.keys {
                assert!(
                    keys.split(' ').all(|k| Key::parse(k).is_some()),
                    "{}: {keys}",
                    action.id
                );
            }
        }
    }

    #[test]
    fn no_two_actions_share_a_key_in_a_context() {
        let keymap = Keymap::default();
        for (at, bound) in keymap.0.iter().enumerate() {
            for other in &keymap.0[at + 1..] {
                let place = shared(bound.action, other.action);
                assert!(
                    !overlap(&bound.keys, &other.keys) || place.is_none(),
                    "{} and {} in {place:?}",
                    bound.action.id,
                    other.action.id
                );
            }
        }
    }

    #[test]
    fn the_users_keys_take_the_place_of_the_usual_ones() {
        let (keymap, problems) = Keymap::new(&[bind("files.restore", &["X", "g r"], 3), bind("app.suspend", &[], 4)]);
        assert_eq!(problems, []);
        assert_eq!(pressed(&keymap, "files", "X"), "files.restore");
        assert_eq!(pressed(&keymap, "files", "r"), "nothing", "no longer");
        assert_eq!(pressed(&keymap, "files", "g"), "…");
        assert_eq!(pressed(&keymap, "files", "g r"), "files.restore");
        assert_eq!(pressed(&keymap, "generations", "g"), "move.top", "elsewhere as usual");
        assert_eq!(keymap.keys_of(action("files.restore")), ["X", "g r"]);
        assert_eq!(keymap.keys_in(place("files"), action("move.top")), ["Home"]);
        assert_eq!(keymap.keys_in(place("generations"), action("move.top")), ["g", "Home"]);
        assert_eq!(pressed(&keymap, "files", "Ctrl-z"), "nothing");
    }

    #[test]
    fn what_cannot_be_is_told() {
        assert_snapshot!(complaints(&[bind("files.restor", &["X"], 2)]), @"line 2: there is no action files.restor: did you mean files.restore?");
        assert_snapshot!(complaints(&[bind("reload", &["X"], 2)]), @"line 2: there is no action reload: did you mean list.reload?");
        assert_snapshot!(complaints(&[bind("nonsense.at-all", &["X"], 2)]), @"line 2: there is no action nonsense.at-all; the help (?) names them");
        assert_snapshot!(complaints(&[bind("files.select", &["Spacce"], 2)]), @r#"line 2: "Spacce" of files.select is no key: did you mean Space?"#);
        assert_snapshot!(complaints(&[bind("files.select", &["Strg-x", "X"], 2)]), @r#"line 2: "Strg-x" of files.select is no key: keys are written like x, Enter, Space, Ctrl-x, Alt-x, F5"#);
        assert_snapshot!(complaints(&[bind("files.restore", &["Ctrl-x Enter"], 2)]), @"line 2: files.restore can do harm: Enter cannot mean it");
        assert_snapshot!(complaints(&[bind("app.quit", &["Esc"], 2)]), @"line 2: Esc always leaves: it cannot mean app.quit");
        assert_snapshot!(complaints(&[bind("files.select", &[""], 2)]), @"line 2: an empty text is no key; [] takes the keys of files.select away");
    }

    #[test]
    fn conflicts_are_told_and_the_first_wins() {
        let bindings = [bind("files.select", &["X"], 2), bind("files.range", &["X", "Y"], 5)];
        assert_snapshot!(complaints(&bindings), @"line 5: X is files.select already (line 2): files.range does not get it");
        let (keymap, _) = Keymap::new(&bindings);
        assert_eq!(
            (pressed(&keymap, "files", "X"), pressed(&keymap, "files", "Y")),
            ("files.select".into(), "files.range".into())
        );
        assert_snapshot!(complaints(&[bind("files.select", &["r"], 2)]), @"line 2: r is files.select now: files.restore has no key left in Files; give it another");
        let moved = [
            bind("files.select", &["r"], 2),
            bind("files.restore", &["R"], 3),
            bind("list.reload", &["F5"], 4),
        ];
        assert_eq!(complaints(&moved), "", "a swap is no conflict");
        assert_snapshot!(complaints(&[bind("files.select", &["x"], 2), bind("files.select", &["z"], 3)]), @"line 3: files.select has its keys already, from a line above");
    }

    #[test]
    fn leaving_cannot_be_taken_away() {
        let (keymap, _) = Keymap::new(&[bind("dialog.close", &["Ctrl-g"], 2), bind("app.quit", &[], 3)]);
        assert_eq!(pressed(&keymap, "jobs", "Ctrl-g"), "dialog.close");
        assert_eq!(pressed(&keymap, "jobs", "Esc"), "dialog.close");
        assert_eq!(pressed(&keymap, "files", "q"), "nothing");
        assert_eq!(pressed(&keymap, "files", "Ctrl-c"), "app.quit");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn whatever_is_bound_esc_closes_and_no_key_means_two_things(
            bound in prop::collection::vec((0usize..200, prop::sample::select(vec!["x", "g g", "Enter", "Esc", "y", "Ctrl-c", "?", "g"])), 0..12),
        ) {
            let ids: Vec<&str> = actions::all().map(|action| action.id).collect();
            let bindings: Vec<Binding> =
                bound.iter().enumerate().map(|(n, (id, keys))| bind(ids[id % ids.len()], &[keys], n + 1)).collect();
            let (keymap, problems) = Keymap::new(&bindings);
            prop_assert!(problems.iter().all(|problem| problem.line >= 1 && problem.line <= bindings.len()));
            for context in contexts() {
                if context.dialog {
                    prop_assert_eq!(pressed(&keymap, context.name, "Esc"), "dialog.close");
                }
                let here: Vec<_> = keymap
                    .0
                    .iter()
                    .filter(|bound| bound.action.at.holds(context) && !keymap.is_hidden(bound, context))
                    .collect();
                for (n, bound) in here.iter().enumerate() {
                    prop_assert_eq!(keymap.resolve(context, &bound.keys), Resolved::Action(bound.action));
                    let danger = bound.action.danger != Danger::None;
                    prop_assert!(!danger || bound.keys.last().is_none_or(|key| key.code != Code::Enter));
                    for other in &here[n + 1..] {
                        prop_assert!(!overlap(&bound.keys, &other.keys), "{} and {}", bound.action.id, other.action.id);
                    }
                }
            }
        }
    }
}
