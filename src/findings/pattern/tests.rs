//! Shows what is said of small paths.

use super::*;
use crate::cycles::{Alike, LoopPath, MemberTypes, Origin, StackFrame};
use crate::findings::testing::{self, frame, path};

fn recognise(group: &LoopGroup) -> Option<Advice> {
    super::recognise(group, &Tried::default())
}

/// A group of loops of which nothing is known but the path.
fn group(path: LoopPath) -> LoopGroup {
    LoopGroup { path, residuals: Vec::new(), site: Vec::new(), ..testing::parent_and_child() }
}

fn told(steps: &[(&str, &str, &str)]) -> String {
    match recognise(&group(path(steps))) {
        None => "nothing".to_string(),
        Some(Advice { pattern, cut: None, .. }) => pattern.to_string(),
        Some(Advice { pattern, cut: Some(cut), .. }) => {
            format!("{pattern}: {} -> {}", cut.reference, cut.replacement)
        }
    }
}

#[test]
fn each_pattern_has_a_page_of_two_lines_and_a_change_to_paste() {
    let mut topics = std::collections::BTreeSet::new();
    for pattern in PATTERNS {
        assert!(topics.insert(pattern.topic), "{} twice", pattern.topic);
        assert!(pattern.topic.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", pattern.topic);
        assert!(pattern.page.starts_with(&format!("# {}\n\n## What happens\n\n", pattern.topic)), "{}", pattern.topic);
        let (happens, change) = pattern.page.split_once("\n## What to change\n").expect("two chapters");
        let sentences = happens.lines().skip(4).filter(|line| !line.is_empty());
        assert!((1..=2).contains(&sentences.count()), "{}", pattern.topic);
        assert_eq!(change.matches("```python\n").count(), 2, "{}", pattern.topic);
    }
}

#[test]
fn the_reference_back_is_cut_not_the_one_that_owns() {
    let orders = [("Order", "app.Order", ".items[*]"), ("Line", "app.Line", ".order")];
    assert_eq!(told(&orders), "child points back to its parent: Line.order -> weakref.ref(order)");
    let nodes = [("Node", "app.Node", ".next"), ("Node", "app.Node", ".prev")];
    assert_eq!(told(&nodes), "doubly linked list: Node.prev -> weakref.ref(prev)");
    let unlike = [("Left", "app.Left", ".next"), ("Right", "app.Right", ".prev")];
    assert_eq!(told(&unlike), "child points back to its parent: Right.prev -> weakref.ref(prev)");
    let tree = [("Node", "app.Node", ".left"), ("Leaf", "app.Leaf", "._parent")];
    assert_eq!(told(&tree), "child points back to its parent: Leaf._parent -> weakref.ref(parent)");
}

#[test]
fn an_object_is_one_of_a_container_only_if_it_is_in_it() {
    let evidence = |steps: &[(&str, &str, &str)]| recognise(&group(path(steps))).and_then(|advice| advice.evidence);
    let orders = [("Order", "app.Order", ".items[*]"), ("Line", "app.Line", ".order")];
    let line = "Line is one of Order.items; wrong where Line is used without Order";
    assert_eq!(evidence(&orders).as_deref(), Some(line));
    // A list of nodes that is of a class of its own, as in xml.dom.minidom: the document has the list, and is not in it.
    let nodes = [("NodeList", "dom.NodeList", "[*]"), ("Node", "dom.Node", ".document"), ("Doc", "dom.Doc", ".kids")];
    assert!(told(&nodes).ends_with("Node.document -> weakref.ref(document)"), "{}", told(&nodes));
    assert_eq!(evidence(&nodes).as_deref(), Some("Node is one of Doc.kids; wrong where Node is used without Doc"));
    // What leads from one of the container to its owner may belong to either.
    let through = [("Pool", "app.Pool", ".all[*]"), ("Job", "app.Job", ".client"), ("Client", "app.Client", ".pool")];
    assert_eq!(evidence(&through), None);
}

#[test]
fn what_nothing_tells_of_is_not_cut_as_well() {
    let rest = path(&[("Node", "app.Node", ".value"), ("State", "app.State", ".node")]);
    let left = Residual::Loop { path: rest, residuals: vec![Residual::Nothing; 2], stay: 2, of: 3 };
    let itself = group(path(&[("Node", "app.Node", ".me")]));
    let advice = recognise(&LoopGroup { residuals: vec![left.clone()], ..itself }).unwrap();
    assert_eq!((advice.more, advice.after), (vec![], left));
}

#[test]
fn what_is_left_after_a_cut_is_cut_as_well() {
    let itself = path(&[("Doc", "app.Doc", ".current")]);
    let rest = path(&[("Doc", "app.Doc", ".kids[*]"), ("Node", "app.Node", ".parent")]);
    let after = |left| {
        let left = [Residual::Loop { path: rest.clone(), residuals: vec![Residual::Unknown, left], stay: 2, of: 3 }];
        let advice = recognise(&LoopGroup { residuals: left.to_vec(), ..group(itself.clone()) }).unwrap();
        assert_eq!(advice.cut.unwrap().reference, "Doc.current");
        (advice.more, advice.after)
    };
    let parent = Cut {
        reference: "Node.parent".to_string(),
        replacement: "weakref.ref(parent)".to_string(),
        changes: vec![Change::of_step(&rest.steps[1], &rest.steps[0]).unwrap()],
    };
    assert_eq!(after(Residual::Nothing), (vec![parent.clone()], Residual::Nothing));
    assert_eq!(after(Residual::Unknown), (vec![parent.clone()], Residual::Unknown));
    let class = path(&[("class A", "type", ".__mro__[*]")]);
    let left = Residual::Loop { path: class.clone(), residuals: Vec::new(), stay: 1, of: 3 };
    assert_eq!(after(left.clone()), (vec![parent], left));
}

#[test]
fn what_cannot_be_weakly_referenced_is_told_or_not_chosen() {
    let types = |strong: &[&str], of_c: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        MemberTypes { strong: names(strong), of_c: names(of_c), ..MemberTypes::default() }
    };
    let cut = |steps: &[(&str, &str, &str)], types: &MemberTypes| {
        recognise(&LoopGroup { types: types.clone(), ..group(path(steps)) })
            .and_then(|advice| advice.cut)
            .map(|cut| (cut.reference, cut.replacement))
    };
    let told = |reference: &str, replacement: &str| Some((reference.to_string(), replacement.to_string()));
    let tree = [("Node", "app.Node", ".kids[*]"), ("Node", "app.Node", ".up")];
    let slotted = types(&["app.Node"], &[]);
    assert_eq!(cut(&tree, &slotted), told("Node.up", "weakref.ref(up), and `__weakref__` in the slots of Node"));
    let held =
        [("defaultdict", "collections.defaultdict", "['x'][*]"), ("Item", "app.Item", ".o"), ("Reg", "app.Reg", ".m")];
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
    let parser = [("Parser", "lib.Parser", ""), ("method on_body", "method", ".__self__"), ("P", "app.P", ".parser")];
    let types = MemberTypes { of_c: ["lib.Parser"].map(String::from).into(), ..MemberTypes::default() };
    let types = MemberTypes { strong: types.of_c.clone(), ..types };
    let advice = recognise(&LoopGroup { types, ..group(path(&parser)) }).unwrap();
    assert_eq!(advice.cut.unwrap().reference, "P.parser");
    let special = [("B", "app.B", ".__wrapped__"), ("method b", "method", ".__self__")];
    assert!(told(&special).ends_with("B.__wrapped__ -> weakref.WeakMethod(self.b)"));
    assert_eq!(told(&[("Bunch", "app.Bunch", ".__dict__")]), "object that refers to itself");
    assert!(told(&[("Node", "app.Node", ".me")]).ends_with("Node.me -> None in place of self"));
}

