//! Puts the items of a dump together: a walk of the heap without counts, with the variables as roots.
//!
//! The keys are those that `meminfo_zval_dump` and `meminfo_hash_dump` of php-meminfo write (`extension/meminfo.c`, for
//! PHP 7 and 8; before, `extension/php7/meminfo.c`).

use struson::reader::{JsonReader, ValueType};

use super::super::dump::Dump;
use super::super::hexadecimal::hexadecimal;
use super::super::json::{Json, JsonParser, Problem, number};
use super::super::reader::Pending;
use crate::trace::{Scope, Slot};

/// Takes a dump, one item a step. Memory is that of the items, and of the references to those that are yet to come.
#[derive(Default)]
pub(super) struct Parser {
    dump: Dump,
    part: Part,
}

/// Where in the document the next step is.
#[derive(Clone, Copy, Default)]
enum Part {
    #[default]
    Start,
    Top,
    Items,
}

/// What is said of an item before its children.
#[derive(Default)]
struct Item {
    kind: String,
    class: String,
    bytes: u64,
    symbol: String,
    frame: Option<String>,
    children: Vec<(Slot, u64)>,
}

impl JsonParser for Parser {
    fn step(&mut self, json: &mut Json, out: &mut Pending) -> Result<bool, Problem> {
        match self.part {
            Part::Start => {
                self.dump.begin(Scope::Full, out);
                json.begin_object()?;
                self.part = Part::Top;
            }
            Part::Top if json.has_next()? => match json.next_name()? {
                "items" => {
                    json.begin_object()?;
                    self.part = Part::Items;
                }
                _ => json.skip_value()?,
            },
            Part::Top => {
                json.end_object()?;
                self.dump.finish(Scope::Full, false, out);
                return Ok(false);
            }
            Part::Items if json.has_next()? => self.item(json, out)?,
            Part::Items => {
                json.end_object()?;
                self.part = Part::Top;
            }
        }
        Ok(true)
    }
}

impl Parser {
    fn item(&mut self, json: &mut Json, out: &mut Pending) -> Result<(), Problem> {
        let address = address(json.next_name()?).ok_or(("item", "an address"))?;
        let mut item = Item::default();
        json.begin_object()?;
        while json.has_next()? {
            match json.next_name()? {
                "type" => item.kind = json.next_string()?,
                "size" => item.bytes = size(json)?,
                "class" => item.class = json.next_string()?,
                "symbol_name" => item.symbol = json.next_string()?,
                "frame" => item.frame = Some(json.next_string()?),
                "children" => self.children(&mut item, json, out)?,
                _ => json.skip_value()?,
            }
        }
        json.end_object()?;
        let name = if item.class.is_empty() { &item.kind } else { &item.class };
        let class = self.dump.names.class(name.as_bytes(), out);
        if !self.dump.object(address, class, item.bytes, out) {
            return Err(("item", "each address once").into());
        }
        if let Some(frame) = &item.frame {
            self.dump.root(address, root(frame, &item.symbol).as_bytes(), out);
        }
        for (slot, to) in item.children {
            self.dump.reference(address, to, slot, out);
        }
        Ok(())
    }

    /// A child of an object has the name of its property, another one its key.
    fn children(&mut self, item: &mut Item, json: &mut Json, out: &mut Pending) -> Result<(), Problem> {
        json.begin_object()?;
        while json.has_next()? {
            let key = json.next_name()?;
            let slot = match key.parse() {
                _ if item.kind == "object" => self.dump.names.slot(format!(".{key}").as_bytes(), out),
                Ok(index) => Slot::index(index),
                Err(_) => self.dump.names.slot(format!("['{key}']").as_bytes(), out),
            };
            let to = address(json.next_str()?).ok_or(("child", "an address"))?;
            item.children.push((slot, to));
        }
        json.end_object()?;
        Ok(())
    }
}

fn address(text: &str) -> Option<u64> {
    hexadecimal(text.as_bytes()).filter(|(_, rest)| rest.is_empty()).map(|(address, _)| address)
}

/// A number, or a text that is one.
fn size(json: &mut Json) -> Result<u64, Problem> {
    const WHAT: (&str, &str) = ("size", "a whole number of bytes");
    match json.peek()? {
        ValueType::String => Ok(json.next_str()?.parse().map_err(|_| WHAT)?),
        _ => number(json, WHAT),
    }
}

/// The variable that an item is in, as the roots of other traces are called.
fn root(frame: &str, symbol: &str) -> String {
    let of_static = frame.strip_prefix("<STATIC_VARIABLE(").and_then(|rest| rest.strip_suffix(")>"));
    match (frame, of_static) {
        ("<GLOBAL>", _) => format!("global:{symbol}"),
        ("<CLASS_STATIC_MEMBER>", _) => format!("static:{symbol}"),
        (_, Some(function)) => format!("static:{function}.{}", symbol.trim_start_matches('$')),
        _ => format!("local:{frame}.{symbol}"),
    }
}
