//! What a benchmark measures on a busy machine.

use std::time::Duration;

/// CPU time of all threads of this process so far, in steps of 10 ms; 0 where the system is not Linux.
pub(crate) fn time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}
