"""Measures class shapes and describes them as a recorder would, from raw memory.

Arguments: `describe`, `measure` or `keep`; files, each a shape with `make(i)`, `NAMES` and perhaps `use(o)`. Each runs in a process of its own,
forked before anything of a shape was imported; with `keep` all run in this one, and what they made stays alive to its end. Writes one JSON object a
line to standard output.

Nothing here may touch `__dict__`, `vars`, `dir` or `copy` of an instance: that alone changes what is measured.
"""
import ctypes
import dis
import gc
import json
import os
import sys
import tracemalloc
import weakref

FIRST, LAST = 2_000, 10_000
# Instances described, from FIRST on: the shapes repeat themselves after some 10.
SEEN = 600
# Instances of each shape that `keep` makes. The first of a class have more room than it shows.
EARLY, KEPT = 120, 200
MINOR = sys.version_info[1]
GC, HEAP, MANAGED_DICT, MANAGED_WEAKREF, INLINE = 1 << 14, 1 << 9, 1 << 4, 1 << 3, 1 << 2
CACHED_KEYS = {8: 872, 9: 864, 10: 872, 11: 872, 12: 880, 13: 880, 14: 880, 15: 888}[MINOR]
EVERY_CLASS = {"__module__", "__qualname__", "__dict__", "__weakref__", "__doc__", "__firstlineno__", "__static_attributes__", "__slots__"}


NO_METHODS = {"__new__", "__init_subclass__", "__class_getitem__"}
WEAK = {"weakref", "_weakref", "WeakMethod", "WeakSet", "WeakKeyDictionary", "WeakValueDictionary"}
PERHAPS_WEAK = {"ref": weakref.ref, "proxy": weakref.proxy, "finalize": weakref.finalize}
# Names of the classes that instances of a class had before, or were given.
EXCHANGED = {}


def word(address):
    return ctypes.c_ssize_t.from_address(address).value


def byte(address):
    return ctypes.c_ubyte.from_address(address).value


def object_at(address):
    return ctypes.cast(address, ctypes.py_object).value


def flags_of(cls):
    return ctypes.c_size_t.from_address(id(cls) + 168).value


class Keys:
    """A key table."""

    def __init__(self, address):
        if MINOR <= 10:
            self.size, self.usable, self.entries = word(address + 8), word(address + 24), word(address + 32)
            self.text, self.head, self.entry, self.key = True, 40, 24, 8
        else:
            self.size, self.usable, self.entries = 1 << byte(address + 8), word(address + 16), word(address + 24)
            self.text = byte(address + 10) != 0
            self.head, self.entry, self.key = 32, 16 if self.text else 24, 0 if self.text else 8
        self.address = address
        self.room = self.usable + self.entries

    def names(self):
        index = self.size * (1 if self.size <= 128 else 2)
        first = self.address + self.head + index + self.key
        return [object_at(word(first + self.entry * i)) for i in range(self.entries)]


def room_for_values(values, keys):
    if MINOR <= 10:
        return keys.room
    if MINOR >= 13:
        return byte(values)
    # The byte before the values, the next multiple of 8 of their number and two, bounds what early instances have.
    prefix = byte(values - 1)
    return min(max(keys.room, prefix - 9), prefix - 2)


def state_of_dict(address, state):
    """State, capacity, text keys, names of a dict object."""
    keys, values = Keys(word(address + 32)), word(address + 40)
    names = tuple(str(key) for key in object_at(address))
    if values:
        return (state if MINOR > 10 else "split", room_for_values(values, keys), True, names)
    return ("combined", keys.room, keys.text, names)


def set_names(values, keys):
    return tuple(name for i, name in enumerate(keys.names()) if word(values + 8 * i))


