//! Holds walks that write only what has changed against walks that write everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tell;

const WHOLE: &str = "references=checkpoints";
const CHANGES: &str = "references=checkpoints walks=changes";

#[test]
fn what_is_unchanged_is_as_the_walk_before_described_it() {
    let births = "type 1 A flags=gc\nalloc a 1 16\nalloc b 1 16\nalloc c 1 16\n";
    let first = "walk full\ncount a 1\nref a b .x\nhidden a c layout .y\ncount b 1 weakref\nowns b 100\ncount c 2\n\
        root c sys.modules\ncheckpoint full\n";
    let second = "walk full\nunchanged a\nhidden a c layout .y\nunchanged b\ncount c 1\ncheckpoint full\n";
    let third = "walk full\nunchanged b 1\ncheckpoint full\n";
    let told = tell(CHANGES, &format!("{births}{first}{second}{third}"));
    let expected = "\
FullCheckpoint:
  a A count 1 tracked .x→b .y→c
  b A count 1 tracked
  c A count 2 pinned tracked [sys.modules]
FullCheckpoint:
  a A count 1 tracked .x→b .y→c
  b A count 1 tracked
  c A count 1 tracked
FullCheckpoint:
  a A count 1 pinned tracked
  b A count 1 tracked
  c A count 1 tracked
3 live, 148 bytes
";
    assert_eq!(told, expected);
}

#[test]
fn nothing_is_unchanged_that_no_walk_before_has_described() {
    let births = "type 1 A\nalloc a 1 16\nalloc b 1 16\n";
    let walk = "walk full\ncount a 1\ncheckpoint full\n";
    let anomaly = |options: &str, script: &str| {
        let told = tell(options, &format!("{births}{script}"));
        told.lines().filter(|line| line.starts_with("anomaly")).map(str::to_owned).collect::<Vec<_>>()
    };
    let never = |event: u32| vec![format!("anomaly: 1 × never-described (event {event} {} A)", "b")];
    assert_eq!(anomaly(CHANGES, &format!("{walk}walk full\nunchanged a\ncheckpoint full\n")), [""; 0]);
    assert_eq!(anomaly(CHANGES, &format!("{walk}walk full\nunchanged b\ncheckpoint full\n")), never(8));
    // In the first walk, outside of one, in a walk of garbage, and of another object with the same tag.
    assert_eq!(anomaly(CHANGES, "walk full\nunchanged b\ncheckpoint full\n"), never(5));
    assert_eq!(anomaly(CHANGES, &format!("{walk}unchanged b\n")), never(7));
    assert_eq!(anomaly(CHANGES, &format!("{walk}walk garbage\nunchanged b\ncheckpoint garbage\n")), never(8));
    let reborn =
        walk.replace("count a 1", "count b 1") + "free b\nalloc b 1 16\nwalk full\nunchanged b\ncheckpoint full\n";
    assert_eq!(anomaly(CHANGES, &reborn), never(10));
    // One behind another, and behind the last.
    let run = format!("{walk}walk full\nunchanged a 1\ncheckpoint full\n");
    assert_eq!(anomaly(CHANGES, &run), ["anomaly: 1 × never-described (event 8 a A)"]);
    // Twice, and where the header does not say that there may be such a line.
    let twice = format!("{walk}walk full\ncount a 1\nunchanged a\ncheckpoint full\n");
    assert_eq!(anomaly(CHANGES, &twice), ["anomaly: 1 × described-twice (event 9 a A)"]);
    let walk = walk.replace("count a 1", "count b 1");
    assert_eq!(anomaly(WHOLE, &format!("{walk}walk full\nunchanged b\ncheckpoint full\n")), never(8));
}

/// What a walk says of an object.
#[derive(Debug, Clone, Default, PartialEq)]
struct Description {
    count: u64,
    owned: u64,
    references: Vec<(u64, u64)>,
    hidden: Vec<(u64, u64)>,
}

