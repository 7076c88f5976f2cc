//! Compares what a change is said to do with a naive replay of random programs, whose references the log has all.
//!
//! `PROPTEST_CASES=10000` tries so many.

use std::fmt::Write;

use proptest::prelude::*;

use super::play;
use crate::whatif::{Proof, Verdict};

/// A program, its log, and beside it the same program with references that do not count. Everything is looked for anew
/// after every event.
#[derive(Default)]
struct Program {
    log: String,
    event: u64,
    objects: Vec<Object>,
    /// The change: `A.a`, or `A.b[*]`.
    in_list: bool,
    /// Something died for the change although a root reached it, or was named by an event afterwards.
    early: bool,
    used: bool,
}

#[derive(Clone, Default)]
struct Object {
    class: usize,
    alive: bool,
    variables: u32,
    references: Vec<(usize, &'static str)>,
    was_counted: bool,
    is_dead: bool,
}

const HEADER: &str = "reftrace 1 runtime=test
    type 1 app.A flags=gc,heap,dict,weakref
    type 2 app.B flags=gc,heap,dict,weakref
    type 3 list flags=gc
";

impl Program {
    fn new(in_list: bool) -> Program {
        Program { log: HEADER.to_string(), event: 3, in_list, ..Program::default() }
    }

    /// One event that names these objects.
    fn write(&mut self, line: std::fmt::Arguments, named: &[usize]) {
        writeln!(self.log, "{line}").unwrap();
        self.event += 1;
        self.used |= named.iter().any(|&object| self.objects[object].is_dead);
    }

    fn is_weak(&self, from: usize, (to, slot): (usize, &str)) -> bool {
        let is_b = |object: &Object| object.alive && object.class == 0 && object.references.contains(&(from, ".b"));
        let is_changed = match self.in_list {
            true => self.objects[from].class == 2 && self.objects.iter().any(is_b),
            false => self.objects[from].class == 0 && slot == ".a",
        };
        is_changed && self.objects[to].class != 2
    }

    /// How many references count, in the program or for the change.
    fn count(&self, of: usize, changed: bool) -> usize {
        let from = (0..self.objects.len())
            .filter(|&from| self.objects[from].alive && !(changed && self.objects[from].is_dead));
        let links = from.flat_map(|from| self.objects[from].references.iter().map(move |&link| (from, link)));
        let counted = links.filter(|&(from, link)| link.0 == of && !(changed && self.is_weak(from, link)));
        counted.count() + self.objects[of].variables as usize
    }

    fn reached(&self) -> Vec<bool> {
        let mut reached: Vec<bool> = self.objects.iter().map(|object| object.alive && object.variables > 0).collect();
        for _ in 0..self.objects.len() {
            for from in 0..self.objects.len() {
                if reached[from] {
                    self.objects[from].references.iter().for_each(|&(to, _)| reached[to] = true);
                }
            }
        }
        reached
    }

    /// Everything that follows from an event: objects die in the program, whose `free` comes next, and for the change.
    fn settle(&mut self) {
        let mut freed = Vec::new();
        while let Some(object) =
            (0..self.objects.len()).find(|&of| self.objects[of].alive && self.count(of, false) == 0)
        {
            self.bury(object);
            freed.push(object);
        }
        self.settle_change();
        for object in freed {
            self.write(format_args!("free {:x}", object + 1), &[]);
        }
    }

    fn settle_change(&mut self) {
        let reached = self.reached();
        let dies = |program: &Program, of: usize| {
            let object = &program.objects[of];
            object.alive && !object.is_dead && object.was_counted && program.count(of, true) == 0
        };
        while let Some(object) = (0..self.objects.len()).find(|&of| dies(self, of)) {
            self.objects[object].is_dead = true;
            self.early |= reached[object];
        }
        for object in 0..self.objects.len() {
            self.objects[object].was_counted |= self.count(object, true) > 0;
        }
    }

    fn bury(&mut self, object: usize) {
        self.objects[object] = Object { class: self.objects[object].class, ..Object::default() };
        for other in &mut self.objects {
            other.references.retain(|&(to, _)| to != object);
        }
    }

