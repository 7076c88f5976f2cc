//! A loop's path, and the stack that made it, become advice: the pattern that it follows, and the reference to cut.
//!
//! No object is looked at here, so a pattern is a good guess and says what it would change. What is left of the loops
//! without the reference, `cycles/path/cut_trial.rs` has tried.

use super::owner::{Owner, Ownership};
use crate::cycles::{LoopPath, MemberTypes, PathStep, Residual, StackFrame};

/// What a loop looks like, and what is usually done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// `child points back to its parent`.
    pub pattern: &'static str,
    /// One sentence, without a final dot.
    pub sentence: String,
    pub cut: Option<Cut>,
    /// What else to cut, for loops that are left then; a few at most.
    pub more: Vec<Cut>,
    /// What there is after all the cuts.
    pub after: After,
}

/// What is left of the loops when references are cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum After {
    #[default]
    Unknown,
    /// No loop: the count frees the members.
    NoLoop,
    /// This loop at least.
    Loop(LoopPath),
}

/// A reference that breaks the loop when it goes away, and what to have in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// `Line.order`.
    pub reference: String,
    /// `weakref.ref(order)`.
    pub replacement: String,
}

/// What to do in one sentence, and the reference to cut where the path tells.
type Cure = (String, Option<Cut>);

/// A shape that loops often have.
pub struct Pattern {
    pub name: &'static str,
    recognise: fn(&Path) -> Option<Cure>,
}

/// Every pattern, the most particular first: the first that fits is the answer.
pub const PATTERNS: &[Pattern] = &[
    Pattern { name: "future keeps the exception that keeps it", recognise: future },
    Pattern { name: "exception, traceback and frame", recognise: exception },
    Pattern { name: "generator or coroutine held by its own frame", recognise: generator },
    Pattern { name: "lru_cache on a method", recognise: lru_cache },
    Pattern { name: "cached property that refers back", recognise: cached_property },
    Pattern { name: "namespace that its own functions refer to", recognise: namespace },
    Pattern { name: "partial that was given the object that holds it", recognise: partial },
    Pattern { name: "bound method stored on its own object", recognise: bound_method },
    Pattern { name: "function that its own closure refers to", recognise: recursive_closure },
    Pattern { name: "closure over the object that holds it", recognise: closure },
    Pattern { name: "class made at run time", recognise: class },
    Pattern { name: "object that refers to itself", recognise: itself },
    Pattern { name: "child points back to its parent", recognise: parent },
    Pattern { name: "objects that refer to each other", recognise: each_other },
    Pattern { name: "container that contains itself", recognise: container },
];

/// The first pattern that fits; `None` where the path is of no known shape. `left` says for each step of the path what is
/// left without its reference.
pub fn recognise(path: &LoopPath, left: &[Residual], types: &MemberTypes, stack: &[StackFrame]) -> Option<Advice> {
    let (pattern, sentence, cut) = cure(path, types, stack)?;
    let mut advice = Advice { pattern, sentence, cut, more: Vec::new(), after: After::Unknown };
    let (mut path, mut left, mut next) = (path, left, advice.cut.clone());
    while let Some(cut) = next.take() {
        let step = path.steps.iter().position(|step| reference(step) == cut.reference);
        advice.after = match step.and_then(|step| left.get(step)) {
            None | Some(Residual::Unknown) => After::Unknown,
            Some(Residual::Nothing) => After::NoLoop,
            Some(Residual::Loop { path: rest, residuals: of_rest }) => {
                next = cure(rest, types, stack).and_then(|(.., cut)| cut);
                advice.more.extend(next.clone());
                (path, left) = (rest, of_rest);
                After::Loop(rest.clone())
            }
        };
    }
    Some(advice)
}

/// The name of the first pattern that fits, and what it tells.
fn cure(path: &LoopPath, types: &MemberTypes, stack: &[StackFrame]) -> Option<(&'static str, String, Option<Cut>)> {
    let path = Path { steps: &path.steps, types, stack };
    PATTERNS.iter().find_map(|pattern| (pattern.recognise)(&path).map(|(sentence, cut)| (pattern.name, sentence, cut)))
}

/// The steps, and the stack that made the first of them, with the questions that patterns ask.
struct Path<'a> {
    steps: &'a [PathStep],
    types: &'a MemberTypes,
    /// Innermost first.
    stack: &'a [StackFrame],
}

