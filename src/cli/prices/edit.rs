//! `coffer prices edit`: the user's own prices in their editor, checked before they take effect.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::{Failure, password, signals};
use crate::config::prices::{TEMPLATE, own_file, read};
use crate::config::{Config, Error};

pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let config = &context.engine.settings().config_path;
    let file = own_file(config);
    let Some(editor) = context.environment.editor.as_ref().filter(|_| password::terminal()) else {
        return tell(context, &file);
    };
    let before = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => TEMPLATE.to_owned(),
        Err(error) => return Err(cannot("read", &file, &error)),
    };
    let draft = draft(&file, &before)?;
    loop {
        if let Err(wrong) = edit(editor, &draft) {
            return Err(kept(&draft, &before, &format!("{wrong}; nothing was changed")));
        }
        match read(&draft) {
            Ok(_) => break,
            Err(error) => {
                // The draft's name in a message would lead nowhere.
                let error = match error {
                    Error::Invalid { line, what, .. } => format!("line {line}: {what}"),
                    other => other.to_string(),
                };
                eprintln!("coffer: {error}");
                if !again()? {
                    return Err(kept(&draft, &before, "nothing was changed"));
                }
            }
        }
    }
    let after = fs::read_to_string(&draft).map_err(|error| cannot("read", &draft, &error))?;
    if after == before {
        let _ = fs::remove_file(&draft);
        context.out.remark("nothing was changed")?;
        return Ok(Exit::Done);
    }
    // In one step, and where a link leads to.
    let real = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
    let kept = fs::metadata(&real).and_then(|old| fs::set_permissions(&draft, old.permissions()));
    match kept {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot("change", &draft, &error)),
        _ => fs::rename(&draft, &real).map_err(|error| cannot("write", &real, &error))?,
    }
    let loaded = Config::load(config).map_err(crate::engine::Error::from)?;
    let own = loaded.prices.book.iter().filter(|price| price.own).count() as u64;
    if context.out.json {
        context.out.value(&json!({ "file": file, "prices": own }))?;
    }
    let prices = crate::text::counted(own, "price", "prices");
    context
        .out
        .remark(format!("{}: {prices} of your own", file.display()))?;
    // A vault may name one that is gone now.
    loaded
        .prices
        .problems
        .iter()
        .for_each(|problem| context.out.problem(b"", problem));
    Ok(Exit::Done)
}

/// Where nobody can edit, where it would be done.
fn tell(context: &Context, file: &Path) -> Result<Exit, Failure> {
    let there = file.exists();
    if !there {
        write_new(file, TEMPLATE)?;
    }
    if context.out.json {
        context.out.value(&json!({ "file": file, "made": !there }))?;
        return Ok(Exit::Done);
    }
    context.out.line(file.display())?;
    let how = match password::terminal() {
        true => "VISUAL and EDITOR name no editor: edit that file with any",
        false => "there is no terminal: edit that file with any editor",
    };
    let made = if there {
        ""
    } else {
        "; it holds examples, commented out"
    };
    context
        .out
        .remark(format!("{how}{made}. coffer prices list says what is wrong with it."))?;
    Ok(Exit::Done)
}

/// A copy beside the file, so that it can take the file's place in one step. One that was left by an earlier try with mistakes
/// is not written over.
fn draft(file: &Path, text: &str) -> Result<PathBuf, Failure> {
    for n in 1..=99 {
        let path = file.with_extension(format!("draft-{n}.toml"));
        if !path.exists() {
            write_new(&path, text)?;
            return Ok(path);
        }
    }
    let drafts = file.with_extension("draft-*.toml");
    Err(Failure::failed(format!(
        "too many drafts are left: look at {} and delete them",
        drafts.display()
    )))
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()
    };
    write().map_err(|error| cannot("write", path, &error))
}

/// Runs the editor, a command of the shell as for every program that asks for one, and waits for it.
fn edit(editor: &str, file: &Path) -> Result<(), String> {
    let mut command = Command::new("sh");
    // The words after `-c` are $0 and $1: no name can be mistaken for a part of the command.
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg(editor).arg(file);
    let status = signals::while_another_has_the_terminal(|| command.status());
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the editor {editor:?} ended badly ({status})")),
        Err(error) => Err(format!("cannot start the editor {editor:?}: {error}")),
    }
}

/// The failure, with the draft's name if something was written there; else the draft goes.
fn kept(draft: &Path, before: &str, text: &str) -> Failure {
    if fs::read_to_string(draft).is_ok_and(|after| after == before) {
        let _ = fs::remove_file(draft);
        return Failure::failed(text);
    }
    Failure::failed(format!("{text}; what you wrote is in {}", draft.display()))
}

/// Whether the user goes on with the mistakes in front of them: yes unless they say no.
fn again() -> Result<bool, Failure> {
    let failed = |error: io::Error| Failure::failed(format!("cannot ask on the terminal: {error}"));
    eprint!("Edit it again? [Y/n] ");
    let terminal = File::open("/dev/tty").map_err(failed)?;
    let mut answer = String::new();
    let read = signals::while_asking(|| BufReader::new(terminal).read_line(&mut answer)).map_err(failed)?;
    Ok(read > 0 && !answer.trim().to_lowercase().starts_with('n'))
}

fn cannot(what: &str, file: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {what} {}: {error}", file.display()))
}
