//! Real recordings of programs go in, the advice on slots is compared with what the same classes measure.

use std::path::Path;
use std::process::Command;

use crate::each::record;
use crate::support::pythons::Python;
use crate::support::{refloop, root};
use serde_json::Value;

on_each_python! {
    the_dashboard_is_told_its_true_bytes_and_the_line_to_change,
    the_dashboard_with_slots_is_told_nothing,
    only_a_program_s_own_classes_are_told,
    what_is_recommended_works_where_the_recording_did_not_see_it_all,
    the_fields_of_attrs_are_known,
    a_decorator_keeps_its_arguments,
    a_default_that_instances_read_from_the_class_is_set_first,
    what_slots_would_break_is_said,
}

/// Bytes an instance that advice and measurement may differ.
const TOLERANCE: f64 = 1.0;

/// What `refloop slots --format json` says of a recording of the program.
fn slots(python: &Path, program: &Path) -> Value {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("program.reftrace");
    record(python, &[], &trace, program, &[]);
    let told = refloop().args(["slots", "-q", "--format", "json"]).arg(&trace).output().expect("refloop runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).expect("JSON")
}

fn rows(told: &Value) -> &[Value] {
    told["slots"].as_array().map(Vec::as_slice).expect("a list")
}

/// Requested bytes of an instance, of as many as the program makes: all values are there before. `{}` is the decorator.
const MEASURE: &str = "
import sys, tracemalloc
from dataclasses import dataclass
@dataclass{}
class UserProfile:
    {}name: str
    age: int
    api_token: str
kept, value = [None] * 2000, 'value'
tracemalloc.start()
before = tracemalloc.get_traced_memory()[0]
for i in range(len(kept)):
    kept[i] = UserProfile(value, 20, value)
i = None
sys.stdout.write(str((tracemalloc.get_traced_memory()[0] - before) / len(kept)))
";

fn measure(python: &Path, decorator: &str, body: &str) -> f64 {
    let source = MEASURE.replacen("{}", decorator, 1).replacen("{}", body, 1);
    let output = Command::new(python).args(["-c", &source]).output().expect("an interpreter");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).parse().expect("a number")
}

fn the_dashboard_is_told_its_true_bytes_and_the_line_to_change(python: &Python) {
    let told = slots(&python.path, &root().join("fixtures/programs/dashboard.py"));
    let [row] = rows(&told) else { panic!("{python}: {:#?}", rows(&told)) };
    assert_eq!((&row["type"], &row["instances"]), (&"__main__.UserProfile".into(), &2000.into()), "{python}");
    assert_eq!(row["verdict"], "recommended", "{python}: {row:#}");
    let by_decorator = python.minor >= 10;
    let (suggestion, decorator, body) = if by_decorator {
        ("@dataclass(slots=True)", "(slots=True)", "")
    } else {
        ("__slots__ = (\"name\", \"age\", \"api_token\")", "", "__slots__ = ('name', 'age', 'api_token')\n    ")
    };
    assert_eq!(row["suggestion"], suggestion, "{python}");
    let near = |key: &str, measured: f64| {
        let told = row[key].as_f64().expect("a number");
        assert!((told - measured).abs() <= TOLERANCE, "{python}: {key} {told}, measured {measured}");
    };
    near("bytes_per_instance", measure(&python.path, "", ""));
    near("slotted_bytes_per_instance", measure(&python.path, decorator, body));
}

fn the_dashboard_with_slots_is_told_nothing(python: &Python) {
    if python.minor < 10 {
        return; // No `slots=True`.
    }
    let told = slots(&python.path, &root().join("fixtures/programs/dashboard_slots.py"));
    assert_eq!(rows(&told), &[] as &[Value], "{python}");
}

/// Uses much of the standard library, and has one class of its own.
const LIBRARY: &str = "
import argparse, asyncio, collections, concurrent.futures, configparser, csv, datetime, decimal, email.message, enum
import fractions, html.parser, http.client, inspect, ipaddress, json, logging, logging.handlers, pathlib, queue, re
import sched, shelve, smtplib, socketserver, sqlite3, string, subprocess, tempfile, threading, typing, unittest, urllib.parse
import uuid, xml.dom.minidom, xml.etree.ElementTree, zipfile

class Own:
    def __init__(self):
        self.a = self.b = self.c = None

kept = [
    [make() for _ in range(200)]
    for make in [
        Own, argparse.ArgumentParser, collections.OrderedDict, collections.Counter, configparser.ConfigParser,
        email.message.Message, html.parser.HTMLParser, logging.Formatter, logging.StreamHandler, queue.Queue,
        sched.scheduler, string.Formatter, threading.Event, threading.Lock, unittest.TestResult, uuid.uuid4,
        xml.dom.minidom.Document, collections.UserDict, lambda: fractions.Fraction(1, 3),
        lambda: ipaddress.ip_address('127.0.0.1'), lambda: logging.LogRecord('a', 10, 'b', 1, 'c', (), None),
        lambda: pathlib.Path('a'), lambda: inspect.signature(Own), lambda: typing.List[int],
        lambda: typing.TypeVar('T'), lambda: zipfile.ZipInfo('a'), lambda: enum.Enum('E', 'a b').a,
    ]
]
";

