use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::tui::theme::{ASCII, Look, Theme};
use crate::tui::view::canvas::Canvas;

fn days(value: u64) -> Number {
    Number {
        value,
        min: 1,
        max: 36_500,
        step: 1,
        unit: ("day", "days"),
    }
}

fn form() -> Form {
    Form::new(vec![
        Entry::text("name", "Name", "etc").help("How the plan is called, on the command line too."),
        Entry::secret("secret", "Password"),
        Entry::choice(
            "kept",
            "Kept",
            vec![
                Choice::new("asked for", "You type it each time."),
                Choice::new("in a file", "A file that only you can read."),
            ],
            0,
        ),
        Entry::toggle("caches", "Leave out caches", true),
        Entry::number("days", "Keep for", days(730)),
        Entry::list(
            "excludes",
            "Excludes",
            vec!["*.tmp".into(), "/var/\u{202e}cache".into()],
            "a pattern, then Enter",
        ),
        Entry::set("into", "Into", vec!["home".into(), "away".into()], &["away".to_owned()]),
        Entry::button("pick", "Paths", "pick folders"),
        Entry::note(
            "when",
            "Runs",
            "by hand or by cron: Coffer does not run plans by itself yet",
        ),
    ])
}

fn keys(form: &mut Form, keys: &str) -> Vec<Reply> {
    keys.split(' ').map(|key| form.key(Key::parse(key).unwrap())).collect()
}

