//! Runs one collector beside the recorded program: counts as it would, and begins its collections when it would.

use super::free_lists::{Counted, FreeLists};
use super::garbage::{Amount, Lying};
use super::outcome::{Collections, Moment, Outcome, Span};
use super::rules::Rules;
use super::runs::{FROZEN, OLDEST, Run, Runs};
use super::setting::Setting;
use super::timeline::{Tick, Timeline};
use super::tracked::Shares;
use crate::trace::{GcState, TypeDef, TypeId};

/// What is known of an object as it dies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    /// The event of its birth, if it is known; 0 of what was there before the recording.
    pub born: Option<u64>,
    pub class: TypeId,
    /// Bytes of its block, and with those that it owns.
    pub block: u64,
    pub bytes: u64,
}

/// When an object became garbage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Orphan {
    /// After the first of these events, and not after the second.
    pub early: u64,
    pub late: u64,
    /// The birth of the oldest object that leads to it: a collection that does not look at that one leaves it alive.
    pub oldest: u64,
}

/// Garbage over time is told in so many stretches at most.
const MOST_STRETCHES: u64 = 300;

/// A collector at work.
#[derive(Debug)]
pub(super) struct Simulation {
    setting: Setting,
    rules: &'static Rules,
    enabled: bool,
    thresholds: [u64; 3],
    counts: [u64; 3],
    long_lived_pending: u64,
    long_lived_total: u64,
    generations: [Generation; OLDEST + 1],
    shares: Shares,
    free_lists: FreeLists,
    /// By type number.
    counted: Vec<Counted>,
    runs: Runs,
    timeline: Timeline,
    /// What was born until then is frozen.
    frozen_until: u64,
    collections: Collections,
    /// Garbage as there would be if it became garbage as early as it can have been, and the bounds of what there can be.
    likely: Lying,
    least: Lying,
    most: Lying,
    /// Bytes × nanoseconds that the likely garbage lay there.
    byte_ns: u128,
    since_ns: u64,
}

/// What a collection of a generation has to do with.
#[derive(Debug)]
struct Generation {
    /// That can be tracked, and how many of them are, in a generation that has seen a collection.
    objects: u64,
    tracked: f64,
    /// Those among them that are likely garbage.
    doomed: u64,
    /// What of that goes to the free lists when it is freed.
    resting: FreeLists,
}

impl Generation {
    fn new(rules: &Rules) -> Generation {
        Generation { objects: 0, tracked: 0.0, doomed: 0, resting: FreeLists::new(rules) }
    }

    fn add(&mut self, objects: u64, tracked: f64) {
        self.objects = self.objects.saturating_add(objects);
        self.tracked += tracked;
    }

    /// One of them dies, whichever.
    fn lose(&mut self) {
        if self.objects > 0 {
            self.tracked -= self.tracked / self.objects as f64;
            self.objects -= 1;
        }
    }

    fn clear(&mut self) {
        self.objects = 0;
        self.tracked = 0.0;
        self.doomed = 0;
        self.resting.clear();
    }
}

impl Simulation {
    pub(super) fn new(setting: Setting, rules: &'static Rules) -> Simulation {
        let thresholds = setting.thresholds.unwrap_or(rules.thresholds);
        Simulation {
            enabled: !setting.off,
            thresholds,
            free_lists: FreeLists::new(rules),
            setting,
            rules,
            counts: [0; 3],
            long_lived_pending: 0,
            long_lived_total: 0,
            generations: std::array::from_fn(|_| Generation::new(rules)),
            shares: Shares::default(),
            counted: Vec::new(),
            runs: Runs::default(),
            timeline: Timeline::default(),
            frozen_until: 0,
            collections: Collections::default(),
            likely: Lying::default(),
            least: Lying::default(),
            most: Lying::default(),
            byte_ns: 0,
            since_ns: 0,
        }
    }

    /// What the program's own collector had counted as the recording began.
    pub(super) fn begin(&mut self, state: &GcState) {
        self.counts = state.counts.map(u64::from);
        self.long_lived_pending = state.long_lived_pending;
        self.long_lived_total = state.long_lived_total;
    }

    /// So many objects were there as the recording began.
    pub(super) fn has(&mut self, generations: [u64; 3]) {
        for (generation, objects) in self.generations.iter_mut().zip(generations) {
            (generation.objects, generation.tracked) = (objects, objects as f64);
        }
    }

    /// From now on this part of the objects is tracked.
    pub(super) fn tracks(&mut self, shares: Shares) {
        self.shares = shares;
    }

