//! What the terminal goes through: other sizes, the shell in between, a bug, the program's end from outside.

use std::process::Command;

use crate::session::{Demo, Session, environment};

/// The processes that a process has started and that still run.
fn children(id: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    text.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

fn kill(signal: &str, id: u32) {
    let killed = Command::new("kill").args([signal, &id.to_string()]).status().unwrap();
    assert!(killed.success());
}

#[test]
fn follows_the_terminals_size_and_leaves_it_clean_on_sigterm() {
    let demo = Demo::make();
    let mut session = Session::start(&demo, 80, 24, &["--vault", "demo"]);
    session.see("Generations");
    for (columns, rows, text) in [(40, 10, "Coffer needs 60x15"), (120, 40, "Vaults")] {
        session.resize(columns, rows);
        session.see(text);
    }
    kill("-TERM", session.child.process_id().unwrap());
    session.ends(true);
}

#[test]
fn goes_to_the_shell_and_comes_back() {
    let demo = Demo::make();
    let mut session = Session::shell(&environment(demo.path()), 80, 24);
    session.command(&format!("{} --vault demo", env!("CARGO_BIN_EXE_coffer")));
    session.see("Generations");
    session.press("\x1a");
    session.see("Stopped");
    session.see_prompt();
    session.command("echo $((6 * 7))");
    session.see("42");
    // In the background there is nothing to be seen: it stays stopped.
    session.command("bg");
    session.press_until_seen("\x0cjobs\r", "Stopped");
    session.command("fg");
    session.see("Generations");
    session.resize(100, 30);
    session.press("?");
    session.see("Keys: ");
    session.press("\x1b");
    session.see_gone("Keys: ");
    session.press("q");
    session.see_prompt();
    session.command("echo status $?");
    session.see("status 0");
}

#[test]
fn has_nowhere_to_go_without_a_shell() {
    let demo = Demo::make();
    let mut session = Session::start(&demo, 80, 24, &["--vault", "demo"]);
    session.see("Generations");
    session.press("\x1a");
    session.see("There is no shell to go to.");
    session.press("q");
    session.ends(true);
}

#[test]
fn a_bug_gives_the_terminal_back_and_is_told() {
    let demo = Demo::make();
    let mut variables = environment(demo.path());
    variables.push(("COFFER_DEBUG_PANIC".into(), "1".into()));
    let mut session = Session::start_with(&variables, 80, 24, &["--vault", "demo"]);
    session.see("Generations");
    session.press("\x1b[24~");
    session.see("asked for with F12");
    session.ends(false);
}

#[test]
fn being_killed_gives_the_terminal_back_too() {
    let demo = Demo::make();
    let mut session = Session::start(&demo, 80, 24, &["--vault", "demo"]);
    session.see("Generations");
    for child in children(session.child.process_id().unwrap()) {
        kill("-KILL", child);
    }
    session.see("coffer was killed (signal 9)");
    session.ends(false);
}
