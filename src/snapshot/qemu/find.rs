//! Machines by their processes: which QEMU runs here, and what its command line tells of it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A QEMU that runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Process {
    pub pid: u32,
    /// What it is called (`-name`).
    pub name: Option<String>,
    /// The sockets of its QMP monitors, absolute.
    pub qmp: Vec<PathBuf>,
    /// The socket of its guest agent, absolute.
    pub agent: Option<PathBuf>,
}

/// All that run.
pub(super) fn processes() -> Vec<Process> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if !name.starts_with("qemu-system") && !name.starts_with("kvm") {
            continue;
        }
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<String> = line
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let folder = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        found.push(parse(pid, &words, &folder));
    }
    found
}

/// The process that serves a socket.
pub(super) fn serving(socket: &Path) -> Option<Process> {
    let same = |path: &PathBuf| path == socket || path.canonicalize().ok() == socket.canonicalize().ok();
    processes().into_iter().find(|process| process.qmp.iter().any(same))
}

/// An option's parts: `a,b=c` → `("a", ""), ("b", "c")`; a comma within a value is written twice.
fn parts(option: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let mut rest = option.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            ',' if rest.peek() == Some(&',') => {
                rest.next();
                parts.last_mut().map(|part| part.push(',')).unwrap_or_default();
            }
            ',' => parts.push(String::new()),
            other => parts.last_mut().map(|part| part.push(other)).unwrap_or_default(),
        }
    }
    let pair = |part: String| match part.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (part, String::new()),
    };
    parts.into_iter().map(pair).collect()
}

fn value<'a>(parts: &'a [(String, String)], key: &str) -> Option<&'a str> {
    parts
        .iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
}

fn parse(pid: u32, words: &[String], folder: &Path) -> Process {
    let mut process = Process {
        pid,
        ..Process::default()
    };
    let mut channels: Vec<(String, PathBuf)> = Vec::new();
    let (mut monitors, mut agents) = (Vec::new(), Vec::new());
    for pair in words.windows(2) {
        let parts = parts(&pair[1]);
        let first = parts.first().map(|(key, _)| key.as_str()).unwrap_or_default();
        match pair[0].trim_start_matches('-') {
            "name" => {
                let name = value(&parts, "guest").unwrap_or(first);
                process.name = Some(name.to_owned()).filter(|name| !name.is_empty());
            }
            "qmp" | "qmp-pretty" => process
                .qmp
                .extend(first.strip_prefix("unix:").map(|path| folder.join(path))),
            "chardev" if first == "socket" => {
                if let (Some(id), Some(path)) = (value(&parts, "id"), value(&parts, "path")) {
                    channels.push((id.to_owned(), folder.join(path)));
                }
            }
            "mon" if value(&parts, "mode") == Some("control") => {
                monitors.push(value(&parts, "chardev").unwrap_or(first).to_owned());
            }
            "device" if first == "virtserialport" && value(&parts, "name") == Some("org.qemu.guest_agent.0") => {
                agents.extend(value(&parts, "chardev").map(str::to_owned));
            }
            _ => {}
        }
    }
    let of = |wanted: &[String]| -> Vec<PathBuf> {
        let named = channels.iter().filter(|(id, _)| wanted.contains(id));
        named.map(|(_, path)| path.clone()).collect()
    };
    process.qmp.extend(of(&monitors));
    process.agent = of(&agents).into_iter().next();
    process
}

/// The path of an image as QEMU tells it, from its own folder if it is relative.
pub(super) fn absolute(told: &str, process: Option<&Process>) -> Option<PathBuf> {
    if told.is_empty() || told.contains("://") || told.starts_with("json:") {
        return None;
    }
    let told = Path::new(OsStr::from_bytes(told.strip_prefix("file:").unwrap_or(told).as_bytes()));
    if told.is_absolute() {
        return Some(told.to_path_buf());
    }
    let folder = std::fs::read_link(format!("/proc/{}/cwd", process?.pid)).ok()?;
    let path = folder.join(told);
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn sockets_are_read_from_a_command_line() {
        let line = "qemu-system-x86_64 -name guest=web,debug-threads=on -qmp unix:q.sock,server=on,wait=off \
            -chardev socket,id=m,path=/run/a,,b.qmp,server=on -mon chardev=m,mode=control -chardev \
            socket,path=/run/ga,server=on,wait=off,id=g -device virtserialport,chardev=g,name=org.qemu.guest_agent.0";
        let process = parse(7, &words(line), Path::new("/vm"));
        assert_eq!(process.name.as_deref(), Some("web"));
        assert_eq!(process.qmp, [PathBuf::from("/vm/q.sock"), "/run/a,b.qmp".into()]);
        assert_eq!(process.agent, Some("/run/ga".into()));
    }

    #[test]
    fn one_without_a_socket_of_its_own_has_none() {
        let line = "kvm -name plain -chardev socket,id=m,fd=9,server=on -mon chardev=m,mode=control -monitor stdio";
        let process = parse(7, &words(line), Path::new("/"));
        assert_eq!(
            (process.name.as_deref(), process.qmp.len(), process.agent),
            (Some("plain"), 0, None)
        );
        assert_eq!(absolute("nbd://x/y", None), None);
        assert_eq!(absolute("/a.qcow2", None), Some("/a.qcow2".into()));
        assert_eq!(absolute("a.qcow2", None), None);
    }
}