def dict_state(o, cls, flags):
    """As `state_of_dict`; and the capacity of the values inside the object, if it has them there."""
    at = id(o)
    nothing = ("none", 0, True, ())
    if flags & MANAGED_DICT and MINOR >= 11:
        keys = word(id(cls) + CACHED_KEYS)
        if MINOR == 11:
            values, dict_at = word(at - 32), word(at - 24)
        elif MINOR == 12:
            tagged = word(at - 24)
            values, dict_at = (tagged + 1, 0) if tagged & 1 else (0, tagged)
        else:
            values, dict_at = 0, word(at - 24)
        if flags & INLINE and MINOR >= 13:
            inside = at + cls.__basicsize__
            capacity = byte(inside)
            if dict_at:
                state = "split" if word(dict_at + 40) == inside else "detached"
                return state_of_dict(dict_at, state) + (capacity,)
            if byte(inside + 3):
                return ("inline", capacity, True, set_names(inside + 8, Keys(keys)), capacity)
            return nothing + (capacity,)
        if dict_at:
            return state_of_dict(dict_at, "split") + (0,)
        if values:
            table = Keys(keys)
            return ("inline", room_for_values(values, table), True, set_names(values, table), 0)
        return nothing + (0,)
    offset = cls.__dictoffset__
    if offset == 0:
        return nothing + (0,)
    if offset < 0:
        size = cls.__basicsize__ + cls.__itemsize__ * abs(word(at + 16))
        offset += (size + 7) & ~7
    dict_at = word(at + offset)
    return (state_of_dict(dict_at, "split") if dict_at else nothing) + (0,)


def dict_address(o, cls, flags):
    """The dict object of an instance, or 0."""
    if flags & MANAGED_DICT and MINOR >= 11:
        address = word(id(o) - 24)
        return 0 if MINOR == 12 and address & 1 else address
    return word(id(o) + cls.__dictoffset__) if cls.__dictoffset__ > 0 else 0


def remember_exchange(o, cls, flags):
    """Remembers the class whose keys the instance's dict shares, if it is not its own."""
    address = dict_address(o, cls, flags)
    keys = word(address + 32) if address and word(address + 40) else 0
    if not keys or keys == word(id(cls) + CACHED_KEYS):
        return
    for other in vars(sys.modules[cls.__module__]).values():
        if isinstance(other, type) and flags_of(other) & HEAP and word(id(other) + CACHED_KEYS) == keys:
            for one, name in ((cls, full_name(other)), (other, full_name(cls))):
                names = EXCHANGED.setdefault(one, [])
                if name not in names:
                    names.append(name)


def weakly_referenced(o, cls, flags):
    if flags & MANAGED_WEAKREF and MINOR >= 12:
        return word(id(o) - 32) != 0
    return cls.__weakrefoffset__ > 0 and word(id(o) + cls.__weakrefoffset__) != 0


def function_of(value):
    for name in ("__func__", "fget", "fset", "fdel", "func"):
        value = getattr(value, name, None) or value
    return value if hasattr(value, "__code__") else None


def stores_of(code):
    """Attributes that the code sets on its first argument."""
    found, before = [], None
    for now in dis.get_instructions(code):
        if now.opname == "STORE_ATTR" and last_loaded(before) == 0:
            found.append(now.argval)
        before = now
    return found


def last_loaded(instruction):
    """Number of the local variable that the instruction puts on the stack last."""
    if instruction.opname in ("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW", "STORE_FAST_LOAD_FAST"):
        return instruction.arg & 15
    return instruction.arg if instruction.opname.startswith("LOAD_FAST") else None


def stores_class(code):
    return any(i.opname == "STORE_ATTR" and i.argval == "__class__" for i in dis.get_instructions(code))


def owned_bytes(o):
    """Separate blocks that are no attributes."""
    if isinstance(o, str):
        return len(o) + 1
    if isinstance(o, dict):
        keys = Keys(word(id(o) + 32))
        if keys.size >= 8:
            return keys.head + keys.size + keys.entry * (keys.usable + keys.entries)
    return 0


def full_name(cls):
    module = cls.__module__
    return cls.__qualname__ if module == "builtins" else "%s.%s" % (module, cls.__qualname__)


