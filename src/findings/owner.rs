//! Decides whose an object or a loop is: the application's, a package's, or the standard library's.
//!
//! Paths decide where they are known. Without any, the module in the name of a type does; without that, and if the
//! trace knows of stacks at all, the object was made by the interpreter.

use std::borrow::Cow;
use std::fmt;

use globset::{Glob, GlobSet, GlobSetBuilder};
use memchr::memmem;
use serde::{Serialize, Serializer};

use crate::cycles::{LoopGroup, StackFrame};
use crate::overhead::standard::is_standard_module;

/// Whose an object or a loop is. The order is that of precedence: a loop with one member of the application is the
/// application's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// Everything outside the standard library and `site-packages`, and what `own` names.
    Application,
    /// A package's or the standard library's as far as it is known, but nothing tells who made a part of it.
    Unknown,
    /// An installed package, by its top-level name.
    Package(String),
    /// The standard library, or the interpreter itself.
    StandardLibrary,
}

/// What IPython calls the code of a cell; a number and a hash follow.
const NOTEBOOK_CELL: &str = "<ipython-input-";

/// How owners are told apart: the default places, and the modules that are the application's wherever they lie.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    own: GlobSet,
}

/// The modules of pytest, and of what calls its hooks. `unittest` clears the frames of the exceptions that it keeps.
const TEST_RUNNERS: [&str; 2] = ["_pytest.", "pluggy."];
const TEST_CALLER: &str = "frame _multicall";

impl Ownership {
    /// `own` are globs over dotted module names; a name stands for its submodules too.
    pub fn new(own: &[String]) -> Result<Ownership, globset::Error> {
        Ok(Ownership { own: module_globs(own)? })
    }

    /// The owner of a loop, from all that is known of its members. `has_stacks`: the trace knows of stacks.
    ///
    /// What an application makes of a library's classes is the application's, and a stack alone tells that it did.
    ///
    /// A test that raises is held by what the test runner keeps of the exception, through traceback and frame. Such a loop
    /// has frames of the application in it and is the runner's all the same: the reference to cut is there.
    pub fn of_loop(&self, group: &LoopGroup, has_stacks: bool) -> Owner {
        if let Some(runner) = self.test_runner(group) {
            return runner;
        }
        let files = group.member_files.iter().map(|file| self.of_file(file).unwrap_or(Owner::Application)).min();
        if group.lacks_maker && files != Some(Owner::Application) {
            return Owner::Unknown;
        }
        let evidence = files.or_else(|| self.of_stack(&group.site)).or_else(|| self.of_types(group, has_stacks));
        evidence.unwrap_or(match has_stacks {
            true => Owner::StandardLibrary,
            false => Owner::Application,
        })
    }

    /// The owner of the code that stores the references to cut, or all of the path where no one is to be cut: whose file that
    /// is, whoever called it. `None` where no file of them is known, and of a path with an entry of a container: anybody may
    /// have put it there.
    pub fn of_cut(&self, group: &LoopGroup, steps: &[usize]) -> Option<Owner> {
        if self.test_runner(group).is_some() {
            return None;
        }
        let n = group.step_files.len();
        let is_cell = |step: usize| group.path.steps.get(step).is_some_and(|step| step.type_name == "cell");
        let file = |step: usize| match group.step_files.get(step)? {
            // The variable of a closure is the function's.
            None if is_cell(step) => group.step_files.get((step + n - 1) % n)?.as_ref(),
            file => file.as_ref(),
        };
        if steps.is_empty() && group.path.steps.iter().any(|step| step.slot.contains('[')) {
            return None;
        }
        // Who hands a bound method of its own to an object has it kept there.
        let method = |step: usize| {
            let next = (step + 1) % n;
            file(next).filter(|_| group.path.steps.get(next).is_some_and(|next| next.type_name == "method"))
        };
        let asked = (0..n).filter(|step| steps.is_empty() || steps.contains(step));
        let files = asked.flat_map(|step| [file(step), method(step)]).flatten();
        files.filter_map(|file| self.of_file(file)).min()
    }

