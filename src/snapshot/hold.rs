//! Holding the processes that write to a target, where its filesystem cannot be frozen: btrfs makes no snapshot of itself
//! while it is frozen, and one that is made while programs write may hold a later write without an earlier one, as long as
//! neither was synced.
//!
//! Processes are stopped as a debugger does it (`ptrace`, seized and interrupted): they and their parents see nothing of
//! it, and the kernel lets them go on by itself when the thread that holds them ends, whatever ends it. That thread also
//! looks at the clock, so that they go on at the time limit even if whoever asked for it hangs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::writers::{Place, seen};
use super::{Error, Frozen, Result, Writer};

/// How long a thread may take to stop. One that waits for a disk stops when it is answered.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked again for processes that began to write meanwhile.
const ROUNDS: usize = 5;
/// How often a thread is looked after while it stops.
const LOOK: Duration = Duration::from_micros(500);

/// The writers of a place, held until told or dropped.
#[derive(Debug)]
pub(super) struct Hold {
    what: String,
    since: Instant,
    limit: Duration,
    /// What is asked of the thread. Closed before it is waited for, as is `release`.
    ask: Option<Sender<Vec<u32>>>,
    release: Option<Sender<()>>,
    thread: Option<JoinHandle<bool>>,
}

/// Holds all that write to a place for at most `limit`; `None` when nobody does. `spare` are left to run.
pub(super) fn hold(place: &Place, limit: Duration, spare: &dyn Fn(&Writer) -> bool) -> Result<Option<Hold>> {
    if seen(place).writers.iter().all(spare) {
        return Ok(None);
    }
    let (release, released) = channel();
    let (tell, told) = channel();
    let (ask, asked) = channel::<Vec<u32>>();
    let since = Instant::now();
    let spawned = std::thread::Builder::new()
        .name("hold".into())
        .spawn(move || holder(&asked, &tell, &released, since + limit));
    let thread = spawned.map_err(|source| Error::Io {
        action: "start",
        path: "a thread".into(),
        source,
    })?;
    let mut hold = Hold {
        ask: Some(ask),
        what: place.path.display().to_string(),
        since,
        limit,
        release: Some(release),
        thread: Some(thread),
    };
    // Those that began to write while others were being held are held too, until there are no new ones.
    let look = || seen(place).writers.into_iter().filter(|writer| !spare(writer));
    until_quiet(&hold.what, look, |new| {
        let gone = || match since.elapsed() >= limit {
            true => hold.too_late(),
            false => Error::Unable {
                target: hold.what.clone(),
                why: "the thread that holds its writers ended: try again".into(),
            },
        };
        let asked = hold.ask.as_ref().is_some_and(|ask| ask.send(new).is_ok());
        if !asked {
            return Err(gone());
        }
        let held: Result<(), String> = told.recv().map_err(|_| gone())?;
        held.map_err(|why| Error::Unable {
            target: hold.what.clone(),
            why,
        })
    })?;
    drop(hold.ask.take());
    Ok(Some(hold))
}

/// Stops those that are new each time it is looked, until there are none. Where there always are some, it cannot be said that
/// nobody writes.
fn until_quiet<I: Iterator<Item = Writer>>(
    what: &str,
    mut look: impl FnMut() -> I,
    mut stop: impl FnMut(Vec<u32>) -> Result<()>,
) -> Result<()> {
    let mut known = BTreeSet::new();
    let mut last = String::new();
    for _ in 0..ROUNDS {
        let new: Vec<Writer> = look().filter(|writer| known.insert(writer.pid)).collect();
        let Some(one) = new.first() else { return Ok(()) };
        last = one.to_string();
        stop(new.iter().map(|writer| writer.pid).collect())?;
    }
    Err(Error::Unable {
        target: what.to_owned(),
        why: format!(
            "new processes keep coming that write there ({last} was one), so that they cannot all be held: end what starts \
             them, or take the snapshot without holding anybody (--consistency crash)"
        ),
    })
}

impl Hold {
    fn too_late(&self) -> Error {
        Error::TimedOut {
            what: format!("holding the writers of {}", self.what),
            seconds: self.limit.as_secs(),
            then: "; they went on before all was done".into(),
        }
    }

    fn end(&mut self) -> Option<bool> {
        drop(self.ask.take());
        drop(self.release.take());
        self.thread.take().map(|thread| thread.join().unwrap_or(false))
    }
}

impl Frozen for Hold {
    fn thaw(mut self: Box<Self>) -> Result<Duration> {
        let in_time = self.end().unwrap_or(false);
        let held = self.since.elapsed();
        match in_time {
            true => Ok(held),
            false => Err(self.too_late()),
        }
    }

