//! Decides when the heap is walked: at the end, on a signal, at intervals, at marks, and as a collection begins.

use std::ffi::{c_int, c_void};
use std::io::Error;

use crate::allocator::{self, Hooked};
use crate::attached;
use crate::canary;
use crate::collector::{Collection, Collector};
use crate::global::{self, Question, State, with_hook_off};
use crate::interpreters;
use crate::log::{cut, out_of_memory};
use crate::memory::{GrowText, is_refused};
use crate::process::quoted;
use crate::recorder::Recorder;
use crate::regain;
use crate::system::without_signals;
use crate::walk::Walker;

/// The kind of a mark behind which the program ends.
const EXIT: &str = "exit";

/// Walks the whole heap now, or as the collection ends that is going on: in a finalizer the collector's lists are not in order.
/// Not from inside an allocation.
pub(crate) fn now() {
    with_hook_off(|state| match state.collection.goes_on() {
        true => state.is_awaited = true,
        false => look(state),
    });
}

/// As [`now`], asked for where no walk may be made.
pub(crate) extern "C" fn pending(_: *mut c_void) -> c_int {
    now();
    0
}

/// A phase begins; the one before gets its checkpoint.
pub(crate) fn mark(kind: &str, label: &str) {
    with_hook_off(|state| end_phase(state, kind, label));
}

/// A phase begins, and the one before gets no checkpoint.
pub(crate) fn phase(kind: &str, label: &str) {
    with_hook_off(|state| {
        begin_phase(state, kind, label);
        flush_sometimes(state, state.process.elapsed());
    });
}

/// The program begins to end: what is alive now was no garbage of its work. Where births are not recorded, nobody could tell later
/// what that was.
pub(crate) fn exit_begins(label: &str) {
    with_hook_off(|state| {
        if state.recorder.keeps_births && !state.collection.goes_on() {
            end_phase(state, EXIT, label);
        }
    });
}

/// The phase before gets its checkpoint, and another begins.
fn end_phase(state: &mut State, kind: &str, label: &str) {
    full(state);
    begin_phase(state, kind, label);
    flush(state);
}

fn begin_phase(state: &mut State, kind: &str, label: &str) {
    let mut text = quoted(kind);
    text.add_char(' ');
    text.add_text(&quoted(label));
    let text = cut(text.as_bytes());
    state.recorder.log.emit_with(text, |encoder| encoder.mark_head(text.len()));
}

/// Writes what a collection of this generation would find now; answers how many objects. Nothing is collected.
pub(crate) fn sweep(generation: u8) -> usize {
    // SAFETY: under the interpreter's lock, outside collections.
    find(|walker, recorder| unsafe { walker.garbage(recorder, generation) })
}

/// As [`sweep`], of what was made after this object, at a cost in proportion to that.
///
/// # Safety
/// The object is alive and has a head of the collector.
pub(crate) unsafe fn sweep_since(object: usize) -> usize {
    // SAFETY: under the interpreter's lock, outside collections; and as the caller promises.
    find(|walker, recorder| unsafe { walker.garbage_since(recorder, object) })
}

fn find(search: impl FnOnce(&mut Walker, &mut Recorder) -> usize) -> usize {
    with_hook_off(|state| {
        // While the collector is at work its lists are not in order.
        if state.collection.goes_on() || !state.recorder.log.is_open() || !is_seeing(state) {
            return 0;
        }
        account(state);
        let elapsed = settle(state);
        let Some(found) = state.recorder.with_walker(search) else { return 0 };
        state.recorder.condemned.forget();
        follow(state);
        match found {
            0 => flush_sometimes(state, elapsed),
            _ => flush(state),
        }
        found
    })
    .unwrap_or(0)
}