impl<'a> Path<'a> {
    fn find(&self, is: impl Fn(&PathStep) -> bool) -> Option<&'a PathStep> {
        self.steps.iter().find(|step| is(step))
    }

    fn of_type(&self, name: &str) -> Option<&'a PathStep> {
        self.find(|step| step.type_name == name)
    }

    /// Each step with the one that its reference leads to.
    fn edges(&self) -> impl Iterator<Item = (&'a PathStep, &'a PathStep)> + '_ {
        (0..self.steps.len()).map(|i| (&self.steps[i], &self.steps[(i + 1) % self.steps.len()]))
    }

    /// A step of which another cannot be said to be only the child: a container or a callable of C code, which has no other owner,
    /// or what cannot be weakly referenced and has no slots to change.
    fn is_owned(&self, step: &PathStep) -> bool {
        let name = &step.type_name;
        let holds = ["collections.", "functools."].iter().any(|module| name.starts_with(module));
        self.types.of_c.contains(name) && (holds || self.types.strong.contains(name))
    }

    /// A weak reference in the place of this one.
    fn weak(&self, step: &PathStep, name: &str) -> Cut {
        let name = match name.trim_matches('_') {
            "" => "it",
            _ => name.trim_start_matches('_'),
        };
        let mut replacement = format!("weakref.ref({name})");
        let to = self.edges().find(|(from, _)| *from == step).map(|(_, to)| to);
        if let Some(to) = to.filter(|to| self.types.strong.contains(&to.type_name)) {
            replacement += &format!(", and `__weakref__` in the slots of {}", to.label);
        }
        Cut { reference: reference(step), replacement }
    }

    /// The statement that made it stands in no function; those of the standard library, as `namedtuple`, aside.
    fn is_made_by_a_module(&self) -> bool {
        let library = |frame: &&StackFrame| Ownership::default().of_file(&frame.path) == Some(Owner::StandardLibrary);
        let caller = self.stack.iter().find(|frame| !library(frame));
        self.stack.first().into_iter().chain(caller).any(|frame| frame.function == "<module>")
    }

    /// The reference that leads to the first step of which `is` holds.
    fn into(&self, is: impl Fn(&PathStep) -> bool) -> Option<&'a PathStep> {
        self.edges().find(|(_, to)| is(to)).map(|(from, _)| from)
    }
}

/// The name in a slot that is one plain attribute: `order` of `.order`.
fn attribute(slot: &str) -> Option<&str> {
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
fn is_code(step: &PathStep) -> bool {
    ["function", "cell"].contains(&step.type_name.as_str())
}

fn is_class(step: &PathStep) -> bool {
    step.type_name == "type" || step.label.starts_with("class ")
}

fn is_future(step: &PathStep) -> bool {
    ["Future", "Task"].iter().any(|name| step.type_name.rsplit('.').next() == Some(name))
}

fn is_suspended(step: &PathStep) -> bool {
    ["generator", "coroutine", "async_generator"].contains(&step.type_name.as_str())
}

/// The reference as it is written: `Line.order`, `frame handle: local error`.
fn reference(step: &PathStep) -> String {
    match step.slot.starts_with(['.', '[']) {
        true => format!("{}{}", step.label, step.slot),
        false => format!("{}: {}", step.label, step.slot.trim()),
    }
}

/// `None` where the reference has no name.
fn cut(step: &PathStep, replacement: &str) -> Option<Cut> {
    let is_named = !step.slot.trim().is_empty();
    is_named.then(|| Cut { reference: reference(step), replacement: replacement.to_string() })
}

/// The local variable that closes the loop, deleted.
fn deleted(frame: &PathStep) -> Option<Cut> {
    let name = variable(&frame.slot)?;
    Some(Cut { reference: reference(frame), replacement: format!("del {name} in a finally clause") })
}

fn future(path: &Path) -> Option<Cure> {
    path.find(is_future)?;
    let exception = path.find(|step| step.slot.contains("__traceback__") || step.slot.contains("exception"))?;
    let frame = path.of_type("frame");
    let cut =
        frame.and_then(deleted).or_else(|| cut(exception, "del future, or the exception, once it was raised again"));
    Some(("delete the variable that holds the future in the frame that raised its exception".to_string(), cut))
}

fn exception(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name == "traceback" || step.slot.contains("__traceback__"))?;
    let cut = path.of_type("frame").and_then(deleted);
    let sentence = match cut {
        Some(_) => "delete the variable that keeps the exception, or keep its text only",
        None => "keep the text of the exception, or clear it: error.__traceback__ = None",
    };
    Some((sentence.to_string(), cut))
}

