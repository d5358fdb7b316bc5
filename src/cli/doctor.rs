//! `coffer doctor`: is everything in place?
//!
//! Each check gives a [`Finding`]. Nothing is made or changed, and no password is asked for: what would need one says so.

use std::fs;
use std::io::IsTerminal;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde::Serialize;

use super::args::GlobalArgs;
use super::context::{Context, settings};
use super::exit::Exit;
use super::output::{Output, bytes, counted, escape};
use super::{Environment, Failure, password};
use crate::config::{Config, Folders, PasswordSource, VaultConfig};
use crate::engine::{Engine, Error};
use crate::vault::Vault;

/// Check that everything is in place, and say what to do where it is not
///
/// Looks at the config, Coffer's own folders, vaults, passwords, plans, the clock and the terminal. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

const EXAMPLES: &str = "\
Example:
  coffer doctor";

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    Warning,
    Bad,
}

/// What one check found.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    advice: String,
}

fn good(check: &'static str, message: impl Into<String>) -> Finding {
    Finding {
        check,
        state: State::Good,
        message: message.into(),
        advice: String::new(),
    }
}

fn warning(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding {
        check,
        state: State::Warning,
        message: message.into(),
        advice: advice.into(),
    }
}

fn bad(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding {
        check,
        state: State::Bad,
        message: message.into(),
        advice: advice.into(),
    }
}

impl Args {
    pub(super) fn run(self, global: GlobalArgs, environment: Environment) -> Result<Exit, Failure> {
        let out = Output::new(&global, jiff::tz::TimeZone::system());
        let mut found = Vec::new();
        let folders = Folders::find(global.config.clone()).map_err(Error::from)?;
        let config = check_config(&folders, &mut found);
        check_folder("cache folder", &folders.cache, &mut found);
        check_folder("data folder", &folders.data, &mut found);
        check_catalog(&folders.data, &mut found);
        check_clock(&mut found);
        check_terminal(&environment, &mut found);
        check_programs(&config, &environment, &mut found);
        check_plans(&config, &mut found);
        check_prices(&config, &mut found);
        check_interface(&config, &mut found);
        for vault in &config.vaults {
            check_password(vault, &mut found);
        }
        let mut named: Vec<String> = config.vaults.iter().map(|vault| vault.name.clone()).collect();
        named.extend(global.vault.clone().filter(|vault| !named.contains(vault)));
        if !named.is_empty() {
            let settings = settings(folders, config, environment.password.clone());
            match Engine::without_memory(settings).map(|engine| Context::over(engine, global, environment)) {
                Ok(context) => named.iter().for_each(|vault| check_vault(&context, vault, &mut found)),
                Err(error) => found.push(bad("catalog", error.to_string(), "please report it")),
            }
        }
        show(&out, &found)
    }
}

fn show(out: &Output, found: &[Finding]) -> Result<Exit, Failure> {
    let worst = found.iter().any(|finding| finding.state == State::Bad);
    if out.json {
        out.value(&serde_json::json!({ "ok": !worst, "checks": found }))?;
    } else {
        for finding in found
            .iter()
            .filter(|finding| !out.quiet || finding.state != State::Good)
        {
            let mark = match finding.state {
                State::Good => "ok  ",
                State::Warning => "note",
                State::Bad => "BAD ",
            };
            out.line(format!("{mark}  {:<13} {}", finding.check, finding.message))?;
            if !finding.advice.is_empty() {
                out.line(format!("{:19} → {}", "", finding.advice))?;
            }
        }
        let warnings = found.iter().filter(|finding| finding.state == State::Warning).count() as u64;
        out.remark(match (worst, warnings) {
            (true, _) => "\nSomething is wrong: see the lines marked BAD.".to_owned(),
            (false, 0) => "\nEverything is in place.".to_owned(),
            (false, n) => format!("\nNothing is wrong; {} to look at.", counted(n, "thing", "things")),
        })?;
    }
    out.flush()?;
    Ok(if worst { Exit::Failed } else { Exit::Done })
}

fn check_config(folders: &Folders, found: &mut Vec<Finding>) -> Config {
    let file = folders.config.display();
    match Config::load(&folders.config) {
        Ok(config) if !folders.config.exists() => {
            let advice = "none is needed; to give a vault a name: coffer vault add NAME FOLDER";
            found.push(good("config", format!("{file} does not exist: {advice}")));
            config
        }
        Ok(config) => {
            let (vaults, plans) = (config.vaults.len() as u64, config.plans.len() as u64);
            let text = format!(
                "{file}: {}, {}",
                counted(vaults, "vault", "vaults"),
                counted(plans, "plan", "plans")
            );
            found.push(good("config", text));
            config
        }
        Err(error) => {
            found.push(bad(
                "config",
                error.to_string(),
                format!("correct {file}; no command runs with it"),
            ));
            Config::default()
        }
    }
}