    fn act(&mut self, (what, a, b, slot): (u8, usize, usize, usize)) {
        let reached = self.reached();
        let there: Vec<usize> = (0..self.objects.len()).filter(|&object| reached[object]).collect();
        if what < 2 || there.is_empty() {
            let object = self.objects.len();
            self.objects.push(Object { class: slot % 3, alive: true, variables: 1, ..Object::default() });
            self.write(format_args!("alloc {:x} {} 48", object + 1, slot % 3 + 1), &[]);
            self.write(format_args!("incref {:x}", object + 1), &[]);
            return self.settle();
        }
        let (from, to) = (there[a % there.len()], there[b % there.len()]);
        match what {
            2..=4 => {
                let slot = if self.objects[from].class == 2 { "[0]" } else { [".a", ".b", ".c"][slot % 3] };
                self.objects[from].references.push((to, slot));
                self.write(format_args!("ref {:x} {:x} {slot}", from + 1, to + 1), &[from, to]);
            }
            5 => {
                let n = self.objects[from].references.len();
                if n > 0 {
                    let (to, slot) = self.objects[from].references.remove(b % n);
                    self.write(format_args!("unref {:x} {:x} {slot}", from + 1, to + 1), &[from, to]);
                }
            }
            6 | 7 => {
                let held: Vec<usize> = there.into_iter().filter(|&of| self.objects[of].variables > 0).collect();
                if let Some(&of) = held.get(a % held.len().max(1)) {
                    self.objects[of].variables -= 1;
                    self.write(format_args!("decref {:x}", of + 1), &[of]);
                }
            }
            8 => {
                self.objects[to].variables += 1;
                self.write(format_args!("incref {:x}", to + 1), &[to]);
            }
            _ => return self.collect(),
        }
        self.settle();
    }

    /// The collector frees what no root reaches.
    fn collect(&mut self) {
        let reached = self.reached();
        self.write(format_args!("gc start 2"), &[]);
        let garbage: Vec<usize> =
            (0..self.objects.len()).filter(|&of| self.objects[of].alive && !reached[of]).collect();
        for object in garbage.into_iter().filter(|&of| self.objects[of].alive).collect::<Vec<_>>() {
            if self.objects[object].alive {
                self.write(format_args!("free {:x}", object + 1), &[]);
                self.bury(object);
                self.settle();
            }
        }
        self.write(format_args!("gc stop 0 0"), &[]);
    }

    /// Objects with a changed reference within a loop that is garbage.
    fn in_changed_loops(&self) -> Vec<usize> {
        let reached = self.reached();
        let leads = |from: usize, to: usize| {
            let (mut seen, mut open) = (vec![false; self.objects.len()], vec![from]);
            while let Some(of) = open.pop() {
                for &(next, _) in &self.objects[of].references {
                    if !std::mem::replace(&mut seen[next], true) {
                        open.push(next);
                    }
                }
            }
            seen[to]
        };
        let garbage = (0..self.objects.len()).filter(|&of| self.objects[of].alive && !reached[of]);
        let changed =
            |&of: &usize| self.objects[of].references.iter().any(|&link| self.is_weak(of, link) && leads(link.0, of));
        garbage.filter(changed).collect()
    }
}

proptest! {
    #[test]
    fn what_is_verified_no_naive_replay_refutes(
        in_list in any::<bool>(),
        acts in prop::collection::vec((0..10u8, 0..20usize, 0..20usize, 0..6usize), 1..60),
    ) {
        let mut program = Program::new(in_list);
        acts.into_iter().for_each(|act| program.act(act));
        let outcome = &play(&program.log, &[if in_list { "A.b[*]" } else { "A.a" }]).outcomes[0];
        prop_assert_eq!(outcome.proof, Proof::Replay, "{}", &program.log);
        prop_assert_eq!(outcome.early_objects > 0, program.early, "{}\n{:?}", &program.log, outcome);
        if outcome.verdict() == Verdict::Verified {
            prop_assert!(!program.used, "{}\n{:?}", &program.log, outcome);
            let stay = program.in_changed_loops().into_iter().find(|&of| !program.objects[of].is_dead);
            prop_assert_eq!(stay, None, "{}\n{:?}", &program.log, outcome);
        }
    }
}