fn only_a_program_s_own_classes_are_told(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let program = place.path().join("library.py");
    std::fs::write(&program, LIBRARY).expect("a program");
    let told = slots(&python.path, &program);
    let advised = rows(&told).iter().filter(|row| row["verdict"] != "not advised");
    let advised: Vec<(&str, &str)> =
        advised.filter_map(|row| Some((row["type"].as_str()?, row["verdict"].as_str()?))).collect();
    assert_eq!(advised, [("__main__.Own", "recommended")], "{python}");
}

/// Does what no checkpoint shows; with an argument, what the recorded run did not do.
const UNSEEN: &str = "
import gc, sys, weakref
from weakref import finalize

class Open:
    def __init__(self):
        self.a = self.b = None

class Closed:
    def __init__(self):
        self.a = self.b = None

class Door:
    def __init__(this):
        this.a = None
    def close(this, how):
        this.closed = True
        this.how = how
    @classmethod
    def limit(cls):
        cls.most = 1

class Documented:
    'Text of the class.'
    def __init__(self):
        self.a = self.b = None
        self.__doc__ = 'Text of the instance.'

class Odd:
    def __init__(self):
        self.größe = None
        setattr(self, 'class', None)
        setattr(self, 'say \"x\"', None)
        setattr(self, 'area_m²', None)

class Final:
    def __init__(self):
        self.a = None
        finalize(self, int)

class Guarded:
    def __init__(self):
        self.a = None

class Proxy:
    def __init__(self):
        self.proxy = None

kept = [[make() for _ in range(100)] for make in (Open, Closed, Door, Final, Guarded, Proxy, Documented, Odd)]
for o in kept[0][:50]:
    o.__class__ = Closed
for o in kept[4]:
    finalize(o, int)
gc.collect()
if sys.argv[1:]:
    Door.limit()
    for o in kept[2]:
        o.close('slowly')
";

