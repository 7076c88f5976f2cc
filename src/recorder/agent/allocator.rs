//! Hooks CPython's allocator of objects: each birth, death and move of a block goes to the recorder.
//!
//! The hook runs under the interpreter's lock. It passes on what it is asked, and no more, while the recorder itself is at
//! work and in interpreters with a lock of their own (3.12+).

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::collector::{Collection, Collector};
use crate::cpython::memory::{THREAD_INTERPRETER, word};
use crate::cpython::versions::CPython;
use crate::global::{self, Question, State, is_active, with};
use crate::process::Process;
use crate::python::{Allocator, CurrentThread, Functions, OBJECT_DOMAIN};
use crate::recorder::Recorder;
use crate::{checkpoint, memory, system};

/// How many births pass between two looks at the clock.
const CLOCK_INTERVAL: u32 = 64;

/// How often the hook can be put in place anew after another one was put in its place: each time with functions of its own,
/// for whatever lies in its place may still call those before, and must not be called by them.
pub(crate) const PLACES: usize = 4;

/// Through which places of the hook, a bit for each, a block was asked for, and one given back, while the recorder was at work or
/// nothing was recorded.
static PASSED: [AtomicU8; 2] = [AtomicU8::new(0), AtomicU8::new(0)];

/// Whether what CPython asks of its allocator of objects still comes through the hook, which another one may lie over:
/// `tracemalloc.stop()` takes away what was put in place after its start.
///
/// # Safety
/// Under the interpreter's lock, with the hook off.
pub(crate) unsafe fn is_in_place(state: &State) -> bool {
    // SAFETY: as the caller promises.
    let [asked, given_back] = unsafe { passed(state) }.map(|places| places & 1 << state.place != 0);
    given_back && (asked || state.hook != Some(Hooked::All))
}

/// The places of the hook through which a block comes that is asked for, and one that is given back.
unsafe fn passed(state: &State) -> [u8; 2] {
    PASSED.iter().for_each(|passed| passed.store(0, Ordering::Relaxed));
    // SAFETY: as for `is_in_place`.
    unsafe { (state.python.PyObject_Free)((state.python.PyObject_Malloc)(PROBE)) };
    PASSED.each_ref().map(|passed| passed.load(Ordering::Relaxed))
}

/// Notes that a block came through a place.
fn note<const PLACE: usize>(passed: &AtomicU8) {
    // Whoever is here has the interpreter's lock.
    passed.store(passed.load(Ordering::Relaxed) | 1 << PLACE, Ordering::Relaxed);
}

/// The hook was taken away, or something lies over it that does not pass all on: the next time it is put in place, it has
/// functions of its own. False where there are none left.
pub(crate) fn is_lost(state: &mut State) -> bool {
    let is_place = state.place + 1 < PLACES;
    if is_place {
        state.hook = None;
        state.place += 1;
    }
    is_place
}

/// Bytes that are asked for to see who is asked.
const PROBE: usize = 16;

/// An interpreter that is not the main one has been seen.
static FOREIGN: AtomicBool = AtomicBool::new(false);
/// Such a one may give a block back: it was seen, or would not have been.
static ASKS_WHOSE: AtomicBool = AtomicBool::new(false);

/// Which of CPython's calls come through the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hooked {
    /// Those that free a block or move it.
    Deaths,
    All,
}

/// What [`install`] takes.
pub(crate) struct Parts {
    pub python: Functions,
    pub row: &'static CPython,
    pub recorder: Recorder,
    pub process: Process,
    pub current_thread: CurrentThread,
    pub collector: Option<Collector>,
    /// Where the hook goes: [`free_place`].
    pub place: usize,
}

/// The next recording's place: after one that was left, another wrapper may lie over what it had there. `None` where there is no
/// place that nothing calls.
///
/// # Safety
/// Under the interpreter's lock, with the hook off.
pub(crate) unsafe fn free_place() -> Option<usize> {
    // SAFETY: as the caller promises.
    let Some(state) = (unsafe { global::left() }) else { return Some(0) };
    // SAFETY: as the caller promises.
    let [_, in_use] = unsafe {
        uncover(state);
        passed(state)
    };
    match state.hook {
        None => Some(state.place),
        Some(_) => (state.place + 1..PLACES).chain(0..state.place).find(|place| in_use & 1 << place == 0),
    }
}

