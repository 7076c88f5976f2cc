"""Loops of which a part of the cure is not the whole, each with the program that has been mended as it is told.

``programs.py NAME ...`` runs each of them ten times, and says how many objects only the collector could free.
"""

import gc
import sys
import weakref


def closure():
    errors = []

    def again(n):
        try:
            raise ValueError(n)
        except ValueError as error:
            errors.append(error)
        if n:
            again(n - 1)

    again(1)


def collect(again, errors, n):
    try:
        raise ValueError(n)
    except ValueError as error:
        errors.append(error)
    if n:
        again(again, errors, n - 1)


def closure_mended():
    errors = []
    try:
        collect(collect, errors, 1)
    finally:
        errors.clear()


def make_resource(number):
    def __init__(self, client):
        self.client = client

    return type(f"Resource{number:02}", (), {"__init__": __init__})


def make_weak_resource(number):
    def __init__(self, client):
        self.client = weakref.ref(client)

    return type(f"WeakResource{number:02}", (), {"__init__": __init__})


RESOURCES = [make_resource(number) for number in range(25)]
WEAK_RESOURCES = [make_weak_resource(number) for number in range(25)]


class Client:
    def __init__(self, resources):
        for number, resource in enumerate(resources):
            setattr(self, f"resource{number}", resource(self))


def attributes():
    Client(RESOURCES)


def attributes_mended():
    Client(WEAK_RESOURCES)


class Node:
    def __init__(self, parent=None):
        self.me = self
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)


class MendedNode:
    def __init__(self, parent=None):
        self.me = None
        self.parent = parent and weakref.ref(parent)
        self.children = []
        if parent is not None:
            parent.children.append(self)


def tree(node, size=40):
    root = node()
    for _ in range(size):
        node(root)


def itself():
    tree(Node)


def itself_mended():
    tree(MendedNode)


def main(names):
    gc.collect()
    gc.disable()
    for name in names:
        for _ in range(10):
            globals()[name]()
    if names and names[0].endswith("_mended"):
        print("left", gc.collect())


if __name__ == "__main__":
    main(sys.argv[1:])