#[test]
fn without_evidence_every_reference_is_offered_and_the_question_asked() {
    let peers = path(&[("A", "app.A", ".other"), ("B", "app.B", ".other")]);
    let advice = recognise(&LoopGroup { residuals: vec![Residual::Nothing; 2], ..group(peers) }).unwrap();
    assert_eq!(advice.pattern, "objects that refer to each other");
    let offered: Vec<&str> = advice.cut.iter().chain(&advice.or).map(|cut| cut.reference.as_str()).collect();
    assert_eq!((offered, advice.evidence), (vec!["A.other", "B.other"], None));
    assert!(advice.sentence.starts_with("which of them lives on without the other?"), "{}", advice.sentence);
    assert_eq!(advice.after, Residual::Nothing);
    // A name that is the other's class says nothing: each of two is usually called like that.
    let named = path(&[("Api", "app.Api", ".client"), ("Client", "app.Client", ".api")]);
    assert_eq!(recognise(&group(named)).unwrap().or.len(), 1);
}

#[test]
fn who_was_made_by_the_other_is_owned_by_it() {
    let pair = path(&[("Api", "app.Api", ".client"), ("Client", "app.Client", ".api")]);
    let origins = vec![Origin::MadeByReferent, Origin::MadeByReferrer];
    let advice = recognise(&LoopGroup { origins, ..group(pair.clone()) }).unwrap();
    assert_eq!(advice.cut.map(|cut| cut.reference).as_deref(), Some("Api.client"));
    let evidence = "Api is made by Client.__init__; wrong where Api is used without Client";
    assert_eq!(advice.evidence.as_deref(), Some(evidence));
    assert_eq!(advice.or, []);
    // An attribute that leads there and back cannot be weak on one way only.
    let same = path(&[("Map", "app.Map", ".inverse"), ("Map", "app.Map", ".inverse")]);
    let origins = vec![Origin::MadeByReferrer, Origin::MadeByReferent];
    let advice = recognise(&LoopGroup { origins, ..group(same) }).unwrap();
    assert_eq!((advice.cut, advice.or), (None, vec![]));
    assert!(advice.sentence.starts_with("inverse leads there and back"), "{}", advice.sentence);
    // Whatever the names say, what an object made is not to be lost.
    let node = path(&[("Child", "app.Child", ".parent"), ("Group", "app.Group", ".child")]);
    let origins = vec![Origin::MadeByReferrer, Origin::MadeByReferent];
    let advice = recognise(&LoopGroup { origins, ..group(node) }).unwrap();
    assert_eq!(advice.cut.map(|cut| cut.reference).as_deref(), Some("Group.child"));
}