fn generator(path: &Path) -> Option<Cure> {
    let suspended = path.find(is_suspended)?;
    let holder = path.into(|step| step == suspended)?;
    // Nothing in a suspended frame runs, so its own variables cannot be deleted there.
    let cut =
        if is_suspended(holder) || holder.type_name == "frame" { None } else { cut(holder, "None, after close()") };
    Some(("close it when it is done with, or do not keep it where it can see itself".to_string(), cut))
}

fn lru_cache(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name.ends_with("_lru_cache_wrapper"))?;
    let sentence =
        "the cache keeps every self that it was called with: cache a function of plain values, or on the instance";
    Some((sentence.to_string(), None))
}

fn bound_method(path: &Path) -> Option<Cure> {
    let is_method = |step: &PathStep| step.type_name == "method";
    let holder = path.into(is_method).filter(|holder| !is_code(holder))?;
    let name = attribute(&holder.slot).filter(|name| !name.starts_with("__"));
    let method = name.map_or("method".to_string(), |name| format!("self.{}", name.trim_start_matches('_')));
    let cut = cut(holder, &format!("weakref.WeakMethod({method})"));
    Some(("store the method weakly, or its name, and bind it when it is called".to_string(), cut))
}

/// `self.callback = partial(f, self)`: the method or the object stands among what the partial was given.
fn partial(path: &Path) -> Option<Cure> {
    let partial = path.of_type("functools.partial")?;
    let cut = cut(partial, "an argument of the call, or weakref.proxy(self)");
    Some(("let the partial not own the object that holds it: pass the object when it is called".to_string(), cut))
}

/// The object was made inside `functools.cached_property.__get__`, and refers to the one that caches it.
fn cached_property(path: &Path) -> Option<Cure> {
    let is_get = |frame: &StackFrame| frame.path.ends_with("functools.py") && frame.function.ends_with("__get__");
    path.stack.get(1).filter(|frame| is_get(frame))?;
    let made = path.steps.first()?;
    let cut = attribute(&made.slot).map(|name| path.weak(made, name));
    Some(("what is cached need not own the object that caches it: make its reference weak".to_string(), cut))
}

fn namespace(path: &Path) -> Option<Cure> {
    path.find(|step| step.slot.contains("__globals__"))?;
    Some((
        "a module, or a dict given to exec(), was thrown away: keep it, or clear() it when it is done with".to_string(),
        None,
    ))
}

fn recursive_closure(path: &Path) -> Option<Cure> {
    let only_code = path.steps.iter().all(|step| ["function", "cell", "tuple"].contains(&step.type_name.as_str()));
    path.of_type("function").filter(|_| only_code)?;
    let name = path.steps.iter().find_map(cell_variable);
    let cut = name.map(|name| Cut {
        reference: format!("closure variable {name}"),
        replacement: "an argument, or a function of the module".to_string(),
    });
    Some(("define the function at module level, or pass it what it calls as an argument".to_string(), cut))
}

fn closure(path: &Path) -> Option<Cure> {
    path.of_type("function").or_else(|| path.of_type("cell"))?;
    path.find(|step| !is_class(step) && step.type_name.contains('.'))?;
    let name = path.steps.iter().filter(|step| is_code(step)).find_map(cell_variable);
    let cut = name
        .map(|name| Cut { reference: format!("closure variable {name}"), replacement: format!("weakref.ref({name})") });
    Some(("let the function take the object as an argument, or refer to it weakly".to_string(), cut))
}

fn class(path: &Path) -> Option<Cure> {
    path.find(is_class)?;
    let sentence = match path.is_made_by_a_module() {
        true => {
            "every class is a loop with its own attributes; this one was made as a module ran: keep its name, or leave it to the collector"
        }
        false => "every class is a loop with its own attributes: make it once, at module level, not on each call",
    };
    Some((sentence.to_string(), None))
}

fn itself(path: &Path) -> Option<Cure> {
    let [step] = path.steps else { return None };
    let name = attribute(&step.slot).filter(|_| step.type_name.contains('.'))?;
    if name == "__dict__" {
        return Some(("the object is its own namespace: write __getattr__ and __setattr__ instead".to_string(), None));
    }
    let sentence = format!("an object need not hold itself: let {name} be None where it would be the object");
    Some((sentence, cut(step, "None in place of self")))
}

