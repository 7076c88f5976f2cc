//! Finds the threads of a process that wait in a system call which is neither the memory allocator's nor the loader's.

use std::fs;
use std::path::Path;

/// Calls in which a program waits: for a connection, for a file that is ready, for data, for a child, for a time.
#[cfg(target_arch = "x86_64")]
const WAITS: &[u64] = &[7, 23, 34, 35, 42, 43, 45, 47, 61, 128, 230, 232, 247, 270, 271, 281, 288, 441];
#[cfg(not(target_arch = "x86_64"))]
const WAITS: &[u64] = &[22, 72, 73, 95, 101, 115, 137, 202, 203, 207, 212, 242, 260, 441];

/// `read`: of a file on a disk, it may be the loader's.
const READ: u64 = if cfg!(target_arch = "x86_64") { 0 } else { 63 };

/// `futex`, and its operation `FUTEX_WAIT_BITSET`: so wait locks of Python, conditions, and who joins a thread. The locks of
/// the C library itself wait with `FUTEX_WAIT`.
const FUTEX: u64 = if cfg!(target_arch = "x86_64") { 202 } else { 98 };
const WAIT_BITSET: u64 = 9;
const OPERATION: u64 = 127;

/// A thread that waits, and what stands in its `/proc/PID/task/TID/syscall`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub id: u32,
    pub call: u64,
    pub stack_pointer: u64,
}

/// The threads that wait, the main thread first.
pub(super) fn waiting(process: u32) -> Vec<Waiting> {
    let mut ids = threads(process);
    ids.sort_by_key(|&id| (id != process, id));
    { ids }.into_iter().filter_map(|id| of_thread(process, id)).collect()
}

/// The numbers of all threads, as the system lists them.
pub(super) fn threads(process: u32) -> Vec<u32> {
    tasks(process).filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

/// Whether a thread of this name is there.
pub(super) fn has_thread(process: u32, name: &str) -> bool {
    tasks(process).any(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|found| found.trim_end() == name))
}

fn tasks(process: u32) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten()
}

fn of_thread(process: u32, thread: u32) -> Option<Waiting> {
    let line = fs::read_to_string(format!("/proc/{process}/task/{thread}/syscall")).ok()?;
    parse(thread, &line, |file| {
        let target = fs::read_link(format!("/proc/{process}/fd/{file}")).ok();
        // `socket:[…]`, `pipe:[…]`, `anon_inode:…`, or a terminal.
        target.is_some_and(|target| !target.is_absolute() || target.starts_with(Path::new("/dev")))
    })
}

/// A line of number, six arguments, stack pointer and program counter; `running` of a thread that does not wait.
fn parse(id: u32, line: &str, waits_for_other: impl Fn(u64) -> bool) -> Option<Waiting> {
    let mut words = line.split_whitespace();
    let call: u64 = words.next()?.parse().ok()?;
    let rest: Option<Vec<u64>> = words.map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect();
    let &[first, operation, _, _, _, _, stack_pointer, _] = rest?.as_slice() else { return None };
    let is_wait = match call {
        FUTEX => operation & OPERATION == WAIT_BITSET,
        READ => waits_for_other(first),
        call => WAITS.contains(&call),
    };
    is_wait.then_some(Waiting { id, call, stack_pointer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_thread_that_waits_is_told_from_one_that_works_or_has_a_lock_of_the_c_library() {
        let accept = "288 0x3 0x7ffc 0x7ffc 0x80000 0x0 0x0 0x7ffca87bb6d8 0x7f9f6ef28f63\n";
        let waiting = Waiting { id: 7, call: 288, stack_pointer: 0x7ffc_a87b_b6d8 };
        assert_eq!(parse(7, accept, |_| false), Some(waiting));
        let lock = |operation| parse(7, &format!("202 0x1 {operation} 0x0 0x0 0x0 0x0 0x7ffe 0x7f\n"), |_| false);
        assert!(lock("0x189").is_some() && lock("0x89").is_some() && lock("0x80").is_none());
        let read = "0 0x3 0x1 0x2 0x0 0x0 0x0 0x7ffe 0x7f\n";
        assert!(parse(7, read, |file| file == 3).is_some() && parse(7, read, |_| false).is_none());
        // `mmap`, and what is in no call.
        assert_eq!(parse(7, "9 0x0 0x1 0x2 0x0 0x0 0x0 0x7ffe 0x7f\n", |_| true), None);
        assert_eq!(parse(7, "running\n", |_| true), None);
        assert_eq!(parse(7, "-1 0x7ffe 0x7f\n", |_| true), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_of_this_process_that_sleeps_waits() {
        let (send, receive) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let _ = receive.recv_timeout(std::time::Duration::from_secs(20));
        });
        let begun = std::time::Instant::now();
        while waiting(std::process::id()).is_empty() && begun.elapsed().as_secs() < 10 {
            std::thread::yield_now();
        }
        let found = waiting(std::process::id());
        drop(send);
        thread.join().unwrap();
        assert!(!found.is_empty());
    }
}
