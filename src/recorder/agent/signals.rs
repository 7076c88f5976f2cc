//! Sets what the process does on a signal, and a timer that sends it one.

use std::ffi::{c_int, c_void};

use crate::system::{SignalSet, pthread_sigmask};

unsafe extern "C" {
    fn sigaction(signal: c_int, new: *const Action, old: *mut Action) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn pthread_kill(thread: usize, signal: c_int) -> c_int;
    fn syscall(number: i64, ...) -> i64;
}

/// The signal of `kill`, of `timeout`, and of who ends containers.
pub(crate) const SIGTERM: c_int = 15;
/// `SIG_DFL`
pub(crate) const DEFAULT: usize = 0;

/// `struct sigaction` of Linux on 64-bit machines, as the C library has it.
#[repr(C)]
struct Action {
    handler: usize,
    mask: SignalSet,
    flags: c_int,
    restorer: usize,
}

/// The beginning of `siginfo_t`.
#[repr(C)]
pub(crate) struct Information {
    signal: c_int,
    error: c_int,
    code: c_int,
}

impl Information {
    /// A timer ran down (`SI_TIMER`).
    pub(crate) fn is_of_timer(&self) -> bool {
        self.code == -2
    }
}

/// The default, with no mask.
const OF_DEFAULT: Action = Action { handler: DEFAULT, mask: [0; 16], flags: 0, restorer: 0 };

pub(crate) type SignalHandler = extern "C" fn(c_int, *const Information, *mut c_void);

/// What the process does on a signal: the address of a handler, or [`DEFAULT`].
pub(crate) fn handler_of(signal: c_int) -> usize {
    action_of(signal).handler
}

fn action_of(signal: c_int) -> Action {
    let mut action = OF_DEFAULT;
    // SAFETY: the struct has the C library's layout.
    unsafe {
        sigaction(signal, std::ptr::null(), &raw mut action);
    }
    action
}

/// Puts a handler in the place of the one that is there, whose mask and flags it keeps. It may do what a handler may.
pub(crate) fn set_handler(signal: c_int, handler: SignalHandler) {
    const WITH_INFORMATION: c_int = 4;
    let before = action_of(signal);
    let flags = before.flags | WITH_INFORMATION;
    let action = Action { handler: handler as usize, flags, ..before };
    // SAFETY: the struct has the C library's layout.
    unsafe {
        sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

/// Gives a signal its default.
pub(crate) fn set_default(signal: c_int) {
    // SAFETY: the struct has the C library's layout.
    unsafe {
        sigaction(signal, &OF_DEFAULT, std::ptr::null_mut());
    }
}

/// Ends the process by a signal's default. May be called in a handler of it: then it takes effect as that returns.
pub(crate) fn die_of(signal: c_int) {
    const SIG_UNBLOCK: c_int = 1;
    set_default(signal);
    let mut only: SignalSet = [0; 16];
    only[0] = 1 << (signal - 1);
    // SAFETY: the set has the size of a `sigset_t`.
    unsafe {
        pthread_sigmask(SIG_UNBLOCK, &raw const only, std::ptr::null_mut());
        kill(std::process::id().cast_signed(), signal);
    }
}

/// Sends a signal to a thread of this process, whose call it interrupts. May be called in a handler.
///
/// # Safety
/// The thread has not ended.
pub(crate) unsafe fn interrupt(thread: usize, signal: c_int) {
    // SAFETY: as the caller promises.
    unsafe {
        pthread_kill(thread, signal);
    }
}

/// Numbers of the system calls `timer_create` and `timer_settime`: older C libraries have the functions elsewhere.
#[cfg(target_arch = "x86_64")]
const TIMER_CALLS: [i64; 2] = [222, 223];
#[cfg(target_arch = "aarch64")]
const TIMER_CALLS: [i64; 2] = [107, 110];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const TIMER_CALLS: [i64; 2] = [-1, -1];

/// A timer of this process that sends it the signal when it has run down; a child of a fork has it not.
pub(crate) fn new_timer(signal: c_int) -> Option<c_int> {
    const CLOCK_MONOTONIC: i64 = 1;
    // `struct sigevent`: no value, the signal, `SIGEV_SIGNAL`.
    let mut event = [0_i32; 16];
    event[2] = signal;
    let mut timer = -1;
    // SAFETY: the kernel reads 64 bytes and writes an `int`.
    let failed = unsafe { syscall(TIMER_CALLS[0], CLOCK_MONOTONIC, &raw const event, &raw mut timer) != 0 };
    (!failed).then_some(timer)
}

/// Starts a timer that ticks ten times a second. May be called in a handler.
pub(crate) fn start_timer(timer: c_int) {
    // The interval, and the time to the first tick, in seconds and nanoseconds.
    let time = [0, 100_000_000, 0, 100_000_000_i64];
    // SAFETY: the kernel reads four words.
    unsafe {
        syscall(TIMER_CALLS[1], i64::from(timer), 0_i64, &raw const time, std::ptr::null_mut::<i64>());
    }
}