impl Description {
    /// What a walk writes anew each time is not compared.
    fn without_hidden(&self) -> Description {
        Description { hidden: Vec::new(), ..self.clone() }
    }
}

/// The same log twice: each walk writes everything, and only what has changed.
#[derive(Debug, Default)]
struct Logs {
    whole: String,
    changes: String,
    objects: BTreeMap<u64, Description>,
    /// Those that walks do not meet.
    unmet: BTreeSet<u64>,
    /// As the last walk of the whole heap described them, and in which order.
    described: BTreeMap<u64, Description>,
    order: Vec<u64>,
}

impl Logs {
    fn both(&mut self, line: &str) {
        self.whole += line;
        self.changes += line;
    }

    /// Changes an object, or lets it be born or die.
    fn change(&mut self, tag: u64, what: u8, number: u64) {
        let is_there = self.objects.contains_key(&number);
        let Some(object) = self.objects.get_mut(&tag) else {
            self.objects.insert(tag, Description::default());
            return self.both(&format!("alloc {tag:x} 1 16\n"));
        };
        match what {
            0 => object.count = number,
            1 => object.owned = number,
            2 if is_there => object.references.push((number, what.into())),
            3 => drop(object.references.pop()),
            4 if is_there => object.hidden.push((number, what.into())),
            5 => drop(object.hidden.pop()),
            2 | 4 => {}
            6 => {
                if !self.unmet.remove(&tag) {
                    self.unmet.insert(tag);
                }
            }
            _ => {
                self.objects.remove(&tag);
                self.described.remove(&tag);
                for other in self.objects.values_mut() {
                    other.references.retain(|&(to, _)| to != tag);
                    other.hidden.retain(|&(to, _)| to != tag);
                }
                self.both(&format!("free {tag:x}\n"));
            }
        }
    }

    fn look(&mut self) {
        self.both("walk full\n");
        let met: Vec<u64> = self.objects.keys().copied().filter(|tag| !self.unmet.contains(tag)).collect();
        let before = std::mem::take(&mut self.described);
        // The first and the last of the unchanged objects that are not written yet, and how many are behind the first.
        let mut run: Option<(u64, u64, usize)> = None;
        for &tag in &met {
            let object = &self.objects[&tag];
            let lines = |of: &[(u64, u64)], words: &str, more: &str| -> String {
                of.iter().map(|(to, slot)| format!("{words} {tag:x} {to:x}{more} .{slot}\n")).collect()
            };
            let hidden = lines(&object.hidden, "hidden", " layout");
            let shown = format!("count {tag:x} {}\nowns {tag:x} {}\n", object.count, object.owned)
                + &lines(&object.references, "ref", "");
            let is_same = before.get(&tag) == Some(&object.without_hidden());
            self.described.insert(tag, object.without_hidden());
            run = match run {
                Some((first, last, more)) if is_same && self.order.windows(2).any(|pair| *pair == [last, tag]) => {
                    Some((first, tag, more + 1))
                }
                before => {
                    self.changes += &written(before);
                    is_same.then_some((tag, tag, 0))
                }
            };
            self.whole += &shown;
            if !is_same {
                self.changes += &shown;
            }
            if !hidden.is_empty() {
                self.changes += &written(run.take());
                self.both(&hidden);
            }
        }
        self.changes += &written(run);
        self.order = met;
        self.both("checkpoint full\n");
    }
}

fn written(run: Option<(u64, u64, usize)>) -> String {
    run.map_or_else(String::new, |(first, _, more)| format!("unchanged {first:x} {more}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn walks_of_what_has_changed_say_what_walks_of_everything_say(
        steps in prop::collection::vec((0..6u64, 0..11u8, 0..7u64), 0..80),
    ) {
        let mut logs = Logs::default();
        logs.both("type 1 A flags=gc\n");
        for (tag, what, number) in steps {
            match what {
                8.. => logs.look(),
                _ => logs.change(tag, what, number),
            }
        }
        prop_assert_eq!(tell(CHANGES, &logs.changes), tell(WHOLE, &logs.whole));
    }
}