#[test]
fn what_perhaps_nothing_else_holds_is_asked_about() {
    let tree = path(&[("Tree", "app.Tree", ".kids[*]"), ("Leaf", "app.Leaf", ".parent")]);
    let origins = vec![Origin::Unknown, Origin::MadeOnTheWay];
    let tree = LoopGroup { origins, ..group(tree) };
    let advice = recognise(&tree).unwrap();
    let offered: Vec<&str> = advice.cut.iter().chain(&advice.or).map(|cut| cut.reference.as_str()).collect();
    assert_eq!((offered, advice.evidence), (vec!["Leaf.parent", "Tree.kids[*]"], None));
    assert!(advice.sentence.ends_with("the trace does not tell"), "{}", advice.sentence);
    // Living ones were seen, and none needs it.
    let tried = Tried { stood: BTreeSet::from([1]), ..Tried::default() };
    let advice = super::recognise(&tree, &tried).unwrap();
    assert_eq!((advice.evidence.as_deref(), advice.or), (Some("Leaf is one of Tree.kids"), vec![]));
}

#[test]
fn what_a_finalizer_may_use_is_not_weak() {
    let pair = path(&[("Api", "app.Api", ".client"), ("Client", "app.Client", ".api")]);
    let cut = |finalized: &str, left: Residual| {
        let types = MemberTypes { finalized: BTreeSet::from([finalized.to_string()]), ..MemberTypes::default() };
        let origins = vec![Origin::MadeByReferent, Origin::MadeByReferrer];
        let residuals = vec![left, Residual::Unknown];
        let advice = recognise(&LoopGroup { types, origins, residuals, ..group(pair.clone()) }).unwrap();
        advice.cut.map(|cut| cut.reference).unwrap_or(advice.sentence)
    };
    let needed = |class: &str| {
        format!(
            "{class} has a __del__, in which a weak Api.client may be dead: set one to None when the work is done, as in close()"
        )
    };
    assert_eq!(cut("app.Api", Residual::Nothing), needed("Api"));
    assert_eq!(cut("app.Client", Residual::Unknown), needed("Client"));
    // The count calls it before it clears weak references.
    assert_eq!(cut("app.Client", Residual::Nothing), "Api.client");
}

#[test]
fn a_reference_that_many_classes_have_is_one_cut() {
    let hub = path(&[("Red", "app.Red", ".hub"), ("Hub", "app.Hub", ".red")]);
    let origins = vec![Origin::MadeByReferent, Origin::MadeByReferrer];
    let rest = path(&[("Blue", "app.Blue", ".hub"), ("Hub", "app.Hub", ".blue")]);
    let left = Residual::Loop { path: rest, residuals: Vec::new(), stay: 26, of: 27 };
    let classes = (1..=25).map(|n| format!("app.Red{n}")).collect();
    let alike = Some(Alike { classes, residual: Residual::Nothing });
    let residuals = vec![left, Residual::Unknown];
    let advice = recognise(&LoopGroup { origins, residuals, alike: vec![alike, None], ..group(hub) }).unwrap();
    assert_eq!(advice.cut.unwrap().reference, "Red.hub, and hub of 24 more classes");
    assert_eq!((advice.more, advice.after), (vec![], Residual::Nothing));
}

