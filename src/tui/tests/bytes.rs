//! What keys cost on the line, through the encoder the terminal gets.

use ratatui::Terminal;

use crate::engine::JobKind;
use crate::tui::stage::Stage;
use crate::tui::terminal::Screen;
use crate::tui::theme::Look;
use crate::tui::view;

/// A stage whose frames are counted in bytes.
struct Line {
    stage: Stage,
    terminal: Terminal<Screen<Vec<u8>>>,
}

impl Line {
    fn new(columns: u16, rows: u16) -> Line {
        let stage = Stage::new(columns, rows, Look::default());
        Line {
            stage,
            terminal: Terminal::new(Screen::new(Vec::new(), columns, rows)).unwrap(),
        }
    }

    /// Draws; how many bytes that was.
    fn draw(&mut self) -> usize {
        self.terminal.backend_mut().writer_mut().clear();
        let model = &self.stage.model;
        self.terminal.draw(|frame| view(model, frame)).unwrap();
        self.terminal.backend_mut().writer_mut().len()
    }

    fn cost(&mut self, keys: &str) -> usize {
        self.draw();
        self.stage.keys(keys);
        self.draw()
    }
}

#[test]
fn a_cursor_move_costs_at_most_300_bytes() {
    let mut line = Line::new(80, 24);
    for (place, keys) in [
        ("overview", "1"),
        ("vaults", "2"),
        ("generations", "g Enter"),
        ("files", "g Enter"),
        ("many", "g j j j j j Enter"),
        ("what was found", "4 n o t e s Enter"),
        ("what changed", "2 h g Enter j c"),
    ] {
        line.cost(keys);
        for key in ["j", "j", "k", "j", "j"] {
            let cost = line.cost(key);
            assert!(
                (1..=300).contains(&cost),
                "{key} in {place} cost {cost} bytes\n{}",
                line.stage.screen()
            );
        }
    }
}

#[test]
fn retention_and_cost_keep_to_the_budget() {
    let mut line = Line::new(80, 24);
    line.cost("6");
    for key in ["j", "k", "j"] {
        let cost = line.cost(key);
        assert!((1..=300).contains(&cost), "{key} in the rule cost {cost} bytes");
    }
    // A step changes the rule, its bars and half of the figures.
    line.cost("k ← ←");
    let cost = line.cost("←");
    assert!((1..=1200).contains(&cost), "a step cost {cost} bytes");
    for (pane, keys) in [("what goes", "← Tab Tab a g"), ("what is lost", "Tab g")] {
        line.cost(keys);
        for key in ["j", "j", "k"] {
            let cost = line.cost(key);
            assert!(
                (1..=300).contains(&cost),
                "{key} in {pane} cost {cost} bytes\n{}",
                line.stage.screen()
            );
        }
    }
}

#[test]
fn snapshots_keep_to_the_budget() {
    let mut line = Line::new(80, 24);
    line.cost("5");
    for (pane, keys) in [("targets", "j"), ("snapshots", "Enter g"), ("files", "Enter")] {
        line.cost(keys);
        for key in ["j", "j", "k"] {
            let cost = line.cost(key);
            assert!(
                (1..=300).contains(&cost),
                "{key} in {pane} cost {cost} bytes\n{}",
                line.stage.screen()
            );
        }
    }
}

#[test]
fn a_scrolled_line_costs_at_most_900_bytes() {
    let mut line = Line::new(80, 24);
    line.cost("Enter Enter j j j j j Enter j j j j j j j j j j j j j j j j j j");
    let cost = line.cost("j");
    assert!(line.stage.model.files.list.top() > 0);
    assert!((1..=900).contains(&cost), "{cost} bytes");
}

#[test]
fn walking_through_the_overview_costs_little_too() {
    let mut line = Line::new(80, 24);
    line.cost("1");
    // It scrolls by half screens: dear once, cheap on the way.
    let costs: Vec<usize> = (0..16).map(|_| line.cost("j")).collect();
    let dear = costs.iter().filter(|cost| **cost > 300).count();
    let sum: usize = costs.iter().sum();
    assert!(dear <= 2 && sum <= 16 * 400, "{costs:?}");
}

#[test]
fn nothing_is_sent_at_rest() {
    let mut line = Line::new(80, 24);
    line.cost("Enter Enter");
    line.stage.wait(30_000);
    assert_eq!(line.draw(), 0);
    line.stage.wait(1);
    assert_eq!(line.draw(), 0);
}

#[test]
fn the_first_screen_costs_at_most_6_kb() {
    let mut line = Line::new(100, 30);
    let cost = line.draw();
    assert!((500..=6000).contains(&cost), "{cost} bytes");
}

#[test]
fn a_running_job_costs_at_most_a_kilobyte_a_second() {
    let mut line = Line::new(80, 24);
    let job = line.stage.start_job(JobKind::Restore, "Restore 3 items to /tmp/out");
    line.draw();
    let mut cost = 0;
    for percent in 1..=5 {
        line.stage.progress(&job, percent * 7);
        cost += line.draw();
    }
    assert!((1..=1000).contains(&cost), "five samples cost {cost} bytes");
}

#[test]
fn the_restores_list_and_gauge_keep_to_the_budget() {
    let mut line = Line::new(80, 24);
    line.cost("2 Enter Enter j r Tab Ctrl-u");
    line.stage.text("~/full");
    line.cost("Enter");
    for key in ["j", "k", "j"] {
        let cost = line.cost(key);
        assert!(
            (1..=300).contains(&cost),
            "{key} cost {cost} bytes\n{}",
            line.stage.screen()
        );
    }
    let cost = line.cost("j j j j");
    assert!((1..=900).contains(&cost), "{cost} bytes");
    line.stage.keys("y");
    let job = line.stage.started("Restore documents/ to /home/anna/full");
    line.draw();
    let mut cost = 0;
    for percent in 1..=5 {
        line.stage.progress(&job, percent * 7);
        cost += line.draw();
    }
    assert!(line.stage.screen().contains("35 %"), "{}", line.stage.screen());
    assert!((1..=1000).contains(&cost), "five samples cost {cost} bytes");
}