fn what_is_recommended_works_where_the_recording_did_not_see_it_all(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let program = place.path().join("unseen.py");
    std::fs::write(&program, UNSEEN).expect("a program");
    let told = slots(&python.path, &program);
    let mut advice: Vec<(&str, &str, &str)> = rows(&told)
        .iter()
        .filter_map(|row| Some((row["type"].as_str()?, row["verdict"].as_str()?, row["suggestion"].as_str()?)))
        .collect();
    advice.sort_unstable();
    let expected = [
        ("__main__.Closed", "possible after", "__slots__ = (\"a\", \"b\")"),
        ("__main__.Documented", "possible after", "__slots__ = (\"a\", \"b\")"),
        ("__main__.Door", "recommended", "__slots__ = (\"a\", \"closed\", \"how\")"),
        ("__main__.Final", "recommended", "__slots__ = (\"a\", \"__weakref__\")"),
        ("__main__.Guarded", "recommended", "__slots__ = (\"a\", \"__weakref__\")"),
        ("__main__.Odd", "possible after", "__slots__ = (\"größe\", \"class\")"),
        ("__main__.Open", "possible after", "__slots__ = (\"a\", \"b\")"),
        ("__main__.Proxy", "recommended", "__slots__ = (\"proxy\",)"),
    ];
    assert_eq!(advice, expected, "{python}");
    let mut changed = UNSEEN.to_owned();
    for (name, _, suggestion) in advice.iter().filter(|(_, verdict, _)| *verdict == "recommended") {
        let statement = format!("class {}:\n", name.trim_start_matches("__main__."));
        changed = changed.replace(&statement, &format!("{statement}    {suggestion}\n"));
    }
    std::fs::write(&program, changed).expect("a program");
    let output = Command::new(&python.path).arg(&program).arg("all").output().expect("an interpreter");
    assert!(output.status.success(), "{python}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A class as `attrs` leaves it, with an attribute beside its fields.
const ATTRS: &str = "
class Field:
    __slots__ = ('name',)
    def __init__(self, name):
        self.name = name

class Fields(tuple):
    __slots__ = ()

class At:
    def __init__(self):
        self.x = self.late = None

At.__attrs_attrs__ = Fields([Field('x')])
kept = [At() for _ in range(100)]
";

fn the_fields_of_attrs_are_known(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let program = place.path().join("fields.py");
    std::fs::write(&program, ATTRS).expect("a program");
    let told = slots(&python.path, &program);
    let [row] = rows(&told) else { panic!("{python}: {:#?}", rows(&told)) };
    assert_eq!(row["verdict"], "possible after", "{python}: {row:#}");
    let sentence = row["blockers"][0].as_str().expect("a sentence");
    assert!(sentence.starts_with("`late` is set on instances but is no field"), "{python}: {sentence}");
}

/// Dataclasses whose behaviour depends on arguments that are false.
const ARGUMENTS: &str = "
from dataclasses import dataclass

@dataclass(eq=False)
class Key:
    x: int

@dataclass(frozen=True, repr=False)
class Quiet:
    x: int

@dataclass(init=False)
class Own:
    x: int
    def __init__(self, text):
        self.x = int(text)

@dataclass(**MATCH)
class Matched:
    x: int

kept = [[make(1) for _ in range(100)] for make in (Key, Quiet, Own, Matched)]
";

fn a_decorator_keeps_its_arguments(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let program = place.path().join("arguments.py");
    let of_match = if python.minor >= 10 { "match_args=False" } else { "" };
    std::fs::write(&program, ARGUMENTS.replace("**MATCH", of_match)).expect("a program");
    let told = slots(&python.path, &program);
    let mut advice: Vec<(&str, &str)> =
        rows(&told).iter().filter_map(|row| Some((row["type"].as_str()?, row["suggestion"].as_str()?))).collect();
    advice.sort_unstable();
    let matched =
        if python.minor >= 12 { "@dataclass(match_args=False, slots=True)" } else { "@dataclass(slots=True)" };
    let expected = [
        ("__main__.Key", "@dataclass(eq=False, slots=True)"),
        ("__main__.Matched", matched),
        ("__main__.Own", "@dataclass(init=False, slots=True)"),
        ("__main__.Quiet", "@dataclass(frozen=True, repr=False, slots=True)"),
    ];
    let by_hand = expected.map(|(name, _)| (name, "__slots__ = (\"x\",)"));
    assert_eq!(advice, if python.minor >= 10 { expected } else { by_hand }, "{python}");
}

/// Dataclasses with defaults that instances read from the class.
const DEFAULTS: &str = "
from dataclasses import dataclass, field

@dataclass(init=False)
class Without:
    a: int = 0
    b: int = 0
    def __init__(self, a):
        self.a = a

@dataclass
class Own:
    a: int = 0
    b: int = 0
    def __init__(self, a):
        self.a = a

@dataclass
class Generated:
    a: int = 0
    b: int = field(init=False, default=0)
    c: list = field(default_factory=list)

kept = [[make(1) for _ in range(100)] for make in (Without, Own, Generated)]
assert all(o.b == 0 for os in kept for o in os)
";

fn a_default_that_instances_read_from_the_class_is_set_first(python: &Python) {
    if python.minor < 10 {
        return; // No `slots=True`.
    }
    let place = tempfile::tempdir().expect("a directory");
    let program = place.path().join("defaults.py");
    std::fs::write(&program, DEFAULTS).expect("a program");
    let told = slots(&python.path, &program);
    let mut advice: Vec<(&str, &str)> =
        rows(&told).iter().filter_map(|row| Some((row["type"].as_str()?, row["verdict"].as_str()?))).collect();
    advice.sort_unstable();
    let expected = [
        ("__main__.Generated", "recommended"),
        ("__main__.Own", "possible after"),
        ("__main__.Without", "possible after"),
    ];
    assert_eq!(advice, expected, "{python}");
    let changed = DEFAULTS.replace("@dataclass\nclass Generated", "@dataclass(slots=True)\nclass Generated");
    std::fs::write(&program, changed).expect("a program");
    let output = Command::new(&python.path).arg(&program).output().expect("an interpreter");
    assert!(output.status.success(), "{python}: {}", String::from_utf8_lossy(&output.stderr));
}

fn what_slots_would_break_is_said(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let program = place.path().join("broken.py");
    let source = "
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar
T = TypeVar('T')
@dataclass(frozen=True)
class Box(Generic[T]):
    x: int
class Square:
    def __init__(self, side):
        self.side = side
    @cached_property
    def area(self):
        return self.side * self.side
class Node:
    def __init__(self, name):
        self.name = name
        self.size = 0
class Record(dict):
    pass
class RecordNode(Record, Node):
    def __init__(self, name):
        dict.__init__(self)
        Node.__init__(self, name)
boxes = [Box[int](i) for i in range(2000)]
squares = [Square(i) for i in range(2000)]
areas = [square.area for square in squares]
nodes = [Node(str(i)) for i in range(2000)] + [RecordNode(str(i)) for i in range(20)]
";
    std::fs::write(&program, source).expect("a program");
    let told = slots(&python.path, &program);
    let row =
        |name: &str| rows(&told).iter().find(|row| row["type"] == format!("__main__.{name}")).expect("a row").clone();
    let says = |row: &Value, text: &str| row["blockers"].to_string().contains(text);
    // CPython 3.10 to 3.12 refuse what `Box[int](…)` sets on a frozen instance with slots.
    let refused = (10..13).contains(&python.minor);
    assert_eq!(says(&row("Box"), "`C[int](…)` raises TypeError"), refused, "{python}: {:#}", row("Box"));
    let suggestion = row("Square")["suggestion"].to_string();
    assert!(suggestion.contains("_area") && !suggestion.contains(r#"\"area\""#), "{python}: {suggestion}");
    let node = row("Node");
    assert_eq!(node["verdict"], "not advised", "{python}: {node:#}");
    assert!(says(&node, "which has the layout of `dict`"), "{python}: {node:#}");
}