/// The collector begins, with this generation.
pub(crate) fn collection_starts(state: &mut State, generation: u8) {
    if !state.recorder.log.is_open() {
        return;
    }
    if let Some(collector) = &mut state.collector {
        collector.seen();
    }
    if !is_seeing(state) {
        return;
    }
    settle(state);
    // SAFETY: under the interpreter's lock, as the collector begins; the hook is in place as long as anything is watched.
    unsafe { state.recorder.bury_survivors() };
    state.collection = Collection::here();
    if state.asks_collector && ask_collector(state, generation) {
        state.collection_began = state.process.elapsed();
        return;
    }
    let looked = state.recorder.with_walker(|walker, recorder| {
        // SAFETY: under the interpreter's lock, as the collector begins.
        unsafe { walker.garbage(recorder, generation) };
        recorder.mark_condemned();
        walker.looked()
    });
    // What the walk took is no part of the collection.
    time(state);
    write_start(state, generation);
    if let Some(objects) = looked {
        state.recorder.log.emit(|encoder| encoder.gc_looked(objects));
    }
    state.collection_began = state.process.elapsed();
}

/// Has the collector itself say what it finds. False where other functions in `gc.callbacks` could see how.
fn ask_collector(state: &mut State, generation: u8) -> bool {
    // SAFETY: under the interpreter's lock.
    let is_alone = state.collector.as_ref().is_some_and(|collector| unsafe { collector.is_alone() });
    let head = state.recorder.walker.as_ref().and_then(|walker| walker.generation(generation));
    match head {
        Some(head) if is_alone => {
            state.question = Question::Asked(generation);
            // SAFETY: the collector calls the last of `gc.callbacks`, under the interpreter's lock.
            unsafe {
                canary::plant(head, |found| {
                    with_hook_off(|state| collector_found(state, found));
                });
            }
            true
        }
        _ => false,
    }
}

/// Whether the collector can be asked, without a trace of it in what it counts.
pub(crate) fn can_ask_collector(recorder: &Recorder, collector: Option<&Collector>) -> bool {
    let Some(collector) = collector.filter(|_| !recorder.keeps_births) else { return false };
    let stats = recorder.walker.as_ref().and_then(Walker::stats);
    // SAFETY: under the interpreter's lock, outside collections.
    stats.is_none_or(|stats| unsafe { stats.agree(collector.runs_before()) })
}

/// The collector found these objects unreachable, and has not touched them yet.
fn collector_found(state: &mut State, found: &[usize]) {
    let Question::Asked(generation) = state.question else { return };
    state.question = Question::Answered;
    let began = state.process.elapsed();
    state.recorder.with_walker(|walker, recorder| {
        if !found.is_empty() && !is_refused() {
            // SAFETY: under the interpreter's lock; the collector has changed nothing but its lists.
            unsafe { walker.describe_garbage(recorder, found) };
        }
        recorder.mark_condemned();
    });
    write_start(state, generation);
    state.collection_began += state.process.elapsed() - began;
}

/// What the collection finds is written; from here on it goes its way.
fn write_start(state: &mut State, generation: u8) {
    state.recorder.write_collector();
    state.recorder.log.emit(|encoder| encoder.gc_start(generation));
    follow(state);
    check(state);
}

/// Sees to it that deaths are seen as long as something that was written lives, and births as long as a type leaks.
fn follow(state: &mut State) {
    if state.recorder.keeps_births {
        return;
    }
    let has_leaked = state.recorder.armed.as_ref().is_some_and(|armed| !armed.is_empty());
    let is_armed = has_leaked || state.recorder.has_sites();
    // SAFETY: under the interpreter's lock.
    unsafe {
        match (is_armed, state.recorder.has_live_objects()) {
            (true, _) => allocator::put_in_place(state, Hooked::All),
            (false, true) => allocator::put_in_place(state, Hooked::Deaths),
            (false, false) => {
                state.recorder.forget_births();
                allocator::take_away(state);
            }
        }
    }
}