/// The user's own prices can be read, and vaults name prices that are there.
fn check_prices(config: &Config, found: &mut Vec<Finding>) {
    let advice = "correct it (coffer prices edit, coffer vault set NAME --price ID); backups run all the same";
    let problems = config.prices.problems.iter();
    found.extend(problems.map(|problem| warning("prices", problem.as_str(), advice)));
}

/// A folder that is there is writable, or it can be made.
fn check_folder(check: &'static str, folder: &Path, found: &mut Vec<Finding>) {
    let there = folder
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"));
    let place = folder.display();
    found.push(if !there.is_dir() {
        bad(
            check,
            format!("{} is no folder", there.display()),
            "move it out of the way, or choose another place",
        )
    } else if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let variable = if check.starts_with("cache") {
            "COFFER_CACHE_DIR"
        } else {
            "COFFER_DATA_DIR"
        };
        bad(
            check,
            format!("{} is not writable", there.display()),
            format!("set {variable} to a folder of your own"),
        )
    } else if there == folder {
        good(check, format!("{place} is writable"))
    } else {
        good(check, format!("{place} will be made when it is needed"))
    });
}

/// What is remembered can be written to: root's file in a user's folder cannot.
fn check_catalog(data: &Path, found: &mut Vec<Finding>) {
    let file = data.join("catalog.db");
    if file.exists() && access(&file, Access::READ_OK | Access::WRITE_OK).is_err() {
        let place = escape(file.as_os_str().as_encoded_bytes());
        found.push(bad(
            "catalog",
            format!("{place} is not writable for you: nothing is remembered"),
            format!("make it your own again: chown $USER {place}*"),
        ));
    }
}

fn check_clock(found: &mut Vec<Finding>) {
    let zone = jiff::tz::TimeZone::system();
    let now = jiff::Timestamp::now();
    let local = now.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
    let name = zone.iana_name().unwrap_or("a zone without a name");
    // Older than this program: the clock was never set.
    let set = now.as_second() > 1_767_225_600;
    found.push(match set {
        false => bad(
            "clock",
            format!("it says {local}"),
            "set the clock: generations are told apart by their time",
        ),
        true if zone.is_unknown() => warning(
            "clock",
            format!("{local}; the time zone is not known"),
            "set TZ, or link /etc/localtime",
        ),
        true => good("clock", format!("{local} ({name})")),
    });
}

fn check_terminal(environment: &Environment, found: &mut Vec<Finding>) {
    let locale = environment.locale.to_ascii_lowercase();
    found.push(match locale.contains("utf-8") || locale.contains("utf8") {
        true => good("locale", environment.locale.clone()),
        false => {
            let says = if locale.is_empty() {
                "is not set".to_owned()
            } else {
                format!("is {}", environment.locale)
            };
            warning(
                "locale",
                format!("it {says}: the interface uses plain characters"),
                "export LANG=C.UTF-8",
            )
        }
    });
    if !std::io::stdout().is_terminal() {
        found.push(good(
            "terminal",
            "standard output is none, so the interface cannot open here",
        ));
        return;
    }
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).map(|size| (size.ws_col, size.ws_row));
    let (columns, rows) = size.unwrap_or((0, 0));
    let kind = if environment.term.is_empty() {
        "unnamed"
    } else {
        &environment.term
    };
    let colours = match environment.colour.as_str() {
        "truecolor" | "24bit" => "true colour",
        _ => "sixteen colours",
    };
    let text = match columns {
        0 => format!("{kind} of unknown size, {colours}"),
        _ => format!("{kind}, {columns}×{rows}, {colours}"),
    };
    found.push(if matches!(environment.term.as_str(), "" | "dumb") {
        warning(
            "terminal",
            text,
            "set TERM to what the terminal is; the interface needs to place the cursor",
        )
    } else if columns > 0 && (columns < 60 || rows < 15) {
        warning("terminal", text, "make it at least 80×24 for the interface")
    } else {
        good("terminal", text)
    });
}

/// The programs that password commands of the config start.
fn check_programs(config: &Config, environment: &Environment, found: &mut Vec<Finding>) {
    for vault in &config.vaults {
        let Some(PasswordSource::Command(words)) = &vault.password else {
            continue;
        };
        let Some(program) = words.first() else { continue };
        let there = match program.contains('/') {
            true => Path::new(program).exists(),
            false => std::env::split_paths(&environment.path).any(|folder| folder.join(program).is_file()),
        };
        found.push(match there {
            true => good(
                "program",
                format!(
                    "{} is there, for the password of {}",
                    escape(program.as_bytes()),
                    vault.name
                ),
            ),
            false => bad(
                "program",
                format!(
                    "{} is not in PATH; the password of {} comes from it",
                    escape(program.as_bytes()),
                    vault.name
                ),
                "install it, or change password-command in the config",
            ),
        });
    }
}

