"""Wanders through calls, and keeps objects with the stack that it was in when each was made, as `sys._getframe` tells it.

Where to go next is in bytes that were drawn before, so that most steps make no object: frames return and are entered
again, at the same address and from other lines, and no birth in between tells of it. At the end each kept object is
printed: its address, and its stack, innermost first, `function:line`.
"""

import random
import sys
import threading

DEPTH = int(sys.argv[1])
random.seed(int(sys.argv[2]))
STEPS = iter(bytes(random.choice(b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0e\x0e\x0f") for _ in range(40000)))
kept = []


class Leaf:
    pass


def truth(frame):
    stack = []
    while frame is not None and len(stack) < DEPTH:
        code = frame.f_code
        stack.append("%s:%d" % (getattr(code, "co_qualname", code.co_name), frame.f_lineno))
        frame = frame.f_back
    return stack


def note():
    kept.append((Leaf(), truth(sys._getframe())))


class Place:
    def __init__(self, left, turn):
        turn(left)
        note()

    def __getitem__(self, left):
        return walk(left)

    def __call__(self, left):
        return other(left)

    def __iter__(self):
        return self

    def __next__(self):
        if next(STEPS, 14) > 7:
            raise StopIteration
        return note()

    @property
    def room(self):
        return other(3)

    def __eq__(self, other):
        return walk(2)


def empty(left):
    return None


place = Place(0, empty)


def walk(left):
    while left > 0:
        left -= 1
        step = next(STEPS, 14)
        if step == 0: kept.append((Leaf(), truth(sys._getframe())))
        elif step == 1: walk(left)
        elif step == 2: walk(left)
        elif step == 3: other(left)
        elif step == 4: other(left)
        elif step == 5: next(turns, None)
        elif step == 6: place[left]
        elif step == 7: place(left)
        elif step == 8: place.room
        elif step == 9: list(map(walk, (left,)))
        elif step == 10: Place(left, walk)
        elif step == 11: fall(left)
        elif step == 12: note()
        elif step == 13: [note() for _ in place]
        elif step == 14: return


def other(left):
    step = next(STEPS, 14)
    if step == 0: note()
    elif step < 5: walk(left - 1)
    elif step < 8: other(left - 1) if left > 0 else walk(left)
    elif step == 8: next(turns)
    elif step == 9: next(others)
    elif step == 10: list(nested(left))
    elif step == 11: place == place
    elif step == 12: dive(left)
    elif step == 13: fresh(left)
    return walk(left - 1)


def fall(left):
    try:
        if next(STEPS, 14) < 6:
            raise KeyError
        walk(left)
        walk(left)
    except KeyError:
        walk(left)


def generate():
    while True:
        step = next(STEPS, 14)
        if step == 0: yield kept.append((Leaf(), truth(sys._getframe())))
        elif step < 4: yield note()
        elif step < 8: yield empty(step)
        else: yield


def nested(left):
    if left > 0 and next(STEPS, 14) < 10:
        note()
        yield from nested(left - 1)
        note()
    yield note()


def dive(left):
    """Down, back to the middle, and down again from another line."""
    if left <= 0:
        return note()
    dive(left - 1)
    if next(STEPS, 14) < 3:
        empty(left)
        dive(left - 2)


def fresh(left):
    """A function that dies as it returns: the address of its code may be another's next."""
    names = {"walk": walk, "note": note}
    exec("\n" * next(STEPS, 14) + "def passing(left):\n    note()\n    walk(left)\n    note()\n", names)
    names["passing"](left)
    names.clear()


class Endless:
    """An iterator of generators: one that is being resumed is not resumed from within."""

    def __init__(self, make):
        self.make = make
        self.resting = []

    def __next__(self):
        turn = self.resting.pop() if self.resting else self.make()
        try:
            return next(turn)
        finally:
            self.resting.append(turn)


turns = Endless(generate)
others = Endless(generate)


async def rest(left):
    note()
    if left > 0:
        await rest(left - 1)
    note()
    walk(left)


def await_all(left):
    waiting = rest(left)
    try:
        waiting.send(None)
    except StopIteration:
        pass


def wander(steps):
    sys.setrecursionlimit(5000)
    for turn in range(steps):
        if turn % 4 == 0: walk(30)
        elif turn % 4 == 1: other(60)
        elif turn % 4 == 2: await_all(turn % 20)
        else: [fresh(0) for _ in "abc"]


sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=wander, args=(150,)) for _ in range(3)]
for thread in threads:
    thread.start()
wander(150)
for thread in threads:
    thread.join()
while next(STEPS, None) is not None:
    wander(3)
for leaf, stack in kept:
    print("%x" % id(leaf), *stack)
