//! A real machine for the tests: QEMU without KVM, and the small guest that `tests/guest/build` makes. It counts in RAM and
//! on its disk for each line it is sent. The tests of the interface include this file too: it needs nothing of its neighbours.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a guest may take to be up.
const BOOT: Duration = Duration::from_secs(180);

/// How long it, or QEMU, may take to answer.
const ANSWER: Duration = Duration::from_secs(120);

/// A machine that runs while this lives.
pub struct Guest {
    process: Child,
    count: BufReader<UnixStream>,
    pub qmp: PathBuf,
    pub agent: PathBuf,
}

/// What the guest answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Counted {
    pub ram: u64,
    pub disk: u64,
}

/// A qcow2 image with an empty ext4, in a folder.
pub fn image(folder: impl AsRef<Path>, name: &str) -> PathBuf {
    let path = |end: &str| folder.as_ref().join(format!("{name}.{end}"));
    let (raw, image) = (path("raw"), path("qcow2"));
    fs::File::create(&raw).unwrap().set_len(48 << 20).unwrap();
    make(Command::new("mkfs.ext4").arg("-q").arg(&raw));
    make(
        Command::new("qemu-img")
            .args(["convert", "-O", "qcow2"])
            .args([&raw, &image]),
    );
    fs::remove_file(raw).unwrap();
    image
}

fn make(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: run tests/run"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Guest {
    /// Starts one with these disks and waits until it is up; its sockets are in the folder.
    pub fn start(folder: impl AsRef<Path>, name: &str, images: &[&Path]) -> Guest {
        let made = std::env::var_os("COFFER_TEST_GUEST").map(PathBuf::from);
        let made = made.expect("COFFER_TEST_GUEST is not set: run tests/run");
        let path = |end: &str| folder.as_ref().join(format!("{name}.{end}"));
        let (qmp, agent, count, console) = (path("qmp"), path("agent"), path("count"), path("console"));
        for old in [&qmp, &agent, &count, &console] {
            let _ = fs::remove_file(old);
        }
        let socket = |path: &Path| format!("{},server=on,wait=off", path.display());
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args([
                "-accel",
                "tcg",
                "-m",
                "128",
                "-display",
                "none",
                "-nodefaults",
                "-no-reboot",
            ])
            .args(["-name", name, "-append", "console=ttyS0 quiet panic=-1", "-kernel"])
            .arg(made.join("kernel"))
            .arg("-initrd")
            .arg(made.join("initramfs"))
            .args(["-serial", &format!("file:{}", console.display())])
            .args(["-serial", &format!("unix:{}", socket(&count))])
            .args(["-qmp", &format!("unix:{}", socket(&qmp))])
            .args(["-device", "virtio-serial", "-chardev"])
            .arg(format!("socket,id=agent,path={}", socket(&agent)))
            .args(["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]);
        for (n, image) in images.iter().enumerate() {
            let file = json!({ "driver": "file", "filename": image });
            let disk = json!({ "driver": "qcow2", "node-name": format!("disk{n}"), "file": file });
            command.args(["-blockdev", &disk.to_string()]);
            command.args(["-device", &format!("virtio-blk-pci,drive=disk{n}")]);
        }
        let process = command
            .stdin(Stdio::null())
            .spawn()
            .expect("qemu-system-x86_64: run tests/run");
        let mut process = Ended(Some(process));
        let up = || fs::read_to_string(&console).is_ok_and(|said| said.contains("ready"));
        let end = Instant::now() + BOOT;
        while !up() {
            let ended = process.0.as_mut().and_then(|process| process.try_wait().unwrap());
            assert!(ended.is_none(), "QEMU ended: {ended:?}");
            assert!(Instant::now() < end, "the guest is not up after {BOOT:?}");
            // A file that is written cannot wake us.
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let stream = UnixStream::connect(&count).unwrap();
        stream.set_read_timeout(Some(ANSWER)).unwrap();
        Guest {
            process: process.0.take().unwrap(),
            count: BufReader::new(stream),
            qmp,
            agent,
        }
    }

    /// Sends a line.
    pub fn send(&mut self, line: &str) {
        self.count.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The answer to a line; `None` if it does not come in time.
    pub fn answer(&mut self, limit: Duration) -> Option<Counted> {
        self.count.get_mut().set_read_timeout(Some(limit)).unwrap();
        let mut text = String::new();
        match self.count.read_line(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                assert_eq!(text, "", "half an answer");
                return None;
            }
            Err(error) => panic!("{error}"),
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |n: usize| words.get(n).and_then(|word| word.parse().ok());
        let counted = number(1).zip(number(3));
        let (ram, disk) = counted.unwrap_or_else(|| panic!("the guest said {text:?}"));
        Some(Counted { ram, disk })
    }

    /// Has it count on by one.
    pub fn count(&mut self) -> Counted {
        self.send("x");
        self.answer(ANSWER).expect("the guest answers")
    }

    /// The other end of the guest's counting, for another process to use.
    pub fn counting(&self) -> PathBuf {
        self.qmp.with_extension("count")
    }

    /// Lets another process have it count.
    pub fn let_go(&mut self) {
        self.count.get_mut().shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// QEMU's process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Switches it off, as by the power cable.
    pub fn end(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks QEMU something.
    pub fn qmp(&self, command: &str) -> Value {
        self.order(command, json!({}))
    }

    /// The same with arguments.
    pub fn order(&self, command: &str, arguments: Value) -> Value {
        let stream = UnixStream::connect(&self.qmp).unwrap();
        stream.set_read_timeout(Some(ANSWER)).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut answer = || loop {
            let value: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if value.get("event").is_none() {
                return value;
            }
        };
        answer();
        let mut ask = |order: Value| {
            (&stream).write_all(format!("{order}\n").as_bytes()).unwrap();
            let mut answer = answer();
            assert!(answer.get("return").is_some(), "{order}: {answer}");
            answer["return"].take()
        };
        ask(json!({ "execute": "qmp_capabilities" }));
        ask(json!({ "execute": command, "arguments": arguments }))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Ends a process when a test fails before it has an owner.
struct Ended(Option<Child>);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(mut process) = self.0.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