def describe_type(cls, number):
    own = cls.__dict__
    flags = flags_of(cls)
    mangle = lambda n: "_%s%s" % (cls.__name__.lstrip("_"), n) if n.startswith("__") and not n.endswith("__") else n
    slots = own.get("__slots__")
    if slots is not None:
        slots = [mangle(s) for s in ([slots] if isinstance(slots, str) else slots)]
    extra, module, meta = [], cls.__module__, type(cls)
    names = [n for n in own if n not in EVERY_CLASS and n not in (slots or ())]
    kinds = {"functions": [], "properties": [], "cached": [], "class_cell": [], "reads_dict": [], "weakrefs": []}
    stored = []
    for name in names:
        value = own[name]
        if type(value).__name__ == "cached_property":
            kinds["cached"].append(name)
        elif hasattr(type(value), "__set__"):
            kinds["properties"].append(name)
        elif hasattr(type(value), "__get__"):
            kinds["functions"].append(name)
        function = function_of(value)
        if function is not None:
            code = function.__code__
            if type(value) not in (classmethod, staticmethod) and name not in NO_METHODS:
                stored += stores_of(code)
            if "__class__" in code.co_freevars:
                kinds["class_cell"].append(name)
            if "__dict__" in code.co_names or "vars" in code.co_names:
                kinds["reads_dict"].append(name)
            known = [n for n, part in PERHAPS_WEAK.items() if function.__globals__.get(n) is part]
            if (WEAK | set(known)) & set(code.co_names):
                kinds["weakrefs"].append(name)
    if "__dataclass_params__" in own:
        params = own["__dataclass_params__"]
        words = [p for p in ("frozen", "order", "unsafe_hash", "kw_only", "slots", "weakref_slot") if getattr(params, p, False)]
        words += ["no_" + p for p in ("init", "repr", "eq", "match_args") if not getattr(params, p, True)]
        init = own.get("__init__")
        if type(init).__name__ == "function" and init.__code__.co_filename != "<string>":
            words.append("own_init")
        extra.append(("dataclass", ",".join(words or ["plain"])))
        fields = [f.name for f in own["__dataclass_fields__"].values() if f._field_type.name == "_FIELD"]
        extra.append(("fields", ",".join(fields)))
    extra += [(key, ",".join(value)) for key, value in kinds.items() if value]
    if cls in EXCHANGED:
        extra.append(("exchanged", ",".join(EXCHANGED[cls])))
    neighbours = [f for f in vars(sys.modules.get(module, object)).values() if type(f).__name__ == "function" and f.__module__ == module]
    if flags & HEAP:
        reads = [f.__name__ for f in neighbours if {"__dict__", "vars"} & set(f.__code__.co_names)]
        sets = [f.__name__ for f in neighbours if stores_class(f.__code__)]
        extra += [(key, ",".join(value)) for key, value in (("module_reads_dict", reads), ("module_sets_class", sets)) if value]
    static = stored + list(own.get("__static_attributes__", ()))
    if flags & HEAP and "__module__" in own:
        extra.append(("static", ",".join(sorted(set(static)))))
    keys = word(id(cls) + CACHED_KEYS) if flags & HEAP else 0
    return {
        "id": number[cls],
        "name": full_name(cls),
        "size": cls.__basicsize__,
        "item_size": cls.__itemsize__,
        "gc": bool(flags & GC),
        "heap": bool(flags & HEAP),
        "dict": cls.__dictoffset__ != 0,
        "weakref": cls.__weakrefoffset__ != 0,
        "managed_dict": MINOR >= 11 and bool(flags & MANAGED_DICT),
        "managed_weakref": MINOR >= 12 and bool(flags & MANAGED_WEAKREF),
        "inline": MINOR >= 13 and bool(flags & INLINE),
        "exception": issubclass(cls, BaseException),
        "bases": [number[base] for base in cls.__bases__],
        "metaclass": None if meta is type else "%s.%s" % (meta.__module__, meta.__name__),
        "slots": slots,
        "keys": Keys(keys).room if keys else None,
        "defines": names if flags & HEAP else list(own),
        "file": getattr(sys.modules.get(module), "__file__", None) or "",
        "extra": extra,
    }


