//! Recognises loops through a callable: a bound method, a closure, a partial, a cache, the namespace of a function.

use super::{Cure, Cut, Offer, Path, cell_variable, is_class, is_code};
use crate::cycles::PathStep;

pub(super) fn lru_cache(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name.ends_with("_lru_cache_wrapper"))?;
    let sentence =
        "the cache keeps every self that it was called with: cache a function of plain values, or on the instance";
    Some(Cure::new(sentence, None))
}

pub(super) fn bound_method(path: &Path) -> Option<Cure> {
    let is_method = |step: &PathStep| step.type_name == "method";
    let holder = path.into(is_method).filter(|holder| !is_code(holder))?;
    let name = path.find(is_method).and_then(|method| method.label.strip_prefix("method "));
    let method = name.map_or("method".to_string(), |name| format!("self.{name}"));
    let offer = path.let_go(holder, &format!("weakref.WeakMethod({method})"));
    Some(Cure::new("store the method weakly, or its name, and bind it when it is called", offer))
}

/// `self.callback = partial(f, self)`: the method or the object stands among what the partial was given.
pub(super) fn partial(path: &Path) -> Option<Cure> {
    let partial = path.of_type("functools.partial")?;
    let offer = path.offer(partial, "an argument of the call, or weakref.proxy(self)");
    Some(Cure::new("let the partial not own the object that holds it: pass the object when it is called", offer))
}

pub(super) fn namespace(path: &Path) -> Option<Cure> {
    path.find(|step| step.slot.contains("__globals__"))?;
    Some(Cure::new(
        "a module, or a dict given to exec(), was thrown away: keep it, or clear() it when it is done with",
        None,
    ))
}

pub(super) fn recursive(path: &Path) -> Option<Cure> {
    let only_code = path.steps.iter().all(|step| ["function", "cell", "tuple"].contains(&step.type_name.as_str()));
    path.of_type("function").filter(|_| only_code)?;
    let steps = path.steps.iter();
    let offer = captured(path, steps, |_| "an argument, or a function of the module".to_string());
    Some(Cure::new("define the function at module level, or pass it what it calls as an argument", offer))
}

pub(super) fn closure(path: &Path) -> Option<Cure> {
    path.of_type("function").or_else(|| path.of_type("cell"))?;
    path.find(|step| !is_class(step) && step.type_name.contains('.'))?;
    let code = path.steps.iter().filter(|step| is_code(step));
    let offer = captured(path, code, |name| format!("weakref.ref({name})")).map(|offer| path.tryable(offer));
    Some(Cure::new("let the function take the object as an argument, or refer to it weakly", offer))
}

/// The first variable of a closure among the steps, and what to have in its place.
fn captured<'a>(
    path: &Path,
    mut steps: impl Iterator<Item = &'a PathStep>,
    replacement: impl Fn(&str) -> String,
) -> Option<Offer> {
    let (step, name) = steps.find_map(|step| Some((step, cell_variable(step)?)))?;
    let cut =
        Cut { reference: format!("closure variable {name}"), replacement: replacement(name), changes: Vec::new() };
    let place = path.place(step);
    (!path.tried.refuted.contains(&place)).then_some(Offer { step: place, cut })
}