/// Makes the state, with the hook off; where births are recorded, the hook is in place then.
///
/// # Safety
/// Under the interpreter's lock, and not twice without [`global::leave`].
pub(crate) unsafe fn install(parts: Parts) {
    let Parts { python, row, recorder, process, current_thread, collector, place } = parts;
    // SAFETY: as the caller promises.
    unsafe {
        let takes_births = recorder.takes_births();
        let asks_collector = checkpoint::can_ask_collector(&recorder, collector.as_ref());
        let originals = global::left().map_or([current(&python); PLACES], |state| state.originals);
        global::install(State {
            python,
            recorder,
            process,
            collector,
            collection: Collection::None,
            is_awaited: false,
            collection_began: 0,
            question: Question::None,
            asks_collector,
            originals,
            place,
            hook: None,
            seen_until: 0,
            current_thread,
            interpreter: (python.PyInterpreterState_Main)(),
            own_locks: row.own_locks,
            counts_threads: row.counts_threads,
            other_interpreters: 0,
            clock: None,
            every: 0,
            next_checkpoint: 0,
            births: 0,
        });
        if takes_births {
            put_in_place(with(), Hooked::All);
        }
    }
}

/// Puts the hook in place, unless it is.
///
/// The context is that of the allocator below, also where it is not used: an interpreter with a lock of its own may read
/// the struct while CPython writes it, and any mixture of both must work.
///
/// # Safety
/// Under the interpreter's lock, after [`install`].
pub(crate) unsafe fn put_in_place(state: &mut State, hooked: Hooked) {
    if !state.recorder.keeps_births {
        // Births, which would tell, are not all seen.
        ASKS_WHOSE.store(state.own_locks, Ordering::Relaxed);
    }
    if state.hook == Some(hooked) {
        return;
    }
    // SAFETY: as the caller promises; CPython copies the struct.
    unsafe {
        take_away(state);
        if state.hook.is_some() {
            // Another one lies over it.
            return;
        }
        state.originals[state.place] = current(&state.python);
        let original = state.originals[state.place];
        let hooks = over(original, state.place);
        let hooks = match hooked {
            Hooked::All => hooks,
            Hooked::Deaths => Allocator { malloc: original.malloc, calloc: original.calloc, ..hooks },
        };
        (state.python.PyMem_SetAllocator)(OBJECT_DOMAIN, &raw const hooks);
    }
    state.hook = Some(hooked);
}

/// Takes the hook away for good. False where another one lies over it: then it stays, and passes on what it is asked.
///
/// # Safety
/// Under the interpreter's lock, after [`install`], with the hook off.
pub(crate) unsafe fn leave(state: &mut State) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        uncover(state);
        passed(state) == [0, 0]
    }
}

/// Takes away what of the hook nothing lies over any more, in whatever place.
unsafe fn uncover(state: &mut State) {
    // SAFETY: as for `take_away`.
    unsafe {
        take_away(state);
        for place in (0..PLACES).rev() {
            let original = state.originals[place];
            if current(&state.python).free as usize == over(original, place).free as usize {
                (state.python.PyMem_SetAllocator)(OBJECT_DOMAIN, &raw const original);
            }
        }
    }
}

/// Takes the hook away. It stays where another one lies over it.
///
/// # Safety
/// Under the interpreter's lock, after [`install`].
pub(crate) unsafe fn take_away(state: &mut State) {
    // SAFETY: as the caller promises; CPython copies the struct.
    unsafe {
        let original = state.originals[state.place];
        if state.hook.is_some() && current(&state.python).free as usize == over(original, state.place).free as usize {
            (state.python.PyMem_SetAllocator)(OBJECT_DOMAIN, &raw const original);
            state.hook = None;
        }
    }
}

/// The functions of this place, over those of `below`.
fn over(below: Allocator, place: usize) -> Allocator {
    const fn of<const PLACE: usize>(below: Allocator) -> Allocator {
        Allocator {
            malloc: malloc::<PLACE>,
            calloc: calloc::<PLACE>,
            realloc: realloc::<PLACE>,
            free: free::<PLACE>,
            ..below
        }
    }
    match place {
        0 => of::<0>(below),
        1 => of::<1>(below),
        2 => of::<2>(below),
        _ => of::<{ PLACES - 1 }>(below),
    }
}

unsafe fn current(python: &Functions) -> Allocator {
    let mut allocator = MaybeUninit::<Allocator>::uninit();
    // SAFETY: CPython writes the whole struct.
    unsafe {
        (python.PyMem_GetAllocator)(OBJECT_DOMAIN, allocator.as_mut_ptr());
        allocator.assume_init()
    }
}

