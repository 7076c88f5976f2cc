//! The hook around CPython's allocator of objects: each birth, death and move of a block goes to the recorder.
//!
//! The hook runs under the interpreter's lock. It is quiet while the recorder itself is at work, and in interpreters
//! with a lock of their own (3.12+).

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cpython::memory::{THREAD_INTERPRETER, word};
use crate::cpython::versions::CPython;
use crate::process::Process;
use crate::python::{Allocator, CurrentThread, Functions, OBJECT_DOMAIN};
use crate::recorder::Recorder;
use crate::{checkpoint, system};

/// How many births pass between two looks at the clock.
const CLOCK_INTERVAL: u32 = 64;

/// All that the hook needs, in one place.
pub struct State {
    pub python: Functions,
    pub recorder: Recorder,
    pub process: Process,
    /// Between the collector's start and its stop.
    pub collecting: bool,
    pub original: Allocator,
    pub current_thread: CurrentThread,
    /// The main interpreter.
    pub interpreter: usize,
    /// Other interpreters may run beside it.
    own_locks: bool,
    /// Nanoseconds between two checkpoints, 0 for none.
    pub every: u64,
    pub next_checkpoint: u64,
    births: u32,
}

struct Global(UnsafeCell<MaybeUninit<State>>);

// SAFETY: it is touched under the interpreter's lock only, and not while `ACTIVE` is false and somebody else has it.
unsafe impl Sync for Global {}

static STATE: Global = Global(UnsafeCell::new(MaybeUninit::uninit()));
/// The hook is in place, and the recorder not at work.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// There is a state.
static STARTED: AtomicBool = AtomicBool::new(false);
/// An interpreter that is not the main one has been seen.
static FOREIGN: AtomicBool = AtomicBool::new(false);
/// The recording has ended.
static RETIRED: AtomicBool = AtomicBool::new(false);

/// What [`install`] takes.
pub struct Parts {
    pub python: Functions,
    pub row: &'static CPython,
    pub recorder: Recorder,
    pub process: Process,
    pub current_thread: CurrentThread,
}

/// Puts the hook in place, quiet.
///
/// # Safety
/// Once for a process, under the interpreter's lock.
pub unsafe fn install(parts: Parts) {
    let Parts { python, row, recorder, process, current_thread } = parts;
    let own_locks = row.own_locks;
    // SAFETY: as the caller promises; CPython copies the struct.
    unsafe {
        let mut original = MaybeUninit::<Allocator>::uninit();
        (python.PyMem_GetAllocator)(OBJECT_DOMAIN, original.as_mut_ptr());
        let every = process.options.every;
        (*STATE.0.get()).write(State {
            python,
            recorder,
            process,
            collecting: false,
            original: original.assume_init(),
            current_thread,
            interpreter: (python.PyInterpreterState_Main)(),
            own_locks,
            every,
            next_checkpoint: system::now() + every,
            births: 0,
        });
        STARTED.store(true, Ordering::Release);
        let hooks = Allocator { context: std::ptr::null_mut(), malloc, calloc, realloc, free };
        (python.PyMem_SetAllocator)(OBJECT_DOMAIN, &raw const hooks);
    }
}

/// Begins to record what the hook sees.
pub fn activate() {
    ACTIVE.store(true, Ordering::Relaxed);
}

/// Runs `work` on the state with the hook quiet. `None` before the recording began, and inside such work.
pub fn quietly<T>(work: impl FnOnce(&mut State) -> T) -> Option<T> {
    if !ACTIVE.swap(false, Ordering::Relaxed) {
        return None;
    }
    // SAFETY: under the interpreter's lock, and `ACTIVE` kept everybody else away.
    let result = work(unsafe { (*STATE.0.get()).assume_init_mut() });
    ACTIVE.store(!RETIRED.load(Ordering::Relaxed), Ordering::Relaxed);
    Some(result)
}

/// Records again, after [`retire`], with a recorder that knows nothing of what was before.
///
/// # Safety
/// Under the interpreter's lock, after [`install`].
pub unsafe fn resume(mut recorder: Recorder, process: Process) {
    // SAFETY: as the caller promises; the hook is quiet.
    let state = unsafe { with() };
    recorder.shadows = std::mem::take(&mut state.recorder.shadows);
    state.every = process.options.every;
    state.next_checkpoint = system::now() + state.every;
    state.recorder = recorder;
    state.process = process;
    state.collecting = false;
    RETIRED.store(false, Ordering::Relaxed);
    activate();
}

