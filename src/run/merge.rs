//! Puts together what several traces left behind: loops by fingerprint, types and classes by name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Anomaly, Input, Live, TraceRun};
use crate::cycles::{self, CyclicGarbage, Makers, Memory};
use crate::growth::{Growth, Lost, TypesOverTime, Unheld};
use crate::heap::{Anomalies, Generation};
use crate::overhead::{Advice, Cost, Coverage, LayoutFact, LayoutFacts, SlotsAdvice, TypeProfile};
use crate::retention::Retained;

pub use crate::overhead::Unlisted;

/// What several traces left behind, or one.
#[derive(Debug, Default)]
pub struct Run {
    /// The traces, in the order given.
    pub inputs: Vec<Input>,
    /// Loops by fingerprint.
    pub garbage: CyclicGarbage,
    /// By kind.
    pub anomalies: Vec<Anomaly>,
    /// Whether a trace knows of stacks: then an object without one was made by the interpreter itself.
    pub has_stacks: bool,
    /// Each list by the name of the class.
    pub waste: LayoutFacts,
    pub missing_slots: Vec<SlotsAdvice>,
    /// At the end, over all traces that tell what was alive; `None` where none does.
    pub live: Option<(u64, u64)>,
    /// Objects of each type that own memory which nobody could read, alive at the end.
    pub closed: BTreeMap<String, u64>,
    pub types: Types,
    pub slots: Slots,
    /// Of every trace for itself: a container of one process is none of another's. The looks are those of the trace with
    /// the most.
    pub growth: Growth,
    /// Of every trace for itself; `None` where none tells it.
    pub lost: Option<Vec<Lost>>,
    /// Over all traces that tell it; `None` where none does.
    pub unheld: Option<Vec<Unheld>>,
    /// What the collectors of all traces did, by the generation that they looked at.
    pub collections: BTreeMap<u8, Generation>,
    /// Over time, in each trace for itself, in the order of `inputs`.
    pub memory: Vec<Memory>,
    pub types_over_time: Vec<TypesOverTime>,
    /// Of each trace for itself, in the order of `inputs`; `None` where it was not asked for, or is not known.
    pub retained: Vec<Option<Retained>>,
    /// Each stack of all traces once.
    pub makers: Makers,
}

/// What the types of all traces cost.
#[derive(Debug, Clone, Default)]
pub struct Types {
    /// By name. The class number is that of the first trace that has the type.
    pub rows: Vec<TypeProfile>,
    /// Bytes of all objects that were alive when the types were looked at.
    pub heap_bytes: u64,
    pub coverage: Coverage,
    /// Paths of traces of whose types nothing is known.
    pub not_known_in: Vec<String>,
    /// Paths of traces that have no sizes.
    pub without_sizes_in: Vec<String>,
}

/// The answers about slots.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    /// By name.
    pub classes: Vec<SlotsAdvice>,
    /// The saving that was asked for.
    pub min_saving: u64,
    /// Classes below it.
    pub hidden: Unlisted,
    /// Classes of the standard library and of packages that save too little.
    pub library: Unlisted,
    /// Classes of which nothing is said, because the known layout does not explain their sizes.
    pub not_understood: BTreeSet<String>,
    /// What is assumed of another CPython than the recorded one.
    pub estimates: BTreeSet<String>,
    /// Why there is no advice on a trace.
    pub impossible: BTreeSet<String>,
}