/// The program is refused memory. Ends the recording where what it takes may be what is missing, and says whether it did.
#[cold]
unsafe fn give_back(bytes: usize) -> bool {
    if !is_active() {
        return false;
    }
    // SAFETY: under the interpreter's lock, if there is a thread state.
    unsafe {
        let state = with();
        let thread = (state.current_thread)();
        let may_help = thread != 0 && !foreign(state, thread) && state.recorder.footprint() >= bytes;
        if may_help {
            memory::refuse();
            checkpoint::failed(state);
        }
        may_help
    }
}

#[inline]
unsafe fn born<const PLACE: usize>(block: *mut c_void, bytes: usize) {
    // SAFETY: as below.
    let state = unsafe { with() };
    if !is_active() {
        return note::<PLACE>(&PASSED[0]);
    }
    if block.is_null() || state.place != PLACE {
        return;
    }
    // SAFETY: under the interpreter's lock, if there is a thread state.
    unsafe {
        let is_wanted = state.recorder.wants_birth(bytes);
        if !is_wanted && !state.recorder.has_sites() {
            return;
        }
        let thread = (state.current_thread)();
        if thread == 0 || foreign(state, thread) || !is_wanted && !state.recorder.is_at_site(thread) {
            return;
        }
        state.recorder.born(block.addr(), bytes, thread);
        if state.every != 0 {
            state.births += 1;
            if state.births >= CLOCK_INTERVAL {
                look_at_clock(state);
            }
        }
        if state.recorder.log.failure.is_some() || memory::is_refused() {
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
        ASKS_WHOSE.store(true, Ordering::Relaxed);
    }
    foreign
}

/// Whether an interpreter with a lock of its own was met.
pub(crate) fn has_foreign() -> bool {
    FOREIGN.load(Ordering::Relaxed)
}

#[cold]
fn look_at_clock(state: &mut State) {
    state.births = 0;
    let now = system::now();
    if now >= state.next_checkpoint {
        state.next_checkpoint = now.saturating_add(state.every);
        // SAFETY: the function may be called from anywhere. If its queue is full, the next interval tries again.
        unsafe {
            (state.python.Py_AddPendingCall)(checkpoint::pending, std::ptr::null_mut());
        }
    }
}

unsafe extern "C" fn malloc<const PLACE: usize>(_: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: passes on what CPython asks.
    unsafe {
        let original = &with().originals[PLACE];
        let mut block = (original.malloc)(original.context, bytes);
        if block.is_null() && give_back(bytes) {
            block = (original.malloc)(original.context, bytes);
        }
        born::<PLACE>(block, bytes);
        block
    }
}

unsafe extern "C" fn calloc<const PLACE: usize>(_: *mut c_void, count: usize, bytes: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    unsafe {
        let original = &with().originals[PLACE];
        let all = count.saturating_mul(bytes);
        let mut block = (original.calloc)(original.context, count, bytes);
        if block.is_null() && give_back(all) {
            block = (original.calloc)(original.context, count, bytes);
        }
        born::<PLACE>(block, all);
        block
    }
}

unsafe extern "C" fn realloc<const PLACE: usize>(_: *mut c_void, old: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    unsafe {
        let original = &with().originals[PLACE];
        let mut block = (original.realloc)(original.context, old, bytes);
        if block.is_null() && give_back(bytes) {
            block = (original.realloc)(original.context, old, bytes);
        }
        if old.is_null() {
            born::<PLACE>(block, bytes);
        } else if !block.is_null() && is_active() && with().place == PLACE {
            let state = with();
            let thread = (state.current_thread)();
            if thread != 0 && !foreign(state, thread) {
                state.recorder.moved(old.addr(), block.addr(), bytes);
            }
        }
        block
    }
}

unsafe extern "C" fn free<const PLACE: usize>(_: *mut c_void, block: *mut c_void) {
    // SAFETY: as in `malloc`.
    unsafe {
        let state = with();
        if !is_active() {
            note::<PLACE>(&PASSED[1]);
        } else if !block.is_null() && state.place == PLACE {
            // Elsewhere another one has taken its place, and is asked as well.
            let elsewhere = ASKS_WHOSE.load(Ordering::Relaxed) && {
                let thread = (state.current_thread)();
                thread == 0 || foreign(state, thread)
            };
            if !elsewhere {
                state.recorder.died(block.addr());
            }
        }
        let original = &state.originals[PLACE];
        (original.free)(original.context, block);
    }
}
