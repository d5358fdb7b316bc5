//! A real machine for the tests: QEMU without KVM, and the small guest that `tests/guest/build` makes. It counts in RAM and
//! on its disk for each line it is sent.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::run;
use crate::support::{Bench, wait_until};

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

/// A qcow2 image with an empty ext4.
pub fn image(bench: &Bench, name: &str) -> PathBuf {
    let (raw, image) = (bench.path(&format!("{name}.raw")), bench.path(&format!("{name}.qcow2")));
    fs::File::create(&raw).unwrap().set_len(48 << 20).unwrap();
    run("mkfs.ext4", &["-q".as_ref(), raw.as_os_str()]);
    let words = ["convert", "-O", "qcow2"].map(std::ffi::OsStr::new);
    run(
        "qemu-img",
        &[&words[..], &[raw.as_os_str(), image.as_os_str()]].concat(),
    );
    fs::remove_file(raw).unwrap();
    image
}

impl Guest {
    /// Starts one with these disks and waits until it is up.
    pub fn start(bench: &Bench, name: &str, images: &[&Path]) -> Guest {
        let made = std::env::var_os("COFFER_TEST_GUEST").map(PathBuf::from);
        let made = made.expect("COFFER_TEST_GUEST is not set: run tests/run");
        let path = |end: &str| bench.path(&format!("{name}.{end}"));
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
        wait_until("the guest is up", || {
            let ended = process.0.as_mut().and_then(|process| process.try_wait().unwrap());
            assert!(ended.is_none(), "QEMU ended: {ended:?}");
            up()
        });
        let stream = UnixStream::connect(&count).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        Guest {
            process: process.0.take().unwrap(),
            count: BufReader::new(stream),
            qmp,
            agent,
        }
    }

    /// Names it in the config.
    pub fn name_it(&self, bench: &Bench, name: &str) {
        let words = ["machine", "add", name, "--qmp", self.qmp.to_str().unwrap(), "--agent"];
        bench.coffer(&[&words[..], &[self.agent.to_str().unwrap()]].concat());
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
        self.answer(Duration::from_secs(120)).expect("the guest answers")
    }

    /// The other end of the guest's counting, for another process to use.
    pub fn counting(&self) -> PathBuf {
        self.qmp.with_extension("count")
    }

    /// Lets another process have it count.
    pub fn let_go(&mut self) {
        self.count.get_mut().shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// Switches it off, as by the power cable.
    pub fn end(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks QEMU something.
    pub fn qmp(&self, command: &str) -> Value {
        let stream = UnixStream::connect(&self.qmp).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut answer = || loop {
            let value: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if value.get("event").is_none() {
                return value;
            }
        };
        answer();
        for command in ["qmp_capabilities", command] {
            (&stream)
                .write_all(format!("{}\n", json!({ "execute": command })).as_bytes())
                .unwrap();
            if command != "qmp_capabilities" {
                return answer()["return"].take();
            }
            answer();
        }
        unreachable!()
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
