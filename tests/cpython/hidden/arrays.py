"""Loops through numpy's types, none of which shows a reference: 10 of each are dropped, or all are kept."""

import sys

import numpy


class Node:
    pass


def item():
    node = Node()
    node.array = numpy.empty(3, object)
    node.array[0] = node
    return node


def column():
    node = Node()
    grid = numpy.empty((2, 3), object, order="F")
    grid[1, 1] = node
    node.view = grid[1:]
    return node


def record(packed):
    node = Node()
    array = numpy.zeros(2, [("x", "i1"), ("y", [("z", object)])] if packed else [("y", object)])
    if packed:
        array["y"]["z"][1] = node
    else:
        array["y"][1] = node
    return node, array


def structured():
    node, node.records = record(True)
    return node


def void():
    node, array = record(False)
    node.record = array[1].copy()
    return node


def metadata():
    node = Node()
    node.dtype = numpy.dtype("i4", metadata={"node": node})
    return node


def main(keep):
    kept = []
    for make in (item, column, structured, void, metadata):
        for _ in range(10):
            made = make()
            if keep:
                kept.append(made)
    return kept


KEPT = main(sys.argv[1:] == ["keep"])
