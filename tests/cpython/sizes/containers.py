"""Many objects of many sizes; says of each what `sys.getsizeof` does: address, fewest and most bytes, class."""

import array
import collections
import ctypes
import datetime
import fractions
import functools
import itertools
import operator
import random
import re
import sys
import types
import weakref
import xml.etree.ElementTree

kept = []
INLINE_VALUES = 1 << 2  # Py_TPFLAGS_INLINE_VALUES


def sizes(thing):
    """What `sys.getsizeof` says, with the values behind the object (3.13+), which it leaves out. The first instances of a
    class are allocated with room for one value more than they then say that they have."""
    told = sys.getsizeof(thing)
    if sys.version_info < (3, 13) or not type(thing).__flags__ & INLINE_VALUES:
        return told, told
    capacity = ctypes.c_ubyte.from_address(id(thing) + type(thing).__basicsize__).value
    return tuple(told + 8 + 8 * room + (room + 7) // 8 * 8 for room in (capacity, capacity + 1))


def keep(thing):
    kept.append(thing)
    return thing


class Listing(list):
    pass


class Mapping(dict):
    pass


class Ordered(collections.OrderedDict):
    pass


class Slotted:
    __slots__ = ("one", "two")


def of_length(n):
    """Containers of `n` elements, in the ways that lead to different capacities."""
    keep([None] * n)
    keep(list(range(1000, 1000 + n)))
    grown = keep([])
    for index in range(n):
        grown.append(index)
    keep(Listing(grown))
    keep(tuple(range(1000, 1000 + n)))
    keep({index: None for index in range(n)})
    keep({str(index): None for index in range(n)})
    keep(dict.fromkeys(range(n)))
    keep(Mapping({str(index): None for index in range(n)}))
    keep(collections.Counter({index: 1 for index in range(n)}))
    keep(collections.defaultdict(list, {index: 1 for index in range(n)}))
    shrunk = keep({index: None for index in range(2 * n + 1)})
    for index in range(n):
        del shrunk[index]
    for class_ in (collections.OrderedDict, Ordered):
        ordered = keep(class_((index, None) for index in range(n)))
        ordered = keep(class_((index, None) for index in range(2 * n + 1)))
        for _ in range(n):
            ordered.popitem(last=False)
    cleared = keep(collections.OrderedDict.fromkeys(range(n)))
    cleared.clear()
    keep(set(range(n)))
    keep(frozenset(range(n)))
    emptied = keep(set(range(n)))
    emptied.clear()
    keep(collections.deque(range(n)))
    turned = keep(collections.deque(range(2 * n + 1)))
    for _ in range(n):
        turned.popleft()
    bounded = keep(collections.deque(maxlen=n))
    bounded.extend(range(3 * n))
    keep(bytes(n))
    keep(bytearray(n))
    cut = keep(bytearray(2 * n + 1))
    del cut[n:]
    keep(array.array("b", bytes(n)))
    doubles = keep(array.array("d"))
    for index in range(n):
        doubles.append(index)
    keep("a" * n + "b")
    keep("é" * n + "b")
    keep("€" * n + "b")
    keep("🐍" * n + "b")
    keep((1 << 15 * n) - 1)
    keep(1 - (1 << 30 * n))
    keep(memoryview(bytes(n)))


def simple():
    """One object each of classes whose size is that of the class."""
    keep(1.5)
    keep(1j)
    keep(object())
    keep(Slotted())
    keep(range(10))
    keep(slice(1, 2, 3))
    keep(iter([]))
    keep(iter(()))
    keep(iter({}))
    keep({}.items())
    keep(enumerate([]))
    keep(zip([], []))
    keep(map(str, []))
    keep(itertools.count())
    keep(itertools.chain([]))
    keep(itertools.cycle([1]))
    keep(reversed([]))
    keep(simple)
    keep(len)
    keep([].append)
    keep(types.MethodType(simple, object()))
    keep(property(simple))
    keep(classmethod(simple))
    keep(staticmethod(simple))
    keep(functools.partial(simple))
    keep(types.SimpleNamespace())
    keep(types.MappingProxyType({}))
    keep(weakref.ref(simple))
    keep(operator.itemgetter(1))
    keep(operator.attrgetter("a"))
    keep(random.Random(1))
    keep(re.compile("a+(b|c)"))
    keep(re.match("a", "a"))
    keep(datetime.datetime(2024, 1, 1))
    keep(datetime.timedelta(1))
    keep(datetime.date(2024, 1, 1))
    keep(fractions.Fraction(1, 3))
    keep(ctypes.c_int(5))
    keep((lambda: (lambda: kept))())
    keep((lambda value: (lambda: value))(1).__closure__[0])
    keep(xml.etree.ElementTree.Element("a"))


for n in list(range(0, 20)) + [31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 200, 255, 256, 257, 1000, 5000, 70000]:
    of_length(n)
simple()
lines = ["%x %d %d %s" % ((id(thing),) + sizes(thing) + (type(thing).__name__,)) for thing in kept]
print("\n".join(lines))
