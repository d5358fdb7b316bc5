//! Percentiles of what was measured.

use std::time::Duration;

/// Prints the median, the 99th percentile and the slowest of some times.
pub fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: f64| {
        let n = ((times.len() as f64 * part).ceil() as usize).clamp(1, times.len());
        times[n - 1].as_secs_f64() * 1000.0
    };
    println!(
        "  {what:<44} {:>5} times  median {:>7.2} ms  p99 {:>7.2} ms  slowest {:>7.2} ms",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// How busy all processors were since the counters given: 0 to 1.
pub fn busy(since: (u64, u64)) -> f64 {
    let now = processors();
    let all = (now.1 - since.1).max(1);
    (now.0 - since.0) as f64 / all as f64
}

/// Ticks in which the processors did something, and all ticks.
pub fn processors() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: Vec<u64> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|n| n.parse().ok())
        .collect();
    let all: u64 = ticks.iter().sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    (all - idle, all)
}
