//! Lifetimes of a vault with 5,000 generations, two million trees and twenty million blobs: how long finding them out takes
//! and in what memory, how long one more generation takes, and a what-if. README.md beside this folder says how it measures.
//!
//! `cargo bench --bench lifetimes`; `-- small` for a hundredth of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark's set-up fails as tests do"
)]

mod synthetic;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use coffer::lifetimes::{self, Lifetimes, Updated};
use coffer::progress::{Cancel, Progress};
use coffer::vault::{Generation, Id};

use synthetic::{FULL, Size, Synthetic, mix};

/// How many generations are added one after the other.
const ADDED: usize = 10;
/// How many what-ifs are asked.
const ASKED: u64 = 400;

const SMALL: Size = Size {
    machines: 4,
    generations: 100,
    folders: 2_000,
    changes: 12,
};

fn main() {
    // `cargo bench` adds options of its own.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let size = if words.iter().any(|word| word == "small") {
        SMALL
    } else {
        FULL
    };
    match words.iter().position(|word| word == "step") {
        Some(at) => step(&words[at + 1], Path::new(&words[at + 2]), size),
        None => {
            let folder = tempfile::tempdir().unwrap();
            // Each in a process of its own, so that each has a peak of its own.
            for name in ["build", "add", "ask"] {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(&words).arg("step").arg(name).arg(folder.path());
                assert!(command.status().unwrap().success(), "{name}");
            }
        }
    }
}

fn step(name: &str, folder: &Path, size: Size) {
    let vault = Synthetic::new(size);
    let generations = vault.generations();
    println!("{name}");
    match name {
        "build" => build(folder, &vault, &generations[..generations.len() - ADDED]),
        "add" => add(folder, &vault, &generations),
        _ => ask(folder, &generations),
    }
    println!("  peak memory: {} MB", memory("VmHWM"));
}

/// A figure of this process's memory, MB.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}

/// Seconds of processor this process has had.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// How long this thread has had a processor.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn update(folder: &Path, vault: &Synthetic, generations: &[Generation]) -> Updated {
    let progress = Progress::default();
    lifetimes::update(folder, "synthetic", generations, vault, &progress, &Cancel::default()).unwrap()
}

fn build(folder: &Path, vault: &Synthetic, generations: &[Generation]) {
    println!(
        "  {} generations, {} trees and {} data blobs in the index; the generator itself takes {} MB",
        generations.len(),
        vault.trees(),
        vault.blobs(),
        memory("VmRSS")
    );
    let (start, used) = (Instant::now(), processor());
    let updated = update(folder, vault, generations);
    let all = updated.lifetimes.all();
    println!(
        "  read {} trees with {} data blobs in {:.1} s ({:.1} s of processor), {} classes; anonymous memory now {} MB",
        all.tree_blobs,
        all.data_blobs,
        start.elapsed().as_secs_f64(),
        processor() - used,
        updated.lifetimes.classes(),
        memory("RssAnon")
    );
    let size: u64 = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    println!("  on disk: {} MB", size >> 20);
}

/// The middle one, the one that 99 in 100 do not exceed, and the largest.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let show = |at: usize| format!("{:.3} ms", times[at].as_secs_f64() * 1000.0);
    let last = times.len() - 1;
    format!(
        "median {}, 99 % {}, at most {}",
        show(last / 2),
        show(last * 99 / 100),
        show(last)
    )
}

fn add(folder: &Path, vault: &Synthetic, generations: &[Generation]) {
    let (mut times, mut used) = (Vec::new(), Vec::new());
    for count in generations.len() - ADDED..generations.len() {
        let (start, before) = (Instant::now(), processor());
        let updated = update(folder, vault, &generations[..=count]);
        times.push(start.elapsed());
        used.push(Duration::from_secs_f64(processor() - before));
        assert_eq!((updated.added, updated.rewritten), (1, false));
    }
    println!(
        "  one more generation: {}; of processor: {}",
        spread(times),
        spread(used)
    );
}

fn ask(folder: &Path, generations: &[Generation]) {
    let start = Instant::now();
    let known = lifetimes::known(folder, "synthetic").unwrap().unwrap();
    println!("  opened in {:.2} s", start.elapsed().as_secs_f64());
    let (mut times, mut used, mut each, mut reach) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..ASKED {
        let kept = policy(n, generations);
        let (start, before) = (Instant::now(), thread_time());
        let set = known.kept(&kept);
        let freed = known.freed(&set);
        times.push(start.elapsed());
        used.push(thread_time() - before);
        assert!(freed.stored <= known.all().stored);
        if n % 40 == 0 {
            each.push(time(|| drop(known.each(&set))));
            reach.push(time(|| drop(known.reach(&set).unwrap())));
        }
    }
    println!("  a what-if, from ids to sums, {ASKED} kept sets: {}", spread(times));
    println!("  of processor: {}", spread(used));
    println!("  what each of a kept set holds alone and adds: {}", spread(each));
    println!("  which classes a kept set reaches: {}", spread(reach));
    println!("  below one root, added up: {:?}", time(|| walk(&known, generations)));
}

fn time(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

fn walk(known: &Lifetimes, generations: &[Generation]) {
    known
        .walk()
        .add(&generations[generations.len() / 2].tree)
        .unwrap()
        .unwrap();
}

/// A kept set: every so manieth and the last few, those after some moment, or any by chance.
fn policy(n: u64, generations: &[Generation]) -> Vec<Id> {
    let count = generations.len() as u64;
    let stays = |at: u64| match n % 4 {
        0 => at.is_multiple_of(2 + mix(n) % 100) || count - at < mix(n + 1) % 300,
        1 => at > mix(n) % count,
        2 => mix(n << 32 | at) % 100 < mix(n) % 100,
        _ => at != mix(n) % count,
    };
    let kept = generations.iter().enumerate().filter(|(at, _)| stays(*at as u64));
    kept.map(|(_, generation)| generation.id).collect()
}