    /// The test runner whose object the path leads through, if beside it there are only built-in objects.
    fn test_runner(&self, group: &LoopGroup) -> Option<Owner> {
        let types = || group.path.steps.iter().map(|step| step.type_name.as_str());
        let of_runner =
            |name: &str| TEST_RUNNERS.iter().any(|runner| name.starts_with(runner)) && !self.own.is_match(name);
        let others = types().any(|name| name.contains('.') && !of_runner(name));
        let frame = types().any(|name| name == "frame");
        // Up to pluggy 1.0 the frame that calls the test keeps the exception itself.
        let caller = group.path.steps.iter().any(|step| step.label == TEST_CALLER)
            && group.member_types.keys().any(|name| of_runner(name));
        let keeps = frame && types().any(of_runner) || caller;
        (keeps && !others).then(|| Owner::Package("_pytest".to_string()))
    }

    /// The owner of the innermost frame whose file says anything.
    pub fn of_stack(&self, stack: &[StackFrame]) -> Option<Owner> {
        let known = stack.iter().find_map(|frame| self.of_file(&frame.path));
        known.or_else(|| (!stack.is_empty()).then_some(Owner::Application))
    }

    /// The application where one of the frames is its own, else the owner of the innermost whose file says anything.
    pub fn of_callers(&self, stack: &[StackFrame]) -> Option<Owner> {
        let is_own = |frame: &StackFrame| self.of_file(&frame.path) == Some(Owner::Application);
        if stack.iter().any(is_own) { Some(Owner::Application) } else { self.of_stack(stack) }
    }

    /// The owner of a type by the module in its name; a built-in type is the interpreter's.
    pub fn of_type(&self, name: &str) -> Owner {
        match name.split_once('.') {
            None => Owner::StandardLibrary,
            Some((module, _)) if self.own.is_match(name) || !is_standard_module(module) => Owner::Application,
            Some(_) => Owner::StandardLibrary,
        }
    }

    /// The owner of a type whose name may lack its module: without one it counts as the application's, because nothing
    /// shows that it is not.
    pub fn of_short_name(&self, name: &str) -> Owner {
        if name.contains('.') { self.of_type(name) } else { Owner::Application }
    }

    /// The owner of a file; `None` where the path says nothing (`<string>`: generated code has no home). What is typed into
    /// IPython is the application's.
    pub fn of_file(&self, path: &str) -> Option<Owner> {
        if path.starts_with("<frozen ") {
            return Some(Owner::StandardLibrary);
        }
        if path.starts_with(NOTEBOOK_CELL) {
            return Some(Owner::Application);
        }
        if path.is_empty() || path.starts_with('<') {
            return None;
        }
        let path = match path.contains('\\') {
            true => Cow::Owned(path.replace('\\', "/")),
            false => Cow::Borrowed(path),
        };
        let (place, below) = place(&path);
        match place {
            _ if !self.own.is_empty() && self.own.is_match(dotted(below)) => Some(Owner::Application),
            Place::Packages => Some(Owner::Package(dotted(below).split('.').next().unwrap_or_default().to_string())),
            Place::StandardLibrary => Some(Owner::StandardLibrary),
            Place::Elsewhere => Some(Owner::Application),
        }
    }

    /// The best owner among the classes of the loop that have a module in their name. Where no stack tells who made an
    /// object, a class of C code does not either: a `deque` is whoever's program it is.
    fn of_types(&self, group: &LoopGroup, has_stacks: bool) -> Option<Owner> {
        let of_path = group.path.steps.iter().map(|step| step.type_name.as_str());
        let names = group.member_types.keys().map(String::as_str).chain(of_path);
        let telling = names.filter(|&name| name.contains('.') && (has_stacks || !group.types.of_c.contains(name)));
        telling.map(|name| self.of_type(name)).min()
    }
}

enum Place {
    Packages,
    StandardLibrary,
    Elsewhere,
}

/// Where a file lies, and the rest of its path from there on, which is that of its module as far as the path tells.
fn place(path: &str) -> (Place, &str) {
    for packages in [&b"/site-packages/"[..], b"/dist-packages/"] {
        if let Some(place) = memmem::rfind(path.as_bytes(), packages) {
            return (Place::Packages, &path[place + packages.len()..]);
        }
    }
    let mut last = "";
    let mut rest = Some(path);
    while let Some(open) = rest {
        let (name, below) = open.split_once('/').map_or((open, None), |(name, below)| (name, Some(below)));
        let library = match name {
            "Lib" => last.to_ascii_lowercase().starts_with("python"),
            _ => name.strip_prefix("python3.").is_some_and(is_version) && (last == "lib" || last == "lib64"),
        };
        if library || is_zipped_library(name) {
            let below = below.unwrap_or_default();
            return (Place::StandardLibrary, below.strip_prefix("lib-dynload/").unwrap_or(below));
        }
        (last, rest) = (name, below);
    }
    (Place::Elsewhere, path)
}