def describe(keep):
    number, kinds = {}, {}
    for o in keep:
        cls = type(o)
        if cls not in number:
            for ancestor in cls.__mro__:
                number.setdefault(ancestor, len(number) + 1)
        flags = flags_of(cls)
        if cls.__module__ in sys.modules:
            remember_exchange(o, cls, flags)
        items = abs(word(id(o) + 16)) if cls.__itemsize__ else 0
        if cls.__itemsize__ and issubclass(cls, int):
            items = items if MINOR < 12 else max(1, word(id(o) + 16) >> 3)
        kind = (number[cls],) + dict_state(o, cls, flags) + (items, owned_bytes(o), weakly_referenced(o, cls, flags))
        kinds[kind] = kinds.get(kind, 0) + 1
    for cls in list(number):
        for sub in cls.__mro__:
            number.setdefault(sub, len(number) + 1)
    fields = ("type", "state", "capacity", "text", "names", "inline", "items", "owned", "weakref", "count")
    return [describe_type(cls, number) for cls in number], [dict(zip(fields, k + (n,))) for k, n in kinds.items()]


def run(path, describes):
    name = os.path.basename(path)[:-3]
    sys.path.insert(0, os.path.dirname(path))
    shape = __import__(name)
    make, keep = shape.make, [None] * LAST
    gc.disable()
    tracemalloc.start()
    for i in range(FIRST):
        keep[i] = make(i)
    i = None
    before = tracemalloc.get_traced_memory()[0]
    for i in range(FIRST, LAST):
        keep[i] = make(i)
    i = None
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    lag = getattr(shape, "LAG", 0)
    types, kinds = describe(keep[FIRST - lag : FIRST - lag + SEEN]) if describes else ([], [])
    if any(weakly_referenced(o, type(o), flags_of(type(o))) for o in keep[:1]):
        # Weak references are taken of the first one only.
        kinds = [dict(kind, weakref=True) for kind in kinds]
    result = []
    for o in keep[:3] + keep[FIRST : FIRST + 20] + keep[-3:]:
        row = [repr(getattr(o, n, "no value")) for n in shape.NAMES]
        row.append(repr(shape.use(o)) if hasattr(shape, "use") else None)
        result.append(row)
    return {
        "shape": name,
        "bytes": (after - before) / (LAST - FIRST),
        "types": types,
        "kinds": kinds,
        "result": result,
    }


def keep_all(paths):
    """All shapes in one process; each answer describes every live instance of the shape's classes."""
    kept = {}
    for path in paths:
        name = os.path.basename(path)[:-3]
        sys.path.insert(0, os.path.dirname(path))
        try:
            make = __import__(name).make
            kept[name] = [make(i) for i in range(EARLY + KEPT)]
            del kept[name][1:EARLY]
        except BaseException as error:
            print(json.dumps({"shape": name, "error": "%s: %s" % (type(error).__name__, error)}))
    of_type = {}
    for o in sum(kept.values(), []) + gc.get_objects():
        if getattr(sys.modules.get(type(o).__module__), "make", None):
            of_type.setdefault(type(o), {})[id(o)] = o
    for name, keep in kept.items():
        classes = dict.fromkeys(type(o) for o in keep)
        types, kinds = describe([o for cls in classes for o in of_type[cls].values()])
        print(json.dumps({"shape": name, "bytes": 0.0, "types": types, "kinds": kinds, "result": []}))
    return kept


def main():
    if sys.argv[1] == "keep":
        return keep_all(sys.argv[2:])
    for path in sys.argv[2:]:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                answer = run(path, sys.argv[1] == "describe")
            except BaseException as error:
                answer = {"shape": os.path.basename(path)[:-3], "error": "%s: %s" % (type(error).__name__, error)}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


KEPT_ALIVE = main()
