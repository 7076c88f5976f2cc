"""Prints all that a program can see of a collection: what is called in which order, and what the collector counts."""

import gc
import sys
import weakref


class Node:
    def __init__(self, name):
        self.name = name
        self.me = self


class Final(Node):
    def __del__(self):
        print("del", self.name, look())


class Back(Node):
    def __del__(self):
        kept.append(self)


kept = []


def look():
    """What is in the collector's lists, as far as it may be strange."""
    strange = [type(thing) for thing in gc.get_objects() if type(thing).__module__ is None]
    return strange, len([thing for thing in gc.get_objects() if isinstance(thing, Node)])


def called(reference):
    print("weak", reference(), look(), [type(thing).__name__ for thing in gc.get_referrers(kept)])


def stats():
    return [[value for key, value in sorted(each.items()) if key != "duration"] for each in gc.get_stats()]


def collect(generation):
    before = stats()
    found = gc.collect(generation)
    after = stats()
    changes = [[now - was for now, was in zip(*each)] for each in zip(after, before)]
    print("collected", generation, found, changes[generation], gc.get_count()[1:], len(gc.garbage))


def fill():
    Node("plain")
    Final("final")
    Back("back")
    pair = [weakref.ref(Final("weak"), called), Node("left"), Node("right")]
    pair[1].other, pair[2].other = pair[2], pair[1]
    inside = Node("inside")
    inside.reference = weakref.ref(inside, called)
    generator = (generator for _ in [1])
    function = lambda: function
    return pair[0]


def rounds():
    for generation in (0, 1, 2, 0):
        reference = fill()
        collect(generation)
        collect(generation)
        print([each.name for each in kept], reference())
        kept.clear()


def callback(phase, info):
    print("callback", phase, sorted(info)[:2], info["generation"], info["collected"], look())
    collect(0)
    if phase == "start":
        raise ValueError("a callback that raises")


sys.unraisablehook = lambda what: print("ignored", type(what.exc_value).__name__)
gc.disable()
gc.collect()
gc.freeze()
rounds()
print("callbacks of its own")
gc.callbacks.append(callback)
rounds()
gc.callbacks.remove(callback)
print("saved")
gc.set_debug(gc.DEBUG_SAVEALL)
rounds()
print(len(gc.garbage))
gc.set_debug(0)
gc.garbage.clear()
rounds()
print("frozen")
frozen = Node("frozen")
gc.freeze()
del frozen
collect(2)
print("cleared")
gc.callbacks.clear()
rounds()
