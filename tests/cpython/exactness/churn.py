"""Makes garbage of many shapes while the collector runs when it likes, and lets it print each collection."""

import functools
import gc
import random
import sys


class Node:
    def __init__(self):
        self.links = []
        self.by_name = {}


class Slotted:
    __slots__ = ("peer", "__weakref__")


def ring(n):
    nodes = [Node() for _ in range(n)]
    for index, node in enumerate(nodes):
        node.links.append(nodes[index - 1])
        node.by_name["next"] = nodes[(index + 1) % n]
    return nodes[0]


def slotted():
    one, other = Slotted(), Slotted()
    one.peer, other.peer = other, one
    return one


def closure():
    def step():
        return step

    return step


def method():
    node = Node()
    node.call = functools.partial(node.links.append, node)
    return node


def caught():
    try:
        raise KeyError("kept")
    except KeyError as error:
        kept = error
    return kept


def main():
    chance = random.Random(20)
    makers = [functools.partial(ring, 3), slotted, closure, method, caught]
    kept = []
    for _ in range(int(sys.argv[1])):
        made = chance.choice(makers)()
        if chance.random() < 0.2:
            kept.append(made)
        if kept and chance.random() < 0.15:
            kept.pop(chance.randrange(len(kept)))


gc.collect()
gc.set_debug(gc.DEBUG_COLLECTABLE | gc.DEBUG_STATS)
main()
gc.set_debug(0)
gc.disable()
