//! What the walk needs to know of a class, worked out once per walk: where its instances begin and end, what they hold
//! where, and which of CPython's own containers they are.

use super::abi::Abi;
use super::memory::{GC_HEAD, byte, c_string, flag, half, signed, size_of, ty, type_flags, word};

/// The built-in container that an object is, or is an instance of a subclass of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plain,
    List,
    Tuple,
    Dict,
    OrderedDict,
    Set,
    Deque,
    ByteArray,
    Array,
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
pub enum Place {
    Nowhere,
    /// At this offset; a negative one counts from the end (variable-size classes before 3.11).
    At(isize),
    /// In front of the object, where its version has it.
    Managed,
}

/// Bytes of a class that C code declares: about, for it is no block of the heap.
const STATIC_TYPE: usize = 416;

/// A named field: offset and label.
pub type Field = (usize, u32);

#[derive(Debug)]
pub struct Class {
    pub address: usize,
    /// The trace's number of it.
    pub number: u32,
    pub flags: usize,
    pub kind: Kind,
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
    /// Slots of the Python classes, and fields of the C class below them.
    pub slots: Vec<Field>,
    pub fields: Vec<Field>,
    /// Labels of the attributes in the order of the shared key table, as far as they were needed.
    pub attributes: Vec<u32>,
}

impl Class {
    pub fn is_heap(&self) -> bool {
        self.flags & flag::HEAP_TYPE != 0
    }

    /// Bytes in front of `object` in its block, and whether the collector knows it.
    pub unsafe fn head(&self, abi: &Abi, object: usize) -> (usize, bool) {
        let gc = if self.asks_is_gc {
            unsafe { abi.is_gc(object, self.address, self.flags) }
        } else {
            self.flags & flag::HAVE_GC != 0
        };
        (self.pre_head + if gc { GC_HEAD } else { 0 }, gc)
    }

