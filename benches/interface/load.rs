//! Backups that keep all processors busy for as long as they are wanted.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// One backup of endless text for each processor, each into a vault of its own.
pub struct Load {
    stop: Arc<AtomicBool>,
    running: Vec<(Child, JoinHandle<()>)>,
}

impl Load {
    /// Starts them; the vaults of these names must be there.
    pub fn start(home: &Path, vaults: &[String]) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |(seed, vault): (usize, &String)| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
            command
                .args(["backup", "--vault", vault, "--stdin", "--quiet"])
                .env_clear()
                .envs(super::vaults::environment(home))
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let input = child.stdin.take().unwrap();
            let stop = stop.clone();
            let feeder = std::thread::spawn(move || feed(input, seed as u64 + 1, &stop));
            (child, feeder)
        };
        let running = vaults.iter().enumerate().map(start).collect();
        Load { stop, running }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for (mut child, feeder) in self.running.drain(..) {
            // Ended by the end of its input, or by a write to a program that is gone.
            let _ = feeder.join();
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Words in an order that never comes again: new to every vault, and compressed like text.
fn feed(mut input: ChildStdin, seed: u64, stop: &AtomicBool) {
    let words: Vec<String> = (0..4096u32)
        .map(|n| format!("{:x} ", n.wrapping_mul(2_654_435_761)))
        .collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = Vec::with_capacity(1 << 20);
    while !stop.load(Ordering::Relaxed) {
        text.clear();
        while text.len() < (1 << 20) - 16 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            for part in 0..5 {
                let at = (state >> (12 * part)) as usize % words.len();
                text.extend_from_slice(words[at].as_bytes());
            }
        }
        if input.write_all(&text).is_err() {
            return;
        }
    }
}
