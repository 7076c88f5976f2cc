"""Changes objects in each way that a look at the heap can see. `program.py looks` has two looks before the last.

What one look says of an object is written again by the next only if it has changed, so at the end both say the same.
"""
import collections
import gc
import sys
import weakref


class Box:
    pass


class Other:
    pass


class Slots:
    __slots__ = ("a", "b", "__weakref__")


class Text(str):
    __slots__ = ("note",)


class Loop:
    pass


class Phoenix:
    def __del__(self):
        boxes["risen"].x = self
        self.items.clear()


def steps():
    x = []
    yield
    x = {}
    yield
    x = set()
    yield x


def cell():
    inside = []

    def change():
        nonlocal inside
        inside = {}

    return change


def look(name):
    if "looks" in sys.argv:
        import _refloop
        _refloop.mark("user", name)


names = (
    "same added removed replaced swapped longer shorter cleared table fewer kept queue ordered raw owned untouched"
    " materialised weak strong classed stepped closed slotted text reborn shared looped nested back renamed risen"
).split()
boxes = {name: Box() for name in names}


def box(name):
    return boxes[name]


for one in boxes.values():
    one.x, one.y = [1], {"k": 1}
box("longer").x = list(range(10))
box("shorter").x = list(range(1000))
box("cleared").x = list(range(1000))
box("table").x = {i: i for i in range(1000)}
box("fewer").x = {str(i) for i in range(100)}
box("kept").x = {i for i in range(100)}
box("queue").x = collections.deque(range(200))
box("ordered").x = collections.OrderedDict((i, i) for i in range(100))
box("raw").x = bytearray(1000)
box("weak").x = Slots()
box("strong").x = Slots()
reference = weakref.ref(box("strong").x)
box("stepped").x = steps()
next(box("stepped").x)
box("closed").x = cell()
box("slotted").x = Slots()
box("slotted").x.a, box("slotted").x.b = [1], (box("slotted").x,)
box("text").x = Text("short")
box("reborn").x = Slots()
box("nested").x = [[[1], [2]], [3]]
box("looped").x = Loop()
box("looped").x.me = box("looped").x
box("back").x = {"one": Slots()}
box("renamed").x = {"one": Slots()}
phoenix = Phoenix()
phoenix.items, phoenix.me = list(range(100)), phoenix
del phoenix
gc.collect()
look("first")

box("added").z = [1]
del box("removed").y
box("replaced").x = [2]
box("swapped").x, box("swapped").y = box("swapped").y, box("swapped").x
box("longer").x.extend(range(500))
del box("shorter").x[10:]
box("cleared").x.clear()
box("table").x.clear()
box("fewer").x.clear()
box("kept").x.add(-1)
box("queue").x.clear()
box("ordered").x.popitem()
box("raw").x.extend(bytes(5000))
box("owned").x *= 3
box("materialised").__dict__["z"] = 1
box("weak").y = weakref.ref(box("weak").x)
del reference
box("classed").__class__ = Other
next(box("stepped").x)
box("closed").x()
box("slotted").x.a, box("slotted").x.b = box("slotted").x.b, box("slotted").x.a
box("text").x.note = [1]
box("reborn").x = None
box("reborn").x = Slots()
box("reborn").x.a = box("reborn")
box("shared").y = box("shared").x
box("looped").x = None
gc.collect(1)
box("nested").x[0][1] = (1, box("nested"))
box("renamed").x["two"] = box("renamed").x.pop("one")
# Away, and back again.
aside = box("back").x.pop("one")
look("second")

next(box("stepped").x)
box("added").z.append(box("added"))
box("cleared").x.append(1)
box("back").x["one"] = aside
del aside
box("removed").y = {"k": 1}
gc.collect()
