//! Compares what was garbage at the peak, at the end, and for how long, with a naive replay of random exact logs.

use std::fmt::Write;

use proptest::prelude::*;

use super::play;
use crate::cycles::{Amount, Lingered};

/// A program that writes its own log, and looks at its whole heap after each step.
#[derive(Default)]
struct Program {
    log: String,
    lines: u64,
    objects: Vec<Object>,
    /// Line and nanoseconds of each time.
    times: Vec<(u64, u64)>,
    peak: Amount,
}

#[derive(Default)]
struct Object {
    bytes: u64,
    /// By variables.
    held: u64,
    refers_to: Vec<usize>,
    dead: bool,
    /// Line of the step that made it garbage, and of its `free`.
    garbage_since: Option<u64>,
    freed: Option<u64>,
}

impl Program {
    fn line(&mut self, text: &str) {
        self.lines += 1;
        writeln!(self.log, "{text}").unwrap();
    }

    fn reachable(&self) -> Vec<usize> {
        let mut found: Vec<usize> = self.living().filter(|&object| self.objects[object].held > 0).collect();
        let mut next = 0;
        while let Some(&object) = found.get(next) {
            next += 1;
            let more: Vec<usize> = self.objects[object].refers_to.clone();
            more.into_iter().for_each(|to| {
                if !found.contains(&to) {
                    found.push(to);
                }
            });
        }
        found
    }

    fn living(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.objects.len()).filter(|&object| !self.objects[object].dead)
    }

    fn count(&self, object: usize) -> u64 {
        let refers = |from: usize| self.objects[from].refers_to.iter().filter(|&&to| to == object).count() as u64;
        self.objects[object].held + self.living().map(refers).sum::<u64>()
    }

    fn garbage(&self) -> Vec<usize> {
        let reachable = self.reachable();
        self.living().filter(|object| !reachable.contains(object)).collect()
    }

    fn step(&mut self, (action, a, b): (u8, usize, usize)) {
        let before = self.lines + 1;
        let reachable = self.reachable();
        let pick = |nth: usize| reachable.get(nth % reachable.len().max(1)).copied();
        match (action, pick(a), pick(b)) {
            (0..=2, _, _) => {
                let number = self.objects.len();
                let bytes = 10 + 7 * number as u64;
                self.objects.push(Object { bytes, held: 1, ..Object::default() });
                self.line(&format!("alloc {:x} 1 {bytes}", number + 1));
                self.line(&format!("incref {:x}", number + 1));
            }
            (3..=6, Some(from), Some(to)) => {
                self.objects[from].refers_to.push(to);
                self.line(&format!("ref {:x} {:x} .x", from + 1, to + 1));
            }
            (7, Some(from), _) if !self.objects[from].refers_to.is_empty() => {
                let nth = b % self.objects[from].refers_to.len();
                let to = self.objects[from].refers_to.remove(nth);
                self.line(&format!("unref {:x} {:x} .x", from + 1, to + 1));
                self.die(to);
            }
            (8..=10, Some(object), _) if self.objects[object].held > 0 => {
                self.objects[object].held -= 1;
                self.line(&format!("decref {:x}", object + 1));
                self.die(object);
            }
            (11 | 12, _, _) => self.time(1 + a as u64),
            (13, _, _) => self.collect(b),
            _ => {}
        }
        self.look(before);
    }

    /// An object whose count is zero dies, and what it alone holds.
    fn die(&mut self, object: usize) {
        if !self.objects[object].dead && self.count(object) == 0 {
            self.line(&format!("free {:x}", object + 1));
            self.objects[object].dead = true;
            let held = std::mem::take(&mut self.objects[object].refers_to);
            held.into_iter().for_each(|to| self.die(to));
        }
    }

    fn time(&mut self, passed: u64) {
        let now = self.times.last().map_or(0, |&(_, ns)| ns) + passed;
        self.line(&format!("time {now}"));
        self.times.push((self.lines, now));
    }

    fn collect(&mut self, slow: usize) {
        self.line("gc start 2");
        let garbage = self.garbage();
        for &object in &garbage {
            if slow.is_multiple_of(3) {
                self.time(1);
            }
            self.line(&format!("free {:x}", object + 1));
            self.objects[object].freed = Some(self.lines);
            self.objects[object].dead = true;
        }
        self.line(&format!("gc stop {} 0", garbage.len()));
    }

    fn look(&mut self, step: u64) {
        let garbage = self.garbage();
        for &object in &garbage {
            self.objects[object].garbage_since.get_or_insert(step);
        }
        let (objects, bytes) = (garbage.len() as u64, self.bytes(&garbage));
        if bytes > self.peak.bytes {
            self.peak = Amount { loops: 0, objects, bytes };
        }
    }

    fn bytes(&self, objects: &[usize]) -> u64 {
        objects.iter().map(|&object| self.objects[object].bytes).sum()
    }

    /// Between the times that are told before and after what began and what ended it.
    fn lingered(&self) -> Option<Lingered> {
        let last = self.times.last()?.1;
        let before = |line| self.times.iter().rev().find(|(at, _)| *at <= line).map_or(0, |&(_, ns)| ns);
        let after = |line| self.times.iter().find(|(at, _)| *at >= line).map_or(last, |&(_, ns)| ns);
        let mut sum = Lingered::default();
        for object in &self.objects {
            let Some(since) = object.garbage_since else { continue };
            let (from, to) = object.freed.map_or((last, last), |line| (before(line), after(line)));
            sum.at_least += u128::from(object.bytes) * u128::from(from.saturating_sub(after(since)));
            sum.at_most += u128::from(object.bytes) * u128::from(to - before(since));
        }
        Some(sum)
    }
}

proptest! {
    #[test]
    fn peak_end_and_time_are_those_of_a_naive_replay(
        steps in prop::collection::vec((0u8..14, 0usize..12, 0usize..12), 0..60),
    ) {
        let mut program = Program::default();
        steps.into_iter().for_each(|step| program.step(step));
        let found = play(&format!("type 1 A flags=gc\n{}", program.log));
        prop_assert_eq!((found.peak.objects, found.peak.bytes), (program.peak.objects, program.peak.bytes));
        let left = program.garbage();
        prop_assert_eq!((found.end.objects, found.end.bytes), (left.len() as u64, program.bytes(&left)));
        if found.objects > 0 {
            prop_assert_eq!(found.lingered, program.lingered());
        }
        let last = found.memory.points.last().map(|point| (point.garbage_objects, point.live));
        let alive: Vec<usize> = program.living().collect();
        prop_assert_eq!(last, Some((left.len() as u64, Some((alive.len() as u64, program.bytes(&alive))))));
    }
}
