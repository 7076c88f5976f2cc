//! Works out what the walk needs to know of a class, once per walk: where its instances begin and end, what they hold
//! where, and which of CPython's own containers they are.

use crate::cpython::class::{chain, made_in_python};
use crate::cpython::frame::Holder;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{GC_HEAD, c_string, flag, signed, size_of, ty, type_flags, word};
use crate::cpython::versions::{CodeForm, PreHeader, Values};
use crate::cpython::{dict, integer, text};
use crate::layouts::HidingType;
use crate::layouts::buffers::{self, Layout};

/// The built-in container that an object is, or is an instance of a subclass of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    List,
    Tuple,
    Dict,
    OrderedDict,
    Set,
    Deque,
    ByteArray,
    Array,
    /// Of a type of C code whose own memory is read by its layout.
    Buffer(Layout),
    Function,
    Method,
    CFunction,
    Cell,
    Module,
    Type,
    Frame,
    Generator,
    Code,
    Exception,
    WeakReference,
    LruCache,
    Future,
}

/// Where the pointer to something optional of an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Nowhere,
    /// At this offset; a negative one counts from the end (variable-size classes before 3.11).
    At(isize),
    /// In front of the object, where its version has it.
    Managed,
}

/// A named field: offset and label.
pub(super) type Field = (usize, u32);

#[derive(Debug)]
pub(super) struct Class {
    pub address: usize,
    /// The trace's number of it.
    pub number: u32,
    pub flags: usize,
    pub kind: Kind,
    pub hiding: HidingType,
    pub traverse: usize,
    pub basic_size: usize,
    pub item_size: isize,
    /// Bytes in front of the object, without the collector's head.
    pub pre_head: usize,
    /// Made by a class statement.
    pub in_python: bool,
    /// `tp_is_gc` has to be asked: of classes, for those of C code have no head of the collector. Any other object that
    /// denies that the collector knows it, as a greenlet does while it is suspended, has a head and stays in its list.
    pub asks_is_gc: bool,
    pub dict: Place,
    pub weak: Place,
    /// Its C code may hold references that it does not show.
    pub hides: bool,
    /// Slots of the Python classes, and fields of the C class below them.
    pub slots: Vec<Field>,
    pub fields: Vec<Field>,
    /// Labels of the attributes in the order of the shared key table, as far as they were needed.
    pub attributes: Vec<u32>,
}

impl Class {
    /// Of whatever could not be taken in, as memory was refused. It comes first in the list of classes.
    pub(super) const OPAQUE: Class = Class {
        address: 0,
        number: 0,
        flags: 0,
        kind: Kind::Plain,
        hiding: HidingType::Unknown,
        traverse: 0,
        basic_size: 0,
        item_size: 0,
        pre_head: 0,
        in_python: false,
        asks_is_gc: false,
        dict: Place::Nowhere,
        weak: Place::Nowhere,
        hides: false,
        slots: Vec::new(),
        fields: Vec::new(),
        attributes: Vec::new(),
    };

    pub(super) fn is_heap(&self) -> bool {
        self.flags & flag::HEAP_TYPE != 0
    }

    /// Whether an instance may refer to anything. What does not, as a text, is in no loop.
    pub(super) fn may_refer(&self) -> bool {
        self.flags & flag::HAVE_GC != 0
            || self.hides
            || self.hiding != HidingType::Unknown
            || self.dict != Place::Nowhere
    }

    /// Whether an instance may lead on to others, and is not what everything leads to.
    pub(super) fn may_lead(&self) -> bool {
        (self.flags & flag::HAVE_GC != 0 || self.hides) && !matches!(self.kind, Kind::Module | Kind::Type)
    }

    /// Bytes in front of `object` in its block, and whether the collector knows it.
    pub(super) unsafe fn head(&self, interpreter: &Interpreter, object: usize) -> (usize, bool) {
        let gc = if self.asks_is_gc {
            // SAFETY: as the caller promises, the class is ready and its instance alive.
            unsafe { interpreter.is_gc(object, self.address, self.flags) }
        } else {
            self.flags & flag::HAVE_GC != 0
        };
        (self.pre_head + if gc { GC_HEAD } else { 0 }, gc)
    }

