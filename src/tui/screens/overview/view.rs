//! How the overview is drawn: a line each, its columns by the width.

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::message;
use super::super::super::view::pane::{Span, TOP, cursor, plain_heading};
use super::super::cost::words::plain;
use super::rows::{Item, Part, WARNING};
use super::{checked_words, costs, coverage, reach_word};
use crate::engine::JobState;
use crate::engine::overview::{PlanCopy, PlanState, Severity, Standing, VaultState};
use crate::engine::question::JobRow;
use crate::text;

/// Where the name starts, behind the glyph and the word.
pub(super) const NAME: u16 = 18;

/// Draws it.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let span = Span::whole(canvas);
    plain_heading(model, canvas, span, "Overview");
    let overview = &model.overview;
    let nothing = overview.told.vaults.is_empty() && overview.told.plans.is_empty();
    match &overview.load {
        Load::Failed(why) if nothing => {
            let why = text::escape(why.as_bytes());
            message(canvas, span, 3, &why, &[("R", "tries again")], "");
            return;
        }
        Load::Idle | Load::Loading if nothing => {
            let reading = format!("reading{}", model.look.symbols.more);
            canvas.text(span.x + 3, 3, span.end, &reading, Role::Dim);
            return;
        }
        _ if nothing => {
            message(
                canvas,
                span,
                3,
                "Nothing is backed up yet: there is no vault. A vault is the folder backups live in.",
                &[("A", "sets it up in four steps; in a shell it is:")],
                "coffer init --vault /srv/backup/home\ncoffer demo        makes one to look at",
            );
            return;
        }
        _ => {}
    }
    for (n, (item, line)) in overview.rows.visible().enumerate() {
        let y = TOP + 1 + n as u16;
        draw_line(model, canvas, y, item, line);
        if line == 0 && overview.rows.current() == Some(item) {
            cursor(model, canvas, span, y);
        }
    }
    let (above, below) = overview.rows.more();
    let symbols = model.look.symbols;
    for (is_more, y, symbol) in [
        (above, TOP + 1, symbols.up),
        (below, TOP + 1 + model.body_rows(), symbols.down),
    ] {
        if is_more {
            canvas.right(y, span.end, symbol, Role::Key);
        }
    }
}

fn draw_line(model: &Model, canvas: &mut Canvas, y: u16, item: Item, line: u16) {
    let told = &model.overview.told;
    match item {
        Item::Air => {}
        Item::Banner(0) => standing_line(model, canvas, y),
        Item::Banner(_) => sums_line(model, canvas, y),
        Item::Head(part) => head(model, canvas, y, part),
        Item::Plan(n, copy) => {
            if let Some(plan) = told.plans.get(n)
                && let Some(copy) = plan.copies.get(copy)
            {
                plan_line(model, canvas, y, plan, copy);
            }
        }
        Item::Vault(n) => {
            if let Some(vault) = told.vaults.get(n) {
                vault_line(model, canvas, y, vault);
            }
        }
        Item::Cost(n) => {
            if let Some(cost) = model.overview.costs.get(n) {
                costs::line(model, canvas, y, cost);
            }
        }
        Item::Cover(n) => {
            if let Some(row) = model.overview.coverage.get(n) {
                coverage::line(model, canvas, y, row);
            }
        }
        Item::Uncovered(count) => coverage::others(canvas, y, count),
        Item::Run(n) => {
            if let Some(run) = told.runs.get(n) {
                run_line(model, canvas, y, run);
            }
        }
        Item::Warning(n) => {
            let Some(warning) = told.warnings.get(n) else { return };
            let symbols = model.look.symbols;
            let (glyph, word, role) = match warning.severity {
                Severity::Danger => (symbols.bad, "danger", Role::Danger),
                Severity::Warning => (symbols.warning, "warning", Role::Warning),
                Severity::Note => (symbols.dot, "note", Role::Dim),
            };
            let width = canvas.width();
            if line == 0 {
                state(canvas, y, glyph, word, role);
            }
            let cells = usize::from(width.saturating_sub(WARNING + 2));
            let lines = text::wrap(&text::escape(warning.text.as_bytes()), cells);
            if let Some(text) = lines.get(usize::from(line)) {
                canvas.text(WARNING, y, width, text, Role::Text);
            }
        }
        Item::None(part) => {
            let words = match part {
                Part::Plans => "none: a plan says what is backed up, and where to (P makes one)",
                Part::Vaults => "none: a vault is where backups live",
                Part::Warnings | Part::Coverage | Part::Costs => "none",
                Part::Runs => "none yet",
            };
            canvas.text(2, y, canvas.width(), words, Role::Dim);
        }
    }
}

