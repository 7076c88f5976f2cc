//! Computes the fingerprint of a bug from the path of its loops.

use crate::cycles::garbage::{Fingerprint, LoopPath};

impl Fingerprint {
    /// The hash of each step's type name, label and slot, a zero byte after each. A class of the main module is called after its
    /// script: `shop.Order` where it is `__main__.Order` and of `/srv/shop.py`, so that what one script accepts is not accepted of
    /// another. So is code, whose label has no module: `shop function` where it is a function of that file.
    ///
    /// The path is in canonical rotation already; nothing else of the loop, no address, no number enters. `files` has the
    /// file of each step, where it is known.
    pub fn of(path: &LoopPath, files: &[Option<String>]) -> Fingerprint {
        let texts = path.steps.iter().enumerate().flat_map(|(place, step)| {
            let file = files.get(place).and_then(Option::as_deref);
            let type_name = step.type_name.as_str();
            let module = file.and_then(module);
            let type_name = match (type_name.strip_prefix("__main__"), module) {
                (Some(rest), Some(module)) => [module, "", rest],
                (None, Some(module)) if CODE.contains(&type_name) => [module, " ", type_name],
                _ => [type_name, "", ""],
            };
            type_name.into_iter().chain(["\0", &step.label, "\0", &step.slot, "\0"])
        });
        Fingerprint::of_texts(texts)
    }

    /// FNV-1a, 64 bits (offset basis 0xcbf29ce484222325, prime 0x100000001b3), of the texts in UTF-8, one behind the other.
    pub fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Fingerprint {
        let bytes = texts.into_iter().flat_map(str::bytes);
        Fingerprint(
            bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }
}

/// Types whose label is the name of a function.
const CODE: [&str; 5] = ["function", "frame", "generator", "coroutine", "async_generator"];

/// `shop` of `/srv/shop.py`, `pkg` of `/srv/pkg/__main__.py` and of `__init__.py` there; `abc` of `<frozen abc>`, which another
/// CPython has in a file. A cell of a notebook has a file that is named anew with each change to it.
fn module(file: &str) -> Option<&str> {
    if file.contains("/ipykernel_") || file.contains("\\ipykernel_") {
        return None;
    }
    if let Some(frozen) = file.strip_prefix("<frozen ").and_then(|name| name.strip_suffix('>')) {
        return frozen.rsplit('.').next();
    }
    let path = file.strip_suffix(".py").unwrap_or(file);
    let path = ["/__main__", "/__init__"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty() && !name.starts_with('<'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::PathStep;

    #[test]
    fn a_fingerprint_is_fnv_1a_of_types_labels_and_slots() {
        assert_eq!(Fingerprint::of(&LoopPath { steps: vec![] }, &[]).to_string(), "cbf29ce484222325");
        let step = |label: &str, slot: &str| PathStep {
            label: label.to_string(),
            type_name: format!("app.{label}"),
            slot: slot.to_string(),
        };
        let path = LoopPath { steps: vec![step("Order", ".items[*]"), step("Line", ".order")] };
        // FNV-1a of "app.Order\0Order\0.items[*]\0app.Line\0Line\0.order\0", computed elsewhere.
        assert_eq!(Fingerprint::of(&path, &[]).to_string(), "db4dfb845669059f");
        let other = LoopPath { steps: vec![step("Order", ".items"), step("[*]Line", ".order")] };
        assert_ne!(Fingerprint::of(&path, &[]), Fingerprint::of(&other, &[]));
    }

    #[test]
    fn a_class_of_the_main_module_is_its_script_s() {
        let step = |module: &str| PathStep {
            label: "Order".to_string(),
            type_name: format!("{module}.Order"),
            slot: ".me".to_string(),
        };
        let of = |module: &str, file: &str| {
            Fingerprint::of(&LoopPath { steps: vec![step(module)] }, &[Some(file.to_string())])
        };
        assert_ne!(of("__main__", "/srv/a.py"), of("__main__", "/srv/b.py"));
        assert_eq!(of("__main__", "/srv/a.py"), of("__main__", "/home/me/a.py"));
        assert_eq!(of("__main__", "/srv/pkg/__main__.py"), of("pkg", "/srv/pkg/__init__.py"));
    }

    #[test]
    fn functions_of_one_name_are_those_of_their_files() {
        let of = |file: Option<&str>| {
            let step = PathStep {
                label: "function walk".to_string(),
                type_name: "function".to_string(),
                slot: "cell walk".to_string(),
            };
            Fingerprint::of(&LoopPath { steps: vec![step] }, &[file.map(str::to_string)])
        };
        assert_ne!(of(Some("/srv/a.py")), of(Some("/srv/b.py")));
        assert_ne!(of(Some("/srv/a.py")), of(None));
        assert_eq!(of(Some("/srv/a.py")), of(Some("/home/me/a.py")));
        assert_eq!(of(Some("/usr/lib/python3.8/abc.py")), of(Some("<frozen abc>")));
        assert_eq!(of(Some("<string>")), of(None));
        assert_eq!(of(Some("/tmp/ipykernel_4711/2001320438.py")), of(Some("<ipython-input-1-5c0a>")));
    }
}
