//! The interface over a real SSH connection, to a server on the loopback.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use portable_pty::CommandBuilder;

use crate::session::{Demo, Session, environment};

/// An SSH server that lets this user in by a key of its own; it ends with this value.
struct Server {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.path().join(name))
                .status()
                .unwrap();
            assert!(made.success());
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::copy(path("user.pub"), path("authorized")).unwrap();
        std::fs::set_permissions(path("authorized"), std::fs::Permissions::from_mode(0o600)).unwrap();
        // Where it puts its unprivileged part when it runs as root.
        if rustix::process::geteuid().is_root() {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n",
            path("host"),
            path("authorized"),
        );
        std::fs::write(path("config"), config).unwrap();
        let mut child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &path("config")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Server listening") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "sshd ended");
        }
        // What it says later is read too: a full pipe would stop it.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Server { child, port, folder }
    }

    /// Runs the program on the far side, with this environment and nothing else.
    fn coffer(&self, columns: u16, rows: u16, environment: &[(String, PathBuf)], arguments: &str) -> Session {
        let mut command = CommandBuilder::new("ssh");
        command.args(["-tt", "-q", "-F", "none", "-p", &self.port.to_string(), "-i"]);
        command.arg(self.folder.path().join("user"));
        for option in [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
        ] {
            command.args(["-o", option]);
        }
        command.arg("127.0.0.1");
        let variables: Vec<String> = environment
            .iter()
            .map(|(name, value)| format!("{name}='{}'", value.display()))
            .collect();
        let program = Path::new(env!("CARGO_BIN_EXE_coffer")).display();
        command.arg(format!("exec env -i {} '{program}' {arguments}", variables.join(" ")));
        command.env("TERM", "xterm-256color");
        Session::run(command, columns, rows)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs sshd"]
fn opens_resizes_and_quits_over_ssh() {
    let demo = Demo::make();
    let server = Server::start();
    let mut session = server.coffer(80, 24, &environment(demo.path()), "--vault demo");
    session.see("Generations");
    session.resize(40, 10);
    session.see("Coffer needs 60x15");
    session.resize(120, 40);
    session.see("Generations");
    session.press("q");
    session.ends(true);
}

/// What somebody does who has never seen it: set up, back up, lose a file, find it, get it back.
fn from_the_first_run_to_the_lost_file(columns: u16, rows: u16) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let documents = home.join("documents");
    std::fs::create_dir(&documents).unwrap();
    std::fs::write(documents.join("letter to the bank.txt"), "Dear bank,\n").unwrap();
    std::fs::write(documents.join("todo.md"), "- write to the bank\n").unwrap();
    let environment = [
        ("HOME", home.to_path_buf()),
        ("LANG", "C.UTF-8".into()),
        ("TERM", "xterm-256color".into()),
        ("TZ", "UTC".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let server = Server::start();
    let mut session = server.coffer(columns, rows, &environment, "");

    session.see("step 1 of 4");
    session.press("\r");
    session.see("step 2 of 4");
    // To the password, and to its repetition.
    for key in ["\t", "\t", "correct horse battery", "\t", "correct horse battery"] {
        session.press(key);
    }
    session.press("\r");
    session.see("step 3 of 4");
    session.see("Takes ");
    session.press("\r");
    session.see("step 4 of 4");
    session.press("\r");
    session.see("All is set up");
    session.press("\r");
    session.see("✓ Back up home to home");
    assert!(home.join("backup/home/config").is_file());

    let lost = documents.join("letter to the bank.txt");
    std::fs::remove_file(&lost).unwrap();
    session.press("4");
    session.see("Type a part of a name");
    session.press("letter to");
    session.see("letter to the bank.txt");
    session.press("\r");
    session.see("go to it");
    session.press("r");
    session.see("lands as");
    session.press("\r");
    session.see("nothing that is there is lost");
    session.press_until_gone("y", "Restore: the plan");
    session.see("1 file written");
    let below = documents.strip_prefix("/").unwrap();
    let restored = home.join("restored").join(below).join("letter to the bank.txt");
    assert_eq!(std::fs::read_to_string(restored).unwrap(), "Dear bank,\n");
    session.press("\x1b");
    session.see_gone("what came of it");
    session.press("q");
    session.ends(true);
}

#[test]
#[ignore = "needs sshd"]
fn from_the_first_run_to_the_lost_file_at_80_by_24() {
    from_the_first_run_to_the_lost_file(80, 24);
}

#[test]
#[ignore = "needs sshd"]
fn from_the_first_run_to_the_lost_file_at_120_by_40() {
    from_the_first_run_to_the_lost_file(120, 40);
}