/// A glyph and a word.
pub(super) fn state(canvas: &mut Canvas, y: u16, glyph: &str, word: &str, role: Role) {
    let x = canvas.text(2, y, NAME, glyph, role);
    canvas.text(x.max(3) + 1, y, NAME, word, role);
}

/// The first line: whether one can sleep well.
fn standing_line(model: &Model, canvas: &mut Canvas, y: u16) {
    let told = &model.overview.told;
    let symbols = model.look.symbols;
    let count = |severity| {
        told.warnings
            .iter()
            .filter(|warning| warning.severity == severity)
            .count() as u64
    };
    let (dangers, warnings) = (count(Severity::Danger), count(Severity::Warning));
    let fresh = told
        .plans
        .iter()
        .filter(|plan| plan.standing() == Standing::Fresh)
        .count();
    let all = told.plans.len();
    let plans = match (fresh, all) {
        (_, 0) => "There is no plan: nothing is backed up by itself".to_owned(),
        (1, 1) => "The plan is up to date".to_owned(),
        (0, 1) => "The plan is not up to date".to_owned(),
        (fresh, all) if fresh == all => format!("All {all} plans are up to date"),
        (0, all) => format!("None of {all} plans is up to date"),
        (fresh, all) => format!(
            "{fresh} of {all} plans {} up to date",
            if fresh == 1 { "is" } else { "are" }
        ),
    };
    let (glyph, role, words) = match (dangers, warnings) {
        (0, 0) if fresh == all && all > 0 => (symbols.good, Role::Good, format!("{plans}.")),
        (0, warnings) => {
            let warnings = text::counted(warnings, "warning", "warnings");
            (symbols.warning, Role::Warning, format!("{plans}; {warnings} below."))
        }
        (dangers, _) => {
            let dangers = text::counted(dangers, "danger", "dangers");
            (symbols.bad, Role::Danger, format!("{plans}; {dangers} below."))
        }
    };
    let x = canvas.text(2, y, canvas.width(), glyph, role);
    canvas.text(x + 1, y, canvas.width(), &words, role);
}

/// The second line: how much there is, and what it costs.
fn sums_line(model: &Model, canvas: &mut Canvas, y: u16) {
    let told = &model.overview.told;
    let stored = told.vaults.iter().filter_map(|vault| vault.stored);
    let unknown = told.vaults.iter().filter(|vault| vault.stored.is_none()).count();
    let sum = text::bytes(stored.fold(0u64, u64::saturating_add));
    let vaults = text::counted(told.vaults.len() as u64, "vault", "vaults");
    let held = match unknown {
        0 => format!("{sum} stored in {vaults}"),
        all if all == told.vaults.len() => format!("{vaults}, not weighed yet"),
        _ => format!("{sum} stored in {vaults}, {unknown} not weighed yet"),
    };
    let logical = told
        .plans
        .iter()
        .filter_map(|plan| plan.copies.iter().filter_map(|copy| copy.logical).max());
    let logical = text::bytes(logical.fold(0u64, u64::saturating_add));
    let dot = model.look.symbols.dot;
    let cost = plain(model.look.symbols, &costs::sum(&model.overview.costs));
    let words = [
        format!("{held} {dot} {logical} of files protected {dot} {cost}"),
        format!("{held} {dot} {logical} protected {dot} {cost}"),
        format!("{held} {dot} {cost}"),
        held,
    ];
    let room = usize::from(canvas.width().saturating_sub(5));
    let fitting = words.iter().find(|words| text::width(words) <= room).or(words.last());
    if let Some(words) = fitting {
        canvas.text(4, y, canvas.width() - 1, words, Role::Dim);
    }
}

/// The columns behind the name, for a width: where each ends or starts.
pub(super) struct Columns {
    /// Where the vault (or the first amount) starts.
    pub(super) second: u16,
    /// Where ages start.
    pub(super) age: u16,
    /// Where counts end.
    pub(super) count: Option<u16>,
    /// Where sizes end.
    pub(super) size: u16,
    /// Where the rest starts.
    pub(super) rest: Option<u16>,
}

