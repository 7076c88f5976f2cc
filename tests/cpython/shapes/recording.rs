//! What the harness measured and described of one shape, and the events that a recorder would write for it.

use std::collections::{BTreeMap, VecDeque};

use refloop::overhead::class::Classes;
use refloop::overhead::layout::{InstanceDict, places_for};
use refloop::overhead::savings::instance_dict;
use refloop::overhead::{Layout, Profile, Profiler};
use refloop::trace::{
    Births, DictState, Ending, Event, Events, Frees, Header, Numbers, ObjectFlags, Position, References, Scope, SiteId,
    Slot, Tag, TextDef, TextId, TraceError, TypeDef, TypeFlags, TypeId, TypeRef,
};
use serde_json::Value;

/// One line of the harness.
pub(super) struct Measured {
    pub shape: String,
    /// Requested bytes of an instance, or what went wrong.
    pub bytes: Result<f64, String>,
    pub result: Value,
    types: Vec<TypeDef>,
    kinds: Vec<Kind>,
}

struct Kind {
    class: u32,
    state: DictState,
    capacity: u32,
    text: bool,
    names: Vec<String>,
    inline: u64,
    items: u64,
    owned: u64,
    weakref: bool,
    count: u64,
}

/// What the model says of a shape.
pub(super) struct Predicted {
    pub profile: Profile,
    /// Requested bytes of an instance.
    pub bytes: f64,
    /// Instances and requested bytes of blocks that slots do not touch, by type.
    pub types: BTreeMap<u32, (f64, f64)>,
}

impl Measured {
    pub(super) fn parse(line: &str) -> Measured {
        let value: Value = serde_json::from_str(line).expect("the harness writes JSON");
        let shape = value["shape"].as_str().unwrap_or_default().to_owned();
        if let Some(error) = value["error"].as_str() {
            return Measured {
                shape,
                bytes: Err(error.to_owned()),
                result: Value::Null,
                types: Vec::new(),
                kinds: Vec::new(),
            };
        }
        let list = |key: &str| value[key].as_array().cloned().unwrap_or_default();
        Measured {
            shape,
            bytes: Ok(value["bytes"].as_f64().expect("a number")),
            result: value["result"].clone(),
            types: list("types").iter().map(type_def).collect(),
            kinds: list("kinds").iter().map(kind).collect(),
        }
    }

    /// What the model makes of the description. Instances are as many as it needs to know the shares of each kind.
    pub(super) fn predict(&self, version: &str) -> Predicted {
        let divisor = self.kinds.iter().fold(0, |divisor, kind| gcd(divisor, kind.count)).max(1);
        let total: u64 = self.kinds.iter().map(|kind| kind.count / divisor).sum();
        self.play(version, divisor, 200_u64.div_ceil(total))
    }

    /// As `predict`, with each instance that was described.
    pub(super) fn predict_each(&self, version: &str) -> Predicted {
        self.play(version, 1, 1)
    }

    /// The classes, as the harness described them.
    pub(super) fn types(&self) -> &[TypeDef] {
        &self.types
    }