#[test]
fn a_reference_that_many_classes_have_is_one_cut_where_another_loop_is_left_as_well() {
    let hub = path(&[("Red", "app.Red", ".hub"), ("Hub", "app.Hub", ".red")]);
    let left = |rest: LoopPath| Residual::Loop { path: rest, residuals: Vec::new(), stay: 27, of: 27 };
    let hook = left(path(&[("Hub", "app.Hub", ".hooks[*]"), ("function hook", "function", "cell hub")]));
    let advice = |rest: &[(&str, &str, &str)]| {
        let alike = Some(Alike { classes: ["app.Red", "app.Blue"].map(String::from).into(), residual: hook.clone() });
        let origins = vec![Origin::MadeByReferent, Origin::MadeByReferrer];
        let residuals = vec![left(path(rest)), Residual::Unknown];
        recognise(&LoopGroup { origins, residuals, alike: vec![alike, None], ..group(hub.clone()) }).unwrap()
    };
    let by_the_same_name = advice(&[("Blue", "app.Blue", ".hub"), ("Hub", "app.Hub", ".blue")]);
    assert_eq!(by_the_same_name.cut.unwrap().reference, "Red.hub, and hub of 1 more class");
    assert_eq!(by_the_same_name.more.len(), 1);
    let another = advice(&[("Hub", "app.Hub", ".hooks[*]"), ("function hook", "function", "cell hub")]);
    assert_eq!(another.cut.unwrap().reference, "Red.hub");
}

#[test]
fn what_may_be_used_without_the_other_is_said() {
    let nodes = [("N", "app.N", ".next"), ("N", "app.N", ".prev")];
    let list = "each node is kept by the one before it; wrong where a N is used without the one it refers to";
    assert_eq!(recognise(&group(path(&nodes))).unwrap().evidence.as_deref(), Some(list));
    let job = path(&[("Job", "app.Job", ".timer"), ("Timer", "app.Timer", ".f"), ("method go", "method", ".__self__")]);
    let origins = vec![Origin::MadeByReferrer, Origin::Unknown, Origin::Unknown];
    let made = recognise(&LoopGroup { origins, ..group(job.clone()) }).unwrap();
    let timer = "Timer is made by Job.__init__; wrong where Timer is used without Job";
    assert_eq!((made.evidence.as_deref(), made.is_question), (Some(timer), false));
    assert!(recognise(&group(job)).unwrap().is_question);
}

