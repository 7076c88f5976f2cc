//! Finds what grows though no container does: many that are reached alike and grow together, or one that is replaced by a larger.
//!
//! `USERS[name].append(event)` fills a list for each user, `HEAD = Node(HEAD)` a chain of nodes, and `ITEMS += (item,)` a new
//! tuple each time. What tells them is a type of which there are more and more, and a way from a root by which more of its
//! objects are reached than there were of them at all; or of which the objects have more and more bytes, as where `TEXT + more`
//! takes the place of `TEXT`, and a way by which these are reached.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::chains::joined;
use super::series::{LEAST_BYTES, Series, is_much};
use super::{GrowingContainer, LEAST_OWN, Scene, Unit, has_own_data};
use crate::cycles::tracker::stack;
use crate::heap::{IdMap, ObjectIndex};
use crate::retention::{RootKind, RootPath, RootPaths, Shape};
use crate::trace::TypeId;

/// A way tells where a type's objects are if it has gained at least one in so many of those that the type gained.
const SHARE: u64 = 10;

/// A type of which there are more and more objects, or bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growing {
    /// At the first look.
    pub(super) from: u64,
    pub(super) gained: u64,
    /// Nothing was gained in the last window.
    rests: bool,
}

impl Growing {
    pub(super) fn of(series: &Series) -> Growing {
        Growing { from: series.first(), gained: series.gained(), rests: series.rests() }
    }
}

/// How many objects, or bytes, were reached by each way as it was first looked at. It is looked at where the type grows.
#[derive(Debug, Default)]
pub(super) struct Spread {
    known: HashMap<(Shape, TypeId, Unit), u64, FixedState>,
}

/// Objects of one type that are reached alike.
#[derive(Debug)]
pub(super) struct Group {
    /// That of the nearest of them, among what is reached.
    place: usize,
    /// The other ways to them, of what is joined.
    joined: Vec<Shape>,
    objects: u64,
    bytes: u64,
    newest: ObjectIndex,
    /// Bytes of the containers that they are in: of a chain these are the objects themselves.
    bytes_around: u64,
    /// Objects that refer to them, and the one that was counted last. None does where something outside of what was recorded does.
    referrers: u64,
    last_referrer: Option<usize>,
}

/// Objects of a type by one way, of which there is more than there was.
#[derive(Debug)]
struct Gain {
    group: Group,
    class: TypeId,
    unit: Unit,
    /// There was at most so much by this way: as much as there was at all, or as was by it at an earlier look.
    from: u64,
}

impl Spread {
    /// The ways by which more and more objects of types that are `growing` are reached, or more and more bytes of those that
    /// grow `in_bytes`, but not through the objects that are told anyway.
    ///
    /// Costs up to three visits to each node that a root reaches, and memory for each way with at least as many objects as are much.
    pub(super) fn look(
        &mut self,
        scene: &Scene<'_>,
        growing: &IdMap<Growing>,
        in_bytes: &IdMap<Growing>,
    ) -> Vec<GrowingContainer> {
        let mut gains = Vec::new();
        for (unit, types) in [(Unit::References, growing), (Unit::Bytes, in_bytes)] {
            if types.iter().next().is_some() {
                let groups = joined(scene, groups(scene, types, unit));
                gains.extend(self.gains(groups, types, unit));
            }
        }
        outermost(&gains, scene.paths, &scene.shapes.of).into_iter().map(|gain| gain.row(scene)).collect()
    }

    /// Those of the groups that gained much. The nearest first.
    fn gains(&mut self, groups: Vec<((Shape, TypeId), Group)>, types: &IdMap<Growing>, unit: Unit) -> Vec<Gain> {
        let gain = |((shape, class), group): ((Shape, TypeId), Group)| {
            let of_type = types.get(class.0)?;
            let amount = group.amount(unit);
            let is_much = |amount: u64, bytes: &dyn Fn() -> u64| match unit {
                Unit::References => is_much(amount, bytes),
                Unit::Bytes => amount >= LEAST_BYTES,
            };
            let earlier = self.known.get(&(shape, class, unit)).copied();
            if earlier.is_none() && is_much(amount, &|| group.bytes) {
                self.known.insert((shape, class, unit), amount);
            }
            let from = earlier.map_or(of_type.from, |earlier| earlier.min(of_type.from)).min(amount);
            let gained = amount - from;
            let is_at_rest = earlier == Some(amount) && !of_type.rests;
            let is_told =
                !is_at_rest && gained >= of_type.gained / SHARE && is_much(gained, &|| group.bytes_of(gained));
            is_told.then_some(Gain { group, class, unit, from })
        };
        groups.into_iter().filter_map(gain).collect()
    }
}

/// Without what is reached through another of them, and grows with it; and of what is in the same containers, as the keys of a dict
/// and their values, that of which there is most. What becomes more and larger is told once.
fn outermost<'a>(gains: &'a [Gain], paths: &RootPaths<'_>, shapes: &[Shape]) -> Vec<&'a Gain> {
    let mut known: HashSet<Shape> = gains.iter().map(|gain| shapes[gain.group.place]).collect();
    known.extend(gains.iter().flat_map(|gain| &gain.group.joined));
    let is_through_another = |gain: &Gain| {
        let shape = shapes[gain.group.place];
        let mut above = std::iter::successors(paths.referrer(gain.group.place), |&place| paths.referrer(place));
        above.any(|place| shapes[place] != shape && known.contains(&shapes[place]))
    };
    let (more, larger): (Vec<&Gain>, Vec<&Gain>) =
        gains.iter().filter(|gain| !is_through_another(gain)).partition(|gain| gain.unit == Unit::References);
    let are_more: HashSet<Shape> = more.iter().map(|gain| shapes[gain.group.place]).collect();
    let mut in_containers: HashMap<Shape, usize> = HashMap::new();
    let mut kept: Vec<&Gain> = Vec::new();
    for gain in more {
        let containers = shapes[paths.referrer(gain.group.place).unwrap_or(gain.group.place)];
        let at = *in_containers.entry(containers).or_insert(kept.len());
        match kept.get_mut(at) {
            None => kept.push(gain),
            Some(other) if gain.gained() > other.gained() => *other = gain,
            Some(_) => {}
        }
    }
    kept.extend(larger.into_iter().filter(|gain| !are_more.contains(&shapes[gain.group.place])));
    kept
}