impl Columns {
    pub(super) fn of(width: u16) -> Columns {
        match width {
            ..76 => Columns {
                second: 30,
                age: 42,
                count: None,
                size: width - 1,
                rest: None,
            },
            76..100 => Columns {
                second: 33,
                age: 48,
                count: None,
                size: 74,
                rest: None,
            },
            _ => Columns {
                second: 36,
                age: 54,
                count: Some(75),
                size: 86,
                rest: Some(89),
            },
        }
    }
}

fn head(model: &Model, canvas: &mut Canvas, y: u16, part: Part) {
    let width = canvas.width();
    let symbols = model.look.symbols;
    canvas.rule(0, y, width, symbols.rule, Role::Border);
    let title = match part {
        Part::Plans => " Plans ",
        Part::Vaults => " Vaults ",
        Part::Warnings => " To know ",
        Part::Coverage => " What comes back ",
        Part::Costs => " Cost ",
        Part::Runs => " Last runs ",
    };
    canvas.text(1, y, width, title, Role::Title);
    let columns = Columns::of(width);
    let mut put = |x: u16, words: &str, right: bool| {
        let words = format!(" {words} ");
        let start = if right {
            (x + 1).saturating_sub(text::width(&words) as u16)
        } else {
            x.saturating_sub(1)
        };
        canvas.text(start, y, width, &words, Role::Dim);
    };
    match part {
        Part::Plans => {
            put(columns.second, "into", false);
            put(columns.age, "newest", false);
            put(columns.size, "size", true);
            if let (Some(count), Some(rest)) = (columns.count, columns.rest) {
                put(count, "kept", true);
                put(rest, "last run", false);
            }
        }
        Part::Vaults => {
            put(columns.second, "place", false);
            put(columns.age, "newest", false);
            put(columns.size, "stored", true);
            if let (Some(count), Some(rest)) = (columns.count, columns.rest) {
                put(count, "holds", true);
                put(rest, "checked", false);
            }
        }
        Part::Costs => {
            put(columns.second, "a month", false);
            put(columns.age, "months before", false);
            put(columns.size, "stored", true);
            if let Some(rest) = columns.rest {
                put(rest, "price", false);
            }
        }
        Part::Coverage => {
            let columns = coverage::Columns::of(width);
            if let (Some(backup), Some(snapshot)) = (columns.backup, columns.snapshot) {
                put(backup, "backup", false);
                put(snapshot, "snapshot", false);
                for (x, words) in columns.marks.into_iter().zip(coverage::MARKS) {
                    put(x, words, false);
                }
            }
            if let Some(rest) = columns.rest {
                put(rest, "copies", false);
            }
        }
        Part::Runs => put(columns.second, "into", false),
        Part::Warnings => {}
    }
}

/// A word for how a plan's copy stands.
fn standing(model: &Model, copy: &PlanCopy) -> (&'static str, &'static str, Role) {
    let symbols = model.look.symbols;
    if copy.last_run.as_ref().is_some_and(|run| !run.state.has_ended()) {
        return (symbols.arrow, "running", Role::Focus);
    }
    match copy.standing {
        Standing::Never => (symbols.bad, "never run", Role::Danger),
        Standing::Unknown => (symbols.more, "not known", Role::Warning),
        Standing::Late => (symbols.warning, "late", Role::Warning),
        Standing::Failed => (symbols.warning, "run failed", Role::Warning),
        Standing::Fresh => (symbols.good, "up to date", Role::Good),
    }
}