fn parent(path: &Path) -> Option<Cure> {
    let has_container = path.steps.iter().any(|step| step.slot.contains('['));
    let mut best: Option<(i32, &PathStep, &str)> = None;
    let mut unique = false;
    for (from, to) in path.edges() {
        let Some(name) = attribute(&from.slot) else { continue };
        if !to.type_name.contains('.') || from == to || path.is_owned(to) {
            continue;
        }
        let score = backwardness(name, &to.label) + i32::from(has_container);
        match best {
            Some((highest, ..)) if score < highest => {}
            Some((highest, ..)) if score == highest => unique = false,
            _ => (best, unique) = (Some((score, from, name)), true),
        }
    }
    let (_, step, name) = best.filter(|&(score, ..)| unique && score > 0)?;
    Some(("the reference back does not own the parent: make it weak".to_string(), Some(path.weak(step, name))))
}

/// How much an attribute of this name looks like "back", referring to something of this label.
fn backwardness(name: &str, target: &str) -> i32 {
    const BACK: [&str; 22] = [
        "parent",
        "owner",
        "root",
        "back",
        "prev",
        "previous",
        "up",
        "container",
        "manager",
        "master",
        "outer",
        "host",
        "document",
        "context",
        "ctx",
        "app",
        "session",
        "source",
        "origin",
        "head",
        "tree",
        "creator",
    ];
    const FORTH: [&str; 9] = ["child", "next", "first", "last", "left", "right", "item", "value", "callback"];
    let plain = |text: &str| text.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect::<String>();
    let (name, target) = (plain(name), plain(target));
    match () {
        () if BACK.iter().any(|back| name == *back || name.ends_with(back)) => 4,
        () if FORTH.contains(&name.as_str()) => -4,
        () if name == target || (name.len() > 2 && target.ends_with(&name)) => 2,
        () => 0,
    }
}

fn each_other(path: &Path) -> Option<Cure> {
    let mut edges: Vec<_> = path.edges().filter(|(_, to)| to.type_name.contains('.') && !path.is_owned(to)).collect();
    edges.reverse();
    let (step, name) = edges.iter().find_map(|(from, _)| Some((*from, attribute(&from.slot)?)))?;
    Some((
        "decide which of them owns the other, and make the reference back weak".to_string(),
        Some(path.weak(step, name)),
    ))
}