#[test]
fn an_iterator_of_the_program_may_have_to_know_how_far_it_is() {
    let reader = path(&[("Data", "app.Data", ".reader"), ("RowIterator", "app.RowIterator", ".data")]);
    let asked = recognise(&group(reader.clone())).unwrap();
    let offered: Vec<&str> = asked.cut.iter().chain(&asked.or).map(|cut| cut.reference.as_str()).collect();
    assert_eq!((offered, asked.is_question), (vec!["Data.reader", "RowIterator.data"], true));
    let origins = vec![Origin::MadeByReferrer, Origin::MadeByReferent];
    let made = recognise(&LoopGroup { origins, ..group(reader) }).unwrap();
    assert_eq!(made.cut.unwrap().reference, "RowIterator.data");
    let view = path(&[("Data", "app.Data", ".keys"), ("KeysView", "collections.abc.KeysView", "._mapping")]);
    assert!(!recognise(&group(view)).unwrap().is_question);
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
fn an_exception_is_cut_where_somebody_can_change_the_code() {
    let raised = [
        ("AttributeError", "AttributeError", ".__context__"),
        ("RuntimeError", "RuntimeError", ".__traceback__.tb_frame"),
        ("frame ask", "frame", ".f_back"),
        ("frame __exit__", "frame", "local value"),
    ];
    assert!(told(&raised).ends_with("frame __exit__: local value -> del value in a finally clause"));
    let library = "/usr/lib/python3.12/contextlib.py".to_string();
    let step_files = vec![None, None, Some("/app/ask.py".to_string()), Some(library)];
    let advice = recognise(&LoopGroup { step_files, ..group(path(&raised)) }).unwrap();
    assert_eq!(advice.cut.unwrap().reference, "AttributeError.__context__");
    assert!(advice.sentence.ends_with("leave the block first"), "{}", advice.sentence);
    let collected = [
        ("cell errors", "cell", ".cell_contents[*]"),
        ("OSError", "OSError", ".__traceback__.tb_frame"),
        ("frame connect", "frame", ""),
    ];
    assert!(told(&collected).ends_with("closure variable errors -> errors.clear() in a finally clause"));
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
    let below = [&future[..3], &[("frame run", "frame", ".f_back")], &future[3..]].concat();
    assert!(told(&below).starts_with("future keeps the exception that keeps it: frame wait: local fut"));
}

#[test]
fn functions_and_methods_have_patterns_of_their_own() {
    let method = [("Worker", "app.Worker", "._run"), ("method run", "method", ".__self__")];
    assert_eq!(told(&method), "bound method stored on its own object: Worker._run -> weakref.WeakMethod(self.run)");
    let of_c = [
        ("Sorted", "app.Sorted", "._clear"),
        ("builtin_function_or_method", "builtin_function_or_method", ".__self__"),
    ];
    assert!(told(&of_c).ends_with("Sorted._clear -> the function, called with self"), "{}", told(&of_c));
    let observer = [("Bus", "app.Bus", ".on[*]"), ("method told", "method", ".__self__"), ("Desk", "app.Desk", ".bus")];
    assert_eq!(told(&observer), "bound method kept by another object: Bus.on[*] -> weakref.WeakMethod(desk.told)");
    let lambda = [("Menu", "app.Menu", ".action"), ("function <lambda>", "function", "cell self")];
    let asked = recognise(&group(path(&observer))).unwrap();
    assert_eq!(asked.or.iter().map(|cut| cut.reference.as_str()).collect::<Vec<_>>(), ["Desk.bus"]);
    assert!(told(&lambda).starts_with("lambda that captures the object that holds it: closure variable self"));
    let recursive = [("function visit", "function", ".__closure__[*]"), ("cell", "cell", "cell visit")];
    assert!(told(&recursive).starts_with("function that its own closure refers to: closure variable visit"));
    let held = [("Button", "app.Button", ".on_click"), ("function f", "function", "cell self")];
    assert_eq!(told(&held), "closure over the object that holds it: closure variable self -> weakref.ref(self)");
    let listed =
        [("cell all", "cell", ".cell_contents[*]"), ("Item", "app.Item", ".f"), ("function f", "function", "")];
    assert!(told(&listed).ends_with("closure variable all -> an argument of the function"), "{}", told(&listed));
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
    let advice = recognise(&LoopGroup { origins: vec![Origin::MadeInCache, Origin::Unknown], ..group(steps) }).unwrap();
    assert_eq!(advice.pattern, "cached property that refers back");
    assert_eq!(advice.cut.unwrap().reference, "Cursor.parser");
    // Whichever of them comes first in the alphabet.
    let steps = path(&[("Book", "app.Book", ".view"), ("View", "app.View", ".book")]);
    let of_view = LoopGroup { origins: vec![Origin::Unknown, Origin::MadeInCache], ..group(steps.clone()) };
    assert_eq!(recognise(&of_view).unwrap().cut.unwrap().reference, "View.book");
    assert_eq!(recognise(&group(steps)).unwrap().pattern, "objects that refer to each other");
}

#[test]
fn a_class_of_a_module_is_not_told_to_go_to_module_level() {
    let steps = path(&[("class Made", "type", ".__mro__[*]")]);
    let sentence =
        |stack: &[StackFrame]| recognise(&LoopGroup { site: stack.to_vec(), ..group(steps.clone()) }).unwrap().sentence;
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
    assert!(told(&[("Load", "app.Load", ".context[*]")]).ends_with("Load.context[*] -> nothing in place of self"));
    assert!(
        told(&[("Join", "app.Join", "._cloned element")]).starts_with("object that refers to itself: Join._cloned")
    );
}

#[test]
fn a_weak_reference_is_never_advised_to_what_cannot_have_one() {
    // A list cannot be referred to weakly, so `Bag.items` is no candidate and the list's own slot has no name.
    assert_eq!(told(&[("Bag", "app.Bag", ".items"), ("list", "list", "[*]")]), "nothing");
}
