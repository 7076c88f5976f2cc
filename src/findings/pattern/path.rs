//! Answers what patterns ask of the path of a loop, and makes their offers.

use super::{Cut, Offer, Tried};
use crate::cycles::{LoopGroup, MemberTypes, Origin, PathStep, Residual, StackFrame};
use crate::findings::owner::{Owner, Ownership};
use crate::whatif::Change;

/// The steps, and the stack that made the first of them, with the questions that patterns ask.
pub(super) struct Path<'a> {
    pub(super) steps: &'a [PathStep],
    /// For each step, which of the two objects of its reference made the other; nothing where it is not known.
    pub(super) origins: &'a [Origin],
    /// For each step, what is left of the loop without its reference.
    pub(super) residuals: &'a [Residual],
    /// For each step, the file of the object's class or code; nothing where it is not known.
    pub(super) files: &'a [Option<String>],
    pub(super) types: &'a MemberTypes,
    /// Innermost first.
    pub(super) stack: &'a [StackFrame],
    pub(super) tried: &'a Tried,
}

impl<'a> Path<'a> {
    pub(super) fn of_group(group: &'a LoopGroup, tried: &'a Tried) -> Path<'a> {
        let LoopGroup { path, origins, residuals, step_files, types, site, .. } = group;
        Path { steps: &path.steps, origins, residuals, files: step_files, types, stack: site, tried }
    }

    pub(super) fn find(&self, is: impl Fn(&PathStep) -> bool) -> Option<&'a PathStep> {
        self.steps.iter().find(|step| is(step))
    }

    pub(super) fn of_type(&self, name: &str) -> Option<&'a PathStep> {
        self.find(|step| step.type_name == name)
    }

    /// Each step with the one that its reference leads to.
    pub(super) fn edges(&self) -> impl Iterator<Item = (&'a PathStep, &'a PathStep)> + '_ {
        (0..self.steps.len()).map(|i| (&self.steps[i], &self.steps[(i + 1) % self.steps.len()]))
    }

    /// A step of which another cannot be said to be only the child: a container or a callable of C code, which has no other owner,
    /// or what cannot be weakly referenced and has no slots to change.
    pub(super) fn is_owned(&self, step: &PathStep) -> bool {
        let name = &step.type_name;
        let holds = ["collections.", "functools."].iter().any(|module| name.starts_with(module));
        self.types.of_c.contains(name) && (holds || self.types.strong.contains(name))
    }

    pub(super) fn place(&self, step: &PathStep) -> usize {
        self.steps.iter().position(|other| std::ptr::eq(other, step)).unwrap_or_default()
    }

    pub(super) fn origin(&self, step: usize) -> Origin {
        self.origins.get(step).copied().unwrap_or_default()
    }

    /// The reference of this step, if it has a name, and nothing shows that it is needed.
    pub(super) fn offer(&self, step: &PathStep, replacement: &str) -> Option<Offer> {
        let is_named = !step.slot.trim().is_empty();
        is_named.then(|| self.unless_refuted(step, reference(step), replacement.to_string())).flatten()
    }

    fn unless_refuted(&self, step: &PathStep, reference: String, replacement: String) -> Option<Offer> {
        let place = self.place(step);
        let cut = Cut { reference, replacement, changes: Vec::new() };
        (!self.tried.refuted.contains(&place)).then_some(Offer { step: place, cut })
    }

    /// The same where what is put in its place only lets go: a weak reference, or none when the work is done.
    pub(super) fn let_go(&self, step: &PathStep, replacement: &str) -> Option<Offer> {
        self.offer(step, replacement).map(|offer| self.tryable(offer))
    }

    /// With what a replay has to change.
    pub(super) fn tryable(&self, mut offer: Offer) -> Offer {
        let n = self.steps.len();
        let (step, before) = (&self.steps[offer.step], &self.steps[(offer.step + n - 1) % n]);
        offer.cut.changes = Change::of_step(step, before).into_iter().collect();
        offer
    }

    /// A weak reference in the place of this one, if nothing shows that it is needed.
    pub(super) fn weak(&self, step: &PathStep, name: &str) -> Option<Offer> {
        let name = match name.trim_matches('_') {
            "" => "it",
            _ => name.trim_start_matches('_'),
        };
        let mut replacement = format!("weakref.ref({name})");
        let to = self.edges().find(|(from, _)| std::ptr::eq(*from, step)).map(|(_, to)| to);
        if let Some(to) = to.filter(|to| self.types.strong.contains(&to.type_name)) {
            replacement += &format!(", and `__weakref__` in the slots of {}", to.label);
        }
        self.unless_refuted(step, reference(step), replacement).map(|offer| self.tryable(offer))
    }

    /// The local variable that closes the loop, deleted.
    pub(super) fn deleted(&self, frame: &PathStep) -> Option<Offer> {
        let name = variable(&frame.slot)?;
        self.let_go(frame, &format!("del {name} in a finally clause"))
    }

    /// The first variable of a closure among the steps, and what to have in its place.
    pub(super) fn captured<'s>(
        &self,
        mut steps: impl Iterator<Item = &'s PathStep>,
        replacement: impl Fn(&PathStep, &str) -> String,
    ) -> Option<Offer> {
        let (step, name) = steps.find_map(|step| Some((step, cell_variable(step)?)))?;
        self.unless_refuted(step, format!("closure variable {name}"), replacement(step, name))
    }

    /// The statement that made it stands in no function; those of the standard library, as `namedtuple`, aside.
    pub(super) fn is_made_by_a_module(&self) -> bool {
        let library = |frame: &&StackFrame| Ownership::default().of_file(&frame.path) == Some(Owner::StandardLibrary);
        let caller = self.stack.iter().find(|frame| !library(frame));
        self.stack.first().into_iter().chain(caller).any(|frame| frame.function == "<module>")
    }

    /// The code of this step is the standard library's, where nobody will change it.
    pub(super) fn is_of_the_standard_library(&self, step: &PathStep) -> bool {
        let file = self.files.get(self.place(step)).and_then(Option::as_deref);
        file.is_some_and(|file| Ownership::default().of_file(file) == Some(Owner::StandardLibrary))
    }

    /// The step that keeps a bound method, in an attribute or a container.
    pub(super) fn method_is_kept_by(&self) -> Option<&'a PathStep> {
        self.into(is_method).filter(|holder| !is_code(holder))
    }

    /// The method that is kept takes no `weakref.WeakMethod`: it is one of a type of C code, or its function, as a lambda, is
    /// no attribute of a class that would keep it.
    pub(super) fn is_no_weak_method(&self) -> bool {
        self.method_name().is_none()
    }

    /// The method that is kept, if it has a name: `run` of `method run`.
    pub(super) fn method_name(&self) -> Option<&'a str> {
        let name = self.find(is_method)?.label.strip_prefix("method ")?;
        name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(name)
    }

    /// The object of the method, which it leads to.
    pub(super) fn method_of(&self) -> Option<&'a PathStep> {
        self.edges().find(|(from, _)| is_method(from)).map(|(_, to)| to)
    }

    /// Whether the object of the method has it itself, in an attribute or a built-in container.
    pub(super) fn is_own_method(&self) -> bool {
        let Some(object) = self.method_of() else { return false };
        let others = self.steps.iter().filter(|step| !is_method(step) && !std::ptr::eq(*step, object));
        { others }.all(|step| {
            self.is_owned(step) || ["collections.deque", "collections.OrderedDict"].contains(&step.type_name.as_str())
        })
    }

    /// The reference that leads to the first step of which `is` holds.
    pub(super) fn into(&self, is: impl Fn(&PathStep) -> bool) -> Option<&'a PathStep> {
        self.edges().find(|(_, to)| is(to)).map(|(from, _)| from)
    }
}