    /// Nothing: the kernel does it.
    fn remedy(&self) -> String {
        String::new()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end();
    }
}

/// Holds what it is asked to, until `released` or the time limit. Whether it was released in time.
fn holder(
    asked: &Receiver<Vec<u32>>,
    tell: &Sender<Result<(), String>>,
    released: &Receiver<()>,
    until: Instant,
) -> bool {
    let mut stopped = Stopped::default();
    loop {
        // Whoever asks may hang, as who looks at a file on a dead network mount does.
        let pids = match asked.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(pids) => pids,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => return false,
        };
        let held = pids.iter().try_for_each(|pid| stopped.stop(*pid, until));
        if tell.send(held).is_err() {
            return false;
        }
    }
    let waited = released.recv_timeout(until.saturating_duration_since(Instant::now()));
    let in_time = waited == Err(RecvTimeoutError::Disconnected) || waited == Ok(());
    in_time && stopped.others_still_hold()
}

/// Threads of other processes that stand still.
#[derive(Debug, Default)]
struct Stopped {
    /// Those that this thread has stopped, with the signal each one waits to be given.
    own: BTreeMap<libc::pid_t, libc::c_int>,
    /// Those that another thread of ours has stopped for another target that the same process writes to: which process,
    /// and who holds it.
    others: BTreeMap<libc::pid_t, (u32, libc::pid_t)>,
}

impl Stopped {
    fn has(&self, thread: &libc::pid_t) -> bool {
        self.own.contains_key(thread) || self.others.contains_key(thread)
    }

    /// Whether those that others of our threads held are still held by the same, or have ended.
    fn others_still_hold(&self) -> bool {
        let mut others = self.others.iter();
        others.all(|(thread, (pid, holder))| tracer(*pid, *thread).is_none_or(|now| now == *holder))
    }

    /// Stops all threads of a process.
    fn stop(&mut self, pid: u32, until: Instant) -> Result<(), String> {
        loop {
            let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
                // It has ended.
                return Ok(());
            };
            let threads = threads
                .flatten()
                .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            let new: Vec<libc::pid_t> = threads.filter(|thread| !self.has(thread)).collect();
            if new.is_empty() {
                return Ok(());
            }
            for thread in new {
                self.stop_thread(pid, thread, until)?;
            }
        }
    }

    fn stop_thread(&mut self, pid: u32, thread: libc::pid_t, until: Instant) -> Result<(), String> {
        match trace(libc::PTRACE_SEIZE, thread, 0) {
            Ok(()) => {}
            Err(libc::ESRCH) => return Ok(()),
            Err(libc::EPERM) => {
                // One that writes to several targets of a group is held once, for the first of them.
                if let Some(holder) = tracer(pid, thread).filter(|holder| is_ours(*holder)) {
                    self.others.insert(thread, (pid, holder));
                    return Ok(());
                }
                return Err(format!(
                    "process {pid} writes there and cannot be held: it belongs to somebody else (use sudo), or a debugger \
                     has it; --consistency crash takes the snapshot without"
                ));
            }
            Err(error) => {
                return Err(format!(
                    "process {pid} cannot be held: {}",
                    std::io::Error::from_raw_os_error(error)
                ));
            }
        }
        self.own.insert(thread, 0);
        let _ = trace(libc::PTRACE_INTERRUPT, thread, 0);
        let patience = until.min(Instant::now() + PATIENCE);
        loop {
            let mut status = 0;
            // SAFETY: the status is written to the place given and nowhere else.
            let waited = unsafe { libc::waitpid(thread, &raw mut status, libc::__WALL | libc::WNOHANG) };
            if waited == thread && libc::WIFSTOPPED(status) {
                // A stop of ours carries an event; without one it is a signal that it must still be given.
                if status >> 16 == 0 {
                    self.own.insert(thread, libc::WSTOPSIG(status));
                }
                return Ok(());
            }
            if waited != 0 {
                // It has ended.
                self.own.remove(&thread);
                return Ok(());
            }
            if Instant::now() >= patience {
                // One that waits for the disk cannot write before it is answered, and then it stops.
                return match state(pid, thread) {
                    Some('D') => Ok(()),
                    _ => Err(format!(
                        "process {pid} writes there and did not stop within {} seconds",
                        PATIENCE.as_secs()
                    )),
                };
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for (thread, signal) in &self.own {
            // Those that have not come to a stop yet are let go by the kernel when this thread ends.
            let _ = trace(libc::PTRACE_DETACH, *thread, *signal);
        }
    }
}

/// The thread that holds another one, as a debugger does: 0 for none; `None` when it has ended.
fn tracer(pid: u32, thread: libc::pid_t) -> Option<libc::pid_t> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
    line.trim().parse().ok()
}

