//! Tells from their stacks how the two objects of a reference came to be.
//!
//! An instance is born before its `__init__` runs, where its class is called. What that `__init__` makes has the same
//! stack with frames on top of it, and the lowest of these is the `__init__`. Where it is another frame, or there is none,
//! one expression made both.

use crate::cycles::garbage::Origin;
use crate::heap::label::last_part;
use crate::heap::{Heap, ObjectIndex};
use crate::trace::{SiteDef, SiteId};

/// How the two objects of a reference came to be. Costs the depth of their stacks.
pub(super) fn of(heap: &Heap, referrer: ObjectIndex, referent: ObjectIndex) -> Origin {
    if is_cached(heap, referrer) {
        return Origin::MadeInCache;
    }
    match (where_made(heap, referrer, referent), where_made(heap, referent, referrer)) {
        (Some(Where::ByInit), _) => Origin::MadeByReferrer,
        (_, Some(Where::ByInit)) => Origin::MadeByReferent,
        (_, Some(Where::ByItsExpression)) => Origin::MadeOnTheWay,
        _ => Origin::Unknown,
    }
}

/// Where an object was made, as seen from an older one.
enum Where {
    /// In the `__init__` of the older one.
    ByInit,
    /// By the expression that made the older one: the line is the same, or above it, as that of a call is above the lines
    /// of its arguments, which come to be before it.
    ByItsExpression,
}

fn where_made(heap: &Heap, older: ObjectIndex, object: ObjectIndex) -> Option<Where> {
    let (older, object) = (heap.object(older), heap.object(object));
    if older.site == SiteId::NONE || older.id >= object.id {
        return None;
    }
    let begun = heap.sites().get(older.site)?;
    let of_the_call =
        |site: &SiteDef| (site.parent, site.path, site.function) == (begun.parent, begun.path, begun.function);
    let mut above = None;
    for site in heap.sites().stack(object.site).into_iter().filter_map(|site| heap.sites().get(site)) {
        if site.id == begun.id && above.is_some_and(|frame| is_init(heap, frame)) {
            return Some(Where::ByInit);
        }
        if of_the_call(&site) && (1..=begun.line).contains(&site.line) {
            return Some(Where::ByItsExpression);
        }
        above = Some(site);
    }
    None
}

/// Whether the function that made it was called by `functools.cached_property`.
fn is_cached(heap: &Heap, object: ObjectIndex) -> bool {
    let caller = heap.sites().stack(heap.object(object).site).into_iter().nth(1);
    caller.and_then(|site| heap.sites().get(site)).is_some_and(|site| {
        heap.text(site.path).ends_with("functools.py") && last_part(heap.text(site.function)) == "__get__"
    })
}

fn is_init(heap: &Heap, frame: SiteDef) -> bool {
    last_part(heap.text(frame.function)) == "__init__"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::play;

    /// How a parent and its child came to be: the parent at 1, the child at another place.
    fn origin(child: u32) -> Vec<Origin> {
        let script = format!(
            "type 1 app.Parent
            type 2 app.Child
            site 9 app.py:50 main
            site 1 app.py:7 make parent=9
            site 2 app.py:20 __init__ parent=1
            site 3 app.py:30 add parent=1
            site 4 app.py:6 make parent=9
            site 5 app.py:8 make parent=9
            site 6 app.py:51 main
            site 7 app.py:7 make parent=6
            site 8 /lib/functools.py:998 cached_property.__get__ parent=9
            site 10 app.py:40 Parent.child parent=8
            alloc 1 1 48 @1
            alloc 2 2 48 @{child}
            ref 1 2 .child
            ref 2 1 .parent"
        );
        play(&script).groups[0].origins.clone()
    }

    #[test]
    fn what_one_expression_made_is_told_from_what_an_init_made() {
        let of = |path: [Origin; 2]| path.to_vec();
        assert_eq!(origin(2), of([Origin::MadeByReferent, Origin::MadeByReferrer]));
        // `Child(Parent())` on one line, over several, and `Parent().add()`.
        for child in [1, 4, 3] {
            assert_eq!(origin(child), of([Origin::MadeOnTheWay, Origin::Unknown]), "{child}");
        }
        // By the next line; and by the same line of another call.
        for child in [5, 7] {
            assert_eq!(origin(child), of([Origin::Unknown, Origin::Unknown]), "{child}");
        }
        assert_eq!(origin(10), of([Origin::MadeInCache, Origin::Unknown]));
    }
}
