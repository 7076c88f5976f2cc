//! Shows what the profile and the advice say of small scripts.

use insta::assert_snapshot;

use super::{advice, profile, table};
use crate::overhead::*;

const BUILT_IN: &str = "
    type 1 object size=16
    type 2 dict size=48 flags=gc bases=1
    type 3 int size=24 item=4 bases=1
    alloc 1 3 32
";

/// A class of CPython 3.13 with `n` instances of three attributes; `more` is put on its type line.
fn points(n: u64, more: &str) -> String {
    format!(
        "{BUILT_IN}
        type 10 app.Point size=16 flags=gc,heap,dict,weakref,managed-dict,managed-weakref,inline-values bases=1 file=app.py {more}
        @each {n}
        alloc a% 10 96
        @end
        walk full
        count 1 5 immortal
        @each {n}
        count a% 1
        dict a% inline 4
        ref a% 1 .x
        ref a% 1 .y
        ref a% 1 .z
        @end
        checkpoint full
        end"
    )
}

#[test]
fn a_plain_class_is_told_its_slots() {
    let profile = profile("cpython-3.13.0", &points(100, ""));
    assert_snapshot!(table(&profile), @r#"
    app.Point ×100: 9600 = object 1600 + gc 1600 + pre 1600 + weakref 0 + dict 0 + attributes 4800 + items 0; padding 0
    int ×1: 32 = object 32 + gc 0 + pre 0 + weakref 0 + dict 0 + attributes 0 + items 0; padding 0
    9632 of 9632 bytes
    "#);
    assert_snapshot!(advice(&profile, None), @r#"
    app.Point ×100: 96 → 64, saves 3200, recommended
    __slots__ = ("x", "y", "z")
    "#);
    assert_snapshot!(advice(&profile, Some("3.8")), @r#"
    app.Point ×100: 160 → 64, saves 9600, recommended
    __slots__ = ("x", "y", "z")
    "#);
    assert_snapshot!(advice(&profile, Some("3.99")), @"the layout of CPython 3.99 is not known; known are 3.8 to 3.15");
}

#[test]
fn a_dict_object_counts_with_its_instance_and_once() {
    let script = format!(
        "{BUILT_IN}
        type 10 app.Point size=32 flags=gc,heap,dict,weakref bases=1 file=app.py
        @each 40
        alloc a% 10 48
        alloc b% 2 64
        @end
        alloc 2 2 64
        walk full
        count 1 5 immortal
        count 2 1
        owns 2 232
        @each 40
        count a% 1
        dict a% split 5
        ref a% b% .__dict__
        count b% 1
        owns b% 40
        ref b% 1 ['x']
        ref b% 1 ['y']
        @end
        checkpoint full
        end"
    );
    let profile = profile("cpython-3.8.18", &script);
    assert_snapshot!(table(&profile), @r#"
    app.Point ×40: 6080 = object 960 + gc 640 + pre 0 + weakref 320 + dict 2560 + attributes 1600 + items 0; padding 320
    dict ×1: 296 = object 48 + gc 16 + pre 0 + weakref 0 + dict 0 + attributes 0 + items 232; padding 8
    int ×1: 32 = object 32 + gc 0 + pre 0 + weakref 0 + dict 0 + attributes 0 + items 0; padding 0
    6408 of 6408 bytes
    "#);
    assert_eq!((profile.coverage.missing_bytes(), profile.coverage.unknown_bytes), (0, 0));
    assert_snapshot!(advice(&profile, None), @r#"
    app.Point ×40: 160 → 48, saves 4480, recommended
    __slots__ = ("x", "y")
    "#);
}

#[test]
fn a_handful_of_instances_is_left_alone() {
    assert_snapshot!(advice(&profile("cpython-3.13.0", &points(5, "")), None), @r#"
    app.Point ×5: 96 → 64, saves 160, not advised
      few-instances: only 5 instances were seen: the first 30 of a class differ in size, so they say little of the next ones, and a handful saves next to nothing
    "#);
}

#[test]
fn a_dataclass_is_told_its_decorator() {
    let more = "dataclass=frozen fields=x,y,z functions=__init__ defines=__init__,y";
    assert_snapshot!(advice(&profile("cpython-3.13.0", &points(100, more)), None), @r#"
    app.Point ×100: 96 → 64, saves 3200, recommended
    @dataclass(frozen=True, slots=True)
    "#);
    assert_snapshot!(advice(&profile("cpython-3.13.0", &points(100, more)), Some("3.9")), @r#"
    app.Point ×100: 160 → 64, saves 9600, possible after
      class-default: `y` is a class attribute too, as a default: `__slots__` with that name raises ValueError
      frozen-by-hand: a frozen dataclass with `__slots__` by hand cannot be copied or unpickled: FrozenInstanceError
    __slots__ = ("x", "y", "z")
    "#);
}

#[test]
fn what_becomes_of_the_defaults_of_fields_is_noted() {
    let noted = |fields: &str, python: Option<&str>| {
        let more = format!("dataclass=plain fields=x,y,z functions=__init__ defines=__init__{fields}");
        let question = SlotsOptions { python: python.map(str::to_owned), min_saving: 0 };
        profile("cpython-3.13.0", &points(100, &more)).advise(&question).slots[0].notes.join("\n")
    };
    let note =
        |text: &str| format!("with `slots=True` the {text} no longer on the class: `Point.y` gives a descriptor then");
    assert!(noted(",y", None).contains(&note("default of `y` is")));
    assert!(noted(",y,z", None).contains(&note("defaults of `y`, `z` are")));
    assert!(!noted("", None).contains("descriptor"));
    assert!(!noted(",y", Some("3.9")).contains("descriptor"));
    assert!(!noted("", None).contains("= field(…)"));
    assert!(noted("", Some("3.9")).contains("a field in the body of `Point` that is written `= field(…)`"));
}

#[test]
fn a_dataclass_keeps_the_arguments_that_are_false() {
    let more = "dataclass=frozen,no_repr,no_eq,no_match_args fields=x,y,z functions=__init__ defines=__init__";
    assert_snapshot!(advice(&profile("cpython-3.13.0", &points(100, more)), None), @r#"
    app.Point ×100: 96 → 64, saves 3200, recommended
    @dataclass(frozen=True, repr=False, eq=False, match_args=False, slots=True)
    "#);
}

#[test]
fn a_class_of_attrs_is_told_its_decorator() {
    let told = "defines=__attrs_attrs__,__init__ functions=__init__ fields=x,y,z";
    let decorator = r#"
    app.Point ×100: 96 → 80, saves 1600, recommended
    @attr.s(slots=True)  # or @attr.define without slots=False; other arguments as they are
    "#;
    for more in [told, "defines=__attrs_attrs__,__init__"] {
        assert_eq!(
            advice(&profile("cpython-3.13.0", &points(100, more)), None),
            decorator.trim().replace("\n    ", "\n")
        );
    }
    let undeclared = "defines=__attrs_attrs__ fields=x,y";
    assert_snapshot!(advice(&profile("cpython-3.13.0", &points(100, undeclared)), None), @r#"
    app.Point ×100: 96 → 64, saves 3200, possible after
      undeclared-field: `z` is set on instances but is no field: with `slots=True` that raises AttributeError
    @attr.s(slots=True)  # or @attr.define without slots=False; other arguments as they are
    "#);
}

#[test]
fn a_class_that_refers_to_weak_references_keeps_a_place_for_them() {
    let more = "defines=__init__ functions=__init__ weakrefs=__init__";
    let profile = profile("cpython-3.13.0", &points(100, more));
    assert_snapshot!(advice(&profile, None), @r#"
    app.Point ×100: 96 → 80, saves 1600, recommended
    __slots__ = ("x", "y", "z", "__weakref__")
    "#);
    let notes = &profile.advise(&SlotsOptions::default()).slots[0].notes;
    assert_snapshot!(notes.join("\n"), @"`__init__` refers to weak references, so there is a place for them; no weak reference to an instance was there at a checkpoint");
}

#[test]
fn a_dataclass_whose_fields_are_not_told_has_those_that_were_seen() {
    let more = "defines=__dataclass_params__,__init__";
    assert_snapshot!(advice(&profile("cpython-3.13.0", &points(100, more)), None), @r#"
    app.Point ×100: 96 → 64, saves 3200, recommended
    @dataclass(slots=True)
    "#);
}

#[test]
fn what_the_class_says_stands_in_the_way() {
    let cases = [
        "metaclass=enum.EnumType",
        "metaclass=orm.Model",
        "defines=x",
        "defines=x functions=x",
        "defines=total cached=total",
        "defines=state reads_dict=state",
        "static=x,y,z,__class__",
        "static=x,y,z,__doc__",
        "exchanged=app.Other",
        "dataclass=plain fields=x,y",
        "dataclass=no_init fields=x,y,z,w defines=__init__,x,w",
        "dataclass=own_init fields=x,y,z,w defines=__init__,x,w",
        "dataclass=plain fields=x,y,z,w defines=__init__,x,w",
        "dataclass=plain fields=x,y,z defines=f class_cell=f functions=f",
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|more| {
            let advice = profile("cpython-3.13.0", &points(100, more)).advise(&SlotsOptions::default());
            let names: Vec<&str> = advice.slots[0].blockers.iter().map(|blocker| blocker.name).collect();
            format!("{more}: {} {}", advice.slots[0].verdict.name(), names.join(" ")).trim_end().to_owned()
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    metaclass=enum.EnumType: not advised metaclass
    metaclass=orm.Model: not advised metaclass
    defines=x: possible after class-default
    defines=x functions=x: possible after hidden-method
    defines=total cached=total: possible after cached-property
    defines=state reads_dict=state: possible after reads-dict
    static=x,y,z,__class__: possible after class-assignment
    static=x,y,z,__doc__: possible after reserved-name
    exchanged=app.Other: possible after class-assignment
    dataclass=plain fields=x,y: possible after undeclared-field
    dataclass=no_init fields=x,y,z,w defines=__init__,x,w: possible after unset-default
    dataclass=own_init fields=x,y,z,w defines=__init__,x,w: possible after unset-default
    dataclass=plain fields=x,y,z,w defines=__init__,x,w: recommended
    dataclass=plain fields=x,y,z defines=f class_cell=f functions=f: possible after class-cell
    "#);
}

#[test]
fn classes_of_libraries_are_counted_until_they_save_a_megabyte() {
    let file = "file=/usr/lib/python3.13/asyncio/events.py";
    let few = profile("cpython-3.13.0", &points(100, file)).advise(&SlotsOptions::default());
    assert_eq!((few.slots.len(), few.library.classes.len(), few.library.bytes), (0, 1, 3200));
    assert_snapshot!(advice(&profile("cpython-3.13.0", &points(40_000, file)), None), @r#"
    app.Point ×40000: 96 → 64, saves 1280000, not advised
      foreign-class: its source is not this program's (/usr/lib/python3.13/asyncio/events.py)
    "#);
}

/// Objects of several classes, each with the attributes named; `alloc` may have a site.
fn program(types: &str, classes: &[(u32, &[&str])], site: &str) -> String {
    let mut script = format!("{BUILT_IN}\n{types}\n@each 40\n");
    for (class, names) in classes {
        script += &format!(
            "alloc a{class}% {class} {}{site}\n",
            32 + 16 + 8 + 8 * (names.len() + 1) + (names.len() + 8) / 8 * 8
        );
    }
    script += "@end\nwalk full\ncount 1 5 immortal\n@each 40\n";
    for (class, names) in classes {
        script += &format!("count a{class}% 1\ndict a{class}% inline {}\n", names.len() + 1);
        for name in *names {
            script += &format!("ref a{class}% 1 .{name}\n");
        }
    }
    script + "@end\ncheckpoint full\nend"
}

const PLAIN: &str = "size=16 flags=gc,heap,dict,weakref,managed-dict,managed-weakref,inline-values";

#[test]
fn a_subclass_that_adds_to_a_frozen_dataclass_stands_in_the_way() {
    let types = format!(
        "type 10 app.Key {PLAIN} bases=1 dataclass=frozen fields=x\ntype 11 app.Named {PLAIN} bases=10 dataclass=frozen fields=x,name"
    );
    let script = program(&types, &[(10, &["x"]), (11, &["x", "name"])], "");
    assert_snapshot!(advice(&profile("cpython-3.13.0", &script), None), @r#"
    app.Named ×40: 96 → 48, saves 1920, possible after
      unslotted-base: it inherits from `Key` without `__slots__`, so the dict would stay: alone the change would save 32 bytes an instance
    # Key, first:
    @dataclass(frozen=True, slots=True)
    # Named:
    @dataclass(frozen=True, slots=True)
    app.Key ×40: 80 → 48, saves 1280, possible after
      unslotted-subclass: `Named` inherits from it without `__slots__`: those instances would have the slots and a dict
      frozen-subclass: `Named` adds attributes to this frozen dataclass: pickling would drop them without a word
    @dataclass(frozen=True, slots=True)
    "#);
}

#[test]
fn instances_that_came_out_of_a_pickle_stand_in_the_way_and_copies_do_not() {
    let types = |file: &str, function: &str| {
        format!(
            "type 10 app.Key {PLAIN} bases=1\nsite 1 app.py:9 load\nsite 2 /usr/lib/python3.13/{file}:120 {function} parent=1"
        )
    };
    let cases = [
        ("pickle.py", "load_build"),
        ("copyreg.py", "_reconstructor"),
        ("copyreg.py", "__newobj__"),
        ("copy.py", "copy"),
        ("pickle.py", "<module>"),
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|(file, function)| {
            let script = program(&types(file, function), &[(10, &["x", "y"])], " @2");
            let advice = profile("cpython-3.13.0", &script).advise(&SlotsOptions::default());
            let blockers: Vec<&str> = advice.slots[0].blockers.iter().map(|blocker| blocker.name).collect();
            format!("{file} {function}: {} {blockers:?}", advice.slots[0].verdict.name())
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    pickle.py load_build: possible after ["old-pickles"]
    copyreg.py _reconstructor: possible after ["old-pickles"]
    copyreg.py __newobj__: recommended []
    copy.py copy: recommended []
    pickle.py <module>: recommended []
    "#);
}

#[test]
fn a_base_with_a_layout_of_its_own_leaves_no_slots_to_the_other() {
    let types = format!(
        "type 10 app.Node {PLAIN} bases=1\n\
         type 11 app.Record size=64 flags=gc,heap,dict,weakref,managed-dict,managed-weakref bases=2 file=app.py\n\
         type 12 app.RecordNode size=64 flags=gc,heap,dict,weakref,managed-dict,managed-weakref bases=11,10 file=app.py"
    );
    let script = program(&types, &[(10, &["name", "size"])], "");
    let advice = profile("cpython-3.13.0", &script).advise(&SlotsOptions::default());
    let [node] = advice.slots.as_slice() else { panic!("{advice:?}") };
    assert_eq!(node.verdict, Verdict::NotAdvised);
    let blocker = node.blockers.iter().find(|blocker| blocker.name == "layout-conflict").unwrap();
    assert_snapshot!(blocker.sentence, @"RecordNode inherits from it and from Record, which has the layout of `dict`: a class beside that cannot have slots with names");
    assert_snapshot!(blocker.instead, @"leave it as it is, or let RecordNode hold a Record in an attribute");
}

#[test]
fn two_bases_cannot_both_have_slots_with_names() {
    let types = format!(
        "type 10 app.Left {PLAIN} bases=1\ntype 11 app.Right {PLAIN} bases=1\ntype 12 app.Both {PLAIN} bases=10,11"
    );
    let script = program(&types, &[(10, &["x", "y"]), (11, &["z"]), (12, &["x", "y", "z"])], "");
    assert_snapshot!(advice(&profile("cpython-3.13.0", &script), None), @r#"
    app.Left ×40: 96 → 48, saves 1920, possible after
      unslotted-subclass: `Both` inherits from it without `__slots__`: those instances would have the slots and a dict
      layout-conflict: Both inherits from it and from Right: only one of its bases can have slots with names
    __slots__ = ("x", "y")
    app.Both ×40: 96 → 64, saves 1280, not advised
      unslotted-base: it inherits from `Left`, `Right` without `__slots__`, so the dict would stay: alone the change would save 16 bytes an instance
      layout-conflict: it inherits from Left and from Right, and only one of them can have slots with names
    app.Right ×40: 80 → 48, saves 1280, possible after
      unslotted-subclass: `Both` inherits from it without `__slots__`: those instances would have the slots and a dict
      layout-conflict: Both inherits from it and from Left: only one of its bases can have slots with names
    __slots__ = ("z",)
    "#);
}

#[test]
fn what_saves_too_little_is_counted() {
    let profile = profile("cpython-3.13.0", &points(100, ""));
    let advice = profile.advise(&SlotsOptions { python: None, min_saving: 1_000_000 });
    assert_eq!((advice.slots.len(), advice.hidden.classes.len(), advice.hidden.bytes), (0, 1, 3200));
}

#[test]
fn without_dict_states_there_is_a_table_but_no_advice() {
    let script = format!("{BUILT_IN}\nwalk full\ncount 1 1\ncheckpoint full\nend");
    let profile = profile("cpython-3.13.0", &script);
    assert_snapshot!(table(&profile), @r#"
    int ×1: 32 = object 32 + gc 0 + pre 0 + weakref 0 + dict 0 + attributes 0 + items 0; padding 0
    32 of 32 bytes
    "#);
    assert_snapshot!(advice(&profile, None), @"the trace has no dict states: it does not say where instances keep their attributes");
}

#[test]
fn without_a_known_layout_there_is_a_table_but_no_advice() {
    assert_snapshot!(advice(&profile("pypy-7.3", &points(100, "")), None), @"the trace was written by pypy-7.3, and only CPython's layout is known");
    assert_snapshot!(advice(&profile("cpython-3.13.0t", &points(100, "")), None), @"the layout of free-threaded builds (3.13.0t) is not known");
    assert_snapshot!(advice(&profile("cpython-3.7.9", &points(100, "")), None), @"the layout of CPython 3.7.9 is not known; known are 3.8 to 3.15");
}

#[test]
fn waste_of_other_kinds_has_its_facts() {
    let script = format!(
        "{BUILT_IN}
        type 10 app.Point size=16 flags=gc,heap,dict,weakref,managed-dict,managed-weakref,inline-values bases=1
        @each 40
        alloc a% 10 96
        alloc b% 2 64
        @end
        walk full
        count 1 5 immortal
        @each 40
        count a% 1
        dict a% split 4
        ref a% b% .__dict__
        count b% 1
        ref b% 1 ['x']
        @end
        checkpoint full
        end"
    );
    let facts = profile("cpython-3.13.0", &script).facts();
    assert_eq!(facts.attribute_cliff, []);
    assert_eq!(facts.unshared_keys, []);
    let dict = &facts.materialised_dict[0];
    assert_eq!((dict.instances, &dict.cause), (40, &Cause::DictAsked));
    assert_eq!(facts.materialised_dict[0].wasted_bytes, 40 * 64);
}

#[test]
fn one_is_one_and_more_are_more() {
    let blockers = |version: &str, n: u64, more: &str| {
        let advice = profile(version, &points(n, more)).advise(&SlotsOptions::default());
        let blockers =
            advice.slots[0].blockers.iter().map(|blocker| format!("{}; {}", blocker.sentence, blocker.instead));
        blockers.collect::<Vec<_>>().join("\n")
    };
    let lines = [
        blockers("cpython-3.13.0", 1, ""),
        blockers("cpython-3.13.0", 100, "defines=x,y"),
        blockers("cpython-3.13.0", 100, "defines=a,b cached=a,b"),
        blockers("cpython-3.13.0", 100, "defines=a,b,c,d,e,f reads_dict=a,b,c,d,e,f"),
        blockers("cpython-3.13.0", 100, "dataclass=plain fields=x"),
        blockers("cpython-3.13.0", 100, "dataclass=plain fields=x,y"),
    ];
    assert_snapshot!(lines.join("\n\n"), @r#"
    only 1 instance was seen: the first 30 of a class differ in size, so they say little of the next ones, and a handful saves next to nothing; leave it, or record a run with more of them

    `x`, `y` are class attributes too, as defaults: `__slots__` with those names raises ValueError; assign the defaults in `__init__` and take them out of the class body

    `a`, `b` are `cached_property`s, which need a `__dict__` and raise TypeError without one; cache by hand in a slot (`if self._x is None: self._x = …`); `__dict__` among the slots would cost 320 bytes an instance

    `a`, `b`, `c`, `d` and 2 more read the `__dict__` of instances, and with slots there is none; name the attributes there: `{name: getattr(self, name) for name in self.__slots__}`

    `y`, `z` are set on instances but are no fields: with `slots=True` that raises AttributeError; declare each: `y: object = field(init=False, default=None)`

    `z` is set on instances but is no field: with `slots=True` that raises AttributeError; declare it: `z: object = field(init=False, default=None)`
    "#);
}

#[test]
fn a_few_instances_are_few_on_every_version() {
    let script = format!(
        "{BUILT_IN}
        type 10 app.Point size=32 flags=gc,heap,dict,weakref bases=1 file=app.py
        alloc a 10 48
        alloc b 2 64
        walk full
        count 1 5 immortal
        count a 1
        dict a split 5
        ref a b .__dict__
        count b 1
        owns b 40
        ref b 1 ['x']
        checkpoint full
        end"
    );
    assert_snapshot!(advice(&profile("cpython-3.9.18", &script), None), @r#"
    app.Point ×1: 160 → 48, saves 112, not advised
      few-instances: only 1 instance was seen: a handful saves next to nothing
    "#);
}

#[test]
fn a_base_keeps_the_dict_for_the_reason_that_is_said() {
    let types = format!(
        "type 9 lib.Model size=16 flags=gc,heap,dict,weakref,managed-dict,managed-weakref,inline-values bases=1 slots=__dict__ file=/usr/lib/python3/site-packages/lib.py metaclass=lib.Meta
        type 8 lib.Plain size=16 flags=gc,heap,dict,weakref,managed-dict,managed-weakref,inline-values bases=1 file=/usr/lib/python3/site-packages/lib.py
        type 10 app.User {PLAIN} bases=9 metaclass=lib.Meta
        type 11 app.Both {PLAIN} bases=8"
    );
    let script = program(&types, &[(10, &["x", "y"]), (11, &["x", "y"])], "");
    let advice = profile("cpython-3.13.0", &script).advise(&SlotsOptions::default());
    let blockers =
        advice.slots.iter().flat_map(|slots| &slots.blockers).filter(|blocker| blocker.name == "unslotted-base");
    let lines: Vec<String> = blockers.map(|blocker| format!("{}; {}", blocker.sentence, blocker.instead)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    it inherits from `Plain` without `__slots__`, so the dict would stay: alone the change would save 32 bytes an instance, and Plain is not this program's; hold an object of type Plain in an attribute instead of inheriting from it
    it inherits from `Model` with `__dict__` among its `__slots__`, so the dict would stay: alone the change would save 32 bytes an instance, and Model is not this program's; leave it as it is
    "#);
}

#[test]
fn a_class_without_a_module_belongs_where_its_base_is() {
    let types = format!(
        "type 9 ssl._ASN1Object {PLAIN} bases=1 file=/usr/lib/python3.9/ssl.py\ntype 10 <unknown>.Purpose {PLAIN} bases=9"
    );
    let advice = profile("cpython-3.13.0", &program(&types, &[(10, &["x"])], "")).advise(&SlotsOptions::default());
    assert_eq!((advice.slots.len(), advice.library.classes.len()), (0, 1));
}

#[test]
fn the_size_of_a_base_is_assumed_for_another_version_alone() {
    let types = "type 4 _lib.Base size=24 flags=gc,heap bases=1
        type 10 app.Sub size=24 flags=gc,heap,dict,weakref,managed-dict,managed-weakref bases=4";
    let script = format!(
        "{BUILT_IN}
        {types}
        @each 40
        alloc a% 10 56
        @end
        walk full
        count 1 5 immortal
        @each 40
        count a% 1
        dict a% inline 30
        ref a% 1 .x
        @end
        checkpoint full
        end"
    );
    let profile = profile("cpython-3.13.0", &script);
    let assumed = |python: Option<&str>| {
        let advice = profile.advise(&SlotsOptions { python: python.map(str::to_owned), min_saving: 0 });
        advice.slots[0].notes.iter().any(|note| note.contains("is assumed"))
    };
    assert!(!assumed(None));
    assert!(assumed(Some("3.8")));
}

#[test]
fn a_dataclass_with_slots_below_a_class_without_keeps_its_decorator() {
    let types = format!(
        "type 10 app.Base {PLAIN} bases=1\ntype 11 app.Sub size=24 {} bases=10 dataclass=slots fields=x slots=x",
        PLAIN.trim_start_matches("size=16 ")
    );
    let script = format!(
        "{BUILT_IN}
        {types}
        @each 40
        alloc a% 11 56
        @end
        alloc b 10 96
        walk full
        count 1 5 immortal
        @each 40
        count a% 1
        dict a% none
        ref a% 1 .x
        @end
        count b 1
        dict b inline 4
        ref b 1 .y
        checkpoint full
        end"
    );
    assert_snapshot!(advice(&profile("cpython-3.13.0", &script), None), @r#"
    app.Sub ×40: 64 → 48, saves 640, possible after
      unslotted-base: it inherits from `Base` without `__slots__`, so the dict would stay: alone the change would save 0 bytes an instance
    # Base, first:
    __slots__ = ("y",)
    # Sub:
    @dataclass(slots=True)
    app.Base ×1: 96 → 48, saves 48, not advised
      few-instances: only 1 instance was seen: the first 30 of a class differ in size, so they say little of the next ones, and a handful saves next to nothing
    "#);
}