impl Run {
    /// Traces are taken one by one: an iterator that replays each as it is asked for it has one heap in memory at a time.
    pub fn merge(traces: impl IntoIterator<Item = TraceRun>) -> Run {
        let mut run = Run::default();
        let mut garbage = Vec::new();
        let mut anomalies = BTreeMap::new();
        let mut types = BTreeMap::new();
        let mut slots = BTreeMap::new();
        let mut missing = BTreeMap::new();
        let mut makers = Vec::new();
        let mut waste: [BTreeMap<String, LayoutFact>; 4] = Default::default();
        for mut trace in traces {
            run.memory.push(std::mem::take(&mut trace.garbage.memory));
            run.types_over_time.push(trace.types_over_time);
            run.has_stacks |= trace.has_stacks;
            garbage.push(trace.garbage);
            trace.anomalies.into_iter().for_each(|anomaly| add_anomaly(&mut anomalies, anomaly));
            for (known, facts) in waste.iter_mut().zip(trace.waste.into_lists()) {
                facts.into_iter().for_each(|fact| add_fact(known, fact));
            }
            trace.missing_slots.into_iter().for_each(|class| add_class(&mut missing, class));
            run.add_live(trace.live, &trace.input, &mut types);
            run.types.coverage.add(&trace.coverage);
            add_growth(&mut run.growth, trace.growth);
            if let Some(lost) = trace.lost {
                run.lost.get_or_insert_default().extend(lost);
            }
            if let Some(unheld) = trace.unheld {
                run.unheld.get_or_insert_default().extend(unheld);
            }
            for (generation, collections) in trace.collections {
                run.collections.entry(generation).or_default().add(&collections);
            }
            run.retained.push(trace.retained);
            makers.extend(trace.makers);
            run.slots.add(trace.advice, &mut slots);
            run.inputs.push(trace.input);
        }
        run.garbage = cycles::merge(garbage);
        run.makers = Makers::merge(makers);
        run.anomalies = anomalies.into_values().collect();
        run.waste = LayoutFacts::from_lists(waste.map(|facts| facts.into_values().collect()));
        run.missing_slots = missing.into_values().collect();
        run.types.rows = types.into_values().collect();
        run.slots.classes = slots.into_values().collect();
        run
    }

    fn add_live(&mut self, live: Option<Live>, input: &Input, types: &mut BTreeMap<String, TypeProfile>) {
        let Some(live) = live else { return self.types.not_known_in.push(input.path.clone()) };
        let (objects, bytes) = self.live.unwrap_or_default();
        self.live = Some((objects + live.objects, bytes + live.bytes));
        self.types.heap_bytes += live.heap_bytes;
        for (name, objects) in live.closed {
            *self.closed.entry(name).or_default() += objects;
        }
        let Some(rows) = live.types else { return self.types.without_sizes_in.push(input.path.clone()) };
        for row in rows {
            match types.get_mut(&row.name) {
                Some(known) => known.add(&row),
                None => drop(types.insert(row.name.clone(), row)),
            }
        }
    }
}

impl Slots {
    fn add(&mut self, advice: Advice, classes: &mut BTreeMap<String, SlotsAdvice>) {
        advice.slots.into_iter().for_each(|class| add_class(classes, class));
        self.min_saving = self.min_saving.max(advice.min_saving);
        self.hidden.add(advice.hidden);
        self.library.add(advice.library);
        self.not_understood.extend(advice.not_understood);
        self.estimates.extend(advice.estimate);
        self.impossible.extend(advice.impossible);
    }
}

fn add_growth(known: &mut Growth, growth: Growth) {
    known.looks = known.looks.max(growth.looks);
    known.containers.extend(growth.containers);
    known.types.extend(growth.types);
    known.more += growth.more;
}

fn add_anomaly(known: &mut BTreeMap<&'static str, Anomaly>, anomaly: Anomaly) {
    let Some(sum) = known.get_mut(anomaly.kind) else {
        known.insert(anomaly.kind, anomaly);
        return;
    };
    sum.count += anomaly.count;
    let room = Anomalies::EXAMPLES.saturating_sub(sum.examples.len());
    sum.examples.extend(anomaly.examples.into_iter().take(room));
    sum.types.extend(anomaly.types);
    if sum.stack.is_empty() {
        sum.stack = anomaly.stack;
    }
}