    /// Bytes from the object's own address to its end, as they were asked of the allocator.
    pub(super) unsafe fn body(&self, interpreter: &Interpreter, object: usize) -> usize {
        // SAFETY: as the caller promises, the class is ready and its instance alive.
        unsafe {
            let values = match self.keys_of_inline_values(interpreter) {
                Some(keys) => dict::inline_values_bytes(interpreter.row, object + self.basic_size, keys),
                None => 0,
            };
            self.fields(interpreter, object) + values
        }
    }

    /// The same of so many next instances that are like this one, fewest and most.
    pub(super) unsafe fn body_to_come(
        &self,
        interpreter: &Interpreter,
        object: usize,
        births: usize,
    ) -> (usize, usize) {
        // SAFETY: as the caller promises, the class is ready and its instance alive.
        unsafe {
            let fields = self.fields(interpreter, object);
            let keys = self.keys_of_inline_values(interpreter);
            let (fewest, most) = keys.map_or((0, 0), |keys| dict::inline_values_to_come(interpreter.row, keys, births));
            (fields + fewest, fields + most)
        }
    }

    /// The table of keys that its instances share, if they have their values behind them.
    unsafe fn keys_of_inline_values(&self, interpreter: &Interpreter) -> Option<usize> {
        let is_inline = self.flags & flag::INLINE_VALUES != 0 && interpreter.row.values == Values::Inline;
        // SAFETY: as the caller promises, the class is ready; only heap types have the flag.
        is_inline.then(|| unsafe { word(self.address + interpreter.row.type_cached_keys) })
    }

    /// Bytes of its fields and items.
    unsafe fn fields(&self, interpreter: &Interpreter, object: usize) -> usize {
        // SAFETY: as the caller promises, the class is ready and its instance alive.
        unsafe {
            if self.flags & flag::UNICODE_SUBCLASS != 0 {
                return self.text_body(interpreter, object);
            }
            if self.kind == Kind::Type && type_flags(object) & flag::HEAP_TYPE == 0 {
                return interpreter.row.type_bytes; // about, for it is no block of the heap
            }
            let mut body = self.basic_size;
            if !self.in_python {
                body -= self.hiding.absent(object, self.basic_size);
            }
            if self.item_size != 0 {
                let is_int = self.flags & flag::LONG_SUBCLASS != 0;
                // They are allocated with so many items, and then use the place of `ob_size` for something else.
                let frames_are_inside = interpreter.row.code == CodeForm::Inline;
                let items = match self.kind {
                    _ if is_int => integer::room(interpreter.row, object),
                    Kind::Generator if frames_are_inside => interpreter.frame_slots(object, Holder::Generator),
                    Kind::Frame if frames_are_inside => interpreter.frame_slots(object, Holder::FrameObject),
                    _ => size_of(object).unsigned_abs(),
                };
                // `PyType_GenericAlloc` adds one item; `int` and `bytes` do not round up.
                let generic = self.in_python || self.kind == Kind::Type;
                let items = items.saturating_add(usize::from(generic));
                body = body.saturating_add(items.saturating_mul(self.item_size.unsigned_abs()));
                if generic || (!is_int && self.flags & flag::BYTES_SUBCLASS == 0) {
                    body = body.saturating_add(7) & !7;
                }
            }
            body
        }
    }

    unsafe fn text_body(&self, interpreter: &Interpreter, text: usize) -> usize {
        // SAFETY: as the caller promises, the class is ready and its instance alive.
        unsafe {
            let form = text::Form::of(text);
            if !form.compact {
                return self.basic_size; // the text is in a block of its own
            }
            form.start(interpreter.row) + (text::length(text) + 1) * form.width.clamp(1, 4)
        }
    }
}

/// Which traversal belongs to which container.
#[derive(Debug)]
pub(super) struct Kinds {
    traversals: Vec<(usize, Kind)>,
}

impl Kinds {
    pub(super) unsafe fn new(interpreter: &Interpreter) -> Kinds {
        let known = [
            (interpreter.ordered_dict, Kind::OrderedDict),
            (interpreter.list, Kind::List),
            (interpreter.tuple, Kind::Tuple),
            (interpreter.dict, Kind::Dict),
            (interpreter.set, Kind::Set),
            (interpreter.function, Kind::Function),
            (interpreter.method, Kind::Method),
            (interpreter.c_function, Kind::CFunction),
            (interpreter.cell, Kind::Cell),
            (interpreter.module, Kind::Module),
            (interpreter.type_type, Kind::Type),
            (interpreter.frame, Kind::Frame),
            (interpreter.generator, Kind::Generator),
            (interpreter.coroutine, Kind::Generator),
            (interpreter.async_generator, Kind::Generator),
            (interpreter.weak_reference, Kind::WeakReference),
        ];
        // SAFETY: as the caller promises, the class is ready and its instance alive.
        Kinds { traversals: known.map(|(class, kind)| (unsafe { word(class + ty::TRAVERSE) }, kind)).into() }
    }