/// The name in a slot that is one plain attribute: `order` of `.order`.
pub(super) fn attribute(slot: &str) -> Option<&str> {
    let name = slot.strip_prefix('.')?;
    (!name.is_empty() && !name.contains(['.', '[', ' '])).then_some(name)
}

/// The variable of a frame or closure: `e` of `local e`, `x` of `cell x`.
fn variable(slot: &str) -> Option<&str> {
    let name = ["local ", "cell "].iter().find_map(|kind| slot.rsplit_once(kind).map(|(_, name)| name))?;
    let end = name.find(['.', '[', ' ']).unwrap_or(name.len());
    (end > 0).then(|| &name[..end])
}

/// The variable of a cell that is a step of its own: `x` of `cell x`.
fn cell_variable(step: &PathStep) -> Option<&str> {
    step.label.strip_prefix("cell ").filter(|_| step.type_name == "cell").or_else(|| variable(&step.slot))
}

/// A function, or a variable of its closure.
pub(super) fn is_code(step: &PathStep) -> bool {
    ["function", "cell"].contains(&step.type_name.as_str())
}

pub(super) fn is_class(step: &PathStep) -> bool {
    step.type_name == "type" || step.label.starts_with("class ")
}

/// The reference as it is written: `Line.order`, `frame handle: local error`.
pub(super) fn reference(step: &PathStep) -> String {
    match step.slot.starts_with(['.', '[']) {
        true => format!("{}{}", step.label, step.slot),
        false => format!("{}: {}", step.label, step.slot.trim()),
    }
}

/// A bound method, of a class or of a type of C code: `self.clear`, `super().__iter__`.
pub(super) fn is_method(step: &PathStep) -> bool {
    ["method", "builtin_function_or_method", "method-wrapper"].contains(&step.type_name.as_str())
}