/// Whether births and deaths are recorded, or would be if the recorder were not at work.
pub fn is_recording() -> bool {
    started() && !RETIRED.load(Ordering::Relaxed)
}

/// Ends the recording, until [`resume`] if ever.
pub fn retire() {
    RETIRED.store(true, Ordering::Relaxed);
    ACTIVE.store(false, Ordering::Relaxed);
}

/// Whether the hook was installed in this process.
pub fn started() -> bool {
    STARTED.load(Ordering::Acquire)
}

/// The state, for a child of a fork before it goes on.
///
/// # Safety
/// No other thread may run.
pub unsafe fn state() -> Option<&'static mut State> {
    // SAFETY: as the caller promises.
    started().then(|| unsafe { (*STATE.0.get()).assume_init_mut() })
}

#[inline]
unsafe fn with() -> &'static mut State {
    // SAFETY: the hook is installed after the state is written.
    unsafe { (*STATE.0.get()).assume_init_mut() }
}

#[inline]
unsafe fn born(block: *mut c_void, bytes: usize) {
    if block.is_null() || !ACTIVE.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: under the interpreter's lock, if there is a thread state.
    unsafe {
        let state = with();
        let thread = (state.current_thread)();
        if thread == 0 || foreign(state, thread) {
            return;
        }
        state.recorder.born(block.addr(), bytes, thread);
        if state.every != 0 {
            state.births += 1;
            if state.births >= CLOCK_INTERVAL {
                look_at_clock(state);
            }
        }
        if state.recorder.log.failure.is_some() {
            checkpoint::failed(state);
        }
    }
}

#[inline]
unsafe fn foreign(state: &State, thread: usize) -> bool {
    if !state.own_locks {
        return false;
    }
    // SAFETY: a thread state has its interpreter there.
    let foreign = unsafe { word(thread + THREAD_INTERPRETER) } != state.interpreter;
    if foreign {
        FOREIGN.store(true, Ordering::Relaxed);
    }
    foreign
}

#[cold]
fn look_at_clock(state: &mut State) {
    state.births = 0;
    let now = system::now();
    if now >= state.next_checkpoint {
        state.next_checkpoint = now + state.every;
        // SAFETY: the function may be called from anywhere. If its queue is full, the next interval tries again.
        unsafe {
            (state.python.Py_AddPendingCall)(checkpoint::pending, std::ptr::null_mut());
        }
    }
}

unsafe extern "C" fn malloc(_: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: passes on what CPython asks.
    unsafe {
        let original = &with().original;
        let block = (original.malloc)(original.context, bytes);
        born(block, bytes);
        block
    }
}

unsafe extern "C" fn calloc(_: *mut c_void, count: usize, bytes: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    unsafe {
        let original = &with().original;
        let block = (original.calloc)(original.context, count, bytes);
        born(block, count.wrapping_mul(bytes));
        block
    }
}

unsafe extern "C" fn realloc(_: *mut c_void, old: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    unsafe {
        let original = &with().original;
        let block = (original.realloc)(original.context, old, bytes);
        if old.is_null() {
            born(block, bytes);
        } else if !block.is_null() && ACTIVE.load(Ordering::Relaxed) {
            let state = with();
            let thread = (state.current_thread)();
            if thread != 0 && !foreign(state, thread) {
                state.recorder.moved(old.addr(), block.addr(), bytes);
            }
        }
        block
    }
}

unsafe extern "C" fn free(_: *mut c_void, block: *mut c_void) {
    // SAFETY: as in `malloc`.
    unsafe {
        let state = with();
        if ACTIVE.load(Ordering::Relaxed) && !block.is_null() {
            let elsewhere = FOREIGN.load(Ordering::Relaxed) && {
                let thread = (state.current_thread)();
                thread == 0 || foreign(state, thread)
            };
            if !elsewhere {
                state.recorder.died(block.addr());
            }
        }
        (state.original.free)(state.original.context, block);
    }
}