fn picture(form: &Form, width: u16, height: u16, look: Look) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    form.draw(&mut Canvas::new(&mut buffer, area, look), area);
    let mut out = String::new();
    for y in 0..height {
        let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn a_form_shows_labels_values_problems_and_the_help_of_the_focus() {
    let mut form = form();
    form.set_problem("name", "there is a plan of this name already");
    form.set_notes("excludes", vec!["12 files, 3.4 MiB".into()]);
    form.set_note("caches", "folders marked as caches");
    for c in "pw".chars() {
        form.focus("secret");
        form.key(Key::char(c));
    }
    form.focus("name");
    assert_snapshot!(picture(&form, 70, 17, Look::default()), @r"
    ▌ Name              etc
                        ✗ there is a plan of this name already
      Password          ••
      Kept              ● asked for   · in a file
      Leave out caches  ● yes  folders marked as caches
      Keep for            730 days
      Excludes          *.tmp                           12 files, 3.4 MiB
                        /var/\u{202e}cache
                        + a pattern, then Enter
      Into              · home   ● away
      Paths             [ pick folders ]
      Runs              by hand or by cron: Coffer does not run plans by
                        itself yet



    How the plan is called, on the command line too.
    ");
    let mono = Look {
        theme: Theme::Mono,
        symbols: &ASCII,
    };
    form.focus("kept");
    assert_snapshot!(picture(&form, 40, 7, mono), @r"
      Name              etc
                        x there is a plan
                          of this name
                          already
      Password          **
    > Kept              * asked f~   1 of 2v
    You type it each time.
    ");
}

#[test]
fn the_focus_goes_round_and_passes_over_what_cannot_have_it() {
    let mut form = form();
    assert_eq!(form.focused(), "name");
    assert_eq!(keys(&mut form, "Shift-Tab"), [Reply::Moved]);
    assert_eq!(form.focused(), "pick", "notes are only read");
    keys(&mut form, "Tab Tab");
    assert_eq!(form.focused(), "secret");
    form.show("kept", false);
    keys(&mut form, "↓");
    assert_eq!(form.focused(), "caches");
    form.show("caches", false);
    assert_eq!(form.focused(), "days", "what is hidden loses the focus");
    keys(&mut form, "Tab ↑ ↑");
    assert_eq!(form.focused(), "excludes", "within a list the arrows go by its rows");
}

#[test]
fn each_kind_has_its_keys() {
    let mut form = form();
    assert_eq!(keys(&mut form, "q"), [Reply::Changed]);
    assert_eq!(form.text("name"), "etcq");
    assert_eq!(keys(&mut form, "← Enter"), [Reply::Moved, Reply::Submit]);

    form.focus("kept");
    assert_eq!(
        keys(&mut form, "→ → Space"),
        [Reply::Changed, Reply::Moved, Reply::Changed]
    );
    assert_eq!(form.chosen("kept"), 0);

    form.focus("caches");
    assert_eq!(keys(&mut form, "Space x"), [Reply::Changed, Reply::Ignored]);
    assert!(!form.on("caches"));

    form.focus("days");
    keys(&mut form, "Backspace Backspace Backspace");
    assert_eq!(form.number("days"), 1, "never less than the least");
    keys(&mut form, "9 0");
    assert_eq!(form.number("days"), 90);
    keys(&mut form, "+ PgUp ←");
    assert_eq!(form.number("days"), 100);
    keys(&mut form, "3 0");
    assert_eq!(
        form.number("days"),
        30,
        "the first digit takes the place of what was there"
    );
    keys(&mut form, "9 9 9 9");
    assert_eq!(form.number("days"), 36_500, "never more than the most");

    form.focus("into");
    assert_eq!(
        keys(&mut form, "Space → Space"),
        [Reply::Changed, Reply::Moved, Reply::Changed]
    );
    assert_eq!(form.words("into"), ["home"]);

    form.focus("pick");
    assert_eq!(keys(&mut form, "Enter"), [Reply::Pressed("pick")]);
}

#[test]
fn list_rows_are_added_changed_and_removed() {
    let mut form = form();
    form.focus("excludes");
    assert!(form.field().is_some(), "a list starts where one types");
    keys(&mut form, "a Enter a Enter");
    assert_eq!(
        form.rows("excludes"),
        ["*.tmp", "/var/\u{202e}cache", "a"],
        "no row twice"
    );
    keys(&mut form, "↑ Enter b");
    assert_eq!(
        form.rows("excludes"),
        ["*.tmp", "/var/\u{202e}cache", "ab"],
        "what is typed counts before Enter"
    );
    keys(&mut form, "Enter ↑ ↑ x");
    assert_eq!(form.rows("excludes"), ["*.tmp", "ab"]);
    assert_eq!(
        keys(&mut form, "↓ Enter").last(),
        Some(&Reply::Submit),
        "an empty row sends the form off"
    );
}

#[test]
fn a_low_place_scrolls_with_the_focus() {
    let mut form = form();
    for _ in 0..form.entries().len() + 4 {
        let label = form.entry(form.focused()).unwrap().label;
        let shown = picture(&form, 60, 5, Look::default());
        let list = form.focused() == "excludes";
        assert!(
            list || shown.contains(&format!("▌ {label}")),
            "{label} is not in sight:\n{shown}"
        );
        keys(&mut form, "↓");
    }
    assert_eq!(form.focused(), "pick");
}

#[test]
fn what_is_wrong_goes_once_it_is_changed() {
    let mut form = form();
    form.set_problem("name", "no");
    form.focus("pick");
    assert!(form.focus_problem());
    assert_eq!(form.focused(), "name");
    keys(&mut form, "x");
    assert!(!form.focus_problem());
}

proptest! {
    #[test]
    fn any_keys_and_sizes_do(codes in prop::collection::vec(0usize..14, 0..80), width in 1u16..100, height in 1u16..30) {
        let names = ["a", "1", "x", "Space", "Enter", "Tab", "Shift-Tab", "↑", "↓", "←", "→", "Backspace", "Del", "End"];
        let mut form = form();
        for code in codes {
            form.key(Key::parse(names[code]).unwrap());
            prop_assert!(form.entry(form.focused()).is_some_and(Entry::takes_focus));
        }
        let shown = picture(&form, width, height, Look::default());
        let harmless = !shown.contains('\u{202e}');
        prop_assert!(harmless);
    }
}

#[test]
fn what_is_suggested_is_taken_at_the_end_of_the_text_only() {
    let mut form = form();
    form.suggest("name", "c/nginx");
    assert_eq!(keys(&mut form, "Home Tab"), [Reply::Moved, Reply::Moved]);
    assert_eq!((form.text("name"), form.focused()), ("etc", "secret"));
    form.focus("name");
    assert_eq!(keys(&mut form, "End Tab"), [Reply::Moved, Reply::Changed]);
    assert_eq!(form.text("name"), "etcc/nginx");
    // It is gone then: Tab moves on.
    assert_eq!(keys(&mut form, "Tab"), [Reply::Moved]);
    form.focus("name");
    form.suggest("name", "x");
    keys(&mut form, "y");
    assert_eq!(keys(&mut form, "Tab"), [Reply::Moved], "typing on makes it stale");
}