fn check_plans(config: &Config, found: &mut Vec<Finding>) {
    for plan in &config.plans {
        let missing: Vec<&PathBuf> = plan
            .paths
            .iter()
            .filter(|path| fs::symlink_metadata(path).is_err())
            .collect();
        let unread: Vec<&PathBuf> = plan
            .paths
            .iter()
            .filter(|path| path.exists() && access(path.as_path(), Access::READ_OK).is_err())
            .collect();
        let list = |paths: &[&PathBuf]| -> String {
            paths
                .iter()
                .map(|path| escape(path.as_os_str().as_encoded_bytes()))
                .collect::<Vec<_>>()
                .join(", ")
        };
        found.push(if !missing.is_empty() {
            bad(
                "plan",
                format!("{}: {} does not exist", plan.name, list(&missing)),
                "correct its paths in the config",
            )
        } else if !unread.is_empty() {
            let advice = "run it as a user that may read everything, root as a rule";
            warning(
                "plan",
                format!("{}: {} cannot be read by you", plan.name, list(&unread)),
                advice,
            )
        } else {
            let paths = counted(plan.paths.len() as u64, "path", "paths");
            good(
                "plan",
                format!("{}: {paths} into {}", plan.name, plan.vaults.join(", ")),
            )
        });
    }
}

/// What `[interface]` and `[keys]` say.
fn check_interface(config: &Config, found: &mut Vec<Finding>) {
    let (_, keys) = crate::tui::keys::Keymap::new(&config.interface.keys);
    for problem in config.interface.problems.iter().chain(&keys) {
        let text = escape(problem.to_string().as_bytes());
        found.push(warning(
            "interface",
            text,
            "correct that line of the config; the rest holds",
        ));
    }
}

fn check_password(vault: &VaultConfig, found: &mut Vec<Finding>) {
    let Some(PasswordSource::File(file)) = &vault.password else {
        return;
    };
    let place = escape(file.as_os_str().as_encoded_bytes());
    found.push(match fs::metadata(file) {
        Err(error) => bad(
            "password",
            format!("{place}: {error}"),
            "make the file, or change password-file in the config",
        ),
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            let who = if meta.permissions().mode() & 0o007 != 0 {
                "everybody"
            } else {
                "its group"
            };
            warning(
                "password",
                format!("{place} can be read by {who}"),
                format!("chmod 600 {place}"),
            )
        }
        Ok(meta) if ![0, rustix::process::geteuid().as_raw()].contains(&meta.uid()) => warning(
            "password",
            format!("{place} belongs to another user"),
            format!("chown it, then chmod 600 {place}"),
        ),
        Ok(_) => good("password", format!("{place} is readable by its owner only")),
    });
}

fn check_locks(vault: &Vault, shown: &str, found: &mut Vec<Finding>) {
    let Ok(locks) = vault.locks() else { return };
    let stale = locks.iter().filter(|lock| lock.is_stale()).count() as u64;
    if stale > 0 {
        let text = format!(
            "{shown} holds {} of programs that are gone",
            counted(stale, "lock", "locks")
        );
        found.push(warning("locks", text, format!("coffer unlock --vault {shown}")));
    } else if !locks.is_empty() {
        let number = counted(locks.len() as u64, "program works", "programs work");
        found.push(good("locks", format!("{number} with {shown} just now")));
    }
}

fn check_vault(context: &Context, name: &str, found: &mut Vec<Finding>) {
    let shown = escape(name.as_bytes());
    let opened = context.engine.open(name, password::given(&context.global));
    let generations = match opened {
        Ok(open) => {
            check_locks(open.vault(), &shown, found);
            open.vault().generations().map_err(Failure::from)
        }
        Err(Error::PasswordNeeded { .. }) => {
            let text = format!("{shown} is there; its password is asked for, so it was not opened");
            found.push(good("vault", text));
            return;
        }
        Err(error) => Err(error.into()),
    };
    match generations {
        Err(failure) => found.push(bad(
            "vault",
            failure.message(),
            "until this is put right nothing goes into it or comes out",
        )),
        Ok(generations) => {
            let number = counted(generations.len() as u64, "generation", "generations");
            let newest = generations.last().map(|newest| newest.time);
            let text = newest.map_or_else(
                || number.clone(),
                |time| format!("{number}, the newest of {}", context.out.time(&time)),
            );
            found.push(good("vault", format!("{shown} opens: {text}")));
            let now = (context.engine.settings().clock)();
            if newest.is_some_and(|newest| newest.seconds > now.seconds + 3_600) {
                let text = format!("{shown} holds a generation of the future");
                found.push(warning(
                    "vault",
                    text,
                    "see whether this machine's clock, or the one that made it, is wrong",
                ));
            }
        }
    }
    let Ok((folder, _)) = context.engine.place(name) else {
        return;
    };
    if let Ok(space) = rustix::fs::statvfs(&folder) {
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        let all = space.f_blocks.saturating_mul(space.f_frsize).max(1);
        let text = format!("{} of {} are free where {shown} lies", bytes(free), bytes(all));
        found.push(match free < all / 20 {
            true => warning("space", text, "make room before the next backup fails"),
            false => good("space", text),
        });
    }
    if access(&folder, Access::WRITE_OK).is_err() {
        found.push(warning(
            "vault",
            format!("{shown} is not writable for you"),
            "it can be read with --no-lock; backups need another user",
        ));
    }
}