fn container(path: &Path) -> Option<Cure> {
    let containers = ["list", "dict", "tuple", "set", "frozenset", "collections.deque", "collections.OrderedDict"];
    path.steps
        .iter()
        .all(|step| containers.contains(&step.type_name.as_str()))
        .then(|| ("take the inner reference out, or clear() the container when it is done with".to_string(), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::{frame, path};

    fn told(steps: &[(&str, &str, &str)]) -> String {
        match recognise(&path(steps), &[], &MemberTypes::default(), &[]) {
            None => "nothing".to_string(),
            Some(Advice { pattern, cut: None, .. }) => pattern.to_string(),
            Some(Advice { pattern, cut: Some(cut), .. }) => {
                format!("{pattern}: {} -> {}", cut.reference, cut.replacement)
            }
        }
    }

    #[test]
    fn the_reference_back_is_cut_not_the_one_that_owns() {
        let orders = [("Order", "app.Order", ".items[*]"), ("Line", "app.Line", ".order")];
        assert_eq!(told(&orders), "child points back to its parent: Line.order -> weakref.ref(order)");
        let nodes = [("Node", "app.Node", ".next"), ("Node", "app.Node", ".prev")];
        assert_eq!(told(&nodes), "child points back to its parent: Node.prev -> weakref.ref(prev)");
        let tree = [("Node", "app.Node", ".left"), ("Leaf", "app.Leaf", "._parent")];
        assert_eq!(told(&tree), "child points back to its parent: Leaf._parent -> weakref.ref(parent)");
    }

    #[test]
    fn what_is_left_after_a_cut_is_cut_as_well() {
        let itself = path(&[("Doc", "app.Doc", ".current")]);
        let rest = path(&[("Doc", "app.Doc", ".kids[*]"), ("Node", "app.Node", ".parent")]);
        let after = |left| {
            let left = [Residual::Loop { path: rest.clone(), residuals: vec![Residual::Unknown, left] }];
            let advice = recognise(&itself, &left, &MemberTypes::default(), &[]).unwrap();
            assert_eq!(advice.cut.unwrap().reference, "Doc.current");
            (advice.more, advice.after)
        };
        let parent = Cut { reference: "Node.parent".to_string(), replacement: "weakref.ref(parent)".to_string() };
        assert_eq!(after(Residual::Nothing), (vec![parent.clone()], After::NoLoop));
        assert_eq!(after(Residual::Unknown), (vec![parent.clone()], After::Unknown));
        let class = path(&[("class A", "type", ".__mro__[*]")]);
        let left = Residual::Loop { path: class.clone(), residuals: Vec::new() };
        assert_eq!(after(left), (vec![parent], After::Loop(class)));
    }

    #[test]
    fn what_cannot_be_weakly_referenced_is_told_or_not_chosen() {
        let types = |strong: &[&str], of_c: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
            MemberTypes { strong: names(strong), of_c: names(of_c) }
        };
        let cut = |steps: &[(&str, &str, &str)], types: &MemberTypes| {
            recognise(&path(steps), &[], types, &[])
                .and_then(|advice| advice.cut)
                .map(|cut| (cut.reference, cut.replacement))
        };
        let told = |reference: &str, replacement: &str| Some((reference.to_string(), replacement.to_string()));
        let tree = [("Node", "app.Node", ".kids[*]"), ("Node", "app.Node", ".up")];
        let slotted = types(&["app.Node"], &[]);
        assert_eq!(cut(&tree, &slotted), told("Node.up", "weakref.ref(up), and `__weakref__` in the slots of Node"));
        let held = [
            ("defaultdict", "collections.defaultdict", "['x'][*]"),
            ("Item", "app.Item", ".o"),
            ("Reg", "app.Reg", ".m"),
        ];
        let container = types(&["collections.defaultdict"], &["collections.defaultdict"]);
        assert_eq!(cut(&held, &container), told("Item.o", "weakref.ref(o)"));
        let own = [("C", "app.C", ".all"), ("OrderedDict", "collections.OrderedDict", "['a']")];
        assert_eq!(cut(&own, &types(&[], &["collections.OrderedDict"])), None);
    }

    #[test]
    fn a_cut_is_python_that_can_be_written() {
        let generator = [("Job", "app.Job", ".steps"), ("generator run", "generator", "local self")];
        assert!(told(&generator).ends_with("Job.steps -> None, after close()"));
        let partial =
            [("B", "app.B", ".cmd"), ("partial", "functools.partial", ".func"), ("method b", "method", ".__self__")];
        assert!(told(&partial).ends_with("partial.func -> an argument of the call, or weakref.proxy(self)"));
        let unnamed = [("Future", "_asyncio.Future", ""), ("method b", "method", ".__self__")];
        assert!(!told(&unnamed).contains("->"), "{}", told(&unnamed));
        let special = [("B", "app.B", ".__wrapped__"), ("method b", "method", ".__self__")];
        assert!(told(&special).ends_with("B.__wrapped__ -> weakref.WeakMethod(method)"));
        assert_eq!(told(&[("Bunch", "app.Bunch", ".__dict__")]), "object that refers to itself");
        assert!(told(&[("Node", "app.Node", ".me")]).ends_with("Node.me -> None in place of self"));
    }

    #[test]
    fn equals_that_refer_to_each_other_are_told_so() {
        let peers = [("A", "app.A", ".other"), ("B", "app.B", ".other")];
        assert_eq!(told(&peers), "objects that refer to each other: B.other -> weakref.ref(other)");
    }

    #[test]
    fn an_exception_in_a_local_variable_is_deleted_there() {
        let caught = [
            ("ValueError", "ValueError", ".__traceback__"),
            ("traceback", "traceback", ".tb_frame"),
            ("frame handle", "frame", "local error"),
        ];
        assert_eq!(
            told(&caught),
            "exception, traceback and frame: frame handle: local error -> del error in a finally clause"
        );
        let folded = [("Failure", "app.Failure", ".__traceback__.tb_frame"), ("frame f", "frame", "local self")];
        assert!(told(&folded).starts_with("exception, traceback and frame"));
    }

    #[test]
    fn a_future_is_told_before_the_exception_that_it_keeps() {
        let future = [
            ("Future", "_asyncio.Future", "._exception"),
            ("ValueError", "ValueError", ".__traceback__"),
            ("traceback", "traceback", ".tb_frame"),
            ("frame wait", "frame", "local fut"),
        ];
        assert!(told(&future).starts_with("future keeps the exception that keeps it: frame wait: local fut"));
    }

    #[test]
    fn functions_and_methods_have_patterns_of_their_own() {
        let method = [("Worker", "app.Worker", "._run"), ("method run", "method", ".__self__")];
        assert_eq!(told(&method), "bound method stored on its own object: Worker._run -> weakref.WeakMethod(self.run)");
        let recursive = [("function visit", "function", ".__closure__[*]"), ("cell", "cell", "cell visit")];
        assert!(told(&recursive).starts_with("function that its own closure refers to: closure variable visit"));
        let held = [("Button", "app.Button", ".on_click"), ("function f", "function", "cell self")];
        assert_eq!(told(&held), "closure over the object that holds it: closure variable self -> weakref.ref(self)");
        let cached = [("Api", "app.Api", ".get"), ("lru", "functools._lru_cache_wrapper", "[*]")];
        assert_eq!(told(&cached), "lru_cache on a method");
        let generator = [("generator walk", "generator", "local me")];
        assert!(told(&generator).starts_with("generator or coroutine held by its own frame"));
    }

    #[test]
    fn a_cell_of_its_own_names_the_variable() {
        let held = [("function step", "function", ""), ("cell self", "cell", ""), ("Pipe", "app.Pipe", ".step")];
        assert!(told(&held).ends_with("closure variable self -> weakref.ref(self)"));
        let module = [("function run", "function", ".__globals__['run']")];
        assert_eq!(told(&module), "namespace that its own functions refer to");
    }

    #[test]
    fn what_a_cached_property_made_is_cut_at_its_reference_back() {
        let steps = path(&[("Cursor", "app.Cursor", ".parser"), ("Parser", "app.Parser", ".cursor")]);
        let stack = [frame("app.py", 35, "cursor"), frame("/usr/lib/python3.8/functools.py", 967, "__get__")];
        let advice = recognise(&steps, &[], &MemberTypes::default(), &stack).unwrap();
        assert_eq!(advice.pattern, "cached property that refers back");
        assert_eq!(advice.cut.unwrap().reference, "Cursor.parser");
        assert_eq!(
            recognise(&steps, &[], &MemberTypes::default(), &stack[..1]).unwrap().pattern,
            "objects that refer to each other"
        );
    }

    #[test]
    fn a_class_of_a_module_is_not_told_to_go_to_module_level() {
        let steps = path(&[("class Made", "type", ".__mro__[*]")]);
        let sentence = |stack: &[StackFrame]| recognise(&steps, &[], &MemberTypes::default(), stack).unwrap().sentence;
        let (module, namedtuple) = (frame("app.py", 1, "<module>"), frame("/lib/python3.12/x.py", 9, "namedtuple"));
        assert!(sentence(std::slice::from_ref(&module)).contains("made as a module ran: keep its name"));
        assert!(sentence(&[namedtuple.clone(), module.clone()]).contains("made as a module ran"));
        let function = frame("app.py", 7, "make");
        assert!(sentence(&[function.clone(), module.clone()]).ends_with("not on each call"));
        assert!(sentence(&[namedtuple, function.clone(), module]).ends_with("not on each call"));
        let imported = frame("/lib/python3.12/x.py", 1, "<module>");
        assert!(sentence(&[imported, function]).contains("made as a module ran"));
        assert!(sentence(&[]).ends_with("not on each call"));
    }

    #[test]
    fn classes_containers_and_objects_that_hold_themselves() {
        assert_eq!(told(&[("class Made", "type", ".__mro__[*]")]), "class made at run time");
        assert_eq!(told(&[("list", "list", "[*]")]), "container that contains itself");
        assert!(told(&[("Loop", "app.Loop", ".me")]).starts_with("object that refers to itself: Loop.me"));
    }

    #[test]
    fn a_weak_reference_is_never_advised_to_what_cannot_have_one() {
        // A list cannot be referred to weakly, so `Bag.items` is no candidate and the list's own slot has no name.
        assert_eq!(told(&[("Bag", "app.Bag", ".items"), ("list", "list", "[*]")]), "nothing");
    }
}