fn plan_line(model: &Model, canvas: &mut Canvas, y: u16, plan: &PlanState, copy: &PlanCopy) {
    let (width, now) = (canvas.width(), model.now.unix);
    let columns = Columns::of(width);
    let more = model.look.symbols.more;
    let (glyph, word, role) = standing(model, copy);
    state(canvas, y, glyph, word, role);
    let name = text::cut_middle(
        &text::escape(plan.name.as_bytes()),
        usize::from(columns.second - NAME - 1),
        more,
    );
    canvas.text(NAME, y, columns.second, &name, Role::Folder);
    let vault = text::escape(copy.vault.as_bytes());
    let vault = text::cut_middle(&vault, usize::from(columns.age - columns.second - 1), more);
    canvas.text(columns.second, y, columns.age, &vault, Role::Text);
    let age = copy
        .newest
        .map_or_else(|| "nothing yet".into(), |time| text::ago(time, now));
    canvas.text(columns.age, y, width, &age, Role::Text);
    let size = copy.logical.map(text::bytes).unwrap_or_default();
    canvas.right(y, columns.size, &size, Role::Dim);
    if let Some(count) = columns.count {
        canvas.right(y, count, &text::count(copy.generations), Role::Dim);
    }
    if let (Some(rest), Some(run)) = (columns.rest, &copy.last_run) {
        let words = format!(
            "{} {}",
            run.state.word(),
            text::ago(run.ended.unwrap_or(run.started), now)
        );
        let role = if matches!(run.state, JobState::Failed { .. }) {
            Role::Warning
        } else {
            Role::Dim
        };
        canvas.text(rest, y, width - 1, &words, role);
    }
}

fn vault_line(model: &Model, canvas: &mut Canvas, y: u16, vault: &VaultState) {
    let (width, now) = (canvas.width(), model.now.unix);
    let columns = Columns::of(width);
    let more = model.look.symbols.more;
    let (glyph, word, role) = reach_word(model, &vault.reach);
    state(canvas, y, glyph, word, role);
    let name = text::cut_middle(
        &text::escape(vault.name.as_bytes()),
        usize::from(columns.second - NAME - 1),
        more,
    );
    canvas.text(NAME, y, columns.second, &name, Role::Folder);
    let place = text::escape(vault.location.as_bytes());
    let place = text::cut_path(&place, usize::from(columns.age - columns.second - 1), more);
    canvas.text(columns.second, y, columns.age, &place, Role::Dim);
    let age = vault
        .newest
        .map_or_else(|| "nothing yet".into(), |time| text::ago(time, now));
    canvas.text(columns.age, y, width, &age, Role::Text);
    canvas.right(
        y,
        columns.size,
        &vault.stored.map(text::bytes).unwrap_or_default(),
        Role::Dim,
    );
    if let Some(count) = columns.count {
        canvas.right(
            y,
            count,
            &vault.generations.map(text::count).unwrap_or_default(),
            Role::Dim,
        );
    }
    if let Some(rest) = columns.rest {
        canvas.text(rest, y, width - 1, &checked_words(vault.checked, now), Role::Dim);
    }
}

fn run_line(model: &Model, canvas: &mut Canvas, y: u16, run: &JobRow) {
    let (width, now) = (canvas.width(), model.now.unix);
    let columns = Columns::of(width);
    let symbols = model.look.symbols;
    let (glyph, role, words) = match &run.state {
        JobState::Running | JobState::Cancelling => (symbols.arrow, Role::Focus, ""),
        JobState::Cancelled { .. } => (symbols.warning, Role::Warning, ""),
        JobState::Failed { error, .. } => (symbols.bad, Role::Danger, error.as_str()),
        JobState::Done { summary, problems: 0 } => (symbols.good, Role::Good, summary.as_str()),
        JobState::Done { summary, .. } => (symbols.warning, Role::Warning, summary.as_str()),
    };
    state(canvas, y, glyph, run.state.word(), role);
    let name = run.info.plan.as_deref().unwrap_or("no plan");
    let name = text::cut_middle(
        &text::escape(name.as_bytes()),
        usize::from(columns.second - NAME - 1),
        symbols.more,
    );
    canvas.text(NAME, y, columns.second, &name, Role::Text);
    let vault = text::escape(run.info.vault.as_bytes());
    let vault = text::cut_middle(&vault, usize::from(columns.age - columns.second - 1), symbols.more);
    canvas.text(columns.second, y, columns.age, &vault, Role::Text);
    let x = canvas.text(
        columns.age,
        y,
        width,
        &text::ago(run.info.started.seconds, now),
        Role::Text,
    );
    let x = x.max(columns.age + 13) + 1;
    let words = text::cut_end(
        &text::escape(words.as_bytes()),
        usize::from(width.saturating_sub(x + 1)),
        symbols.more,
    );
    canvas.text(x, y, width, &words, Role::Dim);
}