    /// The program as it was recorded has these thresholds now.
    pub(super) fn follow(&mut self, thresholds: [u32; 3]) {
        if self.setting.thresholds.is_none() && self.setting.rules.is_none() {
            self.thresholds = thresholds.map(u64::from);
        }
    }

    pub(super) fn born(&mut self, life: Life, event: u64, ns: Option<u64>) {
        if self.timeline.is_due(event) {
            self.timeline.push(Tick { event, ns });
            self.lyings().into_iter().for_each(Lying::tick);
        }
        let Some(counted) = self.known(life.class) else { return };
        self.generations[0].add(1, 0.0);
        if self.free_lists.take(counted, life.block) {
            return;
        }
        self.counts[0] += 1;
        let exceeds = self.enabled && self.thresholds[0] > 0 && self.counts[0] > self.thresholds[0];
        if let Some(generation) = self.due().filter(|_| exceeds) {
            self.collect(generation, event, ns);
        }
    }

    /// An object dies. What dies while the recorded collector is at work counts nothing: that has just set its count to
    /// zero.
    pub(super) fn died(&mut self, life: Life, collecting: bool) {
        let Some(counted) = self.known(life.class) else { return };
        self.forget(life);
        if !self.free_lists.put(counted, life.block) && !collecting {
            self.counts[0] = self.counts[0].saturating_sub(1);
        }
    }

    /// An object became garbage, as early as can be.
    pub(super) fn is_garbage(&mut self, life: Life, orphan: Orphan, ns: Option<u64>) {
        self.lie(ns);
        let (first, soon) = (self.timeline.after(orphan.early), self.look(orphan.oldest, orphan.early));
        let generation = self.place(orphan.oldest);
        self.likely.add(first, soon, generation, Amount { objects: 1, bytes: life.bytes });
        let Some(counted) = self.known(life.class).filter(|_| life.born.is_some()) else { return };
        match soon {
            Some(_) => self.forget(life),
            None => {
                if let Some(generation) = self.generations.get_mut(generation) {
                    generation.doomed += 1;
                    generation.resting.count(counted, life.block);
                }
            }
        }
    }

    /// The bounds of when it became garbage are known.
    pub(super) fn bound(&mut self, life: Life, orphan: Orphan) {
        let amount = Amount { objects: 1, bytes: life.bytes };
        let generation = self.place(orphan.oldest);
        let [soon, late] = [orphan.early, orphan.late].map(|since| self.look(orphan.oldest, since));
        self.most.add(self.timeline.after(orphan.early), late, generation, amount);
        self.least.add(self.timeline.after(orphan.late), soon, generation, amount);
    }

    /// The first collection after `since` that looks at objects that were born with `born`, as a place of the timeline.
    fn look(&self, born: u64, since: u64) -> Option<usize> {
        let collection = match self.place(born) {
            FROZEN => None,
            _ if born == 0 => self.runs.first_of_all(since),
            _ => self.runs.first_look(born, since),
        };
        collection.map(|nth| self.timeline.of_collection(nth))
    }

    fn lyings(&mut self) -> [&mut Lying; 3] {
        [&mut self.least, &mut self.likely, &mut self.most]
    }

    /// Where objects that were born with `born` are: what was there before the recording is old.
    fn place(&self, born: u64) -> usize {
        match born {
            _ if self.is_frozen(born) => FROZEN,
            0 => OLDEST,
            _ => self.runs.generation(born),
        }
    }

    /// `gc.collect()` of the program.
    pub(super) fn collect_explicitly(&mut self, generation: usize, event: u64, ns: Option<u64>) {
        self.collections.explicit += 1;
        self.collect(generation.min(OLDEST), event, ns);
    }

    /// A phase of this name begins.
    pub(super) fn mark(&mut self, label: &str, event: u64) {
        if self.setting.freeze_at.as_deref() == Some(label) && self.frozen_until == 0 {
            self.frozen_until = event;
            self.generations.iter_mut().for_each(Generation::clear);
            self.counts = [0; 3];
            self.lyings().into_iter().for_each(Lying::freeze);
        }
    }