fn is_version(minor: &str) -> bool {
    let digits = minor.strip_suffix('t').unwrap_or(minor);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `python312.zip`, as embedded builds have it.
fn is_zipped_library(name: &str) -> bool {
    let digits = name.strip_prefix("python3").and_then(|rest| rest.strip_suffix(".zip"));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `myapp.models` of `myapp/models.py`, `myapp` of `myapp/__init__.py`, `_x` of `_x.cpython-312-x86_64-linux-gnu.so`.
fn dotted(path: &str) -> String {
    let path = path.trim_start_matches(['.', '/']);
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.split('.').next().unwrap_or(file);
    match (folder, stem) {
        ("", stem) => stem.to_string(),
        (folder, "__init__") => folder.replace('/', "."),
        (folder, stem) => format!("{}.{stem}", folder.replace('/', ".")),
    }
}

/// Globs over dotted names, each with everything below it.
pub(super) fn module_globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern)?);
        set.add(Glob::new(&format!("{pattern}.*"))?);
        if let Some(package) = pattern.strip_suffix(".*") {
            set.add(Glob::new(package)?);
        }
    }
    set.build()
}

impl Owner {
    /// It is the application's, or may be: it is shown first, and fails a build.
    pub fn may_be_application(&self) -> bool {
        matches!(self, Owner::Application | Owner::Unknown)
    }
}

