"""A named tuple made at run time, and a loop through one."""

import collections


def scenario():
    Pair = collections.namedtuple("Pair", "left right")
    box = []
    box.append(Pair(box, "right"))
