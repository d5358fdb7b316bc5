//! Word between processes about jobs: a socket beside each process's mark, on which another process of the same user asks
//! what runs, what went wrong so far, and that a job be stopped.
//!
//! One line of JSON in, one out, then the connection ends. The thread that answers sleeps while nobody asks, so a job
//! costs nothing to be watched, and nothing is written to disk. What outlives a process (log, end, issues) is in the
//! catalog; this is only about the living.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::time::Duration;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Inner, JobHandle, JobId, JobInfo, JobIssue, JobKind, JobRow, JobState};
use crate::progress::ProgressSample;
use crate::vault::Time;

/// How long another process may take to ask, once it has come.
const HEARING: Duration = Duration::from_secs(2);
/// The longest line that is read.
const LONGEST: u64 = 4 << 20;
/// How many issues one answer holds.
const ISSUES: usize = 1_000;
/// The longest path a socket can have on every system, with room to spare.
const LONGEST_PATH: usize = 90;

/// A question to another process.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub(in crate::engine) enum Ask {
    /// What runs?
    Jobs,
    /// Stop this one. The second is the process that asks, for the log.
    Cancel { job: JobId, by: u32 },
    /// What went wrong so far?
    Issues { job: JobId },
}

/// Its answer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::engine) struct Reply {
    jobs: Vec<Running>,
    /// Whether what was asked for was done.
    pub(in crate::engine) done: bool,
    /// Path (base64) and text.
    issues: Vec<(String, String)>,
}

/// A job that runs.
#[derive(Debug, Serialize, Deserialize)]
struct Running {
    id: JobId,
    kind: String,
    vault: String,
    plan: Option<String>,
    title: String,
    started: Time,
    cancelling: bool,
    issues: u64,
    files_done: u64,
    files_total: u64,
    bytes_done: u64,
    bytes_total: u64,
    totals_known: bool,
    errors: u64,
    current: String,
}

impl Reply {
    /// The jobs it tells of.
    pub(in crate::engine) fn rows(self) -> Vec<JobRow> {
        self.jobs.into_iter().filter_map(Running::row).collect()
    }

    /// The issues it tells of.
    pub(in crate::engine) fn issues(self) -> Vec<JobIssue> {
        let issue = |(path, text): (String, String)| JobIssue {
            path: BASE64.decode(path.as_bytes()).unwrap_or_default(),
            text,
        };
        self.issues.into_iter().map(issue).collect()
    }
}

impl Running {
    fn of(job: &JobHandle) -> Running {
        let (info, sample) = (&job.info, job.progress.sample());
        Running {
            id: info.id,
            kind: info.kind.word().into(),
            vault: info.vault.clone(),
            plan: info.plan.clone(),
            title: job.title(),
            started: info.started,
            cancelling: job.state() == JobState::Cancelling,
            issues: job.issue_count(),
            files_done: sample.files_done,
            files_total: sample.files_total,
            bytes_done: sample.bytes_done,
            bytes_total: sample.bytes_total,
            totals_known: sample.totals_known,
            errors: sample.errors,
            current: BASE64.encode(&sample.current),
        }
    }

    fn row(self) -> Option<JobRow> {
        let state = if self.cancelling {
            JobState::Cancelling
        } else {
            JobState::Running
        };
        Some(JobRow {
            info: JobInfo {
                id: self.id,
                kind: JobKind::of_word(&self.kind)?,
                vault: self.vault,
                plan: self.plan,
                started: self.started,
            },
            title: self.title,
            state,
            ended: None,
            progress: ProgressSample {
                files_done: self.files_done,
                files_total: self.files_total,
                bytes_done: self.bytes_done,
                bytes_total: self.bytes_total,
                totals_known: self.totals_known,
                errors: self.errors,
                current: BASE64.decode(self.current.as_bytes()).unwrap_or_default(),
            },
            issues: self.issues,
            here: false,
        })
    }
}

/// Where this process is asked. Gone when this is dropped.
#[derive(Debug)]
pub(in crate::engine) struct Post {
    path: PathBuf,
    closed: Arc<AtomicBool>,
}

impl Post {
    /// Answers for `engine` from now on, until this is dropped.
    pub(in crate::engine) fn open(folder: &Path, token: &str, engine: Weak<Inner>) -> io::Result<Post> {
        let path = socket(folder, token);
        let listener = reach(&path, |path| UnixListener::bind(path))?;
        let closed = Arc::new(AtomicBool::new(false));
        let post = Post {
            path,
            closed: closed.clone(),
        };
        let work = move || {
            for stream in listener.incoming() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let Some(engine) = engine.upgrade().map(Engine) else {
                    return;
                };
                // Whoever asks and goes away, or asks nonsense, harms only himself.
                if let Err(error) = stream.and_then(|stream| serve(&engine, stream)) {
                    tracing::debug!("a question of another process was not answered: {error}");
                }
            }
        };
        std::thread::Builder::new().name("post".into()).spawn(work)?;
        Ok(post)
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the thread. Not waited for: it can be the one that drops this.
        let _ = reach(&self.path, |path| UnixStream::connect(path));
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The socket of the process with this mark.
pub(in crate::engine) fn socket(folder: &Path, token: &str) -> PathBuf {
    folder.join(format!("{token}.sock"))
}

/// Asks the process with this mark, and waits so long: one that takes longer is stopped, or very busy.
pub(in crate::engine) fn ask(folder: &Path, token: &str, ask: &Ask, patience: Duration) -> io::Result<Reply> {
    let stream = connect(socket(folder, token), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    send(&stream, ask)?;
    receive(&stream)
}

/// Connects on a thread of its own: where many wait already, as they do at a stopped process, the system call waits too.
fn connect(socket: PathBuf, patience: Duration) -> io::Result<UnixStream> {
    let (tell, told) = channel();
    let work = move || tell.send(reach(&socket, |path| UnixStream::connect(path)));
    std::thread::Builder::new().name("ask".into()).spawn(work)?;
    told.recv_timeout(patience)
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

fn serve(engine: &Engine, stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(HEARING))?;
    stream.set_write_timeout(Some(HEARING))?;
    let mut reply = Reply::default();
    match receive(&stream)? {
        // A number that is not written down means nothing to others.
        Ask::Jobs => {
            let running = engine.running();
            let written = running.iter().filter(|job| job.id() > 0);
            reply.jobs = written.map(Running::of).collect();
        }
        Ask::Cancel { job, by } => {
            if let Some(job) = engine.job(job).filter(|job| !job.state().has_ended()) {
                job.cancel_with(&format!("asked to stop by process {by}"));
                reply.done = true;
            }
        }
        Ask::Issues { job } => {
            if let Some(job) = engine.job(job) {
                let issues = job.issues_after(0);
                let issue = |issue: &JobIssue| (BASE64.encode(&issue.path), issue.text.clone());
                reply.issues = issues.iter().take(ISSUES).map(issue).collect();
                reply.done = true;
            }
        }
    }
    send(&stream, &reply)
}

fn send(mut stream: &UnixStream, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn receive<T: serde::de::DeserializeOwned>(stream: &UnixStream) -> io::Result<T> {
    let mut line = Vec::new();
    BufReader::new(stream.take(LONGEST)).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

/// Does something with a socket's path. One that is too long for a socket is gone to through its open folder.
fn reach<T>(path: &Path, work: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if path.as_os_str().len() <= LONGEST_PATH {
        return work(path);
    }
    let folder = std::fs::File::open(folder)?;
    work(
        &Path::new("/proc/self/fd")
            .join(folder.as_raw_fd().to_string())
            .join(name),
    )
}