/// The collector ends.
pub(crate) fn collection_stops(state: &mut State, generation: u8, collected: u64, uncollectable: u64) {
    let collection = std::mem::replace(&mut state.collection, Collection::None);
    if !collection.goes_on() {
        return;
    }
    // Of one that began before the fork the trace of this process has no start.
    let is_told = collection != Collection::Inherited;
    let pause = state.process.elapsed().saturating_sub(state.collection_began);
    match std::mem::replace(&mut state.question, Question::None) {
        Question::None => {}
        Question::Answered => {
            if let Some(stats) = state.recorder.walker.as_ref().and_then(Walker::stats) {
                // SAFETY: under the interpreter's lock; the rings agreed as the recording began.
                let looked = unsafe { stats.take(usize::from(generation), canary::OBJECTS) };
                if let Some(objects) = looked.filter(|_| is_told) {
                    state.recorder.log.emit(|encoder| encoder.gc_looked(objects));
                }
            }
        }
        Question::Asked(_) => {
            // It works as no known CPython does: from here on the recorder searches itself.
            // SAFETY: under the interpreter's lock, as the collector ends.
            unsafe { canary::withdraw() };
            state.asks_collector = false;
            return state.recorder.log.emit(|encoder| encoder.gc_missed(1));
        }
    }
    if !is_seeing(state) {
        return;
    }
    state.recorder.settle();
    state.recorder.collected();
    // SAFETY: under the interpreter's lock, as the collector ends; the hook is in place.
    unsafe { state.recorder.bury_condemned() };
    state.recorder.is_over(generation);
    if is_told {
        state.recorder.log.emit(|encoder| encoder.gc_pause(pause));
        state.recorder.log.emit(|encoder| encoder.gc_stop(collected, uncollectable));
    }
    let elapsed = time(state);
    flush_sometimes(state, elapsed);
    if std::mem::take(&mut state.is_awaited) {
        full(state);
    }
}

/// Ends the file in order, without a checkpoint, and rests until [`crate::global::resume`].
pub(crate) fn stop() {
    with_hook_off(|state| {
        if state.recorder.log.is_open() && state.process.id() == std::process::id() {
            account(state);
            state.process.finish(&mut state.recorder);
        }
        if !state.recorder.keeps_births {
            // SAFETY: under the interpreter's lock.
            unsafe { allocator::take_away(state) };
        }
        global::stop();
    });
}

/// Who attached asks for the end: a last checkpoint, and no event more. Not while a collection goes on.
pub(crate) fn end(state: &mut State) {
    state.recorder.descriptions.end();
    look(state);
    if state.recorder.log.is_open() {
        state.process.finish(&mut state.recorder);
    }
    global::stop();
}

/// The process ends in order: a last checkpoint, and nothing more.
///
/// Who waits for the end may lose patience: `multiprocessing.Pool` tells its workers to end, and terminates them at
/// once. So the signal waits for the checkpoint.
pub(crate) fn last() {
    with_hook_off(|state| {
        if state.recorder.log.is_open() && state.process.id() == std::process::id() {
            without_signals(|| {
                if state.process.is_slight(&mut state.recorder) {
                    return state.process.withdraw(&mut state.recorder);
                }
                state.recorder.descriptions.end();
                // While the collector's lists are not in order, what is garbage cannot be looked for.
                match state.collection {
                    Collection::None if state.recorder.inherits && state.recorder.checkpoints == 0 => own(state),
                    Collection::None => look(state),
                    Collection::Abandoned => state.recorder.log.stop(&Error::other(
                        "the process was forked while another thread collected, so its collector never looks again",
                    )),
                    _ => state.recorder.log.stop(&Error::other("the process ended in a finalizer")),
                }
                if state.recorder.log.is_open() {
                    state.process.finish(&mut state.recorder);
                }
            });
        }
        global::stop();
    });
}

/// The recording cannot go on.
pub(crate) fn failed(state: &mut State) {
    let refused = is_refused().then(out_of_memory);
    if let Some(error) = state.recorder.log.failure.take().or(refused) {
        // What was recorded until then is true.
        state.recorder.log.stop(&error);
        state.process.stopped(&error);
        state.recorder.release();
        global::stop();
        if state.process.options.attached {
            attached::leave_soon();
        }
    }
}

