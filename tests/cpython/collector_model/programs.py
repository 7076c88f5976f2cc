"""Twelve programs whose garbage is known, run under a setting of the collector.

`programs.py NAME SETTING [counts|garbage]`: SETTING as `refloop whatif --gc` has it, or `recorded` for the defaults. Writes,
as JSON, how many collections of each generation began since the first line of the program; with `garbage` also the most
loops that lay there, for which a function stands in `gc.callbacks`, and the dict that CPython makes for it changes the
counts.
"""
import gc
import json
import sys


class Node:
    __slots__ = ("other",)

    def __init__(self, other=None):
        self.other = other


class Tree:
    __slots__ = ("parent", "children")

    def __init__(self, depth, parent=None):
        self.parent = parent
        self.children = [Tree(depth - 1, self) for _ in range(2)] if depth else []


class Garbage:
    """Loops that were dropped and not freed: what the program knows, and what the collector says that it freed."""

    def __init__(self):
        self.there = 0
        self.most = 0
        # Objects of each loop: all, and those that the collector counts.
        self.objects_each = 2
        self.collected_each = 2

    def add(self):
        self.there += 1
        if self.there > self.most:
            self.most = self.there

    def freed(self, phase, info):
        if phase == "stop":
            self.there -= info["collected"] / self.collected_each


garbage = Garbage()
# What a program returns is no garbage when the recording ends.
kept = []


def pairs():
    """Loops of two objects, dropped at once."""
    for _ in range(12345):
        a = Node()
        a.other = Node(a)
        a = None
        garbage.add()


def temporaries():
    """Lists, dicts and tuples that die by the count, and some that stay."""
    kept = []
    for i in range(16700):
        parts = [[i], [i, i], {"i": i}, (i, [i])]
        if i % 3 == 0:
            kept.append(parts)


def waves():
    """A heap that grows and shrinks again and again."""
    for wave in range(40):
        batch = [[] for _ in range(500 + 97 * wave)]
        batch = None


def grow():
    """A heap that only grows: full collections become rare."""
    kept = []
    for i in range(70000):
        kept.append([i])
    return kept


def rows():
    """A table of numbers, whose tuples the collector does not track."""
    return [(i, i + 1, "text") for i in range(165000)]


def records():
    """Dicts of numbers, which the collector does not track before 3.14, among objects that it does."""
    return [(i % 4 and {"i": i, "j": i + 1}) or Node() for i in range(165000)]


def trees():
    """Trees with parents, dropped one after the other."""
    garbage.objects_each = garbage.collected_each = 2 * 63
    for _ in range(320):
        Tree(5)
        garbage.add()


def cache():
    """A cache of loops: what falls out of it is old garbage."""
    slots = [None] * 3000
    for i in range(21000):
        place = i * 7919 % 3000
        if slots[place] is not None:
            garbage.add()
        a = Node()
        a.other = Node(a)
        slots[place] = a
        a = None
    return slots


def closures():
    """Functions that refer to themselves."""
    def make(n):
        def again(k):
            return again(k - 1) if k else n
        return again
    # Function, its closure, two cells; and a number.
    garbage.objects_each, garbage.collected_each = 5, 4
    for i in range(1000, 9000):
        make(i)(2)
        garbage.add()


def explicit():
    """A program that asks for collections itself."""
    for i in range(60):
        for _ in range(300):
            a = Node()
            a.other = Node(a)
            a = None
            garbage.add()
        if i % 6 == 5:
            gc.collect(i // 6 % 3)


def generators():
    """Generators, iterators, methods and comprehensions."""
    kept = []
    for i in range(4400):
        squares = (k * k for k in range(5))
        kept.append(iter([sum(squares), *map(str, range(3))]))
        kept.append(kept.append)
        if len(kept) > 3000:
            kept = []


def errors():
    """Exceptions that refer to the frame that caught them."""
    def fail(n):
        try:
            raise ValueError(n)
        except ValueError as error:
            kept = error
        return kept is None
    for i in range(8000):
        fail(i)


def nothing():
    """What runs before and after each program."""


PROGRAMS = [
    nothing, pairs, temporaries, waves, grow, rows, records, trees, cache, closures, explicit, generators, errors
]


def collections():
    return [generation["collections"] for generation in gc.get_stats()]


def main():
    program = next(program for program in PROGRAMS if program.__name__ == sys.argv[1])
    setting = sys.argv[2] if len(sys.argv) > 2 else "recorded"
    if setting == "off":
        gc.disable()
    elif setting != "recorded":
        gc.set_threshold(*map(int, setting.split(",")))
    asked = sys.argv[3] if len(sys.argv) > 3 else ""
    if asked == "garbage":
        gc.callbacks.append(garbage.freed)
    gc.collect()
    garbage.there = garbage.most = 0
    before = collections()
    kept.append(program())
    after = collections()
    if asked:
        gc.callbacks.clear()
        runs = [b - a for a, b in zip(before, after)]
        answer = {"collections": runs, "most": round(garbage.most), "objects_each": garbage.objects_each}
        json.dump(answer, sys.stdout)


main()
