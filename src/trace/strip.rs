//! Takes a program's data out of a trace: the arguments of its command, the name of its host, and the keys of its dicts.
//!
//! A key that is the name of an attribute stays, for it is the program's text: one in the dict of an instance, a class or a
//! module, or in the globals of a function. A dict may be described before that is known of it, so a trace is read twice.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::{Ending, Event, Events, Header, Player, Position, Slot, Tag, TextId, TraceError};

/// What stands for a key, and for what follows it.
const HIDDEN: &str = "['…']";
/// What holds a dict of attributes.
const OWNERS: [&str; 2] = [".__dict__", ".__globals__"];

/// The keys of a trace that are names of attributes.
#[derive(Debug, Default)]
pub struct AttributeNames(HashSet<TextId, FixedState>);

impl AttributeNames {
    /// Reads a trace, up to its end or its first error. Memory is proportional to the live dicts and their keys.
    pub fn of(events: &mut dyn Events) -> AttributeNames {
        let mut search = Search::default();
        while let Ok(true) = events.play(&mut search, 1 << 16) {}
        AttributeNames(search.names)
    }
}

/// What is known so far.
#[derive(Debug, Default)]
struct Search {
    names: HashSet<TextId, FixedState>,
    keys: HashSet<TextId, FixedState>,
    owners: HashSet<TextId, FixedState>,
    dicts: HashMap<Tag, Dict, FixedState>,
}

/// An object that has keys, or holds attributes.
#[derive(Debug)]
enum Dict {
    OfAttributes,
    /// The keys that were met so far.
    Unknown(HashSet<TextId, FixedState>),
}

impl Player for Search {
    fn event(&mut self, event: Event) {
        if let Event::Text(text) = event {
            if is_key(&text.text) {
                self.keys.insert(text.id);
            } else if OWNERS.contains(&text.text.as_str()) {
                self.owners.insert(text.id);
            }
        } else if let Event::Ref { from, to, slot } = event {
            self.reference(from, to, slot);
        } else if let Event::Free { object } = event {
            self.free(object);
        }
    }

    fn reference(&mut self, from: Tag, to: Tag, slot: Slot) {
        let Some(name) = slot.as_text() else { return };
        if self.keys.contains(&name) {
            match self.dicts.entry(from).or_insert_with(|| Dict::Unknown(HashSet::default())) {
                Dict::OfAttributes => self.names.insert(name),
                Dict::Unknown(met) => met.insert(name),
            };
        } else if self.owners.contains(&name)
            && let Some(Dict::Unknown(met)) = self.dicts.insert(to, Dict::OfAttributes)
        {
            self.names.extend(met);
        }
    }

    fn free(&mut self, object: Tag) {
        self.dicts.remove(&object);
    }
}

/// A key, also one behind an attribute: `.items['key']`.
fn is_key(text: &str) -> bool {
    text.starts_with("['") || text.starts_with('.') && text.contains("['")
}

/// A trace without the data of its program.
pub struct Stripped {
    events: Box<dyn Events>,
    header: Header,
    names: AttributeNames,
}

impl Stripped {
    /// `events` are those of the trace whose `names` were read.
    pub fn new(events: Box<dyn Events>, names: AttributeNames) -> Stripped {
        let mut header = events.header().clone();
        header.extra.retain(|(key, _)| key != "host");
        for (key, value) in &mut header.extra {
            if key == "argv" {
                *value = without_arguments(value);
            }
        }
        Stripped { events, header, names }
    }
}

/// `python …`
fn without_arguments(command: &str) -> String {
    match command.split_once(' ') {
        Some((program, _)) => format!("{program} …"),
        None => command.to_string(),
    }
}

impl Events for Stripped {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        let mut event = self.events.next_event()?;
        if let Some(Event::Text(text)) = &mut event
            && is_key(&text.text)
            && !self.names.0.contains(&text.id)
        {
            let start = text.text.find("['").unwrap_or_default();
            text.text.replace_range(start.., HIDDEN);
        }
        Ok(event)
    }

    fn position(&self) -> Position {
        self.events.position()
    }

    fn length(&self) -> Option<u64> {
        self.events.length()
    }

    fn ending(&self) -> Ending {
        self.events.ending()
    }
}

#[cfg(test)]
mod tests {
    use super::{AttributeNames, Stripped};
    use crate::trace::formats::open_bytes;
    use crate::trace::{Event, Events};

    const TRACE: &str = "\
reftrace 1 runtime=x references=checkpoints host=db7 argv=\"python app.py --key s3cret\"
type 1 app.A
type 2 dict
walk full
alloc 1 1 40
alloc 2 2 40
alloc 3 2 40
count 2 1
ref 2 3 ['cache']
count 1 1
ref 1 2 .__dict__
count 3 1
ref 3 1 ['s3cret']
ref 1 3 .by_name['s3cret']
ref 3 2 ['cache']
checkpoint full
free 2
alloc 2 2 40
walk full
count 2 1
ref 2 2 ['user']
checkpoint full
";

    #[test]
    fn keys_stay_only_where_they_name_an_attribute() {
        let open = || open_bytes(TRACE.as_bytes().to_vec()).unwrap();
        let names = AttributeNames::of(open().as_mut());
        let mut stripped = Stripped::new(open(), names);
        assert_eq!(stripped.header().extra, [("argv".to_string(), "python …".to_string())]);
        let mut texts = Vec::new();
        while let Some(event) = stripped.next_event().unwrap() {
            if let Event::Text(text) = event {
                texts.push(text.text);
            }
        }
        texts.retain(|text| text.starts_with('[') || text.starts_with('.'));
        assert_eq!(texts, ["['cache']", ".__dict__", "['…']", ".by_name['…']", "['…']"]);
    }
}
