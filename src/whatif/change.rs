//! Names a reference to change, as reports name it: `Line.order`, `Order.items[*]`, `closure variable x`, `local e of f`.

use std::fmt;

use crate::cycles::PathStep;
use crate::heap::label::last_part;

/// References that read the same, and that are to be weak; of a frame: to be gone as soon as nothing runs it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// As it was asked for.
    text: String,
    pub(super) holder: Holder,
    /// From the holder on, each through a built-in container; the last one is the reference itself. Never empty.
    pub(super) hops: Vec<Hop>,
}

/// Which objects have the reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Holder {
    /// Instances of the class of this name, and of those derived from it: the full name, or the end of it.
    Instance(String),
    /// Objects with this label: `method done`, `class Point`, `module app`.
    Label(String),
    /// Functions, of this name or of any: the last part of it.
    Function(Option<String>),
    /// Frames of the function of this name: the last part of it.
    Frame(String),
}

/// The dict of an instance, which stands for it, as a place on the way.
pub(super) const DICT: usize = usize::MAX;

/// One reference on the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Hop {
    /// Of this name: `.items`, `['key']`, `key`, `local e`.
    Slot(String),
    /// At whatever index or key: `[*]`.
    Item,
}

impl Change {
    /// `Line.order`, `Order.items[*]`, `deque[*]`, `closure variable x of f`, `local e of f`, `frame f: local e`; the error
    /// says what was expected.
    pub fn parse(text: &str) -> Result<Change, String> {
        let text = text.trim();
        let of = |holder, hops| Change { text: text.to_string(), holder, hops };
        if let Some(rest) = text.strip_prefix("closure variable ") {
            let (name, function) = rest.split_once(" of ").map_or((rest, None), |(name, of)| (name, Some(of)));
            return Ok(Change::closure(text, name, function));
        }
        if let Some((name, function)) = text.strip_prefix("local ").and_then(|rest| rest.split_once(" of ")) {
            return Ok(Change::local(text, function, &format!("local {name}")));
        }
        if let Some((label, slot)) = text.split_once(": ") {
            return Change::of_label(text, label, None, slot).ok_or_else(|| expected(text));
        }
        let end = text.find(['[', ' ']).unwrap_or(text.len());
        let is_label = text[end..].starts_with(' ') && ![" key", " element"].iter().any(|item| text.ends_with(item));
        let end = if is_label { text.find('[').unwrap_or(text.len()) } else { end };
        let begin = text[..end].rfind('.').unwrap_or(end);
        let (holder, hops) = (&text[..begin], hops(&text[begin..]));
        let is_whole = !holder.is_empty() && hops.iter().all(|hop| *hop != Hop::Slot(".".to_string()));
        match hops.is_empty() || !is_whole {
            true => Err(expected(text)),
            false if holder.contains(' ') => Ok(of(Holder::Label(holder.to_string()), hops)),
            false => Ok(of(Holder::Instance(holder.to_string()), hops)),
        }
    }

    /// The local variable of a function, as `handle.error`: gone when nothing runs the frame any more.
    pub fn parse_local(text: &str) -> Result<Change, String> {
        match text.trim().rsplit_once('.') {
            Some((function, name)) if !function.is_empty() && !name.is_empty() => {
                Ok(Change::local(&format!("local {name} of {function}"), function, &format!("local {name}")))
            }
            _ => Err(format!("{text}: expected a function and its variable, such as handle.error")),
        }
    }

    /// The reference that a step of a loop's path stands for; `before` is the step that leads to it. `None` where it has no
    /// name.
    pub fn of_step(step: &PathStep, before: &PathStep) -> Option<Change> {
        let function = |step: &PathStep| step.label.strip_prefix("function ").map(str::to_string);
        let name = step.label.strip_prefix("cell ").filter(|_| step.type_name == "cell");
        if let Some((name, function)) = name.map(|name| (name, function(before))) {
            return Some(Change::closure(&in_words(name, function.as_deref()), name, function.as_deref()));
        }
        if let Some((_, name)) = step.slot.rsplit_once("cell ").filter(|_| step.type_name == "function") {
            let function = function(step);
            return Some(Change::closure(&in_words(name, function.as_deref()), name, function.as_deref()));
        }
        let apart = if step.slot.starts_with(['.', '[']) { "" } else { ": " };
        let text = format!("{}{apart}{}", step.label, step.slot.trim());
        Change::of_label(&text, &step.label, Some(&step.type_name), step.slot.trim())
    }