/// Whether a thread is one of this process.
fn is_ours(thread: libc::pid_t) -> bool {
    thread != 0 && std::path::Path::new(&format!("/proc/self/task/{thread}")).exists()
}

/// The letter of a thread's state, after its name in parentheses (proc(5)).
fn state(pid: u32, thread: libc::pid_t) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{thread}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}

#[allow(clippy::cast_sign_loss)]
fn trace(request: libc::c_uint, thread: libc::pid_t, data: libc::c_int) -> Result<(), libc::c_int> {
    // SAFETY: none of the three requests used reads or writes memory of ours; the address is not used by them.
    let done = unsafe {
        libc::ptrace(
            request,
            thread,
            std::ptr::null_mut::<libc::c_void>(),
            data as libc::c_ulong,
        )
    };
    match done {
        -1 => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends its process whatever comes: it would write for ever.
    struct Endless(std::process::Child);

    impl Drop for Endless {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn the_limit_counts_also_while_it_is_still_looked_for_writers() {
        // Whoever asks never comes back: both ends stay open.
        let (_ask, asked) = channel::<Vec<u32>>();
        let (tell, _told) = channel();
        let (_release, released) = channel::<()>();
        let begin = Instant::now();
        let until = begin + Duration::from_millis(200);
        let thread = std::thread::spawn(move || holder(&asked, &tell, &released, until));
        assert!(!thread.join().unwrap(), "it was not let go in time");
        assert!(begin.elapsed() >= Duration::from_millis(200));
    }

    #[test]
    fn writers_that_never_stop_coming_are_said_to_be_too_many() {
        let writer = |pid| Writer {
            pid,
            name: "cron".into(),
            database: None,
            files: Vec::new(),
        };
        let mut stopped = Vec::new();
        let mut next = 0;
        let endless = || {
            next += 1;
            (1..=next).map(writer)
        };
        let said = until_quiet("/srv", endless, |new| {
            stopped.extend(new);
            Ok(())
        });
        let said = said.unwrap_err().to_string();
        assert!(
            said.contains("cron (5) was one") && said.contains("--consistency crash"),
            "{said}"
        );
        assert_eq!(stopped, [1, 2, 3, 4, 5], "each one once");
        until_quiet("/srv", || [writer(1)].into_iter(), |_| Ok(())).unwrap();
    }

    #[test]
    fn a_writer_stands_still_while_it_is_held_and_goes_on_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let log = path.join("log");
        let writer = std::process::Command::new("sh")
            .args(["-c", "exec >\"$P/log\"; while :; do echo x; done"])
            .env("P", &path)
            .current_dir("/")
            .stdin(std::process::Stdio::null())
            .spawn();
        let _writer = Endless(writer.unwrap());
        let size = || std::fs::metadata(&log).map_or(0, |about| about.len());
        let grows = |from: u64| {
            let until = Instant::now() + Duration::from_secs(20);
            while size() <= from && Instant::now() < until {
                std::thread::yield_now();
            }
            assert!(size() > from, "it writes");
        };
        grows(0);
        let hold = hold(&Place::named(&path), Duration::from_secs(30), &|_| false).unwrap();
        let held = hold.expect("there is a writer");
        let at = size();
        // Time enough for thousands of lines.
        let until = Instant::now() + Duration::from_millis(50);
        while Instant::now() < until {
            assert_eq!(size(), at, "it stands still");
        }
        // Another target that the same process writes to: it is held already, and stays so until both let go.
        let second = super::hold(&Place::named(&path), Duration::from_secs(30), &|_| false).unwrap();
        Box::new(second.expect("there is a writer")).thaw().unwrap();
        assert_eq!(size(), at, "it stands still");
        Box::new(held).thaw().unwrap();
        grows(at);
        // Whose holder let go too early was not held throughout.
        let first = super::hold(&Place::named(&path), Duration::from_secs(30), &|_| false).unwrap();
        let second = super::hold(&Place::named(&path), Duration::from_secs(30), &|_| false).unwrap();
        Box::new(first.expect("there is a writer")).thaw().unwrap();
        assert!(Box::new(second.expect("there is a writer")).thaw().is_err());
        // At the time limit it goes on by itself.
        let held = super::hold(&Place::named(&path), Duration::from_secs(3), &|_| false).unwrap();
        let held = held.expect("there is a writer");
        grows(size());
        assert!(
            Box::new(held)
                .thaw()
                .unwrap_err()
                .to_string()
                .contains("went on before")
        );
    }
}