impl Gain {
    fn gained(&self) -> u64 {
        self.group.amount(self.unit) - self.from
    }

    fn row(&self, scene: &Scene<'_>) -> GrowingContainer {
        let &Scene { heap, paths, shapes, .. } = scene;
        let Gain { group, class, unit, from } = self;
        let path = paths.path(shapes, group.place);
        let element = heap.types().name(*class).to_string();
        let is_replaced = group.objects == 1;
        // What no container has is told by its bytes.
        let (unit, from) = match unit {
            Unit::References if paths.referrer(group.place).is_none() => (Unit::Bytes, group.bytes_of(*from)),
            unit => (*unit, *from),
        };
        let (path, type_name, containers, bytes) = match unit {
            Unit::References => {
                let all_bytes = group.bytes.saturating_add(group.bytes_around);
                (container(&path, shapes.repeats(shapes.of[group.place])), holder(&path), group.referrers, all_bytes)
            }
            Unit::Bytes => {
                let path = if is_replaced { path.expression() } else { path.pattern() };
                (path, element.clone(), group.objects, group.bytes)
            }
        };
        GrowingContainer {
            object: None,
            path,
            type_name,
            containers,
            unit,
            from,
            to: group.amount(unit),
            from_is_exact: from == 0,
            per_second: None,
            emptied: false,
            element,
            bytes,
            site: stack(heap, heap.object(group.newest).site),
            site_of_container: false,
        }
    }
}

impl Group {
    /// What is reached by another way, and is the same.
    pub(super) fn take(&mut self, shape: Shape, other: Group) {
        self.joined.push(shape);
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.bytes_around = self.bytes_around.saturating_add(other.bytes_around);
        self.referrers += other.referrers;
    }

    /// Of so many of them, all alike.
    fn bytes_of(&self, objects: u64) -> u64 {
        (u128::from(self.bytes) * u128::from(objects) / u128::from(self.objects.max(1))) as u64
    }

    fn amount(&self, unit: Unit) -> u64 {
        match unit {
            Unit::References => self.objects,
            Unit::Bytes => self.bytes,
        }
    }
}

/// Puts together the objects of these types that are reached alike, and not through what is told. The nearest first. Of what grows in
/// bytes those that have data of their own. Those that something outside of what was recorded refers to are in no container, and what
/// is reached through them becomes more with them.
fn groups(scene: &Scene<'_>, types: &IdMap<Growing>, unit: Unit) -> Vec<((Shape, TypeId), Group)> {
    let &Scene { heap, graph, paths, shapes, through_told } = scene;
    let mut through_outer = vec![false; paths.reached().len()];
    let mut groups: HashMap<(Shape, TypeId), Group, FixedState> = HashMap::default();
    for (place, &node) in paths.reached().iter().enumerate().filter(|&(place, _)| !through_told[place]) {
        let referrer = paths.referrer(place);
        let (index, class) = (graph.object(node), heap.class(graph.object(node)));
        through_outer[place] = referrer.is_some_and(|referrer| through_outer[referrer]);
        if through_outer[place] || !types.contains(class.0) {
            continue;
        }
        if referrer.is_none() && unit == Unit::References {
            // What has a name as a root is there once for each name.
            if !matches!(paths.as_root(node), Some(RootKind::External(_))) {
                continue;
            }
            through_outer[place] = true;
        }
        if unit == Unit::Bytes && (heap.all_bytes(index) < LEAST_OWN || !has_own_data(heap, graph, node)) {
            continue;
        }
        let group = groups.entry((shapes.of[place], class)).or_insert_with(|| Group {
            place,
            joined: Vec::new(),
            objects: 0,
            bytes: 0,
            newest: index,
            bytes_around: 0,
            referrers: 0,
            last_referrer: None,
        });
        group.objects += 1;
        group.bytes = group.bytes.saturating_add(heap.all_bytes(index));
        group.newest = std::cmp::max_by_key(group.newest, index, |&index| heap.id(index));
        if group.last_referrer != referrer {
            group.last_referrer = referrer;
            group.referrers += 1;
            let container = referrer.map(|referrer| graph.object(paths.reached()[referrer]));
            if let Some(container) = container.filter(|&container| heap.class(container) != class) {
                group.bytes_around = group.bytes_around.saturating_add(heap.all_bytes(container));
            }
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| group.place);
    groups
}

/// The path to the containers of what this path leads to: `svc.USERS[*]` of `svc.USERS['ann'][3]`; `svc.HEAD.next…` where the
/// last reference is followed again and again.
fn container(path: &RootPath, repeats: bool) -> String {
    let pattern = path.pattern();
    match pattern.strip_suffix("[*]") {
        _ if repeats && pattern.ends_with('…') => pattern,
        _ if repeats => pattern + "…",
        Some(container) => container.to_string(),
        None => pattern,
    }
}

/// The type of the container.
fn holder(path: &RootPath) -> String {
    path.steps.iter().rev().nth(1).map(|step| step.type_name.clone()).unwrap_or_default()
}