fn add_fact(known: &mut BTreeMap<String, LayoutFact>, fact: LayoutFact) {
    match known.get_mut(&fact.name) {
        Some(sum) => {
            sum.instances += fact.instances;
            sum.all_instances += fact.all_instances;
            sum.wasted_bytes += fact.wasted_bytes;
        }
        None => drop(known.insert(fact.name.clone(), fact)),
    }
}

/// Savings are added up, costs are averaged over the instances, and the least favourable verdict holds, with every blocker.
fn add_class(known: &mut BTreeMap<String, SlotsAdvice>, class: SlotsAdvice) {
    let Some(sum) = known.get_mut(&class.name) else {
        known.insert(class.name.clone(), class);
        return;
    };
    sum.now = mean((sum.now, sum.instances), (class.now, class.instances));
    sum.slotted = mean((sum.slotted, sum.instances), (class.slotted, class.instances));
    sum.instances += class.instances;
    sum.peak += class.peak;
    sum.saved_bytes += class.saved_bytes;
    sum.saved_at_peak += class.saved_at_peak;
    if class.verdict > sum.verdict {
        (sum.verdict, sum.suggestion) = (class.verdict, class.suggestion);
    }
    for blocker in class.blockers {
        if !sum.blockers.contains(&blocker) {
            sum.blockers.push(blocker);
        }
    }
    for note in class.notes {
        if !sum.notes.contains(&note) {
            sum.notes.push(note);
        }
    }
}

/// What an instance costs in the mean of two traces, which have so many of them.
fn mean((a, of_a): (Cost, u64), (b, of_b): (Cost, u64)) -> Cost {
    let mean = |a: f64, b: f64| match of_a + of_b {
        0 => a,
        all => (a * of_a as f64 + b * of_b as f64) / all as f64,
    };
    Cost { requested: mean(a.requested, b.requested), used: mean(a.used, b.used) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overhead::Cause;
    use crate::trace::TypeId;

    fn fact(name: &str, wasted_bytes: u64) -> LayoutFact {
        LayoutFact {
            class: TypeId(1),
            name: name.to_string(),
            file: "/srv/app.py".to_string(),
            instances: 200,
            all_instances: 300,
            attributes: 3,
            limit: Some(29),
            wasted_bytes,
            cause: Cause::ManyAttributes,
        }
    }

    #[test]
    fn classes_of_several_traces_are_added_up_by_name() {
        let trace = |facts| TraceRun {
            waste: LayoutFacts { attribute_cliff: facts, ..LayoutFacts::default() },
            ..TraceRun::default()
        };
        let run =
            Run::merge([trace(vec![fact("app.Row", 1_000)]), trace(vec![fact("app.Col", 1), fact("app.Row", 500)])]);
        let wasted: Vec<(&str, u64)> =
            run.waste.attribute_cliff.iter().map(|fact| (fact.name.as_str(), fact.wasted_bytes)).collect();
        assert_eq!(wasted, [("app.Row", 1_500), ("app.Col", 1)]);
    }

    #[test]
    fn an_anomaly_of_two_traces_is_one_with_the_first_examples() {
        let anomaly = |example: &str| Anomaly {
            kind: "below-zero",
            count: 2,
            examples: vec![example.to_string(); Anomalies::EXAMPLES - 1],
            ..Anomaly::default()
        };
        let trace = |example| TraceRun { anomalies: vec![anomaly(example)], ..TraceRun::default() };
        let run = Run::merge([trace("first"), trace("second")]);
        assert_eq!((run.anomalies.len(), run.anomalies[0].count), (1, 4));
        assert_eq!(run.anomalies[0].examples.len(), Anomalies::EXAMPLES);
        assert_eq!(run.anomalies[0].examples.last().map(String::as_str), Some("second"));
    }

    #[test]
    fn what_is_alive_is_not_known_where_no_trace_tells() {
        let input = Input { path: "killed".to_string(), ..Input::default() };
        let run = Run::merge([TraceRun { input, ..TraceRun::default() }]);
        assert_eq!(run.live, None);
        assert_eq!(run.types.not_known_in, ["killed"]);
    }
}