    fn closure(text: &str, name: &str, function: Option<&str>) -> Change {
        let function = function.map(|name| last_part(name).to_string());
        let hops = [".__closure__".to_string(), format!("cell {name}")].map(Hop::Slot);
        Change { text: text.to_string(), holder: Holder::Function(function), hops: hops.into() }
    }

    /// `slot`: `local e`; or `cell e`, of a variable that inner functions use.
    fn local(text: &str, function: &str, slot: &str) -> Change {
        let mut hops = vec![Hop::Slot(slot.to_string())];
        hops.extend(slot.starts_with("cell ").then(|| Hop::Slot(".cell_contents".to_string())));
        Change { text: text.to_string(), holder: Holder::Frame(last_part(function).to_string()), hops }
    }

    /// The reference `slot` of objects with this label.
    fn of_label(text: &str, label: &str, type_name: Option<&str>, slot: &str) -> Option<Change> {
        if let Some(function) = label.strip_prefix("frame ") {
            let variable = ["local ", "cell "].iter().any(|kind| slot.starts_with(kind));
            return variable.then(|| Change::local(text, function, slot));
        }
        let hops = hops(slot);
        let holder = match type_name {
            Some(type_name) if last_part(type_name) == label => Holder::Instance(type_name.to_string()),
            None if !label.contains(' ') => Holder::Instance(label.to_string()),
            _ => Holder::Label(label.to_string()),
        };
        (!hops.is_empty()).then(|| Change { text: text.to_string(), holder, hops })
    }

    /// What has the reference, as it was asked for.
    pub fn holder(&self) -> &str {
        match &self.holder {
            Holder::Instance(name) | Holder::Label(name) | Holder::Frame(name) => name,
            Holder::Function(name) => name.as_deref().unwrap_or("function"),
        }
    }

    /// The name of the reference itself: `.order`.
    pub(super) fn last(&self) -> &str {
        match self.hops.first() {
            Some(Hop::Slot(name)) if !matches!(self.holder, Holder::Function(_)) => name,
            _ => &self.text,
        }
    }

    /// Whether the reference that leads on from there is the changed one: `at` hops from the holder, or its dict.
    pub(super) fn is_last(&self, at: usize) -> bool {
        self.hops.len() == if at == DICT { 1 } else { at + 1 }
    }

    pub(super) fn is_of_a_class(&self) -> bool {
        matches!(self.holder, Holder::Instance(_))
    }

    /// The reference is taken away where it has done its work, rather than made weak.
    pub fn is_dropped(&self) -> bool {
        matches!(self.holder, Holder::Frame(_))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Hop {
    /// As a slot writes it.
    pub(super) fn text(&self) -> &str {
        match self {
            Hop::Slot(name) => name,
            Hop::Item => "[*]",
        }
    }

    /// Whether the reference of a slot with this text is this one.
    pub(super) fn matches(&self, slot: &str) -> bool {
        match self {
            Hop::Slot(name) => name == slot,
            Hop::Item => slot.starts_with('['),
        }
    }
}

fn expected(text: &str) -> String {
    format!("{text}: expected a reference as reports name it, such as Line.order, Order.items[*] or closure variable x")
}

fn in_words(variable: &str, function: Option<&str>) -> String {
    let of = function.map(|function| format!(" of {function}")).unwrap_or_default();
    format!("closure variable {variable}{of}")
}

/// `.items[*]` is two hops, `.watchers element` as well.
pub(super) fn hops(slot: &str) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut rest = slot.trim();
    while !rest.is_empty() {
        let end = match rest.starts_with('[') {
            true => rest.find(']').map_or(rest.len(), |end| end + 1),
            false => rest[1..].find(['.', '[']).map_or(rest.len(), |end| end + 1),
        };
        let item = [" key", " element"].iter().find(|item| rest[..end].ends_with(*item) && end > item.len());
        let hop = &rest[..end - item.map_or(0, |item| item.len())];
        hops.push(if hop == "[*]" { Hop::Item } else { Hop::Slot(hop.to_string()) });
        hops.extend(item.map(|item| Hop::Slot(item.trim().to_string())));
        rest = rest[end..].trim_start();
    }
    hops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        match Change::parse(text) {
            Ok(change) => format!("{:?} {:?}", change.holder, change.hops),
            Err(error) => error,
        }
    }

