//! Runs a thread that CPython does not know, and lets it wait without a signal and without a descriptor.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use crate::python::Functions;
use crate::system::without_signals;

/// What a walk takes: it keeps its lists on the heap.
const STACK: usize = 1 << 20;

/// Between two attempts.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// `pthread_attr_t`, with room to spare.
type Attributes = [u64; 16];

/// What the thread does. CPython may end it in the midst (`pthread_exit`), so nothing in it waits to be dropped.
pub(crate) type Work = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

unsafe extern "C" {
    fn pthread_attr_init(attributes: *mut Attributes) -> c_int;
    fn pthread_attr_setstacksize(attributes: *mut Attributes, bytes: usize) -> c_int;
    fn pthread_attr_destroy(attributes: *mut Attributes) -> c_int;
    fn pthread_create(thread: *mut usize, attributes: *const Attributes, work: Work, argument: *mut c_void) -> c_int;
    fn pthread_join(thread: usize, result: *mut *mut c_void) -> c_int;
    fn pthread_self() -> usize;
    fn pthread_detach(thread: usize) -> c_int;
    fn pthread_setname_np(thread: usize, name: *const c_char) -> c_int;
    fn syscall(number: i64, ...) -> i64;
}

/// Numbers of the system calls `futex`, `gettid` and `tgkill`: older C libraries have no functions for them.
#[cfg(target_arch = "x86_64")]
const CALLS: Option<[i64; 3]> = Some([202, 186, 234]);
#[cfg(target_arch = "aarch64")]
const CALLS: Option<[i64; 3]> = Some([98, 178, 131]);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const CALLS: Option<[i64; 3]> = None;

/// `FUTEX_WAIT | FUTEX_PRIVATE_FLAG`, `FUTEX_WAKE | FUTEX_PRIVATE_FLAG`.
const WAIT: i32 = 128;
const WAKE: i32 = 129;

/// The system's number of the thread that was begun last.
static ID: AtomicI32 = AtomicI32::new(0);

/// The same of those that are nobody's: 0 where there is none, and [`BEGUN`] before it said who it is. More are not waited for.
static ALONE: [AtomicI32; 8] = [const { AtomicI32::new(0) }; 8];
const BEGUN: i32 = -1;

/// The thread that runs; it is the same in a child that it forks.
pub(crate) fn own() -> usize {
    // SAFETY: a function without arguments that only answers.
    unsafe { pthread_self() }
}

/// Starts a thread on which every signal but faults is blocked, so that a handler of the program never runs on it.
pub(crate) fn spawn(work: Work, argument: *mut c_void) -> io::Result<usize> {
    if CALLS.is_none() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let mut attributes: Attributes = [0; 16];
    let mut thread = 0;
    // SAFETY: the C library writes its struct into the room for it, and the thread's handle; the work is a static function.
    let error = without_signals(|| unsafe {
        pthread_attr_init(&raw mut attributes);
        pthread_attr_setstacksize(&raw mut attributes, STACK);
        let error = pthread_create(&raw mut thread, &raw const attributes, work, argument);
        pthread_attr_destroy(&raw mut attributes);
        error
    });
    if error == 0 { Ok(thread) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// As [`spawn`], of a thread that is nobody's: it begins with [`introduce_alone`].
pub(crate) fn spawn_alone(work: Work, argument: *mut c_void) -> io::Result<()> {
    ALONE.iter().any(|place| {
        let other = place.load(Ordering::Relaxed);
        let is_free = other == 0 || other != BEGUN && !is_there(other);
        is_free && place.compare_exchange(other, BEGUN, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    });
    spawn(work, argument).map(drop).inspect_err(|_| note_begun(0))
}

/// The thread says who it is, first of all.
pub(crate) fn introduce() {
    let Some([_, gettid, _]) = CALLS else { return };
    // SAFETY: the call takes nothing; the name ends with a zero byte.
    unsafe {
        ID.store(syscall(gettid) as i32, Ordering::Relaxed);
        pthread_setname_np(pthread_self(), c"refloop".as_ptr());
    }
}

/// The thread is nobody's: the system takes it away as it ends.
pub(crate) fn introduce_alone() {
    let Some([_, gettid, _]) = CALLS else { return };
    // SAFETY: once for a thread, by itself; the name ends with a zero byte.
    unsafe {
        note_begun(syscall(gettid) as i32);
        pthread_detach(pthread_self());
        pthread_setname_np(pthread_self(), c"refloop".as_ptr());
    }
}

/// Says who one of those is that were begun.
fn note_begun(id: i32) {
    ALONE.iter().any(|place| place.compare_exchange(BEGUN, id, Ordering::Relaxed, Ordering::Relaxed).is_ok());
}

/// Makes an attempt under the interpreter's lock, again and again, until one is enough. False where the interpreter ends first.
///
/// CPython may end the thread as it waits for the lock: the attempt holds nothing that waits to be dropped.
///
/// # Safety
/// On a thread without the lock.
pub(crate) unsafe fn until_done(python: &Functions, mut attempt: impl FnMut() -> bool) -> bool {
    // SAFETY: the lock is given back as it was taken.
    unsafe {
        while (python.Py_IsInitialized)() != 0 {
            let before = (python.PyGILState_Ensure)();
            let is_done = attempt();
            (python.PyGILState_Release)(before);
            if is_done {
                return true;
            }
            std::thread::sleep(PAUSE);
        }
    }
    false
}

/// Waits until the thread is gone, also for the system: it counts a thread for a moment after `pthread_join`.
///
/// # Safety
/// Once for what [`spawn`] gave, in the same process.
pub(crate) unsafe fn join(thread: usize) {
    // SAFETY: as the caller promises.
    unsafe { pthread_join(thread, null_mut()) };
    wait_for(ID.load(Ordering::Relaxed));
}

/// Waits, a while, for the end of the threads that are nobody's.
pub(crate) fn wait_for_alone() {
    for place in &ALONE {
        wait_until(|| place.load(Ordering::Relaxed) != BEGUN);
        match place.load(Ordering::Relaxed) {
            0 | BEGUN => {}
            id => wait_for(id),
        }
    }
}

/// Waits until the system knows this thread no more.
fn wait_for(id: i32) {
    wait_until(|| !is_there(id));
}

/// Whether the system knows this thread.
fn is_there(id: i32) -> bool {
    let Some([_, _, tgkill]) = CALLS else { return false };
    // SAFETY: signal 0 only asks whether somebody is there.
    unsafe { syscall(tgkill, i64::from(std::process::id()), i64::from(id), 0_i64) == 0 }
}

/// Waits until it is so, for a second at most.
fn wait_until(is_so: impl Fn() -> bool) {
    const LOOKS: usize = 10_000;
    for _ in 0..LOOKS {
        if is_so() {
            break;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Waits so many nanoseconds, or until somebody changes the word and calls [`wake`].
pub(crate) fn wait(word: &AtomicU32, unchanged: u32, nanoseconds: u64) {
    let Some([futex, ..]) = CALLS else { return };
    let time = [nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000];
    // SAFETY: the kernel reads the word, and a 64-bit `timespec`.
    unsafe {
        syscall(futex, word.as_ptr(), WAIT, unchanged, time.as_ptr());
    }
}

/// Ends a [`wait`] on this word.
pub(crate) fn wake(word: &AtomicU32) {
    let Some([futex, ..]) = CALLS else { return };
    // SAFETY: the kernel takes the word's address only.
    unsafe {
        syscall(futex, word.as_ptr(), WAKE, 1_i32);
    }
}
