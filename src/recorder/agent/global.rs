//! Holds the state of the recording, one for the process, and says whether the hook may touch it.
//!
//! It belongs to whoever holds the interpreter's lock. While the recorder itself is at work the hook is off, so that the
//! recorder's own use of CPython is not recorded.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::allocator::{self, Hooked, PLACES};
use crate::checkpoint;
use crate::clock::Clock;
use crate::collector::{Collection, Collector};
use crate::process::Process;
use crate::python::{Allocator, CurrentThread, Functions};
use crate::recorder::Recorder;

/// All that the hook needs, in one place.
pub(crate) struct State {
    pub python: Functions,
    pub recorder: Recorder,
    pub process: Process,
    /// `None` where this Python has no cyclic collector to ask.
    pub collector: Option<Collector>,
    pub collection: Collection,
    /// A checkpoint was asked for meanwhile.
    pub is_awaited: bool,
    /// When the collector went to work, in nanoseconds since the file began, and later by what the recorder did meanwhile.
    pub collection_began: u64,
    /// What the collector was asked, of the collection that is going on.
    pub question: Question,
    /// The collector says itself what it finds, where it can be asked.
    pub asks_collector: bool,
    /// What was in place before the hook, for each place that it had.
    pub originals: [Allocator; PLACES],
    /// Which of its functions the hook has.
    pub place: usize,
    /// What of the hook is in place.
    pub hook: Option<Hooked>,
    /// When the hook was seen to be in place last, in nanoseconds since the file began.
    pub seen_until: u64,
    pub current_thread: CurrentThread,
    /// The main interpreter.
    pub interpreter: usize,
    /// Other interpreters may run beside it.
    pub own_locks: bool,
    /// Others that were in the process, as far as the trace was told.
    pub other_interpreters: u64,
    /// `os.fork` warns of a process with more than one thread.
    pub counts_threads: bool,
    /// `None` where no checkpoints are asked for at intervals, and while the program forks.
    pub clock: Option<Clock>,
    /// Nanoseconds between two checkpoints that the hook sees to for want of a clock, 0 for none.
    pub every: u64,
    pub next_checkpoint: u64,
    /// Since the last look at the clock.
    pub births: u32,
}

/// A question to the collector: what does it find?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    None,
    /// It collects this generation, and has not answered yet.
    Asked(u8),
    Answered,
}

struct Global(UnsafeCell<MaybeUninit<State>>);

// SAFETY: it is touched under the interpreter's lock only, and not while `ACTIVE` is false and somebody else has it.
unsafe impl Sync for Global {}

static STATE: Global = Global(UnsafeCell::new(MaybeUninit::uninit()));
/// The hook is in place, and the recorder not at work.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// There is a state.
static STARTED: AtomicBool = AtomicBool::new(false);
/// The recording has ended.
static STOPPED: AtomicBool = AtomicBool::new(false);
/// There was a state once. It stays, for a hook that another one lies over.
static MADE: AtomicBool = AtomicBool::new(false);

/// Puts the state in its place, with the hook off.
///
/// # Safety
/// Under the interpreter's lock, and not twice without [`leave`].
pub(crate) unsafe fn install(state: State) {
    // SAFETY: as the caller promises; what was made is there.
    unsafe {
        match MADE.swap(true, Ordering::Relaxed) {
            true => *with() = state,
            false => drop((*STATE.0.get()).write(state)),
        }
    }
    STOPPED.store(false, Ordering::Relaxed);
    STARTED.store(true, Ordering::Release);
}

/// The recording is over, and nothing of it is in place any more, but for a hook that another one lies over.
pub(crate) fn leave() {
    stop();
    STARTED.store(false, Ordering::Release);
}

/// The state of a recording that was left.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn left() -> Option<&'static mut State> {
    // SAFETY: as the caller promises; what was made is there.
    MADE.load(Ordering::Relaxed).then(|| unsafe { with() })
}

/// Whether the hook is on: it is in place, and the recorder is not at work.
#[inline]
pub(crate) fn is_active() -> bool {
    ACTIVE.load(Ordering::Relaxed)
}

/// Begins to record what the hook sees.
pub(crate) fn activate() {
    ACTIVE.store(true, Ordering::Relaxed);
}

/// Runs `work` on the state with the hook off. `None` before the recording began, and inside such work.
pub(crate) fn with_hook_off<T>(work: impl FnOnce(&mut State) -> T) -> Option<T> {
    if !ACTIVE.swap(false, Ordering::Relaxed) {
        return None;
    }
    // SAFETY: under the interpreter's lock, and `ACTIVE` kept everybody else away.
    let result = work(unsafe { (*STATE.0.get()).assume_init_mut() });
    ACTIVE.store(!STOPPED.load(Ordering::Relaxed), Ordering::Relaxed);
    Some(result)
}

/// Records again, after [`stop`], with a recorder that knows nothing of what was before.
///
/// # Safety
/// Under the interpreter's lock, after [`install`].
pub(crate) unsafe fn resume(mut recorder: Recorder, process: Process) {
    // SAFETY: as the caller promises; the hook is off.
    let state = unsafe { with() };
    if recorder.types.shadows.is_empty() {
        recorder.types.shadows = std::mem::take(&mut state.recorder.types.shadows);
    }
    state.every = 0;
    state.recorder = recorder;
    state.other_interpreters = 0;
    state.process = process;
    if let Some(collector) = &mut state.collector {
        // SAFETY: as the caller promises.
        unsafe { collector.begin() };
    }
    state.asks_collector = checkpoint::can_ask_collector(&state.recorder, state.collector.as_ref());
    if state.recorder.takes_births() {
        // SAFETY: as the caller promises.
        unsafe { allocator::put_in_place(state, Hooked::All) };
    }
    state.seen_until = 0;
    state.collection = Collection::None;
    state.is_awaited = false;
    state.question = Question::None;
    STOPPED.store(false, Ordering::Relaxed);
    activate();
}

/// Whether births and deaths are recorded, or would be if the recorder were not at work.
pub(crate) fn is_recording() -> bool {
    started() && !STOPPED.load(Ordering::Relaxed)
}

/// Ends the recording, until [`resume`] if ever.
pub(crate) fn stop() {
    STOPPED.store(true, Ordering::Relaxed);
    ACTIVE.store(false, Ordering::Relaxed);
}

/// Whether the hook was installed in this process.
pub(crate) fn started() -> bool {
    STARTED.load(Ordering::Acquire)
}

/// The state, for a child of a fork before it goes on.
///
/// # Safety
/// No other thread may run.
pub(crate) unsafe fn state() -> Option<&'static mut State> {
    // SAFETY: as the caller promises.
    started().then(|| unsafe { (*STATE.0.get()).assume_init_mut() })
}

/// The state, for the hook.
///
/// # Safety
/// Under the interpreter's lock, after [`install`], and by nobody else meanwhile.
#[inline]
pub(crate) unsafe fn with() -> &'static mut State {
    // SAFETY: as the caller promises.
    unsafe { (*STATE.0.get()).assume_init_mut() }
}
