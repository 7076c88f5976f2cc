//! Computes the fingerprint of a bug from the path of its loops.

use crate::cycles::garbage::{Fingerprint, LoopPath};

impl Fingerprint {
    /// The hash of each step's type name, label and slot, a zero byte after each. A class of the main module is called after its script: `shop.Order` where it is
    /// `__main__.Order` and of `/srv/shop.py`, so that what one script accepts is not accepted of another.
    ///
    /// The path is in canonical rotation already; nothing else of the loop, no address, no number enters. `files` has the
    /// file of each step, where it is known.
    pub fn of(path: &LoopPath, files: &[Option<String>]) -> Fingerprint {
        let texts = path.steps.iter().enumerate().flat_map(|(place, step)| {
            let file = files.get(place).and_then(Option::as_deref);
            let type_name = match (step.type_name.strip_prefix("__main__"), file.and_then(module)) {
                (Some(rest), Some(module)) => [module, rest],
                _ => [step.type_name.as_str(), ""],
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

/// `shop` of `/srv/shop.py`; `pkg` of `/srv/pkg/__main__.py`.
fn module(file: &str) -> Option<&str> {
    let path = file.strip_suffix(".py").unwrap_or(file);
    let path = path.strip_suffix("/__main__").unwrap_or(path);
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
}
