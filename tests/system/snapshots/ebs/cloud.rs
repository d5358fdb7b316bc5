//! moto as the cloud, and a relay in between that makes it behave badly.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::Bench;

/// Where the tests' volumes are, and where copies go.
pub const HERE: &str = "eu-west-1";
pub const THERE: &str = "eu-central-1";
pub const ZONE: &str = "eu-west-1a";

/// A moto server, while this lives.
pub struct Moto {
    server: Child,
    pub port: u16,
}

impl Moto {
    /// One that lets everybody do everything.
    pub fn new() -> Moto {
        Moto::start(None, &[])
    }

    /// One that lets everybody do so many actions, and then checks credentials and signatures.
    pub fn checking_after(actions: u32) -> Moto {
        Moto::start(Some(actions), &[])
    }

    /// One that speaks TLS, with this certificate and its key.
    pub fn with_tls(certificate: &Path, key: &Path) -> Moto {
        let files = [
            OsStr::new("-c"),
            certificate.as_os_str(),
            OsStr::new("-k"),
            key.as_os_str(),
        ];
        Moto::start(None, &[&[OsStr::new("-s")], &files[..]].concat())
    }

    fn start(unchecked: Option<u32>, more: &[&OsStr]) -> Moto {
        let program = std::env::var_os("COFFER_TEST_MOTO").expect("COFFER_TEST_MOTO is not set: run tests/run");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).args(more);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(actions) = unchecked {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", actions.to_string());
        }
        let moto = Moto {
            server: command.spawn().expect("moto is missing: run tests/run"),
            port,
        };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "moto does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        moto
    }

    /// Asks for an action in a region, as somebody whom nobody checks; the answer.
    pub fn ask_in(&self, region: &str, service: &str, form: &str) -> String {
        let version = if service == "iam" { "2010-05-08" } else { "2016-11-15" };
        let body = format!("{form}&Version={version}");
        let scope = format!("setup/20260101/{region}/{service}/aws4_request");
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {service}.amazonaws.com\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none\r\n\r\n",
            body.len()
        );
        let answer = forward(self.port, format!("{head}{body}").as_bytes());
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.starts_with("HTTP/1.1 200"), "{form}: {text}");
        text
    }

    pub fn ask(&self, form: &str) -> String {
        self.ask_in(HERE, "ec2", form)
    }

    /// A new volume of 8 GiB.
    pub fn volume(&self) -> String {
        let made = self.ask(&format!(
            "Action=CreateVolume&Size=8&AvailabilityZone={ZONE}&VolumeType=gp3"
        ));
        between(&made, "<volumeId>", "</volumeId>").to_owned()
    }

    /// The cloud's own ids of the snapshots of a volume in a region.
    pub fn snapshots_in(&self, region: &str, volume: &str) -> Vec<String> {
        let form = format!("Action=DescribeSnapshots&Filter.1.Name=volume-id&Filter.1.Value.1={volume}");
        let text = self.ask_in(region, "ec2", &form);
        let parts = text.split("<snapshotId>").skip(1);
        parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The text between two others.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"))
        .1;
    rest.split_once(after).unwrap().0
}

/// Writes a config with the clouds `here` and `there`, asked at this port, and the credentials that they use.
pub fn configure(bench: &Bench, port: u16, key: (&str, &str), more: &str) {
    let cloud = |name: &str, region: &str| {
        format!(
            "[clouds.{name}]\nregion = \"{region}\"\nendpoint = \"http://127.0.0.1:{port}\"\nprofile = \"test\"\n{more}\n"
        )
    };
    let config = format!("{}{}", cloud("here", HERE), cloud("there", THERE));
    std::fs::write(bench.path("config.toml"), config).unwrap();
    let folder = bench.path("home/.aws");
    std::fs::create_dir_all(&folder).unwrap();
    let credentials = format!(
        "[test]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.0, key.1
    );
    std::fs::write(folder.join("credentials"), credentials).unwrap();
}

/// What the relay does with a request.
pub enum Relayed {
    /// Hands it on.
    Pass,
    /// Answers itself, with this status and body.
    Answer(u16, String),
    /// Hands it on and says nothing of what comes back.
    Lose,
    /// Hands it on and changes the answer's body.
    Change(fn(String) -> String),
}

/// Stands between coffer and moto, while this lives.
pub struct Relay {
    pub port: u16,
    ends: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Relay {
    /// `decide` is given the action and how many requests came before.
    pub fn new(to: u16, decide: impl Fn(&str, usize) -> Relayed + Send + Sync + 'static) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ends = Arc::new(AtomicBool::new(false));
        let ended = ends.clone();
        let thread = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                relay(stream.unwrap(), to, |action| decide(action, number));
            }
        });
        Relay {
            port,
            ends,
            thread: Some(thread),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().unwrap().join();
    }
}

/// One request; connections are not kept.
fn relay(mut stream: TcpStream, to: u16, decide: impl Fn(&str) -> Relayed) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = read_request(&mut stream);
    let text = String::from_utf8_lossy(&request).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return;
    };
    let action = between(body, "Action=", "&");
    let (status, body) = match decide(action) {
        Relayed::Answer(status, body) => (status, body),
        decided => {
            let closing = format!("{}\r\nConnection: close\r\n\r\n{body}", head);
            let answer = String::from_utf8_lossy(&forward(to, closing.as_bytes())).into_owned();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let status = between(head, " ", " ").parse().unwrap();
            match decided {
                Relayed::Lose => return,
                Relayed::Change(change) => (status, change(body.to_owned())),
                _ => (status, body.to_owned()),
            }
        }
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // Who asked may have gone.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// Head and body of a request.
fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = between(head, "content-length:", "\r\n").trim().parse().unwrap();
            if body.len() >= length {
                return all;
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return all,
            Ok(n) => all.extend_from_slice(&part[..n]),
        }
    }
}

/// Sends a request, and gives all that comes back.
fn forward(port: u16, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// A refusal as the EC2 interface words it.
pub fn refusal(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>Request limit exceeded.</Message></Error></Errors>\
         <RequestID>1</RequestID></Response>"
    )
}