    #[test]
    fn references_are_named_as_reports_name_them() {
        insta::assert_snapshot!(
            [
                "Line.order", "app.Line.order", "Order.items[*]", "Hub.by_name['x']", "deque[*]", "Hub.watchers element",
                "deque element", "method done.__self__", "class Point.cache[*]", "closure variable x", "closure variable x of f",
                "local e of f", "frame f: local e", "frame f: cell e", "Order.__dict__[*]", "Order", ".order", "Order."
            ]
            .map(|text| format!("{text}  →  {}", parsed(text)))
            .join("\n"),
            @r#"
        Line.order  →  Instance("Line") [Slot(".order")]
        app.Line.order  →  Instance("app.Line") [Slot(".order")]
        Order.items[*]  →  Instance("Order") [Slot(".items"), Item]
        Hub.by_name['x']  →  Instance("Hub") [Slot(".by_name"), Slot("['x']")]
        deque[*]  →  Instance("deque") [Item]
        Hub.watchers element  →  Instance("Hub") [Slot(".watchers"), Slot("element")]
        deque element  →  Instance("deque") [Slot("element")]
        method done.__self__  →  Label("method done") [Slot(".__self__")]
        class Point.cache[*]  →  Label("class Point") [Slot(".cache"), Item]
        closure variable x  →  Function(None) [Slot(".__closure__"), Slot("cell x")]
        closure variable x of f  →  Function(Some("f")) [Slot(".__closure__"), Slot("cell x")]
        local e of f  →  Frame("f") [Slot("local e")]
        frame f: local e  →  Frame("f") [Slot("local e")]
        frame f: cell e  →  Frame("f") [Slot("cell e"), Slot(".cell_contents")]
        Order.__dict__[*]  →  Instance("Order") [Slot(".__dict__"), Item]
        Order  →  Order: expected a reference as reports name it, such as Line.order, Order.items[*] or closure variable x
        .order  →  .order: expected a reference as reports name it, such as Line.order, Order.items[*] or closure variable x
        Order.  →  Order.: expected a reference as reports name it, such as Line.order, Order.items[*] or closure variable x
        "#
        );
    }

    #[test]
    fn a_step_of_a_path_is_a_reference() {
        let step = |label: &str, type_name: &str, slot: &str| PathStep {
            label: label.to_string(),
            type_name: type_name.to_string(),
            slot: slot.to_string(),
        };
        let before = step("function cb", "function", "");
        let of = |step: &PathStep| Change::of_step(step, &before).map(|change| change.to_string());
        let steps = [
            step("Line", "app.Line", ".order"),
            step("cell self", "cell", ""),
            step("frame run", "frame", "local error"),
            step("generator run", "generator", ""),
        ];
        let expected = ["Line.order", "closure variable self of cb", "frame run: local error"];
        assert_eq!(
            steps.each_ref().map(of),
            [Some(expected[0]), Some(expected[1]), Some(expected[2]), None].map(|text| text.map(str::to_string))
        );
        assert_eq!(
            Change::of_step(&steps[0], &before).map(|change| change.holder),
            Some(Holder::Instance("app.Line".to_string()))
        );
    }
}
