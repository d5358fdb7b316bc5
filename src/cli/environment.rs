//! What the commands know of the process's environment: read once, by `main`.

use std::ffi::OsString;

use zeroize::Zeroizing;

use crate::config::CloudSurroundings;
use crate::vault::Password;

/// The variables that matter to the commands.
#[derive(Clone, Default)]
pub struct Environment {
    /// `COFFER_PASSWORD`, when it is set and not empty.
    pub password: Option<Password>,
    /// The locale for characters: `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub locale: String,
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colour: String,
    /// Whether `NO_COLOR` is set to anything.
    pub no_colour: bool,
    /// Whether the terminal is at the other end of an SSH connection.
    pub ssh: bool,
    /// `COFFER_FRONT`: the process that started this one to open the interface.
    pub front: Option<i32>,
    /// Whether `COFFER_DEBUG_PANIC` is set: F12 then makes the interface fail.
    pub panic_key: bool,
    /// The user's editor, a command of the shell: `VISUAL`, else `EDITOR`.
    pub editor: Option<String>,
    /// The usual variables of clouds.
    pub clouds: CloudSurroundings,
    /// `PATH`, where helper programs are looked for.
    pub path: OsString,
}

impl Environment {
    /// Picks what matters through `get`.
    pub fn read(get: impl Fn(&str) -> Option<OsString>) -> Environment {
        use std::os::unix::ffi::OsStringExt;
        let text = |name| {
            get(name)
                .map(|v| v.to_string_lossy().into_owned())
                .filter(|v| !v.is_empty())
        };
        let password = get("COFFER_PASSWORD").filter(|value| !value.is_empty());
        Environment {
            password: password.map(|value| Password(Zeroizing::new(value.into_vec()))),
            locale: text("LC_ALL")
                .or_else(|| text("LC_CTYPE"))
                .or_else(|| text("LANG"))
                .unwrap_or_default(),
            term: text("TERM").unwrap_or_default(),
            colour: text("COLORTERM").unwrap_or_default(),
            ssh: text("SSH_CONNECTION").or_else(|| text("SSH_TTY")).is_some(),
            front: text(super::front::VARIABLE).and_then(|id| id.parse().ok()),
            panic_key: text("COFFER_DEBUG_PANIC").is_some(),
            no_colour: text("NO_COLOR").is_some(),
            editor: text("VISUAL").or_else(|| text("EDITOR")),
            clouds: CloudSurroundings::read(&get),
            path: get("PATH").unwrap_or_default(),
        }
    }
}