/// As a page writes it.
impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Application => f.write_str("application"),
            Owner::Unknown => f.write_str("not known"),
            Owner::Package(name) => write!(f, "package {name}"),
            Owner::StandardLibrary => f.write_str("standard library"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::{LoopPath, PathStep};
    use crate::findings::testing;

    fn owner_of(path: &str) -> String {
        Ownership::default().of_file(path).map_or("?".to_string(), |owner| owner.to_string())
    }

    #[test]
    fn a_path_tells_whose_the_code_is() {
        let table = [
            ("/home/me/shop/app.py", "application"),
            ("app.py", "application"),
            ("/usr/lib/python3.11/json/decoder.py", "standard library"),
            ("/usr/lib64/python3.13t/json/decoder.py", "standard library"),
            (
                "/opt/pyenv/versions/3.8.18/lib/python3.8/lib-dynload/_json.cpython-38-x86_64-linux-gnu.so",
                "standard library",
            ),
            ("/venv/lib/python3.12/site-packages/flask/app.py", "package flask"),
            ("/venv/lib/python3.12/site-packages/six.py", "package six"),
            ("/usr/lib/python3/dist-packages/apt/cache.py", "package apt"),
            (r"C:\Python312\Lib\asyncio\events.py", "standard library"),
            (r"C:\Users\me\venv\Lib\site-packages\attr\_make.py", "package attr"),
            ("/app/python312.zip/json/__init__.py", "standard library"),
            ("/home/me/lib/python-tools/x.py", "application"),
            ("<frozen importlib._bootstrap>", "standard library"),
            ("<string>", "?"),
            ("", "?"),
        ];
        for (path, owner) in table {
            assert_eq!(owner_of(path), owner, "{path}");
        }
    }

    #[test]
    fn what_is_named_as_own_is_the_applications_wherever_it_is_installed() {
        let own = Ownership::new(&["shop".to_string()]).unwrap();
        let of = |path: &str| own.of_file(path).unwrap().to_string();
        assert_eq!(of("/venv/lib/python3.12/site-packages/shop/models/order.py"), "application");
        assert_eq!(of("/venv/lib/python3.12/site-packages/shop/__init__.py"), "application");
        assert_eq!(of("/venv/lib/python3.12/site-packages/shopping/x.py"), "package shopping");
    }

    #[test]
    fn one_member_of_the_application_makes_the_loop_the_applications() {
        let mut group = testing::parent_and_child();
        group.site.clear();
        group.member_files = vec!["/usr/lib/python3.11/logging/__init__.py".to_string()];
        assert_eq!(Ownership::default().of_loop(&group, true), Owner::StandardLibrary);
        group.member_files.push("/srv/app.py".to_string());
        assert_eq!(Ownership::default().of_loop(&group, true), Owner::Application);
    }

    #[test]
    fn an_entry_of_a_librarys_container_may_be_anybodys() {
        let library = Some("/usr/lib/python3.13/collections/__init__.py".to_string());
        let mut group = testing::parent_and_child();
        group.step_files = vec![library.clone(), library];
        assert_eq!(Ownership::default().of_cut(&group, &[]), None);
        assert_eq!(Ownership::default().of_cut(&group, &[1]), Some(Owner::StandardLibrary));
        group.path.steps[0].slot = ".parent".to_string();
        assert_eq!(Ownership::default().of_cut(&group, &[]), Some(Owner::StandardLibrary));
    }

    #[test]
    fn what_nobody_is_known_to_have_made_may_be_the_applications() {
        let mut group = testing::parent_and_child();
        (group.site, group.lacks_maker) = (Vec::new(), true);
        let of = |group: &LoopGroup| Ownership::default().of_loop(group, false);
        group.member_files = vec!["/usr/lib/python3.13/collections/__init__.py".to_string()];
        assert_eq!(of(&group), Owner::Unknown);
        assert!(of(&group).may_be_application());
        group.member_files.push("/srv/app.py".to_string());
        assert_eq!(of(&group), Owner::Application);
        group.member_files.clear();
        assert_eq!(of(&group), Owner::Unknown);
    }

    #[test]
    fn what_pytest_keeps_of_an_exception_is_not_the_tests() {
        let step = |type_name: &str| PathStep { label: "x".into(), type_name: type_name.into(), slot: ".x".into() };
        let mut group = testing::parent_and_child();
        group.member_files = vec!["/srv/tests/test_app.py".to_string()];
        let own = Ownership::default();
        let pytests = ["_pytest._code.code.ExceptionInfo", "traceback", "frame"];
        group.path = LoopPath { steps: pytests.map(step).to_vec() };
        assert_eq!(own.of_loop(&group, true), Owner::Package("_pytest".to_string()));
        group.path.steps.push(step("app.Session"));
        assert_eq!(own.of_loop(&group, true), Owner::Application);
        group.path = LoopPath { steps: ["traceback", "frame", "ValueError"].map(step).to_vec() };
        assert_eq!(own.of_loop(&group, true), Owner::Application);
        group.path.steps[1].label = "frame _multicall".to_string();
        group.member_types.insert("_pytest.runner.CallInfo".to_string(), 1);
        assert_eq!(own.of_loop(&group, true), Owner::Package("_pytest".to_string()));
    }

    #[test]
    fn standard_objects_made_by_the_application_are_the_applications() {
        let mut group = testing::parent_and_child();
        group.member_files = vec!["/usr/lib/python3.11/logging/__init__.py".to_string()];
        assert_eq!(Ownership::default().of_loop(&group, true), Owner::StandardLibrary);
        // Made under `python -c`.
        group.member_files.push("<string>".to_string());
        assert_eq!(Ownership::default().of_loop(&group, true), Owner::Application);
        group.member_files.clear();
        assert_eq!(Ownership::default().of_loop(&group, true), Owner::Application);
        group.site[0].path = "/usr/lib/python3.11/logging/__init__.py".to_string();
        assert_eq!(Ownership::default().of_loop(&group, true), Owner::StandardLibrary);
    }

    #[test]
    fn without_files_and_stacks_the_names_of_the_types_decide() {
        let group = |type_name: &str| {
            let mut group = testing::parent_and_child();
            let step = PathStep { label: "X".into(), type_name: type_name.into(), slot: ".x".into() };
            (group.path, group.site, group.member_files) = (LoopPath { steps: vec![step] }, Vec::new(), Vec::new());
            group.member_types.clear();
            group
        };
        let of = |name: &str, stacks: bool| Ownership::default().of_loop(&group(name), stacks);
        assert_eq!(of("app.Order", true), Owner::Application);
        assert_eq!(of("__main__.Order", true), Owner::Application);
        assert_eq!(of("collections.OrderedDict", true), Owner::StandardLibrary);
        // A list that nobody's code made belongs to the interpreter, if code is known at all.
        assert_eq!(of("list", true), Owner::StandardLibrary);
        assert_eq!(of("list", false), Owner::Application);
        assert_eq!(of("asyncio.events.Handle", false), Owner::StandardLibrary);
        let mut of_c = group("collections.deque");
        of_c.types.of_c.insert("collections.deque".into());
        assert_eq!(Ownership::default().of_loop(&of_c, true), Owner::StandardLibrary);
        assert_eq!(Ownership::default().of_loop(&of_c, false), Owner::Application);
    }
}
