//! Finds the files that say whose a member of a loop is.
//!
//! A function, frame or class is at home in its own file, whoever made it. Anything else is at home where its class is
//! defined, and where it was made: in the innermost file of the stack. Generated code (`<string>`) is no file; what was
//! made by nothing but generated code, as under `python -c`, is at home in `<string>`.

use std::collections::BTreeSet;

use crate::cycles::StackFrame;
use crate::cycles::garbage::{LoopPath, PathStep};
use crate::heap::label::last_part;
use crate::heap::{Heap, ObjectIndex};
use crate::trace::{SiteId, TypeFlags};

/// Types of what functions and classes are made of: it is made by their own code.
const PARTS: [&str; 8] = [
    "cell",
    "tuple",
    "staticmethod",
    "classmethod",
    "property",
    "getset_descriptor",
    "member_descriptor",
    "wrapper_descriptor",
];

/// The files of its class, of its code, and of itself if it is a class.
pub(crate) fn of_kind(heap: &Heap, index: ObjectIndex) -> Vec<String> {
    let class = heap.types().get(heap.object(index).class);
    let files = [class.map(|def| def.file.as_str()), file_of_code(heap, index), file_of_class(heap, index)];
    files.into_iter().flatten().filter(|path| is_file(path)).map(str::to_string).collect()
}

/// The file of what a step of a path tells of an object: of the class that its attribute comes from, or of itself.
pub(crate) fn of_step(heap: &Heap, step: &PathStep, index: ObjectIndex) -> Option<String> {
    let mut bases = heap.types().lineage(heap.object(index).class).skip(1);
    let base = bases.find(|base| base.name == step.type_name).map(|base| base.file.clone());
    base.filter(|file| is_file(file)).or_else(|| of_kind(heap, index).into_iter().next())
}

/// Where it stands in the source: the code of a function, frame or generator, a class itself, else the class of it.
pub(crate) fn definition(heap: &Heap, index: ObjectIndex) -> Option<StackFrame> {
    let code = heap.code(index).and_then(|site| heap.sites().get(site));
    let place = match code {
        Some(site) => StackFrame {
            path: heap.text(site.path).to_string(),
            line: site.line,
            function: heap.text(site.function).to_string(),
        },
        None => {
            let class = heap.types().get(heap.object(index).class)?;
            let class = match class_name(heap, index) {
                Some(name) => heap.types().named(name).first()?,
                None => class,
            };
            StackFrame {
                path: class.file.clone(),
                line: class.words("line").next().and_then(|line| line.parse().ok()).unwrap_or(0),
                function: format!("class {}", last_part(&class.name)),
            }
        }
    };
    is_file(&place.path).then_some(place)
}

/// The file of the code that made it; nothing for what has a file of its own, or no known stack.
///
/// A class that no instance tells the file of is at home in its module, if a frame that made it lies there.
pub(crate) fn of_maker(heap: &Heap, index: ObjectIndex) -> Option<String> {
    if file_of_code(heap, index).is_some_and(is_file) || file_of_class(heap, index).is_some_and(is_file) {
        return None;
    }
    let site = heap.object(index).site;
    let stack = paths(heap, site);
    let of_module = match class_name(heap, index) {
        Some(name) if name.starts_with("__main__.") => stack.last().copied(),
        Some(name) => stack.iter().copied().find(|path| is_module_of(path, name)),
        None => None,
    };
    let file = of_module.or_else(|| innermost(&stack)).or_else(|| stack.first().copied());
    file.map(str::to_string)
}

/// Whether it has a file of its own, is a part of what has one, or a stack tells who made it.
pub(crate) fn knows_maker(heap: &Heap, index: ObjectIndex) -> bool {
    let object = heap.object(index);
    PARTS.contains(&heap.types().name(object.class))
        || file_of_code(heap, index).is_some_and(is_file)
        || file_of_class(heap, index).is_some_and(is_file)
        || !heap.sites().stack(object.site).is_empty()
}

/// Whether a loop leads through a class, or the namespace of functions whose file is known, and beside that through functions and
/// their parts alone. It would be one whatever else belongs to it, so it is at home where these are.
pub(crate) fn is_of_definitions(path: &LoopPath, files: &BTreeSet<String>) -> bool {
    let has_file = files.iter().any(|file| is_file(file));
    let is_class = |step: &PathStep| step.label.starts_with("class ");
    let is_code = |step: &PathStep| step.label.starts_with("function ") || PARTS.contains(&step.type_name.as_str());
    let is_definition = |step: &PathStep| is_class(step) || has_file && step.slot.starts_with(".__globals__");
    path.steps.iter().any(is_definition) && path.steps.iter().all(|step| is_definition(step) || is_code(step))
}

/// The innermost file of a stack.
pub(crate) fn innermost_file(heap: &Heap, site: SiteId) -> Option<String> {
    innermost(&paths(heap, site)).map(str::to_string)
}

/// The full name of an object that is a class.
pub(crate) fn class_name(heap: &Heap, index: ObjectIndex) -> Option<&str> {
    let class = heap.types().get(heap.object(index).class)?;
    heap.name(index).filter(|_| class.flags.has(TypeFlags::CLASS))
}

fn file_of_code(heap: &Heap, index: ObjectIndex) -> Option<&str> {
    heap.code(index).and_then(|site| heap.sites().get(site)).map(|site| heap.text(site.path))
}

fn file_of_class(heap: &Heap, index: ObjectIndex) -> Option<&str> {
    let name = class_name(heap, index)?;
    // A class of C may have the name of the one that it stands in for, as `functools.partial`.
    let mut files = heap.types().named(name).into_iter().map(|def| def.file.as_str());
    let first = files.next()?;
    Some(if is_file(first) { first } else { files.find(|file| is_file(file)).unwrap_or(first) })
}

fn paths(heap: &Heap, site: SiteId) -> Vec<&str> {
    let sites = heap.sites().stack(site).into_iter().filter_map(|site| heap.sites().get(site));
    sites.map(|site| heap.text(site.path)).collect()
}

fn innermost<'a>(stack: &[&'a str]) -> Option<&'a str> {
    stack.iter().copied().find(|path| is_file(path))
}

fn is_file(path: &str) -> bool {
    let is_known = ["<frozen ", "<ipython-input-"].iter().any(|known| path.starts_with(known));
    !path.is_empty() && (!path.starts_with('<') || is_known)
}

/// Whether `shop/models.py` may be the module of `shop.models.Order`. The folders above a package are not in the name.
fn is_module_of(path: &str, name: &str) -> bool {
    let path = path.replace('\\', "/");
    let path = path.strip_suffix(".py").unwrap_or(&path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    name.match_indices('.').any(|(dot, _)| {
        let module = name[..dot].replace('.', "/");
        path.strip_suffix(&module).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_known_by_the_end_of_its_path() {
        assert!(is_module_of("/srv/shop/models.py", "shop.models.Order"));
        assert!(is_module_of("/srv/shop/__init__.py", "shop.Order"));
        assert!(is_module_of("/srv/app.py", "app.make.<locals>.Made"));
        assert!(!is_module_of("/srv/workshop.py", "shop.Order"));
        assert!(!is_module_of("/usr/lib/python3.13/collections/__init__.py", "app.Point"));
    }
}
