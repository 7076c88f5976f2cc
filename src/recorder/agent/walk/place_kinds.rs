//! Has one holder of each kind of place die in a copy of the process, to see whether it lets go of what was found there.

use super::describe::Walk;
use super::search::FoundPlace;
use super::survey::{Note, Survey};
use crate::memory::{Gather, Grow, is_refused};
use crate::scan::Path;
use crate::sink::Sink;
use crate::trial::{self, Trial};

/// Places alike: of holders of one class, found on the same way.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlaceKind {
    class: usize,
    path: Path,
    /// Which trial it is tried in, and which of the targets there it had; `None` where an earlier search has tried it.
    trial: Option<(usize, usize)>,
    /// Places of the holder that died which have the same target and are nearer.
    nearer: usize,
    /// References to the target that the holder let go of; `None` where that could not be tried.
    released: Option<u8>,
}

impl PlaceKind {
    /// The holder let go of what it had there, and not only of what it had nearer.
    pub(super) fn is_owned(&self) -> bool {
        self.released.is_some_and(|released| usize::from(released) > self.nearer)
    }

    /// What is in the object itself and stays when it dies, is another's.
    pub(super) fn is_of_another(&self) -> bool {
        self.released == Some(0) && self.path.depth == 0
    }
}

/// Kinds by class and path.
#[derive(Debug, Default)]
pub(super) struct PlaceKinds(Vec<PlaceKind>);

impl PlaceKinds {
    pub(super) fn get(&self, class: usize, path: Path) -> Option<&PlaceKind> {
        self.0.get(self.find(class, path).ok()?)
    }

    fn find(&self, class: usize, path: Path) -> Result<usize, usize> {
        self.0.binary_search_by_key(&(class, path), |kind| (kind.class, kind.path))
    }
}

impl<S: Sink> Walk<'_, S> {
    /// The kinds of the places, which are sorted by target, then by their distance. One that was seen to let go is not tried again.
    pub(super) unsafe fn try_kinds(&mut self, survey: &Survey, places: &[FoundPlace]) -> PlaceKinds {
        let mut kinds = PlaceKinds::default();
        let mut trials: Vec<Trial> = Vec::new();
        for of_one in places.chunk_by(|one, next| one.target == next.target) {
            let target = survey.notes[of_one[0].target as usize].object;
            for (nth, &FoundPlace { path, holder, .. }) in of_one.iter().enumerate() {
                let note = survey.notes[holder as usize];
                if note.object == target {
                    continue;
                }
                let Err(place) = kinds.find(note.class(), path) else { continue };
                let kind = match self.tried(note.class(), path) {
                    Some(kind) => kind,
                    None => {
                        // SAFETY: as the caller promises, the object is alive and of this class.
                        let trial = unsafe { self.trial_of(&note, target, &mut trials) };
                        let nearer = of_one[..nth].iter().filter(|other| other.holder == holder).count();
                        PlaceKind { class: note.class(), path, trial, nearer, released: None }
                    }
                };
                let is_known = kind.trial.is_some() || kind.released.is_some();
                if is_known && kinds.0.ask(1) {
                    kinds.0.insert(place, kind);
                }
            }
        }
        if !trials.is_empty() && !is_refused() {
            // SAFETY: as the caller promises, the lock is held and the objects are alive.
            let released = unsafe { trial::run(&self.context.interpreter, &trials) };
            for kind in &mut kinds.0 {
                let Some((trial, target)) = kind.trial else { continue };
                let before: usize = trials[..trial].iter().map(|trial| trial.targets.len()).sum();
                kind.released = released.get(before + target).copied().flatten();
                if kind.is_owned() {
                    let class = self.scratch.classes[kind.class].number;
                    self.scratch.owned_kinds.add((class, PlaceKind { trial: None, ..*kind }));
                }
            }
        }
        kinds
    }

    /// A kind that an earlier search has seen to let go.
    fn tried(&self, class: usize, path: Path) -> Option<PlaceKind> {
        let number = self.scratch.classes[class].number;
        let mut owned = self.scratch.owned_kinds.iter();
        let (_, kind) = owned.find(|(class, kind)| *class == number && kind.path == path)?;
        Some(PlaceKind { class, ..*kind })
    }

    /// The trial in which an object dies, added where there is none yet, and the place of a target in it; `None` where there are
    /// too many.
    unsafe fn trial_of(&mut self, note: &Note, target: usize, trials: &mut Vec<Trial>) -> Option<(usize, usize)> {
        let nth = match trials.iter().position(|trial| trial.holder == note.object) {
            Some(nth) => nth,
            None if trials.len() >= trial::MOST => return None,
            None => {
                let mut edges = std::mem::take(&mut self.scratch.edges);
                // SAFETY: as the caller promises, the object is alive and of this class.
                unsafe { self.edges_of(note.object, note.class(), &mut edges) };
                let shown = edges.targets.iter().copied().gather();
                self.scratch.edges = edges;
                trials.add(Trial { holder: note.object, targets: Vec::new(), shown }).then_some(trials.len() - 1)?
            }
        };
        let targets = &mut trials.get_mut(nth)?.targets;
        let known = targets.iter().position(|&known| known == target);
        let is_added = known.is_some() || targets.len() < trial::MOST_TARGETS && targets.add(target);
        is_added.then(|| (nth, known.unwrap_or(targets.len() - 1)))
    }
}
