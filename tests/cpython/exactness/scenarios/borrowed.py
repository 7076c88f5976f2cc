"""A generator in a loop is suspended while a value of its stack has no count of its own (3.14+), in two ways: what it refers
to is garbage with it, and what it refers to is kept by a reference that nothing shows."""

import ctypes


class Resource:
    def __init__(self):
        self.itself = self


class Node:
    pass


def use(first, second):
    return first, second


def suspended(resource):
    yield use(resource, (yield))


def make(kept):
    node, resource = Node(), Resource()
    node.walk = suspended(resource)
    next(node.walk)
    node.walk_of = node
    if kept:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(resource))


#: The generator's frame holds what nothing else shows.
FINALIZERS = True


def scenario():
    for number in range(50):
        make(kept=number % 2 == 0)