    /// Bytes from the object's own address to its end.
    pub unsafe fn body(&self, abi: &Abi, object: usize) -> usize {
        unsafe {
            if self.flags & flag::UNICODE_SUBCLASS != 0 {
                return self.text_body(abi, object);
            }
            if self.kind == Kind::Type && type_flags(object) & flag::HEAP_TYPE == 0 {
                return STATIC_TYPE;
            }
            let mut body = self.basic_size;
            if self.item_size != 0 {
                let is_int = self.flags & flag::LONG_SUBCLASS != 0;
                let items = match self.kind {
                    _ if is_int && abi.layout.minor >= 12 => (word(object + 16) >> 3).max(1),
                    _ if is_int && abi.layout.minor == 11 => size_of(object).unsigned_abs().max(1),
                    // They are allocated with so many items, and then use the place of `ob_size` for something else.
                    Kind::Generator | Kind::Frame if abi.layout.minor >= 11 => abi.frame_slots(object, self.kind),
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
            if self.flags & flag::INLINE_VALUES != 0 && abi.layout.minor >= 13 {
                let capacity = usize::from(byte(object + self.basic_size));
                body += 8 + 8 * capacity + capacity.next_multiple_of(8);
            }
            body
        }
    }

    unsafe fn text_body(&self, abi: &Abi, text: usize) -> usize {
        unsafe {
            let state = half(text + 32).cast_unsigned();
            if state & 1 << 5 == 0 {
                return self.basic_size; // not compact: the text is in a block of its own
            }
            let start = if state & 1 << 6 != 0 { abi.layout.ascii_data } else { abi.layout.compact_data };
            let kind = (state >> 2 & 7).clamp(1, 4) as usize;
            start + (signed(text + 16).max(0).cast_unsigned() + 1) * kind
        }
    }
}

/// Which traversal belongs to which container.
#[derive(Debug)]
pub struct Kinds {
    traversals: Vec<(usize, Kind)>,
}

impl Kinds {
    pub unsafe fn new(abi: &Abi) -> Kinds {
        let known = [
            (abi.ordered_dict, Kind::OrderedDict),
            (abi.list, Kind::List),
            (abi.tuple, Kind::Tuple),
            (abi.dict, Kind::Dict),
            (abi.set, Kind::Set),
            (abi.function, Kind::Function),
            (abi.method, Kind::Method),
            (abi.c_function, Kind::CFunction),
            (abi.cell, Kind::Cell),
            (abi.module, Kind::Module),
            (abi.type_type, Kind::Type),
            (abi.frame, Kind::Frame),
            (abi.generator, Kind::Generator),
            (abi.coroutine, Kind::Generator),
            (abi.async_generator, Kind::Generator),
            (abi.weak_reference, Kind::WeakReference),
        ];
        Kinds { traversals: known.map(|(class, kind)| (unsafe { word(class + ty::TRAVERSE) }, kind)).to_vec() }
    }

    /// The container that instances of `class` are: what the nearest base that is one says.
    pub unsafe fn of(&self, abi: &Abi, class: usize) -> Kind {
        unsafe {
            if type_flags(class) & flag::EXCEPTION_SUBCLASS != 0 {
                return Kind::Exception;
            }
            for base in chain(class) {
                let traverse = word(base + ty::TRAVERSE);
                if let Some(&(_, kind)) = self.traversals.iter().find(|&&(known, _)| known == traverse && known != 0) {
                    return kind;
                }
                if base == abi.code {
                    return Kind::Code;
                }
                if base == abi.byte_array {
                    return Kind::ByteArray;
                }
                if !made_in_python(abi, base) {
                    match c_string(word(base + ty::NAME)) {
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

/// `class`, its `tp_base`, and so on.
pub unsafe fn chain(class: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(class), |&class| {
        let base = unsafe { word(class + ty::BASE) };
        (base != 0).then_some(base)
    })
}

/// Was the class made by a class statement (or `type()`), not by C code? Then its `tp_name` is the text of its name object.
pub unsafe fn made_in_python(abi: &Abi, class: usize) -> bool {
    const HT_NAME_BEFORE_QUALNAME: usize = 16;
    unsafe {
        if type_flags(class) & flag::HEAP_TYPE == 0 {
            return false;
        }
        let name = word(class + abi.layout.type_qualname - HT_NAME_BEFORE_QUALNAME);
        let text = word(class + ty::NAME);
        let ascii = name != 0 && half(name + 32) & 1 << 6 != 0;
        // Without ASCII it is the UTF-8 form that the name object keeps, behind that form's length.
        name != 0 && text == if ascii { name + abi.layout.ascii_data } else { word(name + abi.layout.ascii_data + 8) }
    }
}

/// `tp_members` of a class that hold an object: offset and name.
pub unsafe fn object_members<'a>(class: usize) -> Vec<(usize, &'a [u8])> {
    /// `T_OBJECT`, `T_OBJECT_EX`
    const OBJECTS: [i32; 2] = [6, 16];
    const MEMBER: usize = 40;
    let mut found = Vec::new();
    unsafe {
        let mut member = word(class + ty::MEMBERS);
        while member != 0 && word(member) != 0 {
            if OBJECTS.contains(&half(member + 8)) {
                found.push((word(member + 16), c_string(word(member))));
            }
            member += MEMBER;
        }
    }
    found
}

/// Where the instance dict and the weak references of instances of `class` are.
pub unsafe fn places(abi: &Abi, class: usize) -> (Place, Place) {
    let flags = unsafe { type_flags(class) };
    let at = |offset: usize| match unsafe { signed(class + offset) } {
        0 => Place::Nowhere,
        offset => Place::At(offset),
    };
    let dict =
        if abi.layout.minor >= 11 && flags & flag::MANAGED_DICT != 0 { Place::Managed } else { at(ty::DICT_OFFSET) };
    let weak = if abi.layout.minor >= 12 && flags & flag::MANAGED_WEAKREF != 0 {
        Place::Managed
    } else {
        at(ty::WEAKLIST_OFFSET)
    };
    (dict, weak)
}