    pub(super) fn finish(mut self, now: Tick) -> Outcome {
        self.lie(now.ns);
        let over_time = self.over_time(now);
        Outcome {
            setting: self.setting.to_string(),
            thresholds: self.thresholds,
            frozen: self.setting.freeze_at.is_some().then_some(self.frozen_until > 0),
            collections: self.collections,
            peak: Span { least: self.least.peak(), likely: self.likely.peak(), most: self.most.peak() },
            left: Span { least: self.least.now(), likely: self.likely.now(), most: self.most.now() },
            moments: over_time.len(),
            over_time: Moment::thinned(&over_time, MOST_STRETCHES),
            byte_ns: self.byte_ns,
        }
    }

    /// The garbage at each moment of the timeline, before and after what happened then; none at the beginning.
    fn over_time(&self, now: Tick) -> Vec<Moment> {
        // What happened before the first time of a log with times was as it began.
        let moment = |tick: Tick, bytes| Moment { event: tick.event, ns: now.ns.and(tick.ns.or(Some(0))), bytes };
        let [mut least, mut likely, mut most] = [&self.least, &self.likely, &self.most].map(Lying::series);
        let mut moments = vec![moment(Tick { event: 0, ns: None }, [0; 3])];
        for &tick in self.timeline.all() {
            let amounts = [least.next(), likely.next(), most.next()].map(Option::unwrap_or_default);
            let [before, after] = [0, 1].map(|side| amounts.map(|amount| amount[side].bytes));
            moments.push(moment(tick, before));
            if after != before {
                moments.push(moment(tick, after));
            }
        }
        moments.push(moment(now, [&self.least, &self.likely, &self.most].map(|lying| lying.now().bytes)));
        moments
    }

    /// The oldest generation whose count is above its threshold.
    fn due(&self) -> Option<usize> {
        let is_over = |&generation: &usize| self.counts[generation] > self.thresholds[generation];
        let waits = |generation| generation == OLDEST && self.long_lived_pending < self.long_lived_total / 4;
        (0..=OLDEST).rev().filter(is_over).find(|&generation| !waits(generation))
    }

    fn collect(&mut self, generation: usize, event: u64, ns: Option<u64>) {
        self.lie(ns);
        let (mut looked, mut left, mut left_tracked) = (0.0, 0u64, 0.0);
        for (place, younger) in self.generations[..=generation].iter_mut().enumerate() {
            let alive = younger.objects.saturating_sub(younger.doomed);
            left = left.saturating_add(alive);
            if place == 0 {
                looked += younger.objects as f64 * self.shares.young;
                left_tracked += alive as f64 * self.shares.old;
            } else {
                looked += younger.tracked;
                left_tracked += (younger.tracked - younger.doomed as f64).max(0.0);
            }
            self.free_lists.put_many(&younger.resting, self.rules);
            younger.clear();
        }
        self.collections.add(generation, looked.round() as u64);
        if generation < OLDEST {
            self.counts[generation + 1] += 1;
        }
        self.counts[..=generation].fill(0);
        self.lyings().into_iter().for_each(|lying| lying.collect(generation));
        self.timeline.push_collection(Tick { event, ns });
        self.generations[(generation + 1).min(OLDEST)].add(left, left_tracked);
        let survivors = left_tracked.round() as u64;
        match generation {
            0 => {}
            1 => self.long_lived_pending = self.long_lived_pending.saturating_add(survivors),
            _ => {
                self.long_lived_pending = 0;
                self.long_lived_total = survivors;
                self.free_lists.clear();
            }
        }
        self.runs.push(Run { event, generation });
    }

    /// An object is in no generation any more.
    fn forget(&mut self, life: Life) {
        let Some(place) = life.born.map(|born| self.place(born)) else { return };
        if let Some(generation) = self.generations.get_mut(place) {
            generation.lose();
        }
    }

    fn is_frozen(&self, born: u64) -> bool {
        self.frozen_until > 0 && born <= self.frozen_until
    }

    /// Garbage has lain there until now.
    fn lie(&mut self, ns: Option<u64>) {
        let ns = ns.unwrap_or(0);
        let passed = ns.saturating_sub(self.since_ns);
        self.byte_ns += u128::from(self.likely.now().bytes) * u128::from(passed);
        self.since_ns = ns;
    }

    /// Objects of this type are met.
    pub(super) fn learn(&mut self, class: TypeId, def: &TypeDef) {
        let place = class.0 as usize;
        if place >= self.counted.len() {
            self.counted.resize(place + 1, Counted::default());
        }
        self.counted[place] = Counted::of(def, self.rules);
    }

    /// What counts, of a type that was met.
    fn known(&self, class: TypeId) -> Option<Counted> {
        self.counted.get(class.0 as usize).copied().filter(|counted| counted.gc)
    }
}