    /// The container that instances of `class` are: what the nearest base that is one says.
    pub(super) unsafe fn of(&self, interpreter: &Interpreter, class: usize) -> Kind {
        // SAFETY: as the caller promises, the class is ready and its instance alive.
        unsafe {
            if type_flags(class) & flag::EXCEPTION_SUBCLASS != 0 {
                return Kind::Exception;
            }
            for base in chain(class) {
                let traverse = word(base + ty::TRAVERSE);
                if let Some(&(_, kind)) = self.traversals.iter().find(|&&(known, _)| known == traverse && known != 0) {
                    return kind;
                }
                if base == interpreter.code {
                    return Kind::Code;
                }
                if base == interpreter.byte_array {
                    return Kind::ByteArray;
                }
                if !made_in_python(interpreter, base) {
                    let name = c_string(word(base + ty::NAME));
                    if let Some(layout) = buffers::layout(interpreter, name) {
                        return Kind::Buffer(layout);
                    }
                    match name {
                        b"collections.deque" => return Kind::Deque,
                        b"array.array" => return Kind::Array,
                        b"functools._lru_cache_wrapper" => return Kind::LruCache,
                        b"_asyncio.Task" | b"_asyncio.Future" => return Kind::Future,
                        _ => {}
                    }
                }
            }
            Kind::Plain
        }
    }
}

/// C types of CPython that show all that they refer to, or refer to nothing.
const SHOW_ALL: [&[u8]; 34] = [
    b"object",
    b"int",
    b"str",
    b"bytes",
    b"float",
    b"complex",
    b"bool",
    b"NoneType",
    b"NotImplementedType",
    b"ellipsis",
    b"property",
    b"classmethod",
    b"staticmethod",
    b"getset_descriptor",
    b"member_descriptor",
    b"method_descriptor",
    b"wrapper_descriptor",
    b"classmethod_descriptor",
    b"method-wrapper",
    b"mappingproxy",
    b"slice",
    b"range",
    b"super",
    b"traceback",
    b"types.GenericAlias",
    b"weakproxy",
    b"weakcallableproxy",
    b"weakref.ProxyType",
    b"weakref.CallableProxyType",
    b"decimal.Decimal",
    b"datetime.timedelta",
    b"datetime.date",
    b"_thread.lock",
    b"_thread.RLock",
];

/// Whether instances may hold references that are not shown: what the nearest base of C code says.
pub(super) unsafe fn may_hide(interpreter: &Interpreter, class: &Class) -> bool {
    if class.kind != Kind::Plain || class.hiding.is_whole() {
        return false;
    }
    // SAFETY: as the caller promises, the class is ready.
    unsafe {
        let solid = chain(class.address).find(|&base| !made_in_python(interpreter, base));
        solid.is_some_and(|base| {
            let name = c_string(word(base + ty::NAME));
            !SHOW_ALL.contains(&name) && !is_number_of_numpy(base)
        })
    }
}

unsafe fn is_number_of_numpy(class: usize) -> bool {
    // SAFETY: as the caller promises, the class is ready.
    unsafe { chain(class).any(|base| matches!(c_string(word(base + ty::NAME)), b"numpy.number" | b"numpy.bool")) }
}

/// Where the instance dict and the weak references of instances of `class` are.
pub(super) unsafe fn places(interpreter: &Interpreter, class: usize) -> (Place, Place) {
    // SAFETY: as the caller promises, the class is ready and its instance alive.
    let (flags, form) = (unsafe { type_flags(class) }, interpreter.row.pre_header);
    // SAFETY: as the caller promises, the class is ready and its instance alive.
    let at = |offset: usize| match unsafe { signed(class + offset) } {
        0 => Place::Nowhere,
        offset => Place::At(offset),
    };
    let dict =
        if form != PreHeader::None && flags & flag::MANAGED_DICT != 0 { Place::Managed } else { at(ty::DICT_OFFSET) };
    let weak = if form == PreHeader::DictAndWeakReferences && flags & flag::MANAGED_WEAKREF != 0 {
        Place::Managed
    } else {
        at(ty::WEAKLIST_OFFSET)
    };
    (dict, weak)
}