    fn play(&self, version: &str, divisor: u64, scale: u64) -> Predicted {
        let layout = Layout::named(version).expect("a known version");
        let classes = Classes::new(&self.types.iter().cloned().collect());
        let mut script = Script::new(version, &self.types);
        let mut types: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        let (mut bytes, mut instances) = (0, 0);
        for kind in &self.kinds {
            let class = classes.get(TypeId(kind.class)).expect("a described type");
            let build = classes.build(class, layout).unwrap_or_else(|| panic!("{}: {:?}", self.shape, class.def));
            let dict = match instance_dict(kind.state, kind.capacity) {
                InstanceDict::Combined { .. } => {
                    InstanceDict::Combined { places: places_for(u64::from(kind.capacity)), text_keys: kind.text }
                }
                dict => dict,
            };
            let mut blocks = layout.instance(&build, kind.inline, dict);
            blocks.object = layout.object_bytes(&build, kind.items, kind.inline);
            let count = kind.count / divisor * scale;
            for _ in 0..count {
                script.instance(kind, &blocks);
            }
            bytes += (blocks.requested() + kind.owned) * count;
            instances += count;
            let sums = types.entry(kind.class).or_default();
            sums.0 += count as f64;
            sums.1 += (kind.owned * count) as f64;
        }
        let mut profiler = Profiler::new();
        let replayed = refloop::heap::replay(&mut script.finish(), &mut profiler, &mut |_| {});
        assert!(replayed.error.is_none(), "{:?}", replayed.error);
        let profile = profiler.finish(&replayed.heap);
        assert_eq!(profile.coverage.missing_bytes(), 0, "{}: the table adds up to the heap", self.shape);
        assert_eq!(profile.coverage.listed_bytes, bytes, "{}", self.shape);
        let instances = instances as f64;
        for sums in types.values_mut() {
            *sums = (sums.0 / instances, sums.1 / instances);
        }
        Predicted { profile, bytes: bytes as f64 / instances, types }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn type_def(value: &Value) -> TypeDef {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| value[key].as_u64().unwrap_or_default();
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let flags = [
        ("gc", TypeFlags::GC),
        ("heap", TypeFlags::HEAP),
        ("dict", TypeFlags::DICT),
        ("weakref", TypeFlags::WEAKREF),
        ("managed_dict", TypeFlags::MANAGED_DICT),
        ("managed_weakref", TypeFlags::MANAGED_WEAKREF),
        ("inline", TypeFlags::INLINE_VALUES),
        ("exception", TypeFlags::EXCEPTION),
    ];
    let flags = flags.iter().filter(|(key, _)| value[*key] == Value::Bool(true));
    let extra = value["extra"].as_array().into_iter().flatten().map(strings);
    TypeDef {
        id: number("id") as u32,
        name: text("name"),
        size: number("size"),
        item_size: number("item_size"),
        flags: flags.fold(TypeFlags::default(), |all, (_, flag)| all.with(*flag)),
        bases: value["bases"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .map(|id| TypeRef::Id(TypeId(id as u32)))
            .collect(),
        metaclass: value["metaclass"].as_str().map(str::to_owned),
        slots: value["slots"].is_array().then(|| strings(&value["slots"])),
        shared_keys: value["keys"].as_u64().map(|keys| keys as u32),
        defines: strings(&value["defines"]),
        file: text("file"),
        extra: extra.map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        ..TypeDef::default()
    }
}

fn kind(value: &Value) -> Kind {
    let number = |key: &str| value[key].as_u64().unwrap_or_default();
    let state = match value["state"].as_str() {
        Some("inline") => DictState::Inline,
        Some("split") => DictState::Split,
        Some("combined") => DictState::Combined,
        Some("detached") => DictState::Detached,
        _ => DictState::None,
    };
    Kind {
        class: number("type") as u32,
        state,
        capacity: number("capacity") as u32,
        text: value["text"] != Value::Bool(false),
        names: value["names"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        inline: number("inline"),
        items: number("items"),
        owned: number("owned"),
        weakref: value["weakref"] == Value::Bool(true),
        count: number("count"),
    }
}

/// The events of a recording with one full checkpoint.
struct Script {
    header: Header,
    events: VecDeque<Event>,
    walk: Vec<Event>,
    texts: BTreeMap<String, TextId>,
    next: u64,
    n_events: u64,
}

const DICT: u32 = 1_000_000;
const MODULE: u32 = 1_000_001;
const VALUE: Tag = Tag(16);

impl Script {
    fn new(version: &str, types: &[TypeDef]) -> Script {
        let header = Header {
            version: 1,
            runtime: format!("cpython-{version}"),
            pointer: 8,
            references: References::Checkpoints,
            frees: Frees::Recorded,
            births: Births::All,
            numbers: Numbers::Tags,
            extra: Vec::new(),
        };
        let mut events: VecDeque<Event> = types.iter().map(|def| Event::Type(Box::new(def.clone()))).collect();
        let flags = TypeFlags::GC;
        let dict = TypeDef { id: DICT, name: "dict".to_owned(), size: 48, flags, ..TypeDef::default() };
        events.push_back(Event::Type(Box::new(dict)));
        let mut script = Script { header, events, walk: Vec::new(), texts: BTreeMap::new(), next: 32, n_events: 0 };
        script.alloc(VALUE, TypeId::UNKNOWN, 0);
        script.walk.push(Event::Count { object: VALUE, count: 1, flags: ObjectFlags::IMMORTAL });
        // Real recordings have objects with a dict in them, whatever the shape.
        let flags = TypeFlags::DICT;
        let module = TypeDef { id: MODULE, name: "module".to_owned(), flags, ..TypeDef::default() };
        script.events.push_back(Event::Type(Box::new(module)));
        let object = script.tag();
        script.alloc(object, TypeId(MODULE), 0);
        script.walk.push(Event::Count { object, count: 1, flags: ObjectFlags::IMMORTAL });
        script.walk.push(Event::Dict { object, state: DictState::Combined, capacity: 5 });
        script
    }

    fn alloc(&mut self, object: Tag, class: TypeId, bytes: u64) {
        self.events.push_back(Event::Alloc { object, address: object.0, class, bytes, site: SiteId::NONE });
    }

    fn slot(&mut self, text: String) -> Slot {
        if let Some(id) = self.texts.get(&text) {
            return Slot::text(*id);
        }
        let id = TextId(self.texts.len() as u32 + 1);
        self.events.push_back(Event::Text(Box::new(TextDef { id, text: text.clone() })));
        self.texts.insert(text, id);
        Slot::text(id)
    }

    fn tag(&mut self) -> Tag {
        self.next += 16;
        Tag(self.next)
    }

    fn instance(&mut self, kind: &Kind, blocks: &refloop::overhead::layout::Blocks) {
        let object = self.tag();
        self.alloc(object, TypeId(kind.class), blocks.object);
        let flags = if kind.weakref { ObjectFlags::WEAKLY_REFERENCED } else { ObjectFlags::default() };
        let values = if blocks.dict == 0 { blocks.values } else { 0 };
        self.walk.push(Event::Count { object, count: 1, flags });
        self.walk.push(Event::Owns { object, bytes: values + kind.owned });
        self.walk.push(Event::Dict { object, state: kind.state, capacity: kind.capacity });
        if blocks.dict == 0 {
            for name in &kind.names {
                let slot = self.slot(format!(".{name}"));
                self.walk.push(Event::Ref { from: object, to: VALUE, slot });
            }
            return;
        }
        let dict = self.tag();
        self.alloc(dict, TypeId(DICT), blocks.dict);
        let slot = self.slot(".__dict__".to_owned());
        self.walk.push(Event::Ref { from: object, to: dict, slot });
        self.walk.push(Event::Count { object: dict, count: 1, flags: ObjectFlags::default() });
        self.walk.push(Event::Owns { object: dict, bytes: blocks.keys + blocks.values });
        for name in &kind.names {
            let slot = self.slot(format!("['{name}']"));
            self.walk.push(Event::Ref { from: dict, to: VALUE, slot });
        }
    }

    fn finish(mut self) -> Script {
        self.events.push_back(Event::Walk(Scope::Full));
        self.events.extend(std::mem::take(&mut self.walk));
        self.events.extend([Event::Checkpoint(Scope::Full), Event::End]);
        self
    }
}

impl Events for Script {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        self.n_events += 1;
        Ok(self.events.pop_front())
    }

    fn position(&self) -> Position {
        Position { line: None, byte: self.n_events }
    }

    fn ending(&self) -> Ending {
        Ending::Complete
    }
}