/// Walks the whole heap, or, without births, searches all of it for garbage.
fn full(state: &mut State) {
    whole(state, false);
}

/// The same, and searches for references that objects do not show. Where the recorder was attached, it does without: to be sure
/// of them, a copy of the process is made.
fn look(state: &mut State) {
    let search = !state.process.options.attached;
    whole(state, search);
}

fn whole(state: &mut State, search: bool) {
    checkpoint(state, |walker, recorder| match recorder.keeps_births {
        // SAFETY: under the interpreter's lock, outside collections.
        true => unsafe { walker.full(recorder, search) },
        // SAFETY: as above.
        false => drop(unsafe { walker.all_garbage(recorder) }),
    });
}

/// Walks what this process has of its own: it was forked, has written nothing of the rest so far, and ends.
fn own(state: &mut State) {
    checkpoint(state, |walker, recorder| match (recorder.keeps_births, recorder.inherits) {
        // SAFETY: under the interpreter's lock, outside collections.
        (true, true) => unsafe { walker.own(recorder) },
        // SAFETY: as above.
        (true, false) => unsafe { walker.full(recorder, false) },
        // SAFETY: as above.
        (false, _) => drop(unsafe { walker.all_garbage(recorder) }),
    });
}

/// Makes a checkpoint by this walk, but in a finalizer, where the collector's lists are not in order.
fn checkpoint(state: &mut State, walk: impl FnOnce(&mut Walker, &mut Recorder)) {
    if state.collection.goes_on() || !state.recorder.log.is_open() || !is_seeing(state) {
        return;
    }
    account(state);
    settle(state);
    let recorder = &mut state.recorder;
    if recorder.with_walker(walk).is_none() {
        return;
    }
    recorder.checkpoints += 1;
    recorder.condemned.forget();
    follow(state);
    flush(state);
}

/// Writes what the recorder did not see: other interpreters, and collections.
fn account(state: &mut State) {
    if state.collection.goes_on() {
        return;
    }
    // SAFETY: under the interpreter's lock.
    unsafe { interpreters::account(state) };
    let Some(collector) = &mut state.collector else { return };
    // SAFETY: under the interpreter's lock, outside collections.
    let missed = unsafe { collector.check() };
    if missed > 0 {
        if !state.recorder.keeps_births {
            // SAFETY: under the interpreter's lock, outside collections.
            unsafe { regain::lose_sight(&mut state.recorder) };
        }
        state.recorder.log.emit(|encoder| encoder.gc_missed(missed));
    }
}

/// Sees to it that births and deaths come through the hook; ends the recording where they cannot.
fn is_seeing(state: &mut State) -> bool {
    // SAFETY: under the interpreter's lock, with the hook off; what is called where a collection goes on is called as it
    // begins, and as it ends.
    let is_seeing = unsafe { regain::is_seeing(state) };
    if !is_seeing {
        let reason = "something takes the hook of the allocator away again and again: births and deaths are not seen";
        state.recorder.log.failure = Some(Error::other(reason));
        failed(state);
    }
    is_seeing
}

/// Writes the births that wait, and then the time, which it gives: whatever is born in the log until here was born before it.
fn settle(state: &mut State) -> u64 {
    state.recorder.settle();
    time(state)
}

/// Writes the time, and gives it.
fn time(state: &mut State) -> u64 {
    let elapsed = state.process.elapsed();
    state.recorder.log.emit(|encoder| encoder.time(elapsed));
    elapsed
}

/// What has been written is in the file, for somebody who reads it while the recording goes on.
pub(crate) fn flush_now() {
    with_hook_off(flush);
}

/// What has been written is in the file, if the process is killed now.
fn flush(state: &mut State) {
    state.recorder.log.flush();
    check(state);
}

/// The same now and then, of records that say nothing without those that follow.
fn flush_sometimes(state: &mut State, elapsed: u64) {
    state.recorder.log.flush_sometimes(elapsed);
    check(state);
}

fn check(state: &mut State) {
    if state.recorder.log.failure.is_some() || is_refused() {
        failed(state);
    }
}
