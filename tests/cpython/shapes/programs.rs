//! The shapes: Python programs that make instances of one class in one way, by generation and by hand.
//!
//! A program has `make(i)`, which makes the i-th instance, `NAMES`, the attributes that the result shows, and perhaps
//! `use(o)`, which does with an instance what such a class is for. Class statements stand at the margin.

/// One class shape.
pub(super) struct Shape {
    pub name: String,
    pub source: String,
    /// First minor version of Python 3 that can run it.
    pub since: u8,
}

/// All shapes; the generated ones first.
pub(super) fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for n in [0, 1, 2, 3, 5, 6, 8, 10, 11, 16, 21, 22, 28, 29, 30, 31, 40, 42, 43] {
        shapes.push(shape(format!("plain_{n}"), 8, plain(n), n, ""));
    }
    // Above, `a9` is the last by name and the tenth that is set; here both orders are the same.
    let source = plain_in_order_of_names(31);
    shapes.push(Shape { name: "plain_in_order_of_names_31".to_owned(), source, since: 8 });
    for n in [1, 6, 29, 30] {
        shapes.push(shape(format!("dataclass_{n}"), 8, dataclass("", n), n, ""));
        shapes.push(shape(format!("setattr_{n}"), 8, setattr(n), n, ""));
    }
    shapes.push(shape("frozen_dataclass", 8, dataclass("(frozen=True)", 4), 4, "hash(o) != 0"));
    shapes.push(shape(
        "dataclass_by_identity",
        8,
        dataclass("(eq=False, repr=False)", 3),
        3,
        "o == o; hash(o); repr(o)",
    ));
    shapes.push(shape("ordered_dataclass", 8, dataclass("(order=True, unsafe_hash=True)", 3), 3, "o <= o"));
    for base in ["list", "dict", "set", "str", "float", "int", "tuple", "bytes", "Exception", "LookupError"] {
        for n in [0, 2, 6] {
            let name = format!("{}_subclass_{n}", base.to_lowercase());
            shapes.push(shape(name, 8, built_in(base, n), n, ""));
        }
    }
    shapes.extend(by_hand());
    shapes
}

fn shape(name: impl Into<String>, since: u8, class: String, n: usize, uses: &str) -> Shape {
    let names: Vec<String> = (0..n).map(|i| format!("'a{i}'")).collect();
    let uses = if uses.is_empty() { String::new() } else { format!("def use(o):\n    return {uses}\n") };
    let source = format!("V = 'value'\n{class}\ndef make(i):\n    return C(V)\n{uses}NAMES = [{}]\n", names.join(", "));
    Shape { name: name.into(), source, since }
}

fn assignments(n: usize) -> String {
    let lines: String = (0..n).map(|i| format!("        self.a{i} = v\n")).collect();
    if n == 0 { "        pass\n".to_owned() } else { lines }
}

fn plain(n: usize) -> String {
    format!("class C:\n    def __init__(self, v):\n{}", assignments(n))
}

/// As [`plain`], a whole program: `a00`, `a01` and so on.
fn plain_in_order_of_names(n: usize) -> String {
    let names: Vec<String> = (0..n).map(|i| format!("a{i:02}")).collect();
    let lines: String = names.iter().map(|name| format!("        self.{name} = v\n")).collect();
    let class = format!("class C:\n    def __init__(self, v):\n{lines}");
    format!("V = 'value'\n{class}\ndef make(i):\n    return C(V)\nNAMES = {names:?}\n")
}

fn dataclass(arguments: &str, n: usize) -> String {
    let fields: String = (1..n).map(|i| format!("    a{i}: object = V\n")).collect();
    format!("from dataclasses import dataclass\n@dataclass{arguments}\nclass C:\n    a0: object\n{fields}")
}

fn setattr(n: usize) -> String {
    format!(
        "class C:\n    def __init__(self, v):\n        for i in range({n}):\n            setattr(self, 'a%d' % i, v)\n"
    )
}

fn built_in(base: &str, n: usize) -> String {
    let value = match base {
        "str" => "'text'",
        "float" => "0.5",
        "int" => "70000",
        "tuple" => "(V, V)",
        "bytes" => "b'12345'",
        _ => "",
    };
    let new = match value {
        "" if base.ends_with("Error") || base == "Exception" => {
            format!("    def __new__(cls, v):\n        return {base}.__new__(cls)\n")
        }
        "" => String::new(),
        value => format!("    def __new__(cls, v):\n        return {base}.__new__(cls, {value})\n"),
    };
    format!("class C({base}):\n{new}    def __init__(self, v):\n{}", assignments(n))
}

/// Programs one after the other, each below its head: `#### name 3.since`.
const BY_HAND: &str = include_str!("by_hand.txt");

fn by_hand() -> impl Iterator<Item = Shape> {
    BY_HAND.split("#### ").skip(1).map(|program| {
        let (head, source) = program.split_once('\n').expect("a head and a program");
        let (name, since) = head.split_once(" 3.").expect("a name and a version");
        Shape {
            name: name.to_owned(),
            source: format!("V = 'value'\n{source}"),
            since: since.parse().expect("a minor version"),
        }
    })
}
